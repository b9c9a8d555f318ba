/* envelope.h - the contract between imdnstap and mmdnstapparse.
 *
 * A message body made by imdnstap is
 *
 *     dnstap1 ENCODING *( " " KEY "=" VALUE ) "|" BODY
 *
 * ENCODING is one octet: `c` COBS, `b` base64 (RFC 4648 4), `r` raw. BODY is, once decoded,
 * a run of one or more Frame Streams data frames: 32-bit big-endian length, then
 * that many octets of dnstap payload. `1` is the version of this format.
 *
 * Keys (unknown ones are skipped, so that later inputs may add some):
 *   sample=N      one in N frames was kept (absent: all)
 *   peer=ADDR     address of the producer, where it is not the message's own
 *   tls=NAME      the name in the peer's verified certificate
 * A value holds no octet outside %x21-7E, no `|`, ` ` or `%`: those are %HH.
 *
 * c and b hold no NUL: rsyslog's disk queues cut a message at its first NUL.
 *
 * Pure code: no I/O, no globals; buffers are the caller's.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ENVELOPE_H
#define ENVELOPE_H

#include "text.h"

enum envelope_encoding { ENVELOPE_COBS = 'c', ENVELOPE_BASE64 = 'b', ENVELOPE_RAW = 'r' };

struct envelope_attributes {
    uint32_t sample; /* 0 or 1: not sampled */
    struct str peer; /* empty: absent; in decoded attributes still %HH-encoded */
    struct str tls;  /* likewise */
};

/* What went wrong, or ENVELOPE_OK. */
enum envelope_status {
    ENVELOPE_OK,
    ENVELOPE_FOREIGN,  /* not ours: no marker, or another version */
    ENVELOPE_BAD_HEAD, /* marker, then no well-formed head */
    ENVELOPE_BAD_BODY, /* COBS or base64 that cannot be decoded */
    ENVELOPE_NO_MEMORY
};

/* The longest head that envelope_head writes. */
#define ENVELOPE_HEAD_MAX 1024

/* Octets that a body of `run` octets (lengths included) takes at most, with head. */
size_t envelope_size_max(enum envelope_encoding encoding, size_t run);

/* Writes the head, through the bar: the same for every message of these attributes. */
void envelope_head(struct text *t, enum envelope_encoding encoding,
                   const struct envelope_attributes *attributes);

/* A message that is being written, frame by frame, straight from where the frames are.
 *
 * Calling pattern: envelope_begin, any number of envelope_append, envelope_end. The octets are those that the
 * frames would give as one run. The text is the caller's, who leaves it alone in between. */
struct envelope_writer {
    struct text *t;
    enum envelope_encoding encoding;
    size_t run;      /* octets so far, lengths included, before they were encoded */
    size_t code;     /* COBS: where the open block has its code octet */
    uint8_t held[3]; /* base64: what is no quantum yet */
    uint8_t held_len;
};

/* A text with so many octets takes a head and a first frame of these lengths without growing. */
size_t envelope_writer_size(enum envelope_encoding encoding, size_t head, size_t frame);

/* Both are false when the text has no room, or memory ran out. What envelope_append could not take whole has left no trace:
 * the message may go on, or end. Behind envelope_begin that failed nothing may follow. */
bool envelope_begin(struct envelope_writer *w, struct text *t, enum envelope_encoding encoding,
                    struct str head);
bool envelope_append(struct envelope_writer *w, struct span frame);
/* Never fails. There is room for a NUL behind the text. */
void envelope_end(struct envelope_writer *w);

/* Head and body for a run (length prefixes included) that is there already. */
void envelope_encode(struct text *t, enum envelope_encoding encoding,
                     const struct envelope_attributes *attributes, struct span run);

/* Takes a message apart.
 *
 * message: borrowed. One leading space is skipped (RFC 3164 relays leave it).
 * scratch: receives the decoded body unless the encoding is raw; the returned run borrows from it
 *          or from message, until the next call.
 * ENVELOPE_FOREIGN costs a comparison of eight octets.
 * On ENVELOPE_BAD_BODY the run holds what could be decoded before the fault.
 */
enum envelope_status envelope_decode(struct str message, struct text *scratch,
                                     struct envelope_attributes *ret_attributes,
                                     struct span *ret_run);

/* The next frame of a run. False at its end; *ret_cut says that octets are left that are
 * no whole frame (ret_frame then holds what is there of it, ret_len what it should be). */
bool envelope_next(struct cursor *run, struct span *ret_frame, bool *ret_cut, uint32_t *ret_len);

/* Undoes the %HH of an attribute. */
void envelope_unescape(struct text *t, struct str value);

#endif
