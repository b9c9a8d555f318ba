/* files_codec.c - decompression of gzip, xz and zstd files, one stream at a time.
 *
 * Pure code but for the libraries' memory; one codec belongs to one thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "files_codec.h"

#include <stdlib.h>

#ifdef HAVE_ZLIB
#include <zlib.h>
#endif
#ifdef HAVE_LZMA
#include <lzma.h>
#endif
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

#define GZIP_WINDOW    (15 + 16) /* zlib: the largest window, gzip header */
#define ZSTD_WINDOW    27        /* 128 MiB, what the zstd program takes by default */
#define ZLIB_PIECE_MAX (1u << 30)

struct codec {
    enum codec_kind kind;
    bool at_end; /* at the end of a stream */
#ifdef HAVE_ZLIB
    z_stream gzip;
#endif
#ifdef HAVE_LZMA
    lzma_stream xz;
#endif
#ifdef HAVE_ZSTD
    ZSTD_DStream *zstd;
#endif
};

enum codec_kind codec_guess(struct span first)
{
    static const struct {
        enum codec_kind kind;
        struct span magic;
    } kinds[] = {
        {CODEC_GZIP, {(const uint8_t *)"\x1f\x8b", 2}},         /* RFC 1952 2.3.1 */
        {CODEC_XZ, {(const uint8_t *)"\xfd\x37zXZ\0", 6}},      /* xz file format 2.1.1.1 */
        {CODEC_ZSTD, {(const uint8_t *)"\x28\xb5\x2f\xfd", 4}}, /* RFC 8878 3.1.1 */
    };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (first.len >= kinds[i].magic.len &&
            memcmp(first.ptr, kinds[i].magic.ptr, kinds[i].magic.len) == 0)
            return kinds[i].kind;
    }
    return CODEC_PLAIN;
}

const char *codec_name(enum codec_kind kind)
{
    static const char *const names[] = {"plain", "gzip", "xz", "zstd"};

    return names[kind];
}

bool codec_built_in(enum codec_kind kind)
{
    switch (kind) {
    case CODEC_GZIP:
#ifdef HAVE_ZLIB
        return true;
#else
        return false;
#endif
    case CODEC_XZ:
#ifdef HAVE_LZMA
        return true;
#else
        return false;
#endif
    case CODEC_ZSTD:
#ifdef HAVE_ZSTD
        return true;
#else
        return false;
#endif
    case CODEC_PLAIN:
        break;
    }
    return true;
}

static bool codec_start(struct codec *codec)
{
    switch (codec->kind) {
#ifdef HAVE_ZLIB
    case CODEC_GZIP:
        return inflateInit2(&codec->gzip, GZIP_WINDOW) == Z_OK;
#endif
#ifdef HAVE_LZMA
    case CODEC_XZ:
        codec->xz = (lzma_stream)LZMA_STREAM_INIT;
        return lzma_stream_decoder(&codec->xz, CODEC_MEMORY_MAX, 0) == LZMA_OK;
#endif
#ifdef HAVE_ZSTD
    case CODEC_ZSTD:
        codec->zstd = ZSTD_createDStream();
        return codec->zstd &&
               !ZSTD_isError(ZSTD_DCtx_setParameter(codec->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW));
#endif
    default:
        return false;
    }
}

static void codec_stop(struct codec *codec)
{
    switch (codec->kind) {
#ifdef HAVE_ZLIB
    case CODEC_GZIP:
        inflateEnd(&codec->gzip);
        break;
#endif
#ifdef HAVE_LZMA
    case CODEC_XZ:
        lzma_end(&codec->xz);
        break;
#endif
#ifdef HAVE_ZSTD
    case CODEC_ZSTD:
        ZSTD_freeDStream(codec->zstd);
        break;
#endif
    default:
        break;
    }
}

struct codec *codec_create(enum codec_kind kind)
{
    struct codec *codec = calloc(1, sizeof(*codec));

    if (!codec)
        return NULL;
    codec->kind = kind;
    if (!codec_start(codec)) {
        codec_destroy(&codec);
        return NULL;
    }
    return codec;
}

void codec_destroy(struct codec **codec)
{
    if (!codec || !*codec)
        return;
    codec_stop(*codec);
    free(*codec);
    *codec = NULL;
}

#ifdef HAVE_ZLIB
static bool run_gzip(struct codec *codec, struct cursor *in, uint8_t *out, size_t room,
                     size_t *ret_len)
{
    z_stream *z = &codec->gzip;
    size_t left = cursor_left(in);
    int result;

    if (codec->at_end && inflateReset(z) != Z_OK)
        return false;
    codec->at_end = false;
    z->next_in = (Bytef *)(uintptr_t)in->pos; /* zlib does not write there */
    z->avail_in = (uInt)(left < ZLIB_PIECE_MAX ? left : ZLIB_PIECE_MAX);
    z->next_out = out;
    z->avail_out = (uInt)(room < ZLIB_PIECE_MAX ? room : ZLIB_PIECE_MAX);
    result = inflate(z, Z_NO_FLUSH);
    in->pos = z->next_in;
    *ret_len = (size_t)(z->next_out - out);
    codec->at_end = result == Z_STREAM_END;
    return result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR;
}
#endif

#ifdef HAVE_LZMA
static bool run_xz(struct codec *codec, struct cursor *in, uint8_t *out, size_t room,
                   size_t *ret_len)
{
    lzma_stream *xz = &codec->xz;
    lzma_ret result;

    if (codec->at_end && lzma_stream_decoder(xz, CODEC_MEMORY_MAX, 0) != LZMA_OK)
        return false;
    codec->at_end = false;
    xz->next_in = in->pos;
    xz->avail_in = cursor_left(in);
    xz->next_out = out;
    xz->avail_out = room;
    result = lzma_code(xz, LZMA_RUN);
    in->pos = xz->next_in;
    *ret_len = (size_t)(xz->next_out - out);
    codec->at_end = result == LZMA_STREAM_END;
    return result == LZMA_OK || result == LZMA_STREAM_END || result == LZMA_BUF_ERROR;
}
#endif

#ifdef HAVE_ZSTD
static bool run_zstd(struct codec *codec, struct cursor *in, uint8_t *out, size_t room,
                     size_t *ret_len)
{
    ZSTD_inBuffer from = {in->pos, cursor_left(in), 0};
    ZSTD_outBuffer to = {out, room, 0};
    size_t result = ZSTD_decompressStream(codec->zstd, &to, &from);

    in->pos += from.pos;
    *ret_len = to.pos;
    if (ZSTD_isError(result))
        return false;
    codec->at_end = result == 0;
    return true;
}
#endif

bool codec_run(struct codec *codec, struct cursor *in, uint8_t *out, size_t room, size_t *ret_len)
{
    *ret_len = 0;
    /* Between streams nothing is begun before there is something. */
    if (codec->at_end && cursor_left(in) == 0)
        return true;
    switch (codec->kind) {
#ifdef HAVE_ZLIB
    case CODEC_GZIP:
        return run_gzip(codec, in, out, room, ret_len);
#endif
#ifdef HAVE_LZMA
    case CODEC_XZ:
        return run_xz(codec, in, out, room, ret_len);
#endif
#ifdef HAVE_ZSTD
    case CODEC_ZSTD:
        return run_zstd(codec, in, out, room, ret_len);
#endif
    default:
        (void)out;
        (void)room;
        return false;
    }
}

bool codec_at_end(const struct codec *codec)
{
    return codec->at_end;
}
