/* files_state.c - where followed files were left: a small text file, replaced atomically.
 *
 * One thread per state file; two inputs must not share one.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "files_state.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATE_HEAD "imdnstap-files 1\n"
#define PATH_SIZE  4096

uint64_t state_mark(struct span first)
{
    uint64_t hash = 14695981039346656037u; /* FNV-1a */

    for (size_t i = 0; i < first.len; i++)
        hash = (hash ^ first.ptr[i]) * 1099511628211u;
    return hash;
}

void state_begin(struct text *t)
{
    text_clear(t);
    text_put_lit(t, STATE_HEAD);
}

void state_put(struct text *t, const struct state_entry *entry)
{
    const uint64_t numbers[] = {entry->device,  entry->inode,    entry->offset,
                                entry->started, entry->mark_len, entry->mark};

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        text_put_u64(t, numbers[i]);
        text_put_char(t, ' ');
    }
    for (const char *p = entry->path; *p; p++) {
        uint8_t c = (uint8_t)*p;

        if (c < 0x21 || c == '%' || c == 0x7f) {
            text_put_char(t, '%');
            text_put_HEX(t, span_of(p, 1));
        } else {
            text_put_char(t, *p);
        }
    }
    text_put_char(t, '\n');
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Undoes %HH in place. */
static bool unescape(char *path)
{
    char *to = path;

    for (const char *from = path; *from; from++) {
        int high, low;

        if (*from != '%') {
            *to++ = *from;
            continue;
        }
        high = hex_digit(from[1]);
        low = high < 0 ? -1 : hex_digit(from[2]);
        if (low < 0 || high + low == 0)
            return false;
        *to++ = (char)(high << 4 | low);
        from += 2;
    }
    *to = '\0';
    return to > path;
}

static bool parse_line(char *line, struct state_entry *ret)
{
    struct state_entry entry = {0};
    unsigned started = 0;
    int path_at = 0;

    if (sscanf(line, "%" SCNu64 " %" SCNu64 " %" SCNu64 " %u %" SCNu32 " %" SCNu64 " %n",
               &entry.device, &entry.inode, &entry.offset, &started, &entry.mark_len, &entry.mark,
               &path_at) != 6 ||
        path_at == 0 || started > 1 || entry.mark_len > STATE_MARK_MAX ||
        entry.offset > INT64_MAX || !unescape(line + path_at))
        return false;
    entry.started = started;
    entry.path = strdup(line + path_at);
    *ret = entry;
    return entry.path != NULL;
}

/* Ends: every turn takes a line. */
static enum state_result parse(char *text, struct state *ret)
{
    enum state_result result = STATE_OK;
    char *save = NULL;

    if (strncmp(text, STATE_HEAD, sizeof(STATE_HEAD) - 1) != 0)
        return STATE_DAMAGED;
    for (char *line = strtok_r(text + sizeof(STATE_HEAD) - 1, "\n", &save); line;
         line = strtok_r(NULL, "\n", &save)) {
        struct state_entry *grown, entry;

        if (!parse_line(line, &entry)) {
            result = STATE_DAMAGED;
            continue;
        }
        grown = realloc(ret->entries, (ret->count + 1) * sizeof(*grown));
        if (!grown) {
            free(entry.path);
            return STATE_FAILED;
        }
        ret->entries = grown;
        ret->entries[ret->count++] = entry;
    }
    return result;
}

static bool read_whole(int fd, char *to, size_t len)
{
    while (len > 0) {
        ssize_t n = read(fd, to, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        to += n;
        len -= (size_t)n;
    }
    return true;
}

enum state_result state_read(const char *path, struct state *ret)
{
    enum state_result result = STATE_FAILED;
    struct stat st;
    char *text;
    int fd;

    *ret = (struct state){.entries = NULL};
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT ? STATE_NONE : STATE_FAILED;
    if (fstat(fd, &st) == 0) {
        if (!S_ISREG(st.st_mode) || st.st_size > STATE_SIZE_MAX) {
            result = STATE_DAMAGED;
        } else {
            text = calloc(1, (size_t)st.st_size + 1);
            if (text && read_whole(fd, text, (size_t)st.st_size))
                result = parse(text, ret);
            free(text);
        }
    }
    close(fd);
    return result;
}

void state_free(struct state *state)
{
    for (size_t i = 0; i < state->count; i++)
        free(state->entries[i].path);
    free(state->entries);
    *state = (struct state){.entries = NULL};
}

static bool write_whole(int fd, const char *from, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, from, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        from += n;
        len -= (size_t)n;
    }
    return true;
}

bool state_write(const char *path, const struct text *t)
{
    char temporary[PATH_SIZE];
    int fd, saved;
    bool ok;

    if (t->overflow) {
        errno = ENOMEM;
        return false;
    }
    if (snprintf(temporary, sizeof(temporary), "%s.new", path) >= (int)sizeof(temporary)) {
        errno = ENAMETOOLONG;
        return false;
    }
    fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return false;
    ok = write_whole(fd, t->buf, t->len) && fdatasync(fd) == 0;
    saved = errno;
    if (close(fd) != 0 && ok) {
        saved = errno;
        ok = false;
    }
    if (ok && rename(temporary, path) == 0)
        return true;
    if (ok)
        saved = errno;
    unlink(temporary);
    errno = saved;
    return false;
}
