/* test_dns_edns.c - EDNS options in readable form, and what is flagged.
 *
 * Expected values: RFC 7871 11 (ECS), RFC 7873 B.1 (COOKIE), RFC 8914 2 (EDE), RFC 7828 3.1, RFC 7314
 * 2, RFC 6975 3, RFC 8145 4.1, RFC 9567 5, RFC 9660 2; dig prints the same numbers.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
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

static void test_options(void **state)
{
    static const struct {
        uint16_t code;
        const char *data;
        size_t len;
        const char *text;
        bool good;
    } cases[] = {
        {1, WIRE("\0\1\0\2\0\3\0\1\2\3\4\5\6\7\0\0\x0e\x10"), "1 2 3 0001020304050607 3600", true},
        {1, WIRE("\0\1"), "0001", false},
        {2, WIRE("\0\0\x0e\x10"), "3600", true},
        {2, WIRE("\0\0\x0e\x10\0\0\0\1"), "3600 1", true},
        {2, WIRE("\0\0\x0e\x10\0"), "00000e1000", false},
        {3, WIRE(""), "", true},
        {3, WIRE("ns1.example"), "ns1.example", true},
        {3, WIRE("hex"), "hex", true},
        {3, WIRE("Hex:1"), "Hex:1", true},
        {3, WIRE("hex:00ff61"), "hex:6865783a303066663631", true},
        {3, WIRE("hex:"), "hex:6865783a", true},
        {3,
         WIRE("\0\xff"
              "a"),
         "hex:00ff61", true},
        {5, WIRE("\x08\x0a\x0d"), "8 10 13", true},
        {6, WIRE("\1\2\4"), "1 2 4", true},
        {7, WIRE("\1"), "1", true},
        {8, WIRE("\0\1\x18\0\xc0\0\2"), "192.0.2.0/24/0", true},
        {8, WIRE("\0\1\x0f\x10\xc0\xa8"), "192.168.0.0/15/16", true},
        {8, WIRE("\0\1\0\0"), "0.0.0.0/0/0", true},
        {8, WIRE("\0\0\0\0"), "0/0/0", true},
        {8, WIRE("\0\2\x38\x30\x20\1\x0d\xb8\0\1\2"), "2001:db8:1:200::/56/48", true},
        {8, WIRE("\0\1\x18\0\xc0\0"), "00011800c000", false},
        {8, WIRE("\0\1\x18\0\xc0\0\2\0"), "00011800c0000200", false},
        {8, WIRE("\0\1\x21\0\xc0\0\2\1\0"), "00012100c000020100", false},
        {8, WIRE("\0\1\x18\x21\xc0\0\2"), "00011821c00002", false},
        {8, WIRE("\0\1\x0f\0\xc0\xa9"), "00010f00c0a9", false},
        {8, WIRE("\0\3\0\0"), "00030000", false},
        {8, WIRE("\0\1\x18"), "000118", false},
        {9, WIRE(""), "", true},
        {9, WIRE("\0\x12\x75\0"), "1209600 s", true},
        {9, WIRE("\0"), "00", false},
        {10, WIRE("\x24\x64\xc4\xab\xcf\x10\xc9\x57"), "2464c4abcf10c957", true},
        {10, WIRE("\x24\x64\xc4\xab\xcf\x10\xc9\x57\1\0\0\0\x5c\xf7\x9f\x11"),
         "2464c4abcf10c957/010000005cf79f11", true},
        {10, WIRE("\1\2\3\4\5\6\7"), "01020304050607", false},
        {10, WIRE("\1\2\3\4\5\6\7\x08\x09"), "010203040506070809", false},
        {11, WIRE(""), "", true},
        {11, WIRE("\1\x2d"), "30.1 s", true},
        {11, WIRE("\1"), "01", false},
        {12, WIRE(""), "0", true},
        {12, WIRE("\0\0\0\0\0"), "5", true},
        {13, WIRE("\7example\0"), "example.", true},
        {13, WIRE("\0"), ".", true},
        {13, WIRE("\7exampl"), "076578616d706c", false},
        {14, WIRE("\x4f\x66\x97\x28"), "20326 38696", true},
        {14, WIRE("\x4f\x66\x97"), "4f6697", false},
        {15, WIRE("\0\x12"), "18 (Prohibited)", true},
        {15, WIRE("\0\x06no key"), "6 (DNSSEC Bogus): no key", true},
        {15, WIRE("\0\x06no key\0"), "6 (DNSSEC Bogus): no key", true},
        {15, WIRE("\xc0\0caf\xc3\xa9"), "49152: caf\xc3\xa9", true},
        {15, WIRE("\0"), "00", false},
        {16, WIRE("\1\0"), "256", true},
        {17, WIRE("\1"), "01", false},
        {18, WIRE("\6report\7example\0"), "report.example.", true},
        {18, WIRE("\xc0\0"), "c000", false},
        {19, WIRE(""), "", true},
        {19, WIRE("\2\0\x78\xa4\x5f\x67"), "2 SOA-SERIAL 2024038247", true},
        {19, WIRE("\2\1\xab"), "2 1 ab", true},
        {19, WIRE("\2\1"), "2 1", true}, /* no version: RFC 9660 2.1 leaves its form to the type */
        {19, WIRE("\2\0\1"), "020001", false},
        {19, WIRE("\2"), "02", false},
        {20, WIRE("\0\x1c\0\x41"), "AAAA HTTPS", true},
        {20, WIRE("\xff\0"), "TYPE65280", true},
        {21, WIRE("\0\x30"), "DNSKEY", true},
        {21, WIRE(""), "", true},
        {21, WIRE("\0\x30\0"), "003000", false},
        {23, WIRE("mailto:x"), "6d61696c746f3a78", true},
        {65001, WIRE("\xde\xad"), "dead", true},
        {4, WIRE(""), "", true},
    };
    struct text t;

    (void)state;
    text_init(&t, 4096);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct guard g = guard_copy(cases[i].data, cases[i].len);

        text_clear(&t);
        assert_int_equal(dns_option_put(&t, cases[i].code, g.span), cases[i].good);
        assert_str(text_str(&t), cases[i].text);
        guard_free(&g);
    }
    text_destroy(&t);
}

static void read_options(struct text *t, struct span rdata, struct dns_option *options,
                         size_t want_count, const char *want_reason, size_t want_at)
{
    const uint8_t *at = NULL;
    size_t count = 99;
    const char *reason = dns_options_read(t, rdata, options, &count, &at);

    assert_int_equal(count, want_count);
    if (!want_reason) {
        assert_null(reason);
        return;
    }
    assert_string_equal(reason, want_reason);
    assert_int_equal(at - rdata.ptr, want_at);
}

static void test_list(void **state)
{
    struct dns_option options[DNS_OPTION_MAX];
    struct guard g = guard_copy(WIRE("\0\x0a\0\x08\1\2\3\4\5\6\7\x08" /* COOKIE */
                                     "\xfd\xe9\0\0"                   /* 65001, empty */
                                     "\0\x0a\0\1x"                    /* bad COOKIE */
                                     "\0\x0c\0\2\0\0"));              /* PADDING */
    struct text t;

    (void)state;
    text_init(&t, DNS_TEXT_MAX);
    assert_true(text_grow(&t, DNS_TEXT_MAX));
    read_options(&t, g.span, options, 4, "bad EDNS option", 16);
    assert_str(options[0].name, "COOKIE");
    assert_str(options[0].data, "0102030405060708");
    assert_int_equal(options[1].code, 65001);
    assert_str(options[1].name, "OPT65001");
    assert_str(options[1].data, "");
    assert_str(options[2].data, "78");
    assert_str(options[3].name, "PADDING");
    assert_str(options[3].data, "2");
    read_options(&t, span_of(g.span.ptr, 16), options, 2, NULL, 0);
    /* Cut: its code, and what is there of its data, in hex. */
    for (size_t cut = 1; cut < 12; cut++) {
        read_options(&t, span_of(g.span.ptr, cut), options, cut < 2 ? 0 : 1,
                     "EDNS option goes beyond its end", 0);
        if (cut < 2)
            continue;
        assert_str(options[0].name, "COOKIE");
        assert_int_equal(options[0].data.len, cut < 4 ? 0 : 2 * (cut - 4));
        assert_memory_equal("0102030405060708", options[0].data.ptr, options[0].data.len);
    }
    read_options(&t, span_of(WIRE("\0\3\0\5ab")), options, 1, "EDNS option goes beyond its end", 0);
    assert_str(options[0].name, "NSID");
    assert_str(options[0].data, "6162");
    read_options(&t, span_of(WIRE("\0\x0c\0\5\0")), options, 1, "EDNS option goes beyond its end",
                 0);
    assert_str(options[0].data, "00"); /* PADDING: not its length */
    read_options(&t, span_of(g.span.ptr, 0), options, 0, NULL, 0);
    guard_free(&g);
    text_destroy(&t);
}

static void test_too_many(void **state)
{
    struct dns_option options[DNS_OPTION_MAX];
    uint8_t rdata[4 * (DNS_OPTION_MAX + 1)] = {0};
    struct text t;

    (void)state;
    text_init(&t, DNS_TEXT_MAX);
    assert_true(text_grow(&t, DNS_TEXT_MAX));
    read_options(&t, span_of(rdata, 4 * DNS_OPTION_MAX), options, DNS_OPTION_MAX, NULL, 0);
    read_options(&t, span_of(rdata, sizeof(rdata)), options, DNS_OPTION_MAX,
                 "too many EDNS options", 4 * DNS_OPTION_MAX);
    text_destroy(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_too_many),
    };

    return cmocka_run_group_tests_name("dns_edns", tests, NULL, NULL);
}
