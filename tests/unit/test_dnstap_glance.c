/* test_dnstap_glance.c - the glance sees what decoding sees: the frame's time, and the same transaction of a
 * query and its response, in every capture.
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

#include "decode.h"
#include "frame.h"

static void expect_time(struct payload *message, uint64_t sec, uint32_t nsec)
{
    struct payload frame = tap_of(message);
    struct dnstap_glance g;

    assert_true(dnstap_glance(span_of_payload(&frame), true, &g));
    assert_true(g.time_sec == sec);
    assert_int_equal(g.time_nsec, nsec);
}

static void test_glance_time(void **state)
{
    struct payload m = {.len = 0};

    (void)state;
    payload_number(&m, 1, 6);
    expect_time(&m, 0, 0);
    payload_number(&m, 8, 100);
    expect_time(&m, 100, 0); /* a response without its own time */
    payload_fixed32(&m, 9, 5);
    expect_time(&m, 100, 5);
    payload_number(&m, 12, 200);
    expect_time(&m, 200, 0);
    payload_fixed32(&m, 13, 6);
    expect_time(&m, 200, 6);
    payload_number(&m, 1, 5); /* now it is a query: the last type counts */
    expect_time(&m, 100, 5);
    m.len = 0;
    payload_number(&m, 1, 5);
    payload_number(&m, 12, 200);
    expect_time(&m, 200, 0);
}

/* A query or a response of client port 53124, with that DNS message. */
static uint64_t transaction_of(unsigned type, struct span dns, uint32_t port)
{
    struct payload m = {.len = 0}, frame;
    struct dnstap_glance g;
    struct guard guard;

    payload_number(&m, 1, type);
    payload_literal(&m, 4, "\xc0\0\2\1");
    payload_literal(&m, 5, "\xc0\0\2\x35");
    payload_number(&m, 6, port);
    payload_number(&m, 7, 53);
    payload_bytes(&m, type % 2 ? 10 : 14, dns.ptr, dns.len);
    frame = tap_of(&m);
    guard = guard_copy(frame.octets, frame.len);
    assert_true(dnstap_glance(guard.span, true, &g));
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
        assert_true(dnstap_glance(frame, true, &g));
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
        cmocka_unit_test(test_glance_time),
        cmocka_unit_test(test_glance_transaction),
        cmocka_unit_test(test_captures),
    };

    return cmocka_run_group_tests_name("dnstap_glance", tests, NULL, NULL);
}
