/* fmt_cof.c - Passive DNS Common Output Format, draft-dulaunoy-dnsop-passive-dns-cof: one object
 * per RRset of a response to a QUERY, from its answer and authority sections.
 *
 * No client data is written (the draft's privacy section). The format has no class, so only class
 * IN is; an owner that could not be read is no rrname; it cannot do without a time, so an event without one yields nothing.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fmt_common.h"

extern const struct fmt fmt_cof;

static void put_fqdn_json(struct text *t, struct str name)
{
    text_put_char(t, '"');
    fmt_put_fqdn_json(t, name);
    text_put_char(t, '"');
}

/* The mnemonic, or the number where there is none. */
static void put_rrtype(struct text *t, const struct dns_rr *rr)
{
    if (rr->type_text.len > 4 && memcmp(rr->type_text.ptr, "TYPE", 4) == 0)
        text_put_u64(t, rr->type);
    else
        text_put_json(t, rr->type_text);
}

static void put_rrset(struct text *t, const struct event *event, const struct fmt_rrs *rrs,
                      const struct fmt_groups *sets, const struct fmt_groups *unique, size_t first)
{
    text_put_lit(t, "{\"count\":1,\"time_first\":");
    text_put_u64(t, event->time_sec);
    text_put_lit(t, ",\"time_last\":");
    text_put_u64(t, event->time_sec);
    text_put_lit(t, ",\"rrname\":");
    put_fqdn_json(t, fmt_rr(rrs, first)->name);
    text_put_lit(t, ",\"rrtype\":");
    put_rrtype(t, fmt_rr(rrs, first));
    if (event->query_zone.len && !dns_name_is_generic(event->query_zone)) {
        text_put_lit(t, ",\"bailiwick\":");
        put_fqdn_json(t, event->query_zone);
    }
    text_put_lit(t, ",\"rdata\":[");
    text_put_json(t, fmt_rr(rrs, first)->data);
    for (size_t i = sets->next[first]; i; i = sets->next[i - 1]) { /* indices ascend */
        if (!unique->head[i - 1] || fmt_rr(rrs, i - 1)->cut)
            continue;
        text_put_char(t, ',');
        text_put_json(t, fmt_rr(rrs, i - 1)->data);
    }
    text_put_lit(t, "]}");
}

static void render(const struct event *event, const struct fmt_options *options, struct text *t)
{
    struct fmt_groups sets, unique;
    struct fmt_rrs rrs;
    bool any = false;

    if (!event_answer(event) || !fmt_has_date(event))
        return;
    rrs = fmt_sections(fmt_answers(event, options), fmt_authorities(event, options));
    fmt_group(&rrs, FMT_BY_NAME_TYPE, &sets);
    fmt_group(&rrs, FMT_BY_RDATA, &unique);
    for (size_t i = 0; i < rrs.count; i++) {
        const struct dns_rr *rr = fmt_rr(&rrs, i);

        if (!sets.head[i] || rr->class != FMT_CLASS_IN || !fmt_is_seen(rr))
            continue;
        if (any)
            text_put_char(t, '\n');
        any = true;
        put_rrset(t, event, &rrs, &sets, &unique, i);
    }
}

const struct fmt fmt_cof = {"cof", true, render};
