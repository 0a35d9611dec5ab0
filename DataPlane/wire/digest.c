// SPDX-License-Identifier: Apache-2.0
// Canonical encoding into a buffer, lengths patched once known; SHA-256 by OpenSSL.
#include "digest.h"

#include "bytes.h"
#include "field.h"
#include "frame.h"

#include "bng/agent/v1/desired.pb-c.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

enum { HEAD = 18, ELEMENT_HEAD = 8, IPV4_LEASE = 6, IPV6_LEASE = 2 };

int bng_digester_init(struct bng_digester *digester)
{
	*digester = (struct bng_digester){
		.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL), .context = EVP_MD_CTX_new()};
	/* A message's canonical form is larger than its packed one: 8 bytes of head and 8 per integer. */
	bng_buffer_init(&digester->canon, 16 * (size_t)BNG_FRAME_BYTES_MAX);
	if (!digester->sha256 || !digester->context) {
		bng_digester_done(digester);
		return -ENOMEM;
	}
	return 0;
}

void bng_digester_done(struct bng_digester *digester)
{
	EVP_MD_free(digester->sha256);
	EVP_MD_CTX_free(digester->context);
	bng_buffer_done(&digester->canon);
	digester->sha256 = digester->context = NULL;
}

static bool is_agent_owned(const ProtobufCMessageDescriptor *type, const ProtobufCFieldDescriptor *field)
{
	return (type == &bng__agent__v1__session_ipv4__descriptor && field->id == IPV4_LEASE) ||
	       (type == &bng__agent__v1__session_ipv6__descriptor && field->id == IPV6_LEASE);
}

static struct bng_bytes raw_value(const ProtobufCFieldDescriptor *field, const void *at)
{
	const ProtobufCBinaryData *bytes = at;
	const char *string;

	if (field->type == PROTOBUF_C_TYPE_BYTES)
		return (struct bng_bytes){.data = bytes->data, .size = bytes->len};
	string = *(const char *const *)at;
	return (struct bng_bytes){.data = (const uint8_t *)string, .size = string ? strlen(string) : 0};
}

static int append_head(struct bng_buffer *out, uint32_t number, size_t length)
{
	uint8_t head[ELEMENT_HEAD];

	bng_put_be32(head, number);
	bng_put_be32(head + 4, (uint32_t)length);
	return bng_buffer_append(out, head, sizeof(head));
}

static int append_message(struct bng_buffer *out, uint32_t number, const ProtobufCMessage *message)
{
	size_t before;
	int err = append_head(out, number, 0);

	if (err)
		return err;
	before = bng_buffer_size(out);
	err = bng_canon_append(out, message);
	if (!err)
		bng_put_be32(out->data + out->start + before - 4, (uint32_t)(bng_buffer_size(out) - before));
	return err;
}

static int append_element(
	struct bng_buffer *out, const ProtobufCFieldDescriptor *field, const void *at, bool repeated)
{
	uint8_t integer[8];
	struct bng_bytes raw;
	uint64_t value;
	int err;

	switch (field->type) {
	case PROTOBUF_C_TYPE_MESSAGE:
		return append_message(out, field->id, *(const ProtobufCMessage *const *)at);
	case PROTOBUF_C_TYPE_BYTES:
	case PROTOBUF_C_TYPE_STRING:
		raw = raw_value(field, at);
		if (!raw.size && !repeated)
			return 0;
		err = append_head(out, field->id, raw.size);
		return err ? err : bng_buffer_append(out, raw.data, raw.size);
	default:
		value = bng_field_integer(field, at);
		if (!value && !repeated)
			return 0;
		bng_put_be64(integer, value);
		err = append_head(out, field->id, sizeof(integer));
		return err ? err : bng_buffer_append(out, integer, sizeof(integer));
	}
}

int bng_canon_append(struct bng_buffer *out, const ProtobufCMessage *message)
{
	const ProtobufCMessageDescriptor *type = message->descriptor;
	size_t element, count;
	unsigned i;
	int err;

	/* protobuf-c sorts a descriptor's fields by number. */
	for (i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &type->fields[i];

		if (is_agent_owned(type, field))
			continue;
		count = bng_field_count(message, field);
		for (element = 0; element < count; element++) {
			err = append_element(out, field, bng_field_at(message, field, element),
				field->label == PROTOBUF_C_LABEL_REPEATED);
			if (err)
				return err;
		}
	}
	return 0;
}

int bng_digest_object(struct bng_digester *digester, enum bng_family family, uint64_t id, uint64_t generation,
	const ProtobufCMessage *body, uint8_t ret_digest[BNG_DIGEST_SIZE])
{
	uint8_t head[HEAD], full[EVP_MAX_MD_SIZE];
	unsigned size;
	int err;

	bng_put_be16(head, (uint16_t)family);
	bng_put_be64(head + 2, id);
	bng_put_be64(head + 10, generation);
	bng_buffer_clear(&digester->canon);
	err = bng_buffer_append(&digester->canon, head, sizeof(head));
	if (!err)
		err = bng_canon_append(&digester->canon, body);
	if (err)
		return err;
	if (!EVP_DigestInit_ex2(digester->context, digester->sha256, NULL) ||
		!EVP_DigestUpdate(digester->context, bng_buffer_front(&digester->canon),
			bng_buffer_size(&digester->canon)) ||
		!EVP_DigestFinal_ex(digester->context, full, &size))
		return -ENOMEM;
	memcpy(ret_digest, full, BNG_DIGEST_SIZE);
	return 0;
}
