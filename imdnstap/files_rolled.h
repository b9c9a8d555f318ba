/* files_rolled.h - the files that rolling made of one: told by their names and by their times.
 *
 * Between two looks a file may be rolled twice: the one between was never seen under its own name. It lies in the
 * same directory under a name that rolling gives, and is younger than the one that was seen last. Under any other
 * name it is found where inotify told of its renaming (files_watch.h).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef FILES_ROLLED_H
#define FILES_ROLLED_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <time.h>

/* Files of one look; of more the youngest are left for the next. */
#define ROLLED_MAX 64

/* When a file was made, where the file system tells, and when it was written to last. */
struct rolled_times {
    bool has_born;
    struct timespec born, written;
};

/* fd: an open file, or a path when it is -1. False: errno says why. */
bool rolled_times_of(int fd, const char *path, struct rolled_times *ret);

struct rolled {
    char *paths[ROLLED_MAX]; /* owned; the oldest first */
    struct rolled_times times[ROLLED_MAX];
    size_t count;
};

bool rolled_is_since(const struct rolled_times *times, const struct rolled_times *since);

/* The regular files that rolling `path` made, that are not older than `since` and not known. *ret is to be freed. */
void rolled_find(const char *path, const struct rolled_times *since,
                 bool (*is_known)(void *data, const struct stat *st), void *data,
                 struct rolled *ret);
void rolled_free(struct rolled *rolled);

/* "f.0", "f-20261126", "f.20261126123456789", and "f.1.fstrm" of "f.fstrm": what BIND, logrotate and savelog
 * call the rolled copies of `base`. */
bool rolled_is_name(const char *base, const char *name);

#endif
