/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* NAT44: what becomes of a packet, from inside and from outside. The clock has been looked at. */
#ifndef BNG_NAT_TRANSLATE_H
#define BNG_NAT_TRANSLATE_H

#include "nat_error.h"
#include "nat_flow.h"
#include "nat_fragment.h"

/* One to one: every protocol, the same ports. The public address is the session's own; others behind it have
 * none. */
static __always_inline __u32 nat_static_from_inside(struct xdp_md *ctx, struct bng_scratch *s)
{
	struct bng_nat_work *w = &s->nat;

	if (!nat_find_grant(s))
		return w->refused;
	if (s->source != w->session)
		return BNG_DROP_nat_no_block;
	w->source = w->grant.address;
	w->changes = BNG_NAT_SOURCE;
	if (s->fragment & BNG_IP_OFFSET)
		return 0;
	if (s->protocol != BNG_IPPROTO_TCP && s->protocol != BNG_IPPROTO_UDP &&
		s->protocol != BNG_IPPROTO_ICMP)
		return 0;
	__u32 refused = nat_parse(ctx, s);

	if (refused)
		return refused;
	w->source_port = w->old_source_port;
	if (w->protocol != BNG_NAT_ICMP || !is_icmp_error(w->icmp_type)) {
		w->changes |= BNG_NAT_UPPER;
		return 0;
	}
	refused = nat_load_quote(ctx, s);
	if (!refused)
		refused = nat_quoted_end(s, &w->out, 0);
	if (!refused && w->out.address != w->session)
		refused = BNG_DROP_nat_icmp_unrelated;
	if (refused)
		return refused;
	w->quoted_destination = w->grant.address;
	w->quoted_destination_port = w->out.port;
	w->changes |= BNG_NAT_QUOTED_DESTINATION;
	return 0;
}

static __always_inline __u32 nat_mapped_from_inside(struct xdp_md *ctx, struct bng_scratch *s)
{
	struct bng_nat_work *w = &s->nat;

	w->out.vrf = w->vrf;
	w->out.address = s->source;
	w->out.port = w->old_source_port;
	w->out.protocol = s->protocol;

	struct bng_nat_mapping *mapping = bpf_map_lookup_elem(&nat_out, &w->out);

	if (mapping && mapping->session_id == w->session_id && nat_touch(s, &mapping->seen_ns)) {
		w->source = mapping->address;
		w->source_port = mapping->port;
		w->flags = mapping->flags;
	} else {
		__u32 refused = (__u32)nat_map();

		if (refused)
			return refused;
		w->source = w->mapping.address;
		w->source_port = w->mapping.port;
	}
	w->changes = BNG_NAT_SOURCE | BNG_NAT_UPPER;
	if (w->flags & BNG_NAT_FLOWS) {
		w->flow.address = w->source;
		w->flow.port = w->source_port;
		__u32 refused = (__u32)nat_flow_from_inside();

		if (refused)
			return refused;
		/* Not between lines: what a hairpin's other end is sent is as it was written. */
		if ((w->flags & BNG_NAT_ALG) && w->old_destination_port == bpf_htons(BNG_FTP_PORT) &&
			s->toward.kind != BNG_ROUTE_NAT)
			w->changes |= BNG_NAT_BY_AGENT;
	}
	if (s->fragment & BNG_IP_MF)
		return (__u32)nat_fragment_note(ctx);
	return 0;
}

/*
 * A packet of the session w->sender_id, w->session_id, w->slot, w->session, w->vrf toward what is not a line.
 * 0: s->nat.changes and so on say how it leaves; BNG_PUNT_REASON_nat_fragment_early; or the drop reason.
 * Global: see handle_arp.
 */
__noinline int nat_from_inside(struct xdp_md *ctx, int is_static)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return BNG_DROP_internal_lookup;
	if (is_static)
		return (int)nat_static_from_inside(ctx, s);
	if (s->fragment & BNG_IP_OFFSET) {
		int lost = nat_fragment_follow(ctx);

		/* Noted before the session was one that is translated. */
		return !lost && !(s->nat.changes & BNG_NAT_SOURCE) ? BNG_DROP_nat_fragment_lost : lost;
	}
	__u32 refused = nat_parse(ctx, s);

	if (refused)
		return (int)refused;
	if (s->nat.protocol == BNG_NAT_ICMP) {
		if (is_icmp_error(s->nat.icmp_type))
			return nat_error_from_inside(ctx);
		if (s->nat.icmp_type != BNG_ICMP_ECHO && s->nat.icmp_type != BNG_ICMP_TIMESTAMP)
			return BNG_DROP_nat_protocol;
	}
	return (int)nat_mapped_from_inside(ctx, s);
}

/* To an address that is one session's, all of it. */
static __always_inline __u32 nat_static_from_outside(struct xdp_md *ctx, struct bng_scratch *s)
{
	struct bng_nat_work *w = &s->nat;

	w->in.port = 0;
	w->in.protocol = 0;
	struct bng_nat_reverse *reverse = bpf_map_lookup_elem(&nat_in, &w->in);

	if (!reverse || !(reverse->flags & BNG_NAT_STATIC))
		return BNG_DROP_nat_no_mapping;
	w->session_id = reverse->session_id;
	w->session = reverse->session;
	w->destination = reverse->address;
	w->changes |= BNG_NAT_DESTINATION;
	if ((s->fragment & BNG_IP_OFFSET) ||
		(s->protocol != BNG_IPPROTO_TCP && s->protocol != BNG_IPPROTO_UDP &&
			s->protocol != BNG_IPPROTO_ICMP))
		return 0;
	w->destination_port = w->old_destination_port;
	if (s->protocol != BNG_IPPROTO_ICMP || !is_icmp_error(w->icmp_type)) {
		w->changes |= BNG_NAT_UPPER;
		return 0;
	}
	__u32 refused = nat_load_quote(ctx, s);

	if (!refused)
		refused = nat_quoted_end(s, &w->out, 1);
	if (!refused && w->out.address != s->destination)
		refused = BNG_DROP_nat_icmp_unrelated;
	if (refused)
		return refused;
	w->quoted_source = w->destination;
	w->quoted_source_port = w->out.port;
	w->changes |= BNG_NAT_QUOTED_SOURCE;
	return 0;
}

/*
 * The peer is `peer`, which of a hairpin is the sender's public side. w->old_* are filled. 0:
 * w->session is the one it is for; or the drop reason.
 */
static __always_inline __u32 nat_mapped_from_outside(struct bng_scratch *s, __be32 peer, __be16 peer_port)
{
	struct bng_nat_work *w = &s->nat;
	struct bng_nat_reverse *reverse = bpf_map_lookup_elem(&nat_in, &w->in);

	if (!reverse)
		return BNG_DROP_nat_no_mapping;
	w->session_id = reverse->session_id;
	w->session = reverse->session;
	w->slot = reverse->slot;
	w->flags = reverse->flags;
	w->destination = reverse->address;
	w->destination_port = reverse->port;
	if (w->protocol == BNG_NAT_ICMP)
		w->source_port = reverse->port; /* there is one identifier */
	w->changes |= BNG_NAT_DESTINATION | BNG_NAT_UPPER;
	if (!(w->flags & (BNG_NAT_FLOWS | BNG_NAT_REFRESHED)))
		return 0;
	w->out.vrf = w->vrf;
	w->out.address = reverse->address;
	w->out.port = reverse->port;
	w->out.protocol = s->protocol;
	if (w->flags & BNG_NAT_REFRESHED) {
		struct bng_nat_mapping *mapping = bpf_map_lookup_elem(&nat_out, &w->out);

		if (!mapping || !nat_touch(s, &mapping->seen_ns))
			return BNG_DROP_nat_no_mapping;
	}
	if (!(w->flags & BNG_NAT_FLOWS))
		return 0;
	w->flow.vrf = w->vrf;
	w->flow.address = s->destination;
	w->flow.port = w->in.port;
	w->flow.peer = peer;
	w->flow.peer_port = peer_port;
	w->flow.protocol = s->protocol;
	if ((w->flags & BNG_NAT_ALG) && peer_port == bpf_htons(BNG_FTP_PORT) && !w->sender_id)
		w->changes |= BNG_NAT_BY_AGENT;
	return (__u32)nat_flow_from_outside();
}

/*
 * A packet to a public address of NAT, of the VRF w->vrf. With w->changes 0 it came from the core, or from a
 * line that is not translated; else nat_from_inside() has been there: a hairpin (RFC 4787 6, RFC 5382 8). 0:
 * w->session is the session it is for; BNG_PUNT_REASON_nat_fragment_early; or the drop reason. Global: see
 * handle_arp.
 */
__noinline int nat_from_outside(struct xdp_md *ctx)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return BNG_DROP_internal_lookup;
	struct bng_nat_work *w = &s->nat;
	int is_hairpin = w->changes & BNG_NAT_SOURCE;
	__be32 peer = s->source;
	__be16 peer_port = 0;
	__u32 refused = 0;

	w->in.vrf = w->vrf;
	w->in.address = s->destination;
	w->in.protocol = s->protocol;
	if (s->fragment & BNG_IP_OFFSET) {
		/* nat_from_inside() may have followed the first one through both translations. */
		if ((w->changes & BNG_NAT_DESTINATION) || !nat_static_from_outside(ctx, s))
			return 0;
		refused = (__u32)nat_fragment_follow(ctx);
		if (!refused && !(w->changes & BNG_NAT_DESTINATION))
			refused = BNG_DROP_nat_fragment_lost;
		return (int)refused;
	}
	if (is_hairpin) {
		peer = w->source;
		peer_port = w->source_port;
		if (s->protocol != BNG_IPPROTO_TCP && s->protocol != BNG_IPPROTO_UDP &&
			s->protocol != BNG_IPPROTO_ICMP)
			refused = BNG_DROP_nat_protocol;
	} else {
		refused = nat_parse(ctx, s);
		peer_port = w->old_source_port;
	}
	if (refused == BNG_DROP_nat_protocol)
		return (int)nat_static_from_outside(ctx, s);
	if (refused)
		return (int)refused;
	w->in.port = w->old_destination_port;
	if (w->protocol == BNG_NAT_ICMP) {
		if (is_icmp_error(w->icmp_type)) {
			refused = (__u32)nat_error_from_outside(ctx);
			if (refused == BNG_DROP_nat_icmp_unrelated) {
				w->in.address = s->destination;
				if (!nat_static_from_outside(ctx, s))
					return 0;
			}
			return (int)refused;
		}
		/* Only answers to what the inside has asked (RFC 5508 3.1): questions name no port of ours.
		 */
		if (w->icmp_type != BNG_ICMP_ECHO_REPLY && w->icmp_type != BNG_ICMP_TIMESTAMP_REPLY)
			return (int)nat_static_from_outside(ctx, s);
	}
	refused = nat_mapped_from_outside(s, peer, peer_port);
	if (refused == BNG_DROP_nat_no_mapping)
		refused = nat_static_from_outside(ctx, s);
	if (!refused && (s->fragment & BNG_IP_MF))
		refused = (__u32)nat_fragment_note(ctx);
	return (int)refused;
}

#endif
