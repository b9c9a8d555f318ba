/* test_files_rolled.c - files that are rolled more than once between two looks, or while nobody looks: nothing
 * lost, nothing twice; what happens to files as events.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "files_fixture.h"

#include "files_rolled.h"

/* What rolling calls its copies, and what it does not. */
static void test_rolled_names(void **state)
{
    static const struct {
        const char *base, *name;
        bool is;
    } names[] = {
        {"f", "f.0", true},
        {"f", "f.12", true},
        {"f", "f-20261126", true},
        {"f", "f.20261126123456789", true},
        {"f", "f-2026-11-26T12:34:56Z", true},
        {"f.fstrm", "f.fstrm.1", true},
        {"f.fstrm", "f.1.fstrm", true},
        {"f.fstrm", "f-20261126.fstrm", true},
        {"f", "f", false},
        {"f", "f0", false},
        {"f", "f.", false},
        {"f", "f.old", false},
        {"f", "f.0.gz", false},
        {"f", "f.0x", false},
        {"f", "g.0", false},
        {"f", "ff.0", false},
        {"f.fstrm", "f.0", false},
        {"f.fstrm", "f.fstrm", false},
        {"f.fstrm", "f.fstrm.fstrm", false},
        {".f", "1.f", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (rolled_is_name(names[i].base, names[i].name) != names[i].is)
            fail_msg("%s of %s", names[i].name, names[i].base);
}

static void move(const char *from, const char *to)
{
    assert_int_equal(rename(in_directory(from), in_directory(to)), 0);
}

/* Before everything that the test makes. */
static void age(const char *name)
{
    struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1}};

    assert_int_equal(utimensat(AT_FDCWD, in_directory(name), times, 0), 0);
}

/* As rndc dnstap -roll: the copies move on, and a new file is begun with that frame. */
static void roll(int copies, const char *text)
{
    char from[16], to[16];

    for (int i = copies; i > 0; i--) {
        snprintf(from, sizeof(from), "f.%d", i - 1);
        snprintf(to, sizeof(to), "f.%d", i);
        move(from, to);
    }
    move("f", "f.0");
    append("f", BYTES(START));
    append_frame("f", text);
}

/* Rolled twice and three times between two looks: the files between were never seen as "f". */
static void test_rolls_between_two_looks(void **state)
{
    struct heard heard;
    struct files *files;

    (void)state;
    heard_init(&heard);
    append("f.0", BYTES(START "\0\0\0\5older"));
    age("f.0");
    append("f.old", BYTES(START "\0\0\0\4kept"));
    append("f", BYTES(START "\0\0\0\3one"));
    files = create("f", FILES_FOLLOW, &heard);
    run(files);
    expect_text(&heard.frames, "one;");
    append_frame("f", "end of one");
    roll(1, "two");
    roll(2, "three");
    append("f.other.1", BYTES(START "\0\0\0\7another"));
    run(files);
    expect_text(&heard.frames, "one;end of one;two;three;");
    roll(3, "four");
    roll(4, "five");
    roll(5, "six");
    run(files);
    expect_text(&heard.frames, "one;end of one;two;three;four;five;six;");
    append_frame("f.0", "late five"); /* its writer has it open still */
    append_frame("f", "seven");
    run(files);
    expect_text(&heard.frames, "one;end of one;two;three;four;five;six;late five;seven;");
    assert_int_equal(heard.notices.len, 0);
    assert_true(files_save(files));
    files_destroy(&files);
    assert_int_equal(heard.events[FILES_OPENED], 6);
    assert_int_equal(heard.events[FILES_CLOSED], 6);
    /* and all of them are remembered */
    files = create("f", FILES_FOLLOW, &heard);
    run(files);
    expect_text(&heard.frames, "one;end of one;two;three;four;five;six;late five;seven;");
    files_destroy(&files);
    heard_free(&heard);
}

/* More copies than one look takes up: the others come with the next ones. */
static void test_many_rolls(void **state)
{
    struct heard heard;
    struct files *files;
    char name[32];

    (void)state;
    heard_init(&heard);
    append("f", BYTES(START "\0\0\0\3one"));
    files = create("f", FILES_FOLLOW, &heard);
    run(files);
    for (int i = 0; i < ROLLED_MAX + 5; i++) {
        snprintf(name, sizeof(name), "f.%08d", i);
        move("f", name);
        append("f", BYTES(START));
        append_frame("f", name);
    }
    run(files);
    assert_int_equal(heard.count, ROLLED_MAX + 6);
    assert_int_equal(heard.notices.len, 0);
    files_destroy(&files);
    heard_free(&heard);
}

/* With times in their names, before the extension. */
static void test_rolls_to_times(void **state)
{
    struct heard heard;
    struct files *files;

    (void)state;
    heard_init(&heard);
    append("f.fstrm", BYTES(START "\0\0\0\3one"));
    files = create("f.fstrm", FILES_FOLLOW, &heard);
    run(files);
    move("f.fstrm", "f-20261126-1.fstrm");
    append("f.fstrm", BYTES(START "\0\0\0\3two"));
    move("f.fstrm", "f-20261126-2.fstrm");
    append("f.fstrm", BYTES(START "\0\0\0\5three"));
    run(files);
    expect_text(&heard.frames, "one;two;three;");
    files_destroy(&files);
    heard_free(&heard);
}

/* To names that only inotify tells, moved on and replaced meanwhile. */
static void test_rolls_to_any_name(void **state)
{
    struct heard heard;
    struct files *files;

    (void)state;
    heard_init(&heard);
    append("f.monday", BYTES(START "\0\0\0\5older"));
    age("f.monday");
    append("f", BYTES(START "\0\0\0\3one"));
    files = create("f", FILES_FOLLOW, &heard);
    run(files);
    if (files_fd(files) >= 0) {
        move("f", "sunday");
        append("f", BYTES(START "\0\0\0\3two"));
        move("f", "f.tmp");
        append("f", BYTES(START "\0\0\0\5three"));
        move("f.tmp", "f.tuesday");
        append("f.tmp", BYTES(START "\0\0\0\5other"));
        move("f.tmp", "another");
        move("f", "f.tmp");
        append("f", BYTES(START "\0\0\0\4four"));
        append("f.wednesday", BYTES(START "\0\0\0\7foreign"));
        run(files);
        expect_text(&heard.frames, "one;two;three;four;");
        assert_int_equal(heard.notices.len, 0);
    }
    files_destroy(&files);
    heard_free(&heard);
}

static void follow_once(struct heard *heard)
{
    struct files *files = create("f", FILES_FOLLOW, heard);

    run(files);
    assert_true(files_save(files));
    files_destroy(&files);
}

/* The same while nobody looks; then the one that was followed is deleted as the oldest copy, too. */
static void test_rolls_while_away(void **state)
{
    struct heard heard;

    (void)state;
    heard_init(&heard);
    append("f.0", BYTES(START "\0\0\0\5older"));
    age("f.0");
    append("f", BYTES(START "\0\0\0\3one"));
    follow_once(&heard);
    append_frame("f", "end of one");
    roll(1, "two");
    roll(2, "three");
    follow_once(&heard);
    expect_text(&heard.frames, "one;end of one;two;three;");
    roll(3, "four");
    roll(4, "five");
    for (int i = 1; i <= 4; i++) { /* "four" is f.0, and "three", the last that was followed, f.1 */
        char name[16];

        snprintf(name, sizeof(name), "f.%d", i);
        assert_int_equal(unlink(in_directory(name)), 0);
    }
    follow_once(&heard);
    expect_text(&heard.frames, "one;end of one;two;three;four;five;");
    follow_once(&heard);
    expect_text(&heard.frames, "one;end of one;two;three;four;five;");
    assert_int_equal(heard.notices.len, 0);
    heard_free(&heard);
}

/* A file that got the inode of one that was followed, as the state file itself may, is left alone. */
static void test_reused_inode(void **state)
{
    struct heard heard;
    struct stat st;
    char text[256];

    (void)state;
    heard_init(&heard);
    append("other", BYTES("no Frame Streams at all"));
    assert_int_equal(stat(in_directory("other"), &st), 0);
    snprintf(text, sizeof(text), "imdnstap-files 1\n%llu %llu 20 1 20 5 %s\n",
             (unsigned long long)st.st_dev, (unsigned long long)st.st_ino, in_directory("f"));
    write_octets("state", O_TRUNC, span_of(text, strlen(text)));
    append("f", BYTES(START "\0\0\0\3one"));
    follow_once(&heard);
    expect_text(&heard.frames, "one;");
    assert_int_equal(heard.notices.len, 0);
    assert_int_equal(heard.events[FILES_OPENED], 1);
    heard_free(&heard);
}

/* A copy of what was read, and its compressed copy, are no news. */
static void test_copies_are_no_rolls(void **state)
{
    static const char filler[] =
        "0123456789012345678901234567890123456789012345678901234567890123456789"
        "0123456789012345678901234567890123456789012345678901234567890123456789"
        "0123456789012345678901234567890123456789012345678901234567890123456789";
    struct heard heard;
    struct files *files;

    (void)state;
    heard_init(&heard);
    append("f", BYTES(START));
    append_frame("f", filler);
    append_frame("f", "one");
    files = create("f", FILES_FOLLOW, &heard);
    run(files);
    append("f.1", BYTES(START));
    append_frame("f.1", filler);
    append_frame("f.1", "one");
    append("f.2", BYTES("\x1f\x8b\x08\0compressed"));
    assert_int_equal(unlink(in_directory("f")), 0);
    append("f", BYTES(START "\0\0\0\3two"));
    run(files);
    assert_int_equal(heard.count, 3);
    assert_int_equal(heard.notices.len, 0);
    files_destroy(&files);
    heard_free(&heard);
}

/* Each of them is in the books as a session is. */
static void test_events(void **state)
{
    struct heard heard;
    struct files *files;

    (void)state;
    heard_init(&heard);
    append("f1", BYTES(START "\0\0\0\3one"));
    append("f2", BYTES("no Frame Streams"));
    append("f3", BYTES(START "\x7f\0\0\0"));
    assert_int_equal(mkfifo(in_directory("f4"), 0600), 0);
    for (int mode = FILES_ONCE; mode <= FILES_FOLLOW; mode++) {
        memset(heard.events, 0, sizeof(heard.events));
        files = create("f?", (enum files_mode)mode, &heard);
        run(files);
        assert_int_equal(heard.events[FILES_OPENED], 3);
        assert_int_equal(heard.events[FILES_CLOSED], mode == FILES_ONCE ? 3 : 0);
        assert_int_equal(heard.events[FILES_OPEN_FAILED], 1);
        assert_int_equal(heard.events[FILES_NO_STREAM], 1);
        assert_int_equal(heard.events[FILES_OVERSIZE], 1);
        files_destroy(&files);
        assert_int_equal(heard.events[FILES_CLOSED], 3);
    }
    heard_free(&heard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_rolled_names, clean),
        cmocka_unit_test_setup(test_rolls_between_two_looks, clean),
        cmocka_unit_test_setup(test_many_rolls, clean),
        cmocka_unit_test_setup(test_rolls_to_times, clean),
        cmocka_unit_test_setup(test_rolls_while_away, clean),
        cmocka_unit_test_setup(test_rolls_to_any_name, clean),
        cmocka_unit_test_setup(test_reused_inode, clean),
        cmocka_unit_test_setup(test_copies_are_no_rolls, clean),
        cmocka_unit_test_setup(test_events, clean),
    };

    return run_in_directory("files_rolled", tests, sizeof(tests) / sizeof(tests[0]));
}
