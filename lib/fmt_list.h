/* fmt_list.h - the formats there are, one object per fmt_NAME.c; for fmt.c alone.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef FMT_LIST_H
#define FMT_LIST_H

#include "fmt.h"

extern const struct fmt fmt_json;
extern const struct fmt fmt_logstash;
extern const struct fmt fmt_logstash_cut;
extern const struct fmt fmt_ecs;
extern const struct fmt fmt_ocsf;
extern const struct fmt fmt_cef;
extern const struct fmt fmt_passivedns;
extern const struct fmt fmt_cof;
extern const struct fmt fmt_text;

#endif
