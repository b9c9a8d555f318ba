/* files_tail.h - one file: read from an offset on, frame by frame.
 *
 * A tail holds an offset and no octets: what is not a whole frame yet is read again when
 * the file has grown. Compressed files, read once, keep their decompressed rest.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef FILES_TAIL_H
#define FILES_TAIL_H

#include "files.h"
#include "files_codec.h"
#include "files_state.h"

#include <sys/stat.h>

/* Read at a time; more only when one frame needs it. Shared by all tails of an input. */
#define TAIL_READ ((size_t)256 * 1024)

struct tail_buffer {
    uint8_t *octets; /* owned */
    size_t cap;
    size_t held; /* decompressed octets at its beginning, not taken yet */
};

struct tail {
    struct tail *next;
    char *path; /* owned; as last seen */
    int fd;     /* -1: could not be opened, or is done with */
    int watch;  /* the caller's inotify watch, -1: none */
    dev_t device;
    ino_t inode;
    uint64_t offset; /* behind the last item taken; of compressed files, in the compressed octets */
    uint64_t seen;   /* size of the file when nothing more could be taken */
    uint64_t mark;   /* state_mark of the first mark_len octets */
    uint32_t mark_len;
    uint64_t frames;
    struct fs_stream *stream;
    struct codec *codec; /* NULL: plain */
    bool started;        /* at `offset`: between START and STOP */
    bool looked;         /* `seen` holds */
    bool dead;           /* broken: nothing more is read until the file is another one */
    bool gone;           /* its path is not its name any more */
    bool matched;        /* by the scan under way */
    int64_t gone_ms;     /* since when */
};

enum tail_result {
    TAIL_MORE,    /* something was taken */
    TAIL_REFUSED, /* the callback did not take a frame */
    TAIL_END,     /* all that is there is taken; *why (if not empty) says what is left over */
    TAIL_FAILED   /* *why says what is wrong; the tail is dead */
};

struct tail_context {
    const struct files_config *config;
    const struct files_callbacks *callbacks;
    struct tail_buffer *buffer;
    char why[256]; /* set with TAIL_END and TAIL_FAILED */
};

/* NULL: no memory. The file is not opened yet. */
struct tail *tail_create(const char *path, const struct stat *st, size_t max_frame);
void tail_destroy(struct tail **tail);

/* Opens the file. False: errno says why, or 0 when the path names another file by now. */
bool tail_open(struct tail *tail);

/* Go on where `entry` says; false (and nothing changed) when this is not the file it was. */
bool tail_resume(struct tail *tail, const struct state_entry *entry);

/* The file was cut short or written anew: true, and the tail is at its beginning. */
bool tail_rewind_if_changed(struct tail *tail, const struct stat *st, size_t max_frame);

/* Takes what one read gives: at most TAIL_READ octets, or one frame. */
enum tail_result tail_step(struct tail *tail, struct tail_context *context);

/* Begins decompression if the file is compressed. False: *why says what is wrong. */
bool tail_decompress(struct tail *tail, struct tail_context *context);

/* What is remembered of it. path is borrowed. */
struct state_entry tail_entry(const struct tail *tail);

#endif
