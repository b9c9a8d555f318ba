/* names_dns.c - numbers of the DNS with their names in the IANA registries.
 *
 * Each table is ascending by value; tests/unit/test_names.c checks it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "names.h"

#define ROW(literal)                                                                               \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }
#define TABLE(rows, prefix)                                                                        \
    {                                                                                              \
        rows, sizeof(rows) / sizeof(*rows), prefix                                                 \
    }

/* Resource Record (RR) TYPEs; 255 is "*" there, ANY in use */
static const struct name_row rr_type_rows[] = {
    {1, ROW("A")},          {2, ROW("NS")},        {3, ROW("MD")},          {4, ROW("MF")},
    {5, ROW("CNAME")},      {6, ROW("SOA")},       {7, ROW("MB")},          {8, ROW("MG")},
    {9, ROW("MR")},         {10, ROW("NULL")},     {11, ROW("WKS")},        {12, ROW("PTR")},
    {13, ROW("HINFO")},     {14, ROW("MINFO")},    {15, ROW("MX")},         {16, ROW("TXT")},
    {17, ROW("RP")},        {18, ROW("AFSDB")},    {19, ROW("X25")},        {20, ROW("ISDN")},
    {21, ROW("RT")},        {22, ROW("NSAP")},     {23, ROW("NSAP-PTR")},   {24, ROW("SIG")},
    {25, ROW("KEY")},       {26, ROW("PX")},       {27, ROW("GPOS")},       {28, ROW("AAAA")},
    {29, ROW("LOC")},       {30, ROW("NXT")},      {31, ROW("EID")},        {32, ROW("NIMLOC")},
    {33, ROW("SRV")},       {34, ROW("ATMA")},     {35, ROW("NAPTR")},      {36, ROW("KX")},
    {37, ROW("CERT")},      {38, ROW("A6")},       {39, ROW("DNAME")},      {40, ROW("SINK")},
    {41, ROW("OPT")},       {42, ROW("APL")},      {43, ROW("DS")},         {44, ROW("SSHFP")},
    {45, ROW("IPSECKEY")},  {46, ROW("RRSIG")},    {47, ROW("NSEC")},       {48, ROW("DNSKEY")},
    {49, ROW("DHCID")},     {50, ROW("NSEC3")},    {51, ROW("NSEC3PARAM")}, {52, ROW("TLSA")},
    {53, ROW("SMIMEA")},    {55, ROW("HIP")},      {56, ROW("NINFO")},      {57, ROW("RKEY")},
    {58, ROW("TALINK")},    {59, ROW("CDS")},      {60, ROW("CDNSKEY")},    {61, ROW("OPENPGPKEY")},
    {62, ROW("CSYNC")},     {63, ROW("ZONEMD")},   {64, ROW("SVCB")},       {65, ROW("HTTPS")},
    {66, ROW("DSYNC")},     {67, ROW("HHIT")},     {68, ROW("BRID")},       {69, ROW("UNECE")},
    {70, ROW("ISO")},       {99, ROW("SPF")},      {100, ROW("UINFO")},     {101, ROW("UID")},
    {102, ROW("GID")},      {103, ROW("UNSPEC")},  {104, ROW("NID")},       {105, ROW("L32")},
    {106, ROW("L64")},      {107, ROW("LP")},      {108, ROW("EUI48")},     {109, ROW("EUI64")},
    {128, ROW("NXNAME")},   {249, ROW("TKEY")},    {250, ROW("TSIG")},      {251, ROW("IXFR")},
    {252, ROW("AXFR")},     {253, ROW("MAILB")},   {254, ROW("MAILA")},     {255, ROW("ANY")},
    {256, ROW("URI")},      {257, ROW("CAA")},     {258, ROW("AVC")},       {259, ROW("DOA")},
    {260, ROW("AMTRELAY")}, {261, ROW("RESINFO")}, {262, ROW("WALLET")},    {263, ROW("CLA")},
    {264, ROW("IPN")},      {32768, ROW("TA")},    {32769, ROW("DLV")},
};
const struct name_table names_rr_type = TABLE(rr_type_rows, "TYPE");

/* DNS CLASSes */
static const struct name_row class_rows[] = {
    {1, ROW("IN")}, {3, ROW("CH")}, {4, ROW("HS")}, {254, ROW("NONE")}, {255, ROW("ANY")},
};
const struct name_table names_class = TABLE(class_rows, "CLASS");

/* DNS OpCodes */
static const struct name_row opcode_rows[] = {
    {0, ROW("QUERY")},  {1, ROW("IQUERY")}, {2, ROW("STATUS")},
    {4, ROW("NOTIFY")}, {5, ROW("UPDATE")}, {6, ROW("DSO")},
};
const struct name_table names_opcode = TABLE(opcode_rows, "OPCODE");

/* DNS RCODEs; 16 is BADSIG in TSIG and TKEY */
static const struct name_row rcode_rows[] = {
    {0, ROW("NOERROR")},  {1, ROW("FORMERR")}, {2, ROW("SERVFAIL")},  {3, ROW("NXDOMAIN")},
    {4, ROW("NOTIMP")},   {5, ROW("REFUSED")}, {6, ROW("YXDOMAIN")},  {7, ROW("YXRRSET")},
    {8, ROW("NXRRSET")},  {9, ROW("NOTAUTH")}, {10, ROW("NOTZONE")},  {11, ROW("DSOTYPENI")},
    {16, ROW("BADVERS")}, {17, ROW("BADKEY")}, {18, ROW("BADTIME")},  {19, ROW("BADMODE")},
    {20, ROW("BADNAME")}, {21, ROW("BADALG")}, {22, ROW("BADTRUNC")}, {23, ROW("BADCOOKIE")},
};
const struct name_table names_rcode = TABLE(rcode_rows, "RCODE");

/* DNS EDNS0 Option Codes (OPT), in short form */
static const struct name_row edns_option_rows[] = {
    {1, ROW("LLQ")},
    {2, ROW("UL")},
    {3, ROW("NSID")},
    {5, ROW("DAU")},
    {6, ROW("DHU")},
    {7, ROW("N3U")},
    {8, ROW("ECS")},
    {9, ROW("EXPIRE")},
    {10, ROW("COOKIE")},
    {11, ROW("KEEPALIVE")},
    {12, ROW("PADDING")},
    {13, ROW("CHAIN")},
    {14, ROW("KEY-TAG")},
    {15, ROW("EDE")},
    {16, ROW("CLIENT-TAG")},
    {17, ROW("SERVER-TAG")},
    {18, ROW("REPORT-CHANNEL")},
    {19, ROW("ZONEVERSION")},
    {20, ROW("MQTYPE-QUERY")},
    {21, ROW("MQTYPE-RESPONSE")},
    {22, ROW("EDE-EXTRA-TEXT-LANGUAGE")},
    {23, ROW("FILTERING-CONTACT")},
    {24, ROW("FILTERING-ORGANIZATION")},
    {25, ROW("FILTERING-DB")},
    {26, ROW("STRUCTURED-DNS-ERROR")},
    {20292, ROW("UMBRELLA-IDENT")},
    {26946, ROW("DEVICEID")},
};
const struct name_table names_edns_option = TABLE(edns_option_rows, "OPT");

/* Extended DNS Error Codes */
static const struct name_row ede_rows[] = {
    {0, ROW("Other Error")},
    {1, ROW("Unsupported DNSKEY Algorithm")},
    {2, ROW("Unsupported DS Digest Type")},
    {3, ROW("Stale Answer")},
    {4, ROW("Forged Answer")},
    {5, ROW("DNSSEC Indeterminate")},
    {6, ROW("DNSSEC Bogus")},
    {7, ROW("Signature Expired")},
    {8, ROW("Signature Not Yet Valid")},
    {9, ROW("DNSKEY Missing")},
    {10, ROW("RRSIGs Missing")},
    {11, ROW("No Zone Key Bit Set")},
    {12, ROW("NSEC Missing")},
    {13, ROW("Cached Error")},
    {14, ROW("Not Ready")},
    {15, ROW("Blocked")},
    {16, ROW("Censored")},
    {17, ROW("Filtered")},
    {18, ROW("Prohibited")},
    {19, ROW("Stale NXDomain Answer")},
    {20, ROW("Not Authoritative")},
    {21, ROW("Not Supported")},
    {22, ROW("No Reachable Authority")},
    {23, ROW("Network Error")},
    {24, ROW("Invalid Data")},
    {25, ROW("Signature Expired before Valid")},
    {26, ROW("Too Early")},
    {27, ROW("Unsupported NSEC3 Iterations Value")},
    {28, ROW("Unable to conform to policy")},
    {29, ROW("Synthesized")},
    {30, ROW("Invalid Query Type")},
    {31, ROW("Rate Limited")},
    {32, ROW("Over Quota")},
    {33, ROW("Negative Trust Anchor")},
    {34, ROW("New Delegation Only")},
    {35, ROW("Blocked by Upstream DNS Server")},
};
const struct name_table names_ede = TABLE(ede_rows, "");

/* DNS SVCB Service Parameter Keys */
static const struct name_row svcb_key_rows[] = {
    {0, ROW("mandatory")},       {1, ROW("alpn")},
    {2, ROW("no-default-alpn")}, {3, ROW("port")},
    {4, ROW("ipv4hint")},        {5, ROW("ech")},
    {6, ROW("ipv6hint")},        {7, ROW("dohpath")},
    {8, ROW("ohttp")},           {9, ROW("tls-supported-groups")},
    {10, ROW("docpath")},        {11, ROW("pvd")},
    {12, ROW("oots")},
};
const struct name_table names_svcb_key = TABLE(svcb_key_rows, "key");

/* CERT RR certificate types (RFC 4398 2.1) */
static const struct name_row cert_type_rows[] = {
    {1, ROW("PKIX")}, {2, ROW("SPKI")},   {3, ROW("PGP")},     {4, ROW("IPKIX")}, {5, ROW("ISPKI")},
    {6, ROW("IPGP")}, {7, ROW("ACPKIX")}, {8, ROW("IACPKIX")}, {253, ROW("URI")}, {254, ROW("OID")},
};
const struct name_table names_cert_type = TABLE(cert_type_rows, "");
