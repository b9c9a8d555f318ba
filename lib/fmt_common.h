/* fmt_common.h - what several formatters share: capped sections, RRsets, one field of an rdata text.
 *
 * Pure code: reads the event, writes text; no allocation, no I/O, no globals.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef FMT_COMMON_H
#define FMT_COMMON_H

#include "fmt.h"

/* The last second that four-digit years can write; a consumer's date parser refuses later ones. */
#define FMT_TIME_SEC_MAX UINT64_C(253402300799)
#define FMT_NSEC_PER_SEC 1000000000u

enum { /* RR types (IANA registry) whose rdata a format takes apart */
       FMT_TYPE_A = 1,
       FMT_TYPE_SOA = 6,
       FMT_TYPE_MX = 15,
       FMT_TYPE_TXT = 16,
       FMT_TYPE_SIG = 24,
       FMT_TYPE_AAAA = 28,
       FMT_TYPE_SRV = 33,
       FMT_TYPE_RRSIG = 46,
       FMT_TYPE_SPF = 99,
       FMT_CLASS_IN = 1
};

/* The RRs of one or two sections, capped by options->max_rrs each. Index 0 .. count - 1. */
struct fmt_rrs {
    const struct dns_rr *part[2];
    size_t part_count[2];
    size_t count; /* at most DNS_RR_MAX */
    bool cut;     /* some were left out */
};

struct fmt_rrs fmt_section(const struct dns_message *dns, enum dns_section section,
                           const struct fmt_options *options);
/* The answers and authorities of the event's message: none of them where these sections are something
 * else (see event_answer); a query may have authorities (RFC 1995 3), an UPDATE has none. */
struct fmt_rrs fmt_answers(const struct event *event, const struct fmt_options *options);
struct fmt_rrs fmt_authorities(const struct event *event, const struct fmt_options *options);
/* `more` behind `first`; both must be of one section. */
struct fmt_rrs fmt_sections(struct fmt_rrs first, struct fmt_rrs more);
const struct dns_rr *fmt_rr(const struct fmt_rrs *rrs, size_t index);
/* Is it something that a server has said, for passive DNS: with an owner that is a name, and all its rdata. */
static inline bool fmt_is_seen(const struct dns_rr *rr)
{
    return !dns_name_is_generic(rr->name) && !rr->cut;
}

/* Which RRs belong together. Cost is linear in their number: a lookup compares with at
 * most FMT_PROBE_MAX others and then opens a group of its own, so that crafted
 * hash collisions can split a group but never slow the formatter down. */
#define FMT_PROBE_MAX 16

enum fmt_group_by {
    FMT_BY_RRSET,     /* owner, type, class, type covered: RFC 2181 5, as dnspython groups */
    FMT_BY_NAME_TYPE, /* owner, type and class */
    FMT_BY_RDATA      /* the same and rdata text: finds duplicates */
};

struct fmt_groups {
    bool head[DNS_RR_MAX];     /* the first RR of its group */
    uint16_t next[DNS_RR_MAX]; /* index + 1 of the next one of the group, 0: the last */
};

void fmt_group(const struct fmt_rrs *rrs, enum fmt_group_by by, struct fmt_groups *ret);

/* The n-th space-separated field of an rdata text, from 0; a quoted string is one field. Empty: none. */
struct str fmt_rdata_field(struct str data, unsigned n);

/* The response message of the event, NULL when it holds none. */
const struct dns_message *fmt_response(const struct event *event);

bool fmt_has_date(const struct event *event); /* a time that date parsers take */
uint64_t fmt_ms(uint64_t sec, uint32_t nsec); /* Unix milliseconds; sec within FMT_TIME_SEC_MAX */
bool fmt_is_ip(struct span address);          /* 4 or 16 octets */
bool fmt_dns_cut(const struct dns_message *dns,
                 const struct fmt_options *options); /* any RR left out */

/* "QR AA TC RD RA AD CD", those that are set, each between `quote`s and separated by `sep`. */
void fmt_put_flags(struct text *t, uint16_t flags, struct str quote, struct str sep);
/* A name with its final dot as part of a JSON string. In one that could not be read \032 stands for the
 * blanks, at which readers would end it. */
void fmt_put_fqdn_json(struct text *t, struct str name);
/* "www.example.com. 300 IN A 192.0.2.1" as part of a JSON string. */
void fmt_put_rr_json(struct text *t, const struct dns_rr *rr);

#endif
