/* settings.h - what the files of mmdnstapparse share: one action's configuration.
 *
 * Written while the configuration is loaded and checked, read-only afterwards.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SETTINGS_H
#define SETTINGS_H

#include "render.h"

struct nvlst;
struct ruleset_s;
struct rsconf_s;
struct msg;

#define SETTINGS_NONE RENDER_FORMATS_MAX /* no format */

struct settings {
    struct render_plan plan;
    char *container; /* "!dnstap": as msgAddJSON wants it */
    char *properties
        [RENDER_FORMATS_MAX]; /* by the plan's index: "!dnstap_json", NULL: not in output */
    size_t replace;           /* plan index of the text for %msg%, or SETTINGS_NONE */
    size_t split;             /* plan index of the text to split, or SETTINGS_NONE */
    char *split_ruleset_name;
    struct ruleset_s *split_ruleset; /* from settings_check on; NULL: do not split */
    char *cef[3];                    /* vendor, product, version as configured, or NULL */
    struct settings *next;           /* all actions of the configuration being loaded */
};

/* Reads action parameters. Whatever is wrong is logged in one line with parameter,
 * value and remedy, and false returned; *action is then still to be destroyed. */
bool settings_read(struct nvlst *list, struct settings *action);
void settings_destroy(struct settings *action);

/* Finds split.ruleset, once all rulesets are known. False when it was refused (logged). */
bool settings_check(struct settings *action, struct rsconf_s *config);

#endif
