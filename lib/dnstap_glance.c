/* dnstap_glance.c - a glance at a dnstap payload, by its protobuf keys alone.
 *
 * Reads what dnstap_decode would of the fields that imdnstap filters, samples and stamps with:
 * the last one of a field counts, and Message fields given several times are merged. Frames as servers write
 * them take the short way of dnstap_plain.c.
 *
 * Pure code: no allocation, no I/O.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "dnstap_internal.h"

/* Wire types (protobuf encoding guide). */
enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

#define VARINT_MAX 10 /* octets of a 64-bit number, seven bits each */
#define KEY_MAX    5  /* of a field number and wire type; protobuf-c takes no longer ones */

/* Field numbers of dnstap.proto. */
enum { TAP_IDENTITY = 1, TAP_VERSION = 2, TAP_EXTRA = 3, TAP_MESSAGE = 14, TAP_TYPE = 15 };
enum {
    MSG_TYPE = 1,
    MSG_FAMILY = 2,
    MSG_PROTOCOL = 3,
    MSG_QUERY_ADDRESS = 4,
    MSG_RESPONSE_ADDRESS = 5,
    MSG_QUERY_PORT = 6,
    MSG_RESPONSE_PORT = 7,
    MSG_QUERY_SEC = 8,
    MSG_QUERY_NSEC = 9,
    MSG_QUERY_MESSAGE = 10,
    MSG_QUERY_ZONE = 11,
    MSG_RESPONSE_SEC = 12,
    MSG_RESPONSE_NSEC = 13,
    MSG_RESPONSE_MESSAGE = 14,
    MSG_POLICY = 15,
    MSG_HTTP_PROTOCOL = 16,
    MSG_FIELDS
};

/* The wire type that each field must have. */
static const uint8_t message_wire[MSG_FIELDS] = {
    [MSG_TYPE] = WIRE_VARINT,
    [MSG_FAMILY] = WIRE_VARINT,
    [MSG_PROTOCOL] = WIRE_VARINT,
    [MSG_QUERY_ADDRESS] = WIRE_BYTES,
    [MSG_RESPONSE_ADDRESS] = WIRE_BYTES,
    [MSG_QUERY_PORT] = WIRE_VARINT,
    [MSG_RESPONSE_PORT] = WIRE_VARINT,
    [MSG_QUERY_SEC] = WIRE_VARINT,
    [MSG_QUERY_NSEC] = WIRE_FIXED32,
    [MSG_QUERY_MESSAGE] = WIRE_BYTES,
    [MSG_QUERY_ZONE] = WIRE_BYTES,
    [MSG_RESPONSE_SEC] = WIRE_VARINT,
    [MSG_RESPONSE_NSEC] = WIRE_FIXED32,
    [MSG_RESPONSE_MESSAGE] = WIRE_BYTES,
    [MSG_POLICY] = WIRE_BYTES,
    [MSG_HTTP_PROTOCOL] = WIRE_VARINT,
};

struct item {
    uint32_t field;
    uint8_t wire;
    uint64_t number;   /* of VARINT and FIXED32 */
    struct span bytes; /* of BYTES */
};

struct glance {
    bool has_tap_type, has_message;
    unsigned seen; /* Message fields, by bit */
    uint64_t number[MSG_FIELDS];
    struct span bytes[MSG_FIELDS];
    struct span identity;
};

static bool take_varint_of(struct cursor *c, size_t octets_max, uint64_t *ret)
{
    size_t left = cursor_left(c);
    size_t max = left < octets_max ? left : octets_max;
    uint64_t value = 0;

    for (size_t i = 0; i < max; i++) {
        value |= (uint64_t)(c->pos[i] & 0x7f) << (7 * i);
        if (c->pos[i] < 0x80) {
            c->pos += i + 1;
            *ret = value;
            return true;
        }
    }
    return false;
}

static bool take_varint(struct cursor *c, uint64_t *ret)
{
    return take_varint_of(c, VARINT_MAX, ret);
}

/* The next field. False at what is none. */
static bool take_item(struct cursor *c, struct item *ret)
{
    struct span raw;
    uint64_t key, len;

    if (!take_varint_of(c, KEY_MAX, &key))
        return false;
    ret->field = (uint32_t)(key >> 3);
    ret->wire = key & 7;
    switch (ret->wire) {
    case WIRE_VARINT:
        return take_varint(c, &ret->number);
    case WIRE_BYTES:
        return take_varint(c, &len) && len <= cursor_left(c) &&
               cursor_span(c, (size_t)len, &ret->bytes);
    case WIRE_FIXED32:
        if (!cursor_span(c, 4, &raw))
            return false;
        ret->number = raw.ptr[0] | (uint64_t)raw.ptr[1] << 8 | (uint64_t)raw.ptr[2] << 16 |
                      (uint64_t)raw.ptr[3] << 24;
        return true;
    case WIRE_FIXED64:
        return cursor_span(c, 8, &raw);
    default: /* groups are deprecated, and none of this schema's */
        return false;
    }
}

/* Ends: every turn takes an octet or more. */
static bool walk_message(struct glance *g, struct span message)
{
    struct cursor c = cursor_of(message);
    struct item item = {0};
    bool has_type = false;

    while (cursor_left(&c) > 0) {
        if (!take_item(&c, &item))
            return false;
        if (item.field == 0 || item.field >= MSG_FIELDS) /* protobuf-c takes 0 as unknown */
            continue;
        if (item.wire != message_wire[item.field])
            return false;
        g->seen |= 1u << item.field;
        if (item.wire == WIRE_BYTES)
            g->bytes[item.field] = item.bytes;
        else
            g->number[item.field] = item.number;
        has_type = has_type || item.field == MSG_TYPE;
    }
    g->has_message = true;
    return has_type;
}

/* Ends: every turn takes an octet or more, and messages do not nest. */
static bool walk_tap(struct glance *g, struct span frame)
{
    struct cursor c = cursor_of(frame);
    struct item item = {0};

    while (cursor_left(&c) > 0) {
        if (!take_item(&c, &item))
            return false;
        switch (item.field) {
        case TAP_IDENTITY:
            g->identity = item.bytes;
            /* fall through */
        case TAP_VERSION:
        case TAP_EXTRA:
            if (item.wire != WIRE_BYTES)
                return false;
            break;
        case TAP_MESSAGE:
            if (item.wire != WIRE_BYTES || !walk_message(g, item.bytes))
                return false;
            break;
        case TAP_TYPE:
            if (item.wire != WIRE_VARINT)
                return false;
            g->has_tap_type = true;
            break;
        default:
            break;
        }
    }
    return g->has_tap_type;
}

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9e3779b97f4a7c15u; /* 2^64 over the golden ratio */
    return hash ^ hash >> 29;
}

/* Case does not count: resolvers play with it, and some servers answer in lower case. */
static uint64_t mix_bytes(uint64_t hash, struct span bytes)
{
    const uint64_t lower = 0x2020202020202020u;
    size_t i = 0;
    uint64_t word;

    for (; bytes.len - i >= 8; i += 8) {
        memcpy(&word, bytes.ptr + i, 8);
        hash = mix(hash, word | lower);
    }
    word = 0;
    if (bytes.len > i)
        memcpy(&word, bytes.ptr + i, bytes.len - i);
    return mix(mix(hash, word | lower), bytes.len);
}

/* The first question, from its name to its class; empty when there is none. */
static struct span question(struct span message)
{
    size_t at = 12; /* RFC 1035 4.1.1 */

    if (message.len < 12 || (message.ptr[4] == 0 && message.ptr[5] == 0))
        return span_of(NULL, 0);
    /* Ends: every label moves on; a pointer, reserved label or the root ends the name. */
    while (at < message.len && message.ptr[at] != 0 && message.ptr[at] < 64)
        at += (size_t)1 + message.ptr[at];
    if (at >= message.len || message.ptr[at] != 0 || message.len - at < 5)
        return span_of(NULL, 0);
    return span_of(message.ptr + 12, at + 5 - 12);
}

/* What both ways give. */
struct found {
    struct span query_address, response_address, message;
    uint64_t query_port, response_port, query_sec, response_sec;
    uint32_t query_nsec, response_nsec;
    bool has_query_sec, has_response_sec;
};

static struct found found_plain(const struct dnstap *tap)
{
    bool response = tap->response_message.ptr != NULL;

    return (struct found){
        .query_address = tap->query_address,
        .response_address = tap->response_address,
        .message = response ? tap->response_message : tap->query_message,
        .query_port = tap->query_port,
        .response_port = tap->response_port,
        .query_sec = tap->query_time_sec,
        .response_sec = tap->response_time_sec,
        .query_nsec = tap->query_time_nsec,
        .response_nsec = tap->response_time_nsec,
        .has_query_sec = tap->has & DNSTAP_HAS_QUERY_TIME_SEC,
        .has_response_sec = tap->has & DNSTAP_HAS_RESPONSE_TIME_SEC,
    };
}

static struct found found_walking(const struct glance *g)
{
    bool response = g->seen >> MSG_RESPONSE_MESSAGE & 1;

    return (struct found){
        .query_address = g->bytes[MSG_QUERY_ADDRESS],
        .response_address = g->bytes[MSG_RESPONSE_ADDRESS],
        .message = g->bytes[response ? MSG_RESPONSE_MESSAGE : MSG_QUERY_MESSAGE],
        .query_port = g->number[MSG_QUERY_PORT],
        .response_port = g->number[MSG_RESPONSE_PORT],
        .query_sec = g->number[MSG_QUERY_SEC],
        .response_sec = g->number[MSG_RESPONSE_SEC],
        .query_nsec = (uint32_t)g->number[MSG_QUERY_NSEC],
        .response_nsec = (uint32_t)g->number[MSG_RESPONSE_NSEC],
        .has_query_sec = g->seen >> MSG_QUERY_SEC & 1,
        .has_response_sec = g->seen >> MSG_RESPONSE_SEC & 1,
    };
}

static uint64_t transaction(const struct found *f)
{
    uint64_t hash = mix(0, (f->query_port & UINT32_MAX) << 32 | (f->response_port & UINT32_MAX));
    struct span message = f->message, asked;

    hash = mix_bytes(hash, f->query_address);
    hash = mix_bytes(hash, f->response_address);
    if (message.len >= 2)
        hash = mix(hash, (uint64_t)(message.ptr[0] << 8 | message.ptr[1]));
    asked = question(message);
    if (asked.len)
        hash = mix_bytes(hash, asked);
    return hash;
}

static void fill(struct dnstap_glance *ret, uint32_t type, const struct found *f,
                 bool with_transaction)
{
    ret->type = type;
    if (f->has_response_sec && (dnstap_is_response(type) || !f->has_query_sec)) {
        ret->time_sec = f->response_sec;
        ret->time_nsec = f->response_nsec;
    } else if (f->has_query_sec) {
        ret->time_sec = f->query_sec;
        ret->time_nsec = f->query_nsec;
    }
    if (with_transaction)
        ret->transaction = transaction(f);
}

bool dnstap_glance(struct span frame, bool with_transaction, struct dnstap_glance *ret)
{
    struct dnstap tap;
    struct glance g;
    struct found found;

    if (frame.len == 0)
        return false;
    if (dnstap_decode_plain(frame, &tap)) {
        *ret = (struct dnstap_glance){.identity = tap.identity};
        found = found_plain(&tap);
        fill(ret, tap.type, &found, with_transaction);
        return true;
    }
    memset(&g, 0, sizeof(g));
    if (!walk_tap(&g, frame))
        return false;
    *ret = (struct dnstap_glance){.identity = g.identity};
    if (!g.has_message)
        return true;
    found = found_walking(&g);
    fill(ret, (uint32_t)g.number[MSG_TYPE], &found, with_transaction);
    return true;
}
