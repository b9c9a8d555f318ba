/* bench_lib.c - what a frame costs in lib/, stage by stage.
 *
 *   bench_lib FILE...                one line per stage: name, ns per frame (median of the rounds),
 *                                    octets of output per frame
 *   bench_lib --pass STAGE FILE...   runs the stage once over all frames inside bench_pass(), for
 *                                    callgrind --toggle-collect=bench_pass; prints the frame count
 *   bench_lib --list                 the stages
 *   bench_lib --compiler             what it was compiled with: figures hold for one compiler
 *
 * Stages: glance (what the input looks at), unpack (protobuf), walk (unpack and DNS message), event (walk and
 * the other texts), tree (event and $!dnstap), cobs-in, cobs-in-out, and one per format, which is event and rendering.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <json_object.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../../mmdnstapparse/tree.h"
#include "envelope.h"
#include "fmt.h"
#include "frame.h"

#define ROUNDS   7
#define ROUND_NS 100000000 /* a round repeats its pass until this much time has gone */

struct frames {
    struct span *list;
    size_t count, cap;
};

struct bench {
    struct frames frames;
    struct dnstap_arena *arena;
    struct dns_decoder *dns;
    struct event_decoder *decoder;
    struct text head, out, scratch;
    uint64_t octets; /* of output, in the last pass */
};

typedef void stage_fn(struct bench *b, const struct fmt *format);
void bench_pass(struct bench *b, stage_fn *stage, const struct fmt *format);

static void die(const char *what)
{
    fprintf(stderr, "bench_lib: %s\n", what);
    exit(1);
}

static void stage_unpack(struct bench *b, const struct fmt *format)
{
    struct dnstap tap;

    (void)format;
    for (size_t i = 0; i < b->frames.count; i++)
        b->octets += dnstap_decode(b->arena, b->frames.list[i], &tap) == DNSTAP_OK;
}

static void stage_glance(struct bench *b, const struct fmt *format)
{
    struct dnstap_glance glance;

    (void)format;
    for (size_t i = 0; i < b->frames.count; i++)
        b->octets += dnstap_glance(b->frames.list[i], false, &glance);
}

static void stage_walk(struct bench *b, const struct fmt *format)
{
    struct dnstap tap;
    struct dns_message message;
    struct span octets;

    (void)format;
    for (size_t i = 0; i < b->frames.count; i++) {
        dnstap_decode(b->arena, b->frames.list[i], &tap);
        octets = tap.response_message.ptr ? tap.response_message : tap.query_message;
        b->octets += dns_decode(b->dns, octets, &message);
    }
}

static const struct event_context context = {.peer = {"192.0.2.1", 9}};

static void stage_event(struct bench *b, const struct fmt *format)
{
    struct event event;

    (void)format;
    for (size_t i = 0; i < b->frames.count; i++) {
        event_decode(b->decoder, b->frames.list[i], &context, &event);
        b->octets += event.malformed;
    }
}

static void stage_format(struct bench *b, const struct fmt *format)
{
    struct event event;

    for (size_t i = 0; i < b->frames.count; i++) {
        event_decode(b->decoder, b->frames.list[i], &context, &event);
        fmt_render(format, &event, &fmt_options_default, &b->out);
        b->octets += b->out.len;
    }
}

static void stage_tree(struct bench *b, const struct fmt *format)
{
    static struct recurring recurring;
    struct event event;

    (void)format;
    for (size_t i = 0; i < b->frames.count; i++) {
        event_decode(b->decoder, b->frames.list[i], &context, &event);
        fjson_object_put(tree_build(&event, 0, &b->scratch, &recurring));
    }
}

/* As imdnstap does of a single frame; the buffer is there. */
static void write_message(struct bench *b, struct span frame)
{
    struct envelope_writer writer;

    text_clear(&b->out);
    if (!envelope_begin(&writer, &b->out, ENVELOPE_COBS, text_str(&b->head)) ||
        !envelope_append(&writer, frame))
        die("out of memory");
    envelope_end(&writer);
}

static void stage_cobs_in(struct bench *b, const struct fmt *format)
{
    (void)format;
    for (size_t i = 0; i < b->frames.count; i++) {
        write_message(b, b->frames.list[i]);
        b->octets += b->out.len;
    }
}

static void stage_cobs_out(struct bench *b, const struct fmt *format)
{
    struct envelope_attributes decoded;
    struct span run;

    (void)format;
    for (size_t i = 0; i < b->frames.count; i++) {
        write_message(b, b->frames.list[i]);
        text_clear(&b->scratch);
        envelope_decode(text_str(&b->out), &b->scratch, &decoded, &run);
        b->octets += run.len;
    }
}

static const struct {
    const char *name;
    stage_fn *run;
} stages[] = {{"glance", stage_glance},       {"unpack", stage_unpack}, {"walk", stage_walk},
              {"event", stage_event},         {"tree", stage_tree},     {"cobs-in", stage_cobs_in},
              {"cobs-in-out", stage_cobs_out}};

#define STAGES (sizeof stages / sizeof stages[0])

/* The one function that callgrind collects in. */
__attribute__((noinline)) void bench_pass(struct bench *b, stage_fn *stage,
                                          const struct fmt *format)
{
    b->octets = 0;
    stage(b, format);
}

static stage_fn *find_stage(const char *name, const struct fmt **ret_format)
{
    *ret_format = fmt_find(str_of(name));
    if (*ret_format)
        return stage_format;
    for (size_t i = 0; i < STAGES; i++)
        if (strcmp(stages[i].name, name) == 0)
            return stages[i].run;
    die("no such stage: see --list");
    return NULL;
}

static struct span read_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    struct span content = {0};
    uint8_t *buf;
    long size = 0;

    if (!f || fseek(f, 0, SEEK_END) != 0 || (size = ftell(f)) < 0)
        die("cannot read a file");
    rewind(f);
    buf = malloc((size_t)size + 1);
    if (!buf || fread(buf, 1, (size_t)size, f) != (size_t)size)
        die("cannot read a file");
    fclose(f);
    content = span_of(buf, (size_t)size);
    return content; /* kept until the end of the program: the frames borrow from it */
}

static void add_frame(struct frames *frames, struct span frame)
{
    if (frames->count == frames->cap) {
        frames->cap = frames->cap ? frames->cap * 2 : 1024;
        frames->list = realloc(frames->list, frames->cap * sizeof *frames->list);
        if (!frames->list)
            die("out of memory");
    }
    frames->list[frames->count++] = frame;
}

/* Ends: every result but FS_MORE and FS_ERROR takes octets from the file. */
static void load(struct frames *frames, const char *path)
{
    struct cursor input = cursor_of(read_file(path));
    struct fs_stream *stream = fs_create(FS_FRAMING_STREAM, 1 << 20);
    struct span frame;
    enum fs_result result;

    if (!stream)
        die("out of memory");
    while ((result = fs_next(stream, &input, &frame)) != FS_MORE && result != FS_ERROR)
        if (result == FS_FRAME)
            add_frame(frames, frame);
    if (result == FS_ERROR)
        die(fs_error_text(fs_error(stream)));
    fs_destroy(&stream);
}

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void measure(struct bench *b, const char *name)
{
    const struct fmt *format;
    stage_fn *stage = find_stage(name, &format);
    double rounds[ROUNDS];

    bench_pass(b, stage, format);
    for (size_t i = 0; i < ROUNDS; i++) {
        uint64_t start = now_ns(), spent;
        uint64_t passes = 0;

        do {
            bench_pass(b, stage, format);
            passes++;
            spent = now_ns() - start;
        } while (spent < ROUND_NS);
        rounds[i] = (double)spent / (double)passes / (double)b->frames.count;
    }
    qsort(rounds, ROUNDS, sizeof rounds[0], compare);
    printf("%s %.1f %.1f\n", name, rounds[ROUNDS / 2], (double)b->octets / (double)b->frames.count);
}

static void list_stages(void)
{
    for (size_t i = 0; i < STAGES; i++)
        puts(stages[i].name);
    for (size_t i = 0; fmt_all[i]; i++)
        puts(fmt_all[i]->name);
}

static void print_compiler(void)
{
#if defined(__clang__)
    printf("clang-%d", __clang_major__);
#else
    printf("gcc-%d", __GNUC__);
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    printf("-sanitized");
#elif !defined(__OPTIMIZE__)
    printf("-plain");
#endif
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
    printf("-sanitized");
#endif
#endif
    putchar('\n');
}

static void run(struct bench *b, const char *pass)
{
    const struct fmt *format;
    stage_fn *stage;

    if (!pass) {
        for (size_t i = 0; i < STAGES; i++)
            measure(b, stages[i].name);
        for (size_t i = 0; fmt_all[i]; i++)
            measure(b, fmt_all[i]->name);
        return;
    }
    stage = find_stage(pass, &format);
    stage(b, format); /* warm: buffers have their size */
    bench_pass(b, stage, format);
    printf("%zu\n", b->frames.count);
}

int main(int argc, char **argv)
{
    struct bench b = {0};
    const char *pass = NULL;
    int i = 1;

    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        list_stages();
        return 0;
    }
    if (argc == 2 && strcmp(argv[1], "--compiler") == 0) {
        print_compiler();
        return 0;
    }
    if (argc > 2 && strcmp(argv[1], "--pass") == 0) {
        pass = argv[2];
        i = 3;
    }
    if (i >= argc)
        die("no file");
    for (; i < argc; i++)
        load(&b.frames, argv[i]);
    b.arena = dnstap_arena_create();
    b.dns = dns_decoder_create();
    b.decoder = event_decoder_create();
    text_init(&b.head, ENVELOPE_HEAD_MAX);
    envelope_head(&b.head, ENVELOPE_COBS, &(struct envelope_attributes){0});
    text_init(&b.out, FMT_TEXT_MAX);
    text_init(&b.scratch, FMT_TEXT_MAX);
    if (!b.arena || !b.dns || !b.decoder || b.frames.count == 0)
        die("no memory or no frames");
    run(&b, pass);
    dnstap_arena_destroy(&b.arena);
    dns_decoder_destroy(&b.dns);
    event_decoder_destroy(&b.decoder);
    text_destroy(&b.head);
    text_destroy(&b.out);
    text_destroy(&b.scratch);
    free(b.frames.list);
    return 0;
}
