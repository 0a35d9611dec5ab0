// SPDX-License-Identifier: Apache-2.0
// A pin is the SHA-256 of a certificate's DER. Of the peer's own certificate it is enough by itself: that
// very key was chosen. Of another one of the presented chain it makes that one the only trust anchor, and
// everything else is checked as usual.
#include "tls_identity.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

enum { OWN_CERTIFICATE_DAYS = 3650 };

static int hash_certificate(const X509 *certificate, uint8_t ret_hash[BNG_TLS_HASH])
{
	return X509_digest(certificate, EVP_sha256(), ret_hash, NULL) == 1 ? 0 : -EPROTO;
}

static X509 *self_signed(EVP_PKEY *key)
{
	X509 *certificate = X509_new();
	X509_NAME *name;
	uint64_t serial;

	if (!certificate)
		return NULL;
	name = X509_get_subject_name(certificate);
	if (RAND_bytes((uint8_t *)&serial, sizeof(serial)) == 1 && X509_set_version(certificate, 2) &&
		ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1) &&
		X509_gmtime_adj(X509_getm_notBefore(certificate), -86400) &&
		X509_gmtime_adj(X509_getm_notAfter(certificate), 86400L * OWN_CERTIFICATE_DAYS) &&
		X509_NAME_add_entry_by_txt(
			name, "CN", MBSTRING_ASC, (const unsigned char *)"bng-agent", -1, -1, 0) &&
		X509_set_issuer_name(certificate, name) && X509_set_pubkey(certificate, key) &&
		X509_sign(certificate, key, EVP_sha256()) > 0)
		return certificate;
	X509_free(certificate);
	return NULL;
}

int bng_tls_self_sign(SSL_CTX *context, const char *key_file)
{
	EVP_PKEY *made = key_file ? NULL : EVP_EC_gen("P-256");
	EVP_PKEY *key = key_file ? SSL_CTX_get0_privatekey(context) : made;
	X509 *certificate = key ? self_signed(key) : NULL;
	int err = -EINVAL;

	if (certificate && SSL_CTX_use_certificate(context, certificate) == 1 &&
		SSL_CTX_use_PrivateKey(context, key) == 1)
		err = 0;
	X509_free(certificate);
	EVP_PKEY_free(made);
	return err;
}

/* The certificate of the presented chain that has the pinned hash. */
static X509 *pinned(STACK_OF(X509) * chain, const uint8_t *pin)
{
	uint8_t hash[BNG_TLS_HASH];
	int i;

	for (i = 0; i < sk_X509_num(chain); i++)
		if (!hash_certificate(sk_X509_value(chain, i), hash) && !memcmp(hash, pin, sizeof(hash)))
			return sk_X509_value(chain, i);
	return NULL;
}

static int verify(X509_STORE_CTX *store, void *argument)
{
	const uint8_t *pin = argument;
	STACK_OF(X509) * anchors;
	X509 *anchor = pin ? pinned(X509_STORE_CTX_get0_untrusted(store), pin) : NULL;
	int good;

	if (!anchor) {
		X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
		return 0;
	}
	if (anchor == X509_STORE_CTX_get0_cert(store)) {
		X509_STORE_CTX_set_error(store, X509_V_OK);
		return 1;
	}
	anchors = sk_X509_new_null();
	if (!anchors || !sk_X509_push(anchors, anchor)) {
		sk_X509_free(anchors);
		X509_STORE_CTX_set_error(store, X509_V_ERR_OUT_OF_MEM);
		return 0;
	}
	X509_STORE_CTX_set0_trusted_stack(store, anchors);
	good = X509_verify_cert(store);
	X509_STORE_CTX_set0_trusted_stack(store, NULL);
	sk_X509_free(anchors);
	return good == 1;
}

static void free_pin(void *parent, void *pin, CRYPTO_EX_DATA *data, int index, long argument, void *pointer)
{
	(void)parent, (void)data, (void)index, (void)argument, (void)pointer;
	OPENSSL_free(pin);
}

static int pin_index(void)
{
	static int index = -1;

	if (index < 0)
		index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_pin);
	return index;
}

int bng_tls_pin(SSL_CTX *context, const uint8_t *pin)
{
	uint8_t *copy = pin ? OPENSSL_memdup(pin, BNG_TLS_HASH) : NULL;

	if (pin && (!copy || SSL_CTX_set_ex_data(context, pin_index(), copy) != 1)) {
		OPENSSL_free(copy);
		return -ENOMEM;
	}
	SSL_CTX_set_cert_verify_callback(context, verify, copy);
	return 0;
}

bool bng_tls_pin_reason(SSL *ssl, char *text, size_t size)
{
	STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
	uint8_t hash[BNG_TLS_HASH];
	size_t at;
	int i, used;

	if (SSL_get_verify_result(ssl) != X509_V_ERR_APPLICATION_VERIFICATION || sk_X509_num(chain) <= 0 ||
		hash_certificate(sk_X509_value(chain, sk_X509_num(chain) - 1), hash))
		return false;
	/* The last one is the authority, if the controller sends it. */
	used = snprintf(text, size, "controller is not the pinned one: it shows sha256:");
	at = used > 0 ? (size_t)used : 0;
	for (i = 0; i < BNG_TLS_HASH && at + 3 <= size; i++, at += 2)
		(void)snprintf(text + at, size - at, "%02x", hash[i]);
	return true;
}

int bng_tls_bind(const struct bng_tls *tls, struct bng_tls_binding *ret_binding)
{
	X509 *peer = tls->established ? SSL_get0_peer_certificate(tls->ssl) : NULL;
	X509 *own = SSL_get_certificate(tls->ssl);
	struct bng_tls_binding binding = {0};
	uint8_t *at = binding.own_key;
	int size;

	if (!peer || !own)
		return -ENOTCONN;
	size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(own), NULL);
	if (size <= 0 || size > BNG_TLS_KEY_MAX || hash_certificate(peer, binding.peer_certificate))
		return -EINVAL;
	(void)i2d_X509_PUBKEY(X509_get_X509_PUBKEY(own), &at);
	binding.own_key_size = (size_t)size;
	*ret_binding = binding;
	return 0;
}
