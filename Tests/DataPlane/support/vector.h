/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the golden vectors of the contract (docs/contract.md, section 13), and prints messages in protobuf
 * text format. */
#ifndef BNG_VECTOR_H
#define BNG_VECTOR_H

#include "bytes.h"

#include <protobuf-c/protobuf-c.h>

struct bng_vector {
	char name[64];
	char message[64];
	char text[65536];
	char error[64];
	char error_path[64];
	uint8_t bytes[65536]; /* of frame: or bytes: */
	size_t size;
	uint8_t canon[65536];
	size_t canon_size;
	uint8_t digest[64];
	size_t digest_size;
	int has_text, is_frame, has_canon, has_error;
};

/* Calls visit for every vector; fails the test if there is none. */
void bng_vectors_each(void (*visit)(const struct bng_vector *vector));

const ProtobufCMessageDescriptor *bng_vector_type(const struct bng_vector *vector);

/* The message's own bytes, without the length of a frame. */
struct bng_bytes bng_vector_body(const struct bng_vector *vector);

/* Text format as protoc prints it. */
void bng_text_format(const ProtobufCMessage *message, char *ret, size_t size);

#endif
