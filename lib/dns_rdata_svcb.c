/* dns_rdata_svcb.c - the service parameters of SVCB and HTTPS (RFC 9460 2.1, 2.2, 7 and appendix A).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "dns_internal.h"

enum svcb_key {
    SVCB_MANDATORY,
    SVCB_ALPN,
    SVCB_NO_DEFAULT_ALPN,
    SVCB_PORT,
    SVCB_IPV4HINT,
    SVCB_ECH,
    SVCB_IPV6HINT,
    SVCB_DOHPATH,
    SVCB_OHTTP,            /* RFC 9540 4 */
    SVCB_SUPPORTED_GROUPS, /* tls-supported-groups */
    SVCB_DOCPATH,          /* RFC 9953 3 */
    SVCB_PVD,              /* draft-ietf-intarea-proxy-config 2.1 */
    SVCB_OOTS,             /* draft-johani-dnsop-svcb-oots 2.1 */
};

static bool bad_value(struct dns_rdata *r)
{
    return dns_rdata_broken(r, "bad service parameter");
}

/* A list of 16-bit numbers, as keys' names or in decimal. */
static bool numbers_put(struct dns_rdata *r, struct cursor value, bool keys)
{
    int last = 0; /* mandatory: 0 itself is not allowed, and keys ascend (RFC 9460 8) */
    uint16_t number;

    if (cursor_left(&value) == 0 || cursor_left(&value) % 2 != 0)
        return bad_value(r);
    for (bool first = true; cursor_be16(&value, &number); first = false) {
        if (!first)
            text_put_char(r->out, ',');
        if (!keys) {
            text_put_u64(r->out, number);
            continue;
        }
        if (number <= last)
            return bad_value(r);
        last = number;
        names_put(r->out, &names_svcb_key, number);
    }
    return true;
}

/* One item of a comma-separated list (appendix A.1): comma and backslash escaped for the list, and
 * those backslashes once more for the string. */
static void item_put(struct text *t, struct span item)
{
    size_t plain = 0;

    for (size_t i = 0; i < item.len; i++) {
        if (item.ptr[i] != ',' && item.ptr[i] != '\\')
            continue;
        dns_string_put(t, span_of(item.ptr + plain, i - plain));
        text_put_lit(t, "\\\\");
        plain = i;
    }
    dns_string_put(t, span_of(item.ptr + plain, item.len - plain));
}

/* Strings of one octet at least with their length: alpn needs one, docpath may have none (the root path). */
static bool list_put(struct dns_rdata *r, struct cursor value, bool alpn)
{
    uint8_t len;

    if (alpn && cursor_left(&value) == 0)
        return bad_value(r);
    text_put_char(r->out, '"');
    for (bool first = true; cursor_u8(&value, &len); first = false) {
        struct span item;

        if (len == 0 || !cursor_span(&value, len, &item))
            return bad_value(r);
        if (!first)
            text_put_char(r->out, ',');
        item_put(r->out, item);
    }
    text_put_char(r->out, '"');
    return true;
}

static bool addresses_put(struct dns_rdata *r, struct cursor value, size_t size)
{
    struct span addr;

    if (cursor_left(&value) == 0 || cursor_left(&value) % size != 0)
        return bad_value(r);
    for (bool first = true; cursor_span(&value, size, &addr); first = false) {
        if (!first)
            text_put_char(r->out, ',');
        text_put_addr(r->out, addr);
    }
    return true;
}

#define SHARE_MAX 100 /* percent */

static bool is_word(struct span octets)
{
    for (size_t i = 0; i < octets.len; i++) {
        unsigned c = octets.ptr[i];

        if (c != '-' && !(c >= '0' && c <= '9') && !(c >= 'A' && c <= 'Z') &&
            !(c >= 'a' && c <= 'z'))
            return false;
    }
    return octets.len > 0;
}

/* Transports and the share of the load that they take: "do53:100,dot:20". */
static bool shares_put(struct dns_rdata *r, struct cursor value)
{
    uint8_t len, share;

    if (cursor_left(&value) == 0)
        return bad_value(r);
    text_put_char(r->out, '"');
    for (bool first = true; cursor_u8(&value, &len); first = false) {
        struct span transport;

        if (!cursor_span(&value, len, &transport) || !cursor_u8(&value, &share) ||
            share > SHARE_MAX || !is_word(transport))
            return bad_value(r);
        if (!first)
            text_put_char(r->out, ',');
        text_put(r->out, (const char *)transport.ptr, transport.len);
        text_put_char(r->out, ':');
        text_put_u64(r->out, share);
    }
    text_put_char(r->out, '"');
    return true;
}

static bool value_put(struct dns_rdata *r, uint16_t key, struct span value)
{
    struct cursor c = cursor_of(value);

    switch (key) {
    case SVCB_MANDATORY:
        return numbers_put(r, c, true);
    case SVCB_ALPN:
        return list_put(r, c, true);
    case SVCB_DOCPATH:
        return list_put(r, c, false);
    case SVCB_OOTS:
        return shares_put(r, c);
    case SVCB_PORT:
        return value.len == 2 ? numbers_put(r, c, false) : bad_value(r);
    case SVCB_SUPPORTED_GROUPS:
        return numbers_put(r, c, false);
    case SVCB_IPV4HINT:
        return addresses_put(r, c, 4);
    case SVCB_IPV6HINT:
        return addresses_put(r, c, 16);
    case SVCB_ECH:
        if (value.len == 0)
            return bad_value(r);
        text_put_base64(r->out, value);
        return true;
    default:
        text_put_char(r->out, '"');
        dns_string_put(r->out, value);
        text_put_char(r->out, '"');
        return true;
    }
}

/* Every key that mandatory lists is there (RFC 9460 8). Both ascend, so one pass will do; the
 * parameters were read before. */
static bool mandatory_there(struct cursor params, struct cursor mandatory)
{
    uint16_t want, key = 0, len;
    struct span value;

    while (cursor_be16(&mandatory, &want)) {
        while (key < want) {
            if (!cursor_be16(&params, &key) || !cursor_be16(&params, &len) ||
                !cursor_span(&params, len, &value))
                return false;
        }
        if (key != want)
            return false;
    }
    return true;
}

/* key=value ..., keys strictly ascending (RFC 9460 2.2), so that alpn was there before the key that needs it
 * (7.1.1). Ends: each turn takes four octets. */
bool dns_field_svcb_params(struct dns_rdata *r)
{
    const struct cursor params = r->in;
    struct cursor mandatory = cursor_of(span_of(NULL, 0));
    bool alpn = false;
    int last = -1;

    for (bool first = true; cursor_left(&r->in) > 0; first = false) {
        uint16_t key, len;
        struct span value;

        if (!cursor_be16(&r->in, &key) || !cursor_be16(&r->in, &len) ||
            !cursor_span(&r->in, len, &value))
            return dns_rdata_broken(r, "rdata too short");
        if (key <= last)
            return dns_rdata_broken(r, "service parameters not in order");
        last = key;
        alpn = alpn || key == SVCB_ALPN;
        if (key == SVCB_NO_DEFAULT_ALPN && !alpn)
            return dns_rdata_broken(r, "no-default-alpn without alpn");
        if (!first)
            text_put_char(r->out, ' ');
        names_put(r->out, &names_svcb_key, key);
        if (key == SVCB_NO_DEFAULT_ALPN || key == SVCB_OHTTP || key == SVCB_PVD) {
            if (len > 0)
                return bad_value(r);
            continue;
        }
        if (len == 0 && key > SVCB_OOTS)
            continue;
        text_put_char(r->out, '=');
        if (!value_put(r, key, value))
            return false;
        if (key == SVCB_MANDATORY)
            mandatory = cursor_of(value);
    }
    return mandatory_there(params, mandatory) ||
           dns_rdata_broken(r, "mandatory service parameter missing");
}
