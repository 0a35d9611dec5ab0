// SPDX-License-Identifier: Apache-2.0
// Frames out of ports, in order, as many per system call as go to one port.
#include "agent.h"

#include <errno.h>
#include <unistd.h>

enum { PAUSE_US = 20 };

void bng_frame_run_flush(struct bng_agent *agent, struct bng_frame_run *run)
{
	unsigned done = 0;
	int sent;

	while (done < run->count) {
		sent = bng_packet_send(agent->packet[run->port], run->frames + done, run->count - done);
		if (sent > 0) {
			done += (unsigned)sent;
			agent->counters[run->counter] += (unsigned)sent;
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

bool bng_frame_run_add(
	struct bng_agent *agent, struct bng_frame_run *run, uint32_t port, struct bng_bytes frame)
{
	if (!port || port >= BNG_MAX_PORTS || agent->packet[port] < 0) {
		agent->counters[BNG_COUNT_inject_unknown_port]++;
		return false;
	}
	if (run->count == BNG_PACKET_BATCH || (run->count && run->port != port))
		bng_frame_run_flush(agent, run);
	run->port = port;
	run->frames[run->count++] = frame;
	return true;
}
