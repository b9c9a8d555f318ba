/* rdata_text.c - rdata as text, one RR per line, for differential tests.
 *
 * Reads lines `TYPE HEX` (TYPE in decimal, HEX may be empty), writes for each one line: the
 * presentation format, or `!` where dns_rdata_text says that there is none for these octets.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdio.h>
#include <stdlib.h>

#include "dns.h"

#define RDATA_MAX       65535
#define LINE_MAX_OCTETS (2 * RDATA_MAX + 16)

static int nibble(int c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

/* Octets of the hexadecimal digits at s, up to the first that is none. */
static size_t unhex(const char *s, uint8_t *ret)
{
    size_t n = 0;

    while (n < RDATA_MAX && nibble(s[0]) >= 0 && nibble(s[1]) >= 0) {
        ret[n++] = (uint8_t)(nibble(s[0]) << 4 | nibble(s[1]));
        s += 2;
    }
    return n;
}

int main(void)
{
    char *line = malloc(LINE_MAX_OCTETS);
    struct text t;

    text_init(&t, DNS_TEXT_MAX);
    while (line && fgets(line, LINE_MAX_OCTETS, stdin)) {
        char *hex;
        uint16_t type = (uint16_t)strtoul(line, &hex, 10);
        size_t len;
        uint8_t *rdata;

        while (*hex == ' ')
            hex++;
        len = strspn(hex, "0123456789abcdef") / 2;
        /* Of its exact size, so that a sanitizer sees the first octet read beyond it. */
        rdata = malloc(len ? len : 1);
        if (!rdata)
            break;
        len = unhex(hex, rdata);
        text_clear(&t);
        if (!dns_rdata_text(&t, type, span_of(rdata, len)))
            putchar('!');
        else if (t.len)
            fwrite(t.buf, 1, t.len, stdout);
        putchar('\n');
        free(rdata);
    }
    free(line);
    text_destroy(&t);
    return 0;
}
