/* dns_rdata_special.c - RR types with a shape of their own.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "dns_internal.h"

/* Class CH: a name and an octal address (RFC 1035 3.4 leaves it to Chaosnet). */
bool dns_field_a(struct dns_rdata *r)
{
    uint16_t addr;
    bool digit = false;

    if (r->class != 3)
        return dns_field_ip4(r);
    if (!dns_field_name(r))
        return false;
    if (!cursor_be16(&r->in, &addr))
        return dns_rdata_short(r);
    text_put_char(r->out, ' ');
    for (int shift = 15; shift >= 0; shift -= 3) {
        digit = digit || addr >> shift & 7 || shift == 0;
        if (digit)
            text_put_char(r->out, (char)('0' + (addr >> shift & 7)));
    }
    return true;
}

static void fraction_put(struct text *t, uint32_t value, unsigned digits)
{
    text_put_char(t, '.');
    text_put_u64_pad(t, value, digits);
}

/* Latitude or longitude: thousandths of an arc second around 2^31, to 90 or 180 degrees. */
static bool angle_put(struct dns_rdata *r, uint32_t degrees_max, char above, char below)
{
    uint32_t angle, size;

    if (!cursor_be32(&r->in, &angle))
        return dns_rdata_short(r);
    size = angle >= UINT32_C(1) << 31 ? angle - (UINT32_C(1) << 31) : (UINT32_C(1) << 31) - angle;
    if (size > degrees_max * 3600000)
        return dns_rdata_broken(r, "bad location");
    text_put_u64(r->out, size / 3600000);
    text_put_char(r->out, ' ');
    text_put_u64(r->out, size / 60000 % 60);
    text_put_char(r->out, ' ');
    text_put_u64(r->out, size / 1000 % 60);
    fraction_put(r->out, size % 1000, 3);
    text_put_char(r->out, ' ');
    text_put_char(r->out, angle >= UINT32_C(1) << 31 ? above : below);
    text_put_char(r->out, ' ');
    return true;
}

static void metres_put(struct text *t, uint64_t centimetres)
{
    text_put_u64(t, centimetres / 100);
    if (centimetres % 100 != 0)
        fraction_put(t, (uint32_t)(centimetres % 100), 2);
    text_put_char(t, 'm');
}

/* A size or precision: one digit times a power of ten centimetres. */
static bool precision_put(struct dns_rdata *r, uint8_t packed)
{
    uint64_t value = packed >> 4;

    if (value > 9 || (packed & 15) > 9)
        return dns_rdata_broken(r, "bad location");
    for (int i = packed & 15; i > 0; i--)
        value *= 10;
    text_put_char(r->out, ' ');
    metres_put(r->out, value);
    return true;
}

#define LOC_GROUND 10000000 /* centimetres from the lowest altitude to the reference (RFC 1876 2) */

bool dns_field_loc(struct dns_rdata *r)
{
    uint8_t version;
    struct span precision;
    uint32_t altitude;

    if (!cursor_u8(&r->in, &version) || !cursor_span(&r->in, 3, &precision))
        return dns_rdata_short(r);
    if (version != 0)
        return dns_rdata_broken(r, "unknown version of LOC");
    if (!angle_put(r, 90, 'N', 'S') || !angle_put(r, 180, 'E', 'W'))
        return false;
    if (!cursor_be32(&r->in, &altitude))
        return dns_rdata_short(r);
    if (altitude < LOC_GROUND)
        text_put_char(r->out, '-');
    metres_put(r->out, altitude < LOC_GROUND ? LOC_GROUND - altitude : altitude - LOC_GROUND);
    return precision_put(r, precision.ptr[0]) && precision_put(r, precision.ptr[1]) &&
           precision_put(r, precision.ptr[2]);
}

/* One address prefix: its octets without trailing zeros (RFC 3123 4). */
static bool prefix_put(struct dns_rdata *r)
{
    uint16_t family;
    uint8_t prefix, len, addr[16] = {0};
    struct span octets;
    size_t size;

    if (!cursor_be16(&r->in, &family) || !cursor_u8(&r->in, &prefix) || !cursor_u8(&r->in, &len))
        return dns_rdata_short(r);
    if (family != 1 && family != 2)
        return dns_rdata_broken(r, "unknown address family");
    size = family == 1 ? 4 : 16;
    if (prefix > size * 8 || (len & 0x7f) > size)
        return dns_rdata_broken(r, "bad address prefix");
    if (!cursor_span(&r->in, len & 0x7f, &octets))
        return dns_rdata_short(r);
    if (octets.len > 0 && octets.ptr[octets.len - 1] == 0)
        return dns_rdata_broken(r, "bad address prefix");
    if (octets.len > 0)
        memcpy(addr, octets.ptr, octets.len);
    if (len & 0x80)
        text_put_char(r->out, '!');
    text_put_u64(r->out, family);
    text_put_char(r->out, ':');
    text_put_addr(r->out, span_of(addr, size));
    text_put_char(r->out, '/');
    text_put_u64(r->out, prefix);
    return true;
}

/* Ends: each prefix takes four octets. */
bool dns_field_apl(struct dns_rdata *r)
{
    for (bool first = true; cursor_left(&r->in) > 0; first = false) {
        if (!first)
            text_put_char(r->out, ' ');
        if (!prefix_put(r))
            return false;
    }
    return true;
}

static bool gateway_put(struct dns_rdata *r, unsigned type)
{
    switch (type) {
    case 0:
        text_put_char(r->out, '.');
        return true;
    case 1:
        return dns_field_ip4(r);
    case 2:
        return dns_field_ip6(r);
    case 3:
        return dns_field_name_plain(r);
    default:
        return dns_rdata_broken(r, "unknown gateway type");
    }
}

/* Precedence, type, algorithm, gateway, key; algorithm 0 says that there is no key (RFC 4025 2.4), and any other
 * that there is one. */
bool dns_field_ipseckey(struct dns_rdata *r)
{
    struct span head;

    if (!cursor_span(&r->in, 3, &head))
        return dns_rdata_short(r);
    for (int i = 0; i < 3; i++) {
        text_put_u64(r->out, head.ptr[i]);
        text_put_char(r->out, ' ');
    }
    if (!gateway_put(r, head.ptr[1]))
        return false;
    if (head.ptr[2] == 0)
        return true; /* octets left over are for the caller to see */
    text_put_char(r->out, ' ');
    return dns_field_base64(r);
}

#define KEY_FLAGS_NO_KEY 0xc000 /* both of the bits: there is no key (RFC 2535 3.1.2) */

/* KEY: flags, protocol, algorithm, and a key unless the flags say that there is none. */
bool dns_field_key(struct dns_rdata *r)
{
    uint16_t flags;
    struct span head;

    if (!cursor_be16(&r->in, &flags) || !cursor_span(&r->in, 2, &head))
        return dns_rdata_short(r);
    text_put_u64(r->out, flags);
    for (int i = 0; i < 2; i++) {
        text_put_char(r->out, ' ');
        text_put_u64(r->out, head.ptr[i]);
    }
    if ((flags & KEY_FLAGS_NO_KEY) == KEY_FLAGS_NO_KEY)
        return true;
    text_put_char(r->out, ' ');
    return dns_field_base64(r);
}

/* How long the digests of a kind are: by the number of the kind, 0 where nobody knows. */
static bool digest_put(struct dns_rdata *r, const uint8_t *lens, size_t known)
{
    uint8_t kind;

    if (!cursor_u8(&r->in, &kind))
        return dns_rdata_short(r);
    if (kind < known && lens[kind] != 0 && cursor_left(&r->in) != lens[kind])
        return dns_rdata_broken(r, "digest of wrong length");
    text_put_u64(r->out, kind);
    text_put_char(r->out, ' ');
    return dns_field_hex(r);
}

/* DS and its kin: SHA-1 (RFC 4034 A.2), SHA-256 (RFC 4509 2.2), GOST R 34.11-94 (RFC 5933 2.2), SHA-384
 * (RFC 6605 2). Kind 0 is that of CDS `0 0 0 00` (RFC 8078 4). */
bool dns_field_digest(struct dns_rdata *r)
{
    static const uint8_t lens[] = {0, 20, 32, 32, 48};

    return digest_put(r, lens, sizeof(lens));
}

#define ZONEMD_DIGEST_MIN 12 /* octets (RFC 8976 2.2.4) */

/* ZONEMD: SHA-384 and SHA-512 (RFC 8976 2.2.3). */
bool dns_field_zone_digest(struct dns_rdata *r)
{
    static const uint8_t lens[] = {0, 48, 64};

    if (cursor_left(&r->in) < 1 + ZONEMD_DIGEST_MIN)
        return dns_rdata_short(r);
    return digest_put(r, lens, sizeof(lens));
}

/* AMTRELAY: precedence, discovery bit, type, relay. */
bool dns_field_relay(struct dns_rdata *r)
{
    struct span head;

    if (!cursor_span(&r->in, 2, &head))
        return dns_rdata_short(r);
    text_put_u64(r->out, head.ptr[0]);
    text_put_str(r->out, head.ptr[1] & 0x80 ? STR(" 1 ") : STR(" 0 "));
    text_put_u64(r->out, head.ptr[1] & 0x7f);
    text_put_char(r->out, ' ');
    return gateway_put(r, head.ptr[1] & 0x7f);
}

/* Ends: every server name takes an octet. */
bool dns_field_hip(struct dns_rdata *r)
{
    uint8_t hit_len, algorithm;
    uint16_t key_len;
    struct span hit, key;

    if (!cursor_u8(&r->in, &hit_len) || !cursor_u8(&r->in, &algorithm) ||
        !cursor_be16(&r->in, &key_len) || !cursor_span(&r->in, hit_len, &hit) ||
        !cursor_span(&r->in, key_len, &key) || hit_len == 0 || key_len == 0)
        return dns_rdata_short(r);
    text_put_u64(r->out, algorithm);
    text_put_char(r->out, ' ');
    text_put_HEX(r->out, hit);
    text_put_char(r->out, ' ');
    text_put_base64(r->out, key);
    while (cursor_left(&r->in) > 0) {
        text_put_char(r->out, ' ');
        if (!dns_field_name_plain(r))
            return false;
    }
    return true;
}

/* Numbers of the bits that are set, a blank before each. */
static void bits_put(struct text *t, struct span bits)
{
    for (size_t i = 0; i < bits.len; i++) {
        unsigned octet = bits.ptr[i];

        for (size_t number = i * 8; octet & 0xff; number++, octet <<= 1) {
            if (octet & 0x80) {
                text_put_char(t, ' ');
                text_put_u64(t, number);
            }
        }
    }
}

#define WKS_OCTETS_MAX 8192 /* 65536 ports */

/* Address, protocol, ports (RFC 1035 3.4.2), all in numbers. */
bool dns_field_wks(struct dns_rdata *r)
{
    struct span ports;

    if (!dns_field_ip4(r))
        return false;
    text_put_char(r->out, ' ');
    if (!dns_field_u8(r))
        return false;
    if (cursor_left(&r->in) > WKS_OCTETS_MAX)
        return dns_rdata_broken(r, "octets left over in rdata");
    cursor_span(&r->in, cursor_left(&r->in), &ports);
    if (dns_bits_count(ports) > DNS_MAP_SHOWN_MAX)
        return dns_rdata_too_long(r);
    bits_put(r->out, ports);
    return true;
}

#define NXT_OCTETS_MAX 16 /* types 0 to 127; bit 0 would announce another format */

bool dns_field_nxt(struct dns_rdata *r)
{
    struct span types;
    bool first = true;

    if (cursor_left(&r->in) == 0)
        return dns_rdata_short(r);
    if (cursor_left(&r->in) > NXT_OCTETS_MAX || r->in.pos[0] & 0x80 || r->in.end[-1] == 0)
        return dns_rdata_broken(r, "bad type bit map");
    cursor_span(&r->in, cursor_left(&r->in), &types);
    for (unsigned i = 0; i < types.len * 8; i++) {
        if (!(types.ptr[i / 8] & 0x80 >> i % 8))
            continue;
        if (!first)
            text_put_char(r->out, ' ');
        names_put(r->out, &names_rr_type, i);
        first = false;
    }
    return true;
}

bool dns_field_nsap(struct dns_rdata *r)
{
    text_put_lit(r->out, "0x");
    return dns_field_hex(r);
}

/* An ATM address (af-saa-0069): 0 is an end system address in hex, 1 an E.164 number. */
bool dns_field_atma(struct dns_rdata *r)
{
    uint8_t format;

    if (!cursor_u8(&r->in, &format) || cursor_left(&r->in) == 0)
        return dns_rdata_short(r);
    if (format == 0)
        return dns_field_hex(r);
    if (format != 1)
        return dns_rdata_broken(r, "unknown address format");
    text_put_char(r->out, '+');
    while (cursor_left(&r->in) > 0) {
        if (r->in.pos[0] < '0' || r->in.pos[0] > '9')
            return dns_rdata_broken(r, "unknown address format");
        text_put_char(r->out, (char)*r->in.pos++);
    }
    return true;
}

/* Prefix length, the address bits behind it, the name that has the bits before it. */
bool dns_field_a6(struct dns_rdata *r)
{
    uint8_t prefix, addr[16] = {0};
    struct span suffix;

    if (!cursor_u8(&r->in, &prefix))
        return dns_rdata_short(r);
    if (prefix > 128)
        return dns_rdata_broken(r, "bad address prefix");
    text_put_u64(r->out, prefix);
    if (!cursor_span(&r->in, 16u - prefix / 8, &suffix))
        return dns_rdata_short(r);
    if (prefix < 128) {
        memcpy(addr + prefix / 8, suffix.ptr, suffix.len);
        if (addr[prefix / 8] & ~(0xff >> prefix % 8) & 0xff)
            return dns_rdata_broken(r, "bad address prefix");
        text_put_char(r->out, ' ');
        text_put_ip6(r->out, addr);
    }
    if (prefix == 0)
        return true;
    text_put_char(r->out, ' ');
    return dns_field_name_plain(r);
}

static bool is_alphanumeric(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Flags and tag; the tag is letters and digits (RFC 8659 4.1). */
bool dns_field_caa(struct dns_rdata *r)
{
    uint8_t flags, len;
    struct span tag;

    if (!cursor_u8(&r->in, &flags) || !cursor_u8(&r->in, &len) || !cursor_span(&r->in, len, &tag) ||
        len == 0)
        return dns_rdata_short(r);
    for (size_t i = 0; i < tag.len; i++) {
        if (!is_alphanumeric(tag.ptr[i]))
            return dns_rdata_broken(r, "bad property tag");
    }
    text_put_u64(r->out, flags);
    text_put_char(r->out, ' ');
    text_put(r->out, (const char *)tag.ptr, tag.len);
    return true;
}

bool dns_field_cert_type(struct dns_rdata *r)
{
    uint16_t type;

    if (!cursor_be16(&r->in, &type))
        return dns_rdata_short(r);
    names_put(r->out, &names_cert_type, type);
    return true;
}

/* RFC 9859 2.2 has one scheme with a name. */
bool dns_field_dsync_scheme(struct dns_rdata *r)
{
    uint8_t scheme;

    if (!cursor_u8(&r->in, &scheme))
        return dns_rdata_short(r);
    if (scheme == 1)
        text_put_lit(r->out, "NOTIFY");
    else
        text_put_u64(r->out, scheme);
    return true;
}

/* DOA's data: base64, or "-" when there is none. */
bool dns_field_media(struct dns_rdata *r)
{
    if (cursor_left(&r->in) == 0)
        text_put_char(r->out, '-');
    return dns_field_base64_opt(r);
}

/* A 16-bit length in decimal, and that many octets in base64 when there are any. */
bool dns_field_sized64(struct dns_rdata *r)
{
    uint16_t len;
    struct span octets;

    if (!cursor_be16(&r->in, &len) || !cursor_span(&r->in, len, &octets))
        return dns_rdata_short(r);
    text_put_u64(r->out, len);
    if (len > 0) {
        text_put_char(r->out, ' ');
        text_put_base64(r->out, octets);
    }
    return true;
}

/* The error of TSIG and TKEY: an rcode, but 16 is BADSIG there (RFC 8945 3). */
bool dns_field_error(struct dns_rdata *r)
{
    uint16_t error;
    struct str name;

    if (!cursor_be16(&r->in, &error))
        return dns_rdata_short(r);
    name = error == 16 ? STR("BADSIG") : names_find(&names_rcode, error);
    if (name.len > 0)
        text_put_str(r->out, name);
    else
        text_put_u64(r->out, error);
    return true;
}
