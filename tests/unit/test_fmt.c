/* test_fmt.c - the registry, the text limit, and the json and text formats from events made by hand.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define _GNU_SOURCE /* memmem */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "fmt.h"
#include "fmt_common.h"
#include "guard.h"

#define RRS 100

/* A response with RRS answers of the given data. */
struct made {
    struct dns_question question;
    struct dns_rr answers[RRS];
    struct dns_message dns;
    struct event event;
};

static void make(struct made *m, size_t answers, struct str data)
{
    memset(m, 0, sizeof(*m));
    m->question = (struct dns_question){STR("www.example"), STR("A"), STR("IN"), 1, 1};
    for (size_t i = 0; i < answers; i++)
        m->answers[i] = (struct dns_rr){.name = STR("www.example"),
                                        .type_text = STR("A"),
                                        .class_text = STR("IN"),
                                        .data = data,
                                        .ttl = 4294967295,
                                        .type = 1,
                                        .class = 1};
    m->dns = (struct dns_message){.len = 120,
                                  .has_header = true,
                                  .id = 4660,
                                  .flags = 0x8180,
                                  .opcode_text = STR("QUERY"),
                                  .rcode_text = STR("NOERROR"),
                                  .count = {1, (uint16_t)answers, 0, 0},
                                  .question = &m->question,
                                  .question_count = 1};
    m->dns.rr[DNS_ANSWER] = m->answers;
    m->dns.rr_count[DNS_ANSWER] = answers;
    m->event.tap.has = DNSTAP_HAS_MESSAGE;
    m->event.tap.type = 6;
    m->event.type_text = STR("CLIENT_RESPONSE");
    m->event.direction = STR("CR");
    m->event.is_response = true;
    m->event.tap.response_message = span_of(m, m->dns.len);
    m->event.dns = &m->dns;
}

static struct text render(const char *format, const struct event *event, size_t max_rrs,
                          size_t limit)
{
    const struct fmt *fmt = fmt_find(str_of(format));
    struct fmt_options options = fmt_options_default;
    struct text t;

    assert_non_null(fmt);
    options.max_rrs = max_rrs;
    text_init(&t, limit);
    fmt_render(fmt, event, &options, &t);
    assert_false(t.overflow);
    return t;
}

static void expect(const char *format, const struct event *event, const char *want)
{
    struct text t = render(format, event, 0, FMT_TEXT_MAX);

    assert_int_equal(t.len, strlen(want));
    assert_memory_equal(t.buf, want, t.len);
    text_destroy(&t);
}

static bool has(const struct text *t, const char *needle)
{
    return memmem(t->buf, t->len, needle, strlen(needle)) != NULL;
}

static void test_registry(void **state)
{
    size_t n = 0;

    (void)state;
    for (; fmt_all[n]; n++) {
        assert_ptr_equal(fmt_find(str_of(fmt_all[n]->name)), fmt_all[n]);
        assert_non_null(fmt_all[n]->render);
    }
    assert_true(n >= 2);
    assert_null(fmt_find(STR("jso")));
    assert_null(fmt_find(STR("JSON")));
    assert_null(fmt_find(STR("")));
    assert_true(fmt_options_default.cef_version.len > 0);
    assert_int_equal(fmt_options_default.max_rrs, 0);
}

static void test_json_message(void **state)
{
    struct made m;

    (void)state;
    make(&m, 1, STR("192.0.2.1"));
    expect(
        "json", &m.event,
        "{\"type\":\"CLIENT_RESPONSE\",\"type_id\":6,\"direction\":\"CR\",\"response_len\":120,"
        "\"dns\":{\"id\":4660,"
        "\"opcode\":\"QUERY\",\"opcode_id\":0,\"rcode\":\"NOERROR\",\"rcode_id\":0,"
        "\"flags\":[\"QR\",\"RD\",\"RA\"],\"qdcount\":1,\"ancount\":1,\"nscount\":0,\"arcount\":0,"
        "\"question\":[{\"name\":\"www.example\",\"type\":\"A\",\"type_id\":1,\"class\":\"IN\","
        "\"class_id\":1}],\"answers\":[{\"name\":\"www.example\",\"type\":\"A\",\"type_id\":1,"
        "\"class\":\"IN\",\"class_id\":1,\"ttl\":4294967295,\"data\":\"192.0.2.1\"}],"
        "\"authorities\":[],\"additionals\":[],\"resolved_ip\":[\"192.0.2.1\"]}}");
}

static void test_json_every_key(void **state)
{
    struct event e = {.tap = {.has = 0x1fff, .type = 99}};

    (void)state;
    e.type_text = STR("99");
    e.tap.identity = span_of("n\"s\x01\xff", 5);
    e.tap.version = span_of("v", 0);
    e.context = (struct event_context){STR("192.0.2.9"), STR("ns.example"), 10};
    e.family_text = STR("INET");
    e.protocol_text = STR("UDP");
    e.transport = STR("udp");
    e.query_address = STR("192.0.2.1");
    e.tap.query_port = 4294967295;
    e.tap.query_time_sec = UINT64_MAX;
    e.tap.query_time_nsec = 10;
    e.time = STR("T");
    e.has_latency = true;
    e.latency_ns = UINT64_MAX;
    e.tap.query_message = span_of("x", 0);
    e.query_zone = STR("a\\.b");
    e.policy_match = STR("QNAME");
    e.malformed = true;
    e.error = STR("why");
    e.frame = span_of("f", 1);
    expect("json", &e,
           "{\"type\":\"99\",\"type_id\":99,\"identity\":\"n\\\"s\\u0001\xef\xbf\xbd\","
           "\"version\":\"\",\"peer\":\"192.0.2.9\",\"tls_peer\":\"ns.example\",\"sample\":10,"
           "\"family\":\"INET\",\"protocol\":\"UDP\",\"transport\":\"udp\","
           "\"query_address\":\"192.0.2.1\",\"query_port\":4294967295,\"response_port\":0,"
           "\"query_time_sec\":18446744073709551615,\"query_time_nsec\":10,"
           "\"response_time_sec\":0,\"response_time_nsec\":0,\"time\":\"T\","
           "\"latency_ns\":18446744073709551615,\"query_len\":0,\"query_zone\":\"a\\\\.b\","
           "\"policy\":{\"match\":\"QNAME\"},\"malformed\":true,\"error\":\"why\","
           "\"frame\":\"Zg==\"}");
}

static void test_json_broken(void **state)
{
    struct event_context context = {.sample = 1};
    struct dns_message cut = {.len = 3};
    struct event e;

    (void)state;
    event_broken(span_of("", 0), STR("cut"), &context, &e);
    expect("json", &e, "{\"malformed\":true,\"error\":\"cut\",\"frame\":\"\"}");
    e.dns = &cut;
    e.malformed = false;
    expect("json", &e,
           "{\"dns\":{\"question\":[],\"answers\":[],\"authorities\":[],\"additionals\":[],"
           "\"resolved_ip\":[]}}");
}

static void test_json_edns_and_update(void **state)
{
    struct dns_option options[] = {{3, STR("NSID"), STR("a\xc3\xbc\xff")},
                                   {65001, STR("OPT65001"), STR("00")}};
    struct text t;
    struct made m;

    (void)state;
    make(&m, 0, STR(""));
    m.dns.opcode = 5;
    m.dns.flags = 0xffff;
    m.dns.edns = (struct dns_edns){.present = true,
                                   .udp_size = 65535,
                                   .version = 255,
                                   .dnssec_ok = true,
                                   .options = options,
                                   .option_count = 2};
    t = render("json", &m.event, 0, FMT_TEXT_MAX);
    assert_true(has(&t, ",\"section_names\":[\"zone\",\"prerequisites\",\"updates\","
                        "\"additionals\"],\"question\":["));
    assert_true(has(&t, "\"flags\":[\"QR\",\"AA\",\"TC\",\"RD\",\"RA\",\"Z\",\"AD\",\"CD\"]"));
    assert_true(has(&t, ",\"edns\":{\"udp_size\":65535,\"version\":255,\"do\":true,\"options\":["
                        "{\"code\":3,\"name\":\"NSID\",\"data\":\"a\xc3\xbc\xef\xbf\xbd\"},"
                        "{\"code\":65001,\"name\":\"OPT65001\",\"data\":\"00\"}]}}"));
    text_destroy(&t);
    m.dns.edns.flags = 0xc000; /* DO, CO */
    t = render("json", &m.event, 0, FMT_TEXT_MAX);
    assert_true(has(&t, "\"do\":true,\"z\":16384,\"options\":["));
    text_destroy(&t);
}

/* Quotes and backslashes at every position of strings of every length up to two words. */
/* Any two octets of `len` that need a backslash, or one, or none: at `first` and at `second`, `len` for not at all. */
static void check_json_escapes(size_t len, size_t first, size_t second, unsigned kinds)
{
    char data[32], want[64] = "\"data\":\"";
    size_t n = strlen(want);
    struct text t;
    struct made m;

    memset(data, 'x', sizeof(data));
    data[first] = kinds & 1 ? '"' : '\\';
    data[second] = kinds & 2 ? '"' : '\\';
    for (size_t i = 0; i < len; i++) {
        if (data[i] != 'x')
            want[n++] = '\\';
        want[n++] = data[i];
    }
    memcpy(want + n, "\"}", 3);
    make(&m, 1, (struct str){data, len});
    m.answers[0].type = 16;
    t = render("json", &m.event, 0, FMT_TEXT_MAX);
    assert_true(has(&t, want));
    text_destroy(&t);
}

static void test_json_escapes(void **state)
{
    (void)state;
    for (size_t len = 0; len <= 20; len++) {
        for (size_t first = 0; first <= len; first++) {
            for (size_t second = first; second <= len; second++) {
                for (unsigned kinds = 0; kinds < 4; kinds++)
                    check_json_escapes(len, first, second, kinds);
            }
        }
    }
}

static size_t count_of(const struct text *t, const char *needle)
{
    const char *at = t->buf;
    size_t n = 0, len = strlen(needle);

    while ((at = memmem(at, (size_t)(t->buf + t->len - at), needle, len)) != NULL) {
        at += len;
        n++;
    }
    return n;
}

static void test_json_max_rrs(void **state)
{
    struct text t;
    struct made m;

    (void)state;
    make(&m, 3, STR("192.0.2.1"));
    t = render("json", &m.event, 3, FMT_TEXT_MAX);
    assert_int_equal(count_of(&t, "\"ttl\":"), 3);
    assert_false(has(&t, "truncated"));
    text_destroy(&t);
    t = render("json", &m.event, 2, FMT_TEXT_MAX);
    assert_int_equal(count_of(&t, "\"ttl\":"), 2);
    assert_int_equal(count_of(&t, "192.0.2.1"), 4);
    assert_true(has(&t, "\"ancount\":3,"));
    assert_true(has(&t, ",\"truncated\":true}}"));
    text_destroy(&t);
    m.dns.truncated_output = true;
    t = render("json", &m.event, 0, FMT_TEXT_MAX);
    assert_true(has(&t, ",\"truncated\":true}}"));
    assert_false(has(&t, "trailing"));
    text_destroy(&t);
    m.dns.trailing = 65000;
    t = render("json", &m.event, 0, FMT_TEXT_MAX);
    assert_true(has(&t, ",\"trailing\":65000,\"truncated\":true}}"));
    assert_false(has(&t, "malformed"));
    text_destroy(&t);
}

/* Whatever the limit, the text fits and is whole; RRs go before the event does. */
static void test_limit(void **state)
{
    struct made m;

    (void)state;
    make(&m, RRS, STR("192.0.2.1"));
    for (size_t limit = 0; limit < 14000; limit += limit < 1200 ? 1 : 97) {
        struct text t = render("json", &m.event, 0, limit);

        assert_true(t.len <= limit);
        if (t.len)
            assert_true(t.buf[0] == '{' && t.buf[t.len - 1] == '}');
        if (limit >= 2500)
            assert_true(has(&t, "\"ttl\":"));
        text_destroy(&t);
    }
}

/* Not even one RR fits: the event is named, and says so. */
static void test_limit_of_one(void **state)
{
    static char data[3000];
    struct text t;
    struct made m;

    (void)state;
    memset(data, 'y', sizeof(data));
    make(&m, 2, (struct str){data, sizeof(data)});
    t = render("json", &m.event, 0, 2000);
    assert_true(has(&t, "\"type\":\"CLIENT_RESPONSE\"") && has(&t, "\"malformed\":true"));
    assert_true(has(&t, "over the limit"));
    text_destroy(&t);
}

static void test_text(void **state)
{
    struct made m;

    (void)state;
    make(&m, 2, STR("192.0.2.1"));
    expect("text", &m.event, "- CR - - 120b \"www.example\" IN A NOERROR A 192.0.2.1 +1");
    m.event.time = STR("T");
    m.event.query_address = STR("2001:db8::1");
    m.event.protocol_text = STR("UDP");
    m.event.malformed = true;
    m.event.error = STR("why");
    m.dns.rr_count[DNS_ANSWER] = 0;
    expect("text", &m.event,
           "T CR 2001:db8::1 UDP 120b \"www.example\" IN A NOERROR malformed: why");
    m.event.malformed = false;
    m.event.tap.has |= DNSTAP_HAS_QUERY_PORT;
    m.event.tap.query_port = 53;
    m.dns.flags = 0;
    m.dns.question_count = 0;
    expect("text", &m.event, "T CR [2001:db8::1]:53 UDP 120b - - -");
    m.event.query_address = STR("192.0.2.7");
    m.event.direction = STR("");
    m.event.type_text = STR("99");
    m.event.dns = NULL;
    expect("text", &m.event, "T 99 192.0.2.7:53 UDP - - - -");
}

static void test_text_long_answer(void **state)
{
    static char data[300];
    struct text t;
    struct made m;

    (void)state;
    memset(data, 'y', sizeof(data));
    make(&m, 1, (struct str){data, sizeof(data)});
    t = render("text", &m.event, 0, FMT_TEXT_MAX);
    assert_int_equal(count_of(&t, "y"), 256);
    assert_memory_equal(t.buf + t.len - 4, "y...", 4);
    text_destroy(&t);
}

/* A policy without any field is an empty object; a query of more RRs than the response fits as well. */
static void test_json_odd_events(void **state)
{
    struct made m, query;
    struct text t;

    (void)state;
    make(&m, 1, STR("192.0.2.1"));
    m.event.tap.has |= DNSTAP_HAS_POLICY;
    t = render("json", &m.event, 0, FMT_TEXT_MAX);
    assert_true(has(&t, ",\"policy\":{},"));
    text_destroy(&t);
    make(&query, RRS, STR("192.0.2.2"));
    m.event.query = &query.dns;
    t = render("json", &m.event, 0, 4000);
    assert_true(t.len <= 4000);
    assert_true(has(&t, "192.0.2.1") && has(&t, "192.0.2.2"));
    assert_true(has(&t, ",\"truncated\":true}}"));
    text_destroy(&t);
}

static void test_rdata_fields(void **state)
{
    struct str data = STR("10 \"a b\\\" c\"  d");
    static const char *const want[] = {"10", "\"a b\\\" c\"", "d"};

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct str got = fmt_rdata_field(data, i);

        assert_int_equal(got.len, strlen(want[i]));
        assert_memory_equal(got.ptr, want[i], got.len);
    }
    assert_int_equal(fmt_rdata_field(data, 3).len, 0);
    assert_int_equal(fmt_rdata_field(STR(""), 0).len, 0);
}

/* Formats copy and look for escapes several octets at a time, never beyond the end of a text. */
static void test_texts_end_at_a_page(void **state)
{
    static const char last[] = {'a', '"', '\\', '|', '.', ' '};
    char octets[48];

    (void)state;
    for (size_t len = 1; len < sizeof(octets); len++) {
        for (size_t i = 0; i < sizeof(last); i++) {
            struct made m, plain;
            struct guard guard;

            memset(octets, 'x', sizeof(octets));
            octets[len - 1] = last[i];
            guard = guard_copy(octets, len);
            make(&m, 1, (struct str){(const char *)guard.span.ptr, len});
            make(&plain, 1, (struct str){octets, len});
            m.question.name = m.answers[0].name = m.answers[0].data;
            plain.question.name = plain.answers[0].name = plain.answers[0].data;
            m.event.tap.identity = guard.span;
            plain.event.tap.identity = span_of(octets, len);
            m.event.query_zone = m.answers[0].data;
            plain.event.query_zone = plain.answers[0].data;
            for (const struct fmt *const *fmt = fmt_all; *fmt; fmt++) {
                struct text t = render((*fmt)->name, &m.event, 0, FMT_TEXT_MAX);
                struct text want = render((*fmt)->name, &plain.event, 0, FMT_TEXT_MAX);

                assert_int_equal(t.len, want.len);
                assert_memory_equal(t.buf ? t.buf : "", want.buf ? want.buf : "", t.len);
                text_destroy(&t);
                text_destroy(&want);
            }
            guard_free(&guard);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_registry),
        cmocka_unit_test(test_json_message),
        cmocka_unit_test(test_json_every_key),
        cmocka_unit_test(test_json_broken),
        cmocka_unit_test(test_json_edns_and_update),
        cmocka_unit_test(test_json_escapes),
        cmocka_unit_test(test_json_max_rrs),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_limit_of_one),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_text_long_answer),
        cmocka_unit_test(test_json_odd_events),
        cmocka_unit_test(test_rdata_fields),
        cmocka_unit_test(test_texts_end_at_a_page),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
