/* test_envelope.c - the envelope: round trips in every encoding, COBS by hand, heads, cut messages.
 *
 * COBS examples: Cheshire and Baker 1999, and the table of the Wikipedia article, whose final zero
 * we leave out. base64: RFC 4648 10.
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

#define LIMIT          (1024 * 1024)
#define BYTES(literal) span_of(literal, sizeof(literal) - 1)

static const enum envelope_encoding encodings[] = {ENVELOPE_COBS, ENVELOPE_BASE64, ENVELOPE_RAW};
static const struct envelope_attributes no_attributes;

/* Decodes a copy that ends at an unreadable page; the run is copied to `run`. */
static enum envelope_status decode(struct span message, struct envelope_attributes *attributes,
                                   struct text *run)
{
    struct guard guard = guard_copy(message.ptr, message.len);
    struct text scratch;
    struct span found = {0};
    enum envelope_status status;

    text_init(&scratch, LIMIT);
    status = envelope_decode((struct str){(const char *)guard.span.ptr, guard.span.len}, &scratch,
                             attributes, &found);
    text_clear(run);
    text_put(run, (const char *)found.ptr, found.len);
    text_destroy(&scratch);
    guard_free(&guard);
    return status;
}

static void expect_body(struct span message, enum envelope_status status, struct span want)
{
    struct envelope_attributes attributes;
    struct text run;

    text_init(&run, LIMIT);
    assert_int_equal(decode(message, &attributes, &run), status);
    assert_int_equal(run.len, want.len);
    assert_memory_equal(run.buf ? run.buf : "", want.ptr, want.len);
    text_destroy(&run);
}

static void round_trip(struct span run)
{
    struct text message, back;
    struct envelope_attributes attributes;
    size_t head = sizeof("dnstap1 c|") - 1;

    text_init(&message, LIMIT);
    text_init(&back, LIMIT);
    for (size_t i = 0; i < 3; i++) {
        text_clear(&message);
        envelope_encode(&message, encodings[i], &no_attributes, run);
        assert_false(message.overflow);
        assert_true(message.len <= envelope_size_max(encodings[i], run.len));
        if (encodings[i] != ENVELOPE_RAW)
            assert_null(memchr(message.buf, 0, message.len));
        for (size_t k = head; encodings[i] == ENVELOPE_BASE64 && k < message.len; k++)
            assert_true(message.buf[k] >= 0x21 && message.buf[k] <= 0x7e);
        assert_int_equal(decode(span_of(message.buf, message.len), &attributes, &back),
                         ENVELOPE_OK);
        assert_int_equal(back.len, run.len);
        assert_memory_equal(back.buf ? back.buf : "", run.ptr ? run.ptr : (const uint8_t *)"",
                            run.len);
        assert_int_equal(attributes.sample, 0);
    }
    text_destroy(&message);
    text_destroy(&back);
}

/* xorshift: the same octets in every run. */
static uint32_t random_next(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static void test_round_trips(void **state)
{
    static uint8_t run[70000];
    uint32_t seed = 2463534242;

    (void)state;
    /* Every length around the blocks of 254, in three densities of NUL: all, none, one in four. */
    for (size_t len = 0; len<1100; len += len> 520 ? 57 : 1) {
        memset(run, 0, len);
        round_trip(span_of(run, len));
        memset(run, 0xff, len);
        round_trip(span_of(run, len));
        for (size_t i = 0; i < len; i++)
            run[i] = (uint8_t)(random_next(&seed) % 4 ? random_next(&seed) >> 8 : 0);
        round_trip(span_of(run, len));
    }
    for (size_t i = 0; i < sizeof(run); i++)
        run[i] = (uint8_t)(random_next(&seed) >> 8);
    round_trip(span_of(run, sizeof(run)));
}

static void test_cobs_by_hand(void **state)
{
    static const struct {
        struct span plain, coded;
    } examples[] = {
        {{(const uint8_t *)"\0", 1}, {(const uint8_t *)"\x01\x01", 2}},
        {{(const uint8_t *)"\0\0", 2}, {(const uint8_t *)"\x01\x01\x01", 3}},
        {{(const uint8_t *)"\0\x11\0", 3}, {(const uint8_t *)"\x01\x02\x11\x01", 4}},
        {{(const uint8_t *)"\x11\x22\0\x33", 4}, {(const uint8_t *)"\x03\x11\x22\x02\x33", 5}},
        {{(const uint8_t *)"\x11\x22\x33\x44", 4}, {(const uint8_t *)"\x05\x11\x22\x33\x44", 5}},
        {{(const uint8_t *)"\x11\0\0\0", 4}, {(const uint8_t *)"\x02\x11\x01\x01\x01", 5}},
    };
    struct text message;

    (void)state;
    text_init(&message, LIMIT);
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
        text_clear(&message);
        envelope_encode(&message, ENVELOPE_COBS, &no_attributes, examples[i].plain);
        assert_int_equal(message.len, 10 + examples[i].coded.len);
        assert_memory_equal(message.buf, "dnstap1 c|", 10);
        assert_memory_equal(message.buf + 10, examples[i].coded.ptr, examples[i].coded.len);
    }
    text_destroy(&message);
}

/* 01..FE, 00 01..FE, 01..FF, 02..FF 00, 03..FF 00 01: the cases at the limit of a block. */
static void test_cobs_block_limit(void **state)
{
    uint8_t plain[256], coded[260];
    struct text message;

    (void)state;
    text_init(&message, LIMIT);
    for (size_t i = 0; i < 255; i++)
        plain[i] = (uint8_t)(i + 1);
    coded[0] = 0xff;
    memcpy(coded + 1, plain, 254);
    envelope_encode(&message, ENVELOPE_COBS, &no_attributes, span_of(plain, 254));
    assert_int_equal(message.len, 10 + 255);
    assert_memory_equal(message.buf + 10, coded, 255);

    text_clear(&message);
    envelope_encode(&message, ENVELOPE_COBS, &no_attributes, span_of(plain, 255));
    assert_int_equal(message.len, 10 + 257);
    assert_memory_equal(message.buf + 10, coded, 255);
    assert_memory_equal(message.buf + 10 + 255, "\x02\xff", 2);

    text_clear(&message);
    plain[254] = 0;
    envelope_encode(&message, ENVELOPE_COBS, &no_attributes, span_of(plain, 255));
    assert_int_equal(message.len, 10 + 257);
    assert_memory_equal(message.buf + 10 + 255, "\x01\x01", 2);
    text_destroy(&message);
}

static void test_cobs_broken(void **state)
{
    (void)state;
    expect_body(BYTES("dnstap1 c|"), ENVELOPE_OK, BYTES(""));
    expect_body(BYTES("dnstap1 c|\x01"), ENVELOPE_OK, BYTES(""));
    expect_body(BYTES("dnstap1 c|\x04"
                      "ab"),
                ENVELOPE_BAD_BODY, BYTES("ab")); /* cut in a block */
    expect_body(BYTES("dnstap1 c|\x03"
                      "ab\x02"),
                ENVELOPE_BAD_BODY, BYTES("ab\0"));
    expect_body(BYTES("dnstap1 c|\x03"
                      "ab\0\x02z"),
                ENVELOPE_BAD_BODY, BYTES("ab\0")); /* no code is zero */
}

static void test_base64(void **state)
{
    (void)state;
    expect_body(BYTES("dnstap1 b|Zm9vYmFy"), ENVELOPE_OK, BYTES("foobar"));
    expect_body(BYTES("dnstap1 b|Zm9vYmE="), ENVELOPE_OK, BYTES("fooba"));
    expect_body(BYTES("dnstap1 b|Zm9vYg=="), ENVELOPE_OK, BYTES("foob"));
    expect_body(BYTES("dnstap1 b|"), ENVELOPE_OK, BYTES(""));
    expect_body(BYTES("dnstap1 b|+/+/"), ENVELOPE_OK, BYTES("\xfb\xff\xbf"));
    expect_body(BYTES("dnstap1 b|Zm9vYm"), ENVELOPE_BAD_BODY, BYTES("foob")); /* cut */
    expect_body(BYTES("dnstap1 b|Zm9vY"), ENVELOPE_BAD_BODY, BYTES("foo"));
    expect_body(BYTES("dnstap1 b|Zm9v*mFy"), ENVELOPE_BAD_BODY, BYTES("foo"));
    expect_body(BYTES("dnstap1 b|Zm9vYg=x"), ENVELOPE_BAD_BODY, BYTES("foob"));
    expect_body(BYTES("dnstap1 b|Zg==Zg=="), ENVELOPE_BAD_BODY, BYTES("f"));
    expect_body(BYTES("dnstap1 b|\x80\xff\x00z"), ENVELOPE_BAD_BODY, BYTES(""));
}

static void test_foreign(void **state)
{
    static const char *const foreign[] = {
        "", "d", "dnstap1", "dnstap2 c|", "hello world", " ", "  dnstap1 c|", "DNSTAP1 c|"};

    (void)state;
    for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
        expect_body(span_of(foreign[i], strlen(foreign[i])), ENVELOPE_FOREIGN, BYTES(""));
}

static void test_leading_space(void **state)
{
    (void)state;
    expect_body(BYTES(" dnstap1 r|body"), ENVELOPE_OK, BYTES("body"));
}

static void test_bad_heads(void **state)
{
    static const char *const heads[] = {
        "dnstap1 ",
        "dnstap1 c",
        "dnstap1 x|",
        "dnstap1 cc|",
        "dnstap1 c ",
        "dnstap1 c |",
        "dnstap1 c peer|",
        "dnstap1 c =x|",
        "dnstap1 c peer=",
        "dnstap1 c peer=x",
        "dnstap1 c peer=%|",
        "dnstap1 c peer=%4|",
        "dnstap1 c peer=%4g|",
        "dnstap1 c peer=%4",
        "dnstap1 c peer=\n|",
        "dnstap1 c p\x80=x|",
        "dnstap1 c sample=|",
        "dnstap1 c sample=x|",
        "dnstap1 c sample=4294967296|",
        "dnstap1 c sample=99999999999|",
        "dnstap1 c sample=-1|",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
        expect_body(span_of(heads[i], strlen(heads[i])), ENVELOPE_BAD_HEAD, BYTES(""));
}

static void test_attributes(void **state)
{
    struct envelope_attributes in = {4294967295u, STR("2001:db8::1"), STR("ns 1|100%\n=\xff")}, out;
    struct text message, plain;
    struct text scratch;
    struct span run;

    (void)state;
    text_init(&message, LIMIT);
    text_init(&plain, LIMIT);
    text_init(&scratch, LIMIT);
    envelope_encode(&message, ENVELOPE_RAW, &in, BYTES("x"));
    text_put_char(&message, 0);
    assert_string_equal(message.buf, "dnstap1 r sample=4294967295 peer=2001:db8::1 "
                                     "tls=ns%201%7C100%25%0A=%FF|x");
    message.len--;
    assert_int_equal(envelope_decode(text_str(&message), &scratch, &out, &run), ENVELOPE_OK);
    assert_int_equal(out.sample, in.sample);
    assert_true(str_equal(out.peer, in.peer));
    envelope_unescape(&plain, out.tls);
    assert_true(str_equal(text_str(&plain), in.tls));
    assert_true(span_equal(run, BYTES("x")));
    text_destroy(&message);
    text_destroy(&plain);
    text_destroy(&scratch);
}

static void test_unknown_and_odd_attributes(void **state)
{
    struct envelope_attributes out;
    struct text run;

    (void)state;
    text_init(&run, LIMIT);
    assert_int_equal(decode(BYTES("dnstap1 r x=y sample=7 later=a=b%7c peer= q=|body"), &out, &run),
                     ENVELOPE_OK);
    assert_int_equal(out.sample, 7);
    assert_int_equal(out.peer.len, 0);
    assert_int_equal(out.tls.len, 0);
    assert_int_equal(run.len, 4);
    text_destroy(&run);
}

static void test_unescape_is_lenient(void **state)
{
    struct text plain;

    (void)state;
    text_init(&plain, LIMIT);
    envelope_unescape(&plain, STR("%41%6a%4A%zz%4"));
    assert_true(str_equal(text_str(&plain), STR("AjJ%zz%4")));
    text_destroy(&plain);
}

static void test_long_attributes_keep_the_head_short(void **state)
{
    static char longest[4096];
    struct envelope_attributes in = {
        4294967295u, {longest, sizeof(longest)}, {longest, sizeof(longest)}};
    struct envelope_attributes out;
    struct text message, run;

    (void)state;
    memset(longest, '\n', sizeof(longest)); /* each %0A */
    text_init(&message, LIMIT);
    text_init(&run, LIMIT);
    envelope_encode(&message, ENVELOPE_RAW, &in, BYTES(""));
    assert_true(message.len <= ENVELOPE_HEAD_MAX);
    assert_int_equal(decode(span_of(message.buf, message.len), &out, &run), ENVELOPE_OK);
    assert_true(out.tls.len > 255 && out.tls.len % 3 == 0);
    text_destroy(&message);
    text_destroy(&run);
}

static void test_limits(void **state)
{
    struct envelope_attributes out;
    struct text message, scratch;
    struct span run;

    (void)state;
    text_init(&message, 100); /* less than a head */
    envelope_encode(&message, ENVELOPE_COBS, &no_attributes, BYTES("body"));
    assert_true(message.overflow);
    text_init(&scratch, 3);
    assert_int_equal(envelope_decode(STR("dnstap1 b|Zm9vYmFy"), &scratch, &out, &run),
                     ENVELOPE_NO_MEMORY);
    assert_int_equal(envelope_size_max(ENVELOPE_COBS, SIZE_MAX), SIZE_MAX);
    text_destroy(&message);
    text_destroy(&scratch);
}

/* A message cut anywhere is a bad head, a bad body or a cut run, and never more than was there. */
static void test_truncated_everywhere(void **state)
{
    static const char run[] = "\0\0\0\x05hello\0\0\0\x00\0\0\0\x03\0\0\0";
    struct envelope_attributes in = {3, STR("192.0.2.1"), STR("ns.example")}, out;
    struct text message, back;

    (void)state;
    text_init(&message, LIMIT);
    text_init(&back, LIMIT);
    for (size_t i = 0; i < 3; i++) {
        text_clear(&message);
        envelope_encode(&message, encodings[i], &in, BYTES(run));
        for (size_t len = 0; len < message.len; len++) {
            enum envelope_status status = decode(span_of(message.buf, len), &out, &back);

            assert_int_equal(status == ENVELOPE_FOREIGN, len < 8);
            assert_true(back.len <= sizeof(run) - 1); /* base64 may have lost its padding only */
            if (status == ENVELOPE_OK || status == ENVELOPE_BAD_BODY)
                assert_memory_equal(back.buf ? back.buf : "", run, back.len);
        }
    }
    text_destroy(&message);
    text_destroy(&back);
}

static void test_frames_of_a_run(void **state)
{
    struct guard guard = guard_copy("\0\0\0\x03one\0\0\0\0\0\0\0\x01x", 16);
    struct cursor at = cursor_of(guard.span);
    struct span frame;
    uint32_t len;
    bool cut;

    (void)state;
    assert_true(envelope_next(&at, &frame, &cut, &len));
    assert_true(span_equal(frame, BYTES("one")));
    assert_true(envelope_next(&at, &frame, &cut, &len));
    assert_int_equal(frame.len, 0);
    assert_true(envelope_next(&at, &frame, &cut, &len));
    assert_true(span_equal(frame, BYTES("x")));
    assert_false(envelope_next(&at, &frame, &cut, &len));
    assert_false(cut);
    guard_free(&guard);
}

static void test_cut_runs(void **state)
{
    static const char run[] = "\0\0\0\x05hello";

    (void)state;
    for (size_t have = 1; have < sizeof(run) - 1; have++) {
        struct guard guard = guard_copy(run, have);
        struct cursor at = cursor_of(guard.span);
        struct span frame;
        uint32_t len;
        bool cut;

        assert_false(envelope_next(&at, &frame, &cut, &len));
        assert_true(cut);
        assert_int_equal(len, have < 4 ? 0 : 5);
        assert_int_equal(frame.len, have < 4 ? have : have - 4);
        assert_false(envelope_next(&at, &frame, &cut, &len));
        assert_false(cut);
        guard_free(&guard);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trips),
        cmocka_unit_test(test_cobs_by_hand),
        cmocka_unit_test(test_cobs_block_limit),
        cmocka_unit_test(test_cobs_broken),
        cmocka_unit_test(test_base64),
        cmocka_unit_test(test_foreign),
        cmocka_unit_test(test_leading_space),
        cmocka_unit_test(test_bad_heads),
        cmocka_unit_test(test_attributes),
        cmocka_unit_test(test_unknown_and_odd_attributes),
        cmocka_unit_test(test_unescape_is_lenient),
        cmocka_unit_test(test_long_attributes_keep_the_head_short),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_truncated_everywhere),
        cmocka_unit_test(test_frames_of_a_run),
        cmocka_unit_test(test_cut_runs),
    };

    return cmocka_run_group_tests_name("envelope", tests, NULL, NULL);
}
