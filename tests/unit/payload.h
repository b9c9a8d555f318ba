/* payload.h - dnstap payloads for tests, written after the protobuf encoding guide.
 *
 * Key = field << 3 | wire type (0 varint, 2 length-delimited, 5 32-bit).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef PAYLOAD_H
#define PAYLOAD_H

#include "span.h"

#include <stdlib.h>

/* Field numbers of dnstap.proto, Message. */
enum {
    M_TYPE = 1,
    M_FAMILY,
    M_PROTOCOL,
    M_QUERY_ADDRESS,
    M_RESPONSE_ADDRESS,
    M_QUERY_PORT,
    M_RESPONSE_PORT,
    M_QUERY_SEC,
    M_QUERY_NSEC,
    M_QUERY_MESSAGE,
    M_QUERY_ZONE,
    M_RESPONSE_SEC,
    M_RESPONSE_NSEC,
    M_RESPONSE_MESSAGE,
    M_POLICY,
    M_HTTP_PROTOCOL
};

struct payload {
    uint8_t octets[4096];
    size_t len;
};

static inline void payload_varint(struct payload *p, uint64_t value)
{
    if (p->len + 10 > sizeof(p->octets))
        abort();
    for (; value >= 0x80; value >>= 7)
        p->octets[p->len++] = (uint8_t)(value | 0x80);
    p->octets[p->len++] = (uint8_t)value;
}

static inline void payload_number(struct payload *p, unsigned field, uint64_t value)
{
    payload_varint(p, field << 3);
    payload_varint(p, value);
}

static inline void payload_fixed32(struct payload *p, unsigned field, uint32_t value)
{
    payload_varint(p, field << 3 | 5);
    for (int i = 0; i < 4; i++, value >>= 8)
        p->octets[p->len++] = (uint8_t)value;
}

static inline void payload_bytes(struct payload *p, unsigned field, const void *octets, size_t len)
{
    payload_varint(p, field << 3 | 2);
    payload_varint(p, len);
    if (len > sizeof(p->octets) - p->len)
        abort();
    if (len)
        memcpy(p->octets + p->len, octets, len);
    p->len += len;
}

#define payload_literal(p, field, literal) payload_bytes((p), (field), literal, sizeof(literal) - 1)

/* The Dnstap around a Message. */
static inline struct payload payload_of(const struct payload *message)
{
    struct payload tap = {.len = 0};

    payload_bytes(&tap, 14, message->octets, message->len);
    payload_number(&tap, 15, 1);
    return tap;
}

#endif
