// SPDX-License-Identifier: Apache-2.0
// A ring that doubles up to its bound.
#include "event_queue.h"

#include "alloc.h"

#include <errno.h>
#include <string.h>

enum { FIRST_CAPACITY = 256 };

void bng_event_queue_init(struct bng_event_queue *queue)
{
	*queue = (struct bng_event_queue){.first_sequence = 1};
}

void bng_event_queue_done(struct bng_event_queue *queue)
{
	bng_free(queue->events);
	queue->events = NULL;
}

static int grow(struct bng_event_queue *queue)
{
	size_t capacity = queue->capacity ? queue->capacity * 2 : FIRST_CAPACITY, i;
	struct bng_event *events;

	if (queue->capacity >= BNG_EVENTS_MAX)
		return -ENOBUFS;
	events = bng_alloc_zero(capacity, sizeof(*events));
	if (!events)
		return -ENOMEM;
	for (i = 0; i < queue->count; i++)
		events[i] = *bng_event_queue_at(queue, i);
	bng_free(queue->events);
	queue->events = events;
	queue->capacity = capacity;
	queue->first = 0;
	return 0;
}

int bng_event_queue_push(struct bng_event_queue *queue, const struct bng_event *event)
{
	int err = queue->count == queue->capacity ? grow(queue) : 0;

	if (err)
		return err;
	queue->events[(queue->first + queue->count++) & (queue->capacity - 1)] = *event;
	return 0;
}

const struct bng_event *bng_event_queue_at(const struct bng_event_queue *queue, size_t i)
{
	return &queue->events[(queue->first + i) & (queue->capacity - 1)];
}

bool bng_event_queue_knows(const struct bng_event_queue *queue, uint64_t sequence)
{
	return sequence < queue->first_sequence + queue->sent;
}

bool bng_event_queue_pop(struct bng_event_queue *queue, uint64_t sequence, struct bng_event *ret_event)
{
	if (!queue->count || queue->first_sequence > sequence || !queue->sent)
		return false;
	*ret_event = *bng_event_queue_at(queue, 0);
	queue->first = (queue->first + 1) & (queue->capacity - 1);
	queue->first_sequence++;
	queue->count--;
	queue->sent--;
	return true;
}
