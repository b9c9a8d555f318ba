/* listener.c - see listener.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "config.h"

#include "listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "session.h"
#include "unix_socket.h"

#define BACKLOG    128
/* Connections accepted per event, so that a flood does not starve the sessions. */
#define ACCEPT_MAX 64

void listener_describe(int fd, const struct sockaddr *address, const char *path, struct peer *ret)
{
    char number[INET6_ADDRSTRLEN] = "?";
    unsigned port = 0;

    memset(ret, 0, sizeof *ret);
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)address;

        inet_ntop(AF_INET, &in->sin_addr, number, sizeof number);
        port = ntohs(in->sin_port);
    } else if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;

        if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
            inet_ntop(AF_INET, &in6->sin6_addr.s6_addr[12], number, sizeof number);
        else
            inet_ntop(AF_INET6, &in6->sin6_addr, number, sizeof number);
        port = ntohs(in6->sin6_port);
    } else {
        struct ucred who = {0};
        socklen_t len = sizeof who;

        ret->local = true;
        memcpy(ret->address, "127.0.0.1", sizeof "127.0.0.1");
        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0) {
            snprintf(ret->key, sizeof ret->key, "uid:%u", (unsigned)who.uid);
            snprintf(ret->text, sizeof ret->text, "pid %d uid %u on %.108s", (int)who.pid,
                     (unsigned)who.uid, path);
        } else {
            memcpy(ret->key, "local", sizeof "local");
            snprintf(ret->text, sizeof ret->text, "a process on %.108s", path);
        }
        return;
    }
    memcpy(ret->address, number, sizeof number);
    memcpy(ret->key, number, sizeof number);
    snprintf(ret->text, sizeof ret->text, "%s port %u", number, port);
}

static void add(struct listener **list, struct source *source, int fd, struct listener like)
{
    struct listener *listener = malloc(sizeof *listener);

    if (!listener) {
        close(fd);
        return;
    }
    *listener = like;
    listener->handler.fd = fd;
    listener->source = source;
    listener->next = *list;
    *list = listener;
}

static bool open_unix(struct source *source, struct listener **list)
{
    struct listener like = {0};
    struct stat made;
    int fd = unix_socket_inherited(source);

    if (fd >= 0) {
        like.passed = true;
        source_log(source, SOURCE_INFO, 0, "path=\"%s\": socket taken over from systemd",
                   source->config->path);
    } else {
        fd = unix_socket_listen(source);
        if (fd < 0)
            return false;
        if (stat(source->config->path, &made) == 0) {
            like.device = made.st_dev;
            like.inode = made.st_ino;
        }
    }
    add(list, source, fd, like);
    return true;
}

static void write_port_file(struct source *source, int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t len = sizeof address;
    unsigned port;
    bool written;
    int to;

    if (!source->config->port_file || getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        return;
    port = ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                               : ((struct sockaddr_in *)&address)->sin_port);
    /* What another user wrote there would be believed. */
    to = open(source->config->port_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    written = to >= 0 && dprintf(to, "%u", port) > 0;
    if (to >= 0 && close(to) != 0)
        written = false;
    if (!written)
        source_log(source, SOURCE_ERROR, errno, "listenportfilename=\"%s\": cannot be written",
                   source->config->port_file);
}

static int listen_tcp(const struct addrinfo *info)
{
    int on = 1, error;
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (info->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* With port="0" and several addresses all get the number that the first one drew. */
static void same_port(const struct sockaddr_storage *first, struct sockaddr *address)
{
    in_port_t port = first->ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)first)->sin6_port
                                                  : ((const struct sockaddr_in *)first)->sin_port;

    if (address->sa_family == AF_INET6)
        ((struct sockaddr_in6 *)address)->sin6_port = port;
    else if (address->sa_family == AF_INET)
        ((struct sockaddr_in *)address)->sin_port = port;
}

static bool open_tcp(struct source *source, struct listener **list)
{
    const struct source_config *config = source->config;
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    const char *address = config->address ? config->address : "";
    struct sockaddr_storage first = {0};
    struct listener like = {0};
    struct addrinfo *all;
    socklen_t len = sizeof first;
    int count = 0, error = 0;
    int result = getaddrinfo(config->address, config->port, &hints, &all);

    if (result != 0) {
        source_log(source, SOURCE_ERROR, 0, "address=\"%s\" port=\"%s\": %s", address, config->port,
                   gai_strerror(result));
        return false;
    }
    for (struct addrinfo *info = all; info && count < LISTENER_MAX; info = info->ai_next) {
        int fd;

        if (count && strcmp(config->port, "0") == 0)
            same_port(&first, info->ai_addr);
        fd = listen_tcp(info);
        if (fd < 0) {
            error = errno;
            continue;
        }
        if (count++ == 0 && getsockname(fd, (struct sockaddr *)&first, &len) == 0)
            write_port_file(source, fd);
        add(list, source, fd, like);
    }
    freeaddrinfo(all);
    if (count == 0)
        source_log(source, SOURCE_ERROR, error, "address=\"%s\" port=\"%s\": cannot listen",
                   address, config->port);
    else if (error == EADDRINUSE || error == EACCES) /* others: this host has one family only */
        source_log(source, SOURCE_WARNING, error,
                   "address=\"%s\" port=\"%s\": listens on one address family only; is the port "
                   "another process's on the other one?",
                   address, config->port);
    return count > 0;
}

bool listener_open(struct source *source, struct listener **list)
{
    return source->config->path ? open_unix(source, list) : open_tcp(source, list);
}

void listener_destroy(struct listener *listener)
{
    const struct source_config *config = listener->source->config;
    struct stat now;

    close(listener->handler.fd);
    if (config->path && config->unlink && !listener->passed && stat(config->path, &now) == 0 &&
        now.st_dev == listener->device && now.st_ino == listener->inode &&
        unlink(config->path) != 0)
        source_log(listener->source, SOURCE_WARNING, errno,
                   "path=\"%s\": cannot be removed (rsyslogd's user must be able to write to its "
                   "directory); the next start replaces it",
                   config->path);
    free(listener);
}

void listener_keepalive(const struct source_config *config, int fd)
{
    int on = 1, time = (int)config->keepalive_time_s, interval = (int)config->keepalive_interval_s,
        probes = (int)config->keepalive_probes;

    if (!config->keepalive)
        return;
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    if (time)
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &time, sizeof time);
    if (interval)
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
    if (probes)
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
}

static const char *why_refused(struct source *source, const struct sockaddr *address,
                               const struct peer *peer)
{
    const struct source_config *config = source->config;

    if (!source_permits(config, address))
        return "it is in no permittedpeer prefix";
    if (config->max_sessions && atomic_load(&source->sessions) >= config->max_sessions)
        return "maxsessions is reached";
    if (config->max_sessions_per_peer && !peer->local &&
        peers_sessions(source->peers, peer->key) >= config->max_sessions_per_peer)
        return "maxsessionsperpeer is reached";
    return NULL;
}

static void accepted(struct loop *loop, struct listener *listener, int fd,
                     const struct sockaddr *address)
{
    struct source *source = listener->source;
    struct session *session;
    struct peer peer;
    const char *why;

    listener_describe(fd, address, source->config->path ? source->config->path : "", &peer);
    why = why_refused(source, address, &peer);
    if (why) {
        source_count(source, COUNT_REFUSED, 1);
        source_log_peer(source, SOURCE_WARNING, 0, "%s refused: %s", peer.text, why);
        close(fd);
        return;
    }
    if (!peer.local)
        listener_keepalive(source->config, fd);
    session = session_create(source, fd, &peer, NULL);
    if (session)
        session_adopt(loop_pick(loop), session);
}

static void ready(struct loop_thread *thread, struct handler *handler, uint32_t events)
{
    struct listener *listener = (struct listener *)handler;
    struct sockaddr_storage address;

    (void)events;
    for (int i = 0; i < ACCEPT_MAX; i++) {
        socklen_t len = sizeof address;
        int fd;

        memset(&address, 0, sizeof address);
        fd = accept4(handler->fd, (struct sockaddr *)&address, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            accepted(thread->loop, listener, fd, (struct sockaddr *)&address);
            continue;
        }
        if (errno == EAGAIN) {
            if (listener->starved)
                source_log_peer(listener->source, SOURCE_INFO, 0, "accepts connections again");
            listener->starved = false;
            return;
        }
        if (errno == EINTR || errno == ECONNABORTED)
            continue;
        /* EMFILE and the like: the event would come again at once */
        source_count(listener->source, COUNT_OPEN_FAILED, 1);
        if (!listener->starved)
            source_log_peer(
                listener->source, SOURCE_ERROR, errno,
                "cannot accept a connection (file descriptors: LimitNOFILE of the unit)");
        listener->starved = true;
        loop_rewatch(thread, handler, 0);
        listener->resting = true;
        return;
    }
}

bool listener_begin(struct loop_thread *thread, struct listener *listener)
{
    listener->handler.ready = ready;
    return loop_watch(thread, &listener->handler, EPOLLIN);
}

void listener_check(struct loop_thread *thread, struct listener *listener)
{
    if (listener->resting)
        loop_rewatch(thread, &listener->handler, EPOLLIN);
    listener->resting = false;
}
