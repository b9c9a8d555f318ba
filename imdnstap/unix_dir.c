/* unix_dir.c - see unix_dir.h.
 *
 * The path is walked by descriptors, one component at a time: a directory that was looked at is the one
 * that the next is made in, whatever is renamed meanwhile.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "config.h"

#include "unix_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

/* Says what is wrong with the first `len` octets of the path. */
static int refuse(struct source *source, int error, size_t len, const char *what)
{
    source_log(source, SOURCE_ERROR, error, "path=\"%s\": createpath: %.*s: %s",
               source->config->path, (int)len, source->config->path, what);
    return -1;
}

/* A link is as trustworthy as whoever could have put it there. */
static int follow(struct source *source, int at, const char *name, size_t len)
{
    struct stat link;
    int fd;

    if (fstatat(at, name, &link, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISLNK(link.st_mode))
        return refuse(source, 0, len, "this is no directory; remove it or take another path");
    if (link.st_uid != 0 && link.st_uid != geteuid())
        return refuse(
            source, 0, len,
            "a symbolic link of another user is not followed; remove it or write the path "
            "that it stands for");
    fd = openat(at, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return refuse(source, errno, len, "the symbolic link leads to no directory; remove it");
    return fd;
}

static bool set_owner(struct source *source, int fd, size_t len)
{
    const struct source_config *config = source->config;

    if (config->dir_uid == (uid_t)-1 && config->dir_gid == (gid_t)-1)
        return true;
    if (fchown(fd, config->dir_uid, config->dir_gid) == 0)
        return true;
    source_log(source, config->fail_on_chown ? SOURCE_ERROR : SOURCE_WARNING, errno,
               "path=\"%s\": createpath: %.*s: owner or group (dirowner, dirgroup) cannot be set",
               config->path, (int)len, config->path);
    return !config->fail_on_chown;
}

/* One directory; it is ours from the moment it exists, and nobody else's before its owner is set. */
static int make(struct source *source, int at, const char *name, size_t len)
{
    int fd;

    if (mkdirat(at, name, 0700) != 0)
        return refuse(source, errno, len,
                      "this directory cannot be made; make it, or let rsyslogd write to the one "
                      "above it");
    fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return refuse(source, errno, len, "the new directory cannot be opened");
    if (!set_owner(source, fd, len)) {
        close(fd);
        return -1;
    }
    if (fchmod(fd, source->config->dir_mode) !=
        0) { /* behind the owner: chown clears set-group-ID */
        refuse(source, errno, len, "its permissions (dircreatemode) cannot be set");
        close(fd);
        return -1;
    }
    return fd;
}

/* The directory `name` in `at`, made if there is none. */
static int enter(struct source *source, int at, const char *name, size_t len)
{
    int fd = openat(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd >= 0)
        return fd;
    switch (errno) {
    case ENOENT:
        return make(source, at, name, len);
    case ENOTDIR: /* also what a link is called here */
    case ELOOP:
        return follow(source, at, name, len);
    default:
        return refuse(source, errno, len, "this directory cannot be entered");
    }
}

bool unix_dir_make(struct source *source)
{
    const char *path = source->config->path, *from = path, *slash = NULL;
    char name[NAME_MAX + 1];
    int at = open(*path == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

    /* Ends: every turn takes a component. */
    for (; at >= 0 && (slash = strchr(from, '/')); from = slash + 1) {
        size_t len = (size_t)(slash - from);
        int next;

        if (len == 0 || len > NAME_MAX) {
            if (len == 0)
                continue;
            refuse(source, ENAMETOOLONG, (size_t)(slash - path), "this is no name of a directory");
            break;
        }
        memcpy(name, from, len);
        name[len] = '\0';
        next = enter(source, at, name, (size_t)(slash - path));
        close(at);
        at = next;
    }
    if (at < 0)
        return false;
    close(at);
    return !slash;
}
