/* test_dnstap_memory.c - memory of dnstap decoding: each allocation may fail, none once warm, all of it bounded.
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
#include "dnstap_internal.h"

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
    assert_int_equal(dnstap_decode_full(arena, span_of(frame, sizeof(frame)), &t),
                     DNSTAP_BAD_PROTO);
    assert_true(allocations < 16);
    assert_int_equal(dnstap_decode(arena, span_of(frame, sizeof(frame)), &t), DNSTAP_OK);
    assert_int_equal(t.type, 5); /* walked */
    assert_true(allocations < 16);
    assert_int_equal(dnstap_decode(arena, span_of(frame + 79996, 6), &t), DNSTAP_OK);
    dnstap_arena_destroy(&arena);
    dnstap_arena_destroy(&arena);
    dnstap_arena_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_allocation_failures),
        cmocka_unit_test(test_no_allocation_once_warm),
        cmocka_unit_test(test_arena_is_bounded),
    };

    return cmocka_run_group_tests_name("dnstap_memory", tests, NULL, NULL);
}
