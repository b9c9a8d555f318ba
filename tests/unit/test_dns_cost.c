/* test_dns_cost.c - what hostile messages cost, compared with an ordinary one of the same size.
 *
 * No message of any size may take more than 20 times the ordinary one, neither to decode nor to decode and write in
 * a format, and chains of compression pointers no more than twice: they are what other decoders spend their time
 * on. Sizes are doubled up to 64 KiB, since a limit of the decoder that is reached at one size bounds only the larger ones.
 * Processor time of this thread, the best of many runs, so that a loaded machine does not fail the test. With
 * COST_ALL in the environment every ratio is printed.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#include "fmt.h"
#include "hostile.h"

/* What is instrumented costs by its accesses, not by its work. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SLACK 1.5
#else
#define SLACK 1.0
#endif
#define TIMES    20
#define RUNS_MAX 200 /* a limit that is kept is seen to be kept long before */
#define RUNS_MIN 3   /* of two each */

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const size_t sizes[] = {2048, 4096, 8192, 16384, 32768, DNS_MESSAGE_MAX};

struct sample {
    uint8_t frame[DNS_MESSAGE_MAX + 64]; /* dnstap payload */
    size_t len;
    struct span message; /* within it */
    double best_ns;
};

static struct dns_decoder *decoder;
static struct event_decoder *events;
static struct text out;
static const struct fmt *fmt; /* NULL: decode the message alone */
static struct sample ordinary, nasty;

static int setup(void **state)
{
    (void)state;
    decoder = dns_decoder_create();
    events = event_decoder_create();
    text_init(&out, FMT_TEXT_MAX);
    return decoder && events ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    text_destroy(&out);
    event_decoder_destroy(&events);
    dns_decoder_destroy(&decoder);
    return 0;
}

static size_t put_varint(uint8_t *p, size_t value)
{
    size_t n = 0;

    for (; value >= 0x80; value >>= 7)
        p[n++] = (uint8_t)(value | 0x80);
    p[n++] = (uint8_t)value;
    return n;
}

/* The message in a CLIENT_RESPONSE: protobuf, Dnstap.message 14, .type 15; Message.type 1,
 * .response_time_sec 12, .response_message 14. */
static void sample_build(struct sample *s, void (*build)(void))
{
    static const uint8_t head[] = {1 << 3, 6, 12 << 3, 0x80, 0xe2, 0xcf, 0xaa, 0x06, 14 << 3 | 2};
    uint8_t length[10];
    size_t length_len;
    uint8_t *p = s->frame;

    build();
    length_len = put_varint(length, len);
    *p++ = 15 << 3;
    *p++ = 1;
    *p++ = 14 << 3 | 2;
    p += put_varint(p, sizeof(head) + length_len + len);
    memcpy(p, head, sizeof(head));
    p += sizeof(head);
    memcpy(p, length, length_len);
    p += length_len;
    memcpy(p, message, len);
    s->message = span_of(p, len);
    s->len = (size_t)(p + len - s->frame);
    s->best_ns = 0;
}

static void sample_work(const struct sample *s)
{
    const struct event_context context = {.sample = 1};
    struct dns_message m;
    struct event event;

    if (!fmt) {
        dns_decode(decoder, s->message, &m);
        return;
    }
    event_decode(events, span_of(s->frame, s->len), &context, &event);
    fmt_render(fmt, &event, &fmt_options_default, &out);
}

/* Twice, since the other sample has been in the caches since. */
static void sample_run(struct sample *s)
{
    for (int i = 0; i < 2; i++) {
        struct timespec before, after;
        double ns;

        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
        sample_work(s);
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
        ns =
            (double)(after.tv_sec - before.tv_sec) * 1e9 + (double)(after.tv_nsec - before.tv_nsec);
        if (s->best_ns == 0 || ns < s->best_ns)
            s->best_ns = ns;
    }
}

/* Both in turns, so that a machine that is slower for a while is that for both. Ends: when the limit is
 * kept, or after RUNS_MAX. */
static void check(const char *name, void (*build)(void), double times)
{
    times *= SLACK;
    ordinary.best_ns = 0;
    sample_build(&nasty, build);
    for (int i = 0; i < RUNS_MAX && (i < RUNS_MIN || nasty.best_ns > times * ordinary.best_ns);
         i++) {
        sample_run(&ordinary);
        sample_run(&nasty);
    }
    if (nasty.best_ns > times / 2 * ordinary.best_ns || getenv("COST_ALL"))
        print_message("# %s, %zu octets, %s: %.2f times\n", fmt ? fmt->name : "decoded", room, name,
                      nasty.best_ns / ordinary.best_ns);
    if (nasty.best_ns > times * ordinary.best_ns)
        fail_msg("%s, %zu octets, %s: %.0f ns, ordinary %.0f ns", fmt ? fmt->name : "decoded", room,
                 name, nasty.best_ns, ordinary.best_ns);
}

static void check_all(bool each_limit)
{
    for (size_t s = 0; s < COUNT(sizes); s++) {
        room = sizes[s];
        sample_build(&ordinary, build_ordinary);
        for (size_t c = 0; c < COUNT(hostile); c++)
            check(hostile[c].name, hostile[c].build, each_limit ? hostile[c].times : TIMES);
    }
}

static void test_cost(void **state)
{
    (void)state;
    fmt = NULL;
    check_all(true);
}

static void test_cost_of_formats(void **state)
{
    (void)state;
    for (size_t f = 0; fmt_all[f]; f++) {
        fmt = fmt_all[f];
        check_all(false);
    }
}

/* Text is bounded by the message's size (DNS_TEXT_RATIO), and that is not reached by two of the longest names of ordinary
 * characters in the shortest RR that may point to them. */
static void test_text_grows_with_the_message(void **state)
{
    struct dns_message m;
    size_t total = 0;

    (void)state;
    room = 16384;
    build_triple_expansion();
    assert_false(dns_decode(decoder, span_of(message, len), &m));
    assert_string_equal(m.fault.reason, "output limit reached");
    assert_true(m.truncated_output);
    for (size_t i = 0; i < m.rr_count[DNS_ANSWER]; i++)
        total += m.rr[DNS_ANSWER][i].data.len;
    assert_true(total <= DNS_TEXT_BASE + DNS_TEXT_RATIO * len);
    assert_true(total > DNS_TEXT_RATIO * len);

    begin_escapes();
    memset(message + 12 + 1, 'a', 63);
    memset(message + 12 + 65, 'b', 63);
    memset(message + 12 + 129, 'c', 63);
    memset(message + 12 + 193, 'd', 61);
    while (add(12, 14, "\xc0\x0c\xc0\x0c", 4))
        ;
    assert_true(dns_decode(decoder, span_of(message, len), &m));
    assert_int_equal(m.rr_count[DNS_ANSWER], count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_grows_with_the_message),
        cmocka_unit_test(test_cost),
        cmocka_unit_test(test_cost_of_formats),
    };

    return cmocka_run_group_tests_name("dns_cost", tests, setup, teardown);
}
