/* settings.c - action parameters of mmdnstapparse, checked when the configuration is loaded.
 *
 * Every refusal is one line: parameter, value, what would be right. Which formats there
 * are is known to the registry in lib/fmt.h alone.
 *
 * Concurrency: runs in the configuration thread only.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rsyslog.h"

#include "conf.h"
#include "errmsg.h"
#include "module-template.h"
#include "parserif.h"
#include "ruleset.h"

#include "settings.h"

#define MAX_RECORDS   65535 /* no section can announce more (RFC 1035 4.1.1) */
#define CONTAINER_MAX 200
#define LIST_MAX      512

static struct cnfparamdescr descriptions[] = {
    {"output", eCmdHdlrArray, 0},        {"container", eCmdHdlrString, 0},
    {"replacemsg", eCmdHdlrString, 0},   {"split.ruleset", eCmdHdlrString, 0},
    {"split.format", eCmdHdlrString, 0}, {"cef.vendor", eCmdHdlrString, 0},
    {"cef.product", eCmdHdlrString, 0},  {"cef.version", eCmdHdlrString, 0},
    {"maxrecords", eCmdHdlrString, 0},
};

static struct cnfparamblk block = {CNFPARAMBLK_VERSION,
                                   sizeof descriptions / sizeof descriptions[0], descriptions};

/* "json, logstash, ...": for messages. */
static const char *format_list(char list[LIST_MAX])
{
    size_t len = 0;

    list[0] = '\0';
    for (size_t i = 0; fmt_all[i]; i++) {
        size_t name = strlen(fmt_all[i]->name);

        if (name + 3 > LIST_MAX - len)
            break;
        if (len) {
            memcpy(list + len, ", ", 2);
            len += 2;
        }
        memcpy(list + len, fmt_all[i]->name, name + 1);
        len += name;
    }
    return list;
}

/* Plan index of a format, added if new. SETTINGS_NONE when there is none of that name (logged). */
static size_t want_format(struct settings *action, const char *parameter, const char *name,
                          const char *others)
{
    struct render_plan *plan = &action->plan;
    const struct fmt *format = fmt_find(str_of(name));
    char list[LIST_MAX];

    if (!format) {
        parser_errmsg("mmdnstapparse: %s=\"%s\": no such format; possible are %s%s", parameter,
                      name, others, format_list(list));
        return SETTINGS_NONE;
    }
    for (size_t i = 0; i < plan->format_count; i++)
        if (plan->formats[i] == format)
            return i;
    if (plan->format_count == RENDER_FORMATS_MAX) {
        parser_errmsg("mmdnstapparse: %s=\"%s\": more than %d formats", parameter, name,
                      RENDER_FORMATS_MAX);
        return SETTINGS_NONE;
    }
    plan->formats[plan->format_count] = format;
    return plan->format_count++;
}

static const struct cnfparamvals *find(const struct cnfparamvals *values, const char *name)
{
    for (int i = 0; i < block.nParams; i++)
        if (values[i].bUsed && strcmp(descriptions[i].name, name) == 0)
            return &values[i];
    return NULL;
}

/* The parameter's value, to be freed; NULL when it is not given. *ret_ok false: out of memory. */
static char *string_of(const struct cnfparamvals *values, const char *name, bool *ret_ok)
{
    const struct cnfparamvals *value = find(values, name);
    char *s;

    if (!value)
        return NULL;
    s = es_str2cstr(value->val.d.estr, NULL);
    *ret_ok = *ret_ok && s;
    return s;
}

/* "$!name" or "$.name", deeper by further "!name"; "$!" and "$." are the roots. */
static bool container_valid(const char *name)
{
    if (name[0] != '$' || (name[1] != '!' && name[1] != '.') || strlen(name) > CONTAINER_MAX)
        return false;
    if (name[2] == '\0')
        return true;
    for (const char *p = name + 2; *p; p++) {
        bool separator = *p == '!';

        if (!separator && !isalnum((unsigned char)*p) && *p != '_' && *p != '-')
            return false;
        if (separator && (p == name + 2 || p[1] == '!' || p[1] == '\0'))
            return false;
    }
    return true;
}

static bool read_container(const struct cnfparamvals *values, struct settings *action)
{
    bool ok = true;
    char *name = string_of(values, "container", &ok);

    if (!ok)
        return false;
    if (name && !container_valid(name)) {
        parser_errmsg("mmdnstapparse: container=\"%s\": must be \"$!name\" or \"$.name\" (deeper "
                      "levels with \"!\"), of letters, digits, \"_\" and \"-\"",
                      name);
        free(name);
        return false;
    }
    action->container = strdup(name ? name + 1 : "!dnstap");
    free(name);
    return action->container != NULL;
}

/* The sibling of the container that takes a format's text: "!dnstap_json". */
static char *sibling(const char *container, const char *format)
{
    const char *base = container[1] ? container : container[0] == '.' ? ".dnstap" : "!dnstap";
    size_t len = strlen(base) + 1 + strlen(format) + 1;
    char *name = malloc(len);

    if (name)
        snprintf(name, len, "%s_%s", base, format);
    return name;
}

static bool read_output_item(struct settings *action, es_str_t *item)
{
    char *name = es_str2cstr(item, NULL);
    size_t i = SETTINGS_NONE;

    if (!name)
        return false;
    if (strcmp(name, "properties") == 0) {
        action->plan.tree = true;
        free(name);
        return true;
    }
    i = want_format(action, "output", name, "off, properties, ");
    free(name);
    if (i == SETTINGS_NONE)
        return false;
    if (!action->properties[i])
        action->properties[i] = sibling(action->container, action->plan.formats[i]->name);
    return action->properties[i] != NULL;
}

static bool read_output(const struct cnfparamvals *values, struct settings *action)
{
    const struct cnfparamvals *output = find(values, "output");

    if (!output) {
        action->plan.tree = true;
        return true;
    }
    /* "off": nothing beside the message, the cheapest way to text */
    if (output->val.d.ar->nmemb == 1 &&
        es_strbufcmp(output->val.d.ar->arr[0], (uchar *)"off", 3) == 0)
        return true;
    for (int i = 0; i < output->val.d.ar->nmemb; i++)
        if (!read_output_item(action, output->val.d.ar->arr[i]))
            return false;
    return true;
}

static bool read_replacemsg(const struct cnfparamvals *values, struct settings *action)
{
    bool ok = true;
    char *name = string_of(values, "replacemsg", &ok);

    if (!ok)
        return false;
    if (!name || strcmp(name, "off") != 0) {
        action->replace = want_format(action, "replacemsg", name ? name : "text", "off, ");
        ok = action->replace != SETTINGS_NONE;
    }
    free(name);
    return ok;
}

static bool read_split(const struct cnfparamvals *values, struct settings *action)
{
    bool ok = true;
    char *format = string_of(values, "split.format", &ok);

    action->split_ruleset_name = string_of(values, "split.ruleset", &ok);
    if (ok && !format != !action->split_ruleset_name) {
        parser_errmsg("mmdnstapparse: %s=\"%s\": needs %s beside it",
                      format ? "split.format" : "split.ruleset",
                      format ? format : action->split_ruleset_name,
                      format ? "split.ruleset, the ruleset that takes the lines"
                             : "split.format, the format whose lines are sent there");
        ok = false;
    }
    if (ok && format) {
        action->split = want_format(action, "split.format", format, "");
        ok = action->split != SETTINGS_NONE;
    }
    free(format);
    return ok;
}

/* CEF header fields: sizes of the specification (formats.md names it in doc/), printable. */
static bool read_cef(const struct cnfparamvals *values, struct settings *action)
{
    static const struct {
        const char *name;
        size_t max;
    } rows[] = {{"cef.vendor", 63}, {"cef.product", 63}, {"cef.version", 31}};
    struct fmt_options *options = &action->plan.options;
    struct str *targets[] = {&options->cef_vendor, &options->cef_product, &options->cef_version};
    bool ok = true;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *value = action->cef[i] = string_of(values, rows[i].name, &ok);

        if (!ok)
            return false;
        if (!value)
            continue;
        for (const char *p = value; *p; p++)
            ok = ok && (unsigned char)*p >= ' ' && *p != 0x7f;
        if (!ok || value[0] == '\0' || strlen(value) > rows[i].max) {
            parser_errmsg("mmdnstapparse: %s=\"%s\": must be 1 to %zu octets without control "
                          "characters",
                          rows[i].name, value, rows[i].max);
            return false;
        }
        *targets[i] = str_of(value);
    }
    return true;
}

static bool read_maxrecords(const struct cnfparamvals *values, struct settings *action)
{
    bool ok = true;
    char *value = string_of(values, "maxrecords", &ok);
    char *end = NULL;
    long n;

    if (!value)
        return ok;
    errno = 0;
    n = strtol(value, &end, 10);
    ok = isdigit((unsigned char)value[0]) && *end == '\0' && errno == 0 && n <= MAX_RECORDS;
    if (ok)
        action->plan.options.max_rrs = (size_t)n;
    else
        parser_errmsg("mmdnstapparse: maxrecords=\"%s\": must be a number from 0 (all) to %d",
                      value, MAX_RECORDS);
    free(value);
    return ok;
}

/* rsyslog only warns, and then the module has no effect at all. */
static bool refuse_queue(struct nvlst *list)
{
    es_str_t *name = es_newStrFromCStr("queue.type", strlen("queue.type"));
    struct nvlst *queue = name ? nvlstFindName(list, name) : NULL;
    char *type = NULL;
    bool ok;

    es_deleteStr(name);
    if (queue && queue->val.datatype == 'S')
        type = es_str2cstr(queue->val.d.estr, NULL);
    ok = !type || strcasecmp(type, "direct") == 0;
    if (!ok)
        parser_errmsg("mmdnstapparse: queue.type=\"%s\": an action that changes messages has no "
                      "queue of its own; give the queue to the ruleset around it",
                      type);
    free(type);
    return ok;
}

bool settings_read(struct nvlst *list, struct settings *action)
{
    struct cnfparamvals *values;
    bool ok;

    memset(action, 0, sizeof *action);
    action->plan.options = fmt_options_default;
    action->replace = action->split = SETTINGS_NONE;
    if (!refuse_queue(list))
        return false;
    values = nvlstGetParams(list, &block, NULL);
    if (!values) {
        parser_errmsg("mmdnstapparse: the action's parameters cannot be read");
        return false;
    }
    ok = read_container(values, action) && read_output(values, action) &&
         read_replacemsg(values, action) && read_split(values, action) &&
         read_cef(values, action) && read_maxrecords(values, action);
    cnfparamvalsDestruct(values, &block);
    return ok;
}

void settings_destroy(struct settings *action)
{
    free(action->container);
    free(action->split_ruleset_name);
    for (size_t i = 0; i < RENDER_FORMATS_MAX; i++)
        free(action->properties[i]);
    for (size_t i = 0; i < sizeof action->cef / sizeof action->cef[0]; i++)
        free(action->cef[i]);
    memset(action, 0, sizeof *action);
}
