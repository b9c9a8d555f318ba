/* fmt_ecs.c - Elastic Common Schema: one document per event, fields of ECS only.
 *
 * Fields as in the schema's dns, event, network, source, destination, client, server, observer,
 * related, rule, error and tags. registered_domain and its like need the public suffix
 * list and are not guessed. @timestamp is mandatory: without a usable time it is the
 * epoch and the tag `no_time` says so.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fmt_common.h"
#include "fmt_keys.h"

extern const struct fmt fmt_ecs;

#define ECS_VERSION STR("8.11.0")

static void put_time(struct text *t, struct str key, uint64_t sec, uint32_t nsec)
{
    fmt_key(t, key);
    text_put_char(t, '"');
    text_put_rfc3339(t, sec, nsec % FMT_NSEC_PER_SEC);
    text_put_char(t, '"');
}

static bool failed(const struct event *event)
{
    return event->malformed || !event->dns;
}

static struct str outcome(const struct event *event)
{
    if (!fmt_response(event) || failed(event))
        return STR("unknown");
    return event->dns->rcode == 0 ? STR("success") : STR("failure");
}

static void put_event(struct text *t, const struct event *event)
{
    const struct dnstap *tap = &event->tap;

    fmt_key_open(t, STR("event"), '{');
    fmt_key_lit(t, STR("kind"), failed(event) ? STR("\"pipeline_error\"") : STR("\"event\""));
    fmt_key_lit(t, STR("category"), STR("[\"network\"]"));
    fmt_key_lit(t, STR("type"), STR("[\"connection\",\"protocol\"]"));
    fmt_key_str(t, STR("action"), event->type_text);
    fmt_key_lit(t, STR("module"), STR("\"dnstap\""));
    fmt_key_lit(t, STR("dataset"), STR("\"dnstap.message\""));
    fmt_key_json(t, STR("outcome"), outcome(event));
    if ((tap->has & DNSTAP_HAS_QUERY_TIME_SEC) && tap->query_time_sec <= FMT_TIME_SEC_MAX)
        put_time(t, STR("start"), tap->query_time_sec, tap->query_time_nsec);
    if ((tap->has & DNSTAP_HAS_RESPONSE_TIME_SEC) && tap->response_time_sec <= FMT_TIME_SEC_MAX)
        put_time(t, STR("end"), tap->response_time_sec, tap->response_time_nsec);
    if (event->has_latency && event->latency_ns <= INT64_MAX)
        fmt_key_u64(t, STR("duration"), event->latency_ns);
    if (event->malformed)
        fmt_key_base64(t, STR("original"), event->frame);
    text_put_char(t, '}');
}

static void put_answers(struct text *t, const struct event *event,
                        const struct fmt_options *options)
{
    struct fmt_rrs rrs = fmt_answers(event, options);

    if (!fmt_response(event))
        return;
    fmt_key_open(t, STR("answers"), '[');
    for (size_t i = 0; i < rrs.count; i++) {
        const struct dns_rr *rr = fmt_rr(&rrs, i);

        fmt_sep(t);
        text_put_char(t, '{');
        fmt_key_json(t, STR("name"), rr->name);
        fmt_key_json(t, STR("type"), rr->type_text);
        fmt_key_json(t, STR("class"), rr->class_text);
        fmt_key_u64(t, STR("ttl"), rr->ttl);
        fmt_key_json(t, STR("data"), rr->data);
        text_put_char(t, '}');
    }
    text_put_char(t, ']');
}

/* The addresses in the answers, as list items. */
static void put_resolved(struct text *t, const struct event *event,
                         const struct fmt_options *options)
{
    struct fmt_rrs rrs = fmt_answers(event, options);

    for (size_t i = 0; i < rrs.count; i++) {
        if (!dns_rr_is_address(fmt_rr(&rrs, i)))
            continue;
        fmt_sep(t);
        text_put_json(t, fmt_rr(&rrs, i)->data);
    }
}

/* header_flags as ECS expects them: QR is not among them, DO is. */
static void put_flags(struct text *t, const struct dns_message *dns)
{
    fmt_key_open(t, STR("header_flags"), '[');
    fmt_put_flags(t, (uint16_t)(dns->flags & ~DNS_QR), STR("\""), STR(","));
    if (dns->edns.present && dns->edns.dnssec_ok) {
        fmt_sep(t);
        text_put_lit(t, "\"DO\"");
    }
    text_put_char(t, ']');
}

static void put_dns(struct text *t, const struct event *event, const struct fmt_options *options)
{
    const struct dns_message *dns = event->dns;
    bool answer = fmt_response(event) != NULL;

    if (!dns || !dns->has_header)
        return;
    fmt_key_open(t, STR("dns"), '{');
    fmt_key_json(t, STR("type"), answer ? STR("answer") : STR("query"));
    fmt_key(t, STR("id"));
    text_put_char(t, '"');
    text_put_u64(t, dns->id);
    text_put_char(t, '"');
    fmt_key_json(t, STR("op_code"), dns->opcode_text);
    put_flags(t, dns);
    if (answer)
        fmt_key_json(t, STR("response_code"), dns->rcode_text);
    if (dns->question_count) {
        fmt_key_open(t, STR("question"), '{');
        fmt_key_json(t, STR("name"), dns->question[0].name);
        fmt_key_json(t, STR("type"), dns->question[0].type_text);
        fmt_key_json(t, STR("class"), dns->question[0].class_text);
        text_put_char(t, '}');
    }
    put_answers(t, event, options);
    if (answer) {
        fmt_key_open(t, STR("resolved_ip"), '[');
        put_resolved(t, event, options);
        text_put_char(t, ']');
    }
    text_put_char(t, '}');
}

static void put_network(struct text *t, const struct event *event)
{
    const struct dnstap *tap = &event->tap;
    bool six = (tap->has & DNSTAP_HAS_FAMILY) && str_equal(event->family_text, STR("INET6"));

    fmt_key_open(t, STR("network"), '{');
    fmt_key_lit(t, STR("protocol"), STR("\"dns\""));
    fmt_key_str(t, STR("transport"), event->transport);
    if (six || str_equal(event->family_text, STR("INET")))
        fmt_key_json(t, STR("type"), six ? STR("ipv6") : STR("ipv4"));
    fmt_key_u64(t, STR("bytes"), tap->query_message.len + tap->response_message.len);
    text_put_char(t, '}');
}

static void put_endpoint(struct text *t, struct str key, struct span address, struct str ip,
                         bool has_port, uint32_t port, struct span message)
{
    size_t start = t->len;

    fmt_key_open(t, key, '{');
    if (fmt_is_ip(address)) {
        fmt_key_json(t, STR("address"), ip);
        fmt_key_json(t, STR("ip"), ip);
    }
    if (has_port)
        fmt_key_u64(t, STR("port"), port);
    if (message.ptr)
        fmt_key_u64(t, STR("bytes"), message.len);
    fmt_key_close(t, start);
}

static void put_endpoints(struct text *t, const struct event *event, struct str initiator,
                          struct str responder)
{
    const struct dnstap *tap = &event->tap;

    put_endpoint(t, initiator, tap->query_address, event->query_address,
                 tap->has & DNSTAP_HAS_QUERY_PORT, tap->query_port, tap->query_message);
    put_endpoint(t, responder, tap->response_address, event->response_address,
                 tap->has & DNSTAP_HAS_RESPONSE_PORT, tap->response_port, tap->response_message);
}

static void put_related(struct text *t, const struct event *event,
                        const struct fmt_options *options)
{
    const struct dnstap *tap = &event->tap;

    fmt_key_open(t, STR("related"), '{');
    fmt_key_open(t, STR("ip"), '[');
    if (fmt_is_ip(tap->query_address)) {
        fmt_sep(t);
        text_put_json(t, event->query_address);
    }
    if (fmt_is_ip(tap->response_address)) {
        fmt_sep(t);
        text_put_json(t, event->response_address);
    }
    put_resolved(t, event, options);
    text_put_char(t, ']');
    fmt_key_open(t, STR("hosts"), '[');
    for (size_t i = 0; event->dns && i < event->dns->question_count; i++) {
        if (dns_name_is_generic(event->dns->question[i].name))
            continue;
        fmt_sep(t);
        text_put_json(t, event->dns->question[i].name);
    }
    text_put_lit(t, "]}");
}

static void put_observer(struct text *t, const struct event *event)
{
    size_t start = t->len;

    fmt_key_open(t, STR("observer"), '{');
    fmt_key_str(t, STR("name"), fmt_str(event->tap.identity));
    fmt_key_str(t, STR("version"), fmt_str(event->tap.version));
    fmt_key_close(t, start);
}

static void put_rule(struct text *t, const struct event *event)
{
    size_t start = t->len;

    fmt_key_open(t, STR("rule"), '{');
    fmt_key_str(t, STR("name"), event->policy_rule);
    fmt_key_str(t, STR("ruleset"), fmt_str(event->tap.policy.type));
    fmt_key_str(t, STR("category"), event->policy_action);
    fmt_key_close(t, start);
}

static void put_tags(struct text *t, const struct event *event, const struct fmt_options *options)
{
    fmt_key_open(t, STR("tags"), '[');
    if (!fmt_has_date(event))
        text_put_lit(t, "\"no_time\"");
    if (fmt_dns_cut(event->dns, options)) {
        fmt_sep(t);
        text_put_lit(t, "\"truncated\"");
    }
    if (event->malformed) {
        fmt_sep(t);
        text_put_lit(t, "\"malformed\"");
    }
    text_put_char(t, ']');
}

static void render(const struct event *event, const struct fmt_options *options, struct text *t)
{
    bool date = fmt_has_date(event);

    text_put_char(t, '{');
    put_time(t, STR("@timestamp"), date ? event->time_sec : 0, date ? event->time_nsec : 0);
    fmt_key_open(t, STR("ecs"), '{');
    fmt_key_json(t, STR("version"), ECS_VERSION);
    text_put_char(t, '}');
    put_event(t, event);
    put_dns(t, event, options);
    put_network(t, event);
    put_endpoints(t, event, STR("source"), STR("destination"));
    put_endpoints(t, event, STR("client"), STR("server"));
    put_related(t, event, options);
    put_observer(t, event);
    put_rule(t, event);
    put_tags(t, event, options);
    if (event->malformed) {
        fmt_key_open(t, STR("error"), '{');
        fmt_key_json(t, STR("message"), event->error);
        text_put_char(t, '}');
    }
    text_put_char(t, '}');
}

const struct fmt fmt_ecs = {"ecs", false, render};
