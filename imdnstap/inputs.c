/* inputs.c - see inputs.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "config.h"

#include <ctype.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "rsyslog.h"

#include "conf.h"
#include "errmsg.h"
#include "module-template.h"
#include "parserif.h"
#include "rainerscript.h"
#include "srUtils.h"
#include "syslogd-types.h"

#include "dial.h"
#include "inputs.h"
#include "inputs_kind.h"
#include "inputs_tls.h"
#include "names.h"
#include "params.h"

#define MEBIBYTE        (1024 * 1024)
#define MAX_FRAME_LIMIT (64 * MEBIBYTE)
#define SECONDS_MAX     86400

static bool check_path(const char *path)
{
    if (!path || strlen(path) < sizeof((struct sockaddr_un *)0)->sun_path)
        return true;
    parser_errmsg("imdnstap: path=\"%s\": a socket's path has at most %zu octets", path,
                  sizeof((struct sockaddr_un *)0)->sun_path - 1);
    return false;
}

/* The directories that createpath makes. */
static bool read_dirs(const struct cnfparamvals *values, struct source_config *config)
{
    static const char *const names[] = {"dircreatemode", "dirowner", "dirownernum", "dirgroup",
                                        "dirgroupnum"};
    const struct svar *value;

    if (!params_binary(values, "createpath", &config->make_dirs))
        return false;
    for (size_t i = 0; !config->make_dirs && i < sizeof names / sizeof names[0]; i++)
        if (params_find(values, names[i])) {
            parser_errmsg("imdnstap: %s has no meaning without createpath: set that to \"on\"",
                          names[i]);
            return false;
        }
    if ((value = params_find(values, "dirowner")) || (value = params_find(values, "dirownernum")))
        config->dir_uid = (uid_t)value->d.n;
    if ((value = params_find(values, "dirgroup")) || (value = params_find(values, "dirgroupnum")))
        config->dir_gid = (gid_t)value->d.n;
    if (!(value = params_find(values, "dircreatemode")))
        return true;
    config->dir_mode = (mode_t)value->d.n;
    if ((config->dir_mode & 0702) == 0700)
        return true;
    parser_errmsg(
        "imdnstap: dircreatemode=\"%04o\": must give its owner 7, and not everybody the right to "
        "write, as 0755, 0750 or 0770",
        (unsigned)config->dir_mode);
    return false;
}

static bool read_socket(const struct cnfparamvals *values, struct source_config *config)
{
    const struct svar *value;

    if ((value = params_find(values, "filecreatemode")))
        config->mode = (mode_t)value->d.n;
    if ((value = params_find(values, "fileowner")) || (value = params_find(values, "fileownernum")))
        config->uid = (uid_t)value->d.n;
    if ((value = params_find(values, "filegroup")) || (value = params_find(values, "filegroupnum")))
        config->gid = (gid_t)value->d.n;
    return read_dirs(values, config) && params_binary(values, "unlink", &config->unlink) &&
           params_binary(values, "failonchownfailure", &config->fail_on_chown) &&
           params_binary(values, "keepalive", &config->keepalive) &&
           params_path(values, "path", (char **)&config->path) && check_path(config->path) &&
           params_text(values, "address", (char **)&config->address) &&
           params_text(values, "port", (char **)&config->port) &&
           params_path(values, "listenportfilename", (char **)&config->port_file) &&
           params_unsigned(values, "keepalive.time", 1, SECONDS_MAX, 1,
                           &config->keepalive_time_s) &&
           params_unsigned(values, "keepalive.interval", 1, SECONDS_MAX, 1,
                           &config->keepalive_interval_s) &&
           params_unsigned(values, "keepalive.probes", 1, 100, 1, &config->keepalive_probes);
}

static bool read_limits(const struct cnfparamvals *values, struct source_config *config)
{
    uint64_t max_frame = config->max_frame, sample = config->sample;

    if (!params_number(values, "maxframesize", 512, MAX_FRAME_LIMIT, &max_frame) ||
        !params_number(values, "sample", 1, 1000000000, &sample))
        return false;
    config->max_frame = (size_t)max_frame;
    config->sample = (uint32_t)sample;
    return params_unsigned(values, "maxsessions", 0, 1000000, 1, &config->max_sessions) &&
           params_unsigned(values, "maxsessionsperpeer", 0, 1000000, 1,
                           &config->max_sessions_per_peer) &&
           params_unsigned(values, "peercounters", 0, PEERS_MAX, 1, &config->peer_counters) &&
           params_unsigned(values, "handshaketimeout", 0, SECONDS_MAX, 1000,
                           &config->handshake_timeout_ms) &&
           params_unsigned(values, "idletimeout", 0, SECONDS_MAX, 1000, &config->idle_timeout_ms) &&
           params_unsigned(values, "ratelimit.interval", 0, SECONDS_MAX, 1000,
                           &config->rate_interval_ms) &&
           params_unsigned(values, "ratelimit.burst", 1, 1000000000, 1, &config->rate_burst);
}

/* An object of the daemon's instead of an interval and a burst. */
static bool read_named_limit(const struct cnfparamvals *values, struct input *input)
{
    if (!params_text(values, "ratelimit.name", &input->limit_name))
        return false;
    if (!input->limit_name)
        return true;
    input->source.rate_named = true;
    if (!limit_supported())
        parser_errmsg(
            "imdnstap: ratelimit.name=\"%s\": this rsyslogd has no ratelimit() objects, which came "
            "with 8.2602; use interval and burst of ratelimit instead",
            input->limit_name);
    else if (params_find(values, "ratelimit.interval") || params_find(values, "ratelimit.burst"))
        parser_errmsg("imdnstap: ratelimit.name=\"%s\": its object has interval and burst: leave "
                      "those of the "
                      "input out",
                      input->limit_name);
    else
        return true;
    return false;
}

/* All names, for the refusal of one. */
static void list_types(char *list, size_t size)
{
    *list = '\0';
    for (size_t i = 0; i < names_message_type.count; i++) {
        struct str name = names_message_type.rows[i].text;

        if (i)
            strncat(list, ", ", size - strlen(list) - 1);
        if (name.len < size - strlen(list))
            strncat(list, name.ptr, name.len);
    }
}

static bool read_types(const struct cnfparamvals *values, struct source_config *config)
{
    const struct svar *value = params_find(values, "messagetypes");
    char list[512];

    for (int i = 0; value && i < value->d.ar->nmemb; i++) {
        char *name = es_str2cstr(value->d.ar->arr[i], NULL);
        uint32_t type;
        bool ok = name && names_value(&names_message_type, str_of(name), &type) &&
                  type < SOURCE_TYPES_MAX;

        if (ok) {
            config->types |= UINT64_C(1) << type;
        } else {
            list_types(list, sizeof list);
            parser_errmsg("imdnstap: messagetypes=\"%s\": there is no such type; possible are %s",
                          name ? name : "", list);
        }
        free(name);
        if (!ok)
            return false;
    }
    config->filter = value != NULL;
    return true;
}

static bool read_permitted(const struct cnfparamvals *values, struct source_config *config)
{
    const struct svar *value = params_find(values, "permittedpeer");

    if (!value)
        return true;
    config->permitted = calloc((size_t)value->d.ar->nmemb + 1, sizeof *config->permitted);
    for (int i = 0; config->permitted && i < value->d.ar->nmemb; i++) {
        char *text = es_str2cstr(value->d.ar->arr[i], NULL);
        bool ok = text && source_parse_prefix(text, &config->permitted[i]);

        if (!ok)
            parser_errmsg("imdnstap: permittedpeer=\"%s\": must be an address or a prefix such as "
                          "\"192.0.2.0/24\" or \"2001:db8::/32\"",
                          text ? text : "");
        free(text);
        if (!ok)
            return false;
        config->permitted_count++;
    }
    return config->permitted != NULL;
}

/* decodeSyslogName gives -1 for what it does not know. */
static bool read_priority(const struct cnfparamvals *values, const char *name, syslogName_t *names,
                          int *ret)
{
    char *text = NULL;
    int number;

    if (!params_find(values, name))
        return true;
    if (!params_text(values, name, &text))
        return false;
    number = decodeSyslogName((uchar *)text, names);
    if (number < 0)
        parser_errmsg("imdnstap: %s=\"%s\": there is no such %s", name, text, name);
    else
        *ret = number;
    free(text);
    return number >= 0;
}

static bool read_style(const struct cnfparamvals *values, struct input *input)
{
    static const struct params_choice hostnames[] = {
        {"identity", SUBMIT_IDENTITY}, {"peer", SUBMIT_PEER}, {"local", SUBMIT_LOCAL}, {NULL, 0}};
    static const struct params_choice encodings[] = {
        {"cobs", ENVELOPE_COBS}, {"base64", ENVELOPE_BASE64}, {"raw", ENVELOPE_RAW}, {NULL, 0}};
    static const struct params_choice flow_controls[] = {{"full", eFLOWCTL_FULL_DELAY},
                                                         {"light", eFLOWCTL_LIGHT_DELAY},
                                                         {"no", eFLOWCTL_NO_DELAY},
                                                         {NULL, 0}};
    static const struct params_choice framings[] = {
        {"dnstap", FS_FRAMING_STREAM}, {"powerdns", FS_FRAMING_LENGTH16}, {NULL, 0}};
    struct submit_style *style = &input->style;
    int hostname = SUBMIT_IDENTITY, encoding = ENVELOPE_COBS, flow = eFLOWCTL_FULL_DELAY,
        framing = FS_FRAMING_STREAM, facility = LOG_DAEMON, severity = LOG_INFO;
    uint64_t bundle = 1;

    if (!params_choice(values, "hostname", hostnames, &hostname) ||
        !params_choice(values, "encoding", encodings, &encoding) ||
        !params_choice(values, "flowcontrol", flow_controls, &flow) ||
        !params_choice(values, "framing", framings, &framing) ||
        !params_number(values, "bundle", 1, SUBMIT_BUNDLE_MAX, &bundle) ||
        !params_unsigned(values, "bundle.latency", 0, SUBMIT_LATENCY_MAX_MS, 1,
                         &style->bundle_latency_ms) ||
        !read_priority(values, "facility", syslogFacNames, &facility) ||
        !read_priority(values, "severity", syslogPriNames, &severity) ||
        !params_text(values, "tag", &style->tag) || !params_text(values, "name", &input->name) ||
        !params_text(values, "ruleset", &input->ruleset_name))
        return false;
    if (style->bundle_latency_ms && bundle == 1) {
        parser_errmsg(
            "imdnstap: bundle.latency has no meaning without a bundle of 2 frames at least: "
            "leave it out, or set bundle");
        return false;
    }
    style->tag_len = strlen(style->tag);
    style->hostname = (enum submit_hostname)hostname;
    style->encoding = (enum envelope_encoding)encoding;
    style->flow_control = (flowControl_t)flow;
    style->priority = (syslog_pri_t)(facility | severity);
    style->sample = input->source.sample;
    style->bundle = (uint32_t)bundle;
    input->source.framing = (enum fs_framing)framing;
    return true;
}

static bool check_connect(const char *target)
{
    char host[NI_MAXHOST], port[32];

    if (!target || dial_parse(target, host, sizeof host, port, sizeof port))
        return true;
    parser_errmsg("imdnstap: connect=\"%s\": must be HOST:PORT, [IPV6]:PORT, or the path of a "
                  "socket with a slash in front",
                  target);
    return false;
}

static bool read_far(const struct cnfparamvals *values, struct source_config *config)
{
    static const struct params_choice modes[] = {{"once", 0}, {"follow", 1}, {NULL, 0}};
    int follow = 0;

    if (!params_text(values, "connect", (char **)&config->connect) ||
        !params_path(values, "file", (char **)&config->file) ||
        !params_choice(values, "file.mode", modes, &follow))
        return false;
    config->follow = follow;
    if (config->file)
        config->peer_counters = 0;
    return check_connect(config->connect);
}

static bool check_port(const char *port)
{
    uint64_t number;

    if (!port || (params_parse_number(port, &number) && number <= 65535 && strlen(port) <= 5))
        return true;
    parser_errmsg("imdnstap: port=\"%s\": must be a number from 0 to 65535 (0 picks one)", port);
    return false;
}

/* Parameters that do nothing for lack of another one. */
static bool check_companions(const struct cnfparamvals *values, const struct source_config *config)
{
    static const char *const of_keepalive[] = {"keepalive.time", "keepalive.interval",
                                               "keepalive.probes"};

    for (size_t i = 0; i < sizeof of_keepalive / sizeof of_keepalive[0]; i++)
        if (!config->keepalive && params_find(values, of_keepalive[i])) {
            parser_errmsg("imdnstap: %s has no meaning without keepalive=\"on\"", of_keepalive[i]);
            return false;
        }
    if (!params_find(values, "ratelimit.burst") || params_find(values, "ratelimit.interval"))
        return true;
    parser_errmsg("imdnstap: ratelimit.burst has no meaning without ratelimit.interval: give the "
                  "seconds in which so many frames are taken");
    return false;
}

/* Without a name of its own an input has that of the place it listens at; of a long one the end, which tells most. */
static bool set_name(struct input *input)
{
    const struct source_config *c = &input->source;
    char *name = NULL;
    size_t len;

    if (input->name && strlen(input->name) > INPUT_NAME_MAX) {
        parser_errmsg("imdnstap: name=\"%.40s...\": longer than %d octets: take a shorter one",
                      input->name, INPUT_NAME_MAX);
        return false;
    }
    if (!input->name) {
        if (!c->port)
            name = strdup(c->path ? c->path : c->connect ? c->connect : c->file);
        else if (asprintf(&name, "%s:%s", c->address ? c->address : "*", c->port) < 0)
            name = NULL;
        len = name ? strlen(name) : 0;
        if (len > INPUT_NAME_MAX)
            memmove(name, name + len - INPUT_NAME_MAX, INPUT_NAME_MAX + 1);
        input->name = name;
    }
    input->source.name = input->name;
    return input->name != NULL;
}

static bool is_taken(const struct input *others, const char *name)
{
    while (others && strcmp(others->name, name) != 0)
        others = others->next;
    return others != NULL;
}

/* Ends: there are more numbers than inputs. */
bool inputs_make_distinct(struct input *input, const struct input *others)
{
    char *name = NULL;

    if (!is_taken(others, input->name))
        return true;
    for (unsigned number = 2; !name || is_taken(others, name); number++) {
        free(name);
        if (asprintf(&name, "%s#%u", input->name, number) < 0)
            return false;
    }
    parser_warnmsg("imdnstap: input %s: another input has this name; this one is called %s in log "
                   "lines, counters and %%inputname%%: give each a name of its own",
                   input->name, name);
    free(input->name);
    input->source.name = input->name = name;
    return true;
}

static struct input *create(void)
{
    struct input *input = calloc(1, sizeof *input);

    if (!input)
        return NULL;
    input->source = (struct source_config){.owner = input,
                                           .unlink = true,
                                           .mode = 0600,
                                           .uid = (uid_t)-1,
                                           .gid = (gid_t)-1,
                                           .fail_on_chown = true,
                                           .dir_mode = 0755,
                                           .dir_uid = (uid_t)-1,
                                           .dir_gid = (gid_t)-1,
                                           .max_frame = 128 * 1024,
                                           .max_sessions = 1000,
                                           .peer_counters = 16,
                                           .handshake_timeout_ms = 10000,
                                           .sample = 1,
                                           .rate_burst = 10000};
    input->style.tag = strdup("dnstap");
    if (!input->style.tag) {
        free(input);
        return NULL;
    }
    return input;
}

struct input *inputs_read(struct nvlst *list)
{
    struct cnfparamvals *values = params_read(list);
    struct input *input = create();
    struct source_config *config;
    bool ok;

    if (!values || !input) {
        inputs_destroy(input);
        return NULL;
    }
    config = &input->source;
    ok = read_socket(values, config) && read_far(values, config) && read_limits(values, config) &&
         read_named_limit(values, input) && read_types(values, config) &&
         read_permitted(values, config) && read_style(values, input) && inputs_kind_check(values) &&
         check_companions(values, config) && inputs_tls_read(values, config) &&
         check_port(config->port) && set_name(input);
    params_destroy(values);
    if (ok)
        return input;
    inputs_destroy(input);
    return NULL;
}

void inputs_destroy(struct input *input)
{
    struct source_config *config;

    if (!input)
        return;
    config = &input->source;
    free((char *)config->path);
    free((char *)config->address);
    free((char *)config->port);
    free((char *)config->port_file);
    free((char *)config->connect);
    inputs_tls_free(&config->tls);
    free((char *)config->file);
    free((char *)config->state_dir);
    free((char *)config->state_name);
    free(config->permitted);
    free(input->style.tag);
    free(input->name);
    free(input->ruleset_name);
    free(input->limit_name);
    limit_destroy(&input->limit);
    free(input);
}

/* Another one for each name and pattern: the name as far as a file name can hold it, and a hash
 * (FNV-1a) of both. */
bool inputs_set_state(struct input *input, const char *directory)
{
    char name[64], *state;
    uint32_t hash = 2166136261U;
    size_t len = 0;

    for (const char *p = input->name; *p && len < sizeof name - 1; p++)
        name[len++] = isalnum((unsigned char)*p) ? *p : '_';
    name[len] = '\0';
    for (const char *p = input->name; *p; p++)
        hash = (hash ^ (unsigned char)*p) * 16777619U;
    for (const char *p = input->source.file; *p; p++)
        hash = (hash ^ (unsigned char)*p) * 16777619U;
    if (asprintf(&state, "imdnstap-%s-%08x", name, hash) < 0)
        return false;
    input->source.state_name = state;
    input->source.state_dir = strdup(directory);
    return input->source.state_dir != NULL;
}
