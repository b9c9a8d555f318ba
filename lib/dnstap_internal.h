/* dnstap_internal.h - the three ways that dnstap_decode has, for its files and their test.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef DNSTAP_INTERNAL_H
#define DNSTAP_INTERNAL_H

#include "dnstap.h"

/* The short way, for frames as servers write them: known fields only, each once, in one-octet
 * keys, no policy, with a Message. True: *ret is what protobuf-c would have given, borrowed from
 * the frame itself. False: *ret is undefined, and the frame may still be good.
 * Cost: one pass over the keys, no allocation. */
bool dnstap_decode_plain(struct span frame, struct dnstap *ret);

/* The long way, for every frame that is whole: protobuf-c. */
enum dnstap_status dnstap_decode_full(struct dnstap_arena *arena, struct span frame,
                                      struct dnstap *ret);

/* The way that never fails: by the keys alone, as far as they go. *ret is what could be read, borrowed from the
 * frame, and the first fault; without one it is what a parser of the protobuf encoding guide gives.
 * Cost: one pass over the keys, no allocation. */
void dnstap_walk(struct span frame, struct dnstap *ret);

#endif
