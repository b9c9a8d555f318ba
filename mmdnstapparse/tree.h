/* tree.h - the event as a libfastjson tree: what `properties` puts into $!dnstap.
 *
 * The same data as the `json` format. One tree per event; the caller adds it
 * to the message with one call and owns it until then.
 *
 * Thread-safe: no globals; the scratch text and the recurring ones belong to the caller's thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TREE_H
#define TREE_H

#include "event.h"
#include "recurring.h"

/* The event as an object, owned by the caller (fjson_object_put). NULL when memory is out.
 *
 * recurring: the caller's, kept from event to event.
 * scratch: for text that must be made well-formed first; its content is lost.
 * max_rrs: RRs per section at most, 0: all; the rest is dropped and `truncated` set.
 * Cost is linear in the event, which lib/dns.h bounds.
 */
struct fjson_object *tree_build(const struct event *event, size_t max_rrs, struct text *scratch,
                                struct recurring *recurring);

#endif
