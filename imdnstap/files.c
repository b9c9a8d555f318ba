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
#include "files_tail.h"
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
#define GONE_MS         60000 /* so long a renamed file may still be written to */

struct files {
    struct files_config config; /* strings owned */
    struct files_callbacks callbacks;
    struct tail_context context;
    struct tail_buffer buffer;
    struct tail *tails;
    struct tail *turn; /* whose turn it is among those not gone; NULL: the first */
    struct state state;
    struct text saved, now; /* state as written last, and as it is */
    int inotify;            /* -1: none */
    int64_t scanned_ms;
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
    files->callbacks = *callbacks;
    files->context = (struct tail_context){&files->config, &files->callbacks, &files->buffer, ""};
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
    while (f->tails) {
        struct tail *next = f->tails->next;

        tail_destroy(&f->tails);
        f->tails = next;
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

static struct tail *find_tail(struct files *files, const struct stat *st)
{
    struct tail *tail = files->tails;

    while (tail && (tail->device != st->st_dev || tail->inode != st->st_ino))
        tail = tail->next;
    return tail;
}

/* Where the file was left, by device and inode; by inode and path where devices were renumbered. */
static struct state_entry *find_entry(struct files *files, const struct tail *tail)
{
    struct state_entry *found = NULL;

    for (size_t i = 0; i < files->state.count; i++) {
        struct state_entry *entry = &files->state.entries[i];

        if (entry->used || entry->inode != tail->inode)
            continue;
        if (entry->device == tail->device)
            return entry;
        if (entry->mark_len >= 64 && strcmp(entry->path, tail->path) == 0)
            found = entry;
    }
    return found;
}

/* Opens a tail and goes on where it was left. */
static void open_tail(struct files *files, struct tail *tail)
{
    struct state_entry *entry;

    if (!tail_open(tail)) {
        if (errno && !tail->dead) {
            notice(files, FILES_ERROR, tail->path, strerror(errno));
            tail->dead = true; /* said; tried again with the next scan */
        }
        return;
    }
    tail->dead = false;
    if (files->config.mode == FILES_ONCE) {
        tail->dead = !tail_decompress(tail, &files->context);
        return;
    }
    tail->watch = watch_file(files->inotify, tail->path);
    entry = find_entry(files, tail);
    if (entry) {
        entry->used = true;
        if (!tail_resume(tail, entry))
            notice(files, FILES_INFO, tail->path, "not the file it was: read from its beginning");
    }
}

static struct tail *add_tail(struct files *files, const char *path, const struct stat *st)
{
    struct tail **end = &files->tails;
    struct tail *tail = tail_create(path, st, files->config.max_frame);

    if (!tail)
        return NULL;
    while (*end)
        end = &(*end)->next;
    *end = tail;
    if (files->config.mode == FILES_FOLLOW && S_ISREG(st->st_mode))
        open_tail(files, tail);
    return tail;
}

static void match_path(struct files *files, const char *path)
{
    struct stat st;
    struct tail *tail;

    if (stat(path, &st) != 0)
        return; /* gone between glob and here, or a link to nothing */
    if (S_ISDIR(st.st_mode))
        return;
    if (files->config.mode == FILES_FOLLOW)
        watch_directory_of(files->inotify, path);
    tail = find_tail(files, &st);
    if (!tail) {
        tail = add_tail(files, path, &st);
        if (!tail)
            return;
        if (!S_ISREG(st.st_mode)) {
            notice(files, FILES_ERROR, path, "this is no regular file");
            tail->dead = true;
        }
    } else if (strcmp(tail->path, path) != 0) {
        char *copy = strdup(path); /* renamed, and still ours */

        if (copy) {
            free(tail->path);
            tail->path = copy;
        }
    }
    tail->matched = true;
    tail->gone = false;
    if (tail->fd < 0 && S_ISREG(st.st_mode) && files->config.mode == FILES_FOLLOW)
        open_tail(files, tail);
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
            st.st_dev != entry->device || find_tail(files, &st))
            continue;
        add_tail(files, path, &st); /* sets `used`; unmatched, so it counts as gone */
    }
    closedir(dir);
}

/* Forgets files that are gone for long. */
static void sweep(struct files *files, int64_t now)
{
    struct tail **at = &files->tails;

    while (*at) {
        struct tail *tail = *at;

        if (!tail->matched && !tail->gone) {
            tail->gone = true;
            tail->gone_ms = now;
        }
        if (tail->gone && (tail->looked || tail->fd < 0) && now - tail->gone_ms >= GONE_MS) {
            watch_drop(files->inotify, &tail->watch);
            if (files->turn == tail)
                files->turn = NULL;
            *at = tail->next;
            tail_destroy(&tail);
        } else {
            at = &tail->next;
        }
    }
}

/* Looks which files there are. */
static void scan(struct files *files)
{
    glob_t found = {0};
    int result;

    if (files->config.mode == FILES_FOLLOW)
        watch_directory_of(files->inotify, files->config.pattern);
    result = glob(files->config.pattern, 0, NULL, &found);
    for (struct tail *tail = files->tails; tail; tail = tail->next)
        tail->matched = false;
    if (result == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++)
            match_path(files, found.gl_pathv[i]);
    } else if (!files->said_no_match && files->config.mode == FILES_ONCE) {
        notice(files, FILES_WARNING, files->config.pattern, "no such file");
        files->said_no_match = true;
    }
    globfree(&found);
    for (size_t i = 0; !files->scanned && i < files->state.count; i++) {
        if (!files->state.entries[i].used)
            find_renamed(files, &files->state.entries[i]);
    }
    files->scanned = true;
    files->scanned_ms = now_ms();
    if (files->config.mode == FILES_FOLLOW)
        sweep(files, files->scanned_ms);
}

/* Has this file anything to take, as far as its size tells? Notices when it is another one. */
static bool has_news(struct files *files, struct tail *tail)
{
    struct stat st;

    if (tail->fd < 0 || fstat(tail->fd, &st) != 0)
        return false;
    if (tail->looked && (uint64_t)st.st_size == tail->seen)
        return false;
    if ((tail->looked || (uint64_t)st.st_size < tail->offset) &&
        tail_rewind_if_changed(tail, &st, files->config.max_frame))
        notice(files, FILES_INFO, tail->path,
               "the file was cut short or written anew: read from its beginning");
    if (tail->dead) {
        tail->seen = (uint64_t)st.st_size;
        tail->looked = true;
        return false;
    }
    return true;
}

/* Renamed files first: they have an end. Then the others, in turn. */
static struct tail *choose_tail(struct files *files)
{
    struct tail *first = files->turn ? files->turn : files->tails;

    for (struct tail *tail = files->tails; tail; tail = tail->next) {
        if (tail->gone && has_news(files, tail))
            return tail;
    }
    for (struct tail *tail = first; tail; tail = tail->next) {
        if (!tail->gone && has_news(files, tail))
            return tail;
    }
    for (struct tail *tail = files->tails; tail && tail != first; tail = tail->next) {
        if (!tail->gone && has_news(files, tail))
            return tail;
    }
    return NULL;
}

/* Compressed files are complete ones: their rotated copies are no news. */
static bool is_compressed(struct tail *tail)
{
    uint8_t first[CODEC_MAGIC_MAX];
    ssize_t n = tail->offset == 0 ? pread(tail->fd, first, sizeof(first), 0) : 0;

    return n > 0 && codec_guess(span_of(first, (size_t)n)) != CODEC_PLAIN;
}

static enum files_result step_follow(struct files *files)
{
    struct tail *tail = choose_tail(files);
    struct stat st;

    if (!tail)
        return FILES_IDLE;
    files->turn = tail->next;
    if (fstat(tail->fd, &st) != 0)
        return FILES_AGAIN;
    if (is_compressed(tail)) {
        notice(files, FILES_INFO, tail->path, "compressed files are not followed");
        tail->dead = true;
    } else {
        switch (tail_step(tail, &files->context)) {
        case TAIL_MORE:
        case TAIL_REFUSED:
            return FILES_AGAIN;
        case TAIL_FAILED:
            notice(files, FILES_ERROR, tail->path, files->context.why);
            break;
        case TAIL_END:
            break;
        }
    }
    /* The size from before the read: what came since is news. */
    tail->seen = (uint64_t)st.st_size;
    tail->looked = true;
    return FILES_AGAIN;
}

static void finish(struct files *files, const char *error)
{
    struct tail *tail = files->tails;

    if (files->callbacks.finished)
        files->callbacks.finished(files->callbacks.data, tail->path, tail->frames, error);
    files->tails = tail->next;
    tail_destroy(&tail);
}

/* The first of the list, until it is through. */
static enum files_result step_once(struct files *files)
{
    struct tail *tail = files->tails;

    if (!tail)
        return FILES_DONE;
    if (tail->fd < 0 && !tail->dead)
        open_tail(files, tail);
    if (tail->fd < 0 || tail->dead) {
        if (tail->fd < 0)
            snprintf(files->context.why, sizeof(files->context.why), "it cannot be opened");
        finish(files, files->context.why);
        return FILES_AGAIN;
    }
    switch (tail_step(tail, &files->context)) {
    case TAIL_MORE:
    case TAIL_REFUSED:
        break;
    case TAIL_END:
    case TAIL_FAILED:
        finish(files, files->context.why[0] ? files->context.why : NULL);
        break;
    }
    return FILES_AGAIN;
}

enum files_result files_step(struct files *files)
{
    if (files->config.mode == FILES_ONCE) {
        if (!files->scanned)
            scan(files);
        return step_once(files);
    }
    if (watch_drain(files->inotify) || !files->scanned ||
        now_ms() - files->scanned_ms >= (int64_t)files->config.poll_ms)
        scan(files);
    return step_follow(files);
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
    state_begin(&files->now);
    for (const struct tail *tail = files->tails; tail; tail = tail->next) {
        struct state_entry entry = tail_entry(tail);

        if (tail->fd >= 0 && entry.offset > 0)
            state_put(&files->now, &entry);
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

bool files_can_read(const char *name)
{
    for (enum codec_kind kind = CODEC_GZIP; kind <= CODEC_ZSTD; kind++) {
        if (strcmp(name, codec_name(kind)) == 0)
            return codec_built_in(kind);
    }
    return false;
}
