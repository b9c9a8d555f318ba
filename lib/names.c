/* names.c - look-ups in the tables of names_dns.c and names_dnstap.c.
 *
 * Pure code, constant data, thread-safe.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "names.h"

/* Rows that names_find tries below the one where a table without gaps would have the value. */
#define NAMES_NEAR 3

static const struct name_row *near_row(const struct name_table *table, uint32_t value)
{
    size_t at;

    if (table->count == 0 || value < table->rows[0].value)
        return NULL;
    at = value - table->rows[0].value;
    for (int i = 0; i < NAMES_NEAR && at < table->count; i++, at--) {
        if (table->rows[at].value == value)
            return &table->rows[at];
    }
    return NULL;
}

struct str names_find_far(const struct name_table *table, uint32_t value)
{
    const struct name_row *row = near_row(table, value);
    size_t low = 0, high = table->count;

    if (row)
        return row->text;
    /* Ends: each turn halves high - low. */
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (table->rows[middle].value == value)
            return table->rows[middle].text;
        if (table->rows[middle].value < value)
            low = middle + 1;
        else
            high = middle;
    }
    return (struct str){"", 0};
}

void names_put(struct text *t, const struct name_table *table, uint32_t value)
{
    struct str name = names_find(table, value);

    if (name.len > 0) {
        text_put_str(t, name);
        return;
    }
    text_put_str(t, str_of(table->prefix));
    if (value > INT32_MAX) { /* an enumeration of protobuf's is an int32 */
        text_put_char(t, '-');
        value = -value;
    }
    text_put_u64(t, value);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool same_name(struct str a, struct str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        if (lower(a.ptr[i]) != lower(b.ptr[i]))
            return false;
    }
    return true;
}

bool names_value(const struct name_table *table, struct str text, uint32_t *ret)
{
    for (size_t i = 0; i < table->count; i++) {
        if (same_name(table->rows[i].text, text)) {
            *ret = table->rows[i].value;
            return true;
        }
    }
    return false;
}
