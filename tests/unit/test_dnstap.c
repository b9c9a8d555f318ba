/* test_dnstap.c - dnstap payloads: every field, unknown fields and numbers, wrong wire types, broken forms.
 *
 * Payloads are written by hand after the protobuf encoding guide.
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

#include "decode.h"

static void expect_status(struct span frame, enum dnstap_status want)
{
    struct dnstap_arena *arena = dnstap_arena_create();
    struct dnstap tap, zero;

    memset(&zero, 0, sizeof(zero));
    assert_int_equal(decode(arena, frame, &tap), want);
    if (want != DNSTAP_OK && want != DNSTAP_NO_MESSAGE)
        assert_memory_equal(&tap, &zero, sizeof(zero));
    dnstap_arena_destroy(&arena);
    assert_null(arena);
}

static void test_every_field(void **state)
{
    struct dnstap_arena *arena = dnstap_arena_create();
    struct payload frame = every_field();
    struct dnstap t;

    (void)state;
    assert_int_equal(decode(arena, span_of_payload(&frame), &t), DNSTAP_OK);
    assert_int_equal(t.has, (1 << 13) - 1);
    assert_true(span_equal(t.identity, BYTES("ns1")));
    assert_true(span_equal(t.version, BYTES("v9")));
    assert_true(span_equal(t.extra, BYTES("x")));
    assert_int_equal(t.type, 6);
    assert_int_equal(t.family, 1);
    assert_int_equal(t.protocol, 3);
    assert_int_equal(t.http_protocol, 2);
    assert_true(span_equal(t.query_address, BYTES("\xc0\0\2\1")));
    assert_true(span_equal(t.response_address, BYTES("\xc0\0\2\x35")));
    assert_int_equal(t.query_port, 53124);
    assert_int_equal(t.response_port, 53);
    assert_true(t.query_time_sec == UINT64_MAX);
    assert_int_equal(t.query_time_nsec, 123456789);
    assert_int_equal(t.response_time_sec, 1767739393);
    assert_int_equal(t.response_time_nsec, UINT32_MAX);
    assert_true(span_equal(t.query_message, BYTES("question")));
    assert_true(span_equal(t.response_message, BYTES("\0\1\2")));
    assert_true(span_equal(t.query_zone, BYTES("\7example\0")));
    assert_true(span_equal(t.policy.type, BYTES("rpz")));
    assert_true(span_equal(t.policy.rule, BYTES("\3foo\0")));
    assert_true(span_equal(t.policy.value, BYTES("192.0.2.0/24")));
    assert_int_equal(t.policy.action, 6);
    assert_int_equal(t.policy.match, 2);
    dnstap_arena_destroy(&arena);
}

static void test_absent_fields(void **state)
{
    struct dnstap_arena *arena = dnstap_arena_create();
    struct payload m = {.len = 0}, frame;
    struct dnstap t;

    (void)state;
    payload_number(&m, 1, 5);
    payload_literal(&m, 10, ""); /* there, but empty */
    payload_literal(&m, 15, "");
    frame = tap_of(&m);
    assert_int_equal(decode(arena, span_of_payload(&frame), &t), DNSTAP_OK);
    assert_int_equal(t.has, DNSTAP_HAS_MESSAGE | DNSTAP_HAS_POLICY);
    assert_non_null(t.query_message.ptr);
    assert_int_equal(t.query_message.len, 0);
    assert_null(t.response_message.ptr);
    assert_null(t.query_address.ptr);
    assert_null(t.policy.rule.ptr);
    assert_int_equal(t.family, 0);
    assert_int_equal(t.policy.action, 0);
    dnstap_arena_destroy(&arena);
}

static void test_unknown_fields_and_numbers(void **state)
{
    struct dnstap_arena *arena = dnstap_arena_create();
    struct payload m = {.len = 0}, frame;
    struct dnstap t;

    (void)state;
    payload_number(&m, 1, 99);
    payload_number(&m, 2, 7);
    payload_number(&m, 3, 4000000000u);
    payload_number(&m, 16, 9);
    payload_number(&m, 1000, 1);
    payload_literal(&m, 17, "later");
    payload_fixed32(&m, 18, 1);
    payload_varint(&m, 19 << 3 | 1); /* fixed64 */
    memcpy(m.octets + m.len, "12345678", 8);
    m.len += 8;
    frame = tap_of(&m);
    payload_literal(&frame, 536870911, "the largest field number");
    payload_number(&frame, 4, UINT64_MAX);
    assert_int_equal(decode(arena, span_of_payload(&frame), &t), DNSTAP_OK);
    assert_int_equal(t.type, 99);
    assert_int_equal(t.family, 7);
    assert_true(t.protocol == 4000000000u);
    assert_int_equal(t.http_protocol, 9);
    dnstap_arena_destroy(&arena);
}

static void test_no_message(void **state)
{
    struct dnstap_arena *arena = dnstap_arena_create();
    struct dnstap t;

    (void)state;
    assert_int_equal(decode(arena, BYTES("\x0a\3ns1\x12\2v9" TAP_TYPE), &t), DNSTAP_NO_MESSAGE);
    assert_int_equal(t.has, 0);
    assert_true(span_equal(t.identity, BYTES("ns1")));
    assert_true(span_equal(t.version, BYTES("v9")));
    dnstap_arena_destroy(&arena);
    expect_status(BYTES(TAP_TYPE), DNSTAP_NO_MESSAGE);
    expect_status(BYTES("\x78\x63"), DNSTAP_NO_MESSAGE); /* type 99 */
}

static void test_bad_payloads(void **state)
{
    (void)state;
    expect_status(BYTES(""), DNSTAP_EMPTY);
    expect_status(BYTES("\x0a\3ns1"), DNSTAP_BAD_PROTO);       /* no type */
    expect_status(BYTES("\x72\0" TAP_TYPE), DNSTAP_BAD_PROTO); /* Message without type */
    expect_status(BYTES("\x72\2\x10\1" TAP_TYPE), DNSTAP_BAD_PROTO);
    expect_status(BYTES("\x0a\x7fns1" TAP_TYPE), DNSTAP_BAD_PROTO); /* longer than the frame */
    expect_status(BYTES("\x72\4\x08\5\x22\5" TAP_TYPE), DNSTAP_BAD_PROTO); /* longer than Message */
    expect_status(BYTES("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), DNSTAP_BAD_PROTO);
    expect_status(BYTES("\x78"), DNSTAP_BAD_PROTO);
    expect_status(BYTES("\x78\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), DNSTAP_BAD_PROTO);
    expect_status(BYTES(TAP_TYPE "\x23"), DNSTAP_BAD_PROTO); /* a group */
    expect_status(BYTES("GET / HTTP/1.0\r\n\r\n"), DNSTAP_BAD_PROTO);
}

static void test_wrong_wire_types(void **state)
{
    (void)state;
    expect_status(BYTES("\x08\1" TAP_TYPE), DNSTAP_BAD_PROTO); /* identity as number */
    expect_status(BYTES("\x10\1" TAP_TYPE), DNSTAP_BAD_PROTO); /* version as number */
    expect_status(BYTES("\x70\1" TAP_TYPE), DNSTAP_BAD_PROTO); /* message as number */
    expect_status(BYTES("\x7a\1\1"), DNSTAP_BAD_PROTO);        /* type as bytes */
    expect_status(BYTES("\x72\5\x0d\5\0\0\0" TAP_TYPE),
                  DNSTAP_BAD_PROTO); /* Message.type, fixed32 */
    expect_status(BYTES("\x72\4\x08\5\x20\1" TAP_TYPE), DNSTAP_BAD_PROTO); /* address as number */
    expect_status(BYTES("\x72\4\x08\5\x48\1" TAP_TYPE), DNSTAP_BAD_PROTO); /* nsec as varint */
    expect_status(BYTES("\x72\4\x08\5\x78\1" TAP_TYPE), DNSTAP_BAD_PROTO); /* policy as number */
    expect_status(BYTES("\x72\7\x08\5\x35\1\0\0\0" TAP_TYPE), DNSTAP_BAD_PROTO); /* port, fixed32 */
}

/* The last one counts, and Messages are merged: the protobuf encoding guide. */
static void test_repeated_fields(void **state)
{
    struct dnstap_arena *arena = dnstap_arena_create();
    struct dnstap t;
    struct dnstap_glance g;
    struct span frame =
        BYTES("\x0a\1a\x72\6\x08\5\x40\x0a\x30\1\x72\4\x08\7\x30\2\x0a\1b" TAP_TYPE);

    (void)state;
    assert_int_equal(decode(arena, frame, &t), DNSTAP_OK);
    assert_true(span_equal(t.identity, BYTES("b")));
    assert_int_equal(t.type, 7);
    assert_int_equal(t.query_port, 2);
    assert_int_equal(t.query_time_sec, 10);
    assert_true(dnstap_glance(frame, true, &g));
    assert_int_equal(g.time_sec, 10);
    dnstap_arena_destroy(&arena);
}

/* Cut anywhere: no crash, and never OK, for the type stands at the end. */
static void test_truncated_everywhere(void **state)
{
    struct payload frame = every_field();

    (void)state;
    for (size_t len = 1; len < frame.len; len++)
        expect_status(span_of(frame.octets, len), DNSTAP_BAD_PROTO);
}

static void test_flipped_octets(void **state)
{
    struct dnstap_arena *arena = dnstap_arena_create();
    struct payload frame = every_field();
    struct dnstap t;

    (void)state;
    for (size_t i = 0; i < frame.len; i++) {
        for (unsigned value = 0; value < 256; value++) {
            uint8_t former = frame.octets[i];

            frame.octets[i] = (uint8_t)value;
            decode(arena, span_of_payload(&frame),
                   &t); /* agrees with the glance, or neither reads */
            frame.octets[i] = former;
        }
    }
    dnstap_arena_destroy(&arena);
}

static void test_status_texts(void **state)
{
    (void)state;
    for (enum dnstap_status s = DNSTAP_OK; s <= DNSTAP_NO_MEMORY; s++)
        assert_string_not_equal(dnstap_status_text(s), "unknown status");
    assert_string_equal(dnstap_status_text((enum dnstap_status)99), "unknown status");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_field),
        cmocka_unit_test(test_absent_fields),
        cmocka_unit_test(test_unknown_fields_and_numbers),
        cmocka_unit_test(test_no_message),
        cmocka_unit_test(test_bad_payloads),
        cmocka_unit_test(test_wrong_wire_types),
        cmocka_unit_test(test_repeated_fields),
        cmocka_unit_test(test_truncated_everywhere),
        cmocka_unit_test(test_flipped_octets),
        cmocka_unit_test(test_status_texts),
    };

    return cmocka_run_group_tests_name("dnstap", tests, NULL, NULL);
}
