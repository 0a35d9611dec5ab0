// SPDX-License-Identifier: Apache-2.0
// Ranges of NAT policies, and of what a session is granted of a public address.
#include "validate.h"

#include "entry.h"

enum {
	ESTABLISHED_MIN = 240,
	ESTABLISHED_MAX = 864000,
	TRANSITORY_MIN = 60,
	IDLE_MIN = 30,
	TIMER_MAX = 3600,
	FLOWS_MIN = 16,
	FLOWS_MAX = 1000000,
	PORT_MAX = 65535,
	TCP = 6,
	UDP = 17,
};

int bng_validate_nat_policy(const struct bng_nat_policy_object *policy, struct bng_refusal *refusal)
{
	if (policy->filtering != BNG_FILTERING_ENDPOINT_INDEPENDENT &&
		policy->filtering != BNG_FILTERING_ADDRESS_DEPENDENT)
		return bng_refuse(refusal, BNG_INVALID, "20.1", "filtering is missing");
	if (policy->tcp_established_seconds < ESTABLISHED_MIN ||
		policy->tcp_established_seconds > ESTABLISHED_MAX)
		return bng_refuse(refusal, BNG_INVALID, "20.2", "tcp_established_seconds is %d to %d",
			ESTABLISHED_MIN, ESTABLISHED_MAX);
	if (policy->tcp_transitory_seconds < TRANSITORY_MIN || policy->tcp_transitory_seconds > TIMER_MAX)
		return bng_refuse(refusal, BNG_INVALID, "20.3", "tcp_transitory_seconds is %d to %d",
			TRANSITORY_MIN, TIMER_MAX);
	if (policy->udp_seconds < IDLE_MIN || policy->udp_seconds > TIMER_MAX)
		return bng_refuse(
			refusal, BNG_INVALID, "20.4", "udp_seconds is %d to %d", IDLE_MIN, TIMER_MAX);
	if (policy->icmp_seconds < IDLE_MIN || policy->icmp_seconds > TIMER_MAX)
		return bng_refuse(
			refusal, BNG_INVALID, "20.5", "icmp_seconds is %d to %d", IDLE_MIN, TIMER_MAX);
	if (policy->flows_per_session < FLOWS_MIN || policy->flows_per_session > FLOWS_MAX)
		return bng_refuse(
			refusal, BNG_INVALID, "20.6", "flows_per_session is %d to %d", FLOWS_MIN, FLOWS_MAX);
	return 0;
}

static int check_blocks(const struct bng_nat_object *nat, struct bng_refusal *refusal)
{
	uint32_t i, j;

	if (nat->block_ports < BNG_NAT_BLOCK_PORTS_MIN || nat->block_ports > BNG_NAT_BLOCK_PORTS_MAX ||
		(nat->block_ports & (nat->block_ports - 1)))
		return bng_refuse(refusal, BNG_INVALID, "17.4.8.4", "block_ports is a power of two, %d to %d",
			BNG_NAT_BLOCK_PORTS_MIN, BNG_NAT_BLOCK_PORTS_MAX);
	if (!nat->block_count)
		return bng_refuse(refusal, BNG_INVALID, "17.4.8.5", "1 to %d blocks", BNG_NAT_BLOCKS_MAX);
	for (i = 0; i < nat->block_count; i++) {
		uint32_t first = nat->first_ports[i];

		if (first < BNG_NAT_FIRST_PORT || first % BNG_NAT_BLOCK_PORTS_MIN || first > PORT_MAX ||
			first + nat->block_ports > PORT_MAX + 1)
			return bng_refuse(refusal, BNG_INVALID, "17.4.8.5",
				"block %u: its first port is a multiple of %d from %d, its last one at most "
				"%d",
				i, BNG_NAT_BLOCK_PORTS_MIN, BNG_NAT_FIRST_PORT, PORT_MAX);
		for (j = 0; j < i; j++)
			if (first < nat->first_ports[j] + nat->block_ports &&
				nat->first_ports[j] < first + nat->block_ports)
				return bng_refuse(
					refusal, BNG_INVALID, "17.4.8.5", "blocks %u and %u overlap", j, i);
	}
	return 0;
}

static bool is_behind(const struct bng_session_object *session, bng_ip4 address)
{
	uint32_t i;

	if (address == session->address)
		return true;
	for (i = 0; i < session->framed_count; i++)
		if (!((address ^ session->framed[i].prefix) & ~bng_host_bits(session->framed[i].length)))
			return true;
	return false;
}

static int check_forward(const struct bng_session_object *session, uint32_t i, struct bng_refusal *refusal)
{
	const struct bng_nat_object *nat = &session->nat;
	const struct bng_nat_forward *forward = &nat->forwards[i];
	uint32_t j;

	if (forward->protocol != TCP && forward->protocol != UDP)
		return bng_refuse(refusal, BNG_INVALID, "17.4.8.6.1", "protocol is %d or %d", TCP, UDP);
	if (!forward->outside_port || (forward->outside_port >= BNG_NAT_FIRST_PORT &&
					      !bng_nat_has_port(nat, forward->outside_port)))
		return bng_refuse(refusal, BNG_INVALID, "17.4.8.6.2",
			"outside_port is 1 to %d, or in a block of the session", BNG_NAT_FIRST_PORT - 1);
	if (!is_behind(session, forward->inside))
		return bng_refuse(refusal, BNG_INVALID, "17.4.8.6.3",
			"inside_address is the session's, or behind a framed route of it");
	if (!forward->inside_port || forward->inside_port > PORT_MAX)
		return bng_refuse(refusal, BNG_INVALID, "17.4.8.6.4", "inside_port is 1 to %d", PORT_MAX);
	for (j = 0; j < i; j++) {
		const struct bng_nat_forward *other = &nat->forwards[j];

		if (other->protocol == forward->protocol &&
			(other->outside_port == forward->outside_port ||
				(other->inside == forward->inside &&
					other->inside_port == forward->inside_port)))
			return bng_refuse(
				refusal, BNG_INVALID, "17.4.8.6", "forwards %u and %u share a port", j, i);
	}
	return 0;
}

int bng_validate_session_nat(const struct bng_session_object *session, struct bng_refusal *refusal)
{
	const struct bng_nat_object *nat = &session->nat;
	uint32_t i;
	int err;

	if (!bng_is_unicast(nat->address))
		return bng_refuse(refusal, BNG_INVALID, "17.4.8.2", "not a unicast address");
	if (nat->one_to_one) {
		if (nat->policy_id || nat->block_ports || nat->block_count || nat->forward_count)
			return bng_refuse(refusal, BNG_INVALID, "17.4.8.3",
				"one to one has no policy, blocks or forwards");
		return 0;
	}
	if (!nat->policy_id)
		return bng_refuse(refusal, BNG_INVALID, "17.4.8.1", "policy_id is missing");
	err = check_blocks(nat, refusal);
	for (i = 0; i < nat->forward_count && !err; i++)
		err = check_forward(session, i, refusal);
	return err;
}
