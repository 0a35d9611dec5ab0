/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Sessions by line and by address, and whether they may still be served. */
#ifndef BNG_SESSION_H
#define BNG_SESSION_H

#include "ethernet.h"

static __always_inline struct bng_route *route_of(struct bng_scratch *s, __u32 vrf, __be32 destination)
{
	s->route.prefix_bits = 64;
	s->route.vrf = bpf_htonl(vrf);
	s->route.ipv4 = destination;
	return bpf_map_lookup_elem(&routes4, &s->route);
}

static __always_inline struct bng_line_key *line_of(struct bng_scratch *s, __u32 vrf, __be32 ipv4)
{
	s->address.vrf = vrf;
	s->address.ipv4 = ipv4;
	return bpf_map_lookup_elem(&session_addresses, &s->address);
}

/* Is the longest prefix around an address one behind the session with that address? Global: see handle_arp.
 */
__noinline int is_behind(__u32 vrf, __be32 ipv4, __be32 session_ipv4)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return 0;
	struct bng_route *route = route_of(s, vrf, ipv4);

	return route && route->kind == BNG_ROUTE_SESSION && route->session == session_ipv4;
}

/* The session's own address, or one of a prefix behind it. */
static __always_inline int is_source_of(const struct bng_session *session, __be32 source)
{
	if (!session->ipv4 || source == session->ipv4)
		return session->ipv4 != 0;
	return (session->flags & BNG_SESSION_HAS_ROUTES) && is_behind(session->vrf, source, session->ipv4);
}

/*
 * A client behind a layer-3 relay sends data with the relay's MAC address, so its line is found by its
 * address (or the prefix around it) and must then be the line the frame came from. 1: s->line is that line.
 * Global: see handle_arp.
 */
__noinline int is_behind_relay(void)
{
	struct bng_scratch *s = scratch_of_this_cpu();

	if (!s)
		return 0;
	struct bng_line_key *line = line_of(s, s->port_vrf, s->source);

	if (!line && (s->port_flags & BNG_PORT_TRUST_RELAYS)) {
		struct bng_route *route = route_of(s, s->port_vrf, s->source);

		if (route && route->kind == BNG_ROUTE_SESSION)
			line = line_of(s, s->port_vrf, route->session);
	}
	if (!line || line->port != s->line.port || line->s_vlan != s->line.s_vlan ||
		line->c_vlan != s->line.c_vlan)
		return 0;
	struct bng_session *session = bpf_map_lookup_elem(&sessions, line);

	if (!session || !(session->flags & BNG_SESSION_RELAYED) || !same_mac(session->frame_mac, s->line.mac))
		return 0;
	s->line = *line;
	return 1;
}

/* 0: lease and session are live; otherwise the drop reason. */
static __always_inline __u32 session_lapse(
	const struct bng_session *session, const struct bng_session_state *state, __u64 now)
{
	if (state->session_id != session->session_id)
		return BNG_DROP_internal_lookup;
	if (state->expires_ns <= now)
		return BNG_DROP_session_lapsed;
	if (session->ends_ns && session->ends_ns <= now)
		return BNG_DROP_session_lapsed;
	return 0;
}

static __always_inline struct bng_session_state *state_of(struct bng_session *session)
{
	return bpf_map_lookup_elem(&session_state, &session->slot);
}

static __always_inline struct bng_session_counters *counters_of(struct bng_session *session)
{
	return bpf_map_lookup_elem(&session_counters, &session->slot);
}

/* Flags of an address of ours in that VRF, 0: not ours. */
static __always_inline __u32 own_address_flags(struct bng_scratch *s, __u32 vrf, __be32 ipv4)
{
	s->address.vrf = vrf;
	s->address.ipv4 = ipv4;
	struct bng_own_address *own = bpf_map_lookup_elem(&own_addresses, &s->address);

	return own ? own->flags : 0;
}

static __always_inline int is_trusted_relay(struct bng_scratch *s, __be32 giaddr)
{
	s->relay.port = bng_port_index;
	s->relay.giaddr = giaddr;
	return bpf_map_lookup_elem(&trusted_relays, &s->relay) != NULL;
}

#endif
