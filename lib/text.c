/* text.c - bounded output text: numbers, encodings, addresses, times.
 *
 * What runs per record (decimal, addresses, times) reserves its worst case once and
 * writes unchecked; no libc formatting. JSON and UTF-8 are in text_json.c.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "text.h"
#include "word.h"

#include <stdlib.h>

#define TEXT_FIRST_ALLOCATION 4096
#define U64_DIGITS_MAX        20

void text_init(struct text *t, size_t limit)
{
    *t = (struct text){.limit = limit};
}

void text_destroy(struct text *t)
{
    if (!t)
        return;
    free(t->buf);
    *t = (struct text){.buf = NULL};
}

bool text_grow(struct text *t, size_t n)
{
    size_t cap = t->cap ? t->cap : TEXT_FIRST_ALLOCATION;
    char *buf;

    if (t->overflow)
        return false;
    if (n > t->limit || t->len > t->limit - n) {
        t->overflow = true;
        return false;
    }
    /* Ends: cap doubles, and len + n is at most limit. */
    while (cap < t->len + n)
        cap = cap > t->limit / 2 ? t->limit : cap * 2;
    if (cap > t->limit)
        cap = t->limit;
    if (cap <= t->cap)
        return t->buf != NULL; /* no octets of a text that may have none */
    buf = realloc(t->buf, cap);
    if (!buf) {
        t->overflow = true;
        return false;
    }
    t->buf = buf;
    t->cap = cap;
    return true;
}

char *text_take(struct text *t)
{
    char *buf;

    if (t->cap <= t->len || !(buf = realloc(t->buf, t->len + 1)))
        return NULL;
    buf[t->len] = '\0';
    text_init(t, t->limit);
    return buf;
}

static const char digit_pairs[] = "00010203040506070809"
                                  "10111213141516171819"
                                  "20212223242526272829"
                                  "30313233343536373839"
                                  "40414243444546474849"
                                  "50515253545556575859"
                                  "60616263646566676869"
                                  "70717273747576777879"
                                  "80818283848586878889"
                                  "90919293949596979899";

void text_put_u64(struct text *t, uint64_t value)
{
    char digits[WORD_PUT_MAX];

    if (!t->overflow && t->cap - t->len >= WORD_PUT_MAX)
        t->len = (size_t)(word_put_u64(t->buf + t->len, value) - t->buf);
    else
        text_put(t, digits, (size_t)(word_put_u64(digits, value) - digits));
}

void text_put_u64_pad(struct text *t, uint64_t value, unsigned width)
{
    char digits[U64_DIGITS_MAX + WORD_PUT_MAX];
    char *start = digits + U64_DIGITS_MAX, *end = word_put_u64(start, value);

    while (start > digits && (size_t)(end - start) < width && end - start < U64_DIGITS_MAX)
        *--start = '0';
    text_put(t, start, (size_t)(end - start));
}

void text_put_nsec(struct text *t, uint32_t nsec)
{
    char *p = text_reserve(t, 9);

    if (p)
        t->len += (size_t)(word_put_nsec(p, nsec) - p);
}

static void put_hex(struct text *t, struct span bytes, const char digits[16])
{
    char *p;

    if (bytes.len > t->limit / 2) {
        t->overflow = true;
        return;
    }
    p = text_reserve(t, bytes.len * 2);
    if (!p)
        return;
    for (size_t i = 0; i < bytes.len; i++) {
        *p++ = digits[bytes.ptr[i] >> 4];
        *p++ = digits[bytes.ptr[i] & 15];
    }
    t->len += bytes.len * 2;
}

void text_put_hex(struct text *t, struct span bytes)
{
    put_hex(t, bytes, "0123456789abcdef");
}

void text_put_HEX(struct text *t, struct span bytes)
{
    put_hex(t, bytes, "0123456789ABCDEF");
}

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Six octets, of eight that are read. */
static inline void base64_two_quanta(char *p, const uint8_t *in)
{
    uint64_t word = __builtin_bswap64(word_load(in)); /* the first octet highest */

    p[0] = base64_digits[word >> 58];
    p[1] = base64_digits[word >> 52 & 63];
    p[2] = base64_digits[word >> 46 & 63];
    p[3] = base64_digits[word >> 40 & 63];
    p[4] = base64_digits[word >> 34 & 63];
    p[5] = base64_digits[word >> 28 & 63];
    p[6] = base64_digits[word >> 22 & 63];
    p[7] = base64_digits[word >> 16 & 63];
}

void text_put_base64(struct text *t, struct span bytes)
{
    const uint8_t *in = bytes.ptr;
    size_t left = bytes.len, size;
    char *p;

    if (left > t->limit / 4 * 3) {
        t->overflow = true;
        return;
    }
    size = (left + 2) / 3 * 4;
    p = text_reserve(t, size);
    if (!p)
        return;
    for (; left >= 8; left -= 6, in += 6, p += 8)
        base64_two_quanta(p, in);
    for (; left >= 3; left -= 3, in += 3, p += 4) {
        p[0] = base64_digits[in[0] >> 2];
        p[1] = base64_digits[(in[0] & 3) << 4 | in[1] >> 4];
        p[2] = base64_digits[(in[1] & 15) << 2 | in[2] >> 6];
        p[3] = base64_digits[in[2] & 63];
    }
    if (left) {
        uint8_t second = left == 2 ? in[1] : 0;

        p[0] = base64_digits[in[0] >> 2];
        p[1] = base64_digits[(in[0] & 3) << 4 | second >> 4];
        p[2] = left == 2 ? base64_digits[(second & 15) << 2] : '=';
        p[3] = '=';
    }
    t->len += size;
}

void text_put_base32hex(struct text *t, struct span bytes)
{
    static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUV";
    size_t size;
    uint32_t bits = 0;
    unsigned held = 0;
    char *p;

    if (bytes.len > t->limit / 2) {
        t->overflow = true;
        return;
    }
    size = (bytes.len * 8 + 4) / 5;
    p = text_reserve(t, size);
    if (!p)
        return;
    for (size_t i = 0; i < bytes.len; i++) {
        bits = bits << 8 | bytes.ptr[i];
        for (held += 8; held >= 5; held -= 5)
            *p++ = alphabet[bits >> (held - 5) & 31];
    }
    if (held)
        *p = alphabet[bits << (5 - held) & 31];
    t->len += size;
}

/* An octet in decimal and a dot behind it, in one move of four: 40 instructions less per address than to divide. */
static const struct {
    char text[7];
    uint8_t len; /* without the dot */
} octets[] = {
#define ONE(digits, len)                                                                           \
    {                                                                                              \
        digits ".", len                                                                            \
    }
#define TEN(tens, len)                                                                             \
    ONE(tens "0", len), ONE(tens "1", len), ONE(tens "2", len), ONE(tens "3", len),                \
        ONE(tens "4", len), ONE(tens "5", len), ONE(tens "6", len), ONE(tens "7", len),            \
        ONE(tens "8", len), ONE(tens "9", len)
    TEN("", 1),   TEN("1", 2),  TEN("2", 2),  TEN("3", 2),  TEN("4", 2),  TEN("5", 2),
    TEN("6", 2),  TEN("7", 2),  TEN("8", 2),  TEN("9", 2),  TEN("10", 3), TEN("11", 3),
    TEN("12", 3), TEN("13", 3), TEN("14", 3), TEN("15", 3), TEN("16", 3), TEN("17", 3),
    TEN("18", 3), TEN("19", 3), TEN("20", 3), TEN("21", 3), TEN("22", 3), TEN("23", 3),
    TEN("24", 3), TEN("25", 3),
#undef TEN
#undef ONE
};

#define IP4_ROOM 16 /* "255.255.255.255" and the last octet's dot */

/* Touches IP4_ROOM octets at most. */
static inline char *ip4_write(char *p, const uint8_t addr[4])
{
    for (int i = 0; i < 4; i++) {
        memcpy(p, octets[addr[i]].text, 4);
        p += octets[addr[i]].len + 1;
    }
    return p - 1;
}

void text_put_ip4(struct text *t, const uint8_t addr[4])
{
    char *p = text_reserve(t, IP4_ROOM);

    if (p)
        t->len += (size_t)(ip4_write(p, addr) - p);
}

static char *group_write(char *p, unsigned group)
{
    static const char digits[] = "0123456789abcdef";
    int shift = group >= 0x1000 ? 12 : group >= 0x100 ? 8 : group >= 0x10 ? 4 : 0;

    for (; shift >= 0; shift -= 4)
        *p++ = digits[group >> shift & 15];
    return p;
}

/* The first longest run of two or more zero groups (RFC 5952 4.2.3); *ret_len 0 when none. */
static int longest_zero_run(const unsigned group[8], int *ret_len)
{
    int best = -1, best_len = 1;

    for (int i = 0; i < 8; i++) {
        int n = 0;

        while (i + n < 8 && group[i + n] == 0)
            n++;
        if (n > best_len) {
            best = i;
            best_len = n;
        }
        i += n;
    }
    *ret_len = best < 0 ? 0 : best_len;
    return best;
}

void text_put_ip6(struct text *t, const uint8_t addr[16])
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    unsigned group[8];
    int zero, zero_len;
    char *start = text_reserve(t, 45), *p = start;

    if (!p)
        return;
    if (memcmp(addr, mapped, sizeof(mapped)) == 0) {
        memcpy(p, "::ffff:", 7);
        t->len += (size_t)(ip4_write(p + 7, addr + 12) - start);
        return;
    }
    for (int i = 0; i < 8; i++)
        group[i] = (unsigned)addr[2 * i] << 8 | addr[2 * i + 1];
    zero = longest_zero_run(group, &zero_len);
    for (int i = 0; i < 8; i++) {
        if (i == zero) {
            *p++ = ':';
            i += zero_len - 1;
            if (i == 7)
                *p++ = ':';
            continue;
        }
        if (i)
            *p++ = ':';
        p = group_write(p, group[i]);
    }
    t->len += (size_t)(p - start);
}

void text_put_addr(struct text *t, struct span addr)
{
    if (addr.len == 4)
        text_put_ip4(t, addr.ptr);
    else if (addr.len == 16)
        text_put_ip6(t, addr.ptr);
    else
        text_put_hex(t, addr);
}

/* Days since 1970-01-01 to the proleptic Gregorian date, by whole 400-year eras of
 * 146,097 days counted from 0000-03-01. */
static void date_of_days(uint64_t days, unsigned *year, unsigned *month, unsigned *day)
{
    uint64_t since = days + 719468;
    uint64_t era = since / 146097;
    unsigned in_era = (unsigned)(since % 146097);
    unsigned y = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    unsigned in_year = in_era - (365 * y + y / 4 - y / 100);
    unsigned m = (5 * in_year + 2) / 153;

    *day = in_year - (153 * m + 2) / 5 + 1;
    *month = m < 10 ? m + 3 : m - 9;
    *year = y + (unsigned)era * 400 + (*month <= 2);
}

static char *pair_write(char *p, unsigned value, char then)
{
    memcpy(p, digit_pairs + value * 2, 2);
    p[2] = then;
    return p + 3;
}

void text_put_compact_time(struct text *t, uint32_t sec)
{
    unsigned year, month, day, second = sec % 86400;
    char *p = text_reserve(t, 14);

    if (!p)
        return;
    date_of_days(sec / 86400, &year, &month, &day);
    word_put_eight(p + 6, second / 3600 * 10000 + second / 60 % 60 * 100 + second % 60);
    word_put_eight(p, year * 10000 + month * 100 + day);
    t->len += 14;
}

#define RFC3339_SEC_MAX UINT64_C(253402300799) /* 9999-12-31T23:59:59Z */

void text_put_rfc3339(struct text *t, uint64_t sec, uint32_t nsec)
{
    unsigned year, month, day, second = (unsigned)(sec % 86400);
    char *p;

    if (sec > RFC3339_SEC_MAX) {
        text_put_char(t, '@');
        text_put_u64(t, sec);
        text_put_char(t, '.');
        text_put_u64_pad(t, nsec, 9);
        return;
    }
    p = text_reserve(t, 31);
    if (!p)
        return;
    date_of_days(sec / 86400, &year, &month, &day);
    memcpy(p, digit_pairs + year / 100 * 2, 2);
    p = pair_write(p + 2, year % 100, '-');
    p = pair_write(p, month, '-');
    p = pair_write(p, day, 'T');
    p = pair_write(p, second / 3600, ':');
    p = pair_write(p, second / 60 % 60, ':');
    pair_write(p, second % 60, '.');
    t->len += 20;
    text_put_u64_pad(t, nsec, 9);
    text_put_char(t, 'Z');
}
