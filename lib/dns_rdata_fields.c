/* dns_rdata_fields.c - the fields that RR types share, each from octets to presentation format.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "dns_internal.h"
#include "word.h"

bool dns_rdata_broken(struct dns_rdata *r, const char *reason)
{
    r->reason = reason;
    r->at = r->in.pos;
    return false;
}

bool dns_rdata_short(struct dns_rdata *r)
{
    return dns_rdata_broken(r, "rdata too short");
}

bool dns_rdata_too_long(struct dns_rdata *r)
{
    return dns_rdata_broken(r, NULL);
}

size_t dns_bits_count(struct span bits)
{
    size_t count = 0;

    for (size_t i = 0; i < bits.len; i++)
        count += (unsigned)__builtin_popcount(bits.ptr[i]);
    return count;
}

bool dns_field_u8(struct dns_rdata *r)
{
    uint8_t value;

    if (!cursor_u8(&r->in, &value))
        return dns_rdata_short(r);
    text_put_u64(r->out, value);
    return true;
}

bool dns_field_u16(struct dns_rdata *r)
{
    uint16_t value;

    if (!cursor_be16(&r->in, &value))
        return dns_rdata_short(r);
    text_put_u64(r->out, value);
    return true;
}

bool dns_field_u32(struct dns_rdata *r)
{
    uint32_t value;

    if (!cursor_be32(&r->in, &value))
        return dns_rdata_short(r);
    text_put_u64(r->out, value);
    return true;
}

bool dns_field_u64(struct dns_rdata *r)
{
    uint32_t high, low;

    if (cursor_left(&r->in) < 8 || !cursor_be32(&r->in, &high) || !cursor_be32(&r->in, &low))
        return dns_rdata_short(r);
    text_put_u64(r->out, (uint64_t)high << 32 | low);
    return true;
}

/* TSIG's clock (RFC 8945 4.2): 48 bits of seconds. */
bool dns_field_time48(struct dns_rdata *r)
{
    uint16_t high;
    uint32_t low;

    if (cursor_left(&r->in) < 6 || !cursor_be16(&r->in, &high) || !cursor_be32(&r->in, &low))
        return dns_rdata_short(r);
    text_put_u64(r->out, (uint64_t)high << 32 | low);
    return true;
}

bool dns_field_ip4(struct dns_rdata *r)
{
    struct span addr;

    if (!cursor_span(&r->in, 4, &addr))
        return dns_rdata_short(r);
    text_put_ip4(r->out, addr.ptr);
    return true;
}

bool dns_field_ip6(struct dns_rdata *r)
{
    struct span addr;

    if (!cursor_span(&r->in, 16, &addr))
        return dns_rdata_short(r);
    text_put_ip6(r->out, addr.ptr);
    return true;
}

static bool name_put(struct dns_rdata *r, bool pointers)
{
    size_t before = r->out->len;
    struct str name;

    if (!dns_name_read(r->names, r->out, &r->in, pointers, &name)) {
        r->reason = r->names->reason;
        r->at = r->names->at;
        return false;
    }
    if (r->out->len == before)
        text_put_str(r->out, name); /* shared with an earlier name */
    text_put_char(r->out, '.');
    return true;
}

bool dns_field_name(struct dns_rdata *r)
{
    return name_put(r, true);
}

bool dns_field_name_plain(struct dns_rdata *r)
{
    return name_put(r, false);
}

bool dns_field_type(struct dns_rdata *r)
{
    uint16_t type;

    if (!cursor_be16(&r->in, &type))
        return dns_rdata_short(r);
    names_put(r->out, &names_rr_type, type);
    return true;
}

bool dns_field_time(struct dns_rdata *r)
{
    uint32_t seconds;

    if (!cursor_be32(&r->in, &seconds))
        return dns_rdata_short(r);
    text_put_compact_time(r->out, seconds);
    return true;
}

/* Type bit maps (RFC 4034 4.1.2): windows ascend, none is empty or ends in a zero octet, and type 0, which
 * is reserved (RFC 6895 3.1), is not among them. May be missing altogether (RFC 5155 3.2.1).
 * *ret: how many types there are. */
static bool bitmap_check(struct dns_rdata *r, size_t *ret)
{
    int last = -1;

    *ret = 0;
    while (cursor_left(&r->in) > 0) {
        uint8_t window, len;
        struct span bits;

        if (!cursor_u8(&r->in, &window) || !cursor_u8(&r->in, &len))
            return dns_rdata_short(r);
        if (len == 0 || len > 32 || window <= last)
            return dns_rdata_broken(r, "bad type bit map");
        if (!cursor_span(&r->in, len, &bits))
            return dns_rdata_short(r);
        if (bits.ptr[len - 1] == 0 || (window == 0 && bits.ptr[0] & 0x80))
            return dns_rdata_broken(r, "bad type bit map");
        *ret += dns_bits_count(bits);
        last = window;
    }
    return true;
}

#define TYPE_TEXT_MAX 32 /* a name and a blank behind it, and what WORD_PUT_MAX touches */

/* A name of one octet or more: twice eight, twice four or three of them, which overlap. A call of memcpy takes
 * longer than all else of a type. */
static char *name_write(char *p, struct str name)
{
    if (name.len >= 8) {
        memcpy(p, name.ptr, 8);
        memcpy(p + name.len - 8, name.ptr + name.len - 8, 8);
    } else if (name.len >= 4) {
        memcpy(p, name.ptr, 4);
        memcpy(p + name.len - 4, name.ptr + name.len - 4, 4);
    } else {
        p[0] = name.ptr[0];
        p[name.len / 2] = name.ptr[name.len / 2];
        p[name.len - 1] = name.ptr[name.len - 1];
    }
    return p + name.len;
}

static char *type_write(char *p, unsigned type, bool named)
{
    struct str name = named ? names_find(&names_rr_type, type) : (struct str){NULL, 0};

    if (name.len > 0) {
        p = name_write(p, name);
    } else {
        memcpy(p, "TYPE", 4);
        p = word_put_u64(p + 4, type);
    }
    *p++ = ' ';
    return p;
}

/* The types of a window that was checked, a blank behind each. */
static void window_put(struct text *t, unsigned window, struct span bits)
{
    bool named = window < 2 || window == 128; /* up to IPN; TA and DLV */

    for (unsigned i = 0; i < bits.len; i++) {
        unsigned octet = bits.ptr[i];
        char *p = octet ? text_reserve(t, TYPE_TEXT_MAX * 8) : NULL;

        if (!p)
            continue;
        for (unsigned type = window * 256u + i * 8; octet & 0xff; type++, octet <<= 1) {
            if (octet & 0x80)
                p = type_write(p, type, named);
        }
        t->len = (size_t)(p - t->buf);
    }
}

bool dns_field_bitmap(struct dns_rdata *r)
{
    struct cursor windows = r->in;
    uint8_t window, len;
    struct span bits;
    size_t types;

    if (!bitmap_check(r, &types))
        return false;
    if (types > DNS_MAP_SHOWN_MAX)
        return dns_rdata_too_long(r);
    while (cursor_u8(&windows, &window) && cursor_u8(&windows, &len) &&
           cursor_span(&windows, len, &bits))
        window_put(r->out, window, bits);
    return true;
}

/* Bit c set: octet c stands for itself between quotes. Printable without " and backslash. */
static const uint32_t plain_in_string[8] = {0, 0xFFFFFFFB, 0xEFFFFFFF, 0x7FFFFFFF};

/* Copies sixteen octets at a time as long as all of them are plain; returns how many.
 * 160 instructions less per frame of the mixed captures. */
static size_t plain_run(char *p, struct span string)
{
    octets16 octets;
    size_t i;

    for (i = 0; string.len - i >= sizeof(octets); i += sizeof(octets)) {
        octets = octets_load(string.ptr + i);
        if (octets_any((octets < ' ') | (octets == '"') | (octets == '\\') | (octets == 0x7f)))
            break;
        octets_store(p + i, octets);
    }
    return i;
}

void dns_string_put(struct text *t, struct span octets)
{
    char *start, *p;
    size_t plain;

    if (octets.len > DNS_MESSAGE_MAX) {
        t->overflow = true;
        return;
    }
    start = text_reserve(t, octets.len * 4);
    if (!start)
        return;
    plain = plain_run(start, octets);
    p = start + plain;
    for (size_t i = plain; i < octets.len; i++) {
        unsigned c = octets.ptr[i];

        if (plain_in_string[c >> 5] >> (c & 31) & 1) {
            *p++ = (char)c;
            continue;
        }
        *p++ = '\\';
        if (c == '"' || c == '\\') {
            *p++ = (char)c;
            continue;
        }
        *p++ = (char)('0' + c / 100);
        *p++ = (char)('0' + c / 10 % 10);
        *p++ = (char)('0' + c % 10);
    }
    t->len += (size_t)(p - start);
}

static void quoted_put(struct text *t, struct span octets)
{
    text_put_char(t, '"');
    dns_string_put(t, octets);
    text_put_char(t, '"');
}

bool dns_field_string(struct dns_rdata *r)
{
    uint8_t len;
    struct span octets;

    if (!cursor_u8(&r->in, &len) || !cursor_span(&r->in, len, &octets))
        return dns_rdata_short(r);
    quoted_put(r->out, octets);
    return true;
}

bool dns_field_string_opt(struct dns_rdata *r)
{
    return cursor_left(&r->in) == 0 || dns_field_string(r);
}

/* One or more, to the end. */
bool dns_field_strings(struct dns_rdata *r)
{
    if (!dns_field_string(r))
        return false;
    while (cursor_left(&r->in) > 0) {
        text_put_char(r->out, ' ');
        if (!dns_field_string(r))
            return false;
    }
    return true;
}

static struct span take_rest(struct dns_rdata *r)
{
    struct span rest = {r->in.pos, cursor_left(&r->in)};

    r->in.pos = r->in.end;
    return rest;
}

bool dns_field_quoted_rest_opt(struct dns_rdata *r)
{
    quoted_put(r->out, take_rest(r));
    return true;
}

bool dns_field_quoted_rest(struct dns_rdata *r)
{
    return cursor_left(&r->in) == 0 ? dns_rdata_short(r) : dns_field_quoted_rest_opt(r);
}

bool dns_field_hex(struct dns_rdata *r)
{
    if (cursor_left(&r->in) == 0)
        return dns_rdata_short(r);
    text_put_HEX(r->out, take_rest(r));
    return true;
}

bool dns_field_base64_opt(struct dns_rdata *r)
{
    text_put_base64(r->out, take_rest(r));
    return true;
}

bool dns_field_base64(struct dns_rdata *r)
{
    return cursor_left(&r->in) == 0 ? dns_rdata_short(r) : dns_field_base64_opt(r);
}

/* NSEC3 salt (RFC 5155 3.3): hex, or "-" when there is none. */
bool dns_field_salt(struct dns_rdata *r)
{
    uint8_t len;
    struct span octets;

    if (!cursor_u8(&r->in, &len) || !cursor_span(&r->in, len, &octets))
        return dns_rdata_short(r);
    if (len == 0)
        text_put_char(r->out, '-');
    else
        text_put_HEX(r->out, octets);
    return true;
}

/* NSEC3 next hashed owner (RFC 5155 3.3). */
bool dns_field_hash(struct dns_rdata *r)
{
    uint8_t len;
    struct span octets;

    if (!cursor_u8(&r->in, &len) || !cursor_span(&r->in, len, &octets) || len == 0)
        return dns_rdata_short(r);
    text_put_base32hex(r->out, octets);
    return true;
}

/* Groups of `size` octets in lower-case hex with a separator between them. */
static bool groups_put(struct dns_rdata *r, size_t count, size_t size, char separator)
{
    for (size_t i = 0; i < count; i++) {
        struct span octets;

        if (!cursor_span(&r->in, size, &octets))
            return dns_rdata_short(r);
        if (i > 0)
            text_put_char(r->out, separator);
        text_put_hex(r->out, octets);
    }
    return true;
}

/* Node and locator values (RFC 6742 2.1.2, 2.3.2). */
bool dns_field_group64(struct dns_rdata *r)
{
    return groups_put(r, 4, 2, ':');
}

bool dns_field_eui48(struct dns_rdata *r) /* RFC 7043 3.2 */
{
    return groups_put(r, 6, 1, '-');
}

bool dns_field_eui64(struct dns_rdata *r) /* RFC 7043 4.2 */
{
    return groups_put(r, 8, 1, '-');
}
