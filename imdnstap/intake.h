/* intake.h - a frame's way in, from sessions and from files: filtered, handed on, counted.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef INTAKE_H
#define INTAKE_H

#include "loop.h"

/* Filters a frame and hands it on. */
void intake_frame(struct loop_thread *thread, struct source *source, void *peer_context,
                  struct span frame, uint64_t now_ms);
/* What intake_frame counted goes to the source: at the latest before another source's turn. */
void intake_tally(struct loop_thread *thread, struct source *source);

#endif
