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
    if (want == DNSTAP_DAMAGED)
        assert_non_null(tap.fault.reason);
    else if (want != DNSTAP_OK && want != DNSTAP_NO_MESSAGE)
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

static void test_no_dnstap(void **state)
{
    (void)state;
    expect_status(BYTES(""), DNSTAP_EMPTY);
    expect_status(BYTES("\x0a\x7fns1"
                        "\x78\x01"),
                  DNSTAP_BAD_PROTO); /* identity, longer than the frame */
    expect_status(BYTES("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), DNSTAP_BAD_PROTO);
    expect_status(BYTES("\x78"), DNSTAP_BAD_PROTO);
    expect_status(BYTES("\x78\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), DNSTAP_BAD_PROTO);
    expect_status(BYTES("GET / HTTP/1.0\r\n\r\n"), DNSTAP_BAD_PROTO);
    expect_status(BYTES("\x7a\1\1"), DNSTAP_BAD_PROTO); /* nothing but a type, as bytes */
}

/* A payload that is damaged at this octet, for this reason; ret borrows from it. */
static struct dnstap damaged(struct span frame, size_t offset, const char *reason)
{
    struct dnstap_arena *arena = dnstap_arena_create();
    struct dnstap t;

    assert_int_equal(decode(arena, frame, &t), DNSTAP_DAMAGED);
    assert_string_equal(t.fault.reason, reason);
    assert_int_equal(t.fault.offset, offset);
    dnstap_arena_destroy(&arena);
    return t;
}

#define IDENTITY "\x0a\3ns1"
#define MISSING  "Dnstap.type is missing"
#define OTHER    "a field of another wire type than the schema's"
#define TOO_LONG "a field longer than what is left"
#define NO_KEY   "a key that is none"

/* Whatever could be read is there, and the offset is that of the field's key. */
static void test_damaged(void **state)
{
    struct dnstap t;

    (void)state;
    t = damaged(BYTES(IDENTITY), 0, MISSING);
    assert_true(span_equal(t.identity, BYTES("ns1")));
    t = damaged(BYTES("\x72\0" TAP_TYPE), 2, "Message.type is missing");
    assert_int_equal(t.has, 0);
    assert_int_equal(t.tap_type, 1);
    t = damaged(BYTES("\x72\2\x10\1" TAP_TYPE), 2, "Message.type is missing");
    assert_int_equal(t.has, DNSTAP_HAS_FAMILY);
    /* an address longer than the Message, a stray octet behind the payload, a wire type that is none */
    t = damaged(BYTES("\x72\4\x08\5\x22\5" TAP_TYPE), 4, TOO_LONG);
    assert_int_equal(t.type, 5);
    assert_int_equal(t.tap_type, 1);
    assert_null(t.query_address.ptr);
    t = damaged(BYTES("\x72\2\x08\6" TAP_TYPE "\xff"), 6, NO_KEY);
    assert_int_equal(t.type, 6);
    t = damaged(BYTES(TAP_TYPE "\x27"), 2, NO_KEY);
    assert_int_equal(t.tap_type, 1);
}

/* Of what holds other fields, and of a DNS message, the part that is there is taken. */
static void test_cut_parts(void **state)
{
    struct dnstap t;

    (void)state;
    t = damaged(BYTES("\x72\x40\x08\6\x30\7\x72\x10"
                      "abc"),
                0, TOO_LONG);
    assert_int_equal(t.type, 6);
    assert_int_equal(t.query_port, 7);
    assert_true(span_equal(t.response_message, BYTES("abc")));
    t = damaged(BYTES("\x72\7\x08\5\x52\x10"
                      "abc" TAP_TYPE),
                4, TOO_LONG);
    assert_true(span_equal(t.query_message, BYTES("abc")));
    assert_int_equal(t.tap_type, 1);
    t = damaged(BYTES("\x72\6\x08\5\x7a\x10\x18\4" TAP_TYPE), 4, TOO_LONG);
    assert_int_equal(t.policy.action, 4);
    assert_int_equal(t.has, DNSTAP_HAS_MESSAGE | DNSTAP_HAS_POLICY | DNSTAP_HAS_POLICY_ACTION);
}

/* The field is left out, everything else is there. */
static void test_wrong_wire_types(void **state)
{
    static const struct {
        struct span frame;
        size_t offset;
    } cases[] = {
        {{(const uint8_t *)"\x08\1" TAP_TYPE, 4}, 0},                    /* identity as number */
        {{(const uint8_t *)"\x10\1" TAP_TYPE, 4}, 0},                    /* version as number */
        {{(const uint8_t *)"\x70\1" TAP_TYPE, 4}, 0},                    /* message as number */
        {{(const uint8_t *)TAP_TYPE "\x7a\1\1", 5}, 2},                  /* type as bytes */
        {{(const uint8_t *)"\x72\4\x08\5\x20\1" TAP_TYPE, 8}, 4},        /* address as number */
        {{(const uint8_t *)"\x72\4\x08\5\x48\1" TAP_TYPE, 8}, 4},        /* nsec as varint */
        {{(const uint8_t *)"\x72\4\x08\5\x78\1" TAP_TYPE, 8}, 4},        /* policy as number */
        {{(const uint8_t *)"\x72\7\x08\5\x35\1\0\0\0" TAP_TYPE, 11}, 4}, /* port, fixed32 */
        {{(const uint8_t *)"\x72\6\x08\5\x7a\2\x1a\0" TAP_TYPE, 10},
         6}, /* policy's action as bytes */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct dnstap t = damaged(cases[i].frame, cases[i].offset, OTHER);

        assert_int_equal(t.tap_type, 1);
        assert_int_equal(t.type, cases[i].offset >= 4 ? 5 : 0);
        assert_null(t.identity.ptr);
        assert_null(t.query_address.ptr);
        assert_int_equal(t.query_port, 0);
    }
    damaged(BYTES("\x72\5\x0d\5\0\0\0" TAP_TYPE), 2, OTHER); /* Message.type, fixed32 */
}

/* Deprecated, and no field of this schema, but no damage: the protobuf encoding guide. */
static void test_groups(void **state)
{
    struct dnstap_arena *arena = dnstap_arena_create();
    struct dnstap t;

    (void)state;
    /* field 4 as a group that holds a string, a fixed32, a fixed64 and a group; then one in the Message */
    assert_int_equal(decode(arena,
                            BYTES("\x23\x0a\1x\x15\1\2\3\4\x19"
                                  "12345678"
                                  "\x1b\x08\1\x1c\x24"
                                  "\x72\6\x08\5\x9b\6\x9c\6" TAP_TYPE),
                            &t),
                     DNSTAP_OK);
    assert_int_equal(t.type, 5);
    assert_null(t.identity.ptr);
    dnstap_arena_destroy(&arena);
    damaged(BYTES(TAP_TYPE "\x23\x08\1"), 2, "a group without an end");
    damaged(BYTES(TAP_TYPE "\x23\x0a\5x"), 2, TOO_LONG);
    damaged(BYTES(TAP_TYPE "\x24"), 2, NO_KEY); /* an end without a group */
}

/* protobuf's enumerations are int32: written in ten octets, and kept. */
static void test_negative_enumerations(void **state)
{
    struct dnstap_arena *arena = dnstap_arena_create();
    struct dnstap t;

    (void)state;
    assert_int_equal(decode(arena,
                            BYTES("\x72\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"
                                  "\x78\xfe\xff\xff\xff\xff\xff\xff\xff\xff\1"),
                            &t),
                     DNSTAP_OK);
    assert_int_equal((int32_t)t.type, -1);
    assert_int_equal((int32_t)t.tap_type, -2);
    dnstap_arena_destroy(&arena);
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

/* Cut anywhere: never OK, for the type stands at the end; and what comes before the cut is there. */
static void test_truncated_everywhere(void **state)
{
    struct dnstap_arena *arena = dnstap_arena_create();
    struct payload frame = every_field();
    struct dnstap t;

    (void)state;
    for (size_t len = 1; len < 5; len++) /* within the identity */
        expect_status(span_of(frame.octets, len), DNSTAP_BAD_PROTO);
    for (size_t len = 5; len < frame.len; len++) {
        assert_int_equal(decode(arena, span_of(frame.octets, len), &t), DNSTAP_DAMAGED);
        assert_true(t.fault.offset < len);
        assert_true(span_equal(t.identity, BYTES("ns1")));
        assert_int_equal(t.type, len < 16 ? 0 : 6);
    }
    assert_int_equal(t.policy.match, 2);
    dnstap_arena_destroy(&arena);
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
        cmocka_unit_test(test_no_dnstap),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_cut_parts),
        cmocka_unit_test(test_wrong_wire_types),
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_negative_enumerations),
        cmocka_unit_test(test_repeated_fields),
        cmocka_unit_test(test_truncated_everywhere),
        cmocka_unit_test(test_flipped_octets),
        cmocka_unit_test(test_status_texts),
    };

    return cmocka_run_group_tests_name("dnstap", tests, NULL, NULL);
}
