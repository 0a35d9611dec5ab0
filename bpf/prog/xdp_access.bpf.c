// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
// Access ingress: sorts what lines send to the stage that serves it. Nothing from a line reaches the kernel's
// own stack.
#include "access6.h"
#include "arp.h"
#include "dhcp4.h"
#include "ppp.h"
#include "pppoe.h"
#include "upstream.h"

enum { BNG_DHCP_SERVER_PORT = 67, BNG_DHCP_CLIENT_PORT = 68 };

static __always_inline int handle_ipv4(struct xdp_md *ctx, struct bng_scratch *s)
{
	int verdict = parse_ipv4(ctx, s, network_header(ctx, s->l2_length));

	if (verdict != BNG_NEXT)
		return verdict;

	__u32 ports_of_packet = udp_ports(ctx, s);
	__u32 destination_port = ports_of_packet & 0xffff;

	if (destination_port == BNG_DHCP_SERVER_PORT &&
		(s->destination == 0xffffffff || own_address_flags(s, s->port_vrf, s->destination))) {
		if (s->ip_header_length == 20)
			return handle_dhcp4(ctx, s);
		s->session_id = 0;
		s->generation = 0;
		return punt(ctx, BNG_PUNT_DHCPV4, BNG_PUNT_REASON_dhcp_options_unusual);
	}
	if (ports_of_packet == (BNG_DHCP_SERVER_PORT << 16 | BNG_DHCP_CLIENT_PORT))
		return drop(s, BNG_DROP_dhcp_from_server);
	if (!ipv4_is_whole(ctx, s))
		return drop(s, BNG_DROP_malformed_ipv4);
	return handle_data(ctx);
}

SEC("xdp")
int xdp_access(struct xdp_md *ctx)
{
	struct bng_scratch *s = scratch_of_this_cpu();
	struct bng_port *port = bpf_map_lookup_elem(&ports, (const void *)&bng_port_index);

	if (!s || !port)
		return XDP_ABORTED;
	if (!(port->flags & BNG_PORT_CONFIGURED))
		return drop(s, BNG_DROP_port_not_configured);

	s->port_vrf = port->vrf;
	s->port_flags = port->flags;
	*(__u64 *)s->port_mac = *(__u64 *)port->mac;
	int verdict = parse_ethernet(ctx, s);

	if (verdict != BNG_NEXT)
		return verdict;
	if (!s->destination_is_group) {
		struct bng_eth *eth = packet_start(ctx);

		if ((void *)(eth + 1) > packet_end(ctx))
			return drop(s, BNG_DROP_malformed_ethernet);
		if (!same_mac(eth->destination, port->mac))
			return drop(s, BNG_DROP_not_for_us);
	}
	switch (s->ethertype) {
	case BNG_ETH_IPV4:
		return handle_ipv4(ctx, s);
	case BNG_ETH_ARP:
		return handle_arp(ctx);
	case BNG_ETH_IPV6:
		return handle_ipv6_frame(ctx, s);
	case BNG_ETH_PPPOE_DISCOVERY:
		return handle_discovery(ctx);
	case BNG_ETH_PPPOE_SESSION:
		return handle_ppp(ctx, s);
	default:
		return drop(s, BNG_DROP_unknown_ethertype);
	}
}

char _license[] SEC("license") = "Dual BSD/GPL";
