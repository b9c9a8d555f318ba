/* server.h - threads with an event loop each, and what runs in them.
 *
 * Calling pattern:
 *
 *     server = server_create(&callbacks, threads);
 *     server_add(server, &config) ...     binds and listens; nothing is accepted yet
 *     server_start(server);
 *     server_stop(server);                from another thread; returns when all threads have ended
 *                                         and sockets are closed and removed
 *     server_destroy(&server);
 *
 * Listeners live in the first thread; sessions are spread over all. Each file source and
 * each dialer has a thread of its own. What is blocked in a callback (a full queue) stops the reading of
 * its thread, and so, by TCP or the socket buffer, the producers.
 *
 * No rsyslog here. Each thread owns its sessions; they are handed over by a locked inbox.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SERVER_H
#define SERVER_H

#include "source.h"

#define SERVER_THREADS_MAX 64
/* Octets that one read takes at most. */
#define SERVER_READ_SIZE   (256 * 1024)

struct peer {
    char address[64];         /* "192.0.2.1"; 127.0.0.1 for what is local */
    bool local;               /* unix socket or file */
    char key[PEERS_KEY_SIZE]; /* whose counters: the address, "uid:0" on a unix socket */
    char text[192];           /* for the log: "192.0.2.1 port 4711", "pid 12 uid 0" */
    char tls_name[256];       /* of a verified certificate, else empty */
};

/* All may be called in several threads at once. `owner` is the source_config's. */
struct server_callbacks {
    void *(*thread_begin)(void); /* NULL: no memory */
    void (*thread_end)(void *thread);
    void *(*peer_open)(void *owner, const struct peer *peer); /* NULL: no memory */
    void (*peer_close)(void *owner, void *peer);
    /* May one more frame pass a limit of the owner's? Only with rate_named. */
    bool (*admits)(void *owner, uint64_t now_ms);
    /* Takes a frame into the thread's batch. False: no memory, it is gone. May block.
     * glance: NULL when it is no dnstap. */
    bool (*frame)(void *thread, void *owner, void *peer, struct span frame,
                  const struct dnstap_glance *glance);
    /* The end of a read: hands on what need not wait for more. May block. Returns the milliseconds
     * until it is to be called again at the latest; 0: nothing waits. */
    unsigned (*settle)(void *thread);
    /* Hands everything on. May block. Before a peer is closed. */
    void (*flush)(void *thread);
    void (*log)(enum source_level level, int error, const char *line);
    const struct peers_callbacks *peers;
};

struct server {
    const struct server_callbacks *callbacks;
    unsigned thread_count;
    struct server_thread *threads;
    struct source *sources;
    struct listener *listeners;
    struct dialer *dialers;
    struct tail *tails;
    atomic_bool stopping;
    atomic_uint next_thread;
};

/* The first member of everything that sits in an event loop. */
struct handler {
    int fd;
    void (*ready)(struct server_thread *thread, struct handler *handler, uint32_t events);
};

struct session;

struct server_thread {
    struct server *server;
    pthread_t id;
    bool started;
    int epoll;
    struct handler waker;
    void *context;   /* the callbacks' own */
    uint8_t *buffer; /* SERVER_READ_SIZE, and room for the start of an item before it */
    struct session *sessions;
    pthread_mutex_t inbox_mutex;
    struct session *inbox; /* handed over, not yet begun */
    uint64_t next_check_ms;
    unsigned held_ms;          /* settle's last answer */
    uint64_t tally[COUNT_MAX]; /* of the source that has its turn */
};

/* NULL: no memory or no file descriptors (errno). callbacks outlives the server. */
struct server *server_create(const struct server_callbacks *callbacks, unsigned threads);
/* Opens a source. False: it cannot run, and one line has said why. */
struct source *server_add(struct server *server, const struct source_config *config);
bool server_start(struct server *server);
void server_stop(struct server *server);
void server_destroy(struct server **server);
/* Certificates are read again. */
void server_reload(struct server *server);

/* Threads beside the server's own, for dialers and files: open, start, stop (any number of times),
 * destroy. run gets the thread. A wait ends at once when server_stop wakes it. */
bool server_thread_open(struct server *server, struct server_thread *thread);
bool server_thread_start(struct server_thread *thread, void *(*run)(void *));
void server_thread_stop(struct server_thread *thread);
void server_thread_destroy(struct server_thread *thread);
void server_thread_wake(struct server_thread *thread);
/* Until woken, or fd (-1: none) is readable, or the time is over. */
void server_thread_wait(struct server_thread *thread, int fd, int timeout_ms);

/* For what sits in the event loop. */
bool server_watch(struct server_thread *thread, struct handler *handler, uint32_t events);
void server_rewatch(struct server_thread *thread, struct handler *handler, uint32_t events);
void server_unwatch(struct server_thread *thread, struct handler *handler);
/* The thread that is to run a new session. */
struct server_thread *server_pick(struct server *server);
void server_adopt(struct server_thread *thread, struct session *session);

static inline bool server_stopping(const struct server *server)
{
    return atomic_load_explicit(&server->stopping, memory_order_relaxed);
}

#endif
