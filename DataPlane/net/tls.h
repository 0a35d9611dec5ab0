/* SPDX-License-Identifier: Apache-2.0 */
/* TLS 1.3 over memory: ciphertext and plaintext go through buffers, sockets stay outside. */
#ifndef BNG_TLS_H
#define BNG_TLS_H

#include <stdbool.h>

#include "buffer.h"
#include "bytes.h"

struct bng_tls_files {
	const char *certificate; /* PEM chain */
	const char *key;         /* readable by its owner only */
	const char *authority;   /* PEM, signs the peer */
};

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

/* Why the last call failed, one line. */
void bng_tls_reason(const struct bng_tls *tls, char *text, size_t size);

#endif
