/* printable.h - what a peer says of itself, for a line of ours.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef PRINTABLE_H
#define PRINTABLE_H

#include "span.h"

/* Printable ASCII as it is, cut to size - 1 octets and ended by a NUL. Any other octet becomes `?`, and so does the
 * quotation mark: the line goes on behind the text only where we say so. */
static inline void printable(struct span in, char *out, size_t size)
{
    size_t len = in.len < size - 1 ? in.len : size - 1;

    for (size_t i = 0; i < len; i++)
        out[i] = in.ptr[i] >= 0x20 && in.ptr[i] <= 0x7e && in.ptr[i] != '"' ? (char)in.ptr[i] : '?';
    out[len] = '\0';
}

#endif
