// SPDX-License-Identifier: Apache-2.0
// When mappings and connections of NAT44 end: RFC 4787 4.3, RFC 5382 5, RFC 5508 3.2, RFC 7857 2, and what
// the session still holds.
#include "nat_expiry.h"

#include "entry.h"

#include <arpa/inet.h>

enum {
	TCP = 6,
	UDP = 17,
	UNUSED_SECONDS = 10, /* of a TCP mapping without connections */
};

static bool has_passed(uint64_t seen_ns, uint64_t now_ns, uint32_t seconds)
{
	return seen_ns <= now_ns && now_ns - seen_ns >= (uint64_t)seconds * 1000000000;
}

static bool is_forward(const struct bng_session_object *session, const struct bng_nat_key *key,
	const struct bng_nat_mapping *mapping)
{
	uint32_t i;

	for (i = 0; i < session->nat.forward_count; i++) {
		const struct bng_nat_forward *forward = &session->nat.forwards[i];

		if (forward->protocol == key->protocol && forward->inside == key->address &&
			forward->inside_port == ntohs(key->port) &&
			forward->outside_port == ntohs(mapping->port))
			return true;
	}
	return false;
}

bool bng_nat_mapping_has_ended(const struct bng_session_object *session, const struct bng_nat_key *key,
	const struct bng_nat_mapping *mapping, uint64_t now_ns)
{
	const struct bng_nat_policy_object *policy;

	if (!session || session->nat.address != mapping->address || !session->nat.policy)
		return true;
	if (mapping->flags & BNG_NAT_FORWARD)
		return !is_forward(session, key, mapping);
	if (!bng_nat_has_port(&session->nat, ntohs(mapping->port)))
		return true;
	policy = session->nat.policy;
	if (key->protocol == TCP)
		return !mapping->flows && has_passed(mapping->seen_ns, now_ns, UNUSED_SECONDS);
	return has_passed(
		mapping->seen_ns, now_ns, key->protocol == UDP ? policy->udp_seconds : policy->icmp_seconds);
}

/* A connection is established once both sides have been heard and until both have said FIN, or one RST. */
static bool is_established(uint64_t state)
{
	const uint64_t syns = BNG_NAT_SYN_INSIDE | BNG_NAT_SYN_OUTSIDE,
		       data = BNG_NAT_DATA_INSIDE | BNG_NAT_DATA_OUTSIDE;

	return ((state & syns) == syns || (state & data) == data) && !bng_nat_flow_is_closed(state);
}

bool bng_nat_flow_has_ended(const struct bng_session_object *session, const struct bng_nat_flow_key *key,
	const struct bng_nat_flow *flow, uint64_t now_ns)
{
	const struct bng_nat_policy_object *policy;
	uint32_t seconds;

	if (!session || session->nat.address != key->address || !session->nat.policy)
		return true;
	policy = session->nat.policy;
	/* Without a port it is a peer that may begin connections: not for as long as one is kept, for it
	 * keeps the mapping's port. */
	if (key->protocol == TCP)
		seconds = key->peer_port && is_established(flow->state) ? policy->tcp_established_seconds
									: policy->tcp_transitory_seconds;
	else
		seconds = key->protocol == UDP ? policy->udp_seconds : policy->icmp_seconds;
	return has_passed(flow->seen_ns, now_ns, seconds);
}
