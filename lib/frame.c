/* frame.c - Frame Streams as a state machine without I/O.
 *
 * Control frames go through libfstrm's codec, after the fields that it does not know have
 * been left out: libfstrm refuses those, but later versions of the protocol may add some.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "frame.h"

#include <fstrm.h>
#include <stdlib.h>

#define FS_CONTENT_TYPE_LEN (sizeof(FS_CONTENT_TYPE) - 1)

/* Octets at the beginning of a stream of two-byte lengths that tell it from other protocols. No message is
 * so short that they would not come with it. */
#define LENGTH16_BEGIN 4

enum fs_state {
    FS_OPENING,  /* READY or START comes next */
    FS_ACCEPTED, /* our ACCEPT is out: START comes next */
    FS_DATA,     /* between START and STOP */
    FS_SAY_STOP, /* what the next call has to report, before it reads on */
    FS_DEAD
};

struct fs_stream {
    enum fs_framing framing;
    enum fs_state state;
    enum fs_error error;
    size_t max_frame;
    uint32_t error_size;
    bool bidirectional;
    bool
        spoken; /* the peer speaks what is expected here: a control frame was understood, or a frame seen */
    struct fstrm_control *control;
    uint8_t reply[FS_REPLY_MAX];
    size_t reply_len;
    uint8_t content_type[FSTRM_CONTROL_FIELD_CONTENT_TYPE_LENGTH_MAX]; /* the refused one */
    size_t content_type_len;
};

struct fs_stream *fs_create(enum fs_framing framing, size_t max_frame)
{
    struct fs_stream *stream = calloc(1, sizeof(*stream));

    if (!stream)
        return NULL;
    stream->framing = framing;
    stream->max_frame = max_frame ? max_frame : 1;
    stream->state = FS_OPENING;
    if (framing == FS_FRAMING_STREAM) {
        stream->control = fstrm_control_init();
        if (!stream->control) {
            free(stream);
            return NULL;
        }
    }
    return stream;
}

void fs_destroy(struct fs_stream **stream)
{
    if (!stream || !*stream)
        return;
    if ((*stream)->control)
        fstrm_control_destroy(&(*stream)->control);
    free(*stream);
    *stream = NULL;
}

static enum fs_result fail(struct fs_stream *stream, enum fs_error error)
{
    stream->error = error;
    stream->state = FS_DEAD;
    return FS_ERROR;
}

static enum fs_result fail_size(struct fs_stream *stream, uint32_t size)
{
    stream->error_size = size;
    return fail(stream, FS_ERROR_FRAME_SIZE);
}

/* Encodes a control frame with its header into the reply. */
static enum fs_result reply(struct fs_stream *stream, fstrm_control_type type)
{
    fstrm_res res;

    fstrm_control_reset(stream->control);
    res = fstrm_control_set_type(stream->control, type);
    if (res == fstrm_res_success && type == FSTRM_CONTROL_ACCEPT)
        res = fstrm_control_add_field_content_type(
            stream->control, (const uint8_t *)FS_CONTENT_TYPE, FS_CONTENT_TYPE_LEN);
    stream->reply_len = sizeof(stream->reply);
    if (res == fstrm_res_success)
        res = fstrm_control_encode(stream->control, stream->reply, &stream->reply_len,
                                   FSTRM_CONTROL_FLAG_WITH_HEADER);
    if (res != fstrm_res_success) {
        stream->reply_len = 0;
        return fail(stream, FS_ERROR_NO_MEMORY);
    }
    return FS_REPLY;
}

/* Copies the control type and the fields that libfstrm knows. False when the fields do not add up
 * to the frame. Ends: every field takes at least eight octets. */
static bool copy_known_fields(struct cursor body, uint8_t *known, size_t *ret_len)
{
    const uint8_t *start;
    struct span value;
    uint32_t type, len;
    size_t used = 4;

    start = body.pos;
    if (!cursor_be32(&body, &type))
        return false;
    memcpy(known, start, 4);
    while (cursor_left(&body) > 0) {
        start = body.pos;
        if (!cursor_be32(&body, &type) || !cursor_be32(&body, &len) ||
            !cursor_span(&body, len, &value))
            return false;
        if (type != FSTRM_CONTROL_FIELD_CONTENT_TYPE)
            continue;
        memcpy(known + used, start, 8 + value.len);
        used += 8 + value.len;
    }
    *ret_len = used;
    return true;
}

/* Is dnstap among the content types, or none named at all? Keeps the first one otherwise. */
static bool content_type_matches(struct fs_stream *stream)
{
    const uint8_t *offered;
    size_t len;

    if (fstrm_control_match_field_content_type(stream->control, (const uint8_t *)FS_CONTENT_TYPE,
                                               FS_CONTENT_TYPE_LEN) == fstrm_res_success)
        return true;
    if (fstrm_control_get_field_content_type(stream->control, 0, &offered, &len) ==
            fstrm_res_success &&
        len <= sizeof(stream->content_type)) {
        if (len)
            memcpy(stream->content_type, offered, len);
        stream->content_type_len = len;
    }
    return false;
}

static enum fs_result start(struct fs_stream *stream)
{
    if (!content_type_matches(stream))
        return fail(stream, FS_ERROR_CONTENT_TYPE);
    stream->state = FS_DATA;
    return FS_START;
}

/* Acts on one whole control frame. */
static enum fs_result control(struct fs_stream *stream, struct span body)
{
    uint8_t known[FS_CONTROL_MAX];
    size_t known_len;
    fstrm_control_type type;

    if (!copy_known_fields(cursor_of(body), known, &known_len) ||
        fstrm_control_decode(stream->control, known, known_len, 0) != fstrm_res_success ||
        fstrm_control_get_type(stream->control, &type) != fstrm_res_success)
        return fail(stream, FS_ERROR_CONTROL_BAD);
    stream->spoken = true;
    if (type == FSTRM_CONTROL_READY && stream->state == FS_OPENING) {
        if (!content_type_matches(stream))
            return fail(stream, FS_ERROR_CONTENT_TYPE);
        stream->bidirectional = true;
        stream->state = FS_ACCEPTED;
        return reply(stream, FSTRM_CONTROL_ACCEPT);
    }
    if (type == FSTRM_CONTROL_START && stream->state == FS_OPENING) {
        stream->bidirectional = false;
        return start(stream);
    }
    if (type == FSTRM_CONTROL_START && stream->state == FS_ACCEPTED)
        return start(stream);
    if (type == FSTRM_CONTROL_STOP && stream->state == FS_DATA) {
        if (!stream->bidirectional) {
            stream->state = FS_OPENING;
            return FS_STOP;
        }
        stream->state = FS_SAY_STOP;
        return reply(stream, FSTRM_CONTROL_FINISH);
    }
    return fail(stream, FS_ERROR_CONTROL_ORDER);
}

static enum fs_result next_control(struct fs_stream *stream, struct cursor at, struct cursor *input)
{
    struct span body;
    uint32_t len;

    if (!cursor_be32(&at, &len))
        return FS_MORE;
    if (len < 4 || len > FS_CONTROL_MAX)
        return fail(stream, FS_ERROR_CONTROL_SIZE);
    if (!cursor_span(&at, len, &body))
        return FS_MORE;
    *input = at;
    return control(stream, body);
}

static enum fs_result next_stream(struct fs_stream *stream, struct cursor *input,
                                  struct span *ret_frame)
{
    struct cursor at = *input;
    uint32_t len;

    if (!cursor_be32(&at, &len))
        return FS_MORE;
    if (len == 0)
        return next_control(stream, at, input);
    if (stream->state != FS_DATA)
        return fail(stream, stream->spoken ? FS_ERROR_DATA_EARLY : FS_ERROR_NOT_STREAM);
    if (len > stream->max_frame)
        return fail_size(stream, len);
    if (!cursor_span(&at, len, ret_frame))
        return FS_MORE;
    *input = at;
    return FS_FRAME;
}

static bool begins(struct span first, const char *with)
{
    size_t len = strlen(with);

    return first.len >= len && memcmp(first.ptr, with, len) == 0;
}

/* What no frame of two-byte length begins with, by four octets or more: of dnstap's first fields and those of
 * PowerDNS's message none has a tag like the third octet. NULL: nothing of the kind. */
static const char *known_protocol(struct span first)
{
    static const char *const http[] = {"GET ",     "HEAD ",    "POST ", "PUT ",  "DELETE ",
                                       "OPTIONS ", "CONNECT ", "PRI ",  "HTTP/", "PATCH "};
    const uint8_t *p = first.ptr;

    /* A TLS record (RFC 8446 5.1): handshake, legacy version 3.x. */
    if (first.len >= 3 && p[0] == 0x16 && p[1] == 3 && p[2] <= 4)
        return "TLS";
    for (size_t i = 0; i < sizeof(http) / sizeof(http[0]); i++) {
        if (begins(first, http[i]) || (first.len == 4 && memcmp(p, http[i], 4) == 0))
            return "HTTP";
    }
    if (begins(first, "SSH-"))
        return "SSH";
    return first.len >= 4 && memcmp(p, "\0\0\0", 4) == 0 ? "Frame Streams" : NULL;
}

/* There is no handshake to tell who speaks: its first octets do. As a length "GE" would be 18,245 octets to
 * wait for. */
static enum fs_result next_length16(struct fs_stream *stream, struct cursor *input,
                                    struct span *ret_frame)
{
    struct cursor at = *input;
    uint16_t len;

    if (!stream->spoken) {
        if (cursor_left(&at) < LENGTH16_BEGIN)
            return FS_MORE;
        if (known_protocol(span_of(at.pos, LENGTH16_BEGIN))) /* no more, however much came */
            return fail(stream, FS_ERROR_NOT_LENGTH16);
        stream->spoken = true;
        stream->state = FS_DATA;
        return FS_START;
    }
    if (!cursor_be16(&at, &len))
        return FS_MORE;
    if (len > stream->max_frame)
        return fail_size(stream, len);
    if (!cursor_span(&at, len, ret_frame))
        return FS_MORE;
    *input = at;
    return FS_FRAME;
}

enum fs_result fs_next(struct fs_stream *stream, struct cursor *input, struct span *ret_frame)
{
    switch (stream->state) {
    case FS_DEAD:
        return FS_ERROR;
    case FS_SAY_STOP:
        stream->state = FS_OPENING;
        return FS_STOP;
    default:
        break;
    }
    if (stream->framing == FS_FRAMING_LENGTH16)
        return next_length16(stream, input, ret_frame);
    return next_stream(stream, input, ret_frame);
}

struct span fs_reply(const struct fs_stream *stream)
{
    return span_of(stream->reply, stream->reply_len);
}

enum fs_error fs_error(const struct fs_stream *stream)
{
    return stream->error;
}

const char *fs_error_text(enum fs_error error)
{
    switch (error) {
    case FS_ERROR_NONE:
        return "no error";
    case FS_ERROR_NOT_STREAM:
        return "this is no Frame Streams";
    case FS_ERROR_NOT_LENGTH16:
        return "this is no framing by two-byte lengths";
    case FS_ERROR_CONTROL_SIZE:
        return "a control frame of impossible size";
    case FS_ERROR_CONTROL_BAD:
        return "a control frame that cannot be decoded";
    case FS_ERROR_CONTROL_ORDER:
        return "a control frame out of order";
    case FS_ERROR_CONTENT_TYPE:
        return "the content type is not " FS_CONTENT_TYPE;
    case FS_ERROR_FRAME_SIZE:
        return "a data frame over the size limit";
    case FS_ERROR_DATA_EARLY:
        return "a data frame before START";
    case FS_ERROR_NO_MEMORY:
        return "out of memory";
    }
    return "unknown error";
}

bool fs_started(const struct fs_stream *stream)
{
    return stream->state == FS_DATA;
}

bool fs_bidirectional(const struct fs_stream *stream)
{
    return stream->bidirectional;
}

size_t fs_need(const struct fs_stream *stream, struct span pending)
{
    struct cursor at = cursor_of(pending);
    uint32_t len;
    uint16_t len16;

    if (stream->framing == FS_FRAMING_LENGTH16) {
        if (!stream->spoken && cursor_left(&at) < LENGTH16_BEGIN)
            return LENGTH16_BEGIN;
        if (!cursor_be16(&at, &len16))
            return 0;
        return len16 > stream->max_frame ? 2 : (size_t)2 + len16;
    }
    if (!cursor_be32(&at, &len))
        return 0;
    if (len)
        return len > stream->max_frame ? 4 : (size_t)4 + len;
    if (!cursor_be32(&at, &len))
        return 0;
    return len > FS_CONTROL_MAX ? 8 : (size_t)8 + len;
}

uint32_t fs_error_size(const struct fs_stream *stream)
{
    return stream->error_size;
}

struct span fs_error_content_type(const struct fs_stream *stream)
{
    return span_of(stream->content_type, stream->content_type_len);
}

/* Octets that a person or a text protocol would send. */
static bool is_text(struct span first)
{
    for (size_t i = 0; i < first.len; i++) {
        uint8_t c = first.ptr[i];

        if ((c < 0x20 || c > 0x7e) && c != '\r' && c != '\n' && c != '\t')
            return false;
    }
    return first.len > 0;
}

const char *fs_guess_protocol(struct span first)
{
    const uint8_t *p = first.ptr;
    const char *known = known_protocol(first);

    if (known)
        return known;
    /* PBDNSMessage opens with its required type: field 1, a small number. */
    if (first.len >= 4 && p[2] == 0x08 && p[3] >= 1 && p[3] <= 6 && (p[0] || p[1] >= 2))
        return "PowerDNS protobuf (two-byte length)";
    return is_text(first) ? "text" : "unknown";
}
