/* fmt_json.c - the event as one JSON object (RFC 8259): the keys, types and order of the `json` format.
 *
 * Written directly. What is bounded is reserved once and written unchecked through a pointer: keys with their
 * punctuation are literals, names and rdata are known to be printable ASCII, of which only `"` and `\`
 * need an escape. Free text (identity, extra, EDE text ...) goes through text_put_json.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fmt_list.h"
#include "word.h"

#define CLASS_IN 1

/* Octets that the literals and numbers of one of these take at most, without their strings, and the last word
 * that put_ascii or put_number writes. */
#define QUESTION_FIXED_MAX 128
#define RR_FIXED_MAX       192
#define OPTION_FIXED_MAX   128
#define HEADER_FIXED_MAX   512
#define HEAD_FIXED_MAX     128
#define MESSAGE_FIXED_MAX  768
#define STRING_FIXED_MAX   32

static inline void written(struct text *t, const char *end)
{
    t->len = (size_t)(end - t->buf);
}

/* Writes a literal, returns its end. */
#define PUT(p, literal) (memcpy((p), literal, sizeof(literal) - 1), (p) + sizeof(literal) - 1)

/* Two overlapping moves of a constant size in place of a call: most strings are that short. */
static inline char *put_octets(char *p, const char *s, size_t len)
{
    if (len > 16) {
        memcpy(p, s, len);
    } else if (len >= 8) {
        memcpy(p, s, 8);
        memcpy(p + len - 8, s + len - 8, 8);
    } else if (len >= 4) {
        memcpy(p, s, 4);
        memcpy(p + len - 4, s + len - 4, 4);
    } else if (len) {
        p[0] = s[0];
        p[len / 2] = s[len / 2];
        p[len - 1] = s[len - 1];
    }
    return p + len;
}

/* Text that needs no escape: from our tables, addresses, times. */
static inline char *put_plain(char *p, struct str s)
{
    return put_octets(p, s.ptr, s.len);
}

static inline char *put_number(char *p, uint64_t value)
{
    return word_put_u64(p, value);
}

/* Octets 3 and 7 are special: the rest of \DDD, and of the next one, in a name that is nothing but those. */
#define PAIR_FOUND (UINT64_C(0x80) << 24 | UINT64_C(0x80) << 56)

/* Printable ASCII: at most two octets per octet. Copies and looks in one go: 140 instructions less per
 * frame of the mixed captures than to look first, and then to copy octet by octet where there was a quote. */
static inline char *put_ascii(char *p, struct str s)
{
    octets16 octets;
    uint64_t word, found;
    size_t n;

    /* Ends: every turn takes an octet or more. */
    while (s.len >= sizeof(word)) {
        n = sizeof(octets);
        if (s.len >= n) {
            octets = octets_load(s.ptr);
            octets_store(p, octets);
        }
        if (s.len < n || octets_any((octets == '"') | (octets == '\\'))) {
            word = word_load(s.ptr);
            word_store(p, word);
            found = word_quotes(word);
            n = sizeof(word);
            if (found == PAIR_FOUND && s.ptr[3] == '\\' && s.ptr[7] == '\\') {
                p[4] = '\\';
                memcpy(p + 5, s.ptr + 4, 4);
                p[9] = '\\';
                p += 2;
            } else if (found) {
                n = word_first(found);
                p[n + 1] = s.ptr[n];
                p[n++] = '\\';
                p++;
            }
        }
        p += n;
        s.ptr += n;
        s.len -= n;
    }
    for (word = word_load_part(s.ptr, s.len);; word >>= 8 * n) {
        word_store(p, word);
        found = word_quotes(word);
        if (!found)
            return p + s.len;
        n = word_first(found);
        p[n + 1] = p[n];
        p[n++] = '\\';
        p += n + 1;
        s.len -= n;
    }
}

/* Text from outside. Nearly all of it is printable ASCII and is copied as it is, which saves 80 instructions
 * per string; the rest goes to text_put_json. key: with its comma, quotes and colon. */
static void put_string(struct text *t, struct str key, struct str value)
{
    char *p = text_reserve(t, key.len + value.len + STRING_FIXED_MAX);
    octets16 special = {0}, octets;
    size_t i;

    if (!p)
        return;
    p = put_plain(p, key);
    *p++ = '"';
    for (i = 0; value.len - i > sizeof(octets); i += sizeof(octets)) {
        octets = octets_load(value.ptr + i);
        octets_store(p + i, octets);
        special |= (octets < ' ') | (octets == '"') | (octets == '\\') | (octets == 0x7f);
    }
    put_octets(p + i, value.ptr + i, value.len - i);
    octets = octets_load_part(p + i, value.len - i);
    special |= (octets < ' ') | (octets == '"') | (octets == '\\') | (octets == 0x7f);
    if (octets_any(special)) {
        text_put_str(t, key);
        text_put_json(t, value);
        return;
    }
    p[value.len] = '"';
    written(t, p + value.len + 1);
}

/* ---- the DNS message ---------------------------------------------------------------------------- */

/* {"name":...,"type":...,"type_id":...,"class":...,"class_id":... */
static inline char *put_owner(char *p, struct str name, struct str type_text, struct str class_text,
                              uint16_t type, uint16_t class)
{
    p = PUT(p, "{\"name\":\"");
    p = put_ascii(p, name);
    p = PUT(p, "\",\"type\":\"");
    p = put_plain(p, type_text);
    p = PUT(p, "\",\"type_id\":");
    p = put_number(p, type);
    if (class == CLASS_IN) /* nearly always: 60 instructions less per record */
        return PUT(p, ",\"class\":\"IN\",\"class_id\":1");
    p = PUT(p, ",\"class\":\"");
    p = put_plain(p, class_text);
    p = PUT(p, "\",\"class_id\":");
    return put_number(p, class);
}

static void put_question(struct text *t, const struct dns_question *q, bool first)
{
    char *p = text_reserve(t, q->name.len * 2 + q->type_text.len + q->class_text.len +
                                  QUESTION_FIXED_MAX);

    if (!p)
        return;
    if (!first)
        *p++ = ',';
    p = put_owner(p, q->name, q->type_text, q->class_text, q->type, q->class);
    *p++ = '}';
    written(t, p);
}

static void put_rr(struct text *t, const struct dns_rr *rr, bool first)
{
    char *p = text_reserve(t, (rr->name.len + rr->data.len) * 2 + rr->type_text.len +
                                  rr->class_text.len + RR_FIXED_MAX);

    if (!p)
        return;
    if (!first)
        *p++ = ',';
    p = put_owner(p, rr->name, rr->type_text, rr->class_text, rr->type, rr->class);
    p = PUT(p, ",\"ttl\":");
    p = put_number(p, rr->ttl);
    p = PUT(p, ",\"data\":\"");
    p = put_ascii(p, rr->data);
    p = PUT(p, "\"}");
    written(t, p);
}

static size_t shown(size_t count, const struct fmt_options *options, bool *truncated)
{
    if (options->max_rrs == 0 || count <= options->max_rrs)
        return count;
    *truncated = true;
    return options->max_rrs;
}

static inline void put_section(struct text *t, const struct dns_message *m,
                               enum dns_section section, const struct fmt_options *options,
                               bool *truncated)
{
    size_t count = shown(m->rr_count[section], options, truncated);

    for (size_t i = 0; i < count; i++)
        put_rr(t, &m->rr[section][i], i == 0);
}

static void put_resolved(struct text *t, const struct dns_message *m,
                         const struct fmt_options *options, bool *truncated)
{
    size_t count = shown(m->rr_count[DNS_ANSWER], options, truncated);
    bool first = true;

    for (size_t i = 0; i < count; i++) {
        const struct dns_rr *rr = &m->rr[DNS_ANSWER][i];
        char *p;

        if (!dns_rr_is_address(rr))
            continue;
        p = text_reserve(t, rr->data.len * 2 + STRING_FIXED_MAX);
        if (!p)
            return;
        if (!first)
            *p++ = ',';
        first = false;
        *p++ = '"';
        p = put_ascii(p, rr->data);
        *p++ = '"';
        written(t, p);
    }
}

static char *put_flags(char *p, uint16_t flags)
{
    static const struct {
        uint16_t bit;
        uint8_t len;
        char text[6];
    } rows[] = {
        {DNS_QR, 5, "\"QR\","}, {DNS_AA, 5, "\"AA\","}, {DNS_TC, 5, "\"TC\","},
        {DNS_RD, 5, "\"RD\","}, {DNS_RA, 5, "\"RA\","}, {DNS_Z, 4, "\"Z\","},
        {DNS_AD, 5, "\"AD\","}, {DNS_CD, 5, "\"CD\","},
    };
    char *start = p;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!(flags & rows[i].bit))
            continue;
        memcpy(p, rows[i].text, 5);
        p += rows[i].len;
    }
    return p > start ? p - 1 : p;
}

/* Id, codes, flags, counts; nothing for a message of less than 12 octets. */
static void put_header(struct text *t, const struct dns_message *m)
{
    char *p = text_reserve(t, m->opcode_text.len + m->rcode_text.len + HEADER_FIXED_MAX);

    if (!p)
        return;
    *p++ = '{';
    if (m->has_header) {
        p = PUT(p, "\"id\":");
        p = put_number(p, m->id);
        p = PUT(p, ",\"opcode\":\"");
        p = put_plain(p, m->opcode_text);
        p = PUT(p, "\",\"opcode_id\":");
        p = put_number(p, m->opcode);
        p = PUT(p, ",\"rcode\":\"");
        p = put_plain(p, m->rcode_text);
        p = PUT(p, "\",\"rcode_id\":");
        p = put_number(p, m->rcode);
        p = PUT(p, ",\"flags\":[");
        p = put_flags(p, m->flags);
        p = PUT(p, "],\"qdcount\":");
        p = put_number(p, m->count[DNS_QUESTION]);
        p = PUT(p, ",\"ancount\":");
        p = put_number(p, m->count[DNS_ANSWER]);
        p = PUT(p, ",\"nscount\":");
        p = put_number(p, m->count[DNS_AUTHORITY]);
        p = PUT(p, ",\"arcount\":");
        p = put_number(p, m->count[DNS_ADDITIONAL]);
        if (m->opcode == DNS_OPCODE_UPDATE)
            p = PUT(p,
                    ",\"section_names\":[\"zone\",\"prerequisites\",\"updates\",\"additionals\"]");
        *p++ = ',';
    }
    p = PUT(p, "\"question\":[");
    written(t, p);
}

static void put_option(struct text *t, const struct dns_option *option, bool first)
{
    char *p = text_reserve(t, option->name.len + OPTION_FIXED_MAX);

    if (!p)
        return;
    if (!first)
        *p++ = ',';
    p = PUT(p, "{\"code\":");
    p = put_number(p, option->code);
    p = PUT(p, ",\"name\":\"");
    p = put_plain(p, option->name);
    written(t, p);
    put_string(t, STR("\",\"data\":"), option->data);
    text_put_char(t, '}');
}

static void put_edns(struct text *t, const struct dns_edns *edns)
{
    char *p = text_reserve(t, OPTION_FIXED_MAX);

    if (!p)
        return;
    p = PUT(p, ",\"edns\":{\"udp_size\":");
    p = put_number(p, edns->udp_size);
    p = PUT(p, ",\"version\":");
    p = put_number(p, edns->version);
    p = PUT(p, ",\"do\":");
    p = put_plain(p, edns->dnssec_ok ? STR("true") : STR("false"));
    if (edns->flags & DNS_EDNS_Z) {
        p = PUT(p, ",\"z\":");
        p = put_number(p, edns->flags & DNS_EDNS_Z);
    }
    p = PUT(p, ",\"options\":[");
    written(t, p);
    for (size_t i = 0; i < edns->option_count; i++)
        put_option(t, &edns->options[i], i == 0);
    text_put_lit(t, "]}");
}

/* answers: see event_answer. */
static void put_dns(struct text *t, const struct dns_message *m, bool answers,
                    const struct fmt_options *options)
{
    bool truncated = m->truncated_output;
    size_t questions = shown(m->question_count, options, &truncated);

    put_header(t, m);
    for (size_t i = 0; i < questions; i++)
        put_question(t, &m->question[i], i == 0);
    text_put_lit(t, "],\"answers\":[");
    put_section(t, m, DNS_ANSWER, options, &truncated);
    text_put_lit(t, "],\"authorities\":[");
    put_section(t, m, DNS_AUTHORITY, options, &truncated);
    text_put_lit(t, "],\"additionals\":[");
    put_section(t, m, DNS_ADDITIONAL, options, &truncated);
    text_put_lit(t, "],\"resolved_ip\":[");
    if (answers)
        put_resolved(t, m, options, &truncated);
    text_put_char(t, ']');
    if (m->edns.present)
        put_edns(t, &m->edns);
    if (m->trailing > 0) {
        text_put_lit(t, ",\"trailing\":");
        text_put_u64(t, m->trailing);
    }
    text_put_str(t, truncated ? STR(",\"truncated\":true}") : STR("}"));
}

/* ---- the dnstap message ------------------------------------------------------------------------- */

static void put_free(struct text *t, struct str key, struct span value)
{
    if (value.ptr)
        put_string(t, key, (struct str){(const char *)value.ptr, value.len});
}

static void put_text(struct text *t, struct str key, struct str value)
{
    if (value.len)
        put_string(t, key, value);
}

/* Enumerations of protobuf's are int32: what is unknown keeps its sign. */
static inline char *put_enum(char *p, uint32_t value)
{
    if (value <= INT32_MAX)
        return put_number(p, value);
    *p++ = '-';
    return put_number(p, -value);
}

/* `,"sample":N` and the rest; every key of the object begins with a comma, and render() takes the first away. */
static void put_head(struct text *t, const struct event *e)
{
    const struct dnstap *tap = &e->tap;

    if (tap->has & DNSTAP_HAS_MESSAGE) {
        char *p = text_reserve(t, e->type_text.len + e->direction.len + HEAD_FIXED_MAX);

        if (!p)
            return;
        p = PUT(p, ",\"type\":\"");
        p = put_plain(p, e->type_text);
        p = PUT(p, "\",\"type_id\":");
        p = put_enum(p, tap->type);
        if (e->direction.len) {
            p = PUT(p, ",\"direction\":\"");
            p = put_plain(p, e->direction);
            *p++ = '"';
        }
        written(t, p);
    }
    if (tap->tap_type > DNSTAP_TYPE_MESSAGE) {
        char *p = text_reserve(t, HEAD_FIXED_MAX);

        if (!p)
            return;
        p = PUT(p, ",\"dnstap_type\":");
        written(t, put_enum(p, tap->tap_type));
    }
    put_free(t, STR(",\"identity\":"), tap->identity);
    put_free(t, STR(",\"version\":"), tap->version);
    put_free(t, STR(",\"extra\":"), tap->extra);
    put_text(t, STR(",\"peer\":"), e->context.peer);
    put_text(t, STR(",\"tls_peer\":"), e->context.tls_peer);
    if (e->context.sample > 1) {
        text_put_lit(t, ",\"sample\":");
        text_put_u64(t, e->context.sample);
    }
}

static inline char *put_plain_key(char *p, struct str key, struct str value)
{
    if (value.len == 0)
        return p;
    p = put_plain(p, key);
    p = put_plain(p, value);
    *p++ = '"';
    return p;
}

static inline char *put_number_key(char *p, struct str key, bool present, uint64_t value)
{
    if (!present)
        return p;
    p = put_plain(p, key);
    return put_number(p, value);
}

/* Socket, addresses, times, lengths: all of them bounded and in need of no escape. */
static void put_socket(struct text *t, const struct event *e)
{
    const struct dnstap *tap = &e->tap;
    unsigned has = tap->has;
    char *p = text_reserve(t, e->family_text.len + e->protocol_text.len + e->transport.len +
                                  e->http_protocol_text.len + e->query_address.len +
                                  e->response_address.len + e->time.len + MESSAGE_FIXED_MAX);

    if (!p)
        return;
    p = put_plain_key(p, STR(",\"family\":\""), e->family_text);
    p = put_plain_key(p, STR(",\"protocol\":\""), e->protocol_text);
    p = put_plain_key(p, STR(",\"transport\":\""), e->transport);
    p = put_plain_key(p, STR(",\"http_protocol\":\""), e->http_protocol_text);
    p = put_plain_key(p, STR(",\"query_address\":\""), e->query_address);
    p = put_number_key(p, STR(",\"query_port\":"), has & DNSTAP_HAS_QUERY_PORT, tap->query_port);
    p = put_plain_key(p, STR(",\"response_address\":\""), e->response_address);
    p = put_number_key(p, STR(",\"response_port\":"), has & DNSTAP_HAS_RESPONSE_PORT,
                       tap->response_port);
    p = put_number_key(p, STR(",\"query_time_sec\":"), has & DNSTAP_HAS_QUERY_TIME_SEC,
                       tap->query_time_sec);
    p = put_number_key(p, STR(",\"query_time_nsec\":"), has & DNSTAP_HAS_QUERY_TIME_NSEC,
                       tap->query_time_nsec);
    p = put_number_key(p, STR(",\"response_time_sec\":"), has & DNSTAP_HAS_RESPONSE_TIME_SEC,
                       tap->response_time_sec);
    p = put_number_key(p, STR(",\"response_time_nsec\":"), has & DNSTAP_HAS_RESPONSE_TIME_NSEC,
                       tap->response_time_nsec);
    p = put_plain_key(p, STR(",\"time\":\""), e->time);
    p = put_number_key(p, STR(",\"latency_ns\":"), e->has_latency, e->latency_ns);
    p = put_number_key(p, STR(",\"query_len\":"), tap->query_message.ptr, tap->query_message.len);
    p = put_number_key(p, STR(",\"response_len\":"), tap->response_message.ptr,
                       tap->response_message.len);
    written(t, p);
}

static void put_policy(struct text *t, const struct event *e)
{
    size_t from;

    text_put_lit(t, ",\"policy\":{");
    from = t->len;
    put_free(t, STR(",\"type\":"), e->tap.policy.type);
    put_text(t, STR(",\"rule\":"), e->policy_rule);
    put_text(t, STR(",\"action\":"), e->policy_action);
    put_text(t, STR(",\"match\":"), e->policy_match);
    put_text(t, STR(",\"value\":"), e->policy_value);
    text_put_char(t, '}');
    if (t->overflow || t->buf[from] != ',')
        return;
    memmove(t->buf + from, t->buf + from + 1, t->len - from - 1);
    t->len--;
}

static void put_malformed(struct text *t, const struct event *e)
{
    text_put_lit(t, ",\"malformed\":true,\"error\":");
    text_put_json(t, e->error);
    text_put_lit(t, ",\"frame\":\"");
    text_put_base64(t, e->frame);
    text_put_char(t, '"');
}

static void render(const struct event *e, const struct fmt_options *options, struct text *t)
{
    size_t from = t->len;

    put_head(t, e);
    put_socket(t, e);
    put_text(t, STR(",\"query_zone\":"), e->query_zone);
    if (e->tap.has & DNSTAP_HAS_POLICY)
        put_policy(t, e);
    if (e->dns) {
        text_put_lit(t, ",\"dns\":");
        put_dns(t, e->dns, event_answer(e) != NULL, options);
    }
    if (e->query) {
        text_put_lit(t, ",\"query\":");
        put_dns(t, e->query, false, options);
    }
    if (e->malformed)
        put_malformed(t, e);
    text_put_char(t, '}');
    if (t->overflow)
        return;
    /* Something always comes first: a frame without type is malformed. */
    t->buf[from] = '{';
}

const struct fmt fmt_json = {"json", false, render};
