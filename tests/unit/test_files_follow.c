/* test_files_follow.c - following files that grow octet by octet, are renamed, cut short or written anew; restarts
 * out of the saved state. Rolling more than once between two looks is in test_files_rolled.c.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "files_fixture.h"

#include <dlfcn.h>
#include <glob.h>

static struct heard heard;
static struct files *files; /* of the life that runs; what a test leaves goes with it */

static unsigned globs;
static int64_t glob_cost_ms; /* what each call burns beside its work */

/* In front of the C library's. */
int glob(const char *pattern, int flags, int (*on_error)(const char *, int), glob_t *ret)
{
    int (*real)(const char *, int, int (*)(const char *, int), glob_t *) = NULL;
    void *symbol = dlsym(RTLD_NEXT, "glob");
    clock_t end = clock() + (clock_t)(glob_cost_ms * CLOCKS_PER_SEC / 1000);

    memcpy(&real, &symbol, sizeof(real));
    globs++;
    while (clock() < end)
        continue;
    return real(pattern, flags, on_error, ret);
}

static void test_follow_octet_by_octet(void **state)
{
    static const char stream[] = START "\0\0\0\3one\0\0\0\3two" STOP START "\0\0\0\5three";

    (void)state;
    files = create("f", FILES_FOLLOW, &heard);
    run(files);
    for (size_t i = 0; i < sizeof(stream) - 1; i++) {
        append("f", span_of(stream + i, 1));
        run(files);
        assert_int_equal(heard.count, (i >= 48) + (i >= 55) + (i == sizeof(stream) - 2));
    }
    expect_text(&heard.frames, "one;two;three;");
    assert_int_equal(heard.notices.len, 0);
}

/* Every octet in the life of another process: what one saved, the next goes on with. */
static void test_restart_at_every_octet(void **state)
{
    static const char stream[] = START "\0\0\0\3one\0\0\0\3two" STOP START "\0\0\0\5three" STOP;

    (void)state;
    for (size_t i = 0; i < sizeof(stream) - 1; i++) {
        append("f", span_of(stream + i, 1));
        files = create("f", FILES_FOLLOW, &heard);
        run(files);
        assert_true(files_save(files));
        files_destroy(&files);
    }
    expect_text(&heard.frames, "one;two;three;");
    assert_int_equal(heard.notices.len, 0);
}

static void test_without_save_frames_come_again(void **state)
{
    (void)state;
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
}

static void test_rename_and_recreate(void **state)
{
    (void)state;
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
}

/* Copies that the pattern matches as well are the same files under other names. */
static void test_roll_within_the_pattern(void **state)
{
    (void)state;
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
}

static void test_rename_while_away(void **state)
{
    (void)state;
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
}

static void test_truncation(void **state)
{
    (void)state;
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
}

/* Longer than before when it is looked at next: only its beginning tells. */
static void test_written_anew_and_longer(void **state)
{
    (void)state;
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
}

static void test_broken_until_replaced(void **state)
{
    (void)state;
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
}

static void test_follow_leaves_compressed_files(void **state)
{
    (void)state;
    append("f.gz", BYTES("\x1f\x8b\x08\0garbage"));
    append("f", BYTES(START "\0\0\0\3one"));
    files = create("f*", FILES_FOLLOW, &heard);
    run(files);
    expect_text(&heard.frames, "one;");
    expect_text(&heard.notices, "I f.gz compressed files are not followed;");
}

static void test_several_files_take_turns(void **state)
{
    size_t before;

    (void)state;
    append("a", large_stream());
    append("b", BYTES(START "\0\0\0\1b"));
    files = create("[ab]", FILES_FOLLOW, &heard);
    assert_int_equal(files_step(files), FILES_AGAIN);
    before = heard.count;
    assert_int_equal(files_step(files), FILES_AGAIN); /* b, though a has more */
    assert_int_equal(heard.count, before + 1);
    run(files);
    assert_int_equal(heard.count, 3001);
}

/* A look that takes long, as among 10,000 files, is not taken for every frame, whatever else goes on there. */
static void test_long_looks_are_few(void **state)
{
    char name[8];

    (void)state;
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), "f%02d", i);
        append(name, BYTES(START "\0\0\0\3one"));
    }
    files = create("f*", FILES_FOLLOW, &heard);
    glob_cost_ms = 60;
    globs = 0;
    while (heard.count < 100) {
        assert_int_not_equal(files_step(files), FILES_DONE);
        append("other", BYTES("a name that comes and goes"));
        assert_int_equal(unlink(in_directory("other")), 0);
    }
    glob_cost_ms = 0;
    assert_true(globs >= 1 && globs <= 30);
}

/* The descriptor becomes readable by a write, a new file and a renaming; nothing else wakes it. */
static void test_descriptor_wakes(void **state)
{
    struct pollfd wait;

    (void)state;
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

    (void)state;
    append("f", BYTES(START "\0\0\0\3one"));
    for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
        text_clear(&heard.frames);
        text_clear(&heard.notices);
        write_octets("state", O_TRUNC, span_of(damaged[i], strlen(damaged[i])));
        files = create("f", FILES_FOLLOW, &heard);
        run(files);
        expect_text(&heard.frames, "one;");
        expect_text(&heard.notices, "W state this state file is damaged: files that it does not "
                                    "tell of are read anew;");
        files_destroy(&files);
    }
}

static void test_state_of_odd_names(void **state)
{
    (void)state;
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
}

static void test_state_directory(void **state)
{
    struct files_config config = {.pattern = "/nonexistent",
                                  .mode = FILES_FOLLOW,
                                  .max_frame = 1024,
                                  .state_dir = "/nonexistent/state",
                                  .state_name = "x"};
    struct files_callbacks callbacks = {.data = &heard, .frame = on_frame, .notice = on_notice};
    char why[128];

    (void)state;
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
}

static int begin(void **state)
{
    heard_init(&heard);
    return clean(state);
}

static int end(void **state)
{
    (void)state;
    files_destroy(&files);
    heard_free(&heard);
    return 0;
}

#define FOLLOWING(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FOLLOWING(test_follow_octet_by_octet),
        FOLLOWING(test_restart_at_every_octet),
        FOLLOWING(test_without_save_frames_come_again),
        FOLLOWING(test_rename_and_recreate),
        FOLLOWING(test_roll_within_the_pattern),
        FOLLOWING(test_rename_while_away),
        FOLLOWING(test_truncation),
        FOLLOWING(test_written_anew_and_longer),
        FOLLOWING(test_broken_until_replaced),
        FOLLOWING(test_follow_leaves_compressed_files),
        FOLLOWING(test_several_files_take_turns),
        FOLLOWING(test_long_looks_are_few),
        FOLLOWING(test_descriptor_wakes),
        FOLLOWING(test_damaged_state),
        FOLLOWING(test_state_of_odd_names),
        FOLLOWING(test_state_directory),
    };

    return run_in_directory("files_follow", tests, sizeof(tests) / sizeof(tests[0]));
}
