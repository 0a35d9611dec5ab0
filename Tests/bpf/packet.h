// SPDX-License-Identifier: Apache-2.0
// Builds the frames the BPF tests send and reads those they get back. Checksums are right unless a test
// spoils them.
#ifndef BNG_TEST_PACKET_H
#define BNG_TEST_PACKET_H

#include <stdint.h>

struct packet {
	uint32_t length;
	uint32_t ip_at; // offset of the IP header
	uint8_t bytes[3600];
};

struct packet_layers {
	const uint8_t *to, *from; // MAC addresses
	uint16_t tags[2];         // VLAN ids, 0: no such tag
	uint16_t outer_type;      // 0: 0x8100
	const char *source, *destination;
	uint8_t ttl, protocol;
	uint16_t fragment;
	uint8_t option_words; // IP options, filled with NOP
};

void packet_ethernet(struct packet *p, const uint8_t *to, const uint8_t *from, uint16_t outer_type,
	uint16_t s_vlan, uint16_t c_vlan, uint16_t type);
void packet_ipv4(struct packet *p, const struct packet_layers *layers, const void *payload, uint32_t length);
// The sums of TCP, UDP and ICMPv6 are filled in; layers' fragment and option_words mean nothing here.
void packet_ipv6(struct packet *p, const struct packet_layers *layers, const void *payload, uint32_t length);
void packet_udp6(struct packet *p, const struct packet_layers *layers, uint16_t from, uint16_t to,
	const void *payload, uint32_t length);
void packet_udp(struct packet *p, const struct packet_layers *layers, uint16_t from, uint16_t to,
	const void *payload, uint32_t length);
void packet_echo(struct packet *p, const struct packet_layers *layers, uint8_t type, uint32_t length);
void packet_arp(struct packet *p, const uint8_t *to, const uint8_t *from, uint16_t s_vlan, uint16_t operation,
	const char *sender, const char *target);
// A BOOTREQUEST from `mac` with these options (the end is added), padded to 300 bytes of BOOTP.
void packet_dhcp(struct packet *p, const struct packet_layers *layers, const uint8_t *mac, const char *ciaddr,
	const void *options, uint32_t length);
// A discovery packet, or, with code 0, a session packet whose payload begins with PPP's protocol.
void packet_pppoe(struct packet *p, const struct packet_layers *layers, uint8_t code, uint16_t id,
	const void *payload, uint32_t length);
// Puts an IP packet that was built for IPoE into a PPPoE session.
void packet_into_pppoe(struct packet *p, uint16_t id);
// Length of the Ethernet header with tags, PPPoE and PPP.
uint32_t packet_l2_length(const uint8_t *frame);
// Sums are right: the IPv4 header's, ICMP's, and TCP's and UDP's over IPv6.
int packet_checksums_hold(const uint8_t *frame, uint32_t length);
// An option of a DHCP reply: its data, or NULL. Options 52, file and sname are not looked into.
const uint8_t *packet_dhcp_option(const uint8_t *frame, uint32_t length, uint8_t code, uint8_t *ret_length);

#endif
