// SPDX-License-Identifier: Apache-2.0
// A ring kept sorted by insertion from its end.
#include "delay_queue.h"

#include "alloc.h"

#include <errno.h>

int bng_delay_queue_init(struct bng_delay_queue *queue)
{
	*queue = (struct bng_delay_queue){.items = bng_alloc_zero(BNG_DELAYED_MAX, sizeof(*queue->items))};
	return queue->items ? 0 : -ENOMEM;
}

static struct bng_delayed *item(struct bng_delay_queue *queue, size_t i)
{
	return &queue->items[(queue->first + i) % BNG_DELAYED_MAX];
}

void bng_delay_queue_done(struct bng_delay_queue *queue)
{
	size_t i;

	for (i = 0; i < queue->count; i++)
		bng_free(item(queue, i)->frame);
	bng_free(queue->items);
	*queue = (struct bng_delay_queue){0};
}

int bng_delay_queue_push(
	struct bng_delay_queue *queue, uint64_t due_ns, uint32_t port, struct bng_bytes frame)
{
	struct bng_delayed next = {.due_ns = due_ns, .port = port, .size = (uint32_t)frame.size};
	size_t i = queue->count;

	if (queue->count == BNG_DELAYED_MAX)
		return -ENOSPC;
	next.frame = bng_duplicate(frame.data, frame.size);
	if (!next.frame)
		return -ENOMEM;
	for (; i && item(queue, i - 1)->due_ns > due_ns; i--)
		*item(queue, i) = *item(queue, i - 1);
	*item(queue, i) = next;
	queue->count++;
	return 0;
}

bool bng_delay_queue_pop(struct bng_delay_queue *queue, uint64_t now_ns, struct bng_delayed *ret)
{
	if (!queue->count || item(queue, 0)->due_ns > now_ns)
		return false;
	*ret = *item(queue, 0);
	queue->first = (queue->first + 1) % BNG_DELAYED_MAX;
	queue->count--;
	return true;
}
