/* SPDX-License-Identifier: Apache-2.0 */
/* TLS without an authority's files: a certificate of one's own making, and a peer known by a pinned hash. For
 * tls.c. */
#ifndef BNG_TLS_IDENTITY_H
#define BNG_TLS_IDENTITY_H

#include "tls.h"

#include <openssl/ssl.h>

/* Gives the context a certificate signed by its own key; key_file NULL: and a new key. */
int bng_tls_self_sign(SSL_CTX *context, const char *key_file);

/* Makes the context accept only peers that pin (NULL: nobody) leads to. */
int bng_tls_pin(SSL_CTX *context, const uint8_t *pin);

/* If the pin refused the peer: says so with the fingerprints that were presented. */
bool bng_tls_pin_reason(SSL *ssl, char *text, size_t size);

#endif
