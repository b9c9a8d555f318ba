/* intake.c - see intake.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "config.h"

#include "intake.h"

void intake_frame(struct loop_thread *thread, struct source *source, void *peer_context,
                  struct span frame, uint64_t now_ms)
{
    const struct source_callbacks *callbacks = source->callbacks;
    struct dnstap_glance glance = {0};
    bool glanced = source_wants_glance(source->config) &&
                   dnstap_glance(frame, source->config->sample > 1, &glance);
    enum source_counter counter = source_admit(source, glanced, &glance, now_ms);

    if (counter == COUNT_SUBMITTED &&
        !callbacks->frame(thread->context, source->config->owner, peer_context, frame,
                          glanced ? &glance : NULL)) {
        counter = COUNT_DISCARDED;
        source_tell_memory(source);
    }
    thread->tally[COUNT_RECEIVED]++;
    thread->tally[counter]++;
}

void intake_tally(struct loop_thread *thread, struct source *source)
{
    for (int i = 0; i < COUNT_MAX; i++) {
        source_count(source, i, thread->tally[i]);
        thread->tally[i] = 0;
    }
}
