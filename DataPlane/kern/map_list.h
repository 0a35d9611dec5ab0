/* SPDX-License-Identifier: Apache-2.0 */
/* The shared, pinned maps of bpf/lib/maps.h as an index, so that they can be walked. */
#ifndef BNG_MAP_LIST_H
#define BNG_MAP_LIST_H

#define BNG_MAPS(X)                                                                                          \
	X(ports)                                                                                             \
	X(tx_ports)                                                                                          \
	X(sessions)                                                                                          \
	X(session_addresses)                                                                                 \
	X(session_state)                                                                                     \
	X(policers)                                                                                          \
	X(ppp_state)                                                                                         \
	X(session_counters)                                                                                  \
	X(sessions6)                                                                                         \
	X(session6_state)                                                                                    \
	X(session6_counters)                                                                                 \
	X(advertisements)                                                                                    \
	X(dhcp6_replies)                                                                                     \
	X(own_addresses)                                                                                     \
	X(own_addresses6)                                                                                    \
	X(trusted_relays)                                                                                    \
	X(dhcp_templates)                                                                                    \
	X(filters)                                                                                           \
	X(pppoe_services)                                                                                    \
	X(pppoe_requests)                                                                                    \
	X(routes4)                                                                                           \
	X(routes6)                                                                                           \
	X(nat_policies)                                                                                      \
	X(nat_sessions)                                                                                      \
	X(nat_state)                                                                                         \
	X(nat_out)                                                                                           \
	X(nat_in)                                                                                            \
	X(nat_flows)                                                                                         \
	X(nat_fragments)                                                                                     \
	X(nat_algs)                                                                                          \
	X(next_hops)                                                                                         \
	X(guard_rates)                                                                                       \
	X(guard_lines)                                                                                       \
	X(guard_ports)                                                                                       \
	X(reason_counters)                                                                                   \
	X(punts)

#define BNG_MAP_ENUM(name) BNG_MAP_##name,
enum bng_map { BNG_MAPS(BNG_MAP_ENUM) BNG_MAP_COUNT };
#undef BNG_MAP_ENUM

#endif
