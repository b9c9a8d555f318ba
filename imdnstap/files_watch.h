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

int watch_create(void);

/* Tells of names that come and go in the path's directory. Again for the same one is no harm. */
void watch_directory_of(int fd, const char *path);

/* Tells of writes to the file; returns the watch, or -1. */
int watch_file(int fd, const char *path);
void watch_drop(int fd, int *watch); /* sets -1; takes -1 */

/* Takes what has been told. True when names came or went. */
bool watch_drain(int fd);

/* The directory part of a path: "." when there is none. */
void directory_of(const char *path, char *ret, size_t size);

#endif
