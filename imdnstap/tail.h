/* tail.h - a file source: files.c in a thread of its own.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TAIL_H
#define TAIL_H

#include "files.h"
#include "loop.h"

struct tail {
    struct loop_thread thread; /* first: tail_run gets it */
    struct source *source;
    struct files *files;
    void *peer_context;
    struct tail *next;
};

/* NULL after one line that says why. */
struct tail *tail_open(struct loop *loop, struct source *source);
void *tail_run(void *thread);
void tail_destroy(struct tail *tail); /* its thread has ended */

#endif
