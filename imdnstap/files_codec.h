/* files_codec.h - decompression of gzip, xz and zstd files, one stream at a time.
 *
 * Each is there when its library was at build time. Concatenated streams are one file.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef FILES_CODEC_H
#define FILES_CODEC_H

#include "span.h"

enum codec_kind { CODEC_PLAIN, CODEC_GZIP, CODEC_XZ, CODEC_ZSTD };

/* Octets that tell what a file is. */
#define CODEC_MAGIC_MAX  6
/* No dictionary larger than this: what a file claims must not take all memory (xz -9 needs 65 MiB). */
#define CODEC_MEMORY_MAX (128 * 1024 * 1024)

enum codec_kind codec_guess(struct span first);
const char *codec_name(enum codec_kind kind);
bool codec_built_in(enum codec_kind kind);

struct codec;
/* NULL: not built in, or no memory. */
struct codec *codec_create(enum codec_kind kind);
void codec_destroy(struct codec **codec); /* sets NULL; takes NULL */

/* Takes octets from *in and writes at most `room` to out; *ret_len says how many.
 * False when the input is broken. It made no progress when nothing was taken and nothing written:
 * then it needs more input. */
bool codec_run(struct codec *codec, struct cursor *in, uint8_t *out, size_t room, size_t *ret_len);

/* Is the input complete when it ends here? */
bool codec_at_end(const struct codec *codec);

#endif
