/* unix_socket.c - see unix_socket.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "config.h"

#include "unix_socket.h"
#include "unix_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG          128
/* sd_listen_fds(3) */
#define LISTEN_FDS_START 3
#define LISTEN_FDS_MAX   1024

static bool set_path(struct sockaddr_un *address, const char *path)
{
    size_t len = strlen(path);

    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (len == 0 || len >= sizeof address->sun_path)
        return false;
    memcpy(address->sun_path, path, len);
    return true;
}

/* Does nobody listen there? Only "connection refused" says so; for anything else there is a line, for the socket may
 * be another's. (/proc/net/unix would not tell either: it lists those of one network namespace.) */
static bool is_stale(struct source *source, const struct sockaddr_un *address)
{
    const char *path = source->config->path;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int error = 0;

    if (fd < 0 || connect(fd, (const struct sockaddr *)address, sizeof *address) != 0)
        error = errno;
    if (fd >= 0)
        close(fd);
    switch (error) {
    case ECONNREFUSED:
        return true;
    case 0:
    case EAGAIN:     /* its backlog is full */
    case EPROTOTYPE: /* for datagrams */
        source_log(source, SOURCE_ERROR, 0,
                   "path=\"%s\": another process listens on this socket; stop it or take another "
                   "path",
                   path);
        return false;
    case EACCES:
        source_log(
            source, SOURCE_ERROR, error,
            "path=\"%s\": a socket is there that rsyslogd may not connect to, so it cannot tell "
            "whether anybody listens; remove it if nobody does, or take another path",
            path);
        return false;
    default:
        source_log(source, SOURCE_ERROR, error,
                   "path=\"%s\": a socket is there, and it cannot be found out whether anybody "
                   "listens",
                   path);
        return false;
    }
}

/* Makes room for the socket. False after a line when what is there must stay. */
static bool clear_path(struct source *source, const struct sockaddr_un *address)
{
    const char *path = source->config->path;
    struct stat there;

    if (lstat(path, &there) != 0)
        return true; /* bind says what is wrong, if anything */
    if (!S_ISSOCK(there.st_mode)) {
        source_log(source, SOURCE_ERROR, 0,
                   "path=\"%s\": there is something that is no socket; remove it or take another "
                   "path",
                   path);
        return false;
    }
    if (!is_stale(source, address))
        return false;
    if (!source->config->unlink) {
        source_log(source, SOURCE_ERROR, 0,
                   "path=\"%s\": a socket that nobody listens on is there; remove it or set "
                   "unlink=\"on\"",
                   path);
        return false;
    }
    if (unlink(path) != 0) {
        source_log(source, SOURCE_ERROR, errno, "path=\"%s\": the stale socket cannot be removed",
                   path);
        return false;
    }
    return true;
}

/* The socket file that was just bound, as O_PATH; -1: errno. Its directory may be another user's, who could have put
 * a link or a file in its place: these are left alone, and never get the mode or the owner that is meant for it. */
static int open_bound(const char *path)
{
    struct stat there;
    int at = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

    if (at < 0 || (fstat(at, &there) == 0 && S_ISSOCK(there.st_mode)))
        return at;
    close(at);
    errno = ENOTSOCK;
    return -1;
}

/* The umask may have taken rights away. There is no fchmod for O_PATH but by its name in /proc. */
static bool set_mode(int at, mode_t mode)
{
    struct stat now;
    char name[64];

    if (fstat(at, &now) == 0 && (now.st_mode & 07777) == mode)
        return true;
    snprintf(name, sizeof name, "/proc/self/fd/%d", at);
    return chmod(name, mode) == 0;
}

static bool set_owner(struct source *source, int at)
{
    const struct source_config *config = source->config;

    if (config->uid == (uid_t)-1 && config->gid == (gid_t)-1)
        return true;
    if (fchownat(at, "", config->uid, config->gid, AT_EMPTY_PATH) == 0)
        return true;
    source_log(source, config->fail_on_chown ? SOURCE_ERROR : SOURCE_WARNING, errno,
               "path=\"%s\": owner or group (fileowner, filegroup) cannot be set", config->path);
    return !config->fail_on_chown;
}

int unix_socket_listen(struct source *source)
{
    const struct source_config *config = source->config;
    struct sockaddr_un address;
    bool ok;
    int fd, at;

    if (!set_path(&address, config->path)) {
        source_log(source, SOURCE_ERROR, 0, "path=\"%s\": longer than %zu octets", config->path,
                   sizeof address.sun_path - 1);
        return -1;
    }
    if ((config->make_dirs && !unix_dir_make(source)) || !clear_path(source, &address))
        return -1;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        source_log(source, SOURCE_ERROR, errno, "path=\"%s\": no socket", config->path);
        return -1;
    }
    fchmod(fd, config->mode); /* so that it never exists with a wider mode */
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        source_log(source, SOURCE_ERROR, errno,
                   "path=\"%s\": cannot be bound; its directory must be there (createpath=\"on\" "
                   "makes it), and writable",
                   config->path);
        close(fd);
        return -1;
    }
    at = listen(fd, BACKLOG) == 0 ? open_bound(config->path) : -1;
    ok = at >= 0 && set_mode(at, config->mode);
    if (!ok)
        source_log(source, SOURCE_ERROR, errno, "path=\"%s\": cannot be set up", config->path);
    ok = ok && set_owner(source, at);
    if (at >= 0) {
        close(at);
        if (!ok)
            unlink(config->path);
    }
    if (ok)
        return fd;
    close(fd);
    return -1;
}

static bool listens_for_streams(int fd)
{
    int type = 0, listens = 0;
    socklen_t len = sizeof type;

    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_STREAM &&
           getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) == 0 && listens;
}

int unix_socket_inherited(struct source *source)
{
    const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
    long fds = count ? strtol(count, NULL, 10) : 0;
    struct sockaddr_un wanted, have;

    if (!pid || strtol(pid, NULL, 10) != getpid() || !set_path(&wanted, source->config->path))
        return -1;
    for (int i = 0; i < fds && i < LISTEN_FDS_MAX; i++) {
        int fd = LISTEN_FDS_START + i;
        socklen_t len = sizeof have;

        memset(&have, 0, sizeof have);
        if (getsockname(fd, (struct sockaddr *)&have, &len) != 0 || have.sun_family != AF_UNIX ||
            strncmp(have.sun_path, wanted.sun_path, sizeof have.sun_path) != 0)
            continue;
        if (listens_for_streams(fd)) {
            fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
            fcntl(fd, F_SETFD, FD_CLOEXEC);
            return fd;
        }
        source_log(
            source, SOURCE_WARNING, 0,
            "path=\"%s\": systemd passes a socket that does not listen for streams: its unit "
            "must have it as ListenStream=",
            source->config->path);
    }
    return -1;
}
