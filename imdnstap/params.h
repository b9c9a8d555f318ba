/* params.h - the parameters of input(type="imdnstap"), and readers for their values.
 *
 * Each reader leaves its result alone when the parameter is not set, and returns false after one line
 * that names parameter, value and what would be right.
 *
 * Concurrency: configuration thread only.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef PARAMS_H
#define PARAMS_H

#include "rsyslog.h"

#include <stdbool.h>
#include <stdint.h>

#include "rainerscript.h"

/* NULL after rsyslog's own line about an unknown parameter. */
struct cnfparamvals *params_read(struct nvlst *list);
void params_destroy(struct cnfparamvals *values);

/* NULL when it is not set. */
const struct svar *params_find(const struct cnfparamvals *values, const char *name);

/* *ret is freed and gets text that the caller owns. */
bool params_text(const struct cnfparamvals *values, const char *name, char **ret);

/* The same for the name of a file: from the root directory on, as rsyslogd leaves that in which it was started. */
bool params_path(const struct cnfparamvals *values, const char *name, char **ret);

/* "128", "128k", "2m". */
bool params_parse_number(const char *text, uint64_t *ret);
bool params_number(const struct cnfparamvals *values, const char *name, uint64_t low, uint64_t high,
                   uint64_t *ret);
/* The value times scale. */
bool params_unsigned(const struct cnfparamvals *values, const char *name, uint64_t low,
                     uint64_t high, unsigned scale, unsigned *ret);

struct params_choice {
    const char *text;
    int value;
};

/* One of a few words; the list ends with a NULL. */
bool params_choice(const struct cnfparamvals *values, const char *name,
                   const struct params_choice *choices, int *ret);
bool params_binary(const struct cnfparamvals *values, const char *name, bool *ret);

#endif
