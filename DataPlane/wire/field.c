// SPDX-License-Identifier: Apache-2.0
// Field access by offset; proto3 labels only (NONE, REPEATED, oneof members).
#include "field.h"

#include <string.h>

static size_t element_size(const ProtobufCFieldDescriptor *field)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return 8;
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_MESSAGE:
		return sizeof(void *);
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	case PROTOBUF_C_TYPE_BOOL:
		return sizeof(protobuf_c_boolean);
	default:
		return 4;
	}
}

static const void *member(const ProtobufCMessage *message, unsigned offset)
{
	return (const uint8_t *)message + offset;
}

size_t bng_field_count(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return *(const size_t *)member(message, field->quantifier_offset);
	if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
		return *(const uint32_t *)member(message, field->quantifier_offset) == field->id;
	if (field->type == PROTOBUF_C_TYPE_MESSAGE)
		return *(void *const *)member(message, field->offset) != NULL;
	return 1;
}

const void *bng_field_at(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, size_t i)
{
	const uint8_t *array;

	if (field->label != PROTOBUF_C_LABEL_REPEATED)
		return member(message, field->offset);
	array = *(const uint8_t *const *)member(message, field->offset);
	return array + i * element_size(field);
}

uint64_t bng_field_integer(const ProtobufCFieldDescriptor *field, const void *element)
{
	uint64_t wide;
	uint32_t narrow;
	int32_t sign;

	switch (field->type) {
	case PROTOBUF_C_TYPE_BOOL:
		return *(const protobuf_c_boolean *)element != 0;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		memcpy(&narrow, element, sizeof(narrow));
		return narrow;
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_ENUM:
		memcpy(&sign, element, sizeof(sign));
		return (uint64_t)(int64_t)sign;
	default:
		memcpy(&wide, element, sizeof(wide));
		return wide;
	}
}
