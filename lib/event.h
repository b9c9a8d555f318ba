/* event.h - the decoded event: the one struct that every formatter reads.
 *
 * event_decode never fails: what cannot be decoded is an event with `malformed`, a reason and
 * the frame. Everything borrows from the decoder, the frame and the context until the next
 * event_decode on that decoder.
 *
 * One decoder belongs to one thread. No I/O, no logging.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef EVENT_H
#define EVENT_H

#include "dns.h"
#include "dnstap.h"

/* What the receiver knows and the frame does not say. */
struct event_context {
    struct str peer;     /* address of the producer; empty: unknown */
    struct str tls_peer; /* name in its certificate; empty: none */
    uint32_t sample;     /* one in N kept; 0 or 1: all */
};

struct event {
    struct dnstap tap;
    struct event_context context;
    struct str type_text, direction; /* "CLIENT_RESPONSE", "CR"; direction empty if unknown */
    struct str family_text, protocol_text, http_protocol_text;
    struct str transport;                       /* "udp", "tcp" or empty */
    struct str query_address, response_address; /* text; empty: absent */
    struct str query_zone; /* name text, or RFC 3597 hex when it is none; empty: absent */
    struct str policy_rule, policy_action, policy_match, policy_value; /* text; empty: absent */
    bool has_time;
    uint64_t time_sec;
    uint32_t time_nsec;
    struct str time; /* RFC 3339, empty without has_time */
    bool has_latency;
    uint64_t latency_ns;
    const struct dns_message *dns;   /* the response message, else the query message; NULL: none */
    const struct dns_message *query; /* the query message when there are both, else NULL */
    bool is_response; /* by Message.Type, if that is there; else there is a response message */
    bool malformed;
    struct str error;  /* "answer 3: name pointer loop at octet 57"; empty unless malformed */
    struct span frame; /* the dnstap payload as received */
};

/* The message whose records answer a question: a response (QR) to a QUERY where the frame has its response;
 * else NULL. Sections of others are something else: an UPDATE's are prerequisites and updates, which a
 * server may copy from the client even when it refuses them (RFC 2136 3.8). What a client sends
 * as an answer, in a query, is none either. */
static inline const struct dns_message *event_answer(const struct event *event)
{
    const struct dns_message *dns = event->tap.response_message.ptr ? event->dns : NULL;

    return dns && dns->flags & DNS_QR && dns->opcode == DNS_OPCODE_QUERY ? dns : NULL;
}

struct event_decoder;
struct event_decoder *event_decoder_create(void); /* NULL: no memory */
void event_decoder_destroy(struct event_decoder **decoder);

void event_decode(struct event_decoder *decoder, struct span frame,
                  const struct event_context *context, struct event *ret);

/* An event for octets that are no frame at all (a cut message): malformed, with that reason (borrowed). */
void event_broken(struct span octets, struct str reason, const struct event_context *context,
                  struct event *ret);

#endif
