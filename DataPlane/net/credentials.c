// SPDX-License-Identifier: Apache-2.0
// OpenSSL makes keys and requests and reads certificates; files are replaced by renaming.
#include "credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PATH_SIZE = 512 };

int bng_credentials_path(const char *directory, const char *name, char *ret_path, size_t size)
{
	int used = snprintf(ret_path, size, "%s/%s", directory, name);

	return used > 0 && (size_t)used < size ? 0 : -ENAMETOOLONG;
}

static int sync_directory(const char *directory)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (fsync(fd))
		err = -errno;
	(void)close(fd);
	return err;
}

static int write_all(int fd, const char *content, size_t size)
{
	while (size) {
		ssize_t done = write(fd, content, size);

		if (done < 0)
			return -errno;
		content += done;
		size -= (size_t)done;
	}
	return fsync(fd) ? -errno : 0;
}

int bng_credentials_write(const char *directory, const char *name, const char *content, size_t size)
{
	char path[PATH_SIZE], fresh[PATH_SIZE + 8];
	int err = bng_credentials_path(directory, name, path, sizeof(path)), fd;

	if (err)
		return err;
	(void)snprintf(fresh, sizeof(fresh), "%s.new", path);
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	err = write_all(fd, content, size);
	(void)close(fd);
	if (!err && rename(fresh, path))
		err = -errno;
	if (err) {
		(void)unlink(fresh);
		return err;
	}
	return sync_directory(directory);
}

static int write_bio(const char *directory, const char *name, BIO *bio)
{
	char *text;
	long size = BIO_get_mem_data(bio, &text);

	return size > 0 ? bng_credentials_write(directory, name, text, (size_t)size) : -EINVAL;
}

int bng_credentials_key(const char *directory, char *words, size_t size)
{
	char path[PATH_SIZE];
	EVP_PKEY *key;
	BIO *bio;
	int err = bng_credentials_path(directory, "key.pem", path, sizeof(path));

	if (!err && mkdir(directory, 0700) && errno != EEXIST)
		err = -errno;
	if (!err && !access(path, F_OK))
		return 0;
	key = EVP_EC_gen("P-256");
	bio = BIO_new(BIO_s_mem());
	if (!err)
		err = key && bio && PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1
			      ? write_bio(directory, "key.pem", bio)
			      : -ENOMEM;
	EVP_PKEY_free(key);
	BIO_free(bio);
	if (err)
		(void)snprintf(
			words, size, "state %s: no key could be made: %s", directory, strerrordesc_np(-err));
	return err;
}

static EVP_PKEY *read_key(const char *directory)
{
	char path[PATH_SIZE];
	EVP_PKEY *key = NULL;
	FILE *file;

	if (bng_credentials_path(directory, "key.pem", path, sizeof(path)))
		return NULL;
	file = fopen(path, "re");
	if (file) {
		key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
		(void)fclose(file);
	}
	return key;
}

int bng_credentials_request(
	const char *directory, const char *name, uint8_t ret_request[BNG_REQUEST_MAX], size_t *ret_size)
{
	EVP_PKEY *key = read_key(directory);
	X509_REQ *request = X509_REQ_new();
	uint8_t *at = ret_request;
	int err = -EINVAL, length;

	if (key && request && X509_REQ_set_version(request, X509_REQ_VERSION_1) == 1 &&
		X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(request), "CN", MBSTRING_UTF8,
			(const unsigned char *)name, -1, -1, 0) == 1 &&
		X509_REQ_set_pubkey(request, key) == 1 && X509_REQ_sign(request, key, EVP_sha256()) > 0) {
		length = i2d_X509_REQ(request, NULL);
		if (length > 0 && length <= BNG_REQUEST_MAX) {
			(void)i2d_X509_REQ(request, &at);
			*ret_size = (size_t)length;
			err = 0;
		}
	}
	X509_REQ_free(request);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return err;
}

static X509 *decode(struct bng_bytes der)
{
	const uint8_t *at = der.data;
	X509 *certificate = d2i_X509(NULL, &at, (long)der.size);

	if (certificate && at == der.data + der.size)
		return certificate;
	X509_free(certificate);
	return NULL;
}

static int append(BIO *bio, struct bng_bytes der)
{
	X509 *certificate = decode(der);
	int good = certificate && PEM_write_bio_X509(bio, certificate) == 1;

	X509_free(certificate);
	return good ? 0 : -EBADMSG;
}

static bool is_for_key(struct bng_bytes der, EVP_PKEY *key)
{
	X509 *certificate = decode(der);
	bool good = certificate && key && X509_check_private_key(certificate, key) == 1;

	X509_free(certificate);
	return good;
}

int bng_credentials_store(const char *directory, const struct bng_bytes *certificates, size_t count,
	struct bng_bytes authority, char *words, size_t size)
{
	BIO *chain = BIO_new(BIO_s_mem()), *root = BIO_new(BIO_s_mem());
	EVP_PKEY *key = read_key(directory);
	int err = chain && root ? 0 : -ENOMEM;
	size_t i;

	if (!err && (!count || !is_for_key(certificates[0], key)))
		err = -EKEYREJECTED;
	for (i = 0; i < count && !err; i++)
		err = append(chain, certificates[i]);
	if (!err)
		err = append(root, authority);
	if (!err)
		err = write_bio(directory, "authority.pem", root);
	if (!err)
		err = write_bio(directory, "certificate.pem", chain);
	if (err)
		(void)snprintf(words, size, "state %s: the certificates cannot be used: %s", directory,
			strerrordesc_np(-err));
	EVP_PKEY_free(key);
	BIO_free(chain);
	BIO_free(root);
	ERR_clear_error();
	return err;
}

int bng_credentials_times(const char *directory, uint64_t *ret_stored_ms, uint64_t *ret_ends_ms)
{
	char path[PATH_SIZE];
	X509 *certificate = NULL;
	struct stat status;
	struct tm end;
	FILE *file;

	if (bng_credentials_path(directory, "certificate.pem", path, sizeof(path)) || stat(path, &status))
		return -ENOENT;
	file = fopen(path, "re");
	if (file) {
		certificate = PEM_read_X509(file, NULL, NULL, NULL);
		(void)fclose(file);
	}
	if (!certificate || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) != 1) {
		X509_free(certificate);
		ERR_clear_error();
		return -ENOENT;
	}
	X509_free(certificate);
	*ret_stored_ms = (uint64_t)status.st_mtim.tv_sec * 1000;
	*ret_ends_ms = (uint64_t)timegm(&end) * 1000;
	return 0;
}
