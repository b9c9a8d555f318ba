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
    text_destroy(&scratch);
    text_destroy(&plain);
    return 0;
}
