/* imdnstap.c - rsyslog input: Frame Streams of DNS servers become messages.
 *
 * Entry points only: inputs.c reads parameters, server.c and its sessions do the work,
 * submit.c makes messages.
 *
 * Concurrency: the server has threads of its own. runInput only waits, so that rsyslog may end it at any
 * time; afterRun wakes and joins the others. Inputs are constant while the server runs; what they count
 * is atomic.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "config.h"

#include <errno.h>
#ifdef __GLIBC__
#include <execinfo.h>
#endif
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "rsyslog.h"

#include "cfsysline.h"
#include "conf.h"
#include "dirty.h"
#include "errmsg.h"
#include "glbl.h"
#include "module-template.h"
#include "parserif.h"
#include "prop.h"
#include "queue.h"
#include "rsconf.h"
#include "ruleset.h"
#include "unicode-helper.h"

#include "daemon_check.h"
#include "inputs.h"
#include "server.h"
#include "stats.h"

MODULE_TYPE_INPUT;
MODULE_TYPE_NOKEEP;
MODULE_CNFNAME("imdnstap")

DEF_IMOD_STATIC_DATA;
DEFobjCurrIf(glbl)
DEFobjCurrIf(prop)
DEFobjCurrIf(ruleset)

/* doHUP's argument; this module has no actions. */
typedef struct input instanceData;

struct modConfData_s {
    rsconf_t *pConf;
    struct input *inputs;
    unsigned threads;
    bool refused; /* an input was, and a line has said so */
};
static modConfData_t *load_config, *run_config;

static struct server *server;

static struct cnfparamdescr module_descriptions[] = {{"threads", eCmdHdlrPositiveInt, 0}};
static struct cnfparamblk module_block = {CNFPARAMBLK_VERSION, 1, module_descriptions};

/* What the server calls. */

static void *thread_begin(void)
{
    return submit_create();
}

static void thread_end(void *thread)
{
    submit_destroy(thread);
}

static void *peer_open(void *owner, const struct peer *peer)
{
    return submit_peer_create(&((struct input *)owner)->style, peer);
}

static void peer_close(void *owner, void *peer)
{
    (void)owner;
    submit_peer_destroy(peer);
}

static bool admits(void *owner, uint64_t now_ms)
{
    struct input *input = owner;

    return limit_admits(input->limit, (time_t)(now_ms / 1000), input->name);
}

static bool take_frame(void *thread, void *owner, void *peer, struct span frame,
                       const struct dnstap_glance *glance)
{
    return submit_frame(thread, &((struct input *)owner)->style, peer, frame, glance);
}

/* Nothing more is read once rsyslog ends its inputs, which is some time before server_stop. */
static void look_at_end(void)
{
    if (glbl.GetGlobalInputTermState())
        server_halt(server);
}

static unsigned settle(void *thread)
{
    unsigned held_ms = submit_settle(thread);

    look_at_end();
    return held_ms;
}

static void flush(void *thread)
{
    submit_flush(thread);
    look_at_end();
}

static void log_line(enum source_level level, int error, const char *line)
{
    static const int severities[] = {
        [SOURCE_INFO] = LOG_INFO, [SOURCE_WARNING] = LOG_WARNING, [SOURCE_ERROR] = LOG_ERR};

    /* While inputs end LogMsg knows stderr alone, which a service often has not. */
    if (error == 0 && glbl.GetGlobalInputTermState())
        logmsgInternal(NO_ERRCODE, LOG_SYSLOG | severities[level], (const uchar *)line, 0);
    else
        LogMsg(error, NO_ERRCODE, severities[level], "%s", line);
}

static const struct source_callbacks callbacks = {
    .thread_begin = thread_begin,
    .thread_end = thread_end,
    .peer_open = peer_open,
    .peer_close = peer_close,
    .admits = admits,
    .frame = take_frame,
    .settle = settle,
    .flush = flush,
    .log = log_line,
    .peers = &stats_peers,
};

BEGINnewInpInst
    struct input *input;
    CODESTARTnewInpInst;
    input = inputs_read(lst);
    if (!input) {
        load_config->refused = true;
        ABORT_FINALIZE(RS_RET_CONF_PARAM_INVLD);
    }
    if (!inputs_make_distinct(input, load_config->inputs)) {
        inputs_destroy(input);
        ABORT_FINALIZE(RS_RET_OUT_OF_MEMORY);
    }
    input->next = load_config->inputs;
    load_config->inputs = input;
finalize_it:
    CODE_STD_FINALIZERnewInpInst;
ENDnewInpInst

BEGINbeginCnfLoad
    CODESTARTbeginCnfLoad;
    load_config = pModConf;
    pModConf->pConf = pConf;
    pModConf->inputs = NULL;
    pModConf->refused = false;
    pModConf->threads = 1;
ENDbeginCnfLoad

BEGINsetModCnf
    struct cnfparamvals *values;
    CODESTARTsetModCnf;
    values = nvlstGetParams(lst, &module_block, NULL);
    if (!values)
        ABORT_FINALIZE(RS_RET_MISSING_CNFPARAMS);
    if (values[0].bUsed) {
        if (values[0].val.d.n > SERVER_THREADS_MAX)
            parser_errmsg("imdnstap: threads=\"%lld\": must be from 1 to %d, 1 is used",
                          values[0].val.d.n, SERVER_THREADS_MAX);
        else
            load_config->threads = (unsigned)values[0].val.d.n;
    }
    cnfparamvalsDestruct(values, &module_block);
finalize_it:
ENDsetModCnf

BEGINendCnfLoad
    CODESTARTendCnfLoad;
    load_config = NULL;
ENDendCnfLoad

/* An input whose ruleset is not there would flood the default one with binary: it does not run. */
static bool find_ruleset(modConfData_t *config, struct input *input)
{
    if (!input->ruleset_name)
        return true;
    if (ruleset.GetRuleset(config->pConf, &input->style.ruleset, (uchar *)input->ruleset_name) ==
        RS_RET_OK)
        return true;
    LogError(0, RS_RET_RULESET_NOT_FOUND,
             "imdnstap: input %s: ruleset=\"%s\": there is no such ruleset; the input does not run",
             input->name, input->ruleset_name);
    return false;
}

/* So that -N1 says it: the limit itself comes when the input is opened. */
static bool find_limit(modConfData_t *config, struct input *input)
{
    ratelimit_t *limit;

    if (!input->limit_name ||
        limit_create(&limit, config->pConf, input->limit_name, input->name) == RS_RET_OK) {
        if (input->limit_name)
            limit_destroy(&limit);
        return true;
    }
    LogError(0, RS_RET_CONF_PARAM_INVLD,
             "imdnstap: input %s: ratelimit.name=\"%s\": no ratelimit() object of that name can be "
             "used; "
             "the input does not run",
             input->name, input->limit_name);
    return false;
}

BEGINcheckCnf
    struct input **at;
    CODESTARTcheckCnf;
    for (at = &pModConf->inputs; *at;) {
        struct input *input = *at;

        if (find_ruleset(pModConf, input) && find_limit(pModConf, input)) {
            at = &input->next;
            continue;
        }
        pModConf->refused = true;
        *at = input->next;
        inputs_destroy(input);
    }
    if (!pModConf->inputs && !pModConf->refused)
        LogError(0, RS_RET_NO_LSTN_DEFINED,
                 "imdnstap: no input(type=\"imdnstap\" ...) that can run: the module does nothing");
ENDcheckCnf

/* Longer messages pass the input's queue whole, but are cut by a `call` of a ruleset with a
 * queue of its own, and by forwarding. */
static void check_message_size(modConfData_t *config)
{
    size_t need = 0, limit = (size_t)glbl.GetMaxLine(config->pConf);

    for (struct input *input = config->inputs; input; input = input->next) {
        size_t size = envelope_size_max(input->style.encoding, input->source.max_frame + 4);

        input->style.message_max = limit;
        if (size > need)
            need = size;
    }
    if (need > limit)
        LogMsg(0, NO_ERRCODE, LOG_WARNING,
               "imdnstap: frames may make messages of up to %zu octets, and maxMessageSize is %zu: "
               "later rulesets with a queue of their own and forwarding may cut them; set "
               "global(maxMessageSize=\"%zuk\")",
               need, limit, need / 1024 + 1);
}

/* Where a following input keeps its positions: in workDirectory, by its name and pattern. */
static bool set_state(modConfData_t *config, struct input *input)
{
    const char *directory = (const char *)glblGetWorkDirRaw(config->pConf);

    if (!input->source.follow)
        return true;
    if (!directory || !*directory) {
        LogMsg(0, NO_ERRCODE, LOG_WARNING,
               "imdnstap: input %s: file.mode=\"follow\" without global(workDirectory): positions "
               "are not kept, every start reads from the beginning",
               input->name);
        return true;
    }
    return inputs_set_state(input, directory);
}

static rsRetVal open_input(modConfData_t *config, struct input *input)
{
    DEFiRet;

    CHKiRet(prop.CreateStringProp(&input->style.input_name, (uchar *)input->name,
                                  (int)strlen(input->name)));
    if (!set_state(config, input))
        ABORT_FINALIZE(RS_RET_OUT_OF_MEMORY);
    if (input->limit_name)
        CHKiRet(limit_create(&input->limit, config->pConf, input->limit_name, input->name));
    input->running = input->style.source = server_add(server, &input->source);
    if (input->running)
        CHKiRet(stats_create(input));
finalize_it:
    RETiRet;
}

/* glibc loads libgcc_s when the first thread calls pthread_exit, as rsyslog's do, and aborts when it cannot: peers
 * that leave no descriptors would end the daemon. backtrace loads it now. */
static void load_unwinder(void)
{
#ifdef __GLIBC__
    void *caller;

    (void)backtrace(&caller, 1);
#endif
}

BEGINactivateCnfPrePrivDrop
    CODESTARTactivateCnfPrePrivDrop;
    load_unwinder();
    run_config = pModConf;
    if (!pModConf->inputs)
        FINALIZE;
    check_message_size(pModConf);
    server = server_create(&callbacks, pModConf->threads);
    if (!server) {
        LogError(errno, RS_RET_ERR, "imdnstap: its threads cannot be set up");
        ABORT_FINALIZE(RS_RET_NO_RUN);
    }
    for (struct input *input = pModConf->inputs; input; input = input->next)
        CHKiRet(open_input(pModConf, input));
finalize_it:
ENDactivateCnfPrePrivDrop

BEGINactivateCnf
    CODESTARTactivateCnf;
ENDactivateCnf

BEGINfreeCnf
    struct input *input, *next;
    CODESTARTfreeCnf;
    for (input = pModConf->inputs; input; input = next) {
        next = input->next;
        inputs_destroy(input);
    }
ENDfreeCnf

BEGINwillRun
    CODESTARTwillRun;
    if (!server)
        ABORT_FINALIZE(RS_RET_NO_RUN);
finalize_it:
ENDwillRun

/* A write error of a queue's file costs the message, and rsyslog counts it nowhere. */
static void look_at_disk(const struct input *input, const qqueue_t *queue)
{
    struct statvfs disk;
    unsigned long long left;

    if ((!queue->bIsDA && queue->qType != QUEUETYPE_DISK) || !queue->pszSpoolDir ||
        statvfs((const char *)queue->pszSpoolDir, &disk) != 0)
        return;
    left = (unsigned long long)disk.f_bavail * disk.f_frsize;
    if (queue->sizeOnDiskMax != 0 && (unsigned long long)queue->sizeOnDiskMax <= left)
        return;
    LogMsg(0, NO_ERRCODE, LOG_WARNING,
           "imdnstap: input %s: queue.maxDiskSpace of its queue is %lld (0: no limit), and %s has "
           "%llu octets left: once it is full, rsyslog loses messages; set it lower, so that "
           "the queue is full before the disk is",
           input->name, (long long)queue->sizeOnDiskMax, queue->pszSpoolDir, left);
}

/* rsyslog lets no fully delayable message start a queue's way to disk. */
static void look_at_queue(struct input *input)
{
    qqueue_t *queue = input->style.ruleset ? ruleset.GetRulesetQueue(input->style.ruleset)
                                           : run_config->pConf->pMsgQueue;

    submit_fit_batch(&input->style, queue);
    if (queue)
        look_at_disk(input, queue);
    if (queue && queue->bIsDA && input->style.flow_control == eFLOWCTL_FULL_DELAY)
        LogMsg(0, NO_ERRCODE, LOG_WARNING,
               "imdnstap: input %s: its queue is disk-assisted, but with flowcontrol=\"full\" "
               "rsyslog stops reading before it uses the disk; to overflow to disk set "
               "flowcontrol=\"light\" here and queue.lightDelayMark=\"0\" there",
               input->name);
}

/* rsyslog ends this thread by SIGTTIN; a signal that comes before sigtimedwait costs a second. */
BEGINrunInput
    CODESTARTrunInput;
    for (struct input *input = run_config->inputs; input; input = input->next)
        look_at_queue(input);
    if (!server_start(server)) {
        LogError(errno, RS_RET_ERR, "imdnstap: its threads cannot be started");
        ABORT_FINALIZE(RS_RET_ERR);
    }
    while (glbl.GetGlobalInputTermState() == 0) {
        struct timespec second = {.tv_sec = 1};

        nanosleep(&second, NULL);
    }
finalize_it:
ENDrunInput

BEGINafterRun
    CODESTARTafterRun;
    server_stop(server);
    for (struct input *input = run_config->inputs; input; input = input->next) {
        if (input->running)
            source_log_books(input->running);
        stats_destroy(input);
        input->running = NULL;
    }
    server_destroy(&server);
    for (struct input *input = run_config->inputs; input; input = input->next) {
        limit_destroy(&input->limit);
        if (input->style.input_name)
            prop.Destruct(&input->style.input_name);
    }
ENDafterRun

BEGINdoHUP
    CODESTARTdoHUP;
    if (server)
        server_reload(server);
ENDdoHUP

BEGINmodExit
    CODESTARTmodExit;
    submit_exit(&obj);
    stats_exit(&obj);
    objRelease(glbl, CORE_COMPONENT);
    objRelease(prop, CORE_COMPONENT);
    objRelease(ruleset, CORE_COMPONENT);
ENDmodExit

BEGINisCompatibleWithFeature
    CODESTARTisCompatibleWithFeature;
    if (eFeat == sFEATURENonCancelInputTermination)
        iRet = RS_RET_OK;
ENDisCompatibleWithFeature

/* clang-format off */
BEGINqueryEtryPt
    CODESTARTqueryEtryPt
    CODEqueryEtryPt_STD_IMOD_QUERIES
    CODEqueryEtryPt_STD_CONF2_QUERIES
    CODEqueryEtryPt_STD_CONF2_setModCnf_QUERIES
    CODEqueryEtryPt_STD_CONF2_PREPRIVDROP_QUERIES
    CODEqueryEtryPt_STD_CONF2_IMOD_QUERIES
    CODEqueryEtryPt_IsCompatibleWithFeature_IF_OMOD_QUERIES
    CODEqueryEtryPt_doHUP
ENDqueryEtryPt
/* clang-format on */

/* The one symbol that the module exports. */
#pragma GCC visibility push(default)
BEGINmodInit()
    CODESTARTmodInit;
    *ipIFVersProvided = CURR_MOD_IF_VERSION;
    CODEmodInit_QueryRegCFSLineHdlr;
    CHKiRet(daemon_check("imdnstap"));
    CHKiRet(objUse(glbl, CORE_COMPONENT));
    CHKiRet(objUse(prop, CORE_COMPONENT));
    CHKiRet(objUse(ruleset, CORE_COMPONENT));
    CHKiRet(submit_init(&obj));
    CHKiRet(stats_init(&obj));
ENDmodInit
#pragma GCC visibility pop
