/* fmt_ocsf.c - Open Cybersecurity Schema Framework 1.9, DNS Activity (class 4003).
 *
 * Every required attribute is always there: activity_id, category_uid, class_uid, metadata with product
 * and version, severity_id, time, type_uid, and dst_endpoint (the class wants one endpoint at
 * least). time is 0 when the frame holds none. What the class has no attribute for is in `unmapped`.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fmt_common.h"
#include "fmt_keys.h"
#include "fmt_severity.h"

extern const struct fmt fmt_ocsf;

#define CLASS_UID 4003

enum { ACTIVITY_UNKNOWN = 0, ACTIVITY_QUERY = 1, ACTIVITY_RESPONSE = 2, ACTIVITY_TRAFFIC = 6 };

static unsigned activity(const struct event *event)
{
    if (!event->dns)
        return ACTIVITY_UNKNOWN;
    if (event->query)
        return ACTIVITY_TRAFFIC;
    return fmt_response(event) ? ACTIVITY_RESPONSE : ACTIVITY_QUERY;
}

/* Informational, Low, Medium. */
static unsigned severity(const struct event *event)
{
    unsigned level = fmt_severity(event);

    return level <= 3 ? 1 : level <= 5 ? 2 : 3;
}

static void put_metadata(struct text *t, const struct event *event,
                         const struct fmt_options *options)
{
    fmt_key_open(t, STR("metadata"), '{');
    fmt_key_lit(t, STR("version"), STR("\"1.9.0-dev\""));
    fmt_key_open(t, STR("product"), '{');
    fmt_key_lit(t, STR("name"), STR("\"mmdnstapparse\""));
    fmt_key_lit(t, STR("vendor_name"), STR("\"rsyslog\""));
    fmt_key_str(t, STR("version"), fmt_options_default.cef_version);
    text_put_char(t, '}');
    fmt_key_lit(t, STR("log_name"), STR("\"dnstap\""));
    fmt_key_str(t, STR("log_provider"), fmt_str(event->tap.version));
    fmt_key_str(t, STR("event_code"), event->type_text);
    if (event->tap.identity.len) {
        fmt_key_open(t, STR("loggers"), '[');
        text_put_char(t, '{');
        fmt_key_json(t, STR("name"), fmt_str(event->tap.identity));
        text_put_lit(t, "}]");
    }
    if (fmt_dns_cut(event->dns, options))
        fmt_key_lit(t, STR("is_truncated"), STR("true"));
    text_put_char(t, '}');
}

static void put_head(struct text *t, const struct event *event, const struct fmt_options *options)
{
    unsigned id = activity(event);

    fmt_key_u64(t, STR("activity_id"), id);
    fmt_key_lit(t, STR("category_uid"), STR("4"));
    fmt_key_u64(t, STR("class_uid"), CLASS_UID);
    fmt_key_u64(t, STR("type_uid"), CLASS_UID * 100 + id);
    fmt_key_u64(t, STR("severity_id"), severity(event));
    fmt_key_u64(t, STR("time"),
                fmt_has_date(event) ? fmt_ms(event->time_sec, event->time_nsec) : 0);
    put_metadata(t, event, options);
}

static void put_status(struct text *t, const struct event *event)
{
    const struct dns_message *response = fmt_response(event);

    if (event->malformed) {
        fmt_key_lit(t, STR("status_id"), STR("99"));
        fmt_key_lit(t, STR("status"), STR("\"Malformed\""));
        fmt_key_json(t, STR("status_detail"), event->error);
        fmt_key_base64(t, STR("raw_data"), event->frame);
        return;
    }
    if (!response)
        fmt_key_lit(t, STR("status_id"), STR("0"));
    else
        fmt_key_lit(t, STR("status_id"), response->rcode ? STR("2") : STR("1"));
}

static void put_endpoint(struct text *t, struct str key, struct span address, struct str ip,
                         bool has_port, uint32_t port, struct str service)
{
    size_t start = t->len;

    if (!fmt_is_ip(address) && !service.len)
        return; /* a port alone is no endpoint */
    fmt_key_open(t, key, '{');
    if (fmt_is_ip(address))
        fmt_key_json(t, STR("ip"), ip);
    if (has_port)
        fmt_key_u64(t, STR("port"), port);
    fmt_key_str(t, STR("svc_name"), service);
    fmt_key_close(t, start);
}

static void put_connection(struct text *t, const struct event *event)
{
    const struct dnstap *tap = &event->tap;

    put_endpoint(t, STR("src_endpoint"), tap->query_address, event->query_address,
                 tap->has & DNSTAP_HAS_QUERY_PORT, tap->query_port, STR(""));
    put_endpoint(t, STR("dst_endpoint"), tap->response_address, event->response_address,
                 tap->has & DNSTAP_HAS_RESPONSE_PORT, tap->response_port, STR("dns"));
    fmt_key_open(t, STR("connection_info"), '{');
    fmt_key_lit(t, STR("direction_id"), STR("0"));
    if (event->transport.len) {
        fmt_key_json(t, STR("protocol_name"), event->transport);
        fmt_key_u64(t, STR("protocol_num"), str_equal(event->transport, STR("tcp")) ? 6 : 17);
    }
    if (str_equal(event->family_text, STR("INET")))
        fmt_key_lit(t, STR("protocol_ver_id"), STR("4"));
    else if (str_equal(event->family_text, STR("INET6")))
        fmt_key_lit(t, STR("protocol_ver_id"), STR("6"));
    text_put_char(t, '}');
    fmt_key_open(t, STR("traffic"), '{');
    fmt_key_u64(t, STR("bytes"), tap->query_message.len + tap->response_message.len);
    if (tap->query_message.ptr)
        fmt_key_u64(t, STR("bytes_out"), tap->query_message.len);
    if (tap->response_message.ptr)
        fmt_key_u64(t, STR("bytes_in"), tap->response_message.len);
    text_put_char(t, '}');
}

static void put_times(struct text *t, const struct dnstap *tap)
{
    if ((tap->has & DNSTAP_HAS_QUERY_TIME_SEC) && tap->query_time_sec <= FMT_TIME_SEC_MAX)
        fmt_key_u64(t, STR("query_time"), fmt_ms(tap->query_time_sec, tap->query_time_nsec));
    if ((tap->has & DNSTAP_HAS_RESPONSE_TIME_SEC) && tap->response_time_sec <= FMT_TIME_SEC_MAX)
        fmt_key_u64(t, STR("response_time"),
                    fmt_ms(tap->response_time_sec, tap->response_time_nsec));
}

static void put_rrs(struct text *t, struct str key, struct fmt_rrs rrs)
{
    fmt_key_open(t, key, '[');
    for (size_t i = 0; i < rrs.count; i++) {
        const struct dns_rr *rr = fmt_rr(&rrs, i);

        fmt_sep(t);
        text_put_char(t, '{');
        fmt_key_json(t, STR("hostname"), rr->name);
        fmt_key_json(t, STR("type"), rr->type_text);
        fmt_key_json(t, STR("class"), rr->class_text);
        fmt_key_u64(t, STR("ttl"), rr->ttl);
        fmt_key_json(t, STR("rdata"), rr->data);
        text_put_char(t, '}');
    }
    text_put_char(t, ']');
}

/* flag_ids: 1 AA, 2 TC, 3 RD, 4 RA, 5 AD, 6 CD. */
static void put_flags(struct text *t, uint16_t flags)
{
    static const uint16_t bits[] = {DNS_AA, DNS_TC, DNS_RD, DNS_RA, DNS_AD, DNS_CD};

    fmt_key_open(t, STR("flag_ids"), '[');
    for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
        if (!(flags & bits[i]))
            continue;
        fmt_sep(t);
        text_put_u64(t, i + 1);
    }
    text_put_char(t, ']');
}

/* The captions of rcode_id; the numbers that RFC 6895 leaves unassigned or reserved have ids of their own. */
static void put_rcode(struct text *t, uint16_t rcode)
{
    static const struct str low[] = {{"NoError", 7},  {"FormError", 9}, {"ServError", 9},
                                     {"NXDomain", 8}, {"NotImp", 6},    {"Refused", 7},
                                     {"YXDomain", 8}, {"YXRRSet", 7},   {"NXRRSet", 7},
                                     {"NotAuth", 7},  {"NotZone", 7},   {"DSOTYPENI", 9}};
    static const struct str high[] = {{"BADVERS", 7},  {"BADKEY", 6},   {"BADTIME", 7},
                                      {"BADMODE", 7},  {"BADNAME", 7},  {"BADALG", 6},
                                      {"BADTRUNC", 8}, {"BADCOOKIE", 9}};
    struct str caption = STR("Unassigned");
    unsigned id = 24;

    if (rcode < sizeof(low) / sizeof(low[0])) {
        caption = low[rcode];
        id = rcode;
    } else if (rcode >= 16 && rcode - 16U < sizeof(high) / sizeof(high[0])) {
        caption = high[rcode - 16];
        id = rcode;
    } else if (rcode == 65535 || (rcode >= 3841 && rcode <= 4095)) {
        caption = STR("Reserved");
        id = 25;
    }
    fmt_key_json(t, STR("rcode"), caption);
    fmt_key_u64(t, STR("rcode_id"), id);
}

/* The captions of opcode_id; 99 is Other, with our own word. */
static void put_opcode(struct text *t, const struct dns_message *dns)
{
    static const struct str captions[] = {{"Query", 5},       {"Inverse Query", 13}, {"Status", 6},
                                          {"Reserved", 8},    {"Notify", 6},         {"Update", 6},
                                          {"DSO Message", 11}};
    bool known = dns->opcode < sizeof(captions) / sizeof(captions[0]);

    fmt_key_json(t, STR("opcode"), known ? captions[dns->opcode] : dns->opcode_text);
    fmt_key_u64(t, STR("opcode_id"), known ? dns->opcode : 99);
}

static void put_dns(struct text *t, const struct event *event, const struct fmt_options *options)
{
    const struct dns_message *dns = event->dns;

    if (!dns || !dns->has_header)
        return;
    fmt_key_u64(t, STR("transaction_id"), dns->id);
    put_opcode(t, dns);
    put_flags(t, dns->flags);
    if (dns->question_count) {
        fmt_key_open(t, STR("query"), '{');
        fmt_key_json(t, STR("hostname"), dns->question[0].name);
        fmt_key_json(t, STR("type"), dns->question[0].type_text);
        fmt_key_json(t, STR("class"), dns->question[0].class_text);
        text_put_char(t, '}');
    }
    if (!fmt_response(event))
        return;
    put_rcode(t, dns->rcode);
    put_rrs(t, STR("answers"), fmt_answers(event, options));
    put_rrs(t, STR("authority"), fmt_authorities(event, options));
}

static void put_unmapped(struct text *t, const struct event *event)
{
    size_t start = t->len, policy;

    fmt_key_open(t, STR("unmapped"), '{');
    fmt_key_str(t, STR("socket_protocol"), event->protocol_text);
    fmt_key_str(t, STR("query_zone"), event->query_zone);
    if (event->has_latency)
        fmt_key_u64(t, STR("latency_ns"), event->latency_ns);
    policy = t->len;
    fmt_key_open(t, STR("policy"), '{');
    fmt_key_str(t, STR("type"), fmt_str(event->tap.policy.type));
    fmt_key_str(t, STR("rule"), event->policy_rule);
    fmt_key_str(t, STR("action"), event->policy_action);
    fmt_key_str(t, STR("match"), event->policy_match);
    fmt_key_str(t, STR("value"), event->policy_value);
    fmt_key_close(t, policy);
    fmt_key_close(t, start);
}

static void render(const struct event *event, const struct fmt_options *options, struct text *t)
{
    text_put_char(t, '{');
    put_head(t, event, options);
    put_status(t, event);
    put_connection(t, event);
    put_times(t, &event->tap);
    put_dns(t, event, options);
    put_unmapped(t, event);
    text_put_char(t, '}');
}

const struct fmt fmt_ocsf = {"ocsf", false, render};
