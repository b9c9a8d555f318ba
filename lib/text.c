/* text.c - bounded output text: numbers, encodings, addresses, times.
 *
 * What runs per record (decimal, addresses, times) reserves its worst case once and
 * writes unchecked; no libc formatting. JSON and UTF-8 are in text_json.c.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "text.h"

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
        return true;
    buf = realloc(t->buf, cap);
    if (!buf) {
        t->overflow = true;
        return false;
    }
    t->buf = buf;
    t->cap = cap;
    return true;
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

/* Writes the decimal digits of value so that they end before `end`; returns their start. */
static char *digits_before(char *end, uint64_t value)
{
    while (value >= 100) {
        end -= 2;
        memcpy(end, digit_pairs + value % 100 * 2, 2);
        value /= 100;
    }
    if (value >= 10) {
        end -= 2;
        memcpy(end, digit_pairs + value * 2, 2);
    } else {
        *--end = (char)('0' + value);
    }
    return end;
}

void text_put_u64(struct text *t, uint64_t value)
{
    char digits[U64_DIGITS_MAX];
    char *start = digits_before(digits + sizeof(digits), value);

    text_put(t, start, (size_t)(digits + sizeof(digits) - start));
}

void text_put_u64_pad(struct text *t, uint64_t value, unsigned width)
{
    char digits[U64_DIGITS_MAX];
    char *end = digits + sizeof(digits);
    char *start = digits_before(end, value);

    while (start > digits && (size_t)(end - start) < width)
        *--start = '0';
    text_put(t, start, (size_t)(end - start));
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

void text_put_base64(struct text *t, struct span bytes)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *in = bytes.ptr;
    size_t left = bytes.len, size;
    char *p;

    if (left > t->limit / 2) {
        t->overflow = true;
        return;
    }
    size = (left + 2) / 3 * 4;
    p = text_reserve(t, size);
    if (!p)
        return;
    for (; left >= 3; left -= 3, in += 3, p += 4) {
        p[0] = alphabet[in[0] >> 2];
        p[1] = alphabet[(in[0] & 3) << 4 | in[1] >> 4];
        p[2] = alphabet[(in[1] & 15) << 2 | in[2] >> 6];
        p[3] = alphabet[in[2] & 63];
    }
    if (left) {
        uint8_t second = left == 2 ? in[1] : 0;

        p[0] = alphabet[in[0] >> 2];
        p[1] = alphabet[(in[0] & 3) << 4 | second >> 4];
        p[2] = left == 2 ? alphabet[(second & 15) << 2] : '=';
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

/* Three digits at most; returns the end. */
static char *put_octet(char *p, uint8_t value)
{
    if (value >= 100) {
        *p++ = (char)('0' + value / 100);
        value %= 100;
        memcpy(p, digit_pairs + value * 2, 2);
        return p + 2;
    }
    if (value >= 10) {
        memcpy(p, digit_pairs + value * 2, 2);
        return p + 2;
    }
    *p++ = (char)('0' + value);
    return p;
}

static char *ip4_write(char *p, const uint8_t addr[4])
{
    for (int i = 0; i < 4; i++) {
        if (i)
            *p++ = '.';
        p = put_octet(p, addr[i]);
    }
    return p;
}

void text_put_ip4(struct text *t, const uint8_t addr[4])
{
    char *p = text_reserve(t, 15);

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
