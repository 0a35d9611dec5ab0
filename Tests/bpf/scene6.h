// SPDX-License-Identifier: Apache-2.0
// IPv6 on the scene: the ports speak it, and lines of every encapsulation hold an address and a delegated
// prefix.
#ifndef BNG_TEST_SCENE6_H
#define BNG_TEST_SCENE6_H

#include "scene.h"

enum {
	SLOT_U = 6, // untagged
	SLOT_T = 7, // one tag
	SLOT_P = 8, // PPPoE within A's tags
	ID_P = 0x0a05,
	BED_HOP6 = 5, // the core router
	LINES6 = 4,
};

/* LINE_U, LINE_T, LINE_Q (that is A) and LINE_P, all on BED_ACCESS; each has 2001:db8:1::N/128 and
 * 2001:db8:a00N::/48, N being its place plus 1. B, on BED_ACCESS2, is number 5. */
enum line6 { LINE_U, LINE_T, LINE_Q, LINE_P, LINE_B };
struct subscriber6 {
	struct bng_line_key line;
	struct bng_session session;
	struct bng_session6 ipv6;
	const char *address, *prefix, *host; // host: an address within the prefix
	const char *head;                    // of a frame to it, behind the MAC addresses
	uint32_t l2;                         // its whole length
};

#define LINK_LOCAL "fe80::1"     // the port's
#define OWN6       "2001:db8::1" // ours, in VRF 0
#define REMOTE6    "2001:db8:113::9"

extern struct subscriber6 subscribers6[LINE_B + 1];

// Setup of a test: scene() with all of that.
int scene6(void **state);
struct bng_ip6 ip6(const char *text);
void change_port6(int index, const char *link_local, const char *ipv6);
void refuse_header(int index, uint8_t next);
void put_route6(const char *prefix, uint32_t bits, struct bng_route6 route);
// Writes the subscriber as it stands, with that much of its IPv6 lease left.
void put6(const struct subscriber6 *subscriber, int64_t seconds_left);
void add_prefix6(struct subscriber6 *subscriber, const char *prefix, uint32_t bits);
struct bng_session6_state state6(uint32_t slot);
struct bng_session6_counters counters6(uint32_t slot);

// From that line (into its PPPoE session, too, when it is done) or from the core router.
struct packet_layers from6(enum line6 line, const char *source, const char *destination);
struct packet_layers from_core6(const char *destination);
void udp6(enum line6 line, struct packet_layers layers, uint32_t length);
void send6(
	enum line6 line, struct packet_layers layers, uint8_t protocol, const void *payload, uint32_t length);
void check_line6(enum line6 line, uint32_t ip_length); // out is a frame to it

#endif
