/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The objects an agent holds, with every index needed to judge the next one. A change is prepared (judged,
 * room made), then written to the kernel by somebody else, then committed; a commit cannot fail.
 */
#ifndef BNG_STATE_H
#define BNG_STATE_H

#include "digest_sum.h"
#include "hash_table.h"
#include "index_pool.h"
#include "object.h"
#include "refusal.h"

struct bng_local_port {
	char name[BNG_PORT_NAME_SIZE];
	uint32_t role;
	struct bng_port_object *object; /* NULL until the controller sends one */
};

struct bng_state {
	uint32_t max_sessions;
	uint32_t port_count; /* port indices 1..port_count */
	struct bng_local_port ports[BNG_MAX_PORTS];
	struct bng_hash_table by_id[BNG_FAMILIES]; /* id -> struct bng_object * */
	struct bng_hash_table lines;               /* bng_line_identity -> struct bng_session_object * */
	struct bng_hash_table addresses;           /* bng_address_key -> struct bng_session_object * */
	struct bng_hash_table own;                 /* bng_address_key -> counts of gateways and servers */
	struct bng_hash_table services;            /* access domain -> struct bng_pppoe_service_object * */
	struct bng_hash_table prefixes;      /* bng_route_key -> struct bng_object *: a route, or a session */
	struct bng_hash_table prefixes6;     /* bng_route6_key -> likewise */
	struct bng_hash_table nat_pieces;    /* bng_nat_piece -> struct bng_session_object * */
	struct bng_hash_table nat_addresses; /* bng_address_key -> sessions that hold something of it */
	struct bng_hash_table own6;          /* bng_address6_key -> struct bng_identity_object * */
	struct bng_digest_sum digests[BNG_FAMILIES];
	uint64_t changes[BNG_FAMILIES]; /* +1 per commit */
	struct bng_index_pool templates;
	struct bng_index_pool next_hops;
	struct bng_index_pool filters;
	struct bng_index_pool nat_policies;
	struct bng_index_pool slots;
	struct bng_session_object **by_slot;
	uint32_t relay_count;
};

/* Who a line is (docs/contract.md, "Line"). No padding. */
struct bng_line_identity {
	uint32_t access_domain_id;
	uint16_t s_vlan;
	uint16_t c_vlan;
	bng_ip4 relay_address;
	uint8_t mac[6];
	uint16_t pppoe_id;
};

/* What sessions hold of a public address of NAT: 64 ports, one port below 1,024, or all. No padding. */
enum { BNG_NAT_PIECE_LOW = 0x10000, BNG_NAT_PIECE_ALL = 0x20000 };
struct bng_nat_piece {
	uint32_t vrf;
	bng_ip4 address;
	uint32_t piece; /* port / 64; BNG_NAT_PIECE_LOW + port; BNG_NAT_PIECE_ALL */
};

enum bng_change_kind { BNG_CHANGE_NONE, BNG_CHANGE_INSERT, BNG_CHANGE_REPLACE, BNG_CHANGE_REMOVE };

struct bng_change {
	enum bng_change_kind kind;
	struct bng_object *held; /* what is there now; NULL for inserts */
	struct bng_object *next; /* what will be; NULL for removals; owned by the change */
};

/* seed keys the hash tables. -ENOMEM. */
int bng_state_init(struct bng_state *state, uint32_t max_sessions, const uint64_t seed[2]);
void bng_state_done(struct bng_state *state);

/* Names the next port index. -ENOSPC after BNG_MAX_PORTS - 1. */
int bng_state_add_port(struct bng_state *state, const char *name, uint32_t role);
uint32_t bng_state_port_index(const struct bng_state *state, const char *name);

struct bng_object *bng_state_get(const struct bng_state *state, enum bng_family family, uint64_t id);

/*
 * Judges an upsert in the order of docs/contract.md, section 5. malformed: what decoding found wrong with a
 * value, or code BNG_OK. next->head.index is taken as a wish. 0: *ret_change is to be committed or aborted.
 * -EINVAL: *refusal says why. -ENOMEM.
 */
int bng_state_prepare(struct bng_state *state, const union bng_any_object *next,
	const struct bng_refusal *malformed, struct bng_change *ret_change, struct bng_refusal *refusal);

/* Likewise for a delete of generation or older; kind NONE when nothing is held. */
int bng_state_prepare_removal(struct bng_state *state, enum bng_family family, uint64_t id,
	uint64_t generation, struct bng_change *ret_change, struct bng_refusal *refusal);

/* Returns the object now held, NULL after a removal. */
struct bng_object *bng_state_commit(struct bng_state *state, struct bng_change *change);
void bng_state_abort(struct bng_state *state, struct bng_change *change);

/* enum bng_own_flags of an address once change is committed (NULL: now). */
uint32_t bng_state_own_flags(
	const struct bng_state *state, const struct bng_address_key *key, const struct bng_change *change);

/* The BNG's IPv6 address in a VRF once change is committed (NULL: now): of the identity with the lowest id.
 * False: it has none. */
bool bng_state_own_ipv6(
	const struct bng_state *state, uint32_t vrf, const struct bng_change *change, struct bng_ip6 *ret);

/* Bytes of an object that is held: a session has its IPv6 part only as far as it needs it. */
size_t bng_object_size(const struct bng_object *object);

#endif
