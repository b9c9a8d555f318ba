/* test_tree.c - values that trees share: trees are the same as without, and stay whole whoever goes first.
 *
 * Covers: every frame of two captures; texts of equal length that differ in one octet; more texts than
 * are kept. What a tree should hold is e2e/test_tree.py's, and differential/roundtrip.py's.
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

#include <json_object.h>

#include "guard.h"
#include "payload.h"
#include "tree.h"

#define TREES_HELD 64

static struct event_decoder *decoder;
static struct recurring recurring;
static struct text scratch;
static uint8_t capture[1 << 20];

static int setup(void **state)
{
    (void)state;
    memset(&recurring, 0, sizeof recurring);
    text_init(&scratch, 1 << 20);
    decoder = event_decoder_create();
    return decoder ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    recurring_destroy(&recurring);
    recurring_destroy(&recurring);
    text_destroy(&scratch);
    event_decoder_destroy(&decoder);
    return 0;
}

static struct fjson_object *tree_of(struct span frame, struct recurring *texts)
{
    struct event_context context = {.peer = {"192.0.2.1", 9}};
    struct guard guard = guard_copy(frame.ptr, frame.len);
    struct event event;
    struct fjson_object *tree;

    event_decode(decoder, guard.span, &context, &event);
    tree = tree_build(&event, 0, &scratch, texts);
    assert_non_null(tree);
    guard_free(&guard);
    return tree;
}

/* As a tree that shares with no other one. */
static void check(struct fjson_object *tree, struct span frame)
{
    struct recurring none = {0};
    struct fjson_object *alone = tree_of(frame, &none);

    recurring_destroy(&none);
    assert_string_equal(fjson_object_to_json_string(tree), fjson_object_to_json_string(alone));
    fjson_object_put(alone);
}

static size_t load(const char *name)
{
    const char *top = getenv("abs_top_srcdir");
    char path[4096];
    FILE *file;
    size_t len;

    snprintf(path, sizeof path, "%s/tests/corpus/%s", top ? top : ".", name);
    file = fopen(path, "rb");
    assert_non_null(file);
    len = fread(capture, 1, sizeof capture, file);
    fclose(file);
    return len;
}

/* The next data frame; false at the end. Ends: every turn takes a frame from the cursor. */
static bool next_frame(struct cursor *at, struct span *ret)
{
    uint32_t len, control;

    while (cursor_be32(at, &len)) {
        if (len > 0)
            return cursor_span(at, len, ret);
        if (!cursor_be32(at, &control) || !cursor_span(at, control, ret))
            return false;
    }
    return false;
}

static void test_captures(void **state)
{
    static const char *const names[] = {"unbound-unix-bidi.fstrm", "recursor-tcp.fstrm"};
    struct fjson_object *trees[TREES_HELD] = {NULL};
    struct span frames[TREES_HELD], frame;
    size_t count = 0;

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct cursor at = cursor_of(span_of(capture, load(names[i])));

        while (next_frame(&at, &frame)) {
            size_t place = count++ % TREES_HELD;

            if (trees[place]) {
                check(trees[place], frames[place]);
                fjson_object_put(trees[place]);
            }
            trees[place] = tree_of(frame, &recurring);
            frames[place] = frame;
        }
        for (size_t place = 0; place < TREES_HELD; place++) {
            if (trees[place])
                check(trees[place], frames[place]);
            fjson_object_put(trees[place]);
            trees[place] = NULL;
        }
    }
    assert_true(count > TREES_HELD);
}

static struct payload tap_of(const char *identity, size_t len)
{
    struct payload tap = {.len = 0};

    payload_bytes(&tap, 1, identity, len);
    payload_number(&tap, 15, 1);
    return tap;
}

static void check_identity(struct fjson_object *tree, const char *want)
{
    struct fjson_object *value = NULL;

    assert_true(fjson_object_object_get_ex(tree, "identity", &value));
    assert_string_equal(fjson_object_get_string(value), want);
}

/* Every length up to one more than is kept, every octet of it changed. */
static void test_one_octet(void **state)
{
    char text[RECURRING_LEN_MAX + 2] = {0};

    (void)state;
    for (size_t len = 1; len <= RECURRING_LEN_MAX + 1; len++) {
        for (size_t i = 0; i <= len; i++) {
            struct fjson_object *tree;
            struct payload tap;

            memset(text, 'a', len);
            if (i < len)
                text[i] = 'b';
            tap = tap_of(text, len);
            tree = tree_of(span_of(tap.octets, tap.len), &recurring);
            check_identity(tree, text);
            fjson_object_put(tree);
        }
    }
}

/* Twice as many as there are places, twice; and a few trees outlive what they share. */
static void test_more_than_kept(void **state)
{
    struct fjson_object *trees[RECURRING_MAX * 2];
    char text[32];

    (void)state;
    for (int turn = 0; turn < 2; turn++) {
        for (size_t i = 0; i < RECURRING_MAX * 2; i++) {
            struct payload tap;
            int len = snprintf(text, sizeof text, "server-%zu", i);

            tap = tap_of(text, (size_t)len);
            trees[i] = tree_of(span_of(tap.octets, tap.len), &recurring);
        }
        recurring_destroy(&recurring);
        for (size_t i = 0; i < RECURRING_MAX * 2; i++) {
            snprintf(text, sizeof text, "server-%zu", i);
            check_identity(trees[i], text);
            fjson_object_put(trees[i]);
        }
    }
}

/* Addresses of answers to a QUERY; those of an UPDATE's prerequisites (RFC 2136 2.4) and of a query resolve nothing. */
static void test_resolved(void **state)
{
    static const struct {
        unsigned type, field;
        const char *header, *want;
    } rows[] = {
        {6, M_RESPONSE_MESSAGE, "\0\1\x80\0\0\0\0\1\0\0\0\0", "[\"192.0.2.1\"]"},
        {14, M_RESPONSE_MESSAGE, "\0\1\xa8\0\0\0\0\1\0\0\0\0", "[]"},
        {14, M_RESPONSE_MESSAGE, "\0\1\xa8\5\0\0\0\1\0\0\0\0", "[]"},
        {6, M_RESPONSE_MESSAGE, "\0\1\0\0\0\0\0\1\0\0\0\0", "[]"},
        {5, M_QUERY_MESSAGE, "\0\1\x80\0\0\0\0\1\0\0\0\0", "[]"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t wire[27] = {0};
        struct payload m = {.len = 0}, tap;
        struct fjson_object *tree, *dns = NULL, *value = NULL;

        memcpy(wire, rows[i].header, 12);
        memcpy(wire + 12, "\0\0\1\0\1\0\0\0\0\0\4\xc0\0\2\1", 15); /* . IN A */
        payload_number(&m, M_TYPE, rows[i].type);
        payload_bytes(&m, rows[i].field, wire, sizeof wire);
        tap = payload_of(&m);
        tree = tree_of(span_of(tap.octets, tap.len), &recurring);
        assert_true(fjson_object_object_get_ex(tree, "dns", &dns));
        assert_true(fjson_object_object_get_ex(dns, "answers", &value));
        assert_int_equal(fjson_object_array_length(value), 1);
        assert_true(fjson_object_object_get_ex(dns, "resolved_ip", &value));
        assert_string_equal(fjson_object_to_json_string_ext(value, FJSON_TO_STRING_PLAIN),
                            rows[i].want);
        fjson_object_put(tree);
    }
}

/* The same text is one value, or all of this is for nothing. */
static void test_shared(void **state)
{
    struct payload tap = tap_of("ns1", 3);
    struct fjson_object *one = tree_of(span_of(tap.octets, tap.len), &recurring);
    struct fjson_object *two = tree_of(span_of(tap.octets, tap.len), &recurring);
    struct fjson_object *a = NULL, *b = NULL;

    (void)state;
    assert_true(fjson_object_object_get_ex(one, "identity", &a));
    assert_true(fjson_object_object_get_ex(two, "identity", &b));
    assert_ptr_equal(a, b);
    fjson_object_put(one);
    check_identity(two, "ns1");
    fjson_object_put(two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_captures, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_octet, setup, teardown),
        cmocka_unit_test_setup_teardown(test_more_than_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(test_resolved, setup, teardown),
        cmocka_unit_test_setup_teardown(test_shared, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
