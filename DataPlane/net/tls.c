// SPDX-License-Identifier: Apache-2.0
// OpenSSL with memory BIOs. Session tickets and renegotiation are off: a lane is dialled rarely and lives
// long.
#include "tls.h"

#include "tls_identity.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <sys/stat.h>

enum { STEP = 16384 };

static void explain(char *words, size_t size, const char *what, const char *file)
{
	char reason[160] = "";
	unsigned long code = ERR_peek_last_error();

	if (code)
		ERR_error_string_n(code, reason, sizeof(reason));
	(void)snprintf(words, size, "%s %s: %s", what, file ? file : "", reason);
	ERR_clear_error();
}

bool bng_tls_is_private(const char *path, char *words, size_t size)
{
	struct stat status;

	if (stat(path, &status)) {
		(void)snprintf(words, size, "key %s: %s", path, strerrordesc_np(errno));
		return false;
	}
	if (status.st_mode & (S_IRWXG | S_IRWXO)) {
		(void)snprintf(words, size, "key %s is open to group or others (mode %04o); chmod 600 it",
			path, status.st_mode & 07777U);
		return false;
	}
	return true;
}

static bool use_own_key(SSL_CTX *context, const struct bng_tls_files *files, char *words, size_t words_size)
{
	if (files->certificate && SSL_CTX_use_certificate_chain_file(context, files->certificate) != 1)
		explain(words, words_size, "certificate", files->certificate);
	else if (files->key && SSL_CTX_use_PrivateKey_file(context, files->key, SSL_FILETYPE_PEM) != 1)
		explain(words, words_size, "key", files->key);
	else if (!files->certificate && bng_tls_self_sign(context, files->key))
		explain(words, words_size, "a certificate of its own for", files->key);
	else if (SSL_CTX_check_private_key(context) != 1)
		explain(words, words_size, "key", files->key);
	else
		return true;
	return false;
}

void *bng_tls_context_new(const struct bng_tls_files *files, bool server, char *words, size_t words_size)
{
	SSL_CTX *context;

	if (files->key && !bng_tls_is_private(files->key, words, words_size))
		return NULL;
	ERR_clear_error();
	context = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
	if (!context) {
		explain(words, words_size, "TLS", NULL);
		return NULL;
	}
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	(void)SSL_CTX_set_num_tickets(context, 0);
	(void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	if (!SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION))
		explain(words, words_size, "TLS 1.3", NULL);
	else if (!use_own_key(context, files, words, words_size))
		; /* said */
	else if (files->authority && SSL_CTX_load_verify_locations(context, files->authority, NULL) != 1)
		explain(words, words_size, "authority", files->authority);
	else if (!files->authority && bng_tls_pin(context, files->pin))
		explain(words, words_size, "pin", NULL);
	else
		return context;
	SSL_CTX_free(context);
	return NULL;
}

void bng_tls_context_free(void *context)
{
	SSL_CTX_free(context);
}

/* An address literal must stand in the certificate as an address, a name as a name. */
static int expect_host(SSL *ssl, const char *host)
{
	X509_VERIFY_PARAM *parameters = SSL_get0_param(ssl);

	if (X509_VERIFY_PARAM_set1_ip_asc(parameters, host) == 1)
		return 0;
	ERR_clear_error();
	X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (SSL_set1_host(ssl, host) != 1 || SSL_set_tlsext_host_name(ssl, host) != 1)
		return -EINVAL;
	return 0;
}

int bng_tls_init(struct bng_tls *tls, void *context, const char *host, bool server)
{
	SSL *ssl = SSL_new(context);
	BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
	int err = ssl && in && out ? 0 : -ENOMEM;

	if (!err && host)
		err = expect_host(ssl, host);
	if (err) {
		SSL_free(ssl);
		BIO_free(in);
		BIO_free(out);
		return err;
	}
	SSL_set_bio(ssl, in, out);
	if (server)
		SSL_set_accept_state(ssl);
	else
		SSL_set_connect_state(ssl);
	*tls = (struct bng_tls){.ssl = ssl, .in = in, .out = out};
	return 0;
}

void bng_tls_done(struct bng_tls *tls)
{
	SSL_free(tls->ssl); /* owns the BIOs */
	*tls = (struct bng_tls){0};
}

static int drain(struct bng_tls *tls, struct bng_buffer *send)
{
	size_t size = BIO_ctrl_pending(tls->out);
	uint8_t *at;
	int err, got;

	while (size) {
		err = bng_buffer_reserve(send, size, &at);
		if (err)
			return err;
		got = BIO_read(tls->out, at, (int)size);
		if (got <= 0)
			break;
		bng_buffer_commit(send, (size_t)got);
		size = BIO_ctrl_pending(tls->out);
	}
	return 0;
}

/* 0: go on when there is more input. */
static int judge(struct bng_tls *tls, int result)
{
	switch (SSL_get_error(tls->ssl, result)) {
	case SSL_ERROR_NONE:
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return 0;
	case SSL_ERROR_ZERO_RETURN:
		tls->ended = true;
		return 0;
	default:
		return -EPROTO;
	}
}

static int read_plain(struct bng_tls *tls, struct bng_buffer *plain)
{
	uint8_t *at;
	int err, got;

	for (;;) {
		err = bng_buffer_reserve(plain, STEP, &at);
		if (err)
			return err;
		got = SSL_read(tls->ssl, at, STEP);
		if (got <= 0)
			return judge(tls, got);
		bng_buffer_commit(plain, (size_t)got);
	}
}

int bng_tls_receive(
	struct bng_tls *tls, struct bng_bytes cipher, struct bng_buffer *plain, struct bng_buffer *send)
{
	int err = 0, drained;

	ERR_clear_error();
	if (cipher.size && BIO_write(tls->in, cipher.data, (int)cipher.size) != (int)cipher.size)
		return -ENOMEM;
	if (!tls->established) {
		int result = SSL_do_handshake(tls->ssl);

		err = judge(tls, result);
		tls->established = result == 1;
	}
	if (!err && tls->established)
		err = read_plain(tls, plain);
	/* A refusal's alert must go out, too. */
	drained = drain(tls, send);
	return err ? err : drained;
}

int bng_tls_send(struct bng_tls *tls, struct bng_bytes plain, struct bng_buffer *send)
{
	if (!tls->established)
		return -ENOTCONN;
	ERR_clear_error();
	while (plain.size) {
		int step = plain.size > STEP ? STEP : (int)plain.size,
		    done = SSL_write(tls->ssl, plain.data, step);

		if (done <= 0)
			return -EPROTO;
		plain.data += done;
		plain.size -= (size_t)done;
	}
	return drain(tls, send);
}

void bng_tls_reason(const struct bng_tls *tls, char *text, size_t size)
{
	long verify = SSL_get_verify_result(tls->ssl);
	unsigned long code = ERR_peek_last_error();

	if (bng_tls_pin_reason(tls->ssl, text, size))
		return;
	if (verify != X509_V_OK)
		(void)snprintf(text, size, "peer's certificate: %s", X509_verify_cert_error_string(verify));
	else if (code)
		ERR_error_string_n(code, text, size);
	else
		(void)snprintf(text, size, "TLS failed");
}
