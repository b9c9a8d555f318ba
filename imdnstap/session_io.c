/* session_io.c - see session_io.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "config.h"

#include "session_io.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "tls.h"

void session_io_watch(struct loop_thread *thread, struct session *session)
{
    bool writes = session->out_len || (session->tls && tls_wants_write(session->tls));

    loop_rewatch(thread, &session->handler, EPOLLIN | (writes ? EPOLLOUT : 0));
}

void session_io_send(struct loop_thread *thread, struct session *session)
{
    ssize_t sent = 0;

    if (session->out_len && session->tls)
        sent = tls_write(session->tls, session->out, session->out_len);
    else if (session->out_len)
        sent =
            send(session->handler.fd, session->out, session->out_len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
        if (errno == EAGAIN || errno == EINTR)
            sent = 0;
        else
            sent = (ssize_t)session->out_len; /* gone: what it sent before is still read */
    }
    memmove(session->out, session->out + sent, session->out_len - (size_t)sent);
    session->out_len -= (size_t)sent;
    session_io_watch(thread, session);
}

/* As readv, from TLS. Only whole records: no event tells of octets that OpenSSL has left of one, so a record is
 * begun only where all of it has room. Ends: each turn takes octets of that room. */
static ssize_t receive_tls(struct session *session, struct iovec parts[2], size_t room)
{
    size_t total = 0;

    while (room - total >= TLS_RECORD_MAX || (room > total && tls_pending(session->tls))) {
        struct iovec *part = &parts[parts[0].iov_len ? 0 : 1];
        ssize_t got = tls_read(session->tls, part->iov_base, part->iov_len);

        if (got <= 0)
            return total ? (ssize_t)total : got;
        part->iov_base = (uint8_t *)part->iov_base + got;
        part->iov_len -= (size_t)got;
        total += (size_t)got;
    }
    return (ssize_t)total;
}

ssize_t session_io_receive(struct session *session, uint8_t *buffer)
{
    size_t missing = session->pending ? session->need - session->pending_len : 0;
    size_t first = missing < LOOP_READ_SIZE ? missing : LOOP_READ_SIZE;
    struct iovec parts[2] = {
        {session->pending ? session->pending + session->pending_len : NULL, first},
        {buffer + session->head_len, LOOP_READ_SIZE - first}};

    memcpy(buffer, session->head, session->head_len);
    if (session->tls)
        return receive_tls(session, parts, LOOP_READ_SIZE);
    return readv(session->handler.fd, parts, 2);
}
