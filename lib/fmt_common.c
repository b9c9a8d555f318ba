/* fmt_common.c - what several formatters share.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "fmt_common.h"
#include "word.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "0"
#endif

/* At least twice the RRs, so that a probe soon meets an empty bucket. */
#define BUCKETS_MAX 16384

const struct fmt_options fmt_options_default = {
    .cef_vendor = {"rsyslog", sizeof("rsyslog") - 1},
    .cef_product = {"mmdnstapparse", sizeof("mmdnstapparse") - 1},
    .cef_version = {PACKAGE_VERSION, sizeof(PACKAGE_VERSION) - 1},
};

struct fmt_rrs fmt_section(const struct dns_message *dns, enum dns_section section,
                           const struct fmt_options *options)
{
    struct fmt_rrs ret = {{NULL, NULL}, {0, 0}, 0, false};
    size_t max = DNS_RR_MAX;

    if (!dns || !dns->rr_count[section])
        return ret;
    if (options->max_rrs && options->max_rrs < max)
        max = options->max_rrs;
    ret.part[0] = dns->rr[section];
    ret.count = dns->rr_count[section];
    if (ret.count > max) {
        ret.count = max;
        ret.cut = true;
    }
    ret.part_count[0] = ret.count;
    return ret;
}

struct fmt_rrs fmt_answers(const struct event *event, const struct fmt_options *options)
{
    return fmt_section(event_answer(event), DNS_ANSWER, options);
}

struct fmt_rrs fmt_authorities(const struct event *event, const struct fmt_options *options)
{
    bool update = event->dns && event->dns->opcode == DNS_OPCODE_UPDATE;

    return fmt_section(update ? NULL : event->dns, DNS_AUTHORITY, options);
}

struct fmt_rrs fmt_sections(struct fmt_rrs first, struct fmt_rrs more)
{
    size_t room = DNS_RR_MAX - first.count;

    first.cut = first.cut || more.cut || more.count > room;
    first.part[1] = more.part[0];
    first.part_count[1] = more.count < room ? more.count : room;
    first.count += first.part_count[1];
    return first;
}

const struct dns_rr *fmt_rr(const struct fmt_rrs *rrs, size_t index)
{
    return index < rrs->part_count[0] ? &rrs->part[0][index]
                                      : &rrs->part[1][index - rrs->part_count[0]];
}

static unsigned char lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

/* DNS names compare without case (RFC 4343). */
static bool name_equal(struct str a, struct str b)
{
    if (a.len != b.len)
        return false;
    if (a.ptr == b.ptr) /* pointers of the message led to the same text */
        return true;
    for (size_t i = 0; i < a.len; i++)
        if (a.ptr[i] != b.ptr[i] && lower(a.ptr[i]) != lower(b.ptr[i]))
            return false;
    return true;
}

static struct str covered(const struct dns_rr *rr)
{
    if ((rr->type == FMT_TYPE_RRSIG || rr->type == FMT_TYPE_SIG) && !rr->generic)
        return fmt_rdata_field(rr->data, 0);
    return (struct str){NULL, 0};
}

static bool same_group(const struct dns_rr *a, const struct dns_rr *b, enum fmt_group_by by)
{
    if (a->type != b->type || a->class != b->class || !name_equal(a->name, b->name))
        return false;
    if (by == FMT_BY_RDATA)
        return str_equal(a->data, b->data);
    return by == FMT_BY_NAME_TYPE || str_equal(covered(a), covered(b));
}

static uint64_t hash_word(uint64_t h, uint64_t word)
{
    h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ h >> 32;
}

/* Eight octets at a time, since a name of escapes has 1,000. With bit 5 set letters are as good as
 * without case; that some others become the same is for name_equal to see. */
static uint64_t hash_text(uint64_t h, struct str s, uint64_t without_case)
{
    size_t i;

    if (s.len == 0) /* then ptr may be NULL, to which nothing may be added, not even 0 */
        return h;
    for (i = 0; s.len - i >= sizeof(uint64_t); i += sizeof(uint64_t))
        h = hash_word(h, word_load(s.ptr + i) | without_case);
    return hash_word(h, word_load_part(s.ptr + i, s.len - i) | without_case);
}

/* Neighbours mostly share their name, and its text: *name_hash is of `before`, and becomes that of rr. */
static size_t hash_rr(const struct dns_rr *rr, const struct dns_rr *before, uint64_t *name_hash,
                      enum fmt_group_by by)
{
    uint64_t h;

    if (!before || rr->name.ptr != before->name.ptr || rr->name.len != before->name.len)
        *name_hash = hash_text(0, rr->name, WORD_ONES * 0x20);
    h = hash_word(*name_hash, rr->type);
    return (size_t)(by == FMT_BY_RDATA ? hash_text(h, rr->data, 0) : h);
}

void fmt_group(const struct fmt_rrs *rrs, enum fmt_group_by by, struct fmt_groups *ret)
{
    uint16_t head[BUCKETS_MAX], tail[DNS_RR_MAX]; /* index + 1 */
    const struct dns_rr *before = NULL;
    uint64_t name_hash = 0;
    size_t buckets = 16;

    while (buckets < 2 * rrs->count && buckets < BUCKETS_MAX) /* at most 10 doublings */
        buckets *= 2;
    memset(head, 0, buckets * sizeof(head[0]));
    for (size_t i = 0; i < rrs->count; i++) {
        const struct dns_rr *rr = fmt_rr(rrs, i);
        size_t b = hash_rr(rr, before, &name_hash, by) & (buckets - 1);
        unsigned probes = 0;

        before = rr;
        ret->next[i] = 0;
        while (probes < FMT_PROBE_MAX && head[b] &&
               !same_group(fmt_rr(rrs, head[b] - 1U), rr, by)) {
            b = (b + 1) & (buckets - 1);
            probes++;
        }
        ret->head[i] = probes == FMT_PROBE_MAX || !head[b];
        if (!ret->head[i]) {
            size_t first = head[b] - 1U;

            ret->next[tail[first]] = (uint16_t)(i + 1);
            tail[first] = (uint16_t)i;
            continue;
        }
        tail[i] = (uint16_t)i;
        if (probes < FMT_PROBE_MAX)
            head[b] = (uint16_t)(i + 1);
    }
}

struct str fmt_rdata_field(struct str data, unsigned n)
{
    size_t pos = 0;

    for (;;) { /* every turn consumes at least one octet or returns */
        size_t start;
        bool quoted = false;

        while (pos < data.len && data.ptr[pos] == ' ')
            pos++;
        if (pos >= data.len)
            return (struct str){NULL, 0};
        start = pos;
        for (; pos < data.len && (quoted || data.ptr[pos] != ' '); pos++) {
            if (data.ptr[pos] == '\\' && data.len - pos > 1)
                pos++;
            else if (data.ptr[pos] == '"')
                quoted = !quoted;
        }
        if (n-- == 0)
            return (struct str){data.ptr + start, pos - start};
    }
}

const struct dns_message *fmt_response(const struct event *event)
{
    return event->tap.response_message.ptr ? event->dns : NULL;
}

bool fmt_has_date(const struct event *event)
{
    return event->has_time && event->time_sec <= FMT_TIME_SEC_MAX;
}

uint64_t fmt_ms(uint64_t sec, uint32_t nsec)
{
    return sec * 1000 + nsec % FMT_NSEC_PER_SEC / 1000000;
}

bool fmt_is_ip(struct span address)
{
    return address.len == 4 || address.len == 16;
}

bool fmt_dns_cut(const struct dns_message *dns, const struct fmt_options *options)
{
    if (!dns)
        return false;
    return dns->truncated_output || fmt_section(dns, DNS_ANSWER, options).cut ||
           fmt_section(dns, DNS_AUTHORITY, options).cut ||
           fmt_section(dns, DNS_ADDITIONAL, options).cut;
}

void fmt_put_flags(struct text *t, uint16_t flags, struct str quote, struct str sep)
{
    static const struct {
        uint16_t bit;
        struct str text;
    } names[] = {
        {DNS_QR, {"QR", 2}}, {DNS_AA, {"AA", 2}}, {DNS_TC, {"TC", 2}}, {DNS_RD, {"RD", 2}},
        {DNS_RA, {"RA", 2}}, {DNS_AD, {"AD", 2}}, {DNS_CD, {"CD", 2}},
    };
    bool any = false;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (!(flags & names[i].bit))
            continue;
        if (any)
            text_put_str(t, sep);
        text_put_str(t, quote);
        text_put_str(t, names[i].text);
        text_put_str(t, quote);
        any = true;
    }
}

void fmt_put_fqdn_json(struct text *t, struct str name)
{
    if (!dns_name_is_generic(name)) {
        text_put_json_raw(t, name);
    } else {
        for (size_t i = 0; i < name.len; i++) {
            if (name.ptr[i] == ' ')
                text_put_lit(t, "\\\\032");
            else
                text_put_json_raw(t, (struct str){name.ptr + i, 1});
        }
    }
    if (!str_equal(name, STR(".")))
        text_put_char(t, '.');
}

void fmt_put_rr_json(struct text *t, const struct dns_rr *rr)
{
    fmt_put_fqdn_json(t, rr->name);
    text_put_char(t, ' ');
    text_put_u64(t, rr->ttl);
    text_put_char(t, ' ');
    text_put_str(t, rr->class_text);
    text_put_char(t, ' ');
    text_put_str(t, rr->type_text);
    if (!rr->data.len) /* as in RFC 2136 updates */
        return;
    text_put_char(t, ' ');
    text_put_json_raw(t, rr->data);
}
