/* tree.c - event to libfastjson tree.
 *
 * rsyslog finds a key by walking the object from its first one, for every property of a template. Hence
 * what templates ask for comes first here, and not in the key order of the `json` format.
 *
 * Keys are constants and new, and are added with the flags that say so: the
 * duplicate-key scan would triple the cost. An allocation that fails leaves a null
 * or an absent member, never a broken tree.
 *
 * A value costs libfastjson 256 zeroed octets whatever it is, an array two allocations more. Hence what
 * recurs within a tree (class IN, a count of 0, the owner's name, no records) is one value with several
 * references; recurring.h has what is shared between trees. rsyslog reads a message's tree under the
 * message's lock, copies values that leave it, and replaces members but changes neither a scalar nor an
 * array in place.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tree.h"

#include <json_object.h>

/* Values remembered of each kind, by a hash; a later one takes an earlier one's place. */
#define SHARED 32

struct builder {
    size_t max_rrs;
    struct text *scratch;
    struct recurring *recurring;
    bool truncated;                   /* of the DNS message in work */
    const struct dns_message *answer; /* the event's message that answers something, NULL: none */

    /* Values of the tree in work, which owns them; NULL: none yet. */
    struct fjson_object *empty; /* array */
    struct fjson_object *numbers[SHARED], *texts[SHARED];
    int64_t number[SHARED];  /* what numbers[i] holds */
    struct str text[SHARED]; /* what texts[i] holds; borrowed from the event */
};

/* Keys are string literals: nobody copies or frees them. */
#define ADD(object, key, value)                                                                    \
    fjson_object_object_add_ex((object), "" key, (value),                                          \
                               FJSON_OBJECT_KEY_IS_CONSTANT | FJSON_OBJECT_ADD_KEY_IS_NEW)

/* ASCII without NUL, as our own tables and renderers write it. */
static struct fjson_object *ascii(struct str s)
{
    return fjson_object_new_string_len(s.ptr ? s.ptr : "", (int)s.len);
}

/* The same, for texts of the event's that may occur again. */
static struct fjson_object *shared(struct builder *b, struct str s)
{
    size_t i;

    if (s.len == 0)
        return ascii(s);
    i = (s.len * 5 + (uint8_t)s.ptr[0] * 3u + (uint8_t)s.ptr[s.len / 2] +
         (uint8_t)s.ptr[s.len - 1]) %
        SHARED;
    if (b->texts[i] && str_equal(b->text[i], s))
        return fjson_object_get(b->texts[i]);
    b->text[i] = s;
    b->texts[i] = ascii(s);
    return b->texts[i];
}

/* The same, for texts of tables and of the peer itself, which other events have, too. */
static struct fjson_object *recurring(struct builder *b, struct str s)
{
    return recurring_text(b->recurring, s);
}

static struct fjson_object *integer(struct builder *b, int64_t value)
{
    size_t i = (uint64_t)value % SHARED;

    if (b->numbers[i] && b->number[i] == value)
        return fjson_object_get(b->numbers[i]);
    b->number[i] = value;
    b->numbers[i] = fjson_object_new_int64(value);
    return b->numbers[i];
}

static struct fjson_object *empty_array(struct builder *b)
{
    if (b->empty)
        return fjson_object_get(b->empty);
    b->empty = fjson_object_new_array();
    return b->empty;
}

/* Is it ASCII without NUL? One less than NUL has its high bit set, one less than other ASCII has not. */
static bool is_ascii(struct span s)
{
    const uint64_t ones = 0x0101010101010101, high = 0x8080808080808080;
    uint64_t word, found = 0;
    size_t i = 0;

    for (; s.len - i >= sizeof word; i += sizeof word) {
        memcpy(&word, s.ptr + i, sizeof word);
        found |= word | (word - ones);
    }
    for (; i < s.len; i++)
        found |= s.ptr[i] == 0 ? high : s.ptr[i];
    return !(found & high);
}

/* Text of a peer's: made UTF-8; rsyslog loses what follows a NUL, so that becomes U+FFFD. */
static struct fjson_object *free_text(struct builder *b, struct span s)
{
    struct text *t = b->scratch;
    struct span rest = s;

    if (is_ascii(s))
        return ascii((struct str){(const char *)s.ptr, s.len});
    text_clear(t);
    while (rest.len > 0) {
        const uint8_t *nul = memchr(rest.ptr, 0, rest.len);
        size_t len = nul ? (size_t)(nul - rest.ptr) : rest.len;

        text_put_utf8(t, (struct str){(const char *)rest.ptr, len});
        if (!nul)
            break;
        text_put_lit(t, "\xEF\xBF\xBD");
        rest = span_of(nul + 1, rest.len - len - 1);
    }
    return ascii(text_str(t));
}

/* The same of what other events of the peer have, too. */
static struct fjson_object *peer_text(struct builder *b, struct span s)
{
    return is_ascii(s) ? recurring(b, (struct str){(const char *)s.ptr, s.len}) : free_text(b, s);
}

/* libfastjson has signed 64-bit numbers only; what is above stays a number, in decimal. */
static struct fjson_object *number(struct builder *b, uint64_t value)
{
    if (value <= INT64_MAX)
        return integer(b, (int64_t)value);
    text_clear(b->scratch);
    text_put_u64(b->scratch, value);
    text_put_char(b->scratch, '\0');
    return fjson_object_new_double_s((double)value, b->scratch->overflow ? "0" : b->scratch->buf);
}

#define ADD_RECURRING(object, key, str_value)                                                      \
    do {                                                                                           \
        if ((str_value).len > 0)                                                                   \
            ADD(object, key, recurring(b, str_value));                                             \
    } while (0)

#define ADD_TEXT(object, key, str_value)                                                           \
    do {                                                                                           \
        if ((str_value).len > 0)                                                                   \
            ADD(object, key, ascii(str_value));                                                    \
    } while (0)

static struct fjson_object *flags_of(struct builder *b, uint16_t flags)
{
    static const struct {
        uint16_t bit;
        struct str text;
    } rows[] = {{DNS_QR, {"QR", 2}}, {DNS_AA, {"AA", 2}}, {DNS_TC, {"TC", 2}}, {DNS_RD, {"RD", 2}},
                {DNS_RA, {"RA", 2}}, {DNS_Z, {"Z", 1}},   {DNS_AD, {"AD", 2}}, {DNS_CD, {"CD", 2}}};
    struct fjson_object *list = NULL;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!(flags & rows[i].bit))
            continue;
        if (!list && !(list = fjson_object_new_array()))
            return NULL;
        fjson_object_array_add(list, recurring(b, rows[i].text));
    }
    return list ? list : empty_array(b);
}

static struct fjson_object *question_of(struct builder *b, const struct dns_question *q)
{
    struct fjson_object *o = fjson_object_new_object();

    if (!o)
        return NULL;
    ADD(o, "name", shared(b, q->name));
    ADD(o, "type", recurring(b, q->type_text));
    ADD(o, "type_id", integer(b, q->type));
    ADD(o, "class", recurring(b, q->class_text));
    ADD(o, "class_id", integer(b, q->class));
    return o;
}

static struct fjson_object *rr_of(struct builder *b, const struct dns_rr *rr)
{
    struct fjson_object *o = fjson_object_new_object();

    if (!o)
        return NULL;
    ADD(o, "name", shared(b, rr->name));
    ADD(o, "type", recurring(b, rr->type_text));
    ADD(o, "type_id", integer(b, rr->type));
    ADD(o, "class", recurring(b, rr->class_text));
    ADD(o, "class_id", integer(b, rr->class));
    ADD(o, "ttl", integer(b, rr->ttl));
    ADD(o, "data", shared(b, rr->data));
    return o;
}

static size_t shown_rrs(struct builder *b, size_t count)
{
    if (b->max_rrs == 0 || count <= b->max_rrs)
        return count;
    b->truncated = true;
    return b->max_rrs;
}

static struct fjson_object *section_of(struct builder *b, const struct dns_message *m,
                                       enum dns_section section)
{
    size_t count = shown_rrs(b, m->rr_count[section]);
    struct fjson_object *list = count > 0 ? fjson_object_new_array() : empty_array(b);

    for (size_t i = 0; list && i < count; i++)
        fjson_object_array_add(list, rr_of(b, &m->rr[section][i]));
    return list;
}

static struct fjson_object *questions_of(struct builder *b, const struct dns_message *m)
{
    size_t count = shown_rrs(b, m->question_count);
    struct fjson_object *list = count > 0 ? fjson_object_new_array() : empty_array(b);

    for (size_t i = 0; list && i < count; i++)
        fjson_object_array_add(list, question_of(b, &m->question[i]));
    return list;
}

/* The addresses of the A and AAAA answers, as shown; none in a message that answers nothing. */
static struct fjson_object *resolved_of(struct builder *b, const struct dns_message *m)
{
    struct fjson_object *list = NULL;
    size_t count = m == b->answer ? shown_rrs(b, m->rr_count[DNS_ANSWER]) : 0;

    for (size_t i = 0; i < count; i++) {
        const struct dns_rr *rr = &m->rr[DNS_ANSWER][i];

        if (!dns_rr_is_address(rr))
            continue;
        if (!list && !(list = fjson_object_new_array()))
            return NULL;
        fjson_object_array_add(list, shared(b, rr->data));
    }
    return list ? list : empty_array(b);
}

static struct fjson_object *edns_of(struct builder *b, const struct dns_edns *edns)
{
    struct fjson_object *o = fjson_object_new_object(), *options;

    if (!o)
        return NULL;
    ADD(o, "udp_size", integer(b, edns->udp_size));
    ADD(o, "version", integer(b, edns->version));
    ADD(o, "do", fjson_object_new_boolean(edns->dnssec_ok));
    if (edns->flags & DNS_EDNS_Z)
        ADD(o, "z", integer(b, edns->flags & DNS_EDNS_Z));
    options = edns->option_count > 0 ? fjson_object_new_array() : empty_array(b);
    for (size_t i = 0; options && i < edns->option_count; i++) {
        const struct dns_option *option = &edns->options[i];
        struct fjson_object *row = fjson_object_new_object();

        if (!row)
            break;
        ADD(row, "code", integer(b, option->code));
        ADD(row, "name", recurring(b, option->name));
        ADD(row, "data", free_text(b, span_of(option->data.ptr, option->data.len)));
        fjson_object_array_add(options, row);
    }
    ADD(o, "options", options);
    return o;
}

/* UPDATE gives the sections other meanings (RFC 2136 2). */
static struct fjson_object *update_sections(void)
{
    static const struct str names[] = {
        {"zone", 4}, {"prerequisites", 13}, {"updates", 7}, {"additionals", 11}};
    struct fjson_object *list = fjson_object_new_array();

    for (size_t i = 0; list && i < sizeof names / sizeof names[0]; i++)
        fjson_object_array_add(list, ascii(names[i]));
    return list;
}

static void add_header(struct builder *b, struct fjson_object *o, const struct dns_message *m)
{
    ADD(o, "id", integer(b, m->id));
    ADD(o, "rcode", recurring(b, m->rcode_text));
    ADD(o, "rcode_id", integer(b, m->rcode));
    ADD(o, "opcode", recurring(b, m->opcode_text));
    ADD(o, "opcode_id", integer(b, m->opcode));
    ADD(o, "flags", flags_of(b, m->flags));
    ADD(o, "qdcount", integer(b, m->count[DNS_QUESTION]));
    ADD(o, "ancount", integer(b, m->count[DNS_ANSWER]));
    ADD(o, "nscount", integer(b, m->count[DNS_AUTHORITY]));
    ADD(o, "arcount", integer(b, m->count[DNS_ADDITIONAL]));
    if (m->opcode == DNS_OPCODE_UPDATE)
        ADD(o, "section_names", update_sections());
}

static struct fjson_object *dns_of(struct builder *b, const struct dns_message *m)
{
    struct fjson_object *o = fjson_object_new_object();

    if (!o)
        return NULL;
    b->truncated = m->truncated_output;
    if (m->has_header)
        add_header(b, o, m);
    ADD(o, "question", questions_of(b, m));
    ADD(o, "answers", section_of(b, m, DNS_ANSWER));
    ADD(o, "authorities", section_of(b, m, DNS_AUTHORITY));
    ADD(o, "additionals", section_of(b, m, DNS_ADDITIONAL));
    ADD(o, "resolved_ip", resolved_of(b, m));
    if (m->edns.present)
        ADD(o, "edns", edns_of(b, &m->edns));
    if (m->trailing > 0)
        ADD(o, "trailing", integer(b, (int64_t)m->trailing));
    if (b->truncated)
        ADD(o, "truncated", fjson_object_new_boolean(1));
    return o;
}

static struct fjson_object *policy_of(struct builder *b, const struct event *event)
{
    struct fjson_object *o = fjson_object_new_object();

    if (!o)
        return NULL;
    if (event->tap.policy.type.ptr)
        ADD(o, "type", free_text(b, event->tap.policy.type));
    if (event->policy_rule.len > 0)
        ADD(o, "rule", free_text(b, span_of(event->policy_rule.ptr, event->policy_rule.len)));
    ADD_TEXT(o, "action", event->policy_action);
    ADD_TEXT(o, "match", event->policy_match);
    if (event->policy_value.len > 0)
        ADD(o, "value", free_text(b, span_of(event->policy_value.ptr, event->policy_value.len)));
    return o;
}

/* What templates ask for most. */
static void add_first(struct builder *b, struct fjson_object *o, const struct event *event)
{
    const struct dnstap *tap = &event->tap;

    if (event->has_time)
        ADD(o, "time", ascii(event->time));
    if (tap->has & DNSTAP_HAS_MESSAGE)
        ADD(o, "type", recurring(b, event->type_text));
    ADD_TEXT(o, "query_address", event->query_address);
    if (tap->has & DNSTAP_HAS_QUERY_PORT)
        ADD(o, "query_port", integer(b, tap->query_port));
    if (event->dns)
        ADD(o, "dns", dns_of(b, event->dns));
    ADD_RECURRING(o, "protocol", event->protocol_text);
    ADD_RECURRING(o, "response_address", event->response_address);
}

static void add_head(struct builder *b, struct fjson_object *o, const struct event *event)
{
    const struct dnstap *tap = &event->tap;
    const struct event_context *context = &event->context;

    if (tap->has & DNSTAP_HAS_MESSAGE) {
        ADD(o, "type_id", integer(b, (int32_t)tap->type)); /* as protobuf's enumerations are */
        ADD_RECURRING(o, "direction", event->direction);
    }
    if (tap->tap_type > DNSTAP_TYPE_MESSAGE)
        ADD(o, "dnstap_type", integer(b, (int32_t)tap->tap_type));
    if (tap->identity.ptr)
        ADD(o, "identity", peer_text(b, tap->identity));
    if (tap->version.ptr)
        ADD(o, "version", peer_text(b, tap->version));
    if (tap->extra.ptr)
        ADD(o, "extra", peer_text(b, tap->extra));
    if (context->peer.len > 0)
        ADD(o, "peer", peer_text(b, span_of(context->peer.ptr, context->peer.len)));
    if (context->tls_peer.len > 0)
        ADD(o, "tls_peer", peer_text(b, span_of(context->tls_peer.ptr, context->tls_peer.len)));
    if (context->sample > 1)
        ADD(o, "sample", integer(b, context->sample));
}

static void add_message(struct builder *b, struct fjson_object *o, const struct event *event)
{
    const struct dnstap *tap = &event->tap;

    ADD_RECURRING(o, "family", event->family_text);
    ADD_RECURRING(o, "transport", event->transport);
    ADD_RECURRING(o, "http_protocol", event->http_protocol_text);
    if (tap->has & DNSTAP_HAS_RESPONSE_PORT)
        ADD(o, "response_port", integer(b, tap->response_port));
    if (tap->has & DNSTAP_HAS_QUERY_TIME_SEC)
        ADD(o, "query_time_sec", number(b, tap->query_time_sec));
    if (tap->has & DNSTAP_HAS_QUERY_TIME_NSEC)
        ADD(o, "query_time_nsec", integer(b, tap->query_time_nsec));
    if (tap->has & DNSTAP_HAS_RESPONSE_TIME_SEC)
        ADD(o, "response_time_sec", number(b, tap->response_time_sec));
    if (tap->has & DNSTAP_HAS_RESPONSE_TIME_NSEC)
        ADD(o, "response_time_nsec", integer(b, tap->response_time_nsec));
    if (event->has_latency)
        ADD(o, "latency_ns", number(b, event->latency_ns));
    if (tap->query_message.ptr)
        ADD(o, "query_len", integer(b, (int64_t)tap->query_message.len));
    if (tap->response_message.ptr)
        ADD(o, "response_len", integer(b, (int64_t)tap->response_message.len));
    ADD_TEXT(o, "query_zone", event->query_zone);
    if (tap->has & DNSTAP_HAS_POLICY)
        ADD(o, "policy", policy_of(b, event));
    if (event->query)
        ADD(o, "query", dns_of(b, event->query));
}

struct fjson_object *tree_build(const struct event *event, size_t max_rrs, struct text *scratch,
                                struct recurring *recurring)
{
    struct builder b = {.max_rrs = max_rrs,
                        .scratch = scratch,
                        .recurring = recurring,
                        .answer = event_answer(event)};
    struct fjson_object *o = fjson_object_new_object();

    if (!o)
        return NULL;
    add_first(&b, o, event);
    add_head(&b, o, event);
    add_message(&b, o, event);
    if (event->malformed) {
        ADD(o, "malformed", fjson_object_new_boolean(1));
        ADD(o, "error", free_text(&b, span_of(event->error.ptr, event->error.len)));
        text_clear(scratch);
        text_put_base64(scratch, event->frame);
        ADD(o, "frame", ascii(text_str(scratch)));
    }
    return o;
}
