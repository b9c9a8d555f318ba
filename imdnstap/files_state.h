/* files_state.h - where followed files were left: a small text file, replaced atomically.
 *
 *     imdnstap-files 1
 *     DEVICE INODE OFFSET STARTED MARK-LENGTH MARK PATH
 *
 * One line per file. STARTED is 1 between START and STOP. MARK is a hash of the file's first MARK-LENGTH
 * octets, so that another file with a reused inode is not taken for it. In PATH, octets below %x21, % and
 * DEL are %HH.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef FILES_STATE_H
#define FILES_STATE_H

#include "text.h"

/* The state of more files than this makes no sense. */
#define STATE_SIZE_MAX (16 * 1024 * 1024)
/* Octets at a file's beginning that tell it from others: START and a frame with its time. */
#define STATE_MARK_MAX 256

struct state_entry {
    uint64_t device, inode, offset, mark;
    uint32_t mark_len;
    bool started;
    bool used; /* for the caller: found again */
    char *path;
};

struct state {
    struct state_entry *entries;
    size_t count;
};

enum state_result { STATE_OK, STATE_NONE, STATE_DAMAGED, STATE_FAILED };

/* STATE_NONE: there is no such file. STATE_DAMAGED: the lines that could be read are there.
 * STATE_FAILED: errno says why. In every case *ret is to be freed. */
enum state_result state_read(const char *path, struct state *ret);
void state_free(struct state *state);

/* A state under construction. */
void state_begin(struct text *t);
void state_put(struct text *t, const struct state_entry *entry);
/* Replaces path by that text. False: errno says why, and the former file is still there. */
bool state_write(const char *path, const struct text *t);

/* The mark of a file's first octets. */
uint64_t state_mark(struct span first);

#endif
