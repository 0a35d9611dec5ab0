// SPDX-License-Identifier: Apache-2.0
// TLS over memory: a handshake with both certificates, data both ways fed byte by byte, and the refusals.
#include "test.h"

#include "tls.h"

#include <errno.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

static EVP_PKEY *write_key(const char *name, mode_t mode)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.key", folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
	fclose(file);
	assert_int_equal(chmod(path, mode), 0);
	return key;
}

static X509 *write_certificate(
	const char *name, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key, const char *alternative)
{
	X509 *certificate = X509_new();
	X509_NAME *subject = X509_get_subject_name(certificate);
	X509V3_CTX context;
	X509_EXTENSION *extension;
	char path[128];
	FILE *file;

	X509_set_version(certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1 + name[0]);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(certificate, issuer ? X509_get_subject_name(issuer) : subject);
	X509_set_pubkey(certificate, key);
	X509V3_set_ctx(&context, issuer ? issuer : certificate, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context,
		alternative ? NID_subject_alt_name : NID_basic_constraints,
		alternative ? alternative : "critical,CA:TRUE");
	assert_non_null(extension);
	X509_add_ext(certificate, extension, -1);
	X509_EXTENSION_free(extension);
	assert_true(X509_sign(certificate, issuer_key ? issuer_key : key, EVP_sha256()) > 0);
	snprintf(path, sizeof(path), "%s/%s.pem", folder, name);
	file = fopen(path, "w");
	assert_int_equal(PEM_write_X509(file, certificate), 1);
	fclose(file);
	return certificate;
}

/* ca, other (another authority), server (name and address), edge1, and stranger (of the other authority). */
static void make_files(void)
{
	EVP_PKEY *keys[5];
	X509 *certificates[5];
	int i;

	strcpy(folder, "/tmp/bng-tls-test-XXXXXX");
	assert_non_null(mkdtemp(folder));
	keys[0] = write_key("ca", 0600);
	certificates[0] = write_certificate("ca", keys[0], NULL, NULL, NULL);
	keys[1] = write_key("other", 0600);
	certificates[1] = write_certificate("other", keys[1], NULL, NULL, NULL);
	keys[2] = write_key("server", 0600);
	certificates[2] = write_certificate(
		"server", keys[2], certificates[0], keys[0], "DNS:controller.example,IP:192.0.2.7");
	keys[3] = write_key("edge1", 0600);
	certificates[3] = write_certificate("edge1", keys[3], certificates[0], keys[0], "DNS:edge1");
	keys[4] = write_key("stranger", 0600);
	certificates[4] = write_certificate("stranger", keys[4], certificates[1], keys[1], "DNS:edge1");
	for (i = 0; i < 5; i++) {
		EVP_PKEY_free(keys[i]);
		X509_free(certificates[i]);
	}
}

static void remove_files(void)
{
	static const char *const names[] = {"ca", "other", "server", "edge1", "stranger"};
	char path[128];
	int i;

	for (i = 0; i < 5; i++) {
		snprintf(path, sizeof(path), "%s/%s.key", folder, names[i]);
		unlink(path);
		snprintf(path, sizeof(path), "%s/%s.pem", folder, names[i]);
		unlink(path);
	}
	rmdir(folder);
}

static void *context_of(const char *name, const char *authority, bool server, char *words, size_t size)
{
	static char certificate[128], key[128], ca[128];
	struct bng_tls_files files = {certificate, key, ca};

	snprintf(certificate, sizeof(certificate), "%s/%s.pem", folder, name);
	snprintf(key, sizeof(key), "%s/%s.key", folder, name);
	snprintf(ca, sizeof(ca), "%s/%s.pem", folder, authority);
	return bng_tls_context_new(&files, server, words, size);
}

struct pair {
	void *contexts[2];
	struct bng_tls sides[2]; /* client, server */
	struct bng_buffer plain[2], cipher[2];
	int errors[2];
};

static void pair_init(struct pair *pair, const char *client, const char *client_trusts, const char *host)
{
	char words[256] = "";
	int i;

	memset(pair, 0, sizeof(*pair));
	pair->contexts[0] = context_of(client, client_trusts, false, words, sizeof(words));
	assert_non_null(pair->contexts[0]);
	pair->contexts[1] = context_of("server", "ca", true, words, sizeof(words));
	assert_non_null(pair->contexts[1]);
	for (i = 0; i < 2; i++) {
		bng_buffer_init(&pair->plain[i], 1 << 20);
		bng_buffer_init(&pair->cipher[i], 1 << 20);
	}
	assert_int_equal(bng_tls_init(&pair->sides[0], pair->contexts[0], host, false), 0);
	assert_int_equal(bng_tls_init(&pair->sides[1], pair->contexts[1], NULL, true), 0);
}

static void pair_done(struct pair *pair)
{
	int i;

	for (i = 0; i < 2; i++) {
		bng_tls_done(&pair->sides[i]);
		bng_tls_context_free(pair->contexts[i]);
		bng_buffer_done(&pair->plain[i]);
		bng_buffer_done(&pair->cipher[i]);
	}
}

static void take(struct pair *pair, int side, struct bng_bytes bytes)
{
	int err = bng_tls_receive(&pair->sides[side], bytes, &pair->plain[side], &pair->cipher[side]);

	if (err && !pair->errors[side])
		pair->errors[side] = err;
}

/* Carries ciphertext across in steps of so many bytes until both are silent. */
static void shuttle(struct pair *pair, size_t step)
{
	int side, quiet;

	take(pair, 0, (struct bng_bytes){0});
	do {
		quiet = 1;
		for (side = 0; side < 2; side++) {
			struct bng_buffer *from = &pair->cipher[side];

			while (bng_buffer_size(from)) {
				size_t size = bng_buffer_size(from) < step ? bng_buffer_size(from) : step;

				take(pair, !side, (struct bng_bytes){bng_buffer_front(from), size});
				bng_buffer_consume(from, size);
				quiet = 0;
			}
		}
	} while (!quiet);
}

static void talk(struct pair *pair, size_t step)
{
	static uint8_t data[100000];
	size_t i;

	for (i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7);
	assert_int_equal(
		bng_tls_send(&pair->sides[0], (struct bng_bytes){data, sizeof(data)}, &pair->cipher[0]), 0);
	shuttle(pair, step);
	assert_int_equal(bng_buffer_size(&pair->plain[1]), sizeof(data));
	assert_memory_equal(bng_buffer_front(&pair->plain[1]), data, sizeof(data));
}

TEST(both_sides_meet_and_talk_even_byte_by_byte)
{
	static const size_t steps[] = {1, 100, 65536};
	struct pair pair;
	size_t i;

	make_files();
	for (i = 0; i < 3; i++) {
		pair_init(&pair, "edge1", "ca", i == 1 ? "192.0.2.7" : "controller.example");
		assert_int_equal(bng_tls_send(&pair.sides[0], (struct bng_bytes){(const uint8_t *)"x", 1},
					 &pair.cipher[0]),
			-ENOTCONN);
		shuttle(&pair, steps[i]);
		assert_true(pair.sides[0].established && pair.sides[1].established);
		talk(&pair, steps[i]);
		pair_done(&pair);
	}
	remove_files();
}

static void refused(const char *client, const char *client_trusts, const char *host, int side)
{
	struct pair pair;
	char reason[160] = "";

	pair_init(&pair, client, client_trusts, host);
	shuttle(&pair, 65536);
	assert_int_equal(pair.errors[side], -EPROTO);
	bng_tls_reason(&pair.sides[side], reason, sizeof(reason));
	assert_true(strlen(reason) > 10);
	pair_done(&pair);
}

TEST(wrong_names_and_strangers_are_refused)
{
	make_files();
	refused("edge1", "ca", "other.example", 0);
	refused("edge1", "ca", "192.0.2.8", 0);
	refused("edge1", "other", "controller.example", 0);
	refused("stranger", "ca", "controller.example", 1);
	remove_files();
}

TEST(keys_open_to_others_and_wrong_files_are_refused_in_words)
{
	char words[256], path[128];

	make_files();
	snprintf(path, sizeof(path), "%s/edge1.key", folder);
	assert_int_equal(chmod(path, 0640), 0);
	assert_null(context_of("edge1", "ca", false, words, sizeof(words)));
	assert_non_null(strstr(words, "chmod 600"));
	assert_int_equal(chmod(path, 0600), 0);
	assert_null(context_of("edge1", "missing", false, words, sizeof(words)));
	assert_non_null(strstr(words, "authority"));
	unlink(path);
	assert_null(context_of("edge1", "ca", false, words, sizeof(words)));
	remove_files();
}

TEST(garbage_instead_of_a_handshake_is_refused)
{
	static const uint8_t garbage[64] = "GET / HTTP/1.1\r\n\r\n";
	struct pair pair;

	make_files();
	pair_init(&pair, "edge1", "ca", "controller.example");
	take(&pair, 0, (struct bng_bytes){0});
	take(&pair, 0, (struct bng_bytes){garbage, sizeof(garbage)});
	assert_int_equal(pair.errors[0], -EPROTO);
	pair_done(&pair);
	remove_files();
}
