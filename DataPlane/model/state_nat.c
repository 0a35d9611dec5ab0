// SPDX-License-Identifier: Apache-2.0
// Who holds what of a public address: no port ever belongs to two sessions (docs/contract.md, section 7).
#include "state_internal.h"

#include <inttypes.h>

enum {
	PIECES_MAX = BNG_NAT_BLOCKS_MAX * (BNG_NAT_BLOCK_PORTS_MAX / BNG_NAT_BLOCK_PORTS_MIN) +
		     BNG_NAT_FORWARDS_MAX + 1
};

/* Calls visit for every piece a session holds; stops at the first that is not 0. */
static int each_piece(const struct bng_session_object *session,
	int (*visit)(void *context, const struct bng_nat_piece *piece), void *context)
{
	const struct bng_nat_object *nat = &session->nat;
	struct bng_nat_piece piece = {.vrf = bng_session_vrf(session), .address = nat->address};
	uint32_t i, port;
	int err = 0;

	if (nat->one_to_one) {
		piece.piece = BNG_NAT_PIECE_ALL;
		return visit(context, &piece);
	}
	for (i = 0; i < nat->block_count; i++)
		for (port = 0; port < nat->block_ports && !err; port += BNG_NAT_BLOCK_PORTS_MIN) {
			piece.piece = (nat->first_ports[i] + port) / BNG_NAT_BLOCK_PORTS_MIN;
			err = visit(context, &piece);
		}
	for (i = 0; i < nat->forward_count && !err; i++) {
		if (nat->forwards[i].outside_port >= BNG_NAT_FIRST_PORT)
			continue;
		piece.piece = BNG_NAT_PIECE_LOW + nat->forwards[i].outside_port;
		err = visit(context, &piece);
	}
	return err;
}

static struct bng_address_key public_address(const struct bng_session_object *session)
{
	return (struct bng_address_key){.vrf = bng_session_vrf(session), .ipv4 = session->nat.address};
}

uint64_t bng_state_nat_holders(const struct bng_state *state, const struct bng_address_key *key)
{
	uint64_t count = 0;

	(void)bng_hash_table_get(&state->nat_addresses, key, &count);
	return count;
}

struct search {
	const struct bng_state *state;
	const struct bng_session_object *held;
	const struct bng_session_object *holder;
};

static int find_holder(void *context, const struct bng_nat_piece *piece)
{
	struct search *search = context;

	search->holder = bng_state_holder(&search->state->nat_pieces, piece, search->held);
	return search->holder != NULL;
}

int bng_state_check_session_nat(const struct bng_state *state, const struct bng_session_object *held,
	struct bng_session_object *next, struct bng_refusal *refusal)
{
	struct bng_address_key address = public_address(next), before;
	struct bng_nat_piece all = {.vrf = address.vrf, .address = address.ipv4, .piece = BNG_NAT_PIECE_ALL};
	struct search search = {.state = state, .held = held};
	uint64_t holders = bng_state_nat_holders(state, &address);
	const struct bng_object *other;

	if (next->nat.policy_id) {
		next->nat.policy = (void *)bng_state_get(state, BNG_FAMILY_NAT_POLICY, next->nat.policy_id);
		if (!next->nat.policy)
			return bng_refuse(refusal, BNG_UNKNOWN_REFERENCE, "17.4.8.1",
				"no NAT policy %" PRIu64, next->nat.policy_id);
	}
	if (bng_state_own_count(state, &address))
		return bng_refuse(refusal, BNG_CONFLICT, "17.4.8.2", "address is the BNG's own");
	other = bng_state_holder(&state->addresses, &address, NULL);
	if (other || (next->nat.address == next->address))
		return bng_refuse(refusal, BNG_CONFLICT, "17.4.8.2", "address is a session's own");
	if (held && held->has_nat) {
		before = public_address(held);
		if (before.vrf == address.vrf && before.ipv4 == address.ipv4)
			holders--;
	}
	if (next->nat.one_to_one && holders)
		return bng_refuse(
			refusal, BNG_CONFLICT, "17.4.8.2", "other sessions hold ports of the address");
	other = bng_state_holder(&state->nat_pieces, &all, held);
	if (other)
		return bng_refuse(refusal, BNG_CONFLICT, "17.4.8.2",
			"session %" PRIu64 " holds the whole address", other->id);
	if (each_piece(next, find_holder, &search))
		return bng_refuse(refusal, BNG_CONFLICT, "17.4.8.5",
			"session %" PRIu64 " holds one of the ports", search.holder->head.id);
	return 0;
}

int bng_state_nat_make_room(struct bng_state *state)
{
	int err = bng_hash_table_reserve(&state->nat_pieces, PIECES_MAX);

	return err ? err : bng_hash_table_reserve(&state->nat_addresses, 1);
}

struct linking {
	struct bng_state *state;
	struct bng_session_object *session;
};

static int link_piece(void *context, const struct bng_nat_piece *piece)
{
	struct linking *linking = context;

	(void)bng_hash_table_put(&linking->state->nat_pieces, piece, (uintptr_t)linking->session);
	return 0;
}

static int unlink_piece(void *context, const struct bng_nat_piece *piece)
{
	struct linking *linking = context;

	(void)bng_hash_table_remove(&linking->state->nat_pieces, piece);
	return 0;
}

void bng_state_nat_link(struct bng_state *state, struct bng_session_object *session)
{
	struct bng_address_key address = public_address(session);
	struct linking linking = {.state = state, .session = session};

	if (!session->has_nat)
		return;
	(void)each_piece(session, link_piece, &linking);
	(void)bng_hash_table_put(&state->nat_addresses, &address, bng_state_nat_holders(state, &address) + 1);
}

void bng_state_nat_unlink(struct bng_state *state, struct bng_session_object *session)
{
	struct bng_address_key address = public_address(session);
	struct linking linking = {.state = state, .session = session};
	uint64_t others;

	if (!session->has_nat)
		return;
	(void)each_piece(session, unlink_piece, &linking);
	others = bng_state_nat_holders(state, &address) - 1;
	if (others)
		(void)bng_hash_table_put(&state->nat_addresses, &address, others);
	else
		(void)bng_hash_table_remove(&state->nat_addresses, &address);
}
