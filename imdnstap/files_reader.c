/* files_reader.c - one file: read from an offset on, frame by frame.
 *
 * Belongs to the thread of its `files`.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "files_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* Compressed octets read at a time. */
#define RAW_READ ((size_t)64 * 1024)

struct reader *reader_create(const char *path, const struct stat *st, size_t max_frame)
{
    struct reader *reader = calloc(1, sizeof(*reader));

    if (!reader)
        return NULL;
    reader->fd = reader->watch = -1;
    reader->device = st->st_dev;
    reader->inode = st->st_ino;
    reader->path = strdup(path);
    reader->stream = fs_create(FS_FRAMING_STREAM, max_frame);
    if (!reader->path || !reader->stream)
        reader_destroy(&reader);
    return reader;
}

void reader_destroy(struct reader **reader)
{
    if (!reader || !*reader)
        return;
    if ((*reader)->fd >= 0)
        close((*reader)->fd);
    codec_destroy(&(*reader)->codec);
    fs_destroy(&(*reader)->stream);
    free((*reader)->path);
    free((*reader)->followed);
    free(*reader);
    *reader = NULL;
}

/* Half of the descriptors are for the rest of the daemon: without any it cannot even write its files.
 * The system gives the lowest number that is free. */
static bool leaves_some(int fd)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
           (rlim_t)fd < limit.rlim_cur / 2;
}

bool reader_open(struct reader *reader)
{
    struct stat st;
    /* O_NONBLOCK: a FIFO that took the file's place does not stop us. */
    int fd = open(reader->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0)
        return false;
    if (!leaves_some(fd)) {
        close(fd);
        errno = EMFILE;
        return false;
    }
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_dev != reader->device ||
        st.st_ino != reader->inode) {
        close(fd);
        errno = 0;
        return false;
    }
    reader->fd = fd;
    return true;
}

/* Up to len octets from an offset: fewer only at the end of the file. -1: errno says why. */
static ssize_t read_at(int fd, uint8_t *to, size_t len, uint64_t offset)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = pread(fd, to + done, len - done, (off_t)(offset + done));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

/* Is the file's beginning still the one that was marked? */
static bool mark_matches(const struct reader *reader, uint32_t len, uint64_t mark)
{
    uint8_t first[STATE_MARK_MAX];

    return len == 0 || (read_at(reader->fd, first, len, 0) == (ssize_t)len &&
                        state_mark(span_of(first, len)) == mark);
}

/* Marks as much of the beginning as has been read for certain. */
static void mark_beginning(struct reader *reader)
{
    uint8_t first[STATE_MARK_MAX];
    uint32_t len = reader->offset < STATE_MARK_MAX ? (uint32_t)reader->offset : STATE_MARK_MAX;

    if (len <= reader->mark_len || read_at(reader->fd, first, len, 0) != (ssize_t)len)
        return;
    reader->mark = state_mark(span_of(first, len));
    reader->mark_len = len;
}

/* A fresh stream that is between START and STOP already. False: no memory. */
static bool stream_resume(struct reader *reader)
{
    static const uint8_t start[] = {0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 2};
    struct cursor at = cursor_of(span_of(start, sizeof(start)));
    struct span frame;

    return fs_next(reader->stream, &at, &frame) == FS_START;
}

bool reader_resume(struct reader *reader, const struct state_entry *entry)
{
    struct stat st;

    if (fstat(reader->fd, &st) != 0 || (uint64_t)st.st_size < entry->offset ||
        !mark_matches(reader, entry->mark_len, entry->mark))
        return false;
    if (entry->started && !stream_resume(reader))
        return false;
    reader->started = entry->started;
    reader->begun = entry->offset > 0;
    reader->offset = entry->offset;
    reader->mark = entry->mark;
    reader->mark_len = entry->mark_len;
    return true;
}

bool reader_rewind_if_changed(struct reader *reader, const struct stat *st, size_t max_frame)
{
    struct fs_stream *stream;

    if ((uint64_t)st->st_size >= reader->offset &&
        mark_matches(reader, reader->mark_len, reader->mark))
        return false;
    stream = fs_create(FS_FRAMING_STREAM, max_frame);
    if (!stream)
        return false; /* looked at again with the next change */
    fs_destroy(&reader->stream);
    reader->stream = stream;
    reader->started = reader->begun = false;
    reader->offset = 0;
    reader->mark = 0;
    reader->mark_len = 0;
    reader->dead = false;
    reader->looked = false;
    return true;
}

static bool buffer_fit(struct reader_buffer *buffer, size_t cap)
{
    uint8_t *grown;

    if (cap <= buffer->cap)
        return true;
    grown = realloc(buffer->octets, cap);
    if (!grown)
        return false;
    buffer->octets = grown;
    buffer->cap = cap;
    return true;
}

static enum reader_result fail(struct reader *reader, struct reader_context *context,
                               const char *why)
{
    snprintf(context->why, sizeof(context->why), "%s", why);
    reader->dead = true;
    return READER_FAILED;
}

/* Says what the stream's error is, where, and what it was instead, in printable octets. */
static enum reader_result fail_stream(struct reader *reader, struct reader_context *context,
                                      struct span first)
{
    enum fs_error error = fs_error(reader->stream);
    struct span type = fs_error_content_type(reader->stream);
    char detail[80] = "";

    if (context->callbacks->event && error == FS_ERROR_FRAME_SIZE)
        context->callbacks->event(context->callbacks->data, FILES_OVERSIZE, reader->path);
    else if (context->callbacks->event && !reader->begun)
        context->callbacks->event(context->callbacks->data, FILES_NO_STREAM, reader->path);
    if (error == FS_ERROR_NOT_STREAM) {
        snprintf(detail, sizeof(detail), " (it looks like: %s)", fs_guess_protocol(first));
    } else if (error == FS_ERROR_FRAME_SIZE) {
        snprintf(detail, sizeof(detail), " (%" PRIu32 " octets)", fs_error_size(reader->stream));
    } else if (error == FS_ERROR_CONTENT_TYPE) {
        int len = type.len < 60 ? (int)type.len : 60;

        snprintf(detail, sizeof(detail), " (but %.*s)", len, (const char *)type.ptr);
        for (char *p = detail; *p; p++)
            *p = *p < 0x20 || *p > 0x7e ? '?' : *p;
    }
    if (reader->codec)
        snprintf(context->why, sizeof(context->why), "%s%s after %" PRIu64 " frames",
                 fs_error_text(error), detail, reader->frames);
    else
        snprintf(context->why, sizeof(context->why), "%s%s at octet %" PRIu64, fs_error_text(error),
                 detail, reader->offset);
    reader->dead = true;
    return READER_FAILED;
}

/* Takes the whole items of `octets`; *ret_taken says how far it came.
 * Ends: every turn takes an item, or is one of the two that follow a STOP. */
static enum reader_result take(struct reader *reader, struct reader_context *context,
                               struct span octets, size_t *ret_taken)
{
    struct cursor at = cursor_of(octets);
    struct span frame;

    for (;;) {
        struct cursor before = at;

        reader->started = fs_started(reader->stream);
        switch (fs_next(reader->stream, &at, &frame)) {
        case FS_MORE:
            *ret_taken = (size_t)(at.pos - octets.ptr);
            return READER_MORE;
        case FS_FRAME:
            if (!context->callbacks->frame(context->callbacks->data, reader->path, frame)) {
                *ret_taken = (size_t)(before.pos - octets.ptr);
                return READER_REFUSED;
            }
            reader->frames++;
            break;
        case FS_START:
            reader->begun = true;
            break;
        case FS_REPLY: /* a recorded handshake: nobody is there to read the answer */
        case FS_STOP:
            break;
        case FS_ERROR:
            *ret_taken = (size_t)(before.pos - octets.ptr);
            return READER_FAILED;
        }
    }
}

static enum reader_result at_end(struct reader *reader, struct reader_context *context, size_t left)
{
    (void)reader;
    context->why[0] = '\0';
    if (left)
        snprintf(context->why, sizeof(context->why),
                 "it ends within a frame: %zu octets are left over", left);
    return READER_END;
}

static enum reader_result step_plain(struct reader *reader, struct reader_context *context)
{
    struct reader_buffer *buffer = context->buffer;
    size_t wanted = READER_READ, taken = 0, need;
    enum reader_result result;
    ssize_t n;

    for (;;) { /* ends: the second turn has the room that the frame needs */
        if (!buffer_fit(buffer, wanted))
            return fail(reader, context, "out of memory");
        n = read_at(reader->fd, buffer->octets, wanted, reader->offset);
        if (n < 0)
            return fail(reader, context, strerror(errno));
        result = take(reader, context, span_of(buffer->octets, (size_t)n), &taken);
        reader->offset += taken;
        if (taken > 0)
            mark_beginning(reader);
        if (result == READER_FAILED)
            return fail_stream(reader, context, span_of(buffer->octets + taken, (size_t)n - taken));
        if (result == READER_REFUSED || taken > 0)
            return result;
        need = fs_need(reader->stream, span_of(buffer->octets, (size_t)n));
        if ((size_t)n < wanted || need <= wanted)
            return at_end(reader, context, (size_t)n);
        wanted = need;
    }
}

bool reader_decompress(struct reader *reader, struct reader_context *context)
{
    uint8_t first[CODEC_MAGIC_MAX];
    ssize_t n = read_at(reader->fd, first, sizeof(first), 0);
    enum codec_kind kind = codec_guess(span_of(first, n > 0 ? (size_t)n : 0));

    context->buffer->held = 0;
    if (kind == CODEC_PLAIN)
        return true;
    if (!codec_built_in(kind)) {
        snprintf(context->why, sizeof(context->why), "it is compressed, and %s is not built in",
                 codec_name(kind));
        return false;
    }
    reader->codec = codec_create(kind);
    if (!reader->codec)
        snprintf(context->why, sizeof(context->why), "out of memory");
    return reader->codec != NULL;
}

/* Decompresses once behind what is held. *ret_end: the compressed file is at its end. */
static enum reader_result inflate_more(struct reader *reader, struct reader_context *context,
                                       bool *ret_end)
{
    struct reader_buffer *buffer = context->buffer;
    uint8_t raw[RAW_READ];
    ssize_t n = read_at(reader->fd, raw, sizeof(raw), reader->offset);
    struct cursor at;
    size_t len;

    if (n < 0)
        return fail(reader, context, strerror(errno));
    at = cursor_of(span_of(raw, (size_t)n));
    if (!codec_run(reader->codec, &at, buffer->octets + buffer->held, buffer->cap - buffer->held,
                   &len))
        return fail(reader, context,
                    "the compressed data is damaged, or needs over 128 MiB of memory");
    reader->offset += (uint64_t)(at.pos - raw);
    buffer->held += len;
    *ret_end = at.pos == raw && len == 0;
    if (*ret_end && !codec_at_end(reader->codec))
        return fail(reader, context, "the compressed data ends early");
    return READER_MORE;
}

static enum reader_result step_compressed(struct reader *reader, struct reader_context *context)
{
    struct reader_buffer *buffer = context->buffer;
    enum reader_result result;
    size_t taken = 0;
    bool end = false;

    if (!buffer_fit(buffer, READER_READ) ||
        !buffer_fit(buffer, fs_need(reader->stream, span_of(buffer->octets, buffer->held))))
        return fail(reader, context, "out of memory");
    if (buffer->held < buffer->cap) {
        result = inflate_more(reader, context, &end);
        if (result == READER_FAILED)
            return result;
    }
    result = take(reader, context, span_of(buffer->octets, buffer->held), &taken);
    if (result == READER_FAILED)
        return fail_stream(reader, context, span_of(buffer->octets + taken, buffer->held - taken));
    buffer->held -= taken;
    if (taken > 0)
        memmove(buffer->octets, buffer->octets + taken, buffer->held);
    if (result == READER_MORE && taken == 0 && end)
        return at_end(reader, context, buffer->held);
    return result;
}

enum reader_result reader_step(struct reader *reader, struct reader_context *context)
{
    return reader->codec ? step_compressed(reader, context) : step_plain(reader, context);
}

bool reader_is_compressed(const struct reader *reader)
{
    uint8_t first[CODEC_MAGIC_MAX];
    ssize_t n = reader->offset == 0 ? pread(reader->fd, first, sizeof(first), 0) : 0;

    return n > 0 && codec_guess(span_of(first, (size_t)n)) != CODEC_PLAIN;
}

bool reader_is_copy(const struct reader *reader, const struct reader *of)
{
    return of->mark_len == STATE_MARK_MAX && mark_matches(reader, of->mark_len, of->mark);
}

const char *reader_followed(const struct reader *reader)
{
    return reader->followed ? reader->followed : reader->path;
}

struct state_entry reader_entry(const struct reader *reader)
{
    return (struct state_entry){.device = reader->device,
                                .inode = reader->inode,
                                .offset = reader->offset,
                                .mark = reader->mark,
                                .mark_len = reader->mark_len,
                                .started = reader->started,
                                .path = (char *)(uintptr_t)reader_followed(reader)};
}
