// SPDX-License-Identifier: Apache-2.0
// Vector files and text format, for tests only.
#include "vector.h"

#include "field.h"
#include "test.h"

#include "bng/agent/v1/session.pb-c.h"

#include <ctype.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>

static const char folder[] = "Tests/vectors/contract/v1";

static void add_hex(const char *line, uint8_t *bytes, size_t *size)
{
	unsigned value;
	int used;

	for (; sscanf(line, " %2x%n", &value, &used) == 1; line += used)
		bytes[(*size)++] = (uint8_t)value;
}

static void take_line(struct bng_vector *vector, const char *section, const char *line)
{
	if (!strcmp(section, "message"))
		sscanf(line, " %63s", vector->message);
	else if (!strcmp(section, "text"))
		strcat(strcat(vector->text, line + 2), "\n"), vector->has_text = 1;
	else if (!strcmp(section, "error"))
		sscanf(line, " %63s", vector->has_error++ ? vector->error_path : vector->error);
	else if (!strcmp(section, "frame") || !strcmp(section, "bytes"))
		add_hex(line, vector->bytes, &vector->size), vector->is_frame = section[0] == 'f';
	else if (!strcmp(section, "canon"))
		add_hex(line, vector->canon, &vector->canon_size), vector->has_canon = 1;
	else if (!strcmp(section, "digest"))
		add_hex(line, vector->digest, &vector->digest_size);
	else
		fail_msg("%s: unknown section %s", vector->name, section);
}

static void read_vector(const char *name, struct bng_vector *vector)
{
	char path[512], line[4096], section[32] = "";
	FILE *file;

	memset(vector, 0, sizeof(*vector));
	snprintf(vector->name, sizeof(vector->name), "%s", name);
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = 0;
		if (line[0] == '#' || !line[0])
			continue;
		if (line[0] != ' ')
			snprintf(section, sizeof(section), "%.*s", (int)strcspn(line, ":"), line);
		else
			take_line(vector, section, line);
	}
	fclose(file);
}

void bng_vectors_each(void (*visit)(const struct bng_vector *vector))
{
	static struct bng_vector vector;
	DIR *directory = opendir(folder);
	struct dirent *entry;
	int count = 0;

	assert_non_null(directory);
	while ((entry = readdir(directory))) {
		if (!strstr(entry->d_name, ".txt"))
			continue;
		read_vector(entry->d_name, &vector);
		visit(&vector);
		count++;
	}
	closedir(directory);
	assert_true(count > 0);
}

const ProtobufCMessageDescriptor *bng_vector_type(const struct bng_vector *vector)
{
	if (!strcmp(vector->message, "Object"))
		return &bng__agent__v1__object__descriptor;
	if (!strcmp(vector->message, "AgentFrame"))
		return &bng__agent__v1__agent_frame__descriptor;
	assert_string_equal(vector->message, "ControllerFrame");
	return &bng__agent__v1__controller_frame__descriptor;
}

struct bng_bytes bng_vector_body(const struct bng_vector *vector)
{
	size_t head = vector->is_frame ? 4 : 0;

	return (struct bng_bytes){vector->bytes + head, vector->size - head};
}

struct printer {
	char *text;
	size_t used, size;
};

__attribute__((format(printf, 2, 3))) static void out(struct printer *printer, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	printer->used += (size_t)vsnprintf(
		printer->text + printer->used, printer->size - printer->used, format, arguments);
	va_end(arguments);
	assert_true(printer->used < printer->size);
}

static void out_quoted(struct printer *printer, const uint8_t *bytes, size_t size)
{
	size_t i;

	out(printer, "\"");
	for (i = 0; i < size; i++) {
		if (bytes[i] == '\n' || bytes[i] == '\r' || bytes[i] == '\t')
			out(printer, "\\%c", bytes[i] == '\n' ? 'n' : bytes[i] == '\r' ? 'r' : 't');
		else if (bytes[i] == '"' || bytes[i] == '\\' || bytes[i] == '\'')
			out(printer, "\\%c", bytes[i]);
		else if (isprint(bytes[i]))
			out(printer, "%c", bytes[i]);
		else
			out(printer, "\\%03o", bytes[i]);
	}
	out(printer, "\"\n");
}

static void print(struct printer *printer, const ProtobufCMessage *message, int depth);

static int is_default(const ProtobufCFieldDescriptor *field, const void *at)
{
	if (field->type == PROTOBUF_C_TYPE_STRING)
		return !**(char *const *)at;
	if (field->type == PROTOBUF_C_TYPE_BYTES)
		return !((const ProtobufCBinaryData *)at)->len;
	return field->type != PROTOBUF_C_TYPE_MESSAGE && !bng_field_integer(field, at);
}

static void print_value(
	struct printer *printer, const ProtobufCFieldDescriptor *field, const void *at, int depth)
{
	uint64_t integer;

	out(printer, "%*s%s", depth * 2, "", field->name);
	switch (field->type) {
	case PROTOBUF_C_TYPE_MESSAGE:
		out(printer, " {\n");
		print(printer, *(const ProtobufCMessage *const *)at, depth + 1);
		out(printer, "%*s}\n", depth * 2, "");
		break;
	case PROTOBUF_C_TYPE_STRING:
		out(printer, ": ");
		out_quoted(printer, *(const uint8_t *const *)at, strlen(*(char *const *)at));
		break;
	case PROTOBUF_C_TYPE_BYTES:
		out(printer, ": ");
		out_quoted(printer, ((const ProtobufCBinaryData *)at)->data,
			((const ProtobufCBinaryData *)at)->len);
		break;
	case PROTOBUF_C_TYPE_BOOL:
		out(printer, ": %s\n", bng_field_integer(field, at) ? "true" : "false");
		break;
	case PROTOBUF_C_TYPE_ENUM:
		integer = bng_field_integer(field, at);
		out(printer, ": %s\n",
			protobuf_c_enum_descriptor_get_value(field->descriptor, (int)integer)->name);
		break;
	default:
		out(printer, ": %" PRIu64 "\n", bng_field_integer(field, at));
		break;
	}
}

static void print(struct printer *printer, const ProtobufCMessage *message, int depth)
{
	unsigned i;
	size_t element;

	for (i = 0; i < message->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
		int plain = field->label != PROTOBUF_C_LABEL_REPEATED &&
			    !(field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF);

		for (element = 0; element < bng_field_count(message, field); element++) {
			const void *at = bng_field_at(message, field, element);

			if (!plain || !is_default(field, at))
				print_value(printer, field, at, depth);
		}
	}
}

void bng_text_format(const ProtobufCMessage *message, char *ret, size_t size)
{
	struct printer printer = {.text = ret, .size = size};

	ret[0] = 0;
	print(&printer, message, 0);
}
