/* files.c - Frame Streams files as a source of frames: in what order, and what is remembered of them.
 *
 * A step looks for files (files_scan.c) when the directory changed or the poll interval is over, then lets one
 * file take what one read gives: renamed files first, the others in turn.
 *
 * Belongs to one thread, and shares nothing.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "files_internal.h"
#include "files_watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE       4096
#define POLL_MS_DEFAULT 1000
#define SAVE_MS         1000
/* A look for files that takes longer is a long one. */
#define SCAN_COST_MS    50

static bool state_path(const struct files *files, char *ret, size_t size)
{
    if (!files->config.state_dir || !files->config.state_name)
        return false;
    return snprintf(ret, size, "%s/%s", files->config.state_dir, files->config.state_name) <
           (int)size;
}

static bool copy_config(struct files *files, const struct files_config *config)
{
    files->config = *config;
    files->config.pattern = strdup(config->pattern);
    files->config.state_dir = config->state_dir ? strdup(config->state_dir) : NULL;
    files->config.state_name = config->state_name ? strdup(config->state_name) : NULL;
    if (files->config.poll_ms == 0)
        files->config.poll_ms = POLL_MS_DEFAULT;
    return files->config.pattern && !files->config.state_dir == !config->state_dir &&
           !files->config.state_name == !config->state_name;
}

/* False: *why says what is wrong with it. */
static bool read_state(struct files *files, char *why, size_t why_size)
{
    char path[PATH_SIZE];

    if (files->config.mode != FILES_FOLLOW || !state_path(files, path, sizeof(path)))
        return true;
    if (access(files->config.state_dir, W_OK | X_OK) != 0) {
        snprintf(why, why_size, "state directory %s: %s", files->config.state_dir, strerror(errno));
        return false;
    }
    if (!rolled_times_of(-1, path, &files->state_times))
        files->state_times.written.tv_sec = 0;
    files->state_times.has_born = false; /* it is made anew with each save */
    switch (state_read(path, &files->state)) {
    case STATE_OK:
    case STATE_NONE:
        return true;
    case STATE_DAMAGED:
        files_notice(files, FILES_WARNING, path,
                     "this state file is damaged: files that it does not tell of are read anew");
        return true;
    case STATE_FAILED:
        break;
    }
    snprintf(why, why_size, "state file %s: %s", path, strerror(errno));
    return false;
}

struct files *files_create(const struct files_config *config,
                           const struct files_callbacks *callbacks, char *why, size_t why_size)
{
    struct files *files = calloc(1, sizeof(*files));

    why[0] = '\0';
    if (!files || !copy_config(files, config)) {
        snprintf(why, why_size, "out of memory");
        files_destroy(&files);
        return NULL;
    }
    files->inotify = -1;
    files->created_ms = files_now_ms();
    files->callbacks = *callbacks;
    files->context = (struct reader_context){&files->config, &files->callbacks, &files->buffer, ""};
    text_init(&files->saved, STATE_SIZE_MAX);
    text_init(&files->now, STATE_SIZE_MAX);
    if (!read_state(files, why, why_size)) {
        files_destroy(&files);
        return NULL;
    }
    if (config->mode == FILES_FOLLOW)
        files->inotify = watch_create();
    return files;
}

void files_destroy(struct files **files)
{
    struct files *f = files ? *files : NULL;

    if (!f)
        return;
    while (f->readers) {
        struct reader *next = f->readers->next;

        if (f->readers->fd >= 0)
            files_tell(f, FILES_CLOSED, f->readers->path);
        reader_destroy(&f->readers);
        f->readers = next;
    }
    if (f->inotify > 0)
        close(f->inotify);
    state_free(&f->state);
    text_destroy(&f->saved);
    text_destroy(&f->now);
    free(f->buffer.octets);
    free((char *)(uintptr_t)f->config.pattern);
    free((char *)(uintptr_t)f->config.state_dir);
    free((char *)(uintptr_t)f->config.state_name);
    free(f);
    *files = NULL;
}

/* Has this file anything to take, as far as its size tells? Notices when it is another one. */
static bool has_news(struct files *files, struct reader *reader)
{
    struct stat st;

    if (reader->fd < 0 || fstat(reader->fd, &st) != 0)
        return false;
    if (reader->looked && (uint64_t)st.st_size == reader->seen)
        return false;
    if ((reader->looked || (uint64_t)st.st_size < reader->offset) &&
        reader_rewind_if_changed(reader, &st, files->config.max_frame))
        files_notice(files, FILES_INFO, reader->path,
                     "the file was cut short or written anew: read from its beginning");
    if (reader->dead) {
        reader->seen = (uint64_t)st.st_size;
        reader->looked = true;
        return false;
    }
    return true;
}

/* Renamed files first: they have an end. Then the others, in turn. */
static struct reader *choose_reader(struct files *files)
{
    struct reader *first = files->turn ? files->turn : files->readers;

    for (struct reader *reader = files->readers; reader; reader = reader->next) {
        if (reader->gone && has_news(files, reader))
            return reader;
    }
    for (struct reader *reader = first; reader; reader = reader->next) {
        if (!reader->gone && has_news(files, reader))
            return reader;
    }
    for (struct reader *reader = files->readers; reader && reader != first; reader = reader->next) {
        if (!reader->gone && has_news(files, reader))
            return reader;
    }
    return NULL;
}

static enum files_result step_follow(struct files *files)
{
    struct reader *reader = choose_reader(files);
    struct stat st;

    if (!reader)
        return FILES_IDLE;
    files->turn = reader->next;
    if (fstat(reader->fd, &st) != 0)
        return FILES_AGAIN;
    if (reader_is_compressed(reader)) {
        files_notice(files, FILES_INFO, reader->path, "compressed files are not followed");
        reader->dead = true;
    } else {
        switch (reader_step(reader, &files->context)) {
        case READER_MORE:
        case READER_REFUSED:
            return FILES_AGAIN;
        case READER_FAILED:
            files_notice(files, FILES_ERROR, reader->path, files->context.why);
            break;
        case READER_END:
            break;
        }
    }
    /* The size from before the read: what came since is news. */
    reader->seen = (uint64_t)st.st_size;
    reader->looked = true;
    return FILES_AGAIN;
}

static void finish(struct files *files, const char *error)
{
    struct reader *reader = files->readers;

    if (files->callbacks.finished)
        files->callbacks.finished(files->callbacks.data, reader->path, reader->frames, error);
    if (reader->fd >= 0)
        files_tell(files, FILES_CLOSED, reader->path);
    files->readers = reader->next;
    reader_destroy(&reader);
}

/* False: context.why says why not. */
static bool open_once(struct files *files, struct reader *reader)
{
    struct reader_context *context = &files->context;

    if (reader->dead) {
        snprintf(context->why, sizeof(context->why), FILES_NOT_REGULAR);
    } else if (reader_open(reader)) {
        files_tell(files, FILES_OPENED, reader->path);
        return reader_decompress(reader, context);
    } else {
        snprintf(context->why, sizeof(context->why), "it cannot be opened: %s",
                 errno ? strerror(errno) : "it is another file by now");
    }
    files_tell(files, FILES_OPEN_FAILED, reader->path);
    return false;
}

/* The first of the list, until it is through. */
static enum files_result step_once(struct files *files)
{
    struct reader *reader = files->readers;

    if (!reader)
        return FILES_DONE;
    if (reader->fd < 0 && !open_once(files, reader)) {
        finish(files, files->context.why);
        return FILES_AGAIN;
    }
    switch (reader_step(reader, &files->context)) {
    case READER_MORE:
    case READER_REFUSED:
        break;
    case READER_END:
    case READER_FAILED:
        finish(files, files->context.why[0] ? files->context.why : NULL);
        break;
    }
    return FILES_AGAIN;
}

/* Where looking takes long, as among many thousands of files, it gets a fifth of the time at most. */
static bool scan_is_due(const struct files *files)
{
    int64_t since = files_now_ms() - files->scanned_ms;

    if (!files->scanned)
        return true;
    if (files->scan_cost_ms >= SCAN_COST_MS && since < 4 * files->scan_cost_ms)
        return false;
    return files->names || since >= (int64_t)files->config.poll_ms;
}

enum files_result files_step(struct files *files)
{
    enum files_result result;

    if (files->config.mode == FILES_ONCE) {
        if (!files->scanned)
            files_scan(files);
        return step_once(files);
    }
    files->names = watch_drain(files->inotify, &files->moves) || files->names;
    if (scan_is_due(files))
        files_scan(files);
    result = step_follow(files);
    files->idle = result == FILES_IDLE;
    return result;
}

int files_fd(const struct files *files)
{
    return files->inotify;
}

int files_timeout_ms(const struct files *files)
{
    return files->config.poll_ms > INT32_MAX ? INT32_MAX : (int)files->config.poll_ms;
}

bool files_save(struct files *files)
{
    char path[PATH_SIZE];
    struct text former;

    if (files->config.mode != FILES_FOLLOW || !files->scanned ||
        !state_path(files, path, sizeof(path)))
        return true;
    files->saved_ms = files_now_ms();
    state_begin(&files->now);
    for (const struct reader *reader = files->readers; reader; reader = reader->next) {
        struct state_entry entry = reader_entry(reader);

        if (reader->fd >= 0 && entry.offset > 0)
            state_put(&files->now, &entry);
    }
    for (size_t i = 0; i < files->state.count; i++) { /* those still looked for */
        if (!files->state.entries[i].used && files->saved_ms - files->created_ms < FILES_GONE_MS)
            state_put(&files->now, &files->state.entries[i]);
    }
    if (!files->now.overflow && str_equal(text_str(&files->now), text_str(&files->saved)))
        return true;
    if (!state_write(path, &files->now))
        return false;
    former = files->saved;
    files->saved = files->now;
    files->now = former;
    return true;
}

bool files_save_due(const struct files *files)
{
    return files->idle || files_now_ms() - files->saved_ms >= SAVE_MS;
}

bool files_can_read(const char *name)
{
    for (enum codec_kind kind = CODEC_GZIP; kind <= CODEC_ZSTD; kind++) {
        if (strcmp(name, codec_name(kind)) == 0)
            return codec_built_in(kind);
    }
    return false;
}
