/* files_internal.h - what files.c and files_scan.c share.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef FILES_INTERNAL_H
#define FILES_INTERNAL_H

#include <time.h>

#include "files.h"
#include "files_reader.h"
#include "files_rolled.h"
#include "files_watch.h"

#define FILES_NOT_REGULAR "this is no regular file"
/* So long a renamed file may still be written to. */
#define FILES_GONE_MS     60000

struct files {
    struct files_config config; /* strings owned */
    struct files_callbacks callbacks;
    struct reader_context context;
    struct reader_buffer buffer;
    struct reader *readers;
    struct reader *turn;  /* whose turn it is among those not gone; NULL: the first */
    struct reader *found; /* within a scan: the one that was found last; NULL: none */
    struct state state;
    struct rolled_times state_times; /* of the state file that was read; without `born` */
    struct text saved, now;          /* state as written last, and as it is */
    int inotify;                     /* -1: none */
    struct watch_moves moves;
    int64_t created_ms, scanned_ms, saved_ms;
    int64_t scan_cost_ms; /* processor time of the last scan */
    bool names;           /* of files came or went since */
    bool idle;            /* the last step found nothing */
    bool scanned;
    bool said_no_match;
};

static inline int64_t files_now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static inline void files_notice(const struct files *files, enum files_level level, const char *path,
                                const char *text)
{
    if (files->callbacks.notice)
        files->callbacks.notice(files->callbacks.data, level, path, text);
}

static inline void files_tell(const struct files *files, enum files_event event, const char *path)
{
    if (files->callbacks.event)
        files->callbacks.event(files->callbacks.data, event, path);
}

/* files_scan.c: looks which files there are. */
void files_scan(struct files *files);

#endif
