/* dial.h - connections that we open, to producers that listen.
 *
 * One connection per source. It is opened again for ever: at once after a session that gave frames or
 * lasted, with a growing pause while that fails.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef DIAL_H
#define DIAL_H

#include "loop.h"

#define DIAL_PAUSE_MIN_MS 250
#define DIAL_PAUSE_MAX_MS 30000

struct dialer {
    struct loop_thread thread; /* first: dial_run gets it */
    struct source *source;
    atomic_bool connected; /* a session is in the hands of some thread */
    atomic_bool began;     /* it got through the handshake */
    atomic_bool useful;    /* and gave frames */
    struct dialer *next;
};

/* NULL: no memory or no file descriptors. */
struct dialer *dial_open(struct loop *loop, struct source *source);
void *dial_run(void *thread);
void dial_destroy(struct dialer *dialer); /* its thread and its session have ended */

/* "host:port", "[2001:db8::1]:port", or a path with a slash in front. For configuration checks.
 * host (NI_MAXHOST) and port (32) are set unless it is a path. */
bool dial_parse(const char *target, char *host, size_t host_size, char *port, size_t port_size);

#endif
