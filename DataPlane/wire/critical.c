// SPDX-License-Identifier: Apache-2.0
// Recursion follows the schema, so its depth is the schema's.
#include "critical.h"

#include "field.h"

#include <errno.h>
#include <stdio.h>

static int refuse(char *ret_path, const char *prefix, unsigned number)
{
	if (!number)
		(void)snprintf(ret_path, BNG_PATH_SIZE, "%s", prefix);
	else
		(void)snprintf(ret_path, BNG_PATH_SIZE, "%s%s%u", prefix, prefix[0] ? "." : "", number);
	return -EOPNOTSUPP;
}

static int check_unknown_fields(const ProtobufCMessage *message, const char *prefix, char *ret_path)
{
	unsigned i;

	for (i = 0; i < message->n_unknown_fields; i++)
		if (message->unknown_fields[i].tag < BNG_FIRST_IGNORABLE_FIELD)
			return refuse(ret_path, prefix, message->unknown_fields[i].tag);
	return 0;
}

static int check(const ProtobufCMessage *message, const char *prefix, char *ret_path)
{
	const ProtobufCMessageDescriptor *type = message->descriptor;
	char path[BNG_PATH_SIZE];
	size_t element;
	unsigned i;
	int err;

	err = check_unknown_fields(message, prefix, ret_path);
	for (i = 0; i < type->n_fields && !err; i++) {
		const ProtobufCFieldDescriptor *field = &type->fields[i];

		if (field->type != PROTOBUF_C_TYPE_ENUM && field->type != PROTOBUF_C_TYPE_MESSAGE)
			continue;
		for (element = 0; element < bng_field_count(message, field) && !err; element++) {
			const void *at = bng_field_at(message, field, element);

			if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
				(void)refuse(path, prefix, field->id);
				err = check(*(const ProtobufCMessage *const *)at, path, ret_path);
			} else if (!protobuf_c_enum_descriptor_get_value(
					   field->descriptor, (int)bng_field_integer(field, at))) {
				err = refuse(ret_path, prefix, field->id);
			}
		}
	}
	return err;
}

int bng_critical_check(const ProtobufCMessage *message, char ret_path[BNG_PATH_SIZE])
{
	return check(message, "", ret_path);
}

int bng_critical_check_shallow(const ProtobufCMessage *message, char ret_path[BNG_PATH_SIZE])
{
	return check_unknown_fields(message, "", ret_path);
}
