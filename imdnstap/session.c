/* session.c - see session.h.
 *
 * One read per event and session: a fast producer does not starve the others. A read goes into the thread's
 * buffer; what is left of it (the beginning of a frame) is kept in a buffer of the frame's size, into
 * which the next read goes directly, so that slow senders cost no more than their octets. What is whole in a
 * read is counted, also when the inputs end meanwhile: nobody else knows of it any more.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "config.h"

#include "session.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "intake.h"
#include "printable.h"
#include "session_io.h"
#include "tls.h"

enum outcome { KEEP, CLOSE };

/* A read may hold thousands of frames, and wait for a queue: impstats sees it go on. */
#define TALLY_FRAMES 64

struct session *session_create(struct source *source, int fd, const struct peer *peer,
                               const char *host)
{
    struct session *session = calloc(1, sizeof *session);

    if (session) {
        session->handler.fd = fd;
        session->source = source;
        session->peer = *peer;
        session->stream = fs_create(source->config->framing, source->config->max_frame);
        session->peer_context = source->callbacks->peer_open(source->config->owner, &session->peer);
        if (source->tls)
            session->tls = tls_open(source->tls, fd, host);
    }
    if (!session || !session->stream || !session->peer_context || (source->tls && !session->tls)) {
        source_count(source, COUNT_OPEN_FAILED, 1);
        source_log_peer(source, SOURCE_ERROR, ENOMEM, "no memory for a session of %s", peer->text);
        if (session) {
            if (session->peer_context)
                source->callbacks->peer_close(source->config->owner, session->peer_context);
            tls_close(session->tls);
            fs_destroy(&session->stream);
            free(session);
        }
        close(fd);
        return NULL;
    }
    atomic_fetch_add(&source->sessions, 1);
    if (source->peers)
        session->books = peers_enter(source->peers, session->peer.key);
    source_count(source, COUNT_OPENED, 1);
    return session;
}

/* What came since, once per read. */
static void tell_books(struct session *session)
{
    peers_count(session->books, PEERS_RECEIVED, session->frames - session->frames_told);
    peers_count(session->books, PEERS_BYTES, session->octets - session->octets_told);
    session->frames_told = session->frames;
    session->octets_told = session->octets;
}

void session_destroy(struct session *session)
{
    struct source *source;

    if (!session)
        return;
    source = session->source;
    tls_close(session->tls);
    close(session->handler.fd);
    fs_destroy(&session->stream);
    free(session->pending);
    source->callbacks->peer_close(source->config->owner, session->peer_context);
    atomic_fetch_sub(&source->sessions, 1);
    if (source->peers) {
        tell_books(session);
        peers_leave(source->peers, session->peer.key, session->books);
    }
    source_count(source, COUNT_CLOSED, 1);
    free(session);
}

void session_end(struct loop_thread *thread, struct session *session)
{
    if (thread->context) /* frames of this peer may wait for others */
        thread->loop->callbacks->flush(thread->context);
    loop_unwatch(thread, &session->handler);
    if (session->prev)
        session->prev->next = session->next;
    else
        thread->sessions = session->next;
    if (session->next)
        session->next->prev = session->prev;
    if (session->closed)
        session->closed(session->closed_data, session);
    session_destroy(session);
}

/* Between START and STOP. PowerDNS's framing has neither: a peer there may be silent from the beginning. */
static bool is_through(const struct session *session)
{
    return fs_started(session->stream) ||
           (session->source->config->framing == FS_FRAMING_LENGTH16 &&
            (!session->tls || tls_ready(session->tls)));
}

/* Silence is limited by handshaketimeout, and once it is through by idletimeout. */
static void set_deadline(struct session *session, uint64_t now_ms)
{
    const struct source_config *config = session->source->config;
    unsigned timeout_ms =
        is_through(session) ? config->idle_timeout_ms : config->handshake_timeout_ms;

    session->deadline_ms = timeout_ms ? now_ms + timeout_ms : 0;
}

static enum outcome reply(struct loop_thread *thread, struct session *session)
{
    struct span answer = fs_reply(session->stream);

    if (answer.len > sizeof session->out - session->out_len) {
        source_log_peer(session->source, SOURCE_WARNING, 0,
                        "%s closed: it reads none of our answers", session->peer.text);
        return CLOSE;
    }
    memcpy(session->out + session->out_len, answer.ptr, answer.len);
    session->out_len += answer.len;
    session_io_send(thread, session);
    return KEEP;
}

static void refuse(struct session *session, struct cursor input)
{
    struct source *source = session->source;
    enum fs_error error = fs_error(session->stream);
    const char *text = fs_error_text(error);
    char type[64];

    if (!session->counted_start)
        source_count(source, COUNT_HANDSHAKES_FAILED, 1);
    switch (error) {
    case FS_ERROR_NOT_STREAM:
    case FS_ERROR_NOT_LENGTH16: {
        size_t len = cursor_left(&input);

        source_log_peer(source, SOURCE_WARNING, 0, "%s refused: %s; it speaks %s",
                        session->peer.text, text,
                        fs_guess_protocol(span_of(input.pos, len < 16 ? len : 16)));
        break;
    }
    case FS_ERROR_CONTENT_TYPE:
        printable(fs_error_content_type(session->stream), type, sizeof type);
        source_log_peer(source, SOURCE_WARNING, 0, "%s refused: %s but \"%s\"", session->peer.text,
                        text, type);
        break;
    case FS_ERROR_FRAME_SIZE:
        source_count(source, COUNT_RECEIVED, 1);
        source_count(source, COUNT_INVALID, 1);
        peers_count(session->books, PEERS_RECEIVED, 1);
        peers_count(session->books, PEERS_INVALID, 1);
        source_log_peer(source, SOURCE_WARNING, 0, "%s closed: %s: %u octets, maxframesize is %zu",
                        session->peer.text, text, fs_error_size(session->stream),
                        source->config->max_frame);
        break;
    default:
        source_log_peer(source, SOURCE_WARNING, 0, "%s closed: %s, after %llu octets",
                        session->peer.text, text, (unsigned long long)session->octets);
    }
}

static void started(struct session *session)
{
    char name[sizeof session->peer.tls_name];

    if (!session->counted_start) {
        printable(span_of(session->peer.tls_name, strlen(session->peer.tls_name)), name,
                  sizeof name);
        source_log_peer(session->source, SOURCE_INFO, 0, "session with %s opened%s%s",
                        session->peer.text, *name ? ", certificate of " : "", name);
    }
    session->counted_start = true;
    session->ended = false;
}

/* Takes what is whole. Ends: each turn takes octets or reports one of a bounded number of states. */
static enum outcome feed(struct loop_thread *thread, struct session *session, struct cursor *input,
                         uint64_t now_ms)
{
    struct span frame;

    for (unsigned frames = 0;;) {
        switch (fs_next(session->stream, input, &frame)) {
        case FS_MORE:
            return KEEP;
        case FS_FRAME:
            session->frames++;
            intake_frame(thread, session->source, session->peer_context, frame, now_ms);
            if (++frames % TALLY_FRAMES == 0)
                intake_tally(thread, session->source);
            break;
        case FS_REPLY:
            if (reply(thread, session) == CLOSE)
                return CLOSE;
            break;
        case FS_START:
            started(session);
            break;
        case FS_STOP:
            session->ended = true;
            break;
        case FS_ERROR:
            refuse(session, *input);
            return CLOSE;
        }
    }
}

/* Keeps the beginning of an item for the next read. */
static enum outcome keep(struct session *session, struct cursor rest)
{
    size_t left = cursor_left(&rest);
    size_t need = fs_need(session->stream, span_of(rest.pos, left));

    session->head_len = 0;
    if (need <= sizeof session->head) {
        if (left > sizeof session->head)
            return CLOSE; /* cannot be: a length is known from eight octets */
        if (left)
            memcpy(session->head, rest.pos, left);
        session->head_len = left;
        return KEEP;
    }
    session->pending = malloc(need);
    if (!session->pending) {
        source_log_peer(session->source, SOURCE_ERROR, ENOMEM, "%s closed: no memory for a frame",
                        session->peer.text);
        return CLOSE;
    }
    memcpy(session->pending, rest.pos, left);
    session->pending_len = left;
    session->need = need;
    return KEEP;
}

/* The end of the connection, by the peer or by an error. */
static enum outcome gone(struct session *session, int error)
{
    struct source *source = session->source;
    size_t partial = session->head_len + session->pending_len;

    if (session->tls && error == EPROTO) {
        source_count(source, COUNT_HANDSHAKES_FAILED, !session->counted_start);
        source_log_peer(source, SOURCE_WARNING, 0, "%s refused: %s", session->peer.text,
                        tls_error(session->tls));
    } else if (!session->counted_start) {
        source_count(source, COUNT_HANDSHAKES_FAILED, 1);
        if (session->octets || session->closed) /* probes of our ports are not worth a line */
            source_log_peer(source, SOURCE_WARNING, error,
                            "%s closed its connection within the handshake, after %llu octets",
                            session->peer.text, (unsigned long long)session->octets);
    } else if (partial) {
        source_log_peer(source, SOURCE_WARNING, error,
                        "%s closed its connection within a frame: %zu octets of it came",
                        session->peer.text, partial);
    } else {
        source_log_peer(source, SOURCE_INFO, session->ended ? 0 : error,
                        "session with %s closed%s, %llu frames", session->peer.text,
                        session->ended ? "" : " without STOP", (unsigned long long)session->frames);
    }
    return CLOSE;
}

/* The read completed what was pending, or not. */
static enum outcome feed_pending(struct loop_thread *thread, struct session *session,
                                 size_t *octets, uint64_t now_ms)
{
    size_t missing = session->need - session->pending_len;
    struct cursor input;
    enum outcome outcome;

    if (*octets < missing) {
        session->pending_len += *octets;
        *octets = 0;
        return KEEP;
    }
    *octets -= missing;
    input = cursor_of(span_of(session->pending, session->need));
    session->pending_len = 0;
    outcome = feed(thread, session, &input, now_ms);
    free(session->pending);
    session->pending = NULL;
    return outcome;
}

/* Once after the handshake: frames from now on carry the certificate's name. False: no memory. */
static bool tell_tls_peer(struct session *session)
{
    const struct source_callbacks *callbacks = session->source->callbacks;
    void *owner = session->source->config->owner, *context;

    if (!session->tls || session->tls_told || !tls_ready(session->tls))
        return true;
    session->tls_told = true;
    snprintf(session->peer.tls_name, sizeof session->peer.tls_name, "%s",
             tls_peer_name(session->tls));
    context = callbacks->peer_open(owner, &session->peer);
    if (!context)
        return false;
    callbacks->peer_close(owner, session->peer_context);
    session->peer_context = context;
    return true;
}

static enum outcome read_once(struct loop_thread *thread, struct session *session)
{
    uint64_t now_ms = source_now_ms();
    ssize_t got = session_io_receive(session, thread->buffer);
    size_t octets = got > 0 ? (size_t)got : 0;
    struct cursor input;

    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        if (session->tls)
            session_io_watch(thread, session);
        if (!session->counted_start && is_through(session))
            set_deadline(session, now_ms);
        return KEEP;
    }
    if (got > 0 && !tell_tls_peer(session))
        return CLOSE;
    if (got <= 0)
        return gone(session, got < 0 ? errno : 0);
    session->octets += octets;
    source_count(session->source, COUNT_BYTES, octets);
    if (session->pending && feed_pending(thread, session, &octets, now_ms) == CLOSE)
        return CLOSE;
    if (!session->pending) {
        input = cursor_of(span_of(thread->buffer, session->head_len + octets));
        if (feed(thread, session, &input, now_ms) == CLOSE || keep(session, input) == CLOSE)
            return CLOSE;
    }
    if (is_through(session) || session->deadline_ms == 0)
        set_deadline(session, now_ms);
    return KEEP;
}

static void ready(struct loop_thread *thread, struct handler *handler, uint32_t events)
{
    struct session *session = (struct session *)handler;
    enum outcome outcome = KEEP;

    if (events & EPOLLOUT)
        session_io_send(thread, session);
    if (session->tls || events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        outcome = read_once(thread, session);
    /* An end of TLS that came right behind its last octets: no event will tell. */
    if (outcome == KEEP && session->tls && tls_is_over(session->tls))
        outcome = read_once(thread, session);
    if (outcome == KEEP)
        thread->held_ms = thread->loop->callbacks->settle(thread->context);
    intake_tally(thread, session->source);
    tell_books(session);
    if (outcome == CLOSE)
        session_end(thread, session);
}

static void begin(struct loop_thread *thread, struct session *session)
{
    session->handler.ready = ready;
    session->next = thread->sessions;
    if (session->next)
        session->next->prev = session;
    thread->sessions = session;
    set_deadline(session, source_now_ms());
    if (!loop_watch(thread, &session->handler, EPOLLIN | (session->tls ? EPOLLOUT : 0))) {
        source_count(session->source, COUNT_OPEN_FAILED, 1);
        source_log_peer(session->source, SOURCE_ERROR, errno, "%s: cannot watch its connection",
                        session->peer.text);
        session_end(thread, session);
    }
}

void session_adopt(struct loop_thread *thread, struct session *session)
{
    pthread_mutex_lock(&thread->inbox_mutex);
    session->next = thread->inbox;
    thread->inbox = session;
    pthread_mutex_unlock(&thread->inbox_mutex);
    loop_thread_wake(thread);
}

void session_begin_adopted(struct loop_thread *thread)
{
    struct session *session, *next;

    pthread_mutex_lock(&thread->inbox_mutex);
    session = thread->inbox;
    thread->inbox = NULL;
    pthread_mutex_unlock(&thread->inbox_mutex);
    for (; session; session = next) {
        next = session->next;
        session->next = NULL;
        begin(thread, session);
    }
}

static bool has_octets(const struct session *session)
{
    struct pollfd fd = {.fd = session->handler.fd, .events = POLLIN};

    return poll(&fd, 1, 0) > 0;
}

void session_check(struct loop_thread *thread, struct session *session, uint64_t now_ms)
{
    if (session->deadline_ms == 0 || now_ms < session->deadline_ms)
        return;
    if (has_octets(session)) { /* it is not late, this thread is: it waited for a queue */
        set_deadline(session, now_ms);
        return;
    }
    if (!session->counted_start && !is_through(session)) {
        source_count(session->source, COUNT_HANDSHAKES_FAILED, 1);
        source_log_peer(session->source, SOURCE_WARNING, 0,
                        "%s closed: no handshake within handshaketimeout (%u ms)",
                        session->peer.text, session->source->config->handshake_timeout_ms);
    } else {
        source_log_peer(session->source, SOURCE_INFO, 0, "%s closed: %s, %llu frames",
                        session->peer.text, session->ended ? "stayed after STOP" : "idle",
                        (unsigned long long)session->frames);
    }
    session_end(thread, session);
}
