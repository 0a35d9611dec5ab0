/* SPDX-License-Identifier: Apache-2.0 */
/* Events waiting for the controller's acknowledgement, in sequence, bounded (docs/contract.md, section 9). */
#ifndef BNG_EVENT_QUEUE_H
#define BNG_EVENT_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "interface.h"

enum { BNG_EVENTS_MAX = 65536, BNG_EVENTS_PER_BATCH = 1024 };

enum bng_event_kind {
	BNG_EVENT_LEASE_RENEWED,
	BNG_EVENT_SESSION_LAPSED,
	BNG_EVENT_PORT_CHANGED,
	BNG_EVENT_NAT_PORTS_LOW,
};

struct bng_event {
	enum bng_event_kind kind;
	uint32_t slot; /* of the session, with what acknowledging needs: */
	uint32_t renewals;
	uint32_t port;       /* index, for PORT_CHANGED */
	uint32_t ports_used; /* for NAT_PORTS_LOW */
	uint32_t ports_granted;
	bool is_ipv6; /* of the session's IPv6 lease */
	uint64_t utc_ms;
	uint64_t session_id;
	uint64_t generation;
	uint64_t expires_utc_ms;
	const char *cause; /* static text */
	uint32_t mode;     /* PORT_CHANGED: as it was then */
	struct bng_interface interface;
};

struct bng_event_queue {
	struct bng_event *events; /* ring of capacity entries */
	size_t capacity;
	size_t first;
	size_t count;
	uint64_t first_sequence; /* of the oldest one held, or the next to be drawn */
	size_t sent;             /* of those held */
	uint64_t lost;
};

void bng_event_queue_init(struct bng_event_queue *queue);
void bng_event_queue_done(struct bng_event_queue *queue);

/* -ENOBUFS at the bound, -ENOMEM. The caller decides whether that is a loss. */
int bng_event_queue_push(struct bng_event_queue *queue, const struct bng_event *event);

/* Event i from the oldest held; its sequence is first_sequence + i. */
const struct bng_event *bng_event_queue_at(const struct bng_event_queue *queue, size_t i);

/* Whether a sequence has been sent and may be acknowledged (or was before). */
bool bng_event_queue_knows(const struct bng_event_queue *queue, uint64_t sequence);

/* Takes the oldest if its sequence is acknowledged by this one. */
bool bng_event_queue_pop(struct bng_event_queue *queue, uint64_t sequence, struct bng_event *ret_event);

#endif
