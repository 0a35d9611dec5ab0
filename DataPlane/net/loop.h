/* SPDX-License-Identifier: Apache-2.0 */
/* The event loop: epoll over sources that somebody else owns. */
#ifndef BNG_LOOP_H
#define BNG_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct bng_source {
	int fd;
	uint32_t events;
	void (*ready)(struct bng_source *source, uint32_t events);
};

struct bng_loop {
	int epoll;
	struct bng_source *pending[16]; /* of the round under way; removal clears them */
	uint32_t pending_events[16];
	int pending_count;
};

int bng_loop_init(struct bng_loop *loop);
void bng_loop_done(struct bng_loop *loop);
int bng_loop_add(struct bng_loop *loop, struct bng_source *source, uint32_t events);
int bng_loop_change(struct bng_loop *loop, struct bng_source *source, uint32_t events);

/* A removed source is not called again, not even in the round under way. Does not close its fd. */
void bng_loop_remove(struct bng_loop *loop, struct bng_source *source);

/* Waits (timeout_ms, -1: without end) and serves one round. */
int bng_loop_run_once(struct bng_loop *loop, int timeout_ms);

/* A timer that fires every interval. */
int bng_timer_open(uint64_t interval_ms);

/* Drains a timer's count. */
void bng_timer_drain(int fd);

/* Blocks SIGTERM, SIGINT and delivers them here. */
int bng_signals_open(void);

#endif
