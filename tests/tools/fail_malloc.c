/* fail_malloc.c - for LD_PRELOAD: malloc and realloc fail for sizes from FAIL_MALLOC_FROM to FAIL_MALLOC_TO.
 *
 * So that a stock daemon runs out of memory where a test wants it to, and only there. calloc is left alone.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

static void *(*real_malloc)(size_t size);
static void *(*real_realloc)(void *old, size_t size);
static size_t from = (size_t)-1, to;

/* What dlsym itself asks for: never given back. What other libraries' constructors, which may run before ours, ask
 * for is freed, and so must come from the real one. */
static void *early(size_t size)
{
    static _Alignas(max_align_t) char pool[65536];
    static size_t used;
    size_t at = (used + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);

    if (size > sizeof pool - at)
        return NULL;
    used = at + size;
    return pool + at;
}

static size_t number(const char *name)
{
    const char *text = getenv(name);

    return text ? strtoul(text, NULL, 10) : 0;
}

static void find_malloc(void)
{
    static bool finding;

    if (finding)
        return;
    finding = true;
    *(void **)&real_malloc = dlsym(RTLD_NEXT, "malloc");
    *(void **)&real_realloc = dlsym(RTLD_NEXT, "realloc");
    finding = false;
}

__attribute__((constructor)) static void begin(void)
{
    to = number("FAIL_MALLOC_TO");
    from = number("FAIL_MALLOC_FROM");
}

void *malloc(size_t size)
{
    if (!real_malloc)
        find_malloc();
    if (!real_malloc)
        return early(size);
    if (size < from || size > to)
        return real_malloc(size);
    errno = ENOMEM;
    return NULL;
}

void *realloc(void *old, size_t size)
{
    if (!old)
        return malloc(size);
    if (!real_realloc)
        find_malloc();
    if (size < from || size > to)
        return real_realloc(old, size);
    errno = ENOMEM;
    return NULL;
}
