/* test_server.c - the socket server without rsyslog: sessions over a real unix socket (both handshakes, every
 * split, refusals, limits, timeouts, closed books), and targets to dial.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "server_fixture.h"

#include <errno.h>

#include "../../imdnstap/dial.h"

/* The clock that the server's limits go by, put forward by a test. */
static _Atomic long shift_s;
int __real_clock_gettime(clockid_t id, struct timespec *ret);
int __wrap_clock_gettime(clockid_t id, struct timespec *ret);

int __wrap_clock_gettime(clockid_t id, struct timespec *ret)
{
    int result = __real_clock_gettime(id, ret);

    if (id == CLOCK_MONOTONIC_COARSE)
        ret->tv_sec += shift_s;
    return result;
}

/* READY and START with the content type, STOP; libfstrm's control.h. */
#define TYPE_FIELD "\0\0\0\x01\0\0\0\x16protobuf:dnstap.Dnstap"
static const char ready[] = "\0\0\0\0\0\0\0\x22\0\0\0\x04" TYPE_FIELD;
static const char start[] = "\0\0\0\0\0\0\0\x22\0\0\0\x02" TYPE_FIELD;
static const char stop[] = "\0\0\0\0\0\0\0\x04\0\0\0\x03";
static const char frame[] = "\0\0\0\x05hello";
static const char accept_reply[] = "\0\0\0\0\0\0\0\x22\0\0\0\x01" TYPE_FIELD;
static const char finish_reply[] = "\0\0\0\0\0\0\0\x04\0\0\0\x05";
#define LEN(text) (sizeof(text) - 1)

static void say(int fd, const char *octets, size_t len)
{
    assert_int_equal(send(fd, octets, len, MSG_NOSIGNAL), (ssize_t)len);
}

static void hear(int fd, const char *octets, size_t len)
{
    char got[128];

    assert_true(len <= sizeof got);
    assert_int_equal(recv(fd, got, len, MSG_WAITALL), (ssize_t)len);
    assert_memory_equal(got, octets, len);
}

static void hear_end(int fd)
{
    char octet;
    ssize_t got = recv(fd, &octet, 1, 0);

    assert_true(got == 0 || (got < 0 && (errno == ECONNRESET)));
    close(fd);
}

static uint64_t counter(const struct fixture *f, enum source_counter which)
{
    return atomic_load(&f->source->counters[which]);
}

static void test_bidirectional(void **state)
{
    struct fixture *f = *state;
    int fd;

    run(f);
    fd = dial_in(f);
    say(fd, ready, LEN(ready));
    hear(fd, accept_reply, LEN(accept_reply));
    say(fd, start, LEN(start));
    say(fd, frame, LEN(frame));
    say(fd, stop, LEN(stop));
    hear(fd, finish_reply, LEN(finish_reply));
    close(fd);
    assert_int_equal(seen.frames, 1);
    assert_memory_equal(seen.last, "hello", 5);
    server_stop(f->server);
    assert_int_equal(counter(f, COUNT_RECEIVED), 1);
    assert_int_equal(counter(f, COUNT_SUBMITTED), 1);
    assert_int_equal(seen.lines, 0);
}

/* One stream per place to cut, and one octet at a time. */
static void test_every_split(void **state)
{
    struct fixture *f = *state;
    char stream[256];
    size_t len = 0, expected = 0;

    memcpy(stream, start, LEN(start));
    len += LEN(start);
    memcpy(stream + len, frame, LEN(frame));
    len += LEN(frame);
    memcpy(stream + len, frame, LEN(frame));
    len += LEN(frame);
    memcpy(stream + len, stop, LEN(stop));
    len += LEN(stop);
    f->config.max_sessions = 0;
    run(f);
    for (size_t cut = 1; cut < len; cut++) {
        int fd = dial_in(f);

        say(fd, stream, cut);
        say(fd, stream + cut, len - cut);
        close(fd);
        expected += 2;
    }
    for (int fd = dial_in(f), i = 0; i < (int)len; i++) {
        say(fd, stream + i, 1);
        if (i == (int)len - 1)
            close(fd);
    }
    assert_true(await(&seen.frames, expected + 2));
    assert_int_equal(seen.frames, expected + 2);
    assert_int_equal(seen.lines, 0);
}

/* One line and one connection each; the good neighbour loses nothing. */
static void test_bad_peers(void **state)
{
    static const struct {
        const char *octets;
        size_t len;
        const char *line;
    } bad[] = {
        {"GET / HTTP/1.1\r\n\r\n", 18, "HTTP"},
        {"\x16\x03\x01\x02\0", 5, "TLS"},
        {"\0\0\0\0\x7f\xff\xff\xff", 8, "control frame of impossible size"},
        {"\0\0\0\0\0\0\0\x04\0\0\0\x05", 12, "out of order"},
        {"\0\0\0\0\0\0\0\x0f\0\0\0\x02\0\0\0\x01\0\0\0\x03one", 23, "one"},
    };
    struct fixture *f = *state;
    int good;

    run(f);
    good = dial_in(f);
    say(good, start, LEN(start));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int fd = dial_in(f);

        say(fd, bad[i].octets, bad[i].len);
        hear_end(fd);
        assert_true(await(&seen.lines, i + 1));
        assert_int_equal(seen.lines, i + 1);
        if (!strstr(seen.line, bad[i].line))
            fail_msg("\"%s\" does not say \"%s\"", seen.line, bad[i].line);
    }
    say(good, frame, LEN(frame));
    assert_true(await(&seen.frames, 1));
    close(good);
    server_stop(f->server);
    assert_int_equal(counter(f, COUNT_HANDSHAKES_FAILED), sizeof bad / sizeof bad[0]);
}

static void one_bad_peer(const struct fixture *f)
{
    int fd = dial_in(f);

    say(fd, "GET / HTTP/1.1\r\n\r\n", 18);
    hear_end(fd);
}

/* 60 lines a minute; how many there were not is said when it is over, though no peer comes. */
static void test_lines_kept_back(void **state)
{
    struct fixture *f = *state;

    f->config.max_sessions = 0;
    f->config.handshake_timeout_ms = 0;
    run(f);
    for (int i = 0; i < 75; i++)
        one_bad_peer(f);
    assert_true(await(&seen.lines, 60));
    assert_int_equal(seen.lines, 60);
    shift_s += 61;
    assert_true(await(&seen.lines, 61));
    one_bad_peer(f);
    assert_true(await(&seen.lines, 62));
    assert_string_equal(seen.former, "imdnstap: input t: 15 more lines about its peers were not "
                                     "written (at most 60 a minute are); the impstats counters "
                                     "have all");
    assert_non_null(strstr(seen.line, "HTTP"));
    server_stop(f->server);
    assert_int_equal(counter(f, COUNT_HANDSHAKES_FAILED), 76);
}

static void test_frame_over_limit(void **state)
{
    struct fixture *f = *state;
    int fd;

    run(f);
    fd = dial_in(f);
    say(fd, start, LEN(start));
    say(fd, "\x7f\xff\xff\xff", 4);
    hear_end(fd);
    assert_true(await(&seen.lines, 1));
    assert_non_null(strstr(seen.line, "2147483647"));
    server_stop(f->server);
    assert_int_equal(counter(f, COUNT_RECEIVED), 1);
    assert_int_equal(counter(f, COUNT_INVALID), 1);
}

static void test_handshake_timeout(void **state)
{
    struct fixture *f = *state;
    int fd;

    f->config.handshake_timeout_ms = 300;
    run(f);
    fd = dial_in(f);
    say(fd, ready, 6);
    hear_end(fd);
    assert_true(await(&seen.lines, 1));
    assert_non_null(strstr(seen.line, "handshaketimeout"));
}

static void await_octets(const struct fixture *f, uint64_t want)
{
    for (int i = 0; i < 10000 && counter(f, COUNT_BYTES) < want; i++)
        usleep(1000);
    assert_int_equal(counter(f, COUNT_BYTES), want);
}

static int neighbour; /* sends while another session's turn lasts a minute */

static void last_a_minute(void)
{
    on_frame = NULL;
    shift_s += 60;
    say(neighbour, frame, LEN(frame));
}

/* A session that waits for a queue stops its thread. Whoever spoke meanwhile was not silent, and who did not was. */
static void test_long_turn(void **state)
{
    struct fixture *f = *state;
    int fd, silent;

    f->config.idle_timeout_ms = 20000;
    run_threads(f, 1);
    neighbour = dial_in(f);
    say(neighbour, start, LEN(start));
    silent = dial_in(f);
    say(silent, start, LEN(start));
    fd = dial_in(f);
    say(fd, start, LEN(start));
    await_octets(f, 3 * LEN(start));
    on_frame = last_a_minute;
    say(fd, frame, LEN(frame));
    assert_true(await(&seen.frames, 2));
    hear_end(silent);
    say(neighbour, frame, LEN(frame));
    assert_true(await(&seen.frames, 3));
    close(neighbour);
    close(fd);
}

/* PowerDNS's framing: any octet is a sign of life, also before the first frame is whole. */
static void test_idle_by_octets(void **state)
{
    static const char octets[] = "\0\x09\x08\x01seventh";
    struct fixture *f = *state;
    int fd;

    f->config.framing = FS_FRAMING_LENGTH16;
    f->config.idle_timeout_ms = 20000;
    run_threads(f, 1);
    fd = dial_in(f);
    for (size_t i = 0; i < LEN(octets); i++) {
        say(fd, octets + i, 1);
        await_octets(f, i + 1);
        shift_s += 15;
    }
    assert_true(await(&seen.frames, 1));
    shift_s += 15;
    hear_end(fd);
}

static void test_max_sessions(void **state)
{
    struct fixture *f = *state;
    int fds[4];

    run(f);
    for (int i = 0; i < 4; i++)
        fds[i] = dial_in(f);
    hear_end(fds[3]);
    assert_true(await(&seen.lines, 1));
    assert_non_null(strstr(seen.line, "maxsessions"));
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    server_stop(f->server);
    assert_int_equal(counter(f, COUNT_REFUSED), 1);
}

static void test_targets(void **state)
{
    static const char *const bad[] = {"",       "host",  "host:", ":53",     "host:0", "host:65536",
                                      "::1:53", "[::1]", "[]:1",  "[::1:53", "host:5x"};
    char host[64], port[32];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (dial_parse(bad[i], host, sizeof host, port, sizeof port))
            fail_msg("\"%s\" was taken", bad[i]);
    assert_true(dial_parse("[2001:db8::1]:6000", host, sizeof host, port, sizeof port));
    assert_string_equal(host, "2001:db8::1");
    assert_string_equal(port, "6000");
    assert_true(dial_parse("ns1.example:6000", host, sizeof host, port, sizeof port));
    assert_string_equal(host, "ns1.example");
    assert_true(dial_parse("/run/s", host, sizeof host, port, sizeof port));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SERVER(test_bidirectional),    WITH_SERVER(test_every_split),
        WITH_SERVER(test_bad_peers),        WITH_SERVER(test_lines_kept_back),
        WITH_SERVER(test_frame_over_limit), WITH_SERVER(test_handshake_timeout),
        WITH_SERVER(test_long_turn),        WITH_SERVER(test_idle_by_octets),
        WITH_SERVER(test_max_sessions),     cmocka_unit_test(test_targets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
