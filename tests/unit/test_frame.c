/* test_frame.c - Frame Streams: both handshakes, content types, order, sizes, two-byte framing.
 *
 * Every stream is also fed split at every octet, and one octet at a time, from a buffer that
 * ends at an unreadable page: the events must be the same. The octets are written by hand after
 * fstrm/control.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "frame.h"
#include "guard.h"
#include "text.h"

#define MAX_FRAME 1000

#define BYTES(literal) span_of(literal, sizeof(literal) - 1)

#define ESCAPE  "\0\0\0\0"
#define TYPE    "\0\0\0\x01\0\0\0\x16protobuf:dnstap.Dnstap" /* one content type field: 30 octets */
#define OTHER   "\0\0\0\x01\0\0\0\x05other"
#define FUTURE  "\0\0\0\x09\0\0\0\x03xyz"
#define ACCEPT  ESCAPE "\0\0\0\x22\0\0\0\x01" TYPE
#define START   ESCAPE "\0\0\0\x22\0\0\0\x02" TYPE
#define START_0 ESCAPE "\0\0\0\x04\0\0\0\x02"
#define STOP    ESCAPE "\0\0\0\x04\0\0\0\x03"
#define READY   ESCAPE "\0\0\0\x22\0\0\0\x04" TYPE
#define FINISH  ESCAPE "\0\0\0\x04\0\0\0\x05"
#define ONE     "\0\0\0\x03one"
#define TWO     "\0\0\0\x01\0" /* a payload of one NUL */

/* Appends what one call says: M(ore) is left out, F[payload], A (ACCEPT) or N (FINISH) as reply,
 * S(tart), E(nd), !error. */
static bool record(struct text *log, struct fs_stream *stream, enum fs_result result,
                   struct span frame)
{
    switch (result) {
    case FS_MORE:
        return false;
    case FS_FRAME:
        text_put_lit(log, "F[");
        text_put(log, (const char *)frame.ptr, frame.len);
        text_put_lit(log, "]");
        return true;
    case FS_REPLY:
        if (span_equal(fs_reply(stream), BYTES(ACCEPT)))
            text_put_lit(log, "A");
        else if (span_equal(fs_reply(stream), BYTES(FINISH)))
            text_put_lit(log, "N");
        else
            text_put_lit(log, "?");
        return true;
    case FS_START:
        text_put_lit(log, "S");
        return true;
    case FS_STOP:
        text_put_lit(log, "E");
        return true;
    case FS_ERROR:
        text_put_lit(log, "!");
        text_put_u64(log, fs_error(stream));
        return false;
    }
    return false;
}

/* Feeds the first `len` octets behind `done`, and returns what has been taken. */
static size_t feed(struct fs_stream *stream, struct span input, size_t done, size_t len,
                   struct text *log)
{
    struct guard guard = guard_copy(input.ptr + done, len - done);
    struct cursor at = cursor_of(guard.span);
    struct span frame = {0};
    size_t taken, need;

    while (record(log, stream, fs_next(stream, &at, &frame), frame)) {
    }
    taken = done + (size_t)(at.pos - guard.span.ptr);
    need = fs_need(stream, span_of(at.pos, cursor_left(&at)));
    if (fs_error(stream) == FS_ERROR_NONE && need)
        assert_true(need > cursor_left(&at) && need <= MAX_FRAME + 8);
    guard_free(&guard);
    return taken;
}

static void expect(enum fs_framing framing, struct span input, const char *want)
{
    struct text log;
    struct fs_stream *stream;
    size_t done;

    text_init(&log, 65536);
    for (size_t split = 0; split <= input.len; split++) {
        text_clear(&log);
        stream = fs_create(framing, MAX_FRAME);
        done = feed(stream, input, 0, split, &log);
        if (fs_error(stream) == FS_ERROR_NONE)
            feed(stream, input, done, input.len, &log);
        assert_int_equal(log.len, strlen(want));
        assert_memory_equal(log.buf ? log.buf : "", want, log.len);
        fs_destroy(&stream);
        assert_null(stream);
    }
    text_clear(&log);
    stream = fs_create(framing, MAX_FRAME);
    done = 0;
    for (size_t len = 0; len <= input.len && fs_error(stream) == FS_ERROR_NONE; len++)
        done = feed(stream, input, done, len, &log);
    assert_int_equal(log.len, strlen(want));
    assert_memory_equal(log.buf ? log.buf : "", want, log.len);
    fs_destroy(&stream);
    text_destroy(&log);
}

#define EXPECT(literal, want) expect(FS_FRAMING_STREAM, BYTES(literal), want)

static void test_unidirectional(void **state)
{
    (void)state;
    EXPECT(START ONE ONE STOP, "SF[one]F[one]E");
    EXPECT(START STOP, "SE");
    EXPECT(START ONE, "SF[one]");
    EXPECT(START ONE STOP START ONE STOP, "SF[one]ESF[one]E");
    EXPECT("", "");
}

static void test_bidirectional(void **state)
{
    (void)state;
    EXPECT(READY START ONE ONE STOP, "ASF[one]F[one]NE");
    EXPECT(READY START ONE STOP READY START STOP, "ASF[one]NEASNE");
    EXPECT(READY START STOP START ONE STOP, "ASNESF[one]E");
    EXPECT(READY START ONE "\0\0", "ASF[one]");
}

static void test_payload_with_nul(void **state)
{
    struct fs_stream *stream = fs_create(FS_FRAMING_STREAM, MAX_FRAME);
    struct cursor at = cursor_of(BYTES(START TWO));
    struct span frame;

    (void)state;
    assert_int_equal(fs_next(stream, &at, &frame), FS_START);
    assert_true(fs_started(stream));
    assert_int_equal(fs_next(stream, &at, &frame), FS_FRAME);
    assert_int_equal(frame.len, 1);
    assert_int_equal(frame.ptr[0], 0);
    assert_int_equal(cursor_left(&at), 0);
    assert_int_equal(fs_next(stream, &at, &frame), FS_MORE);
    fs_destroy(&stream);
    fs_destroy(&stream);
    fs_destroy(NULL);
}

static void test_roles(void **state)
{
    struct fs_stream *stream = fs_create(FS_FRAMING_STREAM, MAX_FRAME);
    struct cursor at = cursor_of(BYTES(READY START STOP START));
    struct span frame;

    (void)state;
    assert_false(fs_started(stream));
    assert_false(fs_bidirectional(stream));
    assert_int_equal(fs_next(stream, &at, &frame), FS_REPLY);
    assert_true(fs_bidirectional(stream));
    assert_false(fs_started(stream));
    assert_int_equal(fs_next(stream, &at, &frame), FS_START);
    assert_int_equal(fs_next(stream, &at, &frame), FS_REPLY);
    assert_int_equal(fs_next(stream, &at, &frame), FS_STOP);
    assert_false(fs_started(stream));
    assert_int_equal(fs_next(stream, &at, &frame), FS_START);
    assert_false(fs_bidirectional(stream));
    fs_destroy(&stream);
}

static void test_content_types(void **state)
{
    (void)state;
    EXPECT(ESCAPE "\0\0\0\x04\0\0\0\x04" START, "AS"); /* none named: any */
    EXPECT(START_0 ONE, "SF[one]");
    EXPECT(ESCAPE "\0\0\0\x2f\0\0\0\x04" OTHER TYPE START, "AS"); /* several offered */
    EXPECT(ESCAPE "\0\0\0\x2f\0\0\0\x04" TYPE OTHER START, "AS");
    EXPECT(ESCAPE "\0\0\0\x11\0\0\0\x04" OTHER START, "!5");
    EXPECT(ESCAPE "\0\0\0\x11\0\0\0\x02" OTHER ONE, "!5");
    EXPECT(READY ESCAPE "\0\0\0\x11\0\0\0\x02" OTHER ONE, "A!5");
    EXPECT(ESCAPE "\0\0\0\x0c\0\0\0\x02\0\0\0\x01\0\0\0\0", "!5"); /* an empty one is another */
    assert_int_equal(FS_ERROR_CONTENT_TYPE, 5);
}

static void test_refused_content_type_is_kept(void **state)
{
    struct fs_stream *stream = fs_create(FS_FRAMING_STREAM, MAX_FRAME);
    struct cursor at = cursor_of(BYTES(ESCAPE "\0\0\0\x11\0\0\0\x04" OTHER));
    struct span frame;

    (void)state;
    assert_int_equal(fs_next(stream, &at, &frame), FS_ERROR);
    assert_true(span_equal(fs_error_content_type(stream), BYTES("other")));
    assert_int_equal(fs_next(stream, &at, &frame), FS_ERROR);
    fs_destroy(&stream);
}

static void test_unknown_fields_are_skipped(void **state)
{
    (void)state;
    EXPECT(ESCAPE "\0\0\0\x2d\0\0\0\x04" FUTURE TYPE START, "AS");
    EXPECT(ESCAPE "\0\0\0\x2d\0\0\0\x02" TYPE FUTURE ONE, "SF[one]");
    EXPECT(START ESCAPE "\0\0\0\x0f\0\0\0\x03" FUTURE, "SE");
}

static void test_bad_control_frames(void **state)
{
    (void)state;
    EXPECT(ESCAPE "\0\0\0\0", "!2");                 /* empty */
    EXPECT(ESCAPE "\0\0\0\x03\0\0\0", "!2");         /* no room for a type */
    EXPECT(ESCAPE "\0\0\x02\x01", "!2");             /* 513 */
    EXPECT(ESCAPE "\x7f\xff\xff\xff", "!2");         /* 2 GB */
    EXPECT(START ESCAPE "\xff\xff\xff\xff", "S!2");  /* 4 GB */
    EXPECT(ESCAPE "\0\0\0\x04\0\0\0\x06", "!3");     /* no such type */
    EXPECT(ESCAPE "\0\0\0\x06\0\0\0\x02\0\0", "!3"); /* half a field */
    EXPECT(ESCAPE "\0\0\0\x0c\0\0\0\x02\0\0\0\x01\xff\xff\xff\xff", "!3");
    EXPECT(START ESCAPE "\0\0\0\x22\0\0\0\x03" TYPE, "S!3"); /* STOP has no content type */
    assert_int_equal(FS_ERROR_CONTROL_SIZE, 2);
    assert_int_equal(FS_ERROR_CONTROL_BAD, 3);
}

static void test_order(void **state)
{
    (void)state;
    EXPECT(STOP, "!4");
    EXPECT(FINISH, "!4");
    EXPECT(ACCEPT, "!4");
    EXPECT(READY READY, "A!4");
    EXPECT(READY STOP, "A!4");
    EXPECT(START START, "S!4");
    EXPECT(START READY, "S!4");
    EXPECT(START FINISH, "S!4");
    EXPECT(START STOP STOP, "SE!4");
    EXPECT(READY START STOP FINISH, "ASNE!4");
    EXPECT(READY ONE, "A!7");
    EXPECT(START STOP ONE, "SE!7");
    assert_int_equal(FS_ERROR_CONTROL_ORDER, 4);
    assert_int_equal(FS_ERROR_DATA_EARLY, 7);
}

static void test_not_a_stream(void **state)
{
    (void)state;
    EXPECT("GET / HTTP/1.0\r\n\r\n", "!1");
    EXPECT(ONE START, "!1");
    EXPECT("abc", ""); /* still waits for a fourth octet: the handshake timeout is the caller's */
    assert_int_equal(FS_ERROR_NOT_STREAM, 1);
}

static void test_half_a_handshake_waits(void **state)
{
    static const char ready[] = READY;

    (void)state;
    for (size_t len = 0; len < sizeof(ready) - 1; len++)
        expect(FS_FRAMING_STREAM, span_of(ready, len), "");
    EXPECT(READY, "A");
}

static void test_frame_size(void **state)
{
    static uint8_t input[46 + 4 + MAX_FRAME + 1];
    struct fs_stream *stream = fs_create(FS_FRAMING_STREAM, MAX_FRAME);
    struct cursor at;
    struct span frame;

    (void)state;
    memcpy(input, START, 42);
    memcpy(input + 42, "\0\0\x03\xe8", 4); /* 1000 */
    at = cursor_of(span_of(input, 46 + MAX_FRAME));
    assert_int_equal(fs_next(stream, &at, &frame), FS_START);
    assert_int_equal(fs_need(stream, span_of(at.pos, 3)), 0);
    assert_int_equal(fs_need(stream, span_of(at.pos, 4)), 1004);
    assert_int_equal(fs_next(stream, &at, &frame), FS_FRAME);
    assert_int_equal(frame.len, MAX_FRAME);
    input[45] = 0xe9;
    at = cursor_of(span_of(input + 42, 4)); /* refused by its length alone */
    assert_int_equal(fs_need(stream, span_of(at.pos, 4)), 4);
    assert_int_equal(fs_next(stream, &at, &frame), FS_ERROR);
    assert_int_equal(fs_error(stream), FS_ERROR_FRAME_SIZE);
    assert_int_equal(fs_error_size(stream), 1001);
    fs_destroy(&stream);
    EXPECT(START "\x7f\xff\xff\xff", "S!6");
    EXPECT(START "\xff\xff\xff\xff", "S!6");
    assert_int_equal(FS_ERROR_FRAME_SIZE, 6);
}

static void test_need_of_control_frames(void **state)
{
    struct fs_stream *stream = fs_create(FS_FRAMING_STREAM, MAX_FRAME);

    (void)state;
    assert_int_equal(fs_need(stream, BYTES("")), 0);
    assert_int_equal(fs_need(stream, BYTES(ESCAPE "\0\0\0")), 0);
    assert_int_equal(fs_need(stream, BYTES(ESCAPE "\0\0\0\x22")), 42);
    assert_int_equal(fs_need(stream, BYTES(ESCAPE "\0\0\x02\0")), 520);
    assert_int_equal(fs_need(stream, BYTES(ESCAPE "\x7f\0\0\0")), 8);
    fs_destroy(&stream);
}

static void test_length16(void **state)
{
    struct fs_stream *stream = fs_create(FS_FRAMING_LENGTH16, MAX_FRAME);

    (void)state;
    expect(FS_FRAMING_LENGTH16, BYTES("\0\x03one\0\x01x"), "SF[one]F[x]");
    expect(FS_FRAMING_LENGTH16, BYTES("\0\0\0\x01x"), "SF[]F[x]");
    expect(FS_FRAMING_LENGTH16, BYTES("\x03\xe9zz"), "S!6");
    expect(FS_FRAMING_LENGTH16, BYTES("\0\x03one\0\0\0\0"), "SF[one]F[]F[]");
    expect(FS_FRAMING_LENGTH16, BYTES("\0\x03on"), "S");
    assert_int_equal(fs_need(stream, BYTES("\0")), 4); /* to know who speaks */
    assert_int_equal(fs_need(stream, BYTES("\x01\x02xx")), 260);
    assert_int_equal(fs_need(stream, BYTES("\xff\xffxx")), 2);
    fs_destroy(&stream);
}

/* Peers that would be waited for: what they send first, taken for a length, is a long one. */
static void test_not_length16(void **state)
{
    (void)state;
    expect(FS_FRAMING_LENGTH16, BYTES(READY START), "!8");
    expect(FS_FRAMING_LENGTH16, BYTES("\0\0\0\0"), "!8");
    expect(FS_FRAMING_LENGTH16, BYTES("\0\0\0"), "");
    expect(FS_FRAMING_LENGTH16, BYTES("\x16\x03\x01\x02"), "!8");
    expect(FS_FRAMING_LENGTH16, BYTES("GET / HTTP/1.1\r\n"), "!8");
    expect(FS_FRAMING_LENGTH16, BYTES("SSH-2.0-OpenSSH_9.2"), "!8");
    expect(FS_FRAMING_LENGTH16, BYTES("OPTIONS"), "!8"); /* its first four octets decide */
    expect(FS_FRAMING_LENGTH16, BYTES("\0\5SSH-2"), "SF[SSH-2]");
}

static void test_guess(void **state)
{
    static const struct {
        const char *octets;
        size_t len;
        const char *want;
    } peers[] = {
        {"\x16\x03\x01\x02", 4, "TLS"},
        {"GET / HTTP/1.1\r\n", 16, "HTTP"},
        {"POST", 4, "HTTP"},
        {"PRI * HTTP/2.0", 14, "HTTP"},
        {"SSH-2.0-OpenSSH_9.2", 19, "SSH"},
        {"\0\0\0\0\0\0\0\x22", 8, "Frame Streams"},
        {"\0\x75\x08\x01\x12\x10", 6, "PowerDNS protobuf (two-byte length)"},
        {"hello\r\n", 7, "text"},
        {"\x80\x81\x82\x83", 4, "unknown"},
        {"\x16", 1, "unknown"},
        {"", 0, "unknown"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(peers) / sizeof(peers[0]); i++) {
        struct guard guard = guard_copy(peers[i].octets, peers[i].len);

        assert_string_equal(fs_guess_protocol(guard.span), peers[i].want);
        guard_free(&guard);
    }
}

static void test_error_texts(void **state)
{
    (void)state;
    for (enum fs_error error = FS_ERROR_NONE; error <= FS_ERROR_NO_MEMORY; error++)
        assert_string_not_equal(fs_error_text(error), "unknown error");
    assert_string_equal(fs_error_text((enum fs_error)99), "unknown error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unidirectional),
        cmocka_unit_test(test_bidirectional),
        cmocka_unit_test(test_payload_with_nul),
        cmocka_unit_test(test_roles),
        cmocka_unit_test(test_content_types),
        cmocka_unit_test(test_refused_content_type_is_kept),
        cmocka_unit_test(test_unknown_fields_are_skipped),
        cmocka_unit_test(test_bad_control_frames),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_not_a_stream),
        cmocka_unit_test(test_half_a_handshake_waits),
        cmocka_unit_test(test_frame_size),
        cmocka_unit_test(test_need_of_control_frames),
        cmocka_unit_test(test_length16),
        cmocka_unit_test(test_not_length16),
        cmocka_unit_test(test_guess),
        cmocka_unit_test(test_error_texts),
    };

    return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
