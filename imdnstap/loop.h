/* loop.h - threads with an event loop each, and what may sit in them.
 *
 * Calling pattern, for who owns a loop (server.c):
 *
 *     loop_open(&loop, &callbacks, &calls, count)     its threads, none of which runs yet
 *     loop_watch(loop.threads, &handler, EPOLLIN) ...
 *     loop_start(&loop);
 *     loop_stop(&loop);                               from another thread; all have ended then
 *     loop_destroy(&loop);                            behind a failure of loop_open too
 *
 * Each thread owns what sits in it. Sessions are handed over by a locked inbox; what they are and do is
 * not known here. What is blocked in a callback (a full queue) stops its thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LOOP_H
#define LOOP_H

#include "source.h"

/* Octets that one read takes at most (with TLS, too), and room for the start of an item before them. */
#define LOOP_READ_SIZE (256 * 1024)
#define LOOP_HEAD_SIZE 8

struct loop_thread;
struct session;

/* What the owner adds. Both are called in the thread. */
struct loop_calls {
    /* It was woken: there may be something in its inbox. */
    void (*woken)(struct loop_thread *thread);
    /* A few times a second. */
    void (*check)(struct loop_thread *thread, uint64_t now_ms);
};

struct loop {
    const struct source_callbacks *callbacks;
    const struct loop_calls *calls;
    unsigned thread_count;
    struct loop_thread *threads;
    atomic_bool stopping;
    atomic_uint next_thread;
};

/* The first member of everything that sits in an event loop. */
struct handler {
    int fd;
    void (*ready)(struct loop_thread *thread, struct handler *handler, uint32_t events);
};

struct loop_thread {
    struct loop *loop;
    pthread_t id;
    bool started;
    int epoll;
    struct handler waker;
    void *context;   /* the callbacks' own */
    uint8_t *buffer; /* LOOP_HEAD_SIZE + LOOP_READ_SIZE */
    struct session *sessions;
    pthread_mutex_t inbox_mutex;
    struct session *inbox; /* handed over, not yet begun */
    uint64_t next_check_ms;
    unsigned held_ms;          /* settle's last answer */
    uint64_t tally[COUNT_MAX]; /* of the source that has its turn */
};

/* callbacks and calls outlive the loop. False: no memory or no file descriptors (errno). */
bool loop_open(struct loop *loop, const struct source_callbacks *callbacks,
               const struct loop_calls *calls, unsigned count);
bool loop_start(struct loop *loop);
void loop_stop(struct loop *loop);
void loop_destroy(struct loop *loop);

/* Threads beside the loop's own, for dialers and files: open, start, stop (any number of times),
 * destroy. run gets the thread. A wait ends at once when loop_thread_stop wakes it. */
bool loop_thread_open(struct loop *loop, struct loop_thread *thread);
bool loop_thread_start(struct loop_thread *thread, void *(*run)(void *));
void loop_thread_stop(struct loop_thread *thread);
void loop_thread_destroy(struct loop_thread *thread); /* its sessions have ended */
void loop_thread_wake(struct loop_thread *thread);
/* Until woken, or fd (-1: none) is readable, or the time is over. */
void loop_thread_wait(struct loop_thread *thread, int fd, int timeout_ms);

/* For what sits in the event loop. */
bool loop_watch(struct loop_thread *thread, struct handler *handler, uint32_t events);
void loop_rewatch(struct loop_thread *thread, struct handler *handler, uint32_t events);
void loop_unwatch(struct loop_thread *thread, struct handler *handler);
/* The thread that is to run a new session. */
struct loop_thread *loop_pick(struct loop *loop);

static inline bool loop_stopping(const struct loop *loop)
{
    return atomic_load_explicit(&loop->stopping, memory_order_relaxed);
}

#endif
