/* dns_edns.c - EDNS options (RFC 6891 6.1.2) in readable form.
 *
 * ECS "192.0.2.0/24/0" (address/source/scope), COOKIE "CLIENT/SERVER" in hex, NSID its text when
 * printable and else "hex:00ff", EDE "18 (Prohibited): text", PADDING its length, KEEPALIVE and
 * EXPIRE seconds, CHAIN and REPORT-CHANNEL a name with its final dot, DAU, DHU, N3U and KEY-TAG
 * numbers, MQTYPE-* type names, ZONEVERSION "LABELS SOA-SERIAL n", LLQ "version opcode error id lease", UL its leases.
 * Unknown options and those that break their format are in hex.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "dns_internal.h"

enum option {
    OPTION_LLQ = 1,  /* RFC 8764 3.2 */
    OPTION_UL = 2,   /* RFC 9664 4 */
    OPTION_NSID = 3, /* RFC 5001 2.3 */
    OPTION_DAU = 5,  /* RFC 6975 3 */
    OPTION_DHU = 6,
    OPTION_N3U = 7,
    OPTION_ECS = 8,        /* RFC 7871 6 */
    OPTION_EXPIRE = 9,     /* RFC 7314 2 */
    OPTION_COOKIE = 10,    /* RFC 7873 4 */
    OPTION_KEEPALIVE = 11, /* RFC 7828 3.1 */
    OPTION_PADDING = 12,   /* RFC 7830 3 */
    OPTION_CHAIN = 13,     /* RFC 7901 4 */
    OPTION_KEY_TAG = 14,   /* RFC 8145 4.1 */
    OPTION_EDE = 15,       /* RFC 8914 2 */
    OPTION_CLIENT_TAG = 16,
    OPTION_SERVER_TAG = 17,
    OPTION_REPORT_CHANNEL = 18, /* RFC 9567 5 */
    OPTION_ZONEVERSION = 19,    /* RFC 9660 2 */
    OPTION_MQTYPE_QUERY = 20,   /* RFC 10029 3 */
    OPTION_MQTYPE_RESPONSE = 21,
};

/* The functions below write only when the data fits the format. */

static bool ecs_put(struct text *t, struct span data)
{
    struct cursor c = cursor_of(data);
    uint16_t family;
    uint8_t source, scope, addr[16] = {0};
    size_t size, left;

    if (!cursor_be16(&c, &family) || !cursor_u8(&c, &source) || !cursor_u8(&c, &scope))
        return false;
    size = family == 1 ? 4 : family == 2 ? 16 : 0;
    left = cursor_left(&c);
    if (family > 2 || source > size * 8 || scope > size * 8 || left != (source + 7u) / 8)
        return false;
    /* Bits behind the prefix are zero (RFC 7871 6). */
    if (source % 8 != 0 && c.pos[left - 1] & 0xff >> source % 8)
        return false;
    if (left > 0)
        memcpy(addr, c.pos, left);
    if (family == 0)
        text_put_char(t, '0');
    else
        text_put_addr(t, span_of(addr, size));
    text_put_char(t, '/');
    text_put_u64(t, source);
    text_put_char(t, '/');
    text_put_u64(t, scope);
    return true;
}

static bool cookie_put(struct text *t, struct span data)
{
    if (data.len != 8 && (data.len < 16 || data.len > 40))
        return false;
    text_put_hex(t, span_of(data.ptr, 8));
    if (data.len > 8) {
        text_put_char(t, '/');
        text_put_hex(t, span_of(data.ptr + 8, data.len - 8));
    }
    return true;
}

/* Text that begins as hex does is in hex, too: no two NSIDs are the same text. */
static bool nsid_put(struct text *t, struct span data)
{
    bool is_text = data.len < 4 || memcmp(data.ptr, "hex:", 4) != 0;

    for (size_t i = 0; is_text && i < data.len; i++)
        is_text = data.ptr[i] >= 0x20 && data.ptr[i] <= 0x7e;
    if (is_text) {
        text_put(t, (const char *)data.ptr, data.len);
    } else {
        text_put_lit(t, "hex:");
        text_put_hex(t, data);
    }
    return true;
}

static bool ede_put(struct text *t, struct span data)
{
    struct cursor c = cursor_of(data);
    uint16_t code;
    struct str name;
    size_t len;

    if (!cursor_be16(&c, &code))
        return false;
    text_put_u64(t, code);
    name = names_find(&names_ede, code);
    if (name.len > 0) {
        text_put_lit(t, " (");
        text_put_str(t, name);
        text_put_char(t, ')');
    }
    len = cursor_left(&c);
    if (len > 0 && c.pos[len - 1] == 0)
        len--; /* some implementations end it with a NUL (RFC 8914 2) */
    if (len > 0) {
        text_put_lit(t, ": ");
        text_put(t, (const char *)c.pos, len);
    }
    return true;
}

/* Units of 100 ms; empty in queries. */
static bool keepalive_put(struct text *t, struct span data)
{
    struct cursor c = cursor_of(data);
    uint16_t timeout;

    if (data.len == 0)
        return true;
    if (data.len != 2 || !cursor_be16(&c, &timeout))
        return false;
    text_put_u64(t, timeout / 10);
    text_put_char(t, '.');
    text_put_u64(t, timeout % 10);
    text_put_lit(t, " s");
    return true;
}

/* Seconds; empty in queries. */
static bool expire_put(struct text *t, struct span data)
{
    struct cursor c = cursor_of(data);
    uint32_t seconds;

    if (data.len == 0)
        return true;
    if (data.len != 4 || !cursor_be32(&c, &seconds))
        return false;
    text_put_u64(t, seconds);
    text_put_lit(t, " s");
    return true;
}

/* An uncompressed name and nothing else; nothing at all in queries that ask for it. */
static bool name_put(struct text *t, struct span data)
{
    size_t start = t->len;

    if (data.len == 0)
        return true;
    if (!dns_name_text(t, data))
        return false;
    if (data.ptr[0] != 0)
        text_put_char(t, '.');
    return t->len > start;
}

/* Numbers of `size` octets, 1 or 2. */
static bool numbers_put(struct text *t, struct span data, size_t size)
{
    if (data.len % size != 0)
        return false;
    for (size_t i = 0; i < data.len; i += size) {
        if (i > 0)
            text_put_char(t, ' ');
        text_put_u64(t, size == 1 ? data.ptr[i] : (unsigned)data.ptr[i] << 8 | data.ptr[i + 1]);
    }
    return true;
}

/* RR types; none is a list, too. Ends: each takes two octets. */
static bool types_put(struct text *t, struct span data)
{
    struct cursor c = cursor_of(data);
    uint16_t type;

    if (data.len % 2 != 0)
        return false;
    for (bool first = true; cursor_be16(&c, &type); first = false) {
        if (!first)
            text_put_char(t, ' ');
        names_put(t, &names_rr_type, type);
    }
    return true;
}

/* Labels of the zone's name, type, version; empty in queries. */
static bool zoneversion_put(struct text *t, struct span data)
{
    struct cursor c = cursor_of(data);
    uint8_t labels, type;
    uint32_t serial;

    if (data.len == 0)
        return true;
    if (!cursor_u8(&c, &labels) || !cursor_u8(&c, &type))
        return false;
    if (type == 0 && cursor_left(&c) != 4)
        return false;
    text_put_u64(t, labels);
    if (type == 0 && cursor_be32(&c, &serial)) {
        text_put_lit(t, " SOA-SERIAL ");
        text_put_u64(t, serial);
        return true;
    }
    text_put_char(t, ' ');
    text_put_u64(t, type);
    if (cursor_left(&c) > 0) {
        text_put_char(t, ' ');
        text_put_hex(t, span_of(c.pos, cursor_left(&c)));
    }
    return true;
}

static bool llq_put(struct text *t, struct span data)
{
    struct cursor c = cursor_of(data);
    uint16_t number;
    uint32_t lease;
    struct span id;

    if (data.len != 18)
        return false;
    for (int i = 0; i < 3 && cursor_be16(&c, &number); i++) {
        text_put_u64(t, number);
        text_put_char(t, ' ');
    }
    if (!cursor_span(&c, 8, &id) || !cursor_be32(&c, &lease))
        return false;
    text_put_hex(t, id);
    text_put_char(t, ' ');
    text_put_u64(t, lease);
    return true;
}

static bool lease_put(struct text *t, struct span data)
{
    struct cursor c = cursor_of(data);
    uint32_t seconds;

    if (data.len != 4 && data.len != 8)
        return false;
    for (bool first = true; cursor_be32(&c, &seconds); first = false) {
        if (!first)
            text_put_char(t, ' ');
        text_put_u64(t, seconds);
    }
    return true;
}

static bool known_put(struct text *t, uint16_t code, struct span data)
{
    switch (code) {
    case OPTION_LLQ:
        return llq_put(t, data);
    case OPTION_UL:
        return lease_put(t, data);
    case OPTION_NSID:
        return nsid_put(t, data);
    case OPTION_DAU:
    case OPTION_DHU:
    case OPTION_N3U:
        return numbers_put(t, data, 1);
    case OPTION_ECS:
        return ecs_put(t, data);
    case OPTION_EXPIRE:
        return expire_put(t, data);
    case OPTION_COOKIE:
        return cookie_put(t, data);
    case OPTION_KEEPALIVE:
        return keepalive_put(t, data);
    case OPTION_PADDING:
        text_put_u64(t, data.len);
        return true;
    case OPTION_CHAIN:
    case OPTION_REPORT_CHANNEL:
        return name_put(t, data);
    case OPTION_KEY_TAG:
        return numbers_put(t, data, 2);
    case OPTION_EDE:
        return ede_put(t, data);
    case OPTION_CLIENT_TAG:
    case OPTION_SERVER_TAG:
        return data.len == 2 && numbers_put(t, data, 2);
    case OPTION_ZONEVERSION:
        return zoneversion_put(t, data);
    case OPTION_MQTYPE_QUERY:
    case OPTION_MQTYPE_RESPONSE:
        return types_put(t, data);
    default:
        text_put_hex(t, data);
        return true;
    }
}

bool dns_option_put(struct text *t, uint16_t code, struct span data)
{
    size_t start = t->len;

    if (known_put(t, code, data))
        return true;
    if (!t->overflow)
        text_cut(t, start);
    text_put_hex(t, data);
    return false;
}

static struct str option_name(struct text *t, uint16_t code)
{
    struct str name = names_find(&names_edns_option, code);
    size_t start = t->len;

    if (name.len > 0)
        return name;
    names_put(t, &names_edns_option, code);
    return (struct str){t->buf + start, t->len - start};
}

/* NULL, or the fault's reason. An option that the end cuts is shown as far as it goes, in hex. */
static const char *option_read(struct text *t, struct cursor *c, struct dns_option *options,
                               size_t *count)
{
    static const char beyond[] = "EDNS option goes beyond its end";
    struct dns_option *o;
    uint16_t code;
    struct span data;
    bool whole, good;
    size_t start;

    if (!cursor_be16(c, &code)) {
        c->pos = c->end;
        return beyond;
    }
    if (*count == DNS_OPTION_MAX) {
        c->pos = c->end;
        return "too many EDNS options";
    }
    whole = dns_sized_take(c, &data);
    o = &options[(*count)++];
    *o = (struct dns_option){.code = code, .name = option_name(t, code)};
    start = t->len;
    good = whole && dns_option_put(t, code, data);
    if (!whole)
        text_put_hex(t, data);
    o->data = (struct str){t->buf + start, t->len - start};
    return good ? NULL : whole ? "bad EDNS option" : beyond;
}

/* Ends: each option takes two octets at least. */
const char *dns_options_read(struct text *t, struct span rdata, struct dns_option *options,
                             size_t *ret_count, const uint8_t **ret_at)
{
    struct cursor c = cursor_of(rdata);
    const char *reason = NULL;

    *ret_count = 0;
    while (cursor_left(&c) > 0) {
        const uint8_t *at = c.pos;
        const char *bad = option_read(t, &c, options, ret_count);

        if (bad && !reason) {
            reason = bad;
            *ret_at = at;
        }
    }
    return reason;
}
