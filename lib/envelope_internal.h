/* envelope_internal.h - what both sides of the envelope share, and nobody else includes.
 *
 * COBS is Cheshire and Baker's "Consistent Overhead Byte Stuffing" (1999), without the final zero.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ENVELOPE_INTERNAL_H
#define ENVELOPE_INTERNAL_H

#include "envelope.h"

#define MARKER     "dnstap1 "
#define MARKER_LEN (sizeof(MARKER) - 1)

/* A code octet and the most octets without zero behind it. */
#define COBS_BLOCK_MAX 254

/* Stands for itself in an attribute's value. */
static inline bool envelope_is_plain(uint8_t c)
{
    return c >= 0x21 && c <= 0x7e && c != '|' && c != '%';
}

#endif
