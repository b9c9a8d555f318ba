/* mmdnstapparse.c - rsyslog message modification: frames of imdnstap become events.
 *
 * Entry points only: settings.c reads parameters, render.c does the work, split.c submits lines.
 *
 * Concurrency: doAction runs in any number of queue workers at once. Each has its own
 * wrkrInstanceData with decoder, buffers and splitter; the action's configuration is
 * read-only once the configuration is activated; counters are atomic.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "config.h"

#include <json.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "rsyslog.h"

#include "cfsysline.h"
#include "conf.h"
#include "errmsg.h"
#include "module-template.h"
#include "msg.h"
#include "statsobj.h"
#include "syslogd-types.h"
#include "template.h"
#include "unicode-helper.h"

#include "body.h"
#include "daemon_check.h"
#include "settings.h"
#include "split.h"

MODULE_TYPE_OUTPUT;
MODULE_TYPE_NOKEEP;
MODULE_CNFNAME("mmdnstapparse")

DEF_OMOD_STATIC_DATA;
DEFobjCurrIf(statsobj)

/* The action's configuration is all there is to an instance. */
typedef struct settings instanceData;

typedef struct wrkrInstanceData {
    instanceData *pData;
    struct renderer renderer;
    struct splitter *splitter;
} wrkrInstanceData_t;

struct modConfData_s {
    rsconf_t *pConf;
    instanceData *actions; /* of this configuration, for checkCnf; owned by rsyslog's actions */
};
static modConfData_t *load_config;

static statsobj_t *stats;
STATSCOUNTER_DEF(frames_parsed, mut_frames_parsed)
STATSCOUNTER_DEF(frames_malformed, mut_frames_malformed)
STATSCOUNTER_DEF(frames_unshown, mut_frames_unshown)
STATSCOUNTER_DEF(messages_foreign, mut_messages_foreign)
STATSCOUNTER_DEF(lines_lost, mut_lines_lost)

static atomic_flag unshown_logged = ATOMIC_FLAG_INIT;

BEGINbeginCnfLoad
    CODESTARTbeginCnfLoad;
    load_config = pModConf;
    pModConf->pConf = pConf;
    pModConf->actions = NULL;
ENDbeginCnfLoad

BEGINendCnfLoad
    CODESTARTendCnfLoad;
    load_config = NULL;
ENDendCnfLoad

BEGINcheckCnf
    CODESTARTcheckCnf;
    for (instanceData *action = pModConf->actions; action; action = action->next)
        if (!settings_check(action, pModConf->pConf))
            iRet = RS_RET_CONF_PARAM_INVLD;
ENDcheckCnf

BEGINactivateCnf
    CODESTARTactivateCnf;
ENDactivateCnf

BEGINfreeCnf
    CODESTARTfreeCnf;
ENDfreeCnf

BEGINcreateInstance
    CODESTARTcreateInstance;
ENDcreateInstance

BEGINfreeInstance
    CODESTARTfreeInstance;
    settings_destroy(pData);
ENDfreeInstance

BEGINcreateWrkrInstance
    CODESTARTcreateWrkrInstance;
    if (!render_init(&pWrkrData->renderer))
        ABORT_FINALIZE(RS_RET_OUT_OF_MEMORY);
    CHKmalloc(pWrkrData->splitter = split_create());
finalize_it:
ENDcreateWrkrInstance

BEGINfreeWrkrInstance
    CODESTARTfreeWrkrInstance;
    render_destroy(&pWrkrData->renderer);
    split_destroy(&pWrkrData->splitter);
ENDfreeWrkrInstance

BEGINisCompatibleWithFeature
    CODESTARTisCompatibleWithFeature;
ENDisCompatibleWithFeature

BEGINdbgPrintInstInfo
    CODESTARTdbgPrintInstInfo;
ENDdbgPrintInstInfo

BEGINtryResume
    CODESTARTtryResume;
ENDtryResume

static struct str address_of(smsg_t *message)
{
    msgPropDescr_t property = {.id = PROP_FROMHOST_IP};
    unsigned short must_free = 0;
    rs_size_t len = 0;
    uchar *address = MsgGetProp(message, NULL, &property, &len, &must_free, NULL);

    return str_of((const char *)address);
}

static void add_text(smsg_t *message, char *property, struct str text)
{
    struct fjson_object *value =
        fjson_object_new_string_len(text.len ? text.ptr : "", (int)text.len);

    if (value)
        msgAddJSON(message, (uchar *)property, value, 1, 0);
}

/* The result becomes %msg%. A long text is not copied: its buffer becomes the message's own. It saves 3 % of the
 * CPU of bundles. */
static void replace_msg(smsg_t *message, struct renderer *r, size_t result)
{
    struct str text = text_str(&r->texts[result]);
    char *buf = NULL;

    if (body_is_all(message))
        buf = render_take(r, result);
    if (buf)
        body_replace(message, buf, text.len);
    else
        MsgReplaceMSG(message, (const uchar *)(text.len ? text.ptr : ""), (int)text.len);
}

/* The renderer's results go into the message. %msg% comes last: it may hold the frame they borrow from. */
static void deliver(wrkrInstanceData_t *worker, smsg_t *message)
{
    const instanceData *action = worker->pData;
    struct renderer *r = &worker->renderer;

    if (action->split_ruleset) {
        uint64_t lost =
            split_submit(worker->splitter, action, message, text_str(&r->texts[action->split]));

        STATSCOUNTER_ADD(lines_lost, mut_lines_lost, lost);
    }
    if (r->tree) {
        msgAddJSON(message, (uchar *)action->container, r->tree, 1, 0);
        r->tree = NULL;
    }
    for (size_t i = 0; i < action->plan.format_count; i++)
        if (action->properties[i])
            add_text(message, action->properties[i], text_str(&r->texts[i]));
    if (action->replace != SETTINGS_NONE)
        replace_msg(message, r, action->replace);
}

static void count(const struct renderer *r)
{
    STATSCOUNTER_ADD(frames_parsed, mut_frames_parsed, r->parsed);
    if (r->malformed > 0) /* workers share the counters' cache lines */
        STATSCOUNTER_ADD(frames_malformed, mut_frames_malformed, r->malformed);
    if (r->unshown == 0)
        return;
    STATSCOUNTER_ADD(frames_unshown, mut_frames_unshown, r->unshown);
    if (!atomic_flag_test_and_set(&unshown_logged))
        LogError(
            0, RS_RET_OVERSIZE_MSG,
            "mmdnstapparse: the text of one message is over %d octets, further frames of it are "
            "not shown (counter frames.unshown): bundle fewer frames (said once)",
            RENDER_TEXT_MAX);
}

BEGINdoAction_NoStrings
    smsg_t **messages = (smsg_t **)pMsgData;
    smsg_t *message = messages[0];
    struct renderer *r = &pWrkrData->renderer;
    struct str body = {(const char *)getMSG(message), (size_t)getMSGLen(message)};
    const struct render_plan *plan = &pWrkrData->pData->plan;
    CODESTARTdoAction;
    if (render_open(r, plan, body)) {
        render_frames(r, plan, address_of(message));
        MsgSetParseSuccess(message, r->malformed == 0);
        count(r);
        deliver(pWrkrData, message);
    } else {
        MsgSetParseSuccess(message, 0);
        STATSCOUNTER_INC(messages_foreign, mut_messages_foreign);
    }
ENDdoAction

BEGINnewActInst
    CODESTARTnewActInst;
    CODE_STD_STRING_REQUESTnewActInst(1);
    CHKiRet(OMSRsetEntry(*ppOMSR, 0, NULL, OMSR_TPL_AS_MSG));
    CHKiRet(createInstance(&pData));
    if (!settings_read(lst, pData))
        ABORT_FINALIZE(RS_RET_CONF_PARAM_INVLD);
    pData->next = load_config->actions;
    load_config->actions = pData;
    CODE_STD_FINALIZERnewActInst;
ENDnewActInst

NO_LEGACY_CONF_parseSelectorAct;

BEGINmodExit
    CODESTARTmodExit;
    if (stats)
        statsobj.Destruct(&stats);
    split_exit(&obj);
    objRelease(statsobj, CORE_COMPONENT);
ENDmodExit

/* clang-format off */
BEGINqueryEtryPt
    CODESTARTqueryEtryPt
    CODEqueryEtryPt_STD_OMOD_QUERIES
    CODEqueryEtryPt_STD_OMOD8_QUERIES
    CODEqueryEtryPt_STD_CONF2_OMOD_QUERIES
    CODEqueryEtryPt_STD_CONF2_QUERIES
ENDqueryEtryPt
/* clang-format on */

static rsRetVal create_stats(void)
{
    DEFiRet;

    STATSCOUNTER_INIT(frames_parsed, mut_frames_parsed);
    STATSCOUNTER_INIT(frames_malformed, mut_frames_malformed);
    STATSCOUNTER_INIT(frames_unshown, mut_frames_unshown);
    STATSCOUNTER_INIT(messages_foreign, mut_messages_foreign);
    STATSCOUNTER_INIT(lines_lost, mut_lines_lost);
    CHKiRet(statsobj.Construct(&stats));
    CHKiRet(statsobj.SetName(stats, UCHAR_CONSTANT("mmdnstapparse")));
    CHKiRet(statsobj.SetOrigin(stats, UCHAR_CONSTANT("mmdnstapparse")));
#define COUNTER(name, variable)                                                                    \
    CHKiRet(statsobj.AddCounter(stats, UCHAR_CONSTANT(name), ctrType_IntCtr, CTR_FLAG_RESETTABLE,  \
                                &(variable)))
    COUNTER("frames.parsed", frames_parsed);
    COUNTER("frames.malformed", frames_malformed);
    COUNTER("frames.unshown", frames_unshown);
    COUNTER("messages.foreign", messages_foreign);
    COUNTER("lines.lost", lines_lost);
#undef COUNTER
    CHKiRet(statsobj.ConstructFinalize(stats));
finalize_it:
    RETiRet;
}

/* The one symbol that the module exports. */
#pragma GCC visibility push(default)
BEGINmodInit()
    CODESTARTmodInit;
    *ipIFVersProvided = CURR_MOD_IF_VERSION;
    CODEmodInit_QueryRegCFSLineHdlr;
    CHKiRet(daemon_check("mmdnstapparse"));
    CHKiRet(objUse(statsobj, CORE_COMPONENT));
    CHKiRet(split_init(&obj));
    CHKiRet(create_stats());
ENDmodInit
#pragma GCC visibility pop
