/* files_watch.c - inotify where there is one; elsewhere nothing, and the caller polls.
 *
 * One descriptor belongs to one thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "files_watch.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/inotify.h>
#endif

#define PATH_SIZE 4096

void directory_of(const char *path, char *ret, size_t size)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        snprintf(ret, size, ".");
    else
        snprintf(ret, size, "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

#ifdef __linux__

int watch_create(void)
{
    return inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
}

void watch_directory_of(int fd, const char *path)
{
    char directory[PATH_SIZE];

    if (fd < 0)
        return;
    directory_of(path, directory, sizeof(directory));
    (void)inotify_add_watch(fd, directory,
                            IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR);
}

int watch_file(int fd, const char *path)
{
    return fd < 0 ? -1 : inotify_add_watch(fd, path, IN_MODIFY);
}

void watch_drop(int fd, int *watch)
{
    if (fd >= 0 && *watch >= 0)
        (void)inotify_rm_watch(fd, *watch);
    *watch = -1;
}

static void add_move(struct watch_moves *moves, const char *to)
{
    struct watch_move *move;

    if (moves->count == WATCH_MOVES)
        memmove(&moves->moves[0], &moves->moves[1], --moves->count * sizeof(moves->moves[0]));
    move = &moves->moves[moves->count++];
    memcpy(move->from, moves->name, sizeof(move->from));
    snprintf(move->to, sizeof(move->to), "%s", to);
}

/* The two halves of a renaming follow one another, with the same cookie. */
static void note_move(struct watch_moves *moves, const struct inotify_event *event,
                      const char *name)
{
    if (event->mask & IN_MOVED_FROM) {
        moves->directory = event->wd;
        moves->cookie = event->cookie;
        snprintf(moves->name, sizeof(moves->name), "%s", name);
    } else if (event->mask & IN_MOVED_TO && event->cookie == moves->cookie &&
               event->wd == moves->directory) {
        add_move(moves, name);
    }
}

/* Ends: the descriptor does not block, and one full buffer is enough for a call. */
bool watch_drain(int fd, struct watch_moves *moves)
{
    _Alignas(struct inotify_event) uint8_t events[16 * 1024];
    bool names = false;
    ssize_t len = fd < 0 ? 0 : read(fd, events, sizeof(events));

    for (ssize_t at = 0; at + (ssize_t)sizeof(struct inotify_event) <= len;) {
        struct inotify_event event;

        memcpy(&event, events + at, sizeof(event));
        names = names || (event.mask & ~(uint32_t)IN_MODIFY) != 0;
        if (event.len > 0) /* a name, with NULs behind it */
            note_move(moves, &event, (const char *)events + at + sizeof(event));
        at += (ssize_t)(sizeof(event) + event.len);
    }
    return names;
}

#else

int watch_create(void)
{
    return -1;
}

void watch_directory_of(int fd, const char *path)
{
    (void)fd, (void)path;
}

int watch_file(int fd, const char *path)
{
    (void)fd, (void)path;
    return -1;
}

void watch_drop(int fd, int *watch)
{
    (void)fd, (void)watch;
}

bool watch_drain(int fd, struct watch_moves *moves)
{
    (void)fd, (void)moves;
    return false;
}

#endif
