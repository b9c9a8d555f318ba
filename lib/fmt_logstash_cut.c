/* fmt_logstash_cut.c - dnstap2logstash.py -c: one object per answer RR.
 *
 * `answers` is a string in every line, so that the field has one type: dnstap_reader turned it
 * into an array when the rcode was not 0. An event without answers (a query, NODATA,
 * an error) is one line with an empty string; dnstap_reader lost NODATA.
 *
 * A line repeats head, question and authorities; the authorities are written once per answer, which
 * makes the cost answers x authorities. SHARE_MAX bounds it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fmt_logstash.h"

/* Lines share at most this much text for their common parts; past it the lines after
 * the first leave the authorities out and say `truncated`. */
#define SHARE_MAX (1024 * 1024)

static void put_copy(struct text *t, size_t from, size_t len)
{
    char *p = text_reserve(t, len);

    if (p && len) {
        memcpy(p, t->buf + from, len);
        t->len += len;
    }
}

static void put_answer(struct text *t, const struct dns_rr *rr)
{
    text_put_lit(t, ",\"answers\":\"");
    if (rr)
        fmt_put_rr_json(t, rr);
    text_put_char(t, '"');
}

/* The first line is rendered, the others copy its common parts. */
static void render(const struct event *event, const struct fmt_options *options, struct text *t)
{
    struct fmt_rrs answers = fmt_answers(event, options);
    size_t start = t->len, head, tail, tail_len;
    bool share;

    fmt_logstash_head(t, event);
    head = t->len - start;
    put_answer(t, answers.count ? fmt_rr(&answers, 0) : NULL);
    tail = t->len;
    fmt_logstash_tail(t, event, options);
    tail_len = t->len - tail;
    share = tail_len <= SHARE_MAX / (answers.count ? answers.count : 1);
    for (size_t i = 1; i < answers.count; i++) {
        text_put_char(t, '\n');
        put_copy(t, start, head);
        put_answer(t, fmt_rr(&answers, i));
        if (share)
            put_copy(t, tail, tail_len);
        else
            text_put_lit(t, ",\"authorities\":[],\"truncated\":true}");
    }
}

const struct fmt fmt_logstash_cut = {"logstash_cut", true, render};
