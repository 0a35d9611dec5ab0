// SPDX-License-Identifier: Apache-2.0
// DHCPv6 packet by packet: what goes up, what ends, and the one message that is answered in place: a known
// client's Renew, with its truncations and every byte of it spoiled.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <cmocka.h>

#include "bed.h"
#include "scene6.h"

enum { SOLICIT = 1, RENEW = 5, REBIND = 6, REPLY = 7, RELEASE = 8, RELAY_FORWARD = 12 };
enum {
	CLIENT_ID = 1,
	SERVER_ID = 2,
	IA_NA = 3,
	IA_TA = 4,
	IAADDR = 5,
	ORO = 6,
	ELAPSED = 8,
	AUTH = 11,
	IA_PD = 25,
	IAPREFIX = 26
};
#define SERVERS "ff02::1:2"

static const uint8_t duid[] = {0, 1, 0, 1, 0x2a, 1, 2, 3, 2, 0, 0x5e, 0xa1, 0xa2, 0xa3};
static const uint8_t server_duid[] = {0, 3, 0, 1, 2, 0, 0x5e, 0, 0x53, 1, 9};
static uint8_t message[700];
static uint32_t length;

static void put_bytes(const void *bytes, uint32_t count)
{
	memcpy(message + length, bytes, count);
	length += count;
}

static void put_option(uint16_t code, const void *bytes, uint32_t count)
{
	const uint8_t head[4] = {(uint8_t)(code >> 8), (uint8_t)code, (uint8_t)(count >> 8), (uint8_t)count};

	put_bytes(head, 4);
	put_bytes(bytes, count);
}

static void begin(uint8_t type)
{
	memset(message, 0, sizeof(message));
	memcpy(message, (uint8_t[4]){type, 0xab, 0xcd, 0xef}, 4);
	length = 4;
}

static void put_address(uint32_t iaid, const char *address)
{
	uint8_t ia[12 + 4 + 24] = {0, 0, 0, (uint8_t)iaid, 0, 0, 7, 8, 0, 0, 9, 0, 0, IAADDR, 0, 24};
	struct bng_ip6 ip = ip6(address);

	memcpy(ia + 16, &ip, 16);
	ia[34] = 0x0e;
	put_option(IA_NA, ia, sizeof(ia));
}

static void put_prefix(uint32_t iaid, const char *prefix, uint8_t bits)
{
	uint8_t ia[12 + 4 + 25] = {0, 0, 0, (uint8_t)iaid, 0, 0, 7, 8, 0, 0, 9, 0, 0, IAPREFIX, 0, 25};
	struct bng_ip6 ip = ip6(prefix);

	ia[24] = bits;
	memcpy(ia + 25, &ip, 16);
	put_option(IA_PD, ia, sizeof(ia));
}

static void put_identities(void)
{
	put_option(CLIENT_ID, duid, sizeof(duid));
	put_option(SERVER_ID, server_duid, sizeof(server_duid));
}

static void renew(enum line6 line)
{
	begin(RENEW);
	put_identities();
	put_option(ELAPSED, "\x00\x00", 2);
	put_option(ORO, "\x00\x17\x00\x18", 4);
	put_address(1, subscribers6[line].address);
	put_prefix(2, subscribers6[line].prefix, 48);
}

/* ---- what a node knows ---- */

static struct bng_dhcp6_reply reply;

static uint32_t sum_of(const uint8_t *bytes, uint32_t count)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < count; i += 4) {
		uint32_t word = 0;

		memcpy(&word, bytes + i, count - i < 4 ? count - i : 4);
		sum += word;
		sum = (sum & 0xffffffff) + (sum >> 32);
	}
	return (uint32_t)sum;
}

static void serve(enum line6 line, uint32_t reply_length)
{
	struct subscriber6 *s = &subscribers6[line];

	reply = (struct bng_dhcp6_reply){.client_id_hash = bng_bytes_hash(duid, sizeof(duid)),
		.server_id_hash = bng_bytes_hash(server_duid, sizeof(server_duid)),
		.association_count = 2,
		.reply_length = reply_length,
		.associations = {{.kind = IA_NA, .length = 128, .iaid = htonl(1), .address = ip6(s->address)},
			{.kind = IA_PD, .length = 48, .iaid = htonl(2), .address = ip6(s->prefix)}}};
	for (uint32_t i = 0; i < reply_length; i++)
		reply.reply[i] = (uint8_t)(i * 5 + 1);
	reply.sum = sum_of(reply.reply, reply_length);
	bed_put(bed.access->maps.dhcp6_replies, &s->session.slot, &reply);
	s->ipv6.flags |= BNG_SESSION6_DHCP;
	put6(s, 600);
}

static int served(void **state)
{
	scene6(state);
	for (int line = 0; line < LINES6; line++)
		serve(line, 97);
	return 0;
}

static void send_from(enum line6 line, const char *source, const char *destination)
{
	struct packet_layers layers = from6(line, source, destination);

	packet_udp6(&p, &layers, 546, 547, message, length);
	if (line == LINE_P)
		packet_into_pppoe(&p, ID_P);
	run(BED_ACCESS);
}

static void send_message(enum line6 line)
{
	send_from(line, "fe80::77", SERVERS);
}

static void check_reply(enum line6 line, uint32_t reply_length)
{
	struct bng_ip6 link_local = ip6(LINK_LOCAL), host = ip6("fe80::77");
	const uint8_t *ip = out.frame + subscribers6[line].l2;

	expect(BED_ACCESS, BNG_TX_dhcpv6_reply);
	check_line6(line, 40 + 8 + 4 + reply_length);
	assert_int_equal(ip[6], 17);
	assert_memory_equal(ip + 8, &link_local, 16);
	assert_memory_equal(ip + 24, &host, 16);
	assert_memory_equal(ip + 40, "\x02\x23\x02\x22", 4);
	assert_int_equal(ip[44] << 8 | ip[45], 8 + 4 + reply_length);
	assert_true(ip[46] | ip[47]);
	assert_memory_equal(ip + 48, "\x07\xab\xcd\xef", 4);
	assert_memory_equal(ip + 52, reply.reply, reply_length);
}

static void expect_nothing_renewed(enum line6 line)
{
	struct bng_session6_state state = state6(subscribers6[line].session.slot);

	assert_int_equal(state.renewals, 0);
	assert_int_equal(state.dhcp_replies, 0);
	assert_true(state.expires_ns < bed_now_ns() + 700000000000ULL);
}

static void expect_up(enum line6 line, int reason)
{
	expect_punt(reason, BNG_PUNT_DHCPV6, subscribers6[line].session.session_id);
	expect_nothing_renewed(line);
}

/* ---- Renew ---- */

static void a_known_clients_renew_is_answered(void **state)
{
	static const uint32_t lengths[] = {1, 14, 97, 100, 511, 512};

	for (int line = 0; line < LINES6; line++)
		for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
			uint32_t slot = subscribers6[line].session.slot;

			served(state);
			serve(line, lengths[i]);
			renew(line);
			send_message(line);
			check_reply(line, lengths[i]);
			assert_int_equal(state6(slot).dhcp_replies, 1);
			if (line == LINE_P) { /* its lease is its session */
				assert_int_equal(state6(slot).renewals, 0);
				assert_true(state6(slot).expires_ns < bed_now_ns() + 700000000000ULL);
				continue;
			}
			assert_int_equal(state6(slot).renewals, 1);
			assert_true(state6(slot).expires_ns > bed_now_ns() + 3590000000000ULL);
			assert_true(state6(slot).expires_ns <= bed_now_ns() + 3600000000000ULL);
		}
}

static void a_lease_never_gets_shorter(void **state)
{
	uint64_t before;

	(void)state;
	put6(&subscribers6[LINE_Q], 7200);
	before = state6(SLOT_A).expires_ns;
	renew(LINE_Q);
	send_message(LINE_Q);
	check_reply(LINE_Q, 97);
	assert_int_equal(state6(SLOT_A).expires_ns, before);
	assert_int_equal(state6(SLOT_A).renewals, 1);
}

static void the_order_of_options_means_nothing(void **state)
{
	served(state);
	begin(RENEW);
	put_prefix(2, subscribers6[LINE_Q].prefix, 48);
	put_option(ORO, "\x00\x17", 2);
	put_option(SERVER_ID, server_duid, sizeof(server_duid));
	put_option(65000, "", 0);
	put_address(1, subscribers6[LINE_Q].address);
	put_option(16, "odd", 3);
	put_option(CLIENT_ID, duid, sizeof(duid));
	send_message(LINE_Q);
	check_reply(LINE_Q, 97);
	served(state);
	renew(LINE_Q);
	send_from(LINE_Q, "fe80::77", "ff05::1:3");
	check_reply(LINE_Q, 97);
	served(state);
	send_from(LINE_Q, "fe80::77", LINK_LOCAL);
	check_reply(LINE_Q, 97);
}

static void one_association_may_be_all(void **state)
{
	(void)state;
	reply.association_count = 1;
	bed_put(bed.access->maps.dhcp6_replies, &subscribers6[LINE_Q].session.slot, &reply);
	reply.associations[0].address = ip6(subscribers6[LINE_Q].address);
	bed_put(bed.access->maps.dhcp6_replies, &subscribers6[LINE_Q].session.slot, &reply);
	begin(RENEW);
	put_identities();
	put_address(1, subscribers6[LINE_Q].address);
	send_message(LINE_Q);
	check_reply(LINE_Q, 97);
}

static void other_associations_are_the_controllers(void **state)
{
	const struct subscriber6 *q = &subscribers6[LINE_Q];

	for (int i = 0; i < 15; i++) {
		uint32_t ia_at;

		served(state);
		begin(RENEW);
		put_identities();
		ia_at = length + 4;
		switch (i) {
		case 0: /* one is missing */
			put_address(1, q->address);
			break;
		case 1:
			put_prefix(2, q->prefix, 48);
			break;
		case 2: /* none */
			break;
		case 3: /* one twice, so that the count is right */
			put_address(1, q->address);
			put_address(1, q->address);
			break;
		case 4: /* one more */
			put_address(1, q->address);
			put_prefix(2, q->prefix, 48);
			put_address(3, q->address);
			break;
		case 5: /* another IAID */
			put_address(3, q->address);
			put_prefix(2, q->prefix, 48);
			break;
		case 6: /* IAIDs swapped */
			put_address(2, q->address);
			put_prefix(1, q->prefix, 48);
			break;
		case 7: /* another's address */
			put_address(1, subscribers6[LINE_B].address);
			put_prefix(2, q->prefix, 48);
			break;
		case 8: /* another length */
			put_address(1, q->address);
			put_prefix(2, q->prefix, 56);
			break;
		case 9: /* a temporary address */
			put_address(1, q->address);
			put_prefix(2, q->prefix, 48);
			put_option(IA_TA, "\x00\x00\x00\x01", 4);
			break;
		case 10: /* no resource */
			put_option(IA_NA, "\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00", 12);
			put_prefix(2, q->prefix, 48);
			break;
		case 11: /* shorter than an association */
			put_option(IA_NA, "\x00\x00\x00\x01", 4);
			put_prefix(2, q->prefix, 48);
			break;
		case 12: /* two resources */
			put_address(1, q->address);
			message[ia_at - 1] += 28;
			put_option(IAADDR, message + ia_at + 16, 24);
			put_prefix(2, q->prefix, 48);
			break;
		case 13: /* an option in the resource */
			put_address(1, q->address);
			message[ia_at - 1] += 4;
			message[ia_at + 15] += 4;
			put_option(13, "", 0);
			put_prefix(2, q->prefix, 48);
			break;
		default: /* a prefix where the address should be */
			put_prefix(1, q->address, 128);
			put_prefix(2, q->prefix, 48);
		}
		send_message(LINE_Q);
		expect_up(LINE_Q, BNG_PUNT_REASON_dhcpv6_associations_changed);
	}
}

static void another_client_or_server_is_the_controllers(void **state)
{
	static const uint8_t other[] = {0, 1, 0, 1, 0x2a, 1, 2, 3, 2, 0, 0x5e, 0xa1, 0xa2, 0xa4};

	for (int i = 0; i < 6; i++) {
		served(state);
		begin(RENEW);
		if (i != 0)
			put_option(CLIENT_ID, i == 1 ? other : duid, sizeof(duid) - (i == 4));
		if (i != 2)
			put_option(SERVER_ID, i == 3 ? other : server_duid, i == 5 ? 0 : sizeof(server_duid));
		put_address(1, subscribers6[LINE_Q].address);
		put_prefix(2, subscribers6[LINE_Q].prefix, 48);
		send_message(LINE_Q);
		expect_up(LINE_Q, BNG_PUNT_REASON_dhcpv6_identity_changed);
	}
}

static void unusual_renewals_are_the_controllers(void **state)
{
	static const uint8_t zeros[500];

	for (int i = 0; i < 7; i++) {
		served(state);
		renew(LINE_Q);
		if (i == 0)
			put_option(CLIENT_ID, duid, sizeof(duid));
		if (i == 1)
			put_option(SERVER_ID, server_duid, sizeof(server_duid));
		if (i == 2)
			put_option(AUTH, zeros, 11);
		if (i == 3)
			for (int more = 0; more < 19; more++) /* 25 */
				put_option(65000, "", 0);
		if (i == 4)
			put_option(16, zeros, 513 - 8 - length - 4);
		if (i == 5) { /* RFC 8415 18.4: no unicast */
			send_from(LINE_Q, subscribers6[LINE_Q].address, OWN6);
			expect_up(LINE_Q, BNG_PUNT_REASON_dhcpv6_options_unusual);
			continue;
		}
		if (i == 6) { /* the answer would promise more than the session has */
			subscribers6[LINE_Q].session.ends_ns = bed_now_ns() + 3599000000000ULL;
			put6(&subscribers6[LINE_Q], 600);
		}
		send_message(LINE_Q);
		expect_up(LINE_Q, BNG_PUNT_REASON_dhcpv6_options_unusual);
	}
	served(state); /* just not too many */
	renew(LINE_Q);
	for (int more = 0; more < 18; more++)
		put_option(65000, "", 0);
	send_message(LINE_Q);
	check_reply(LINE_Q, 97);
	served(state);
	renew(LINE_Q);
	put_option(16, zeros, 512 - 8 - length - 4);
	send_message(LINE_Q);
	check_reply(LINE_Q, 97);
	served(state);
	subscribers6[LINE_Q].session.ends_ns = bed_now_ns() + 3700000000000ULL;
	put6(&subscribers6[LINE_Q], 600);
	renew(LINE_Q);
	send_message(LINE_Q);
	check_reply(LINE_Q, 97);
}

static void a_renew_behind_extension_headers_is_the_controllers(void **state)
{
	uint8_t payload[400] = {17, 0, 1, 4};
	struct packet_layers layers = from6(LINE_Q, "fe80::77", SERVERS);

	(void)state;
	renew(LINE_Q);
	packet_udp6(&p, &layers, 546, 547, message, length);
	memcpy(payload + 8, p.bytes + p.ip_at + 40, 8 + length);
	send6(LINE_Q, layers, 60, payload, 16 + length);
	expect_up(LINE_Q, BNG_PUNT_REASON_dhcpv6_options_unusual);
}

static void a_session_that_lapsed_or_is_slow_is_the_controllers(void **state)
{
	(void)state;
	put6(&subscribers6[LINE_Q], -1);
	renew(LINE_Q);
	send_message(LINE_Q);
	expect_up(LINE_Q, BNG_PUNT_REASON_dhcpv6_lapsed);
	served(state);
	subscribers6[LINE_Q].ipv6.flags &= ~(uint32_t)BNG_SESSION6_DHCP;
	put6(&subscribers6[LINE_Q], 600);
	send_message(LINE_Q);
	expect_up(LINE_Q, BNG_PUNT_REASON_dhcpv6_slow_line);
	served(state);
	put(&line_a, session_a(), 600);
	send_message(LINE_Q);
	expect_up(LINE_Q, BNG_PUNT_REASON_dhcpv6_slow_line);
}

/* ---- what is not a Renew ---- */

static void other_messages_are_the_controllers(void **state)
{
	for (int type = 0; type < 256; type++) {
		if (type == RENEW || type == 2 || type == REPLY || type == 10 || type == 12 || type == 13)
			continue;
		served(state);
		renew(LINE_Q);
		message[0] = (uint8_t)type;
		send_message(LINE_Q);
		expect_up(LINE_Q, BNG_PUNT_REASON_dhcpv6_other_message);
	}
	served(state);
	renew(LINE_P);
	message[0] = SOLICIT;
	send_message(LINE_P);
	expect_up(LINE_P, BNG_PUNT_REASON_dhcpv6_other_message);
}

static void unknown_lines_are_the_controllers(void **state)
{
	struct packet_layers layers = from6(LINE_Q, "fe80::77", SERVERS);

	for (int type = 1; type < 12; type += 4) {
		served(state);
		layers.from = mac_stranger;
		renew(LINE_Q);
		message[0] = (uint8_t)type;
		packet_udp6(&p, &layers, 546, 547, message, length);
		run(BED_ACCESS);
		expect_punt(BNG_PUNT_REASON_dhcpv6_unknown_line, BNG_PUNT_DHCPV6, 0);
	}
}

static void what_servers_say_ends_here(void **state)
{
	static const uint8_t types[] = {2, REPLY, 10, 13};
	struct packet_layers layers = from6(LINE_Q, "fe80::77", "fe80::88");

	for (size_t i = 0; i < sizeof(types); i++) {
		served(state);
		renew(LINE_Q);
		message[0] = types[i];
		send_message(LINE_Q);
		expect(BED_ACCESS, BNG_DROP_dhcpv6_from_server);
	}
	served(state);
	packet_udp6(&p, &layers, 547, 546, message, length);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_dhcpv6_from_server);
	served(state);
	layers = from6(LINE_Q, subscribers6[LINE_Q].address, subscribers6[LINE_B].address);
	packet_udp6(&p, &layers, 547, 546, message, length);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_dhcpv6_from_server);
}

static void relays_are_believed_where_they_are_trusted(void **state)
{
	static const uint8_t trust[] = {BNG_PORT_TRUST_OPTION82, BNG_PORT_TRUST_RELAYS};

	for (int known = 0; known < 2; known++) {
		struct packet_layers layers = from6(LINE_Q, "fe80::77", SERVERS);

		if (!known)
			layers.from = mac_stranger;
		served(state);
		begin(RELAY_FORWARD);
		length = 60;
		packet_udp6(&p, &layers, 547, 547, message, length);
		run(BED_ACCESS);
		expect(BED_ACCESS, BNG_DROP_untrusted_relay);
		for (size_t i = 0; i < 2; i++) {
			served(state);
			change_port(BED_ACCESS, 0, trust[i], 0, NULL);
			run(BED_ACCESS);
			expect_punt(BNG_PUNT_REASON_dhcpv6_relayed, BNG_PUNT_DHCPV6, known ? 0xa : 0);
		}
	}
	served(state);
	change_port(BED_ACCESS, 0, BNG_PORT_TRUST_RELAYS, 0, NULL);
	length = 33;
	send_message(LINE_Q);
	expect(BED_ACCESS, BNG_DROP_malformed_dhcpv6);
}

static void the_servers_port_of_others_is_data(void **state)
{
	struct packet_layers layers = from6(LINE_Q, subscribers6[LINE_Q].address, REMOTE6);

	(void)state;
	renew(LINE_Q);
	packet_udp6(&p, &layers, 546, 547, message, length);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_TX_forward_up);
	served(state);
	send_from(LINE_Q, "fe80::77", "ff02::1:3");
	expect(BED_ACCESS, BNG_DROP_ipv6_local_scope);
	served(state);
	send_from(LINE_Q, "fe80::77", "fe80::99");
	expect(BED_ACCESS, BNG_DROP_ipv6_local_scope);
}

/* ---- malformed ---- */

static void lengths_and_sums_must_hold(void **state)
{
	static const uint8_t first_fragment[16] = {17, 0, 0, 1, 0, 0, 0, 9, 2, 0x22, 2, 0x23, 0, 8};

	for (int i = 0; i < 6; i++) {
		uint8_t *udp;

		served(state);
		renew(LINE_Q);
		send_message(LINE_Q);
		served(state);
		udp = p.bytes + p.ip_at + 40;
		if (i == 0)
			udp[5] += 1; /* UDP longer than IP */
		if (i == 1)
			udp[4] = 0, udp[5] = 11;
		if (i == 2)
			udp[6] ^= 1;
		if (i == 3)
			udp[6] = udp[7] = 0;
		if (i == 4)
			udp[8 + 9] ^= 1;
		if (i == 5)
			udp[4] = udp[5] = 0;
		run(BED_ACCESS);
		expect(BED_ACCESS, BNG_DROP_malformed_dhcpv6);
		expect_nothing_renewed(LINE_Q);
	}
	served(state);
	send6(LINE_Q, from6(LINE_Q, "fe80::77", SERVERS), 44, first_fragment, 16);
	expect(BED_ACCESS, BNG_DROP_malformed_dhcpv6);
	served(state);
	length = 3;
	send_message(LINE_Q);
	expect(BED_ACCESS, BNG_DROP_malformed_dhcpv6);
}

/* Adds to the transaction id what makes a checksum of `check` one of 0. */
static void change_transaction(uint32_t check)
{
	uint32_t sum = (uint32_t)(message[2] << 8 | message[3]) + check;

	sum = (sum & 0xffff) + (sum >> 16);
	message[2] = (uint8_t)(sum >> 8);
	message[3] = (uint8_t)sum;
}

/* RFC 8200 8.1: a sum of 0 is sent as 0xffff, and none is no sum. */
static void a_checksum_of_zero_is_never_seen(void **state)
{
	const uint8_t *udp = out.frame + subscribers6[LINE_Q].l2 + 40;

	(void)state;
	renew(LINE_Q);
	send_message(LINE_Q);
	check_reply(LINE_Q, 97);
	change_transaction((uint32_t)(udp[6] << 8 | udp[7]));
	served(state);
	send_message(LINE_Q);
	expect(BED_ACCESS, BNG_TX_dhcpv6_reply);
	assert_memory_equal(udp + 6, "\xff\xff", 2);

	served(state);
	renew(LINE_Q);
	send_message(LINE_Q);
	change_transaction((uint32_t)(p.bytes[p.ip_at + 46] << 8 | p.bytes[p.ip_at + 47]));
	served(state);
	send_message(LINE_Q); /* p's sum is right, and 0 */
	assert_int_equal(p.bytes[p.ip_at + 46] | p.bytes[p.ip_at + 47], 0);
	expect(BED_ACCESS, BNG_DROP_malformed_dhcpv6);
}

/* Every prefix of a Renew, as a datagram of its own: never answered, and malformed unless options end there.
 */
static void no_part_of_a_renew_is_answered(void **state)
{
	for (int line = LINE_Q; line <= LINE_P; line++) {
		uint32_t whole;

		renew(line);
		whole = length;
		for (uint32_t part = 0; part < whole; part++) {
			bool ends_whole = part == 4;

			served(state);
			renew(line);
			for (uint32_t at = 4; at < part;) {
				at += 4 + (uint32_t)(message[at + 2] << 8 | message[at + 3]);
				ends_whole |= at == part;
			}
			length = part;
			send_message(line);
			if (!ends_whole)
				expect(BED_ACCESS, BNG_DROP_malformed_dhcpv6);
			else if (part < 37)
				expect_up(line, BNG_PUNT_REASON_dhcpv6_identity_changed);
			else
				expect_up(line, BNG_PUNT_REASON_dhcpv6_associations_changed);
			expect_nothing_renewed(line);
		}
	}
}

/* Every truncation of the frame: PPPoE's and IP's lengths say more than there is. */
static void no_part_of_a_frame_is_answered(void **state)
{
	for (int line = 0; line < LINES6; line++) {
		struct packet whole;

		served(state);
		renew(line);
		send_message(line);
		whole = p;
		for (uint32_t cut = subscribers6[line].l2; cut < whole.length; cut++) {
			served(state);
			p = whole;
			p.length = cut;
			run(BED_ACCESS);
			expect(BED_ACCESS,
				line == LINE_P ? BNG_DROP_malformed_pppoe : BNG_DROP_malformed_ipv6);
		}
	}
}

/* With its sum right, a spoiled byte is answered only where it means nothing: in lifetimes and what is
 * ignored. */
static void a_spoiled_renew_is_answered_only_where_it_means_nothing(void **state)
{
	uint32_t whole, answered = 0;

	renew(LINE_Q);
	whole = length;
	for (uint32_t at = 4; at < whole; at++) {
		served(state);
		renew(LINE_Q);
		message[at] ^= 0x40;
		send_message(LINE_Q);
		if (bed_counter(&bed, BED_ACCESS, BNG_TX_dhcpv6_reply))
			answered++;
		else
			expect_nothing_renewed(LINE_Q);
	}
	/* Elapsed time and ORO (code and data), T1 and T2 and the lifetimes of both associations. */
	assert_int_equal(answered, 2 + 2 + 2 + 4 + 2 * (8 + 8));
}

#define CASE(f) cmocka_unit_test_setup(f, served)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_known_clients_renew_is_answered),
		CASE(a_lease_never_gets_shorter),
		CASE(the_order_of_options_means_nothing),
		CASE(one_association_may_be_all),
		CASE(other_associations_are_the_controllers),
		CASE(another_client_or_server_is_the_controllers),
		CASE(unusual_renewals_are_the_controllers),
		CASE(a_renew_behind_extension_headers_is_the_controllers),
		CASE(a_session_that_lapsed_or_is_slow_is_the_controllers),
		CASE(other_messages_are_the_controllers),
		CASE(unknown_lines_are_the_controllers),
		CASE(what_servers_say_ends_here),
		CASE(relays_are_believed_where_they_are_trusted),
		CASE(the_servers_port_of_others_is_data),
		CASE(lengths_and_sums_must_hold),
		CASE(a_checksum_of_zero_is_never_seen),
		CASE(no_part_of_a_renew_is_answered),
		CASE(no_part_of_a_frame_is_answered),
		CASE(a_spoiled_renew_is_answered_only_where_it_means_nothing),
	};

	if (geteuid() != 0)
		return 77;
	if (bed_network(&bed) || bed_load(&bed, 64)) {
		fprintf(stderr, "cannot set up the bed\n");
		return 1;
	}
	int failed = cmocka_run_group_tests_name("dhcp6", tests, NULL, NULL);

	bed_done(&bed);
	return failed;
}
