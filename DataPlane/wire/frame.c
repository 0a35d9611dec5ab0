// SPDX-License-Identifier: Apache-2.0
// Framing, and protobuf-c over an arena so that a message cannot cost more than its budget.
#include "frame.h"

#include "field.h"

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
	*ret_body = (struct bng_bytes){.data = data.data + BNG_FRAME_HEAD, .size = length};
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

/* protobuf-c lets field number 0 pass when it comes in two bytes; it is no field (protobuf encoding, "field
 * numbers"). */
static bool has_field_zero(const ProtobufCMessage *message)
{
	const ProtobufCMessageDescriptor *type = message->descriptor;
	size_t element;
	unsigned i;

	for (i = 0; i < message->n_unknown_fields; i++)
		if (!message->unknown_fields[i].tag)
			return true;
	for (i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &type->fields[i];

		if (field->type != PROTOBUF_C_TYPE_MESSAGE)
			continue;
		for (element = 0; element < bng_field_count(message, field); element++)
			if (has_field_zero(
				    *(const ProtobufCMessage *const *)bng_field_at(message, field, element)))
				return true;
	}
	return false;
}

ProtobufCMessage *bng_frame_decode(
	const ProtobufCMessageDescriptor *type, struct bng_arena *arena, struct bng_bytes body)
{
	ProtobufCAllocator allocator = {.alloc = arena_alloc, .free = arena_free, .allocator_data = arena};
	ProtobufCMessage *message = protobuf_c_message_unpack(type, &allocator, body.size, body.data);

	return message && has_field_zero(message) ? NULL : message;
}
