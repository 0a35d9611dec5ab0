/* SPDX-License-Identifier: Apache-2.0 */
/* The consumer of the punts ring. */
#ifndef BNG_RING_H
#define BNG_RING_H

#include "kern.h"

struct bng_ring {
	void *ring;
	void (*take)(void *context, const struct bng_punt *punt);
	void *context;
	uint32_t left; /* records still allowed in this round */
	uint64_t malformed;
};

/* take is called for every record; the record is gone when it returns. */
int bng_ring_init(struct bng_ring *ring, const struct bng_kern *kern,
	void (*take)(void *context, const struct bng_punt *punt), void *context);
void bng_ring_done(struct bng_ring *ring);

/* Readable when records wait. */
int bng_ring_fd(const struct bng_ring *ring);

/* Takes at most limit records. */
int bng_ring_consume(struct bng_ring *ring, uint32_t limit);

#endif
