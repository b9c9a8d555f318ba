/* files_watch.h - inotify where there is one; elsewhere nothing, and the caller polls.
 *
 * The descriptor is -1 where there is none; every function takes that.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef FILES_WATCH_H
#define FILES_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int watch_create(void);

/* Tells of names that come and go in the path's directory. Again for the same one is no harm. */
void watch_directory_of(int fd, const char *path);

/* Tells of writes to the file; returns the watch, or -1. */
int watch_file(int fd, const char *path);
void watch_drop(int fd, int *watch); /* sets -1; takes -1 */

/* The renamings within a directory that were told last, the oldest first. */
#define WATCH_MOVES    64
#define WATCH_NAME_MAX 256

struct watch_moves {
    struct watch_move {
        char from[WATCH_NAME_MAX], to[WATCH_NAME_MAX];
    } moves[WATCH_MOVES];
    size_t count;
    int directory; /* of `name`, which was taken away: the next event tells whereto */
    uint32_t cookie;
    char name[WATCH_NAME_MAX];
};

/* Takes what has been told. True when names came or went. */
bool watch_drain(int fd, struct watch_moves *moves);

/* The directory part of a path: "." when there is none. */
void directory_of(const char *path, char *ret, size_t size);

#endif
