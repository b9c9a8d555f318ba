/* fuzz_fmt.c - one dnstap payload through the event into every format, whole and under a small limit.
 *
 * Whatever arrives: the text stays under its limit, is UTF-8 without control characters (LF only between
 * the lines of multi-line formats), and what is JSON is one well-formed object per line.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fmt.h"
#include "fuzz.h"

#define DEPTH_MAX   32
#define SMALL_LIMIT 3000

/* Octets of the well-formed UTF-8 sequence at p (RFC 3629 4); 0: none. */
static size_t sequence(const uint8_t *p, size_t left)
{
    size_t want = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

    if (want == 0 || want > left || p[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < want; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return want;
}

static void check_octets(struct str line)
{
    const uint8_t *p = (const uint8_t *)line.ptr;

    for (size_t i = 0, n; i < line.len; i += n) {
        n = sequence(p + i, line.len - i);
        MUST(n > 0);
        MUST(p[i] >= 0x20 && p[i] != 0x7f);
    }
}

/* Brackets match outside of strings, escapes within them are of RFC 8259 7. Python and jq do the rest in
 * tests/differential. */
static void check_json(struct str line)
{
    char open[DEPTH_MAX];
    size_t depth = 0;
    bool string = false;

    MUST(line.len >= 2 && line.ptr[0] == '{' && line.ptr[line.len - 1] == '}');
    for (size_t i = 0; i < line.len; i++) {
        char c = line.ptr[i];

        if (string && c == '\\') {
            i++;
            MUST(i < line.len && memchr("\"\\/bfnrtu", line.ptr[i], 9) != NULL);
        } else if (c == '"') {
            string = !string;
        } else if (!string && (c == '{' || c == '[')) {
            MUST(depth < DEPTH_MAX);
            open[depth++] = c;
        } else if (!string && (c == '}' || c == ']')) {
            MUST(depth > 0 && open[--depth] == (c == '}' ? '{' : '['));
            MUST(depth > 0 || i == line.len - 1);
        }
    }
    MUST(!string && depth == 0);
}

static bool is_json(const struct fmt *fmt)
{
    static const char *const plain[] = {"cef", "passivedns", "text"};

    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
        if (strcmp(fmt->name, plain[i]) == 0)
            return false;
    return true;
}

static void check_text(const struct fmt *fmt, const struct text *t)
{
    struct str rest = text_str(t);

    MUST(!t->overflow && t->len <= t->limit);
    while (rest.len) {
        const char *lf = fmt->multi_line ? memchr(rest.ptr, '\n', rest.len) : NULL;
        struct str line = {rest.ptr, lf ? (size_t)(lf - rest.ptr) : rest.len};

        check_octets(line);
        if (is_json(fmt))
            check_json(line);
        MUST(!lf || line.len + 1 < rest.len); /* no final LF */
        rest.ptr += lf ? line.len + 1 : line.len;
        rest.len -= lf ? line.len + 1 : line.len;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct event_decoder *decoder;
    static struct text text, small;
    struct event_context context = {.peer = {"192.0.2.1", 9}, .sample = 2};
    struct event event;

    if (!decoder) {
        decoder = event_decoder_create();
        MUST(decoder != NULL);
        text_init(&text, FMT_TEXT_MAX);
        text_init(&small, SMALL_LIMIT);
    }
    event_decode(decoder, span_of(data, size), &context, &event);
    MUST(event.malformed == (event.error.len > 0));
    for (size_t i = 0; fmt_all[i]; i++) {
        fmt_render(fmt_all[i], &event, &fmt_options_default, &text);
        check_text(fmt_all[i], &text);
        MUST(text.len > 0 || fmt_all[i]->multi_line);
        fmt_render(fmt_all[i], &event, &fmt_options_default, &small);
        check_text(fmt_all[i], &small);
    }
    return 0;
}
