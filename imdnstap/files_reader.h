/* files_reader.h - one file: read from an offset on, frame by frame.
 *
 * A reader holds an offset and no octets: what is not a whole frame yet is read again when
 * the file has grown. Compressed files, read once, keep their decompressed rest.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef FILES_READER_H
#define FILES_READER_H

#include "files.h"
#include "files_codec.h"
#include "files_state.h"

#include <sys/stat.h>

/* Read at a time; more only when one frame needs it. Shared by all readers of an input. */
#define READER_READ ((size_t)256 * 1024)

struct reader_buffer {
    uint8_t *octets; /* owned */
    size_t cap;
    size_t held; /* decompressed octets at its beginning, not taken yet */
};

struct reader {
    struct reader *next;
    char *path;     /* owned; as last seen */
    char *followed; /* owned; the path that it was rolled away from, NULL: path */
    int fd;         /* -1: could not be opened, or is done with */
    int watch;      /* the caller's inotify watch, -1: none */
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
    bool begun;          /* there was a START */
    bool looked;         /* `seen` holds */
    bool dead;           /* broken: nothing more is read until the file is another one */
    bool gone;           /* its path is not its name any more */
    bool matched;        /* by the scan under way */
    int64_t gone_ms;     /* since when */
};

enum reader_result {
    READER_MORE,    /* something was taken */
    READER_REFUSED, /* the callback did not take a frame */
    READER_END,     /* all that is there is taken; *why (if not empty) says what is left over */
    READER_FAILED   /* *why says what is wrong; the reader is dead */
};

struct reader_context {
    const struct files_config *config;
    const struct files_callbacks *callbacks;
    struct reader_buffer *buffer;
    char why[256]; /* set with READER_END and READER_FAILED */
};

/* NULL: no memory. The file is not opened yet. */
struct reader *reader_create(const char *path, const struct stat *st, size_t max_frame);
void reader_destroy(struct reader **reader);

/* Opens the file. False: errno says why, or 0 when the path names another file by now. */
bool reader_open(struct reader *reader);

/* Go on where `entry` says; false (and nothing changed) when this is not the file it was. */
bool reader_resume(struct reader *reader, const struct state_entry *entry);

/* The file was cut short or written anew: true, and the reader is at its beginning. */
bool reader_rewind_if_changed(struct reader *reader, const struct stat *st, size_t max_frame);

/* Takes what one read gives: at most READER_READ octets, or one frame. */
enum reader_result reader_step(struct reader *reader, struct reader_context *context);

/* Begins decompression if the file is compressed. False: *why says what is wrong. */
bool reader_decompress(struct reader *reader, struct reader_context *context);

/* At its beginning: is it one of a compressed file? Those are complete, and are not followed. */
bool reader_is_compressed(const struct reader *reader);

/* Does it begin with the same octets, as a copy does? False when too little of them is known. */
bool reader_is_copy(const struct reader *reader, const struct reader *of);

/* The path that it is, or was, followed by. */
const char *reader_followed(const struct reader *reader);

/* What is remembered of it. path is borrowed. */
struct state_entry reader_entry(const struct reader *reader);

#endif
