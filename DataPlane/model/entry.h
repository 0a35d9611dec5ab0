/* SPDX-License-Identifier: Apache-2.0 */
/* Objects as keys and values of the data plane's maps (bng_abi.h). */
#ifndef BNG_ENTRY_H
#define BNG_ENTRY_H

#include "state.h"

struct bng_line_key bng_entry_line_key(const struct bng_session_object *session);
struct bng_address_key bng_entry_address_key(const struct bng_session_object *session);
void bng_entry_session(const struct bng_session_object *session, struct bng_session *ret);
/* Zero where nothing is policed. */
struct bng_rate bng_entry_rate(const struct bng_rate_object *rate);
/* routes4: prefix i behind the session, all with the same value. */
struct bng_route_key bng_entry_framed_key(const struct bng_session_object *session, uint32_t i);
struct bng_route bng_entry_framed(const struct bng_session_object *session);

/* Of a session with NAT: its grant; forward i, or with one to one the whole address, as a mapping. */
struct bng_nat_session bng_entry_nat_session(const struct bng_session_object *session);
uint32_t bng_nat_forward_count(const struct bng_session_object *session);
void bng_entry_nat_forward(const struct bng_session_object *session, uint32_t i, struct bng_nat_key *ret_out,
	struct bng_nat_mapping *ret_mapping, struct bng_nat_key *ret_in, struct bng_nat_reverse *ret_reverse);
struct bng_nat_policy bng_entry_nat_policy(const struct bng_nat_policy_object *policy);
/* Whether the port, in host order, is in one of the session's blocks. */
bool bng_nat_has_port(const struct bng_nat_object *nat, uint32_t port);

/* Of a session with IPv6. The last two: only with an advertisement, with DHCPv6. */
void bng_entry_session6(const struct bng_session_object *session, struct bng_session6 *ret);
void bng_entry_advertisement(const struct bng_session_object *session, struct bng_advertisement *ret);
void bng_entry_dhcp6_reply(const struct bng_session_object *session, struct bng_dhcp6_reply *ret);
/* routes6: prefix i of the session. */
struct bng_route6_key bng_entry_prefix6_key(const struct bng_session_object *session, uint32_t i);
void bng_entry_prefix6(const struct bng_session_object *session, uint32_t i, struct bng_route6 *ret);

/* What the interface says is the caller's to add: ifindex, mac, address, and the mtu if the object leaves it
 * open; and our IPv6 address in its VRF. */
void bng_entry_port(const struct bng_port_object *port, struct bng_port *ret);
/* version: never used before for this index (bng_abi.h). */
void bng_entry_template(const struct bng_template_object *template, bng_ip4 server_id, uint64_t version,
	struct bng_dhcp_template *ret);

/* first_core: port index that KERNEL next hops try first, 0 if there is none. */
void bng_entry_next_hop(const struct bng_next_hop_object *hop, uint32_t first_core, struct bng_next_hop *ret);
struct bng_route_key bng_entry_route_key(const struct bng_route_object *route);
void bng_entry_route(const struct bng_route_object *route, struct bng_route *ret);
/* The same of an IPv6 route. */
struct bng_route6_key bng_entry_route6_key(const struct bng_route_object *route);
void bng_entry_route6(const struct bng_route_object *route, struct bng_route6 *ret);

/* The value of an access domain's port. */
void bng_entry_pppoe_service(const struct bng_pppoe_service_object *service, struct bng_pppoe_service *ret);

void bng_entry_filter(const struct bng_filter_object *filter, struct bng_filter *ret);

/* Rates of a class: the object's, or the agent's default (guard may be NULL). */
void bng_entry_guard_rate(const struct bng_guard_object *guard, uint32_t class, struct bng_guard_rate *ret);

#endif
