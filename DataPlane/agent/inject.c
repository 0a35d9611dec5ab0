// SPDX-License-Identifier: Apache-2.0
// Packets sent down by the controller.
#include "agent.h"

enum { FRAME_MIN = 14, PATIENCE_NS = 2000000 };

static bool is_wanted(struct bng_agent *agent, const Bng__Agent__V1__Inject *inject, uint32_t port)
{
	const struct bng_object *session;

	if (!port || agent->packet[port] < 0) {
		agent->counters[BNG_COUNT_inject_unknown_port]++;
		return false;
	}
	if (inject->frame.len < FRAME_MIN || inject->frame.len > BNG_FRAME_MAX) {
		agent->counters[BNG_COUNT_inject_bad_frame]++;
		return false;
	}
	if (!inject->requires_session_id)
		return true;
	session = bng_state_get(&agent->state, BNG_FAMILY_SESSION, inject->requires_session_id);
	if (!session || session->generation < inject->requires_generation) {
		agent->counters[BNG_COUNT_inject_refused_generation]++;
		return false;
	}
	return true;
}

void bng_inject(struct bng_agent *agent, const Bng__Agent__V1__InjectBatch *batch)
{
	struct bng_frame_run run = {
		.counter = BNG_COUNT_inject_sent, .patient_until_ns = bng_monotonic_ns() + PATIENCE_NS};
	size_t i;

	for (i = 0; i < batch->n_injects; i++) {
		const Bng__Agent__V1__Inject *inject = batch->injects[i];
		uint32_t port = bng_state_port_index(&agent->state, inject->port);

		if (is_wanted(agent, inject, port))
			(void)bng_frame_run_add(
				agent, &run, port, (struct bng_bytes){inject->frame.data, inject->frame.len});
	}
	bng_frame_run_flush(agent, &run);
}
