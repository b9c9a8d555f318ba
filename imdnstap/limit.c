/* limit.c - see limit.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "config.h"

#include "limit.h"

bool limit_supported(void)
{
#ifdef HAVE_RATELIMIT_OBJECTS
    return true;
#else
    return false;
#endif
}

rsRetVal limit_create(ratelimit_t **ret, rsconf_t *config, const char *name, const char *input)
{
    DEFiRet;

    *ret = NULL;
#ifdef HAVE_RATELIMIT_OBJECTS
    CHKiRet(ratelimitNewFromConfig(ret, config, name, "imdnstap", input));
    ratelimitSetThreadSafe(*ret);
#else
    (void)config;
    (void)name;
    (void)input;
    ABORT_FINALIZE(RS_RET_NOT_IMPLEMENTED);
#endif
finalize_it:
    RETiRet;
}

void limit_destroy(ratelimit_t **limit)
{
    if (*limit)
        ratelimitDestruct(*limit);
    *limit = NULL;
}

bool limit_admits(ratelimit_t *limit, time_t now_s, const char *input)
{
    return ratelimitMsgCount(limit, now_s, input) == RS_RET_OK;
}
