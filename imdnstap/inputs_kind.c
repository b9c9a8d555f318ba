/* inputs_kind.c - see inputs_kind.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "rsyslog.h"

#include "conf.h"
#include "errmsg.h"
#include "parserif.h"
#include "rainerscript.h"

#include "inputs_kind.h"
#include "params.h"

/* The ways to get frames, and what else belongs to which of them. */
enum kind { OF_PATH = 1, OF_PORT = 2, OF_CONNECT = 4, OF_FILE = 8 };

static const struct {
    const char *name;
    unsigned kinds;
} belongings[] = {
    {"unlink", OF_PATH},
    {"filecreatemode", OF_PATH},
    {"fileowner", OF_PATH},
    {"fileownernum", OF_PATH},
    {"filegroup", OF_PATH},
    {"filegroupnum", OF_PATH},
    {"failonchownfailure", OF_PATH},
    {"createpath", OF_PATH},
    {"dircreatemode", OF_PATH},
    {"dirowner", OF_PATH},
    {"dirownernum", OF_PATH},
    {"dirgroup", OF_PATH},
    {"dirgroupnum", OF_PATH},
    {"address", OF_PORT},
    {"listenportfilename", OF_PORT},
    {"permittedpeer", OF_PORT},
    {"maxsessionsperpeer", OF_PORT},
    {"keepalive", OF_PORT | OF_CONNECT},
    {"keepalive.time", OF_PORT | OF_CONNECT},
    {"keepalive.interval", OF_PORT | OF_CONNECT},
    {"keepalive.probes", OF_PORT | OF_CONNECT},
    {"maxsessions", OF_PATH | OF_PORT},
    {"peercounters", OF_PATH | OF_PORT | OF_CONNECT},
    {"handshaketimeout", OF_PATH | OF_PORT | OF_CONNECT},
    {"idletimeout", OF_PATH | OF_PORT | OF_CONNECT},
    {"bundle.latency", OF_PATH | OF_PORT | OF_CONNECT},
    {"framing", OF_PATH | OF_PORT | OF_CONNECT},
    {"tls", OF_PORT | OF_CONNECT},
    {"file.mode", OF_FILE},
};

/* Exactly one way to get frames, and no parameter of another. */
bool inputs_kind_check(const struct cnfparamvals *values)
{
    static const char *const names[] = {"path", "port", "connect", "file"};
    const char *first = NULL;
    unsigned kind = 0;

    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!params_find(values, names[i]))
            continue;
        if (first) {
            parser_errmsg("imdnstap: %s and %s exclude each other: write an input for each", first,
                          names[i]);
            return false;
        }
        first = names[i];
        kind = 1U << i;
    }
    if (!first) {
        parser_errmsg("imdnstap: the input has none of path, port, connect, file: say where frames "
                      "come from, e.g. path=\"/run/dnstap.sock\"");
        return false;
    }
    for (size_t i = 0; i < sizeof belongings / sizeof belongings[0]; i++)
        if (params_find(values, belongings[i].name) && !(belongings[i].kinds & kind)) {
            parser_errmsg("imdnstap: %s has no meaning for an input with %s: leave it out",
                          belongings[i].name, first);
            return false;
        }
    return true;
}
