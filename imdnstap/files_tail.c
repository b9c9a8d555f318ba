/* files_tail.c - one file: read from an offset on, frame by frame.
 *
 * Belongs to the thread of its `files`.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "files_tail.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Compressed octets read at a time. */
#define RAW_READ ((size_t)64 * 1024)

struct tail *tail_create(const char *path, const struct stat *st, size_t max_frame)
{
    struct tail *tail = calloc(1, sizeof(*tail));

    if (!tail)
        return NULL;
    tail->fd = tail->watch = -1;
    tail->device = st->st_dev;
    tail->inode = st->st_ino;
    tail->path = strdup(path);
    tail->stream = fs_create(FS_FRAMING_STREAM, max_frame);
    if (!tail->path || !tail->stream)
        tail_destroy(&tail);
    return tail;
}

void tail_destroy(struct tail **tail)
{
    if (!tail || !*tail)
        return;
    if ((*tail)->fd >= 0)
        close((*tail)->fd);
    codec_destroy(&(*tail)->codec);
    fs_destroy(&(*tail)->stream);
    free((*tail)->path);
    free(*tail);
    *tail = NULL;
}

bool tail_open(struct tail *tail)
{
    struct stat st;
    /* O_NONBLOCK: a FIFO that took the file's place does not stop us. */
    int fd = open(tail->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0)
        return false;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_dev != tail->device ||
        st.st_ino != tail->inode) {
        close(fd);
        errno = 0;
        return false;
    }
    tail->fd = fd;
    return true;
}

/* Up to len octets from an offset: fewer only at the end of the file. -1: errno says why. */
static ssize_t read_at(int fd, uint8_t *to, size_t len, uint64_t offset)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = pread(fd, to + done, len - done, (off_t)(offset + done));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

/* Is the file's beginning still the one that was marked? */
static bool mark_matches(const struct tail *tail, uint32_t len, uint64_t mark)
{
    uint8_t first[STATE_MARK_MAX];

    return len == 0 || (read_at(tail->fd, first, len, 0) == (ssize_t)len &&
                        state_mark(span_of(first, len)) == mark);
}

/* Marks as much of the beginning as has been read for certain. */
static void mark_beginning(struct tail *tail)
{
    uint8_t first[STATE_MARK_MAX];
    uint32_t len = tail->offset < STATE_MARK_MAX ? (uint32_t)tail->offset : STATE_MARK_MAX;

    if (len <= tail->mark_len || read_at(tail->fd, first, len, 0) != (ssize_t)len)
        return;
    tail->mark = state_mark(span_of(first, len));
    tail->mark_len = len;
}

/* A fresh stream that is between START and STOP already. False: no memory. */
static bool stream_resume(struct tail *tail)
{
    static const uint8_t start[] = {0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 2};
    struct cursor at = cursor_of(span_of(start, sizeof(start)));
    struct span frame;

    return fs_next(tail->stream, &at, &frame) == FS_START;
}

bool tail_resume(struct tail *tail, const struct state_entry *entry)
{
    struct stat st;

    if (fstat(tail->fd, &st) != 0 || (uint64_t)st.st_size < entry->offset ||
        !mark_matches(tail, entry->mark_len, entry->mark))
        return false;
    if (entry->started && !stream_resume(tail))
        return false;
    tail->started = entry->started;
    tail->offset = entry->offset;
    tail->mark = entry->mark;
    tail->mark_len = entry->mark_len;
    return true;
}

bool tail_rewind_if_changed(struct tail *tail, const struct stat *st, size_t max_frame)
{
    struct fs_stream *stream;

    if ((uint64_t)st->st_size >= tail->offset && mark_matches(tail, tail->mark_len, tail->mark))
        return false;
    stream = fs_create(FS_FRAMING_STREAM, max_frame);
    if (!stream)
        return false; /* looked at again with the next change */
    fs_destroy(&tail->stream);
    tail->stream = stream;
    tail->started = false;
    tail->offset = 0;
    tail->mark = 0;
    tail->mark_len = 0;
    tail->dead = false;
    tail->looked = false;
    return true;
}

static bool buffer_fit(struct tail_buffer *buffer, size_t cap)
{
    uint8_t *grown;

    if (cap <= buffer->cap)
        return true;
    grown = realloc(buffer->octets, cap);
    if (!grown)
        return false;
    buffer->octets = grown;
    buffer->cap = cap;
    return true;
}

static enum tail_result fail(struct tail *tail, struct tail_context *context, const char *why)
{
    snprintf(context->why, sizeof(context->why), "%s", why);
    tail->dead = true;
    return TAIL_FAILED;
}

/* Says what the stream's error is, where, and what it was instead, in printable octets. */
static enum tail_result fail_stream(struct tail *tail, struct tail_context *context,
                                    struct span first)
{
    enum fs_error error = fs_error(tail->stream);
    struct span type = fs_error_content_type(tail->stream);
    char detail[80] = "";

    if (error == FS_ERROR_NOT_STREAM) {
        snprintf(detail, sizeof(detail), " (it looks like: %s)", fs_guess_protocol(first));
    } else if (error == FS_ERROR_FRAME_SIZE) {
        snprintf(detail, sizeof(detail), " (%" PRIu32 " octets)", fs_error_size(tail->stream));
    } else if (error == FS_ERROR_CONTENT_TYPE) {
        int len = type.len < 60 ? (int)type.len : 60;

        snprintf(detail, sizeof(detail), " (but %.*s)", len, (const char *)type.ptr);
        for (char *p = detail; *p; p++)
            *p = *p < 0x20 || *p > 0x7e ? '?' : *p;
    }
    if (tail->codec)
        snprintf(context->why, sizeof(context->why), "%s%s after %" PRIu64 " frames",
                 fs_error_text(error), detail, tail->frames);
    else
        snprintf(context->why, sizeof(context->why), "%s%s at octet %" PRIu64, fs_error_text(error),
                 detail, tail->offset);
    tail->dead = true;
    return TAIL_FAILED;
}

/* Takes the whole items of `octets`; *ret_taken says how far it came.
 * Ends: every turn takes an item, or is one of the two that follow a STOP. */
static enum tail_result take(struct tail *tail, struct tail_context *context, struct span octets,
                             size_t *ret_taken)
{
    struct cursor at = cursor_of(octets);
    struct span frame;

    for (;;) {
        struct cursor before = at;

        tail->started = fs_started(tail->stream);
        switch (fs_next(tail->stream, &at, &frame)) {
        case FS_MORE:
            *ret_taken = (size_t)(at.pos - octets.ptr);
            return TAIL_MORE;
        case FS_FRAME:
            if (!context->callbacks->frame(context->callbacks->data, tail->path, frame)) {
                *ret_taken = (size_t)(before.pos - octets.ptr);
                return TAIL_REFUSED;
            }
            tail->frames++;
            break;
        case FS_REPLY: /* a recorded handshake: nobody is there to read the answer */
        case FS_START:
        case FS_STOP:
            break;
        case FS_ERROR:
            *ret_taken = (size_t)(before.pos - octets.ptr);
            return TAIL_FAILED;
        }
    }
}

static enum tail_result at_end(struct tail *tail, struct tail_context *context, size_t left)
{
    (void)tail;
    context->why[0] = '\0';
    if (left)
        snprintf(context->why, sizeof(context->why),
                 "it ends within a frame: %zu octets are left over", left);
    return TAIL_END;
}

static enum tail_result step_plain(struct tail *tail, struct tail_context *context)
{
    struct tail_buffer *buffer = context->buffer;
    size_t wanted = TAIL_READ, taken = 0, need;
    enum tail_result result;
    ssize_t n;

    for (;;) { /* ends: the second turn has the room that the frame needs */
        if (!buffer_fit(buffer, wanted))
            return fail(tail, context, "out of memory");
        n = read_at(tail->fd, buffer->octets, wanted, tail->offset);
        if (n < 0)
            return fail(tail, context, strerror(errno));
        result = take(tail, context, span_of(buffer->octets, (size_t)n), &taken);
        tail->offset += taken;
        if (taken > 0)
            mark_beginning(tail);
        if (result == TAIL_FAILED)
            return fail_stream(tail, context, span_of(buffer->octets + taken, (size_t)n - taken));
        if (result == TAIL_REFUSED || taken > 0)
            return result;
        need = fs_need(tail->stream, span_of(buffer->octets, (size_t)n));
        if ((size_t)n < wanted || need <= wanted)
            return at_end(tail, context, (size_t)n);
        wanted = need;
    }
}

bool tail_decompress(struct tail *tail, struct tail_context *context)
{
    uint8_t first[CODEC_MAGIC_MAX];
    ssize_t n = read_at(tail->fd, first, sizeof(first), 0);
    enum codec_kind kind = codec_guess(span_of(first, n > 0 ? (size_t)n : 0));

    context->buffer->held = 0;
    if (kind == CODEC_PLAIN)
        return true;
    if (!codec_built_in(kind)) {
        snprintf(context->why, sizeof(context->why), "it is compressed, and %s is not built in",
                 codec_name(kind));
        return false;
    }
    tail->codec = codec_create(kind);
    if (!tail->codec)
        snprintf(context->why, sizeof(context->why), "out of memory");
    return tail->codec != NULL;
}

/* Decompresses once behind what is held. *ret_end: the compressed file is at its end. */
static enum tail_result inflate_more(struct tail *tail, struct tail_context *context, bool *ret_end)
{
    struct tail_buffer *buffer = context->buffer;
    uint8_t raw[RAW_READ];
    ssize_t n = read_at(tail->fd, raw, sizeof(raw), tail->offset);
    struct cursor at;
    size_t len;

    if (n < 0)
        return fail(tail, context, strerror(errno));
    at = cursor_of(span_of(raw, (size_t)n));
    if (!codec_run(tail->codec, &at, buffer->octets + buffer->held, buffer->cap - buffer->held,
                   &len))
        return fail(tail, context, "the compressed data is damaged");
    tail->offset += (uint64_t)(at.pos - raw);
    buffer->held += len;
    *ret_end = at.pos == raw && len == 0;
    if (*ret_end && !codec_at_end(tail->codec))
        return fail(tail, context, "the compressed data ends early");
    return TAIL_MORE;
}

static enum tail_result step_compressed(struct tail *tail, struct tail_context *context)
{
    struct tail_buffer *buffer = context->buffer;
    enum tail_result result;
    size_t taken = 0;
    bool end = false;

    if (!buffer_fit(buffer, TAIL_READ) ||
        !buffer_fit(buffer, fs_need(tail->stream, span_of(buffer->octets, buffer->held))))
        return fail(tail, context, "out of memory");
    if (buffer->held < buffer->cap) {
        result = inflate_more(tail, context, &end);
        if (result == TAIL_FAILED)
            return result;
    }
    result = take(tail, context, span_of(buffer->octets, buffer->held), &taken);
    if (result == TAIL_FAILED)
        return fail_stream(tail, context, span_of(buffer->octets + taken, buffer->held - taken));
    buffer->held -= taken;
    if (taken > 0)
        memmove(buffer->octets, buffer->octets + taken, buffer->held);
    if (result == TAIL_MORE && taken == 0 && end)
        return at_end(tail, context, buffer->held);
    return result;
}

enum tail_result tail_step(struct tail *tail, struct tail_context *context)
{
    return tail->codec ? step_compressed(tail, context) : step_plain(tail, context);
}

struct state_entry tail_entry(const struct tail *tail)
{
    return (struct state_entry){.device = tail->device,
                                .inode = tail->inode,
                                .offset = tail->offset,
                                .mark = tail->mark,
                                .mark_len = tail->mark_len,
                                .started = tail->started,
                                .path = tail->path};
}
