/* envelope_read.c - mmdnstapparse's side of the contract: from a message's text to frames.
 *
 * Decoding never writes more than it reads.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "envelope_internal.h"

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
        } else if (!envelope_is_plain(*head->pos)) {
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
        if (!envelope_is_plain(*head->pos))
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
