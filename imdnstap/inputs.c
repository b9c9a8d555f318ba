/* inputs.c - see inputs.h.
 *
 * Numbers are read as text, so that a refusal names parameter, value and range in one line.
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
#include "names.h"

#define MEBIBYTE        (1024 * 1024)
#define MAX_FRAME_LIMIT (64 * MEBIBYTE)
#define SECONDS_MAX     86400

static struct cnfparamdescr descriptions[] = {
    {"path", eCmdHdlrString, 0},
    {"unlink", eCmdHdlrString, 0},
    {"filecreatemode", eCmdHdlrFileCreateMode, 0},
    {"fileowner", eCmdHdlrUID, 0},
    {"fileownernum", eCmdHdlrInt, 0},
    {"filegroup", eCmdHdlrGID, 0},
    {"filegroupnum", eCmdHdlrInt, 0},
    {"failonchownfailure", eCmdHdlrString, 0},
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
    {"encoding", eCmdHdlrString, 0},
    {"maxframesize", eCmdHdlrString, 0},
    {"maxsessions", eCmdHdlrString, 0},
    {"maxsessionsperpeer", eCmdHdlrString, 0},
    {"handshaketimeout", eCmdHdlrString, 0},
    {"idletimeout", eCmdHdlrString, 0},
    {"ratelimit.interval", eCmdHdlrString, 0},
    {"ratelimit.burst", eCmdHdlrString, 0},
    {"flowcontrol", eCmdHdlrString, 0},
};

static struct cnfparamblk block = {CNFPARAMBLK_VERSION,
                                   sizeof descriptions / sizeof descriptions[0], descriptions};

/* The value of a parameter, or NULL when it is not set. */
static const struct svar *find(const struct cnfparamvals *values, const char *name)
{
    for (int i = 0; i < block.nParams; i++)
        if (strcmp(descriptions[i].name, name) == 0)
            return values[i].bUsed ? &values[i].val : NULL;
    return NULL;
}

/* False when there is no memory or it is set to nothing. *ret is unchanged when it is not set. */
static bool read_text(const struct cnfparamvals *values, const char *name, char **ret)
{
    const struct svar *value = find(values, name);
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

/* "128", "128k", "2m". False when it is no number or has another unit. */
static bool parse_number(const char *text, uint64_t *ret)
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

static bool read_number(const struct cnfparamvals *values, const char *name, uint64_t low,
                        uint64_t high, uint64_t *ret)
{
    char *text = NULL;
    uint64_t number;
    bool ok;

    if (!find(values, name))
        return true;
    if (!read_text(values, name, &text))
        return false;
    ok = parse_number(text, &number) && number >= low && number <= high;
    if (ok)
        *ret = number;
    else
        parser_errmsg("imdnstap: %s=\"%s\": must be a number from %llu to %llu", name, text,
                      (unsigned long long)low, (unsigned long long)high);
    free(text);
    return ok;
}

static bool read_unsigned(const struct cnfparamvals *values, const char *name, uint64_t low,
                          uint64_t high, unsigned scale, unsigned *ret)
{
    uint64_t number = *ret / scale;

    if (!read_number(values, name, low, high, &number))
        return false;
    *ret = (unsigned)number * scale;
    return true;
}

struct choice {
    const char *text;
    int value;
};

/* One of a few words; the list ends with a NULL. */
static bool read_choice(const struct cnfparamvals *values, const char *name,
                        const struct choice *choices, int *ret)
{
    char list[128] = "", *text = NULL;
    const struct choice *c;

    if (!find(values, name))
        return true;
    if (!read_text(values, name, &text))
        return false;
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

static bool read_binary(const struct cnfparamvals *values, const char *name, bool *ret)
{
    static const struct choice binary[] = {{"on", 1}, {"off", 0}, {NULL, 0}};
    int value = *ret;

    if (!read_choice(values, name, binary, &value))
        return false;
    *ret = value;
    return true;
}

static bool check_path(const char *path)
{
    if (!path || strlen(path) < sizeof((struct sockaddr_un *)0)->sun_path)
        return true;
    parser_errmsg("imdnstap: path=\"%s\": a socket's path has at most %zu octets", path,
                  sizeof((struct sockaddr_un *)0)->sun_path - 1);
    return false;
}

static bool read_socket(const struct cnfparamvals *values, struct source_config *config)
{
    const struct svar *value;

    if ((value = find(values, "filecreatemode")))
        config->mode = (mode_t)value->d.n;
    if ((value = find(values, "fileowner")) || (value = find(values, "fileownernum")))
        config->uid = (uid_t)value->d.n;
    if ((value = find(values, "filegroup")) || (value = find(values, "filegroupnum")))
        config->gid = (gid_t)value->d.n;
    return read_binary(values, "unlink", &config->unlink) &&
           read_binary(values, "failonchownfailure", &config->fail_on_chown) &&
           read_binary(values, "keepalive", &config->keepalive) &&
           read_text(values, "path", (char **)&config->path) && check_path(config->path) &&
           read_text(values, "address", (char **)&config->address) &&
           read_text(values, "port", (char **)&config->port) &&
           read_text(values, "listenportfilename", (char **)&config->port_file) &&
           read_unsigned(values, "keepalive.time", 1, SECONDS_MAX, 1, &config->keepalive_time_s) &&
           read_unsigned(values, "keepalive.interval", 1, SECONDS_MAX, 1,
                         &config->keepalive_interval_s) &&
           read_unsigned(values, "keepalive.probes", 1, 100, 1, &config->keepalive_probes);
}

static bool read_limits(const struct cnfparamvals *values, struct source_config *config)
{
    uint64_t max_frame = config->max_frame, sample = config->sample;

    if (!read_number(values, "maxframesize", 512, MAX_FRAME_LIMIT, &max_frame) ||
        !read_number(values, "sample", 1, 1000000000, &sample))
        return false;
    config->max_frame = (size_t)max_frame;
    config->sample = (uint32_t)sample;
    return read_unsigned(values, "maxsessions", 0, 1000000, 1, &config->max_sessions) &&
           read_unsigned(values, "maxsessionsperpeer", 0, 1000000, 1,
                         &config->max_sessions_per_peer) &&
           read_unsigned(values, "handshaketimeout", 0, SECONDS_MAX, 1000,
                         &config->handshake_timeout_ms) &&
           read_unsigned(values, "idletimeout", 0, SECONDS_MAX, 1000, &config->idle_timeout_ms) &&
           read_unsigned(values, "ratelimit.interval", 0, SECONDS_MAX, 1000,
                         &config->rate_interval_ms) &&
           read_unsigned(values, "ratelimit.burst", 1, 1000000000, 1, &config->rate_burst);
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
    const struct svar *value = find(values, "messagetypes");
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
    const struct svar *value = find(values, "permittedpeer");

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

    if (!find(values, name))
        return true;
    if (!read_text(values, name, &text))
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
    static const struct choice hostnames[] = {
        {"identity", SUBMIT_IDENTITY}, {"peer", SUBMIT_PEER}, {"local", SUBMIT_LOCAL}, {NULL, 0}};
    static const struct choice encodings[] = {
        {"cobs", ENVELOPE_COBS}, {"base64", ENVELOPE_BASE64}, {"raw", ENVELOPE_RAW}, {NULL, 0}};
    static const struct choice flow_controls[] = {{"full", eFLOWCTL_FULL_DELAY},
                                                  {"light", eFLOWCTL_LIGHT_DELAY},
                                                  {"no", eFLOWCTL_NO_DELAY},
                                                  {NULL, 0}};
    static const struct choice framings[] = {
        {"dnstap", FS_FRAMING_STREAM}, {"powerdns", FS_FRAMING_LENGTH16}, {NULL, 0}};
    struct submit_style *style = &input->style;
    int hostname = SUBMIT_IDENTITY, encoding = ENVELOPE_COBS, flow = eFLOWCTL_FULL_DELAY,
        framing = FS_FRAMING_STREAM, facility = LOG_DAEMON, severity = LOG_INFO;
    uint64_t bundle = 1;

    if (!read_choice(values, "hostname", hostnames, &hostname) ||
        !read_choice(values, "encoding", encodings, &encoding) ||
        !read_choice(values, "flowcontrol", flow_controls, &flow) ||
        !read_choice(values, "framing", framings, &framing) ||
        !read_number(values, "bundle", 1, SUBMIT_BUNDLE_MAX, &bundle) ||
        !read_priority(values, "facility", syslogFacNames, &facility) ||
        !read_priority(values, "severity", syslogPriNames, &severity) ||
        !read_text(values, "tag", &style->tag) || !read_text(values, "name", &input->name) ||
        !read_text(values, "ruleset", &input->ruleset_name))
        return false;
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

/* The ways to get frames, and what else belongs to which of them. */
enum kind { OF_PATH = 1, OF_PORT = 2, OF_CONNECT = 4, OF_FILE = 8 };

static const struct {
    const char *name;
    unsigned kinds;
} belongings[] = {
    {"unlink", OF_PATH},
    {"filecreatemode", OF_PATH},
    {"fileowner", OF_PATH},
    {"fileownernum", OF_PATH},
    {"filegroup", OF_PATH},
    {"filegroupnum", OF_PATH},
    {"failonchownfailure", OF_PATH},
    {"address", OF_PORT},
    {"listenportfilename", OF_PORT},
    {"permittedpeer", OF_PORT},
    {"maxsessionsperpeer", OF_PORT},
    {"keepalive", OF_PORT | OF_CONNECT},
    {"keepalive.time", OF_PORT | OF_CONNECT},
    {"keepalive.interval", OF_PORT | OF_CONNECT},
    {"keepalive.probes", OF_PORT | OF_CONNECT},
    {"maxsessions", OF_PATH | OF_PORT},
    {"handshaketimeout", OF_PATH | OF_PORT | OF_CONNECT},
    {"idletimeout", OF_PATH | OF_PORT | OF_CONNECT},
    {"framing", OF_PATH | OF_PORT | OF_CONNECT},
    {"tls", OF_PORT | OF_CONNECT},
    {"file.mode", OF_FILE},
};

/* Exactly one way to get frames, and no parameter of another. */
static bool check_kind(const struct cnfparamvals *values)
{
    static const char *const names[] = {"path", "port", "connect", "file"};
    const char *first = NULL;
    unsigned kind = 0;

    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!find(values, names[i]))
            continue;
        if (first) {
            parser_errmsg("imdnstap: %s and %s exclude each other: write an input for each", first,
                          names[i]);
            return false;
        }
        first = names[i];
        kind = 1U << i;
    }
    if (!first) {
        parser_errmsg("imdnstap: the input has none of path, port, connect, file: say where frames "
                      "come from, e.g. path=\"/run/dnstap.sock\"");
        return false;
    }
    for (size_t i = 0; i < sizeof belongings / sizeof belongings[0]; i++)
        if (find(values, belongings[i].name) && !(belongings[i].kinds & kind)) {
            parser_errmsg("imdnstap: %s has no meaning for an input with %s: leave it out",
                          belongings[i].name, first);
            return false;
        }
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
    static const struct choice modes[] = {{"once", 0}, {"follow", 1}, {NULL, 0}};
    int follow = 0;

    if (!read_text(values, "connect", (char **)&config->connect) ||
        !read_text(values, "file", (char **)&config->file) ||
        !read_choice(values, "file.mode", modes, &follow))
        return false;
    config->follow = follow;
    return check_connect(config->connect);
}

static bool read_tls_peers(const struct cnfparamvals *values, struct tls_settings *tls)
{
    const struct svar *value = find(values, "tls.permittedpeer");
    char **peers;

    if (!value)
        return true;
    peers = calloc((size_t)value->d.ar->nmemb + 1, sizeof *peers);
    tls->permitted = (const char *const *)peers;
    for (int i = 0; peers && i < value->d.ar->nmemb; i++) {
        peers[i] = es_str2cstr(value->d.ar->arr[i], NULL);
        if (!peers[i])
            return false;
        tls->permitted_count++;
        if (tls->mode != TLS_FINGERPRINT || tls_is_fingerprint(peers[i]))
            continue;
        parser_errmsg(
            "imdnstap: tls.permittedpeer=\"%s\": with tls.authmode=\"fingerprint\" it must "
            "be SHA1: or SHA256: and the octets in hexadecimal",
            peers[i]);
        return false;
    }
    return peers != NULL;
}

/* What the mode needs must be there, and nothing may be given that would have no effect. */
static bool check_tls(const struct cnfparamvals *values, const struct tls_settings *tls)
{
    bool by_list = tls->mode == TLS_NAME || tls->mode == TLS_FINGERPRINT;
    const char *missing = NULL;

    if (!tls->client && !tls->certificate)
        missing = "tls.mycert";
    else if (tls->certificate && !tls->key)
        missing = "tls.myprivkey";
    else if ((tls->mode == TLS_NAME || tls->mode == TLS_CERTVALID) && !tls->ca)
        missing = "tls.cacert";
    else if (by_list && !tls->permitted_count)
        missing = "tls.permittedpeer";
    if (missing)
        parser_errmsg("imdnstap: %s is missing: tls=\"on\" with this tls.authmode needs it",
                      missing);
    else if (!by_list && find(values, "tls.permittedpeer"))
        parser_errmsg(
            "imdnstap: tls.permittedpeer has no meaning with this tls.authmode: it must be "
            "name or fingerprint");
    else
        return true;
    return false;
}

static bool read_tls(const struct cnfparamvals *values, struct source_config *config)
{
    static const struct choice modes[] = {{"anon", TLS_ANON},
                                          {"certvalid", TLS_CERTVALID},
                                          {"name", TLS_NAME},
                                          {"fingerprint", TLS_FINGERPRINT},
                                          {NULL, 0}};
    static const char *const names[] = {"tls.cacert", "tls.mycert", "tls.myprivkey", "tls.authmode",
                                        "tls.permittedpeer"};
    struct tls_settings *tls = &config->tls;
    int mode = TLS_ANON;

    if (!read_binary(values, "tls", &config->use_tls))
        return false;
    for (size_t i = 0; !config->use_tls && i < sizeof names / sizeof names[0]; i++)
        if (find(values, names[i])) {
            parser_errmsg("imdnstap: %s has no meaning without tls=\"on\"", names[i]);
            return false;
        }
    if (!config->use_tls)
        return true;
    tls->client = config->connect != NULL;
    if (!read_text(values, "tls.cacert", (char **)&tls->ca) ||
        !read_text(values, "tls.mycert", (char **)&tls->certificate) ||
        !read_text(values, "tls.myprivkey", (char **)&tls->key) ||
        !read_choice(values, "tls.authmode", modes, &mode))
        return false;
    tls->mode = (enum tls_mode)mode;
    return read_tls_peers(values, tls) && check_tls(values, tls);
}

static bool check_port(const char *port)
{
    uint64_t number;

    if (!port || (parse_number(port, &number) && number <= 65535 && strlen(port) <= 5))
        return true;
    parser_errmsg("imdnstap: port=\"%s\": must be a number from 0 to 65535 (0 picks one)", port);
    return false;
}

/* Without a name of its own an input has that of the place it listens at. */
static bool set_name(struct input *input)
{
    const struct source_config *c = &input->source;
    char *name = NULL;

    if (!input->name) {
        if (!c->port)
            name = strdup(c->path ? c->path : c->connect ? c->connect : c->file);
        else if (asprintf(&name, "%s:%s", c->address ? c->address : "*", c->port) < 0)
            name = NULL;
        input->name = name;
    }
    input->source.name = input->name;
    return input->name != NULL;
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
                                           .max_frame = 128 * 1024,
                                           .max_sessions = 1000,
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
    struct cnfparamvals *values = nvlstGetParams(list, &block, NULL);
    struct input *input = create();
    struct source_config *config;
    bool ok;

    if (!values || !input) {
        inputs_destroy(input);
        return NULL;
    }
    config = &input->source;
    ok = read_socket(values, config) && read_far(values, config) && read_limits(values, config) &&
         read_types(values, config) && read_permitted(values, config) &&
         read_style(values, input) && check_kind(values) && read_tls(values, config) &&
         check_port(config->port) && set_name(input);
    cnfparamvalsDestruct(values, &block);
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
    free((char *)config->tls.ca);
    free((char *)config->tls.certificate);
    free((char *)config->tls.key);
    for (size_t i = 0; i < config->tls.permitted_count; i++)
        free((char *)config->tls.permitted[i]);
    free((void *)config->tls.permitted);
    free((char *)config->file);
    free((char *)config->state_dir);
    free((char *)config->state_name);
    free(config->permitted);
    free(input->style.tag);
    free(input->name);
    free(input->ruleset_name);
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
