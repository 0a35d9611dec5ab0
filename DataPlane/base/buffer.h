/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded queue of bytes: appended at the end, consumed from the front. */
#ifndef BNG_BUFFER_H
#define BNG_BUFFER_H

#include <stddef.h>
#include <stdint.h>

struct bng_buffer {
	uint8_t *data;
	size_t start; /* of the bytes not yet consumed */
	size_t end;
	size_t capacity;
	size_t limit; /* largest number of unconsumed bytes */
};

void bng_buffer_init(struct bng_buffer *buffer, size_t limit);
void bng_buffer_done(struct bng_buffer *buffer);

/* Room for size more bytes at *ret_at; -ENOBUFS past the limit, -ENOMEM. Follow with bng_buffer_commit(). */
int bng_buffer_reserve(struct bng_buffer *buffer, size_t size, uint8_t **ret_at);
void bng_buffer_commit(struct bng_buffer *buffer, size_t size);
int bng_buffer_append(struct bng_buffer *buffer, const void *data, size_t size);
void bng_buffer_consume(struct bng_buffer *buffer, size_t size);
void bng_buffer_clear(struct bng_buffer *buffer);

static inline const uint8_t *bng_buffer_front(const struct bng_buffer *buffer)
{
	return buffer->data + buffer->start;
}

static inline size_t bng_buffer_size(const struct bng_buffer *buffer)
{
	return buffer->end - buffer->start;
}

static inline size_t bng_buffer_room(const struct bng_buffer *buffer)
{
	return buffer->limit - bng_buffer_size(buffer);
}

#endif
