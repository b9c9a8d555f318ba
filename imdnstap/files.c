/* files.c - Frame Streams files as a source of frames: which files there are, and in what order.
 *
 * A step looks for files when the directory changed or the poll interval is over, then lets one file
 * take what one read gives: renamed files first, the others in turn.
 *
 * Belongs to one thread, and shares nothing.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "files.h"
#include "files_reader.h"
#include "files_watch.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define PATH_SIZE       4096
#define POLL_MS_DEFAULT 1000
#define NOT_REGULAR     "this is no regular file"
#define SAVE_MS         1000
#define GONE_MS         60000 /* so long a renamed file may still be written to */

struct files {
    struct files_config config; /* strings owned */
    struct files_callbacks callbacks;
    struct reader_context context;
    struct reader_buffer buffer;
    struct reader *readers;
    struct reader *turn; /* whose turn it is among those not gone; NULL: the first */
    struct state state;
    struct text saved, now; /* state as written last, and as it is */
    int inotify;            /* -1: none */
    int64_t created_ms, scanned_ms, saved_ms;
    bool idle; /* the last step found nothing */
    bool scanned;
    bool said_no_match;
};

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void notice(const struct files *files, enum files_level level, const char *path,
                   const char *text)
{
    if (files->callbacks.notice)
        files->callbacks.notice(files->callbacks.data, level, path, text);
}

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
    switch (state_read(path, &files->state)) {
    case STATE_OK:
    case STATE_NONE:
        return true;
    case STATE_DAMAGED:
        notice(files, FILES_WARNING, path,
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
    files->created_ms = now_ms();
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

static struct reader *find_reader(struct files *files, const struct stat *st)
{
    struct reader *reader = files->readers;

    while (reader && (reader->device != st->st_dev || reader->inode != st->st_ino))
        reader = reader->next;
    return reader;
}

/* Where the file was left, by device and inode; by inode and path where devices were renumbered. */
static struct state_entry *find_entry(struct files *files, const struct reader *reader)
{
    struct state_entry *found = NULL;

    for (size_t i = 0; i < files->state.count; i++) {
        struct state_entry *entry = &files->state.entries[i];

        if (entry->used || entry->inode != reader->inode)
            continue;
        if (entry->device == reader->device)
            return entry;
        if (entry->mark_len >= 64 && strcmp(entry->path, reader->path) == 0)
            found = entry;
    }
    return found;
}

/* Opens a reader and goes on where it was left. False: its path is the name of another file, or of
 * none, by now. */
static bool open_reader(struct files *files, struct reader *reader)
{
    struct state_entry *entry;

    if (!reader_open(reader)) {
        if (errno == 0 || errno == ENOENT)
            return false;
        if (!reader->dead)
            notice(files, FILES_ERROR, reader->path, strerror(errno));
        reader->dead = true; /* said; tried again with the next scan */
        return true;
    }
    reader->dead = false;
    reader->watch = watch_file(files->inotify, reader->path);
    entry = find_entry(files, reader);
    if (entry) {
        entry->used = true;
        if (!reader_resume(reader, entry))
            notice(files, FILES_INFO, reader->path, "not the file it was: read from its beginning");
    }
    return true;
}

static struct reader *add_reader(struct files *files, const char *path, const struct stat *st)
{
    struct reader **end = &files->readers;
    struct reader *reader = reader_create(path, st, files->config.max_frame);

    if (!reader)
        return NULL;
    if (files->config.mode == FILES_FOLLOW && S_ISREG(st->st_mode) && !open_reader(files, reader)) {
        reader_destroy(&reader); /* renamed since it was looked at: found by its new name */
        return NULL;
    }
    while (*end)
        end = &(*end)->next;
    *end = reader;
    return reader;
}

/* A pattern may match directories; one that is a directory's name is a mistake, said once. */
static void say_directory(struct files *files, const char *path)
{
    if (files->said_no_match || strcmp(path, files->config.pattern) != 0)
        return;
    notice(files, FILES_ERROR, path, "this is a directory: name the files in it, as in DIR/*");
    files->said_no_match = true;
}

static void match_path(struct files *files, const char *path)
{
    struct stat st;
    struct reader *reader;

    if (stat(path, &st) != 0)
        return; /* gone between glob and here, or a link to nothing */
    if (S_ISDIR(st.st_mode)) {
        say_directory(files, path);
        return;
    }
    if (files->config.mode == FILES_FOLLOW)
        watch_directory_of(files->inotify, path);
    reader = find_reader(files, &st);
    if (!reader) {
        reader = add_reader(files, path, &st);
        if (!reader)
            return;
        if (!S_ISREG(st.st_mode)) {
            if (files->config.mode == FILES_FOLLOW)
                notice(files, FILES_ERROR, path, NOT_REGULAR);
            reader->dead = true;
        }
    } else if (strcmp(reader->path, path) != 0) {
        char *copy = strdup(path); /* renamed, and still ours */

        if (copy) {
            free(reader->path);
            reader->path = copy;
        }
    }
    reader->matched = true;
    reader->gone = false;
    if (reader->fd < 0 && S_ISREG(st.st_mode) && files->config.mode == FILES_FOLLOW)
        (void)open_reader(files, reader);
}

/* A followed file that was renamed within its directory while nobody looked: read to its end. */
static void find_renamed(struct files *files, struct state_entry *entry)
{
    char directory[PATH_SIZE], path[2 * PATH_SIZE];
    struct dirent *item;
    struct stat st;
    DIR *dir;

    directory_of(entry->path, directory, sizeof(directory));
    dir = opendir(directory);
    if (!dir)
        return;
    while (!entry->used && (item = readdir(dir)) != NULL) {
        if (item->d_ino != entry->inode)
            continue;
        snprintf(path, sizeof(path), "%s/%s", directory, item->d_name);
        if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) || st.st_ino != entry->inode ||
            st.st_dev != entry->device || find_reader(files, &st))
            continue;
        add_reader(files, path, &st); /* sets `used`; unmatched, so it counts as gone */
    }
    closedir(dir);
}

/* Forgets files that are gone for long. */
static void sweep(struct files *files, int64_t now)
{
    struct reader **at = &files->readers;

    while (*at) {
        struct reader *reader = *at;

        if (!reader->matched && !reader->gone) {
            reader->gone = true;
            reader->gone_ms = now;
        }
        if (reader->gone && (reader->looked || reader->fd < 0) &&
            now - reader->gone_ms >= GONE_MS) {
            watch_drop(files->inotify, &reader->watch);
            if (files->turn == reader)
                files->turn = NULL;
            *at = reader->next;
            reader_destroy(&reader);
        } else {
            at = &reader->next;
        }
    }
}

/* Looks which files there are. */
static void scan(struct files *files)
{
    int64_t now = now_ms();
    glob_t found = {0};
    int result;

    if (files->config.mode == FILES_FOLLOW)
        watch_directory_of(files->inotify, files->config.pattern);
    result = glob(files->config.pattern, 0, NULL, &found);
    for (struct reader *reader = files->readers; reader; reader = reader->next)
        reader->matched = false;
    if (result == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++)
            match_path(files, found.gl_pathv[i]);
    } else if (!files->said_no_match && files->config.mode == FILES_ONCE) {
        notice(files, FILES_WARNING, files->config.pattern, "no such file");
        files->said_no_match = true;
    }
    globfree(&found);
    /* Again for a while: it may be renamed once more while it is looked for. */
    for (size_t i = 0; now - files->created_ms < GONE_MS && i < files->state.count; i++) {
        if (!files->state.entries[i].used)
            find_renamed(files, &files->state.entries[i]);
    }
    files->scanned = true;
    files->scanned_ms = now;
    if (files->config.mode == FILES_FOLLOW)
        sweep(files, files->scanned_ms);
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
        notice(files, FILES_INFO, reader->path,
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

/* Compressed files are complete ones: their rotated copies are no news. */
static bool is_compressed(struct reader *reader)
{
    uint8_t first[CODEC_MAGIC_MAX];
    ssize_t n = reader->offset == 0 ? pread(reader->fd, first, sizeof(first), 0) : 0;

    return n > 0 && codec_guess(span_of(first, (size_t)n)) != CODEC_PLAIN;
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
    if (is_compressed(reader)) {
        notice(files, FILES_INFO, reader->path, "compressed files are not followed");
        reader->dead = true;
    } else {
        switch (reader_step(reader, &files->context)) {
        case READER_MORE:
        case READER_REFUSED:
            return FILES_AGAIN;
        case READER_FAILED:
            notice(files, FILES_ERROR, reader->path, files->context.why);
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
    files->readers = reader->next;
    reader_destroy(&reader);
}

/* False: context.why says why not. */
static bool open_once(struct files *files, struct reader *reader)
{
    struct reader_context *context = &files->context;

    if (reader->dead) {
        snprintf(context->why, sizeof(context->why), NOT_REGULAR);
        return false;
    }
    if (reader_open(reader))
        return reader_decompress(reader, context);
    snprintf(context->why, sizeof(context->why), "it cannot be opened: %s",
             errno ? strerror(errno) : "it is another file by now");
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

enum files_result files_step(struct files *files)
{
    enum files_result result;

    if (files->config.mode == FILES_ONCE) {
        if (!files->scanned)
            scan(files);
        return step_once(files);
    }
    if (watch_drain(files->inotify) || !files->scanned ||
        now_ms() - files->scanned_ms >= (int64_t)files->config.poll_ms)
        scan(files);
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
    files->saved_ms = now_ms();
    state_begin(&files->now);
    for (const struct reader *reader = files->readers; reader; reader = reader->next) {
        struct state_entry entry = reader_entry(reader);

        if (reader->fd >= 0 && entry.offset > 0)
            state_put(&files->now, &entry);
    }
    for (size_t i = 0; i < files->state.count; i++) { /* those still looked for */
        if (!files->state.entries[i].used && files->saved_ms - files->created_ms < GONE_MS)
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
    return files->idle || now_ms() - files->saved_ms >= SAVE_MS;
}

bool files_can_read(const char *name)
{
    for (enum codec_kind kind = CODEC_GZIP; kind <= CODEC_ZSTD; kind++) {
        if (strcmp(name, codec_name(kind)) == 0)
            return codec_built_in(kind);
    }
    return false;
}
