/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a node's identity in its state directory: key.pem, certificate.pem, authority.pem. Written
 * whole or not at all. */
#ifndef BNG_CREDENTIALS_H
#define BNG_CREDENTIALS_H

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>

#include "bytes.h"

enum { BNG_REQUEST_MAX = 4096 };

/* The path of one of them, in a buffer of the caller's. -ENAMETOOLONG. */
int bng_credentials_path(const char *directory, const char *name, char *ret_path, size_t size);

/* Makes key.pem (ECDSA P-256, 0600) unless it is there. -errno with a sentence in words. */
int bng_credentials_key(const char *directory, char *words, size_t size);

/* A request for a certificate of key.pem: PKCS #10, DER. */
int bng_credentials_request(
	const char *directory, const char *name, uint8_t ret_request[BNG_REQUEST_MAX], size_t *ret_size);

/* Writes certificate.pem and authority.pem from DER, after checking that the first certificate is key.pem's.
 */
int bng_credentials_store(const char *directory, const struct bng_bytes *certificates, size_t count,
	struct bng_bytes authority, char *words, size_t size);

/* Replaces a file by content, synced to disk before and after; mode 0600. */
int bng_credentials_write(const char *directory, const char *name, const char *content, size_t size);

/* When certificate.pem begins and ends to count, UTC milliseconds. -ENOENT: there is none that can be read.
 */
int bng_credentials_times(const char *directory, uint64_t *ret_stored_ms, uint64_t *ret_ends_ms);

#endif
