/* session_io.h - a session's octets, from and to its socket, with TLS or without.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SESSION_IO_H
#define SESSION_IO_H

#include "session.h"

/* One read, of at most LOOP_READ_SIZE octets; as of read(2). They go to what is missing of `pending`, and from there
 * into buffer, which begins with the session's kept octets (head). */
ssize_t session_io_receive(struct session *session, uint8_t *buffer);
/* As much of `out` as the socket takes. */
void session_io_send(struct loop_thread *thread, struct session *session);
/* The events that it waits for now. */
void session_io_watch(struct loop_thread *thread, struct session *session);

#endif
