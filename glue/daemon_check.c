/* daemon_check.c - see daemon_check.h.
 *
 * rsyslogd exports no version. Its own start line ([origin software="rsyslogd" swVersion="..."])
 * is among the constants of the program, in memory already: it is looked for there,
 * so that a binary replaced on disk, or a sandbox without /proc, makes no difference.
 *
 * Concurrency: runs while modules are loaded, in one thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "config.h"

#include <link.h>
#include <stdbool.h>
#include <string.h>

#include "daemon_check.h"

#include "errmsg.h"

#ifndef RSYSLOG_SDK_VERSION
#error "RSYSLOG_SDK_VERSION: the version of the rsyslog headers, from configure"
#endif

#define VERSION_MAX 64

/* Copies the version behind the mark at `start`. False when it does not end within VERSION_MAX. */
static bool copy_version(const char *start, const char *end, char version[VERSION_MAX])
{
    size_t left = (size_t)(end - start);
    const char *quote = memchr(start, '"', left < VERSION_MAX ? left : VERSION_MAX);

    if (!quote || quote == start)
        return false;
    memcpy(version, start, (size_t)(quote - start));
    version[quote - start] = '\0';
    return true;
}

/* Called for the program itself first; its non-zero result ends the walk there. */
static int find_version(struct dl_phdr_info *info, size_t size, void *version)
{
    static const char mark[] = "software=\"rsyslogd\" swVersion=\"";

    (void)size;
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        const char *start = (const char *)(info->dlpi_addr + segment->p_vaddr);
        const char *end = start + segment->p_memsz;
        const char *found;

        if (segment->p_type != PT_LOAD || (segment->p_flags & (PF_R | PF_W)) != PF_R)
            continue;
        found = memmem(start, segment->p_memsz, mark, sizeof mark - 1);
        if (found && copy_version(found + sizeof mark - 1, end, version))
            return 1;
    }
    return -1;
}

rsRetVal daemon_check(const char *module)
{
    char running[VERSION_MAX] = "unknown";

    dl_iterate_phdr(find_version, running);
    if (strcmp(running, RSYSLOG_SDK_VERSION) == 0)
        return RS_RET_OK;
    LogError(0, RS_RET_MODULE_LOAD_ERR_INIT_FAILED,
             "%s: not loaded: it was built for rsyslog %s, and this is rsyslogd %s; build it again "
             "with the sources of the installed version (scripts/fetch-rsyslog-sdk.sh)",
             module, RSYSLOG_SDK_VERSION, running);
    return RS_RET_MODULE_LOAD_ERR_INIT_FAILED;
}
