/* dnstap_render.c - a Frame Streams file as text of one format, for tests.
 *
 *     dnstap_render FORMAT FILE      (FILE `-`: standard input)
 *
 * One render per frame, each with a final LF (a multi-line format that has nothing to say prints nothing).
 * Exit 0; 1 for a stream that ended in an error or within a frame; 2 for wrong use.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdio.h>
#include <stdlib.h>

#include "event.h"
#include "fmt.h"
#include "frame.h"

#define FRAME_MAX (16u * 1024 * 1024)

/* Reads all of a file; a tool for tests may hold it in memory. */
static bool slurp(FILE *file, struct text *t)
{
    char chunk[65536];
    size_t got;

    text_init(t, SIZE_MAX / 2);
    while ((got = fread(chunk, 1, sizeof(chunk), file)) > 0)
        text_put(t, chunk, got);
    return !ferror(file) && !t->overflow;
}

static void render(struct event_decoder *decoder, const struct fmt *fmt, struct span frame,
                   struct text *out)
{
    struct event_context context = {.sample = 1};
    struct event event;

    event_decode(decoder, frame, &context, &event);
    fmt_render(fmt, &event, &fmt_options_default, out);
    if (fmt->multi_line && out->len == 0)
        return;
    if (out->len)
        fwrite(out->buf, 1, out->len, stdout);
    putchar('\n');
}

static int run(const struct fmt *fmt, struct span input)
{
    struct event_decoder *decoder = event_decoder_create();
    struct fs_stream *stream = fs_create(FS_FRAMING_STREAM, FRAME_MAX);
    struct cursor rest = cursor_of(input);
    enum fs_result result = FS_ERROR;
    struct span frame;
    struct text out;

    text_init(&out, FMT_TEXT_MAX);
    /* Ends: every result but the last two takes input. */
    while (decoder && stream) {
        result = fs_next(stream, &rest, &frame);
        if (result == FS_FRAME)
            render(decoder, fmt, frame, &out);
        else if (result == FS_MORE || result == FS_ERROR)
            break;
    }
    if (result == FS_ERROR)
        fprintf(stderr, "dnstap_render: %s\n", stream ? fs_error_text(fs_error(stream)) : "memory");
    text_destroy(&out);
    fs_destroy(&stream);
    event_decoder_destroy(&decoder);
    return result == FS_MORE && cursor_left(&rest) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    const struct fmt *fmt = argc == 3 ? fmt_find(str_of(argv[1])) : NULL;
    FILE *file = fmt ? strcmp(argv[2], "-") == 0 ? stdin : fopen(argv[2], "rb") : NULL;
    struct text input;
    int status = 2;

    if (!file) {
        fprintf(stderr, "usage: dnstap_render FORMAT FILE\n");
        return status;
    }
    if (slurp(file, &input))
        status = run(fmt, span_of(input.buf, input.len));
    text_destroy(&input);
    if (file != stdin)
        fclose(file);
    return status;
}
