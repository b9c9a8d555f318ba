/* stats.h - what impstats shows of an input: an object for its counters, and one for those of its peers.
 *
 * Concurrency: impstats reads objects without a lock, but an object's list of counters under one. So objects are
 * made before the input runs and destroyed after it, and peers are counters that come and go in one.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef STATS_H
#define STATS_H

#include "inputs.h"

rsRetVal stats_init(obj_if_t *obj_if);
void stats_exit(obj_if_t *obj_if);

/* For an input that has its source. Behind a failure stats_destroy is due all the same. */
rsRetVal stats_create(struct input *input);
void stats_destroy(struct input *input);

/* For peers.h; the owner is a struct input. */
extern const struct peers_callbacks stats_peers;

#endif
