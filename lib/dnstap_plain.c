/* dnstap_plain.c - a dnstap payload as servers write it, without protobuf-c.
 *
 * protobuf-c takes half of the time that a frame costs, most of it in generality that frames of
 * real servers do not need. Whatever is unusual here (an unknown field, a field given
 * twice, a long key, a policy, no Message) is left to protobuf-c: what this file accepts, it must
 * decode as protobuf-c does, and tests/unit/test_dnstap_plain.c compares the two.
 *
 * Pure code: no allocation, no I/O.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "dnstap_internal.h"

/* Wire types (protobuf encoding guide). */
enum { VARINT = 0, BYTES = 2, FIXED32 = 5 };

#define KEY(field, wire) ((field) << 3 | (wire))

#define VARINT32_MAX 5  /* octets of a 32-bit number, seven bits each */
#define VARINT64_MAX 10 /* octets of a 64-bit number */

/* False when it does not end within `max` octets. */
static inline bool take_varint(struct cursor *c, unsigned max, uint64_t *ret)
{
    size_t left = cursor_left(c);
    const uint8_t *p = c->pos;
    uint64_t value;
    unsigned i = 0;

    if (left == 0)
        return false;
    if (p[0] < 0x80) {
        *ret = p[0];
        c->pos++;
        return true;
    }
    if (left < max)
        max = (unsigned)left;
    for (value = 0; i < max; i++) {
        value |= (uint64_t)(p[i] & 0x7f) << (7 * i);
        if (p[i] < 0x80) {
            *ret = value;
            c->pos += i + 1;
            return true;
        }
    }
    return false;
}

static inline bool take_u32(struct cursor *c, uint32_t *ret)
{
    uint64_t value;

    if (!take_varint(c, VARINT32_MAX, &value))
        return false;
    *ret = (uint32_t)value;
    return true;
}

static inline bool take_fixed32(struct cursor *c, uint32_t *ret)
{
    struct span raw;

    if (!cursor_span(c, 4, &raw))
        return false;
    *ret = raw.ptr[0] | (uint32_t)raw.ptr[1] << 8 | (uint32_t)raw.ptr[2] << 16 |
           (uint32_t)raw.ptr[3] << 24;
    return true;
}

static inline bool take_bytes(struct cursor *c, struct span *ret)
{
    uint64_t len;

    return take_varint(c, VARINT32_MAX, &len) && len <= cursor_left(c) &&
           cursor_span(c, (size_t)len, ret);
}

/* One field of Message behind its key. */
static inline bool take_message_field(struct cursor *c, unsigned key, struct dnstap *ret)
{
    switch (key) {
    case KEY(1, VARINT):
        return take_u32(c, &ret->type);
    case KEY(2, VARINT):
        ret->has |= DNSTAP_HAS_FAMILY;
        return take_u32(c, &ret->family);
    case KEY(3, VARINT):
        ret->has |= DNSTAP_HAS_PROTOCOL;
        return take_u32(c, &ret->protocol);
    case KEY(4, BYTES):
        return take_bytes(c, &ret->query_address);
    case KEY(5, BYTES):
        return take_bytes(c, &ret->response_address);
    case KEY(6, VARINT):
        ret->has |= DNSTAP_HAS_QUERY_PORT;
        return take_u32(c, &ret->query_port);
    case KEY(7, VARINT):
        ret->has |= DNSTAP_HAS_RESPONSE_PORT;
        return take_u32(c, &ret->response_port);
    case KEY(8, VARINT):
        ret->has |= DNSTAP_HAS_QUERY_TIME_SEC;
        return take_varint(c, VARINT64_MAX, &ret->query_time_sec);
    case KEY(9, FIXED32):
        ret->has |= DNSTAP_HAS_QUERY_TIME_NSEC;
        return take_fixed32(c, &ret->query_time_nsec);
    case KEY(10, BYTES):
        return take_bytes(c, &ret->query_message);
    case KEY(11, BYTES):
        return take_bytes(c, &ret->query_zone);
    case KEY(12, VARINT):
        ret->has |= DNSTAP_HAS_RESPONSE_TIME_SEC;
        return take_varint(c, VARINT64_MAX, &ret->response_time_sec);
    case KEY(13, FIXED32):
        ret->has |= DNSTAP_HAS_RESPONSE_TIME_NSEC;
        return take_fixed32(c, &ret->response_time_nsec);
    case KEY(14, BYTES):
        return take_bytes(c, &ret->response_message);
    default:
        return false;
    }
}

/* Each field at most once. Ends: every turn takes an octet or more. */
static bool take_message(struct span message, struct dnstap *ret)
{
    struct cursor c = cursor_of(message);
    uint32_t seen = 0;

    while (cursor_left(&c) > 0) {
        unsigned key = *c.pos++;
        uint32_t bit = UINT32_C(1) << (key >> 3 & 31);

        if (seen & bit || !take_message_field(&c, key, ret))
            return false;
        seen |= bit;
    }
    ret->has |= DNSTAP_HAS_MESSAGE;
    return seen >> 1 & 1; /* the type is required */
}

/* One field of Dnstap behind its key. */
static inline bool take_tap_field(struct cursor *c, unsigned key, struct dnstap *ret)
{
    struct span message;

    switch (key) {
    case KEY(1, BYTES):
        return take_bytes(c, &ret->identity);
    case KEY(2, BYTES):
        return take_bytes(c, &ret->version);
    case KEY(3, BYTES):
        return take_bytes(c, &ret->extra);
    case KEY(14, BYTES):
        return take_bytes(c, &message) && take_message(message, ret);
    case KEY(15, VARINT):
        return take_u32(c, &ret->tap_type);
    default:
        return false;
    }
}

bool dnstap_decode_plain(struct span frame, struct dnstap *ret)
{
    const uint32_t required = UINT32_C(1) << 14 | UINT32_C(1) << 15;
    struct cursor c = cursor_of(frame);
    uint32_t seen = 0;

    memset(ret, 0, sizeof(*ret));
    /* Ends: every turn takes an octet or more. */
    while (cursor_left(&c) > 0) {
        unsigned key = *c.pos++;
        uint32_t bit = UINT32_C(1) << (key >> 3 & 31);

        if (seen & bit || !take_tap_field(&c, key, ret))
            return false;
        seen |= bit;
    }
    return (seen & required) == required;
}
