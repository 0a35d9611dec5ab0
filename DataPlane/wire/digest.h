/* SPDX-License-Identifier: Apache-2.0 */
/* The canonical encoding and the digest of an object (docs/contract.md, section 6), for any message by its
 * descriptor. */
#ifndef BNG_DIGEST_H
#define BNG_DIGEST_H

#include "buffer.h"
#include "object.h"

#include <protobuf-c/protobuf-c.h>

/* Reused from object to object: the hash context and the encoding's buffer. */
struct bng_digester {
	void *sha256;
	void *context;
	struct bng_buffer canon;
};

int bng_digester_init(struct bng_digester *digester);
void bng_digester_done(struct bng_digester *digester);

/* Appends canon(message). -ENOMEM, -ENOBUFS. */
int bng_canon_append(struct bng_buffer *out, const ProtobufCMessage *message);

int bng_digest_object(struct bng_digester *digester, enum bng_family family, uint64_t id, uint64_t generation,
	const ProtobufCMessage *body, uint8_t ret_digest[BNG_DIGEST_SIZE]);

#endif
