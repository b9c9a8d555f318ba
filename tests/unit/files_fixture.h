/* files_fixture.h - for the tests of the file source: a directory of their own, files made of frames, and
 * what the callbacks heard.
 *
 * The directory is below TMPDIR. Nothing waits: every step sees what is there, for the poll interval is a
 * millisecond and steps go on until nothing is left for two of them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef FILES_FIXTURE_H
#define FILES_FIXTURE_H

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "files.h"
#include "text.h"

#define BYTES(literal) span_of(literal, sizeof(literal) - 1)
#define START          "\0\0\0\0\0\0\0\x22\0\0\0\2\0\0\0\1\0\0\0\x16protobuf:dnstap.Dnstap"
#define STOP           "\0\0\0\0\0\0\0\4\0\0\0\3"

static char directory[256];

/* What the callbacks heard. */
struct heard {
    struct text frames; /* "one;two;" */
    struct text notices;
    struct text finished; /* "NAME FRAMES ERROR;" */
    size_t count;
    size_t refuse; /* so many calls refuse */
    size_t events[FILES_OVERSIZE + 1];
};

static inline const char *base(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static inline bool on_frame(void *data, const char *path, struct span frame)
{
    struct heard *heard = data;

    (void)path;
    if (heard->refuse > 0) {
        heard->refuse--;
        return false;
    }
    heard->count++;
    text_put(&heard->frames, (const char *)frame.ptr, frame.len);
    text_put_char(&heard->frames, ';');
    return true;
}

static inline void on_finished(void *data, const char *path, uint64_t frames, const char *error)
{
    struct heard *heard = data;

    text_put_str(&heard->finished, str_of(base(path)));
    text_put_char(&heard->finished, ' ');
    text_put_u64(&heard->finished, frames);
    text_put_char(&heard->finished, ' ');
    text_put_str(&heard->finished, str_of(error ? error : "ok"));
    text_put_char(&heard->finished, ';');
}

static inline void on_event(void *data, enum files_event event, const char *path)
{
    struct heard *heard = data;

    (void)path;
    heard->events[event]++;
}

static inline void on_notice(void *data, enum files_level level, const char *path, const char *text)
{
    struct heard *heard = data;

    text_put_char(&heard->notices, "IWE"[level]);
    text_put_char(&heard->notices, ' ');
    text_put_str(&heard->notices, str_of(base(path)));
    text_put_char(&heard->notices, ' ');
    text_put_str(&heard->notices, str_of(text));
    text_put_char(&heard->notices, ';');
}

static inline void heard_init(struct heard *heard)
{
    memset(heard, 0, sizeof(*heard));
    text_init(&heard->frames, 8 << 20);
    text_init(&heard->notices, 1 << 20);
    text_init(&heard->finished, 1 << 20);
}

static inline void heard_free(struct heard *heard)
{
    text_destroy(&heard->frames);
    text_destroy(&heard->notices);
    text_destroy(&heard->finished);
}

static inline void expect_text(struct text *t, const char *want)
{
    text_put_char(t, '\0');
    t->len--;
    assert_string_equal(t->buf, want);
}

static inline const char *in_directory(const char *name)
{
    static char paths[4][512];
    static unsigned turn;
    char *path = paths[turn++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
    return path;
}

static inline void write_octets(const char *name, int flags, struct span octets)
{
    int fd = open(in_directory(name), O_WRONLY | O_CREAT | flags, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, octets.ptr, octets.len), octets.len);
    close(fd);
}

static inline void append(const char *name, struct span octets)
{
    write_octets(name, O_APPEND, octets);
}

/* A frame with that text. */
static inline void append_frame(const char *name, const char *text)
{
    uint8_t octets[256] = {0};
    size_t len = strlen(text);

    octets[3] = (uint8_t)len;
    memcpy(octets + 4, text, len);
    append(name, span_of(octets, len + 4));
}

static inline struct files *create(const char *pattern, enum files_mode mode, struct heard *heard)
{
    struct files_config config = {.pattern = in_directory(pattern),
                                  .mode = mode,
                                  .max_frame = 1 << 20,
                                  .state_dir = directory,
                                  .state_name = "state",
                                  .poll_ms = 1};
    struct files_callbacks callbacks = {.data = heard,
                                        .frame = on_frame,
                                        .finished = on_finished,
                                        .event = on_event,
                                        .notice = on_notice};
    char why[128];
    struct files *files = files_create(&config, &callbacks, why, sizeof(why));

    if (!files)
        fail_msg("%s", why);
    return files;
}

/* Steps until two scans found nothing, or all is done. */
static inline void run(struct files *files)
{
    enum files_result result;
    int idle = 0;

    for (int i = 0; idle < 3; i++) {
        assert_true(i < 1000000);
        result = files_step(files);
        if (result == FILES_DONE)
            return;
        if (result == FILES_AGAIN) {
            idle = 0;
            continue;
        }
        idle++;
        poll(NULL, 0, files_timeout_ms(files) + 1); /* lets the poll interval pass */
    }
}

static inline int clean(void **state)
{
    char command[600];

    (void)state;
    snprintf(command, sizeof(command), "rm -rf '%s' && mkdir '%s'", directory, directory);
    return system(command);
}

/* 3000 frames of 1 to 3000 octets, and one of 700,000: more than is read at once. */
static inline struct span large_stream(void)
{
    static uint8_t octets[6 << 20];
    size_t len = sizeof(START) - 1;

    memcpy(octets, START, len);
    for (size_t i = 1; i <= 3000; i++) {
        size_t size = i == 1500 ? 700000 : i;

        octets[len] = 0;
        octets[len + 1] = (uint8_t)(size >> 16);
        octets[len + 2] = (uint8_t)(size >> 8);
        octets[len + 3] = (uint8_t)size;
        memset(octets + len + 4, (int)('a' + i % 26), size);
        len += 4 + size;
    }
    memcpy(octets + len, STOP, sizeof(STOP) - 1);
    return span_of(octets, len + sizeof(STOP) - 1);
}

/* Runs the tests in a directory that is gone afterwards. */
static inline int run_in_directory(const char *name, const struct CMUnitTest *tests, size_t count)
{
    const char *tmp = getenv("TMPDIR");
    char command[600];
    int result;

    snprintf(directory, sizeof(directory), "%s/test_files.XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(directory))
        return 99;
    result = _cmocka_run_group_tests(name, tests, count, NULL, NULL);
    snprintf(command, sizeof(command), "rm -rf '%s'", directory);
    return system(command) == 0 ? result : 99;
}

#endif
