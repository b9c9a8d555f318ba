/* inputs_tls.h - the parameters tls and tls.* of an input.
 *
 * Concurrency: configuration thread only.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef INPUTS_TLS_H
#define INPUTS_TLS_H

#include "rsyslog.h"

#include "rainerscript.h"

#include "source.h"

/* Behind what tells whether the source dials. False after one line that says what is wrong. */
bool inputs_tls_read(const struct cnfparamvals *values, struct source_config *config);
void inputs_tls_free(struct tls_settings *tls);

#endif
