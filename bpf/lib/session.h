/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Sessions by line and by address, and whether they may still be served. */
#ifndef BNG_SESSION_H
#define BNG_SESSION_H

#include "ethernet.h"

/* The session whose address is s->address, with its line in s->line. */
static __always_inline struct bng_session *session_by_address(struct bng_scratch *s)
{
	struct bng_line_key *line = bpf_map_lookup_elem(&session_addresses, &s->address);

	if (!line)
		return NULL;
	return bpf_map_lookup_elem(&sessions, line);
}

/*
 * A client behind a layer-3 relay sends data with the relay's MAC address, so its line is found by its
 * address and must then be the line the frame came from.
 */
static __always_inline struct bng_session *session_behind_relay(
	struct bng_scratch *s, __u32 vrf, __be32 source)
{
	s->address.vrf = vrf;
	s->address.ipv4 = source;
	struct bng_line_key *line = bpf_map_lookup_elem(&session_addresses, &s->address);

	if (!line || line->port != s->line.port || line->s_vlan != s->line.s_vlan ||
		line->c_vlan != s->line.c_vlan)
		return NULL;
	struct bng_session *session = bpf_map_lookup_elem(&sessions, line);

	if (!session || !(session->flags & BNG_SESSION_RELAYED) || !same_mac(session->frame_mac, s->line.mac))
		return NULL;
	return session;
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
