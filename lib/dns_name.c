/* dns_name.c - domain names: compression within bounds, text by RFC 1035 5.1 and RFC 4343 2.1.
 *
 * Pointers go strictly backward, DNS_POINTER_HOPS_MAX of them, to at most DNS_NAME_MAX octets.
 * Every suffix that was read is remembered by its offset, so that each pointer of a message is
 * followed once, however many names share it, and a shared owner name is not even copied.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "dns_internal.h"

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
        return broken(w, "name pointer loop");
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

bool dns_name_read(struct dns_names *names, struct text *t, struct cursor *c, bool pointers,
                   struct str *ret)
{
    struct walk w;

    if (pointers && names->memo && cursor_left(c) >= 2 && c->pos[0] >= 0xc0) {
        size_t target = (size_t)(c->pos[0] & 0x3f) << 8 | c->pos[1];
        const struct dns_name_memo *memo = &names->memo[target];

        if (memo->generation == names->generation && memo->hops < DNS_POINTER_HOPS_MAX &&
            target < (size_t)(c->pos - names->message.ptr)) {
            *ret = (struct str){t->buf + memo->text, memo->text_len};
            c->pos += 2;
            return true;
        }
    }
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
