/* listener.h - unix and TCP listening sockets of a source.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LISTENER_H
#define LISTENER_H

#include "loop.h"

/* Sockets that one host name and port may have (IPv4, IPv6, ...). */
#define LISTENER_MAX 16

struct listener {
    struct handler handler;
    struct source *source;
    struct listener *next;
    bool passed;  /* by systemd: not ours to remove */
    dev_t device; /* of the socket file that was made */
    ino_t inode;
    bool resting; /* out of file descriptors: not accepting until the next check */
    bool starved; /* and a line has said so; until all that wait are accepted */
};

/* Binds and listens; the listeners go to the front of *list. False after one line that says why. */
bool listener_open(struct source *source, struct listener **list);
/* Closes, and removes the socket file if it is still the one that was made. */
void listener_destroy(struct listener *listener);
/* That thread accepts; before it starts. */
bool listener_begin(struct loop_thread *thread, struct listener *listener);
/* Tries again after a lack of file descriptors. */
void listener_check(struct loop_thread *thread, struct listener *listener);

/* The far end of a TCP or unix connection. */
void listener_describe(int fd, const struct sockaddr *address, const char *path, struct peer *ret);
/* TCP keepalive as configured. */
void listener_keepalive(const struct source_config *config, int fd);

#endif
