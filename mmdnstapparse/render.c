/* render.c - see render.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "render.h"

#include <json_object.h>
#include <stdlib.h>

#define NAME_MAX_TEXT 4096
#define APPEND_ROOM   32768 /* what nearly every event's text finds enough */

static void text_reset(struct text *t, size_t limit)
{
    if (t->cap > RENDER_KEEP_MAX) {
        text_destroy(t);
        text_init(t, limit);
    }
    text_clear(t);
    t->limit = limit;
}

bool render_init(struct renderer *r)
{
    memset(r, 0, sizeof *r);
    text_init(&r->body, SIZE_MAX / 2);
    text_init(&r->peer, NAME_MAX_TEXT);
    text_init(&r->tls, NAME_MAX_TEXT);
    text_init(&r->scratch, FMT_TEXT_MAX);
    text_init(&r->reason, NAME_MAX_TEXT);
    for (size_t i = 0; i < RENDER_FORMATS_MAX; i++)
        text_init(&r->texts[i], FMT_TEXT_MAX);
    r->decoder = event_decoder_create();
    return r->decoder != NULL;
}

void render_destroy(struct renderer *r)
{
    event_decoder_destroy(&r->decoder);
    text_destroy(&r->body);
    text_destroy(&r->peer);
    text_destroy(&r->tls);
    text_destroy(&r->scratch);
    text_destroy(&r->reason);
    for (size_t i = 0; i < RENDER_FORMATS_MAX; i++)
        text_destroy(&r->texts[i]);
    if (r->tree)
        fjson_object_put(r->tree);
    r->tree = NULL;
    recurring_destroy(&r->recurring);
}

/* A buffer as the next text of this length will want it, so that it can be given away: one that grows by
 * doubling is soon too great for that. Nothing is kept of the text. */
static void make_fit(struct text *t, size_t len)
{
    size_t cap = len + len / 8 + APPEND_ROOM;

    if (cap > RENDER_TAKE_MAX)
        return;
    free(t->buf);
    t->buf = malloc(cap);
    t->cap = t->buf ? cap : 0;
}

static void reset(struct renderer *r, const struct render_plan *plan)
{
    text_reset(&r->body, SIZE_MAX / 2);
    text_reset(&r->scratch, FMT_TEXT_MAX);
    for (size_t i = 0; i < plan->format_count; i++) {
        if (r->texts[i].len >= RENDER_TAKE_MIN && r->texts[i].cap > RENDER_TAKE_MAX)
            make_fit(&r->texts[i], r->texts[i].len);
        text_reset(&r->texts[i], FMT_TEXT_MAX);
    }
    if (r->tree)
        fjson_object_put(r->tree);
    r->tree = NULL;
    r->parsed = r->malformed = r->unshown = 0;
}

/* Adds a later frame's lines behind those of the frames before, in place: 4 % less than by way of `scratch`
 * for bundles of 64. False, and nothing is added: there is not enough room in the buffer as it is. */
static bool append_in_place(const struct fmt *format, const struct event *event,
                            const struct fmt_options *options, struct text *t)
{
    size_t start = t->len + (t->len > 0); /* behind a line feed */
    struct text rest = {0};

    if (!text_reserve(t, APPEND_ROOM))
        return false;
    rest.buf = t->buf + start;
    rest.cap = rest.limit = t->cap - start;
    format->render(event, options, &rest);
    if (rest.overflow)
        return false;
    if (rest.len == 0)
        return true;
    if (t->len > 0)
        t->buf[t->len] = '\n';
    t->len = start + rest.len;
    return true;
}

/* The same for all lines, within RENDER_TEXT_MAX. */
static void append(struct renderer *r, const struct fmt *format, const struct event *event,
                   const struct fmt_options *options, struct text *t)
{
    size_t before = t->len;

    t->limit = RENDER_TEXT_MAX;
    if (append_in_place(format, event, options, t))
        return;
    t->overflow = false;
    fmt_render(format, event, options, &r->scratch);
    if (r->scratch.len == 0)
        return;
    if (t->len > 0)
        text_put_char(t, '\n');
    text_put_str(t, text_str(&r->scratch));
    if (t->overflow) {
        text_cut(t, before);
        r->unshown++;
    }
}

static void emit(struct renderer *r, const struct render_plan *plan, const struct event *event)
{
    bool first = r->parsed + r->malformed == 0;

    if (event->malformed)
        r->malformed++;
    else
        r->parsed++;
    if (first && plan->tree)
        r->tree = tree_build(event, plan->options.max_rrs, &r->scratch, &r->recurring);
    for (size_t i = 0; i < plan->format_count; i++)
        if (first)
            fmt_render(plan->formats[i], event, &plan->options, &r->texts[i]);
        else
            append(r, plan->formats[i], event, &plan->options, &r->texts[i]);
}

static void emit_broken(struct renderer *r, const struct render_plan *plan, struct span octets,
                        struct str reason, const struct event_context *context)
{
    struct event event;

    event_broken(octets, reason, context, &event);
    emit(r, plan, &event);
}

/* "frame cut short: 12 of 300 octets" */
static struct str cut_reason(struct renderer *r, size_t got, uint32_t want)
{
    text_clear(&r->reason);
    text_put_lit(&r->reason, "frame cut short: ");
    text_put_u64(&r->reason, got);
    text_put_lit(&r->reason, " of ");
    text_put_u64(&r->reason, want);
    text_put_lit(&r->reason, " octets");
    return text_str(&r->reason);
}

static struct event_context
context_of(struct renderer *r, const struct envelope_attributes *attributes, struct str peer)
{
    struct event_context context = {.peer = peer, .sample = attributes->sample};

    if (attributes->peer.len > 0) {
        text_clear(&r->peer);
        envelope_unescape(&r->peer, attributes->peer);
        context.peer = text_str(&r->peer);
    }
    if (attributes->tls.len > 0) {
        text_clear(&r->tls);
        envelope_unescape(&r->tls, attributes->tls);
        context.tls_peer = text_str(&r->tls);
    }
    return context;
}

/* Ends: every frame takes at least its length from the cursor. */
static void emit_run(struct renderer *r, const struct render_plan *plan, struct span run,
                     const struct event_context *context)
{
    struct cursor rest = cursor_of(run);
    struct span frame;
    struct event event;
    bool cut = false;
    uint32_t want = 0;

    while (envelope_next(&rest, &frame, &cut, &want)) {
        event_decode(r->decoder, frame, context, &event);
        emit(r, plan, &event);
    }
    if (cut)
        emit_broken(r, plan, frame, cut_reason(r, frame.len, want), context);
}

static struct str status_reason(enum envelope_status status)
{
    switch (status) {
    case ENVELOPE_BAD_HEAD:
        return STR("envelope: malformed head");
    case ENVELOPE_BAD_BODY:
        return STR("envelope: body cannot be decoded");
    case ENVELOPE_NO_MEMORY:
        return STR("envelope: out of memory");
    default:
        return STR("envelope: no frame in it");
    }
}

bool render_open(struct renderer *r, const struct render_plan *plan, struct str message)
{
    reset(r, plan);
    r->message = message;
    r->attributes = (struct envelope_attributes){0};
    r->run = (struct span){0};
    r->status = envelope_decode(message, &r->body, &r->attributes, &r->run);
    return r->status != ENVELOPE_FOREIGN;
}

void render_frames(struct renderer *r, const struct render_plan *plan, struct str peer)
{
    struct event_context context = context_of(r, &r->attributes, peer);

    if (r->status == ENVELOPE_OK || r->status == ENVELOPE_BAD_BODY)
        emit_run(r, plan, r->run, &context);
    if (r->status != ENVELOPE_OK || r->parsed + r->malformed == 0)
        emit_broken(r, plan, span_of(r->message.ptr, r->message.len), status_reason(r->status),
                    &context);
}

char *render_take(struct renderer *r, size_t i)
{
    struct text *t = &r->texts[i];
    size_t len = t->len;
    char *buf;

    if (len < RENDER_TAKE_MIN || t->cap > RENDER_TAKE_MAX)
        return NULL;
    buf = text_take(t);
    if (buf)
        make_fit(t, len);
    return buf;
}
