/* ready_tree.c - rsyslog message modification that adds the same tree of 35 fields to every message.
 *
 * What the bench compares `properties` with: rsyslog's own cost of a tree, without any decoding. Keys
 * are constants and new, and the tree is added once, the cheapest way that there is. For the bench only.
 *
 * Concurrency: no state at all.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "config.h"

#include <json.h>
#include <stdlib.h>
#include <string.h>

#include "rsyslog.h"

#include "cfsysline.h"
#include "conf.h"
#include "errmsg.h"
#include "module-template.h"
#include "msg.h"
#include "syslogd-types.h"
#include "template.h"
#include "unicode-helper.h"

#include "daemon_check.h"

MODULE_TYPE_OUTPUT;
MODULE_TYPE_NOKEEP;
MODULE_CNFNAME("ready_tree")

DEF_OMOD_STATIC_DATA;

typedef struct instanceData {
    int nothing;
} instanceData;

typedef struct wrkrInstanceData {
    instanceData *pData;
} wrkrInstanceData_t;

struct modConfData_s {
    rsconf_t *pConf;
};

/* clang-format off */
BEGINbeginCnfLoad CODESTARTbeginCnfLoad; pModConf->pConf = pConf; ENDbeginCnfLoad
BEGINendCnfLoad CODESTARTendCnfLoad; ENDendCnfLoad
BEGINcheckCnf CODESTARTcheckCnf; ENDcheckCnf
BEGINactivateCnf CODESTARTactivateCnf; ENDactivateCnf
BEGINfreeCnf CODESTARTfreeCnf; ENDfreeCnf
BEGINcreateInstance CODESTARTcreateInstance; ENDcreateInstance
BEGINfreeInstance CODESTARTfreeInstance; ENDfreeInstance
BEGINcreateWrkrInstance CODESTARTcreateWrkrInstance; ENDcreateWrkrInstance
BEGINfreeWrkrInstance CODESTARTfreeWrkrInstance; ENDfreeWrkrInstance
BEGINisCompatibleWithFeature CODESTARTisCompatibleWithFeature; ENDisCompatibleWithFeature
BEGINdbgPrintInstInfo CODESTARTdbgPrintInstInfo; ENDdbgPrintInstInfo
BEGINtryResume CODESTARTtryResume; ENDtryResume
/* clang-format on */

#define ADD(object, key, value)                                                                    \
    fjson_object_object_add_ex((object), "" key, (value),                                          \
                               FJSON_OBJECT_KEY_IS_CONSTANT | FJSON_OBJECT_ADD_KEY_IS_NEW)
#define TEXT(object, key, value)                                                                   \
    ADD(object, key, fjson_object_new_string_len((value), sizeof(value) - 1))
#define NUMBER(object, key, value) ADD(object, key, fjson_object_new_int64(value))

static struct fjson_object *record(void)
{
    struct fjson_object *o = fjson_object_new_object();

    TEXT(o, "name", "www.example.com");
    TEXT(o, "type", "A");
    NUMBER(o, "type_id", 1);
    TEXT(o, "class", "IN");
    NUMBER(o, "class_id", 1);
    NUMBER(o, "ttl", 3600);
    TEXT(o, "data", "192.0.2.1");
    return o;
}

/* 15 fields of its own, 13 of the DNS message, 7 of its one record. */
static struct fjson_object *tree(void)
{
    struct fjson_object *o = fjson_object_new_object(), *dns = fjson_object_new_object();
    struct fjson_object *answers = fjson_object_new_array();

    TEXT(o, "type", "CLIENT_RESPONSE");
    NUMBER(o, "type_id", 6);
    TEXT(o, "direction", "CR");
    TEXT(o, "identity", "ns1.example.com");
    TEXT(o, "version", "unbound 1.17.1");
    TEXT(o, "family", "INET");
    TEXT(o, "protocol", "UDP");
    TEXT(o, "transport", "udp");
    TEXT(o, "query_address", "192.0.2.77");
    NUMBER(o, "query_port", 53124);
    TEXT(o, "response_address", "192.0.2.53");
    NUMBER(o, "response_port", 53);
    NUMBER(o, "response_time_sec", 1764186781);
    NUMBER(o, "response_time_nsec", 123456789);
    TEXT(o, "time", "2025-11-26T19:53:01.123456789Z");
    NUMBER(dns, "id", 4660);
    TEXT(dns, "opcode", "QUERY");
    NUMBER(dns, "opcode_id", 0);
    TEXT(dns, "rcode", "NOERROR");
    NUMBER(dns, "rcode_id", 0);
    NUMBER(dns, "qdcount", 1);
    NUMBER(dns, "ancount", 1);
    NUMBER(dns, "nscount", 0);
    NUMBER(dns, "arcount", 0);
    TEXT(dns, "qname", "www.example.com");
    TEXT(dns, "qtype", "A");
    TEXT(dns, "qclass", "IN");
    NUMBER(dns, "response_len", 120);
    fjson_object_array_add(answers, record());
    ADD(dns, "answers", answers);
    ADD(o, "dns", dns);
    return o;
}

BEGINdoAction_NoStrings
    smsg_t **messages = (smsg_t **)pMsgData;
    CODESTARTdoAction;
    msgAddJSON(messages[0], (uchar *)"!dnstap", tree(), 1, 0);
ENDdoAction

BEGINnewActInst
    CODESTARTnewActInst;
    (void)lst;
    CODE_STD_STRING_REQUESTnewActInst(1);
    CHKiRet(OMSRsetEntry(*ppOMSR, 0, NULL, OMSR_TPL_AS_MSG));
    CHKiRet(createInstance(&pData));
    CODE_STD_FINALIZERnewActInst;
ENDnewActInst

NO_LEGACY_CONF_parseSelectorAct;

BEGINmodExit
    CODESTARTmodExit;
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

#pragma GCC visibility push(default)
BEGINmodInit()
    CODESTARTmodInit;
    *ipIFVersProvided = CURR_MOD_IF_VERSION;
    CODEmodInit_QueryRegCFSLineHdlr;
    CHKiRet(daemon_check("ready_tree"));
ENDmodInit
#pragma GCC visibility pop
