/* envelope_write.c - imdnstap's side of the contract: head, COBS, base64, raw, from frames to a message's text.
 *
 * The worst case of a frame is reserved once, and written unchecked.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "envelope_internal.h"
#include "word.h"

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

/* A value with everything odd as %HH; what passes `max` is cut off between octets. */
static void put_value(struct text *t, struct str value, size_t max)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t used = 0;

    for (size_t i = 0; i < value.len; i++) {
        uint8_t c = (uint8_t)value.ptr[i];
        size_t width = envelope_is_plain(c) ? 1 : 3;

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
