/* files_scan.c - which files there are: the pattern's, and those that were renamed away from it.
 *
 * Belongs to the thread of its `files`.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "files_internal.h"
#include "files_rolled.h"
#include "files_watch.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#define PATH_SIZE 4096

/* Patterns match in the order of the last time: the one behind the last found is looked at first. */
static struct reader *find_reader(struct files *files, const struct stat *st)
{
    struct reader *first = files->found ? files->found->next : NULL;

    for (struct reader *reader = first; reader; reader = reader->next)
        if (reader->device == st->st_dev && reader->inode == st->st_ino)
            return files->found = reader;
    for (struct reader *reader = files->readers; reader != first; reader = reader->next)
        if (reader->device == st->st_dev && reader->inode == st->st_ino)
            return files->found = reader;
    return NULL;
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
        if (!reader->dead) {
            files_notice(files, FILES_ERROR, reader->path, strerror(errno));
            files_tell(files, FILES_OPEN_FAILED, reader->path);
        }
        reader->dead = true; /* said; tried again with the next scan */
        return true;
    }
    reader->dead = false;
    files_tell(files, FILES_OPENED, reader->path);
    reader->watch = watch_file(files->inotify, reader->path);
    entry = find_entry(files, reader);
    if (entry) {
        entry->used = true;
        if (!reader_resume(reader, entry))
            files_notice(files, FILES_INFO, reader->path,
                         "not the file it was: read from its beginning");
    }
    return true;
}

static void append_reader(struct files *files, struct reader *reader)
{
    struct reader **end = &files->readers;

    while (*end)
        end = &(*end)->next;
    *end = reader;
}

static struct reader *add_reader(struct files *files, const char *path, const struct stat *st)
{
    struct reader *reader = reader_create(path, st, files->config.max_frame);

    if (!reader)
        return NULL;
    if (files->config.mode == FILES_FOLLOW && S_ISREG(st->st_mode) && !open_reader(files, reader)) {
        reader_destroy(&reader); /* renamed since it was looked at: found by its new name */
        return NULL;
    }
    append_reader(files, reader);
    return reader;
}

/* A pattern may match directories; one that is a directory's name is a mistake, said once. */
static void say_directory(struct files *files, const char *path)
{
    if (files->said_no_match || strcmp(path, files->config.pattern) != 0)
        return;
    files_notice(files, FILES_ERROR, path,
                 "this is a directory: name the files in it, as in DIR/*");
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
            if (files->config.mode == FILES_FOLLOW) {
                files_notice(files, FILES_ERROR, path, FILES_NOT_REGULAR);
                files_tell(files, FILES_OPEN_FAILED, path);
            }
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

/* Remembers by which path a file was followed. */
static void rename_reader(struct reader *reader, const char *followed)
{
    if (reader && !reader->followed)
        reader->followed = strdup(followed);
}

/* Goes on with the file of an entry under its new name; unmatched, so that it counts as gone. Another file may
 * have got its inode: that one is none of ours. */
static void adopt(struct files *files, const char *path, const struct stat *st,
                  struct state_entry *entry)
{
    struct reader *reader = reader_create(path, st, files->config.max_frame);

    if (!reader)
        return;
    if (!reader_open(reader) || !reader_resume(reader, entry)) {
        reader_destroy(&reader);
        return;
    }
    entry->used = true;
    reader->watch = watch_file(files->inotify, path);
    rename_reader(reader, entry->path);
    files_tell(files, FILES_OPENED, path);
    append_reader(files, reader);
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
        adopt(files, path, &st, entry);
    }
    closedir(dir);
}

/* A file that was rolled on before it was seen. NULL when it is known, or no news. */
static struct reader *add_rolled(struct files *files, const char *path, const char *followed)
{
    struct reader *reader;
    struct stat st;

    if (lstat(path, &st) != 0 || !S_ISREG(st.st_mode) || find_reader(files, &st))
        return NULL;
    reader = add_reader(files, path, &st);
    if (!reader || reader->fd < 0)
        return NULL;
    rename_reader(reader, followed);
    reader->gone = true;
    reader->gone_ms = files_now_ms();
    if (!reader_is_compressed(reader))
        return reader;
    reader->dead = true;
    return NULL;
}

/* Which renamings led to a name that a file of `base` still has? */
static void trace_moves(const struct watch_moves *moves, const char *base, bool here[WATCH_MOVES])
{
    for (size_t i = 0; i < moves->count; i++) {
        const struct watch_move *move = &moves->moves[i];

        here[i] = strcmp(move->from, base) == 0;
        for (size_t j = 0; j < i; j++) {
            if (here[j] && strcmp(moves->moves[j].to, move->from) == 0) {
                here[j] = false; /* moved on */
                here[i] = true;
            } else if (here[j] && strcmp(moves->moves[j].to, move->to) == 0) {
                here[j] = false; /* replaced */
            }
        }
    }
}

/* What inotify told was renamed away from this one's path. */
static void find_moved_behind(struct files *files, const struct reader *gone,
                              const struct rolled_times *since)
{
    const char *path = reader_followed(gone), *slash = strrchr(path, '/');
    char directory[PATH_SIZE], to[2 * PATH_SIZE];
    struct rolled_times times;
    bool here[WATCH_MOVES] = {false};

    directory_of(path, directory, sizeof(directory));
    trace_moves(&files->moves, slash ? slash + 1 : path, here);
    for (size_t i = 0; i < files->moves.count; i++) {
        snprintf(to, sizeof(to), "%s/%s", directory, files->moves.moves[i].to);
        if (here[i] && rolled_times_of(-1, to, &times) && rolled_is_since(&times, since))
            add_rolled(files, to, path);
    }
}

static bool is_known(void *data, const struct stat *st)
{
    return find_reader(data, st) != NULL;
}

/* Is this the oldest that was rolled away from its path? All others are behind it. */
static bool is_first_gone(const struct files *files, const struct reader *reader)
{
    const struct reader *other = files->readers;

    while (other != reader && !(other->gone && other->fd >= 0 &&
                                strcmp(reader_followed(other), reader_followed(reader)) == 0))
        other = other->next;
    return reader->gone && reader->fd >= 0 && other == reader;
}

/* What was rolled behind this one, which was rolled itself. A copy of it is none of them. */
static void find_rolled_behind(struct files *files, const struct reader *gone)
{
    struct rolled_times since;
    struct rolled rolled;

    if (gone->fd < 0 || !rolled_times_of(gone->fd, NULL, &since))
        return;
    find_moved_behind(files, gone, &since);
    rolled_find(reader_followed(gone), &since, is_known, files, &rolled);
    for (size_t i = 0; i < rolled.count; i++) {
        struct reader *reader = add_rolled(files, rolled.paths[i], reader_followed(gone));

        for (const struct reader *of = files->readers; reader && of != reader; of = of->next)
            reader->dead = reader->dead || (of->gone && of->fd >= 0 && reader_is_copy(reader, of));
    }
    rolled_free(&rolled);
}

/* What was rolled while nobody looked, the file that was read then being gone for good. */
static void find_rolled_while_away(struct files *files, struct state_entry *entry)
{
    struct rolled rolled;

    rolled_find(entry->path, &files->state_times, is_known, files, &rolled);
    for (size_t i = 0; i < rolled.count; i++) {
        struct reader *reader = add_rolled(files, rolled.paths[i], entry->path);

        if (reader && entry->mark_len == STATE_MARK_MAX && reader_resume(reader, entry))
            entry->used = true; /* a copy of what was read: it goes on there */
    }
    rolled_free(&rolled);
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
            now - reader->gone_ms >= FILES_GONE_MS) {
            watch_drop(files->inotify, &reader->watch);
            if (reader->fd >= 0)
                files_tell(files, FILES_CLOSED, reader->path);
            if (files->turn == reader)
                files->turn = NULL;
            files->found = NULL;
            *at = reader->next;
            reader_destroy(&reader);
        } else {
            at = &reader->next;
        }
    }
}

static int64_t processor_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* What is there by the pattern, and what was renamed away from it since the state was saved. */
static void look_at_names(struct files *files, int64_t now)
{
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
        files_notice(files, FILES_WARNING, files->config.pattern, "no such file");
        files->said_no_match = true;
    }
    globfree(&found);
    /* Again for a while: it may be renamed once more while it is looked for. */
    for (size_t i = 0; now - files->created_ms < FILES_GONE_MS && i < files->state.count; i++) {
        if (!files->state.entries[i].used)
            find_renamed(files, &files->state.entries[i]);
        if (!files->state.entries[i].used)
            find_rolled_while_away(files, &files->state.entries[i]);
    }
}

/* Those that are gone, and what was rolled behind them. */
static void look_at_gone(struct files *files, int64_t now)
{
    bool any_gone = false;

    sweep(files, now);
    for (struct reader *reader = files->readers; reader; reader = reader->next) {
        if (is_first_gone(files, reader)) /* those that this finds come behind it */
            find_rolled_behind(files, reader);
        any_gone = any_gone || reader->gone;
    }
    if (!any_gone) /* what was renamed before the next one is gone is none of its copies */
        files->moves.count = 0;
}

void files_scan(struct files *files)
{
    int64_t now = files_now_ms(), begun = processor_ms();

    files->names = false;
    files->found = NULL;
    look_at_names(files, now);
    if (files->config.mode == FILES_FOLLOW)
        look_at_gone(files, now);
    files->found = NULL;
    files->scanned = true;
    files->scanned_ms = files_now_ms();
    files->scan_cost_ms = processor_ms() - begun;
}
