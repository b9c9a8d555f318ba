/* inputs_tls.c - see inputs_tls.h.
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

#include "inputs_tls.h"
#include "params.h"

static bool read_peers(const struct cnfparamvals *values, struct tls_settings *tls)
{
    const struct svar *value = params_find(values, "tls.permittedpeer");
    char **peers;

    if (!value)
        return true;
    peers = calloc((size_t)value->d.ar->nmemb + 1, sizeof *peers);
    tls->permitted = (const char *const *)peers;
    for (int i = 0; peers && i < value->d.ar->nmemb; i++) {
        peers[i] = es_str2cstr(value->d.ar->arr[i], NULL);
        if (!peers[i])
            return false;
        tls->permitted_count++;
        if (tls->mode != TLS_FINGERPRINT || tls_is_fingerprint(peers[i]))
            continue;
        parser_errmsg(
            "imdnstap: tls.permittedpeer=\"%s\": with tls.authmode=\"fingerprint\" it must "
            "be SHA1: or SHA256: and the octets in hexadecimal",
            peers[i]);
        return false;
    }
    return peers != NULL;
}

/* What the mode needs must be there, and nothing may be given that would have no effect. */
static bool check(const struct cnfparamvals *values, const struct tls_settings *tls)
{
    bool by_list = tls->mode == TLS_NAME || tls->mode == TLS_FINGERPRINT;
    const char *missing = NULL;

    if (!tls->certificate && (!tls->client || tls->key))
        missing = "tls.mycert";
    else if (tls->certificate && !tls->key)
        missing = "tls.myprivkey";
    else if ((tls->mode == TLS_NAME || tls->mode == TLS_CERTVALID) && !tls->ca)
        missing = "tls.cacert";
    else if (by_list && !tls->permitted_count)
        missing = "tls.permittedpeer";
    if (missing)
        parser_errmsg("imdnstap: %s is missing: tls=\"on\" with this tls.authmode needs it",
                      missing);
    else if (!by_list && params_find(values, "tls.permittedpeer"))
        parser_errmsg(
            "imdnstap: tls.permittedpeer has no meaning with this tls.authmode: it must be "
            "name or fingerprint");
    else
        return true;
    return false;
}

bool inputs_tls_read(const struct cnfparamvals *values, struct source_config *config)
{
    static const struct params_choice modes[] = {{"anon", TLS_ANON},
                                                 {"certvalid", TLS_CERTVALID},
                                                 {"name", TLS_NAME},
                                                 {"fingerprint", TLS_FINGERPRINT},
                                                 {NULL, 0}};
    static const char *const names[] = {"tls.cacert", "tls.mycert", "tls.myprivkey", "tls.authmode",
                                        "tls.permittedpeer"};
    struct tls_settings *tls = &config->tls;
    int mode = TLS_ANON;

    if (!params_binary(values, "tls", &config->use_tls))
        return false;
    for (size_t i = 0; !config->use_tls && i < sizeof names / sizeof names[0]; i++)
        if (params_find(values, names[i])) {
            parser_errmsg("imdnstap: %s has no meaning without tls=\"on\"", names[i]);
            return false;
        }
    if (!config->use_tls)
        return true;
    tls->client = config->connect != NULL;
    if (!params_path(values, "tls.cacert", (char **)&tls->ca) ||
        !params_path(values, "tls.mycert", (char **)&tls->certificate) ||
        !params_path(values, "tls.myprivkey", (char **)&tls->key) ||
        !params_choice(values, "tls.authmode", modes, &mode))
        return false;
    tls->mode = (enum tls_mode)mode;
    return read_peers(values, tls) && check(values, tls);
}

void inputs_tls_free(struct tls_settings *tls)
{
    free((char *)tls->ca);
    free((char *)tls->certificate);
    free((char *)tls->key);
    for (size_t i = 0; i < tls->permitted_count; i++)
        free((char *)tls->permitted[i]);
    free((void *)tls->permitted);
}
