/* text.h - bounded, growing output text with a sticky overflow.
 *
 * Calling pattern: text_init once per worker with a limit, text_clear per
 * event, any number of text_put_*, then look at overflow once. After an overflow
 * every put is a no-op, so text up to `len` is always whole puts: a formatter that
 * wants to cut at a boundary remembers `len` and uses text_cut.
 *
 * The buffer is grown by doubling up to the limit and kept from event to event:
 * no allocation per event once warm. text.buf is not NUL-terminated and moves
 * when it grows: keep offsets, not pointers, across puts.
 *
 * No I/O, no globals; one text belongs to one thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TEXT_H
#define TEXT_H

#include "span.h"

struct text {
    char *buf;     /* owned; NULL until the first put */
    size_t len;    /* bytes in use */
    size_t cap;    /* bytes allocated */
    size_t limit;  /* bytes it may grow to */
    bool overflow; /* a put did not fit the limit, or memory ran out */
};

void text_init(struct text *t, size_t limit);
void text_destroy(struct text *t); /* takes an unused or zeroed text too */

static inline void text_clear(struct text *t)
{
    t->len = 0;
    t->overflow = false;
}

/* Drop everything after `len`, and the overflow with it. */
static inline void text_cut(struct text *t, size_t len)
{
    if (len <= t->len)
        t->len = len;
    t->overflow = false;
}

/* Gives the buffer away: the text with a NUL behind it, and room for nothing else. The caller frees it, and
 * the text is as new. NULL: no memory or no room for the NUL, and nothing has changed. */
char *text_take(struct text *t);

static inline struct str text_str(const struct text *t)
{
    return (struct str){t->buf, t->len};
}

/* Grow so that n more bytes fit. False (and overflow) when that passes the limit. */
bool text_grow(struct text *t, size_t n);

/* Room for n unchecked bytes at the returned pointer, or NULL on overflow. The
 * caller writes at most n and adds what it wrote to t->len. */
static inline char *text_reserve(struct text *t, size_t n)
{
    /* Not only when too little is left: a text without buffer gets one for no octets, too. */
    if (t->overflow || (n >= t->cap - t->len && !text_grow(t, n)))
        return NULL;
    return t->buf + t->len;
}

static inline void text_put(struct text *t, const char *s, size_t len)
{
    char *p = text_reserve(t, len);

    if (p && len) {
        memcpy(p, s, len);
        t->len += len;
    }
}

static inline void text_put_str(struct text *t, struct str s)
{
    text_put(t, s.ptr, s.len);
}

static inline void text_put_char(struct text *t, char c)
{
    char *p = text_reserve(t, 1);

    if (p) {
        *p = c;
        t->len++;
    }
}

#define text_put_lit(t, literal) text_put((t), literal, sizeof(literal) - 1)

void text_put_u64(struct text *t, uint64_t value);                     /* decimal */
void text_put_u64_pad(struct text *t, uint64_t value, unsigned width); /* decimal, zero-padded */
void text_put_nsec(struct text *t, uint32_t nsec);       /* nine digits, of a number below 10^9 */
void text_put_hex(struct text *t, struct span bytes);    /* lower case */
void text_put_HEX(struct text *t, struct span bytes);    /* upper case */
void text_put_base64(struct text *t, struct span bytes); /* RFC 4648 4, padded */
void text_put_base32hex(struct text *t, struct span bytes); /* RFC 4648 7, no padding (NSEC3) */
void text_put_ip4(struct text *t, const uint8_t addr[4]);   /* dotted quad */
void text_put_ip6(struct text *t, const uint8_t addr[16]);  /* RFC 5952 */
/* 4 octets as IPv4, 16 as IPv6 (v4-mapped as ::ffff:a.b.c.d), anything else as hex. */
void text_put_addr(struct text *t, struct span addr);
/* RFC 3339, UTC, nine decimals and Z. Any 64-bit second count is written: years
 * beyond 9999 as @SECONDS.NANOSECONDS. */
void text_put_rfc3339(struct text *t, uint64_t sec, uint32_t nsec);
/* YYYYMMDDHHmmSS, UTC (RFC 4034 3.2). */
void text_put_compact_time(struct text *t, uint32_t sec);

/* A JSON string with its quotes (RFC 8259). Bytes that are not UTF-8 become U+FFFD,
 * one per maximal ill-formed subpart; control bytes are escaped. Whole or not at all. */
void text_put_json(struct text *t, struct str s);
/* The same without the quotes. */
void text_put_json_raw(struct text *t, struct str s);
/* Well-formed UTF-8 without control characters (Unicode's Cc)? */
bool text_is_printable(struct str s);
/* UTF-8 made well-formed (as above) but not escaped. */
void text_put_utf8(struct text *t, struct str s);

#endif
