/* test_dns_records.c - records whose form depends on more than their type: on the class, on UPDATE, on where the
 * message ends, on an OPT before.
 *
 * Messages are written out by hand after RFC 1035 4.1, RFC 2136 2 and RFC 6891 6.1, the texts after RFC 3597 5.
 * Inputs end at an unreadable page.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "dns.h"
#include "guard.h"

static struct dns_decoder *decoder;

static int setup(void **state)
{
    (void)state;
    decoder = dns_decoder_create();
    return decoder ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    dns_decoder_destroy(&decoder);
    return 0;
}

static void assert_str(struct str got, const char *want)
{
    if (got.len != strlen(want) || (got.len > 0 && memcmp(got.ptr, want, got.len) != 0))
        fail_msg("got %.*s, want %s", (int)got.len, got.ptr, want);
}

static void assert_fault(const struct dns_fault *f, const char *reason, enum dns_section section,
                         unsigned index, size_t offset)
{
    assert_string_equal(f->reason, reason);
    assert_int_equal(f->section, section);
    assert_int_equal(f->index, index);
    assert_int_equal(f->offset, offset);
}

#define HEADER(flags, qd, an, ns, ar) "\x12\x34" flags "\0" qd "\0" an "\0" ns "\0" ar
#define UPDATE                        "\x28\0"
#define QUERY                         "\0\0"
#define WIRE(literal)                 literal, sizeof(literal) - 1

#define RR_AT    12 + 5 /* behind a question of the root */
#define RDATA_AT RR_AT + 11

/* A message with a question of the root and that class, and one RR of the root in that section. */
static struct guard message_of(const char *flags, uint16_t zone_class, enum dns_section section,
                               uint16_t type, uint16_t class, const void *rdata, size_t len)
{
    uint8_t octets[512] = "\x12\x34\0\0\0\1";

    memcpy(octets + 2, flags, 2);
    octets[5 + 2 * section] = 1;
    memcpy(octets + 12, "\0\0\6", 3);
    octets[15] = (uint8_t)(zone_class >> 8);
    octets[16] = (uint8_t)zone_class;
    octets[18] = (uint8_t)(type >> 8);
    octets[19] = (uint8_t)type;
    octets[20] = (uint8_t)(class >> 8);
    octets[21] = (uint8_t) class;
    octets[27] = (uint8_t)len;
    memcpy(octets + RDATA_AT, rdata, len);
    return guard_copy(octets, RDATA_AT + len);
}

/* RFC 3597 2: where the format of a type is one class's, it is unknown in others. */
static void test_formats_of_class_in(void **state)
{
    static const struct {
        uint16_t type;
        const char *rdata;
        size_t len;
        const char *in, *others;
    } cases[] = {
        {1, WIRE("\1\2\3\4"), "1.2.3.4", "\\# 4 01020304"},
        {11, WIRE("\xc0\0\2\1\6"), "192.0.2.1 6", "\\# 5 C000020106"},
        {22, WIRE("\x47\0"), "0x4700", "\\# 2 4700"},
        {23, WIRE("\1a\0"), "a.", "\\# 3 016100"},
        {26, WIRE("\0\1\0\0"), "1 . .", "\\# 4 00010000"},
        {28, WIRE("\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"), "2001:db8::1",
         "\\# 16 20010DB8000000000000000000000001"},
        {33, WIRE("\0\1\0\2\0\3\0"), "1 2 3 .", "\\# 7 00010002000300"},
        {36, WIRE("\0\1\0"), "1 .", "\\# 3 000100"},
        {42, WIRE("\0\1\x08\1\x0a"), "1:10.0.0.0/8", "\\# 5 000108010A"},
        {49, WIRE("\0\1\2"), "AAEC", "\\# 3 000102"},
        {64, WIRE("\0\1\0"), "1 .", "\\# 3 000100"},
        {65, WIRE("\0\1\0"), "1 .", "\\# 3 000100"},
        /* The same in every class. */
        {2, WIRE("\1a\0"), "a.", "a."},
        {16, WIRE("\1a"), "\"a\"", "\"a\""},
        {45, WIRE("\x0a\0\1\xff"), "10 0 1 . /w==", "10 0 1 . /w=="},
    };
    static const uint16_t classes[] = {4, 5, 254, 255, 65280};
    struct dns_message m;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct guard g =
            message_of(QUERY, 1, DNS_ANSWER, cases[i].type, 1, cases[i].rdata, cases[i].len);

        assert_true(dns_decode(decoder, g.span, &m));
        assert_str(m.rr[DNS_ANSWER][0].data, cases[i].in);
        guard_free(&g);
        for (size_t c = 0; c < sizeof(classes) / sizeof(*classes); c++) {
            g = message_of(QUERY, 1, DNS_ANSWER, cases[i].type, classes[c], cases[i].rdata,
                           cases[i].len);
            assert_true(dns_decode(decoder, g.span, &m));
            assert_str(m.rr[DNS_ANSWER][0].data, cases[i].others);
            assert_false(m.rr[DNS_ANSWER][0].generic);
            guard_free(&g);
        }
    }
}

/* Chaosnet has an A of its own (RFC 1035 3.4.1), and nothing else. */
static void test_chaosnet(void **state)
{
    struct guard g = message_of(QUERY, 3, DNS_ANSWER, 1, 3, WIRE("\1a\0\1\x7f"));
    struct dns_message m;

    (void)state;
    assert_true(dns_decode(decoder, g.span, &m));
    assert_str(m.rr[DNS_ANSWER][0].data, "a. 577");
    guard_free(&g);
    g = message_of(QUERY, 3, DNS_ANSWER, 1, 3, WIRE("\1\2\3\4"));
    assert_false(dns_decode(decoder, g.span, &m));
    assert_true(m.rr[DNS_ANSWER][0].generic);
    guard_free(&g);
    g = message_of(QUERY, 3, DNS_ANSWER, 28, 3, WIRE("\1"));
    assert_true(dns_decode(decoder, g.span, &m));
    assert_str(m.rr[DNS_ANSWER][0].data, "\\# 1 01");
    guard_free(&g);
}

/* What stands for no rdata, and where there must be some. */
static const struct {
    const char *flags;
    uint16_t zone_class;
    enum dns_section section;
    uint16_t type, class;
    const char *rdata;
    size_t len;
    const char *data, *reason;
} update_cases[] = {
    /* RFC 2136 2.4.1, 2.4.3, 2.5.2: an RRset, and none, and one to be deleted. */
    {UPDATE, 1, DNS_ANSWER, 1, 255, WIRE(""), "", NULL},
    {UPDATE, 1, DNS_ANSWER, 255, 254, WIRE(""), "", NULL},
    {UPDATE, 1, DNS_AUTHORITY, 6, 255, WIRE(""), "", NULL},
    {UPDATE, 1, DNS_ANSWER, 1, 255, WIRE("\1\2\3\4"), "\\# 4 01020304",
     "rdata where UPDATE has none"},
    {UPDATE, 1, DNS_ANSWER, 1, 254, WIRE("\1\2\3\4"), "\\# 4 01020304",
     "rdata where UPDATE has none"},
    {UPDATE, 1, DNS_AUTHORITY, 16, 255, WIRE("\1a"), "\\# 2 0161", "rdata where UPDATE has none"},
    /* 2.4.2, 2.5.1: an RR. */
    {UPDATE, 1, DNS_ANSWER, 1, 1, WIRE(""), "\\# 0", "rdata too short"},
    {UPDATE, 1, DNS_AUTHORITY, 1, 1, WIRE(""), "\\# 0", "rdata too short"},
    {UPDATE, 1, DNS_AUTHORITY, 6, 1, WIRE(""), "\\# 0", "name goes beyond its end"},
    {UPDATE, 1, DNS_AUTHORITY, 42, 1, WIRE(""), "", NULL}, /* APL may be empty: RFC 3123 4 */
    {UPDATE, 1, DNS_AUTHORITY, 10, 1, WIRE(""), "\\# 0", NULL},
    /* 2.5.4: an RR to be deleted has the rdata of the zone's class. */
    {UPDATE, 1, DNS_AUTHORITY, 1, 254, WIRE("\1\2\3\4"), "1.2.3.4", NULL},
    {UPDATE, 1, DNS_AUTHORITY, 1, 254, WIRE("\1\2\3"), "\\# 3 010203", "rdata too short"},
    {UPDATE, 1, DNS_AUTHORITY, 1, 254, WIRE(""), "\\# 0", "rdata too short"},
    {UPDATE, 3, DNS_AUTHORITY, 1, 254, WIRE("\0\0\1"), ". 1", NULL},
    {UPDATE, 5, DNS_AUTHORITY, 1, 254, WIRE("\1\2\3\4"), "\\# 4 01020304", NULL},
    {UPDATE, 1, DNS_ADDITIONAL, 1, 254, WIRE("\1\2\3\4"), "\\# 4 01020304", NULL},
    {UPDATE, 1, DNS_ADDITIONAL, 16, 255, WIRE(""), "\\# 0", "rdata too short"},
    /* Other messages: TSIG is of class ANY, and has rdata (RFC 8945 4.2). */
    {QUERY, 1, DNS_ADDITIONAL, 250, 255, WIRE(""), "\\# 0", "name goes beyond its end"},
    {QUERY, 1, DNS_AUTHORITY, 16, 254, WIRE(""), "\\# 0", "rdata too short"},
    {QUERY, 1, DNS_ANSWER, 1, 255, WIRE(""), "\\# 0", NULL}, /* no format in that class */
    {QUERY, 1, DNS_ANSWER, 1, 1, WIRE(""), "\\# 0", "rdata too short"},
};

static void test_update(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(update_cases) / sizeof(*update_cases); i++) {
        struct guard g =
            message_of(update_cases[i].flags, update_cases[i].zone_class, update_cases[i].section,
                       update_cases[i].type, update_cases[i].class, update_cases[i].rdata,
                       update_cases[i].len);
        const struct dns_rr *rr;
        struct dns_message m;
        bool good = dns_decode(decoder, g.span, &m);

        if (good != !update_cases[i].reason)
            fail_msg("case %zu: %s", i, m.fault.reason ? m.fault.reason : "no fault");
        assert_int_equal(m.rr_count[update_cases[i].section], 1);
        rr = m.rr[update_cases[i].section];
        assert_str(rr->data, update_cases[i].data);
        assert_int_equal(rr->generic, !good);
        assert_int_equal(rr->class, update_cases[i].class);
        if (!good)
            assert_fault(&m.fault, update_cases[i].reason, update_cases[i].section, 1,
                         m.fault.offset);
        if (!good)
            assert_true(m.fault.offset >= RDATA_AT);
        guard_free(&g);
    }
}

/* An UPDATE that names no zone: nobody knows the class of what is to be deleted. */
static void test_update_without_zone(void **state)
{
    struct guard g =
        guard_copy(WIRE(HEADER(UPDATE, "\0", "\0", "\1", "\0") "\0\0\1\0\xfe\0\0\0\0\0\4\1\2\3\4"));
    struct dns_message m;

    (void)state;
    assert_true(dns_decode(decoder, g.span, &m));
    assert_str(m.rr[DNS_AUTHORITY][0].data, "\\# 4 01020304");
    guard_free(&g);
}

#define CUT_HEAD HEADER("\x84\0", "\0", "\1", "\0", "\0") "\1a\0\0\1\0\1\0\0\x0e\x10"
#define CUT_LEN  (sizeof(CUT_HEAD) - 1)

/* The message ends within the rdata of an A: what is there is shown, and is no address. */
static void test_cut_rdata(void **state)
{
    static const char whole[] = CUT_HEAD "\0\4\xc0\0\2\1";
    static const char *const data[] = {"\\# 0",    "\\# 0",      "\\# 0",
                                       "\\# 1 C0", "\\# 2 C000", "\\# 3 C00002"};

    (void)state;
    for (size_t len = CUT_LEN - 1; len < sizeof(whole) - 1; len++) {
        struct guard g = guard_copy(whole, len);
        const struct dns_rr *rr;
        struct dns_message m;

        assert_false(dns_decode(decoder, g.span, &m));
        assert_int_equal(m.fault_count, 1);
        assert_fault(&m.fault, "message ends within an RR", DNS_ANSWER, 1, len);
        assert_int_equal(m.rr_count[DNS_ANSWER], len >= CUT_LEN);
        if (len >= CUT_LEN) {
            rr = m.rr[DNS_ANSWER];
            assert_str(rr->name, "a");
            assert_str(rr->type_text, "A");
            assert_str(rr->class_text, "IN");
            assert_int_equal(rr->ttl, 3600);
            assert_str(rr->data, data[len - CUT_LEN]);
            assert_true(rr->generic);
            assert_false(dns_rr_is_address(rr));
        }
        guard_free(&g);
    }
}

/* An A of four octets that claims more, and a type without a format: no good rdata either. */
static void test_cut_rdata_that_looks_good(void **state)
{
    struct guard g = guard_copy(WIRE(CUT_HEAD "\1\x90\xc0\0\2\1"));
    struct dns_message m;

    (void)state;
    assert_false(dns_decode(decoder, g.span, &m));
    assert_str(m.rr[DNS_ANSWER][0].data, "\\# 4 C0000201");
    assert_true(m.rr[DNS_ANSWER][0].generic);
    assert_false(dns_rr_is_address(m.rr[DNS_ANSWER]));
    guard_free(&g);
    g = guard_copy(WIRE(HEADER(UPDATE, "\0", "\1", "\0", "\0") "\0\0\1\0\xff\0\0\0\0\0\4"));
    assert_false(dns_decode(decoder, g.span, &m));
    assert_str(m.rr[DNS_ANSWER][0].data, "\\# 0");
    assert_true(m.rr[DNS_ANSWER][0].generic);
    guard_free(&g);
}

#define OPT "\0\0\x29"

/* A cut OPT is read as far as it goes: BADVERS, DO, one option whole, one not. */
static void test_cut_opt(void **state)
{
    struct guard g = guard_copy(WIRE(HEADER("\x80\0", "\0", "\0", "\0", "\1") OPT
                                     "\x04\xd0\1\0\x80\0\0\x20\0\3\0\2ns\0\3\0\5ab"));
    struct dns_message m;

    (void)state;
    assert_false(dns_decode(decoder, g.span, &m));
    assert_int_equal(m.fault_count, 2);
    assert_fault(&m.fault, "message ends within an RR", DNS_ADDITIONAL, 1, g.span.len);
    assert_fault(&m.others[0], "EDNS option goes beyond its end", DNS_ADDITIONAL, 1, 12 + 11 + 6);
    assert_str(m.rcode_text, "BADVERS");
    assert_true(m.edns.present && m.edns.dnssec_ok);
    assert_int_equal(m.edns.udp_size, 1232);
    assert_int_equal(m.edns.option_count, 2);
    assert_str(m.edns.options[0].data, "ns");
    assert_str(m.edns.options[1].data, "6162");
    assert_int_equal(m.rr_count[DNS_ADDITIONAL], 0);
    guard_free(&g);
}

/* RFC 6891 6.1.1: not more than one. The first one rules, the second one is an RR that loses nothing. */
static void test_second_opt(void **state)
{
    struct guard g = guard_copy(WIRE(HEADER("\x80\0", "\0", "\0", "\0", "\2") OPT
                                     "\x04\xd0\1\0\0\0\0\0" OPT "\x10\0\2\0\x80\0\0\6\0\3\0\2ns"));
    const struct dns_rr *rr;
    struct dns_message m;

    (void)state;
    assert_false(dns_decode(decoder, g.span, &m));
    assert_int_equal(m.fault_count, 1);
    assert_fault(&m.fault, "more than one OPT", DNS_ADDITIONAL, 2, 12 + 11);
    assert_str(m.rcode_text, "BADVERS");
    assert_int_equal(m.edns.udp_size, 1232);
    assert_int_equal(m.edns.option_count, 0);
    assert_false(m.edns.dnssec_ok);
    assert_int_equal(m.rr_count[DNS_ADDITIONAL], 1);
    rr = m.rr[DNS_ADDITIONAL];
    assert_str(rr->type_text, "OPT");
    assert_int_equal(rr->class, 4096);
    assert_int_equal(rr->ttl, 0x02008000);
    assert_str(rr->data, "\\# 6 000300026E73");
    guard_free(&g);
}

/* More text than DNS_TEXT_MAX: MX records of a name of 1003 octets in text, then `last`. */
static size_t overflowing(uint8_t *octets, const char *last, size_t last_len)
{
    static const char header[] = HEADER("\x80\2", "\1", "\0", "\0", "\1");
    static const char mx[] = "\xc0\x0c\0\x0f\0\1\0\0\0\0\0\4\0\1\xc0\x0c";
    size_t len = sizeof(header) - 1, rrs = 1500;

    memcpy(octets, header, len);
    octets[6] = (uint8_t)(rrs >> 8);
    octets[7] = (uint8_t)rrs;
    for (int label = 0; label < 4; label++) {
        octets[len] = label < 3 ? 63 : 61;
        memset(octets + len + 1, 1, octets[len]);
        len += 1 + octets[len];
    }
    memcpy(octets + len, "\0\0\1\0\1", 5);
    len += 5;
    for (size_t i = 0; i < rrs; i++, len += sizeof(mx) - 1)
        memcpy(octets + len, mx, sizeof(mx) - 1);
    memcpy(octets + len, last, last_len);
    return len + last_len;
}

static void test_opt_behind_the_output_limit(void **state)
{
    static const char opt[] = OPT "\x04\xd0\1\0\x80\0\0\6\0\3\0\2ns";
    static uint8_t octets[DNS_MESSAGE_MAX];
    size_t len = overflowing(octets, WIRE(opt));
    struct guard g = guard_copy(octets, len);
    struct dns_message m;

    (void)state;
    assert_false(dns_decode(decoder, g.span, &m));
    assert_int_equal(m.fault_count, 1);
    assert_string_equal(m.fault.reason, "output limit reached");
    assert_true(m.truncated_output);
    assert_int_equal(m.rcode, 0x12);
    assert_str(m.rcode_text, "BADTIME");
    assert_true(m.edns.present && m.edns.dnssec_ok);
    assert_int_equal(m.edns.udp_size, 1232);
    assert_int_equal(m.edns.option_count, 0); /* no room for text */
    assert_true(m.rr_count[DNS_ANSWER] < 1500);
    guard_free(&g);
    /* Cut anywhere within the OPT: seen when its TTL is there. */
    for (size_t cut = 1; cut <= sizeof(opt) - 1; cut++) {
        g = guard_copy(octets, len - cut);
        assert_false(dns_decode(decoder, g.span, &m));
        assert_int_equal(m.edns.present, sizeof(opt) - 1 - cut >= 9);
        assert_str(m.rcode_text, m.edns.present ? "BADTIME" : "SERVFAIL");
        guard_free(&g);
    }
    /* Not the root's: a fault, as before the limit. */
    len = overflowing(octets, WIRE("\1a" OPT "\x04\xd0\1\0\0\0\0\0"));
    assert_false(dns_decode(decoder, span_of(octets, len), &m));
    assert_int_equal(m.fault_count, 2);
    assert_fault(&m.others[0], "OPT not owned by the root", DNS_ADDITIONAL, 1, len - 13);
    assert_str(m.rcode_text, "BADTIME");
    /* A name without an end: nothing behind it is known. */
    len = overflowing(octets, WIRE("\x40" OPT "\x04\xd0\1\0\0\0\0\0"));
    assert_false(dns_decode(decoder, span_of(octets, len), &m));
    assert_false(m.edns.present);
    assert_str(m.rcode_text, "SERVFAIL");
}

/* The limit reached in the questions, each of a name of its own: what follows is passed over, to the OPT. */
static void test_opt_behind_too_long_questions(void **state)
{
    static uint8_t octets[DNS_MESSAGE_MAX];
    size_t len = 12, questions = 1500;
    struct dns_message m;

    (void)state;
    memcpy(octets, HEADER("\x80\0", "\0", "\1", "\0", "\1"), 12);
    octets[4] = (uint8_t)(questions >> 8);
    octets[5] = (uint8_t)questions;
    for (int label = 0; label < 3; label++, len += 64) {
        octets[len] = 63;
        memset(octets + len + 1, 1, 63);
    }
    memcpy(octets + len, "\0\0\1\0\1", 5);
    len += 5;
    for (size_t i = 1; i < questions; i++, len += 8)
        memcpy(octets + len, "\1a\xc0\x0c\0\1\0\1", 8);
    memcpy(octets + len, WIRE("\1b\0\0\1\0\1\0\0\0\0\0\4\1\2\3\4" OPT "\x04\xd0\1\0\0\0\0\0"));
    len += 17 + 11;
    assert_false(dns_decode(decoder, span_of(octets, len), &m));
    assert_string_equal(m.fault.reason, "too many questions");
    assert_int_equal(m.fault_count, 2);
    assert_string_equal(m.others[0].reason, "output limit reached");
    assert_str(m.rcode_text, "BADVERS");
    assert_int_equal(m.edns.udp_size, 1232);
    octets[7] = 0; /* no answer: the A is the first additional record, and the last one */
    assert_false(dns_decode(decoder, span_of(octets, len), &m));
    assert_false(m.edns.present);
    assert_str(m.rcode_text, "NOERROR");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats_of_class_in),
        cmocka_unit_test(test_chaosnet),
        cmocka_unit_test(test_update),
        cmocka_unit_test(test_update_without_zone),
        cmocka_unit_test(test_cut_rdata),
        cmocka_unit_test(test_cut_rdata_that_looks_good),
        cmocka_unit_test(test_cut_opt),
        cmocka_unit_test(test_second_opt),
        cmocka_unit_test(test_opt_behind_the_output_limit),
        cmocka_unit_test(test_opt_behind_too_long_questions),
    };

    return cmocka_run_group_tests_name("dns_records", tests, setup, teardown);
}
