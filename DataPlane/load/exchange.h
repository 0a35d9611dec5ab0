/* SPDX-License-Identifier: Apache-2.0 */
/* A phase in which every line has an exchange of messages under way: shared by its loop and its protocols. */
#ifndef EXCHANGE_H
#define EXCHANGE_H

#include "load.h"

struct load_exchange {
	struct load_lines *lines;
	struct load_ring *ring;
	struct load_result *r;
	const struct load_options *o;
	uint32_t next; /* line to begin with next */
	uint32_t active;
	uint32_t oldest;       /* scan position for timeouts */
	bool dual;             /* after DHCPv4 the router and DHCPv6 */
	enum load_state first; /* where an exchange begins */
	enum load_state from;  /* of which lines */
};

/* exchange.c */
void load_exchange_enter(struct load_exchange *run, uint32_t index, enum load_state state); /* says it too */
void load_exchange_finish(struct load_exchange *run, uint32_t index, enum load_state state, bool failed);

/* dhcp.c: DISCOVER or REQUEST as the line's state wants; false: the packet is not DHCPv4's. */
void load_dhcp_say(struct load_exchange *run, uint32_t index);
bool load_dhcp_heard(struct load_exchange *run, const struct load_packet *packet);

/* dhcp6.c: likewise a solicitation of either kind, or a Renew. */
void load_ipv6_say(struct load_exchange *run, uint32_t index);
bool load_ipv6_heard(struct load_exchange *run, const struct load_packet *packet);

/* frame6.c */
struct load_ipv6_packet {
	const uint8_t *mac; /* the destination's */
	const uint8_t *payload;
	uint32_t length;
	uint16_t port; /* destination's; 0: ICMPv6 */
};
/* A frame from a line's link-local address to a group, as ICMPv6 or UDP 546 to 547; returns its length. */
uint32_t load_ipv6_put(uint8_t *frame, const struct load_options *o, uint32_t index, const uint8_t group[16],
	uint8_t next_header, const uint8_t *payload, uint32_t length);
/* False if it is neither, or its checksum is wrong. */
bool load_ipv6_parse(const struct load_packet *p, struct load_ipv6_packet *ret);

#endif
