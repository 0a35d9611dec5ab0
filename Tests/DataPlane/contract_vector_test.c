// SPDX-License-Identifier: Apache-2.0
// Golden vectors: decoded, compared with their text, encoded again; canonical encoding and digest; refusals
// by name. Then the three generic tests of every decoder: round trip, no prefix traps, every changed byte is
// refused or survives encoding.
#include "test.h"

#include "critical.h"
#include "desired.h"
#include "frame.h"
#include "validate.h"
#include "vector.h"

#include "bng/agent/v1/session.pb-c.h"

#include <errno.h>

static struct bng_arena arena, other_arena;

static ProtobufCMessage *decode(const struct bng_vector *vector, struct bng_arena *in)
{
	bng_arena_reset(in);
	return bng_frame_decode(bng_vector_type(vector), in, bng_vector_body(vector));
}

static void check_round_trip(const struct bng_vector *vector)
{
	static char text[65536];
	static uint8_t again[65536];
	ProtobufCMessage *message;
	struct bng_bytes body;

	if (!vector->has_text)
		return;
	message = decode(vector, &arena);
	assert_non_null(message);
	bng_text_format(message, text, sizeof(text));
	assert_string_equal(text, vector->text);
	body = bng_vector_body(vector);
	assert_int_equal(protobuf_c_message_pack(message, again), body.size);
	assert_memory_equal(again, body.data, body.size);
}

TEST(vectors_decode_to_their_text_and_encode_to_their_bytes)
{
	bng_arena_init(&arena, BNG_DECODE_BUDGET);
	bng_vectors_each(check_round_trip);
	bng_arena_done(&arena);
}

static void check_digest(const struct bng_vector *vector)
{
	struct bng_digester digester;
	const Bng__Agent__V1__Object *object;
	struct bng_buffer canon;
	uint8_t digest[BNG_DIGEST_SIZE];

	if (!vector->has_canon && !vector->digest_size)
		return;
	assert_int_equal(vector->digest_size, BNG_DIGEST_SIZE);
	object = (const void *)decode(vector, &arena);
	bng_buffer_init(&canon, 65536);
	assert_int_equal(bng_canon_append(&canon, &object->session->base), 0);
	assert_int_equal(bng_buffer_size(&canon), vector->canon_size);
	assert_memory_equal(bng_buffer_front(&canon), vector->canon, vector->canon_size);
	bng_buffer_done(&canon);
	assert_int_equal(bng_digester_init(&digester), 0);
	assert_int_equal(bng_digest_object(&digester, bng_desired_family(object), object->object_id,
				 object->generation, &object->session->base, digest),
		0);
	assert_memory_equal(digest, vector->digest, BNG_DIGEST_SIZE);
	bng_digester_done(&digester);
}

TEST(canonical_encoding_and_digests_are_those_of_the_vectors)
{
	bng_arena_init(&arena, BNG_DECODE_BUDGET);
	bng_vectors_each(check_digest);
	bng_arena_done(&arena);
}

static void check_invalid_object(const Bng__Agent__V1__Object *object, const char *path)
{
	struct bng_refusal malformed, refusal = {.code = BNG_OK};
	struct bng_digester digester;
	union bng_any_object value;

	assert_int_equal(bng_digester_init(&digester), 0);
	assert_int_equal(bng_desired_object(object, &digester, &value, &malformed, &refusal), 0);
	if (malformed.code == BNG_OK)
		assert_int_equal(bng_validate(&value, &malformed), -EINVAL);
	assert_int_equal(malformed.code, BNG_INVALID);
	assert_string_equal(malformed.path, path);
	bng_digester_done(&digester);
}

static void check_refused_object(const struct bng_vector *vector)
{
	const ProtobufCMessage *object = decode(vector, &arena);
	char path[BNG_PATH_SIZE] = "";
	int err;

	assert_non_null(object);
	err = bng_critical_check(object, path);
	if (!strcmp(vector->error, "OK")) {
		assert_int_equal(err, 0);
		return;
	}
	if (!strcmp(vector->error, "INVALID")) {
		assert_int_equal(err, 0);
		check_invalid_object((const void *)object, vector->error_path);
		return;
	}
	assert_string_equal(vector->error, "UNSUPPORTED");
	assert_int_equal(err, -EOPNOTSUPP);
	assert_string_equal(path, vector->error_path);
}

static void check_refused_frame(const struct bng_vector *vector)
{
	const Bng__Agent__V1__ControllerFrame *frame;
	struct bng_bytes body = {0};
	int result = bng_frame_next((struct bng_bytes){vector->bytes, vector->size}, &body);

	if (!strcmp(vector->error, "FRAME_TOO_LARGE")) {
		assert_int_equal(result, -EMSGSIZE);
		return;
	}
	if (result == -EBADMSG) {
		assert_string_equal(vector->error, "MALFORMED");
		return;
	}
	assert_int_equal(result, 1);
	frame = (const void *)decode(vector, &arena);
	if (!strcmp(vector->error, "MALFORMED")) {
		assert_null(frame);
		return;
	}
	assert_string_equal(vector->error, "UNKNOWN_MESSAGE");
	assert_int_equal(frame->body_case, BNG__AGENT__V1__CONTROLLER_FRAME__BODY__NOT_SET);
}

static void check_refusal(const struct bng_vector *vector)
{
	if (!vector->has_error)
		return;
	if (vector->is_frame)
		check_refused_frame(vector);
	else
		check_refused_object(vector);
}

TEST(refused_vectors_are_refused_by_their_name_and_path)
{
	bng_arena_init(&arena, BNG_DECODE_BUDGET);
	bng_vectors_each(check_refusal);
	bng_arena_done(&arena);
}

/* What decodes must encode to something that decodes to the same again. */
static int survives(const ProtobufCMessageDescriptor *type, struct bng_bytes bytes)
{
	static uint8_t once[131072], twice[131072];
	ProtobufCMessage *message, *again;
	size_t size;

	bng_arena_reset(&arena);
	message = bng_frame_decode(type, &arena, bytes);
	if (!message)
		return 0;
	size = protobuf_c_message_pack(message, once);
	bng_arena_reset(&other_arena);
	again = bng_frame_decode(type, &other_arena, (struct bng_bytes){once, size});
	assert_non_null(again);
	assert_int_equal(protobuf_c_message_pack(again, twice), size);
	assert_memory_equal(once, twice, size);
	return 1;
}

static void feed_object(const struct bng_vector *vector, struct bng_bytes bytes)
{
	static struct bng_digester digester;
	struct bng_refusal malformed, refusal;
	union bng_any_object object;
	Bng__Agent__V1__Object *message;

	if (vector->is_frame)
		return;
	if (!digester.context)
		assert_int_equal(bng_digester_init(&digester), 0);
	bng_arena_reset(&arena);
	message = (void *)bng_frame_decode(bng_vector_type(vector), &arena, bytes);
	if (message)
		(void)bng_desired_object(message, &digester, &object, &malformed, &refusal);
}

static void check_prefixes(const struct bng_vector *vector)
{
	struct bng_bytes body, whole = {vector->bytes, vector->size}, frame;
	size_t size;

	if (vector->is_frame) {
		for (size = 0; size < whole.size; size++) {
			uint8_t *exact = bng_duplicate(whole.data, size);
			int result = bng_frame_next((struct bng_bytes){exact, size}, &frame);

			/* Shorter than its declared length: never taken for a frame. */
			assert_true(result <= 0);
			bng_free(exact);
		}
	}
	body = bng_vector_body(vector);
	for (size = 0; size < body.size && size < 4096; size++) {
		uint8_t *exact = bng_duplicate(body.data, size);

		(void)survives(bng_vector_type(vector), (struct bng_bytes){exact, size});
		feed_object(vector, (struct bng_bytes){exact, size});
		bng_free(exact);
	}
}

TEST(no_prefix_of_a_vector_traps_or_is_taken_for_a_frame)
{
	bng_arena_init(&arena, BNG_DECODE_BUDGET);
	bng_arena_init(&other_arena, BNG_DECODE_BUDGET);
	bng_vectors_each(check_prefixes);
	bng_arena_done(&arena);
	bng_arena_done(&other_arena);
}

static void check_changes(const struct bng_vector *vector)
{
	static const uint8_t flips[] = {0x01, 0x07, 0x08, 0x40, 0x80, 0xff};
	struct bng_bytes body = bng_vector_body(vector);
	uint8_t *copy = bng_duplicate(body.data, body.size);
	size_t i, flip;

	for (i = 0; i < body.size; i++)
		for (flip = 0; flip < sizeof(flips); flip++) {
			copy[i] ^= flips[flip];
			(void)survives(bng_vector_type(vector), (struct bng_bytes){copy, body.size});
			feed_object(vector, (struct bng_bytes){copy, body.size});
			copy[i] ^= flips[flip];
		}
	bng_free(copy);
}

TEST(every_changed_byte_is_refused_or_survives_encoding)
{
	bng_arena_init(&arena, BNG_DECODE_BUDGET);
	bng_arena_init(&other_arena, BNG_DECODE_BUDGET);
	bng_vectors_each(check_changes);
	bng_arena_done(&arena);
	bng_arena_done(&other_arena);
}

TEST(a_message_cannot_cost_more_than_its_budget)
{
	/* Two bytes per empty item: half a million of them in one frame. */
	static uint8_t items[BNG_FRAME_BYTES_MAX];
	struct bng_arena small;
	size_t at = 0, size = sizeof(items) - 8;

	items[at++] = 0x2a; /* batch */
	items[at++] = (uint8_t)((size & 0x7f) | 0x80);
	items[at++] = (uint8_t)(((size >> 7) & 0x7f) | 0x80);
	items[at++] = (uint8_t)(size >> 14);
	for (size += at; at + 1 < size; at += 2) {
		items[at] = 0x22;
		items[at + 1] = 0;
	}
	bng_arena_init(&small, 1024 * 1024);
	assert_null(bng_frame_decode(
		&bng__agent__v1__controller_frame__descriptor, &small, (struct bng_bytes){items, size}));
	bng_arena_done(&small);
}
