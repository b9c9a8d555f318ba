/* server.c - see server.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "config.h"

#include "server.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "dial.h"
#include "listener.h"
#include "session.h"
#include "tail.h"

#define EVENTS_MAX 128
/* How often timeouts are looked at. */
#define CHECK_MS   250

bool server_watch(struct server_thread *thread, struct handler *handler, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = handler};

    return epoll_ctl(thread->epoll, EPOLL_CTL_ADD, handler->fd, &event) == 0;
}

void server_rewatch(struct server_thread *thread, struct handler *handler, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = handler};

    epoll_ctl(thread->epoll, EPOLL_CTL_MOD, handler->fd, &event);
}

void server_unwatch(struct server_thread *thread, struct handler *handler)
{
    epoll_ctl(thread->epoll, EPOLL_CTL_DEL, handler->fd, NULL);
}

void server_thread_wake(struct server_thread *thread)
{
    uint64_t one = 1;
    ssize_t written = write(thread->waker.fd, &one, sizeof one);

    (void)written; /* a full counter wakes as well */
}

/* Begins the sessions that other threads handed over. */
static void take_inbox(struct server_thread *thread)
{
    struct session *session, *next;

    pthread_mutex_lock(&thread->inbox_mutex);
    session = thread->inbox;
    thread->inbox = NULL;
    pthread_mutex_unlock(&thread->inbox_mutex);
    for (; session; session = next) {
        next = session->next;
        session->next = NULL;
        session_begin(thread, session);
    }
}

static void woken(struct server_thread *thread, struct handler *handler, uint32_t events)
{
    uint64_t count;
    ssize_t got = read(handler->fd, &count, sizeof count);

    (void)got;
    (void)events;
    take_inbox(thread);
}

void server_adopt(struct server_thread *thread, struct session *session)
{
    pthread_mutex_lock(&thread->inbox_mutex);
    session->next = thread->inbox;
    thread->inbox = session;
    pthread_mutex_unlock(&thread->inbox_mutex);
    server_thread_wake(thread);
}

struct server_thread *server_pick(struct server *server)
{
    return &server->threads[atomic_fetch_add(&server->next_thread, 1) % server->thread_count];
}

bool server_thread_open(struct server *server, struct server_thread *thread)
{
    thread->server = server;
    thread->waker.fd = -1;
    thread->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (thread->epoll < 0 || pthread_mutex_init(&thread->inbox_mutex, NULL) != 0)
        return false;
    thread->waker.ready = woken;
    thread->waker.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    thread->buffer = malloc(SERVER_READ_SIZE + sizeof((struct session *)0)->head);
    return thread->waker.fd >= 0 && thread->buffer && server_watch(thread, &thread->waker, EPOLLIN);
}

struct server *server_create(const struct server_callbacks *callbacks, unsigned threads)
{
    struct server *server = calloc(1, sizeof *server);

    if (!server)
        return NULL;
    server->callbacks = callbacks;
    server->thread_count = threads;
    server->threads = calloc(threads, sizeof *server->threads);
    for (unsigned i = 0; server->threads && i < threads; i++)
        server->threads[i].epoll = server->threads[i].waker.fd = -1;
    for (unsigned i = 0; server->threads && i < threads; i++) {
        if (server_thread_open(server, &server->threads[i]))
            continue;
        server_destroy(&server);
        return NULL;
    }
    if (!server->threads)
        server_destroy(&server);
    return server;
}

static bool open_source(struct server *server, struct source *source)
{
    const struct source_config *config = source->config;

    if (config->file)
        return tail_open(server, source);
    if (config->connect)
        return dial_open(server, source);
    return listener_open(server, source);
}

struct source *server_add(struct server *server, const struct source_config *config)
{
    struct source *source = source_create(server, config);
    char why[512];

    if (!source)
        return NULL;
    source->next = server->sources;
    server->sources = source;
    if (config->use_tls && !(source->tls = tls_create(&config->tls, why, sizeof why))) {
        source_log(source, SOURCE_ERROR, 0, "%s", why);
        return NULL;
    }
    return open_source(server, source) ? source : NULL;
}

static void check_times(struct server_thread *thread)
{
    uint64_t now_ms = source_now_ms();
    struct session *next;

    if (now_ms < thread->next_check_ms)
        return;
    thread->next_check_ms = now_ms + CHECK_MS;
    for (struct session *session = thread->sessions; session; session = next) {
        next = session->next;
        session_check(thread, session, now_ms);
    }
    if (thread != thread->server->threads)
        return;
    for (struct listener *l = thread->server->listeners; l; l = l->next)
        listener_check(thread, l);
    for (struct source *source = thread->server->sources; source; source = source->next)
        source_check_lines(source, false);
}

static void begin_listeners(struct server_thread *thread)
{
    for (struct listener *l = thread->server->listeners; l; l = l->next)
        if (!listener_begin(thread, l))
            source_log(l->source, SOURCE_ERROR, errno, "cannot watch its listener");
}

static void *run(void *argument)
{
    struct server_thread *thread = argument;
    struct server *server = thread->server;
    struct epoll_event events[EVENTS_MAX];

    if (thread == server->threads)
        begin_listeners(thread);
    while (!server_stopping(server)) {
        unsigned wait_ms =
            thread->held_ms && thread->held_ms < CHECK_MS ? thread->held_ms : CHECK_MS;
        int count = epoll_wait(thread->epoll, events, EVENTS_MAX, (int)wait_ms);

        for (int i = 0; i < count && !server_stopping(server); i++) {
            struct handler *handler = events[i].data.ptr;

            handler->ready(thread, handler, events[i].events);
        }
        if (thread->held_ms)
            thread->held_ms = server->callbacks->settle(thread->context);
        check_times(thread);
    }
    server->callbacks->flush(thread->context);
    return NULL;
}

/* Signals are rsyslogd's: none for these threads. */
bool server_thread_start(struct server_thread *thread, void *(*function)(void *))
{
    sigset_t all, before;
    int error;

    thread->context = thread->server->callbacks->thread_begin();
    if (!thread->context)
        return false;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&thread->id, NULL, function, thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    thread->started = error == 0;
    return thread->started;
}

void server_thread_stop(struct server_thread *thread)
{
    if (!thread->started)
        return;
    server_thread_wake(thread);
    pthread_join(thread->id, NULL);
    thread->started = false;
}

void server_thread_wait(struct server_thread *thread, int fd, int timeout_ms)
{
    struct pollfd fds[2] = {{.fd = thread->waker.fd, .events = POLLIN},
                            {.fd = fd, .events = POLLIN}};
    uint64_t count;
    ssize_t got;

    if (poll(fds, 2, timeout_ms) > 0 && fds[0].revents) {
        got = read(thread->waker.fd, &count, sizeof count);
        (void)got;
    }
}

bool server_start(struct server *server)
{
    bool ok = true;

    for (unsigned i = 0; i < server->thread_count; i++)
        ok = ok && server_thread_start(&server->threads[i], run);
    for (struct dialer *dialer = server->dialers; dialer; dialer = dialer->next)
        ok = ok && server_thread_start(&dialer->thread, dial_run);
    for (struct tail *tail = server->tails; tail; tail = tail->next)
        ok = ok && server_thread_start(&tail->thread, tail_run);
    if (!ok)
        server_stop(server);
    return ok;
}

static void end_sessions(struct server_thread *thread)
{
    if (thread->inbox)
        take_inbox(thread);
    while (thread->sessions)
        session_end(thread, thread->sessions);
}

/* Listeners go before sessions: a producer that lost its session and does without a handshake would else
 * connect again at once, and send into a connection that nobody accepts. */
void server_stop(struct server *server)
{
    atomic_store(&server->stopping, true);
    for (struct tail *tail = server->tails; tail; tail = tail->next)
        server_thread_stop(&tail->thread);
    for (struct dialer *dialer = server->dialers; dialer; dialer = dialer->next)
        server_thread_stop(&dialer->thread);
    for (unsigned i = 0; server->threads && i < server->thread_count; i++)
        if (server->threads[i].started)
            server_thread_wake(&server->threads[i]);
    for (unsigned i = 0; server->threads && i < server->thread_count; i++)
        server_thread_stop(&server->threads[i]);
    while (server->listeners) {
        struct listener *listener = server->listeners;

        server->listeners = listener->next;
        listener_destroy(listener);
    }
    for (unsigned i = 0; server->threads && i < server->thread_count; i++)
        end_sessions(&server->threads[i]);
}

void server_thread_destroy(struct server_thread *thread)
{
    end_sessions(thread);
    if (thread->context)
        thread->server->callbacks->thread_end(thread->context);
    if (thread->waker.fd >= 0)
        close(thread->waker.fd);
    if (thread->epoll >= 0)
        close(thread->epoll);
    free(thread->buffer);
}

void server_destroy(struct server **server)
{
    struct server *s;

    if (!server || !*server)
        return;
    s = *server;
    server_stop(s);
    for (unsigned i = 0; s->threads && i < s->thread_count; i++)
        server_thread_destroy(&s->threads[i]);
    while (s->dialers) {
        struct dialer *dialer = s->dialers;

        s->dialers = dialer->next;
        dial_destroy(dialer);
    }
    while (s->tails) {
        struct tail *tail = s->tails;

        s->tails = tail->next;
        tail_destroy(tail);
    }
    while (s->sources) {
        struct source *source = s->sources;

        s->sources = source->next;
        source_destroy(source);
    }
    free(s->threads);
    free(s);
    *server = NULL;
}

void server_reload(struct server *server)
{
    char why[512];

    for (struct source *source = server->sources; source; source = source->next) {
        if (!source->tls)
            continue;
        if (tls_reload(source->tls, why, sizeof why))
            source_log(source, SOURCE_INFO, 0, "certificates read again");
        else
            source_log(source, SOURCE_ERROR, 0, "the former certificates stay: %s", why);
    }
}
