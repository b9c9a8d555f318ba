/* fmt_cef.c - ArcSight Common Event Format, CEF:0 (OpenText CEF implementation standard v27).
 *
 * Written for the strictest reader known (Beats' decode_cef): only \\ and \| in the header, only \\ \= \n \r
 * in a value, one space between pairs, no empty pair, integers without leading zero. Control
 * octets become the digits of \DDD. Every field is cut to its length in the standard (counted as written,
 * which is never less than what a reader counts), at a character, and lists at an RR.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fmt_common.h"
#include "fmt_keys.h"
#include "fmt_severity.h"

extern const struct fmt fmt_cef;

enum {
    VENDOR_MAX = 63,
    PRODUCT_MAX = 63,
    VERSION_MAX = 31,
    CLASS_MAX = 1023,
    PROTO_MAX = 31,
    ACT_MAX = 63,
    DOMAIN_MAX = 255,
    REASON_MAX = 1023,
    DVCHOST_MAX = 100,
    PROCESS_MAX = 1023,
    CS_MAX = 4000,
    KEY_MAX = 1023 /* custom keys: the standard sets no limit */
};

enum where { HEADER, VALUE, CUSTOM };

/* What to write for an ASCII octet, NULL for itself. CUSTOM: values of our own keys, which Microsoft
 * Sentinel joins as key=value;key=value. */
static const char *escape_of(char c, enum where where)
{
    switch (c) {
    case '\\':
        return "\\\\";
    case '|':
        return where == HEADER ? "\\|" : NULL;
    case '=':
        return where == HEADER ? NULL : where == VALUE ? "\\=" : "\\\\061";
    case ';':
        return where == CUSTOM ? "\\\\059" : NULL;
    case '\n':
        return where == HEADER ? " " : "\\n";
    case '\r':
        return where == HEADER ? " " : "\\r";
    default:
        return NULL;
    }
}

/* Cut what was written from `start` to `max` octets at most, never within an escape or a
 * UTF-8 sequence. The text there is well-formed. True when something was cut. */
static bool cut_to(struct text *t, size_t start, size_t max)
{
    size_t pos = start, next;

    if (t->overflow || t->len - start <= max)
        return false;
    for (;; pos = next) { /* every turn advances; the text is longer than max */
        unsigned char c = (unsigned char)t->buf[pos];

        next = pos + (c == '\\' ? 2U : c >= 0xf0 ? 4U : c >= 0xe0 ? 3U : c >= 0xc0 ? 2U : 1U);
        if (next - start > max)
            break;
    }
    text_cut(t, pos);
    return true;
}

static struct str trim(struct str s)
{
    while (s.len && s.ptr[0] == ' ') {
        s.ptr++;
        s.len--;
    }
    while (s.len && s.ptr[s.len - 1] == ' ')
        s.len--;
    return s;
}

/* Runs between ASCII octets that need care are made well-formed UTF-8 each on its own: an
 * ASCII octet is never part of a sequence. */
static void put_escaped(struct text *t, struct str s, enum where where)
{
    size_t from = 0;

    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        const char *escape = escape_of(s.ptr[i], where);

        if (!escape && c >= 0x20 && c != 0x7f)
            continue;
        text_put_utf8(t, (struct str){s.ptr + from, i - from});
        from = i + 1;
        if (escape) {
            text_put_str(t, str_of(escape));
        } else {
            text_put_lit(t, "\\\\");
            text_put_u64_pad(t, c, 3);
        }
    }
    text_put_utf8(t, (struct str){s.ptr + from, s.len - from});
}

static void put_header(struct text *t, struct str value, size_t max)
{
    size_t start = t->len;

    put_escaped(t, value, HEADER);
    cut_to(t, start, max);
    text_put_char(t, '|');
}

/* " key=value", or nothing when there is no value. */
static bool put_pair(struct text *t, struct str key, struct str value, size_t max)
{
    size_t start;

    value = trim(value);
    if (!value.len)
        return false;
    text_put_str(t, key);
    start = t->len;
    put_escaped(t, value, max == KEY_MAX ? CUSTOM : VALUE);
    cut_to(t, start, max);
    return true;
}

static void put_number(struct text *t, struct str key, uint64_t value)
{
    text_put_str(t, key);
    text_put_u64(t, value);
}

static void put_label(struct text *t, bool wanted, struct str label)
{
    if (wanted)
        text_put_str(t, label);
}

static void put_ms(struct text *t, struct str key, bool has, uint64_t sec, uint32_t nsec)
{
    if (has && sec <= FMT_TIME_SEC_MAX)
        put_number(t, key, fmt_ms(sec, nsec));
}

static void put_head(struct text *t, const struct event *event, const struct fmt_options *options)
{
    struct str class = event->type_text;
    bool response = event->type_text.len && event->is_response && event->tap.type;

    text_put_lit(t, "CEF:0|");
    put_header(t, options->cef_vendor, VENDOR_MAX);
    put_header(t, options->cef_product, PRODUCT_MAX);
    put_header(t, options->cef_version, VERSION_MAX);
    put_header(t, class.len ? class : STR("MALFORMED"), CLASS_MAX);
    text_put_str(t, response ? STR("DNS Response|") : STR("DNS Query|"));
    text_put_u64(t, fmt_severity(event));
    text_put_char(t, '|');
}

static void put_addresses(struct text *t, const struct event *event)
{
    const struct dnstap *tap = &event->tap;

    if (fmt_is_ip(tap->query_address))
        put_pair(t, STR(" src="), event->query_address, KEY_MAX);
    if ((tap->has & DNSTAP_HAS_QUERY_PORT) && tap->query_port <= 65535)
        put_number(t, STR(" spt="), tap->query_port);
    if (fmt_is_ip(tap->response_address))
        put_pair(t, STR(" dst="), event->response_address, KEY_MAX);
    if ((tap->has & DNSTAP_HAS_RESPONSE_PORT) && tap->response_port <= 65535)
        put_number(t, STR(" dpt="), tap->response_port);
    if (event->transport.len)
        put_pair(t, STR(" proto="),
                 str_equal(event->transport, STR("tcp")) ? STR("TCP") : STR("UDP"), PROTO_MAX);
    text_put_lit(t, " app=DNS");
    put_pair(t, STR(" act="), event->policy_action, ACT_MAX);
}

static void put_outcome(struct text *t, const struct event *event)
{
    const struct dns_message *response = fmt_response(event);

    if (response && response->has_header) {
        text_put_str(t, response->rcode ? STR(" outcome=failure") : STR(" outcome=success"));
        put_pair(t, STR(" reason="), response->rcode_text, REASON_MAX);
    }
    if (event->tap.query_message.ptr)
        put_number(t, STR(" in="), event->tap.query_message.len);
    if (event->tap.response_message.ptr)
        put_number(t, STR(" out="), event->tap.response_message.len);
    if (event->malformed)
        put_pair(t, STR(" msg="), event->error, REASON_MAX);
    put_pair(t, STR(" dvchost="), fmt_str(event->tap.identity), DVCHOST_MAX);
    put_pair(t, STR(" deviceProcessName="), fmt_str(event->tap.version), PROCESS_MAX);
}

/* "owner ttl class type rdata, ..." up to CS_MAX, whole RRs unless the first is longer than that. */
static bool put_list(struct text *t, struct str key, struct str label, const struct fmt_rrs *rrs)
{
    bool cut = rrs->cut;
    size_t start;

    if (!rrs->count)
        return cut;
    text_put_str(t, key);
    start = t->len;
    for (size_t i = 0; i < rrs->count; i++) {
        const struct dns_rr *rr = fmt_rr(rrs, i);
        size_t before = t->len;

        if (i)
            text_put_lit(t, ", ");
        put_escaped(t, rr->name, VALUE);
        text_put_char(t, ' ');
        text_put_u64(t, rr->ttl);
        text_put_char(t, ' ');
        text_put_str(t, rr->class_text);
        text_put_char(t, ' ');
        text_put_str(t, rr->type_text);
        if (rr->data.len)
            text_put_char(t, ' ');
        put_escaped(t, rr->data, VALUE);
        if (t->overflow || t->len - start <= CS_MAX)
            continue;
        if (i)
            text_cut(t, before);
        else
            cut_to(t, start, CS_MAX);
        cut = true;
        break;
    }
    text_put_str(t, label);
    return cut;
}

/* Both sections; an UPDATE's under their own names. True: not all of them. */
static bool put_sections(struct text *t, const struct event *event,
                         const struct fmt_options *options)
{
    struct fmt_rrs rrs = fmt_answers(event, options);
    struct str label[] = {STR(" cs4Label=dnsAnswers"), STR(" cs5Label=dnsAuthority")};
    bool cut;

    if (event->dns->opcode == DNS_OPCODE_UPDATE) {
        rrs = fmt_section(event->dns, DNS_ANSWER, options);
        label[0] = STR(" cs4Label=dnsPrerequisites");
        label[1] = STR(" cs5Label=dnsUpdates");
    }
    cut = put_list(t, STR(" cs4="), label[0], &rrs);
    rrs = fmt_section(event->dns, DNS_AUTHORITY, options);
    return put_list(t, STR(" cs5="), label[1], &rrs) || cut;
}

static bool put_dns(struct text *t, const struct event *event, const struct fmt_options *options)
{
    const struct dns_message *dns = event->dns;
    bool cut;

    if (!dns || !dns->has_header)
        return false;
    if (fmt_response(event)) {
        put_number(t, STR(" cn1="), dns->rcode);
        text_put_lit(t, " cn1Label=dnsRcode");
    }
    put_number(t, STR(" cn2="), dns->id);
    text_put_lit(t, " cn2Label=dnsTransactionId");
    put_number(t, STR(" cn3="), dns->count[DNS_ANSWER]);
    text_put_str(t, dns->opcode == DNS_OPCODE_UPDATE ? STR(" cn3Label=dnsPrerequisiteCount")
                                                     : STR(" cn3Label=dnsAnswerCount"));
    if (dns->question_count) {
        put_pair(t, STR(" cs1="), dns->question[0].type_text, CS_MAX);
        text_put_lit(t, " cs1Label=dnsQueryType");
        put_pair(t, STR(" cs2="), dns->question[0].class_text, CS_MAX);
        text_put_lit(t, " cs2Label=dnsQueryClass");
    }
    if (dns->flags & (DNS_QR | DNS_AA | DNS_TC | DNS_RD | DNS_RA | DNS_AD | DNS_CD)) {
        text_put_lit(t, " cs3=");
        fmt_put_flags(t, dns->flags, STR(""), STR(" "));
        text_put_lit(t, " cs3Label=dnsFlags");
    }
    cut = put_sections(t, event, options);
    put_label(t, put_pair(t, STR(" cs6="), dns->opcode_text, CS_MAX), STR(" cs6Label=dnsOpcode"));
    return cut || dns->truncated_output;
}

/* Keys of our own. None holds spaces at its end, so nothing of the last value is lost. */
static void put_custom(struct text *t, const struct event *event, bool cut)
{
    if (event->has_time)
        put_number(t, STR(" RsyslogDnstapTimeNsec="), event->time_nsec);
    put_pair(t, STR(" RsyslogDnstapSocketProtocol="), event->protocol_text, KEY_MAX);
    put_pair(t, STR(" RsyslogDnstapPolicyRule="), event->policy_rule, KEY_MAX);
    if (cut)
        text_put_lit(t, " RsyslogDnstapTruncated=1");
    if (event->malformed)
        text_put_lit(t, " RsyslogDnstapMalformed=1");
}

static void render(const struct event *event, const struct fmt_options *options, struct text *t)
{
    const struct dnstap *tap = &event->tap;
    size_t start;
    bool cut;

    put_head(t, event, options);
    start = t->len;
    put_ms(t, STR(" rt="), event->has_time, event->time_sec, event->time_nsec);
    put_ms(t, STR(" start="), tap->has & DNSTAP_HAS_QUERY_TIME_SEC, tap->query_time_sec,
           tap->query_time_nsec);
    put_ms(t, STR(" end="), tap->has & DNSTAP_HAS_RESPONSE_TIME_SEC, tap->response_time_sec,
           tap->response_time_nsec);
    put_addresses(t, event);
    if (event->dns && event->dns->question_count)
        put_pair(t, STR(" destinationDnsDomain="), event->dns->question[0].name, DOMAIN_MAX);
    put_outcome(t, event);
    cut = put_dns(t, event, options);
    put_custom(t, event, cut);
    if (!t->overflow && t->len > start) { /* the first pair needs no space before it */
        memmove(t->buf + start, t->buf + start + 1, t->len - start - 1);
        text_cut(t, t->len - 1);
    }
}

const struct fmt fmt_cef = {"cef", false, render};
