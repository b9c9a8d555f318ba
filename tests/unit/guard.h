/* guard.h - a copy of an input that ends at an unreadable page, so that reading past it is a crash.
 *
 *     struct guard guard = guard_copy(octets, len);
 *     ... guard.span ...
 *     guard_free(&guard);
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GUARD_H
#define GUARD_H

#include "span.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct guard {
    struct span span;
    void *map;
    size_t map_len;
};

static inline struct guard guard_copy(const void *octets, size_t len)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t room = (len + page - 1) / page * page;
    struct guard guard = {.map_len = room + page};
    uint8_t *map =
        mmap(NULL, guard.map_len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (map == MAP_FAILED || mprotect(map + room, page, PROT_NONE) != 0)
        abort();
    if (len)
        memcpy(map + room - len, octets, len);
    guard.map = map;
    guard.span = span_of(map + room - len, len);
    return guard;
}

static inline void guard_free(struct guard *guard)
{
    munmap(guard->map, guard->map_len);
    guard->map = NULL;
}

#endif
