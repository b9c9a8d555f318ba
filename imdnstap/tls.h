/* tls.h - TLS of a source, on sockets that do not block.
 *
 * Who may connect is said by the mode, as in imrelp:
 *
 *   anon         anybody. With a CA, a certificate that is shown must be valid; none is required.
 *   certvalid    a certificate of the CA
 *   name         a certificate of the CA with one of the permitted names (SAN, else CN);
 *                "*.example.net" permits one label in front
 *   fingerprint  a certificate with one of the permitted fingerprints, "SHA1:AB:..." or "SHA256:AB:..."
 *
 * TLS 1.2 and later. A context may be used by several threads; a session belongs to one.
 * No rsyslog here, no logging: texts are for the caller's line.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TLS_H
#define TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Octets that a record holds at most (RFC 8446 5.1). tls_read takes one record, or what fits of it. */
#define TLS_RECORD_MAX (1 << 14)

enum tls_mode { TLS_ANON, TLS_CERTVALID, TLS_NAME, TLS_FINGERPRINT };

/* Borrowed for the context's life. */
struct tls_settings {
    bool client; /* we connect */
    enum tls_mode mode;
    const char *ca, *certificate, *key; /* PEM files; NULL: none */
    const char *const *permitted;       /* names or fingerprints, by mode */
    size_t permitted_count;
};

struct tls_context;
struct tls_session;

/* Could this be a fingerprint for tls_settings? */
bool tls_is_fingerprint(const char *text);

/* NULL on failure; why (size octets) says what is wrong with which file. */
struct tls_context *tls_create(const struct tls_settings *settings, char *why, size_t size);
void tls_destroy(struct tls_context **context); /* sets NULL; takes NULL; sessions may still run */

/* Reads the files again, for sessions to come. False: the former ones stay; why says the reason. */
bool tls_reload(struct tls_context *context, char *why, size_t size);

/* host: whom we want to talk to (SNI); NULL as a server. NULL: no memory. Does not close fd. */
struct tls_session *tls_open(struct tls_context *context, int fd, const char *host);
void tls_close(struct tls_session *session); /* takes NULL */

/* As read(2) and write(2): -1 with errno EAGAIN until something is there. -1 with EPROTO is a fault of
 * the protocol or a refusal: tls_error says which. The handshake happens within. */
ssize_t tls_read(struct tls_session *session, void *buffer, size_t size);
ssize_t tls_write(struct tls_session *session, const void *buffer, size_t size);

bool tls_ready(const struct tls_session *session);       /* the handshake is done */
bool tls_pending(const struct tls_session *session);     /* has octets that poll does not show */
bool tls_is_over(const struct tls_session *session);     /* the next read says how it ended */
bool tls_wants_write(const struct tls_session *session); /* goes on when the socket is writable */
const char *tls_error(const struct tls_session *session);

/* The name in the peer's certificate, as it is there: any octets but NUL. Empty without one. */
const char *tls_peer_name(const struct tls_session *session);

#endif
