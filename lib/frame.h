/* frame.h - Frame Streams as a state machine without I/O.
 *
 * The protocol (fstrm/control.h): a data frame is a 32-bit big-endian length > 0 and its
 * payload. Length 0 escapes a control frame: a 32-bit length, then a type and fields.
 *
 *   bidirectional   READY -> , <- ACCEPT, START -> , data ..., STOP -> , <- FINISH
 *   unidirectional  START, data ..., STOP        (files, Unbound's option)
 *
 * The first control frame tells them apart. Control frames go through libfstrm's codec.
 * With FS_FRAMING_LENGTH16 there is no handshake: 16-bit length, payload (PowerDNS's RemoteLogger). FS_START
 * comes with the first four octets, which tell other protocols, Frame Streams among them, from that.
 *
 * fs_next takes whole items from the caller's cursor and leaves a partial one there; the
 * caller keeps those bytes and comes again with more behind them. Frames borrow
 * from the caller's buffer. The machine never copies payload.
 *
 * One stream belongs to one thread. No I/O, no logging.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef FRAME_H
#define FRAME_H

#include "span.h"

#define FS_CONTENT_TYPE "protobuf:dnstap.Dnstap"
/* libfstrm's own limits: FSTRM_CONTROL_FRAME_LENGTH_MAX. */
#define FS_CONTROL_MAX  512
#define FS_REPLY_MAX    128

enum fs_framing { FS_FRAMING_STREAM, FS_FRAMING_LENGTH16 };

enum fs_result {
    FS_MORE,  /* nothing whole left: read more */
    FS_FRAME, /* *ret_frame is a data frame's payload */
    FS_REPLY, /* send fs_reply(), then call again */
    FS_START, /* the handshake is done: data may follow; says once per stream */
    FS_STOP,  /* the peer ended the stream; no data follows; a READY or START may begin another */
    FS_ERROR  /* fs_error() says why; the stream is dead and every later call says so again */
};

enum fs_error {
    FS_ERROR_NONE,
    FS_ERROR_NOT_STREAM,    /* the first octets are no control frame: see fs_guess_protocol */
    FS_ERROR_CONTROL_SIZE,  /* control frame longer than FS_CONTROL_MAX, or empty */
    FS_ERROR_CONTROL_BAD,   /* control frame that libfstrm cannot decode */
    FS_ERROR_CONTROL_ORDER, /* a control frame that has no place here */
    FS_ERROR_CONTENT_TYPE,  /* the peer offers something other than dnstap */
    FS_ERROR_FRAME_SIZE,    /* data frame over the limit */
    FS_ERROR_DATA_EARLY,    /* data frame before START */
    FS_ERROR_NOT_LENGTH16,  /* the first octets are another protocol's: see fs_guess_protocol */
    FS_ERROR_NO_MEMORY
};

struct fs_stream; /* opaque: about 200 octets */

/* max_frame: octets of payload, at least 1. NULL when memory is out. */
struct fs_stream *fs_create(enum fs_framing framing, size_t max_frame);
void fs_destroy(struct fs_stream **stream); /* sets NULL; takes NULL */

/* For dial-out the roles of the handshake stay: the producer, listening, still sends READY. */
enum fs_result fs_next(struct fs_stream *stream, struct cursor *input, struct span *ret_frame);

/* What to send after FS_REPLY; borrowed until the next call. */
struct span fs_reply(const struct fs_stream *stream);

enum fs_error fs_error(const struct fs_stream *stream);
const char *fs_error_text(enum fs_error error); /* English, static */

bool fs_started(const struct fs_stream *stream);       /* between START and STOP */
bool fs_bidirectional(const struct fs_stream *stream); /* the peer waits for FINISH after STOP */

/* Octets that the item at `pending` needs to be whole (its prefix included), 0 while
 * its length cannot be known yet. Lets a caller size its buffer. Never above the limits. */
size_t fs_need(const struct fs_stream *stream, struct span pending);

/* The size that the offending frame announced, for the log, after FS_ERROR_FRAME_SIZE. */
uint32_t fs_error_size(const struct fs_stream *stream);
/* The content type that was offered, after FS_ERROR_CONTENT_TYPE; borrowed. */
struct span fs_error_content_type(const struct fs_stream *stream);

/* What a peer that is no Frame Streams speaks, from its first octets: "TLS", "HTTP",
 * "SSH", "Frame Streams", "PowerDNS protobuf (two-byte length)", "text", "unknown". Static. */
const char *fs_guess_protocol(struct span first);

#endif
