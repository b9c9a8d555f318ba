/* fmt_logstash.c - the JSON of dnstap_reader's dnstap2logstash.py: its keys, order and nesting.
 *
 * What differs: queries carry their own time, every message type is written, an absent
 * address is null (an Elasticsearch field of type ip refuses ""), and an event that
 * could not be decoded in full says so in `malformed` and `error`.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fmt_logstash.h"

static void put_string(struct text *t, struct str key, struct str value)
{
    text_put_str(t, key);
    text_put_json(t, value);
}

static void put_span(struct text *t, struct str key, struct span value)
{
    put_string(t, key, (struct str){(const char *)value.ptr, value.len});
}

static void put_number(struct text *t, struct str key, uint64_t value)
{
    text_put_str(t, key);
    text_put_u64(t, value);
}

static void put_address(struct text *t, struct str key, struct span address, struct str value)
{
    if (fmt_is_ip(address)) {
        put_string(t, key, value);
    } else {
        text_put_str(t, key);
        text_put_lit(t, "null");
    }
}

static void put_questions(struct text *t, const struct dns_message *dns)
{
    text_put_lit(t, ",\"question\":[");
    for (size_t i = 0; dns && i < dns->question_count; i++) {
        const struct dns_question *q = &dns->question[i];

        text_put_str(t, i ? STR(",[\"") : STR("[\""));
        fmt_put_fqdn_json(t, q->name);
        text_put_char(t, ' ');
        text_put_str(t, q->class_text);
        text_put_char(t, ' ');
        text_put_str(t, q->type_text);
        text_put_lit(t, "\"]");
    }
    text_put_char(t, ']');
}

/* An array of RRsets, each an array of strings. */
static void put_rrsets(struct text *t, struct str key, const struct fmt_rrs *rrs)
{
    struct fmt_groups groups;
    bool any = false;

    fmt_group(rrs, FMT_BY_RRSET, &groups);
    text_put_str(t, key);
    text_put_char(t, '[');
    for (size_t i = 0; i < rrs->count; i++) {
        if (!groups.head[i])
            continue;
        text_put_str(t, any ? STR(",[\"") : STR("[\""));
        any = true;
        fmt_put_rr_json(t, fmt_rr(rrs, i));
        for (size_t j = groups.next[i]; j; j = groups.next[j - 1]) { /* indices ascend */
            text_put_lit(t, "\",\"");
            fmt_put_rr_json(t, fmt_rr(rrs, j - 1));
        }
        text_put_lit(t, "\"]");
    }
    text_put_char(t, ']');
}

void fmt_logstash_head(struct text *t, const struct event *event)
{
    const struct dns_message *dns = event->dns;

    put_number(t, STR("{\"timestamp\":"), event->has_time ? event->time_sec : 0);
    put_span(t, STR(",\"identity\":"), event->tap.identity);
    put_span(t, STR(",\"version\":"), event->tap.version);
    put_string(t, STR(",\"query_direction\":"),
               event->direction.len ? event->direction : STR("unknown"));
    put_address(t, STR(",\"query_address\":"), event->tap.query_address, event->query_address);
    put_number(t, STR(",\"query_port\":"), event->tap.query_port);
    put_address(t, STR(",\"response_address\":"), event->tap.response_address,
                event->response_address);
    put_number(t, STR(",\"response_port\":"), event->tap.response_port);
    put_number(t, STR(",\"response_len\":"), event->tap.response_message.len);
    if (dns && dns->has_header) {
        put_number(t, STR(",\"query_id\":"), dns->id);
        put_string(t, STR(",\"rcode_string\":"), dns->rcode_text);
        put_number(t, STR(",\"rcode\":"), dns->rcode);
    } else {
        text_put_lit(t, ",\"query_id\":null,\"rcode_string\":null,\"rcode\":null");
    }
    text_put_lit(t, ",\"flags\":\"");
    if (dns)
        fmt_put_flags(t, dns->flags, STR(""), STR(" "));
    text_put_char(t, '"');
    put_questions(t, dns);
}

void fmt_logstash_tail(struct text *t, const struct event *event, const struct fmt_options *options)
{
    struct fmt_rrs authorities = fmt_authorities(event, options);

    put_rrsets(t, STR(",\"authorities\":"), &authorities);
    if (fmt_dns_cut(event->dns, options))
        text_put_lit(t, ",\"truncated\":true");
    if (event->malformed)
        put_string(t, STR(",\"malformed\":true,\"error\":"), event->error);
    text_put_char(t, '}');
}

static void render(const struct event *event, const struct fmt_options *options, struct text *t)
{
    struct fmt_rrs answers = fmt_answers(event, options);

    fmt_logstash_head(t, event);
    put_rrsets(t, STR(",\"answers\":"), &answers);
    fmt_logstash_tail(t, event, options);
}

const struct fmt fmt_logstash = {"logstash", false, render};
