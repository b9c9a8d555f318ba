/* tls_peer.h - who a certificate belongs to, and whether that is somebody permitted.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TLS_PEER_H
#define TLS_PEER_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>

#define TLS_NAME_SIZE 256

/* The first DNS name, else the common name, else nothing. */
void tls_peer_get_name(X509 *certificate, char name[TLS_NAME_SIZE]);

/* Does one of its names match one of the patterns? name: the one that does. */
bool tls_peer_has_name(X509 *certificate, const char *const *patterns, size_t count,
                       char name[TLS_NAME_SIZE]);

/* Is one of the fingerprints ("SHA1:AB:CD...", "SHA256:...", case and colons do not matter) its own? */
bool tls_peer_has_fingerprint(X509 *certificate, const char *const *fingerprints, size_t count);

/* Does a name match "*.example.net" or the same name? Case-insensitive (RFC 6125 6.4). */
bool tls_peer_matches(const char *name, const char *pattern);

#endif
