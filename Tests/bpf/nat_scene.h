// SPDX-License-Identifier: Apache-2.0
// The scene of the NAT tests: sessions A and B of scene.h behind one public address, 203.0.120.1, with a
// block of 64 ports each, and packets with the sums of TCP and UDP.
#ifndef BNG_TEST_NAT_SCENE_H
#define BNG_TEST_NAT_SCENE_H

#include "scene.h"

enum { NAT_POLICY = 1, NAT_BLOCK_A = 1024, NAT_BLOCK_B = 1088, NAT_BLOCK_PORTS = 64 };

int nat_scene(void **state); // with endpoint-independent filtering
void nat_policy(uint32_t flags, uint32_t flows_per_session);
void nat_grant(uint32_t slot, uint64_t session_id, const char *address, uint16_t first_port, uint16_t ports);

// Upper layers with right sums. `flags` are TCP's.
void nat_udp(struct packet_layers layers, uint16_t from, uint16_t to, uint32_t length);
void nat_tcp(struct packet_layers layers, uint16_t from, uint16_t to, uint8_t flags, uint32_t length);
// What left: fields of the IPv4 packet in out.frame, and whether all sums are right (of a whole packet).
struct nat_seen {
	char source[16], destination[16];
	uint16_t from, to; // ports; or the identifier, in both
	uint8_t ttl, protocol;
	int sums_hold;
};
struct nat_seen nat_seen(void);
// The mapping of an inside address and port; its port (host order), 0: there is none.
uint16_t nat_mapping(const char *inside, uint16_t port, uint8_t protocol, struct bng_nat_mapping *ret);
struct bng_nat_state nat_state_of(uint32_t slot);

#endif
