/* dns_internal.h - what the files of the DNS decoder share, and nobody else includes.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef DNS_INTERNAL_H
#define DNS_INTERNAL_H

#include "dns.h"
#include "names.h"

#define DNS_POINTER_REACH 16384 /* a compression pointer has 14 bits (RFC 1035 4.1.4) */

/* Labels and pointers that broken names of one message may cost. Names that can be read are
 * remembered, so a message pays for each of their pointers once; without this cap, broken ones
 * would be walked again by every RR. Past it, a name gets few pointers that nobody followed before. */
#define DNS_BROKEN_STEPS_MAX  1024
#define DNS_HOPS_AFTER_BROKEN 2

/* The name that starts at one offset of the message. */
struct dns_name_memo {
    uint32_t generation; /* valid when it is that of dns_names */
    uint32_t text;       /* offset of its text, without final dot, in the output */
    uint16_t text_len;
    uint8_t wire_len; /* uncompressed, root octet included */
    uint8_t hops;
};

/* Where names are read from. */
struct dns_names {
    struct span message;
    struct dns_name_memo *memo; /* DNS_POINTER_REACH of them; NULL: pointers are refused */
    uint32_t generation;
    unsigned broken_steps;
    /* After a failed read: why, where, and the octet behind the name (NULL: nobody knows). */
    const char *reason;
    const uint8_t *at;
    const uint8_t *behind;
};

/* Reads the name at *c, which ends at the rdata's or the message's end, and moves *c behind it.
 * The text is appended to *t, or shared with an earlier name of the message; *ret (no final dot,
 * empty for the root) lies in t->buf and is as stable as that. On false nothing moves but
 * names->reason, at and behind are set. */
bool dns_name_read(struct dns_names *names, struct text *t, struct cursor *c, bool pointers,
                   struct str *ret);

/* Moves *c behind a name of which nothing else is wanted. False: its end cannot be seen. */
bool dns_name_skip(struct cursor *c);

/* Takes a 16-bit length and as many octets. False: the end comes first; then all is taken, and *ret is what is
 * there of the octets. */
static inline bool dns_sized_take(struct cursor *c, struct span *ret)
{
    uint16_t len;

    if (!cursor_be16(c, &len)) {
        *ret = span_of(c->end, 0);
        c->pos = c->end;
        return false;
    }
    if (cursor_span(c, len, ret))
        return true;
    cursor_span(c, cursor_left(c), ret);
    return false;
}

/* One RR's rdata while it is rendered. */
struct dns_rdata {
    struct cursor in; /* what is left of it */
    struct text *out;
    struct dns_names *names;
    uint16_t class;     /* the one that defines its format */
    const char *reason; /* why the last field function returned false; NULL: dns_rdata_too_long */
    const uint8_t *at;  /* and where */
};

/* A field renders what it takes from r->in. False: the rdata breaks its format, r->reason says how. */
typedef bool dns_field(struct dns_rdata *r);

/* A row of the table of RR types: fields in order, separated by one blank each. */
#define DNS_FIELDS_MAX 9
struct dns_rdata_row {
    uint16_t type;
    dns_field *fields[DNS_FIELDS_MAX + 1]; /* ended by NULL; none: RFC 3597 is its only format */
};

/* Does that class define the type's format? Where it does not, RFC 3597 is the format (its section 2). */
bool dns_rdata_in_class(uint16_t type, uint16_t class);

/* NULL when the type has no row. */
const struct dns_rdata_row *dns_rdata_row(uint16_t type);

/* Renders r->in by its row; what does not fit its format as RFC 3597. *ret lies in r->out.
 * False: it was broken, r->reason and r->at say how. */
bool dns_rdata_put(struct dns_rdata *r, uint16_t type, struct str *ret);

/* Appends "\# n HEX". */
void dns_generic_put(struct text *t, struct span rdata);

/* Appends octets as the inside of a quoted character string. */
void dns_string_put(struct text *t, struct span octets);

/* For field functions: set the reason, return false. */
bool dns_rdata_broken(struct dns_rdata *r, const char *reason);
bool dns_rdata_short(struct dns_rdata *r); /* "rdata too short" */
/* Not broken, but of a text many times longer than the octets: shown as RFC 3597, without a fault. */
bool dns_rdata_too_long(struct dns_rdata *r);

/* Types or ports in a bit map: up to this many are shown by name or number. Some 100 types are
 * assigned, and a map may name them all; a bit is one octet in eight, and up to ten in the text. */
#define DNS_MAP_SHOWN_MAX 128
size_t dns_bits_count(struct span bits);

/* What types share (dns_rdata_fields.c). */
dns_field dns_field_u8, dns_field_u16, dns_field_u32, dns_field_u64, dns_field_ip4, dns_field_ip6;
dns_field dns_field_name, dns_field_name_plain; /* with and without compression pointers */
dns_field dns_field_type, dns_field_time, dns_field_time48, dns_field_bitmap;
dns_field dns_field_string, dns_field_string_opt, dns_field_strings;
dns_field dns_field_quoted_rest, dns_field_quoted_rest_opt; /* character-string without length */
dns_field dns_field_hex, dns_field_base64, dns_field_base64_opt; /* the rest; _opt may be empty */
dns_field dns_field_salt, dns_field_hash, dns_field_group64, dns_field_eui48, dns_field_eui64;

/* Types with a shape of their own (dns_rdata_special.c, dns_rdata_svcb.c). */
dns_field dns_field_a, dns_field_loc, dns_field_apl, dns_field_ipseckey, dns_field_relay;
dns_field dns_field_key, dns_field_digest, dns_field_zone_digest;
dns_field dns_field_hip, dns_field_wks, dns_field_nxt, dns_field_nsap, dns_field_atma, dns_field_a6;
dns_field dns_field_caa, dns_field_cert_type, dns_field_dsync_scheme, dns_field_media;
dns_field dns_field_sized64, dns_field_error, dns_field_svcb_params;

/* One option's data as text. False: it broke its format and is in hex. */
bool dns_option_put(struct text *t, uint16_t code, struct span data);

/* The options of an OPT RR; *t must not move while they are in use. At most DNS_OPTION_MAX go to
 * `options`. NULL, or the first fault's reason, and *ret_at where it is. */
const char *dns_options_read(struct text *t, struct span rdata, struct dns_option *options,
                             size_t *ret_count, const uint8_t **ret_at);

#endif
