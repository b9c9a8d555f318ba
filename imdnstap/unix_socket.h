/* unix_socket.h - a unix listening socket: made with its permissions, or inherited from systemd.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef UNIX_SOCKET_H
#define UNIX_SOCKET_H

#include "source.h"

/* Listens on config->path. A socket that nobody listens on is replaced (unlink="on").
 * -1 after one line that says why. */
int unix_socket_listen(struct source *source);

/* The descriptor that systemd passed to this process for config->path (sd_listen_fds(3)), or -1. One that does
 * not listen for streams is left alone, and a line says so. */
int unix_socket_inherited(struct source *source);

#endif
