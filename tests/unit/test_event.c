/* test_event.c - what an event says beyond its frame's fields: times, addresses, texts, faults.
 *
 * Expected values by hand from dnstap.proto, RFC 1035 4.1 and RFC 3339.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define _GNU_SOURCE /* memmem */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "event.h"
#include "guard.h"
#include "payload.h"

/* Header of RFC 1035 4.1.1, counts by hand; question www.example A IN. */
#define QUESTION "\3www\7example\0\0\1\0\1"
#define QUERY    "\x12\x34\1\0\0\1\0\0\0\0\0\0" QUESTION
#define RESPONSE "\x12\x34\x81\x80\0\1\0\0\0\0\0\0" QUESTION
/* One answer whose owner is a pointer to itself at octet 29. */
#define LOOP     "\x12\x34\x81\x80\0\1\0\1\0\0\0\0" QUESTION "\xc0\x1d\0\1\0\1\0\0\0\1\0\4\xc0\0\2\1"

static struct event_decoder *decoder;
static struct guard guard;

static int setup(void **state)
{
    (void)state;
    decoder = event_decoder_create();
    return decoder ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    event_decoder_destroy(&decoder);
    event_decoder_destroy(&decoder);
    return decoder ? -1 : 0;
}

static struct event decode(const void *octets, size_t len)
{
    struct event_context context = {.sample = 3, .peer = {"peer", 4}};
    struct event event;

    if (guard.map)
        guard_free(&guard);
    guard = guard_copy(octets, len);
    event_decode(decoder, guard.span, &context, &event);
    assert_int_equal(event.context.sample, 3);
    assert_true(str_equal(event.context.peer, STR("peer")));
    assert_true(span_equal(event.frame, guard.span));
    return event;
}

static struct event decode_message(const struct payload *message)
{
    struct payload tap = payload_of(message);

    return decode(tap.octets, tap.len);
}

static struct payload message_of(unsigned type)
{
    struct payload m = {.len = 0};

    payload_number(&m, M_TYPE, type);
    return m;
}

static void expect(struct str got, const char *want)
{
    assert_int_equal(got.len, strlen(want));
    assert_memory_equal(got.len ? got.ptr : "", want, got.len);
}

static void put_times(struct payload *m, uint64_t query, uint32_t query_nsec, uint64_t response,
                      uint32_t response_nsec)
{
    payload_number(m, M_QUERY_SEC, query);
    payload_fixed32(m, M_QUERY_NSEC, query_nsec);
    payload_number(m, M_RESPONSE_SEC, response);
    payload_fixed32(m, M_RESPONSE_NSEC, response_nsec);
}

static void test_time_by_type(void **state)
{
    struct payload m = message_of(6);
    struct event e;

    (void)state;
    put_times(&m, 1000000000, 999999999, 1000000001, 5);
    e = decode_message(&m);
    assert_true(e.is_response && e.has_time && e.has_latency);
    expect(e.time, "2001-09-09T01:46:41.000000005Z");
    assert_int_equal(e.latency_ns, 6);
    m.octets[1] = 5; /* CLIENT_QUERY */
    e = decode_message(&m);
    assert_false(e.is_response);
    expect(e.time, "2001-09-09T01:46:40.999999999Z");
    assert_int_equal(e.time_sec, 1000000000);
    assert_int_equal(e.time_nsec, 999999999);
}

static void test_time_is_the_other(void **state)
{
    struct payload m = message_of(6);
    struct event e;

    (void)state;
    payload_number(&m, M_QUERY_SEC, 1);
    e = decode_message(&m);
    expect(e.time, "1970-01-01T00:00:01.000000000Z");
    assert_false(e.has_latency);
    m = message_of(5);
    payload_number(&m, M_RESPONSE_SEC, 2);
    e = decode_message(&m);
    expect(e.time, "1970-01-01T00:00:02.000000000Z");
    m = message_of(5);
    payload_fixed32(&m, M_QUERY_NSEC, 7);
    e = decode_message(&m);
    assert_false(e.has_time || e.has_latency || e.malformed);
    expect(e.time, "");
    assert_int_equal(e.tap.query_time_nsec, 7);
}

static void test_time_out_of_range(void **state)
{
    struct payload m = message_of(6);
    struct event e;

    (void)state;
    put_times(&m, 10, 4294967295, 10, 1000000000);
    e = decode_message(&m);
    assert_int_equal(e.time_nsec, 0);
    assert_int_equal(e.tap.query_time_nsec, 4294967295);
    assert_false(e.has_latency); /* .294967295 is after .0 */
    m = message_of(6);
    put_times(&m, 0, 0, UINT64_MAX, 1);
    e = decode_message(&m);
    expect(e.time, "@18446744073709551615.000000001");
    assert_false(e.has_latency);
    m = message_of(6);
    put_times(&m, 11, 0, 10, 0);
    assert_false(decode_message(&m).has_latency);
    m = message_of(6);
    put_times(&m, 11, 5, 11, 5);
    e = decode_message(&m);
    assert_true(e.has_latency);
    assert_int_equal(e.latency_ns, 0);
}

#define MAPPED "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\1"

static void test_addresses(void **state)
{
    struct payload m = message_of(5);
    struct event e;

    (void)state;
    payload_number(&m, M_FAMILY, 1);
    payload_literal(&m, M_QUERY_ADDRESS, MAPPED);
    payload_literal(&m, M_RESPONSE_ADDRESS, "\xc6\x33\x64\xfe");
    e = decode_message(&m);
    expect(e.family_text, "INET");
    expect(e.query_address, "192.0.2.1");
    expect(e.response_address, "198.51.100.254");
    m = message_of(5);
    payload_number(&m, M_FAMILY, 2);
    payload_literal(&m, M_QUERY_ADDRESS, MAPPED);
    payload_literal(&m, M_RESPONSE_ADDRESS, "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1");
    e = decode_message(&m);
    expect(e.family_text, "INET6");
    expect(e.query_address, "::ffff:192.0.2.1");
    expect(e.response_address, "2001:db8::1");
    m = message_of(5);
    payload_literal(&m, M_QUERY_ADDRESS, "\1\2\3");
    payload_literal(&m, M_RESPONSE_ADDRESS, "");
    e = decode_message(&m);
    expect(e.query_address, "010203");
    expect(e.response_address, "");
}

static void test_unknown_numbers(void **state)
{
    struct payload m = message_of(99), policy = {.len = 0};
    struct event e;

    (void)state;
    payload_number(&m, M_FAMILY, 9);
    payload_number(&m, M_PROTOCOL, 77);
    payload_number(&m, M_HTTP_PROTOCOL, 12);
    payload_number(&policy, 3, 55);
    payload_number(&policy, 4, 66);
    payload_bytes(&m, M_POLICY, policy.octets, policy.len);
    e = decode_message(&m);
    assert_false(e.malformed);
    expect(e.type_text, "99");
    expect(e.direction, "");
    expect(e.family_text, "9");
    expect(e.protocol_text, "77");
    expect(e.http_protocol_text, "12");
    expect(e.transport, "");
    expect(e.policy_action, "55");
    expect(e.policy_match, "66");
}

static void test_transports(void **state)
{
    static const struct {
        unsigned protocol, http;
        const char *text, *transport;
    } rows[] = {
        {1, 0, "UDP", "udp"}, {2, 0, "TCP", "tcp"},         {3, 0, "DOT", "tcp"},
        {4, 0, "DOH", "tcp"}, {4, 3, "DOH", "udp"},         {5, 0, "DNSCryptUDP", "udp"},
        {7, 0, "DOQ", "udp"}, {6, 0, "DNSCryptTCP", "tcp"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct payload m = message_of(6);
        struct event e;

        payload_number(&m, M_PROTOCOL, rows[i].protocol);
        if (rows[i].http)
            payload_number(&m, M_HTTP_PROTOCOL, rows[i].http);
        e = decode_message(&m);
        expect(e.protocol_text, rows[i].text);
        expect(e.transport, rows[i].transport);
        expect(e.direction, "CR");
    }
}

static void test_zone(void **state)
{
    static const struct {
        const char *wire;
        size_t len;
        const char *want;
    } rows[] = {
        {"\3www\7Example", 13, "www.Example"},
        {"", 1, "."},
        {"\3a.b\1\\", 7, "a\\.b.\\\\"},
        {"\1\377", 3, "\\255"},
        {"\5ab", 3, "\\# 3 056162"},
        {"example.", 8, "example."},
        {"caf\xc3\xa9", 5, "\\# 5 636166C3A9"}, /* no name, and names are ASCII */
        {"", 0, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct payload m = message_of(4);

        payload_bytes(&m, M_QUERY_ZONE, rows[i].wire, rows[i].len);
        expect(decode_message(&m).query_zone, rows[i].want);
    }
}

static void test_policy(void **state)
{
    static const struct {
        unsigned match;
        const char *value;
        size_t len;
        const char *want;
    } rows[] = {
        {1, "\1a\1b", 5, "a.b"},
        {2, "\xc0\0\2\1", 4, "192.0.2.1"},
        {2, "192.0.2.1", 9, "192.0.2.1"},
        {4, "\2ns", 4, "ns"},
        {5, "\1\2\3", 3, "\\# 3 010203"},
        {1, "r\xc3\xa9gle", 6, "r\xc3\xa9gle"}, /* free text is UTF-8 where it is */
        {1, "r\xc3\xa9\n", 4, "\\# 4 72C3A90A"},
        {1, "r\xe9gle", 5, "\\# 5 72E9676C65"},
        {1, "\xc2\x85", 2, "\\# 2 C285"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct payload m = message_of(6), policy = {.len = 0};
        struct event e;

        payload_literal(&policy, 1, "RPZ");
        payload_literal(&policy, 2, "\3bad\3rpz\0");
        payload_number(&policy, 3, 4);
        payload_number(&policy, 4, rows[i].match);
        payload_bytes(&policy, 5, rows[i].value, rows[i].len);
        payload_bytes(&m, M_POLICY, policy.octets, policy.len);
        e = decode_message(&m);
        expect(e.policy_rule, "bad.rpz");
        expect(e.policy_action, "DROP");
        expect(e.policy_value, rows[i].want);
    }
}

static void test_policy_rule(void **state)
{
    static const struct {
        const char *rule;
        size_t len;
        const char *want;
    } rows[] = {
        {"\3bad\3rpz", 9, "bad.rpz"},
        {"r\xc3\xa9gle 1", 8, "r\xc3\xa9gle 1"},
        {"r\xe9gle", 5, "\\# 5 72E9676C65"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct payload m = message_of(6), policy = {.len = 0};

        payload_bytes(&policy, 2, rows[i].rule, rows[i].len);
        payload_bytes(&m, M_POLICY, policy.octets, policy.len);
        expect(decode_message(&m).policy_rule, rows[i].want);
    }
}

static void test_messages(void **state)
{
    struct payload m = message_of(6);
    struct event e;

    (void)state;
    e = decode_message(&m);
    assert_null(e.dns);
    assert_false(e.malformed); /* CoreDNS without `full` */
    payload_literal(&m, M_QUERY_MESSAGE, QUERY);
    e = decode_message(&m);
    assert_non_null(e.dns);
    assert_null(e.query);
    assert_int_equal(e.dns->flags, 0x0100);
    payload_literal(&m, M_RESPONSE_MESSAGE, RESPONSE);
    e = decode_message(&m);
    assert_false(e.malformed);
    assert_non_null(e.query);
    assert_int_equal(e.dns->flags, 0x8180);
    assert_int_equal(e.query->flags, 0x0100);
    assert_int_equal(e.dns->question_count, 1);
    expect(e.dns->question[0].name, "www.example");
    expect(e.query->question[0].name, "www.example");
}

static void expect_error(const char *query, size_t query_len, const char *response,
                         size_t response_len, const char *want)
{
    struct payload m = message_of(6);
    struct event e;

    if (query)
        payload_bytes(&m, M_QUERY_MESSAGE, query, query_len);
    if (response)
        payload_bytes(&m, M_RESPONSE_MESSAGE, response, response_len);
    e = decode_message(&m);
    assert_true(e.malformed);
    assert_non_null(e.dns);
    if (want)
        expect(e.error, want);
    assert_true(e.error.len > 0);
}

static void test_faults(void **state)
{
    struct payload m = message_of(6);
    struct event e;

    (void)state;
    expect_error(NULL, 0, "", 0, NULL);
    expect_error("", 0, NULL, 0, NULL);
    expect_error("\x12", 1, NULL, 0, NULL);
    expect_error(QUERY, 11, NULL, 0, NULL);
    payload_literal(&m, M_RESPONSE_MESSAGE, LOOP);
    e = decode_message(&m);
    assert_true(e.malformed);
    assert_true(e.error.len > 10 && memcmp(e.error.ptr, "answer 1: ", 10) == 0);
    assert_memory_equal(e.error.ptr + e.error.len - 12, " at octet 29", 12);
    payload_literal(&m, M_QUERY_MESSAGE, "\1");
    e = decode_message(&m);
    assert_non_null(memmem(e.error.ptr, e.error.len, "; query: ", 9));
    m = message_of(6);
    payload_literal(&m, M_RESPONSE_MESSAGE, RESPONSE);
    payload_literal(&m, M_QUERY_MESSAGE, "\1");
    e = decode_message(&m);
    assert_true(e.malformed);
    assert_memory_equal(e.error.ptr, "query: ", 7);
    assert_int_equal(e.dns->question_count, 1);
}

/* Ten answers that end early: each has its reason and place, up to the limit. */
static void test_many_faults(void **state)
{
    static const char rr[] = "\0\0\1\0\1\0\0\0\0\0\1\1";
    char message[12 + 10 * (sizeof(rr) - 1)] = "\0\1\x80\0\0\0\0\x0a";

    (void)state;
    for (size_t i = 0; i < 10; i++)
        memcpy(message + 12 + i * (sizeof(rr) - 1), rr, sizeof(rr) - 1);
    expect_error("", 0, message, sizeof(message),
                 "answer 1: rdata too short at octet 23, answer 2: rdata too short at octet 35, "
                 "answer 3: rdata too short at octet 47, answer 4: rdata too short at octet 59, "
                 "answer 5: rdata too short at octet 71, answer 6: rdata too short at octet 83, "
                 "answer 7: rdata too short at octet 95, answer 8: rdata too short at octet 107, "
                 "and 2 more; query: message shorter than its header at octet 0");
}

static void test_no_dnstap(void **state)
{
    struct payload tap = {.len = 0};
    struct event e;

    (void)state;
    e = decode("", 0);
    assert_true(e.malformed && e.error.len > 0 && !e.dns && !e.has_time);
    e = decode("\xff\xff", 2);
    assert_true(e.malformed && e.error.len > 0);
    payload_literal(&tap, 1, "ns1");
    payload_number(&tap, 15, 1);
    e = decode(tap.octets, tap.len);
    assert_true(e.malformed);
    assert_true(span_equal(e.tap.identity, span_of("ns1", 3)));
    expect(e.type_text, "");
}

static void test_broken(void **state)
{
    struct event_context context = {.sample = 1};
    struct event e;

    (void)state;
    event_broken(span_of("ab", 2), STR("frame cut"), &context, &e);
    assert_true(e.malformed && !e.dns && !e.has_time);
    expect(e.error, "frame cut");
    assert_int_equal(e.frame.len, 2);
    assert_int_equal(e.tap.has, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_time_by_type),
        cmocka_unit_test(test_time_is_the_other),
        cmocka_unit_test(test_time_out_of_range),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_unknown_numbers),
        cmocka_unit_test(test_transports),
        cmocka_unit_test(test_zone),
        cmocka_unit_test(test_policy),
        cmocka_unit_test(test_policy_rule),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_many_faults),
        cmocka_unit_test(test_no_dnstap),
        cmocka_unit_test(test_broken),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
