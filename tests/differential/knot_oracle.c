/* knot_oracle.c - libknot and libzscanner behind a pipe, for the differential tests. Nothing of lib/ is in here.
 *
 * One line in, one line out; "refused REASON" is one, too.
 *
 *     W TYPE TEXT    rdata text of that type (a name) by libzscanner: octets in hex
 *     T TYPE HEX     rdata of that type (a number) by libknot: text
 *     M HEX          a DNS message by libknot, as far as it reads: blank-separated words
 *                    status=TEXT head=ID,OPCODE,RCODE,QD,AN,NS,AR q=NAME,TYPE,CLASS
 *                    rr=SECTION,OWNER,TYPE,CLASS,TTL,RDATA edns=SIZE,VERSION,DO opt=CODE,DATA
 *                    (names and data in hex, uncompressed; RCODE with its extension)
 *     N              the names of numbers it knows, tab-separated: TABLE VALUE NAME ...
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libknot/libknot.h>
#include <libzscanner/scanner.h>

#define TEXT_MAX (1 << 20) /* what 64 KiB of rdata can take, and more */

static int nibble(int c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Octets of the digits at s, at most 65535; *ret has room for them. */
static uint16_t unhex(const char *s, uint8_t *ret)
{
    size_t n = 0;

    for (; n < 65535 && nibble(s[0]) >= 0 && nibble(s[1]) >= 0; s += 2)
        ret[n++] = (uint8_t)(nibble(s[0]) << 4 | nibble(s[1]));
    return (uint16_t)n;
}

static void put_hex(const uint8_t *octets, size_t len)
{
    for (size_t i = 0; i < len; i++)
        printf("%02x", octets[i]);
}

static void put_name(const knot_dname_t *name)
{
    put_hex(name, knot_dname_size(name));
}

static void text_to_wire(const char *line)
{
    static zs_scanner_t scanner;
    char *record = NULL;
    int len = asprintf(&record, ". 0 IN %s\n", line);

    if (len < 0 || zs_init(&scanner, ".", KNOT_CLASS_IN, 0) != 0 ||
        zs_set_input_string(&scanner, record, (size_t)len) != 0) {
        fputs("refused memory", stdout);
    } else {
        zs_parse_record(&scanner);
        if (scanner.state == ZS_STATE_DATA)
            put_hex(scanner.r_data, scanner.r_data_length);
        else
            printf("refused %s", zs_strerror(scanner.error.code));
    }
    zs_deinit(&scanner);
    free(record);
}

static void wire_to_text(const char *line)
{
    static uint8_t rdata[65535], root[1];
    static char text[TEXT_MAX];
    char *hex;
    knot_rrset_t rr;
    uint16_t type = (uint16_t)strtoul(line, &hex, 10), len = unhex(hex + (*hex == ' '), rdata);

    knot_rrset_init(&rr, root, type, KNOT_CLASS_IN, 0);
    if (knot_rrset_add_rdata(&rr, rdata, len, NULL) != KNOT_EOK) {
        fputs("refused memory", stdout);
    } else {
        int ret = knot_rrset_txt_dump_data(&rr, 0, text, sizeof(text), &KNOT_DUMP_STYLE_DEFAULT);

        if (ret < 0)
            printf("refused %s", knot_strerror(ret));
        else
            fputs(text, stdout);
    }
    knot_rdataset_clear(&rr.rrs, NULL);
}

static void put_rr(int section, const knot_rrset_t *rr)
{
    const knot_rdata_t *rdata = rr->rrs.rdata;

    if (rr->type == KNOT_RRTYPE_OPT)
        return;
    printf(" rr=%d,", section);
    put_name(rr->owner);
    printf(",%u,%u,%u,", rr->type, rr->rclass, rr->ttl);
    if (rdata)
        put_hex(rdata->data, rdata->len);
}

/* Ends: each option takes four octets. */
static void put_edns(knot_rrset_t *opt)
{
    const knot_rdata_t *rdata = opt->rrs.rdata;
    const uint8_t *at = rdata->data;
    size_t left = rdata->len;

    printf(" edns=%u,%u,%d", knot_edns_get_payload(opt), knot_edns_get_version(opt),
           knot_edns_do(opt));
    while (left >= 4) {
        size_t len = knot_edns_opt_get_length(at);

        if (len > left - 4)
            break;
        printf(" opt=%u,", knot_edns_opt_get_code(at));
        put_hex(at + 4, len);
        at += 4 + len;
        left -= 4 + len;
    }
}

static void put_packet(const knot_pkt_t *packet, int status)
{
    const uint8_t *wire = packet->wire;

    printf("status=%s", status == KNOT_EOK      ? "ok"
                        : status == KNOT_ETRAIL ? "trailing"
                                                : "malformed");
    printf(" head=%u,%u,%u,%u,%u,%u,%u", knot_wire_get_id(wire), knot_wire_get_opcode(wire),
           knot_pkt_ext_rcode(packet), knot_wire_get_qdcount(wire), knot_wire_get_ancount(wire),
           knot_wire_get_nscount(wire), knot_wire_get_arcount(wire));
    if (knot_pkt_wire_qname(packet)) {
        fputs(" q=", stdout);
        put_name(knot_pkt_wire_qname(packet));
        printf(",%u,%u", knot_pkt_qtype(packet), knot_pkt_qclass(packet));
    }
    for (int s = KNOT_ANSWER; s <= KNOT_ADDITIONAL; s++) {
        const knot_pktsection_t *section = knot_pkt_section(packet, (knot_section_t)s);

        for (uint16_t i = 0; i < section->count; i++)
            put_rr(s, knot_pkt_rr(section, i));
    }
    if (packet->opt_rr)
        put_edns(packet->opt_rr);
}

static void message(const char *hex)
{
    static uint8_t octets[65536];
    uint16_t len = unhex(hex, octets);
    knot_pkt_t *packet = len < KNOT_WIRE_HEADER_SIZE ? NULL : knot_pkt_new(octets, len, NULL);

    if (!packet) {
        fputs("refused shorter than a header", stdout);
        return;
    }
    put_packet(packet, knot_pkt_parse(packet, KNOT_PF_KEEPWIRE | KNOT_PF_NOCANON));
    knot_pkt_free(packet);
}

static void put_table(const char *table, const knot_lookup_t *rows)
{
    for (; rows->name; rows++)
        printf("%s %d %s\t", table, rows->id, rows->name);
}

static void names(void)
{
    char text[64];

    for (unsigned type = 0; type < 65536; type++) {
        if (knot_get_rdata_descriptor((uint16_t)type)->type_name)
            printf("type %u %s\t", type, knot_get_rdata_descriptor((uint16_t)type)->type_name);
    }
    for (unsigned number = 0; number < 65536; number++) {
        if (knot_rrclass_to_string((uint16_t)number, text, sizeof(text)) > 0 &&
            strncmp(text, "CLASS", 5) != 0)
            printf("class %u %s\t", number, text);
    }
    put_table("opcode", knot_opcode_names);
    put_table("rcode", knot_rcode_names);
    put_table("ede", knot_edns_ede_names);
    put_table("svcb", knot_svcb_param_names);
}

int main(void)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t len;

    while ((len = getline(&line, &size, stdin)) > 1) {
        line[len - 1] = 0;
        if (line[0] == 'W')
            text_to_wire(line + 2);
        else if (line[0] == 'T')
            wire_to_text(line + 2);
        else if (line[0] == 'N')
            names();
        else
            message(line + 2);
        putchar('\n');
        fflush(stdout);
    }
    free(line);
    return 0;
}
