// SPDX-License-Identifier: Apache-2.0
// Packets sent down by the controller, in order, as many per system call as go to one port.
#include "agent.h"

#include <errno.h>
#include <unistd.h>

enum { FRAME_MIN = 14, PATIENCE_NS = 2000000, PAUSE_US = 20 };

struct run {
	struct bng_bytes frames[BNG_PACKET_BATCH];
	unsigned count;
	uint32_t port;
	uint64_t patient_until_ns; /* a full queue of the interface drains in microseconds, or is stuck */
};

static void flush(struct bng_agent *agent, struct run *run)
{
	unsigned done = 0;
	int sent;

	while (done < run->count) {
		sent = bng_packet_send(agent->packet[run->port], run->frames + done, run->count - done);
		if (sent > 0) {
			done += (unsigned)sent;
			agent->counters[BNG_COUNT_inject_sent] += (unsigned)sent;
		} else if ((sent == -EAGAIN || sent == -ENOBUFS) &&
			   bng_monotonic_ns() < run->patient_until_ns) {
			(void)usleep(PAUSE_US);
		} else if (sent == -EAGAIN || sent == -ENOBUFS) {
			agent->counters[BNG_COUNT_inject_queue_full] += run->count - done;
			break;
		} else {
			/* This frame's fault: the next one may go. */
			agent->counters[BNG_COUNT_inject_send_failed]++;
			done++;
		}
	}
	run->count = 0;
}

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
	struct run run = {.patient_until_ns = bng_monotonic_ns() + PATIENCE_NS};
	size_t i;

	for (i = 0; i < batch->n_injects; i++) {
		const Bng__Agent__V1__Inject *inject = batch->injects[i];
		uint32_t port = bng_state_port_index(&agent->state, inject->port);

		if (!is_wanted(agent, inject, port))
			continue;
		if (run.count == BNG_PACKET_BATCH || (run.count && run.port != port))
			flush(agent, &run);
		run.port = port;
		run.frames[run.count++] = (struct bng_bytes){inject->frame.data, inject->frame.len};
	}
	flush(agent, &run);
}
