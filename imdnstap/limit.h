/* limit.h - ratelimit.name: a rate limit of rsyslog's own ratelimit() objects, where the daemon has them (from
 * 8.2602 on).
 *
 * Concurrency: limit_admits in any thread; the rest in the configuration thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIMIT_H
#define LIMIT_H

#include "rsyslog.h"

#include <stdbool.h>
#include <time.h>

#include "ratelimit.h"

/* Do this module's headers, and so its daemon, have such objects? */
bool limit_supported(void);

/* Finds the object of that name; rsyslog's own line says when there is none. input: for its lines. *ret is NULL
 * on failure, and to be destroyed else. */
rsRetVal limit_create(ratelimit_t **ret, rsconf_t *config, const char *name, const char *input);
void limit_destroy(ratelimit_t **limit); /* sets NULL; takes NULL */

/* May one more frame pass? now_s: seconds of a clock that does not go back. */
bool limit_admits(ratelimit_t *limit, time_t now_s, const char *input);

#endif
