// SPDX-License-Identifier: Apache-2.0
// Packets whose next hop has no MAC address yet: the kernel resolves it and sends them. Where it cannot be
// told the next hop, which is so for an IPv6 gateway that its own routes do not name, it resolves and the
// agent sends.
#include "agent.h"

#include "alloc.h"
#include "ipv4_fragment.h"
#include "ipv6_packet.h"
#include "map_policy.h"
#include "map_policy6.h"
#include "neighbor.h"

#include <errno.h>

enum { ETHERNET = 14, WAIT_NS = 50000000 /* more than an answer takes on a core link */ };

static void count(struct bng_agent *agent, int err)
{
	agent->counters[err ? BNG_COUNT_neighbor_failed : BNG_COUNT_neighbor_sent]++;
}

/* Of the interface behind a gateway's port; 0: it is no gateway, or the interface is gone. */
static uint32_t gateway_interface(const struct bng_agent *agent, const struct bng_next_hop *hop)
{
	return hop->kind == BNG_NEXT_HOP_GATEWAY && hop->port >= 1 && hop->port <= agent->kern.port_count
		       ? agent->kern.ports[hop->port].interface.index
		       : 0;
}

/* The TTL goes down by one as in any forwarding. The kernel serves VRF 0 only; a gateway's route is followed
 * even if the kernel's own says otherwise. */
static int send_ipv4(struct bng_agent *agent, uint8_t *packet, size_t size)
{
	struct bng_next_hop hop = {0};
	bng_ip4 destination;

	if (packet[8] <= 1)
		return -ETIME;
	packet[8]--;
	memcpy(&destination, packet + 16, sizeof(destination));
	(void)bng_map_route_lookup(&agent->kern, 0, destination, &hop);
	return bng_raw_ip_send(agent->raw_ip, (struct bng_bytes){packet, size},
		hop.kind == BNG_NEXT_HOP_GATEWAY ? hop.ipv4 : 0, gateway_interface(agent, &hop));
}

static int find_gateway6(const struct bng_agent *agent, const uint8_t *packet, struct bng_next_hop *ret)
{
	struct bng_ip6 destination;

	memcpy(&destination, packet + 24, sizeof(destination));
	return bng_map_route6_lookup(&agent->kern, 0, &destination, ret);
}

/* 0: sent; positive: it waits. */
static int send_ipv6(struct bng_agent *agent, uint8_t *packet, size_t size)
{
	struct bng_next_hop hop = {0};
	uint32_t interface;
	int err;

	if (packet[7] <= 1)
		return -ETIME;
	packet[7]--;
	(void)find_gateway6(agent, packet, &hop);
	interface = gateway_interface(agent, &hop);
	if (!interface)
		return bng_raw_ip6_send(agent->raw_ip6, (struct bng_bytes){packet, size});
	err = bng_neighbor_probe(agent->neighbors, (const uint8_t *)&hop.ipv6, interface);
	if (!err)
		err = bng_delay_queue_push(&agent->unresolved, bng_clock_now().boot_ns + WAIT_NS, hop.port,
			(struct bng_bytes){packet, size});
	return err ? err : 1;
}

void bng_neighbor_send(struct bng_agent *agent, const struct bng_punt *punt)
{
	struct bng_bytes frame = {punt->frame, punt->frame_length};
	size_t at4 = bng_frame_ipv4_at(frame), at6 = at4 ? 0 : bng_frame_ipv6_at(frame), size;
	uint8_t copy[BNG_FRAME_MAX];
	int err = -EINVAL;

	if (frame.size > sizeof(copy)) {
		count(agent, -EMSGSIZE);
		return;
	}
	/* Without Ethernet's padding. */
	if (at4) {
		size = bng_get_be16(frame.data + at4 + 2);
		memcpy(copy, frame.data + at4, size);
		err = send_ipv4(agent, copy, size);
	} else if (at6) {
		size = BNG_IPV6_HEADER + bng_get_be16(frame.data + at6 + 4);
		memcpy(copy, frame.data + at6, size);
		err = send_ipv6(agent, copy, size);
	}
	if (err <= 0)
		count(agent, err);
}

/* To the gateway the route names by now, if it has answered. */
static int send_resolved(struct bng_agent *agent, const struct bng_delayed *waiting)
{
	uint8_t frame[ETHERNET + BNG_FRAME_MAX] = {[12] = 0x86, [13] = 0xdd};
	struct bng_bytes out = {frame, ETHERNET + waiting->size};
	struct bng_next_hop hop;
	uint32_t interface;
	int err = find_gateway6(agent, waiting->frame, &hop);

	if (err)
		return err;
	interface = gateway_interface(agent, &hop);
	if (!interface)
		return -ENODEV;
	err = bng_neighbor_get(agent->neighbors, (const uint8_t *)&hop.ipv6, interface, frame);
	if (err)
		return err;
	memcpy(frame + 6, agent->kern.ports[hop.port].interface.mac, 6);
	memcpy(frame + ETHERNET, waiting->frame, waiting->size);
	err = bng_packet_send(agent->packet[hop.port], &out, 1);
	return err < 0 ? err : 0;
}

void bng_neighbor_tick(struct bng_agent *agent)
{
	struct bng_delayed waiting;
	uint64_t now_ns;

	if (!agent->unresolved.count)
		return;
	now_ns = bng_clock_now().boot_ns;
	while (bng_delay_queue_pop(&agent->unresolved, now_ns, &waiting)) {
		count(agent, send_resolved(agent, &waiting));
		bng_free(waiting.frame);
	}
}
