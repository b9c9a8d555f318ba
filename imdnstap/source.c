/* source.c - see source.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "config.h"

#include "source.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define LOG_LINE_MAX     1024
#define LOG_WINDOW_MS    60000
#define LOG_WINDOW_LINES 60

const char *const source_counter_names[COUNT_MAX] = {
    [COUNT_RECEIVED] = "frames.received",
    [COUNT_SUBMITTED] = "submitted",
    [COUNT_FILTERED] = "frames.filtered",
    [COUNT_SAMPLED_OUT] = "frames.sampledout",
    [COUNT_RATE_LIMITED] = "frames.ratelimited",
    [COUNT_INVALID] = "frames.invalid",
    [COUNT_DISCARDED] = "discarded",
    [COUNT_BYTES] = "bytes.received",
    [COUNT_OPENED] = "sessions.opened",
    [COUNT_CLOSED] = "sessions.closed",
    [COUNT_OPEN_FAILED] = "sessions.openfailed",
    [COUNT_REFUSED] = "sessions.refused",
    [COUNT_HANDSHAKES_FAILED] = "handshakes.failed",
};

uint64_t source_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* A window of the configured length takes `burst` frames. Two threads that turn a window over
 * at once may let a few more in: the limit is for load, not for accounting. */
static bool within_rate(struct source *source, uint64_t now_ms)
{
    const struct source_config *config = source->config;
    uint64_t begin = atomic_load_explicit(&source->rate_window_ms, memory_order_relaxed);

    if (begin == 0 || now_ms - begin >= config->rate_interval_ms) {
        if (atomic_compare_exchange_strong(&source->rate_window_ms, &begin, now_ms))
            atomic_store_explicit(&source->rate_used, 0, memory_order_relaxed);
    }
    if (atomic_load_explicit(&source->rate_used, memory_order_relaxed) >= config->rate_burst)
        return false;
    return atomic_fetch_add_explicit(&source->rate_used, 1, memory_order_relaxed) <
           config->rate_burst;
}

/* Spreads the bits (the finalizer of MurmurHash3), so that any N divides evenly. */
static uint64_t mix(uint64_t x)
{
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdULL;
    x ^= x >> 33;
    x *= 0xc4ceb9fe1a85ec53ULL;
    return x ^ x >> 33;
}

enum source_counter source_admit(struct source *source, bool glanced,
                                 const struct dnstap_glance *glance, uint64_t now_ms)
{
    const struct source_config *config = source->config;

    if (glanced) {
        if (config->filter &&
            (glance->type >= SOURCE_TYPES_MAX || !(config->types >> glance->type & 1)))
            return COUNT_FILTERED;
        if (config->sample > 1 && mix(glance->transaction) % config->sample != 0)
            return COUNT_SAMPLED_OUT;
    }
    if (config->rate_interval_ms && !within_rate(source, now_ms))
        return COUNT_RATE_LIMITED;
    if (config->rate_named && !source->callbacks->admits(config->owner, now_ms))
        return COUNT_RATE_LIMITED;
    return COUNT_SUBMITTED;
}

static void map_v4(const void *four, struct in6_addr *ret)
{
    memset(ret, 0, sizeof *ret);
    ret->s6_addr[10] = ret->s6_addr[11] = 0xff;
    memcpy(&ret->s6_addr[12], four, 4);
}

bool source_parse_prefix(const char *text, struct source_prefix *ret)
{
    char address[INET6_ADDRSTRLEN];
    const char *slash = strchr(text, '/');
    size_t len = slash ? (size_t)(slash - text) : strlen(text);
    struct source_prefix prefix = {.bits = 128};
    struct in_addr four;
    unsigned long bits, widest = 128;
    char *end;

    if (len >= sizeof address)
        return false;
    memcpy(address, text, len);
    address[len] = '\0';
    if (inet_pton(AF_INET, address, &four) == 1) {
        map_v4(&four, &prefix.address);
        widest = 32;
    } else if (inet_pton(AF_INET6, address, &prefix.address) != 1) {
        return false;
    }
    if (slash) {
        bits = strtoul(slash + 1, &end, 10);
        if (slash[1] < '0' || slash[1] > '9' || *end || bits > widest)
            return false;
        prefix.bits = (unsigned)(bits + 128 - widest);
    }
    *ret = prefix;
    return true;
}

static bool within(const struct in6_addr *address, const struct source_prefix *prefix)
{
    unsigned whole = prefix->bits / 8, rest = prefix->bits % 8;

    if (memcmp(address->s6_addr, prefix->address.s6_addr, whole) != 0)
        return false;
    return rest == 0 ||
           (address->s6_addr[whole] ^ prefix->address.s6_addr[whole]) >> (8 - rest) == 0;
}

bool source_permits(const struct source_config *config, const struct sockaddr *address)
{
    struct in6_addr six;

    if (config->permitted_count == 0)
        return true;
    if (address->sa_family == AF_INET)
        map_v4(&((const struct sockaddr_in *)address)->sin_addr, &six);
    else if (address->sa_family == AF_INET6)
        six = ((const struct sockaddr_in6 *)address)->sin6_addr;
    else
        return true;
    for (size_t i = 0; i < config->permitted_count; i++)
        if (within(&six, &config->permitted[i]))
            return true;
    return false;
}

static void say(struct source *source, enum source_level level, int error, const char *format,
                va_list arguments)
{
    char line[LOG_LINE_MAX];
    int len = snprintf(line, sizeof line, "imdnstap: input %s: ", source->config->name);

    if (len >= 0 && (size_t)len < sizeof line)
        vsnprintf(line + len, sizeof line - (size_t)len, format, arguments);
    source->callbacks->log(level, error, line);
}

void source_log(struct source *source, enum source_level level, int error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    say(source, level, error, format, arguments);
    va_end(arguments);
}

/* Begins a new window when the last one is over. Returns how many lines that kept back. */
static unsigned turn_window(struct source_log_limit *limit, uint64_t now_ms)
{
    unsigned missed = limit->suppressed;

    if (limit->window_ms != 0 && now_ms - limit->window_ms < LOG_WINDOW_MS)
        return 0;
    limit->window_ms = now_ms;
    limit->said = limit->suppressed = 0;
    return missed;
}

static void tell_missed(struct source *source, unsigned missed)
{
    if (missed)
        source_log(source, SOURCE_WARNING, 0,
                   "%u more lines about its peers were not written (at most %d a minute are); "
                   "the impstats counters have all",
                   missed, LOG_WINDOW_LINES);
}

/* May this line be said? */
static bool pass_limit(struct source *source, struct source_log_limit *limit)
{
    unsigned missed;
    bool pass;

    pthread_mutex_lock(&limit->mutex);
    missed = turn_window(limit, source_now_ms());
    pass = limit->said < LOG_WINDOW_LINES;
    if (pass)
        limit->said++;
    else
        limit->suppressed++;
    pthread_mutex_unlock(&limit->mutex);
    tell_missed(source, missed);
    return pass;
}

void source_check_lines(struct source *source, bool end)
{
    for (int i = 0; i <= SOURCE_ERROR; i++) {
        struct source_log_limit *limit = &source->log_limits[i];
        unsigned missed = 0;

        pthread_mutex_lock(&limit->mutex);
        if (end) {
            missed = limit->suppressed;
            limit->suppressed = 0;
        } else if (limit->suppressed) {
            missed = turn_window(limit, source_now_ms());
        }
        pthread_mutex_unlock(&limit->mutex);
        tell_missed(source, missed);
    }
}

void source_log_peer(struct source *source, enum source_level level, int error, const char *format,
                     ...)
{
    va_list arguments;

    if (!pass_limit(source, &source->log_limits[level]))
        return;
    va_start(arguments, format);
    say(source, level, error, format, arguments);
    va_end(arguments);
}

void source_log_books(struct source *source)
{
    unsigned long long n[COUNT_MAX];

    source_check_lines(source, true);
    for (int i = 0; i < COUNT_MAX; i++)
        n[i] = atomic_load(&source->counters[i]);
    source_log(source, SOURCE_INFO, 0,
               "ended, frames: %llu received = %llu submitted + %llu filtered + %llu sampled out + "
               "%llu rate-limited + %llu invalid + %llu discarded; %llu sessions",
               n[COUNT_RECEIVED], n[COUNT_SUBMITTED], n[COUNT_FILTERED], n[COUNT_SAMPLED_OUT],
               n[COUNT_RATE_LIMITED], n[COUNT_INVALID], n[COUNT_DISCARDED], n[COUNT_OPENED]);
}

void source_tell_memory(struct source *source)
{
    if (!atomic_exchange(&source->told_memory, true))
        source_log(source, SOURCE_ERROR, ENOMEM,
                   "frames are lost: no memory for messages. This is said once; the counter "
                   "\"discarded\" has them all");
}

void source_tell_room(struct source *source)
{
    if (!atomic_exchange(&source->told_room, true))
        source_log(
            source, SOURCE_ERROR, 0,
            "frames are lost: the inputs end, and the queue has no room for what was read. The "
            "counter \"discarded\" has them all; a disk-assisted queue would have taken them");
}

/* They may not be counted yet, or impstats may have set their counter to 0 since. Ends: each turn but the last meets
 * another thread's. */
void source_take_back(struct source *source, uint64_t frames)
{
    _Atomic uint64_t *shown = &source->shown[COUNT_SUBMITTED];
    uint64_t owed = frames + atomic_exchange(&source->owed, 0), now = atomic_load(shown), taken;

    do
        taken = now < owed ? now : owed;
    while (!atomic_compare_exchange_weak(shown, &now, now - taken));
    if (owed > taken)
        atomic_fetch_add(&source->owed, owed - taken);
}

void source_lose(struct source *source, uint64_t frames)
{
    source_count(source, COUNT_DISCARDED, frames);
    atomic_fetch_sub_explicit(&source->counters[COUNT_SUBMITTED], frames, memory_order_relaxed);
    source_take_back(source, frames);
}

struct source *source_create(const struct source_callbacks *callbacks,
                             const struct source_config *config)
{
    struct source *source = calloc(1, sizeof *source);

    if (!source)
        return NULL;
    if (config->peer_counters || config->max_sessions_per_peer) {
        source->peers = peers_create(config->peer_counters, callbacks->peers, config->owner);
        if (!source->peers) {
            free(source);
            return NULL;
        }
    }
    source->config = config;
    source->callbacks = callbacks;
    for (int i = 0; i <= SOURCE_ERROR; i++)
        pthread_mutex_init(&source->log_limits[i].mutex, NULL);
    return source;
}

void source_destroy(struct source *source)
{
    for (int i = 0; i <= SOURCE_ERROR; i++)
        pthread_mutex_destroy(&source->log_limits[i].mutex);
    peers_destroy(source->peers);
    tls_destroy(&source->tls);
    free(source);
}
