/* fuzz_dns.c - a DNS message: text is printable, inside its limits, and the same the second time.
 *
 * The same octets are also read as a name and as rdata of the type that their first two octets say.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "dns.h"
#include "fuzz.h"

static void must_print(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        MUST(s.ptr[i] >= 0x20 && s.ptr[i] <= 0x7e);
}

/* Fowler-Noll-Vo, over all text of a message. */
static uint64_t hash;

static void hash_str(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        hash = (hash ^ (uint8_t)s.ptr[i]) * UINT64_C(1099511628211);
}

static void read_rrs(const struct dns_message *m, int section, struct span message)
{
    for (size_t i = 0; i < m->rr_count[section]; i++) {
        const struct dns_rr *rr = &m->rr[section][i];

        must_print(rr->name);
        must_print(rr->data);
        must_print(rr->type_text);
        must_print(rr->class_text);
        MUST(rr->name.len > 0 && rr->name.len <= DNS_NAME_TEXT_MAX);
        MUST(rr->rdata.ptr >= message.ptr);
        MUST(rr->rdata.len <= (size_t)(message.ptr + message.len - rr->rdata.ptr));
        MUST(!rr->generic || m->fault.reason);
        hash_str(rr->name);
        hash_str(rr->data);
    }
}

static void read_message(const struct dns_message *m, struct span message, bool good)
{
    size_t rrs = m->rr_count[1] + m->rr_count[2] + m->rr_count[3];

    MUST(good == !m->fault.reason);
    MUST(m->fault.offset <= message.len);
    MUST(m->has_header == (message.len >= 12));
    MUST(rrs <= DNS_RR_MAX && m->question_count <= DNS_QUESTION_MAX);
    MUST(m->edns.option_count <= DNS_OPTION_MAX);
    MUST(m->trailing <= message.len);
    must_print(m->rcode_text);
    hash_str(m->rcode_text);
    for (size_t i = 0; i < m->question_count; i++) {
        must_print(m->question[i].name);
        hash_str(m->question[i].name);
    }
    for (int s = DNS_ANSWER; s < DNS_SECTIONS; s++)
        read_rrs(m, s, message);
    for (size_t i = 0; i < m->edns.option_count; i++)
        hash_str(m->edns.options[i].data);
}

static void read_alone(struct span octets)
{
    static struct text t;

    if (t.limit == 0)
        text_init(&t, DNS_TEXT_MAX);
    text_clear(&t);
    if (dns_name_text(&t, octets))
        MUST(t.len > 0 && t.len <= DNS_NAME_TEXT_MAX);
    else
        MUST(t.len == 0);
    if (octets.len < 2)
        return;
    text_clear(&t);
    dns_rdata_text(&t, (uint16_t)(octets.ptr[0] << 8 | octets.ptr[1]),
                   span_of(octets.ptr + 2, octets.len - 2));
    must_print(text_str(&t));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct dns_decoder *decoder;
    struct span message = span_of(data, size);
    struct dns_message m;
    uint64_t first;
    bool good;

    if (!decoder)
        decoder = dns_decoder_create();
    MUST(decoder != NULL);
    hash = 0;
    good = dns_decode(decoder, message, &m);
    read_message(&m, message, good);
    first = hash;
    hash = 0;
    good = dns_decode(decoder, message, &m);
    read_message(&m, message, good);
    MUST(hash == first);
    read_alone(message);
    return 0;
}
