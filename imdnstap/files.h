/* files.h - Frame Streams files as a source of frames: replayed once, or followed while they grow.
 *
 * Calling pattern, in a thread or an event loop:
 *
 *     files = files_create(&config, &callbacks, why, sizeof(why));
 *     do {
 *         result = files_step(files);           calls back for every frame
 *         hand on what the callbacks collected
 *         if (files_save_due(files))
            files_save(files);                only when what it gave is safe
 *         if (result == FILES_IDLE)
 *             poll on files_fd() for files_timeout_ms()
 *     } while (result != FILES_DONE && not asked to stop);
 *     files_save(files);
 *     files_destroy(&files);
 *
 * FILES_ONCE reads plain files and, where built in, .gz, .xz and .zst (told by their first octets).
 *
 * FILES_FOLLOW tails plain files: a frame that is not whole yet is waited for; a file that is
 * renamed and made anew is read to its end first; one that is cut short is begun anew. A file is known by device, inode and a
 * hash of its beginning, so that a restart goes on behind the last frame that files_save knew of,
 * also in a file that has been renamed within its directory meanwhile. Files that were rolled more than
 * once between two looks are told by their names and times: see files_rolled.h.
 *
 * No rsyslog here. One `files` belongs to one thread. Never blocks (but for the disk).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef FILES_H
#define FILES_H

#include "frame.h"

enum files_mode { FILES_ONCE, FILES_FOLLOW };

/* All strings are copied. */
struct files_config {
    const char *pattern; /* a path, or a glob(7) pattern */
    enum files_mode mode;
    size_t max_frame; /* octets of payload */
    /* Follow only: where positions are kept, in state_dir/state_name. NULL: nowhere; every start
     * reads from the beginning. state_name must be another for each input. */
    const char *state_dir, *state_name;
    unsigned poll_ms; /* how often to look where inotify tells nothing; 0: 1000 */
};

/* What happens to a file, for the books. */
enum files_event {
    FILES_OPENED,      /* its reading begins */
    FILES_CLOSED,      /* and is over: read to its end, or forgotten */
    FILES_OPEN_FAILED, /* it cannot be opened, or is none that can be read */
    FILES_NO_STREAM,   /* what it begins with is no Frame Streams of dnstap */
    FILES_OVERSIZE     /* a frame over max_frame, which ends its reading */
};

enum files_level { FILES_INFO, FILES_WARNING, FILES_ERROR };

struct files_callbacks {
    void *data;
    /* One frame, borrowed for the call. False: not taken; files_step returns FILES_AGAIN at once
     * and the same frame comes again with the next step. */
    bool (*frame)(void *data, const char *path, struct span frame);
    /* Once only: a file is through, with that many frames. error: NULL, or why it ended early. */
    void (*finished)(void *data, const char *path, uint64_t frames, const char *error);
    /* May be NULL. */
    void (*event)(void *data, enum files_event event, const char *path);
    /* Something for the log; at most a few per file and change, however the file is made. */
    void (*notice)(void *data, enum files_level level, const char *path, const char *text);
};

enum files_result {
    FILES_AGAIN, /* a bounded amount is done (some 256 KiB), and there may be more: step again */
    FILES_IDLE,  /* all is read for now: wait for files_fd or files_timeout_ms (follow only) */
    FILES_DONE   /* all is read for ever (once only) */
};

struct files;

/* NULL on failure: *why (at least one octet) says what is wrong. That no file matches is no failure. */
struct files *files_create(const struct files_config *config,
                           const struct files_callbacks *callbacks, char *why, size_t why_size);
void files_destroy(struct files **files); /* sets NULL; takes NULL. Does not save. */

enum files_result files_step(struct files *files);

/* Readable when a step has something to do; -1 where there is no inotify: then only the timeout. */
int files_fd(const struct files *files);
/* How long to wait at most before the next step. */
int files_timeout_ms(const struct files *files);

/* Writes the positions behind the last taken frames, atomically, if any has changed. Waits for
 * the disk: see files_save_due; and once at the end. Frames taken since come again after a crash.
 * False: it could not be written (errno says why); the former state is still there. */
bool files_save(struct files *files);

/* Is it time? Once a second while there is something to read, and whenever all is read. */
bool files_save_due(const struct files *files);

/* Does this build read such a file? name: "gzip", "xz" or "zstd". */
bool files_can_read(const char *name);

#endif
