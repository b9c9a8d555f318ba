/* fuzz_envelope.c - a message body: taken apart within bounds; what was read comes back.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "envelope.h"
#include "fuzz.h"

#define LIMIT (4 * 1024 * 1024)

static void walk(struct span run)
{
    struct cursor at = cursor_of(run);
    struct span frame;
    uint32_t len;
    size_t total = 0;
    bool cut;

    while (envelope_next(&at, &frame, &cut, &len))
        total += 4 + frame.len;
    if (cut)
        total += len ? 4 + frame.len : frame.len;
    MUST(total == run.len || (cut && len == 0));
}

static void round_trip(enum envelope_encoding encoding, struct span run,
                       const struct envelope_attributes *attributes)
{
    struct text message, scratch;
    struct envelope_attributes back;
    struct span again;

    text_init(&message, LIMIT);
    text_init(&scratch, LIMIT);
    envelope_encode(&message, encoding, attributes, run);
    MUST(!message.overflow && message.len <= envelope_size_max(encoding, run.len));
    MUST(encoding == ENVELOPE_RAW || !memchr(message.buf, 0, message.len));
    MUST(envelope_decode(text_str(&message), &scratch, &back, &again) == ENVELOPE_OK);
    MUST(span_equal(again, run));
    MUST(back.sample == (attributes->sample > 1 ? attributes->sample : 0));
    text_destroy(&message);
    text_destroy(&scratch);
}

/* The octets as frames, whose lengths they give themselves: as one run, and frame by frame. */
static void by_frames(enum envelope_encoding encoding, struct span octets)
{
    static const struct envelope_attributes none;
    struct text head, message, run, whole;
    struct envelope_writer w;

    text_init(&head, LIMIT);
    text_init(&message, LIMIT);
    text_init(&run, LIMIT);
    text_init(&whole, LIMIT);
    envelope_head(&head, encoding, &none);
    MUST(envelope_begin(&w, &message, encoding, text_str(&head)));
    /* Ends: every turn takes an octet. */
    for (size_t at = 0; at < octets.len;) {
        size_t len = octets.ptr[at], left = octets.len - at;
        char prefix[4] = {0};

        if (len == 0 || len > left)
            len = left;
        for (int i = 0; i < 4; i++)
            prefix[i] = (char)(len >> (24 - 8 * i));
        text_put(&run, prefix, sizeof prefix);
        text_put(&run, (const char *)octets.ptr + at, len);
        MUST(envelope_append(&w, span_of(octets.ptr + at, len)));
        at += len;
    }
    envelope_end(&w);
    MUST(w.run == run.len && message.len < message.cap);
    envelope_encode(&whole, encoding, &none, span_of(run.buf, run.len));
    MUST(str_equal(text_str(&message), text_str(&whole)));
    text_destroy(&head);
    text_destroy(&message);
    text_destroy(&run);
    text_destroy(&whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct envelope_attributes none;
    struct envelope_attributes attributes = {0};
    struct text scratch, plain;
    struct span run = {0};
    enum envelope_status status;

    text_init(&scratch, LIMIT);
    text_init(&plain, LIMIT);
    status = envelope_decode((struct str){(const char *)data, size}, &scratch, &attributes, &run);
    if (status == ENVELOPE_OK || status == ENVELOPE_BAD_BODY) {
        MUST(run.len <= size);
        walk(run);
        envelope_unescape(&plain, attributes.peer);
        envelope_unescape(&plain, attributes.tls);
        round_trip(ENVELOPE_COBS, run, &attributes);
    }
    round_trip(ENVELOPE_COBS, span_of(data, size), &none);
    round_trip(ENVELOPE_BASE64, span_of(data, size), &none);
    round_trip(ENVELOPE_RAW, span_of(data, size), &none);
    by_frames(ENVELOPE_COBS, span_of(data, size));
    by_frames(ENVELOPE_BASE64, span_of(data, size));
    by_frames(ENVELOPE_RAW, span_of(data, size));
    text_destroy(&scratch);
    text_destroy(&plain);
    return 0;
}
