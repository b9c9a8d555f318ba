/* server.c - see server.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "config.h"

#include "server.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "dial.h"
#include "listener.h"
#include "loop.h"
#include "session.h"
#include "tail.h"

struct server {
    struct loop loop; /* first: its threads get no other pointer */
    struct source *sources;
    struct listener *listeners;
    struct dialer *dialers;
    struct tail *tails;
};

static void check(struct loop_thread *thread, uint64_t now_ms)
{
    struct server *server = (struct server *)thread->loop;
    struct session *next;

    for (struct session *session = thread->sessions; session; session = next) {
        next = session->next;
        session_check(thread, session, now_ms);
    }
    if (thread != server->loop.threads)
        return;
    for (struct listener *l = server->listeners; l; l = l->next)
        listener_check(thread, l);
    for (struct source *source = server->sources; source; source = source->next)
        source_check_lines(source, false);
}

static const struct loop_calls calls = {.woken = session_begin_adopted, .check = check};

struct server *server_create(const struct source_callbacks *callbacks, unsigned threads)
{
    struct server *server = calloc(1, sizeof *server);

    if (server && !loop_open(&server->loop, callbacks, &calls, threads))
        server_destroy(&server);
    return server;
}

static bool open_source(struct server *server, struct source *source)
{
    const struct source_config *config = source->config;
    struct dialer *dialer;
    struct tail *tail;

    if (config->file) {
        tail = tail_open(&server->loop, source);
        if (!tail)
            return false;
        tail->next = server->tails;
        server->tails = tail;
        return true;
    }
    if (config->connect) {
        dialer = dial_open(&server->loop, source);
        if (!dialer)
            return false;
        dialer->next = server->dialers;
        server->dialers = dialer;
        return true;
    }
    return listener_open(source, &server->listeners);
}

struct source *server_add(struct server *server, const struct source_config *config)
{
    struct source *source = source_create(server->loop.callbacks, config);
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

bool server_start(struct server *server)
{
    bool ok;

    for (struct listener *l = server->listeners; l; l = l->next)
        if (!listener_begin(server->loop.threads, l))
            source_log(l->source, SOURCE_ERROR, errno, "cannot watch its listener");
    ok = loop_start(&server->loop);
    for (struct dialer *dialer = server->dialers; dialer; dialer = dialer->next)
        ok = ok && loop_thread_start(&dialer->thread, dial_run);
    for (struct tail *tail = server->tails; tail; tail = tail->next)
        ok = ok && loop_thread_start(&tail->thread, tail_run);
    if (!ok)
        server_stop(server);
    return ok;
}

static void end_sessions(struct loop_thread *thread)
{
    if (thread->inbox)
        session_begin_adopted(thread);
    while (thread->sessions)
        session_end(thread, thread->sessions);
}

void server_halt(struct server *server)
{
    atomic_store(&server->loop.stopping, true);
}

/* Listeners go before sessions: a producer that lost its session and does without a handshake would else
 * connect again at once, and send into a connection that nobody accepts. */
void server_stop(struct server *server)
{
    server_halt(server);
    for (struct tail *tail = server->tails; tail; tail = tail->next)
        loop_thread_stop(&tail->thread);
    for (struct dialer *dialer = server->dialers; dialer; dialer = dialer->next)
        loop_thread_stop(&dialer->thread);
    loop_stop(&server->loop);
    while (server->listeners) {
        struct listener *listener = server->listeners;

        server->listeners = listener->next;
        listener_destroy(listener);
    }
    for (unsigned i = 0; i < server->loop.thread_count; i++)
        end_sessions(&server->loop.threads[i]);
}

void server_destroy(struct server **server)
{
    struct server *s;

    if (!server || !*server)
        return;
    s = *server;
    server_stop(s);
    loop_destroy(&s->loop);
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
