/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * DHCPv6 from lines: what is forged or no client says ends here, a known client's Renew may be answered here
 * (dhcp6_renew.h), and the rest goes to the controller, unmodified.
 *
 * Deviation: the UDP checksum is verified of what is answered here, and not of what the controller reads.
 *
 * Supported standards: RFC 8415 7.1, 7.2, 16, 18.3.4, 19; RFC 6221 5.1.1 (trust in relays).
 */
#ifndef BNG_DHCP6_H
#define BNG_DHCP6_H

#include "dhcp6_renew.h"
#include "punt.h"

enum {
	BNG_DHCPV6_ADVERTISE = 2,
	BNG_DHCPV6_RENEW = 5,
	BNG_DHCPV6_RECONFIGURE = 10,
	BNG_DHCPV6_RELAY_FORWARD = 12,
	BNG_DHCPV6_RELAY_REPLY = 13,
	BNG_DHCPV6_RELAY_HEAD = 34,
};

/* Is it sent to one of our addresses, or to All_DHCP_Relay_Agents_and_Servers or All_DHCP_Servers (ff02::1:2,
 * ff05::1:3)? */
static __always_inline int is_dhcp6_server(struct bng_scratch *s)
{
	const struct bng_ip6 *to = &s->destination6;
	struct bng_port *port = bpf_map_lookup_elem(&ports, (const void *)&bng_port_index);

	if (to->high == bpf_cpu_to_be64(0xff02ULL << 48))
		return to->low == bpf_cpu_to_be64(0x10002);
	if (to->high == bpf_cpu_to_be64(0xff05ULL << 48))
		return to->low == bpf_cpu_to_be64(0x10003);
	return (port && same_ip6(to, &port->link_local)) || is_own6(s, s->port_vrf, to);
}

static __always_inline int is_of_server(__u32 type)
{
	return type == BNG_DHCPV6_ADVERTISE || type == BNG_DHCPV6_REPLY || type == BNG_DHCPV6_RECONFIGURE ||
	       type == BNG_DHCPV6_RELAY_REPLY;
}

/* RFC 8415 19: what a relay says is believed only where the port's policy says so. */
static __always_inline int handle_relayed(struct xdp_md *ctx, struct bng_scratch *s, __u32 udp_length)
{
	if (!(s->port_flags & (BNG_PORT_TRUST_OPTION82 | BNG_PORT_TRUST_RELAYS)))
		return drop(s, BNG_DROP_untrusted_relay);
	if (udp_length < sizeof(struct bng_udp) + BNG_DHCPV6_RELAY_HEAD)
		return drop(s, BNG_DROP_malformed_dhcpv6);
	return punt(ctx, BNG_PUNT_DHCPV6, BNG_PUNT_REASON_dhcpv6_relayed);
}

/* Global: see handle_arp. */
__noinline int handle_dhcp6(struct xdp_md *ctx)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return XDP_ABORTED;
	s->session_id = 0;
	s->generation = 0;
	if (s->fragment || s->ip_length < s->ip_header_length + sizeof(struct bng_udp) + BNG_DHCPV6_HEAD ||
		bpf_xdp_load_bytes(ctx, s->l2_length + s->ip_header_length, s->header,
			sizeof(struct bng_udp) + BNG_DHCPV6_HEAD))
		return drop(s, BNG_DROP_malformed_dhcpv6);
	__u32 udp_length = bpf_ntohs(BNG_LOAD(__be16, s->header + 4)), type = s->header[8];

	if (udp_length < sizeof(struct bng_udp) + BNG_DHCPV6_HEAD ||
		udp_length > s->ip_length - s->ip_header_length)
		return drop(s, BNG_DROP_malformed_dhcpv6);
	if (is_of_server(type))
		return drop(s, BNG_DROP_dhcpv6_from_server);
	struct bng_session *session = bpf_map_lookup_elem(&sessions, &s->line);

	if (session) {
		s->session_id = session->session_id;
		s->generation = session->generation;
	}
	if (type == BNG_DHCPV6_RELAY_FORWARD)
		return handle_relayed(ctx, s, udp_length);
	if (!session)
		return punt(ctx, BNG_PUNT_DHCPV6, BNG_PUNT_REASON_dhcpv6_unknown_line);
	if (type != BNG_DHCPV6_RENEW)
		return punt(ctx, BNG_PUNT_DHCPV6, BNG_PUNT_REASON_dhcpv6_other_message);
	__u32 reason = (__u32)decide_renew(ctx, udp_length);

	if (reason >= BNG_PUNT_REASON_dhcp_unknown_line)
		return punt(ctx, BNG_PUNT_DHCPV6, reason);
	return reason ? drop(s, reason) : answer_renew(ctx);
}

#endif
