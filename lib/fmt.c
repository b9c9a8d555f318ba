/* fmt.c - the registry of formats, and rendering within the limit.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fmt.h"
#include "fmt_list.h"

/* 2^13 is above DNS_RR_MAX: one RR per section is reached by then. */
#define HALVINGS_MAX 14

const struct fmt *const fmt_all[] = {
    &fmt_json, &fmt_logstash,   &fmt_logstash_cut, &fmt_ecs,  &fmt_ocsf,
    &fmt_cef,  &fmt_passivedns, &fmt_cof,          &fmt_text, NULL,
};

const struct fmt *fmt_find(struct str name)
{
    for (size_t i = 0; fmt_all[i]; i++)
        if (str_equal(str_of(fmt_all[i]->name), name))
            return fmt_all[i];
    return NULL;
}

static size_t most_rrs(const struct dns_message *m)
{
    size_t most;

    if (!m)
        return 0;
    most = m->question_count;
    for (int s = DNS_ANSWER; s < DNS_SECTIONS; s++)
        if (m->rr_count[s] > most)
            most = m->rr_count[s];
    return most;
}

/* What is left when not even one RR per section fits: which event it was, and that it was too large. */
static void render_least(const struct fmt *fmt, const struct event *event,
                         const struct fmt_options *options, struct text *t)
{
    struct event least;
    struct span nothing = {0};

    event_broken(nothing, STR("text of the event is over the limit"), &event->context, &least);
    least.tap.has = event->tap.has & DNSTAP_HAS_MESSAGE;
    least.tap.type = event->tap.type;
    least.type_text = event->type_text;
    least.direction = event->direction;
    least.is_response = event->is_response;
    least.has_time = event->has_time;
    least.time_sec = event->time_sec;
    least.time_nsec = event->time_nsec;
    least.time = event->time;
    text_clear(t);
    fmt->render(&least, options, t);
    if (t->overflow)
        text_clear(t);
}

void fmt_render(const struct fmt *fmt, const struct event *event, const struct fmt_options *options,
                struct text *t)
{
    struct fmt_options fewer;
    size_t rrs, query_rrs;

    text_clear(t);
    fmt->render(event, options, t);
    if (!t->overflow)
        return;
    fewer = *options;
    rrs = most_rrs(event->dns);
    query_rrs = most_rrs(event->query);
    if (query_rrs > rrs)
        rrs = query_rrs;
    if (options->max_rrs && options->max_rrs < rrs)
        rrs = options->max_rrs;
    for (int i = 0; t->overflow && rrs > 1 && i < HALVINGS_MAX; i++) {
        rrs /= 2;
        fewer.max_rrs = rrs;
        text_clear(t);
        fmt->render(event, &fewer, t);
    }
    if (t->overflow)
        render_least(fmt, event, options, t);
}
