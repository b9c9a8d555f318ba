/* submit.c - see submit.h.
 *
 * Concurrency: no state but the caller's batch, and prop_t reference counts, which are atomic.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "config.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include "rsyslog.h"

#include "datetime.h"
#include "dirty.h"
#include "errmsg.h"
#include "glbl.h"
#include "msg.h"
#include "prop.h"
#include "queue.h"
#include "syslogd-types.h"
#include "unicode-helper.h"

#include "body.h"
#include "submit.h"

/* A host name's length (RFC 1035 2.3.4). */
#define HOSTNAME_MAX 255
/* 9999-12-31T23:59:59Z: syslog has four digits for the year. */
#define TIME_MAX     253402300799ULL

/* Between two looks at a full queue, and how long at most in all while the inputs end. */
#define ROOM_POLL_MIN_MS 1
#define ROOM_POLL_MAX_MS 20
#define ROOM_WAIT_END_MS 5000

static obj_if_t obj; /* for objUse */
DEFobjCurrIf(datetime)
DEFobjCurrIf(glbl)
DEFobjCurrIf(prop)

struct submit_batch {
    multi_submit_t list;
    smsg_t *messages[SUBMIT_BATCH];
    const struct submit_style *style; /* of all in the list */
    const struct submit_peer *peer;   /* of the message that is open */
    struct text body;                 /* its text, with the frames so far */
    struct envelope_writer writer;    /* of body */
    uint32_t bundled;   /* frames in it, that is in messages[list.nElem]; 0: none is open */
    size_t bundle_size; /* octets of the bundle before it: it will be much like that */
    uint64_t listed;    /* frames in the messages of the list */
    int ending_ms;      /* of waiting for room since the inputs end */
    uint64_t due_ms;    /* when the open message goes on at the latest; only with a latency */
    struct syslogTime received;
    time_t received_seconds;
    struct syslogTime reported; /* of `reported_seconds`: most frames share a second */
    uint64_t reported_seconds;
    char identity[HOSTNAME_MAX], hostname[HOSTNAME_MAX]; /* the last one, and what became of it */
    size_t identity_len;
};

rsRetVal submit_init(obj_if_t *obj_if)
{
    DEFiRet;

    obj = *obj_if;
    CHKiRet(objUse(datetime, CORE_COMPONENT));
    CHKiRet(objUse(glbl, CORE_COMPONENT));
    CHKiRet(objUse(prop, CORE_COMPONENT));
finalize_it:
    RETiRet;
}

void submit_exit(obj_if_t *obj_if)
{
    obj = *obj_if;
    objRelease(datetime, CORE_COMPONENT);
    objRelease(glbl, CORE_COMPONENT);
    objRelease(prop, CORE_COMPONENT);
}

void submit_fit_batch(struct submit_style *style, qqueue_t *queue)
{
    int most = SUBMIT_BATCH;

    if (queue && queue->qType != QUEUETYPE_DIRECT && queue->iFullDlyMrk / 2 < most)
        most = queue->iFullDlyMrk > 1 ? queue->iFullDlyMrk / 2 : 1;
    style->batch = (short)most;
    style->queue = queue && queue->qType != QUEUETYPE_DIRECT ? queue : NULL;
}

/* A glance without the queue's lock: other inputs may be quicker. */
static bool queue_has_room(const qqueue_t *queue, int messages)
{
    if (queue->qType == QUEUETYPE_DISK && queue->sizeOnDiskMax != 0 &&
        queue->tVars.disk.sizeOnDisk > queue->sizeOnDiskMax)
        return false;
    return queue->iMaxQueueSize <= 0 || queue->iQueueSize + messages <= queue->iMaxQueueSize;
}

/* The longer a queue has had no room for a batch, the longer it has work: it is not empty before the next look, and
 * one whose outputs stand still costs next to nothing. */
static int poll_pause_ms(int waited_ms)
{
    int ms = waited_ms / 4;

    if (ms < ROOM_POLL_MIN_MS)
        return ROOM_POLL_MIN_MS;
    return ms < ROOM_POLL_MAX_MS ? ms : ROOM_POLL_MAX_MS;
}

/* Waits for room for the batch: for ever, or as long as rsyslog would before it discards. False: the inputs
 * end, and there is none. A wait within rsyslog is given up when the inputs end, and what waits is lost and
 * counted nowhere; out here the queue's workers, which end later, make room. */
static bool wait_for_room(struct submit_batch *batch, int messages)
{
    const struct submit_style *style = batch->style;
    int waited_ms = 0;

    if (!style->queue || style->flow_control == eFLOWCTL_NO_DELAY)
        return true;
    while (!queue_has_room(style->queue, messages)) {
        int pause_ms = poll_pause_ms(waited_ms);
        const struct timespec pause = {.tv_nsec = pause_ms * 1000000L};

        if (glbl.GetGlobalInputTermState()) {
            if (batch->ending_ms >= ROOM_WAIT_END_MS)
                return false;
            batch->ending_ms += pause_ms;
        } else if (style->flow_control == eFLOWCTL_LIGHT_DELAY &&
                   waited_ms >= style->queue->toEnq) {
            return true;
        }
        nanosleep(&pause, NULL);
        if (waited_ms < INT_MAX - ROOM_POLL_MAX_MS)
            waited_ms += pause_ms;
    }
    return true;
}

/* Hands the list to its queue. What is counted as submitted then is in the queue, or in the queue's own counters. */
static void submit_list(struct submit_batch *batch)
{
    multi_submit_t *list = &batch->list;

    if (list->nElem == 0)
        return;
    if (wait_for_room(batch, list->nElem)) {
        multiSubmitFlush(list);
    } else {
        while (list->nElem > 0)
            msgDestruct(&list->ppMsgs[--list->nElem]);
        source_lose(batch->style->source, batch->listed);
        source_tell_room(batch->style->source);
    }
    batch->listed = 0;
}

struct submit_batch *submit_create(void)
{
    struct submit_batch *batch = calloc(1, sizeof *batch);

    if (!batch)
        return NULL;
    batch->list.maxElem = SUBMIT_BATCH;
    batch->list.ppMsgs = batch->messages;
    batch->reported_seconds = UINT64_MAX;
    return batch;
}

void submit_destroy(struct submit_batch *batch)
{
    if (!batch)
        return;
    submit_flush(batch);
    free(batch);
}

/* With the head of its messages behind it. NULL: no memory. */
static struct submit_peer *peer_with_head(const struct submit_style *style, const char *tls_name)
{
    struct envelope_attributes attributes = {.sample = style->sample, .tls = str_of(tls_name)};
    struct submit_peer *p = NULL;
    struct text head;

    text_init(&head, ENVELOPE_HEAD_MAX + 1);
    envelope_head(&head, style->encoding, &attributes);
    if (!head.overflow)
        p = calloc(1, sizeof *p + head.len);
    if (p) {
        memcpy(p->head_text, head.buf, head.len);
        p->head = (struct str){p->head_text, head.len};
    }
    text_destroy(&head);
    return p;
}

struct submit_peer *submit_peer_create(const struct submit_style *style, const struct peer *peer)
{
    struct submit_peer *p = peer_with_head(style, peer->tls_name);
    const uchar *address = (const uchar *)peer->address;

    if (!p)
        return NULL;
    if (prop.CreateStringProp(&p->ip, address, (int)strlen(peer->address)) != RS_RET_OK) {
        free(p);
        return NULL;
    }
    p->name = peer->local ? glbl.GetLocalHostNameProp() : p->ip;
    prop.AddRef(p->name);
    return p;
}

void submit_peer_destroy(struct submit_peer *peer)
{
    if (!peer)
        return;
    prop.Destruct(&peer->ip);
    prop.Destruct(&peer->name);
    free(peer);
}

static bool is_host_octet(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_' || c == ':';
}

/* A host name from the frame's identity, or from the peer when it has none. */
static void set_identity(struct submit_batch *batch, smsg_t *message,
                         const struct submit_peer *peer, struct span identity)
{
    size_t len = identity.len < HOSTNAME_MAX ? identity.len : HOSTNAME_MAX;

    if (len == 0) {
        MsgSetHOSTNAME(message, propGetSzStr(peer->name), prop.GetStringLen(peer->name));
        return;
    }
    if (len != batch->identity_len || memcmp(batch->identity, identity.ptr, len) != 0) {
        memcpy(batch->identity, identity.ptr, len);
        batch->identity_len = len;
        for (size_t i = 0; i < len; i++)
            batch->hostname[i] = is_host_octet(identity.ptr[i]) ? (char)identity.ptr[i] : '_';
    }
    MsgSetHOSTNAME(message, (const uchar *)batch->hostname, (int)len);
}

static void set_hostname(struct submit_batch *batch, smsg_t *message,
                         const struct submit_style *style, const struct submit_peer *peer,
                         const struct dnstap_glance *glance)
{
    prop_t *name = peer->name;

    if (style->hostname == SUBMIT_IDENTITY) {
        set_identity(batch, message, peer, glance ? glance->identity : span_of(NULL, 0));
        return;
    }
    if (style->hostname == SUBMIT_LOCAL)
        name = glbl.GetLocalHostNameProp();
    MsgSetHOSTNAME(message, propGetSzStr(name), prop.GetStringLen(name));
}

/* The frame's own time; without one (or out of syslog's range) the time of reception stays. */
static void set_time(struct submit_batch *batch, smsg_t *message,
                     const struct dnstap_glance *glance)
{
    if (!glance || glance->time_sec == 0 || glance->time_sec > TIME_MAX)
        return;
    if (glance->time_sec != batch->reported_seconds) {
        struct timeval time = {.tv_sec = (time_t)glance->time_sec};

        datetime.timeval2syslogTime(&time, &batch->reported, 1);
        batch->reported_seconds = glance->time_sec;
    }
    message->tTIMESTAMP = batch->reported;
    message->tTIMESTAMP.secfrac =
        glance->time_nsec < 1000000000 ? (int)(glance->time_nsec / 1000) : 0;
}

/* Puts a frame into the message that is open. False: it does not fit, or there is no memory for it. */
static bool extend_message(struct submit_batch *batch, const struct submit_style *style,
                           const struct submit_peer *peer, struct span frame)
{
    if (batch->style != style || batch->peer != peer || batch->bundled >= style->bundle ||
        envelope_size_max(style->encoding, batch->writer.run + 4 + frame.len) >
            style->message_max ||
        !envelope_append(&batch->writer, frame))
        return false;
    batch->bundled++;
    return true;
}

static void close_message(struct submit_batch *batch)
{
    if (batch->bundled == 0) /* a full list has no place for an open message */
        return;
    envelope_end(&batch->writer);
    batch->bundle_size = batch->body.len;
    body_give(&batch->body, batch->messages[batch->list.nElem++]);
    batch->listed += batch->bundled;
    batch->bundled = 0;
}

/* Not the coarse clock: it would add its 4 ms to a latency of one. */
static uint64_t clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* A message that lacks its text. NULL: no memory. */
static smsg_t *create_message(struct submit_batch *batch, const struct submit_style *style,
                              const struct submit_peer *peer, const struct dnstap_glance *glance)
{
    smsg_t *message;

    if (batch->list.nElem == 0)
        datetime.getCurrTime(&batch->received, &batch->received_seconds, TIME_IN_LOCALTIME);
    if (msgConstructWithTime(&message, &batch->received, batch->received_seconds) != RS_RET_OK)
        return NULL;
    MsgSetFlowControlType(message, style->flow_control);
    MsgSetInputName(message, style->input_name);
    msgSetPRI(message, style->priority);
    MsgSetTAG(message, (const uchar *)style->tag, style->tag_len);
    MsgSetRcvFrom(message, peer->name);
    MsgSetRcvFromIP(message, peer->ip);
    MsgSetRuleset(message, style->ruleset);
    set_hostname(batch, message, style, peer, glance);
    set_time(batch, message, glance);
    return message;
}

/* Begins the message's text with a frame. Memory for a frame alone is got at once, bundles grow from what the last one
 * came to. False: no memory. */
static bool begin_body(struct submit_batch *batch, smsg_t *message,
                       const struct submit_style *style, const struct submit_peer *peer,
                       struct span frame)
{
    size_t size = envelope_writer_size(style->encoding, peer->head.len, frame.len);
    size_t likely = batch->bundle_size + batch->bundle_size / 8;
    bool grows = style->bundle > 1;

    if (grows && size < likely)
        size = likely;
    if (size > INT_MAX || !body_begin(&batch->body, message, size, grows ? INT_MAX : size))
        return false;
    if (envelope_begin(&batch->writer, &batch->body, style->encoding, peer->head) &&
        envelope_append(&batch->writer, frame))
        return true;
    body_drop(&batch->body, message);
    return false;
}

/* The list has a place for it. False: no memory. A bundle's other frames need no glance: host name and time are
 * the first one's. */
static bool open_message(struct submit_batch *batch, const struct submit_style *style,
                         const struct submit_peer *peer, struct span frame,
                         const struct dnstap_glance *glance)
{
    struct dnstap_glance own;
    smsg_t *message;

    if (!glance && dnstap_glance(frame, false, &own))
        glance = &own;
    message = create_message(batch, style, peer, glance);
    if (!message)
        return false;
    if (!begin_body(batch, message, style, peer, frame)) {
        msgDestruct(&message);
        return false;
    }
    batch->style = style;
    batch->peer = peer;
    batch->messages[batch->list.nElem] = message;
    batch->bundled = 1;
    if (style->bundle_latency_ms)
        batch->due_ms = clock_ms() + style->bundle_latency_ms;
    return true;
}

bool submit_frame(struct submit_batch *batch, const struct submit_style *style,
                  const struct submit_peer *peer, struct span frame,
                  const struct dnstap_glance *glance)
{
    if (batch->bundled && extend_message(batch, style, peer, frame))
        return true;
    close_message(batch);
    if (batch->style != style || batch->list.nElem >= style->batch)
        submit_list(batch);
    if (!open_message(batch, style, peer, frame, glance))
        return false;
    if (style->bundle <= 1)
        close_message(batch);
    return true;
}

unsigned submit_settle(struct submit_batch *batch)
{
    smsg_t *open;
    uint64_t now_ms;

    if (batch->bundled && batch->style->bundle_latency_ms &&
        batch->bundled < batch->style->bundle && (now_ms = clock_ms()) < batch->due_ms) {
        open = batch->messages[batch->list.nElem];
        submit_list(batch);
        batch->messages[0] = open;
        return (unsigned)(batch->due_ms - now_ms);
    }
    submit_flush(batch);
    return 0;
}

void submit_flush(struct submit_batch *batch)
{
    close_message(batch);
    submit_list(batch);
}
