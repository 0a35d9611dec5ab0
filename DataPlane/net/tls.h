/* SPDX-License-Identifier: Apache-2.0 */
/* TLS 1.3 over memory: ciphertext and plaintext go through buffers, sockets stay outside. */
#ifndef BNG_TLS_H
#define BNG_TLS_H

#include <stdbool.h>

#include "buffer.h"
#include "bytes.h"

enum { BNG_TLS_HASH = 32, BNG_TLS_KEY_MAX = 1024 };

struct bng_tls_files {
	const char *certificate; /* PEM chain; NULL: one signed by the key itself */
	const char *key;         /* readable by its owner only; NULL: one made for this process */
	const char *authority;   /* PEM, signs the peer; NULL: the pin decides */
	/* SHA-256 of a certificate (DER): the peer's own, or one of its chain that must have signed it. */
	const uint8_t *pin;
};

/* Whether a file is its owner's alone; if not, words say what to do. */
bool bng_tls_is_private(const char *path, char *words, size_t size);

/* An SSL_CTX as a client (or as a server, for tests): TLS 1.3 only, peer's certificate required. NULL with a
 * sentence in words. */
void *bng_tls_context_new(const struct bng_tls_files *files, bool server, char *words, size_t words_size);
void bng_tls_context_free(void *context);

struct bng_tls {
	void *ssl;
	void *in;  /* BIO: ciphertext from the peer */
	void *out; /* BIO: ciphertext to the peer */
	bool established;
	bool ended; /* close_notify received */
};

/* host: the name or address the peer's certificate must bear; NULL (servers): any signed one. */
int bng_tls_init(struct bng_tls *tls, void *context, const char *host, bool server);
void bng_tls_done(struct bng_tls *tls);

/*
 * Takes ciphertext, goes on with the handshake, appends plaintext and ciphertext to send. -EPROTO: refused
 * (see bng_tls_reason()); -ENOBUFS if a buffer is full.
 */
int bng_tls_receive(
	struct bng_tls *tls, struct bng_bytes cipher, struct bng_buffer *plain, struct bng_buffer *send);

/* Encrypts plaintext. -ENOTCONN before the handshake is done. */
int bng_tls_send(struct bng_tls *tls, struct bng_bytes plain, struct bng_buffer *send);

/* What a proof of identity is bound to: both ends of this very connection. */
struct bng_tls_binding {
	uint8_t peer_certificate[BNG_TLS_HASH]; /* SHA-256 of its DER */
	uint8_t own_key[BNG_TLS_KEY_MAX];       /* SubjectPublicKeyInfo, DER */
	size_t own_key_size;
};

/* -ENOTCONN before the handshake is done; -EINVAL if a key is larger than any we use. */
int bng_tls_bind(const struct bng_tls *tls, struct bng_tls_binding *ret_binding);

/* Why the last call failed, one line. */
void bng_tls_reason(const struct bng_tls *tls, char *text, size_t size);

#endif
