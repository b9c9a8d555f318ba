/* fmt_logstash.h - the parts that logstash and logstash_cut have in common.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef FMT_LOGSTASH_H
#define FMT_LOGSTASH_H

#include "fmt_common.h"

extern const struct fmt fmt_logstash, fmt_logstash_cut;

/* From `{` to the question; then comes ,"answers":...; then the rest to `}`. */
void fmt_logstash_head(struct text *t, const struct event *event);
void fmt_logstash_tail(struct text *t, const struct event *event,
                       const struct fmt_options *options);

#endif
