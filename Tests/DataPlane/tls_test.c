// SPDX-License-Identifier: Apache-2.0
// TLS over memory: a handshake with both certificates, data both ways fed byte by byte, and the refusals.
#include "test.h"

#include "credentials.h"
#include "psk.h"
#include "tls.h"

#include <errno.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
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
	struct bng_tls_files files = {.certificate = certificate, .key = key, .authority = ca};

	snprintf(certificate, sizeof(certificate), "%s/%s.pem", folder, name);
	snprintf(key, sizeof(key), "%s/%s.key", folder, name);
	snprintf(ca, sizeof(ca), "%s/%s.pem", folder, authority);
	return bng_tls_context_new(&files, server, words, size);
}

static int take_anybody(int good, X509_STORE_CTX *store)
{
	(void)good, (void)store;
	return 1;
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

/* A client that knows the server by a pin alone, and shows a certificate it made itself. */
static void pin_pair(struct pair *pair, const char *of, const char *host)
{
	uint8_t pin[BNG_TLS_HASH] = {1};
	char path[128], words[256] = "";
	X509 *certificate;
	FILE *file;

	pair_init(pair, "edge1", "ca", host);
	if (of) {
		snprintf(path, sizeof(path), "%s/%s.pem", folder, of);
		file = fopen(path, "r");
		certificate = PEM_read_X509(file, NULL, NULL, NULL);
		fclose(file);
		X509_digest(certificate, EVP_sha256(), pin, NULL);
		X509_free(certificate);
	}
	bng_tls_done(&pair->sides[0]);
	bng_tls_context_free(pair->contexts[0]);
	pair->contexts[0] =
		bng_tls_context_new(&(struct bng_tls_files){.pin = pin}, false, words, sizeof(words));
	assert_non_null(pair->contexts[0]);
	assert_int_equal(bng_tls_init(&pair->sides[0], pair->contexts[0], host, false), 0);
	/* The server takes anybody, and sends its authority along. */
	SSL_set_verify(pair->sides[1].ssl, SSL_VERIFY_PEER, take_anybody);
	snprintf(path, sizeof(path), "%s/ca.pem", folder);
	file = fopen(path, "r");
	certificate = PEM_read_X509(file, NULL, NULL, NULL);
	fclose(file);
	assert_int_equal(SSL_add1_chain_cert(pair->sides[1].ssl, certificate), 1);
	X509_free(certificate);
	shuttle(pair, 65536);
}

TEST(a_pin_of_the_server_or_of_its_authority_is_enough_and_any_other_is_not)
{
	static const struct {
		const char *pin, *host;
		bool good;
	} cases[] = {
		{"server", "controller.example", true},
		{"server", "elsewhere.example", true}, /* that very certificate */
		{"ca", "controller.example", true},
		{"ca", "elsewhere.example", false}, /* anybody of the authority is not enough */
		{"other", "controller.example", false},
		{NULL, "controller.example", false},
	};
	struct pair pair;
	char reason[160];
	size_t i;

	make_files();
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pin_pair(&pair, cases[i].pin, cases[i].host);
		assert_int_equal(pair.sides[0].established, cases[i].good);
		bng_tls_reason(&pair.sides[0], reason, sizeof(reason));
		if (i >= 4)
			assert_non_null(strstr(reason, "it shows sha256:"));
		pair_done(&pair);
	}
	remove_files();
}

TEST(both_ends_of_a_connection_bind_the_same_keys)
{
	struct bng_tls_binding client, server;
	struct pair pair;
	uint8_t hash[BNG_TLS_HASH];

	make_files();
	pair_init(&pair, "edge1", "ca", "controller.example");
	assert_int_equal(bng_tls_bind(&pair.sides[0], &client), -ENOTCONN);
	shuttle(&pair, 65536);
	assert_int_equal(bng_tls_bind(&pair.sides[0], &client), 0);
	assert_int_equal(bng_tls_bind(&pair.sides[1], &server), 0);
	assert_int_equal(client.own_key_size, 91);
	assert_memory_not_equal(client.own_key, server.own_key, 91);
	X509_digest(SSL_get0_peer_certificate(pair.sides[0].ssl), EVP_sha256(), hash, NULL);
	assert_memory_equal(hash, client.peer_certificate, sizeof(hash));
	pair_done(&pair);
	remove_files();
}

TEST(the_proof_of_a_key_is_what_the_specification_says)
{
	/* The same one stands in the controller's tests. */
	static const uint8_t expected[BNG_PSK_MAC] = {0x5e, 0x5d, 0x97, 0xff, 0xf6, 0x59, 0x5e, 0x77, 0x75,
		0xaa, 0x74, 0xde, 0x10, 0x47, 0xce, 0xbc, 0x40, 0x8d, 0xc5, 0x9d, 0x17, 0xf6, 0xa6, 0xdf,
		0x81, 0x5e, 0xd2, 0xad, 0x3a, 0x5a, 0xeb, 0xc0};
	struct bng_psk psk = {.size = 32};
	struct bng_tls_binding binding = {.own_key_size = 91};
	uint8_t certificate[100], first[32], second[32], mac[BNG_PSK_MAC];

	memcpy(psk.key, "0123456789abcdef0123456789abcdef", 32);
	memset(certificate, 3, sizeof(certificate));
	memset(binding.own_key, 4, 91);
	memset(first, 1, 32);
	memset(second, 2, 32);
	EVP_Digest(certificate, sizeof(certificate), binding.peer_certificate, NULL, EVP_sha256(), NULL);
	assert_int_equal(bng_psk_prove(&psk, &binding, first, second, mac), 0);
	assert_memory_equal(mac, expected, sizeof(mac));
}

TEST(a_key_file_is_one_long_line_nobody_else_reads)
{
	struct bng_psk psk;
	char path[128], words[256];
	FILE *file;

	strcpy(folder, "/tmp/bng-tls-test-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/psk", folder);
	file = fopen(path, "w");
	fputs("0123456789abcdef0123456789abcdef\n", file);
	fclose(file);
	chmod(path, 0644);
	assert_true(bng_psk_read(path, &psk, words, sizeof(words)) < 0);
	assert_non_null(strstr(words, "chmod 600"));
	chmod(path, 0600);
	assert_int_equal(bng_psk_read(path, &psk, words, sizeof(words)), 0);
	assert_int_equal(psk.size, 32);
	file = fopen(path, "w");
	fputs("short\n", file);
	fclose(file);
	assert_true(bng_psk_read(path, &psk, words, sizeof(words)) < 0);
	assert_non_null(strstr(words, "32 to 1024"));
	unlink(path);
	rmdir(folder);
}

TEST(credentials_are_made_checked_and_replaced_whole)
{
	uint8_t request[BNG_REQUEST_MAX], der[2][2048];
	struct bng_bytes certificate, authority;
	const uint8_t *at = request;
	EVP_PKEY *keys[2];
	X509 *made[2];
	X509_REQ *parsed;
	char path[160], words[256] = "";
	uint64_t stored, ends;
	size_t size;
	FILE *file;
	int i;

	strcpy(folder, "/tmp/bng-tls-test-XXXXXX");
	assert_non_null(mkdtemp(folder));
	assert_int_equal(bng_credentials_key(folder, words, sizeof(words)), 0);
	assert_int_equal(bng_credentials_times(folder, &stored, &ends), -ENOENT);
	assert_int_equal(bng_credentials_request(folder, "edge1", request, &size), 0);
	parsed = d2i_X509_REQ(NULL, &at, (long)size);
	assert_non_null(parsed);
	assert_int_equal(X509_REQ_verify(parsed, X509_REQ_get0_pubkey(parsed)), 1);
	X509_REQ_free(parsed);
	snprintf(path, sizeof(path), "%s/key.pem", folder);
	file = fopen(path, "r");
	keys[0] = PEM_read_PrivateKey(file, NULL, NULL, NULL);
	fclose(file);
	keys[1] = EVP_EC_gen("P-256");
	for (i = 0; i < 2; i++) {
		uint8_t *to = der[i];

		made[i] = write_certificate("made", keys[i], NULL, NULL, NULL);
		size = (size_t)i2d_X509(made[i], &to);
		*(i ? &authority : &certificate) = (struct bng_bytes){der[i], size};
	}
	/* Of another key, cut short, none. */
	assert_true(bng_credentials_store(folder, &authority, 1, authority, words, sizeof(words)) < 0);
	certificate.size--;
	assert_true(bng_credentials_store(folder, &certificate, 1, authority, words, sizeof(words)) < 0);
	certificate.size++;
	assert_true(bng_credentials_store(folder, &certificate, 0, authority, words, sizeof(words)) < 0);
	assert_int_equal(bng_credentials_times(folder, &stored, &ends), -ENOENT);
	assert_int_equal(bng_credentials_store(folder, &certificate, 1, authority, words, sizeof(words)), 0);
	assert_int_equal(bng_credentials_times(folder, &stored, &ends), 0);
	assert_true(ends > stored && ends - stored <= 3600 * 1000);
	for (i = 0; i < 2; i++) {
		EVP_PKEY_free(keys[i]);
		X509_free(made[i]);
	}
	for (i = 0; i < 4; i++) {
		static const char *const names[] = {
			"key.pem", "certificate.pem", "authority.pem", "made.pem"};

		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		assert_int_equal(unlink(path), 0);
	}
	assert_int_equal(rmdir(folder), 0);
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
