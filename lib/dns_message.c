/* dns_message.c - header, sections and limits of a DNS message (RFC 1035 4.1, RFC 6891 6.1).
 *
 * The decoder is one block: its text never moves, its arrays hold the most that a message can
 * bring, and a page that no message needed is never touched.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "dns_internal.h"

#include <stdlib.h>

#define HEADER_LEN 12
#define TYPE_OPT   41
#define CLASS_NONE 254
#define CLASS_ANY  255

struct dns_decoder {
    struct text text; /* lies in `storage` */
    struct dns_names names;
    struct dns_question questions[DNS_QUESTION_MAX];
    struct dns_option options[DNS_OPTION_MAX];
    struct dns_fault others[DNS_FAULT_MAX - 1];
    struct dns_rr rrs[DNS_RR_MAX]; /* of all sections, one behind the other */
    size_t rr_count;
    struct dns_name_memo memo[DNS_POINTER_REACH];
    char storage[DNS_TEXT_MAX + NAMES_PUT_MAX]; /* the rcode's name always fits */
};

/* One message being decoded. */
struct walk {
    struct dns_decoder *d;
    struct dns_message *m;
    struct cursor in;
    enum dns_section section;
    uint16_t index;       /* RR within the section, from 1 */
    const uint8_t *start; /* of the question or RR that is being read */
};

struct dns_decoder *dns_decoder_create(void)
{
    struct dns_decoder *d = calloc(1, sizeof(*d));

    if (!d)
        return NULL;
    d->text.buf = d->storage;
    d->names.memo = d->memo;
    return d;
}

void dns_decoder_destroy(struct dns_decoder **decoder)
{
    free(*decoder);
    *decoder = NULL;
}

static size_t text_limit(size_t message_len)
{
    size_t limit = DNS_TEXT_BASE + DNS_TEXT_RATIO * message_len;

    return limit < DNS_TEXT_MAX ? limit : DNS_TEXT_MAX;
}

static void decoder_begin(struct dns_decoder *d, struct span message)
{
    struct dns_names *n = &d->names;

    text_clear(&d->text);
    d->text.cap = d->text.limit = text_limit(message.len);
    d->rr_count = 0;
    n->message = message;
    n->broken_steps = 0;
    if (++n->generation == 0) { /* once in four billion messages */
        memset(d->memo, 0, sizeof(d->memo));
        n->generation = 1;
    }
}

static void fault(struct walk *w, const char *reason, const uint8_t *at)
{
    struct dns_message *m = w->m;
    size_t before = m->fault_count++;
    struct dns_fault *f;

    if (before >= DNS_FAULT_MAX)
        return;
    f = before == 0 ? &m->fault : &w->d->others[before - 1];
    f->reason = reason;
    f->section = w->section;
    f->index = w->index;
    f->offset = (uint32_t)(at - w->d->names.message.ptr);
}

/* The fault ends the walk. */
static bool stop(struct walk *w, const char *reason, const uint8_t *at)
{
    fault(w, reason, at);
    return false;
}

static struct str number_put(struct text *t, const struct name_table *table, uint32_t value)
{
    size_t start = t->len;

    names_put(t, table, value);
    return (struct str){t->buf + start, t->len - start};
}

static inline struct str number_text(struct text *t, const struct name_table *table, uint32_t value)
{
    struct str name = names_find(table, value);

    return name.len > 0 ? name : number_put(t, table, value);
}

/* A name that cannot be read but whose end is known is shown as its octets: what follows can be read. */
static bool broken_owner_read(struct walk *w, struct str *ret)
{
    const struct dns_names *n = &w->d->names;
    struct text *t = &w->d->text;
    size_t start = t->len;

    if (t->overflow)
        return false;
    fault(w, n->reason, n->at);
    if (!n->behind)
        return false;
    dns_generic_put(t, span_of(w->in.pos, (size_t)(n->behind - w->in.pos)));
    *ret = (struct str){t->buf + start, t->len - start};
    w->in.pos = n->behind;
    return !t->overflow;
}

static inline bool owner_read(struct walk *w, struct str *ret)
{
    if (dns_name_read(&w->d->names, &w->d->text, &w->in, true, ret)) {
        if (ret->len == 0)
            *ret = STR(".");
        return true;
    }
    return broken_owner_read(w, ret);
}

static bool question_read(struct walk *w)
{
    struct dns_message *m = w->m;
    struct dns_question q;

    w->start = w->in.pos;
    if (!owner_read(w, &q.name))
        return false;
    if (!cursor_be16(&w->in, &q.type) || !cursor_be16(&w->in, &q.class))
        return stop(w, "message ends within a question", w->in.end);
    if (m->question_count == DNS_QUESTION_MAX) {
        if (!m->truncated_output)
            fault(w, "too many questions", w->start);
        m->truncated_output = true;
        return true;
    }
    q.type_text = number_text(&w->d->text, &names_rr_type, q.type);
    q.class_text = number_text(&w->d->text, &names_class, q.class);
    w->d->questions[m->question_count++] = q;
    return true;
}

/* OPT's fields (RFC 6891 6.1.3). */
static void opt_read(struct walk *w, const struct dns_rr *rr)
{
    struct dns_edns *e = &w->m->edns;
    const uint8_t *at = w->start;
    const char *reason;

    if (w->section != DNS_ADDITIONAL)
        fault(w, "OPT outside the additional section", at);
    else if (!str_equal(rr->name, STR(".")))
        fault(w, "OPT not owned by the root", at);
    e->present = true;
    e->udp_size = rr->class;
    e->ttl = rr->ttl;
    e->version = (uint8_t)(rr->ttl >> 16);
    e->flags = (uint16_t)rr->ttl;
    e->dnssec_ok = e->flags & 0x8000;
    e->options = w->d->options;
    reason = dns_options_read(&w->d->text, rr->rdata, w->d->options, &e->option_count, &at);
    if (reason)
        fault(w, reason, at);
    w->m->rcode = (uint16_t)(rr->ttl >> 24 << 4 | (w->m->flags & 15));
}

/* In UPDATE, an RR that is to be deleted has the rdata of the zone's class (RFC 2136 2.5.4). */
static uint16_t rdata_class(const struct walk *w, const struct dns_rr *rr)
{
    bool deletes = w->m->opcode == DNS_OPCODE_UPDATE && w->section == DNS_AUTHORITY &&
                   rr->class == CLASS_NONE && w->m->question_count > 0;

    return deletes ? w->m->question[0].class : rr->class;
}

/* Does UPDATE name an RRset, or all of a name, where others have rdata (RFC 2136 2.4.1 to 2.4.3, 2.5.2, 2.5.3)? */
static bool is_without_rdata(const struct walk *w, const struct dns_rr *rr)
{
    return w->m->opcode == DNS_OPCODE_UPDATE &&
           ((rr->class == CLASS_ANY && w->section != DNS_ADDITIONAL) ||
            (rr->class == CLASS_NONE && w->section == DNS_ANSWER));
}

/* Rdata that is not to be read: its octets. */
static void rdata_octets(struct walk *w, struct dns_rr *rr)
{
    struct text *t = &w->d->text;
    size_t start = t->len;

    dns_generic_put(t, rr->rdata);
    rr->data = (struct str){t->buf + start, t->len - start};
    rr->generic = true;
}

static void rdata_read(struct walk *w, struct dns_rr *rr)
{
    struct dns_rdata r = {
        .in = cursor_of(rr->rdata),
        .out = &w->d->text,
        .names = &w->d->names,
        .class = rdata_class(w, rr),
    };

    rr->generic = !dns_rdata_put(&r, rr->type, &rr->data);
    if (rr->generic && !r.out->overflow)
        fault(w, r.reason, r.at);
}

/* whole: else the message ends within its rdata. */
static void rr_finish(struct walk *w, struct dns_rr *rr, bool whole)
{
    struct text *t = &w->d->text;

    rr->type_text = number_text(t, &names_rr_type, rr->type);
    rr->class_text = number_text(t, &names_class, rr->class);
    rr->cut = !whole;
    if (rr->cut) {
        rdata_octets(w, rr);
    } else if (!is_without_rdata(w, rr)) {
        rdata_read(w, rr);
    } else if (rr->rdata.len == 0) {
        rr->data = (struct str){"", 0};
        rr->generic = false;
    } else {
        fault(w, "rdata where UPDATE has none", rr->rdata.ptr);
        rdata_octets(w, rr);
    }
    if (t->overflow)
        return;
    w->d->rr_count++;
    w->m->rr_count[w->section]++;
}

/* Past its TTL an RR is shown, wherever the message ends. The first OPT is not among the RRs; a second one is
 * a fault (RFC 6891 6.1.1), and an RR like others. */
static bool rr_read(struct walk *w)
{
    struct dns_rr *rr = &w->d->rrs[w->d->rr_count];
    bool whole;

    w->start = w->in.pos;
    if (cursor_left(&w->in) == 0)
        return stop(w, "message ends before its last RR", w->start);
    if (w->d->rr_count == DNS_RR_MAX)
        return stop(w, "too many RRs", w->start);
    if (!owner_read(w, &rr->name))
        return false;
    if (!cursor_be16(&w->in, &rr->type) || !cursor_be16(&w->in, &rr->class) ||
        !cursor_be32(&w->in, &rr->ttl))
        return stop(w, "message ends within an RR", w->in.end);
    whole = dns_sized_take(&w->in, &rr->rdata);
    if (!whole)
        fault(w, "message ends within an RR", w->in.end);
    if (rr->type == TYPE_OPT && !w->m->edns.present) {
        opt_read(w, rr);
    } else {
        if (rr->type == TYPE_OPT)
            fault(w, "more than one OPT", w->start);
        rr_finish(w, rr, whole);
    }
    return whole && !w->d->text.overflow;
}

static bool sections_read(struct walk *w)
{
    struct dns_message *m = w->m;

    for (unsigned i = 1; i <= m->count[DNS_QUESTION]; i++) {
        w->index = (uint16_t)i;
        if (!question_read(w))
            return false;
    }
    for (int s = DNS_ANSWER; s < DNS_SECTIONS; s++) {
        w->section = (enum dns_section)s;
        m->rr[s] = w->d->rrs + w->d->rr_count;
        for (unsigned i = 1; i <= m->count[s]; i++) {
            w->index = (uint16_t)i;
            if (!rr_read(w))
                return false;
        }
    }
    return true;
}

/* The output limit ended the walk: an OPT behind it still has a part of the rcode, so it is looked for, and read
 * without its options. Ends: each turn takes an octet or more. */
static void opt_seek(struct walk *w)
{
    struct cursor c = {w->start, w->in.end};
    struct dns_rr rr;
    unsigned i = w->index;

    for (int s = (int)w->section; s < DNS_SECTIONS; s++, i = 1) {
        for (; i <= w->m->count[s]; i++) {
            w->start = c.pos;
            if (!dns_name_skip(&c) || !cursor_be16(&c, &rr.type) || !cursor_be16(&c, &rr.class))
                return;
            if (s == DNS_QUESTION)
                continue;
            if (!cursor_be32(&c, &rr.ttl))
                return;
            if (rr.type == TYPE_OPT) {
                w->section = (enum dns_section)s;
                w->index = (uint16_t)i;
                rr.name = *w->start == 0 ? STR(".") : STR("");
                rr.rdata = span_of(c.pos, 0);
                opt_read(w, &rr);
                return;
            }
            if (!dns_sized_take(&c, &rr.rdata))
                return;
        }
    }
}

static bool header_read(struct walk *w)
{
    struct dns_message *m = w->m;

    if (cursor_left(&w->in) < HEADER_LEN)
        return stop(w, "message shorter than its header", w->in.end);
    cursor_be16(&w->in, &m->id);
    cursor_be16(&w->in, &m->flags);
    for (int s = 0; s < DNS_SECTIONS; s++)
        cursor_be16(&w->in, &m->count[s]);
    m->has_header = true;
    m->opcode = m->flags >> 11 & 15;
    m->rcode = m->flags & 15;
    m->opcode_text = number_text(&w->d->text, &names_opcode, m->opcode);
    return true;
}

bool dns_decode(struct dns_decoder *decoder, struct span message, struct dns_message *ret)
{
    static const uint8_t nothing[1];
    struct walk w = {.d = decoder, .m = ret};
    struct text *t = &decoder->text;
    bool whole;

    *ret = (struct dns_message){
        .len = message.len,
        .question = decoder->questions,
        .others = decoder->others,
    };
    for (int s = 0; s < DNS_SECTIONS; s++)
        ret->rr[s] = decoder->rrs;
    if (message.len > DNS_MESSAGE_MAX)
        message.len = DNS_MESSAGE_MAX;
    if (!message.ptr)
        message.ptr = nothing;
    decoder_begin(decoder, message);
    w.in = cursor_of(message);
    if (!header_read(&w))
        return false;
    whole = sections_read(&w);
    if (t->overflow) {
        ret->truncated_output = true;
        fault(&w, "output limit reached", w.in.pos);
        t->overflow = false;
        if (!ret->edns.present)
            opt_seek(&w);
    }
    t->cap = t->limit = sizeof(decoder->storage);
    ret->rcode_text = number_text(t, &names_rcode, ret->rcode);
    w.section = DNS_ADDITIONAL;
    w.index = 0;
    if (ret->len > DNS_MESSAGE_MAX)
        fault(&w, "message longer than 65535 octets", w.in.end);
    if (whole)
        ret->trailing = cursor_left(&w.in);
    return !ret->fault.reason;
}
