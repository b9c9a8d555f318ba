/* test_files.c - the file source: replay of plain and compressed files; following files that grow
 * octet by octet, are renamed, rolled, cut short or written anew; restarts out of the saved state.
 *
 * Works in a directory of its own below TMPDIR. Waits for nothing: every step sees what is there,
 * for the poll interval is a millisecond and steps go on until nothing is left for two of them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
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
#ifdef HAVE_ZLIB
#include <zlib.h>
#endif
#ifdef HAVE_LZMA
#include <lzma.h>
#endif
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

#include "files.h"
#include "files_codec.h"
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
};

static const char *base(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static bool on_frame(void *data, const char *path, struct span frame)
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

static void on_finished(void *data, const char *path, uint64_t frames, const char *error)
{
    struct heard *heard = data;

    text_put_str(&heard->finished, str_of(base(path)));
    text_put_char(&heard->finished, ' ');
    text_put_u64(&heard->finished, frames);
    text_put_char(&heard->finished, ' ');
    text_put_str(&heard->finished, str_of(error ? error : "ok"));
    text_put_char(&heard->finished, ';');
}

static void on_notice(void *data, enum files_level level, const char *path, const char *text)
{
    struct heard *heard = data;

    text_put_char(&heard->notices, "IWE"[level]);
    text_put_char(&heard->notices, ' ');
    text_put_str(&heard->notices, str_of(base(path)));
    text_put_char(&heard->notices, ' ');
    text_put_str(&heard->notices, str_of(text));
    text_put_char(&heard->notices, ';');
}

static void heard_init(struct heard *heard)
{
    memset(heard, 0, sizeof(*heard));
    text_init(&heard->frames, 8 << 20);
    text_init(&heard->notices, 1 << 20);
    text_init(&heard->finished, 1 << 20);
}

static void heard_free(struct heard *heard)
{
    text_destroy(&heard->frames);
    text_destroy(&heard->notices);
    text_destroy(&heard->finished);
}

static void expect_text(struct text *t, const char *want)
{
    text_put_char(t, '\0');
    t->len--;
    assert_string_equal(t->buf, want);
}

static const char *in_directory(const char *name)
{
    static char paths[4][512];
    static unsigned turn;
    char *path = paths[turn++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
    return path;
}

static void write_octets(const char *name, int flags, struct span octets)
{
    int fd = open(in_directory(name), O_WRONLY | O_CREAT | flags, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, octets.ptr, octets.len), octets.len);
    close(fd);
}

static void append(const char *name, struct span octets)
{
    write_octets(name, O_APPEND, octets);
}

/* A frame with that text. */
static void append_frame(const char *name, const char *text)
{
    uint8_t octets[256] = {0};
    size_t len = strlen(text);

    octets[3] = (uint8_t)len;
    memcpy(octets + 4, text, len);
    append(name, span_of(octets, len + 4));
}

static struct files *create(const char *pattern, enum files_mode mode, struct heard *heard)
{
    struct files_config config = {.pattern = in_directory(pattern),
                                  .mode = mode,
                                  .max_frame = 1 << 20,
                                  .state_dir = directory,
                                  .state_name = "state",
                                  .poll_ms = 1};
    struct files_callbacks callbacks = {heard, on_frame, on_finished, on_notice};
    char why[128];
    struct files *files = files_create(&config, &callbacks, why, sizeof(why));

    if (!files)
        fail_msg("%s", why);
    return files;
}

/* Steps until two scans found nothing, or all is done. */
static void run(struct files *files)
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

static int clean(void **state)
{
    char command[600];

    (void)state;
    snprintf(command, sizeof(command), "rm -rf '%s' && mkdir '%s'", directory, directory);
    return system(command);
}

static void replay(const char *pattern, const char *frames, const char *finished)
{
    struct heard heard;
    struct files *files;

    heard_init(&heard);
    files = create(pattern, FILES_ONCE, &heard);
    run(files);
    assert_int_equal(files_step(files), FILES_DONE);
    if (frames)
        expect_text(&heard.frames, frames);
    expect_text(&heard.finished, finished);
    assert_true(files_save(files));
    files_destroy(&files);
    assert_null(files);
    heard_free(&heard);
}

static void test_once(void **state)
{
    (void)state;
    append("a", BYTES(START "\0\0\0\3one\0\0\0\3two" STOP));
    append("b", BYTES(START "\0\0\0\5three"));
    append("other", BYTES(START STOP));
    replay("a", "one;two;", "a 2 ok;");
    replay("[ab]", "one;two;three;", "a 2 ok;b 1 ok;");
    assert_int_equal(access(in_directory("state"), F_OK), -1); /* nothing to remember */
}

static void test_once_that_ends_badly(void **state)
{
    (void)state;
    append("cut", BYTES(START "\0\0\0\3one\0\0\0\x09t"));
    replay("cut", "one;", "cut 1 it ends within a frame: 5 octets are left over;");
    append("text", BYTES("hello world\n"));
    replay("text", "", "text 0 this is no Frame Streams (it looks like: text) at octet 0;");
    append("large", BYTES(START "\0\0\0\1x\x7f\0\0\0"));
    replay("large", "x;",
           "large 1 a data frame over the size limit (2130706432 octets) at octet 47;");
    append("type", BYTES("\0\0\0\0\0\0\0\x11\0\0\0\2\0\0\0\1\0\0\0\5o\nher"));
    replay("type", "",
           "type 0 the content type is not protobuf:dnstap.Dnstap (but o?her) at octet 0;");
    append("empty", BYTES(""));
    replay("empty", "", "empty 0 ok;");
    assert_int_equal(mkfifo(in_directory("fifo"), 0600), 0);
    replay("fifo", "", "fifo 0 this is no regular file;");
}

static void test_once_without_a_match(void **state)
{
    struct heard heard;
    struct files *files;

    (void)state;
    heard_init(&heard);
    files = create("nothing*", FILES_ONCE, &heard);
    run(files);
    expect_text(&heard.notices, "W nothing* no such file;");
    files_destroy(&files);
    heard_free(&heard);
}

static void test_a_refused_frame_comes_again(void **state)
{
    struct heard heard;
    struct files *files;

    (void)state;
    append("a", BYTES(START "\0\0\0\3one\0\0\0\3two" STOP));
    for (int mode = FILES_ONCE; mode <= FILES_FOLLOW; mode++) {
        heard_init(&heard);
        heard.refuse = 3;
        files = create("a", (enum files_mode)mode, &heard);
        assert_int_equal(files_step(files), FILES_AGAIN);
        assert_int_equal(heard.count, 0);
        run(files);
        expect_text(&heard.frames, "one;two;");
        files_destroy(&files);
        heard_free(&heard);
    }
}

/* 3000 frames of 1 to 3000 octets, and one of 700,000: more than is read at once. */
static struct span large_stream(void)
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

static void test_large_file(void **state)
{
    (void)state;
    append("large", large_stream());
    replay("large", NULL, "large 3000 ok;");
}

#ifdef HAVE_ZLIB
static size_t gzip(struct span from, uint8_t *to, size_t room)
{
    z_stream z = {0};

    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (Bytef *)(uintptr_t)from.ptr;
    z.avail_in = (uInt)from.len;
    z.next_out = to;
    z.avail_out = (uInt)room;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    room -= z.avail_out;
    deflateEnd(&z);
    return room;
}

static void test_gzip(void **state)
{
    static uint8_t packed[8 << 20];
    struct span plain = large_stream();
    size_t len = gzip(plain, packed, sizeof(packed));

    (void)state;
    assert_true(files_can_read("gzip"));
    append("a.gz", span_of(packed, len));
    replay("a.gz", NULL, "a.gz 3000 ok;");
    append("a.gz", span_of(packed, len)); /* a second member: another stream */
    replay("a.gz", NULL, "a.gz 6000 ok;");
    len = gzip(BYTES(START "\0\0\0\3one"), packed, sizeof(packed));
    append("cut.gz", span_of(packed, len - 4)); /* half of its trailer */
    replay("cut.gz", "one;", "cut.gz 1 the compressed data ends early;");
}

static void test_damaged_gzip(void **state)
{
    static uint8_t packed[1024];
    size_t len = gzip(BYTES(START "\0\0\0\3one"), packed, sizeof(packed));

    (void)state;
    packed[len - 6] ^= 1; /* in the checksum */
    append("bad.gz", span_of(packed, len));
    replay("bad.gz", NULL, "bad.gz 0 the compressed data is damaged;");
}
#endif

#ifdef HAVE_LZMA
static void test_xz(void **state)
{
    static uint8_t packed[8 << 20];
    struct span plain = large_stream();
    size_t len = 0;

    (void)state;
    assert_true(files_can_read("xz"));
    assert_int_equal(lzma_easy_buffer_encode(6, LZMA_CHECK_CRC64, NULL, plain.ptr, plain.len,
                                             packed, &len, sizeof(packed)),
                     LZMA_OK);
    append("a.xz", span_of(packed, len));
    replay("a.xz", NULL, "a.xz 3000 ok;");
    append("a.xz", span_of(packed, len));
    replay("a.xz", NULL, "a.xz 6000 ok;");
}
#endif

#ifdef HAVE_ZSTD
static void test_zstd(void **state)
{
    static uint8_t packed[8 << 20];
    struct span plain = large_stream();
    size_t len = ZSTD_compress(packed, sizeof(packed), plain.ptr, plain.len, 3);

    (void)state;
    assert_true(files_can_read("zstd"));
    assert_false(ZSTD_isError(len));
    append("a.zst", span_of(packed, len));
    replay("a.zst", NULL, "a.zst 3000 ok;");
    append("a.zst", span_of(packed, len));
    replay("a.zst", NULL, "a.zst 6000 ok;");
}
#endif

static void test_follow_octet_by_octet(void **state)
{
    static const char stream[] = START "\0\0\0\3one\0\0\0\3two" STOP START "\0\0\0\5three";
    struct heard heard;
    struct files *files;

    (void)state;
    heard_init(&heard);
    files = create("f", FILES_FOLLOW, &heard);
    run(files);
    for (size_t i = 0; i < sizeof(stream) - 1; i++) {
        append("f", span_of(stream + i, 1));
        run(files);
        assert_int_equal(heard.count, (i >= 48) + (i >= 55) + (i == sizeof(stream) - 2));
    }
    expect_text(&heard.frames, "one;two;three;");
    assert_int_equal(heard.notices.len, 0);
    files_destroy(&files);
    heard_free(&heard);
}

/* Every octet in the life of another process: what one saved, the next goes on with. */
static void test_restart_at_every_octet(void **state)
{
    static const char stream[] = START "\0\0\0\3one\0\0\0\3two" STOP START "\0\0\0\5three" STOP;
    struct heard heard;
    struct files *files;

    (void)state;
    heard_init(&heard);
    for (size_t i = 0; i < sizeof(stream) - 1; i++) {
        append("f", span_of(stream + i, 1));
        files = create("f", FILES_FOLLOW, &heard);
        run(files);
        assert_true(files_save(files));
        files_destroy(&files);
    }
    expect_text(&heard.frames, "one;two;three;");
    assert_int_equal(heard.notices.len, 0);
    heard_free(&heard);
}

static void test_without_save_frames_come_again(void **state)
{
    struct heard heard;
    struct files *files;

    (void)state;
    heard_init(&heard);
    append("f", BYTES(START "\0\0\0\3one"));
    files = create("f", FILES_FOLLOW, &heard);
    run(files);
    assert_true(files_save(files));
    append_frame("f", "two");
    run(files);
    files_destroy(&files); /* a crash: the second is not saved */
    files = create("f", FILES_FOLLOW, &heard);
    run(files);
    expect_text(&heard.frames, "one;two;two;");
    files_destroy(&files);
    heard_free(&heard);
}

static void test_rename_and_recreate(void **state)
{
    struct heard heard;
    struct files *files;

    (void)state;
    heard_init(&heard);
    append("f", BYTES(START "\0\0\0\3one"));
    files = create("f", FILES_FOLLOW, &heard);
    run(files);
    append_frame("f", "two"); /* not seen before the renaming */
    assert_int_equal(rename(in_directory("f"), in_directory("f.0")), 0);
    append("f", BYTES(START "\0\0\0\5three"));
    append_frame("f.0", "late"); /* the writer has it open still */
    run(files);
    expect_text(&heard.frames, "one;two;late;three;");
    append_frame("f.0", "later");
    append("f.0", BYTES(STOP));
    append_frame("f", "four");
    run(files);
    expect_text(&heard.frames, "one;two;late;three;later;four;");
    assert_int_equal(heard.notices.len, 0);
    files_destroy(&files);
    heard_free(&heard);
}

/* Copies that the pattern matches as well are the same files under other names. */
static void test_roll_within_the_pattern(void **state)
{
    struct heard heard;
    struct files *files;

    (void)state;
    heard_init(&heard);
    append("f", BYTES(START "\0\0\0\3one"));
    files = create("f*", FILES_FOLLOW, &heard);
    run(files);
    assert_int_equal(rename(in_directory("f"), in_directory("f.0")), 0);
    append("f", BYTES(START "\0\0\0\3two"));
    run(files);
    assert_int_equal(rename(in_directory("f.0"), in_directory("f.1")), 0);
    assert_int_equal(rename(in_directory("f"), in_directory("f.0")), 0);
    append("f", BYTES(START "\0\0\0\5three"));
    run(files);
    expect_text(&heard.frames, "one;two;three;");
    assert_true(files_save(files));
    files_destroy(&files);
    files = create("f*", FILES_FOLLOW, &heard);
    run(files);
    expect_text(&heard.frames, "one;two;three;");
    assert_int_equal(heard.notices.len, 0);
    files_destroy(&files);
    heard_free(&heard);
}

static void test_rename_while_away(void **state)
{
    struct heard heard;
    struct files *files;

    (void)state;
    heard_init(&heard);
    append("f", BYTES(START "\0\0\0\3one"));
    files = create("f", FILES_FOLLOW, &heard);
    run(files);
    assert_true(files_save(files));
    files_destroy(&files);
    append_frame("f", "two");
    assert_int_equal(rename(in_directory("f"), in_directory("f.0")), 0);
    append("f", BYTES(START "\0\0\0\5three"));
    files = create("f", FILES_FOLLOW, &heard);
    run(files);
    expect_text(&heard.frames, "one;two;three;");
    assert_true(files_save(files));
    files_destroy(&files);
    files = create("f", FILES_FOLLOW, &heard);
    run(files);
    expect_text(&heard.frames, "one;two;three;");
    files_destroy(&files);
    heard_free(&heard);
}

static void test_truncation(void **state)
{
    struct heard heard;
    struct files *files;

    (void)state;
    heard_init(&heard);
    append("f", BYTES(START "\0\0\0\3one\0\0\0\3two\0\0\0"));
    files = create("f", FILES_FOLLOW, &heard);
    run(files);
    write_octets("f", O_TRUNC, BYTES(START));
    run(files);
    append_frame("f", "new");
    run(files);
    expect_text(&heard.frames, "one;two;new;");
    expect_text(&heard.notices,
                "I f the file was cut short or written anew: read from its beginning;");
    files_destroy(&files);
    heard_free(&heard);
}

/* Longer than before when it is looked at next: only its beginning tells. */
static void test_written_anew_and_longer(void **state)
{
    struct heard heard;
    struct files *files;

    (void)state;
    heard_init(&heard);
    append("f", BYTES(START "\0\0\0\3one"));
    files = create("f", FILES_FOLLOW, &heard);
    run(files);
    assert_true(files_save(files));
    write_octets("f", O_TRUNC, BYTES(START "\0\0\0\3two\0\0\0\5three"));
    run(files);
    expect_text(&heard.frames, "one;two;three;");
    files_destroy(&files);
    /* and the same between two lives: the state is that of the first content */
    files = create("f", FILES_FOLLOW, &heard);
    run(files);
    expect_text(&heard.frames, "one;two;three;two;three;");
    expect_text(&heard.notices,
                "I f the file was cut short or written anew: read from its beginning;"
                "I f not the file it was: read from its beginning;");
    files_destroy(&files);
    heard_free(&heard);
}

static void test_broken_until_replaced(void **state)
{
    struct heard heard;
    struct files *files;

    (void)state;
    heard_init(&heard);
    append("f", BYTES(START "\0\0\0\3one\x7f\0\0\0"));
    files = create("f", FILES_FOLLOW, &heard);
    run(files);
    append_frame("f", "two");
    run(files);
    expect_text(&heard.frames, "one;");
    expect_text(&heard.notices,
                "E f a data frame over the size limit (2130706432 octets) at octet 49;");
    write_octets("f", O_TRUNC, BYTES(START "\0\0\0\3new"));
    run(files);
    expect_text(&heard.frames, "one;new;");
    files_destroy(&files);
    heard_free(&heard);
}

static void test_follow_leaves_compressed_files(void **state)
{
    struct heard heard;
    struct files *files;

    (void)state;
    heard_init(&heard);
    append("f.gz", BYTES("\x1f\x8b\x08\0garbage"));
    append("f", BYTES(START "\0\0\0\3one"));
    files = create("f*", FILES_FOLLOW, &heard);
    run(files);
    expect_text(&heard.frames, "one;");
    expect_text(&heard.notices, "I f.gz compressed files are not followed;");
    files_destroy(&files);
    heard_free(&heard);
}

static void test_several_files_take_turns(void **state)
{
    struct heard heard;
    struct files *files;
    size_t before;

    (void)state;
    heard_init(&heard);
    append("a", large_stream());
    append("b", BYTES(START "\0\0\0\1b"));
    files = create("[ab]", FILES_FOLLOW, &heard);
    assert_int_equal(files_step(files), FILES_AGAIN);
    before = heard.count;
    assert_int_equal(files_step(files), FILES_AGAIN); /* b, though a has more */
    assert_int_equal(heard.count, before + 1);
    run(files);
    assert_int_equal(heard.count, 3001);
    files_destroy(&files);
    heard_free(&heard);
}

/* The descriptor becomes readable by a write, a new file and a renaming; nothing else wakes it. */
static void test_descriptor_wakes(void **state)
{
    struct heard heard;
    struct files *files;
    struct pollfd wait;

    (void)state;
    heard_init(&heard);
    append("f", BYTES(START));
    files = create("f", FILES_FOLLOW, &heard);
    run(files);
    wait = (struct pollfd){files_fd(files), POLLIN, 0};
    if (wait.fd >= 0) {
        assert_int_equal(poll(&wait, 1, 0), 0);
        append_frame("f", "one");
        assert_int_equal(poll(&wait, 1, 10000), 1);
        run(files);
        assert_int_equal(poll(&wait, 1, 0), 0);
        assert_int_equal(rename(in_directory("f"), in_directory("g")), 0);
        assert_int_equal(poll(&wait, 1, 10000), 1);
        run(files);
        append("f", BYTES(START "\0\0\0\3two"));
        assert_int_equal(poll(&wait, 1, 10000), 1);
        run(files);
        expect_text(&heard.frames, "one;two;");
    }
    files_destroy(&files);
    heard_free(&heard);
}

static void test_damaged_state(void **state)
{
    static const char *const damaged[] = {
        "",
        "something else\n",
        "imdnstap-files 2\n",
        "imdnstap-files 1\n1 2 3\n",
        "imdnstap-files 1\n1 2 3 1 999 5 /x\n",
        "imdnstap-files 1\n1 2 3 7 9 5 /x\n",
        "imdnstap-files 1\n1 2 3 1 9 5 /x%0\n",
        "imdnstap-files 1\n1 2 3 1 9 5 %00\n",
        "imdnstap-files 1\n-1 2 99999999999999999999999 1 9 5 x\n1 2 3",
    };
    struct heard heard;
    struct files *files;

    (void)state;
    append("f", BYTES(START "\0\0\0\3one"));
    for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
        heard_init(&heard);
        write_octets("state", O_TRUNC, span_of(damaged[i], strlen(damaged[i])));
        files = create("f", FILES_FOLLOW, &heard);
        run(files);
        expect_text(&heard.frames, "one;");
        expect_text(&heard.notices, "W state this state file is damaged: files that it does not "
                                    "tell of are read anew;");
        files_destroy(&files);
        heard_free(&heard);
    }
}

static void test_state_of_odd_names(void **state)
{
    struct heard heard;
    struct files *files;

    (void)state;
    heard_init(&heard);
    append("a b%41\n\x7f\xff", BYTES(START "\0\0\0\3one"));
    for (int i = 0; i < 3; i++) {
        files = create("a*", FILES_FOLLOW, &heard);
        run(files);
        assert_true(files_save(files));
        files_destroy(&files);
    }
    assert_int_equal(rename(in_directory("a b%41\n\x7f\xff"), in_directory("z")), 0);
    append_frame("z", "two");
    files = create("a*", FILES_FOLLOW, &heard);
    run(files);
    expect_text(&heard.frames, "one;two;");
    assert_int_equal(heard.notices.len, 0);
    files_destroy(&files);
    heard_free(&heard);
}

static void test_state_directory(void **state)
{
    struct heard heard;
    struct files_config config = {.pattern = "/nonexistent",
                                  .mode = FILES_FOLLOW,
                                  .max_frame = 1024,
                                  .state_dir = "/nonexistent/state",
                                  .state_name = "x"};
    struct files_callbacks callbacks = {&heard, on_frame, on_finished, on_notice};
    char why[128];
    struct files *files;

    (void)state;
    heard_init(&heard);
    assert_null(files_create(&config, &callbacks, why, sizeof(why)));
    assert_string_equal(why, "state directory /nonexistent/state: No such file or directory");
    config.state_dir = NULL;
    files = files_create(&config, &callbacks, why, sizeof(why));
    assert_non_null(files);
    assert_int_equal(files_timeout_ms(files), 1000);
    assert_true(files_save(files));
    files_destroy(&files);
    /* a state that cannot be written is said, and the former one stays */
    append("f", BYTES(START "\0\0\0\3one"));
    files = create("f", FILES_FOLLOW, &heard);
    run(files);
    assert_int_equal(mkdir(in_directory("state.new"), 0700), 0);
    assert_false(files_save(files));
    assert_int_equal(rmdir(in_directory("state.new")), 0);
    assert_true(files_save(files));
    assert_int_equal(access(in_directory("state"), R_OK), 0);
    files_destroy(&files);
    files_destroy(&files);
    files_destroy(NULL);
    heard_free(&heard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_once, clean),
        cmocka_unit_test_setup(test_once_that_ends_badly, clean),
        cmocka_unit_test_setup(test_once_without_a_match, clean),
        cmocka_unit_test_setup(test_a_refused_frame_comes_again, clean),
        cmocka_unit_test_setup(test_large_file, clean),
#ifdef HAVE_ZLIB
        cmocka_unit_test_setup(test_gzip, clean),
        cmocka_unit_test_setup(test_damaged_gzip, clean),
#endif
#ifdef HAVE_LZMA
        cmocka_unit_test_setup(test_xz, clean),
#endif
#ifdef HAVE_ZSTD
        cmocka_unit_test_setup(test_zstd, clean),
#endif
        cmocka_unit_test_setup(test_follow_octet_by_octet, clean),
        cmocka_unit_test_setup(test_restart_at_every_octet, clean),
        cmocka_unit_test_setup(test_without_save_frames_come_again, clean),
        cmocka_unit_test_setup(test_rename_and_recreate, clean),
        cmocka_unit_test_setup(test_roll_within_the_pattern, clean),
        cmocka_unit_test_setup(test_rename_while_away, clean),
        cmocka_unit_test_setup(test_truncation, clean),
        cmocka_unit_test_setup(test_written_anew_and_longer, clean),
        cmocka_unit_test_setup(test_broken_until_replaced, clean),
        cmocka_unit_test_setup(test_follow_leaves_compressed_files, clean),
        cmocka_unit_test_setup(test_several_files_take_turns, clean),
        cmocka_unit_test_setup(test_descriptor_wakes, clean),
        cmocka_unit_test_setup(test_damaged_state, clean),
        cmocka_unit_test_setup(test_state_of_odd_names, clean),
        cmocka_unit_test_setup(test_state_directory, clean),
    };
    const char *tmp = getenv("TMPDIR");
    char command[600];
    int result;

    snprintf(directory, sizeof(directory), "%s/test_files.XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(directory))
        return 99;
    result = cmocka_run_group_tests_name("files", tests, NULL, NULL);
    snprintf(command, sizeof(command), "rm -rf '%s'", directory);
    return system(command) == 0 ? result : 99;
}
