/* test_text.c - bounded text: numbers, encodings, addresses, times, JSON, and the overflow.
 *
 * Expected values: RFC 4648 10 (base64, base32hex), RFC 5952 4, RFC 3339, the Unicode
 * standard's rule of maximal subparts (3.9, table 3-8).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "guard.h"
#include "text.h"

#define LIMIT 4096

static void assert_text(struct text *t, const char *want)
{
    assert_false(t->overflow);
    assert_int_equal(t->len, strlen(want));
    assert_memory_equal(t->buf ? t->buf : "", want, t->len);
    text_clear(t);
}

static void test_decimal(void **state)
{
    struct text t;

    (void)state;
    text_init(&t, LIMIT);
    text_put_u64(&t, 0);
    assert_text(&t, "0");
    text_put_u64(&t, 99);
    assert_text(&t, "99");
    text_put_u64(&t, 100);
    assert_text(&t, "100");
    text_put_u64(&t, UINT64_MAX);
    assert_text(&t, "18446744073709551615");
    text_put_u64_pad(&t, 7, 9);
    assert_text(&t, "000000007");
    text_put_u64_pad(&t, 4294967295, 9);
    assert_text(&t, "4294967295");
    text_put_u64_pad(&t, 1, 64);
    assert_text(&t, "00000000000000000001");
    text_destroy(&t);
}

/* Every number of digits, and values on both sides of each power of ten, against libc. */
static void test_decimal_like_libc(void **state)
{
    struct text t, tight;
    char want[32];
    uint64_t power = 1;

    (void)state;
    text_init(&t, LIMIT);
    for (int digits = 0; digits < 20; digits++, power *= 10) {
        for (uint64_t i = 0; i < 3000; i++) {
            uint64_t value = i < 4 ? power + i - 2 : power + i * 7919 % power;

            snprintf(want, sizeof(want), "%" PRIu64, value);
            text_put_u64(&t, value);
            assert_text(&t, want);
            text_init(&tight, strlen(want)); /* no octet more than the number has */
            text_put_u64(&tight, value);
            assert_text(&tight, want);
            text_destroy(&tight);
        }
    }
    for (uint32_t value = 0; value < 1000000000; value = value * 3 + 1) {
        snprintf(want, sizeof(want), "%09" PRIu32, value);
        text_put_nsec(&t, value);
        assert_text(&t, want);
    }
    text_destroy(&t);
}

static void test_every_octet_of_an_address(void **state)
{
    struct text t;
    char want[32];

    (void)state;
    text_init(&t, LIMIT);
    for (unsigned i = 0; i < 256; i++) {
        uint8_t addr[4] = {(uint8_t)i, (uint8_t)(255 - i), (uint8_t)(i ^ 0x55), (uint8_t)i};

        snprintf(want, sizeof(want), "%u.%u.%u.%u", addr[0], addr[1], addr[2], addr[3]);
        text_put_ip4(&t, addr);
        assert_text(&t, want);
    }
    text_destroy(&t);
}

static void test_compact_time(void **state)
{
    struct text t;

    (void)state;
    text_init(&t, LIMIT);
    text_put_compact_time(&t, 0);
    assert_text(&t, "19700101000000");
    text_put_compact_time(&t, 1069828446); /* RFC 4034 has RRSIGs of that time */
    assert_text(&t, "20031126063406");
    text_put_compact_time(&t, 951782399); /* before the leap day of 2000 */
    assert_text(&t, "20000228235959");
    text_put_compact_time(&t, 951782400);
    assert_text(&t, "20000229000000");
    text_put_compact_time(&t, UINT32_MAX);
    assert_text(&t, "21060207062815");
    text_destroy(&t);
}

static void test_base_encodings(void **state)
{
    static const struct {
        const char *in, *base64, *base32hex, *hex;
    } rfc4648[] = {
        {"", "", "", ""},
        {"f", "Zg==", "CO", "66"},
        {"fo", "Zm8=", "CPNG", "666f"},
        {"foo", "Zm9v", "CPNMU", "666f6f"},
        {"foob", "Zm9vYg==", "CPNMUOG", "666f6f62"},
        {"fooba", "Zm9vYmE=", "CPNMUOJ1", "666f6f6261"},
        {"foobar", "Zm9vYmFy", "CPNMUOJ1E8", "666f6f626172"},
    };
    struct text t;

    (void)state;
    text_init(&t, LIMIT);
    for (size_t i = 0; i < sizeof(rfc4648) / sizeof(rfc4648[0]); i++) {
        struct span in = span_of(rfc4648[i].in, strlen(rfc4648[i].in));

        text_put_base64(&t, in);
        assert_text(&t, rfc4648[i].base64);
        text_put_base32hex(&t, in);
        assert_text(&t, rfc4648[i].base32hex);
        text_put_hex(&t, in);
        assert_text(&t, rfc4648[i].hex);
    }
    text_put_HEX(&t, span_of("\xab\xcd\xef", 3));
    assert_text(&t, "ABCDEF");
    text_destroy(&t);
}

static void test_addresses(void **state)
{
    static const struct {
        uint8_t octets[16];
        const char *text, *why;
    } v6[] = {
        {{0}, "::", "all zero"},
        {{[15] = 1}, "::1", "loopback"},
        {{0x20, 1, 0xd, 0xb8, [15] = 1}, "2001:db8::1", "RFC 5952 4.2.1"},
        {{0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1},
         "2001:db8:0:1:1:1:1:1",
         "RFC 5952 4.2.2: one zero group stays"},
        {{0x20, 1, 0, 0, 0, 0, 0, 1, [15] = 1}, "2001:0:0:1::1", "4.2.3: the longest run"},
        {{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1},
         "2001:db8::1:0:0:1",
         "4.2.3: the first of equal runs"},
        {{0xfe, 0x80}, "fe80::", "run at the end"},
        {{[10] = 0xff, 0xff, 192, 0, 2, 1}, "::ffff:192.0.2.1", "RFC 5952 5"},
        {{0xab, 0xcd, 0xab, 0xcd, 0xab, 0xcd, 0xab, 0xcd, 0xab, 0xcd, 0xab, 0xcd, 0xab, 0xcd, 0xab,
          0xcd},
         "abcd:abcd:abcd:abcd:abcd:abcd:abcd:abcd",
         "no run"},
    };
    struct text t;

    (void)state;
    text_init(&t, LIMIT);
    for (size_t i = 0; i < sizeof(v6) / sizeof(v6[0]); i++) {
        text_put_addr(&t, span_of(v6[i].octets, 16));
        assert_text(&t, v6[i].text);
    }
    text_put_addr(&t, span_of("\x00\x0a\x64\xff", 4));
    assert_text(&t, "0.10.100.255");
    text_put_addr(&t, span_of("\x01\x02\x03", 3));
    assert_text(&t, "010203");
    text_destroy(&t);
}

static void test_rfc3339(void **state)
{
    static const struct {
        uint64_t sec;
        uint32_t nsec;
        const char *text;
    } times[] = {
        {0, 0, "1970-01-01T00:00:00.000000000Z"},
        {951782399, 1, "2000-02-28T23:59:59.000000001Z"},
        {951782400, 999999999, "2000-02-29T00:00:00.999999999Z"},
        {1735689599, 5, "2024-12-31T23:59:59.000000005Z"},
        {4107542400, 0, "2100-03-01T00:00:00.000000000Z"},
        {253402300799, 0, "9999-12-31T23:59:59.000000000Z"},
        {253402300800, 7, "@253402300800.000000007"},
        {UINT64_MAX, 0, "@18446744073709551615.000000000"},
    };
    struct text t;

    (void)state;
    text_init(&t, LIMIT);
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        text_put_rfc3339(&t, times[i].sec, times[i].nsec);
        assert_text(&t, times[i].text);
    }
    text_destroy(&t);
}

#define FFFD "\xef\xbf\xbd"

static void test_json(void **state)
{
    static const struct {
        const char *in;
        size_t len;
        const char *json, *why;
    } strings[] = {
        {"", 0, "\"\"", "empty"},
        {"plain", 5, "\"plain\"", "nothing to do"},
        {"a\"b\\c/", 6, "\"a\\\"b\\\\c/\"", "quote, backslash; solidus stays"},
        {"\b\t\n\f\r", 5, "\"\\b\\t\\n\\f\\r\"", "short escapes"},
        {"\0\x1f\x7f", 3, "\"\\u0000\\u001f\\u007f\"", "control octets"},
        {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9, "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"",
         "UTF-8 of 2, 3, 4 octets"},
        {"\x80", 1, "\"" FFFD "\"", "lone continuation"},
        {"\xc0\xaf", 2, "\"" FFFD FFFD "\"", "overlong"},
        {"\xe0\x9f\x80", 3, "\"" FFFD FFFD FFFD "\"", "overlong of three"},
        {"\xed\xa0\x80", 3, "\"" FFFD FFFD FFFD "\"", "surrogate"},
        {"\xf4\x90\x80\x80", 4, "\"" FFFD FFFD FFFD FFFD "\"", "beyond U+10FFFF"},
        {"\xe2\x82z", 3, "\"" FFFD "z\"", "cut sequence is one subpart"},
        {"\xf0\x9f\x98", 3, "\"" FFFD "\"", "cut by the end"},
        {"\xff\xfe", 2, "\"" FFFD FFFD "\"", "never UTF-8"},
    };
    struct text t;

    (void)state;
    text_init(&t, LIMIT);
    for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
        text_put_json(&t, (struct str){strings[i].in, strings[i].len});
        assert_text(&t, strings[i].json);
    }
    text_put_utf8(&t, (struct str){"a\xff\"\n", 4});
    assert_text(&t, "a" FFFD "\"\n");
    text_destroy(&t);
}

static void test_printable(void **state)
{
    static const struct {
        const char *in;
        size_t len;
        bool want;
    } rows[] = {
        {"", 0, true},
        {"a ~", 3, true},
        {"caf\xc3\xa9", 5, true},
        {"\xe2\x82\xac\xf0\x9f\x98\x80", 7, true},
        {"\xc2\xa0", 2, true}, /* U+00A0, the first behind C1 */
        {"\xc2\x9f", 2, false},
        {"a\x1f", 2, false},
        {"\x7f", 1, false},
        {"a\0", 2, false},
        {"\xe9", 1, false},
        {"\xe2\x82", 2, false},
        {"\xed\xa0\x80", 3, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct guard guard = guard_copy(rows[i].in, rows[i].len);
        struct str text = {(const char *)guard.span.ptr, guard.span.len};

        assert_int_equal(text_is_printable(text), rows[i].want);
        guard_free(&guard);
    }
}

/* Escapes at any place of what is copied sixteen octets at a time: strings put together of parts are the parts. */
static void test_json_parts(void **state)
{
    static const struct {
        const char *in, *json;
    } parts[] = {
        {"x", "x"},
        {"\\", "\\\\"},
        {"\\000", "\\\\000"},
        {"\\255\\1", "\\\\255\\\\1"},
        {"\"", "\\\""},
        {"\n", "\\n"},
        {"\001", "\\u0001"},
        {"\xc3\xa9", "\xc3\xa9"},
        {"\xff", "\xef\xbf\xbd"},
        {"seven 7", "seven 7"},
        {"0123456789abcdef", "0123456789abcdef"},
    };
    uint32_t dice = 1;
    struct text t;

    (void)state;
    text_init(&t, 4096);
    for (int round = 0; round < 5000; round++) {
        char in[256] = "", want[512] = "";
        struct guard g;

        dice = dice * 1664525 + 1013904223;
        for (uint32_t left = dice >> 28; left > 0; left--) {
            dice = dice * 1664525 + 1013904223;
            strcat(in, parts[(dice >> 16) % (sizeof(parts) / sizeof(*parts))].in);
            strcat(want, parts[(dice >> 16) % (sizeof(parts) / sizeof(*parts))].json);
        }
        text_clear(&t);
        g = guard_copy(in, strlen(in));
        text_put_json_raw(&t, (struct str){(const char *)g.span.ptr, g.span.len});
        guard_free(&g);
        assert_text(&t, want);
    }
    text_destroy(&t);
}

/* After an overflow nothing is written, what is there is whole puts, and a cut revives it. */
static void test_overflow_is_sticky(void **state)
{
    struct text t;

    (void)state;
    text_init(&t, 10);
    text_put_lit(&t, "12345678");
    text_put_lit(&t, "abc");
    assert_true(t.overflow);
    assert_int_equal(t.len, 8);
    text_put_char(&t, 'x');
    assert_int_equal(t.len, 8);
    text_cut(&t, 4);
    text_put_lit(&t, "567890");
    assert_text(&t, "1234567890");
    text_put_json(&t, (struct str){"0123456789", 10});
    assert_true(t.overflow);
    assert_int_equal(t.len, 0);
    text_clear(&t);
    text_put_json_raw(&t, (struct str){"012345678\n", 10});
    assert_true(t.overflow);
    assert_int_equal(t.len, 0);
    text_clear(&t);
    text_put_utf8(&t, (struct str){"0123456789", 10});
    assert_true(t.overflow);
    assert_int_equal(t.len, 0);
    text_clear(&t);
    text_put_base64(&t, span_of("0123456789", 10));
    assert_true(t.overflow);
    text_clear(&t);
    text_put_hex(&t, span_of("012345", 6));
    assert_true(t.overflow);
    text_destroy(&t);
    text_destroy(&t);
    text_destroy(NULL);
}

static void test_growth_keeps_content(void **state)
{
    struct text t;

    (void)state;
    text_init(&t, 100000);
    for (unsigned i = 0; i < 100000; i++)
        text_put_char(&t, (char)('a' + i % 26));
    assert_false(t.overflow);
    assert_int_equal(t.len, 100000);
    for (unsigned i = 0; i < 100000; i++)
        assert_int_equal(t.buf[i], 'a' + i % 26);
    text_put_char(&t, 'x');
    assert_true(t.overflow);
    text_destroy(&t);
}

/* What is written of octets that end at an unreadable page is what is written of any. */
static void assert_reads_no_further(struct text *t, struct text *want, const uint8_t *octets,
                                    size_t len)
{
    static void (*const of_octets[])(struct text *, struct span) = {
        text_put_hex, text_put_HEX, text_put_base64, text_put_base32hex, text_put_addr};
    static void (*const of_text[])(struct text *, struct str) = {text_put_json, text_put_json_raw,
                                                                 text_put_utf8, text_put_str};
    struct guard guard = guard_copy(octets, len);

    text_clear(t);
    text_clear(want);
    for (size_t i = 0; i < sizeof(of_octets) / sizeof(*of_octets); i++) {
        of_octets[i](t, guard.span);
        of_octets[i](want, span_of(octets, len));
    }
    for (size_t i = 0; i < sizeof(of_text) / sizeof(*of_text); i++) {
        of_text[i](t, (struct str){(const char *)guard.span.ptr, len});
        of_text[i](want, (struct str){(const char *)octets, len});
    }
    assert_false(t->overflow);
    assert_int_equal(t->len, want->len);
    assert_memory_equal(t->buf ? t->buf : "", want->buf ? want->buf : "", t->len);
    guard_free(&guard);
}

static void test_inputs_end_at_a_page(void **state)
{
    /* The last octets decide how far a look ahead goes: every beginning of a UTF-8 sequence. */
    static const uint8_t ends[] = {'a',  '"',  '\\', 0,    0x1f, 0x80,
                                   0xc3, 0xe2, 0xed, 0xf0, 0xf4, 0xff};
    uint8_t octets[64];
    struct text t, want;

    (void)state;
    text_init(&t, LIMIT);
    text_init(&want, LIMIT);
    for (size_t len = 0; len < sizeof(octets); len++) {
        for (size_t i = 0; i < sizeof(ends); i++) {
            memset(octets, 'x', sizeof(octets));
            for (size_t k = 0; k < 3 && k < len; k++) {
                octets[len - 1 - k] = k == 0 ? ends[i] : octets[len - k] >= 0x80 ? 0xe2 : 'y';
                assert_reads_no_further(&t, &want, octets, len);
            }
            if (len == 0)
                assert_reads_no_further(&t, &want, octets, len);
        }
    }
    /* No octets need no address (UBSan of clang sees an offset to NULL). */
    text_clear(&t);
    text_put_json(&t, (struct str){NULL, 0});
    assert_int_equal(t.len, 2);
    text_destroy(&t);
    text_destroy(&want);
}

static void test_take(void **state)
{
    struct text t;
    char *buf;

    (void)state;
    text_init(&t, LIMIT);
    assert_null(text_take(&t)); /* no buffer yet */
    text_put_lit(&t, "example");
    buf = text_take(&t);
    assert_string_equal(buf, "example");
    free(buf);
    assert_null(t.buf);
    text_put_lit(&t, "again");
    assert_text(&t, "again");
    while (!t.overflow) /* ends: the text grows up to its limit */
        text_put_char(&t, 'x');
    assert_int_equal(t.len, LIMIT);
    assert_null(text_take(&t)); /* no room for the NUL */
    assert_int_equal(t.len, LIMIT);
    text_destroy(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_take),
        cmocka_unit_test(test_decimal),
        cmocka_unit_test(test_decimal_like_libc),
        cmocka_unit_test(test_every_octet_of_an_address),
        cmocka_unit_test(test_compact_time),
        cmocka_unit_test(test_base_encodings),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_rfc3339),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_printable),
        cmocka_unit_test(test_json_parts),
        cmocka_unit_test(test_overflow_is_sticky),
        cmocka_unit_test(test_growth_keeps_content),
        cmocka_unit_test(test_inputs_end_at_a_page),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
