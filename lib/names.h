/* names.h - every number that has a name, in sorted tables.
 *
 * Sources: the IANA registries "Domain Name System (DNS) Parameters", "DNS Service Bindings (SVCB)" and
 * "CERT Resource Record"; dnstap.proto. A table row is {value, "TEXT"}.
 *
 * Pure code, constant data, thread-safe.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAMES_H
#define NAMES_H

#include "text.h"

struct name_row {
    uint32_t value;
    struct str text;
};

struct name_table {
    const struct name_row *rows; /* ascending by value, each value once */
    size_t count;
    const char *prefix; /* of an unknown value's text: "TYPE" (RFC 3597 5), "CLASS", "RCODE" ... */
};

extern const struct name_table names_rr_type, names_class, names_opcode, names_rcode;
extern const struct name_table names_edns_option, names_ede, names_svcb_key, names_cert_type;
extern const struct name_table names_message_type; /* "CLIENT_QUERY" ... */
extern const struct name_table names_direction;    /* "CQ" ... , by Message.Type */
extern const struct name_table names_family;       /* INET INET6 */
extern const struct name_table names_protocol;     /* UDP TCP DOT DOH DNSCryptUDP DNSCryptTCP DOQ */
extern const struct name_table names_http_protocol; /* HTTP1 HTTP2 HTTP3 */
extern const struct name_table names_policy_action, names_policy_match;

/* As names_find, when the value is not in the row that a table without gaps has it in. */
struct str names_find_far(const struct name_table *table, uint32_t value);

/* The name, or an empty str. At most log2(count) comparisons; what is in common use is found at once. */
static inline struct str names_find(const struct name_table *table, uint32_t value)
{
    uint32_t at = value - table->rows[0].value;

    if (at < table->count && table->rows[at].value == value)
        return table->rows[at].text;
    return names_find_far(table, value);
}

/* The name, or prefix and decimal number ("TYPE65280"; with no prefix just the number). */
void names_put(struct text *t, const struct name_table *table, uint32_t value);
/* Octets that names_put writes at most. */
#define NAMES_PUT_MAX 64

/* The value of a name, case-insensitive. False when it is none. */
bool names_value(const struct name_table *table, struct str text, uint32_t *ret);

#endif
