/* recurring.h - texts that recur from event to event (`UDP`, `NOERROR`, the server's name), as one value each.
 *
 * To make a value costs more than anything else about it, so trees refer to what others refer to already.
 * Texts only: two messages have two locks, and libfastjson keeps the text of a number or of an array in the
 * value when it is asked for; to read a text changes nothing but its reference count, which is atomic.
 *
 * One thread's, while the values may go to others with their trees. Bounded: a text that is not kept any
 * more, or too long to be kept, is a value of its own.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef RECURRING_H
#define RECURRING_H

#include "span.h"

struct fjson_object;

/* A power of two: texts kept, each at one of two places by its hash; a later one takes an earlier one's. */
#define RECURRING_MAX     256
#define RECURRING_LEN_MAX 32 /* octets of one */

/* Zeroed to begin with. */
struct recurring {
    struct recurring_place {
        struct fjson_object *value; /* a reference beside those of the trees; NULL: none */
        struct recurring_key {
            size_t len; /* 0: none */
            /* Up to 7 octets are in the first word. Else: the first 8, the last 8, and beyond 16 octets
             * the 8 behind the first and the 8 before the last. */
            uint64_t words[4];
        } key;
    } texts[RECURRING_MAX];
};

/* A reference to the text's value, for the caller to put. NULL: no memory. */
struct fjson_object *recurring_text(struct recurring *recurring, struct str s);

/* Leaves a zeroed one. Values that trees have stay. */
void recurring_destroy(struct recurring *recurring);

#endif
