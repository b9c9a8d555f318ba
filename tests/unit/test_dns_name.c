/* test_dns_name.c - names alone and in messages: escapes, compression, loops, limits.
 *
 * Expected values: RFC 1035 4.1.4 (the example of compression), 5.1 and RFC 4343 2.1 (escapes),
 * RFC 1035 2.3.4 (limits). Inputs end at an unreadable page.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "dns_internal.h"
#include "guard.h"

static void assert_str(struct str got, const char *want)
{
    assert_int_equal(got.len, strlen(want));
    assert_memory_equal(got.ptr ? got.ptr : "", want, got.len);
}

#define WIRE(literal) literal, sizeof(literal) - 1

static void test_text(void **state)
{
    static const struct {
        const char *wire;
        size_t len;
        const char *text; /* NULL: no name */
    } cases[] = {
        {WIRE("\0"), "."},
        {WIRE("\3www\7example\3com\0"), "www.example.com"},
        {WIRE("\1A\1b\0"), "A.b"},
        {WIRE("\4a.b \0"), "a\\.b\\032"},
        {WIRE("\13.\"$();@\\x_-\0"), "\\.\\\"\\$\\(\\)\\;\\@\\\\x_-"},
        {WIRE("\4\0\x7f\x80\xff\0"), "\\000\\127\\128\\255"},
        {WIRE("\2*'\0"), "*'"},
        {WIRE(""), NULL},
        {WIRE("\3www"), NULL},
        {WIRE("\3ww"), NULL},
        {WIRE("\3www\0x"), NULL},
        {WIRE("\xc0\0"), NULL},
        {WIRE("\1a\xc0\0"), NULL},
        {WIRE("\x41"
              "a\0"),
         NULL},
        {WIRE("\x80"
              "a\0"),
         NULL},
    };
    struct text t;

    (void)state;
    text_init(&t, 4096);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct guard g = guard_copy(cases[i].wire, cases[i].len);

        text_clear(&t);
        assert_int_equal(dns_name_text(&t, g.span), cases[i].text != NULL);
        assert_str(text_str(&t), cases[i].text ? cases[i].text : "");
        guard_free(&g);
    }
    text_destroy(&t);
}

/* Two labels of every length, the last octet of the first one plain or not, up to an unreadable page: where
 * sixteen octets at a time begin and end, and labels that are no plain ones any more (33 octets). */
static void test_every_length(void **state)
{
    struct text t;

    (void)state;
    text_init(&t, DNS_NAME_TEXT_MAX);
    for (unsigned one = 1; one <= 63; one++) {
        for (unsigned two = 1; two <= 63; two++) {
            bool odd = (one + two) % 2;
            uint8_t wire[130] = {0};
            char want[132];
            struct guard g;

            wire[0] = (uint8_t)one;
            memset(wire + 1, 'a', one);
            wire[one] = odd ? '$' : 'z';
            wire[one + 1] = (uint8_t)two;
            memset(wire + one + 2, 'b', two);
            snprintf(want, sizeof(want), "%.*s%s.%.*s", (int)one - 1, (const char *)wire + 1,
                     odd ? "\\$" : "z", (int)two, (const char *)wire + one + 2);
            g = guard_copy(wire, one + two + 3);
            text_clear(&t);
            assert_true(dns_name_text(&t, g.span));
            assert_int_equal(t.len, strlen(want));
            assert_memory_equal(t.buf, want, t.len);
            guard_free(&g);
        }
    }
    text_destroy(&t);
}

/* Three labels of 63 and one of `last` octets: 193 + 1 + last + 1 on the wire. */
static size_t long_name(uint8_t *wire, size_t last)
{
    size_t len = 0;

    for (int i = 0; i < 4; i++) {
        size_t label = i < 3 ? 63 : last;

        wire[len++] = (uint8_t)label;
        memset(wire + len, 0xff, label);
        len += label;
    }
    wire[len++] = 0;
    return len;
}

static void test_255_octets_and_no_more(void **state)
{
    uint8_t wire[300];
    struct text t;

    (void)state;
    text_init(&t, 4096);
    assert_int_equal(long_name(wire, 61), DNS_NAME_MAX);
    assert_true(dns_name_text(&t, span_of(wire, long_name(wire, 61))));
    assert_int_equal(t.len, 4 * (63 * 3 + 61) + 3);
    text_clear(&t);
    assert_false(dns_name_text(&t, span_of(wire, long_name(wire, 62))));
    assert_int_equal(t.len, 0);
    for (int i = 0; i < 127; i++)
        memcpy(wire + 2 * i, "\1x", 2);
    wire[254] = 0;
    assert_true(dns_name_text(&t, span_of(wire, 255)));
    assert_int_equal(t.len, 2 * 127 - 1);
    text_destroy(&t);
}

static void test_without_memory_nothing_is_written(void **state)
{
    struct text t;

    (void)state;
    text_init(&t, 16);
    assert_false(dns_name_text(&t, span_of("\1a\0", 3)));
    assert_int_equal(t.len, 0);
    text_destroy(&t);
}

/* A message as dns_message.c sets it up. */
struct reader {
    struct dns_names names;
    struct text text;
};

static struct dns_name_memo memo[DNS_POINTER_REACH];

static void reader_begin(struct reader *r, struct span message)
{
    static uint32_t generation;

    r->names = (struct dns_names){.message = message, .memo = memo, .generation = ++generation};
    text_init(&r->text, DNS_TEXT_MAX);
    assert_true(text_grow(&r->text, DNS_TEXT_MAX));
}

static bool read_at(struct reader *r, size_t offset, struct str *ret, size_t *ret_behind)
{
    struct cursor c = cursor_of(r->names.message);
    bool good;

    c.pos += offset;
    good = dns_name_read(&r->names, &r->text, &c, true, ret);
    *ret_behind = (size_t)(c.pos - r->names.message.ptr);
    return good;
}

/* RFC 1035 4.1.4: F.ISI.ARPA at 20, FOO.F.ISI.ARPA at 40, ARPA at 64, the root at 92. */
static void test_rfc1035_compression(void **state)
{
    static const struct {
        size_t offset, behind;
        const char *text;
    } names[] = {
        {20, 32, "F.ISI.ARPA"},
        {40, 46, "FOO.F.ISI.ARPA"},
        {64, 66, "ARPA"},
        {92, 93, ""},
    };
    static const int orders[][4] = {{0, 1, 2, 3}, {3, 2, 1, 0}, {1, 0, 1, 2}};
    uint8_t message[93] = {0};
    struct guard g;

    (void)state;
    memcpy(message + 20, "\1F\3ISI\4ARPA\0", 12);
    memcpy(message + 40, "\3FOO\xc0\x14", 6);
    memcpy(message + 64, "\xc0\x1a", 2);
    g = guard_copy(message, sizeof(message));
    for (size_t o = 0; o < sizeof(orders) / sizeof(*orders); o++) {
        struct reader r;

        reader_begin(&r, g.span);
        for (int i = 0; i < 4; i++) {
            struct str text;
            size_t behind;

            assert_true(read_at(&r, names[orders[o][i]].offset, &text, &behind));
            assert_str(text, names[orders[o][i]].text);
            assert_int_equal(behind, names[orders[o][i]].behind);
        }
        text_destroy(&r.text);
    }
    guard_free(&g);
}

static void test_a_shared_name_is_not_copied(void **state)
{
    struct reader r;
    struct str first, second;
    size_t behind, len;

    (void)state;
    reader_begin(&r, span_of("\1a\2bc\0\xc0\0\xc0\2", 10));
    assert_true(read_at(&r, 0, &first, &behind));
    len = r.text.len;
    assert_true(read_at(&r, 6, &second, &behind));
    assert_ptr_equal(first.ptr, second.ptr);
    assert_true(read_at(&r, 8, &second, &behind));
    assert_str(second, "bc");
    assert_int_equal(r.text.len, len);
    text_destroy(&r.text);
}

static void test_bad_pointers(void **state)
{
    static const struct {
        const char *message;
        size_t len, offset;
        const char *reason;
        size_t at;
    } cases[] = {
        {WIRE("\xc0\0"), 0, "name pointer loop", 0},
        {WIRE("\1a\xc0\0"), 0, "name pointer loop", 2},
        {WIRE("\0\1a\xc0\3\0"), 1, "name pointer loop", 3},
        {WIRE("\0\xc0\4\0\0"), 1, "name pointer goes forward", 1},
        {WIRE("\xff\xff"), 0, "name pointer goes forward", 0},
        {WIRE("\1a\xc0\3\xc0\0"), 4, "name pointer goes forward", 2},
        {WIRE("\xc0\2\xc0\0"), 2, "name pointer loop", 0}, /* forward, to where it came from */
        {WIRE("\1a\xc0\5\0\1b\xc0\0"), 5, "name pointer loop", 2},
        {WIRE("\1a\xc0\6\0\1b\xc0\0"), 5, "name pointer goes forward", 2}, /* into its label */
        {WIRE("\1a\x40\0\xc0\0"), 4, "unknown label type", 2},
        {WIRE("\1a\xc0"), 0, "name goes beyond its end", 2},
        {WIRE("\x3f"
              "a\xc0\0"),
         2, "name goes beyond its end", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct guard g = guard_copy(cases[i].message, cases[i].len);
        struct reader r;
        struct str text;
        size_t behind;

        reader_begin(&r, g.span);
        assert_false(read_at(&r, cases[i].offset, &text, &behind));
        assert_string_equal(r.names.reason, cases[i].reason);
        assert_int_equal(r.names.at - g.span.ptr, cases[i].at);
        assert_int_equal(behind, cases[i].offset);
        assert_int_equal(r.text.len, 0);
        text_destroy(&r.text);
        guard_free(&g);
    }
}

/* Pointer k at 2 * k + 1 points to pointer k - 1, the first one to the root at 0. */
static void chain_build(uint8_t *message, size_t count)
{
    message[0] = 0;
    for (size_t k = 0; k < count; k++) {
        size_t target = k == 0 ? 0 : 2 * k - 1;

        message[2 * k + 1] = (uint8_t)(0xc0 | target >> 8);
        message[2 * k + 2] = (uint8_t)target;
    }
}

static void test_127_hops_and_no_more(void **state)
{
    uint8_t message[1 + 2 * 128];
    struct reader r;
    struct str text;
    size_t behind;

    (void)state;
    chain_build(message, 128);
    reader_begin(&r, span_of(message, sizeof(message)));
    assert_true(read_at(&r, 2 * 126 + 1, &text, &behind));
    assert_false(read_at(&r, 2 * 127 + 1, &text, &behind));
    assert_string_equal(r.names.reason, "too many name pointers");
    text_destroy(&r.text);
    reader_begin(&r, span_of(message, sizeof(message)));
    assert_false(read_at(&r, 2 * 127 + 1, &text, &behind));
    assert_string_equal(r.names.reason, "too many name pointers");
    assert_ptr_equal(r.names.behind, message + sizeof(message));
    text_destroy(&r.text);
}

static void test_a_suffix_makes_a_name_too_long(void **state)
{
    uint8_t message[400];
    size_t len = long_name(message, 61), behind;
    struct reader r;
    struct str text;

    (void)state;
    memcpy(message + len, "\1a\xc0\0", 4);
    for (int known = 0; known < 2; known++) {
        reader_begin(&r, span_of(message, len + 4));
        assert_true(!known || read_at(&r, 0, &text, &behind));
        assert_false(read_at(&r, len, &text, &behind));
        assert_string_equal(r.names.reason, "name longer than 255 octets");
        text_destroy(&r.text);
    }
}

static void test_broken_names_are_walked_a_bounded_number_of_times(void **state)
{
    static uint8_t message[1 + 2 * 8000];
    struct reader r;
    struct str text;
    size_t behind;

    (void)state;
    chain_build(message, 8000);
    reader_begin(&r, span_of(message, sizeof(message)));
    for (size_t k = 7999; k >= 4000; k--)
        assert_false(read_at(&r, 2 * k + 1, &text, &behind));
    /* Each name past the cap adds the few hops that it may still take. */
    assert_true(r.names.broken_steps <
                DNS_BROKEN_STEPS_MAX + 128 + 4000 * (DNS_HOPS_AFTER_BROKEN + 2));
    assert_true(read_at(&r, 1, &text, &behind));
    text_destroy(&r.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_every_length),
        cmocka_unit_test(test_255_octets_and_no_more),
        cmocka_unit_test(test_without_memory_nothing_is_written),
        cmocka_unit_test(test_rfc1035_compression),
        cmocka_unit_test(test_a_shared_name_is_not_copied),
        cmocka_unit_test(test_bad_pointers),
        cmocka_unit_test(test_127_hops_and_no_more),
        cmocka_unit_test(test_a_suffix_makes_a_name_too_long),
        cmocka_unit_test(test_broken_names_are_walked_a_bounded_number_of_times),
    };

    return cmocka_run_group_tests_name("dns_name", tests, NULL, NULL);
}
