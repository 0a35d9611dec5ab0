/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* IPv6 from a line, with and without PPPoE: what is sound goes to the stage that serves it. */
#ifndef BNG_ACCESS6_H
#define BNG_ACCESS6_H

#include "dhcp6.h"
#include "nd.h"
#include "upstream6.h"

/* 0, or why no packet of a line looks like that. */
static __always_inline __u32 judge_addresses6(const struct bng_scratch *s)
{
	/* Answers go to the frame's sender. */
	if (s->line.mac[0] & 1)
		return BNG_DROP_malformed_ethernet;
	if (is_group6(&s->source6) || (is_martian6(&s->source6) && !is_unspecified6(&s->source6)))
		return BNG_DROP_spoofed_source;
	return 0;
}

static __always_inline __u32 judge_headers(const struct bng_scratch *s)
{
	struct bng_port *port = bpf_map_lookup_elem(&ports, (const void *)&bng_port_index);

	if (!port)
		return BNG_DROP_internal_lookup;
	return carries_refused(s, port) ? BNG_DROP_ipv6_refused_header : 0;
}

/* Neighbour discovery never leaves its link, whatever its addresses. */
static __always_inline int is_nd(struct xdp_md *ctx, struct bng_scratch *s)
{
	if (s->protocol != BNG_IPPROTO_ICMPV6 || (s->fragment & BNG_IP_OFFSET) ||
		bpf_xdp_load_bytes(ctx, s->l2_length + s->ip_header_length, s->header, 1))
		return 0;
	return s->header[0] >= BNG_ND_ROUTER_SOLICITATION && s->header[0] <= BNG_ND_REDIRECT;
}

/* Link-local addresses are known on their link only: what of it is for us ends here. Global: see handle_arp.
 */
__noinline int serve_link(struct xdp_md *ctx)
{
	struct bng_scratch *s = scratch_of_this_cpu();
	struct bng_port *port = bpf_map_lookup_elem(&ports, (const void *)&bng_port_index);

	if (!s || !port)
		return XDP_ABORTED;
	if (!same_ip6(&s->destination6, &port->link_local) || is_unspecified6(&s->source6))
		return drop(s, BNG_DROP_ipv6_local_scope);
	if (!bpf_map_lookup_elem(&sessions, &s->line))
		return drop(s, BNG_DROP_no_session);
	return answer_echo6(ctx, s);
}

/* What is neither neighbour discovery nor DHCPv6. */
static __always_inline int handle_unserved(struct xdp_md *ctx, struct bng_scratch *s)
{
	if (is_local_scope6(&s->destination6) || is_local_scope6(&s->source6) || is_unspecified6(&s->source6))
		return serve_link(ctx);
	return handle_data6(ctx);
}

/* Of UDP to port 547, which may be somebody else's. Global: see handle_arp. */
__noinline int handle_server_port(struct xdp_md *ctx)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return XDP_ABORTED;
	return is_dhcp6_server(s) ? handle_dhcp6(ctx) : handle_unserved(ctx, s);
}

/* A packet at s->l2_length, of at most `room` bytes. Global: see handle_arp. */
__noinline int handle_ipv6(struct xdp_md *ctx, __u32 room)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return XDP_ABORTED;
	if (!(s->port_flags & BNG_PORT_IPV6))
		return drop(s, BNG_DROP_ipv6_not_enabled);
	__u32 refused = parse_ipv6(ctx, s, any_network_header(ctx, s->l2_length), room);

	if (!refused)
		refused = judge_addresses6(s);
	if (!refused)
		refused = judge_headers(s);
	if (refused)
		return drop(s, refused);
	if (is_nd(ctx, s))
		return handle_nd(ctx);
	__u32 ports_of_packet = udp_ports6(ctx, s);

	if ((ports_of_packet & 0xffff) == BNG_DHCPV6_SERVER_PORT)
		return handle_server_port(ctx);
	if (ports_of_packet == (BNG_DHCPV6_SERVER_PORT << 16 | BNG_DHCPV6_CLIENT_PORT))
		return drop(s, BNG_DROP_dhcpv6_from_server);
	return handle_unserved(ctx, s);
}

static __always_inline int handle_ipv6_frame(struct xdp_md *ctx, struct bng_scratch *s)
{
	s->frame_length = (__u32)bpf_xdp_get_buff_len(ctx);
	return handle_ipv6(ctx, s->frame_length - s->l2_length);
}

#endif
