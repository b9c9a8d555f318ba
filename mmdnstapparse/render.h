/* render.h - one message's run of frames becomes one text per wanted format, and a tree.
 *
 * No rsyslog header here: what the module does with a message between taking the
 * envelope apart and handing results back. A renderer belongs to one worker thread and is
 * reused from message to message: no allocation once warm.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef RENDER_H
#define RENDER_H

#include "envelope.h"
#include "fmt.h"
#include "tree.h"

/* More formats than exist. */
#define RENDER_FORMATS_MAX 16
/* Text of one message at most, all frames' lines together; what does not fit is counted, not shown. */
#define RENDER_TEXT_MAX    (16 * 1024 * 1024)
/* Buffers that one message has blown up beyond this are given back after it. */
#define RENDER_KEEP_MAX    (1024 * 1024)
/* Texts from this on are given away rather than copied, out of buffers up to that: malloc() has the pages of
 * greater ones (128 KiB) from the kernel each time. */
#define RENDER_TAKE_MIN    (16 * 1024)
#define RENDER_TAKE_MAX    (112 * 1024)

struct render_plan {
    const struct fmt *formats[RENDER_FORMATS_MAX];
    size_t format_count;
    bool tree;
    struct fmt_options options;
};

struct renderer {
    struct event_decoder *decoder;
    struct str message; /* as opened, its head's attributes, and its frames */
    struct envelope_attributes attributes;
    struct span run;
    enum envelope_status status;
    struct text body;      /* decoded envelope */
    struct text peer, tls; /* attributes, unescaped */
    struct text scratch;   /* a later frame's text; the tree's strings */
    struct text reason;
    struct text texts[RENDER_FORMATS_MAX]; /* results, in the plan's order; lines joined by LF */
    struct recurring recurring;            /* texts that trees share */
    struct fjson_object *tree;  /* of the first frame; NULL unless planned; taken by the caller */
    uint64_t parsed, malformed; /* frames of this message */
    uint64_t unshown;           /* frames whose text met RENDER_TEXT_MAX, per format */
};

bool render_init(struct renderer *r); /* false: no memory; render_destroy is still to be called */
void render_destroy(struct renderer *r); /* takes a zeroed one */

/* Takes a message's envelope apart. False: it is not from imdnstap, and nothing was done.
 * message: borrowed until the next call, by the results too. */
bool render_open(struct renderer *r, const struct render_plan *plan, struct str message);

/* Renders what was opened.
 *
 * peer: address of the producer when the envelope names none; borrowed during the call.
 * Every octet of an envelope ends in an event: what is no whole frame is a malformed one. At
 * least one event comes of every envelope. Results hold until the next render_open.
 */
void render_frames(struct renderer *r, const struct render_plan *plan, struct str peer);

/* Gives the buffer of result i away, a NUL behind its text, for the caller to free; the result is empty then.
 * NULL: there is less to gain than it costs (below RENDER_TAKE_MIN), or it cannot be; the result stays. */
char *render_take(struct renderer *r, size_t i);

#endif
