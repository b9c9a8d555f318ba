/* session.h - one connection: reads, feeds the Frame Streams machine, hands frames on.
 *
 * Memory: about 1 KiB, and at most one partial frame (max_frame) while that is being received.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SESSION_H
#define SESSION_H

#include "loop.h"

#define SESSION_REPLIES_MAX (4 * FS_REPLY_MAX)

struct session {
    struct handler handler;
    struct session *next, *prev;
    struct source *source;
    struct peer peer;
    void *peer_context; /* the callbacks' own */
    struct fs_stream *stream;
    struct tls_session *tls; /* NULL: none */
    bool tls_told;           /* its peer has been looked at after the handshake */
    bool counted_start;      /* has been through a handshake */
    bool ended;              /* STOP was the last that came */
    uint64_t frames, octets;
    uint64_t frames_told, octets_told; /* to the peer's books */
    struct peers_books *books;         /* NULL: none */
    uint64_t deadline_ms;              /* 0: none */

    /* The beginning of an item: its first octets, or `pending` once its length is known. */
    uint8_t head[LOOP_HEAD_SIZE];
    size_t head_len;
    uint8_t *pending; /* need octets, owned */
    size_t pending_len, need;

    uint8_t out[SESSION_REPLIES_MAX]; /* replies that the socket did not take yet */
    size_t out_len;

    void (*closed)(void *closed_data, struct session *session); /* for a dialer; may be NULL */
    void *closed_data;
};

/* Takes over fd (non-blocking); closes it on failure too. host: whom a dialer wants, for TLS.
 * NULL: no memory, counted and said.
 * The session belongs to the caller until session_adopt or session_destroy. */
struct session *session_create(struct source *source, int fd, const struct peer *peer,
                               const char *host);
/* Hands it over to a thread, from any other one. */
void session_adopt(struct loop_thread *thread, struct session *session);
/* In that thread: begins all that were handed over. */
void session_begin_adopted(struct loop_thread *thread);
/* Takes NULL. Closes the connection; the session is not in a thread's list (any more). */
void session_destroy(struct session *session);
/* Out of the thread, then destroyed. */
void session_end(struct loop_thread *thread, struct session *session);
/* Ends it if its time is over. */
void session_check(struct loop_thread *thread, struct session *session, uint64_t now_ms);

#endif
