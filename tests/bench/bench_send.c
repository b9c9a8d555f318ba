/* bench_send.c - sends frames, or finished lines, as fast as the receiver takes them.
 *
 *   bench_send [--lines] [--connections N] [--repeat R | --seconds S] unix:PATH|tcp:PORT FILE
 *
 * Frames: FILE is a Frame Streams file; each connection does the bidirectional handshake, sends all
 * of its data frames R times (or over and over for S seconds), then STOP, and waits for FINISH. Lines: FILE's octets.
 * Prints what all connections sent of frames or lines, the seconds from the first connect to the
 * end of the last connection, and the time of day of that first connect. Loopback only.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 1024
#define CONTENT_TYPE    "protobuf:dnstap.Dnstap"
#define CHUNK           262144

enum { ACCEPT = 1, START = 2, STOP = 3, READY = 4, FINISH = 5 };

struct job {
    const char *target;
    const uint8_t *data;
    size_t len;
    unsigned long repeat;
    double until; /* 0: `repeat` counts */
    bool lines;
};

struct sender {
    pthread_t thread;
    const struct job *job;
    unsigned long sent; /* times the data */
};

static void die(const char *what)
{
    fprintf(stderr, "bench_send: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void send_all(int fd, const uint8_t *data, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, data, len < CHUNK ? len : CHUNK, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            die("send");
        data += n;
        len -= (size_t)n;
    }
}

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put_be32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

static void send_control(int fd, uint32_t type, bool content_type)
{
    uint8_t frame[64];
    size_t len = sizeof CONTENT_TYPE - 1, total = content_type ? 12 + len : 4;

    put_be32(frame, 0);
    put_be32(frame + 4, (uint32_t)total);
    put_be32(frame + 8, type);
    if (content_type) {
        put_be32(frame + 12, 1);
        put_be32(frame + 16, (uint32_t)len);
        memcpy(frame + 20, CONTENT_TYPE, len);
    }
    send_all(fd, frame, 8 + total);
}

static void expect_control(int fd, uint32_t type)
{
    uint8_t frame[520];

    if (recv(fd, frame, 8, MSG_WAITALL) != 8 || be32(frame) != 0 || be32(frame + 4) < 4 ||
        be32(frame + 4) > 512)
        die("no control frame came");
    if (recv(fd, frame + 8, be32(frame + 4), MSG_WAITALL) != (ssize_t)be32(frame + 4) ||
        be32(frame + 8) != type)
        die("another control frame came");
}

static int open_target(const char *target)
{
    union {
        struct sockaddr any;
        struct sockaddr_un un;
        struct sockaddr_in in;
    } address = {0};
    socklen_t size;
    int fd;

    if (strncmp(target, "unix:", 5) == 0 && strlen(target + 5) < sizeof address.un.sun_path) {
        address.un.sun_family = AF_UNIX;
        strcpy(address.un.sun_path, target + 5);
        size = sizeof address.un;
    } else if (strncmp(target, "tcp:", 4) == 0) {
        address.in.sin_family = AF_INET;
        address.in.sin_port = htons((uint16_t)atoi(target + 4));
        address.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        size = sizeof address.in;
    } else {
        errno = EINVAL;
        die("target");
    }
    fd = socket(address.any.sa_family, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, &address.any, size) != 0)
        die("connect");
    return fd;
}

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *run(void *argument)
{
    struct sender *sender = argument;
    const struct job *job = sender->job;
    int fd = open_target(job->target);
    char end;

    if (!job->lines) {
        send_control(fd, READY, true);
        expect_control(fd, ACCEPT);
        send_control(fd, START, true);
    }
    for (; job->until > 0 ? seconds() < job->until : sender->sent < job->repeat; sender->sent++)
        send_all(fd, job->data, job->len);
    if (!job->lines) {
        send_control(fd, STOP, false);
        expect_control(fd, FINISH);
    } else {
        shutdown(fd, SHUT_WR);
        if (recv(fd, &end, 1, 0) < 0)
            die("recv");
    }
    close(fd);
    return NULL;
}

/* Drops the control frames in place. Returns the octets left; *ret_count frames. */
static size_t strip(uint8_t *data, size_t len, unsigned long *ret_count)
{
    size_t in = 0, out = 0;

    *ret_count = 0;
    while (len - in >= 8) {
        uint32_t n = be32(data + in);

        if (n == 0) {
            n = be32(data + in + 4);
            if (n > len - in - 8)
                break;
            in += 8 + n;
            continue;
        }
        if (n > len - in - 4)
            break;
        memmove(data + out, data + in, 4 + n);
        in += 4 + n;
        out += 4 + n;
        ++*ret_count;
    }
    return out;
}

static uint8_t *load(const char *path, size_t *ret_len)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data;
    long size = 0;

    if (!f || fseek(f, 0, SEEK_END) != 0 || (size = ftell(f)) <= 0)
        die(path);
    rewind(f);
    data = malloc((size_t)size);
    if (!data || fread(data, 1, (size_t)size, f) != (size_t)size)
        die(path);
    fclose(f);
    *ret_len = (size_t)size;
    return data;
}

static unsigned long count_lines(const uint8_t *data, size_t len)
{
    unsigned long count = 0;

    for (size_t i = 0; i < len; i++)
        count += data[i] == '\n';
    return count;
}

int main(int argc, char **argv)
{
    struct job job = {.repeat = 1};
    unsigned long connections = 1, count, sent = 0;
    static struct sender senders[CONNECTIONS_MAX];
    uint8_t *data;
    struct timespec day;
    double start;
    int i = 1;

    for (; i < argc - 2; i++) {
        if (strcmp(argv[i], "--lines") == 0)
            job.lines = true;
        else if (strcmp(argv[i], "--connections") == 0)
            connections = strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--repeat") == 0)
            job.repeat = strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--seconds") == 0)
            job.until = strtod(argv[++i], NULL);
    }
    errno = EINVAL;
    if (i != argc - 2 || connections < 1 || connections > CONNECTIONS_MAX)
        die("arguments");
    job.target = argv[i];
    data = load(argv[i + 1], &job.len);
    if (job.lines)
        count = count_lines(data, job.len);
    else
        job.len = strip(data, job.len, &count);
    job.data = data;
    clock_gettime(CLOCK_REALTIME, &day);
    start = seconds();
    if (job.until > 0)
        job.until += start;
    for (unsigned long c = 0; c < connections; c++) {
        senders[c].job = &job;
        if (pthread_create(&senders[c].thread, NULL, run, &senders[c]) != 0)
            die("thread");
    }
    for (unsigned long c = 0; c < connections; c++) {
        pthread_join(senders[c].thread, NULL);
        sent += senders[c].sent;
    }
    printf("%lu %.6f %lld.%09ld\n", count * sent, seconds() - start, (long long)day.tv_sec,
           day.tv_nsec);
    free(data);
    return 0;
}
