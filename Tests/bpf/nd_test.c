// SPDX-License-Identifier: Apache-2.0
// Neighbour discovery packet by packet: who is answered for, what a session's advertisement looks like on
// every kind of line, and the corpus of malformed messages.
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <cmocka.h>

#include "bed.h"
#include "scene6.h"

enum { RS = 133, RA = 134, NS = 135, NA = 136, REDIRECT = 137, ICMP6 = 58 };

static const uint8_t all_nodes[16] = {0xff, 2, [15] = 1};
static uint8_t message[600];

static struct packet_layers nd_layers(enum line6 line, const char *source, const char *destination)
{
	struct packet_layers layers = from6(line, source, destination);

	layers.ttl = 255;
	return layers;
}

/* The options of a solicitation; with `mac` the sender's link-layer address. */
static uint32_t put_source_link_layer(uint32_t at, const uint8_t *mac)
{
	if (!mac)
		return at;
	message[at] = 1;
	message[at + 1] = 1;
	memcpy(message + at + 2, mac, 6);
	return at + 8;
}

static uint32_t neighbor_solicitation(const char *target, const uint8_t *mac)
{
	struct bng_ip6 address = ip6(target);

	memset(message, 0, sizeof(message));
	message[0] = NS;
	memcpy(message + 8, &address, 16);
	return put_source_link_layer(24, mac);
}

static uint32_t router_solicitation(const uint8_t *mac)
{
	memset(message, 0, sizeof(message));
	message[0] = RS;
	return put_source_link_layer(8, mac);
}

static void solicit(enum line6 line, const char *source, const char *target)
{
	uint32_t length = neighbor_solicitation(target, strcmp(source, "::") ? mac_a : NULL);

	send6(line, nd_layers(line, source, "ff02::1:ff00:1"), ICMP6, message, length);
}

static void check_neighbor_advertisement(enum line6 line, const char *target, const void *to, uint8_t flags)
{
	struct bng_ip6 address = ip6(target);
	const uint8_t *ip = out.frame + subscribers6[line].l2;
	bool is_pppoe = line == LINE_P;

	expect(BED_ACCESS, BNG_TX_nd_neighbor_advertisement);
	check_line6(line, is_pppoe ? 64 : 72);
	assert_int_equal(ip[6], ICMP6);
	assert_int_equal(ip[7], 255);
	assert_memory_equal(ip + 8, &address, 16);
	assert_memory_equal(ip + 24, to, 16);
	assert_int_equal(ip[40], NA);
	assert_int_equal(ip[41], 0);
	assert_int_equal(ip[44], flags);
	assert_int_equal(ip[45] | ip[46] | ip[47], 0);
	assert_memory_equal(ip + 48, &address, 16);
	if (is_pppoe)
		return;
	assert_memory_equal(ip + 64, "\x02\x01", 2);
	assert_memory_equal(ip + 66, bed_port_mac, 6);
}

/* ---- neighbours ---- */

static void our_addresses_are_answered_for(void **state)
{
	static const char *const targets[] = {LINK_LOCAL, OWN6};

	for (int line = 0; line < LINES6; line++)
		for (int i = 0; i < 2; i++) {
			struct bng_ip6 host = ip6("fe80::77");

			scene6(state);
			solicit(line, "fe80::77", targets[i]);
			check_neighbor_advertisement(line, targets[i], &host, 0xe0);
			scene6(state);
			solicit(line, "::", targets[i]); /* taken */
			check_neighbor_advertisement(line, targets[i], all_nodes, 0xa0);
		}
}

static void lines_without_a_session_find_us_too(void **state)
{
	static const char *const targets[] = {LINK_LOCAL, OWN6, "2001:db8:1::5"};
	struct bng_ip6 host = ip6("fe80::77");

	for (int i = 0; i < 3; i++) {
		struct packet_layers layers = nd_layers(LINE_U, "fe80::77", "ff02::1:ff00:1");

		scene6(state);
		layers.from = mac_stranger;
		send6(LINE_U, layers, ICMP6, message, neighbor_solicitation(targets[i], mac_stranger));
		if (i == 2) {
			expect(BED_ACCESS, BNG_DROP_nd_not_ours);
			continue;
		}
		expect(BED_ACCESS, BNG_TX_nd_neighbor_advertisement);
		assert_memory_equal(out.frame, mac_stranger, 6);
		assert_memory_equal(out.frame + 14 + 24, &host, 16);
	}
}

static void a_neighbour_is_probed_by_unicast_too(void **state)
{
	struct bng_ip6 host = ip6(subscribers6[LINE_Q].address);

	(void)state;
	send6(LINE_Q, nd_layers(LINE_Q, subscribers6[LINE_Q].address, OWN6), ICMP6, message,
		neighbor_solicitation(OWN6, NULL));
	check_neighbor_advertisement(LINE_Q, OWN6, &host, 0xe0);
	scene6(state);
	send6(LINE_P, nd_layers(LINE_P, "fe80::77", LINK_LOCAL), ICMP6, message,
		neighbor_solicitation(LINK_LOCAL, NULL));
	host = ip6("fe80::77");
	check_neighbor_advertisement(LINE_P, LINK_LOCAL, &host, 0xe0);
}

static void live_neighbours_are_answered_for(void **state)
{
	struct bng_ip6 host = ip6("fe80::77");

	for (int line = 0; line < LINES6; line++)
		for (int other = 0; other <= LINE_B; other++) {
			scene6(state);
			solicit(line, "fe80::77", subscribers6[other].address);
			if (other == line) {
				expect(BED_ACCESS, BNG_DROP_nd_not_ours);
				continue;
			}
			check_neighbor_advertisement(line, subscribers6[other].address, &host, 0x40);
			scene6(state);
			solicit(line, "::", subscribers6[other].address);
			check_neighbor_advertisement(line, subscribers6[other].address, all_nodes, 0);
		}
}

static void nobody_else_is_answered_for(void **state)
{
	static const char *const targets[] = {"fe80::77", "fe80::2", "2001:db8:a002::", "2001:db8:a002:7::9",
		"2001:db8:1::99", REMOTE6, "::", "::1"};

	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		scene6(state);
		solicit(LINE_Q, "fe80::78", targets[i]);
		expect(BED_ACCESS, BNG_DROP_nd_not_ours);
	}
	scene6(state); /* a neighbour whose lease is over */
	put6(&subscribers6[LINE_T], -1);
	solicit(LINE_Q, "fe80::78", subscribers6[LINE_T].address);
	expect(BED_ACCESS, BNG_DROP_nd_not_ours);
	scene6(state); /* one of another VRF */
	subscribers6[LINE_Q].session.vrf = 7;
	put6(&subscribers6[LINE_Q], 600);
	solicit(LINE_Q, "fe80::78", subscribers6[LINE_T].address);
	expect(BED_ACCESS, BNG_DROP_nd_not_ours);
	scene6(state); /* our address of another VRF */
	subscribers6[LINE_Q].session.vrf = 7;
	put6(&subscribers6[LINE_Q], 600);
	solicit(LINE_Q, "fe80::78", OWN6);
	expect(BED_ACCESS, BNG_DROP_nd_not_ours);
	scene6(state); /* a session without IPv6 does not see neighbours */
	put(&line_a, session_a(), 600);
	solicit(LINE_Q, "fe80::78", subscribers6[LINE_T].address);
	expect(BED_ACCESS, BNG_DROP_nd_not_ours);
}

/* ---- routers ---- */

static uint32_t sum_of(const uint8_t *bytes, uint32_t length)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < length; i += 4) {
		uint32_t word = 0;

		memcpy(&word, bytes + i, length - i < 4 ? length - i : 4);
		sum += word;
		sum = (sum & 0xffffffff) + (sum >> 32);
	}
	return (uint32_t)sum;
}

static struct bng_advertisement advertisement;

/* An advertisement of that many bytes for the line. */
static void advertise(enum line6 line, uint32_t length)
{
	struct subscriber6 *s = &subscribers6[line];

	memset(&advertisement, 0, sizeof(advertisement));
	advertisement.length = length;
	advertisement.bytes[0] = RA;
	for (uint32_t i = 4; i < length; i++)
		advertisement.bytes[i] = (uint8_t)(i * 7);
	advertisement.sum = sum_of(advertisement.bytes, length);
	bed_put(bed.access->maps.advertisements, &s->session.slot, &advertisement);
	s->ipv6.flags |= BNG_SESSION6_ADVERTISES;
	put6(s, 600);
}

static void check_router_advertisement(enum line6 line, const void *to, uint32_t length)
{
	struct bng_ip6 link_local = ip6(LINK_LOCAL);
	const uint8_t *ip = out.frame + subscribers6[line].l2;

	expect(BED_ACCESS, BNG_TX_nd_router_advertisement);
	check_line6(line, 40 + length);
	assert_int_equal(ip[6], ICMP6);
	assert_int_equal(ip[7], 255);
	assert_memory_equal(ip + 8, &link_local, 16);
	assert_memory_equal(ip + 24, to, 16);
	assert_memory_equal(ip + 40, advertisement.bytes, 2);
	assert_memory_equal(ip + 44, advertisement.bytes + 4, length - 4);
}

static void a_session_is_sent_its_advertisement(void **state)
{
	static const uint32_t lengths[] = {16, 17, 56, 119, 120, 511, 512};
	struct bng_ip6 host = ip6("fe80::77");

	for (int line = 0; line < LINES6; line++)
		for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
			uint32_t slot = subscribers6[line].session.slot;

			scene6(state);
			advertise(line, lengths[i]);
			send6(line, nd_layers(line, "fe80::77", "ff02::2"), ICMP6, message,
				router_solicitation(mac_a));
			check_router_advertisement(line, &host, lengths[i]);
			assert_int_equal(state6(slot).advertisements, 1);
			assert_true(state6(slot).active_ns > 0);
			scene6(state);
			advertise(line, lengths[i]);
			send6(line, nd_layers(line, "::", "ff02::2"), ICMP6, message,
				router_solicitation(NULL));
			check_router_advertisement(line, all_nodes, lengths[i]);
		}
}

static void other_solicitations_of_routers_are_the_controllers(void **state)
{
	struct packet_layers layers = nd_layers(LINE_Q, "fe80::77", "ff02::2");

	(void)state;
	send6(LINE_Q, layers, ICMP6, message, router_solicitation(mac_a));
	expect_punt(BNG_PUNT_REASON_nd_router_solicitation, BNG_PUNT_ND, 0xa);
	scene6(state);
	advertise(LINE_P, 64);
	put6(&subscribers6[LINE_P], -1);
	send6(LINE_P, nd_layers(LINE_P, "fe80::77", "ff02::2"), ICMP6, message, router_solicitation(NULL));
	expect_punt(BNG_PUNT_REASON_nd_router_solicitation, BNG_PUNT_ND, 0x13);
	scene6(state);
	advertise(LINE_Q, 64);
	subscribers6[LINE_Q].session.ends_ns = bed_now_ns() - 1;
	put6(&subscribers6[LINE_Q], 600);
	send6(LINE_Q, layers, ICMP6, message, router_solicitation(NULL));
	expect_punt(BNG_PUNT_REASON_nd_router_solicitation, BNG_PUNT_ND, 0xa);
	scene6(state); /* what an earlier owner of the slot left */
	advertise(LINE_Q, 64);
	subscribers6[LINE_Q].ipv6.flags = 0;
	put6(&subscribers6[LINE_Q], 600);
	send6(LINE_Q, layers, ICMP6, message, router_solicitation(NULL));
	expect_punt(BNG_PUNT_REASON_nd_router_solicitation, BNG_PUNT_ND, 0xa);
	scene6(state);
	put(&line_a, session_a(), 600);
	send6(LINE_Q, layers, ICMP6, message, router_solicitation(NULL));
	expect_punt(BNG_PUNT_REASON_nd_router_solicitation, BNG_PUNT_ND, 0xa);
	scene6(state);
	layers.from = mac_stranger;
	send6(LINE_Q, layers, ICMP6, message, router_solicitation(mac_stranger));
	expect_punt(BNG_PUNT_REASON_nd_router_solicitation, BNG_PUNT_ND, 0);
}

static void no_line_is_a_router_or_a_teacher(void **state)
{
	static const struct {
		uint8_t type;
		int reason;
	} cases[] = {{RA, BNG_DROP_nd_from_router}, {REDIRECT, BNG_DROP_nd_from_router},
		{NA, BNG_DROP_nd_advertisement}};
	static const char *const destinations[] = {"ff02::1", LINK_LOCAL, REMOTE6, "2001:db8:1::5"};

	for (int line = LINE_Q; line <= LINE_P; line++)
		for (size_t i = 0; i < 12; i++) {
			scene6(state);
			message[0] = cases[i / 4].type;
			send6(line,
				nd_layers(line, i % 4 < 2 ? "fe80::77" : subscribers6[line].address,
					destinations[i % 4]),
				ICMP6, message, 64);
			expect(BED_ACCESS, cases[i / 4].reason);
		}
}

/* ---- frames of a real interface ---- */

static int packet_socket(const char *interface)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex(interface)};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void attach(const char *interface, struct bpf_program *program)
{
	int fd = program ? bpf_program__fd(program) : -1;

	assert_int_equal(bpf_xdp_attach((int)if_nametoindex(interface), fd, XDP_FLAGS_DRV_MODE, NULL), 0);
}

/* Sends p; the next ICMPv6 message of that type into out. */
static void exchange(int fd, uint8_t type)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};

	assert_int_equal(send(fd, p.bytes, p.length, 0), p.length);
	while (poll(&ready, 1, 5000) == 1) {
		out.length = (uint32_t)recv(fd, out.frame, sizeof(out.frame), 0);
		if (out.length > 54 && out.frame[14 + 40] == type && !memcmp(out.frame, mac_a, 6))
			return;
	}
	fail_msg("no answer of type %u", type);
}

/* Behind a frame that came from a socket there is no room; PROG_TEST_RUN always has some. */
static void answers_find_room_in_front_of_a_frame(void **state)
{
	int fd = packet_socket("access0p");

	(void)state;
	advertise(LINE_U, 120);
	change_port(BED_CORE, 0, 0, BNG_PORT_CONFIGURED, NULL); /* its program passes everything */
	attach("access0", bed.access->progs.xdp_access);
	attach("access0p", bed.core->progs.xdp_core);
	solicit(LINE_U, "::", LINK_LOCAL); /* fills p */
	exchange(fd, NA);
	assert_int_equal(out.length, 14 + 72);
	assert_true(packet_checksums_hold(out.frame, out.length));
	assert_memory_equal(out.frame + 14 + 24, all_nodes, 16);
	send6(LINE_U, nd_layers(LINE_U, "fe80::77", "ff02::2"), ICMP6, message, router_solicitation(NULL));
	exchange(fd, RA);
	assert_int_equal(out.length, 14 + 40 + 120);
	assert_true(packet_checksums_hold(out.frame, out.length));
	assert_memory_equal(out.frame + 14 + 44, advertisement.bytes + 4, 116);
	attach("access0", NULL);
	attach("access0p", NULL);
	close(fd);
}

/* ---- what keeps a lease ---- */

static void a_live_lines_solicitations_are_activity(void **state)
{
	struct bng_session_state session;

	(void)state;
	solicit(LINE_Q, "fe80::77", LINK_LOCAL);
	assert_true(state6(SLOT_A).active_ns > 0);
	bed_session_state(&bed, SLOT_A, &session);
	assert_int_equal(session.active_ns, state6(SLOT_A).active_ns);
	scene6(state);
	put6(&subscribers6[LINE_Q], -1);
	solicit(LINE_Q, "fe80::77", LINK_LOCAL);
	expect(BED_ACCESS, BNG_TX_nd_neighbor_advertisement);
	assert_int_equal(state6(SLOT_A).active_ns, 0);
	scene6(state);
	solicit(LINE_Q, "fe80::77", "fe80::66");
	expect(BED_ACCESS, BNG_DROP_nd_not_ours);
	assert_int_equal(state6(SLOT_A).active_ns, 0);
}

/* ---- malformed ---- */

static void malformed(enum line6 line, struct packet_layers layers, uint32_t length)
{
	send6(line, layers, ICMP6, message, length);
	expect(BED_ACCESS, BNG_DROP_malformed_nd);
}

static void what_does_not_come_from_the_link_is_malformed(void **state)
{
	for (int hops = 0; hops < 255; hops += 1 + 50 * (hops > 1 && hops < 200)) {
		scene6(state);
		solicit(LINE_Q, "fe80::77", LINK_LOCAL);
		scene6(state);
		p.bytes[p.ip_at + 7] = (uint8_t)hops;
		run(BED_ACCESS);
		expect(BED_ACCESS, BNG_DROP_malformed_nd);
	}
}

static void malformed_solicitations_are_counted_and_ignored(void **state)
{
	struct packet_layers layers = nd_layers(LINE_Q, "fe80::77", "ff02::1:ff00:1");
	struct packet_layers unspecified = nd_layers(LINE_Q, "::", "ff02::1:ff00:1");

	(void)state;
	(void)neighbor_solicitation(LINK_LOCAL, mac_a);
	message[1] = 1; /* code */
	malformed(LINE_Q, layers, 32);
	scene6(state);
	(void)neighbor_solicitation("ff02::1", mac_a);
	malformed(LINE_Q, layers, 32);
	scene6(state);
	(void)neighbor_solicitation(LINK_LOCAL, mac_a);
	message[25] = 0; /* an option without length */
	malformed(LINE_Q, layers, 32);
	scene6(state);
	(void)neighbor_solicitation(LINK_LOCAL, mac_a);
	message[25] = 2; /* beyond the message */
	malformed(LINE_Q, layers, 32);
	scene6(state);
	(void)neighbor_solicitation(LINK_LOCAL, mac_a);
	malformed(LINE_Q, layers, 33); /* half an option behind it */
	scene6(state); /* RFC 4861 7.1.1: from :: to a unicast address, and with a link-layer address */
	unspecified.destination = LINK_LOCAL;
	malformed(LINE_Q, unspecified, neighbor_solicitation(LINK_LOCAL, NULL));
	scene6(state);
	unspecified.destination = "ff02::1";
	malformed(LINE_Q, unspecified, neighbor_solicitation(LINK_LOCAL, NULL));
	scene6(state);
	unspecified.destination = "ff02::1:ff00:1";
	malformed(LINE_Q, unspecified, neighbor_solicitation(LINK_LOCAL, mac_a));
	scene6(state); /* RFC 4861 6.1.1 */
	unspecified.destination = "ff02::2";
	malformed(LINE_Q, unspecified, router_solicitation(mac_a));
	scene6(state);
	(void)router_solicitation(mac_a);
	message[9] = 0;
	malformed(LINE_Q, layers, 16);
}

static void a_solicitation_of_512_bytes_is_the_longest(void **state)
{
	struct packet_layers layers = nd_layers(LINE_Q, "fe80::77", "ff02::1:ff00:1");
	struct bng_ip6 host = ip6("fe80::77");

	(void)state;
	(void)neighbor_solicitation(LINK_LOCAL, mac_a);
	for (uint32_t at = 32; at < 520; at += 8)
		message[at + 1] = 1;
	send6(LINE_Q, layers, ICMP6, message, 512);
	check_neighbor_advertisement(LINE_Q, LINK_LOCAL, &host, 0xe0);
	scene6(state);
	malformed(LINE_Q, layers, 520);
}

static void nd_behind_extension_headers_is_malformed(void **state)
{
	static const uint8_t firsts[] = {0, 60, 44};
	uint8_t payload[64] = {58};

	for (size_t i = 0; i < sizeof(firsts); i++) {
		scene6(state);
		memcpy(payload + 8, message, neighbor_solicitation(LINK_LOCAL, mac_a));
		send6(LINE_Q, nd_layers(LINE_Q, "fe80::77", LINK_LOCAL), firsts[i], payload, 40);
		expect(BED_ACCESS, BNG_DROP_malformed_nd);
	}
}

/* Each prefix of the message as a message of its own, its checksum right; and each byte of it spoiled. */
static void no_part_of_a_solicitation_is_one(void **state)
{
	for (int line = LINE_Q; line <= LINE_P; line++)
		for (int kind = 0; kind < 2; kind++) {
			uint32_t whole =
				kind ? router_solicitation(mac_a) : neighbor_solicitation(LINK_LOCAL, mac_a);
			uint32_t head = kind ? 8 : 24;

			for (uint32_t length = 4; length < whole; length++) {
				scene6(state);
				advertise(line, 64);
				if (kind)
					(void)router_solicitation(mac_a);
				else
					(void)neighbor_solicitation(LINK_LOCAL, mac_a);
				send6(line, nd_layers(line, "fe80::77", "ff02::1:ff00:1"), ICMP6, message,
					length);
				if (length == head)
					assert_int_equal(out.verdict, XDP_TX);
				else
					expect(BED_ACCESS, BNG_DROP_malformed_nd);
			}
			for (uint32_t at = 1; at < whole; at++) {
				scene6(state);
				advertise(line, 64);
				(void)(kind ? router_solicitation(mac_a)
					    : neighbor_solicitation(LINK_LOCAL, mac_a));
				send6(line, nd_layers(line, "fe80::77", "ff02::1:ff00:1"), ICMP6, message,
					whole);
				scene6(state);
				p.bytes[p.ip_at + 40 + at] ^= 0x10; /* under the sum of what it was */
				run(BED_ACCESS);
				expect(BED_ACCESS, BNG_DROP_malformed_nd);
			}
		}
}

#define CASE(f) cmocka_unit_test_setup(f, scene6)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(our_addresses_are_answered_for),
		CASE(lines_without_a_session_find_us_too),
		CASE(a_neighbour_is_probed_by_unicast_too),
		CASE(live_neighbours_are_answered_for),
		CASE(nobody_else_is_answered_for),
		CASE(a_session_is_sent_its_advertisement),
		CASE(other_solicitations_of_routers_are_the_controllers),
		CASE(no_line_is_a_router_or_a_teacher),
		CASE(answers_find_room_in_front_of_a_frame),
		CASE(a_live_lines_solicitations_are_activity),
		CASE(what_does_not_come_from_the_link_is_malformed),
		CASE(malformed_solicitations_are_counted_and_ignored),
		CASE(a_solicitation_of_512_bytes_is_the_longest),
		CASE(nd_behind_extension_headers_is_malformed),
		CASE(no_part_of_a_solicitation_is_one),
	};

	if (geteuid() != 0)
		return 77;
	if (bed_network(&bed) || bed_load(&bed, 64)) {
		fprintf(stderr, "cannot set up the bed\n");
		return 1;
	}
	int failed = cmocka_run_group_tests_name("nd", tests, NULL, NULL);

	bed_done(&bed);
	return failed;
}
