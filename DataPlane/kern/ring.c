// SPDX-License-Identifier: Apache-2.0
// libbpf's ring buffer, bounded per round so that a storm of punts cannot hold the event loop.
#include "ring.h"

#include <bpf/libbpf.h>
#include <errno.h>

static int on_record(void *context, void *data, size_t size)
{
	struct bng_ring *ring = context;
	const struct bng_punt *punt = data;

	if (size < sizeof(*punt) || punt->frame_length > size - sizeof(*punt) ||
		punt->frame_length > BNG_FRAME_MAX)
		ring->malformed++;
	else
		ring->take(ring->context, punt);
	return --ring->left ? 0 : -EAGAIN;
}

int bng_ring_init(struct bng_ring *ring, const struct bng_kern *kern,
	void (*take)(void *context, const struct bng_punt *punt), void *context)
{
	*ring = (struct bng_ring){.take = take, .context = context};
	ring->ring = ring_buffer__new(kern->maps[BNG_MAP_punts], on_record, ring, NULL);
	return ring->ring ? 0 : -errno;
}

void bng_ring_done(struct bng_ring *ring)
{
	ring_buffer__free(ring->ring);
	ring->ring = NULL;
}

int bng_ring_fd(const struct bng_ring *ring)
{
	return ring_buffer__epoll_fd(ring->ring);
}

int bng_ring_consume(struct bng_ring *ring, uint32_t limit)
{
	int err;

	ring->left = limit;
	err = ring_buffer__consume(ring->ring);
	return err < 0 && err != -EAGAIN ? err : 0;
}
