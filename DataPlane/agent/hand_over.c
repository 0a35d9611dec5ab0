// SPDX-License-Identifier: Apache-2.0
// What the programs hand over to be sent: packets to be cut to a line's MTU, and PADOs that wait.
#include "agent.h"

#include "alloc.h"
#include "ipv4_fragment.h"

void bng_fragment_send(struct bng_agent *agent, const struct bng_punt *punt)
{
	static uint8_t pieces[BNG_PACKET_BATCH][BNG_FRAME_MAX];
	struct bng_frame_run run = {.counter = BNG_COUNT_fragment_sent};
	struct bng_fragmenter fragmenter;
	size_t size, next = 0;

	if (punt->detail > BNG_FRAME_MAX - BNG_FRAME_HEAD_MAX ||
		bng_fragmenter_init(
			&fragmenter, (struct bng_bytes){punt->frame, punt->frame_length}, punt->detail)) {
		agent->counters[BNG_COUNT_fragment_failed]++;
		return;
	}
	agent->counters[BNG_COUNT_fragment_packets]++;
	while ((size = bng_fragmenter_next(&fragmenter, pieces[next])) > 0) {
		if (!bng_frame_run_add(agent, &run, punt->out_port, (struct bng_bytes){pieces[next], size}))
			return;
		next = (next + 1) % BNG_PACKET_BATCH;
		if (!next)
			bng_frame_run_flush(agent, &run);
	}
	bng_frame_run_flush(agent, &run);
}

void bng_held_take(struct bng_agent *agent, const struct bng_punt *punt)
{
	uint64_t due_ns = punt->received_ns + punt->detail * 1000000ULL;

	if (bng_delay_queue_push(&agent->held, due_ns, punt->out_port,
		    (struct bng_bytes){punt->frame, punt->frame_length}))
		agent->counters[BNG_COUNT_held_queue_full]++;
}

void bng_held_tick(struct bng_agent *agent)
{
	struct bng_frame_run run = {.counter = BNG_COUNT_held_sent};
	struct bng_delayed due[BNG_PACKET_BATCH];
	uint64_t now_ns;
	size_t count, i;

	if (!agent->held.count)
		return;
	now_ns = bng_clock_now().boot_ns;
	do {
		for (count = 0; count < BNG_PACKET_BATCH; count++) {
			if (!bng_delay_queue_pop(&agent->held, now_ns, &due[count]))
				break;
			(void)bng_frame_run_add(agent, &run, due[count].port,
				(struct bng_bytes){due[count].frame, due[count].size});
		}
		bng_frame_run_flush(agent, &run);
		for (i = 0; i < count; i++)
			bng_free(due[i].frame);
	} while (count == BNG_PACKET_BATCH);
}
