// SPDX-License-Identifier: Apache-2.0
// The loop of a phase of exchanges: a window, a rate, retransmission; what is said and heard is the
// protocols'.

#include "exchange.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void say(struct load_exchange *run, uint32_t index)
{
	switch (run->lines->line[index].state) {
	case LOAD_DISCOVERING:
	case LOAD_REQUESTING:
	case LOAD_RENEWING:
		load_dhcp_say(run, index);
		break;
	default:
		load_ipv6_say(run, index);
	}
}

static bool is_waiting(const struct load_line *l)
{
	return l->state != LOAD_IDLE && l->state != LOAD_BOUND && l->state != LOAD_FAILED;
}

void load_exchange_enter(struct load_exchange *run, uint32_t index, enum load_state state)
{
	struct load_line *l = &run->lines->line[index];

	l->state = (uint8_t)state;
	l->tries = 1;
	say(run, index);
}

void load_exchange_finish(struct load_exchange *run, uint32_t index, enum load_state state, bool failed)
{
	struct load_line *l = &run->lines->line[index];

	l->state = (uint8_t)state;
	run->active--;
	if (failed) {
		run->r->failed++;
		return;
	}
	run->r->completed++;
	load_histogram_add(&run->r->whole, load_now_ns() - l->began_ns);
}

/* Returns whether anything came. */
static bool receive_all(struct load_exchange *run)
{
	bool any = false;
	struct load_packet packet;

	while (load_ring_next(run->ring, &packet)) {
		any = true;
		if (!load_dhcp_heard(run, &packet) && run->lines->ipv6)
			(void)load_ipv6_heard(run, &packet);
	}
	return any;
}

/* Walks a slice of the lines and repeats what has waited too long. */
static void check_timeouts(struct load_exchange *run, uint64_t now)
{
	uint64_t limit = (uint64_t)(run->o->timeout_s * 1e9);

	for (uint32_t n = run->lines->count < 4096 ? run->lines->count : 4096; n; n--) {
		uint32_t i = run->oldest++ % run->lines->count;
		struct load_line *l = &run->lines->line[i];

		if (!is_waiting(l) || l->sent_ns + limit > now)
			continue;
		run->r->timeouts++;
		if (l->tries++ >= run->o->retries)
			load_exchange_finish(
				run, i, run->from == LOAD_BOUND ? LOAD_BOUND : LOAD_FAILED, true);
		else
			say(run, i);
	}
}

/* Begins exchanges while the window and the rate allow. */
static void begin_some(struct load_exchange *run, uint64_t now, bool again)
{
	double elapsed = (double)(now - run->r->began_ns) / 1e9;
	uint64_t begun = run->r->completed + run->r->failed + run->active;

	for (uint32_t scanned = 0; run->active < run->o->window && scanned < run->lines->count; scanned++) {
		if (run->o->rate > 0 && (double)begun >= elapsed * run->o->rate + 1)
			return;
		if (run->next == run->lines->count) {
			if (!again)
				return;
			run->next = 0;
		}
		uint32_t index = run->next++;

		if (run->lines->line[index].state != run->from)
			continue;
		run->lines->line[index].began_ns = now;
		run->active++;
		begun++;
		load_exchange_enter(run, index, run->first);
	}
}

static int loop(struct load_exchange *run, double duration_s)
{
	uint64_t deadline;

	run->r->began_ns = load_now_ns();
	deadline = run->r->began_ns + (uint64_t)(duration_s * 1e9);
	for (;;) {
		uint64_t now = load_now_ns();
		bool more = duration_s > 0 ? now < deadline : run->next < run->lines->count;

		if (more)
			begin_some(run, now, duration_s > 0);
		load_ring_flush(run->ring);
		if (!receive_all(run) && (run->active >= run->o->window || run->o->rate > 0 || !more))
			load_ring_wait(run->ring);
		check_timeouts(run, now);
		load_ring_flush(run->ring);
		if (!more && !run->active)
			break;
	}
	run->r->ended_ns = load_now_ns();
	return run->r->failed ? 1 : 0;
}

int load_run_exchange(
	const char *phase, struct load_lines *lines, struct load_ring *ring, struct load_result *r)
{
	struct load_exchange run = {.lines = lines,
		.ring = ring,
		.r = r,
		.o = lines->options,
		.dual = strcmp(phase, "dual") == 0,
		.first = LOAD_DISCOVERING};
	bool renews = true;

	if (strcmp(phase, "renew") == 0)
		run.first = LOAD_RENEWING;
	else if (strcmp(phase, "renew6") == 0)
		run.first = LOAD_RENEWING6;
	else if (run.dual || strcmp(phase, "dora") == 0)
		renews = false;
	else
		return -EINVAL;
	run.from = renews ? LOAD_BOUND : LOAD_IDLE;
	if ((run.dual || run.first == LOAD_RENEWING6) && !lines->ipv6) {
		lines->ipv6 = calloc(lines->count, sizeof(*lines->ipv6));
		if (!lines->ipv6)
			return -ENOMEM;
	}
	return loop(&run, renews ? lines->options->duration_s : 0);
}
