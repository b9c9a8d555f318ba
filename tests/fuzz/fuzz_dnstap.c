/* fuzz_dnstap.c - a dnstap payload: decoding and the glance see the same.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "dnstap.h"
#include "fuzz.h"

static uint64_t checksum;

static void read_all(struct span octets)
{
    for (size_t i = 0; i < octets.len; i++)
        checksum += octets.ptr[i];
}

static void read_fields(const struct dnstap *t)
{
    const struct span fields[] = {t->identity,         t->version,          t->extra,
                                  t->query_address,    t->response_address, t->query_message,
                                  t->response_message, t->query_zone,       t->policy.type,
                                  t->policy.rule,      t->policy.value};

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        read_all(fields[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct dnstap_arena *arena;
    struct span frame = span_of(data, size);
    struct dnstap t;
    struct dnstap_glance glance;
    enum dnstap_status status;

    if (!arena)
        arena = dnstap_arena_create();
    MUST(arena != NULL);
    status = dnstap_decode(arena, frame, &t);
    MUST(status != DNSTAP_NO_MEMORY);
    MUST((status == DNSTAP_EMPTY) == (size == 0));
    read_fields(&t);
    if (!dnstap_glance(frame, true, &glance)) {
        MUST(status == DNSTAP_EMPTY || status == DNSTAP_BAD_PROTO || status == DNSTAP_DAMAGED);
        return 0;
    }
    MUST(status == DNSTAP_OK || status == DNSTAP_NO_MESSAGE);
    read_all(glance.identity);
    {
        bool response = t.has & DNSTAP_HAS_RESPONSE_TIME_SEC &&
                        (dnstap_is_response(t.type) || !(t.has & DNSTAP_HAS_QUERY_TIME_SEC));
        bool query = !response && t.has & DNSTAP_HAS_QUERY_TIME_SEC;

        MUST(glance.type == t.type);
        MUST(span_equal(glance.identity, t.identity));
        MUST(glance.time_sec == (response ? t.response_time_sec : query ? t.query_time_sec : 0));
        MUST(glance.time_nsec == (response ? t.response_time_nsec : query ? t.query_time_nsec : 0));
    }
    return 0;
}
