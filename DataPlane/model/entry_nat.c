// SPDX-License-Identifier: Apache-2.0
// What sessions are granted of public addresses, as values of maps; every byte of the result is set.
#include "entry.h"

#include <arpa/inet.h>
#include <string.h>

enum { TCP = 6 };

struct bng_nat_session bng_entry_nat_session(const struct bng_session_object *session)
{
	const struct bng_nat_object *nat = &session->nat;
	struct bng_nat_session value = {
		.session_id = session->head.id,
		.address = nat->address,
		.policy = nat->policy ? nat->policy->head.index : 0,
		.block_count = (uint16_t)nat->block_count,
		.block_ports = (uint16_t)nat->block_ports,
	};
	uint32_t i;

	for (i = 0; i < nat->block_count; i++)
		value.first_ports[i] = (uint16_t)nat->first_ports[i];
	return value;
}

uint32_t bng_nat_forward_count(const struct bng_session_object *session)
{
	if (!session || !session->has_nat)
		return 0;
	return session->nat.one_to_one ? 1 : session->nat.forward_count;
}

void bng_entry_nat_forward(const struct bng_session_object *session, uint32_t i, struct bng_nat_key *ret_out,
	struct bng_nat_mapping *ret_mapping, struct bng_nat_key *ret_in, struct bng_nat_reverse *ret_reverse)
{
	const struct bng_nat_object *nat = &session->nat;
	uint8_t flags = BNG_NAT_FORWARD;

	*ret_out = (struct bng_nat_key){.vrf = bng_session_vrf(session), .address = session->address};
	*ret_in = (struct bng_nat_key){.vrf = ret_out->vrf, .address = nat->address};
	if (nat->one_to_one) {
		flags |= BNG_NAT_STATIC;
	} else {
		const struct bng_nat_forward *forward = &nat->forwards[i];

		ret_out->address = forward->inside;
		ret_out->port = htons((uint16_t)forward->inside_port);
		ret_in->port = htons((uint16_t)forward->outside_port);
		ret_out->protocol = ret_in->protocol = (uint8_t)forward->protocol;
		if (forward->protocol == TCP)
			flags |= BNG_NAT_FLOWS;
	}
	*ret_mapping = (struct bng_nat_mapping){
		.session_id = session->head.id,
		.address = ret_in->address,
		.port = ret_in->port,
		.flags = flags,
		.slot = session->head.index,
	};
	*ret_reverse = (struct bng_nat_reverse){
		.session_id = session->head.id,
		.address = ret_out->address,
		.port = ret_out->port,
		.flags = flags,
		.session = session->address,
		.slot = session->head.index,
	};
}

struct bng_nat_policy bng_entry_nat_policy(const struct bng_nat_policy_object *policy)
{
	return (struct bng_nat_policy){
		.flags = (policy->filtering == BNG_FILTERING_ADDRESS_DEPENDENT ? BNG_NAT_ADDRESS_DEPENDENT
									       : 0) |
			 (policy->inbound_refresh ? BNG_NAT_INBOUND_REFRESH : 0) |
			 (policy->port_parity ? BNG_NAT_PARITY : 0) | (policy->pcp ? BNG_NAT_PCP : 0) |
			 (policy->is_ftp_alg ? BNG_NAT_FTP : 0),
		.flows_per_session = policy->flows_per_session,
	};
}

bool bng_nat_has_port(const struct bng_nat_object *nat, uint32_t port)
{
	uint32_t i;

	for (i = 0; i < nat->block_count; i++)
		if (port >= nat->first_ports[i] && port < nat->first_ports[i] + nat->block_ports)
			return true;
	return false;
}
