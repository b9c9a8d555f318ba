/* fmt_text.c - one line for people: what the dnstap tool's -q prints, with rcode and answer.
 *
 *     TIME DIRECTION ADDRESS[:PORT] PROTOCOL LENGTHb "QNAME" CLASS TYPE [RCODE [TYPE DATA [+N]]]
 *     2026-11-26T19:53:01.123456789Z CR 192.0.2.1:53124 UDP 120b "www.example.com" IN A NOERROR A 192.0.2.80 +1
 *
 * ADDRESS and PORT are the querier's, LENGTH is that of the message shown. RCODE and the first answer
 * (of N more) are there in responses, the answer if they are a QUERY's. What is absent is `-`. A malformed event ends with
 * ` malformed: REASON`. An IPv6 address with port is in brackets. Only printable ASCII gets in: names,
 * data and tables are that already, and identity and other free text are not shown.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fmt_list.h"

/* A line stays readable: of a longer answer, the beginning and "...". */
#define ANSWER_MAX 256

static void put_or_dash(struct text *t, struct str s)
{
    text_put_char(t, ' ');
    text_put_str(t, s.len ? s : STR("-"));
}

static void put_address(struct text *t, const struct event *e)
{
    bool has_port = e->query_address.len && e->tap.has & DNSTAP_HAS_QUERY_PORT;
    bool is_ip6 = e->query_address.len && memchr(e->query_address.ptr, ':', e->query_address.len);

    if (!has_port) {
        put_or_dash(t, e->query_address);
        return;
    }
    text_put_str(t, is_ip6 ? STR(" [") : STR(" "));
    text_put_str(t, e->query_address);
    text_put_str(t, is_ip6 ? STR("]:") : STR(":"));
    text_put_u64(t, e->tap.query_port);
}

static void put_question(struct text *t, const struct dns_message *m)
{
    if (m->question_count == 0) {
        text_put_lit(t, " - - -");
        return;
    }
    text_put_lit(t, " \"");
    text_put_str(t, m->question[0].name);
    text_put_char(t, '"');
    put_or_dash(t, m->question[0].class_text);
    put_or_dash(t, m->question[0].type_text);
}

static void put_answer(struct text *t, const struct dns_message *m)
{
    const struct dns_rr *rr = m->rr[DNS_ANSWER];
    struct str data;

    if (m->rr_count[DNS_ANSWER] == 0)
        return;
    data = rr->data;
    text_put_char(t, ' ');
    text_put_str(t, rr->type_text);
    text_put_char(t, ' ');
    text_put(t, data.ptr, data.len > ANSWER_MAX ? ANSWER_MAX : data.len);
    if (data.len > ANSWER_MAX)
        text_put_lit(t, "...");
    if (m->rr_count[DNS_ANSWER] > 1) {
        text_put_lit(t, " +");
        text_put_u64(t, m->rr_count[DNS_ANSWER] - 1);
    }
}

static void put_message(struct text *t, const struct event *e)
{
    const struct dns_message *m = e->dns;

    text_put_char(t, ' ');
    text_put_u64(t, m->len);
    text_put_char(t, 'b');
    put_question(t, m);
    if (!m->has_header || !(m->flags & DNS_QR))
        return;
    put_or_dash(t, m->rcode_text);
    if (event_answer(e))
        put_answer(t, m);
}

static void render(const struct event *e, const struct fmt_options *options, struct text *t)
{
    (void)options;
    text_put_str(t, e->time.len ? e->time : STR("-"));
    put_or_dash(t, e->direction.len ? e->direction : e->type_text);
    put_address(t, e);
    put_or_dash(t, e->protocol_text);
    if (e->dns)
        put_message(t, e);
    else
        text_put_lit(t, " - - - -");
    if (e->malformed) {
        text_put_lit(t, " malformed: ");
        text_put_str(t, e->error);
    }
}

const struct fmt fmt_text = {"text", false, render};
