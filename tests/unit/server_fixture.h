/* server_fixture.h - for the tests of the server: one on a unix socket in a directory of its own, and what its
 * callbacks were told.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SERVER_FIXTURE_H
#define SERVER_FIXTURE_H

#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../../imdnstap/server.h"

/* What a test adds to a frame's way: called in the session's turn. */
static void (*on_frame)(void);

/* What the callbacks were told. */
static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    size_t frames, lines;
    size_t last_len;
    uint8_t last[64];
    char line[512], former[512];
} seen = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static int token;

static inline void *thread_begin(void)
{
    return &token;
}

static inline void thread_end(void *thread)
{
    (void)thread;
}

static inline void *peer_open(void *owner, const struct peer *peer)
{
    (void)owner;
    return peer->local ? &token : NULL;
}

static inline void peer_close(void *owner, void *peer)
{
    (void)owner;
    (void)peer;
}

static inline bool take_frame(void *thread, void *owner, void *peer, struct span frame,
                              const struct dnstap_glance *glance)
{
    (void)thread;
    (void)owner;
    (void)peer;
    (void)glance;
    if (on_frame)
        on_frame();
    pthread_mutex_lock(&seen.mutex);
    seen.frames++;
    seen.last_len = frame.len < sizeof seen.last ? frame.len : sizeof seen.last;
    memcpy(seen.last, frame.ptr, seen.last_len);
    pthread_cond_broadcast(&seen.changed);
    pthread_mutex_unlock(&seen.mutex);
    return true;
}

static inline unsigned settle(void *thread)
{
    (void)thread;
    return 0;
}

static inline void flush(void *thread)
{
    (void)thread;
}

static inline void log_line(enum source_level level, int error, const char *line)
{
    (void)error;
    if (level == SOURCE_INFO)
        return;
    pthread_mutex_lock(&seen.mutex);
    seen.lines++;
    memcpy(seen.former, seen.line, sizeof seen.former);
    snprintf(seen.line, sizeof seen.line, "%s", line);
    pthread_cond_broadcast(&seen.changed);
    pthread_mutex_unlock(&seen.mutex);
}

static const struct source_callbacks callbacks = {.thread_begin = thread_begin,
                                                  .thread_end = thread_end,
                                                  .peer_open = peer_open,
                                                  .peer_close = peer_close,
                                                  .frame = take_frame,
                                                  .settle = settle,
                                                  .flush = flush,
                                                  .log = log_line};

/* Waits until *value reaches `want`; false after ten seconds. */
static inline bool await(const size_t *value, size_t want)
{
    struct timespec end;
    bool reached;

    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += 10;
    pthread_mutex_lock(&seen.mutex);
    while (*value < want && pthread_cond_timedwait(&seen.changed, &seen.mutex, &end) == 0)
        ;
    reached = *value >= want;
    pthread_mutex_unlock(&seen.mutex);
    return reached;
}

struct fixture {
    char directory[32], path[64];
    struct source_config config;
    struct server *server;
    struct source *source;
};

static inline int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    memcpy(f->directory, "/tmp/test_server.XXXXXX", sizeof "/tmp/test_server.XXXXXX");
    if (!mkdtemp(f->directory))
        return -1;
    snprintf(f->path, sizeof f->path, "%s/s", f->directory);
    f->config = (struct source_config){.name = "t",
                                       .path = f->path,
                                       .unlink = true,
                                       .mode = 0620,
                                       .uid = (uid_t)-1,
                                       .gid = (gid_t)-1,
                                       .max_frame = 1024,
                                       .max_sessions = 3,
                                       .handshake_timeout_ms = 5000};
    seen.frames = seen.lines = 0;
    on_frame = NULL;
    *state = f;
    return 0;
}

static inline void run_threads(struct fixture *f, unsigned threads)
{
    f->server = server_create(&callbacks, threads);
    assert_non_null(f->server);
    f->source = server_add(f->server, &f->config);
    assert_non_null(f->source);
    assert_true(server_start(f->server));
}

static inline void run(struct fixture *f)
{
    run_threads(f, 2);
}

static inline int tear_down(void **state)
{
    struct fixture *f = *state;

    server_destroy(&f->server);
    unlink(f->path);
    rmdir(f->directory);
    free(f);
    return 0;
}

static inline int dial_in(const struct fixture *f)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval limit = {.tv_sec = 10};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    memcpy(address.sun_path, f->path, sizeof f->path);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

#endif
