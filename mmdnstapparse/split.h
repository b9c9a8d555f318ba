/* split.h - each line of a text as a message of its own, to another ruleset.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SPLIT_H
#define SPLIT_H

#include "settings.h"
#include "rsyslog.h"

/* Interfaces that the functions below need; released by split_exit. */
rsRetVal split_init(obj_if_t *obj_interface);
void split_exit(obj_if_t *obj_interface);

struct splitter; /* one per worker thread */

struct splitter *split_create(void); /* NULL: no memory */
void split_destroy(struct splitter **splitter);

/* Submits each non-empty line of `lines` to action->split_ruleset.
 *
 * message: whose facility, severity, times, host, tag and peer the new messages get; its variables as
 * they are now, so split before adding a tree. Returns the number of lines that could not be
 * submitted (memory is out): the caller counts them. Lines over maxMessageSize are
 * passed on whole, and the first one is logged: a later queue boundary may cut them.
 * Waits while that ruleset's queue is full, as an input with full flow control does. */
uint64_t split_submit(struct splitter *splitter, const struct settings *action, smsg_t *message,
                      struct str lines);

#endif
