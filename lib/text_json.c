/* text_json.c - strings that came from outside, as JSON (RFC 8259) and as UTF-8 (RFC 3629).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "text.h"
#include "word.h"

#define REPLACEMENT     "\xef\xbf\xbd" /* U+FFFD */
#define REPLACEMENT_LEN 3
#define JSON_WORST      6 /* \u00XX for one octet; an ill-formed octet takes three */

/* What an octet needs inside a JSON string: 0 nothing, 'u' \u00XX, '8' a look at UTF-8,
 * else the letter behind the backslash. */
static const char json_class[256] = {
    ['\b'] = 'b', ['\t'] = 't',      ['\n'] = 'n',  ['\f'] = 'f',
    ['\r'] = 'r', ['"'] = '"',       ['\\'] = '\\', [0 ... 7] = 'u',
    [11] = 'u',   [14 ... 31] = 'u', [127] = 'u',   [128 ... 255] = '8',
};

static bool is_tail(uint8_t octet)
{
    return (octet & 0xc0) == 0x80;
}

/* Length of the well-formed sequence at p (RFC 3629 4), or 0; then *ret_bad is the length of the
 * maximal ill-formed subpart, at least 1. left is at least 1. */
static size_t utf8_sequence(const uint8_t *p, size_t left, size_t *ret_bad)
{
    uint8_t low = 0x80, high = 0xbf;
    size_t want, n;

    *ret_bad = 1;
    if (p[0] < 0x80)
        return 1;
    if (p[0] < 0xc2 || p[0] > 0xf4)
        return 0;
    want = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (p[0] == 0xe0)
        low = 0xa0;
    else if (p[0] == 0xed)
        high = 0x9f;
    else if (p[0] == 0xf0)
        low = 0x90;
    else if (p[0] == 0xf4)
        high = 0x8f;
    if (left < 2 || p[1] < low || p[1] > high)
        return 0;
    for (n = 2; n < want; n++) {
        if (n >= left || !is_tail(p[n])) {
            *ret_bad = n;
            return 0;
        }
    }
    return want;
}

/* Copies one sequence, or U+FFFD for an ill-formed one; moves *p by what it took. */
static char *utf8_copy(char *out, const uint8_t **p, size_t left)
{
    size_t bad, good = utf8_sequence(*p, left, &bad);

    if (good) {
        memcpy(out, *p, good);
        *p += good;
        return out + good;
    }
    memcpy(out, REPLACEMENT, REPLACEMENT_LEN);
    *p += bad;
    return out + REPLACEMENT_LEN;
}

static char *json_escape(char *out, uint8_t octet, char class)
{
    static const char digits[] = "0123456789abcdef";

    *out++ = '\\';
    *out++ = class;
    if (class == 'u') {
        *out++ = '0';
        *out++ = '0';
        *out++ = digits[octet >> 4];
        *out++ = digits[octet & 15];
    }
    return out;
}

/* Lanes of the octets that do not stand for themselves, or are not ASCII. */
static octets16 json_odd(octets16 octets)
{
    return (octets < ' ') | (octets == '"') | (octets == '\\') | (octets == 0x7f);
}

/* Copies or escapes what is at *p, up to `end`; moves *p by what it took. Names of escapes are many times
 * longer than on the wire, so \DDD is taken at once. */
static char *json_copy(char *out, const uint8_t **p, const uint8_t *end)
{
    const uint8_t *in = *p;
    char class = json_class[*in];

    if (class == '8')
        return utf8_copy(out, p, (size_t)(end - in));
    if (class == '\\' && end - in >= 4 &&
        !(json_class[in[1]] | json_class[in[2]] | json_class[in[3]])) {
        *out = '\\';
        memcpy(out + 1, in, 4);
        *p += 4;
        return out + 5;
    }
    *p += 1;
    if (class)
        return json_escape(out, *in, class);
    *out = (char)*in;
    return out + 1;
}

/* Does the whole string stand for itself? */
static bool json_is_plain(struct str s)
{
    octets16 odd = {0};
    size_t i;

    if (s.len == 0) /* then ptr may be NULL, to which nothing may be added, not even 0 */
        return true;
    for (i = 0; s.len - i >= sizeof(odd); i += sizeof(odd))
        odd |= json_odd(octets_load(s.ptr + i));
    odd |= json_odd(octets_load_part(s.ptr + i, s.len - i));
    return !octets_any(odd);
}

void text_put_json_raw(struct text *t, struct str s)
{
    const uint8_t *p = (const uint8_t *)s.ptr, *end;
    char *start, *out;

    if (json_is_plain(s)) {
        text_put_str(t, s);
        return;
    }
    if (s.len > t->limit / JSON_WORST) {
        t->overflow = true;
        return;
    }
    start = out = text_reserve(t, s.len * JSON_WORST);
    if (!out)
        return;
    for (end = p + s.len; p < end;) {
        const uint8_t *block = p + sizeof(octets16);

        if ((size_t)(end - p) < sizeof(octets16)) {
            block = end;
        } else if (!octets_any(json_odd(octets_load(p)))) {
            octets_store(out, octets_load(p));
            out += sizeof(octets16);
            p = block;
        }
        while (p < block)
            out = json_copy(out, &p, end);
    }
    t->len += (size_t)(out - start);
}

void text_put_json(struct text *t, struct str s)
{
    size_t before = t->len;

    text_put_char(t, '"');
    text_put_json_raw(t, s);
    text_put_char(t, '"');
    if (t->overflow)
        t->len = before;
}

/* Ends: every turn but the last takes a sequence of one octet at least. */
bool text_is_printable(struct str s)
{
    const uint8_t *p = (const uint8_t *)s.ptr;
    size_t good, bad;

    for (size_t left = s.len; left > 0; left -= good, p += good) {
        good = utf8_sequence(p, left, &bad);
        if (good == 0 || p[0] < 0x20 || p[0] == 0x7f || (p[0] == 0xc2 && p[1] < 0xa0))
            return false;
    }
    return true;
}

void text_put_utf8(struct text *t, struct str s)
{
    const uint8_t *p = (const uint8_t *)s.ptr, *end;
    char *start, *out;

    if (s.len == 0)
        return;
    if (s.len > t->limit / REPLACEMENT_LEN) {
        t->overflow = true;
        return;
    }
    start = out = text_reserve(t, s.len * REPLACEMENT_LEN);
    if (!out)
        return;
    for (end = p + s.len; p < end;) {
        /* Sixteen octets of ASCII at a time: 3 % of a tree went into looking at each. */
        while ((size_t)(end - p) >= sizeof(octets16) && !octets_any(octets_load(p) < 0)) {
            octets_store(out, octets_load(p));
            out += sizeof(octets16);
            p += sizeof(octets16);
        }
        if (p < end)
            out = utf8_copy(out, &p, (size_t)(end - p));
    }
    t->len += (size_t)(out - start);
}
