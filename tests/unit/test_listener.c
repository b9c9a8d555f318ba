/* test_listener.c - what a listener does at once, at most: connections accepted before it is the sessions' turn,
 * addresses of one host name.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "server_fixture.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/epoll.h>

#include "../../imdnstap/listener.h"

#define WAITING 120 /* more than a turn takes, fewer than the backlog */
#define TURN    64
#define HOSTS   20

static size_t accepted, in_turn, most_in_turn;
int __real_accept4(int fd, struct sockaddr *address, socklen_t *len, int flags);
int __wrap_accept4(int fd, struct sockaddr *address, socklen_t *len, int flags);
int __real_epoll_wait(int epoll, struct epoll_event *events, int max, int timeout);
int __wrap_epoll_wait(int epoll, struct epoll_event *events, int max, int timeout);
int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **ret);
void __wrap_freeaddrinfo(struct addrinfo *list);

int __wrap_accept4(int fd, struct sockaddr *address, socklen_t *len, int flags)
{
    int result = __real_accept4(fd, address, len, flags);

    if (result < 0)
        return result;
    pthread_mutex_lock(&seen.mutex);
    accepted++;
    if (++in_turn > most_in_turn)
        most_in_turn = in_turn;
    pthread_cond_broadcast(&seen.changed);
    pthread_mutex_unlock(&seen.mutex);
    return result;
}

int __wrap_epoll_wait(int epoll, struct epoll_event *events, int max, int timeout)
{
    pthread_mutex_lock(&seen.mutex);
    in_turn = 0;
    pthread_mutex_unlock(&seen.mutex);
    return __real_epoll_wait(epoll, events, max, timeout);
}

/* A host of many addresses: 127.0.0.1, 127.0.0.2, ... */
int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **ret)
{
    static struct sockaddr_in addresses[HOSTS];
    static struct addrinfo list[HOSTS];

    (void)host;
    (void)port;
    (void)hints;
    for (uint32_t i = 0; i < HOSTS; i++) {
        addresses[i] =
            (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001 + i)};
        list[i] = (struct addrinfo){.ai_family = AF_INET,
                                    .ai_socktype = SOCK_STREAM,
                                    .ai_addr = (struct sockaddr *)&addresses[i],
                                    .ai_addrlen = sizeof addresses[i],
                                    .ai_next = i + 1 < HOSTS ? &list[i + 1] : NULL};
    }
    *ret = list;
    return 0;
}

void __wrap_freeaddrinfo(struct addrinfo *list)
{
    (void)list;
}

static void test_accepted_in_a_turn(void **state)
{
    struct fixture *f = *state;
    int fds[WAITING];

    f->config.max_sessions = 0;
    f->server = server_create(&callbacks, 1);
    assert_non_null(f->server);
    assert_non_null(server_add(f->server, &f->config));
    for (int i = 0; i < WAITING; i++)
        fds[i] = dial_in(f);
    assert_true(server_start(f->server));
    assert_true(await(&accepted, WAITING));
    server_stop(f->server);
    assert_int_equal(most_in_turn, TURN);
    for (int i = 0; i < WAITING; i++)
        close(fds[i]);
}

static void test_addresses_of_a_host(void **state)
{
    struct fixture *f = *state;
    struct source_config config = f->config;
    struct source *source;
    struct listener *list = NULL, *next;
    size_t count = 0;

    config.path = NULL;
    config.address = "many";
    config.port = "0";
    source = source_create(&callbacks, &config);
    assert_non_null(source);
    assert_true(listener_open(source, &list));
    for (; list; list = next, count++) {
        next = list->next;
        listener_destroy(list);
    }
    source_destroy(source);
    assert_int_equal(count, LISTENER_MAX);
    assert_true(count < HOSTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SERVER(test_accepted_in_a_turn),
        WITH_SERVER(test_addresses_of_a_host),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
