/* hostile.h - DNS messages that cost much to decode or to write, of any size; and an ordinary one to compare them with.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef HOSTILE_H
#define HOSTILE_H

#include <string.h>

#include "dns_internal.h"

static uint8_t message[DNS_MESSAGE_MAX];
static size_t room; /* the message may take that many octets */
static size_t len;
static unsigned count;

static void begin(void)
{
    memset(message, 0, sizeof(message));
    message[2] = 0x84;
    len = 12;
    count = 0;
}

/* Owner: a pointer to `owner`. False when it does not fit any more. */
static bool add(size_t owner, unsigned type, const void *rdata, size_t rdlen)
{
    uint8_t *p = message + len;

    if (rdlen > room - len || 12 > room - len - rdlen)
        return false;
    p[0] = (uint8_t)(0xc0 | owner >> 8);
    p[1] = (uint8_t)owner;
    p[2] = (uint8_t)(type >> 8);
    p[3] = (uint8_t)type;
    p[5] = 1;
    p[10] = (uint8_t)(rdlen >> 8);
    p[11] = (uint8_t)rdlen;
    memcpy(p + 12, rdata, rdlen);
    len += 12 + rdlen;
    count++;
    message[6] = (uint8_t)(count >> 8);
    message[7] = (uint8_t)count;
    return true;
}

/* A question whose name, at 12, is www.example.com. */
static void begin_question(void)
{
    static const char question[] = "\3www\7example\3com\0\0\1\0";

    begin();
    message[5] = 1;
    memcpy(message + 12, question, sizeof(question));
    message[12 + sizeof(question) - 1] = 1;
    len += sizeof(question);
}

static void build_ordinary(void)
{
    begin_question();
    while (add(12, 33, "\0\1\0\2\0\3\4abcd\xc0\x10", 13))
        ;
}

/* Every owner points to the owner before it. */
static void build_owner_chain(void)
{
    size_t target = 12;

    begin_question();
    for (size_t here = len; add(target, 10, "", 0); here = len)
        target = here < 0x4000 ? here : target;
}

#define CHAIN_AT 23 /* rdata of the first RR */

/* A chain of pointers in the rdata of a NULL RR, 8,000 in the largest message; AFSDBs that point into it
 * at `next(k, pointers)`. */
static void build_opaque_chain(size_t (*next)(size_t k, size_t pointers))
{
    uint8_t chain[16001] = {0};
    uint8_t rdata[4] = {0, 1};
    const size_t pointers = room / 8 < 8000 ? room / 8 : 8000;
    const size_t chain_len = 1 + 2 * pointers;

    begin();
    for (size_t k = 0; k < pointers; k++) {
        size_t target = k == 0 ? CHAIN_AT : CHAIN_AT + 2 * k - 1;

        chain[2 * k + 1] = (uint8_t)(0xc0 | target >> 8);
        chain[2 * k + 2] = (uint8_t)target;
    }
    message[14] = 10; /* the root owns it: one octet instead of a pointer of two */
    message[16] = 1;
    message[21] = (uint8_t)(chain_len >> 8);
    message[22] = (uint8_t)chain_len;
    memcpy(message + CHAIN_AT, chain, chain_len);
    len = CHAIN_AT + chain_len;
    count = 1;
    for (size_t k = 0; k == 0 || add(12, 18, rdata, 4); k++) {
        size_t target = CHAIN_AT + 2 * next(k, pointers) + 1;

        rdata[2] = (uint8_t)(0xc0 | target >> 8);
        rdata[3] = (uint8_t)target;
    }
}

static size_t next_good(size_t k, size_t pointers)
{
    (void)pointers;
    return k % 126;
}

static size_t next_deep(size_t k, size_t pointers)
{
    return pointers - 1 - k % (pointers * 7 / 8);
}

static void build_good_chain(void)
{
    build_opaque_chain(next_good);
}

static void build_deep_chain(void)
{
    build_opaque_chain(next_deep);
}

static void build_broken_owners(void)
{
    begin();
    while (add(0x3fff, 1, "", 0))
        ;
}

/* A question whose name, at 12, has 255 octets of which none is printable. */
static void begin_escapes(void)
{
    begin();
    message[5] = 1;
    memset(message + 12, 1, 254);
    for (size_t i = 0; i < 4; i++)
        message[12 + 64 * i] = i < 3 ? 63 : 61;
    len = 12 + 255 + 4;
}

/* The long name asked for again and again: as rdata, as owner, as both. */
static void build_expansion(void)
{
    begin_escapes();
    while (add(12 + 254, 15, "\0\1\xc0\x0c", 4))
        ;
}

static void build_owner_expansion(void)
{
    begin_escapes();
    while (add(12, 1, "\1\2\3\4", 4))
        ;
}

static void build_triple_expansion(void)
{
    begin_escapes();
    while (add(12, 14, "\xc0\x0c\xc0\x0c", 4))
        ;
}

/* Strings of octets that take four characters, and in JSON five. */
static void build_string_escapes(void)
{
    uint8_t rdata[256] = {255};

    begin_question();
    while (add(12, 16, rdata, sizeof(rdata)))
        ;
}

/* NSECs with all types of `windows` windows from `first` on, the last one's `last_len` octets; as many as fit. */
static void fill_bit_maps(size_t first, size_t windows, size_t last_len)
{
    uint8_t rdata[1 + 256 * 34] = {0};
    size_t end = 1;

    begin_question();
    for (size_t i = 0; i < windows; i++) {
        size_t octets = i + 1 < windows ? 32 : last_len;

        rdata[end++] = (uint8_t)(first + i);
        rdata[end++] = (uint8_t)octets;
        memset(rdata + end, 0xff, octets);
        if (first + i == 0)
            rdata[end] = 0x7f; /* type 0 is none */
        end += octets;
    }
    while (add(12, 47, rdata, end))
        ;
}

static void build_bit_maps(void)
{
    const size_t windows = (room - 60) / 34;

    fill_bit_maps(0, windows < 256 ? windows : 256, 32); /* the smaller sizes: one record */
}

static void build_shown_bit_maps(void)
{
    fill_bit_maps(250, 1, DNS_MAP_SHOWN_MAX / 8);
}

static void build_named_bit_maps(void)
{
    fill_bit_maps(0, 1, DNS_MAP_SHOWN_MAX / 8);
}

static void fill_ports(size_t skipped, size_t octets)
{
    uint8_t rdata[5 + 8192] = {0};

    memset(rdata + 5 + skipped, 0xff, octets);
    begin_question();
    while (add(12, 11, rdata, 5 + skipped + octets))
        ;
}

static void build_ports(void)
{
    fill_ports(0, room - 60 < 8192 ? room - 60 : 8192);
}

static void build_shown_ports(void)
{
    fill_ports(0, DNS_MAP_SHOWN_MAX / 8);
}

static void build_prefixes(void)
{
    uint8_t rdata[4 * 256] = {0};

    for (size_t i = 0; i < sizeof(rdata); i += 4)
        memcpy(rdata + i, "\0\1\0\0", 4);
    begin_question();
    while (add(12, 42, rdata, sizeof(rdata)))
        ;
}

static void build_locations(void)
{
    begin_question();
    while (add(12, 29, "\0\x19\x19\x19\x80\1\1\1\x80\1\1\1\0\x10\1\1", 16))
        ;
}

/* A parameter that fills a record of `value_len` octets. */
static void fill_parameter(unsigned key, uint8_t octet, size_t value_len)
{
    uint8_t rdata[7 + 1024] = {
        0, 1, 0, 0, (uint8_t)key, (uint8_t)(value_len >> 8), (uint8_t)value_len};

    memset(rdata + 7, octet, value_len);
    begin_question();
    while (add(12, 64, rdata, 7 + value_len))
        ;
}

static void build_numbers(void)
{
    fill_parameter(9, 0xff, 1024); /* tls-supported-groups */
}

/* Items of a comma each: two backslashes in front of it. */
static void build_commas(void)
{
    uint8_t rdata[7 + 1024] = {0, 1, 0, 0, 1, 1024 >> 8, 0}; /* alpn */

    for (size_t i = 0; i < 1024; i += 2) {
        rdata[7 + i] = 1;
        rdata[8 + i] = ',';
    }
    begin_question();
    while (add(12, 64, rdata, sizeof(rdata)))
        ;
}

static void build_long_commas(void)
{
    fill_parameter(1, ',', 44 + 1); /* ',' is 44: an item of 44 of them */
}

static void build_empty_strings(void)
{
    static const uint8_t rdata[1024];

    begin_question();
    while (add(12, 16, rdata, sizeof(rdata)))
        ;
}

/* An extended error whose text is not UTF-8. */
static void build_error_text(void)
{
    size_t rest;

    begin();
    message[11] = 1;
    message[14] = 41;
    len = room;
    rest = len - 23;
    message[21] = (uint8_t)(rest >> 8);
    message[22] = (uint8_t)rest;
    message[24] = 15;
    message[25] = (uint8_t)((rest - 4) >> 8);
    message[26] = (uint8_t)(rest - 4);
    memset(message + 29, 0xff, rest - 6);
}

/* Owners of their own, 676 of them, each the target of the CNAME before it. */
static void build_aliases(void)
{
    begin_question();
    for (size_t i = 0; room - len >= 2 + 2 + 10 + 4; i++) {
        uint8_t *p = message + len;
        const uint8_t rr[] = {
            1, (uint8_t)('a' + i % 26),       0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 0, 0, 4,
            1, (uint8_t)('a' + (i + 1) % 26), 0xc0, 12};

        memcpy(p, rr, sizeof(rr));
        len += sizeof(rr);
        count++;
        message[6] = (uint8_t)(count >> 8);
        message[7] = (uint8_t)count;
    }
}

/* RRsets of one record each, of all types and owners. */
static void build_sets(void)
{
    begin_question();
    for (size_t i = 0; room - len >= 3 + 2 + 10 + 4; i++) {
        const uint8_t rr[] = {2, (uint8_t)(i >> 8), (uint8_t)i, 0xc0, 12, 0, 1, 0, 1, 0, 0,
                              0, (uint8_t)i,        0,          4,    1,  2, 3, 4};

        memcpy(message + len, rr, sizeof(rr));
        len += sizeof(rr);
        count++;
        message[6] = (uint8_t)(count >> 8);
        message[7] = (uint8_t)count;
    }
}

/* The shortest records: root, no rdata. */
static void build_short(void)
{
    static const uint8_t rr[] = {0, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, 0};

    begin_question();
    for (; room - len >= sizeof(rr); len += sizeof(rr)) {
        memcpy(message + len, rr, sizeof(rr));
        count++;
        message[6] = (uint8_t)(count >> 8);
        message[7] = (uint8_t)count;
    }
}

static void build_questions(void)
{
    begin();
    message[4] = message[5] = 0xff;
    len = room;
}

static void build_options(void)
{
    begin();
    message[11] = 1;
    message[14] = 41;
    len = room;
    message[21] = (uint8_t)((len - 23) >> 8);
    message[22] = (uint8_t)(len - 23);
}

static void build_all_ones(void)
{
    memset(message, 0xff, sizeof(message));
    len = room;
}

static const struct {
    const char *name;
    void (*build)(void);
    double times; /* of the ordinary message, at most, for the decoder */
} hostile[] = {
    {"owners point to the owner before", build_owner_chain, 2},
    {"names in a chain of pointers", build_good_chain, 2},
    {"names too deep in a chain", build_deep_chain, 3},
    {"broken owners", build_broken_owners, 2},
    {"long names of escapes in rdata", build_expansion, 20},
    {"long owners of escapes", build_owner_expansion, 20},
    {"long names of escapes thrice", build_triple_expansion, 20},
    {"strings of escapes", build_string_escapes, 20},
    {"full type bit maps", build_bit_maps, 20},
    {"type bit maps as full as shown", build_shown_bit_maps, 20},
    {"the same of types with names", build_named_bit_maps, 20},
    {"full port bit maps", build_ports, 20},
    {"port bit maps as full as shown", build_shown_ports, 20},
    {"address prefixes", build_prefixes, 20},
    {"locations", build_locations, 20},
    {"lists of numbers", build_numbers, 20},
    {"lists of commas", build_commas, 20},
    {"lists of many commas", build_long_commas, 20},
    {"empty strings", build_empty_strings, 20},
    {"error text of no UTF-8", build_error_text, 20},
    {"aliases of aliases", build_aliases, 20},
    {"a set for each record", build_sets, 20},
    {"shortest records", build_short, 20},
    {"65535 questions", build_questions, 20},
    {"empty options", build_options, 20},
    {"all ones", build_all_ones, 20},
};

#endif
