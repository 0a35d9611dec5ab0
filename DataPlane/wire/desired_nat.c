// SPDX-License-Identifier: Apache-2.0
// NAT from the wire to the model.
#include "desired_internal.h"

_Static_assert((int)BNG__AGENT__V1__NATFILTERING__NAT_FILTERING_ADDRESS_DEPENDENT ==
		       (int)BNG_FILTERING_ADDRESS_DEPENDENT,
	"filtering");

void bng_take_nat_policy(const Bng__Agent__V1__NATPolicy *message, struct bng_nat_policy_object *policy,
	struct bng_refusal *malformed)
{
	size_t i;

	policy->filtering = (uint32_t)message->filtering;
	policy->tcp_established_seconds = message->tcp_established_seconds;
	policy->tcp_transitory_seconds = message->tcp_transitory_seconds;
	policy->udp_seconds = message->udp_seconds;
	policy->icmp_seconds = message->icmp_seconds;
	policy->flows_per_session = message->flows_per_session;
	policy->inbound_refresh = message->inbound_refresh;
	policy->port_parity = message->port_parity;
	for (i = 0; i < message->n_algs; i++) {
		if (message->algs[i] != BNG__AGENT__V1__NATALG__NATALG_FTP || i)
			complain(malformed, BNG_INVALID, "20.21", "each ALG once, in ascending order");
		policy->is_ftp_alg = true;
	}
	policy->pcp = message->pcp;
}

static void take_forwards(
	const Bng__Agent__V1__SessionNAT *message, struct bng_nat_object *nat, struct bng_refusal *malformed)
{
	uint32_t i;

	if (message->n_forwards > BNG_NAT_FORWARDS_MAX) {
		complain(malformed, BNG_INVALID, "17.4.8.6", "at most %d forwards", BNG_NAT_FORWARDS_MAX);
		return;
	}
	nat->forward_count = (uint32_t)message->n_forwards;
	for (i = 0; i < nat->forward_count; i++) {
		nat->forwards[i].protocol = message->forwards[i]->protocol;
		nat->forwards[i].outside_port = message->forwards[i]->outside_port;
		nat->forwards[i].inside_port = message->forwards[i]->inside_port;
		bng_take_ip4(message->forwards[i]->inside_address, false, "17.4.8.6.3",
			&nat->forwards[i].inside, malformed);
	}
}

void bng_take_session_nat(const Bng__Agent__V1__SessionNAT *message, struct bng_session_object *session,
	struct bng_refusal *malformed)
{
	struct bng_nat_object *nat = &session->nat;
	uint32_t i;

	session->has_nat = message != NULL;
	if (!message)
		return;
	nat->policy_id = message->policy_id;
	bng_take_ip4(message->address, false, "17.4.8.2", &nat->address, malformed);
	nat->one_to_one = message->one_to_one;
	nat->block_ports = message->block_ports;
	if (message->n_block_first_ports > BNG_NAT_BLOCKS_MAX) {
		complain(malformed, BNG_INVALID, "17.4.8.5", "1 to %d blocks", BNG_NAT_BLOCKS_MAX);
		return;
	}
	nat->block_count = (uint32_t)message->n_block_first_ports;
	for (i = 0; i < nat->block_count; i++)
		nat->first_ports[i] = message->block_first_ports[i];
	take_forwards(message, nat, malformed);
}
