/* test_dnstap.c - dnstap payloads: every field, unknown fields and numbers, wrong wire types, memory;
 * and the glance, which must see what decoding sees.
 *
 * Payloads are written by hand after the protobuf encoding guide: key = field << 3 | wire type.
 * The captures in tests/corpus are read as well.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define _GNU_SOURCE /* memmem */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <glob.h>
#include <cmocka.h>

#include "dnstap.h"
#include "frame.h"
#include "guard.h"

#define BYTES(literal) span_of(literal, sizeof(literal) - 1)

/* Linked with --wrap: allocation number `fail_at` (from 1) fails, and only that. */
static unsigned allocations, fail_at;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *__wrap_malloc(size_t size)
{
    return ++allocations == fail_at ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return ++allocations == fail_at ? NULL : __real_calloc(count, size);
}

/* Field 15 (type) = MESSAGE, behind everything, as servers write it. */
#define TAP_TYPE "\x78\x01"

/* A payload under construction. */
struct payload {
    uint8_t octets[1024];
    size_t len;
};

static void put_varint(struct payload *p, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        p->octets[p->len++] = (uint8_t)(value | 0x80);
    p->octets[p->len++] = (uint8_t)value;
}

static void put_number(struct payload *p, unsigned field, uint64_t value)
{
    put_varint(p, field << 3);
    put_varint(p, value);
}

static void put_fixed32(struct payload *p, unsigned field, uint32_t value)
{
    put_varint(p, field << 3 | 5);
    for (int i = 0; i < 4; i++, value >>= 8)
        p->octets[p->len++] = (uint8_t)value;
}

static void put_bytes(struct payload *p, unsigned field, struct span value)
{
    put_varint(p, field << 3 | 2);
    put_varint(p, value.len);
    memcpy(p->octets + p->len, value.ptr, value.len);
    p->len += value.len;
}

static struct span span_of_payload(const struct payload *p)
{
    return span_of(p->octets, p->len);
}

/* Decodes and glances at a copy that ends at an unreadable page; where both read it, they agree. */
static enum dnstap_status decode(struct dnstap_arena *arena, struct span frame, struct dnstap *ret)
{
    struct guard guard = guard_copy(frame.ptr, frame.len);
    enum dnstap_status status = dnstap_decode(arena, guard.span, ret);
    struct dnstap_glance glance = {.type = 12345};

    if (dnstap_glance(guard.span, &glance)) {
        if (status == DNSTAP_OK || status == DNSTAP_NO_MESSAGE) {
            assert_int_equal(glance.type, ret->type);
            assert_true(span_equal(glance.identity, ret->identity));
        }
    } else {
        assert_int_equal(glance.type, 12345);
        assert_true(status == DNSTAP_EMPTY || status == DNSTAP_BAD_PROTO);
    }
    guard_free(&guard);
    /* once more for the caller: *ret borrows from the frame, and the guarded copy is gone */
    assert_int_equal(dnstap_decode(arena, frame, ret), status);
    return status;
}

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

/* A Dnstap with that Message in it. */
static struct payload tap_of(const struct payload *message)
{
    struct payload tap = {.len = 0};

    put_bytes(&tap, 1, BYTES("ns1"));
    put_bytes(&tap, 2, BYTES("v9"));
    put_bytes(&tap, 3, BYTES("x"));
    put_bytes(&tap, 14, span_of_payload(message));
    put_number(&tap, 15, 1);
    return tap;
}

static struct payload every_field(void)
{
    struct payload m = {.len = 0}, policy = {.len = 0};

    put_bytes(&policy, 1, BYTES("rpz"));
    put_bytes(&policy, 2, BYTES("\3foo\0"));
    put_number(&policy, 3, 6);
    put_number(&policy, 4, 2);
    put_bytes(&policy, 5, BYTES("192.0.2.0/24"));
    put_number(&m, 1, 6);
    put_number(&m, 2, 1);
    put_number(&m, 3, 3);
    put_bytes(&m, 4, BYTES("\xc0\0\2\1"));
    put_bytes(&m, 5, BYTES("\xc0\0\2\x35"));
    put_number(&m, 6, 53124);
    put_number(&m, 7, 53);
    put_number(&m, 8, UINT64_MAX);
    put_fixed32(&m, 9, 123456789);
    put_bytes(&m, 10, BYTES("question"));
    put_bytes(&m, 11, BYTES("\7example\0"));
    put_number(&m, 12, 1767739393);
    put_fixed32(&m, 13, UINT32_MAX);
    put_bytes(&m, 14, BYTES("\0\1\2"));
    put_bytes(&m, 15, span_of_payload(&policy));
    put_number(&m, 16, 2);
    return tap_of(&m);
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
    put_number(&m, 1, 5);
    put_bytes(&m, 10, BYTES("")); /* there, but empty */
    put_bytes(&m, 15, BYTES(""));
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
    put_number(&m, 1, 99);
    put_number(&m, 2, 7);
    put_number(&m, 3, 4000000000u);
    put_number(&m, 16, 9);
    put_number(&m, 1000, 1);
    put_bytes(&m, 17, BYTES("later"));
    put_fixed32(&m, 18, 1);
    put_varint(&m, 19 << 3 | 1); /* fixed64 */
    memcpy(m.octets + m.len, "12345678", 8);
    m.len += 8;
    frame = tap_of(&m);
    put_bytes(&frame, 536870911, BYTES("the largest field number"));
    put_number(&frame, 4, UINT64_MAX);
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
    assert_true(dnstap_glance(frame, &g));
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

static void test_allocation_failures(void **state)
{
    static uint8_t large[64 * 1024 + 16];
    struct dnstap_arena *arena;
    enum dnstap_status status = DNSTAP_NO_MEMORY;
    struct dnstap t, zero;
    unsigned failures = 0;

    (void)state;
    memset(&zero, 0, sizeof(zero));
    memcpy(large, "\x72\x86\x80\x04\x08\5\x52\x80\x80\x04", 10); /* query_message of 64 KiB */
    memcpy(large + 10 + 65536, TAP_TYPE "\x20\1", 4); /* and an unknown field: the long way */
    for (unsigned n = 1; status != DNSTAP_OK; n++) {
        assert_true(n < 100);
        allocations = 0;
        fail_at = n;
        arena = dnstap_arena_create();
        if (arena)
            status = dnstap_decode(arena, span_of(large, 10 + 65536 + 4), &t);
        fail_at = 0;
        if (arena && status != DNSTAP_OK) {
            assert_int_equal(status, DNSTAP_NO_MEMORY);
            assert_memory_equal(&t, &zero, sizeof(zero));
            /* and the arena lives on */
            assert_int_equal(dnstap_decode(arena, span_of(large, 10 + 65536 + 4), &t), DNSTAP_OK);
        }
        failures += status != DNSTAP_OK;
        dnstap_arena_destroy(&arena);
    }
    assert_true(failures >= 3); /* arena, its first chunk, the chunk for 64 KiB */
}

static void test_no_allocation_once_warm(void **state)
{
    struct dnstap_arena *arena = dnstap_arena_create();
    struct payload frame = every_field();
    struct dnstap t;

    (void)state;
    dnstap_decode(arena, span_of_payload(&frame), &t);
    allocations = 0;
    for (int i = 0; i < 100; i++)
        assert_int_equal(dnstap_decode(arena, span_of_payload(&frame), &t), DNSTAP_OK);
    assert_int_equal(allocations, 0);
    dnstap_arena_destroy(&arena);
}

/* Thousands of Messages in one frame would make protobuf-c take 70 octets per octet. */
static void test_arena_is_bounded(void **state)
{
    static uint8_t frame[4 * 20000 + 2];
    struct dnstap_arena *arena = dnstap_arena_create();
    struct dnstap t;

    (void)state;
    for (size_t i = 0; i < 20000; i++)
        memcpy(frame + 4 * i, "\x72\2\x08\5", 4);
    memcpy(frame + 80000, TAP_TYPE, 2);
    allocations = 0;
    assert_int_equal(dnstap_decode(arena, span_of(frame, sizeof(frame)), &t), DNSTAP_BAD_PROTO);
    assert_true(allocations < 16);
    assert_int_equal(dnstap_decode(arena, span_of(frame + 79996, 6), &t), DNSTAP_OK);
    dnstap_arena_destroy(&arena);
    dnstap_arena_destroy(&arena);
    dnstap_arena_destroy(NULL);
}

static void test_status_texts(void **state)
{
    (void)state;
    for (enum dnstap_status s = DNSTAP_OK; s <= DNSTAP_NO_MEMORY; s++)
        assert_string_not_equal(dnstap_status_text(s), "unknown status");
    assert_string_equal(dnstap_status_text((enum dnstap_status)99), "unknown status");
}

static void expect_time(struct payload *message, uint64_t sec, uint32_t nsec)
{
    struct payload frame = tap_of(message);
    struct dnstap_glance g;

    assert_true(dnstap_glance(span_of_payload(&frame), &g));
    assert_true(g.time_sec == sec);
    assert_int_equal(g.time_nsec, nsec);
}

static void test_glance_time(void **state)
{
    struct payload m = {.len = 0};

    (void)state;
    put_number(&m, 1, 6);
    expect_time(&m, 0, 0);
    put_number(&m, 8, 100);
    expect_time(&m, 100, 0); /* a response without its own time */
    put_fixed32(&m, 9, 5);
    expect_time(&m, 100, 5);
    put_number(&m, 12, 200);
    expect_time(&m, 200, 0);
    put_fixed32(&m, 13, 6);
    expect_time(&m, 200, 6);
    put_number(&m, 1, 5); /* now it is a query: the last type counts */
    expect_time(&m, 100, 5);
    m.len = 0;
    put_number(&m, 1, 5);
    put_number(&m, 12, 200);
    expect_time(&m, 200, 0);
}

/* A query or a response of client port 53124, with that DNS message. */
static uint64_t transaction_of(unsigned type, struct span dns, uint32_t port)
{
    struct payload m = {.len = 0}, frame;
    struct dnstap_glance g;
    struct guard guard;

    put_number(&m, 1, type);
    put_bytes(&m, 4, BYTES("\xc0\0\2\1"));
    put_bytes(&m, 5, BYTES("\xc0\0\2\x35"));
    put_number(&m, 6, port);
    put_number(&m, 7, 53);
    put_bytes(&m, type % 2 ? 10 : 14, dns);
    frame = tap_of(&m);
    guard = guard_copy(frame.octets, frame.len);
    assert_true(dnstap_glance(guard.span, &g));
    guard_free(&guard);
    return g.transaction;
}

#define QUESTION "\7example\0\0\1\0\1"

static void test_glance_transaction(void **state)
{
    struct span query = BYTES("\x12\x34\1\0\0\1\0\0\0\0\0\0" QUESTION);
    uint64_t t = transaction_of(5, query, 53124);

    (void)state;
    assert_true(t == transaction_of(6,
                                    BYTES("\x12\x34\x81\x80\0\1\0\1\0\0\0\0" QUESTION
                                          "\xc0\x0c\0\1\0\1\0\0\0\x0a\0\4\1\2\3\4"),
                                    53124));
    assert_true(t == transaction_of(6,
                                    BYTES("\x12\x34\x81\x80\0\1\0\0\0\0\0\0"
                                          "\7ExAmPlE\0\0\1\0\1"),
                                    53124));
    assert_true(t != transaction_of(5, query, 53125));
    assert_true(t != transaction_of(5, BYTES("\x12\x35\1\0\0\1\0\0\0\0\0\0" QUESTION), 53124));
    assert_true(t != transaction_of(5,
                                    BYTES("\x12\x34\1\0\0\1\0\0\0\0\0\0"
                                          "\7exbmple\0\0\1\0\1"),
                                    53124));
    for (size_t len = 0; len < query.len; len++) /* short ones: Unbound and NSD log them */
        transaction_of(5, span_of(query.ptr, len), 53124);
}

/* What tells a query and its response, as long as ports and ids are not reused. */
struct seen {
    struct dnstap tap;
    uint64_t transaction;
    uint8_t key[64];
    size_t key_len;
};

static void make_key(struct seen *seen)
{
    const struct dnstap *t = &seen->tap;
    struct span dns = dnstap_is_response(t->type) ? t->response_message : t->query_message;
    uint32_t ports[2] = {t->query_port, t->response_port};

    seen->key_len = 0;
    if (dns.len < 12 || t->query_address.len > 16 || t->response_address.len > 16)
        return;
    memcpy(seen->key, dns.ptr, 2);
    memcpy(seen->key + 2, ports, 8);
    memcpy(seen->key + 10, t->query_address.ptr, t->query_address.len);
    memcpy(seen->key + 26, t->response_address.ptr, t->response_address.len);
    seen->key_len = 42;
}

/* The question's octets without the header: the name, uncompressed, its type and class. */
static bool same_question(struct span a, struct span b)
{
    size_t end = 12;

    while (end < a.len && a.ptr[end] && a.ptr[end] < 64)
        end += a.ptr[end] + (size_t)1;
    end += 5;
    return a.len >= end && b.len >= end && memcmp(a.ptr + 4, b.ptr + 4, 2) == 0 &&
           memcmp(a.ptr + 12, b.ptr + 12, end - 12) == 0;
}

/* Reads a capture; returns the frames. */
static size_t check_capture(const char *path, size_t *pairs)
{
    static uint8_t octets[4 * 1024 * 1024];
    static struct seen queries[4096];
    struct dnstap_arena *arena = dnstap_arena_create();
    struct fs_stream *stream = fs_create(FS_FRAMING_STREAM, 1024 * 1024);
    FILE *file = fopen(path, "rb");
    struct cursor at;
    struct span frame;
    enum fs_result result;
    size_t frames = 0, count = 0;

    assert_non_null(file);
    at = cursor_of(span_of(octets, fread(octets, 1, sizeof(octets), file)));
    fclose(file);
    while ((result = fs_next(stream, &at, &frame)) != FS_MORE && result != FS_ERROR) {
        struct seen now = {.key_len = 0};
        struct dnstap *t = &now.tap;
        struct dnstap_glance g;
        bool response;

        if (result != FS_FRAME)
            continue;
        frames++;
        assert_int_equal(decode(arena, frame, t), DNSTAP_OK);
        assert_true(dnstap_glance(frame, &g));
        response = t->has & DNSTAP_HAS_RESPONSE_TIME_SEC &&
                   (dnstap_is_response(t->type) || !(t->has & DNSTAP_HAS_QUERY_TIME_SEC));
        assert_true(g.time_sec == (response ? t->response_time_sec : t->query_time_sec));
        assert_int_equal(g.time_nsec, response ? t->response_time_nsec : t->query_time_nsec);
        now.transaction = g.transaction;
        make_key(&now);
        if (now.key_len == 0)
            continue;
        for (size_t i = 0; dnstap_is_response(t->type) && i < count; i++) {
            if (memcmp(queries[i].key, now.key, 42) == 0 &&
                same_question(queries[i].tap.query_message, t->response_message)) {
                assert_true(queries[i].transaction == now.transaction);
                ++*pairs;
                break;
            }
        }
        if (!dnstap_is_response(t->type) && count < sizeof(queries) / sizeof(queries[0])) {
            queries[count] = now;
            /* the arena forgets; the message itself is in the capture */
            queries[count].tap.query_message =
                span_of(memmem(frame.ptr, frame.len, t->query_message.ptr, t->query_message.len),
                        t->query_message.len);
            count++;
        }
    }
    assert_int_equal(result, FS_MORE);
    fs_destroy(&stream);
    dnstap_arena_destroy(&arena);
    return frames;
}

static void test_captures(void **state)
{
    const char *top = getenv("abs_top_srcdir");
    char pattern[4096];
    size_t frames = 0, pairs = 0;
    glob_t found;

    (void)state;
    snprintf(pattern, sizeof(pattern), "%s/tests/corpus/*.fstrm", top ? top : ".");
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++)
        frames += check_capture(found.gl_pathv[i], &pairs);
    globfree(&found);
    assert_true(frames > 6000);
    assert_true(pairs > 2000);
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
        cmocka_unit_test(test_allocation_failures),
        cmocka_unit_test(test_no_allocation_once_warm),
        cmocka_unit_test(test_arena_is_bounded),
        cmocka_unit_test(test_status_texts),
        cmocka_unit_test(test_glance_time),
        cmocka_unit_test(test_glance_transaction),
        cmocka_unit_test(test_captures),
    };

    return cmocka_run_group_tests_name("dnstap", tests, NULL, NULL);
}
