/* dial.c - see dial.h.
 *
 * Concurrency: resolving and connecting happen in the dialer's own thread, since resolvers block. The
 * session runs in one of the loop's threads and tells its end by `connected`.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "config.h"

#include "dial.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "listener.h"
#include "session.h"

#define CONNECT_TIMEOUT_MS 10000
#define PORT_MAX           32

bool dial_parse(const char *target, char *host, size_t host_size, char *port, size_t port_size)
{
    const char *colon = strrchr(target, ':'), *from = target, *to = colon;
    struct sockaddr_un address;

    if (*target == '/')
        return strlen(target) < sizeof address.sun_path;
    if (!colon)
        return false;
    if (*target == '[') {
        from++;
        if (to == from || *--to != ']')
            return false;
    } else if (memchr(target, ':', (size_t)(colon - target))) {
        return false; /* an IPv6 address goes into brackets */
    }
    if (to <= from || (size_t)(to - from) >= host_size || strlen(colon + 1) >= port_size ||
        strspn(colon + 1, "0123456789") != strlen(colon + 1) || atoi(colon + 1) < 1 ||
        atoi(colon + 1) > 65535)
        return false;
    memcpy(host, from, (size_t)(to - from));
    host[to - from] = '\0';
    memcpy(port, colon + 1, strlen(colon + 1) + 1);
    return true;
}

struct dialer *dial_open(struct loop *loop, struct source *source)
{
    struct dialer *dialer = calloc(1, sizeof *dialer);

    if (!dialer)
        return NULL;
    dialer->source = source;
    if (!loop_thread_open(loop, &dialer->thread)) {
        dial_destroy(dialer);
        return NULL;
    }
    return dialer;
}

void dial_destroy(struct dialer *dialer)
{
    loop_thread_destroy(&dialer->thread);
    free(dialer);
}

/* 0 when connected, else an errno. Ends early when the server stops. */
static int await_connect(struct dialer *dialer, int fd)
{
    struct pollfd fds[2] = {{.fd = fd, .events = POLLOUT},
                            {.fd = dialer->thread.waker.fd, .events = POLLIN}};
    int error = 0;
    socklen_t len = sizeof error;

    if (poll(fds, 2, CONNECT_TIMEOUT_MS) <= 0)
        return ETIMEDOUT;
    if (!fds[0].revents)
        return EINTR;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 ? error : errno;
}

/* Sets errno. */
static int connect_to(struct dialer *dialer, const struct sockaddr *address, socklen_t len)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int error = 0;

    if (fd < 0)
        return -1;
    if (connect(fd, address, len) != 0)
        error = errno == EINPROGRESS ? await_connect(dialer, fd) : errno;
    if (error == 0)
        return fd;
    close(fd);
    errno = error;
    return -1;
}

static int connect_path(struct dialer *dialer, const char *path, struct peer *peer)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd;

    memcpy(address.sun_path, path, strlen(path) + 1);
    fd = connect_to(dialer, (struct sockaddr *)&address, sizeof address);
    if (fd >= 0)
        listener_describe(fd, (struct sockaddr *)&address, path, peer);
    return fd;
}

/* The first address that answers. *why: what went wrong, when it is not in errno. */
static int connect_host(struct dialer *dialer, const char *host, const char *port,
                        struct peer *peer, const char **why)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *all;
    int result = getaddrinfo(host, port, &hints, &all);
    int fd = -1;

    errno = 0;
    if (result != 0) {
        *why = gai_strerror(result);
        return -1;
    }
    for (struct addrinfo *info = all; info && fd < 0; info = info->ai_next) {
        if (loop_stopping(dialer->thread.loop))
            break;
        fd = connect_to(dialer, info->ai_addr, info->ai_addrlen);
        if (fd >= 0)
            listener_describe(fd, info->ai_addr, "", peer);
    }
    freeaddrinfo(all);
    return fd;
}

/* In the session's thread, or after all have ended. */
static void closed(void *data, struct session *session)
{
    struct dialer *dialer = data;

    atomic_store(&dialer->began, session->counted_start);
    atomic_store(&dialer->useful, session->frames > 0);
    atomic_store(&dialer->connected, false);
    loop_thread_wake(&dialer->thread);
}

static bool begin_session(struct dialer *dialer, int fd, const struct peer *peer, const char *host)
{
    struct session *session;

    if (!peer->local)
        listener_keepalive(dialer->source->config, fd);
    session = session_create(dialer->source, fd, peer, host);
    if (!session)
        return false;
    session->closed = closed;
    session->closed_data = dialer;
    atomic_store(&dialer->connected, true);
    session_adopt(loop_pick(dialer->thread.loop), session);
    return true;
}

static bool dial(struct dialer *dialer, bool tell)
{
    const char *target = dialer->source->config->connect, *why = "no connection";
    char host[NI_MAXHOST] = "", port[PORT_MAX];
    struct peer peer;
    int fd;

    if (*target == '/')
        fd = connect_path(dialer, target, &peer);
    else if (dial_parse(target, host, sizeof host, port, sizeof port))
        fd = connect_host(dialer, host, port, &peer, &why);
    else
        return false;
    if (fd >= 0)
        return begin_session(dialer, fd, &peer, *host ? host : NULL);
    if (loop_stopping(dialer->thread.loop))
        return false;
    source_count(dialer->source, COUNT_OPEN_FAILED, 1);
    if (tell)
        source_log_peer(dialer->source, SOURCE_WARNING, errno,
                        "connect=\"%s\": %s; it is tried again for ever", target, why);
    return false;
}

/* Between half of it and all, so that many dialers do not come at once. */
static int with_jitter(unsigned pause_ms, unsigned *seed)
{
    return (int)(pause_ms / 2 + (unsigned)rand_r(seed) % (pause_ms / 2 + 1));
}

static void rest(struct dialer *dialer, int pause_ms)
{
    uint64_t end = source_now_ms() + (uint64_t)pause_ms, now;

    while (!loop_stopping(dialer->thread.loop) && (now = source_now_ms()) < end)
        loop_thread_wait(&dialer->thread, -1, (int)(end - now));
}

void *dial_run(void *thread)
{
    struct dialer *dialer = thread;
    struct loop *loop = dialer->thread.loop;
    unsigned pause_ms = DIAL_PAUSE_MIN_MS;
    unsigned seed = (unsigned)((uintptr_t)dialer ^ source_now_ms());
    bool tell = true;

    while (!loop_stopping(loop)) {
        uint64_t begun_ms = source_now_ms();
        bool began = false, useful = false;

        if (dial(dialer, tell)) {
            while (atomic_load(&dialer->connected) && !loop_stopping(loop))
                loop_thread_wait(&dialer->thread, -1, -1);
            began = atomic_load(&dialer->began);
            useful = atomic_load(&dialer->useful) ||
                     (began && source_now_ms() - begun_ms >= DIAL_PAUSE_MAX_MS);
        }
        tell = began; /* one line per outage */
        pause_ms = useful ? DIAL_PAUSE_MIN_MS : pause_ms;
        rest(dialer, with_jitter(pause_ms, &seed));
        if (!useful)
            pause_ms = pause_ms < DIAL_PAUSE_MAX_MS / 2 ? pause_ms * 2 : DIAL_PAUSE_MAX_MS;
    }
    return NULL;
}
