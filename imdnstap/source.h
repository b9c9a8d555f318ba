/* source.h - one input(): where frames come from, what gets in, and the books.
 *
 * No rsyslog here: everything of rsyslog's stands behind struct source_callbacks.
 *
 * Concurrency: a source_config is read-only once its source runs. In struct source, counters, session counts and
 * the rate window are atomic; the log limiter has a mutex; the rest is written before threads start.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SOURCE_H
#define SOURCE_H

#include <netinet/in.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "dnstap.h"
#include "frame.h"
#include "peers.h"
#include "tls.h"

/* Message types have small numbers; what is above passes only where nothing is filtered. */
#define SOURCE_TYPES_MAX 64

enum source_counter {
    COUNT_RECEIVED,
    COUNT_SUBMITTED,
    COUNT_FILTERED,
    COUNT_SAMPLED_OUT,
    COUNT_RATE_LIMITED,
    COUNT_INVALID,
    COUNT_DISCARDED,
    COUNT_BYTES,
    COUNT_OPENED,
    COUNT_CLOSED,
    COUNT_OPEN_FAILED,
    COUNT_REFUSED,
    COUNT_HANDSHAKES_FAILED,
    COUNT_MAX
};

/* Their names in impstats, by number. */
extern const char *const source_counter_names[COUNT_MAX];

enum source_level { SOURCE_INFO, SOURCE_WARNING, SOURCE_ERROR };

/* Who sends. */
struct peer {
    char address[64];         /* "192.0.2.1"; 127.0.0.1 for what is local */
    bool local;               /* unix socket or file */
    char key[PEERS_KEY_SIZE]; /* whose counters: the address, "uid:0" on a unix socket */
    char text[192];           /* for the log: "192.0.2.1 port 4711", "pid 12 uid 0" */
    char tls_name[256];       /* of a verified certificate, else empty */
};

/* All may be called in several threads at once. `owner` is the source_config's. */
struct source_callbacks {
    void *(*thread_begin)(void); /* NULL: no memory */
    void (*thread_end)(void *thread);
    void *(*peer_open)(void *owner, const struct peer *peer); /* NULL: no memory */
    void (*peer_close)(void *owner, void *peer);
    /* May one more frame pass a limit of the owner's? Only with rate_named. */
    bool (*admits)(void *owner, uint64_t now_ms);
    /* Takes a frame into the thread's batch. False: no memory, it is gone. May block.
     * glance: NULL when it is no dnstap, or nobody had to look. */
    bool (*frame)(void *thread, void *owner, void *peer, struct span frame,
                  const struct dnstap_glance *glance);
    /* The end of a read: hands on what need not wait for more. May block. Returns the milliseconds
     * until it is to be called again at the latest; 0: nothing waits. */
    unsigned (*settle)(void *thread);
    /* Hands everything on. May block. Before a peer is closed. */
    void (*flush)(void *thread);
    void (*log)(enum source_level level, int error, const char *line);
    const struct peers_callbacks *peers;
};

/* An address prefix, IPv4 as ::ffff:a.b.c.d. */
struct source_prefix {
    struct in6_addr address;
    unsigned bits; /* of 128 */
};

/* Strings are borrowed from the configuration, which outlives the source; NULL: not set. */
struct source_config {
    const char *name; /* for the log */
    void *owner;      /* the callbacks' own */

    const char *path;
    bool unlink;
    mode_t mode;
    uid_t uid; /* (uid_t)-1: unchanged */
    gid_t gid;
    bool fail_on_chown;
    bool make_dirs; /* of path */
    mode_t dir_mode;
    uid_t dir_uid; /* (uid_t)-1: unchanged */
    gid_t dir_gid;

    const char *address, *port, *port_file;
    bool keepalive;
    unsigned keepalive_time_s, keepalive_interval_s, keepalive_probes; /* 0: the system's */
    struct source_prefix *permitted;
    size_t permitted_count; /* 0: anybody */

    const char *connect;
    const char *file;
    bool follow;
    const char *state_dir, *state_name;

    enum fs_framing framing;
    size_t max_frame;
    unsigned max_sessions, max_sessions_per_peer;   /* 0: no limit of its own */
    unsigned peer_counters;                         /* peers with counters of their own */
    unsigned handshake_timeout_ms, idle_timeout_ms; /* 0: none */

    bool filter;    /* only the types below */
    uint64_t types; /* bit: Message.Type */
    uint32_t sample;
    bool rate_named;           /* the callbacks' `admits` decides */
    unsigned rate_interval_ms; /* 0: no limit */
    unsigned rate_burst;

    bool use_tls;
    struct tls_settings tls;
};

/* Lets a number of lines through per minute, and counts the rest for one more. */
struct source_log_limit {
    pthread_mutex_t mutex;
    uint64_t window_ms;
    unsigned said, suppressed;
};

struct source {
    const struct source_config *config;
    const struct source_callbacks *callbacks;
    _Atomic uint64_t counters[COUNT_MAX]; /* of its life: the books */
    _Atomic uint64_t shown[COUNT_MAX];    /* the same for impstats, which may set them to 0 */
    _Atomic uint64_t owed;                /* to be taken from what is shown as submitted */
    _Atomic unsigned sessions;
    _Atomic uint64_t rate_window_ms;
    _Atomic unsigned rate_used;
    struct source_log_limit log_limits[SOURCE_ERROR + 1]; /* by level */
    atomic_bool told_memory;                              /* that frames are lost for want of it */
    atomic_bool told_room; /* that frames are lost at the end for want of room */
    struct peers *peers;   /* NULL: nobody needs them */
    struct tls_context *tls;
    struct source *next;
};

/* Takes so many frames, and what is owed, from those that impstats shows as submitted; what these lack stays owed. */
void source_take_back(struct source *source, uint64_t frames);

/* NULL: no memory. callbacks outlives it. */
struct source *source_create(const struct source_callbacks *callbacks,
                             const struct source_config *config);
void source_destroy(struct source *source); /* its sessions are gone */

static inline void source_count(struct source *source, enum source_counter counter, uint64_t n)
{
    if (n == 0)
        return;
    atomic_fetch_add_explicit(&source->counters[counter], n, memory_order_relaxed);
    atomic_fetch_add_explicit(&source->shown[counter], n, memory_order_relaxed);
    if (counter == COUNT_SUBMITTED && atomic_load_explicit(&source->owed, memory_order_relaxed))
        source_take_back(source, 0);
}

/* Said once. */
void source_tell_room(struct source *source);

/* Frames that are counted as submitted, or will be at once, could not be: discarded instead. The caller says why. */
void source_lose(struct source *source, uint64_t frames);
/* One line about that, once. */
void source_tell_memory(struct source *source);

/* Monotonic, coarse: a few ms. */
uint64_t source_now_ms(void);

/* Must a frame be looked at, for source_admit to decide? */
static inline bool source_wants_glance(const struct source_config *config)
{
    return config->filter || config->sample > 1;
}

/* Which counter a frame belongs to: COUNT_SUBMITTED when it gets in. Decided from a glance alone.
 *
 * What is no dnstap gets in (and becomes a malformed event) unless the rate limit stops it.
 * Sampling keeps query and response together: by a hash of the transaction. */
enum source_counter source_admit(struct source *source, bool glanced,
                                 const struct dnstap_glance *glance, uint64_t now_ms);

/* "192.0.2.0/24", "2001:db8::/32", "::1". False when it is no prefix. */
bool source_parse_prefix(const char *text, struct source_prefix *ret);
bool source_permits(const struct source_config *config, const struct sockaddr *address);

/* The books of a life, in one line at its end: what impstats did not get to show any more. */
void source_log_books(struct source *source);
/* One line, with "imdnstap: input NAME: " before it. */
void source_log(struct source *source, enum source_level level, int error, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The same for what peers cause: a bounded number of lines per minute, level and source. How many more there
 * were is said once the minute is over. */
void source_log_peer(struct source *source, enum source_level level, int error, const char *format,
                     ...) __attribute__((format(printf, 4, 5)));

/* Says what was kept back in a minute that is over, or (end) that has begun. */
void source_check_lines(struct source *source, bool end);

#endif
