/* stats.c - see stats.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "rsyslog.h"

#include "errmsg.h"
#include "statsobj.h"
#include "unicode-helper.h"

#include "stats.h"

/* "imdnstap(NAME)/peers" */
#define NAME_SIZE 256

static obj_if_t obj; /* for objUse */
DEFobjCurrIf(statsobj)

rsRetVal stats_init(obj_if_t *obj_if)
{
    DEFiRet;

    obj = *obj_if;
    CHKiRet(objUse(statsobj, CORE_COMPONENT));
finalize_it:
    RETiRet;
}

void stats_exit(obj_if_t *obj_if)
{
    obj = *obj_if;
    objRelease(statsobj, CORE_COMPONENT);
}

static rsRetVal construct(statsobj_t **stats, const char *format, const char *name)
    __attribute__((format(printf, 2, 0)));
static rsRetVal construct(statsobj_t **stats, const char *format, const char *name)
{
    char text[NAME_SIZE];
    DEFiRet;

    snprintf(text, sizeof text, format, name);
    CHKiRet(statsobj.Construct(stats));
    CHKiRet(statsobj.SetName(*stats, (uchar *)text));
    CHKiRet(statsobj.SetOrigin(*stats, UCHAR_CONSTANT("imdnstap")));
finalize_it:
    RETiRet;
}

/* Counters of a peer that there is no memory for stay out of impstats. */
static void shown(void *owner, unsigned place, const char *key, struct peers_books *books)
{
    struct input *input = owner;
    ctr_t **counters = input->peer_counters + place * PEERS_COUNTERS;
    char name[PEERS_KEY_SIZE + 64];

    for (int i = 0; i < PEERS_COUNTERS; i++) {
        snprintf(name, sizeof name, "%s/%s", key, peers_counter_names[i]);
        if (statsobj.AddManagedCounter(input->peer_stats, (const uchar *)name, ctrType_IntCtr,
                                       i == PEERS_SESSIONS ? CTR_FLAG_NONE : CTR_FLAG_RESETTABLE,
                                       &books->counters[i], &counters[i], 1) != RS_RET_OK)
            counters[i] = NULL;
    }
}

static void hidden(void *owner, unsigned place)
{
    struct input *input = owner;
    ctr_t **counters = input->peer_counters + place * PEERS_COUNTERS;

    for (int i = 0; i < PEERS_COUNTERS; i++) {
        if (counters[i])
            statsobj.DestructCounter(input->peer_stats, counters[i]);
        counters[i] = NULL;
    }
}

const struct peers_callbacks stats_peers = {.shown = shown, .hidden = hidden};

static rsRetVal create_peers(struct input *input)
{
    DEFiRet;

    CHKmalloc(input->peer_counters =
                  calloc((input->source.peer_counters + 1) * PEERS_COUNTERS, sizeof(ctr_t *)));
    CHKiRet(construct(&input->peer_stats, "imdnstap(%s)/peers", input->name));
    peers_begin(input->running->peers);
    CHKiRet(statsobj.ConstructFinalize(input->peer_stats));
finalize_it:
    RETiRet;
}

rsRetVal stats_create(struct input *input)
{
    DEFiRet;

    CHKiRet(construct(&input->stats, "imdnstap(%s)", input->name));
    for (int i = 0; i < COUNT_MAX; i++)
        CHKiRet(statsobj.AddCounter(input->stats, (const uchar *)source_counter_names[i],
                                    ctrType_IntCtr, CTR_FLAG_RESETTABLE,
                                    &input->running->shown[i]));
    CHKiRet(statsobj.ConstructFinalize(input->stats));
    if (input->source.peer_counters)
        CHKiRet(create_peers(input));
finalize_it:
    RETiRet;
}

void stats_destroy(struct input *input)
{
    if (input->stats)
        statsobj.Destruct(&input->stats);
    if (input->peer_stats)
        statsobj.Destruct(&input->peer_stats);
    free(input->peer_counters);
    input->peer_counters = NULL;
}
