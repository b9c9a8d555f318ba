/* tls.c - see tls.h.
 *
 * Concurrency: the SSL_CTX is swapped under the mutex; sessions hold a reference of their own.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "config.h"

#include "tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "frame.h"
#include "printable.h"
#include "tls_peer.h"

#define ERROR_SIZE 256

struct tls_context {
    struct tls_settings settings;
    pthread_mutex_t mutex;
    SSL_CTX *ctx;
};

struct tls_session {
    SSL *ssl;
    const struct tls_settings *settings;
    int fd;
    bool first_seen; /* the peer's first octets have been looked at */
    bool ready, wants_write;
    bool dead;     /* every further call ends as the one before */
    int end_errno; /* how: 0 is the end of the stream */
    char error[ERROR_SIZE];
    char name[TLS_NAME_SIZE];
};

/* The oldest entry of OpenSSL's queue, which is left empty. It has no texts for the system's errors. */
static const char *reason(void)
{
    unsigned long code = ERR_get_error();
    const char *text = ERR_GET_LIB(code) == ERR_LIB_SYS ? strerror(ERR_GET_REASON(code))
                                                        : ERR_reason_error_string(code);

    ERR_clear_error();
    return text ? text : "unknown reason";
}

/* A daemon has nobody to ask for a passphrase: OpenSSL would do so at the terminal, and wait. */
static int no_passphrase(char *buffer, int size, int writing, void *asked)
{
    (void)buffer;
    (void)size;
    (void)writing;
    *(bool *)asked = true;
    return -1;
}

static bool load_key(SSL_CTX *ctx, const char *path, char *why, size_t size)
{
    bool asked = false, loaded;
    unsigned long code;

    SSL_CTX_set_default_passwd_cb(ctx, no_passphrase);
    SSL_CTX_set_default_passwd_cb_userdata(ctx, &asked);
    loaded = SSL_CTX_use_PrivateKey_file(ctx, path, SSL_FILETYPE_PEM) == 1;
    SSL_CTX_set_default_passwd_cb_userdata(ctx, NULL);
    SSL_CTX_set_default_passwd_cb(ctx, NULL);
    if (loaded)
        return true;
    code = ERR_peek_error();
    if (asked)
        snprintf(why, size, "tls.myprivkey=\"%s\": has a passphrase; give a key without one", path);
    else if (ERR_GET_LIB(code) == ERR_LIB_X509 &&
             ERR_GET_REASON(code) == X509_R_KEY_VALUES_MISMATCH)
        snprintf(why, size, "tls.myprivkey=\"%s\": is not the key of tls.mycert", path);
    else
        snprintf(why, size, "tls.myprivkey=\"%s\": %s", path, reason());
    ERR_clear_error();
    return false;
}

static bool load_files(SSL_CTX *ctx, const struct tls_settings *s, char *why, size_t size)
{
    if (s->certificate && SSL_CTX_use_certificate_chain_file(ctx, s->certificate) != 1) {
        snprintf(why, size, "tls.mycert=\"%s\": %s", s->certificate, reason());
        return false;
    }
    if (s->key && !load_key(ctx, s->key, why, size))
        return false;
    /* Keys of another algorithm than the certificate's are told only here. */
    if (s->certificate && s->key && SSL_CTX_check_private_key(ctx) != 1) {
        ERR_clear_error();
        snprintf(why, size, "tls.myprivkey=\"%s\": is not the key of tls.mycert", s->key);
        return false;
    }
    if (s->ca && SSL_CTX_load_verify_locations(ctx, s->ca, NULL) != 1) {
        snprintf(why, size, "tls.cacert=\"%s\": %s", s->ca, reason());
        return false;
    }
    if (s->ca && !s->client)
        SSL_CTX_set_client_CA_list(ctx, SSL_load_client_CA_file(s->ca));
    return true;
}

/* With fingerprints the chain does not matter: the certificate itself is looked at later. */
static int accept_any(int preverified, X509_STORE_CTX *store)
{
    (void)preverified;
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
}

static void set_verification(SSL_CTX *ctx, const struct tls_settings *s)
{
    switch (s->mode) {
    case TLS_ANON:
        SSL_CTX_set_verify(ctx, s->ca ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
        break;
    case TLS_FINGERPRINT:
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, accept_any);
        break;
    case TLS_CERTVALID:
    case TLS_NAME:
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
        break;
    }
}

static SSL_CTX *make(const struct tls_settings *s, char *why, size_t size)
{
    SSL_CTX *ctx;

    ERR_clear_error();
    ctx = SSL_CTX_new(s->client ? TLS_client_method() : TLS_server_method());
    if (!ctx) {
        snprintf(why, size, "TLS cannot be set up: %s", reason());
        return NULL;
    }
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    /* Else a read does not end while a peer sends KeyUpdates (RFC 8446 4.6.3) and no data. */
    SSL_CTX_clear_mode(ctx, SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(ctx, 0); /* producers do not resume */
    set_verification(ctx, s);
    if (load_files(ctx, s, why, size))
        return ctx;
    SSL_CTX_free(ctx);
    return NULL;
}

struct tls_context *tls_create(const struct tls_settings *settings, char *why, size_t size)
{
    struct tls_context *context = calloc(1, sizeof *context);

    if (!context) {
        snprintf(why, size, "no memory");
        return NULL;
    }
    context->settings = *settings;
    pthread_mutex_init(&context->mutex, NULL);
    context->ctx = make(settings, why, size);
    if (!context->ctx)
        tls_destroy(&context);
    return context;
}

void tls_destroy(struct tls_context **context)
{
    if (!*context)
        return;
    SSL_CTX_free((*context)->ctx);
    pthread_mutex_destroy(&(*context)->mutex);
    free(*context);
    *context = NULL;
}

bool tls_reload(struct tls_context *context, char *why, size_t size)
{
    SSL_CTX *fresh = make(&context->settings, why, size), *old;

    if (!fresh)
        return false;
    pthread_mutex_lock(&context->mutex);
    old = context->ctx;
    context->ctx = fresh;
    pthread_mutex_unlock(&context->mutex);
    SSL_CTX_free(old);
    return true;
}

struct tls_session *tls_open(struct tls_context *context, int fd, const char *host)
{
    struct tls_session *session = calloc(1, sizeof *session);

    if (!session)
        return NULL;
    session->settings = &context->settings;
    session->fd = fd;
    pthread_mutex_lock(&context->mutex);
    session->ssl = SSL_new(context->ctx);
    pthread_mutex_unlock(&context->mutex);
    if (!session->ssl || SSL_set_fd(session->ssl, fd) != 1) {
        tls_close(session);
        return NULL;
    }
    if (context->settings.client) {
        SSL_set_connect_state(session->ssl);
        if (host)
            SSL_set_tlsext_host_name(session->ssl, host);
        session->first_seen = true;
    } else {
        SSL_set_accept_state(session->ssl);
    }
    return session;
}

void tls_close(struct tls_session *session)
{
    if (!session)
        return;
    ERR_clear_error();
    if (session->ssl && session->ready && !session->dead)
        SSL_shutdown(session->ssl); /* close_notify, as far as the socket takes it */
    SSL_free(session->ssl);
    ERR_clear_error();
    free(session);
}

static ssize_t end(struct tls_session *session, int error)
{
    session->dead = true;
    session->end_errno = error;
    errno = error;
    return error ? -1 : 0;
}

static ssize_t fail(struct tls_session *session, const char *format, const char *detail)
    __attribute__((format(printf, 2, 0)));
static ssize_t fail(struct tls_session *session, const char *format, const char *detail)
{
    snprintf(session->error, sizeof session->error, format, detail);
    ERR_clear_error();
    return end(session, EPROTO);
}

/* Plain text is told by its first octets, before OpenSSL calls it a wrong version number. */
static ssize_t look_at_first(struct tls_session *session)
{
    static const unsigned char frame_streams[4] = {0};
    unsigned char first[16];
    ssize_t got = recv(session->fd, first, sizeof first, MSG_PEEK | MSG_DONTWAIT);

    if (got <= 0)
        return got;
    session->first_seen = true;
    if (first[0] == 0x16 || got < 4)
        return 1;
    if (memcmp(first, frame_streams, 4) == 0)
        return fail(session, "it speaks Frame Streams without TLS on a TLS port%s", "");
    return fail(session, "it speaks no TLS on a TLS port, but %s",
                fs_guess_protocol(span_of(first, (size_t)got)));
}

/* What its operator, or ours, can do about a certificate. */
static const char *remedy(long verified)
{
    switch (verified) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return "it needs a new one";
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return "look at the clocks of both hosts";
    case X509_V_ERR_INVALID_PURPOSE:
        return "its extended key usage must allow its side of TLS";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        return "its issuer must be in tls.cacert";
    default:
        return "it needs another one";
    }
}

static ssize_t certificate_refused(struct tls_session *session, long verified)
{
    char detail[ERROR_SIZE - 64];

    snprintf(detail, sizeof detail, "%s (%s)", X509_verify_cert_error_string(verified),
             remedy(verified));
    return fail(session, "its certificate is refused: %s", detail);
}

static ssize_t handshake_failed(struct tls_session *session)
{
    unsigned long code = ERR_peek_error();
    long verified = SSL_get_verify_result(session->ssl);

    /* without SSL_VERIFY_PEER nothing was refused for it */
    if (verified != X509_V_OK && SSL_get_verify_mode(session->ssl) & SSL_VERIFY_PEER)
        return certificate_refused(session, verified);
    switch (ERR_GET_REASON(code)) {
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
        return fail(session, "it shows no certificate (tls.authmode wants one)%s", "");
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
        return fail(session, "it does not speak TLS 1.2 or later%s", "");
    case SSL_R_WRONG_VERSION_NUMBER:
        return fail(session, "it speaks no TLS (tls=\"off\" is for those)%s", "");
    }
    if (ERR_GET_REASON(code) >= SSL_AD_REASON_OFFSET)
        return fail(session, "it refuses our side of TLS: %s", reason());
    return fail(session, "TLS failed: %s", reason());
}

/* What a call of OpenSSL ended with, as of read(2). */
static ssize_t translate(struct tls_session *session, int result)
{
    int error = errno;

    session->wants_write = false;
    switch (SSL_get_error(session->ssl, result)) {
    case SSL_ERROR_NONE:
        return result;
    case SSL_ERROR_ZERO_RETURN:
        return 0; /* and again with every read; writing still goes */
    case SSL_ERROR_WANT_WRITE:
        session->wants_write = true;
        errno = EAGAIN;
        return -1;
    case SSL_ERROR_WANT_READ:
        errno = EAGAIN;
        return -1;
    case SSL_ERROR_SYSCALL:
        ERR_clear_error();
        return end(session, error);
    default:
        if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
            ERR_clear_error();
            return end(session, 0); /* Frame Streams has its own end: STOP */
        }
        return handshake_failed(session);
    }
}

static ssize_t check_peer(struct tls_session *session)
{
    const struct tls_settings *s = session->settings;
    X509 *certificate = SSL_get1_peer_certificate(session->ssl);
    char name[TLS_NAME_SIZE];
    bool permitted = true;

    if (certificate)
        tls_peer_get_name(certificate, session->name);
    if (s->mode == TLS_NAME)
        permitted = certificate &&
                    tls_peer_has_name(certificate, s->permitted, s->permitted_count, session->name);
    else if (s->mode == TLS_FINGERPRINT)
        permitted =
            certificate && tls_peer_has_fingerprint(certificate, s->permitted, s->permitted_count);
    X509_free(certificate);
    if (permitted)
        return 1;
    printable(span_of(session->name, strlen(session->name)), name, sizeof name);
    return fail(session,
                s->mode == TLS_NAME
                    ? "the name \"%s\" in its certificate is not in tls.permittedpeer"
                    : "the fingerprint of its certificate (\"%s\") is not in tls.permittedpeer",
                name);
}

static ssize_t advance(struct tls_session *session)
{
    ssize_t result;

    if (!session->first_seen && (result = look_at_first(session)) <= 0)
        return result;
    errno = 0;
    result = translate(session, SSL_do_handshake(session->ssl));
    if (result <= 0)
        return result;
    if (check_peer(session) < 0)
        return -1;
    session->ready = true;
    return 1;
}

static ssize_t transfer(struct tls_session *session, void *buffer, size_t size, bool writing)
{
    ssize_t result;
    int some = size > 1 << 30 ? 1 << 30 : (int)size;

    ERR_clear_error();
    if (session->dead)
        return end(session, session->end_errno);
    if (!session->ready && (result = advance(session)) <= 0)
        return result;
    errno = 0;
    return translate(session, writing ? SSL_write(session->ssl, buffer, some)
                                      : SSL_read(session->ssl, buffer, some));
}

ssize_t tls_read(struct tls_session *session, void *buffer, size_t size)
{
    return transfer(session, buffer, size, false);
}

ssize_t tls_write(struct tls_session *session, const void *buffer, size_t size)
{
    return transfer(session, (void *)buffer, size, true);
}

bool tls_ready(const struct tls_session *session)
{
    return session->ready;
}

bool tls_pending(const struct tls_session *session)
{
    /* Not SSL_has_pending: that counts the octets of a record whose rest may never come. */
    return session->ready && !session->dead && SSL_pending(session->ssl) > 0;
}

bool tls_is_over(const struct tls_session *session)
{
    return session->dead || SSL_get_shutdown(session->ssl) & SSL_RECEIVED_SHUTDOWN;
}

bool tls_wants_write(const struct tls_session *session)
{
    return session->wants_write;
}

const char *tls_error(const struct tls_session *session)
{
    return session->error;
}

const char *tls_peer_name(const struct tls_session *session)
{
    return session->name;
}
