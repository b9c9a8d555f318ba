/* submit.h - frames become rsyslog messages: the only place where imdnstap touches messages.
 *
 * A batch belongs to one thread. Its messages all go to one input's ruleset, since rsyslog takes the queue
 * of the first: another input's frame flushes first.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SUBMIT_H
#define SUBMIT_H

#include "rsyslog.h"

#include "obj.h"

#include "dnstap.h"
#include "envelope.h"
#include "source.h"

/* rsyslog loses what is left of a multi-submit into a full queue at shutdown: not too many. And it
 * wakes the queue's workers only behind a whole submit, so that one that is larger than the
 * queue's full delay mark waits for ever: see submit_fit_batch. */
#define SUBMIT_BATCH          64
/* Frames that one message may bundle. */
#define SUBMIT_BUNDLE_MAX     1000
/* And how long one may wait for them. */
#define SUBMIT_LATENCY_MAX_MS 60000

enum submit_hostname { SUBMIT_IDENTITY, SUBMIT_PEER, SUBMIT_LOCAL };

/* What the messages of an input have in common; constant while it runs. */
struct submit_style {
    ruleset_t *ruleset;
    prop_t *input_name;
    char *tag;
    size_t tag_len;
    enum submit_hostname hostname;
    enum envelope_encoding encoding;
    syslog_pri_t priority;
    flowControl_t flow_control;
    short batch;     /* messages per submit, at most SUBMIT_BATCH */
    qqueue_t *queue; /* where the messages go; NULL: unknown, or none */
    uint32_t sample;
    struct source *source; /* whose books the frames are in; NULL before it runs */
    uint32_t bundle;       /* frames per message at most */
    unsigned
        bundle_latency_ms; /* so long a bundle may wait for more of them; 0: for the end of the read */
    size_t message_max;    /* octets of a message that bundles stay within */
};

/* Who sent it. */
struct submit_peer {
    prop_t *ip, *name;
    struct str head;  /* of its messages */
    char head_text[]; /* is there */
};

struct submit_batch;

/* Before the first frame and behind the start of the queues: a batch that fits the queue. */
void submit_fit_batch(struct submit_style *style, qqueue_t *queue);

rsRetVal submit_init(obj_if_t *obj_if);
void submit_exit(obj_if_t *obj_if);

struct submit_batch *submit_create(void); /* NULL: no memory */
void submit_destroy(struct submit_batch *batch);

struct submit_peer *submit_peer_create(const struct submit_style *style, const struct peer *peer);
void submit_peer_destroy(struct submit_peer *peer);

/* glance: NULL when the frame is no dnstap, or nobody has looked.
 * False: no memory, and the frame is gone. Blocks as the input's flow control says. With style->bundle above 1
 * the frame may wait for others of the same peer, until submit_flush at the latest: the peer must live until
 * then. */
bool submit_frame(struct submit_batch *batch, const struct submit_style *style,
                  const struct submit_peer *peer, struct span frame,
                  const struct dnstap_glance *glance);
/* At the end of a read: hands on what is whole, and the open bundle unless it may wait for the next read.
 * Returns for how many milliseconds it still may, at most; 0: nothing waits. */
unsigned submit_settle(struct submit_batch *batch);
/* Hands on everything. */
void submit_flush(struct submit_batch *batch);

#endif
