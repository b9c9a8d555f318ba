/* server.h - all inputs: their sources, and the threads that run them.
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
 * No rsyslog here.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SERVER_H
#define SERVER_H

#include "source.h"

#define SERVER_THREADS_MAX 64

struct server;

/* NULL: no memory or no file descriptors (errno). callbacks outlives the server. */
struct server *server_create(const struct source_callbacks *callbacks, unsigned threads);
/* Opens a source. False: it cannot run, and one line has said why. */
struct source *server_add(struct server *server, const struct source_config *config);
bool server_start(struct server *server);
/* Its threads end as soon as they can; from any thread. server_stop waits for them. */
void server_halt(struct server *server);
void server_stop(struct server *server);
void server_destroy(struct server **server);
/* Certificates are read again. */
void server_reload(struct server *server);

#endif
