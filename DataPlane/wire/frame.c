// SPDX-License-Identifier: Apache-2.0
// Framing, and protobuf-c over an arena so that a message cannot cost more than its budget.
#include "frame.h"

#include <errno.h>

int bng_frame_next(struct bng_bytes data, struct bng_bytes *ret_body)
{
	uint32_t length;

	if (data.size < BNG_FRAME_HEAD)
		return 0;
	length = bng_get_be32(data.data);
	if (!length)
		return -EBADMSG;
	if (length > BNG_FRAME_BYTES_MAX)
		return -EMSGSIZE;
	if (data.size - BNG_FRAME_HEAD < length)
		return 0;
	*ret_body = (struct bng_bytes){ .data = data.data + BNG_FRAME_HEAD, .size = length };
	return 1;
}

int bng_frame_append(struct bng_buffer *out, const ProtobufCMessage *message)
{
	size_t size = protobuf_c_message_get_packed_size(message);
	uint8_t *at;
	int err;

	if (size > BNG_FRAME_BYTES_MAX)
		return -EMSGSIZE;
	err = bng_buffer_reserve(out, BNG_FRAME_HEAD + size, &at);
	if (err)
		return err;
	bng_put_be32(at, (uint32_t)size);
	(void)protobuf_c_message_pack(message, at + BNG_FRAME_HEAD);
	bng_buffer_commit(out, BNG_FRAME_HEAD + size);
	return 0;
}

static void *arena_alloc(void *arena, size_t size)
{
	return bng_arena_alloc(arena, size);
}

static void arena_free(void *arena, void *p)
{
	(void)arena;
	(void)p;
}

ProtobufCMessage *bng_frame_decode(const ProtobufCMessageDescriptor *type, struct bng_arena *arena,
	struct bng_bytes body)
{
	ProtobufCAllocator allocator = { .alloc = arena_alloc, .free = arena_free, .allocator_data = arena };

	return protobuf_c_message_unpack(type, &allocator, body.size, body.data);
}
