/* params.c - see params.h.
 *
 * Numbers and switches are read as text, so that a refusal names parameter, value and range in one line.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "rsyslog.h"

#include "conf.h"
#include "errmsg.h"
#include "parserif.h"

#include "params.h"

static struct cnfparamdescr descriptions[] = {
    {"path", eCmdHdlrString, 0},
    {"unlink", eCmdHdlrString, 0},
    {"filecreatemode", eCmdHdlrFileCreateMode, 0},
    {"fileowner", eCmdHdlrUID, 0},
    {"fileownernum", eCmdHdlrInt, 0},
    {"filegroup", eCmdHdlrGID, 0},
    {"filegroupnum", eCmdHdlrInt, 0},
    {"failonchownfailure", eCmdHdlrString, 0},
    {"createpath", eCmdHdlrString, 0},
    {"dircreatemode", eCmdHdlrFileCreateMode, 0},
    {"dirowner", eCmdHdlrUID, 0},
    {"dirownernum", eCmdHdlrInt, 0},
    {"dirgroup", eCmdHdlrGID, 0},
    {"dirgroupnum", eCmdHdlrInt, 0},
    {"address", eCmdHdlrString, 0},
    {"port", eCmdHdlrString, 0},
    {"listenportfilename", eCmdHdlrString, 0},
    {"keepalive", eCmdHdlrString, 0},
    {"keepalive.time", eCmdHdlrString, 0},
    {"keepalive.interval", eCmdHdlrString, 0},
    {"keepalive.probes", eCmdHdlrString, 0},
    {"permittedpeer", eCmdHdlrArray, 0},
    {"tls", eCmdHdlrString, 0},
    {"tls.cacert", eCmdHdlrString, 0},
    {"tls.mycert", eCmdHdlrString, 0},
    {"tls.myprivkey", eCmdHdlrString, 0},
    {"tls.authmode", eCmdHdlrString, 0},
    {"tls.permittedpeer", eCmdHdlrArray, 0},
    {"connect", eCmdHdlrString, 0},
    {"file", eCmdHdlrString, 0},
    {"file.mode", eCmdHdlrString, 0},
    {"framing", eCmdHdlrString, 0},
    {"name", eCmdHdlrString, 0},
    {"ruleset", eCmdHdlrString, 0},
    {"tag", eCmdHdlrString, 0},
    {"facility", eCmdHdlrString, 0},
    {"severity", eCmdHdlrString, 0},
    {"hostname", eCmdHdlrString, 0},
    {"messagetypes", eCmdHdlrArray, 0},
    {"sample", eCmdHdlrString, 0},
    {"bundle", eCmdHdlrString, 0},
    {"bundle.latency", eCmdHdlrString, 0},
    {"encoding", eCmdHdlrString, 0},
    {"maxframesize", eCmdHdlrString, 0},
    {"maxsessions", eCmdHdlrString, 0},
    {"maxsessionsperpeer", eCmdHdlrString, 0},
    {"peercounters", eCmdHdlrString, 0},
    {"handshaketimeout", eCmdHdlrString, 0},
    {"idletimeout", eCmdHdlrString, 0},
    {"ratelimit.name", eCmdHdlrString, 0},
    {"ratelimit.interval", eCmdHdlrString, 0},
    {"ratelimit.burst", eCmdHdlrString, 0},
    {"flowcontrol", eCmdHdlrString, 0},
};

static struct cnfparamblk block = {CNFPARAMBLK_VERSION,
                                   sizeof descriptions / sizeof descriptions[0], descriptions};

/* The value of a parameter, or NULL when it is not set. */
const struct svar *params_find(const struct cnfparamvals *values, const char *name)
{
    for (int i = 0; i < block.nParams; i++)
        if (strcmp(descriptions[i].name, name) == 0)
            return values[i].bUsed ? &values[i].val : NULL;
    return NULL;
}

/* False when there is no memory or it is set to nothing. *ret is unchanged when it is not set. */
bool params_text(const struct cnfparamvals *values, const char *name, char **ret)
{
    const struct svar *value = params_find(values, name);
    char *text;

    if (!value)
        return true;
    text = es_str2cstr(value->d.estr, NULL);
    if (!text || !*text) {
        parser_errmsg("imdnstap: %s=\"\": it must not be empty; leave it out or give a value",
                      name);
        free(text);
        return false;
    }
    free(*ret);
    *ret = text;
    return true;
}

bool params_path(const struct cnfparamvals *values, const char *name, char **ret)
{
    if (!params_text(values, name, ret))
        return false;
    if (!params_find(values, name) || **ret == '/')
        return true;
    parser_errmsg("imdnstap: %s=\"%s\": must begin with a slash: rsyslogd does not stay in the "
                  "directory in which it is started",
                  name, *ret);
    return false;
}

/* "128", "128k", "2m". False when it is no number or has another unit. */
bool params_parse_number(const char *text, uint64_t *ret)
{
    char *end;
    unsigned long long number = strtoull(text, &end, 10);
    unsigned shift = 0;

    if (*text < '0' || *text > '9')
        return false;
    if (*end == 'k' || *end == 'K')
        shift = 10;
    else if (*end == 'm' || *end == 'M')
        shift = 20;
    if (shift)
        end++;
    if (*end || number > UINT64_MAX >> 20)
        return false;
    *ret = (uint64_t)number << shift;
    return true;
}

bool params_number(const struct cnfparamvals *values, const char *name, uint64_t low, uint64_t high,
                   uint64_t *ret)
{
    char *text = NULL;
    uint64_t number;
    bool ok;

    if (!params_text(values, name, &text))
        return false;
    if (!text)
        return true;
    ok = params_parse_number(text, &number) && number >= low && number <= high;
    if (ok)
        *ret = number;
    else
        parser_errmsg("imdnstap: %s=\"%s\": must be a number from %llu to %llu", name, text,
                      (unsigned long long)low, (unsigned long long)high);
    free(text);
    return ok;
}

bool params_unsigned(const struct cnfparamvals *values, const char *name, uint64_t low,
                     uint64_t high, unsigned scale, unsigned *ret)
{
    uint64_t number = *ret / scale;

    if (!params_number(values, name, low, high, &number))
        return false;
    *ret = (unsigned)number * scale;
    return true;
}

/* One of a few words; the list ends with a NULL. */
bool params_choice(const struct cnfparamvals *values, const char *name,
                   const struct params_choice *choices, int *ret)
{
    char list[128] = "", *text = NULL;
    const struct params_choice *c;

    if (!params_text(values, name, &text))
        return false;
    if (!text)
        return true;
    for (c = choices; c->text && strcasecmp(c->text, text) != 0; c++) {
        if (c != choices)
            strncat(list, ", ", sizeof list - strlen(list) - 1);
        strncat(list, c->text, sizeof list - strlen(list) - 1);
    }
    if (c->text)
        *ret = c->value;
    else
        parser_errmsg("imdnstap: %s=\"%s\": there is no such choice; possible are %s", name, text,
                      list);
    free(text);
    return c->text != NULL;
}

bool params_binary(const struct cnfparamvals *values, const char *name, bool *ret)
{
    static const struct params_choice binary[] = {{"on", 1}, {"off", 0}, {NULL, 0}};
    int value = *ret;

    if (!params_choice(values, name, binary, &value))
        return false;
    *ret = value;
    return true;
}

struct cnfparamvals *params_read(struct nvlst *list)
{
    return nvlstGetParams(list, &block, NULL);
}

void params_destroy(struct cnfparamvals *values)
{
    cnfparamvalsDestruct(values, &block);
}
