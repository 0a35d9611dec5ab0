/* SPDX-License-Identifier: Apache-2.0 */
/* Frames that leave later: a bounded queue in order of time, which owns copies. */
#ifndef BNG_DELAY_QUEUE_H
#define BNG_DELAY_QUEUE_H

#include "bytes.h"

enum { BNG_DELAYED_MAX = 4096 };

struct bng_delayed {
	uint64_t due_ns;
	uint32_t port;
	uint32_t size;
	uint8_t *frame;
};

struct bng_delay_queue {
	struct bng_delayed *items; /* a ring of BNG_DELAYED_MAX */
	size_t first;
	size_t count;
};

/* -ENOMEM */
int bng_delay_queue_init(struct bng_delay_queue *queue);
void bng_delay_queue_done(struct bng_delay_queue *queue);

/* -ENOSPC when it is full, -ENOMEM. Quick as long as delays are alike. */
int bng_delay_queue_push(
	struct bng_delay_queue *queue, uint64_t due_ns, uint32_t port, struct bng_bytes frame);

/* The first that is due; ret->frame is to be released with bng_free(). */
bool bng_delay_queue_pop(struct bng_delay_queue *queue, uint64_t now_ns, struct bng_delayed *ret);

#endif
