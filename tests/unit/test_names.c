/* test_names.c - tables of names: order, uniqueness, both directions, and samples from the registries.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "names.h"

static const struct name_table *const tables[] = {
    &names_rr_type,       &names_class,         &names_opcode,       &names_rcode,
    &names_edns_option,   &names_ede,           &names_svcb_key,     &names_cert_type,
    &names_message_type,  &names_direction,     &names_family,       &names_protocol,
    &names_http_protocol, &names_policy_action, &names_policy_match,
};
#define TABLES (sizeof(tables) / sizeof(*tables))

static void assert_str(struct str got, const char *want)
{
    assert_int_equal(got.len, strlen(want));
    assert_memory_equal(got.ptr, want, got.len);
}

static void test_tables_ascend_and_print(void **state)
{
    (void)state;
    for (size_t i = 0; i < TABLES; i++) {
        assert_true(tables[i]->count > 0);
        for (size_t k = 0; k < tables[i]->count; k++) {
            const struct name_row *row = &tables[i]->rows[k];

            assert_true(k == 0 || row[-1].value < row->value);
            assert_true(row->text.len > 0 && row->text.len <= NAMES_PUT_MAX);
            assert_int_equal(strlen(row->text.ptr), row->text.len);
        }
    }
}

static void test_texts_are_unique(void **state)
{
    (void)state;
    for (size_t i = 0; i < TABLES; i++) {
        for (size_t k = 0; k < tables[i]->count; k++) {
            uint32_t value;

            /* names_value takes the first: a second row of that text would show. */
            assert_true(names_value(tables[i], tables[i]->rows[k].text, &value));
            assert_int_equal(value, tables[i]->rows[k].value);
        }
    }
}

static void test_every_row_is_found_and_nothing_else(void **state)
{
    (void)state;
    for (size_t i = 0; i < TABLES; i++) {
        size_t found = 0;

        for (uint32_t value = 0; value <= 65536; value++)
            found += names_find(tables[i], value).len > 0;
        assert_int_equal(found, tables[i]->count);
        for (size_t k = 0; k < tables[i]->count; k++) {
            struct str got = names_find(tables[i], tables[i]->rows[k].value);

            assert_ptr_equal(got.ptr, tables[i]->rows[k].text.ptr);
        }
        assert_int_equal(names_find(tables[i], UINT32_MAX).len, 0);
    }
}

static void test_samples(void **state)
{
    static const struct {
        const struct name_table *table;
        uint32_t value;
        const char *text;
    } samples[] = {
        {&names_rr_type, 1, "A"},
        {&names_rr_type, 28, "AAAA"},
        {&names_rr_type, 53, "SMIMEA"},
        {&names_rr_type, 55, "HIP"},
        {&names_rr_type, 65, "HTTPS"},
        {&names_rr_type, 66, "DSYNC"},
        {&names_rr_type, 99, "SPF"},
        {&names_rr_type, 109, "EUI64"},
        {&names_rr_type, 128, "NXNAME"},
        {&names_rr_type, 255, "ANY"},
        {&names_rr_type, 257, "CAA"},
        {&names_rr_type, 264, "IPN"},
        {&names_rr_type, 32769, "DLV"},
        {&names_class, 1, "IN"},
        {&names_class, 254, "NONE"},
        {&names_opcode, 5, "UPDATE"},
        {&names_rcode, 3, "NXDOMAIN"},
        {&names_rcode, 23, "BADCOOKIE"},
        {&names_edns_option, 8, "ECS"},
        {&names_edns_option, 18, "REPORT-CHANNEL"},
        {&names_ede, 27, "Unsupported NSEC3 Iterations Value"},
        {&names_ede, 35, "Blocked by Upstream DNS Server"},
        {&names_edns_option, 26, "STRUCTURED-DNS-ERROR"},
        {&names_svcb_key, 7, "dohpath"},
        {&names_cert_type, 253, "URI"},
        {&names_message_type, 14, "UPDATE_RESPONSE"},
        {&names_direction, 6, "CR"},
        {&names_protocol, 5, "DNSCryptUDP"},
        {&names_policy_action, 6, "LOCAL_DATA"},
        {&names_policy_match, 3, "RESPONSE_IP"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(samples) / sizeof(*samples); i++)
        assert_str(names_find(samples[i].table, samples[i].value), samples[i].text);
}

static void test_put_names_what_it_does_not_know(void **state)
{
    static const struct {
        const struct name_table *table;
        uint32_t value;
        const char *text;
    } samples[] = {
        {&names_rr_type, 65280, "TYPE65280"}, {&names_rr_type, 0, "TYPE0"},
        {&names_class, 2, "CLASS2"},          {&names_opcode, 7, "OPCODE7"},
        {&names_rcode, 4095, "RCODE4095"},    {&names_edns_option, 65001, "OPT65001"},
        {&names_svcb_key, 65535, "key65535"}, {&names_message_type, 99, "99"},
        {&names_rr_type, 16, "TXT"},
    };
    struct text t;

    (void)state;
    text_init(&t, 1024);
    for (size_t i = 0; i < sizeof(samples) / sizeof(*samples); i++) {
        names_put(&t, samples[i].table, samples[i].value);
        assert_str(text_str(&t), samples[i].text);
        text_clear(&t);
    }
    text_destroy(&t);
}

static void test_value_ignores_case(void **state)
{
    uint32_t value = 77;

    (void)state;
    assert_true(names_value(&names_message_type, STR("client_Query"), &value));
    assert_int_equal(value, 5);
    assert_true(names_value(&names_protocol, STR("dnscryptudp"), &value));
    assert_int_equal(value, 5);
    assert_false(names_value(&names_message_type, STR("CLIENT_QUER"), &value));
    assert_false(names_value(&names_message_type, STR("CLIENT_QUERYX"), &value));
    assert_false(names_value(&names_message_type, STR(""), &value));
    assert_int_equal(value, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables_ascend_and_print),
        cmocka_unit_test(test_texts_are_unique),
        cmocka_unit_test(test_every_row_is_found_and_nothing_else),
        cmocka_unit_test(test_samples),
        cmocka_unit_test(test_put_names_what_it_does_not_know),
        cmocka_unit_test(test_value_ignores_case),
    };

    return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
