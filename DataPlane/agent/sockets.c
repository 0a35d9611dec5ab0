// SPDX-License-Identifier: Apache-2.0
// What the agent sends packets with: frames out of every port, packets into the kernel's routing, questions
// about neighbours.
#include "agent.h"

#include "neighbor.h"

#include <errno.h>
#include <unistd.h>

void bng_sockets_init(struct bng_agent *agent)
{
	int i;

	for (i = 0; i < BNG_MAX_PORTS; i++)
		agent->packet[i] = -1;
	agent->raw_ip = agent->raw_ip6 = agent->neighbors = -1;
}

int bng_sockets_open(struct bng_agent *agent)
{
	uint32_t i;

	for (i = 1; i <= agent->kern.port_count; i++) {
		agent->packet[i] = bng_packet_open(agent->kern.ports[i].interface.index);
		if (agent->packet[i] < 0)
			return agent->packet[i];
	}
	agent->raw_ip = bng_raw_ip_open();
	if (agent->raw_ip < 0)
		return agent->raw_ip;
	/* A kernel without IPv6 has no such packets either. */
	agent->raw_ip6 = bng_raw_ip6_open();
	if (agent->raw_ip6 < 0 && agent->raw_ip6 != -EAFNOSUPPORT)
		return agent->raw_ip6;
	agent->neighbors = bng_neighbor_open();
	return agent->neighbors < 0 ? agent->neighbors : 0;
}

static void close_one(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}

void bng_sockets_close(struct bng_agent *agent)
{
	int i;

	for (i = 0; i < BNG_MAX_PORTS; i++)
		close_one(agent->packet[i]);
	close_one(agent->raw_ip);
	close_one(agent->raw_ip6);
	close_one(agent->neighbors);
}
