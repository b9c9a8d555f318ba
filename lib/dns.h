/* dns.h - a DNS message, walked within bounds and rendered once.
 *
 * RFC 1035 4 and its successors. Names and rdata are written as text into the decoder's memory while
 * walking, so that every formatter copies ready text. What is broken is shown as RFC 3597 octets,
 * and the first faults of the message are kept with their offsets.
 *
 * dns_name.c names; dns_message.c header, sections, limits; dns_rdata.c presentation formats by table;
 * dns_edns.c options.
 *
 * One dns_decoder belongs to one thread. No I/O, no logging. No allocation per message once warm.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef DNS_H
#define DNS_H

#include "text.h"

/* Limits, each with its reason. */
#define DNS_MESSAGE_MAX      65535         /* RFC 1035 4.2.2: 16-bit length over TCP */
#define DNS_NAME_MAX         255           /* RFC 1035 2.3.4, octets on the wire */
#define DNS_NAME_TEXT_MAX    1020          /* 255 octets as \DDD */
#define DNS_POINTER_HOPS_MAX 127           /* no valid name has more labels (RFC 1035 2.3.4) */
#define DNS_RR_MAX           6000          /* 65535 octets hold at most 5956 RRs of 11 octets */
#define DNS_TEXT_MAX         (1024 * 1024) /* pointers let 64 KiB of input ask for 9 MiB of text */
/* Text of a message: 32 octets for each of its own, and 4 KiB. Pointers to the longest name of ordinary
 * characters ask for as many at most (2 x 254 in an RR of 16), to one of escapes for four times that. */
#define DNS_TEXT_BASE        4096
#define DNS_TEXT_RATIO       32
#define DNS_QUESTION_MAX     64 /* more than any server sends; each costs its text */
#define DNS_OPTION_MAX       64 /* EDNS options shown; later ones are a fault */
#define DNS_FAULT_MAX        8  /* faults told; 6000 broken RRs would be a line of 400 KiB */

enum dns_section { DNS_QUESTION, DNS_ANSWER, DNS_AUTHORITY, DNS_ADDITIONAL, DNS_SECTIONS };

enum dns_opcode { DNS_OPCODE_QUERY = 0, DNS_OPCODE_UPDATE = 5 }; /* RFC 1035 4.1.1, RFC 2136 1.3 */

enum dns_flag {
    DNS_QR = 0x8000,
    DNS_AA = 0x0400,
    DNS_TC = 0x0200,
    DNS_RD = 0x0100,
    DNS_RA = 0x0080,
    DNS_Z = 0x0040,
    DNS_AD = 0x0020,
    DNS_CD = 0x0010
};

/* A fault: reason (static English, no final dot) and octet offset in the message. */
struct dns_fault {
    const char *reason; /* NULL: none */
    enum dns_section section;
    uint16_t index; /* RR within its section, from 1; 0: not within an RR */
    uint32_t offset;
};

struct dns_question {
    /* No final dot, "." for the root, \DDD and \. escapes; "\# n HEX" when it could not be read, which is
     * the text of no name (dns_name_is_generic). */
    struct str name;
    struct str type_text, class_text;
    uint16_t type, class;
};

struct dns_rr {
    struct str name; /* as a question's */
    struct str type_text, class_text;
    struct str data;   /* presentation format, printable ASCII; names keep their final dot */
    struct span rdata; /* on the wire, borrowed from the message */
    uint32_t ttl;
    uint16_t type, class;
    bool generic; /* data is RFC 3597: the rdata broke its own format, or is cut */
    bool cut;     /* the message ends within the rdata, which is not all that the server said */
};

/* Is it octets in place of a name that could not be read? */
static inline bool dns_name_is_generic(struct str name)
{
    return name.len > 2 && memcmp(name.ptr, "\\# ", 3) == 0;
}

/* Does it say an address: A or AAAA, class IN, and rdata that is one? A DNS UPDATE's may have none
 * (RFC 2136 2.4), and Chaosnet's A is something else. */
static inline bool dns_rr_is_address(const struct dns_rr *rr)
{
    enum { A = 1, AAAA = 28, IN = 1 };

    return (rr->type == A || rr->type == AAAA) && rr->class == IN && !rr->generic &&
           rr->data.len > 0;
}

struct dns_option {
    uint16_t code;
    struct str name; /* "ECS", "NSID", ... or "OPT65001" */
    struct str data; /* readable, or hex. May hold UTF-8 as sent (EDE text), not validated */
};

#define DNS_EDNS_Z 0x7fff /* EDNS flags other than DO (RFC 6891 6.1.4); 0x4000 is CO (RFC 9824) */

struct dns_edns {
    bool present;
    uint16_t udp_size;
    uint8_t version;
    bool dnssec_ok;
    uint16_t flags; /* all 16, DO included */
    uint32_t ttl;   /* the OPT RR's TTL field */
    const struct dns_option *options;
    size_t option_count;
};

struct dns_message {
    size_t len;      /* octets given */
    bool has_header; /* 12 octets were there */
    uint16_t id, flags;
    uint8_t opcode;
    uint16_t rcode; /* EDNS-extended (RFC 6891 6.1.3) */
    struct str opcode_text, rcode_text;
    uint16_t count[DNS_SECTIONS];        /* as the header says */
    const struct dns_question *question; /* what could be read */
    size_t question_count;
    const struct dns_rr *rr[DNS_SECTIONS]; /* [DNS_QUESTION] unused; the first OPT is not there */
    size_t rr_count[DNS_SECTIONS];
    struct dns_edns edns;
    size_t trailing;                /* octets behind the last RR: counted, no fault */
    struct dns_fault fault;         /* the first one; a generic RR counts as one */
    const struct dns_fault *others; /* the next ones, DNS_FAULT_MAX - 1 at most */
    size_t fault_count;             /* all of them, also those that are not kept */
    bool truncated_output;          /* DNS_TEXT_MAX or a count limit was reached */
};

struct dns_decoder;                           /* arrays and text, reused from message to message */
struct dns_decoder *dns_decoder_create(void); /* NULL: no memory */
void dns_decoder_destroy(struct dns_decoder **decoder);

/* Decodes as much as can be read; *ret borrows from decoder and message until the next call.
 * True when nothing was broken; false: ret->fault says what, everything else holds what was readable.
 * Never fails otherwise; out of memory is a fault like another ("out of memory").
 * Cost is linear in message.len: DNS_TEXT_RATIO bounds the text, and DNS_TEXT_MAX. */
bool dns_decode(struct dns_decoder *decoder, struct span message, struct dns_message *ret);

/* An uncompressed wire-format name (query_zone, policy rule) as text without final dot.
 * False, and nothing written, when it is none. */
bool dns_name_text(struct text *t, struct span wire);

/* For tests and tools: rdata of one RR, standing alone (no compression), as text. */
bool dns_rdata_text(struct text *t, uint16_t type, struct span rdata);

#endif
