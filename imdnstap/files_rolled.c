/* files_rolled.c - see files_rolled.h.
 *
 * Pure but for looking at a directory; no state.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "config.h"

#include "files_rolled.h"
#include "files_watch.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_SIZE 4096

/* A separator, then a number or a time: digits, and what is between the parts of a time. */
static bool is_suffix(const char *text, size_t len)
{
    if (len < 2 || !strchr(".-_", text[0]) || text[1] < '0' || text[1] > '9')
        return false;
    for (size_t i = 1; i < len; i++)
        if (!strchr("0123456789.-_:+TZ", text[i]))
            return false;
    return true;
}

/* Is `name` the first `stem` octets of base, a suffix, and the rest of base? */
static bool is_inserted(const char *base, size_t stem, const char *name)
{
    size_t rest = strlen(base) - stem, len = strlen(name);

    return len > stem + rest && strncmp(name, base, stem) == 0 &&
           strcmp(name + len - rest, base + stem) == 0 && is_suffix(name + stem, len - stem - rest);
}

bool rolled_is_name(const char *base, const char *name)
{
    const char *dot = strrchr(base, '.');

    return is_inserted(base, strlen(base), name) ||
           (dot && dot != base && is_inserted(base, (size_t)(dot - base), name));
}

bool rolled_times_of(int fd, const char *path, struct rolled_times *ret)
{
    struct rolled_times times = {.has_born = false};
    struct stat st;
#ifdef STATX_BTIME
    struct statx more;
#endif

    if ((fd >= 0 ? fstat(fd, &st) : lstat(path, &st)) != 0)
        return false;
    times.written = st.st_mtim;
#ifdef STATX_BTIME
    if (statx(fd >= 0 ? fd : AT_FDCWD, fd >= 0 ? "" : path,
              AT_SYMLINK_NOFOLLOW | (fd >= 0 ? AT_EMPTY_PATH : 0), STATX_BTIME, &more) == 0 &&
        more.stx_mask & STATX_BTIME) {
        times.has_born = true;
        times.born.tv_sec = more.stx_btime.tv_sec;
        times.born.tv_nsec = more.stx_btime.tv_nsec;
    }
#endif
    *ret = times;
    return true;
}

static int compare(const struct timespec *a, const struct timespec *b)
{
    if (a->tv_sec != b->tv_sec)
        return a->tv_sec < b->tv_sec ? -1 : 1;
    return a->tv_nsec < b->tv_nsec ? -1 : a->tv_nsec > b->tv_nsec;
}

/* Not older: a file that was rolled before the other one began is older in both. */
bool rolled_is_since(const struct rolled_times *times, const struct rolled_times *since)
{
    return compare(&times->written, &since->written) >= 0 &&
           (!times->has_born || !since->has_born || compare(&times->born, &since->born) >= 0);
}

/* Of one instant: by name, for of "f.1" and "f.0" the second is younger. */
static bool is_younger(const struct rolled *rolled, size_t i, const struct rolled_times *times,
                       const char *path)
{
    int order = compare(&rolled->times[i].written, &times->written);

    return order > 0 || (order == 0 && strcmp(rolled->paths[i], path) < 0);
}

/* Takes the path over. The youngest goes when there are too many. */
static void insert(struct rolled *rolled, char *path, const struct rolled_times *times)
{
    size_t at = rolled->count;

    while (at > 0 && is_younger(rolled, at - 1, times, path))
        at--;
    if (rolled->count == ROLLED_MAX) {
        if (at == ROLLED_MAX) {
            free(path);
            return;
        }
        free(rolled->paths[--rolled->count]);
    }
    memmove(&rolled->paths[at + 1], &rolled->paths[at],
            (rolled->count - at) * sizeof(rolled->paths[0]));
    memmove(&rolled->times[at + 1], &rolled->times[at],
            (rolled->count - at) * sizeof(rolled->times[0]));
    rolled->paths[at] = path;
    rolled->times[at] = *times;
    rolled->count++;
}

void rolled_find(const char *path, const struct rolled_times *since,
                 bool (*is_known)(void *data, const struct stat *st), void *data,
                 struct rolled *ret)
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    char directory[PATH_SIZE], full[2 * PATH_SIZE];
    struct rolled_times times;
    struct dirent *item;
    struct stat st;
    DIR *dir;

    ret->count = 0;
    directory_of(path, directory, sizeof(directory));
    dir = opendir(directory);
    if (!dir)
        return;
    while ((item = readdir(dir)) != NULL) { /* ends with the directory */
        char *copy;

        if (!rolled_is_name(base, item->d_name))
            continue;
        snprintf(full, sizeof(full), "%s/%s", directory, item->d_name);
        if (!rolled_times_of(-1, full, &times) || !rolled_is_since(&times, since) ||
            lstat(full, &st) != 0 || !S_ISREG(st.st_mode) || is_known(data, &st))
            continue;
        copy = strdup(full);
        if (copy)
            insert(ret, copy, &times);
    }
    closedir(dir);
}

void rolled_free(struct rolled *rolled)
{
    for (size_t i = 0; i < rolled->count; i++)
        free(rolled->paths[i]);
    rolled->count = 0;
}
