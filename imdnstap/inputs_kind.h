/* inputs_kind.h - the four kinds of inputs (path, port, connect, file), and which parameter belongs to which.
 *
 * Concurrency: configuration thread only.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef INPUTS_KIND_H
#define INPUTS_KIND_H

#include <stdbool.h>

#include "rsyslog.h"

#include "rainerscript.h"

/* Exactly one kind, and no parameter that means nothing to it. False after one line. */
bool inputs_kind_check(const struct cnfparamvals *values);

#endif
