/* loop.c - see loop.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "config.h"

#include "loop.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define EVENTS_MAX 128
/* How often timeouts are looked at. */
#define CHECK_MS   250

bool loop_watch(struct loop_thread *thread, struct handler *handler, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = handler};

    return epoll_ctl(thread->epoll, EPOLL_CTL_ADD, handler->fd, &event) == 0;
}

void loop_rewatch(struct loop_thread *thread, struct handler *handler, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = handler};

    epoll_ctl(thread->epoll, EPOLL_CTL_MOD, handler->fd, &event);
}

void loop_unwatch(struct loop_thread *thread, struct handler *handler)
{
    epoll_ctl(thread->epoll, EPOLL_CTL_DEL, handler->fd, NULL);
}

void loop_thread_wake(struct loop_thread *thread)
{
    uint64_t one = 1;
    ssize_t written = write(thread->waker.fd, &one, sizeof one);

    (void)written; /* a full counter wakes as well */
}

static void woken(struct loop_thread *thread, struct handler *handler, uint32_t events)
{
    uint64_t count;
    ssize_t got = read(handler->fd, &count, sizeof count);

    (void)got;
    (void)events;
    thread->loop->calls->woken(thread);
}

struct loop_thread *loop_pick(struct loop *loop)
{
    return &loop->threads[atomic_fetch_add(&loop->next_thread, 1) % loop->thread_count];
}

bool loop_thread_open(struct loop *loop, struct loop_thread *thread)
{
    thread->loop = loop;
    thread->waker.fd = -1;
    thread->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (thread->epoll < 0 || pthread_mutex_init(&thread->inbox_mutex, NULL) != 0)
        return false;
    thread->waker.ready = woken;
    thread->waker.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    thread->buffer = malloc(LOOP_HEAD_SIZE + LOOP_READ_SIZE);
    return thread->waker.fd >= 0 && thread->buffer && loop_watch(thread, &thread->waker, EPOLLIN);
}

bool loop_open(struct loop *loop, const struct source_callbacks *callbacks,
               const struct loop_calls *calls, unsigned count)
{
    loop->callbacks = callbacks;
    loop->calls = calls;
    loop->threads = calloc(count, sizeof *loop->threads);
    if (!loop->threads)
        return false;
    loop->thread_count = count;
    for (unsigned i = 0; i < count; i++)
        loop->threads[i].epoll = loop->threads[i].waker.fd = -1;
    for (unsigned i = 0; i < count; i++)
        if (!loop_thread_open(loop, &loop->threads[i]))
            return false;
    return true;
}

static void check_times(struct loop_thread *thread)
{
    uint64_t now_ms = source_now_ms();

    if (now_ms < thread->next_check_ms)
        return;
    thread->next_check_ms = now_ms + CHECK_MS;
    thread->loop->calls->check(thread, now_ms);
}

static void *run(void *argument)
{
    struct loop_thread *thread = argument;
    struct loop *loop = thread->loop;
    struct epoll_event events[EVENTS_MAX];

    while (!loop_stopping(loop)) {
        unsigned wait_ms =
            thread->held_ms && thread->held_ms < CHECK_MS ? thread->held_ms : CHECK_MS;
        int count = epoll_wait(thread->epoll, events, EVENTS_MAX, (int)wait_ms);

        for (int i = 0; i < count && !loop_stopping(loop); i++) {
            struct handler *handler = events[i].data.ptr;

            handler->ready(thread, handler, events[i].events);
        }
        if (thread->held_ms)
            thread->held_ms = loop->callbacks->settle(thread->context);
        check_times(thread);
    }
    loop->callbacks->flush(thread->context);
    return NULL;
}

/* Signals are rsyslogd's: none for these threads. */
bool loop_thread_start(struct loop_thread *thread, void *(*function)(void *))
{
    sigset_t all, before;
    int error;

    thread->context = thread->loop->callbacks->thread_begin();
    if (!thread->context)
        return false;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&thread->id, NULL, function, thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    thread->started = error == 0;
    return thread->started;
}

void loop_thread_stop(struct loop_thread *thread)
{
    if (!thread->started)
        return;
    loop_thread_wake(thread);
    pthread_join(thread->id, NULL);
    thread->started = false;
}

void loop_thread_wait(struct loop_thread *thread, int fd, int timeout_ms)
{
    struct pollfd fds[2] = {{.fd = thread->waker.fd, .events = POLLIN},
                            {.fd = fd, .events = POLLIN}};
    uint64_t count;
    ssize_t got;

    if (poll(fds, 2, timeout_ms) > 0 && fds[0].revents) {
        got = read(thread->waker.fd, &count, sizeof count);
        (void)got;
    }
}

void loop_thread_destroy(struct loop_thread *thread)
{
    if (thread->context)
        thread->loop->callbacks->thread_end(thread->context);
    if (thread->waker.fd >= 0)
        close(thread->waker.fd);
    if (thread->epoll >= 0)
        close(thread->epoll);
    free(thread->buffer);
}

bool loop_start(struct loop *loop)
{
    bool ok = true;

    for (unsigned i = 0; i < loop->thread_count; i++)
        ok = ok && loop_thread_start(&loop->threads[i], run);
    return ok;
}

void loop_stop(struct loop *loop)
{
    for (unsigned i = 0; i < loop->thread_count; i++)
        if (loop->threads[i].started)
            loop_thread_wake(&loop->threads[i]);
    for (unsigned i = 0; i < loop->thread_count; i++)
        loop_thread_stop(&loop->threads[i]);
}

void loop_destroy(struct loop *loop)
{
    for (unsigned i = 0; i < loop->thread_count; i++)
        loop_thread_destroy(&loop->threads[i]);
    free(loop->threads);
}
