/* test_unix_socket.c - the listening socket in the file system: made with its mode and directories, replaced
 * and removed; what is in its way; what other users put there.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "server_fixture.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* What another user does between two calls of the server: the socket at .path becomes a link to .victim. */
static struct {
    const char *path, *victim;
} swap;
int __real_listen(int fd, int backlog);
int __wrap_listen(int fd, int backlog);

int __wrap_listen(int fd, int backlog)
{
    int result = __real_listen(fd, backlog);

    if (swap.path && (unlink(swap.path) != 0 || symlink(swap.victim, swap.path) != 0))
        return -1;
    return result;
}

static void test_socket_file(void **state)
{
    struct fixture *f = *state;
    struct source_config other = f->config;
    struct server *second = server_create(&callbacks, 1);
    struct stat made;

    run(f);
    assert_int_equal(stat(f->path, &made), 0);
    assert_int_equal(made.st_mode & 07777, 0620);
    assert_non_null(second);
    assert_null(server_add(second, &other));
    assert_non_null(strstr(seen.line, "listens on this socket"));
    server_destroy(&second);
    server_destroy(&f->server);
    assert_int_equal(stat(f->path, &made), -1);
}

static void test_stale_socket(void **state)
{
    struct fixture *f = *state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    memcpy(address.sun_path, f->path, sizeof f->path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    close(fd);
    run(f);
    close(dial_in(f));
}

/* Without a descriptor nobody knows whether it is stale: it stays. */
static void test_socket_without_descriptors(void **state)
{
    struct fixture *f = *state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    struct rlimit limit, none;

    memcpy(address.sun_path, f->path, sizeof f->path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    close(fd);
    f->server = server_create(&callbacks, 1);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_null(server_add(f->server, &f->config));
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_non_null(strstr(seen.line, "cannot be found out whether anybody listens"));
    assert_int_equal(access(f->path, F_OK), 0);
}

static void test_no_socket_in_the_way(void **state)
{
    struct fixture *f = *state;
    FILE *file = fopen(f->path, "w");

    assert_non_null(file);
    fclose(file);
    f->server = server_create(&callbacks, 1);
    assert_null(server_add(f->server, &f->config));
    assert_non_null(strstr(seen.line, "no socket"));
    assert_int_equal(access(f->path, F_OK), 0);
}

static mode_t mode_of(const char *path)
{
    struct stat there;

    return lstat(path, &there) == 0 ? there.st_mode & 07777 : 0;
}

/* A path in the fixture's directory. */
static const char *below(const struct fixture *f, const char *name)
{
    static char path[2][96];
    static unsigned turn;

    snprintf(path[++turn % 2], sizeof path[0], "%s/%s", f->directory, name);
    return path[turn % 2];
}

/* Missing directories are made with their mode whatever the umask is, the one that is there stays as it is,
 * and they stay. */
static void test_missing_directories(void **state)
{
    struct fixture *f = *state;
    mode_t before = umask(077);

    snprintf(f->path, sizeof f->path, "%s", below(f, "a/b//s"));
    f->config.make_dirs = true;
    f->config.dir_mode = 0751;
    chmod(f->directory, 0710);
    run(f);
    umask(before);
    assert_int_equal(mode_of(f->directory), 0710);
    assert_int_equal(mode_of(below(f, "a")), 0751);
    assert_int_equal(mode_of(below(f, "a/b")), 0751);
    assert_int_equal(mode_of(f->path), 0620);
    close(dial_in(f));
    server_destroy(&f->server);
    assert_int_equal(mode_of(f->path), 0);
    assert_int_equal(rmdir(below(f, "a/b")), 0);
    assert_int_equal(rmdir(below(f, "a")), 0);
}

static void refuses_path(struct fixture *f, const char *name, const char *because)
{
    snprintf(f->path, sizeof f->path, "%s", below(f, name));
    f->server = server_create(&callbacks, 1);
    assert_null(server_add(f->server, &f->config));
    if (!strstr(seen.line, because))
        fail_msg("\"%s\" does not say \"%s\"", seen.line, because);
    server_destroy(&f->server);
}

/* One line each that says what is in the way; nothing is made beyond it. */
static void test_directories_in_the_way(void **state)
{
    struct fixture *f = *state;

    refuses_path(f, "a/s", "createpath=\"on\" makes it");
    f->config.make_dirs = true;
    f->config.dir_mode = 0755;
    close(open(below(f, "file"), O_CREAT | O_WRONLY, 0600));
    refuses_path(f, "file/b/s", "file: this is no directory");
    unlink(below(f, "file"));
    assert_int_equal(symlink(below(f, "nowhere"), below(f, "link")), 0);
    refuses_path(f, "link/b/s", "link: the symbolic link leads to no directory");
    assert_int_equal(access(below(f, "nowhere"), F_OK), -1);
    unlink(below(f, "link"));
    assert_int_equal(seen.lines, 3);
}

/* Root's links are followed, as /var/run is; those of others are not. */
static void test_links_of_others(void **state)
{
    struct fixture *f = *state;
    struct stat made;

    if (geteuid() != 0)
        skip();
    f->config.make_dirs = true;
    f->config.dir_mode = 0755;
    f->config.dir_uid = 65534;
    f->config.dir_gid = 65533;
    assert_int_equal(mkdir(below(f, "real"), 0755), 0);
    assert_int_equal(symlink(below(f, "real"), below(f, "link")), 0);
    assert_int_equal(lchown(below(f, "link"), 65534, 65534), 0);
    refuses_path(f, "link/b/s", "link: a symbolic link of another user is not followed");
    assert_int_equal(access(below(f, "real/b"), F_OK), -1);
    assert_int_equal(lchown(below(f, "link"), 0, 0), 0);
    snprintf(f->path, sizeof f->path, "%s", below(f, "link/b/s"));
    run(f);
    server_destroy(&f->server);
    assert_int_equal(stat(below(f, "real/b"), &made), 0);
    assert_int_equal(made.st_uid, 65534);
    assert_int_equal(made.st_gid, 65533);
    assert_int_equal(made.st_mode & 07777, 0755);
    rmdir(below(f, "real/b"));
    rmdir(below(f, "real"));
    unlink(below(f, "link"));
}

/* Who may write to the socket's directory cannot have another file get its mode and owner. */
static void test_link_in_place_of_the_socket(void **state)
{
    struct fixture *f = *state;
    char victim[64];
    struct stat there;
    int fd;

    snprintf(victim, sizeof victim, "%s/victim", f->directory);
    fd = open(victim, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0 && close(fd) == 0);
    f->config.mode = 0666;
    f->config.gid = getgid();
    f->server = server_create(&callbacks, 1);
    swap.victim = victim;
    swap.path = f->path;
    assert_null(server_add(f->server, &f->config));
    swap.path = NULL;
    assert_non_null(strstr(seen.line, "cannot be set up"));
    assert_int_equal(stat(victim, &there), 0);
    assert_int_equal(there.st_mode & 07777, 0600);
    unlink(victim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SERVER(test_socket_file),
        WITH_SERVER(test_stale_socket),
        WITH_SERVER(test_socket_without_descriptors),
        WITH_SERVER(test_no_socket_in_the_way),
        WITH_SERVER(test_missing_directories),
        WITH_SERVER(test_directories_in_the_way),
        WITH_SERVER(test_links_of_others),
        WITH_SERVER(test_link_in_place_of_the_socket),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
