/* split.c - see split.h; and the check of split.ruleset.
 *
 * Concurrency: a splitter belongs to one worker; the flag that keeps the oversize line from being
 * logged twice is atomic.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "config.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "split.h"

#include "action.h"
#include "conf.h"
#include "dirty.h"
#include "errmsg.h"
#include "glbl.h"
#include "msg.h"
#include "module-template.h"
#include "parserif.h"
#include "queue.h"
#include "rainerscript.h"
#include "ruleset.h"

/* Messages per submit: as an input's batches. */
#define SPLIT_BATCH      64
/* Rulesets calling each other are followed this deep when looking for a loop. */
#define SPLIT_CALL_DEPTH 16

static obj_if_t obj; /* for objUse */
DEFobjCurrIf(ruleset)

static atomic_flag oversize_logged = ATOMIC_FLAG_INIT;

struct splitter {
    multi_submit_t batch;
    smsg_t *messages[SPLIT_BATCH];
};

rsRetVal split_init(obj_if_t *obj_interface)
{
    DEFiRet;

    obj = *obj_interface;
    CHKiRet(objUse(ruleset, CORE_COMPONENT));
finalize_it:
    RETiRet;
}

void split_exit(obj_if_t *obj_interface)
{
    obj = *obj_interface;
    objRelease(ruleset, CORE_COMPONENT);
}

struct splitter *split_create(void)
{
    struct splitter *splitter = calloc(1, sizeof *splitter);

    if (splitter) {
        splitter->batch.maxElem = SPLIT_BATCH;
        splitter->batch.ppMsgs = splitter->messages;
    }
    return splitter;
}

void split_destroy(struct splitter **splitter)
{
    free(*splitter);
    *splitter = NULL;
}

static void check_size(const struct settings *action, size_t len)
{
    int limit = glblGetMaxLine(runConf);

    if (len <= (size_t)limit || atomic_flag_test_and_set(&oversize_logged))
        return;
    LogError(
        0, RS_RET_OVERSIZE_MSG,
        "mmdnstapparse: a line of %zu octets for ruleset \"%s\" is over maxMessageSize (%d) and "
        "may be cut further on: raise global(maxMessageSize=) or set maxrecords (said once)",
        len, action->split_ruleset_name, limit);
}

static smsg_t *message_of(const struct settings *action, smsg_t *original, struct str line)
{
    smsg_t *message = MsgDup(original);

    if (!message)
        return NULL;
    MsgSetRawMsg(message, line.ptr, line.len);
    MsgSetMSGoffs(message, 0);
    MsgSetRuleset(message, action->split_ruleset);
    MsgSetFlowControlType(message, rulesetHasQueue(action->split_ruleset) ? eFLOWCTL_FULL_DELAY
                                                                          : eFLOWCTL_NO_DELAY);
    return message;
}

uint64_t split_submit(struct splitter *splitter, const struct settings *action, smsg_t *message,
                      struct str lines)
{
    uint64_t lost = 0;

    /* Ends: every round takes a line, and its LF, from `lines`. */
    while (lines.len > 0) {
        const char *lf = memchr(lines.ptr, '\n', lines.len);
        struct str line = {lines.ptr, lf ? (size_t)(lf - lines.ptr) : lines.len};
        size_t taken = line.len + (lf ? 1 : 0);

        lines = (struct str){lines.ptr + taken, lines.len - taken};
        if (line.len == 0)
            continue;
        check_size(action, line.len);
        smsg_t *copy = message_of(action, message, line);
        if (!copy) {
            lost++;
            continue;
        }
        splitter->messages[splitter->batch.nElem++] = copy;
        if (splitter->batch.nElem == SPLIT_BATCH)
            multiSubmitFlush(&splitter->batch);
    }
    multiSubmitFlush(&splitter->batch);
    return lost;
}

/* Is this action among the statements, or in a ruleset that they call? */
static bool holds_action(const struct cnfstmt *statement, const struct settings *action,
                         unsigned depth)
{
    if (depth == 0)
        return false;
    for (; statement; statement = statement->next) {
        bool found = false;

        switch (statement->nodetype) {
        case S_ACT:
            found = statement->d.act->pModData == (const void *)action;
            break;
        case S_IF:
            found = holds_action(statement->d.s_if.t_then, action, depth - 1) ||
                    holds_action(statement->d.s_if.t_else, action, depth - 1);
            break;
        case S_PRIFILT:
            found = holds_action(statement->d.s_prifilt.t_then, action, depth - 1) ||
                    holds_action(statement->d.s_prifilt.t_else, action, depth - 1);
            break;
        case S_PROPFILT:
            found = holds_action(statement->d.s_propfilt.t_then, action, depth - 1);
            break;
        case S_FOREACH:
            found = holds_action(statement->d.s_foreach.body, action, depth - 1);
            break;
        default: /* what a call leads to is not rendered again: its lines are no frames */
            break;
        }
        if (found)
            return true;
    }
    return false;
}

bool settings_check(struct settings *action, struct rsconf_s *config)
{
    ruleset_t *target = NULL;

    if (!action->split_ruleset_name)
        return true;
    if (ruleset.GetRuleset(config, &target, (uchar *)action->split_ruleset_name) != RS_RET_OK) {
        LogError(
            0, RS_RET_RULESET_NOT_FOUND,
            "mmdnstapparse: split.ruleset=\"%s\": no such ruleset; define it or correct the name",
            action->split_ruleset_name);
        return false;
    }
    if (holds_action(target->root, action, SPLIT_CALL_DEPTH)) {
        LogError(0, RS_RET_CONF_PARAM_INVLD,
                 "mmdnstapparse: split.ruleset=\"%s\": is the ruleset of this action itself; name "
                 "another one that takes the lines",
                 action->split_ruleset_name);
        return false;
    }
    action->split_ruleset = target;
    return true;
}
