/* dnstap_walk.c - a dnstap payload by its protobuf keys alone, as far as they go.
 *
 * For the frames that protobuf-c refuses, of which an analyst still wants what is readable, and for the glance. The
 * rules are the protobuf encoding guide's: of a field the last one counts, Messages and policies given several
 * times are merged, unknown fields are skipped, groups too. Field number 0 is unknown, as protobuf-c has it.
 *
 * Pure code: no allocation, no I/O.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "dnstap_internal.h"

/* Wire types (protobuf encoding guide). */
enum { VARINT = 0, FIXED64 = 1, BYTES = 2, GROUP = 3, GROUP_END = 4, FIXED32 = 5 };

#define KEY(field, wire) ((uint64_t)(field) << 3 | (wire))

#define VARINT_MAX 10 /* octets of a 64-bit number, seven bits each */
#define KEY_MAX    5  /* of a field number and wire type; protobuf-c takes no longer ones */

static const char bad_key[] = "a key that is none";
static const char too_long[] = "a field longer than what is left";
static const char other_wire[] = "a field of another wire type than the schema's";
static const char open_group[] = "a group without an end";
static const char no_tap_type[] = "Dnstap.type is missing";
static const char no_message_type[] = "Message.type is missing";

struct item {
    uint64_t key;      /* number and wire type of the field */
    uint64_t number;   /* of VARINT and FIXED32 */
    struct span bytes; /* of BYTES; the rest when it is cut */
};

struct walk {
    const uint8_t *start;
    struct dnstap *ret;
    bool has_type; /* Message.type was seen */
};

static void set_fault(struct walk *w, const char *reason, const uint8_t *at)
{
    if (w->ret->fault.reason)
        return;
    w->ret->fault = (struct dnstap_fault){reason, (size_t)(at - w->start)};
}

static bool take_varint(struct cursor *c, size_t octets_max, uint64_t *ret)
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

static bool take_fixed32(struct cursor *c, uint64_t *ret)
{
    struct span raw;

    if (!cursor_span(c, 4, &raw))
        return false;
    *ret = raw.ptr[0] | (uint64_t)raw.ptr[1] << 8 | (uint64_t)raw.ptr[2] << 16 |
           (uint64_t)raw.ptr[3] << 24;
    return true;
}

/* What is behind a key. NULL, or what is wrong with it: nothing behind it can be read then. */
static const char *take_value(struct cursor *c, struct item *ret)
{
    struct span skipped;
    uint64_t len;

    switch (ret->key & 7) {
    case VARINT:
        return take_varint(c, VARINT_MAX, &ret->number) ? NULL : too_long;
    case FIXED64:
        return cursor_span(c, 8, &skipped) ? NULL : too_long;
    case FIXED32:
        return take_fixed32(c, &ret->number) ? NULL : too_long;
    case BYTES:
        if (!take_varint(c, VARINT_MAX, &len))
            return too_long;
        if (len <= cursor_left(c))
            return cursor_span(c, (size_t)len, &ret->bytes) ? NULL : too_long;
        cursor_span(c, cursor_left(c), &ret->bytes);
        return too_long;
    default:
        return bad_key;
    }
}

/* Behind the key that opens a group. Ends: every turn takes an octet or more. */
static const char *skip_group(struct cursor *c)
{
    struct item item = {0};
    size_t depth = 1;

    while (depth > 0) {
        const char *fault;

        if (!take_varint(c, KEY_MAX, &item.key))
            return open_group;
        switch (item.key & 7) {
        case GROUP:
            depth++;
            break;
        case GROUP_END:
            depth--;
            break;
        default:
            fault = take_value(c, &item);
            if (fault)
                return fault;
            break;
        }
    }
    return NULL;
}

/* The next field, groups skipped. ret->key is 0 when its value cannot be used at all. False: nothing behind it can
 * be read; what is left of its octets is in ret->bytes. */
static bool take_item(struct walk *w, struct cursor *c, struct item *ret)
{
    const uint8_t *at = c->pos;
    const char *fault = bad_key;

    *ret = (struct item){0};
    if (take_varint(c, KEY_MAX, &ret->key))
        fault = (ret->key & 7) == GROUP ? skip_group(c) : take_value(c, ret);
    if (!fault)
        return true;
    set_fault(w, fault, at);
    if (!ret->bytes.ptr)
        ret->key = 0;
    return false;
}

/* A field that another wire type was used for is no field of the schema: it is left out, and told. */
static void set_unknown(struct walk *w, const struct item *item, unsigned last_field,
                        const uint8_t *at)
{
    uint64_t field = item->key >> 3;

    if (field >= 1 && field <= last_field)
        set_fault(w, other_wire, at);
}

static uint32_t has_u32(struct dnstap *ret, enum dnstap_has bit, const struct item *item)
{
    ret->has |= bit;
    return (uint32_t)item->number;
}

static void set_policy_field(struct walk *w, const struct item *item, const uint8_t *at)
{
    struct dnstap *ret = w->ret;

    switch (item->key) {
    case KEY(1, BYTES):
        ret->policy.type = item->bytes;
        break;
    case KEY(2, BYTES):
        ret->policy.rule = item->bytes;
        break;
    case KEY(3, VARINT):
        ret->policy.action = has_u32(ret, DNSTAP_HAS_POLICY_ACTION, item);
        break;
    case KEY(4, VARINT):
        ret->policy.match = has_u32(ret, DNSTAP_HAS_POLICY_MATCH, item);
        break;
    case KEY(5, BYTES):
        ret->policy.value = item->bytes;
        break;
    default:
        set_unknown(w, item, 5, at);
        break;
    }
}

/* Ends: every turn takes an octet or more. */
static void walk_policy(struct walk *w, struct span policy)
{
    struct cursor c = cursor_of(policy);
    struct item item;

    w->ret->has |= DNSTAP_HAS_POLICY;
    while (cursor_left(&c) > 0) {
        const uint8_t *at = c.pos;

        if (!take_item(w, &c, &item))
            return;
        set_policy_field(w, &item, at);
    }
}

static void set_time(struct dnstap *ret, const struct item *item)
{
    switch (item->key) {
    case KEY(8, VARINT):
        ret->has |= DNSTAP_HAS_QUERY_TIME_SEC;
        ret->query_time_sec = item->number;
        break;
    case KEY(9, FIXED32):
        ret->query_time_nsec = has_u32(ret, DNSTAP_HAS_QUERY_TIME_NSEC, item);
        break;
    case KEY(12, VARINT):
        ret->has |= DNSTAP_HAS_RESPONSE_TIME_SEC;
        ret->response_time_sec = item->number;
        break;
    default:
        ret->response_time_nsec = has_u32(ret, DNSTAP_HAS_RESPONSE_TIME_NSEC, item);
        break;
    }
}

/* Those that a cut one is of use, too. False: it is none of them. */
static bool set_message_part(struct walk *w, const struct item *item)
{
    switch (item->key) {
    case KEY(10, BYTES):
        w->ret->query_message = item->bytes;
        return true;
    case KEY(14, BYTES):
        w->ret->response_message = item->bytes;
        return true;
    case KEY(15, BYTES):
        walk_policy(w, item->bytes);
        return true;
    default:
        return false;
    }
}

static void set_message_field(struct walk *w, const struct item *item, const uint8_t *at)
{
    struct dnstap *ret = w->ret;

    switch (item->key) {
    case KEY(1, VARINT):
        ret->type = (uint32_t)item->number;
        w->has_type = true;
        break;
    case KEY(2, VARINT):
        ret->family = has_u32(ret, DNSTAP_HAS_FAMILY, item);
        break;
    case KEY(3, VARINT):
        ret->protocol = has_u32(ret, DNSTAP_HAS_PROTOCOL, item);
        break;
    case KEY(4, BYTES):
        ret->query_address = item->bytes;
        break;
    case KEY(5, BYTES):
        ret->response_address = item->bytes;
        break;
    case KEY(6, VARINT):
        ret->query_port = has_u32(ret, DNSTAP_HAS_QUERY_PORT, item);
        break;
    case KEY(7, VARINT):
        ret->response_port = has_u32(ret, DNSTAP_HAS_RESPONSE_PORT, item);
        break;
    case KEY(8, VARINT):
    case KEY(9, FIXED32):
    case KEY(12, VARINT):
    case KEY(13, FIXED32):
        set_time(ret, item);
        break;
    case KEY(11, BYTES):
        ret->query_zone = item->bytes;
        break;
    case KEY(16, VARINT):
        ret->http_protocol = has_u32(ret, DNSTAP_HAS_HTTP_PROTOCOL, item);
        break;
    default:
        if (!set_message_part(w, item))
            set_unknown(w, item, 16, at);
        break;
    }
}

/* Ends: every turn takes an octet or more. */
static void walk_message(struct walk *w, struct span message)
{
    struct cursor c = cursor_of(message);
    struct item item;

    while (cursor_left(&c) > 0) {
        const uint8_t *at = c.pos;

        if (!take_item(w, &c, &item)) {
            set_message_part(w, &item);
            break;
        }
        set_message_field(w, &item, at);
    }
    if (w->has_type)
        w->ret->has |= DNSTAP_HAS_MESSAGE;
    else
        set_fault(w, no_message_type, message.ptr);
}

static void set_tap_field(struct walk *w, const struct item *item, const uint8_t *at)
{
    struct dnstap *ret = w->ret;

    switch (item->key) {
    case KEY(1, BYTES):
        ret->identity = item->bytes;
        break;
    case KEY(2, BYTES):
        ret->version = item->bytes;
        break;
    case KEY(3, BYTES):
        ret->extra = item->bytes;
        break;
    case KEY(14, BYTES):
        walk_message(w, item->bytes);
        break;
    case KEY(15, VARINT):
        ret->tap_type = (uint32_t)item->number;
        break;
    default:
        if (item->key >> 3 <= 3 || item->key >> 3 >= 14)
            set_unknown(w, item, 15, at);
        break;
    }
}

/* Ends: every turn takes an octet or more; Messages and policies do not nest. */
void dnstap_walk(struct span frame, struct dnstap *ret)
{
    struct cursor c = cursor_of(frame);
    struct walk w = {.start = frame.ptr, .ret = ret};
    struct item item;
    bool has_tap_type = false;

    memset(ret, 0, sizeof(*ret));
    while (cursor_left(&c) > 0) {
        const uint8_t *at = c.pos;

        if (!take_item(&w, &c, &item)) {
            if (item.key == KEY(14, BYTES))
                walk_message(&w, item.bytes);
            return;
        }
        set_tap_field(&w, &item, at);
        has_tap_type = has_tap_type || item.key == KEY(15, VARINT);
    }
    if (!has_tap_type)
        set_fault(&w, no_tap_type, frame.ptr);
}
