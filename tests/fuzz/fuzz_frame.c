/* fuzz_frame.c - Frame Streams: the same events however the octets arrive.
 *
 * Input: an octet (bit 0: two-byte framing; the rest: size of the pieces), then the stream.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "frame.h"
#include "fuzz.h"

#define MAX_FRAME 300

/* All events of a stream, as one number. */
struct events {
    uint64_t hash;
    size_t count;
};

static void note(struct events *events, enum fs_result result, struct span octets)
{
    events->hash = (events->hash ^ (uint64_t)result) * 1099511628211u;
    for (size_t i = 0; i < octets.len; i++)
        events->hash = (events->hash ^ octets.ptr[i]) * 1099511628211u;
    events->count++;
}

/* Takes what is whole in data[done..len); returns where it stopped. */
static size_t feed(struct fs_stream *stream, const uint8_t *data, size_t done, size_t len,
                   struct events *events)
{
    size_t left = len - done, need;
    uint8_t *copy = malloc(left ? left : 1); /* ends where the octets end */
    struct cursor at;
    struct span frame = {0};
    enum fs_result result;

    MUST(copy != NULL);
    if (left)
        memcpy(copy, data + done, left);
    at = cursor_of(span_of(copy, left));
    while ((result = fs_next(stream, &at, &frame)) != FS_MORE) {
        if (result == FS_FRAME) {
            MUST(frame.len <= MAX_FRAME);
            MUST(frame.ptr >= copy && frame.len <= (size_t)(copy + left - frame.ptr));
            note(events, result, frame);
        } else {
            note(events, result, result == FS_REPLY ? fs_reply(stream) : span_of(NULL, 0));
        }
        if (result == FS_ERROR)
            break;
        MUST(events->count < 1000000);
    }
    done = len - cursor_left(&at);
    if (result == FS_MORE) {
        need = fs_need(stream, span_of(at.pos, cursor_left(&at)));
        MUST(need == 0 || (need > cursor_left(&at) && need <= FS_CONTROL_MAX + 8));
    }
    free(copy);
    return done;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct events whole = {0}, pieces = {0};
    enum fs_framing framing;
    struct fs_stream *stream;
    size_t piece, done = 0, end = 0;

    if (size < 1)
        return 0;
    framing = data[0] & 1 ? FS_FRAMING_LENGTH16 : FS_FRAMING_STREAM;
    piece = (size_t)(data[0] >> 1) + 1;
    data++;
    size--;
    stream = fs_create(framing, MAX_FRAME);
    MUST(stream != NULL);
    feed(stream, data, 0, size, &whole);
    MUST(fs_error_content_type(stream).len <= 256);
    fs_destroy(&stream);
    stream = fs_create(framing, MAX_FRAME);
    MUST(stream != NULL);
    do {
        end = size - end > piece ? end + piece : size;
        done = feed(stream, data, done, end, &pieces);
    } while (end < size && fs_error(stream) == FS_ERROR_NONE);
    fs_destroy(&stream);
    MUST(whole.hash == pieces.hash && whole.count == pieces.count);
    fs_guess_protocol(span_of(data, size));
    return 0;
}
