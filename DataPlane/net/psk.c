// SPDX-License-Identifier: Apache-2.0
// The key itself never leaves: whoever records a proof, or is a false controller, has a hash over nonces and
// keys that come once.
#include "psk.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

static const char label[] = "bng-psk-v1";

int bng_psk_read(const char *path, struct bng_psk *ret_psk, char *words, size_t size)
{
	char line[BNG_PSK_MAX + 2];
	size_t length;
	FILE *file;

	if (!bng_tls_is_private(path, words, size))
		return -EINVAL;
	file = fopen(path, "re");
	if (!file) {
		(void)snprintf(words, size, "psk %s: %s", path, strerrordesc_np(errno));
		return -EINVAL;
	}
	length = fread(line, 1, sizeof(line), file);
	(void)fclose(file);
	length = memchr(line, '\n', length) ? (size_t)((char *)memchr(line, '\n', length) - line) : length;
	if (length < BNG_PSK_MIN || length > BNG_PSK_MAX) {
		(void)snprintf(words, size, "psk %s: expected a first line of %d to %d bytes", path,
			BNG_PSK_MIN, BNG_PSK_MAX);
		OPENSSL_cleanse(line, sizeof(line));
		return -EINVAL;
	}
	memcpy(ret_psk->key, line, length);
	ret_psk->size = length;
	OPENSSL_cleanse(line, sizeof(line));
	return 0;
}

int bng_psk_prove(const struct bng_psk *psk, const struct bng_tls_binding *binding,
	const uint8_t server_nonce[BNG_PSK_NONCE], const uint8_t own_nonce[BNG_PSK_NONCE],
	uint8_t ret_mac[BNG_PSK_MAC])
{
	uint8_t text[sizeof(label) - 1 + 2UL * BNG_PSK_NONCE + BNG_TLS_HASH + BNG_TLS_KEY_MAX], *at = text;

	at = mempcpy(at, label, sizeof(label) - 1);
	at = mempcpy(at, server_nonce, BNG_PSK_NONCE);
	at = mempcpy(at, own_nonce, BNG_PSK_NONCE);
	at = mempcpy(at, binding->peer_certificate, BNG_TLS_HASH);
	at = mempcpy(at, binding->own_key, binding->own_key_size);
	return HMAC(EVP_sha256(), psk->key, (int)psk->size, text, (size_t)(at - text), ret_mac, NULL)
		       ? 0
		       : -EINVAL;
}
