/* submit.c - see submit.h.
 *
 * Concurrency: no state but the caller's batch, and prop_t reference counts, which are atomic.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "config.h"

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

#include "submit.h"

/* A host name's length (RFC 1035 2.3.4). */
#define HOSTNAME_MAX 255
/* 9999-12-31T23:59:59Z: syslog has four digits for the year. */
#define TIME_MAX     253402300799ULL

/* How often a full queue is looked at, and how long at most while the inputs end. */
#define ROOM_POLL_MS     1
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
    uint32_t bundled; /* frames in `run`, for messages[list.nElem]; 0: none is open */
    uint64_t listed;  /* frames in the messages of the list */
    bool gave_up;     /* waiting for room, while the inputs end */
    uint64_t due_ms;  /* when the open message goes on at the latest; only with a latency */
    struct syslogTime received;
    time_t received_seconds;
    struct syslogTime reported; /* of `reported_seconds`: most frames share a second */
    uint64_t reported_seconds;
    struct text run, body;
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

/* Waits for room for the batch: for ever, or as long as rsyslog would before it discards. False: the inputs
 * end, and there is none. A wait within rsyslog is given up when the inputs end, and what waits is lost and
 * counted nowhere; out here the queue's workers, which end later, make room. */
static bool wait_for_room(struct submit_batch *batch, int messages)
{
    const struct submit_style *style = batch->style;
    const struct timespec pause = {.tv_nsec = ROOM_POLL_MS * 1000000L};
    int waited_ms = 0, ending_ms = 0;

    if (!style->queue || style->flow_control == eFLOWCTL_NO_DELAY)
        return true;
    while (!queue_has_room(style->queue, messages)) {
        if (glbl.GetGlobalInputTermState()) {
            if (batch->gave_up || ending_ms >= ROOM_WAIT_END_MS) {
                batch->gave_up = true;
                return false;
            }
            ending_ms += ROOM_POLL_MS;
        } else if (style->flow_control == eFLOWCTL_LIGHT_DELAY &&
                   waited_ms >= style->queue->toEnq) {
            return true;
        }
        nanosleep(&pause, NULL);
        waited_ms += ROOM_POLL_MS;
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
    text_init(&batch->run, SIZE_MAX / 4);
    text_init(&batch->body, SIZE_MAX / 4);
    return batch;
}

void submit_destroy(struct submit_batch *batch)
{
    if (!batch)
        return;
    submit_flush(batch);
    text_destroy(&batch->run);
    text_destroy(&batch->body);
    free(batch);
}

struct submit_peer *submit_peer_create(const struct submit_style *style, const struct peer *peer)
{
    struct submit_peer *p = calloc(1, sizeof *p);
    const uchar *address = (const uchar *)peer->address;

    if (!p)
        return NULL;
    if (prop.CreateStringProp(&p->ip, address, (int)strlen(peer->address)) != RS_RET_OK) {
        free(p);
        return NULL;
    }
    p->name = peer->local ? glbl.GetLocalHostNameProp() : p->ip;
    prop.AddRef(p->name);
    p->attributes.sample = style->sample;
    memcpy(p->tls_name, peer->tls_name, sizeof p->tls_name);
    p->attributes.tls = str_of(p->tls_name);
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

static void put_be32(struct text *t, uint32_t value)
{
    char octets[4] = {(char)(value >> 24), (char)(value >> 16), (char)(value >> 8), (char)value};

    text_put(t, octets, sizeof octets);
}

/* Does a frame of `len` octets still fit the bundle that is open? */
static bool bundle_has_room(const struct submit_batch *batch, const struct submit_style *style,
                            const struct submit_peer *peer, size_t len)
{
    return batch->style == style && batch->peer == peer && batch->bundled < style->bundle &&
           envelope_size_max(style->encoding, batch->run.len + 4 + len) <= style->message_max;
}

/* Puts the frames of the open message into it. False: no memory, and the message is gone. */
static bool close_message(struct submit_batch *batch)
{
    smsg_t *message;
    uint32_t frames;

    if (batch->bundled == 0) /* a full list has no place for an open message */
        return true;
    message = batch->messages[batch->list.nElem];
    frames = batch->bundled;
    batch->bundled = 0;
    text_clear(&batch->body);
    envelope_encode(&batch->body, batch->style->encoding, &batch->peer->attributes,
                    span_of(batch->run.buf, batch->run.len));
    if (!batch->body.overflow) {
        MsgSetRawMsg(message, batch->body.buf, batch->body.len);
        MsgSetMSGoffs(message, 0);
        if ((size_t)getRawMsgLen(message) == batch->body.len) { /* else rsyslog cut it */
            batch->list.nElem++;
            batch->listed += frames;
            return true;
        }
    }
    msgDestruct(&message);
    return false;
}

/* The same for a message whose frames are in the books as submitted. */
static void close_bundle(struct submit_batch *batch)
{
    const struct submit_style *style = batch->style;
    uint32_t frames = batch->bundled;

    if (!close_message(batch)) {
        source_lose(style->source, frames);
        source_tell_memory(style->source);
    }
}

/* Not the coarse clock: it would add its 4 ms to a latency of one. */
static uint64_t clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* A message that lacks its body: that comes with close_message. */
static bool open_message(struct submit_batch *batch, const struct submit_style *style,
                         const struct submit_peer *peer, const struct dnstap_glance *glance)
{
    smsg_t *message;

    if (batch->list.nElem == 0)
        datetime.getCurrTime(&batch->received, &batch->received_seconds, TIME_IN_LOCALTIME);
    if (msgConstructWithTime(&message, &batch->received, batch->received_seconds) != RS_RET_OK)
        return false;
    MsgSetFlowControlType(message, style->flow_control);
    MsgSetInputName(message, style->input_name);
    msgSetPRI(message, style->priority);
    MsgSetTAG(message, (const uchar *)style->tag, style->tag_len);
    MsgSetRcvFrom(message, peer->name);
    MsgSetRcvFromIP(message, peer->ip);
    MsgSetRuleset(message, style->ruleset);
    set_hostname(batch, message, style, peer, glance);
    set_time(batch, message, glance);
    batch->style = style;
    batch->peer = peer;
    batch->messages[batch->list.nElem] = message;
    if (style->bundle_latency_ms)
        batch->due_ms = clock_ms() + style->bundle_latency_ms;
    text_clear(&batch->run);
    return true;
}

bool submit_frame(struct submit_batch *batch, const struct submit_style *style,
                  const struct submit_peer *peer, struct span frame,
                  const struct dnstap_glance *glance)
{
    size_t before;

    if (batch->bundled && !bundle_has_room(batch, style, peer, frame.len))
        close_bundle(batch);
    if (batch->style != style || batch->list.nElem >= style->batch)
        submit_flush(batch);
    if (batch->bundled == 0 && !open_message(batch, style, peer, glance))
        return false;
    before = batch->run.len;
    put_be32(&batch->run, (uint32_t)frame.len);
    text_put(&batch->run, (const char *)frame.ptr, frame.len);
    if (batch->run.overflow) {
        text_cut(&batch->run, before);
        if (batch->bundled == 0)
            msgDestruct(&batch->messages[batch->list.nElem]);
        return false;
    }
    batch->bundled++;
    return style->bundle > 1 || close_message(batch);
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
    close_bundle(batch);
    submit_list(batch);
}
