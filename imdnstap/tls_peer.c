/* tls_peer.c - see tls_peer.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "config.h"

#include "tls_peer.h"
#include "tls.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <strings.h>

/* Copies a name that has no NUL in it and fits: what has is no name but an attempt. */
static bool copy_name(const ASN1_STRING *from, char name[TLS_NAME_SIZE])
{
    int len = ASN1_STRING_length(from);
    const unsigned char *text = ASN1_STRING_get0_data(from);

    if (len <= 0 || len >= TLS_NAME_SIZE || memchr(text, 0, (size_t)len))
        return false;
    memcpy(name, text, (size_t)len);
    name[len] = '\0';
    return true;
}

static bool get_common_name(X509 *certificate, char name[TLS_NAME_SIZE])
{
    X509_NAME *subject = X509_get_subject_name(certificate);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);

    return at >= 0 && copy_name(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)), name);
}

bool tls_peer_matches(const char *name, const char *pattern)
{
    const char *dot;

    if (strncmp(pattern, "*.", 2) != 0)
        return strcasecmp(name, pattern) == 0;
    dot = strchr(name, '.');
    return dot && dot != name && strcasecmp(dot + 1, pattern + 2) == 0;
}

static bool matches_any(const char *name, const char *const *patterns, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (tls_peer_matches(name, patterns[i]))
            return true;
    return false;
}

/* The first DNS name that matches (patterns NULL: any). *ret_named: there are DNS names. */
static bool find_dns_name(X509 *certificate, const char *const *patterns, size_t count,
                          char name[TLS_NAME_SIZE], bool *ret_named)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    char candidate[TLS_NAME_SIZE];
    bool found = false;

    *ret_named = false;
    for (int i = 0; names && !found && i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *one = sk_GENERAL_NAME_value(names, i);

        if (one->type != GEN_DNS)
            continue;
        *ret_named = true;
        if (!copy_name(one->d.dNSName, candidate) ||
            (patterns && !matches_any(candidate, patterns, count)))
            continue;
        memcpy(name, candidate, sizeof candidate);
        found = true;
    }
    GENERAL_NAMES_free(names);
    return found;
}

void tls_peer_get_name(X509 *certificate, char name[TLS_NAME_SIZE])
{
    bool named;

    if (!find_dns_name(certificate, NULL, 0, name, &named) && !get_common_name(certificate, name))
        name[0] = '\0';
}

/* The common name counts only where there is no DNS name (RFC 6125 6.4.4). */
bool tls_peer_has_name(X509 *certificate, const char *const *patterns, size_t count,
                       char name[TLS_NAME_SIZE])
{
    char common[TLS_NAME_SIZE];
    bool named;

    if (find_dns_name(certificate, patterns, count, name, &named))
        return true;
    if (named || !get_common_name(certificate, common) || !matches_any(common, patterns, count))
        return false;
    memcpy(name, common, sizeof common);
    return true;
}

/* The digest's name and where its digits begin. */
static const char *split(const char *text, const EVP_MD **ret_digest)
{
    *ret_digest = NULL;
    if (strncasecmp(text, "SHA1:", 5) == 0)
        *ret_digest = EVP_sha1();
    else if (strncasecmp(text, "SHA256:", 7) == 0)
        *ret_digest = EVP_sha256();
    else
        return NULL;
    return strchr(text, ':') + 1;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Octets read, 0 when it is no hexadecimal text of at most `size` octets. */
static size_t parse_hex(const char *text, unsigned char *out, size_t size)
{
    size_t len = 0;

    while (*text) {
        int high, low;

        if (*text == ':' && len) {
            text++;
            continue;
        }
        high = hex_value(text[0]);
        low = high < 0 ? -1 : hex_value(text[1]);
        if (low < 0 || len == size)
            return 0;
        out[len++] = (unsigned char)(high << 4 | low);
        text += 2;
    }
    return len;
}

bool tls_is_fingerprint(const char *text)
{
    unsigned char octets[EVP_MAX_MD_SIZE];
    const EVP_MD *digest;
    const char *digits = split(text, &digest);

    return digits && parse_hex(digits, octets, sizeof octets) == (size_t)EVP_MD_get_size(digest);
}

bool tls_peer_has_fingerprint(X509 *certificate, const char *const *fingerprints, size_t count)
{
    unsigned char own[EVP_MAX_MD_SIZE], wanted[EVP_MAX_MD_SIZE];
    const EVP_MD *digest;
    unsigned int len;

    for (size_t i = 0; i < count; i++) {
        const char *digits = split(fingerprints[i], &digest);

        if (digits && X509_digest(certificate, digest, own, &len) == 1 &&
            parse_hex(digits, wanted, sizeof wanted) == len && memcmp(own, wanted, len) == 0)
            return true;
    }
    return false;
}
