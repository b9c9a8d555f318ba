/* tls_none.c - tls.h for a build without OpenSSL: a source with TLS cannot be opened.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "config.h"

#include "tls.h"

#include <errno.h>
#include <stdio.h>

struct tls_context *tls_create(const struct tls_settings *settings, char *why, size_t size)
{
    (void)settings;
    snprintf(why, size, "tls=\"on\": built without OpenSSL");
    return NULL;
}

void tls_destroy(struct tls_context **context)
{
    *context = NULL;
}

bool tls_reload(struct tls_context *context, char *why, size_t size)
{
    (void)context;
    (void)why;
    (void)size;
    return false;
}

struct tls_session *tls_open(struct tls_context *context, int fd, const char *host)
{
    (void)context;
    (void)fd;
    (void)host;
    return NULL;
}

void tls_close(struct tls_session *session)
{
    (void)session;
}

ssize_t tls_read(struct tls_session *session, void *buffer, size_t size)
{
    (void)session;
    (void)buffer;
    (void)size;
    errno = EPROTO;
    return -1;
}

ssize_t tls_write(struct tls_session *session, const void *buffer, size_t size)
{
    (void)session;
    (void)buffer;
    (void)size;
    errno = EPROTO;
    return -1;
}

bool tls_ready(const struct tls_session *session)
{
    (void)session;
    return false;
}

bool tls_pending(const struct tls_session *session)
{
    (void)session;
    return false;
}

bool tls_is_over(const struct tls_session *session)
{
    (void)session;
    return true;
}

bool tls_wants_write(const struct tls_session *session)
{
    (void)session;
    return false;
}

const char *tls_error(const struct tls_session *session)
{
    (void)session;
    return "built without OpenSSL";
}

const char *tls_peer_name(const struct tls_session *session)
{
    (void)session;
    return "";
}

bool tls_is_fingerprint(const char *text)
{
    (void)text;
    return true;
}
