/* test_envelope_writer.c - messages written frame by frame: the octets of the run, in room that was asked for.
 *
 * Covers: every encoding against encoders that take one octet after the other, frames cut at every place, blocks that
 * are full at a frame's end, the room that envelope_writer_size promises, a text that is full.
 * Expected values: the run by envelope.h; COBS as in Cheshire and Baker 1999, 2; base64 as in RFC 4648 4.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "envelope.h"
#include "guard.h"

#define LIMIT      (1024 * 1024)
#define FRAMES_MAX 64

static const enum envelope_encoding encodings[] = {ENVELOPE_COBS, ENVELOPE_BASE64, ENVELOPE_RAW};

static void put_octet(struct text *t, unsigned octet)
{
    text_put_char(t, (char)octet);
}

/* Cuts the run at its zeros and a zero behind it; what is left of a piece of 254 or more goes into blocks of 254. */
static void plain_cobs(struct text *t, struct span run)
{
    size_t start = 0;

    for (size_t i = 0; i <= run.len; i++) {
        bool zero = i == run.len || run.ptr[i] == 0;

        /* A block of 254 stands for no zero, so it needs no successor at the end. */
        if (!zero && i - start < 254)
            continue;
        put_octet(t, (unsigned)(i - start) + 1);
        text_put(t, (const char *)run.ptr + start, i - start);
        if (i == run.len && i - start == 254)
            return;
        if (zero && i - start == 254)
            put_octet(t, 1);
        start = zero ? i + 1 : i;
    }
}

static void plain_base64(struct text *t, struct span run)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t bits = run.len * 8;

    for (size_t at = 0; at < (bits + 23) / 24 * 24; at += 6) {
        unsigned value = 0;

        for (size_t bit = at; bit < at + 6; bit++)
            value = value << 1 | (bit < bits ? run.ptr[bit / 8] >> (7 - bit % 8) & 1u : 0);
        put_octet(t, at >= bits ? '=' : (unsigned char)digits[value]);
    }
}

static void plain_run(struct text *t, const struct span *frames, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (int shift = 24; shift >= 0; shift -= 8)
            put_octet(t, (unsigned)(frames[i].len >> shift) & 255);
        text_put(t, (const char *)frames[i].ptr, frames[i].len);
    }
}

/* What a message of these frames must be. */
static void plain_message(struct text *t, enum envelope_encoding encoding, struct str head,
                          const struct span *frames, size_t count)
{
    struct text run;
    struct span octets;

    text_init(&run, LIMIT);
    plain_run(&run, frames, count);
    octets = span_of(run.buf, run.len);
    text_put_str(t, head);
    if (encoding == ENVELOPE_COBS)
        plain_cobs(t, octets);
    else if (encoding == ENVELOPE_BASE64)
        plain_base64(t, octets);
    else
        text_put(t, run.buf, run.len);
    text_destroy(&run);
}

/* A text that has the room promised for the first frame, and no octet more; it may grow only for others. */
static void begin_exactly(struct text *t, struct envelope_writer *w,
                          enum envelope_encoding encoding, struct str head, size_t frame,
                          bool alone)
{
    size_t size = envelope_writer_size(encoding, head.len, frame);

    text_init(t, alone ? size : LIMIT);
    t->cap = size;
    t->buf = malloc(t->cap);
    assert_non_null(t->buf);
    assert_true(envelope_begin(w, t, encoding, head));
}

/* A copy that begins behind an unreadable page. guard_copy's end at one. */
static struct guard front_copy(struct span octets)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    struct guard guard = {.map_len = page + octets.len + 1};
    uint8_t *map =
        mmap(NULL, guard.map_len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    assert_ptr_not_equal(map, MAP_FAILED);
    assert_int_equal(mprotect(map, page, PROT_NONE), 0);
    memcpy(map + page, octets.ptr, octets.len);
    guard.map = map;
    guard.span = span_of(map + page, octets.len);
    return guard;
}

static void expect_message(enum envelope_encoding encoding, const struct span *frames, size_t count,
                           bool front)
{
    const struct str head = STR("dnstap1 x sample=3|");
    struct text got, want;
    struct envelope_writer w;
    size_t cap;

    text_init(&want, LIMIT);
    plain_message(&want, encoding, head, frames, count);
    begin_exactly(&got, &w, encoding, head, frames[0].len, count == 1);
    cap = got.cap;
    for (size_t i = 0; i < count; i++) {
        struct guard guard =
            front ? front_copy(frames[i]) : guard_copy(frames[i].ptr, frames[i].len);

        assert_true(envelope_append(&w, guard.span));
        guard_free(&guard);
        assert_true(i > 0 || got.cap == cap);
    }
    envelope_end(&w);
    assert_false(got.overflow);
    assert_true(got.len < got.cap); /* for a NUL */
    assert_int_equal(got.len, want.len);
    assert_memory_equal(got.buf, want.buf, want.len);
    text_destroy(&got);
    text_destroy(&want);
}

static void expect_frames(const struct span *frames, size_t count)
{
    for (size_t i = 0; i < sizeof(encodings) / sizeof(encodings[0]); i++) {
        expect_message(encodings[i], frames, count, false);
        expect_message(encodings[i], frames, count, true);
    }
}

static uint32_t random_next(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* No zeros, zeros only, or one octet in `every`. */
static void fill(uint8_t *octets, size_t len, unsigned every, uint32_t *seed)
{
    for (size_t i = 0; i < len; i++) {
        octets[i] = (uint8_t)(random_next(seed) >> 8 | 1);
        if (every && random_next(seed) % every == 0)
            octets[i] = 0;
    }
}

static void test_one_frame(void **state)
{
    static uint8_t octets[1100];
    static const unsigned densities[] = {0, 1, 4, 100};
    uint32_t seed = 2463534242;

    (void)state;
    for (size_t len = 0; len <= sizeof(octets); len += len < 600 ? 1 : 37) {
        for (size_t i = 0; i < sizeof(densities) / sizeof(densities[0]); i++) {
            struct span frame = span_of(octets, len);

            fill(octets, len, densities[i], &seed);
            expect_frames(&frame, 1);
        }
    }
}

static void test_cut_at_every_place(void **state)
{
    static uint8_t octets[600];
    static const unsigned densities[] = {0, 1, 6, 200};
    uint32_t seed = 88172645;

    (void)state;
    for (size_t i = 0; i < sizeof(densities) / sizeof(densities[0]); i++) {
        fill(octets, sizeof(octets), densities[i], &seed);
        for (size_t cut = 0; cut <= sizeof(octets); cut++) {
            const struct span frames[] = {span_of(octets, cut),
                                          span_of(octets + cut, sizeof(octets) - cut)};

            expect_frames(frames, 2);
        }
    }
}

static void test_many_frames(void **state)
{
    static uint8_t octets[FRAMES_MAX * 300];
    uint32_t seed = 521288629;

    (void)state;
    for (int round = 0; round < 200; round++) {
        struct span frames[FRAMES_MAX];
        size_t count = 1 + random_next(&seed) % FRAMES_MAX, at = 0;

        fill(octets, sizeof(octets), random_next(&seed) % 40, &seed);
        for (size_t i = 0; i < count; i++) {
            size_t len = random_next(&seed) % 300 >> random_next(&seed) % 9;

            frames[i] = span_of(octets + at, len);
            at += len;
        }
        expect_frames(frames, count);
    }
}

/* The encoder of this test itself, by the paper's examples. */
static void test_plain_cobs(void **state)
{
    static const struct {
        struct span plain, coded;
    } examples[] = {
        {{(const uint8_t *)"", 0}, {(const uint8_t *)"\x01", 1}},
        {{(const uint8_t *)"\0", 1}, {(const uint8_t *)"\x01\x01", 2}},
        {{(const uint8_t *)"\x11\x22\0\x33", 4}, {(const uint8_t *)"\x03\x11\x22\x02\x33", 5}},
    };
    uint8_t plain[255];
    struct text t;

    (void)state;
    text_init(&t, LIMIT);
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
        text_clear(&t);
        plain_cobs(&t, examples[i].plain);
        assert_int_equal(t.len, examples[i].coded.len);
        assert_memory_equal(t.buf, examples[i].coded.ptr, t.len);
    }
    memset(plain, 7, sizeof(plain));
    text_clear(&t);
    plain_cobs(&t, span_of(plain, 254));
    assert_int_equal(t.len, 255);
    text_clear(&t);
    plain_cobs(&t, span_of(plain, 255));
    assert_int_equal(t.len, 257);
    assert_int_equal((uint8_t)t.buf[0], 255);
    assert_memory_equal(t.buf + 255, "\x02\x07", 2);
    text_destroy(&t);
}

/* A frame that does not fit leaves no trace, and a smaller one still goes. */
static void test_full_text(void **state)
{
    static uint8_t octets[400];
    const struct str head = STR("dnstap1 x|");
    const struct span small = span_of(octets, 20), big = span_of(octets, sizeof(octets));
    const struct span want_frames[] = {small, small};

    (void)state;
    for (size_t i = 0; i < sizeof(encodings) / sizeof(encodings[0]); i++) {
        struct envelope_writer w;
        struct text t, want;

        text_init(&t, 300);
        text_init(&want, LIMIT);
        plain_message(&want, encodings[i], head, want_frames, 2);
        assert_true(envelope_begin(&w, &t, encodings[i], head));
        assert_true(envelope_append(&w, small));
        assert_false(envelope_append(&w, big));
        assert_int_equal(w.run, 4 + small.len);
        assert_true(envelope_append(&w, small));
        envelope_end(&w);
        assert_int_equal(t.len, want.len);
        assert_memory_equal(t.buf, want.buf, want.len);
        text_destroy(&t);
        text_destroy(&want);
    }
}

static void test_no_room_for_the_head(void **state)
{
    struct envelope_writer w;
    struct text t;

    (void)state;
    text_init(&t, 5);
    assert_false(envelope_begin(&w, &t, ENVELOPE_COBS, STR("dnstap1 c|")));
    text_destroy(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_cobs),         cmocka_unit_test(test_one_frame),
        cmocka_unit_test(test_cut_at_every_place), cmocka_unit_test(test_many_frames),
        cmocka_unit_test(test_full_text),          cmocka_unit_test(test_no_room_for_the_head),
    };

    return cmocka_run_group_tests_name("envelope_writer", tests, NULL, NULL);
}
