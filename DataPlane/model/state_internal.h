/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of state: reference checks (state_check.c) and bookkeeping (state_link.c). */
#ifndef BNG_STATE_INTERNAL_H
#define BNG_STATE_INTERNAL_H

#include "state.h"

#include <arpa/inet.h>

/* References, uniqueness, dependents, room. Resolves pointers in *next. held is NULL for an insert. */
int bng_state_check(const struct bng_state *state, const struct bng_object *held, union bng_any_object *next,
	struct bng_refusal *refusal);

int bng_state_check_session_ipv6(const struct bng_state *state, const struct bng_session_object *held,
	const struct bng_session_object *next, struct bng_refusal *refusal);
int bng_state_check_own6(const struct bng_state *state, const struct bng_identity_object *held,
	const struct bng_identity_object *next, struct bng_refusal *refusal);
int bng_state_check_route6(const struct bng_state *state, const struct bng_route_object *held,
	const struct bng_route_object *next, struct bng_refusal *refusal);
int bng_state_check_session(const struct bng_state *state, const struct bng_session_object *held,
	struct bng_session_object *next, struct bng_refusal *refusal);

/* What a session holds of a public address of NAT (state_nat.c). */
int bng_state_check_session_nat(const struct bng_state *state, const struct bng_session_object *held,
	struct bng_session_object *next, struct bng_refusal *refusal);
/* Sessions that hold something of a public address. */
uint64_t bng_state_nat_holders(const struct bng_state *state, const struct bng_address_key *key);
int bng_state_nat_make_room(struct bng_state *state);
void bng_state_nat_link(struct bng_state *state, struct bng_session_object *session);
void bng_state_nat_unlink(struct bng_state *state, struct bng_session_object *session);

/* Who holds the key in one of the state's tables, unless that is self. */
static inline void *bng_state_holder(const struct bng_hash_table *table, const void *key, const void *self)
{
	uint64_t value;
	void *holder = bng_hash_table_get(table, key, &value) ? (void *)(uintptr_t)value : NULL;

	return holder != self ? holder : NULL;
}

/* Objects that make the address the BNG's own (BNG_OWN_ONE_GATEWAY, BNG_OWN_ONE_SERVER). */
static inline uint64_t bng_state_own_count(const struct bng_state *state, const struct bng_address_key *key)
{
	uint64_t counts = 0;

	(void)bng_hash_table_get(&state->own, key, &counts);
	return counts;
}

/* Room in every table, so that linking cannot fail. */
int bng_state_make_room(struct bng_state *state);
void bng_state_link(struct bng_state *state, struct bng_object *object);
void bng_state_unlink(struct bng_state *state, struct bng_object *object);

struct bng_line_identity bng_line_identity_of(const struct bng_line *line);
struct bng_address_key bng_session_address_key(const struct bng_session_object *session);
struct bng_route_key bng_route_key_of(const struct bng_route_object *route);
struct bng_route_key bng_framed_key_of(const struct bng_session_object *session, uint32_t i);
struct bng_route6_key bng_route6_key_of(const struct bng_route_object *route);
struct bng_route6_key bng_prefix6_key_of(const struct bng_session_object *session, uint32_t i);
struct bng_address6_key bng_own6_key_of(const struct bng_identity_object *identity);

/* Prefixes a session has in prefixes6; session may be NULL. */
static inline uint32_t bng_prefix6_count(const struct bng_session_object *session)
{
	return session && session->has_ipv6 ? session->ipv6.prefix_count : 0;
}

/* The /128 of an address. */
static inline struct bng_route6_key bng_host6_key_of(const struct bng_address6_key *address)
{
	return (struct bng_route6_key){
		.prefix_bits = 32 + 128, .vrf = htonl(address->vrf), .ipv6 = address->ipv6};
}

/* Own addresses count their gateways in the low half and their servers in the high half. */
#define BNG_OWN_ONE_GATEWAY 1ULL
#define BNG_OWN_ONE_SERVER  (1ULL << 32)

/* The own address an object of these two families stands for, and its weight. */
bool bng_own_address_of(
	const struct bng_object *object, struct bng_address_key *ret_key, uint64_t *ret_weight);

static inline void *bng_pointer_of(uint64_t value)
{
	return (void *)(uintptr_t)value;
}

#endif
