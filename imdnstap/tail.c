/* tail.c - see tail.h.
 *
 * Concurrency: everything here belongs to the source's thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "config.h"

#include "tail.h"

#include <errno.h>
#include <stdlib.h>

#include "intake.h"

static bool take(void *data, const char *path, struct span frame)
{
    struct tail *tail = data;

    (void)path;
    if (loop_stopping(tail->thread.loop))
        return false;
    intake_frame(&tail->thread, tail->source, tail->peer_context, frame, source_now_ms());
    tail->thread.tally[COUNT_BYTES] += frame.len;
    return true;
}

static void finished(void *data, const char *path, uint64_t frames, const char *error)
{
    struct tail *tail = data;

    if (error)
        source_log(tail->source, SOURCE_WARNING, 0, "file %s: %llu frames, then: %s", path,
                   (unsigned long long)frames, error);
    else
        source_log(tail->source, SOURCE_INFO, 0, "file %s: %llu frames, replayed to its end", path,
                   (unsigned long long)frames);
}

static void notice(void *data, enum files_level level, const char *path, const char *text)
{
    static const enum source_level levels[] = {
        [FILES_INFO] = SOURCE_INFO, [FILES_WARNING] = SOURCE_WARNING, [FILES_ERROR] = SOURCE_ERROR};
    struct tail *tail = data;

    source_log_peer(tail->source, levels[level], 0, "file %s: %s", path, text);
}

/* A file is a session: opened when its reading begins, closed when that is over. */
static void event(void *data, enum files_event event, const char *path)
{
    struct tail *tail = data;
    struct source *source = tail->source;
    bool told = source->config->follow; /* else `finished` tells */

    switch (event) {
    case FILES_OPENED:
        source_count(source, COUNT_OPENED, 1);
        if (told)
            source_log_peer(source, SOURCE_INFO, 0, "file %s: followed from now on", path);
        break;
    case FILES_CLOSED:
        source_count(source, COUNT_CLOSED, 1);
        if (told)
            source_log_peer(source, SOURCE_INFO, 0, "file %s: not followed any more", path);
        break;
    case FILES_OPEN_FAILED:
        source_count(source, COUNT_OPEN_FAILED, 1);
        break;
    case FILES_NO_STREAM:
        source_count(source, COUNT_HANDSHAKES_FAILED, 1);
        break;
    case FILES_OVERSIZE:
        source_count(source, COUNT_RECEIVED, 1);
        source_count(source, COUNT_INVALID, 1);
        break;
    }
}

static bool open_files(struct tail *tail)
{
    const struct source_config *config = tail->source->config;
    struct files_config how = {.pattern = config->file,
                               .mode = config->follow ? FILES_FOLLOW : FILES_ONCE,
                               .max_frame = config->max_frame,
                               .state_dir = config->state_dir,
                               .state_name = config->state_name};
    struct files_callbacks calls = {
        .data = tail, .frame = take, .finished = finished, .event = event, .notice = notice};
    char why[256];

    tail->files = files_create(&how, &calls, why, sizeof why);
    if (!tail->files)
        source_log(tail->source, SOURCE_ERROR, 0, "file=\"%s\": %s", config->file, why);
    return tail->files != NULL;
}

struct tail *tail_open(struct loop *loop, struct source *source)
{
    struct peer peer = {.address = "127.0.0.1", .local = true, .text = "a file"};
    struct tail *tail = calloc(1, sizeof *tail);

    if (!tail)
        return NULL;
    tail->source = source;
    tail->thread.epoll = tail->thread.waker.fd = -1; /* until loop_thread_open */
    tail->peer_context = source->callbacks->peer_open(source->config->owner, &peer);
    if (!tail->peer_context || !loop_thread_open(loop, &tail->thread) || !open_files(tail)) {
        tail_destroy(tail);
        return NULL;
    }
    return tail;
}

/* Says once that it failed. */
static void save(struct tail *tail, bool *told)
{
    if (files_save(tail->files) || *told)
        return;
    source_log(tail->source, SOURCE_ERROR, errno,
               "the state file %s cannot be written in workDirectory \"%s\"",
               tail->source->config->state_name, tail->source->config->state_dir);
    *told = true;
}

/* Saving comes behind flushing: a position never passes a frame that is not in the queue. */
void *tail_run(void *thread)
{
    struct tail *tail = thread;
    struct loop *loop = tail->thread.loop;
    enum files_result result;
    bool told = false;

    do {
        result = files_step(tail->files);
        loop->callbacks->flush(tail->thread.context);
        intake_tally(&tail->thread, tail->source);
        if (files_save_due(tail->files))
            save(tail, &told);
        if (result == FILES_IDLE && !loop_stopping(loop))
            loop_thread_wait(&tail->thread, files_fd(tail->files), files_timeout_ms(tail->files));
    } while (result != FILES_DONE && !loop_stopping(loop));
    save(tail, &told);
    return NULL;
}

void tail_destroy(struct tail *tail)
{
    if (tail->peer_context)
        tail->source->callbacks->peer_close(tail->source->config->owner, tail->peer_context);
    files_destroy(&tail->files);
    loop_thread_destroy(&tail->thread);
    free(tail);
}
