/* word.h - eight or sixteen octets at a time: copies, decimal digits, a look for octets that need an escape.
 *
 * A word holds the octets in their order in memory, the first one lowest, on any machine. Tests
 * give a word with the high bit of each octet in question set; borrows make bits above the lowest
 * one unreliable, so they are right as "any?" and about the first.
 *
 * Pure code: no allocation, no globals, thread-safe.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef WORD_H
#define WORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define WORD_ONES UINT64_C(0x0101010101010101)
#define WORD_HIGH (WORD_ONES << 7)

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define WORD_ORDER(word) __builtin_bswap64(word)
#else
#define WORD_ORDER(word) (word)
#endif

static inline uint64_t word_load(const void *p)
{
    uint64_t word;

    memcpy(&word, p, sizeof(word));
    return WORD_ORDER(word);
}

static inline void word_store(void *p, uint64_t word)
{
    word = WORD_ORDER(word);
    memcpy(p, &word, sizeof(word));
}

/* Less than eight octets, and zeros above them: reads nothing else. */
static inline uint64_t word_load_part(const void *from, size_t len)
{
    const uint8_t *p = from;
    uint64_t word = 0;

    if (len & 4) {
        word = p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24;
        word |= ((uint64_t)p[len - 4] | (uint64_t)p[len - 3] << 8 | (uint64_t)p[len - 2] << 16 |
                 (uint64_t)p[len - 1] << 24)
                << 8 * (len - 4);
        return word;
    }
    if (len == 0)
        return 0;
    word = p[0] | (uint64_t)p[len / 2] << 8 * (len / 2);
    return word | (uint64_t)p[len - 1] << 8 * (len - 1);
}

/* Octets `"` and `\`. */
static inline uint64_t word_quotes(uint64_t word)
{
    uint64_t quote = word ^ (WORD_ONES * '"'), backslash = word ^ (WORD_ONES * '\\');

    return (((quote - WORD_ONES) & ~quote) | ((backslash - WORD_ONES) & ~backslash)) & WORD_HIGH;
}

/* Octets before the first one that a test found; the result was not zero. */
static inline size_t word_first(uint64_t found)
{
    return (unsigned)__builtin_ctzll(found) / 8;
}

/* Sixteen octets, signed, so that 0x80 and above are below every character. Comparisons give -1 in each lane
 * where they hold: one instruction for what takes four or five in a word. */
typedef signed char octets16 __attribute__((vector_size(16)));

static inline octets16 octets_load(const void *p)
{
    octets16 octets;

    memcpy(&octets, p, sizeof(octets));
    return octets;
}

static inline void octets_store(void *p, octets16 octets)
{
    memcpy(p, &octets, sizeof(octets));
}

static inline bool octets_any(octets16 lanes)
{
    uint64_t halves[2];

    memcpy(halves, &lanes, sizeof(halves));
    return halves[0] | halves[1];
}

/* Less than sixteen octets, `'-'` behind or between them: reads nothing else. For a look, not for a copy. */
static inline octets16 octets_load_part(const void *from, size_t len)
{
    const uint8_t *p = from;
    uint64_t halves[2] = {WORD_ONES * '-', WORD_ONES * '-'};
    octets16 octets;

    if (len >= 8) {
        halves[0] = word_load(p);
        halves[1] = word_load(p + len - 8);
    } else if (len > 0) {
        halves[0] = word_load_part(p, len) | (WORD_ONES * '-') << 8 * len;
    }
    memcpy(&octets, halves, sizeof(octets));
    return octets;
}

#define WORD_DIGITS_LIMIT 100000000

/* The eight digits of a number below WORD_DIGITS_LIMIT, zeros in front included, as values 0 to 9: halves,
 * quarters and eighths of it are divided in one multiplication each. */
static inline uint64_t word_digits(uint32_t value)
{
    uint64_t fours = value / 10000 | (uint64_t)(value % 10000) << 32;
    uint64_t hundreds = (fours * 5243 >> 19) & UINT64_C(0x0000007f0000007f);
    uint64_t twos = hundreds + ((fours - 100 * hundreds) << 16);
    uint64_t tens = (twos * 103 >> 10) & UINT64_C(0x000f000f000f000f);

    return tens + ((twos - 10 * tens) << 8);
}

/* As word_digits, of a number below 10,000: the last four octets of the result. */
static inline uint64_t word_four_digits(uint32_t value)
{
    uint64_t hundreds = value * 5243 >> 19;
    uint64_t twos = hundreds | (value - 100 * hundreds) << 16;
    uint64_t tens = (twos * 103 >> 10) & 0x000f000f;

    return (tens + ((twos - 10 * tens) << 8)) << 32;
}

/* Eight digits, zeros in front included; returns the end. */
static inline char *word_put_eight(char *p, uint32_t value)
{
    word_store(p, word_digits(value) | WORD_ONES * '0');
    return p + 8;
}

static inline char *word_put_few(char *p, uint32_t value)
{
    uint64_t digits;
    size_t zeros;

    if (value < 10) {
        *p = (char)('0' + value);
        return p + 1;
    }
    if (value < 100) {
        p[0] = (char)('0' + value / 10);
        p[1] = (char)('0' + value % 10);
        return p + 2;
    }
    digits = value < 10000 ? word_four_digits(value) : word_digits(value);
    zeros = word_first(digits);
    word_store(p, (digits | WORD_ONES * '0') >> 8 * zeros);
    return p + 8 - zeros;
}

#define WORD_PUT_MAX 24 /* octets that word_put_u64 touches, beyond the number's last digit too */

/* Writes a number in decimal; returns its end. */
static inline char *word_put_u64(char *p, uint64_t value)
{
    const uint64_t limit = WORD_DIGITS_LIMIT;

    if (value < limit)
        return word_put_few(p, (uint32_t)value);
    if (value < limit * limit) {
        p = word_put_few(p, (uint32_t)(value / limit));
    } else {
        p = word_put_few(p, (uint32_t)(value / (limit * limit)));
        p = word_put_eight(p, (uint32_t)(value / limit % limit));
    }
    return word_put_eight(p, (uint32_t)(value % limit));
}

/* Writes nine digits, zeros in front included: nanoseconds. value is below 1,000,000,000. */
static inline char *word_put_nsec(char *p, uint32_t value)
{
    *p = (char)('0' + value / WORD_DIGITS_LIMIT);
    return word_put_eight(p + 1, value % WORD_DIGITS_LIMIT);
}

#endif
