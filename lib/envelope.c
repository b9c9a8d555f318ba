/* envelope.c - the contract between the two modules: head, COBS, base64, raw.
 *
 * COBS is Cheshire and Baker's "Consistent Overhead Byte Stuffing" (1999), without the final zero.
 * Encoding reserves the worst case of a frame once and writes unchecked; decoding never writes more than it
 * reads.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "envelope.h"
#include "word.h"

#define MARKER     "dnstap1 "
#define MARKER_LEN (sizeof(MARKER) - 1)

/* A code octet and the most octets without zero behind it. */
#define COBS_BLOCK_MAX 254

#define LENGTH_LEN 4 /* of a data frame's length (fstrm: data frame) */
/* The length and the beginning of the frame, which is one word for COBS. */
#define FIRST_MAX  8

/* Of an attribute's value as written: together with the rest they stay under ENVELOPE_HEAD_MAX. */
#define PEER_TEXT_MAX 192
#define TLS_TEXT_MAX  704
#define HEAD_REST_MAX 64 /* marker, encoding, sample=4294967295, the other keys, the bar */

_Static_assert(PEER_TEXT_MAX + TLS_TEXT_MAX + HEAD_REST_MAX <= ENVELOPE_HEAD_MAX, "head too long");

size_t envelope_size_max(enum envelope_encoding encoding, size_t run)
{
    if (run > SIZE_MAX / 2 - ENVELOPE_HEAD_MAX)
        return SIZE_MAX;
    switch (encoding) {
    case ENVELOPE_COBS:
        return ENVELOPE_HEAD_MAX + run + run / COBS_BLOCK_MAX + 1;
    case ENVELOPE_BASE64:
        return ENVELOPE_HEAD_MAX + run / 3 * 4 + 4;
    case ENVELOPE_RAW:
        break;
    }
    return ENVELOPE_HEAD_MAX + run;
}

static bool is_plain(uint8_t c)
{
    return c >= 0x21 && c <= 0x7e && c != '|' && c != '%';
}

/* A value with everything odd as %HH; what passes `max` is cut off between octets. */
static void put_value(struct text *t, struct str value, size_t max)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t used = 0;

    for (size_t i = 0; i < value.len; i++) {
        uint8_t c = (uint8_t)value.ptr[i];
        size_t width = is_plain(c) ? 1 : 3;

        if (width > max - used)
            return;
        used += width;
        if (width == 1) {
            text_put_char(t, (char)c);
        } else {
            char escaped[3] = {'%', digits[c >> 4], digits[c & 15]};

            text_put(t, escaped, sizeof(escaped));
        }
    }
}

void envelope_head(struct text *t, enum envelope_encoding encoding,
                   const struct envelope_attributes *attributes)
{
    text_put_lit(t, MARKER);
    text_put_char(t, (char)encoding);
    if (attributes->sample > 1) {
        text_put_lit(t, " sample=");
        text_put_u64(t, attributes->sample);
    }
    if (attributes->peer.len) {
        text_put_lit(t, " peer=");
        put_value(t, attributes->peer, PEER_TEXT_MAX);
    }
    if (attributes->tls.len) {
        text_put_lit(t, " tls=");
        put_value(t, attributes->tls, TLS_TEXT_MAX);
    }
    text_put_char(t, '|');
}

/* Eight octets: a zero's place is the next block's code octet. `code` is where the open block has its code octet, from
 * `out`; returned is where it is then. */
static inline ptrdiff_t cobs_word(uint8_t *out, ptrdiff_t code, uint64_t word)
{
    const uint64_t low = ~WORD_HIGH;
    uint64_t zeros = ~(((word & low) + low) | word | low); /* exact in every octet */

    word_store(out, word);
    for (; zeros; zeros &= zeros - 1) {
        ptrdiff_t zero = (ptrdiff_t)word_first(zeros);

        out[code] = (uint8_t)(zero - code);
        code = zero;
    }
    return code;
}

/* Less than a word: one with ones for the octets that it does not have. Eight before the end are readable. */
static inline uint64_t cobs_last(const uint8_t *end, size_t left)
{
    return word_load(end - 8) >> 8 * (8 - left) | WORD_ONES << 8 * left;
}

/* Goes on with the block whose code octet is *ret_code from `out`, and leaves the last one open: its code octet, then
 * from the end, is written by envelope_end. Needs room for in.len + in.len / 254 + 1 octets, and touches up to seven
 * behind them. Returns the end. Ends: every turn takes an octet of the input, or more. */
static inline uint8_t *cobs_encode(uint8_t *out, ptrdiff_t *ret_code, struct span in)
{
    const ptrdiff_t full = -(COBS_BLOCK_MAX + 1), has_word = full + 8;
    const uint8_t *at = in.ptr, *end = cursor_of(in).end;
    ptrdiff_t code = *ret_code;

    while (at < end) {
        for (; end - at >= 8 && code > has_word; at += 8, out += 8)
            code = cobs_word(out, code, word_load(at)) - 8;
        if (at == end)
            break;
        if (in.len >= 8 && code > has_word) {
            ptrdiff_t left = end - at;

            code = cobs_word(out, code, cobs_last(end, (size_t)left)) - left;
            out += left;
            break;
        }
        /* A block that is full ends only when there is more: the last one has no end. */
        if (code == full) {
            out[code] = COBS_BLOCK_MAX + 1;
            code = -1;
            out++;
        }
        *out = *at++;
        if (*out == 0) {
            out[code] = (uint8_t)-code;
            code = 0;
        }
        out++;
        code--;
    }
    *ret_code = code;
    return out;
}

static void cobs_put(struct envelope_writer *w, struct span first, struct span rest)
{
    const struct span parts[] = {first, rest};
    uint8_t *buf = (uint8_t *)w->t->buf, *out = buf + w->t->len;
    ptrdiff_t code = (ptrdiff_t)w->code - (ptrdiff_t)w->t->len;

    for (int i = 0; i < 2; i++)
        out = cobs_encode(out, &code, parts[i]);
    w->t->len = (size_t)(out - buf);
    w->code = (size_t)(out + code - buf);
}

/* Whole quanta go on, what is left of the last one waits. The beginning is put together, so that the rest, which is
 * long, goes straight to the text. */
static void base64_put(struct envelope_writer *w, struct span first, struct span rest)
{
    uint8_t start[sizeof(w->held) + FIRST_MAX + 2];
    size_t len = w->held_len, whole;

    memcpy(start, w->held, sizeof(w->held));
    memcpy(start + len, first.ptr, first.len);
    len += first.len;
    for (; len % 3 && rest.len; rest.len--)
        start[len++] = *rest.ptr++;
    whole = len / 3 * 3;
    text_put_base64(w->t, span_of(start, whole));
    if (rest.len) {
        whole = rest.len / 3 * 3;
        text_put_base64(w->t, span_of(rest.ptr, whole));
    } else {
        rest = span_of(start, len);
    }
    w->held_len = (uint8_t)(rest.len - whole);
    memcpy(w->held, rest.ptr + whole, w->held_len);
}

/* Octets of the run, the first FIRST_MAX at most. The caller has reserved room for them. */
static void put(struct envelope_writer *w, struct span first, struct span rest)
{
    switch (w->encoding) {
    case ENVELOPE_COBS:
        cobs_put(w, first, rest);
        break;
    case ENVELOPE_BASE64:
        base64_put(w, first, rest);
        break;
    case ENVELOPE_RAW:
        text_put(w->t, (const char *)first.ptr, first.len);
        text_put(w->t, (const char *)rest.ptr, rest.len);
        break;
    }
}

/* What put asks for, in the worst case, and envelope_end: base64's last quantum, a word that COBS writes
 * for less, the caller's NUL. */
static size_t put_room(enum envelope_encoding encoding, size_t len)
{
    return envelope_size_max(encoding, len) - ENVELOPE_HEAD_MAX + 8;
}

size_t envelope_writer_size(enum envelope_encoding encoding, size_t head, size_t frame)
{
    return head + 1 + put_room(encoding, LENGTH_LEN + frame) + 1;
}

bool envelope_begin(struct envelope_writer *w, struct text *t, enum envelope_encoding encoding,
                    struct str head)
{
    *w = (struct envelope_writer){.t = t, .encoding = encoding, .code = t->len + head.len};
    text_put_str(t, head);
    if (encoding == ENVELOPE_COBS)
        text_put_char(t, 0);
    return !t->overflow;
}

bool envelope_append(struct envelope_writer *w, struct span frame)
{
    size_t len = frame.len < FIRST_MAX - LENGTH_LEN ? frame.len : FIRST_MAX - LENGTH_LEN;
    uint8_t first[FIRST_MAX] = {(uint8_t)(frame.len >> 24), (uint8_t)(frame.len >> 16),
                                (uint8_t)(frame.len >> 8), (uint8_t)frame.len};

    if (!text_reserve(w->t, put_room(w->encoding, LENGTH_LEN + frame.len))) {
        text_cut(w->t, w->t->len);
        return false;
    }
    w->run += LENGTH_LEN + frame.len;
    /* A word at once: the length and as much of the frame. */
    if (len)
        memcpy(first + LENGTH_LEN, frame.ptr, len);
    put(w, span_of(first, LENGTH_LEN + len), span_of(frame.ptr + len, frame.len - len));
    return true;
}

void envelope_end(struct envelope_writer *w)
{
    if (w->encoding == ENVELOPE_COBS)
        w->t->buf[w->code] = (char)(w->t->len - w->code);
    else if (w->held_len)
        text_put_base64(w->t, span_of(w->held, w->held_len));
}

void envelope_encode(struct text *t, enum envelope_encoding encoding,
                     const struct envelope_attributes *attributes, struct span run)
{
    struct envelope_writer w;

    if (!text_reserve(t, envelope_size_max(encoding, run.len)))
        return;
    envelope_head(t, encoding, attributes);
    if (envelope_begin(&w, t, encoding, STR("")) && text_reserve(t, put_room(encoding, run.len))) {
        put(&w, span_of("", 0), run);
        envelope_end(&w);
    }
}

#define COBS_SHORT 16 /* a block of so many octets is copied in one step */

/* Needs room for in.len octets. False at a code octet of zero, a zero in a block, or a cut block;
 * what was decoded before it counts. Ends: every turn takes an octet. */
static bool cobs_decode(uint8_t *out, struct cursor in, size_t *ret_len)
{
    uint8_t *start = out;
    bool ok = true;

    while (ok && cursor_left(&in) > 0) {
        size_t code, len;

        /* Nearly every block, and never the last one: 550 instructions less per frame than as below. There is
         * room for all that is left of the input. */
        while (cursor_left(&in) > COBS_SHORT && *in.pos - 1u < COBS_SHORT) {
            code = *in.pos;
            memcpy(out, in.pos + 1, COBS_SHORT);
            in.pos += code;
            out += code;
            out[-1] = 0;
        }
        code = *in.pos++;
        len = code ? code - 1 : 0;
        if (code == 0 || len > cursor_left(&in)) {
            ok = false;
            len = code ? cursor_left(&in) : 0;
        }
        memcpy(out, in.pos, len);
        out += len;
        in.pos += len;
        if (ok && code <= COBS_BLOCK_MAX && cursor_left(&in) > 0)
            *out++ = 0;
    }
    *ret_len = (size_t)(out - start);
    return ok;
}

/* 0-63, or 64 for what is no base64 digit. */
static const uint8_t base64_value[256] = {
#define N4  64, 64, 64, 64
#define N16 N4, N4, N4, N4
#define N64 N16, N16, N16, N16
    N16, N16, N4, N4, 64, 64, 64, 62, 64, 64, 64, 63, 52, 53, 54, 55, 56,  57, 58,
    59,  60,  61, 64, 64, 64, 64, 64, 64, 64, 0,  1,  2,  3,  4,  5,  6,   7,  8,
    9,   10,  11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,  64, 64,
    64,  64,  64, 64, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38,  39, 40,
    41,  42,  43, 44, 45, 46, 47, 48, 49, 50, 51, 64, 64, 64, 64, 64, N64, N64
#undef N4
#undef N16
#undef N64
};

/* The last quantum: two or three digits and their padding. */
static bool base64_decode_last(uint8_t **out, struct cursor in)
{
    uint8_t digit[4] = {0, 0, 0, 0};
    size_t digits = 0;
    uint32_t quantum;

    while (digits < 4 && cursor_left(&in) > 0 && base64_value[*in.pos] < 64)
        digit[digits++] = base64_value[*in.pos++];
    quantum = (uint32_t)digit[0] << 18 | (uint32_t)digit[1] << 12 | (uint32_t)digit[2] << 6;
    if (digits >= 2)
        *(*out)++ = (uint8_t)(quantum >> 16);
    if (digits >= 3)
        *(*out)++ = (uint8_t)(quantum >> 8);
    if (digits < 2 || cursor_left(&in) != 4 - digits)
        return false;
    while (cursor_left(&in) > 0) {
        if (*in.pos++ != '=')
            return false;
    }
    return true;
}

/* Needs room for in.len octets. Ends: every turn takes four. */
static bool base64_decode(uint8_t *out, struct cursor in, size_t *ret_len)
{
    uint8_t *start = out;
    bool ok = true;

    while (cursor_left(&in) >= 4) {
        uint32_t a = base64_value[in.pos[0]], b = base64_value[in.pos[1]];
        uint32_t c = base64_value[in.pos[2]], d = base64_value[in.pos[3]];
        uint32_t quantum = a << 18 | b << 12 | c << 6 | d;

        if ((a | b | c | d) & 64)
            break;
        out[0] = (uint8_t)(quantum >> 16);
        out[1] = (uint8_t)(quantum >> 8);
        out[2] = (uint8_t)quantum;
        out += 3;
        in.pos += 4;
    }
    if (cursor_left(&in) > 0)
        ok = base64_decode_last(&out, in);
    *ret_len = (size_t)(out - start);
    return ok;
}

/* VALUE: up to the next space or bar, every % followed by two hexadecimal digits. */
static bool take_value(struct cursor *head, struct str *ret)
{
    const uint8_t *start = head->pos;

    while (cursor_left(head) > 0 && *head->pos != ' ' && *head->pos != '|') {
        if (*head->pos == '%') {
            for (int i = 1; i <= 2; i++) {
                uint8_t c;

                if (cursor_left(head) < 3)
                    return false;
                c = head->pos[i];
                if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f')))
                    return false;
            }
            head->pos += 2;
        } else if (!is_plain(*head->pos)) {
            return false;
        }
        head->pos++;
    }
    *ret = (struct str){(const char *)start, (size_t)(head->pos - start)};
    return true;
}

static bool take_key(struct cursor *head, struct str *ret)
{
    const uint8_t *start = head->pos;

    while (cursor_left(head) > 0 && *head->pos != '=') {
        if (!is_plain(*head->pos))
            return false;
        head->pos++;
    }
    *ret = (struct str){(const char *)start, (size_t)(head->pos - start)};
    if (cursor_left(head) == 0 || ret->len == 0)
        return false;
    head->pos++;
    return true;
}

static bool decimal(struct str value, uint32_t *ret)
{
    uint64_t n = 0;

    if (value.len == 0 || value.len > 10)
        return false;
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] < '0' || value.ptr[i] > '9')
            return false;
        n = n * 10 + (uint64_t)(value.ptr[i] - '0');
    }
    if (n > UINT32_MAX)
        return false;
    *ret = (uint32_t)n;
    return true;
}

/* Encoding and attributes, through the bar. Ends: every turn takes an attribute of three octets
 * or more. */
static bool take_head(struct cursor *head, uint8_t *ret_encoding,
                      struct envelope_attributes *ret_attributes)
{
    struct envelope_attributes found = {0};
    struct str key, value;
    uint8_t encoding, c;

    if (!cursor_u8(head, &encoding) ||
        (encoding != ENVELOPE_COBS && encoding != ENVELOPE_BASE64 && encoding != ENVELOPE_RAW))
        return false;
    for (;;) {
        if (!cursor_u8(head, &c))
            return false;
        if (c == '|')
            break;
        if (c != ' ' || !take_key(head, &key) || !take_value(head, &value))
            return false;
        if (str_equal(key, STR("sample"))) {
            if (!decimal(value, &found.sample))
                return false;
        } else if (str_equal(key, STR("peer"))) {
            found.peer = value;
        } else if (str_equal(key, STR("tls"))) {
            found.tls = value;
        }
    }
    *ret_encoding = encoding;
    *ret_attributes = found;
    return true;
}

enum envelope_status envelope_decode(struct str message, struct text *scratch,
                                     struct envelope_attributes *ret_attributes,
                                     struct span *ret_run)
{
    struct cursor at;
    uint8_t encoding;
    uint8_t *room;
    bool ok;

    if (message.len && message.ptr[0] == ' ') {
        message.ptr++;
        message.len--;
    }
    if (message.len < MARKER_LEN || memcmp(message.ptr, MARKER, MARKER_LEN) != 0)
        return ENVELOPE_FOREIGN;
    at = cursor_of(span_of(message.ptr + MARKER_LEN, message.len - MARKER_LEN));
    if (!take_head(&at, &encoding, ret_attributes))
        return ENVELOPE_BAD_HEAD;
    if (encoding == ENVELOPE_RAW) {
        *ret_run = span_of(at.pos, cursor_left(&at));
        return ENVELOPE_OK;
    }
    text_clear(scratch);
    room = (uint8_t *)text_reserve(scratch, cursor_left(&at) + 1);
    if (!room)
        return ENVELOPE_NO_MEMORY;
    if (encoding == ENVELOPE_COBS)
        ok = cobs_decode(room, at, &scratch->len);
    else
        ok = base64_decode(room, at, &scratch->len);
    *ret_run = span_of(room, scratch->len);
    return ok ? ENVELOPE_OK : ENVELOPE_BAD_BODY;
}

bool envelope_next(struct cursor *run, struct span *ret_frame, bool *ret_cut, uint32_t *ret_len)
{
    size_t left = cursor_left(run);
    uint32_t len = 0;

    *ret_cut = false;
    if (left == 0)
        return false;
    if (cursor_be32(run, &len) && cursor_span(run, len, ret_frame)) {
        *ret_len = len;
        return true;
    }
    /* Cut: in its length (all that is left is shown, its length unknown) or in its payload. */
    *ret_cut = true;
    *ret_len = len;
    (void)cursor_span(run, cursor_left(run), ret_frame);
    return false;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

void envelope_unescape(struct text *t, struct str value)
{
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] == '%' && value.len - i > 2) {
            int high = hex_digit(value.ptr[i + 1]), low = hex_digit(value.ptr[i + 2]);

            if (high >= 0 && low >= 0) {
                text_put_char(t, (char)(high << 4 | low));
                i += 2;
                continue;
            }
        }
        text_put_char(t, value.ptr[i]);
    }
}
