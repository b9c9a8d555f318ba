/* test_server.c - the socket server without rsyslog: what gets in, prefixes, targets to dial, and
 * sessions over a real unix socket (both handshakes, every split, refusals, closed books).
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
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../../imdnstap/dial.h"
#include "../../imdnstap/server.h"

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

/* What another user does between two calls of the server: the socket at .path becomes a link to .victim. */
static struct {
    const char *path, *victim;
} swap;
int __real_listen(int fd, int backlog);
int __wrap_listen(int fd, int backlog);

int __wrap_listen(int fd, int backlog)
{
    int result = __real_listen(fd, backlog);

    if (swap.path && (unlink(swap.path) != 0 || symlink(swap.victim, swap.path) != 0))
        return -1;
    return result;
}

/* What the callbacks were told. */
static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    size_t frames, lines;
    size_t last_len;
    uint8_t last[64];
    char line[512], former[512];
} seen = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static int token;

static void *thread_begin(void)
{
    return &token;
}

static void thread_end(void *thread)
{
    (void)thread;
}

static void *peer_open(void *owner, const struct peer *peer)
{
    (void)owner;
    return peer->local ? &token : NULL;
}

static void peer_close(void *owner, void *peer)
{
    (void)owner;
    (void)peer;
}

static bool take_frame(void *thread, void *owner, void *peer, struct span frame,
                       const struct dnstap_glance *glance)
{
    (void)thread;
    (void)owner;
    (void)peer;
    (void)glance;
    pthread_mutex_lock(&seen.mutex);
    seen.frames++;
    seen.last_len = frame.len < sizeof seen.last ? frame.len : sizeof seen.last;
    memcpy(seen.last, frame.ptr, seen.last_len);
    pthread_cond_broadcast(&seen.changed);
    pthread_mutex_unlock(&seen.mutex);
    return true;
}

static unsigned settle(void *thread)
{
    (void)thread;
    return 0;
}

static void flush(void *thread)
{
    (void)thread;
}

static void log_line(enum source_level level, int error, const char *line)
{
    (void)error;
    if (level == SOURCE_INFO)
        return;
    pthread_mutex_lock(&seen.mutex);
    seen.lines++;
    memcpy(seen.former, seen.line, sizeof seen.former);
    snprintf(seen.line, sizeof seen.line, "%s", line);
    pthread_cond_broadcast(&seen.changed);
    pthread_mutex_unlock(&seen.mutex);
}

static const struct source_callbacks callbacks = {.thread_begin = thread_begin,
                                                  .thread_end = thread_end,
                                                  .peer_open = peer_open,
                                                  .peer_close = peer_close,
                                                  .frame = take_frame,
                                                  .settle = settle,
                                                  .flush = flush,
                                                  .log = log_line};

/* Waits until *value reaches `want`; false after ten seconds. */
static bool await(const size_t *value, size_t want)
{
    struct timespec end;
    bool reached;

    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += 10;
    pthread_mutex_lock(&seen.mutex);
    while (*value < want && pthread_cond_timedwait(&seen.changed, &seen.mutex, &end) == 0)
        ;
    reached = *value >= want;
    pthread_mutex_unlock(&seen.mutex);
    return reached;
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

struct fixture {
    char directory[32], path[64];
    struct source_config config;
    struct server *server;
    struct source *source;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    memcpy(f->directory, "/tmp/test_server.XXXXXX", sizeof "/tmp/test_server.XXXXXX");
    if (!mkdtemp(f->directory))
        return -1;
    snprintf(f->path, sizeof f->path, "%s/s", f->directory);
    f->config = (struct source_config){.name = "t",
                                       .path = f->path,
                                       .unlink = true,
                                       .mode = 0620,
                                       .uid = (uid_t)-1,
                                       .gid = (gid_t)-1,
                                       .max_frame = 1024,
                                       .max_sessions = 3,
                                       .handshake_timeout_ms = 5000};
    seen.frames = seen.lines = 0;
    *state = f;
    return 0;
}

static void run(struct fixture *f)
{
    f->server = server_create(&callbacks, 2);
    assert_non_null(f->server);
    f->source = server_add(f->server, &f->config);
    assert_non_null(f->source);
    assert_true(server_start(f->server));
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    server_destroy(&f->server);
    unlink(f->path);
    rmdir(f->directory);
    free(f);
    return 0;
}

static int dial_in(const struct fixture *f)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval limit = {.tv_sec = 10};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    memcpy(address.sun_path, f->path, sizeof f->path);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

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

static void test_socket_file(void **state)
{
    struct fixture *f = *state;
    struct source_config other = f->config;
    struct server *second = server_create(&callbacks, 1);
    struct stat made;

    run(f);
    assert_int_equal(stat(f->path, &made), 0);
    assert_int_equal(made.st_mode & 07777, 0620);
    assert_non_null(second);
    assert_null(server_add(second, &other));
    assert_non_null(strstr(seen.line, "listens on this socket"));
    server_destroy(&second);
    server_destroy(&f->server);
    assert_int_equal(stat(f->path, &made), -1);
}

static void test_stale_socket(void **state)
{
    struct fixture *f = *state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    memcpy(address.sun_path, f->path, sizeof f->path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    close(fd);
    run(f);
    close(dial_in(f));
}

static void test_no_socket_in_the_way(void **state)
{
    struct fixture *f = *state;
    FILE *file = fopen(f->path, "w");

    assert_non_null(file);
    fclose(file);
    f->server = server_create(&callbacks, 1);
    assert_null(server_add(f->server, &f->config));
    assert_non_null(strstr(seen.line, "no socket"));
    assert_int_equal(access(f->path, F_OK), 0);
}

static mode_t mode_of(const char *path)
{
    struct stat there;

    return lstat(path, &there) == 0 ? there.st_mode & 07777 : 0;
}

/* A path in the fixture's directory. */
static const char *below(const struct fixture *f, const char *name)
{
    static char path[2][96];
    static unsigned turn;

    snprintf(path[++turn % 2], sizeof path[0], "%s/%s", f->directory, name);
    return path[turn % 2];
}

/* Missing directories are made with their mode whatever the umask is, the one that is there stays as it is,
 * and they stay. */
static void test_missing_directories(void **state)
{
    struct fixture *f = *state;
    mode_t before = umask(077);

    snprintf(f->path, sizeof f->path, "%s", below(f, "a/b//s"));
    f->config.make_dirs = true;
    f->config.dir_mode = 0751;
    chmod(f->directory, 0710);
    run(f);
    umask(before);
    assert_int_equal(mode_of(f->directory), 0710);
    assert_int_equal(mode_of(below(f, "a")), 0751);
    assert_int_equal(mode_of(below(f, "a/b")), 0751);
    assert_int_equal(mode_of(f->path), 0620);
    close(dial_in(f));
    server_destroy(&f->server);
    assert_int_equal(mode_of(f->path), 0);
    assert_int_equal(rmdir(below(f, "a/b")), 0);
    assert_int_equal(rmdir(below(f, "a")), 0);
}

static void refuses_path(struct fixture *f, const char *name, const char *because)
{
    snprintf(f->path, sizeof f->path, "%s", below(f, name));
    f->server = server_create(&callbacks, 1);
    assert_null(server_add(f->server, &f->config));
    if (!strstr(seen.line, because))
        fail_msg("\"%s\" does not say \"%s\"", seen.line, because);
    server_destroy(&f->server);
}

/* One line each that says what is in the way; nothing is made beyond it. */
static void test_directories_in_the_way(void **state)
{
    struct fixture *f = *state;

    refuses_path(f, "a/s", "createpath=\"on\" makes it");
    f->config.make_dirs = true;
    f->config.dir_mode = 0755;
    close(open(below(f, "file"), O_CREAT | O_WRONLY, 0600));
    refuses_path(f, "file/b/s", "file: this is no directory");
    unlink(below(f, "file"));
    assert_int_equal(symlink(below(f, "nowhere"), below(f, "link")), 0);
    refuses_path(f, "link/b/s", "link: the symbolic link leads to no directory");
    assert_int_equal(access(below(f, "nowhere"), F_OK), -1);
    unlink(below(f, "link"));
    assert_int_equal(seen.lines, 3);
}

/* Root's links are followed, as /var/run is; those of others are not. */
static void test_links_of_others(void **state)
{
    struct fixture *f = *state;
    struct stat made;

    if (geteuid() != 0)
        skip();
    f->config.make_dirs = true;
    f->config.dir_mode = 0755;
    f->config.dir_uid = 65534;
    f->config.dir_gid = 65533;
    assert_int_equal(mkdir(below(f, "real"), 0755), 0);
    assert_int_equal(symlink(below(f, "real"), below(f, "link")), 0);
    assert_int_equal(lchown(below(f, "link"), 65534, 65534), 0);
    refuses_path(f, "link/b/s", "link: a symbolic link of another user is not followed");
    assert_int_equal(access(below(f, "real/b"), F_OK), -1);
    assert_int_equal(lchown(below(f, "link"), 0, 0), 0);
    snprintf(f->path, sizeof f->path, "%s", below(f, "link/b/s"));
    run(f);
    server_destroy(&f->server);
    assert_int_equal(stat(below(f, "real/b"), &made), 0);
    assert_int_equal(made.st_uid, 65534);
    assert_int_equal(made.st_gid, 65533);
    assert_int_equal(made.st_mode & 07777, 0755);
    rmdir(below(f, "real/b"));
    rmdir(below(f, "real"));
    unlink(below(f, "link"));
}

static enum source_counter admit(struct source *source, uint32_t type, uint64_t transaction,
                                 uint64_t now_ms)
{
    struct dnstap_glance glance = {.type = type, .transaction = transaction};

    return source_admit(source, true, &glance, now_ms);
}

/* Who may write to the socket's directory cannot have another file get its mode and owner. */
static void test_link_in_place_of_the_socket(void **state)
{
    struct fixture *f = *state;
    char victim[64];
    struct stat there;
    int fd;

    snprintf(victim, sizeof victim, "%s/victim", f->directory);
    fd = open(victim, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0 && close(fd) == 0);
    f->config.mode = 0666;
    f->config.gid = getgid();
    f->server = server_create(&callbacks, 1);
    swap.victim = victim;
    swap.path = f->path;
    assert_null(server_add(f->server, &f->config));
    swap.path = NULL;
    assert_non_null(strstr(seen.line, "cannot be set up"));
    assert_int_equal(stat(victim, &there), 0);
    assert_int_equal(there.st_mode & 07777, 0600);
    unlink(victim);
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
#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_SERVER(test_bidirectional),       WITH_SERVER(test_every_split),
        WITH_SERVER(test_bad_peers),           WITH_SERVER(test_lines_kept_back),
        WITH_SERVER(test_frame_over_limit),    WITH_SERVER(test_handshake_timeout),
        WITH_SERVER(test_max_sessions),        WITH_SERVER(test_socket_file),
        WITH_SERVER(test_stale_socket),        WITH_SERVER(test_no_socket_in_the_way),
        WITH_SERVER(test_missing_directories), WITH_SERVER(test_directories_in_the_way),
        WITH_SERVER(test_links_of_others),     WITH_SERVER(test_link_in_place_of_the_socket),
        cmocka_unit_test(test_filter),         cmocka_unit_test(test_sample),
        cmocka_unit_test(test_rate),           cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_targets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
