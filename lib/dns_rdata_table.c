/* dns_rdata_table.c - the presentation format of every RR type, one row each.
 *
 * A type without fields has RFC 3597 as its only format; so has a type without a row. How to add
 * one: doc/adding-an-rr-type.md.
 *
 * Compression pointers in rdata are followed in the types of RFC 1035 and in those that RFC 3597 4
 * tells receivers to decompress (name); elsewhere they break the format (name_plain).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "dns_internal.h"

#define FIELD(kind) dns_field_##kind

/* clang-format off */
static const struct dns_rdata_row rows[] = {
    {1, {FIELD(a)}},
    {2, {FIELD(name)}},                                                  /* NS: RFC 1035 3.3 */
    {3, {FIELD(name)}},                                                  /* MD */
    {4, {FIELD(name)}},                                                  /* MF */
    {5, {FIELD(name)}},                                                  /* CNAME */
    {6, {FIELD(name), FIELD(name), FIELD(u32), FIELD(u32), FIELD(u32), FIELD(u32), FIELD(u32)}},
    {7, {FIELD(name)}},                                                  /* MB */
    {8, {FIELD(name)}},                                                  /* MG */
    {9, {FIELD(name)}},                                                  /* MR */
    {10, {NULL}},                                                        /* NULL: no format */
    {11, {FIELD(wks)}},
    {12, {FIELD(name)}},                                                 /* PTR */
    {13, {FIELD(string), FIELD(string)}},                                /* HINFO */
    {14, {FIELD(name), FIELD(name)}},                                    /* MINFO */
    {15, {FIELD(u16), FIELD(name)}},                                     /* MX */
    {16, {FIELD(strings)}},                                              /* TXT */
    {17, {FIELD(name), FIELD(name)}},                                    /* RP: RFC 1183 2.2 */
    {18, {FIELD(u16), FIELD(name)}},                                     /* AFSDB: 1 */
    {19, {FIELD(string)}},                                               /* X25: 3.1 */
    {20, {FIELD(string), FIELD(string_opt)}},                            /* ISDN: 3.2 */
    {21, {FIELD(u16), FIELD(name)}},                                     /* RT: 3.3 */
    {22, {FIELD(nsap)}},                                                 /* RFC 1706 5 */
    {23, {FIELD(name_plain)}},                                           /* NSAP-PTR */
    {24, {FIELD(type), FIELD(u8), FIELD(u8), FIELD(u32), FIELD(time), FIELD(time), FIELD(u16),
          FIELD(name), FIELD(base64)}},                                  /* SIG: RFC 2535 4.5 */
    {25, {FIELD(key)}},                                                  /* 3.1 */
    {26, {FIELD(u16), FIELD(name), FIELD(name)}},                        /* PX: RFC 2163 4 */
    {27, {FIELD(string), FIELD(string), FIELD(string)}},                 /* GPOS: RFC 1712 */
    {28, {FIELD(ip6)}},
    {29, {FIELD(loc)}},                                                  /* RFC 1876 3 */
    {30, {FIELD(name), FIELD(nxt)}},                                     /* RFC 2535 5.3 */
    {31, {FIELD(hex)}},                                                  /* EID */
    {32, {FIELD(hex)}},                                                  /* NIMLOC */
    {33, {FIELD(u16), FIELD(u16), FIELD(u16), FIELD(name)}},             /* SRV: RFC 2782 */
    {34, {FIELD(atma)}},
    {35, {FIELD(u16), FIELD(u16), FIELD(string), FIELD(string), FIELD(string),
          FIELD(name)}},                                                 /* NAPTR: RFC 3403 4.1 */
    {36, {FIELD(u16), FIELD(name_plain)}},                               /* KX: RFC 2230 3.1 */
    {37, {FIELD(cert_type), FIELD(u16), FIELD(u8), FIELD(base64)}},      /* RFC 4398 2.2 */
    {38, {FIELD(a6)}},                                                   /* RFC 2874 3.2 */
    {39, {FIELD(name_plain)}},                                           /* DNAME: RFC 6672 2.1 */
    {40, {FIELD(u8), FIELD(u8), FIELD(u8), FIELD(base64_opt)}},          /* SINK */
    {41, {NULL}},                                                        /* OPT: never in a zone */
    {42, {FIELD(apl)}},                                                  /* RFC 3123 5 */
    {43, {FIELD(u16), FIELD(u8), FIELD(digest)}},                        /* DS: RFC 4034 5.3 */
    {44, {FIELD(u8), FIELD(u8), FIELD(hex)}},                            /* SSHFP: RFC 4255 3.2 */
    {45, {FIELD(ipseckey)}},                                             /* RFC 4025 3.1 */
    {46, {FIELD(type), FIELD(u8), FIELD(u8), FIELD(u32), FIELD(time), FIELD(time), FIELD(u16),
          FIELD(name_plain), FIELD(base64)}},                            /* RRSIG: RFC 4034 3.2 */
    {47, {FIELD(name_plain), FIELD(bitmap)}},                            /* NSEC: 4.2 */
    {48, {FIELD(u16), FIELD(u8), FIELD(u8), FIELD(base64)}},             /* DNSKEY: 2.2 */
    {49, {FIELD(base64)}},                                               /* DHCID: RFC 4701 3.2 */
    {50, {FIELD(u8), FIELD(u8), FIELD(u16), FIELD(salt), FIELD(hash),
          FIELD(bitmap)}},                                               /* NSEC3: RFC 5155 3.3 */
    {51, {FIELD(u8), FIELD(u8), FIELD(u16), FIELD(salt)}},               /* NSEC3PARAM: 4.3 */
    {52, {FIELD(u8), FIELD(u8), FIELD(u8), FIELD(hex)}},                 /* TLSA: RFC 6698 2.2 */
    {53, {FIELD(u8), FIELD(u8), FIELD(u8), FIELD(hex)}},                 /* SMIMEA: RFC 8162 2 */
    {55, {FIELD(hip)}},                                                  /* RFC 8005 6 */
    {56, {FIELD(strings)}},                                              /* NINFO */
    {57, {FIELD(u16), FIELD(u8), FIELD(u8), FIELD(base64)}},             /* RKEY */
    {58, {FIELD(name_plain), FIELD(name_plain)}},                        /* TALINK */
    {59, {FIELD(u16), FIELD(u8), FIELD(digest)}},                        /* CDS: RFC 7344 3.1 */
    {60, {FIELD(u16), FIELD(u8), FIELD(u8), FIELD(base64)}},             /* CDNSKEY: 3.2 */
    {61, {FIELD(base64)}},                                               /* OPENPGPKEY: RFC 7929 2.3 */
    {62, {FIELD(u32), FIELD(u16), FIELD(bitmap)}},                       /* CSYNC: RFC 7477 2.1.2 */
    {63, {FIELD(u32), FIELD(u8), FIELD(zone_digest)}},                   /* ZONEMD: RFC 8976 2.4 */
    {64, {FIELD(u16), FIELD(name_plain), FIELD(svcb_params)}},           /* SVCB: RFC 9460 2.1 */
    {65, {FIELD(u16), FIELD(name_plain), FIELD(svcb_params)}},           /* HTTPS */
    {66, {FIELD(type), FIELD(dsync_scheme), FIELD(u16), FIELD(name_plain)}}, /* RFC 9859 2.2 */
    {67, {FIELD(base64)}},                                               /* HHIT: RFC 9886 */
    {68, {FIELD(base64)}},                                               /* BRID: RFC 9886 */
    {99, {FIELD(strings)}},                                              /* SPF: RFC 4408 3.1.1 */
    {104, {FIELD(u16), FIELD(group64)}},                                 /* NID: RFC 6742 2.1.2 */
    {105, {FIELD(u16), FIELD(ip4)}},                                     /* L32: 2.2.2 */
    {106, {FIELD(u16), FIELD(group64)}},                                 /* L64: 2.3.2 */
    {107, {FIELD(u16), FIELD(name_plain)}},                              /* LP: 2.4.2 */
    {108, {FIELD(eui48)}},
    {109, {FIELD(eui64)}},
    {249, {FIELD(name_plain), FIELD(u32), FIELD(u32), FIELD(u16), FIELD(error), FIELD(sized64),
           FIELD(sized64)}},                                             /* TKEY: RFC 2930 2 */
    {250, {FIELD(name_plain), FIELD(time48), FIELD(u16), FIELD(sized64), FIELD(u16), FIELD(error),
           FIELD(sized64)}},                                             /* TSIG: RFC 8945 4.2 */
    {256, {FIELD(u16), FIELD(u16), FIELD(quoted_rest)}},                 /* URI: RFC 7553 4.1 */
    {257, {FIELD(caa), FIELD(quoted_rest_opt)}},                         /* RFC 8659 4.1.1 */
    {258, {FIELD(strings)}},                                             /* AVC */
    {259, {FIELD(u32), FIELD(u32), FIELD(u8), FIELD(string), FIELD(media)}}, /* DOA */
    {260, {FIELD(relay)}},                                               /* AMTRELAY: RFC 8777 4.3 */
    {261, {FIELD(strings)}},                                             /* RESINFO: RFC 9606 5 */
    {262, {FIELD(strings)}},                                             /* WALLET */
    {263, {FIELD(strings)}},                                             /* CLA */
    {264, {FIELD(u64)}},                                                 /* IPN */
    {32768, {FIELD(u16), FIELD(u8), FIELD(digest)}},                     /* TA */
    {32769, {FIELD(u16), FIELD(u8), FIELD(digest)}},                     /* DLV: RFC 4431 */
};
/* clang-format on */

/* Of these types the rows above are class IN's: A (RFC 1035 3.4.1; Chaosnet's A is in its field function), WKS, NSAP,
 * NSAP-PTR, PX, AAAA, SRV, KX, APL, DHCID, SVCB, HTTPS. The others are the same in every class. */
static const uint16_t in_only[] = {1, 11, 22, 23, 26, 28, 33, 36, 42, 49, 64, 65};

#define ROWS (sizeof(rows) / sizeof(*rows))

#define CLASS_IN 1
#define CLASS_CH 3
#define TYPE_A   1

bool dns_rdata_in_class(uint16_t type, uint16_t class)
{
    if (class == CLASS_IN || (class == CLASS_CH && type == TYPE_A))
        return true;
    for (size_t i = 0; i < sizeof(in_only) / sizeof(*in_only); i++)
        if (in_only[i] == type)
            return false;
    return true;
}

const struct dns_rdata_row *dns_rdata_row(uint16_t type)
{
    size_t low = 0, high = ROWS;

    /* Types up to SMIMEA have no gaps. */
    if (type > 0 && rows[type < ROWS ? type - 1 : 0].type == type)
        return &rows[type - 1];
    /* Ends: each turn halves high - low. */
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (rows[middle].type == type)
            return &rows[middle];
        if (rows[middle].type < type)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}
