/* SPDX-License-Identifier: Apache-2.0 */
/* Good objects to start from in tests of the model. */
#ifndef BNG_TEST_OBJECTS_H
#define BNG_TEST_OBJECTS_H

#include "state.h"

#include <arpa/inet.h>

/* A state with ports access0 (1), core0 (2), access1 (3), and nothing applied. */
void test_state_init(struct bng_state *state, uint32_t max_sessions);

union bng_any_object test_port(uint64_t id, const char *name, uint32_t role, uint32_t access_domain_id);
union bng_any_object test_identity(uint64_t id, const char *address);
union bng_any_object test_template(uint64_t id, uint64_t identity_id, const char *gateway);
union bng_any_object test_kernel_hop(uint64_t id);
union bng_any_object test_route(uint64_t id, const char *prefix, uint32_t length, uint64_t next_hop_id);
union bng_any_object test_session(uint64_t id, uint32_t address);
/* Of client 2, on the same line whatever the id, so that only pppoe_id tells them apart. */
union bng_any_object test_pppoe_session(uint64_t id, uint32_t address, uint32_t pppoe_id);
/* "edge" offers internet and voip. */
union bng_any_object test_pppoe_service(uint64_t id, uint32_t access_domain_id);
/* Denies TCP port 25 upward, permits the rest. */
union bng_any_object test_filter(uint64_t id);
/* Gives the session IPv6 with this prefix, and a port what it needs for that. */
void test_add_ipv6(union bng_any_object *session, const char *prefix, uint32_t length);
void test_enable_ipv6(union bng_any_object *port);
struct bng_ip6 test_ip6(const char *text);
/* With an advertisement of 16 bytes, and a DHCPv6 reply of 5 bytes for the first prefix as IA_PD 7. */
void test_add_services6(union bng_any_object *session);
union bng_any_object test_route6(uint64_t id, const char *prefix, uint32_t length, uint64_t next_hop_id);
union bng_any_object test_gateway6(uint64_t id, const char *address);
/* One more prefix behind the session. */
void test_add_framed(union bng_any_object *session, const char *prefix, uint32_t length);

/* Endpoint-independent, with the RFCs' timers. */
union bng_any_object test_nat_policy(uint64_t id);
/* The session is translated, under policy 1, with one block. */
void test_add_nat(union bng_any_object *session, const char *address, uint32_t first_port, uint32_t ports);
void test_add_nat_forward(
	union bng_any_object *session, uint32_t protocol, uint32_t outside_port, uint32_t inside_port);

/* Prepares and commits; the code of the refusal, BNG_OK if accepted (also when nothing changed). */
enum bng_code test_apply(
	struct bng_state *state, const union bng_any_object *object, struct bng_refusal *refusal);
enum bng_code test_remove(struct bng_state *state, enum bng_family family, uint64_t id, uint64_t generation);

/* Port 1, identity 1, template 1, next hop 1, route 1. */
void test_apply_base(struct bng_state *state);

#endif
