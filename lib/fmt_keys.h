/* fmt_keys.h - JSON objects written key by key, for the formats that omit what is absent.
 *
 * The comma comes from the octet before: none behind `{` and `[`. Keys are literals of ours.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef FMT_KEYS_H
#define FMT_KEYS_H

#include "text.h"

void fmt_sep(struct text *t);                                        /* `,` where one is due */
void fmt_key(struct text *t, struct str key);                        /* "key": */
void fmt_key_json(struct text *t, struct str key, struct str value); /* "key":"value", escaped */
void fmt_key_str(struct text *t, struct str key,
                 struct str value); /* the same, nothing when empty */
void fmt_key_u64(struct text *t, struct str key, uint64_t value);
void fmt_key_lit(struct text *t, struct str key, struct str json); /* value is JSON already */
void fmt_key_open(struct text *t, struct str key, char bracket);   /* "key":{ or "key":[ */
void fmt_key_base64(struct text *t, struct str key, struct span value);
/* Ends an object; one that stayed empty disappears with its key, back to `start`, the text's
 * length before fmt_key_open. */
void fmt_key_close(struct text *t, size_t start);

static inline struct str fmt_str(struct span bytes)
{
    return (struct str){(const char *)bytes.ptr, bytes.len};
}

#endif
