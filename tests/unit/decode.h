/* decode.h - for the tests of dnstap payloads: frames by hand, and decoding in front of an unreadable page.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef DECODE_H
#define DECODE_H

#include "dnstap.h"
#include "guard.h"
#include "payload.h"

#define BYTES(literal) span_of(literal, sizeof(literal) - 1)

/* Field 15 (type) = MESSAGE, behind everything, as servers write it. */
#define TAP_TYPE "\x78\x01"

static inline struct span span_of_payload(const struct payload *p)
{
    return span_of(p->octets, p->len);
}

/* Decodes and glances at a copy that ends at an unreadable page; where both read it, they agree. */
static inline enum dnstap_status decode(struct dnstap_arena *arena, struct span frame,
                                        struct dnstap *ret)
{
    struct guard guard = guard_copy(frame.ptr, frame.len);
    enum dnstap_status status = dnstap_decode(arena, guard.span, ret);
    struct dnstap_glance glance = {.type = 12345};

    if (dnstap_glance(guard.span, true, &glance)) {
        assert_true(status == DNSTAP_OK || status == DNSTAP_NO_MESSAGE);
        assert_int_equal(glance.type, ret->type);
        assert_true(span_equal(glance.identity, ret->identity));
    } else {
        assert_int_equal(glance.type, 12345);
        assert_true(status == DNSTAP_EMPTY || status == DNSTAP_BAD_PROTO ||
                    status == DNSTAP_DAMAGED);
    }
    guard_free(&guard);
    /* once more for the caller: *ret borrows from the frame, and the guarded copy is gone */
    assert_int_equal(dnstap_decode(arena, frame, ret), status);
    return status;
}

/* A Dnstap with that Message in it. */
static inline struct payload tap_of(const struct payload *message)
{
    struct payload tap = {.len = 0};

    payload_literal(&tap, 1, "ns1");
    payload_literal(&tap, 2, "v9");
    payload_literal(&tap, 3, "x");
    payload_bytes(&tap, 14, message->octets, message->len);
    payload_number(&tap, 15, 1);
    return tap;
}

static inline struct payload every_field(void)
{
    struct payload m = {.len = 0}, policy = {.len = 0};

    payload_literal(&policy, 1, "rpz");
    payload_literal(&policy, 2, "\3foo\0");
    payload_number(&policy, 3, 6);
    payload_number(&policy, 4, 2);
    payload_literal(&policy, 5, "192.0.2.0/24");
    payload_number(&m, 1, 6);
    payload_number(&m, 2, 1);
    payload_number(&m, 3, 3);
    payload_literal(&m, 4, "\xc0\0\2\1");
    payload_literal(&m, 5, "\xc0\0\2\x35");
    payload_number(&m, 6, 53124);
    payload_number(&m, 7, 53);
    payload_number(&m, 8, UINT64_MAX);
    payload_fixed32(&m, 9, 123456789);
    payload_literal(&m, 10, "question");
    payload_literal(&m, 11, "\7example\0");
    payload_number(&m, 12, 1767739393);
    payload_fixed32(&m, 13, UINT32_MAX);
    payload_literal(&m, 14, "\0\1\2");
    payload_bytes(&m, 15, policy.octets, policy.len);
    payload_number(&m, 16, 2);
    return tap_of(&m);
}

#endif
