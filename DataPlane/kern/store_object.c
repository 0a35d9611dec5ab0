// SPDX-License-Identifier: Apache-2.0
// Objects as packed protobuf in chunks of 240 bytes. Chunk 0 carries the length and is written last, removed
// first.
#include "store.h"

#include "alloc.h"
#include "walk.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct chunk_key {
	uint64_t id;
	uint16_t family;
	uint16_t chunk;
	uint32_t _pad;
};
_Static_assert(sizeof(struct chunk_key) == 16, "chunk_key");

struct chunk {
	uint64_t generation;
	uint32_t total_size;
	uint32_t index; /* of the object in its family's map */
	uint8_t bytes[BNG_CHUNK_BYTES];
};
_Static_assert(sizeof(struct chunk) == 16 + BNG_CHUNK_BYTES, "chunk");

static uint16_t chunks_of(uint32_t size)
{
	return (uint16_t)((size + BNG_CHUNK_BYTES - 1) / BNG_CHUNK_BYTES);
}

static int remove_chunk(struct bng_kern *kern, const struct chunk_key *key)
{
	return bpf_map_delete_elem(kern->objects, key) && errno != ENOENT ? -errno : 0;
}

int bng_store_put_object(
	struct bng_kern *kern, const struct bng_object *object, struct bng_bytes packed, bool replaces)
{
	struct chunk_key key = {.id = object->id, .family = (uint16_t)object->family};
	struct chunk chunk = {.generation = object->generation, .index = object->index};
	uint16_t count = chunks_of((uint32_t)packed.size), old_count = 0, i;
	int err = 0;

	if (packed.size > BNG_OBJECT_BYTES_MAX || !packed.size)
		return -E2BIG;
	if (replaces && !bpf_map_lookup_elem(kern->objects, &key, &chunk))
		old_count = chunks_of(chunk.total_size);
	chunk.generation = object->generation;
	chunk.index = object->index;
	chunk.total_size = (uint32_t)packed.size;
	for (i = count; i-- > 0;) {
		size_t at = (size_t)i * BNG_CHUNK_BYTES, size = packed.size - at;

		size = size < BNG_CHUNK_BYTES ? size : BNG_CHUNK_BYTES;
		memset(chunk.bytes, 0, sizeof(chunk.bytes));
		memcpy(chunk.bytes, packed.data + at, size);
		key.chunk = i;
		if (bpf_map_update_elem(kern->objects, &key, &chunk, BPF_ANY))
			return -errno;
	}
	for (i = count; i < old_count && !err; i++) {
		key.chunk = i;
		err = remove_chunk(kern, &key);
	}
	return err;
}

int bng_store_remove_object(struct bng_kern *kern, enum bng_family family, uint64_t id)
{
	struct chunk_key key = {.id = id, .family = (uint16_t)family};
	struct chunk chunk;
	uint16_t count, i;
	int err;

	if (bpf_map_lookup_elem(kern->objects, &key, &chunk))
		return errno == ENOENT ? 0 : -errno;
	count = chunks_of(chunk.total_size);
	for (i = 0, err = 0; i < count && !err; i++) {
		key.chunk = i;
		err = remove_chunk(kern, &key);
	}
	return err;
}

/* Reading: all chunks are sorted, then neighbours are joined. */
struct read_chunk {
	struct chunk_key key;
	struct chunk chunk;
};

struct reading {
	struct read_chunk *chunks;
	size_t count;
	size_t capacity;
};

static int collect(void *context, const void *key, const void *value)
{
	struct reading *reading = context;

	if (reading->count == reading->capacity) {
		size_t capacity = reading->capacity ? reading->capacity * 2 : 1024;
		struct read_chunk *chunks = bng_realloc(reading->chunks, capacity * sizeof(*chunks));

		if (!chunks)
			return -ENOMEM;
		reading->chunks = chunks;
		reading->capacity = capacity;
	}
	memcpy(&reading->chunks[reading->count].key, key, sizeof(struct chunk_key));
	memcpy(&reading->chunks[reading->count].chunk, value, sizeof(struct chunk));
	reading->count++;
	return 0;
}

/* Sessions last: they refer to all others. */
static int rank_of(uint16_t family)
{
	return family == BNG_FAMILY_SESSION ? BNG_FAMILIES : family;
}

static int by_place(const void *a, const void *b)
{
	const struct chunk_key *x = &((const struct read_chunk *)a)->key,
			       *y = &((const struct read_chunk *)b)->key;

	if (x->family != y->family)
		return rank_of(x->family) - rank_of(y->family);
	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return (int)x->chunk - (int)y->chunk;
}

/* Chunks that belong together from first on: as many as share family and id. */
static size_t run_of(const struct reading *reading, size_t first)
{
	const struct chunk_key *key = &reading->chunks[first].key;
	size_t end = first + 1;

	while (end < reading->count && reading->chunks[end].key.id == key->id &&
		reading->chunks[end].key.family == key->family)
		end++;
	return end - first;
}

/* 1: *ret is the object; 0: the run is broken (a crash between chunks). */
static int join(const struct read_chunk *run, size_t length, struct bng_stored_object *ret)
{
	uint32_t total = run[0].chunk.total_size, i;
	uint8_t *packed;

	if (run[0].key.chunk != 0 || total == 0 || total > BNG_OBJECT_BYTES_MAX || chunks_of(total) > length)
		return 0;
	if (run[0].key.family == 0 || run[0].key.family >= BNG_FAMILIES)
		return 0;
	for (i = 0; i < chunks_of(total); i++)
		if (run[i].key.chunk != i || run[i].chunk.generation != run[0].chunk.generation)
			return 0;
	packed = bng_alloc((size_t)chunks_of(total) * BNG_CHUNK_BYTES);
	if (!packed)
		return -ENOMEM;
	for (i = 0; i < chunks_of(total); i++)
		memcpy(packed + (size_t)i * BNG_CHUNK_BYTES, run[i].chunk.bytes, BNG_CHUNK_BYTES);
	*ret = (struct bng_stored_object){
		.id = run[0].key.id,
		.family = (enum bng_family)run[0].key.family,
		.index = run[0].chunk.index,
		.size = total,
		.packed = packed,
	};
	return 1;
}

static void remove_run(struct bng_kern *kern, const struct read_chunk *run, size_t length)
{
	size_t i;

	for (i = 0; i < length; i++)
		(void)remove_chunk(kern, &run[i].key);
}

int bng_store_read_objects(struct bng_kern *kern, struct bng_stored_object **ret_objects, size_t *ret_count)
{
	struct reading reading = {0};
	struct bng_stored_object *objects = NULL;
	size_t count = 0, first, length;
	int err = bng_walk_map(
		kern->objects, sizeof(struct chunk_key), sizeof(struct chunk), collect, &reading);

	if (!err) {
		if (reading.count)
			qsort(reading.chunks, reading.count, sizeof(*reading.chunks), by_place);
		objects = bng_alloc_zero(reading.count, sizeof(*objects));
		err = objects ? 0 : -ENOMEM;
	}
	for (first = 0; first < reading.count && !err; first += length) {
		int joined;

		length = run_of(&reading, first);
		joined = join(reading.chunks + first, length, &objects[count]);
		if (joined > 0)
			count++;
		else if (!joined)
			remove_run(kern, reading.chunks + first, length);
		else
			err = joined;
	}
	bng_free(reading.chunks);
	if (err) {
		bng_stored_objects_free(objects, count);
		return err;
	}
	*ret_objects = objects;
	*ret_count = count;
	return 0;
}

void bng_stored_objects_free(struct bng_stored_object *objects, size_t count)
{
	size_t i;

	for (i = 0; objects && i < count; i++)
		bng_free(objects[i].packed);
	bng_free(objects);
}
