/* test_peers.c - counters of a bounded number of peers: who has a place, who is counted as "other", and that
 * nothing is lost when a place changes hands, also while threads count.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "../../imdnstap/peers.h"

#define PLACES 2

/* What is shown, by place; guarded by the peers' own mutex, as impstats is by its own. */
static struct {
    char key[PEERS_KEY_SIZE];
    struct peers_books *books;
} shown[PLACES + 1];

static void on_shown(void *owner, unsigned place, const char *key, struct peers_books *books)
{
    assert_ptr_equal(owner, shown);
    assert_true(place <= PLACES);
    assert_null(shown[place].books);
    snprintf(shown[place].key, sizeof shown[place].key, "%s", key);
    shown[place].books = books;
}

static void on_hidden(void *owner, unsigned place)
{
    (void)owner;
    assert_non_null(shown[place].books);
    shown[place].books = NULL;
}

static const struct peers_callbacks callbacks = {.shown = on_shown, .hidden = on_hidden};

static struct peers *create(void)
{
    struct peers *peers;

    memset(shown, 0, sizeof shown);
    peers = peers_create(PLACES, &callbacks, shown);
    assert_non_null(peers);
    peers_begin(peers);
    return peers;
}

/* -1: not shown. */
static int64_t value(const char *key, enum peers_counter counter)
{
    for (int i = 0; i <= PLACES; i++)
        if (shown[i].books && strcmp(shown[i].key, key) == 0)
            return (int64_t)shown[i].books->counters[counter];
    return -1;
}

static void test_bound(void **state)
{
    struct peers *peers = create();
    struct peers_books *a, *a2, *b, *c;

    (void)state;
    a = peers_enter(peers, "a");
    a2 = peers_enter(peers, "a");
    b = peers_enter(peers, "b");
    c = peers_enter(peers, "c");
    assert_ptr_equal(a, a2);
    peers_count(a, PEERS_RECEIVED, 1);
    peers_count(b, PEERS_RECEIVED, 20);
    peers_count(c, PEERS_RECEIVED, 300);
    assert_int_equal(value("a", PEERS_RECEIVED), 1);
    assert_int_equal(value("a", PEERS_SESSIONS), 2);
    assert_int_equal(value("b", PEERS_RECEIVED), 20);
    assert_int_equal(value("c", PEERS_RECEIVED), -1);
    assert_int_equal(value("other", PEERS_RECEIVED), 300);
    assert_int_equal(peers_sessions(peers, "a"), 2);
    assert_int_equal(peers_sessions(peers, "c"), 1);
    assert_int_equal(peers_sessions(peers, "d"), 0);
    peers_leave(peers, "c", c);
    assert_int_equal(value("other", PEERS_SESSIONS), 0);
    peers_destroy(peers);
}

/* One that comes back finds its counters; a new one takes the place of that which left first. */
static void test_reclaim(void **state)
{
    struct peers *peers = create();
    struct peers_books *books;

    (void)state;
    books = peers_enter(peers, "a");
    peers_count(books, PEERS_BYTES, 1);
    peers_leave(peers, "a", books);
    books = peers_enter(peers, "b");
    peers_count(books, PEERS_BYTES, 20);
    peers_leave(peers, "b", books);
    books = peers_enter(peers, "a");
    peers_count(books, PEERS_BYTES, 1);
    peers_leave(peers, "a", books); /* so that b left first */
    assert_int_equal(value("a", PEERS_BYTES), 2);
    assert_int_equal(value("a", PEERS_OPENED), 2);
    books = peers_enter(peers, "c");
    peers_count(books, PEERS_BYTES, 300);
    assert_int_equal(value("b", PEERS_BYTES), -1);
    assert_int_equal(value("c", PEERS_BYTES), 300);
    assert_int_equal(value("a", PEERS_BYTES), 2);
    assert_int_equal(value("other", PEERS_BYTES), 20);
    assert_int_equal(value("other", PEERS_OPENED), 1);
    peers_leave(peers, "c", books);
    peers_destroy(peers);
}

/* None at all: only the sessions are known. */
static void test_no_places(void **state)
{
    struct peers *peers = peers_create(0, NULL, NULL);

    (void)state;
    peers_begin(peers);
    assert_null(peers_enter(peers, "a"));
    peers_count(NULL, PEERS_BYTES, 1);
    assert_int_equal(peers_sessions(peers, "a"), 1);
    peers_leave(peers, "a", NULL);
    assert_int_equal(peers_sessions(peers, "a"), 0);
    peers_destroy(peers);
    peers_destroy(NULL);
}

#define THREADS 4
#define TURNS   5000

static void *come_and_go(void *argument)
{
    struct peers *peers = argument;

    for (unsigned i = 0; i < TURNS; i++) {
        struct peers_books *books;
        char key[16];

        snprintf(key, sizeof key, "peer%u", i % 7);
        books = peers_enter(peers, key);
        peers_count(books, PEERS_RECEIVED, 3);
        peers_leave(peers, key, books);
    }
    return NULL;
}

static void test_sum_with_threads(void **state)
{
    struct peers *peers = create();
    pthread_t threads[THREADS];
    uint64_t received = 0, opened = 0, sessions = 0;

    (void)state;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, peers), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i <= PLACES; i++) {
        received += shown[i].books->counters[PEERS_RECEIVED];
        opened += shown[i].books->counters[PEERS_OPENED];
        sessions += shown[i].books->counters[PEERS_SESSIONS];
    }
    assert_int_equal(received, 3 * THREADS * TURNS);
    assert_int_equal(opened, THREADS * TURNS);
    assert_int_equal(sessions, 0);
    peers_destroy(peers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bound),
        cmocka_unit_test(test_reclaim),
        cmocka_unit_test(test_no_places),
        cmocka_unit_test(test_sum_with_threads),
    };

    return cmocka_run_group_tests_name("peers", tests, NULL, NULL);
}
