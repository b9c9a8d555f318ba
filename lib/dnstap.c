/* dnstap.c - a dnstap payload by protobuf-c, with an arena; plain frames go by dnstap_plain.c, damaged ones by
 * dnstap_walk.c.
 *
 * protobuf-c copies every field; the arena makes those copies a pointer's advance, and
 * forgets them all at the next frame. Its budget turns a frame that asks for much more than a
 * server's would (thousands of empty sub-messages) into one that is only walked.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "dnstap_internal.h"

#include "dnstap.pb-c.h"

#include <stdlib.h>

#define ARENA_ALIGN            16
#define ARENA_FIRST_CHUNK      ((size_t)16 * 1024) /* most frames of most servers fit */
#define ARENA_OCTETS_PER_OCTET 32

struct chunk {
    struct chunk *older;
    size_t size, used; /* of data */
    _Alignas(ARENA_ALIGN) uint8_t data[];
};

struct dnstap_arena {
    struct chunk *chunk; /* the one in use; behind it the ones that were too small */
    size_t budget;       /* octets that this frame may still ask for */
    bool no_memory;
    ProtobufCAllocator allocator;
};

static bool chunk_add(struct dnstap_arena *arena, size_t size)
{
    struct chunk *chunk = malloc(sizeof(*chunk) + size);

    if (!chunk) {
        arena->no_memory = true;
        return false;
    }
    chunk->older = arena->chunk;
    chunk->size = size;
    chunk->used = 0;
    arena->chunk = chunk;
    return true;
}

static void chunks_free(struct dnstap_arena *arena)
{
    while (arena->chunk) {
        struct chunk *older = arena->chunk->older;

        free(arena->chunk);
        arena->chunk = older;
    }
}

static void *arena_alloc(void *data, size_t size)
{
    struct dnstap_arena *arena = data;
    struct chunk *chunk = arena->chunk;
    size_t rounded;
    void *p;

    if (size > arena->budget)
        return NULL;
    rounded = (size + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
    if (rounded > chunk->size - chunk->used) {
        /* No more than the frame may still ask for; the size stays a multiple of the alignment. */
        size_t wanted = chunk->size < arena->budget / 2 ? chunk->size * 2 : arena->budget;

        if (!chunk_add(arena, wanted > rounded ? wanted : rounded))
            return NULL;
        chunk = arena->chunk;
    }
    arena->budget -= rounded < arena->budget ? rounded : arena->budget;
    p = chunk->data + chunk->used;
    chunk->used += rounded;
    return p;
}

static void arena_free(void *data, void *pointer)
{
    (void)data;
    (void)pointer;
}

struct dnstap_arena *dnstap_arena_create(void)
{
    struct dnstap_arena *arena = calloc(1, sizeof(*arena));

    if (!arena)
        return NULL;
    arena->allocator = (ProtobufCAllocator){arena_alloc, arena_free, arena};
    if (!chunk_add(arena, ARENA_FIRST_CHUNK)) {
        free(arena);
        return NULL;
    }
    return arena;
}

void dnstap_arena_destroy(struct dnstap_arena **arena)
{
    if (!arena || !*arena)
        return;
    chunks_free(*arena);
    free(*arena);
    *arena = NULL;
}

/* Empties the arena; after a frame that needed several chunks only the largest, newest stays. */
static void arena_reset(struct dnstap_arena *arena, size_t frame_len)
{
    struct chunk *newest = arena->chunk;

    arena->chunk = newest->older;
    chunks_free(arena);
    newest->older = NULL;
    newest->used = 0;
    arena->chunk = newest;
    arena->no_memory = false;
    arena->budget = frame_len > (SIZE_MAX - ARENA_FIRST_CHUNK) / ARENA_OCTETS_PER_OCTET
                        ? SIZE_MAX / 2
                        : ARENA_FIRST_CHUNK + frame_len * ARENA_OCTETS_PER_OCTET;
}

/* A field that is there but empty has an address, too. */
static struct span field(protobuf_c_boolean has, ProtobufCBinaryData value)
{
    static const uint8_t nothing[1];

    if (!has)
        return span_of(NULL, 0);
    return value.len ? span_of(value.data, value.len) : span_of(nothing, 0);
}

static unsigned flag(protobuf_c_boolean has, enum dnstap_has bit)
{
    return has ? (unsigned)bit : 0;
}

static void copy_policy(struct dnstap *ret, const Dnstap__Policy *policy)
{
    ret->has |= DNSTAP_HAS_POLICY;
    ret->has |= flag(policy->has_action, DNSTAP_HAS_POLICY_ACTION) |
                flag(policy->has_match, DNSTAP_HAS_POLICY_MATCH);
    ret->policy.type = field(policy->has_type, policy->type);
    ret->policy.rule = field(policy->has_rule, policy->rule);
    ret->policy.value = field(policy->has_value, policy->value);
    if (policy->has_action)
        ret->policy.action = (uint32_t)policy->action;
    if (policy->has_match)
        ret->policy.match = (uint32_t)policy->match;
}

static unsigned message_has(const Dnstap__Message *m)
{
    return DNSTAP_HAS_MESSAGE | flag(m->has_socket_family, DNSTAP_HAS_FAMILY) |
           flag(m->has_socket_protocol, DNSTAP_HAS_PROTOCOL) |
           flag(m->has_query_port, DNSTAP_HAS_QUERY_PORT) |
           flag(m->has_response_port, DNSTAP_HAS_RESPONSE_PORT) |
           flag(m->has_query_time_sec, DNSTAP_HAS_QUERY_TIME_SEC) |
           flag(m->has_query_time_nsec, DNSTAP_HAS_QUERY_TIME_NSEC) |
           flag(m->has_response_time_sec, DNSTAP_HAS_RESPONSE_TIME_SEC) |
           flag(m->has_response_time_nsec, DNSTAP_HAS_RESPONSE_TIME_NSEC) |
           flag(m->has_http_protocol, DNSTAP_HAS_HTTP_PROTOCOL);
}

static void copy_message(struct dnstap *ret, const Dnstap__Message *m)
{
    ret->has |= message_has(m);
    ret->type = (uint32_t)m->type;
    if (m->has_socket_family)
        ret->family = (uint32_t)m->socket_family;
    if (m->has_socket_protocol)
        ret->protocol = (uint32_t)m->socket_protocol;
    if (m->has_http_protocol)
        ret->http_protocol = (uint32_t)m->http_protocol;
    ret->query_address = field(m->has_query_address, m->query_address);
    ret->response_address = field(m->has_response_address, m->response_address);
    ret->query_port = m->query_port;
    ret->response_port = m->response_port;
    ret->query_time_sec = m->query_time_sec;
    ret->query_time_nsec = m->query_time_nsec;
    ret->response_time_sec = m->response_time_sec;
    ret->response_time_nsec = m->response_time_nsec;
    ret->query_message = field(m->has_query_message, m->query_message);
    ret->response_message = field(m->has_response_message, m->response_message);
    ret->query_zone = field(m->has_query_zone, m->query_zone);
    if (m->policy)
        copy_policy(ret, m->policy);
}

enum dnstap_status dnstap_decode_full(struct dnstap_arena *arena, struct span frame,
                                      struct dnstap *ret)
{
    ProtobufCMessage *unpacked;
    const Dnstap__Dnstap *d;

    memset(ret, 0, sizeof(*ret));
    if (frame.len == 0)
        return DNSTAP_EMPTY;
    arena_reset(arena, frame.len);
    unpacked = protobuf_c_message_unpack(&dnstap__dnstap__descriptor, &arena->allocator, frame.len,
                                         frame.ptr);
    if (!unpacked)
        return arena->no_memory ? DNSTAP_NO_MEMORY : DNSTAP_BAD_PROTO;
    d = (const Dnstap__Dnstap *)unpacked;
    ret->identity = field(d->has_identity, d->identity);
    ret->version = field(d->has_version, d->version);
    ret->extra = field(d->has_extra, d->extra);
    ret->tap_type = (uint32_t)d->type;
    if (!d->message)
        return DNSTAP_NO_MESSAGE;
    copy_message(ret, d->message);
    return DNSTAP_OK;
}

/* What protobuf-c has refused. Groups, which it does not know, are no damage. */
static enum dnstap_status salvage(struct span frame, struct dnstap *ret)
{
    dnstap_walk(frame, ret);
    if (ret->fault.reason) {
        if (ret->identity.ptr || ret->version.ptr || ret->extra.ptr || ret->tap_type || ret->has)
            return DNSTAP_DAMAGED;
        memset(ret, 0, sizeof(*ret));
        return DNSTAP_BAD_PROTO;
    }
    return ret->has & DNSTAP_HAS_MESSAGE ? DNSTAP_OK : DNSTAP_NO_MESSAGE;
}

enum dnstap_status dnstap_decode(struct dnstap_arena *arena, struct span frame, struct dnstap *ret)
{
    enum dnstap_status status;

    if (dnstap_decode_plain(frame, ret))
        return DNSTAP_OK;
    status = dnstap_decode_full(arena, frame, ret);
    return status == DNSTAP_BAD_PROTO ? salvage(frame, ret) : status;
}

const char *dnstap_status_text(enum dnstap_status status)
{
    switch (status) {
    case DNSTAP_OK:
        return "no error";
    case DNSTAP_EMPTY:
        return "empty frame";
    case DNSTAP_BAD_PROTO:
        return "not a dnstap payload";
    case DNSTAP_NO_MESSAGE:
        return "no Message in the dnstap payload";
    case DNSTAP_DAMAGED:
        return "damaged dnstap payload";
    case DNSTAP_NO_MEMORY:
        return "out of memory";
    }
    return "unknown status";
}
