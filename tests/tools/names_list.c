/* names_list.c - every row of the tables of DNS names as `TABLE VALUE TEXT`, for differential tests.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdio.h>

#include "names.h"

int main(void)
{
    static const struct {
        const char *name;
        const struct name_table *table;
    } tables[] = {
        {"type", &names_rr_type},       {"class", &names_class},    {"opcode", &names_opcode},
        {"rcode", &names_rcode},        {"ede", &names_ede},        {"svcb", &names_svcb_key},
        {"option", &names_edns_option}, {"cert", &names_cert_type},
    };

    for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
        const struct name_table *table = tables[i].table;

        for (size_t k = 0; k < table->count; k++)
            printf("%s %u %s\n", tables[i].name, table->rows[k].value, table->rows[k].text.ptr);
    }
    return 0;
}
