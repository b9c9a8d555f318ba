/* test_body.c - the buffer of a message: where rsyslog expects it, with what it expects behind it, and little to spare.
 *
 * Covers: every length around that of rsyslog's own buffer in a message, with all room at once and grown; a text
 * that is dropped; one that replaces another; no memory.
 * Expected values: msg.c of rsyslog: MsgSetRawMsg puts less than CONF_RAWMSG_BUFSIZE octets into szRawMsg and others into
 * memory of their own, a NUL behind them; MsgReplaceMSG and MsgDup rely on that.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "config.h"

#include <limits.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "body.h"

#define LENGTH_MAX 5000

/* rsyslogd's. */
void MsgSetMSGoffs(smsg_t *message, int offset)
{
    message->offMSG = offset;
    message->iLenMSG = message->iLenRawMsg - offset;
}

static char octets[LENGTH_MAX];

static void expect(smsg_t *message, size_t len)
{
    bool own = message->pszRawMsg == message->szRawMsg;

    assert_int_equal(own, len < CONF_RAWMSG_BUFSIZE);
    assert_int_equal(message->iLenRawMsg, len);
    assert_int_equal(message->iLenMSG, len);
    assert_int_equal(message->offMSG, 0);
    assert_memory_equal(message->pszRawMsg, octets, len);
    assert_int_equal(message->pszRawMsg[len], 0);
    if (!own) {
        size_t size = malloc_usable_size(message->pszRawMsg);

        assert_true(size > len && size <= len + 1 + len / 8 + 32);
        free(message->pszRawMsg);
    }
}

static void give(size_t len, size_t size, size_t limit)
{
    smsg_t *message = calloc(1, sizeof *message);
    struct text body;

    assert_non_null(message);
    assert_true(body_begin(&body, message, size, limit));
    /* Piece by piece, so that what can grow does. */
    for (size_t at = 0; at < len; at += 50)
        text_put(&body, octets + at, len - at < 50 ? len - at : 50);
    assert_non_null(text_reserve(&body, 1));
    assert_int_equal(body.len, len);
    body_give(&body, message);
    assert_null(body.buf);
    expect(message, len);
    free(message);
}

static void test_every_length(void **state)
{
    (void)state;
    for (size_t len = 0; len <= LENGTH_MAX; len += len < 300 ? 1 : 97) {
        give(len, len + 1, len + 1);
        give(len, len + 20, len + 20);
        give(len, 30, INT_MAX);
        give(len, LENGTH_MAX + 100, INT_MAX);
    }
}

/* What rsyslog has in a message before it, short or long, goes. */
static void test_replaced(void **state)
{
    static const size_t before[] = {10, 300};

    (void)state;
    for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
        smsg_t *message = calloc(1, sizeof *message);
        struct text body;
        char *buf = malloc(LENGTH_MAX + 1);

        assert_non_null(message);
        assert_non_null(buf);
        assert_true(body_begin(&body, message, before[i] + 1, before[i] + 1));
        text_put(&body, octets, before[i]);
        body_give(&body, message);
        assert_true(body_is_all(message));
        memcpy(buf, octets, LENGTH_MAX);
        buf[LENGTH_MAX] = '\0';
        body_replace(message, buf, LENGTH_MAX);
        assert_true(body_is_all(message));
        expect(message, LENGTH_MAX);
        message->offMSG = 5;
        assert_false(body_is_all(message));
        message->offMSG = 0;
        message->iLenMSG = message->iLenRawMsg - 5;
        assert_false(body_is_all(message));
        free(message);
    }
}

static void test_dropped(void **state)
{
    static const size_t limits[] = {50, CONF_RAWMSG_BUFSIZE, CONF_RAWMSG_BUFSIZE + 1, INT_MAX};
    smsg_t *message = calloc(1, sizeof *message);
    struct text body;

    (void)state;
    assert_non_null(message);
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        assert_true(body_begin(&body, message, 50, limits[i]));
        text_put_char(&body, 'x');
        body_drop(&body, message);
        assert_null(body.buf);
        assert_null(message->pszRawMsg);
    }
    free(message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_length),
        cmocka_unit_test(test_dropped),
        cmocka_unit_test(test_replaced),
    };

    for (size_t i = 0; i < sizeof octets; i++)
        octets[i] = (char)(i * 7 + i / 256);
    return cmocka_run_group_tests_name("body", tests, NULL, NULL);
}
