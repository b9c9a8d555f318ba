/* inputs.h - parameters of input(type="imdnstap"), checked when the configuration is loaded.
 *
 * Concurrency: configuration thread only; constant afterwards.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef INPUTS_H
#define INPUTS_H

#include "limit.h"
#include "submit.h"

#include "statsobj.h"

/* Octets of a name, so that log lines and counters have room for it and for what is said of it. */
#define INPUT_NAME_MAX 200

/* One input(): what rsyslog's side knows of a source. Owns all strings. */
struct input {
    struct source_config source;
    struct submit_style style;
    char *name, *ruleset_name, *limit_name;
    ratelimit_t *limit;     /* of that name, while the input runs */
    struct source *running; /* borrowed from the server; NULL: not running */
    statsobj_t *stats, *peer_stats;
    struct ctr_s **peer_counters; /* PEERS_COUNTERS for each place */
    struct input *next;
};

/* NULL after one line per mistake that names the parameter, its value and what would be right. */
struct input *inputs_read(struct nvlst *list);
void inputs_destroy(struct input *input); /* takes NULL */
/* When one of the others has its name it gets a number behind it, and one line says so. False: no memory. */
bool inputs_make_distinct(struct input *input, const struct input *others);
/* Names the state file of a following input. False: no memory. */
bool inputs_set_state(struct input *input, const char *directory);

#endif
