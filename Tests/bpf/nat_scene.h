// SPDX-License-Identifier: Apache-2.0
// The scene of the NAT tests: sessions A and B of scene.h behind one public address, 203.0.120.1, with a
// block of 64 ports each, and packets with the sums of TCP and UDP.
#ifndef BNG_TEST_NAT_SCENE_H
#define BNG_TEST_NAT_SCENE_H

#include "scene.h"

enum { NAT_POLICY = 1, NAT_BLOCK_A = 1024, NAT_BLOCK_B = 1088, NAT_BLOCK_PORTS = 64 };
enum { NAT_FIN = 1, NAT_SYN = 2, NAT_RST = 4, NAT_ACK = 16 };

#define NAT_PUBLIC "203.0.120.1" // of A and B
#define NAT_WHOLE  "203.0.120.9" // of a one-to-one session
#define NAT_PEER   "203.0.113.9" // from_core()'s source

extern const struct bng_line_key nat_line_b; // B, tag 30 on the first access port

int nat_scene(void **state); // with endpoint-independent filtering
void nat_policy(uint32_t flags, uint32_t flows_per_session);
void nat_grant(uint32_t slot, uint64_t session_id, const char *address, uint16_t first_port, uint16_t ports);

// A becomes one to one with NAT_WHOLE.
void nat_static_a(void);
void nat_forward(uint32_t slot, uint64_t session_id, const char *inside, uint8_t protocol, uint16_t port,
	uint16_t outside);
struct packet_layers from_b(const char *destination);

// Upper layers with right sums. `flags` are TCP's.
void nat_udp(struct packet_layers layers, uint16_t from, uint16_t to, uint32_t length);
void nat_tcp(struct packet_layers layers, uint16_t from, uint16_t to, uint8_t flags, uint32_t length);
void nat_icmp(struct packet_layers layers, uint8_t type, uint16_t identifier, uint32_t length);
// An ICMP error quoting the IP packet of a frame, with so many bytes of its upper layer.
void nat_error(struct packet_layers layers, uint8_t type, const uint8_t *frame, uint32_t upper_bytes);
// Sets counters to 0 and empties the punt ring.
void nat_again(void);
// Runs p; it must leave with right sums (those of a whole packet), or be refused for that reason.
struct nat_seen nat_passes(int port, int reason);
void nat_refused(int port, int reason);
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
// State bits of the connection of a public port with a peer; -1: there is none.
int64_t nat_flow(uint16_t port, const char *peer, uint16_t peer_port, uint8_t protocol);

#endif
