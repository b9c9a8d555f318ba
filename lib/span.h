/* span.h - a borrowed byte range, and the checked cursor over one.
 *
 * All pointer arithmetic on input goes through a cursor: a length is compared
 * with what is left, by subtraction, before a byte is read.
 *
 * Pure code: no allocation, no I/O, no globals, thread-safe.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SPAN_H
#define SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Bytes that somebody else owns. ptr may be NULL only when len is 0. */
struct span {
    const uint8_t *ptr;
    size_t len;
};

/* For text that formatters copy: also borrowed, never NUL-terminated. */
struct str {
    const char *ptr;
    size_t len;
};

#define STR(literal) ((struct str){literal, sizeof(literal) - 1})

static inline struct span span_of(const void *ptr, size_t len)
{
    return (struct span){ptr, len};
}

static inline bool span_equal(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline struct str str_of(const char *text)
{
    return (struct str){text, strlen(text)};
}

static inline bool str_equal(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* What is left to read. Copy it to look ahead: it holds no other state. */
struct cursor {
    const uint8_t *pos;
    const uint8_t *end;
};

static inline struct cursor cursor_of(struct span input)
{
    return (struct cursor){input.ptr, input.len ? input.ptr + input.len : input.ptr};
}

static inline size_t cursor_left(const struct cursor *c)
{
    return (size_t)(c->end - c->pos);
}

/* The readers return false, and move nothing, when too little is left. */
static inline bool cursor_span(struct cursor *c, size_t len, struct span *ret)
{
    if (len > cursor_left(c))
        return false;
    *ret = span_of(c->pos, len);
    if (len)
        c->pos += len;
    return true;
}

static inline bool cursor_u8(struct cursor *c, uint8_t *ret)
{
    if (cursor_left(c) < 1)
        return false;
    *ret = c->pos[0];
    c->pos += 1;
    return true;
}

/* Network byte order, as everything in DNS and Frame Streams. */
static inline bool cursor_be16(struct cursor *c, uint16_t *ret)
{
    if (cursor_left(c) < 2)
        return false;
    *ret = (uint16_t)((c->pos[0] << 8) | c->pos[1]);
    c->pos += 2;
    return true;
}

static inline bool cursor_be32(struct cursor *c, uint32_t *ret)
{
    if (cursor_left(c) < 4)
        return false;
    *ret = (uint32_t)c->pos[0] << 24 | (uint32_t)c->pos[1] << 16 | (uint32_t)c->pos[2] << 8 |
           c->pos[3];
    c->pos += 4;
    return true;
}

#endif
