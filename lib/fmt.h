/* fmt.h - the registry of text formats. One file per format: fmt_NAME.c.
 *
 * To add a format: write fmt_NAME.c with one `const struct fmt fmt_NAME`, and add it to
 * the list in fmt.c. Nothing else knows the formats by name.
 *
 * Formatters are pure: they read the event and write text directly, never through a tree.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef FMT_H
#define FMT_H

#include "event.h"

/* Text of one event at most. Formatters drop whole RRs and set their `truncated` mark to stay under it. */
#define FMT_TEXT_MAX (4 * 1024 * 1024)

struct fmt_options {
    /* Defaults: rsyslog, mmdnstapparse, PACKAGE_VERSION. */
    struct str cef_vendor, cef_product, cef_version;
    size_t max_rrs; /* RRs per section at most, 0: all; the rest is dropped with `truncated` */
};

extern const struct fmt_options fmt_options_default;

struct fmt {
    const char *name;
    bool multi_line; /* zero or more lines, separated by LF; else exactly one line. No final LF. */
    void (*render)(const struct event *event, const struct fmt_options *options, struct text *t);
};

/* NULL when there is no format of that name. */
const struct fmt *fmt_find(struct str name);

/* All of them, NULL-terminated, in the order of the documentation. */
extern const struct fmt *const fmt_all[];

/* Renders to t (cleared first). When the text overflows, it is rendered again with max_rrs halved until
 * it fits (at most 14 times); what cannot fit even then is one malformed-style line. Never leaves t overflowed. */
void fmt_render(const struct fmt *fmt, const struct event *event, const struct fmt_options *options,
                struct text *t);

#endif
