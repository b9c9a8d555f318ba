/* dnstap_glance.c - a glance at a dnstap payload, by its protobuf keys alone: the type, identity, time and
 * transaction that imdnstap filters, samples and stamps with.
 *
 * Pure code: no allocation, no I/O.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "dnstap_internal.h"

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

static uint64_t transaction(const struct dnstap *tap)
{
    uint64_t hash = mix(0, (uint64_t)tap->query_port << 32 | tap->response_port);
    struct span message = tap->response_message.ptr ? tap->response_message : tap->query_message;
    struct span asked;

    hash = mix_bytes(hash, tap->query_address);
    hash = mix_bytes(hash, tap->response_address);
    if (message.len >= 2)
        hash = mix(hash, (uint64_t)(message.ptr[0] << 8 | message.ptr[1]));
    asked = question(message);
    if (asked.len)
        hash = mix_bytes(hash, asked);
    return hash;
}

bool dnstap_glance(struct span frame, bool with_transaction, struct dnstap_glance *ret)
{
    struct dnstap tap;

    if (frame.len == 0)
        return false;
    if (!dnstap_decode_plain(frame, &tap)) {
        dnstap_walk(frame, &tap);
        if (tap.fault.reason)
            return false;
    }
    *ret = (struct dnstap_glance){.type = tap.type, .identity = tap.identity};
    if (tap.has & DNSTAP_HAS_RESPONSE_TIME_SEC &&
        (dnstap_is_response(tap.type) || !(tap.has & DNSTAP_HAS_QUERY_TIME_SEC))) {
        ret->time_sec = tap.response_time_sec;
        ret->time_nsec = tap.response_time_nsec;
    } else if (tap.has & DNSTAP_HAS_QUERY_TIME_SEC) {
        ret->time_sec = tap.query_time_sec;
        ret->time_nsec = tap.query_time_nsec;
    }
    if (with_transaction && tap.has & DNSTAP_HAS_MESSAGE)
        ret->transaction = transaction(&tap);
    return true;
}
