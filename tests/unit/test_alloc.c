/* test_alloc.c - the whole way from a stream to every format when one allocation fails, for every one.
 *
 * Covers: stream, arena, decoders, growing texts and envelopes: each failure is an answer (no object, an
 * overflow, a malformed event), never a crash, and the run after it is as the one before.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "envelope.h"
#include "fmt.h"
#include "frame.h"

/* Linked with --wrap: allocation number `fail_at` (from 1) fails, and only that; 0: none. */
static unsigned fail_at, allocations;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

void *__wrap_malloc(size_t size)
{
    return ++allocations == fail_at ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return ++allocations == fail_at ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return ++allocations == fail_at ? NULL : __real_realloc(old, size);
}

#define FRAMES_PER_RUN 12

static uint8_t capture[1 << 18];
static size_t capture_len;

static int load_capture(void **state)
{
    const char *top = getenv("abs_top_srcdir");
    char path[4096];
    FILE *file;

    (void)state;
    snprintf(path, sizeof(path), "%s/tests/corpus/dnsdist-tcp.fstrm", top ? top : ".");
    file = fopen(path, "rb");
    if (!file)
        return -1;
    capture_len = fread(capture, 1, sizeof(capture), file);
    fclose(file);
    return capture_len > 0 ? 0 : -1;
}

/* Totals of a run, to compare runs with. */
struct totals {
    size_t frames, malformed, text;
};

/* Each text of its own, so that each grows by allocations of its own. */
static void render_all(const struct event *event, struct totals *totals)
{
    for (const struct fmt *const *fmt = fmt_all; *fmt; fmt++) {
        struct text t;

        text_init(&t, FMT_TEXT_MAX);
        fmt_render(*fmt, event, &fmt_options_default, &t);
        totals->text += t.len;
        text_destroy(&t);
    }
}

/* A message of two frames, as far as there is memory, back to frames. */
static void through_envelope(struct span frame, enum envelope_encoding encoding)
{
    struct envelope_attributes in = {.sample = 3, .tls = STR("a b")}, out;
    struct envelope_writer writer;
    struct text head, body, scratch;
    struct span run, back;
    uint32_t len, frames = 0, found = 0;
    bool cut;

    text_init(&head, 1 << 20);
    text_init(&body, 1 << 20);
    text_init(&scratch, 1 << 20);
    envelope_head(&head, encoding, &in);
    if (!head.overflow && envelope_begin(&writer, &body, encoding, text_str(&head))) {
        enum envelope_status status;

        frames += envelope_append(&writer, frame);
        frames += envelope_append(&writer, frame);
        envelope_end(&writer);
        status = envelope_decode(text_str(&body), &scratch, &out, &run);
        assert_true(status == ENVELOPE_OK || status == ENVELOPE_NO_MEMORY);
        if (status == ENVELOPE_OK) {
            struct cursor rest = cursor_of(run);

            for (; envelope_next(&rest, &back, &cut, &len); found++)
                assert_true(span_equal(back, frame));
            assert_int_equal(found, frames);
        }
    }
    text_destroy(&head);
    text_destroy(&body);
    text_destroy(&scratch);
}

static struct totals run_once(void)
{
    static const enum envelope_encoding encodings[] = {ENVELOPE_COBS, ENVELOPE_BASE64,
                                                       ENVELOPE_RAW};

    struct fs_stream *stream = fs_create(FS_FRAMING_STREAM, 1 << 17);
    struct event_decoder *decoder = event_decoder_create();
    struct event_context context = {.sample = 1};
    struct cursor input = cursor_of(span_of(capture, capture_len));
    struct totals totals = {0};
    enum fs_result result = FS_MORE;
    struct span frame;

    /* Ends: every turn but FS_START takes a frame, and those are counted. */
    while (stream && decoder && totals.frames < FRAMES_PER_RUN) {
        struct event event;

        result = fs_next(stream, &input, &frame);
        if (result == FS_START)
            continue;
        if (result != FS_FRAME)
            break;
        event_decode(decoder, frame, &context, &event);
        totals.frames++;
        totals.malformed += event.malformed;
        render_all(&event, &totals);
        for (size_t i = 0; i < sizeof(encodings) / sizeof(*encodings); i++)
            through_envelope(frame, encodings[i]);
    }
    if (stream && result == FS_ERROR)
        assert_int_equal(fs_error(stream), FS_ERROR_NO_MEMORY);
    event_decoder_destroy(&decoder);
    fs_destroy(&stream);
    return totals;
}

static void test_every_allocation_may_fail(void **state)
{
    struct totals want = run_once(), got;
    unsigned total = allocations, failures = 0;

    (void)state;
    assert_int_equal(want.frames, FRAMES_PER_RUN);
    assert_int_equal(want.malformed, 0);
    assert_true(total > FRAMES_PER_RUN);
    for (unsigned n = 1; n <= total; n++) {
        allocations = 0;
        fail_at = n;
        got = run_once();
        fail_at = 0;
        failures += got.frames != want.frames || got.text != want.text;
    }
    /* Nearly each is seen in what comes out; one that grows a text may be made good by a smaller text. */
    assert_true(failures > total / 2);
    allocations = 0;
    got = run_once();
    assert_memory_equal(&got, &want, sizeof(want));
    assert_int_equal(allocations, total);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, load_capture, NULL);
}
