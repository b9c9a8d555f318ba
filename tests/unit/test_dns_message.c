/* test_dns_message.c - messages: header, sections, EDNS, faults with their place, limits, memory.
 *
 * Messages are written out by hand after RFC 1035 4.1 and RFC 6891 6.1; those of the table were read by
 * dnspython too. Inputs end at an unreadable page.
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

/* --wrap: the allocation numbered `fail_at` from now on fails; 0: none does. */
static unsigned fail_at;
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

static bool fail_now(void)
{
    return fail_at > 0 && --fail_at == 0;
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fail_now() ? NULL : __real_calloc(count, size);
}

void *__wrap_malloc(size_t size)
{
    return fail_now() ? NULL : __real_malloc(size);
}

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
    return decoder ? -1 : 0;
}

static void assert_str(struct str got, const char *want)
{
    if (got.len != strlen(want) || (got.len > 0 && memcmp(got.ptr, want, got.len) != 0))
        fail_msg("got %.*s, want %s", (int)got.len, got.ptr, want);
}

#define HEADER(flags, qd, an, ns, ar) "\x12\x34" flags "\0" qd "\0" an "\0" ns "\0" ar
#define EXAMPLE                       "\7example\3com\0" /* 13 octets, at 12 */
#define QUESTION                      EXAMPLE "\0\1\0\1" /* to 29 */
#define A_RR                          "\xc0\x0c\0\1\0\1\0\0\x0e\x10\0\4\xc0\0\2\1" /* 16 octets */
#define OPT(rdlen)                    "\0\0\x29\x04\xd0\0\0\x80\0" rdlen           /* 11 octets */
#define WIRE(literal)                 literal, sizeof(literal) - 1

static void test_response(void **state)
{
    struct guard g = guard_copy(WIRE(HEADER("\x85\x93", "\1", "\2", "\1", "\2") QUESTION A_RR
                                     "\xc0\x0c\0\x0f\0\1\0\0\0\1\0\7\0\x0a\2mx\xc0\x0c"
                                     "\xc0\x14\0\2\0\1\0\0\0\2\0\4\1\x61\xc0\x0c" OPT(
                                         "\0\0") "\1A\xc0\x14\0\x10\0\4\xff\xff\xff\xff\0\4"
                                                 "\1a\1b"));
    struct dns_message m;

    (void)state;
    assert_true(dns_decode(decoder, g.span, &m));
    assert_int_equal(m.len, g.span.len);
    assert_true(m.has_header);
    assert_int_equal(m.id, 0x1234);
    assert_int_equal(m.flags, 0x8593);
    assert_int_equal(m.opcode, 0);
    assert_str(m.opcode_text, "QUERY");
    assert_int_equal(m.rcode, 3);
    assert_str(m.rcode_text, "NXDOMAIN");
    assert_int_equal(m.question_count, 1);
    assert_str(m.question[0].name, "example.com");
    assert_str(m.question[0].type_text, "A");
    assert_str(m.question[0].class_text, "IN");
    assert_int_equal(m.rr_count[DNS_ANSWER], 2);
    assert_str(m.rr[DNS_ANSWER][0].name, "example.com");
    assert_str(m.rr[DNS_ANSWER][0].data, "192.0.2.1");
    assert_int_equal(m.rr[DNS_ANSWER][0].ttl, 3600);
    assert_int_equal(m.rr[DNS_ANSWER][0].rdata.len, 4);
    assert_ptr_equal(m.rr[DNS_ANSWER][0].rdata.ptr, g.span.ptr + 29 + 12);
    assert_str(m.rr[DNS_ANSWER][1].type_text, "MX");
    assert_str(m.rr[DNS_ANSWER][1].data, "10 mx.example.com.");
    assert_int_equal(m.rr_count[DNS_AUTHORITY], 1);
    assert_str(m.rr[DNS_AUTHORITY][0].name, "com");
    assert_str(m.rr[DNS_AUTHORITY][0].data, "a.example.com.");
    assert_int_equal(m.count[DNS_ADDITIONAL], 2);
    assert_int_equal(m.rr_count[DNS_ADDITIONAL], 1); /* OPT is not among them */
    assert_str(m.rr[DNS_ADDITIONAL][0].name, "A.com");
    assert_str(m.rr[DNS_ADDITIONAL][0].class_text, "HS");
    assert_str(m.rr[DNS_ADDITIONAL][0].data, "\"a\" \"b\"");
    assert_int_equal(m.rr[DNS_ADDITIONAL][0].ttl, UINT32_MAX);
    assert_true(m.edns.present && m.edns.dnssec_ok);
    assert_int_equal(m.edns.udp_size, 1232);
    assert_int_equal(m.edns.option_count, 0);
    assert_int_equal(m.trailing, 0);
    assert_false(m.truncated_output);
    guard_free(&g);
}

/* What dns_decode says of a message: its fault, and what was readable all the same. */
static const struct {
    const char *wire;
    size_t len;
    const char *reason; /* NULL: none */
    enum dns_section section;
    uint16_t index;
    uint32_t offset;
    size_t questions, rrs, trailing;
    const char *rcode;
} cases[] = {
    {WIRE(""), "message shorter than its header", 0, 0, 0, 0, 0, 0, ""},
    {WIRE("\x12"), "message shorter than its header", 0, 0, 1, 0, 0, 0, ""},
    {WIRE(HEADER("\0\0", "\0", "\0", "\0", "")), "message shorter than its header", 0, 0, 11, 0, 0,
     0, ""},
    {WIRE(HEADER("\0\0", "\0", "\0", "\0", "\0")), NULL, 0, 0, 0, 0, 0, 0, "NOERROR"},
    {WIRE(HEADER("\x28\5", "\0", "\0", "\0", "\0")), NULL, 0, 0, 0, 0, 0, 0, "REFUSED"},
    {WIRE(HEADER("\0\x0f", "\0", "\0", "\0", "\0")), NULL, 0, 0, 0, 0, 0, 0, "RCODE15"},
    {WIRE(HEADER("\0\0", "\1", "\0", "\0", "\0") QUESTION "xyz"), NULL, 0, 0, 0, 1, 0, 3,
     "NOERROR"},
    {WIRE(HEADER("\0\0", "\2", "\0", "\0", "\0") QUESTION QUESTION), NULL, 0, 0, 0, 2, 0, 0,
     "NOERROR"},
    {WIRE(HEADER("\0\0", "\1", "\0", "\0", "\0")), "name goes beyond its end", DNS_QUESTION, 1, 12,
     0, 0, 0, "NOERROR"},
    {WIRE(HEADER("\0\0", "\1", "\0", "\0", "\0") EXAMPLE "\0\1\0"),
     "message ends within a question", DNS_QUESTION, 1, 28, 0, 0, 0, "NOERROR"},
    {WIRE(HEADER("\0\0", "\2", "\0", "\0", "\0") "\xc0\x0c\0\1\0\1" QUESTION), "name pointer loop",
     DNS_QUESTION, 1, 12, 2, 0, 0, "NOERROR"},
    {WIRE(HEADER("\x84\0", "\1", "\2", "\0", "\0") QUESTION A_RR),
     "message ends before its last RR", DNS_ANSWER, 2, 45, 1, 1, 0, "NOERROR"},
    {WIRE(HEADER("\x84\0", "\1", "\2", "\0", "\0") QUESTION A_RR "\xc0\x0c\0\1\0\1\0\0\0"),
     "message ends within an RR", DNS_ANSWER, 2, 54, 1, 1, 0, "NOERROR"},
    {WIRE(HEADER("\x84\0", "\1", "\2", "\0", "\0") QUESTION A_RR
          "\xc0\x0c\0\1\0\1\0\0\0\0\0\4\1\2\3"),
     "message ends within an RR", DNS_ANSWER, 2, 60, 1, 2, 0, "NOERROR"},
    /* A broken owner and broken rdata cost their format only. */
    {WIRE(HEADER("\x84\0", "\1", "\2", "\0", "\0") QUESTION
          "\xc0\x1d\0\1\0\1\0\0\0\0\0\4\1\2\3\4" A_RR),
     "name pointer loop", DNS_ANSWER, 1, 29, 1, 2, 0, "NOERROR"},
    {WIRE(HEADER("\x84\0", "\1", "\0", "\2", "\0") QUESTION
          "\xc0\x0c\0\1\0\1\0\0\0\0\0\5\1\2\3\4\5" A_RR),
     "octets left over in rdata", DNS_AUTHORITY, 1, 45, 1, 2, 0, "NOERROR"},
    {WIRE(HEADER("\x84\0", "\1", "\1", "\0", "\0") QUESTION "\xc0\x0c\0\2\0\1\0\0\0\0\0\2\xc0\x29"),
     "name pointer loop", DNS_ANSWER, 1, 41, 1, 1, 0, "NOERROR"},
    {WIRE(HEADER("\x84\0", "\1", "\1", "\0", "\0") QUESTION "\x40\0\1\0\1\0\0\0\0\0\0"),
     "unknown label type", DNS_ANSWER, 1, 29, 1, 0, 0, "NOERROR"},
    /* EDNS: the extended rcode, versions, OPTs where they should not be. */
    {WIRE(HEADER("\x80\0", "\0", "\0", "\0", "\1") "\0\0\x29\x04\xd0\1\0\0\0\0\0"), NULL, 0, 0, 0,
     0, 0, 0, "BADVERS"},
    {WIRE(HEADER("\x80\7", "\0", "\0", "\0", "\1") "\0\0\x29\x04\xd0\1\0\0\0\0\0"), NULL, 0, 0, 0,
     0, 0, 0, "BADCOOKIE"},
    {WIRE(HEADER("\x80\x0f", "\0", "\0", "\0", "\1") "\0\0\x29\x04\xd0\xff\0\0\0\0\0"), NULL, 0, 0,
     0, 0, 0, 0, "RCODE4095"},
    {WIRE(HEADER("\x80\0", "\0", "\0", "\0", "\2") OPT("\0\0") OPT("\0\0")), "more than one OPT",
     DNS_ADDITIONAL, 2, 23, 0, 1, 0, "NOERROR"},
    {WIRE(HEADER("\x80\0", "\0", "\1", "\0", "\0") OPT("\0\0")),
     "OPT outside the additional section", DNS_ANSWER, 1, 12, 0, 0, 0, "NOERROR"},
    {WIRE(HEADER("\x80\0", "\0", "\0", "\0", "\1") "\1a" OPT("\0\0")), "OPT not owned by the root",
     DNS_ADDITIONAL, 1, 12, 0, 0, 0, "NOERROR"},
    {WIRE(HEADER("\x80\0", "\0", "\0", "\0", "\1") OPT("\0\4") "\0\x0a\0\1"),
     "EDNS option goes beyond its end", DNS_ADDITIONAL, 1, 23, 0, 0, 0, "NOERROR"},
    {WIRE(HEADER("\0\0", "\1", "\1", "\0", "\0") QUESTION "\xc0\x0c\0\1\0\1\0\0\0\0\0\0"),
     "rdata too short", DNS_ANSWER, 1, 41, 1, 1, 0, "NOERROR"},
};
#define CASES (sizeof(cases) / sizeof(*cases))

static void test_faults(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        struct guard g = guard_copy(cases[i].wire, cases[i].len);
        struct dns_message m;
        bool good = dns_decode(decoder, g.span, &m);

        if (good != (cases[i].reason == NULL))
            fail_msg("case %zu: %s", i, m.fault.reason ? m.fault.reason : "no fault");
        if (!good) {
            assert_string_equal(m.fault.reason, cases[i].reason);
            assert_int_equal(m.fault.section, cases[i].section);
            assert_int_equal(m.fault.index, cases[i].index);
            assert_int_equal(m.fault.offset, cases[i].offset);
        }
        assert_int_equal(m.has_header, cases[i].len >= 12);
        assert_int_equal(m.question_count, cases[i].questions);
        assert_int_equal(m.rr_count[1] + m.rr_count[2] + m.rr_count[3], cases[i].rrs);
        assert_int_equal(m.trailing, cases[i].trailing);
        assert_str(m.rcode_text, cases[i].rcode);
        guard_free(&g);
    }
}

/* Cut at every octet: never a read beyond, and what was there before the cut is still read. */
static void test_cut_everywhere(void **state)
{
    static const char whole[] =
        HEADER("\x84\0", "\1", "\2", "\0", "\1") QUESTION A_RR A_RR OPT("\0\x0c") "\0\x0a\0\x08"
                                                                                  "01234567";

    (void)state;
    for (size_t len = 0; len < sizeof(whole) - 1; len++) {
        struct guard g = guard_copy(whole, len);
        struct dns_message m;

        assert_false(dns_decode(decoder, g.span, &m));
        assert_int_equal(m.question_count, len >= 29);
        /* Whole up to its TTL: 10 octets. */
        assert_int_equal(m.rr_count[DNS_ANSWER], len < 29 + 10 ? 0 : len < 45 + 10 ? 1 : 2);
        assert_true(m.fault.offset <= len);
        guard_free(&g);
    }
}

static void test_unknown_numbers(void **state)
{
    struct guard g = guard_copy(
        WIRE(HEADER("\x38\0", "\1", "\1", "\0", "\0") "\0\xff\0\0\2"
                                                      "\0\xff\0\0\5\0\0\0\0\0\3\1\2\xff"));
    struct dns_message m;

    (void)state;
    assert_true(dns_decode(decoder, g.span, &m));
    assert_str(m.opcode_text, "OPCODE7");
    assert_str(m.question[0].name, ".");
    assert_str(m.question[0].type_text, "TYPE65280");
    assert_str(m.question[0].class_text, "CLASS2");
    assert_str(m.rr[DNS_ANSWER][0].type_text, "TYPE65280");
    assert_str(m.rr[DNS_ANSWER][0].class_text, "CLASS5");
    assert_str(m.rr[DNS_ANSWER][0].data, "\\# 3 0102FF");
    assert_false(m.rr[DNS_ANSWER][0].generic);
    guard_free(&g);
}

static void test_broken_rdata_is_generic_and_the_next_is_read(void **state)
{
    struct guard g = guard_copy(WIRE(HEADER("\x84\0", "\1", "\3", "\0", "\0") QUESTION
                                     "\xc0\x0c\0\x0f\0\1\0\0\0\0\0\5\0\1\1\x61\x40"
                                     "\xc0\x0c\0\x1c\0\1\0\0\0\0\0\1\1" A_RR));
    struct dns_message m;

    (void)state;
    assert_false(dns_decode(decoder, g.span, &m));
    assert_int_equal(m.rr_count[DNS_ANSWER], 3);
    assert_true(m.rr[DNS_ANSWER][0].generic && m.rr[DNS_ANSWER][1].generic);
    assert_str(m.rr[DNS_ANSWER][0].data, "\\# 5 0001016140");
    assert_str(m.rr[DNS_ANSWER][1].data, "\\# 1 01");
    assert_false(m.rr[DNS_ANSWER][2].generic);
    assert_str(m.rr[DNS_ANSWER][2].data, "192.0.2.1");
    /* The first one is kept. */
    assert_string_equal(m.fault.reason, "unknown label type");
    assert_int_equal(m.fault.index, 1);
    assert_int_equal(m.fault.offset, 29 + 12 + 4);
    guard_free(&g);
}

/* A message of the greatest length, header and question first. */
struct big {
    uint8_t octets[DNS_MESSAGE_MAX + 1];
    size_t len;
    unsigned count;
};
static struct big big;

static void big_begin(const char *question, size_t len)
{
    memset(big.octets, 0, 12);
    big.octets[5] = 1;
    memcpy(big.octets + 12, question, len);
    big.len = 12 + len;
    big.count = 0;
}

static bool big_add(const void *rr, size_t len)
{
    if (len > DNS_MESSAGE_MAX - big.len)
        return false;
    memcpy(big.octets + big.len, rr, len);
    big.len += len;
    big.count++;
    big.octets[6] = (uint8_t)(big.count >> 8);
    big.octets[7] = (uint8_t)big.count;
    return true;
}

/* Names of which only the end is known: their octets, and everything behind them. */
static void test_broken_owners_are_octets(void **state)
{
    struct guard g = guard_copy(
        WIRE(HEADER("\x84\0", "\1", "\2", "\0", "\1") "\1a\xc0\x0c\0\1\0\3"
                                                      "\xc0\xff\0\1\0\1\0\0\0\7\0\4\300\0\2\1"
                                                      "\1b\0\0\1\0\1\0\0\0\0\0\4\300\0\2\2"
                                                      "\xc0\xff"
                                                      "\0\x29\x04\xd0\0\0\0\0\0\0"));
    struct dns_message m;

    (void)state;
    assert_false(dns_decode(decoder, g.span, &m));
    assert_int_equal(m.question_count, 1);
    assert_str(m.question[0].name, "\\# 4 0161C00C");
    assert_str(m.question[0].type_text, "A");
    assert_str(m.question[0].class_text, "CH");
    assert_true(dns_name_is_generic(m.question[0].name));
    assert_int_equal(m.rr_count[DNS_ANSWER], 2);
    assert_str(m.rr[DNS_ANSWER][0].name, "\\# 2 C0FF");
    assert_int_equal(m.rr[DNS_ANSWER][0].ttl, 7);
    assert_str(m.rr[DNS_ANSWER][0].data, "192.0.2.1");
    assert_str(m.rr[DNS_ANSWER][1].name, "b");
    assert_false(dns_name_is_generic(m.rr[DNS_ANSWER][1].name));
    assert_int_equal(m.edns.udp_size, 1232);
    guard_free(&g);
    /* A label that looks like it is escaped. */
    assert_true(dns_decode(
        decoder, span_of(WIRE(HEADER("\0\0", "\1", "\0", "\0", "\0") "\4\\# 1\0\0\1\0\1")), &m));
    assert_str(m.question[0].name, "\\\\#\\0321");
    assert_false(dns_name_is_generic(m.question[0].name));
}

/* Each broken RR has its reason and its place, up to a limit. */
static void test_every_fault_is_told(void **state)
{
    static const char rrs[] = HEADER("\x84\0", "\1", "\3", "\0", "\0") QUESTION
        "\xc0\x0c\0\x0f\0\1\0\0\0\0\0\5\0\1\1\x61\x40" A_RR "\xc0\x0c\0\x1c\0\1\0\0\0\0\0\1\1";
    struct dns_message m;

    (void)state;
    assert_false(dns_decode(decoder, span_of(WIRE(rrs)), &m));
    assert_int_equal(m.fault_count, 2);
    assert_int_equal(m.fault.index, 1);
    assert_string_equal(m.others[0].reason, "rdata too short");
    assert_int_equal(m.others[0].section, DNS_ANSWER);
    assert_int_equal(m.others[0].index, 3);
    assert_int_equal(m.others[0].offset, 29 + 17 + 16 + 12);
    big_begin(WIRE(QUESTION));
    while (big_add("\xc0\x0c\0\1\0\1\0\0\0\0\0\1\1", 13))
        ;
    assert_false(dns_decode(decoder, span_of(big.octets, big.len), &m));
    assert_int_equal(m.fault_count, big.count);
    assert_int_equal(m.others[DNS_FAULT_MAX - 2].index, DNS_FAULT_MAX);
    assert_true(dns_decode(decoder, span_of(WIRE(HEADER("\0\0", "\0", "\0", "\0", "\0"))), &m));
    assert_int_equal(m.fault_count, 0);
}

static void test_as_many_rrs_as_fit(void **state)
{
    struct dns_message m;

    (void)state;
    memset(big.octets, 0, 12);
    big.len = 12;
    big.count = 0;
    while (big_add("\0\0\x0a\0\1\0\0\0\0\0\0", 11)) /* NULL, empty */
        ;
    assert_true(dns_decode(decoder, span_of(big.octets, big.len), &m));
    assert_int_equal(m.rr_count[DNS_ANSWER], 5956);
    assert_true(m.rr_count[DNS_ANSWER] <= DNS_RR_MAX);
    big_begin(WIRE(QUESTION));
    while (big_add(WIRE(A_RR)))
        ;
    assert_true(dns_decode(decoder, span_of(big.octets, big.len), &m));
    assert_int_equal(m.rr_count[DNS_ANSWER], big.count);
    assert_str(m.rr[DNS_ANSWER][big.count - 1].name, "example.com");
    assert_str(m.rr[DNS_ANSWER][0].data, "192.0.2.1");
}

static void test_output_is_bounded(void **state)
{
    uint8_t question[255 + 4];
    struct dns_message m;
    size_t total = 0;

    (void)state;
    memset(question, 1, sizeof(question));
    for (int i = 0; i < 4; i++)
        question[64 * i] = i < 3 ? 63 : 61;
    memcpy(question + 254, "\0\0\1\0\1", 5);
    big_begin((const char *)question, sizeof(question));
    while (big_add(WIRE("\xc0\x0c\0\x0f\0\1\0\0\0\0\0\4\0\1\xc0\x0c"))) /* MX to a name of 1003 */
        ;
    big.octets[3] = 15; /* RCODE15 must be written after the limit */
    assert_false(dns_decode(decoder, span_of(big.octets, big.len), &m));
    assert_string_equal(m.fault.reason, "output limit reached");
    assert_true(m.truncated_output);
    assert_str(m.rcode_text, "RCODE15");
    assert_true(m.rr_count[DNS_ANSWER] >= 1000 && m.rr_count[DNS_ANSWER] <= 1060);
    for (size_t i = 0; i < m.rr_count[DNS_ANSWER]; i++)
        total += m.rr[DNS_ANSWER][i].data.len;
    assert_true(total <= DNS_TEXT_MAX && total > DNS_TEXT_MAX - 2 * DNS_NAME_TEXT_MAX);
    assert_true(dns_decode(decoder, span_of(WIRE(HEADER("\0\0", "\0", "\0", "\0", "\0"))), &m));
}

static void test_questions_are_bounded(void **state)
{
    struct dns_message m;

    (void)state;
    memset(big.octets, 0, sizeof(big.octets));
    big.octets[5] = DNS_QUESTION_MAX + 1;
    assert_false(dns_decode(decoder, span_of(big.octets, 12 + 5 * (DNS_QUESTION_MAX + 1)), &m));
    assert_string_equal(m.fault.reason, "too many questions");
    assert_int_equal(m.fault_count, 1);
    assert_int_equal(m.question_count, DNS_QUESTION_MAX);
    assert_true(m.truncated_output);
    big.octets[5] = DNS_QUESTION_MAX;
    assert_true(dns_decode(decoder, span_of(big.octets, 12 + 5 * DNS_QUESTION_MAX), &m));
}

static void test_longer_than_a_message(void **state)
{
    struct dns_message m;

    (void)state;
    memset(big.octets, 0, sizeof(big.octets));
    assert_false(dns_decode(decoder, span_of(big.octets, DNS_MESSAGE_MAX + 1), &m));
    assert_string_equal(m.fault.reason, "message longer than 65535 octets");
    assert_int_equal(m.len, DNS_MESSAGE_MAX + 1);
    assert_true(dns_decode(decoder, span_of(big.octets, DNS_MESSAGE_MAX), &m));
    assert_int_equal(m.trailing, DNS_MESSAGE_MAX - 12);
}

static void test_nothing_at_all(void **state)
{
    struct dns_message m;

    (void)state;
    assert_false(dns_decode(decoder, span_of(NULL, 0), &m));
    assert_string_equal(m.fault.reason, "message shorter than its header");
    assert_int_equal(m.fault.offset, 0);
}

/* Names of one message must not show up in the next one that has pointers to the same offsets. */
static void test_nothing_is_left_from_the_last_message(void **state)
{
    struct dns_message m;

    (void)state;
    assert_true(dns_decode(
        decoder, span_of(WIRE(HEADER("\x84\0", "\1", "\1", "\0", "\0") QUESTION A_RR)), &m));
    assert_true(dns_decode(
        decoder,
        span_of(WIRE(HEADER("\x84\0", "\1", "\1", "\0", "\0") "\5other\0\0\1\0\1"
                                                              "\xc0\x0c\0\x0a\0\1\0\0\0\0\0\0")),
        &m));
    assert_str(m.rr[DNS_ANSWER][0].name, "other");
    assert_false(m.edns.present);
}

static void test_no_memory(void **state)
{
    struct dns_decoder *d;
    unsigned n = 0;

    (void)state;
    do {
        fail_at = ++n;
        d = dns_decoder_create();
    } while (!d);
    assert_true(n > 1); /* at least one of them failed */
    /* Once it is there, decoding allocates nothing. */
    fail_at = 1;
    for (size_t i = 0; i < CASES; i++) {
        struct dns_message m;

        dns_decode(d, span_of(cases[i].wire, cases[i].len), &m);
    }
    assert_int_equal(fail_at, 1);
    fail_at = 0;
    dns_decoder_destroy(&d);
    assert_null(d);
    dns_decoder_destroy(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_response),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_cut_everywhere),
        cmocka_unit_test(test_unknown_numbers),
        cmocka_unit_test(test_broken_rdata_is_generic_and_the_next_is_read),
        cmocka_unit_test(test_broken_owners_are_octets),
        cmocka_unit_test(test_every_fault_is_told),
        cmocka_unit_test(test_as_many_rrs_as_fit),
        cmocka_unit_test(test_output_is_bounded),
        cmocka_unit_test(test_questions_are_bounded),
        cmocka_unit_test(test_longer_than_a_message),
        cmocka_unit_test(test_nothing_at_all),
        cmocka_unit_test(test_nothing_is_left_from_the_last_message),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests_name("dns_message", tests, setup, teardown);
}
