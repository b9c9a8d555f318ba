/* event.c - frame to event: dnstap, both DNS messages, and what follows from them.
 *
 * Everything that has to be written as text (addresses, times, names, unknown numbers) goes into one
 * buffer that is given its worst case before the first put, so that it never moves within an event.
 *
 * Times: `time` exists when the seconds of the chosen time do. Nanoseconds of a whole second and more
 * are taken modulo; query_time_nsec and response_time_nsec show them as sent.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "event.h"

#include "names.h"

#include <stdlib.h>

#define NSEC_PER_SEC UINT32_C(1000000000)

/* What one octet of a borrowed field takes as text at most: a name's \DDD. */
#define TEXT_PER_OCTET 4
/* Everything of bounded size: eight numbers or names, time, punctuation, and what both messages' faults
 * say, 80 octets each. */
#define TEXT_FIXED_MAX (1024 + 2 * DNS_FAULT_MAX * 80)

#define DATE_LEN 20 /* "2026-11-26T19:53:01." */
#define TIME_LEN 30 /* with nine digits and Z; a year beyond 9999 has another length */

struct event_decoder {
    struct dnstap_arena *arena;
    struct dns_decoder *dns, *query;
    struct dns_message dns_message, query_message;
    struct text text;
    uint64_t second; /* whose date and time `date` holds, when has_date */
    bool has_date;
    char date[DATE_LEN];
};

struct event_decoder *event_decoder_create(void)
{
    struct event_decoder *d = calloc(1, sizeof(*d));

    if (!d)
        return NULL;
    text_init(&d->text, SIZE_MAX / 2);
    d->arena = dnstap_arena_create();
    d->dns = dns_decoder_create();
    d->query = dns_decoder_create();
    if (!d->arena || !d->dns || !d->query)
        event_decoder_destroy(&d);
    return d;
}

void event_decoder_destroy(struct event_decoder **decoder)
{
    struct event_decoder *d;

    if (!decoder || !*decoder)
        return;
    d = *decoder;
    dnstap_arena_destroy(&d->arena);
    dns_decoder_destroy(&d->dns);
    dns_decoder_destroy(&d->query);
    text_destroy(&d->text);
    free(d);
    *decoder = NULL;
}

/* What was put since `from`. */
static struct str since(const struct text *t, size_t from)
{
    if (t->len == from)
        return (struct str){NULL, 0};
    return (struct str){t->buf + from, t->len - from};
}

static struct str put_name(struct text *t, const struct name_table *table, uint32_t value)
{
    size_t from = t->len;

    names_put(t, table, value);
    return since(t, from);
}

static inline struct str name_of(struct text *t, const struct name_table *table, uint32_t value)
{
    struct str known = names_find(table, value);

    return known.len ? known : put_name(t, table, value);
}

/* An IPv4 address may come in 16 octets, in frames that say INET: v4-mapped is IPv4 there. */
static struct str address_of(struct text *t, struct span addr, bool inet)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    size_t from = t->len;

    if (inet && addr.len == 16 && memcmp(addr.ptr, mapped, sizeof(mapped)) == 0)
        text_put_ip4(t, addr.ptr + 12);
    else
        text_put_addr(t, addr);
    return since(t, from);
}

static void put_generic(struct text *t, struct span octets)
{
    text_put_lit(t, "\\# ");
    text_put_u64(t, octets.len);
    if (octets.len)
        text_put_char(t, ' ');
    text_put_HEX(t, octets);
}

static bool is_ascii(struct span octets)
{
    for (size_t i = 0; i < octets.len; i++)
        if (octets.ptr[i] < 0x20 || octets.ptr[i] > 0x7e)
            return false;
    return true;
}

/* A wire-format name; what is none stays text if it is, else becomes RFC 3597 octets. */
static struct str name_or(struct text *t, struct span wire, bool is_text)
{
    size_t from = t->len;

    if (wire.len == 0)
        return (struct str){NULL, 0};
    if (!dns_name_text(t, wire)) {
        if (is_text)
            text_put_str(t, (struct str){(const char *)wire.ptr, wire.len});
        else
            put_generic(t, wire);
    }
    return since(t, from);
}

static struct str zone_of(struct text *t, struct span wire)
{
    return name_or(t, wire, is_ascii(wire));
}

/* Policies are named by people, in their languages: any UTF-8 is text here. */
static struct str policy_of(struct text *t, struct span octets)
{
    return name_or(t, octets,
                   text_is_printable((struct str){(const char *)octets.ptr, octets.len}));
}

/* The value that a policy matched, by what it was matched with (dnstap.proto, Policy.value). */
static struct str policy_value_of(struct text *t, const struct dnstap *tap)
{
    enum { MATCH_CLIENT_IP = 2, MATCH_RESPONSE_IP = 3, MATCH_NS_IP = 5 };
    struct span value = tap->policy.value;
    uint32_t match = tap->has & DNSTAP_HAS_POLICY_MATCH ? tap->policy.match : 0;
    bool is_address =
        match == MATCH_CLIENT_IP || match == MATCH_RESPONSE_IP || match == MATCH_NS_IP;
    size_t from = t->len;

    if (is_address && (value.len == 4 || value.len == 16)) {
        text_put_addr(t, value);
        return since(t, from);
    }
    return policy_of(t, value);
}

static struct str transport_of(const struct dnstap *tap)
{
    enum { UDP = 1, TCP, DOT, DOH, DNSCRYPT_UDP, DNSCRYPT_TCP, DOQ };
    enum { HTTP3 = 3 };

    switch (tap->has & DNSTAP_HAS_PROTOCOL ? tap->protocol : 0) {
    case UDP:
    case DNSCRYPT_UDP:
    case DOQ:
        return STR("udp");
    case TCP:
    case DOT:
    case DNSCRYPT_TCP:
        return STR("tcp");
    case DOH:
        if (tap->has & DNSTAP_HAS_HTTP_PROTOCOL && tap->http_protocol == HTTP3)
            return STR("udp");
        return STR("tcp");
    default:
        return (struct str){NULL, 0};
    }
}

static void set_texts(struct text *t, struct event *e)
{
    enum { INET = 1 };
    const struct dnstap *tap = &e->tap;
    bool inet = tap->has & DNSTAP_HAS_FAMILY && tap->family == INET;

    if (tap->has & DNSTAP_HAS_MESSAGE)
        e->type_text = name_of(t, &names_message_type, tap->type);
    e->direction = names_find(&names_direction, tap->type);
    if (tap->has & DNSTAP_HAS_FAMILY)
        e->family_text = name_of(t, &names_family, tap->family);
    if (tap->has & DNSTAP_HAS_PROTOCOL)
        e->protocol_text = name_of(t, &names_protocol, tap->protocol);
    if (tap->has & DNSTAP_HAS_HTTP_PROTOCOL)
        e->http_protocol_text = name_of(t, &names_http_protocol, tap->http_protocol);
    e->transport = transport_of(tap);
    e->query_address = address_of(t, tap->query_address, inet);
    e->response_address = address_of(t, tap->response_address, inet);
    e->query_zone = zone_of(t, tap->query_zone);
    if (!(tap->has & DNSTAP_HAS_POLICY))
        return;
    e->policy_rule = policy_of(t, tap->policy.rule);
    if (tap->has & DNSTAP_HAS_POLICY_ACTION)
        e->policy_action = name_of(t, &names_policy_action, tap->policy.action);
    if (tap->has & DNSTAP_HAS_POLICY_MATCH)
        e->policy_match = name_of(t, &names_policy_match, tap->policy.match);
    e->policy_value = policy_value_of(t, tap);
}

/* Latency from whole seconds and nanoseconds; not set when out of order or beyond 64 bits. */
static void set_latency(struct event *e, uint32_t query_nsec, uint32_t response_nsec)
{
    const struct dnstap *tap = &e->tap;
    uint64_t sec;

    if (tap->response_time_sec < tap->query_time_sec)
        return;
    sec = tap->response_time_sec - tap->query_time_sec;
    if (sec > UINT64_MAX / NSEC_PER_SEC - 1 || (sec == 0 && response_nsec < query_nsec))
        return;
    e->latency_ns = sec * NSEC_PER_SEC + response_nsec - query_nsec;
    e->has_latency = true;
}

/* Frames come by the thousand in a second: its date is written once. */
static void put_time(struct event_decoder *d, uint64_t sec, uint32_t nsec)
{
    struct text *t = &d->text;
    size_t from = t->len;

    if (d->has_date && d->second == sec) {
        text_put(t, d->date, DATE_LEN);
        text_put_nsec(t, nsec);
        text_put_char(t, 'Z');
        return;
    }
    text_put_rfc3339(t, sec, nsec);
    d->has_date = t->len - from == TIME_LEN && t->buf[from] != '@';
    if (!d->has_date)
        return;
    memcpy(d->date, t->buf + from, DATE_LEN);
    d->second = sec;
}

static void set_times(struct event_decoder *d, struct event *e)
{
    struct text *t = &d->text;
    const struct dnstap *tap = &e->tap;
    bool has_query = tap->has & DNSTAP_HAS_QUERY_TIME_SEC;
    bool has_response = tap->has & DNSTAP_HAS_RESPONSE_TIME_SEC;
    uint32_t query_nsec = tap->query_time_nsec % NSEC_PER_SEC;
    uint32_t response_nsec = tap->response_time_nsec % NSEC_PER_SEC;
    size_t from = t->len;

    if (has_response && (e->is_response || !has_query)) {
        e->time_sec = tap->response_time_sec;
        e->time_nsec = response_nsec;
    } else if (has_query) {
        e->time_sec = tap->query_time_sec;
        e->time_nsec = query_nsec;
    } else {
        return;
    }
    e->has_time = true;
    put_time(d, e->time_sec, e->time_nsec);
    e->time = since(t, from);
    if (has_query && has_response)
        set_latency(e, query_nsec, response_nsec);
}

/* "answer 3: name pointer loop at octet 57" */
static void put_fault(struct text *t, const struct dns_fault *fault)
{
    static const struct str section[DNS_SECTIONS] = {
        [DNS_QUESTION] = {"question ", 9},
        [DNS_ANSWER] = {"answer ", 7},
        [DNS_AUTHORITY] = {"authority ", 10},
        [DNS_ADDITIONAL] = {"additional ", 11},
    };

    if (fault->index) {
        text_put_str(t, section[fault->section]);
        text_put_u64(t, fault->index);
        text_put_lit(t, ": ");
    }
    text_put_str(t, str_of(fault->reason ? fault->reason : "unreadable"));
    text_put_lit(t, " at octet ");
    text_put_u64(t, fault->offset);
}

static void put_faults(struct text *t, const struct dns_message *m)
{
    size_t kept = m->fault_count < DNS_FAULT_MAX ? m->fault_count : DNS_FAULT_MAX;

    put_fault(t, &m->fault);
    for (size_t i = 1; i < kept; i++) {
        text_put_lit(t, ", ");
        put_fault(t, &m->others[i - 1]);
    }
    if (m->fault_count > kept) {
        text_put_lit(t, ", and ");
        text_put_u64(t, m->fault_count - kept);
        text_put_lit(t, " more");
    }
}

/* "dnstap: a field longer than what is left at octet 57" */
static void put_tap_fault(struct text *t, const struct dnstap_fault *fault)
{
    text_put_lit(t, "dnstap: ");
    text_put_str(t, str_of(fault->reason));
    text_put_lit(t, " at octet ");
    text_put_u64(t, fault->offset);
}

static void set_messages(struct event_decoder *d, struct event *e)
{
    struct span response = e->tap.response_message, query = e->tap.query_message;
    struct text *t = &d->text;
    size_t from = t->len;
    bool good = true, query_good = true, whole = !e->tap.fault.reason;

    if (response.ptr || query.ptr) {
        good = dns_decode(d->dns, response.ptr ? response : query, &d->dns_message);
        e->dns = &d->dns_message;
    }
    if (response.ptr && query.ptr) {
        query_good = dns_decode(d->query, query, &d->query_message);
        e->query = &d->query_message;
    }
    if (good && query_good && whole)
        return;
    e->malformed = true;
    if (!whole)
        put_tap_fault(t, &e->tap.fault);
    if (!good) {
        text_put_str(t, whole ? STR("") : STR("; "));
        put_faults(t, e->dns);
    }
    if (!query_good) {
        text_put_str(t, good && whole ? STR("query: ") : STR("; query: "));
        put_faults(t, e->query);
    }
    e->error = since(t, from);
}

/* Room for every text of the event. */
static bool reserve_texts(struct text *t, const struct dnstap *tap)
{
    size_t octets = tap->query_address.len + tap->response_address.len + tap->query_zone.len +
                    tap->policy.rule.len + tap->policy.value.len;

    text_clear(t);
    return text_reserve(t, octets * TEXT_PER_OCTET + TEXT_FIXED_MAX) != NULL;
}

void event_broken(struct span octets, struct str reason, const struct event_context *context,
                  struct event *ret)
{
    *ret = (struct event){.context = *context, .malformed = true, .error = reason, .frame = octets};
}

void event_decode(struct event_decoder *decoder, struct span frame,
                  const struct event_context *context, struct event *ret)
{
    enum dnstap_status status;

    memset(ret, 0, sizeof(*ret));
    ret->context = *context;
    ret->frame = frame;
    status = dnstap_decode(decoder->arena, frame, &ret->tap);
    if (status != DNSTAP_OK && status != DNSTAP_DAMAGED) {
        ret->malformed = true;
        ret->error = str_of(dnstap_status_text(status));
        return;
    }
    if (!reserve_texts(&decoder->text, &ret->tap)) {
        event_broken(frame, STR("out of memory"), context, ret);
        return;
    }
    ret->is_response = ret->tap.has & DNSTAP_HAS_MESSAGE ? dnstap_is_response(ret->tap.type)
                                                         : ret->tap.response_message.ptr != NULL;
    set_texts(&decoder->text, ret);
    set_times(decoder, ret);
    set_messages(decoder, ret);
}
