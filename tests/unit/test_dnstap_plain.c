/* test_dnstap_plain.c - the short way of decoding a payload, and the walk, give what protobuf-c gives.
 *
 * Covers: every frame of the corpus, whole, cut at every octet, with every octet changed to values that
 * make keys, lengths and varints go wrong, with every octet inserted and removed; and that the corpus goes
 * the short way at all. Inputs end at an unreadable page.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dnstap_internal.h"
#include "frame.h"
#include "guard.h"

#define FILE_MAX       (4 * 1024 * 1024)
/* Of every file: mutations of more frames repeat themselves. */
#define MUTATED_FRAMES 12
/* Mutations stay within this many octets from either end: the middle is DNS, which nobody reads here. */
#define EDGE           96

static struct dnstap_arena *arena;

static void assert_same_span(struct span a, struct span b)
{
    assert_int_equal(a.ptr != NULL, b.ptr != NULL);
    assert_true(span_equal(a, b));
}

static void assert_same(const struct dnstap *a, const struct dnstap *b)
{
    assert_int_equal(a->has, b->has);
    assert_same_span(a->identity, b->identity);
    assert_same_span(a->version, b->version);
    assert_same_span(a->extra, b->extra);
    assert_int_equal(a->tap_type, b->tap_type);
    assert_int_equal(a->type, b->type);
    assert_int_equal(a->family, b->family);
    assert_int_equal(a->protocol, b->protocol);
    assert_int_equal(a->http_protocol, b->http_protocol);
    assert_same_span(a->query_address, b->query_address);
    assert_same_span(a->response_address, b->response_address);
    assert_int_equal(a->query_port, b->query_port);
    assert_int_equal(a->response_port, b->response_port);
    assert_true(a->query_time_sec == b->query_time_sec);
    assert_int_equal(a->query_time_nsec, b->query_time_nsec);
    assert_true(a->response_time_sec == b->response_time_sec);
    assert_int_equal(a->response_time_nsec, b->response_time_nsec);
    assert_same_span(a->query_message, b->query_message);
    assert_same_span(a->response_message, b->response_message);
    assert_same_span(a->query_zone, b->query_zone);
    assert_same_span(a->policy.type, b->policy.type);
    assert_same_span(a->policy.rule, b->policy.rule);
    assert_same_span(a->policy.value, b->policy.value);
    assert_int_equal(a->policy.action, b->policy.action);
    assert_int_equal(a->policy.match, b->policy.match);
}

/* True when the frame went the short way. */
static bool compare(struct span frame)
{
    struct dnstap plain, full, walked;
    struct guard guard = guard_copy(frame.ptr, frame.len);
    bool taken = dnstap_decode_plain(guard.span, &plain);
    enum dnstap_status status = dnstap_decode_full(arena, guard.span, &full);

    if (taken) {
        assert_int_equal(status, DNSTAP_OK);
        assert_same(&plain, &full);
    }
    dnstap_walk(guard.span, &walked);
    if (status == DNSTAP_OK || status == DNSTAP_NO_MESSAGE) {
        assert_null(walked.fault.reason);
        assert_same(&walked, &full);
    } else if (status == DNSTAP_BAD_PROTO && walked.fault.reason) {
        assert_true(walked.fault.offset <= frame.len);
    }
    guard_free(&guard);
    return taken;
}

static void mutate_at(const uint8_t *frame, size_t len, size_t at)
{
    static const uint8_t values[] = {0x00, 0x01, 0x0a, 0x72, 0x78, 0x7f, 0x80, 0x85, 0xff};
    static uint8_t copy[64 * 1024 + 16];

    if (len > sizeof copy - 1)
        return;
    compare(span_of(frame, at));
    for (size_t v = 0; v < sizeof values; v++) {
        memcpy(copy, frame, len);
        copy[at] = values[v];
        compare(span_of(copy, len));
        memcpy(copy, frame, at);
        copy[at] = values[v];
        memcpy(copy + at + 1, frame + at, len - at);
        compare(span_of(copy, len + 1));
    }
    memcpy(copy, frame, at);
    memcpy(copy + at, frame + at + 1, len - at - 1);
    compare(span_of(copy, len - 1));
}

static void mutate(struct span frame)
{
    for (size_t at = 0; at < frame.len; at++)
        if (at < EDGE || frame.len - at < EDGE)
            mutate_at(frame.ptr, frame.len, at);
}

static void check_file(const char *path, size_t *frames, size_t *plain)
{
    static uint8_t octets[FILE_MAX];
    FILE *file = fopen(path, "rb");
    struct fs_stream *stream = fs_create(FS_FRAMING_STREAM, 1 << 20);
    struct cursor input;
    struct span frame;
    enum fs_result result;
    size_t mutated = 0;

    assert_non_null(file);
    input = cursor_of(span_of(octets, fread(octets, 1, sizeof octets, file)));
    fclose(file);
    while ((result = fs_next(stream, &input, &frame)) != FS_MORE && result != FS_ERROR) {
        if (result != FS_FRAME)
            continue;
        *frames += 1;
        *plain += compare(frame);
        if (mutated++ < MUTATED_FRAMES)
            mutate(frame);
    }
    fs_destroy(&stream);
}

static void test_corpus(void **state)
{
    const char *source = getenv("abs_top_srcdir");
    char pattern[4096];
    size_t frames = 0, plain = 0;
    glob_t found;

    (void)state;
    snprintf(pattern, sizeof pattern, "%s/tests/corpus/*.fstrm", source ? source : ".");
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++)
        check_file(found.gl_pathv[i], &frames, &plain);
    globfree(&found);
    assert_true(frames > 1000);
    assert_int_equal(plain, frames);
}

static void test_left_to_protobuf(void **state)
{
    /* Each is dnstap type MESSAGE (78 01) and a Message (72) ... */
    static const struct {
        uint8_t octets[16];
        size_t len;
        const char *why;
    } rows[] = {
        {{0}, 0, "nothing"},
        {{0x78, 0x01}, 2, "no Message"},
        {{0x72, 0x02, 0x08, 0x05}, 4, "no type of the payload"},
        {{0x72, 0x00, 0x78, 0x01}, 4, "no type in the Message"},
        {{0x72, 0x04, 0x08, 0x05, 0x08, 0x06, 0x78, 0x01}, 8, "a type twice"},
        {{0x72, 0x02, 0x08, 0x05, 0x72, 0x02, 0x08, 0x06, 0x78, 0x01}, 10, "two Messages"},
        {{0x72, 0x04, 0x08, 0x05, 0x7a, 0x00, 0x78, 0x01}, 8, "a policy"},
        {{0x72, 0x05, 0x08, 0x05, 0x80, 0x01, 0x02, 0x78, 0x01}, 9, "an HTTP protocol"},
        {{0x72, 0x02, 0x08, 0x05, 0x78, 0x01, 0x20, 0x01}, 8, "an unknown field"},
        {{0x72, 0x03, 0x0a, 0x01, 0x05, 0x78, 0x01}, 7, "a type as octets"},
        {{0x72, 0x83, 0x80, 0x80, 0x80, 0x80, 0x00, 0x08, 0x05}, 9, "an overlong length"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (compare(span_of(rows[i].octets, rows[i].len)))
            fail_msg("the short way took a frame with %s", rows[i].why);
}

static int set_up(void **state)
{
    (void)state;
    arena = dnstap_arena_create();
    return arena ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    dnstap_arena_destroy(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_corpus),
        cmocka_unit_test(test_left_to_protobuf),
    };

    return cmocka_run_group_tests_name("dnstap_plain", tests, set_up, tear_down);
}
