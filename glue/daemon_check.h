/* daemon_check.h - is the running rsyslogd the one that this module was built for?
 *
 * rsyslog's structures change between versions while its module interface number stays, so a
 * module of another version loads and then reads and writes the wrong members. Each module asks
 * here first, in modInit, and does not load otherwise.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef DAEMON_CHECK_H
#define DAEMON_CHECK_H

#include "rsyslog.h"

/* RS_RET_OK, or an error after one logged line that names both versions and the remedy.
 * module: for the line. Uses nothing of rsyslog's but LogError, which is the same in every version. */
rsRetVal daemon_check(const char *module);

#endif
