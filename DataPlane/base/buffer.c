// SPDX-License-Identifier: Apache-2.0
// A growing array with a read position; moved to the front when that avoids growth.
#include "buffer.h"

#include "alloc.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

enum { SMALLEST = 4096, KEPT_WHEN_EMPTY = 256 * 1024 };

void bng_buffer_init(struct bng_buffer *buffer, size_t limit)
{
	*buffer = (struct bng_buffer){.limit = limit};
}

void bng_buffer_done(struct bng_buffer *buffer)
{
	bng_free(buffer->data);
	*buffer = (struct bng_buffer){.limit = buffer->limit};
}

int bng_buffer_reserve(struct bng_buffer *buffer, size_t size, uint8_t **ret_at)
{
	size_t used = bng_buffer_size(buffer), capacity = buffer->capacity ? buffer->capacity : SMALLEST;
	uint8_t *data;

	if (used > buffer->limit || size > buffer->limit - used)
		return -ENOBUFS;
	if (buffer->capacity - buffer->end < size && buffer->start) {
		memmove(buffer->data, buffer->data + buffer->start, used);
		buffer->start = 0;
		buffer->end = used;
	}
	if (buffer->capacity - buffer->end < size) {
		while (capacity < used + size)
			capacity *= 2;
		data = bng_realloc(buffer->data, capacity);
		if (!data)
			return -ENOMEM;
		buffer->data = data;
		buffer->capacity = capacity;
	}
	*ret_at = buffer->data + buffer->end;
	return 0;
}

void bng_buffer_commit(struct bng_buffer *buffer, size_t size)
{
	assert(size <= buffer->capacity - buffer->end);
	buffer->end += size;
}

int bng_buffer_append(struct bng_buffer *buffer, const void *data, size_t size)
{
	uint8_t *at;
	int err;

	if (!size)
		return 0;
	err = bng_buffer_reserve(buffer, size, &at);
	if (err)
		return err;
	memcpy(at, data, size);
	bng_buffer_commit(buffer, size);
	return 0;
}

void bng_buffer_consume(struct bng_buffer *buffer, size_t size)
{
	assert(size <= bng_buffer_size(buffer));
	buffer->start += size;
	if (buffer->start == buffer->end)
		bng_buffer_clear(buffer);
}

void bng_buffer_clear(struct bng_buffer *buffer)
{
	buffer->start = buffer->end = 0;
	if (buffer->capacity > KEPT_WHEN_EMPTY) {
		bng_free(buffer->data);
		buffer->data = NULL;
		buffer->capacity = 0;
	}
}
