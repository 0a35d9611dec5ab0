/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * ARP (RFC 826) on access ports: requests for our own addresses, and, because lines of one prefix cannot see
 * each other, for the addresses of other live sessions (RFC 1027, within the prefix). Nothing is learned from
 * ARP.
 */
#ifndef BNG_ARP_H
#define BNG_ARP_H

#include "punt.h"
#include "session.h"

struct bng_arp {
	__be16 hardware;
	__be16 protocol;
	__u8 hardware_length;
	__u8 protocol_length;
	__be16 operation;
	__u8 sender_mac[6];
	__be32 sender_ip;
	__u8 target_mac[6];
	__be32 target_ip;
} __attribute__((packed, aligned(2)));

static __always_inline int arp_reply(struct xdp_md *ctx, struct bng_scratch *s)
{
	void *data = packet_start(ctx), *end = packet_end(ctx);
	struct bng_arp *arp = network_header(ctx, s->l2_length);

	if ((void *)(arp + 1) > end)
		return drop(s, BNG_DROP_malformed_arp);
	__be32 sender = arp->sender_ip, target = arp->target_ip;

	answer_ethernet(data, s->port_mac);
	arp->operation = bpf_htons(2);
	copy_mac(arp->target_mac, arp->sender_mac);
	copy_mac(arp->sender_mac, s->port_mac);
	arp->sender_ip = target;
	arp->target_ip = sender;
	return sent(s, BNG_TX_arp_reply);
}

/* Global, like handle_data: what it needs of registers is not taken from the DHCP path. */
__noinline int handle_arp(struct xdp_md *ctx)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return XDP_ABORTED;
	void *end = packet_end(ctx);
	struct bng_arp *arp = network_header(ctx, s->l2_length);

	if ((void *)(arp + 1) > end || arp->hardware != bpf_htons(1) ||
		arp->protocol != bpf_htons(BNG_ETH_IPV4) || arp->hardware_length != 6 ||
		arp->protocol_length != 4)
		return drop(s, BNG_DROP_malformed_arp);
	if (!same_mac(arp->sender_mac, s->line.mac))
		return drop(s, BNG_DROP_malformed_arp);
	if (arp->operation != bpf_htons(1))
		return drop(s, BNG_DROP_arp_not_ours);

	__be32 sender = arp->sender_ip, target = arp->target_ip;
	struct bng_session *session = bpf_map_lookup_elem(&sessions, &s->line);

	if (!session) {
		if (own_address_flags(s, s->port_vrf, target))
			return arp_reply(ctx, s);
		return punt(ctx, BNG_PUNT_ARP, BNG_PUNT_REASON_arp_unknown);
	}
	/* RFC 5227: a probe carries no sender address. */
	if (sender && !is_source_of(session, sender) && !(session->flags & BNG_SESSION_SPOOF_LOG)) {
		s->slot = session->slot;
		blame_session(s, BNG_DROP_spoofed_source);
		return drop(s, BNG_DROP_spoofed_source);
	}
	if (own_address_flags(s, session->vrf, target))
		return arp_reply(ctx, s);
	if (target == session->ipv4)
		return drop(s, BNG_DROP_arp_not_ours);

	struct bng_line_key *line = line_of(s, session->vrf, target);
	struct bng_session *other = line ? bpf_map_lookup_elem(&sessions, line) : NULL;
	struct bng_session_state *state = other ? state_of(other) : NULL;

	if (!state || session_lapse(other, state, bpf_ktime_get_boot_ns()))
		return drop(s, BNG_DROP_arp_not_ours);
	return arp_reply(ctx, s);
}

#endif
