/* test_dns_cost.c - what hostile messages cost, compared with an ordinary one of the same size.
 *
 * No message of 64 KiB may take more than 20 times the ordinary one, and chains of compression pointers
 * no more than twice: they are what other decoders spend their time on. Processor time of this
 * thread, the best of many runs, so that a loaded machine does not fail the test.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "dns.h"

/* What is instrumented costs by its accesses, not by its work. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SLACK 1.5
#else
#define SLACK 1.0
#endif
#define RUNS_MAX 200 /* a limit that is kept is seen to be kept long before */
#define RUNS_MIN 10

static struct dns_decoder *decoder;
static uint8_t message[DNS_MESSAGE_MAX];
static size_t len;
static unsigned count;

static int setup(void **state)
{
    (void)state;
    decoder = dns_decoder_create();
    return decoder ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    dns_decoder_destroy(&decoder);
    return 0;
}

static double decode_ns(void)
{
    struct timespec before, after;
    struct dns_message m;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
    dns_decode(decoder, span_of(message, len), &m);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
    return (double)(after.tv_sec - before.tv_sec) * 1e9 + (double)(after.tv_nsec - before.tv_nsec);
}

static void begin(void)
{
    memset(message, 0, sizeof(message));
    message[2] = 0x84;
    len = 12;
    count = 0;
}

/* Owner: a pointer to `owner`. False when it does not fit any more. */
static bool add(size_t owner, unsigned type, const void *rdata, size_t rdlen)
{
    uint8_t *p = message + len;

    if (rdlen > sizeof(message) - len || 12 > sizeof(message) - len - rdlen)
        return false;
    p[0] = (uint8_t)(0xc0 | owner >> 8);
    p[1] = (uint8_t)owner;
    p[2] = (uint8_t)(type >> 8);
    p[3] = (uint8_t)type;
    p[5] = 1;
    p[10] = (uint8_t)(rdlen >> 8);
    p[11] = (uint8_t)rdlen;
    memcpy(p + 12, rdata, rdlen);
    len += 12 + rdlen;
    count++;
    message[6] = (uint8_t)(count >> 8);
    message[7] = (uint8_t)count;
    return true;
}

/* A question whose name, at 12, is www.example.com. */
static void begin_question(void)
{
    static const char question[] = "\3www\7example\3com\0\0\1\0";

    begin();
    message[5] = 1;
    memcpy(message + 12, question, sizeof(question));
    message[12 + sizeof(question) - 1] = 1;
    len += sizeof(question);
}

static void build_ordinary(void)
{
    begin_question();
    while (add(12, 33, "\0\1\0\2\0\3\4abcd\xc0\x10", 13))
        ;
}

/* Every owner points to the owner before it. */
static void build_owner_chain(void)
{
    size_t target = 12;

    begin_question();
    for (size_t here = len; add(target, 10, "", 0); here = len)
        target = here < 0x4000 ? here : target;
}

#define CHAIN_AT 23 /* rdata of the first RR */

/* A chain of 8,000 pointers in the rdata of a NULL RR; AFSDBs that point into it at `next(k)`. */
static void build_opaque_chain(size_t (*next)(size_t k))
{
    uint8_t chain[16001] = {0};
    uint8_t rdata[4] = {0, 1};

    begin();
    for (size_t k = 0; k < 8000; k++) {
        size_t target = k == 0 ? CHAIN_AT : CHAIN_AT + 2 * k - 1;

        chain[2 * k + 1] = (uint8_t)(0xc0 | target >> 8);
        chain[2 * k + 2] = (uint8_t)target;
    }
    message[14] = 10; /* the root owns it: one octet instead of a pointer of two */
    message[16] = 1;
    message[21] = (uint8_t)(sizeof(chain) >> 8);
    message[22] = (uint8_t)sizeof(chain);
    memcpy(message + CHAIN_AT, chain, sizeof(chain));
    len = CHAIN_AT + sizeof(chain);
    count = 1;
    for (size_t k = 0; k == 0 || add(12, 18, rdata, 4); k++) {
        size_t target = CHAIN_AT + 2 * next(k) + 1;

        rdata[2] = (uint8_t)(0xc0 | target >> 8);
        rdata[3] = (uint8_t)target;
    }
}

static size_t next_good(size_t k)
{
    return k % 126;
}

static size_t next_deep(size_t k)
{
    return 7999 - k % 7000;
}

static void build_good_chain(void)
{
    build_opaque_chain(next_good);
}

static void build_deep_chain(void)
{
    build_opaque_chain(next_deep);
}

static void build_broken_owners(void)
{
    begin();
    while (add(0x3fff, 1, "", 0))
        ;
}

/* A name of 255 octets of which none is printable, asked for again and again. */
static void build_expansion(void)
{
    begin();
    message[5] = 1;
    memset(message + 12, 1, 254);
    for (size_t i = 0; i < 4; i++)
        message[12 + 64 * i] = i < 3 ? 63 : 61;
    len = 12 + 255 + 4;
    while (add(12, 15, "\0\1\xc0\x0c", 4))
        ;
}

static void build_bit_maps(void)
{
    uint8_t rdata[1 + 256 * 34] = {0};

    for (size_t window = 0; window < 256; window++) {
        rdata[1 + 34 * window] = (uint8_t)window;
        rdata[2 + 34 * window] = 32;
        memset(rdata + 3 + 34 * window, 0xff, 32);
    }
    begin_question();
    while (add(12, 47, rdata, sizeof(rdata)))
        ;
}

static void build_ports(void)
{
    uint8_t rdata[5 + 8192];

    memset(rdata, 0xff, sizeof(rdata));
    begin_question();
    while (add(12, 11, rdata, sizeof(rdata)))
        ;
}

static void build_questions(void)
{
    begin();
    message[4] = message[5] = 0xff;
    len = sizeof(message);
}

static void build_options(void)
{
    begin();
    message[11] = 1;
    message[14] = 41;
    len = sizeof(message);
    message[21] = (uint8_t)((len - 23) >> 8);
    message[22] = (uint8_t)(len - 23);
}

static void build_all_ones(void)
{
    memset(message, 0xff, sizeof(message));
    len = sizeof(message);
}

static const struct {
    const char *name;
    void (*build)(void);
    double times; /* of the ordinary message, at most */
} cases[] = {
    {"owners point to the owner before", build_owner_chain, 2},
    {"names in a chain of pointers", build_good_chain, 2},
    {"names too deep in a chain", build_deep_chain, 2},
    {"broken owners", build_broken_owners, 2},
    {"long names of escapes", build_expansion, 20},
    {"full type bit maps", build_bit_maps, 20},
    {"full port bit maps", build_ports, 20},
    {"65535 questions", build_questions, 20},
    {"empty options", build_options, 20},
    {"all ones", build_all_ones, 20},
};

/* Ends: when the limit is kept, or after RUNS_MAX. */
static void test_cost(void **state)
{
    double ordinary = 0;

    (void)state;
    build_ordinary();
    for (int i = 0; i < RUNS_MAX; i++) {
        double ns = decode_ns();

        ordinary = i == 0 || ns < ordinary ? ns : ordinary;
    }
    for (size_t c = 0; c < sizeof(cases) / sizeof(*cases); c++) {
        double best = 0, limit = cases[c].times * SLACK * ordinary;

        cases[c].build();
        for (int i = 0; i < RUNS_MAX && (i < RUNS_MIN || best > limit); i++) {
            double ns = decode_ns();

            best = i == 0 || ns < best ? ns : best;
        }
        print_message("# %s: %.2f times\n", cases[c].name, best / ordinary);
        if (best > limit)
            fail_msg("%s: %.0f ns, ordinary %.0f ns", cases[c].name, best, ordinary);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cost),
    };

    return cmocka_run_group_tests_name("dns_cost", tests, setup, teardown);
}
