/* test_files.c - the file source: replay of plain and compressed files.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "files_fixture.h"

#ifdef HAVE_ZLIB
#include <zlib.h>
#endif
#ifdef HAVE_LZMA
#include <lzma.h>
#endif
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

#include "files_codec.h"

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
    replay("bad.gz", NULL,
           "bad.gz 0 the compressed data is damaged, or needs over 128 MiB of memory;");
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
    };

    return run_in_directory("files", tests, sizeof(tests) / sizeof(tests[0]));
}
