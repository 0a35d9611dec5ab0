/* SPDX-License-Identifier: Apache-2.0 */
/* The proof of a pre-shared key, bound to one TLS connection (docs/contract.md, section 14). */
#ifndef BNG_PSK_H
#define BNG_PSK_H

#include "tls.h"

enum { BNG_PSK_MIN = 32, BNG_PSK_MAX = 1024, BNG_PSK_NONCE = 32, BNG_PSK_MAC = 32 };

struct bng_psk {
	uint8_t key[BNG_PSK_MAX];
	size_t size;
};

/* Reads a key: the file's first line, 32 to 1,024 bytes, readable by its owner only. -EINVAL with a sentence
 * in words. */
int bng_psk_read(const char *path, struct bng_psk *ret_psk, char *words, size_t size);

/* HMAC-SHA-256 over the label, both nonces and both ends of the connection. */
int bng_psk_prove(const struct bng_psk *psk, const struct bng_tls_binding *binding,
	const uint8_t server_nonce[BNG_PSK_NONCE], const uint8_t own_nonce[BNG_PSK_NONCE],
	uint8_t ret_mac[BNG_PSK_MAC]);

#endif
