/* test_source.c - what gets in: filter, sampling, rate, and the prefixes of permitted peers.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>

#include "../../imdnstap/source.h"

static enum source_counter admit(struct source *source, uint32_t type, uint64_t transaction,
                                 uint64_t now_ms)
{
    struct dnstap_glance glance = {.type = type, .transaction = transaction};

    return source_admit(source, true, &glance, now_ms);
}

static void test_filter(void **state)
{
    struct source_config config = {.filter = true, .types = 1U << 6};
    struct source source = {.config = &config};

    (void)state;
    assert_int_equal(admit(&source, 6, 0, 1), COUNT_SUBMITTED);
    assert_int_equal(admit(&source, 5, 0, 1), COUNT_FILTERED);
    assert_int_equal(admit(&source, 6 + 64, 0, 1), COUNT_FILTERED);
    assert_int_equal(admit(&source, UINT32_MAX, 0, 1), COUNT_FILTERED);
    assert_int_equal(source_admit(&source, false, NULL, 1), COUNT_SUBMITTED);
}

/* Near one in ten of sequential transactions, the same ones each time. */
static void test_sample(void **state)
{
    struct source_config config = {.sample = 10};
    struct source source = {.config = &config};
    unsigned kept = 0;

    (void)state;
    for (uint64_t i = 0; i < 10000; i++) {
        enum source_counter query = admit(&source, 5, i, 1), response = admit(&source, 6, i, 1);

        assert_int_equal(query, response);
        kept += query == COUNT_SUBMITTED;
    }
    assert_true(kept >= 850 && kept <= 1150);
}

static void test_rate(void **state)
{
    struct source_config config = {.rate_interval_ms = 1000, .rate_burst = 3};
    struct source source = {.config = &config};

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(admit(&source, 6, 0, 5000), COUNT_SUBMITTED);
    assert_int_equal(admit(&source, 6, 0, 5999), COUNT_RATE_LIMITED);
    assert_int_equal(admit(&source, 6, 0, 6000), COUNT_SUBMITTED);
}

static bool permits(const char *prefix, const char *address)
{
    struct source_prefix parsed;
    struct source_config config = {.permitted = &parsed, .permitted_count = 1};
    struct sockaddr_in four = {.sin_family = AF_INET};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};

    assert_true(source_parse_prefix(prefix, &parsed));
    if (inet_pton(AF_INET, address, &four.sin_addr) == 1)
        return source_permits(&config, (struct sockaddr *)&four);
    assert_int_equal(inet_pton(AF_INET6, address, &six.sin6_addr), 1);
    return source_permits(&config, (struct sockaddr *)&six);
}

static void test_prefixes(void **state)
{
    static const char *const bad[] = {"",           "/8",           "192.0.2.0/33", "::/129",
                                      "192.0.2/24", "::1/",         "::1/x",        "::1/-1",
                                      "host",       "192.0.2.1/ 8", "192.0.2.0/8x"};
    struct source_prefix prefix;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(source_parse_prefix(bad[i], &prefix));
    assert_true(permits("192.0.2.0/25", "192.0.2.127"));
    assert_false(permits("192.0.2.0/25", "192.0.2.128"));
    assert_true(permits("192.0.2.0/24", "::ffff:192.0.2.9"));
    assert_true(permits("2001:db8::/33", "2001:db8:7fff::1"));
    assert_false(permits("2001:db8::/33", "2001:db8:8000::1"));
    assert_true(permits("::1", "::1"));
    assert_false(permits("::1", "::2"));
    assert_true(permits("0.0.0.0/0", "198.51.100.1"));
    assert_false(permits("0.0.0.0/0", "2001:db8::1"));
}

/* Whatever impstats does to what it shows, the books are those of the whole life; and what it shows is never
 * below 0, and adds up. */
static void test_books_over_resets(void **state)
{
    static struct source source;
    uint64_t submitted = 0;

    (void)state;
    source_count(&source, COUNT_RECEIVED, 100);
    source_count(&source, COUNT_SUBMITTED, 100);
    submitted += atomic_exchange(&source.shown[COUNT_SUBMITTED], 0); /* resetCounters="on" */
    source_lose(&source, 64);
    assert_int_equal(source.shown[COUNT_SUBMITTED], 0);
    source_count(&source, COUNT_SUBMITTED, 40);
    assert_int_equal(source.shown[COUNT_SUBMITTED], 0);
    source_count(&source, COUNT_SUBMITTED, 30);
    submitted += source.shown[COUNT_SUBMITTED];
    assert_int_equal(submitted, 100 - 64 + 40 + 30);
    assert_int_equal(source.shown[COUNT_DISCARDED], 64);
    assert_int_equal(source.counters[COUNT_RECEIVED], 100);
    assert_int_equal(source.counters[COUNT_SUBMITTED], submitted);
    assert_int_equal(source.counters[COUNT_DISCARDED], 64);
}

/* A batch may be lost before the read that it is of is counted. */
static void test_lost_before_counted(void **state)
{
    static struct source source;

    (void)state;
    source_lose(&source, 64);
    assert_int_equal(source.shown[COUNT_SUBMITTED], 0);
    source_count(&source, COUNT_SUBMITTED, 70);
    assert_int_equal(source.shown[COUNT_SUBMITTED], 6);
    assert_int_equal(source.counters[COUNT_SUBMITTED], 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_filter),
        cmocka_unit_test(test_sample),
        cmocka_unit_test(test_rate),
        cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_books_over_resets),
        cmocka_unit_test(test_lost_before_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
