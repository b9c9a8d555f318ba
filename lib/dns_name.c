/* dns_name.c - domain names: compression within bounds, text by RFC 1035 5.1 and RFC 4343 2.1.
 *
 * Pointers go strictly backward, DNS_POINTER_HOPS_MAX of them, to at most DNS_NAME_MAX octets.
 * Every suffix that was read is remembered by its offset, so that each pointer of a message is
 * followed once, however many names share it, and a shared owner name is not even copied.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "dns_internal.h"
#include "word.h"

#define LABELS_MAX 127 /* of one octet each: 254 octets and the root (RFC 1035 2.3.4) */

/* 1 for every octet that does not stand for itself in a name: . " $ ( ) ; @ backslash and what is
 * not printable. */
static const uint8_t special_in_name[256] = {
    [0x00 ... 0x20] = 1, ['"'] = 1, ['$'] = 1, ['('] = 1,  [')'] = 1,
    ['.'] = 1,           [';'] = 1, ['@'] = 1, ['\\'] = 1, [0x7f ... 0xff] = 1,
};

/* A suffix of the name being read, to be remembered once it is known to be good. */
struct suffix {
    uint16_t offset; /* in the message */
    uint16_t text;   /* in this name's text */
    uint8_t wire;    /* octets before it */
    uint8_t hops;    /* pointers before it */
};

struct walk {
    struct dns_names *names;
    struct text *out;
    char *start, *pos; /* this name's text */
    const uint8_t *in, *end;
    const uint8_t *segment; /* where labels since the last pointer began */
    const uint8_t *behind;  /* octet behind the name in the stream; NULL: not reached */
    unsigned wire, hops, steps;
    struct suffix suffixes[LABELS_MAX + DNS_POINTER_HOPS_MAX + 1];
};

/* As label_put, for the label that nearly every label is: copies, and sees whether that was right. */
static inline bool plain_label_put(char *p, const uint8_t *label, size_t len)
{
    unsigned special = 0;

    for (size_t i = 0; i < len; i++) {
        p[i] = (char)label[i];
        special |= special_in_name[label[i]];
    }
    return !special;
}

/* Writes at most 4 * len bytes; returns the end. */
static char *label_put(char *p, const uint8_t *label, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned c = label[i];

        if (!special_in_name[c]) {
            *p++ = (char)c;
            continue;
        }
        *p++ = '\\';
        if (c > 0x20 && c < 0x7f) {
            *p++ = (char)c;
            continue;
        }
        *p++ = (char)('0' + c / 100);
        *p++ = (char)('0' + c / 10 % 10);
        *p++ = (char)('0' + c % 10);
    }
    return p;
}

static bool broken(struct walk *w, const char *reason)
{
    w->names->reason = reason;
    w->names->at = w->in;
    w->names->behind = w->behind;
    w->names->broken_steps += w->steps;
    return false;
}

static void suffix_add(struct walk *w)
{
    size_t offset = (size_t)(w->in - w->names->message.ptr);
    bool first = w->pos == w->start;

    if (offset >= DNS_POINTER_REACH)
        offset = DNS_POINTER_REACH; /* no pointer gets there: remember_suffixes leaves it out */
    w->suffixes[w->steps++] = (struct suffix){
        .offset = (uint16_t)offset,
        .text = (uint16_t)(w->pos - w->start + !first),
        .wire = (uint8_t)w->wire,
        .hops = (uint8_t)w->hops,
    };
}

static void remember_suffixes(struct walk *w)
{
    struct dns_names *n = w->names;
    size_t len = (size_t)(w->pos - w->start);
    size_t text = (size_t)(w->start - w->out->buf);

    for (unsigned i = 0; i < w->steps; i++) {
        const struct suffix *s = &w->suffixes[i];
        size_t from = s->text < len ? s->text : len;

        if (s->offset == DNS_POINTER_REACH)
            continue;
        n->memo[s->offset] = (struct dns_name_memo){
            .generation = n->generation,
            .text = (uint32_t)(text + from),
            .text_len = (uint16_t)(len - from),
            .wire_len = (uint8_t)(w->wire - s->wire),
            .hops = (uint8_t)(w->hops - s->hops),
        };
    }
}

/* A label, which moves in behind it. */
static bool label_read(struct walk *w)
{
    size_t len = w->in[0];

    if (len >= (size_t)(w->end - w->in))
        return broken(w, "name goes beyond its end");
    if (w->wire + 1 + len > DNS_NAME_MAX - 1)
        return broken(w, "name longer than 255 octets");
    suffix_add(w);
    if (w->pos != w->start)
        *w->pos++ = '.';
    if (plain_label_put(w->pos, w->in + 1, len))
        w->pos += len;
    else
        w->pos = label_put(w->pos, w->in + 1, len);
    w->wire += 1 + (unsigned)len;
    w->in += 1 + len;
    return true;
}

/* The suffix behind a pointer is known: take it whole. */
static bool memo_take(struct walk *w, const struct dns_name_memo *memo)
{
    if (w->hops + memo->hops > DNS_POINTER_HOPS_MAX)
        return broken(w, "too many name pointers");
    if (w->wire + memo->wire_len > DNS_NAME_MAX)
        return broken(w, "name longer than 255 octets");
    if (memo->text_len > 0) {
        if (w->pos != w->start)
            *w->pos++ = '.';
        memcpy(w->pos, w->out->buf + memo->text, memo->text_len);
        w->pos += memo->text_len;
    }
    w->wire += memo->wire_len;
    w->hops += memo->hops;
    return true;
}

/* Does a pointer that does not go back to where nobody was lead to this name again? */
static bool is_loop(const struct walk *w, size_t target)
{
    if (target <= (size_t)(w->in - w->names->message.ptr))
        return true;
    for (unsigned i = 0; i < w->steps; i++)
        if (w->suffixes[i].offset == target)
            return true;
    return false;
}

/* A pointer, which moves in to its target. *ret_done: the rest was known, the name is complete. */
static bool pointer_read(struct walk *w, bool *ret_done)
{
    struct dns_names *n = w->names;
    const struct dns_name_memo *memo;
    size_t target;

    if (w->end - w->in < 2)
        return broken(w, "name goes beyond its end");
    target = (size_t)(w->in[0] & 0x3f) << 8 | w->in[1];
    if (!w->behind)
        w->behind = w->in + 2;
    if (target >= (size_t)(w->segment - n->message.ptr))
        return broken(w, is_loop(w, target) ? "name pointer loop" : "name pointer goes forward");
    if (w->hops == DNS_POINTER_HOPS_MAX)
        return broken(w, "too many name pointers");
    suffix_add(w);
    w->hops++;
    memo = &n->memo[target];
    *ret_done = memo->generation == n->generation;
    if (*ret_done)
        return memo_take(w, memo);
    if (n->broken_steps > DNS_BROKEN_STEPS_MAX && w->hops > DNS_HOPS_AFTER_BROKEN)
        return broken(w, "too many broken names");
    w->segment = w->in = n->message.ptr + target;
    w->end = n->message.ptr + n->message.len;
    return true;
}

/* Ends: a label costs wire length, of which there are 255, and a pointer one of 127 hops; so many
 * suffixes there are at most, and the root. */
static bool walk_to_root(struct walk *w, bool pointers)
{
    bool done = false;

    while (!done) {
        if (w->in >= w->end)
            return broken(w, "name goes beyond its end");
        if (w->in[0] == 0) {
            suffix_add(w);
            w->wire++;
            if (!w->behind)
                w->behind = w->in + 1;
            return true;
        }
        if (w->in[0] < 0x40) {
            if (!label_read(w))
                return false;
        } else if (w->in[0] < 0xc0) {
            return broken(w, "unknown label type");
        } else if (!pointers || !w->names->memo) {
            return broken(w, "name pointer where none is allowed");
        } else if (!pointer_read(w, &done)) {
            return false;
        }
    }
    return true;
}

/* ---- the name that nearly every name is: plain labels, and the root or a name already known ------ */

#define PLAIN_LABEL_MAX 0x20 /* so that every length octet is special, too */

/* How many of the octets from `in` are special in a name, while they are copied.
 * len is at most DNS_NAME_MAX; out has room for 15 octets more; `end`: of what may be read. */
static inline size_t copy_and_count(char *out, const uint8_t *in, size_t len, const uint8_t *end)
{
    static const signed char lanes[32] = {[0 ... 15] = -1}; /* then zeros */
    octets16 sum = {0}, octets;
    uint64_t halves[2];

    for (size_t i = 0; i < len; i += sizeof(octets)) {
        size_t left = len - i < sizeof(octets) ? len - i : sizeof(octets);
        const uint8_t *from = in + i;
        uint8_t last[sizeof(octets)];

        if ((size_t)(end - from) < sizeof(octets)) {
            memset(last, 0, sizeof(last));
            memcpy(last, from, left);
            from = last;
        }
        octets = octets_load(from);
        octets_store(out + i, octets);
        sum -= ((octets < '!') | (octets == 0x7f) | (octets == '.') | (octets == '"') |
                (octets == '$') | ((octets | 1) == ')') | (octets == ';') | (octets == '@') |
                (octets == '\\')) &
               octets_load(lanes + sizeof(octets) - left);
    }
    memcpy(halves, &sum, sizeof(halves));
    return (size_t)((halves[0] + halves[1]) * WORD_ONES >> 56);
}

/* Finds the tail behind the labels that end at *c, and moves *c behind the name. NULL: there is no such tail.
 * start: of the name, which pointers must go before. */
static inline const struct dns_name_memo *plain_tail(const struct dns_names *n, struct cursor *c,
                                                     const uint8_t *start, bool pointers)
{
    static const struct dns_name_memo root = {.wire_len = 1};
    const struct dns_name_memo *tail;
    size_t target;

    if (cursor_left(c) >= 1 && c->pos[0] == 0) {
        c->pos++;
        return &root;
    }
    if (cursor_left(c) < 2 || c->pos[0] < 0xc0 || !pointers || !n->memo)
        return NULL;
    target = (size_t)(c->pos[0] & 0x3f) << 8 | c->pos[1];
    tail = &n->memo[target];
    if (target >= (size_t)(start - n->message.ptr) || tail->generation != n->generation ||
        tail->hops >= DNS_POINTER_HOPS_MAX)
        return NULL;
    c->pos += 2;
    return tail;
}

/* Remembers every suffix of a name whose text is about to be appended to t. wire: octets of its labels. */
static inline void plain_remember(struct dns_names *n, const struct text *t, const uint8_t *start,
                                  size_t wire, size_t len, const struct dns_name_memo *tail)
{
    size_t offset = (size_t)(start - n->message.ptr);
    unsigned hops = tail->hops + (tail->generation == n->generation ? 1u : 0u);

    /* Ends: a label has one octet or more. */
    for (size_t at = 0; n->memo && at < wire && offset + at < DNS_POINTER_REACH;
         at += 1u + start[at])
        n->memo[offset + at] = (struct dns_name_memo){
            .generation = n->generation,
            .text = (uint32_t)(t->len + at),
            .text_len = (uint16_t)(len - at),
            .wire_len = (uint8_t)(wire - at + tail->wire_len),
            .hops = (uint8_t)hops,
        };
}

/* As walk_to_root and remember_suffixes, but for suffixes without label. False when the name takes these two:
 * then nothing has moved. 400 instructions less per frame of the mixed captures. */
static bool plain_read(struct dns_names *n, struct text *t, struct cursor *c, bool pointers,
                       struct str *ret)
{
    struct cursor rest = *c;
    const uint8_t *start = c->pos;
    const struct dns_name_memo *tail;
    char *out = text_reserve(t, DNS_NAME_TEXT_MAX);
    size_t labels = 0, wire, len;

    /* Ends: every turn takes a label off what is left. */
    for (; cursor_left(&rest) > 0 && *rest.pos - 1u < PLAIN_LABEL_MAX; labels++) {
        if (*rest.pos >= cursor_left(&rest))
            return false;
        rest.pos += 1u + *rest.pos;
    }
    wire = (size_t)(rest.pos - start);
    tail = plain_tail(n, &rest, start, pointers);
    if (!out || !tail || labels == 0 || wire + tail->wire_len > DNS_NAME_MAX)
        return false;
    len = wire - 1;
    if (copy_and_count(out, start + 1, len, n->message.ptr + n->message.len) != labels - 1)
        return false;
    for (const uint8_t *at = start + 1 + *start; at < start + wire; at += 1u + *at)
        out[at - start - 1] = '.';
    if (tail->text_len > 0) {
        out[len] = '.';
        memcpy(out + len + 1, t->buf + tail->text, tail->text_len);
        len += 1u + tail->text_len;
    }
    plain_remember(n, t, start, wire, len, tail);
    *ret = (struct str){out, len};
    t->len += len;
    *c = rest;
    return true;
}

static bool any_read(struct dns_names *names, struct text *t, struct cursor *c, bool pointers,
                     struct str *ret)
{
    struct walk w;

    w.names = names;
    w.out = t;
    w.in = w.segment = c->pos;
    w.end = c->end;
    w.behind = NULL;
    w.wire = w.hops = w.steps = 0;
    w.start = w.pos = text_reserve(t, DNS_NAME_TEXT_MAX);
    if (!w.start)
        return broken(&w, "output limit reached");
    if (!walk_to_root(&w, pointers))
        return false;
    if (names->memo)
        remember_suffixes(&w);
    *ret = (struct str){w.start, (size_t)(w.pos - w.start)};
    t->len += ret->len;
    c->pos = w.behind;
    return true;
}

bool dns_name_read(struct dns_names *names, struct text *t, struct cursor *c, bool pointers,
                   struct str *ret)
{
    struct cursor rest = *c;
    const struct dns_name_memo *tail = plain_tail(names, &rest, c->pos, pointers);

    if (tail) {
        *ret = (struct str){tail->text_len ? t->buf + tail->text : "", tail->text_len};
        *c = rest;
        return true;
    }
    return plain_read(names, t, c, pointers, ret) || any_read(names, t, c, pointers, ret);
}

/* Ends: each turn takes an octet. */
bool dns_name_skip(struct cursor *c)
{
    uint8_t len;
    struct span label;

    while (cursor_u8(c, &len)) {
        if (len >= 0xc0)
            return cursor_u8(c, &len);
        if (len == 0)
            return true;
        if (len >= 0x40 || !cursor_span(c, len, &label))
            return false;
    }
    return false;
}

bool dns_name_text(struct text *t, struct span wire)
{
    struct dns_names names = {.message = wire};
    struct cursor c = cursor_of(wire);
    size_t len = t->len;
    struct str name;

    if (!dns_name_read(&names, t, &c, false, &name))
        return false;
    if (cursor_left(&c) > 0) {
        text_cut(t, len);
        return false;
    }
    if (name.len == 0)
        text_put_char(t, '.');
    return true;
}
