/* dnstap.h - a dnstap payload as a struct of borrowed ranges.
 *
 * The schema is dnstap.proto (dnstap.pb of 2025-02-01), decoded by protobuf-c with an arena; frames as
 * servers usually write them take a short way with the same result.
 *
 * Pure code: one dnstap_arena belongs to one thread; no I/O.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef DNSTAP_H
#define DNSTAP_H

#include "span.h"

/* Field present? One bit per optional scalar; ranges are present when ptr != NULL. */
enum dnstap_has {
    DNSTAP_HAS_FAMILY = 1 << 0,
    DNSTAP_HAS_PROTOCOL = 1 << 1,
    DNSTAP_HAS_QUERY_PORT = 1 << 2,
    DNSTAP_HAS_RESPONSE_PORT = 1 << 3,
    DNSTAP_HAS_QUERY_TIME_SEC = 1 << 4,
    DNSTAP_HAS_QUERY_TIME_NSEC = 1 << 5,
    DNSTAP_HAS_RESPONSE_TIME_SEC = 1 << 6,
    DNSTAP_HAS_RESPONSE_TIME_NSEC = 1 << 7,
    DNSTAP_HAS_HTTP_PROTOCOL = 1 << 8,
    DNSTAP_HAS_POLICY = 1 << 9,
    DNSTAP_HAS_POLICY_ACTION = 1 << 10,
    DNSTAP_HAS_POLICY_MATCH = 1 << 11,
    DNSTAP_HAS_MESSAGE = 1 << 12 /* with its type, which is required */
};

/* Why a payload is damaged. */
struct dnstap_fault {
    const char *reason; /* static; NULL: it is not */
    size_t offset;      /* of the key of the field in question, from the payload's start */
};

#define DNSTAP_TYPE_MESSAGE 1 /* Dnstap.Type */

struct dnstap {
    unsigned has; /* enum dnstap_has */
    struct span identity, version, extra;
    uint32_t tap_type; /* Dnstap.Type, 0 when it is missing */
    uint32_t type;     /* Message.Type, 0 when there is no Message */
    uint32_t family, protocol, http_protocol;
    struct span query_address, response_address;
    uint32_t query_port, response_port;
    uint64_t query_time_sec, response_time_sec;
    uint32_t query_time_nsec, response_time_nsec;
    struct span query_message, response_message;
    struct span query_zone; /* wire-format name */
    struct {
        struct span type;  /* text */
        struct span rule;  /* wire-format name, usually */
        struct span value; /* format depends on match */
        uint32_t action, match;
    } policy;
    struct dnstap_fault fault; /* with DNSTAP_DAMAGED, the first one */
};

enum dnstap_status {
    DNSTAP_OK,
    DNSTAP_EMPTY,      /* no octets */
    DNSTAP_BAD_PROTO,  /* not one field of this schema is in it */
    DNSTAP_NO_MESSAGE, /* decoded, but no Message in it: identity and version are set */
    DNSTAP_DAMAGED,    /* no protobuf of this schema, but some fields could be read, and are set */
    DNSTAP_NO_MEMORY
};

struct dnstap_arena;
struct dnstap_arena *dnstap_arena_create(void); /* NULL: no memory */
void dnstap_arena_destroy(struct dnstap_arena **arena);

/* Decodes one payload. *ret borrows from frame and arena until the next call or destroy.
 * Unless DNSTAP_OK, DNSTAP_NO_MESSAGE or DNSTAP_DAMAGED, *ret is zeroed. What protobuf-c refuses is walked field by
 * field: a field that cannot be used is left out, of a DNS message that is cut the rest is taken.
 * Cost and memory are linear in frame.len: the arena grows to at most 32 octets per octet of input. */
enum dnstap_status dnstap_decode(struct dnstap_arena *arena, struct span frame, struct dnstap *ret);
const char *dnstap_status_text(enum dnstap_status status);

/* Even types are responses, odd ones queries (dnstap.proto). */
static inline bool dnstap_is_response(uint32_t type)
{
    return type % 2 == 0;
}

/* A glance at a payload, without decoding it: what imdnstap filters, samples and stamps with.
 * Walks the protobuf keys only; never reads past frame. False when it is no dnstap, or damaged:
 * then nothing in *ret is set. */
struct dnstap_glance {
    uint32_t type;        /* Message.Type, 0: none */
    struct span identity; /* may be empty */
    uint64_t time_sec;    /* as `time` of the event; 0: none */
    uint32_t time_nsec;
    /* Hash of the addresses, ports, DNS id and question: equal for a query and its response; for
     * sampling. 0 unless asked for. */
    uint64_t transaction;
};
bool dnstap_glance(struct span frame, bool with_transaction, struct dnstap_glance *ret);

#endif
