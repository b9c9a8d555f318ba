/* peers.h - the peers of a source: how many sessions each of them has, and counters of a bounded number of them.
 *
 * A peer with counters of its own is "shown". There are places for so many; another one takes the place of that
 * which was gone first, and when all are there it is counted under "other". So are the counters of one that lost
 * its place: those of all places add up to what all peers sent.
 *
 * Concurrency: any thread; a mutex guards everything but the counters, which are atomic.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef PEERS_H
#define PEERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Peers that an input can be told to show. */
#define PEERS_MAX      1000
/* The first place. */
#define PEERS_OTHER    "other"
/* An address, or "uid:0". */
#define PEERS_KEY_SIZE 64

enum peers_counter {
    PEERS_SESSIONS,
    PEERS_OPENED,
    PEERS_RECEIVED,
    PEERS_INVALID,
    PEERS_BYTES,
    PEERS_COUNTERS
};

/* Their names in impstats, by number; PEERS_SESSIONS is how many there are, and not to be reset. */
extern const char *const peers_counter_names[PEERS_COUNTERS];

struct peers_books {
    _Atomic uint64_t counters[PEERS_COUNTERS];
};

/* What is told, under the mutex; for impstats. hidden: the place's counters are to be read no more. */
struct peers_callbacks {
    void (*shown)(void *owner, unsigned place, const char *key, struct peers_books *books);
    void (*hidden)(void *owner, unsigned place);
};

struct peers;

/* places: 0 to PEERS_MAX, without "other". NULL: no memory. callbacks (NULL: none) outlive it. */
struct peers *peers_create(unsigned places, const struct peers_callbacks *callbacks, void *owner);
void peers_destroy(struct peers *peers); /* takes NULL; tells nothing */

/* "other" is shown now, if there are places. */
void peers_begin(struct peers *peers);

/* A session begins: where to count what it sends, valid as long as `peers`. NULL: nowhere (no places, no memory). */
struct peers_books *peers_enter(struct peers *peers, const char *key);
/* And ends. books: what peers_enter gave. */
void peers_leave(struct peers *peers, const char *key, struct peers_books *books);

/* Cost is linear in the peers that have sessions. */
unsigned peers_sessions(struct peers *peers, const char *key);

static inline void peers_count(struct peers_books *books, enum peers_counter counter, uint64_t n)
{
    if (books && n)
        atomic_fetch_add_explicit(&books->counters[counter], n, memory_order_relaxed);
}

#endif
