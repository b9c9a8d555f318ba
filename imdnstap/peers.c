/* peers.c - see peers.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "config.h"

#include "peers.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const peers_counter_names[PEERS_COUNTERS] = {
    [PEERS_SESSIONS] = "sessions",        [PEERS_OPENED] = "sessions.opened",
    [PEERS_RECEIVED] = "frames.received", [PEERS_INVALID] = "frames.invalid",
    [PEERS_BYTES] = "bytes.received",
};

/* One that has sessions. */
struct peer_present {
    struct peer_present *next;
    unsigned sessions;
    unsigned place;
    char key[PEERS_KEY_SIZE];
};

struct place {
    struct peers_books books;
    char key[PEERS_KEY_SIZE]; /* empty: nobody has had it yet */
    bool taken;               /* by a peer that has sessions */
    uint64_t left;            /* when that left, as a number that grows */
};

struct peers {
    const struct peers_callbacks *callbacks;
    void *owner;
    pthread_mutex_t mutex;
    struct peer_present *present;
    uint64_t departures;
    unsigned place_count; /* without the first, which is "other" */
    struct place places[];
};

struct peers *peers_create(unsigned places, const struct peers_callbacks *callbacks, void *owner)
{
    struct peers *peers = calloc(1, sizeof *peers + (places + 1) * sizeof peers->places[0]);

    if (!peers)
        return NULL;
    peers->place_count = places;
    peers->callbacks = callbacks;
    peers->owner = owner;
    pthread_mutex_init(&peers->mutex, NULL);
    return peers;
}

void peers_destroy(struct peers *peers)
{
    if (!peers)
        return;
    while (peers->present) {
        struct peer_present *next = peers->present->next;

        free(peers->present);
        peers->present = next;
    }
    pthread_mutex_destroy(&peers->mutex);
    free(peers);
}

static void show(struct peers *peers, unsigned place, const char *key)
{
    snprintf(peers->places[place].key, PEERS_KEY_SIZE, "%s", key);
    if (peers->callbacks)
        peers->callbacks->shown(peers->owner, place, key, &peers->places[place].books);
}

void peers_begin(struct peers *peers)
{
    pthread_mutex_lock(&peers->mutex);
    if (peers->place_count)
        show(peers, 0, PEERS_OTHER);
    pthread_mutex_unlock(&peers->mutex);
}

/* What the place counted goes to "other". */
static void vacate(struct peers *peers, unsigned place)
{
    struct place *from = &peers->places[place], *other = &peers->places[0];

    if (peers->callbacks)
        peers->callbacks->hidden(peers->owner, place);
    for (int i = 0; i < PEERS_COUNTERS; i++)
        peers_count(&other->books, i, atomic_exchange(&from->books.counters[i], 0));
}

/* The one that the peer had, one that nobody had, that which is empty for longest, or 0. */
static unsigned find_place(struct peers *peers, const char *key)
{
    unsigned best = 0;

    for (unsigned i = 1; i <= peers->place_count; i++) {
        struct place *place = &peers->places[i];

        if (strcmp(place->key, key) == 0)
            return i;
        if (!place->taken && (best == 0 || place->left < peers->places[best].left))
            best = i; /* `left` is 0 where nobody was */
    }
    if (best == 0)
        return 0;
    if (*peers->places[best].key)
        vacate(peers, best);
    show(peers, best, key);
    return best;
}

static struct peer_present **find_present(struct peers *peers, const char *key)
{
    struct peer_present **at = &peers->present;

    while (*at && strcmp((*at)->key, key) != 0)
        at = &(*at)->next;
    return at;
}

static struct peer_present *add_present(struct peers *peers, const char *key)
{
    struct peer_present *peer = calloc(1, sizeof *peer);

    if (!peer)
        return NULL;
    snprintf(peer->key, sizeof peer->key, "%s", key);
    peer->place = find_place(peers, peer->key);
    peers->places[peer->place].taken = true;
    peer->next = peers->present;
    peers->present = peer;
    return peer;
}

struct peers_books *peers_enter(struct peers *peers, const char *key)
{
    struct peers_books *books = NULL;
    struct peer_present *peer;

    pthread_mutex_lock(&peers->mutex);
    peer = *find_present(peers, key);
    if (!peer)
        peer = add_present(peers, key);
    if (peer)
        peer->sessions++;
    if (peers->place_count)
        books = &peers->places[peer ? peer->place : 0].books;
    peers_count(books, PEERS_SESSIONS, 1);
    peers_count(books, PEERS_OPENED, 1);
    pthread_mutex_unlock(&peers->mutex);
    return books;
}

void peers_leave(struct peers *peers, const char *key, struct peers_books *books)
{
    struct peer_present **at, *peer;

    pthread_mutex_lock(&peers->mutex);
    if (books)
        atomic_fetch_sub_explicit(&books->counters[PEERS_SESSIONS], 1, memory_order_relaxed);
    at = find_present(peers, key);
    peer = *at;
    if (peer && --peer->sessions == 0) {
        peers->places[peer->place].taken = false;
        peers->places[peer->place].left = ++peers->departures;
        *at = peer->next;
        free(peer);
    }
    pthread_mutex_unlock(&peers->mutex);
}

unsigned peers_sessions(struct peers *peers, const char *key)
{
    struct peer_present *peer;
    unsigned sessions;

    pthread_mutex_lock(&peers->mutex);
    peer = *find_present(peers, key);
    sessions = peer ? peer->sessions : 0;
    pthread_mutex_unlock(&peers->mutex);
    return sessions;
}
