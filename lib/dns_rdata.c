/* dns_rdata.c - rdata in presentation format: the driver.
 *
 * It walks a type's row of dns_rdata_table.c, whose fields are in dns_rdata_fields.c, _special.c and _svcb.c. What
 * does not fit the row, octets left over included, is written as RFC 3597 5 instead; so are types of class IN in
 * other classes. The text stands for the same
 * octets again, but for zeros that say nothing: the last ones of WKS's ports, the power of ten of a LOC size of zero.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "dns_internal.h"

void dns_generic_put(struct text *t, struct span rdata)
{
    if (rdata.len == 0) {
        text_put_lit(t, "\\# 0");
        return;
    }
    if (rdata.len == 2) { /* a pointer that cannot be followed, in each RR of a hostile message */
        text_put_lit(t, "\\# 2 ");
    } else {
        text_put_lit(t, "\\# ");
        text_put_u64(t, rdata.len);
        text_put_char(t, ' ');
    }
    text_put_HEX(t, rdata);
}

static bool fields_put(struct dns_rdata *r, const struct dns_rdata_row *row)
{
    for (size_t i = 0; row->fields[i]; i++) {
        if (i > 0)
            text_put_char(r->out, ' ');
        if (!row->fields[i](r))
            return false;
    }
    if (cursor_left(&r->in) > 0)
        return dns_rdata_broken(r, "octets left over in rdata");
    return true;
}

/* An empty last field leaves the blank before it, a bit map one behind it. */
static size_t trimmed(const struct text *t, size_t start)
{
    size_t len = t->len;

    while (len > start && t->buf[len - 1] == ' ')
        len--;
    return len;
}

bool dns_rdata_put(struct dns_rdata *r, uint16_t type, struct str *ret)
{
    const struct dns_rdata_row *row =
        dns_rdata_in_class(type, r->class) ? dns_rdata_row(type) : NULL;
    struct span rdata = {r->in.pos, cursor_left(&r->in)};
    size_t start = r->out->len;
    bool good = true;

    if (row && row->fields[0]) {
        good = fields_put(r, row);
        if (good && !r->out->overflow)
            r->out->len = trimmed(r->out, start);
        else
            start = r->out->len; /* kept: remembered names point into the text */
    }
    if (!row || !row->fields[0] || !good)
        dns_generic_put(r->out, rdata);
    *ret = (struct str){r->out->buf + start, r->out->len - start};
    return good || !r->reason;
}

bool dns_rdata_text(struct text *t, uint16_t type, struct span rdata)
{
    struct dns_names names = {.message = rdata};
    struct dns_rdata r = {.in = cursor_of(rdata), .out = t, .names = &names, .class = 1};
    const struct dns_rdata_row *row = dns_rdata_row(type);
    size_t start = t->len;
    bool good;

    if (!row || !row->fields[0]) {
        dns_generic_put(t, rdata);
        return !t->overflow;
    }
    good = fields_put(&r, row);
    if (good && !t->overflow) {
        t->len = trimmed(t, start);
        return true;
    }
    text_cut(t, start);
    dns_generic_put(t, rdata);
    return !good && !r.reason;
}
