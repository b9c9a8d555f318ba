/* fmt_passivedns.c - the log lines of gamelinux/passivedns: nine fields separated by ||.
 *
 *   sec.usec||client||server||class||query||type||answer||ttl||count
 *
 * One line per answer RR of a response to a QUERY; one per question, with the rcode for an answer, when there is an error
 * and no answer. Query is the owner of the RR, so behind a CNAME it is the CNAME's target.
 *
 * No line is lost to its readers' patterns (SOF-ELK's grok is the narrowest: labels of [0-9A-Za-z_-]
 * that do not begin with `-`, 63 characters at most). Other octets of a query name are written _xHH; a label that
 * then is too long is cut and ends with _x. The root is "./". `|` in an answer is \124. An address that the
 * frame lacks is 0.0.0.0 or ::. The format cannot do without a time: an event without one yields nothing.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fmt_common.h"

extern const struct fmt fmt_passivedns;

#define LABEL_MAX 63

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

/* The octet that a name's text holds at *pos, moving behind it: c, \c or \DDD. */
static unsigned char next_octet(struct str name, size_t *pos)
{
    const char *p = name.ptr + *pos;
    size_t left = name.len - *pos;

    if (p[0] != '\\' || left < 2) {
        *pos += 1;
        return (unsigned char)p[0];
    }
    if (left < 4 || !is_digit(p[1]) || !is_digit(p[2]) || !is_digit(p[3])) {
        *pos += 2;
        return (unsigned char)p[1];
    }
    *pos += 4;
    return (unsigned char)((p[1] - '0') * 100 + (p[2] - '0') * 10 + (p[3] - '0'));
}

/* The next octet of a label, and whether it may stand for itself. False at the label's end. */
static bool label_next(struct str name, size_t start, size_t *pos, unsigned char *ret,
                       bool *ret_plain)
{
    bool first = *pos == start, escaped;

    if (*pos >= name.len || name.ptr[*pos] == '.')
        return false;
    escaped = name.ptr[*pos] == '\\';
    *ret = next_octet(name, pos);
    *ret_plain = !escaped && (is_word((char)*ret) || (*ret == '-' && !first));
    return true;
}

/* Octets that a label takes when written whole. */
static size_t label_width(struct str name, size_t start)
{
    size_t pos = start, width = 0;
    unsigned char c;
    bool plain;

    while (label_next(name, start, &pos, &c, &plain)) /* advances */
        width += plain ? 1 : 4;
    return width;
}

/* One label from *pos to its dot or the end; cut, with room for the mark, when it is too wide. */
static void put_label(struct text *t, struct str name, size_t *pos)
{
    size_t start = *pos, used = 0;
    bool cut = label_width(name, start) > LABEL_MAX, full = false, plain;
    size_t max = cut ? LABEL_MAX - 2 : LABEL_MAX;
    unsigned char c;

    while (label_next(name, start, pos, &c, &plain)) { /* advances */
        used += plain ? 1 : 4;
        full = full || used > max;
        if (full)
            continue;
        if (plain) {
            text_put_char(t, (char)c);
        } else {
            text_put_lit(t, "_x");
            text_put_HEX(t, span_of(&c, 1));
        }
    }
    if (cut)
        text_put_lit(t, "_x");
}

static void put_query(struct text *t, struct str name)
{
    size_t pos = 0;

    if (str_equal(name, STR("."))) {
        text_put_lit(t, "./");
        return;
    }
    while (pos < name.len) { /* a label or a dot per turn */
        put_label(t, name, &pos);
        if (pos < name.len)
            pos++;
        text_put_char(t, '.');
    }
}

/* A mnemonic of word characters, else the number: as gamelinux does. */
static void put_mnemonic(struct text *t, struct str text, struct str prefix, uint16_t value)
{
    bool word = text.len > 0 && !(text.len > prefix.len && is_digit(text.ptr[prefix.len]) &&
                                  memcmp(text.ptr, prefix.ptr, prefix.len) == 0);

    for (size_t i = 0; word && i < text.len; i++)
        word = is_word(text.ptr[i]);
    if (word)
        text_put_str(t, text);
    else
        text_put_u64(t, value);
}

static void put_address(struct text *t, struct span address, struct str text, bool six)
{
    if (fmt_is_ip(address))
        text_put_str(t, text);
    else
        text_put_str(t, six ? STR("::") : STR("0.0.0.0"));
}

/* Time, client, server, class, query, type, and the delimiter before the answer. */
static void put_head(struct text *t, const struct event *event, const struct dns_question *q)
{
    const struct dnstap *tap = &event->tap;
    bool six = tap->query_address.len == 16 || tap->response_address.len == 16;

    text_put_u64(t, event->time_sec);
    text_put_char(t, '.');
    text_put_u64_pad(t, event->time_nsec / 1000, 6);
    text_put_lit(t, "||");
    put_address(t, tap->query_address, event->query_address, six);
    text_put_lit(t, "||");
    put_address(t, tap->response_address, event->response_address, six);
    text_put_lit(t, "||");
    put_mnemonic(t, q->class_text, STR("CLASS"), q->class);
    text_put_lit(t, "||");
    put_query(t, q->name);
    text_put_lit(t, "||");
    put_mnemonic(t, q->type_text, STR("TYPE"), q->type);
    text_put_lit(t, "||");
}

/* The field that passivedns shows of a type's rdata. */
static struct str answer_of(const struct dns_rr *rr)
{
    struct str field = {NULL, 0};

    if (rr->generic)
        return rr->data;
    switch (rr->type) {
    case FMT_TYPE_SOA:
    case FMT_TYPE_TXT:
    case FMT_TYPE_SPF:
        field = fmt_rdata_field(rr->data, 0);
        break;
    case FMT_TYPE_MX:
        field = fmt_rdata_field(rr->data, 1);
        break;
    case FMT_TYPE_SRV:
        field = fmt_rdata_field(rr->data, 3);
        break;
    default:
        break;
    }
    if (field.len)
        return field;
    return rr->data.len ? rr->data : STR("\\# 0");
}

static void put_answer(struct text *t, const struct event *event, const struct dns_rr *rr)
{
    const struct dns_question head = {rr->name, rr->type_text, rr->class_text, rr->type, rr->class};
    struct str answer = answer_of(rr);

    put_head(t, event, &head);
    for (size_t i = 0; i < answer.len; i++) {
        if (answer.ptr[i] == '|')
            text_put_lit(t, "\\124");
        else
            text_put_char(t, answer.ptr[i]);
    }
    text_put_lit(t, "||");
    text_put_u64(t, rr->ttl);
    text_put_lit(t, "||1");
}

/* passivedns' own names: NOTIMPL, not NOTIMP. TTL 0, count 1. */
static void put_error(struct text *t, uint16_t rcode)
{
    static const struct str names[] = {{"", 0},         {"FORMERR", 7}, {"SERVFAIL", 8},
                                       {"NXDOMAIN", 8}, {"NOTIMPL", 7}, {"REFUSED", 7},
                                       {"YXDOMAIN", 8}, {"YXRRSET", 7}, {"NXRRSET", 7},
                                       {"NOTAUTH", 7},  {"NOTZONE", 7}};

    if (rcode < sizeof(names) / sizeof(names[0])) {
        text_put_str(t, names[rcode]);
    } else {
        text_put_lit(t, "UNKNOWN-ERROR-");
        text_put_u64(t, rcode);
    }
    text_put_lit(t, "||0||1");
}

static void render(const struct event *event, const struct fmt_options *options, struct text *t)
{
    const struct dns_message *dns = event_answer(event);
    struct fmt_rrs rrs = fmt_answers(event, options);
    bool any = false;

    if (!dns || !fmt_has_date(event))
        return;
    for (size_t i = 0; i < rrs.count; i++) {
        if (!fmt_is_seen(fmt_rr(&rrs, i)))
            continue;
        if (any)
            text_put_char(t, '\n');
        any = true;
        put_answer(t, event, fmt_rr(&rrs, i));
    }
    if (rrs.count || dns->rcode == 0)
        return;
    for (size_t i = 0; i < dns->question_count; i++) {
        if (dns_name_is_generic(dns->question[i].name))
            continue;
        if (any)
            text_put_char(t, '\n');
        any = true;
        put_head(t, event, &dns->question[i]);
        put_error(t, dns->rcode);
    }
}

const struct fmt fmt_passivedns = {"passivedns", true, render};
