/* replay.c - replays a fuzz target's inputs without libFuzzer, as a test that speaks TAP.
 *
 * fuzz_NAME without arguments: every file in tests/fuzz/corpus/NAME and tests/fuzz/regress/NAME of
 * the source tree (from the environment: abs_top_srcdir). With arguments: those files and directories.
 * Each input ends at the end of its allocation, so that sanitizers see a read past it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fuzz.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

#define INPUT_MAX (16 * 1024 * 1024)
#define PATH_SIZE 4096

/* False when it cannot be read. */
static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat st;
    uint8_t *octets;
    size_t len;

    if (!file)
        return 0;
    if (fstat(fileno(file), &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > INPUT_MAX) {
        fclose(file);
        return 0;
    }
    len = (size_t)st.st_size;
    octets = malloc(len ? len : 1);
    if (!octets || fread(octets, 1, len, file) != len) {
        free(octets);
        fclose(file);
        return 0;
    }
    fclose(file);
    LLVMFuzzerTestOneInput(octets, len);
    free(octets);
    return 1;
}

/* The number of inputs, or -1 when one cannot be read or there is no such directory. */
static int replay_directory(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    char name[PATH_SIZE];
    int count = 0;

    if (!dir)
        return -1;
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        if (!replay_file(name)) {
            closedir(dir);
            return -1;
        }
        count++;
    }
    closedir(dir);
    return count;
}

static int replay_arguments(int argc, char **argv)
{
    int bad = 0;

    for (int i = 1; i < argc; i++) {
        int count = replay_directory(argv[i]);

        if (count < 0)
            count = replay_file(argv[i]) ? 1 : -1;
        printf("%s: %d inputs\n", argv[i], count);
        bad |= count < 0;
    }
    return bad;
}

/* "tests/fuzz/.libs/lt-fuzz_frame" is "frame". */
static const char *target_name(const char *program)
{
    const char *slash = strrchr(program, '/');
    const char *name = slash ? slash + 1 : program;

    if (strncmp(name, "lt-", 3) == 0)
        name += 3;
    return strncmp(name, "fuzz_", 5) == 0 ? name + 5 : name;
}

int main(int argc, char **argv)
{
    const char *top = getenv("abs_top_srcdir");
    const char *name = target_name(argv[0]);
    char path[PATH_SIZE];
    int count, bad;

    if (argc > 1)
        return replay_arguments(argc, argv);
    puts("1..2");
    fflush(stdout);
    snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/%s", top ? top : ".", name);
    count = replay_directory(path);
    bad = count <= 0;
    printf("%sok 1 - corpus/%s: %d inputs\n", bad ? "not " : "", name, count);
    fflush(stdout);
    snprintf(path, sizeof(path), "%s/tests/fuzz/regress/%s", top ? top : ".", name);
    count = replay_directory(path);
    printf("ok 2 - regress/%s: %d inputs\n", name, count < 0 ? 0 : count);
    return bad;
}
