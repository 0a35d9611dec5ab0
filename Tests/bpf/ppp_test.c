// SPDX-License-Identifier: Apache-2.0
// PPPoE's session stage packet by packet: data both ways at every depth of tags, spoofed ids and addresses,
// LCP echoes, path MTU, and the corpus of malformed session packets.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <cmocka.h>

#include "bed.h"
#include "scene.h"

enum { SLOT_P = 4, SLOT_Q = 5, ID_P = 0x0a05, ID_Q = 0xfffe };

static const uint8_t magic_ours[4] = {0x12, 0x34, 0x56, 0x78};

/* P: PPPoE beside A on its QinQ line, with 100.64.7.8. Q: likewise, a second session of the same client. */
static struct bng_line_key line_p(uint16_t id)
{
	struct bng_line_key line = line_a;

	line.pppoe_id = id;
	return line;
}

static struct bng_session session_p(void)
{
	struct bng_session s = session_a();

	s.session_id = 0xd;
	s.slot = SLOT_P;
	s.ipv4 = bed_ip("100.64.7.8");
	s.flags = BNG_SESSION_PPPOE;
	s.mtu = 1492;
	memcpy(&s.magic, magic_ours, 4);
	return s;
}

static struct bng_session session_q(void)
{
	struct bng_session s = session_p();

	s.session_id = 0xe;
	s.slot = SLOT_Q;
	s.ipv4 = bed_ip("100.64.7.9");
	return s;
}

static void put_p(struct bng_session session)
{
	struct bng_line_key line = line_p(ID_P);

	put(&line, session, 600);
}

static int dialled(void **state)
{
	struct bng_line_key line = line_p(ID_Q);

	scene(state);
	put_p(session_p());
	put(&line, session_q(), 600);
	return 0;
}

static struct packet_layers from_p(const char *destination)
{
	struct packet_layers layers = from_a(destination);

	layers.source = "100.64.7.8";
	return layers;
}

static void udp_in_session(struct packet_layers layers, uint16_t id, uint32_t length)
{
	udp(layers, length);
	packet_into_pppoe(&p, id);
}

static void control(uint16_t id, const void *payload, uint32_t length)
{
	struct packet_layers layers = from_p("0.0.0.0");

	packet_pppoe(&p, &layers, 0, id, payload, length);
}

static struct bng_ppp_state ppp_state_of(uint32_t slot)
{
	struct bng_ppp_state state;

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(bed.access->maps.ppp_state), &slot, &state), 0);
	return state;
}

/* ---- data ---- */

static void session_data_goes_to_the_core_bare(void **state)
{
	static const uint16_t tags[][2] = {{0, 0}, {10, 0}, {10, 20}};
	struct bng_session_counters counters;

	for (size_t i = 0; i < 3; i++) {
		struct packet_layers layers = from_p("203.0.113.9");
		struct bng_line_key line = line_p(ID_P);
		uint8_t packet[200];

		scene(state);
		line.s_vlan = layers.tags[0] = tags[i][0];
		line.c_vlan = layers.tags[1] = tags[i][1];
		put(&line, session_p(), 600);
		udp_in_session(layers, ID_P, 100);
		memcpy(packet, p.bytes + p.ip_at, 128);
		run(BED_ACCESS);
		expect(BED_ACCESS, BNG_TX_forward_up);
		assert_int_equal(out.length, 14 + 128);
		assert_memory_equal(out.frame, bed_gateway_mac, 6);
		assert_memory_equal(out.frame + 6, bed_core_mac, 6);
		assert_memory_equal(out.frame + 12, "\x08\x00", 2);
		assert_int_equal(out.frame[14 + 8], 63);
		assert_memory_equal(out.frame + 14 + 12, packet + 12, 116);
		bed_session_counters(&bed, SLOT_P, &counters);
		assert_int_equal(counters.up_packets, 1);
		assert_int_equal(counters.up_bytes, 128);
	}
}

static void core_data_is_put_into_its_session(void **state)
{
	static const struct {
		uint16_t s_tpid, c_tpid, s_vlan, c_vlan;
		const char *head;
		uint32_t l2;
	} cases[] = {{0, 0, 0, 0, "\x88\x64", 14}, {0x8100, 0, 10, 0, "\x81\x00\x00\x0a\x88\x64", 18},
		{0x88a8, 0x8100, 10, 20, "\x88\xa8\x00\x0a\x81\x00\x00\x14\x88\x64", 22}};
	static const uint8_t pppoe[8] = {0x11, 0, ID_P >> 8, ID_P & 255, 0, 128 + 2, 0, 0x21};
	struct bng_session_counters counters;

	for (size_t i = 0; i < 3; i++) {
		struct bng_session session = session_p();
		struct bng_line_key line = line_p(ID_P);

		scene(state);
		line.s_vlan = cases[i].s_vlan;
		line.c_vlan = cases[i].c_vlan;
		session.s_tpid = htons(cases[i].s_tpid);
		session.c_tpid = htons(cases[i].c_tpid);
		put(&line, session, 600);
		udp(from_core("100.64.7.8"), 100);
		run(BED_CORE);
		expect(BED_CORE, BNG_TX_forward_down);
		assert_int_equal(out.length, cases[i].l2 + 8 + 128);
		check_line(out.frame, mac_a, cases[i].head, cases[i].l2 - 12);
		assert_memory_equal(out.frame + cases[i].l2, pppoe, 8);
		assert_int_equal(out.frame[cases[i].l2 + 8 + 8], 63);
		assert_memory_equal(out.frame + cases[i].l2 + 8 + 12, p.bytes + 14 + 12, 116);
		bed_session_counters(&bed, SLOT_P, &counters);
		assert_int_equal(counters.down_bytes, 128);
	}
}

static void sessions_reach_each_other_and_lines_without_pppoe(void **state)
{
	struct packet_layers layers = from_p("100.64.3.4");

	(void)state;
	udp_in_session(layers, ID_P, 40);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_TX_forward_line_to_line);
	check_line(out.frame, mac_b, "\x81\x00\x00\x1e\x08\x00", 6);

	dialled(state);
	layers = from_a("100.64.7.9");
	udp(layers, 40);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_TX_forward_line_to_line);
	check_line(out.frame, mac_a,
		"\x88\xa8\x00\x0a\x81\x00\x00\x14\x88\x64\x11\x00\xff\xfe\x00\x46\x00\x21", 18);

	dialled(state);
	layers = from_p("100.64.7.9");
	udp_in_session(layers, ID_P, 40);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_TX_forward_line_to_line);
	assert_int_equal(out.length, p.length);
	assert_memory_equal(out.frame + 22, "\x11\x00\xff\xfe\x00\x46\x00\x21", 8);
}

static void a_session_is_its_id_its_line_and_its_address(void **state)
{
	struct packet_layers layers = from_p("203.0.113.9");

	(void)state;
	udp_in_session(layers, ID_P + 1, 40);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_no_session);

	dialled(state);
	layers.from = mac_b;
	udp_in_session(layers, ID_P, 40);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_no_session);

	dialled(state);
	layers = from_p("203.0.113.9");
	layers.tags[1] = 21;
	udp_in_session(layers, ID_P, 40);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_no_session);

	dialled(state);
	layers = from_p("203.0.113.9");
	layers.source = "100.64.7.9"; /* the same client's other session */
	udp_in_session(layers, ID_P, 40);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_spoofed_source);

	dialled(state);
	udp(from_p("203.0.113.9"), 40); /* without the session that has the address */
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_spoofed_source);
}

static void a_frame_of_a_session_is_no_relays(void **state)
{
	struct packet_layers layers = from_p("203.0.113.9");

	(void)state;
	layers.from = mac_relay;
	layers.tags[0] = layers.tags[1] = 0;
	layers.source = "100.64.5.6";
	udp_in_session(layers, ID_P, 40);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_no_session);
}

static void a_session_without_an_address_sends_nothing(void **state)
{
	struct bng_session session = session_p();

	(void)state;
	session.ipv4 = 0;
	put_p(session);
	udp_in_session(from_p("203.0.113.9"), ID_P, 40);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_spoofed_source);
}

static void padding_behind_a_packet_is_not_sent_on(void **state)
{
	(void)state;
	udp_in_session(from_p("203.0.113.9"), ID_P, 4);
	p.bytes[22 + 5] += 3; /* inside PPP: RFC 1661 2 */
	p.length += 20;       /* and behind it */
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_TX_forward_up);
}

static void a_port_without_ipv6_drops_it(void **state)
{
	(void)state;
	control(ID_P, "\x00\x57\x60\x00\x00\x00\x00\x00", 8);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_ipv6_not_enabled);
}

/* ---- errors and answers ---- */

static void too_big_for_the_session_is_reported_with_its_mtu(void **state)
{
	struct packet_layers layers = from_core("100.64.7.8");

	(void)state;
	layers.fragment = 0x4000;
	udp(layers, 1465); /* 1,493 with its headers */
	run(BED_CORE);
	expect(BED_CORE, BNG_TX_icmp_too_big);
	assert_memory_equal(out.frame + 14 + 20 + 6, "\x05\xd4", 2);

	dialled(state);
	udp(layers, 1464);
	run(BED_CORE);
	expect(BED_CORE, BNG_TX_forward_down);
	assert_int_equal(out.length, 22 + 8 + 1492);
}

static void too_big_without_df_is_cut_inside_its_session(void **state)
{
	const struct bng_punt *punt;

	udp(from_core("100.64.7.8"), 1472);
	run(BED_CORE);
	punt = expect_handed_over(BED_CORE, BNG_PUNT_REASON_fragmented, BNG_PUNT_FRAGMENT, BED_ACCESS, 1492);
	assert_int_equal(punt->session_id, 0xd);
	assert_int_equal(punt->frame_length, 30 + 1500);
	assert_memory_equal(punt->frame + 20, "\x88\x64\x11\x00\x0a\x05\x05\xde\x00\x21", 10);

	dialled(state);
	udp(from_a("100.64.7.8"), 1472);
	run(BED_ACCESS);
	punt = expect_handed_over(
		BED_ACCESS, BNG_PUNT_REASON_fragmented, BNG_PUNT_FRAGMENT, BED_ACCESS, 1492);
	assert_int_equal(punt->frame_length, 30 + 1500);
	assert_true(packet_checksums_hold(punt->frame, punt->frame_length));
}

/* ---- MSS ---- */

static uint16_t tcp_sum(const uint8_t *ip, uint32_t length)
{
	uint32_t sum = 6 + length - 20;

	for (uint32_t i = 12; i < length; i++)
		sum += i & 1 ? ip[i] : (uint32_t)ip[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* A segment with these flags and options (of 4 * words bytes), its checksum right. */
static void tcp(struct packet_layers layers, uint8_t flags, const char *options, uint32_t words)
{
	uint8_t segment[80] = {0x30, 0x39, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, (uint8_t)((5 + words) << 4), flags};
	uint8_t *ip;
	uint16_t sum;

	memcpy(segment + 20, options, 4 * words);
	layers.protocol = 6;
	packet_ipv4(&p, &layers, segment, 20 + 4 * words);
	ip = p.bytes + p.ip_at;
	sum = (uint16_t)~tcp_sum(ip, 40 + 4 * words);
	ip[20 + 16] = (uint8_t)(sum >> 8);
	ip[20 + 17] = (uint8_t)sum;
}

static void put_clamped(void)
{
	struct bng_session session = session_p();

	session.flags |= BNG_SESSION_CLAMP_MSS;
	put_p(session);
}

/* The MSS in out at this place of the options; the sum holds. */
static uint32_t mss_at(uint32_t l2, uint32_t words, uint32_t at)
{
	const uint8_t *ip = out.frame + l2;

	assert_int_equal(tcp_sum(ip, 40 + 4 * words), 0xffff);
	return (uint32_t)ip[40 + at] << 8 | ip[41 + at];
}

static void a_syn_of_either_side_is_told_what_the_session_holds(void **state)
{
	static const struct {
		uint8_t flags;
		const char *options;
		uint32_t words, at, mss;
	} cases[] = {
		{0x02, "\x02\x04\x05\xb4", 1, 2, 1452},                 /* SYN, 1460 */
		{0x12, "\x02\x04\x05\xb4", 1, 2, 1452},                 /* SYN and ACK */
		{0x02, "\x02\x04\x05\xac", 1, 2, 1452},                 /* just right */
		{0x02, "\x02\x04\x02\x18", 1, 2, 536},                  /* never raised */
		{0x10, "\x02\x04\x05\xb4", 1, 2, 1460},                 /* no SYN */
		{0x02, "\x01\x02\x04\xff\xff\x01\x01\x00", 2, 3, 1452}, /* at an odd place */
		{0x02,
			"\x04\x02\x08\x0a"
			"01234567"
			"\x02\x04\x05\xb4",
			4, 14, 1452}, /* behind others */
		{0x02,
			"\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01"
			"\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x02\x04\x05\xb4",
			10, 38, 1452}, /* the last of 40 bytes */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		dialled(state);
		put_clamped();
		tcp(from_core("100.64.7.8"), cases[i].flags, cases[i].options, cases[i].words);
		run(BED_CORE);
		expect(BED_CORE, BNG_TX_forward_down);
		assert_int_equal(mss_at(30, cases[i].words, cases[i].at), cases[i].mss);

		dialled(state);
		put_clamped();
		tcp(from_p("203.0.113.9"), cases[i].flags, cases[i].options, cases[i].words);
		packet_into_pppoe(&p, ID_P);
		run(BED_ACCESS);
		expect(BED_ACCESS, BNG_TX_forward_up);
		assert_int_equal(mss_at(14, cases[i].words, cases[i].at), cases[i].mss);
	}
}

static void malformed_tcp_passes_as_it_is(void **state)
{
	static const struct {
		const char *options;
		uint32_t words;
	} cases[] = {{"\x02\x03\x05\xb4", 1}, {"\x02\x00\x05\xb4", 1}, {"\x02\x01\x05\xb4", 1},
		{"\x02\x05\xff\xff", 1}, {"\x01\x01\x02\x04", 1}, {"\x01\x01\x01\x02", 1},
		{"\x00\x02\x04\xff", 1}, {"\x08\x09\x01\x01\x02\x04\xff\xff", 2},
		{"\x03\x00\x02\x04\xff\xff\x00\x00", 2}};
	struct packet_layers layers = from_core("100.64.7.8");

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		dialled(state);
		put_clamped();
		tcp(layers, 0x02, cases[i].options, cases[i].words);
		run(BED_CORE);
		expect(BED_CORE, BNG_TX_forward_down);
		assert_memory_equal(out.frame + 30 + 20, p.bytes + 14 + 20, 20 + 4 * cases[i].words);
	}
	for (int nibble = 0; nibble < 16; nibble++) { /* a data offset that lies */
		dialled(state);
		put_clamped();
		tcp(layers, 0x02, "\x01\x01\x01\x01", 1);
		p.bytes[14 + 20 + 12] = (uint8_t)(nibble << 4);
		run(BED_CORE);
		expect(BED_CORE, BNG_TX_forward_down);
		assert_memory_equal(out.frame + 30 + 20, p.bytes + 14 + 20, 24);
	}
	dialled(state);
	put_clamped();
	layers.fragment = 5; /* a later fragment has no TCP header */
	tcp(layers, 0x02, "\x02\x04\x05\xb4", 1);
	run(BED_CORE);
	expect(BED_CORE, BNG_TX_forward_down);
	assert_memory_equal(out.frame + 30 + 20, p.bytes + 14 + 20, 24);
}

static void without_the_flag_no_segment_is_touched(void **state)
{
	(void)state;
	tcp(from_core("100.64.7.8"), 0x02, "\x02\x04\x05\xb4", 1);
	run(BED_CORE);
	expect(BED_CORE, BNG_TX_forward_down);
	assert_int_equal(mss_at(30, 1, 2), 1460);
}

static void a_port_that_has_got_smaller_holds_before_the_sessions_mtu(void **state)
{
	struct bng_session session = session_p();
	struct packet_layers layers = from_core("100.64.7.8");

	(void)state;
	session.mtu = 1500;
	put_p(session);
	layers.fragment = 0x4000;
	udp(layers, 1465);
	run(BED_CORE);
	expect(BED_CORE, BNG_TX_icmp_too_big);
	assert_memory_equal(out.frame + 14 + 20 + 6, "\x05\xd4", 2);

	dialled(state);
	put_p(session);
	change_port(BED_ACCESS, 1508, 0, 0, NULL); /* RFC 4638 */
	udp(layers, 1472);
	run(BED_CORE);
	expect(BED_CORE, BNG_TX_forward_down);
	assert_int_equal(out.length, 22 + 8 + 1500);
}

static void check_session_head(uint32_t ip_length)
{
	assert_memory_equal(out.frame + 12, p.bytes + 12, 10);
	assert_memory_equal(out.frame + 22, "\x11\x00\x0a\x05", 4);
	assert_int_equal(out.frame[26] << 8 | out.frame[27], ip_length + 2);
	assert_memory_equal(out.frame + 28, "\x00\x21", 2);
}

static void errors_to_a_session_have_its_head(void **state)
{
	struct packet_layers layers = from_p("203.0.113.9");

	(void)state;
	layers.ttl = 1;
	udp_in_session(layers, ID_P, 1000);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_TX_icmp_ttl_exceeded);
	assert_int_equal(out.length, 30 + 28 + 512);
	check_session_head(28 + 512);
	assert_memory_equal(out.frame + 30 + 12, "\x64\x40\x00\x01\x64\x40\x07\x08", 8);
	assert_memory_equal(out.frame + 30 + 28, p.bytes + 30, 512);

	dialled(state);
	layers = from_p("100.64.99.99");
	udp_in_session(layers, ID_P, 20);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_TX_icmp_unreachable);
	check_session_head(28 + 48);
}

static void the_gateway_answers_a_sessions_echo(void **state)
{
	struct packet_layers layers = from_p("100.64.0.1");

	(void)state;
	packet_echo(&p, &layers, 8, 56);
	packet_into_pppoe(&p, ID_P);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_TX_icmp_echo_reply);
	assert_int_equal(out.length, p.length);
	check_session_head(84);
}

/* ---- LCP ---- */

static void an_echo_request_is_answered_with_our_magic(void **state)
{
	static const uint8_t request[] = "\xc0\x21\x09\x2a\x00\x0d\xaa\xbb\xcc\xdd"
					 "hello";
	static const uint8_t reply[] = "\x11\x00\x0a\x05\x00\x0f\xc0\x21\x0a\x2a\x00\x0d\x12\x34\x56\x78"
				       "hello";

	(void)state;
	control(ID_P, request, 15);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_TX_ppp_echo_reply);
	assert_int_equal(out.length, p.length);
	check_line(out.frame, mac_a, "\x88\xa8\x00\x0a\x81\x00\x00\x14\x88\x64", 10);
	assert_memory_equal(out.frame + 22, reply, 21);
	assert_int_equal(ppp_state_of(SLOT_P).echoes_answered, 1);
	assert_int_equal(ppp_state_of(SLOT_P).heard_ns, 0);
}

static void an_echo_reply_is_heard(void **state)
{
	uint64_t now = bed_now_ns();

	(void)state;
	control(ID_P, "\xc0\x21\x0a\x2a\x00\x08\xaa\xbb\xcc\xdd", 10);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_ppp_echo_heard);
	assert_int_equal(ppp_state_of(SLOT_P).echo_replies, 1);
	assert_true(ppp_state_of(SLOT_P).heard_ns + 100000000 > now);
	assert_int_equal(ppp_state_of(SLOT_Q).echo_replies, 0);
}

/* RFC 1661 5.8: where none was agreed on it is zero both ways, and no loop. */
static void without_a_magic_number_an_echo_is_answered_with_zero(void **state)
{
	struct bng_session session = session_p();

	(void)state;
	memset(&session.magic, 0, 4);
	put_p(session);
	control(ID_P, "\xc0\x21\x09\x2a\x00\x08\x00\x00\x00\x00", 10);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_TX_ppp_echo_reply);
	check_line(out.frame, mac_a, "\x88\xa8\x00\x0a\x81\x00\x00\x14\x88\x64", 10);
	assert_memory_equal(out.frame + 30, "\x0a\x2a\x00\x08\x00\x00\x00\x00", 8);
}

static void a_discard_request_is_discarded(void **state)
{
	(void)state;
	control(ID_P, "\xc0\x21\x0b\x2a\x00\x08\xaa\xbb\xcc\xdd", 10);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_ppp_discarded);
}

static void echoes_with_our_own_magic_are_the_controllers(void **state)
{
	control(ID_P, "\xc0\x21\x09\x2a\x00\x08\x12\x34\x56\x78", 10);
	run(BED_ACCESS);
	expect_punt(BNG_PUNT_REASON_ppp_control, BNG_PUNT_PPP, 0xd);
	dialled(state);
	control(ID_P, "\xc0\x21\x0a\x2a\x00\x08\x12\x34\x56\x78", 10);
	run(BED_ACCESS);
	expect_punt(BNG_PUNT_REASON_ppp_control, BNG_PUNT_PPP, 0xd);
	assert_int_equal(ppp_state_of(SLOT_P).heard_ns, 0);
}

static void what_ppp_negotiates_is_the_controllers(void **state)
{
	static const char *const packets[] = {"\xc0\x21\x01\x01\x00\x04", "\xc0\x21\x05\x01\x00\x04",
		"\xc2\x23\x02\x01\x00\x04", "\x80\x21\x01\x01\x00\x04", "\x80\x57\x01\x01\x00\x04",
		"\x00\x2d\x45\x00\x00\x00", "\x02\x81\x45\x00\x00\x00"};

	for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
		dialled(state);
		control(ID_P, packets[i], 6);
		run(BED_ACCESS);
		expect_punt(BNG_PUNT_REASON_ppp_control, BNG_PUNT_PPP, 0xd);
	}
}

static void an_unknown_session_negotiates_but_carries_no_data(void **state)
{
	control(ID_P + 1, "\xc0\x21\x09\x01\x00\x08\xaa\xbb\xcc\xdd", 10);
	run(BED_ACCESS);
	expect_punt(BNG_PUNT_REASON_ppp_unknown_session, BNG_PUNT_PPP, 0);
	dialled(state);
	control(ID_P + 1, "\x80\x21\x01\x01\x00\x04", 6);
	run(BED_ACCESS);
	expect_punt(BNG_PUNT_REASON_ppp_unknown_session, BNG_PUNT_PPP, 0);
	dialled(state);
	control(ID_P + 1, "\x00\x2d\x45\x00\x00\x00", 6);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_no_session);
}

/* ---- the corpus ---- */

static void malformed_heads_are_counted_and_ignored(void **state)
{
	static const struct {
		uint8_t at, value; /* behind Ethernet */
	} cases[] = {{0, 0x12}, {0, 0x21}, {1, 1}, {1, 0x09}, {4, 1}, {5, 0}, {5, 1}, {5, 255}};
	static const struct {
		uint16_t id;
	} ids[] = {{0}, {0xffff}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		dialled(state);
		control(ID_P, "\xc0\x21\x01\x01\x00\x04", 6);
		p.bytes[22 + cases[i].at] = cases[i].value;
		run(BED_ACCESS);
		expect(BED_ACCESS, BNG_DROP_malformed_pppoe);
	}
	for (size_t i = 0; i < 2; i++) {
		dialled(state);
		control(ids[i].id, "\xc0\x21\x01\x01\x00\x04", 6);
		run(BED_ACCESS);
		expect(BED_ACCESS, BNG_DROP_malformed_pppoe);
	}
	dialled(state);
	control(ID_P, "\xc0\x21\x01\x01\x00\x04", 6);
	memcpy(p.bytes, broadcast, 6);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_malformed_pppoe);
}

static void malformed_lcp_is_counted_and_ignored(void **state)
{
	static const struct {
		const char *payload;
		uint32_t length;
	} cases[] = {{"\xc0\x21", 2}, {"\xc0\x21\x09", 3}, {"\xc0\x21\x09\x01\x00", 5},
		{"\xc0\x21\x09\x01\x00\x03", 6}, {"\xc0\x21\x09\x01\x00\x04", 6},
		{"\xc0\x21\x09\x01\x00\x07\xaa\xbb\xcc", 9}, {"\xc0\x21\x09\x01\x00\x09\xaa\xbb\xcc\xdd", 10},
		{"\xc0\x21\x0a\x01\x00\x05\xaa", 7}, {"\xc0\x21\x01\x01\xff\xff", 6},
		{"\xc0\x21\x01\x01\x00\x00", 6}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		dialled(state);
		control(ID_P, cases[i].payload, cases[i].length);
		p.length += 12; /* Ethernet's padding is not the packet's */
		run(BED_ACCESS);
		expect(BED_ACCESS, BNG_DROP_malformed_pppoe);
	}
}

static void an_ip_packet_longer_than_its_frame_is_malformed(void **state)
{
	(void)state;
	udp_in_session(from_p("203.0.113.9"), ID_P, 40);
	p.bytes[22 + 5] -= 1;
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_malformed_ipv4);
}

/* Every byte changed in turn, every length: one reason, and never an answer to a frame cut short. */
static void any_spoiled_session_packet_is_counted_once(void **state)
{
	for (uint32_t at = 0; at < 30 + 8; at++) {
		dialled(state);
		control(ID_P,
			"\xc0\x21\x09\x2a\x00\x0d\xaa\xbb\xcc\xdd"
			"hello",
			15);
		p.bytes[at] ^= 0xff;
		run(BED_ACCESS);
		assert_int_equal(bed_all_counters(&bed), 1);
		dialled(state);
		control(ID_P,
			"\xc0\x21\x09\x2a\x00\x0d\xaa\xbb\xcc\xdd"
			"hello",
			15);
		p.length = at < 14 ? 14 : at;
		run(BED_ACCESS);
		assert_int_equal(bed_all_counters(&bed), 1);
		assert_int_equal(out.verdict, XDP_DROP);
		dialled(state);
		udp_in_session(from_p("203.0.113.9"), ID_P, 40);
		p.length = at < 14 ? 14 : at;
		run(BED_ACCESS);
		assert_int_equal(bed_all_counters(&bed), 1);
		assert_int_equal(out.verdict, XDP_DROP);
	}
}

#define CASE(f) cmocka_unit_test_setup(f, dialled)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(session_data_goes_to_the_core_bare),
		CASE(core_data_is_put_into_its_session),
		CASE(sessions_reach_each_other_and_lines_without_pppoe),
		CASE(a_session_is_its_id_its_line_and_its_address),
		CASE(a_frame_of_a_session_is_no_relays),
		CASE(a_session_without_an_address_sends_nothing),
		CASE(padding_behind_a_packet_is_not_sent_on),
		CASE(a_port_without_ipv6_drops_it),
		CASE(too_big_for_the_session_is_reported_with_its_mtu),
		CASE(too_big_without_df_is_cut_inside_its_session),
		CASE(a_syn_of_either_side_is_told_what_the_session_holds),
		CASE(malformed_tcp_passes_as_it_is),
		CASE(without_the_flag_no_segment_is_touched),
		CASE(a_port_that_has_got_smaller_holds_before_the_sessions_mtu),
		CASE(errors_to_a_session_have_its_head),
		CASE(the_gateway_answers_a_sessions_echo),
		CASE(an_echo_request_is_answered_with_our_magic),
		CASE(without_a_magic_number_an_echo_is_answered_with_zero),
		CASE(an_echo_reply_is_heard),
		CASE(a_discard_request_is_discarded),
		CASE(echoes_with_our_own_magic_are_the_controllers),
		CASE(what_ppp_negotiates_is_the_controllers),
		CASE(an_unknown_session_negotiates_but_carries_no_data),
		CASE(malformed_heads_are_counted_and_ignored),
		CASE(malformed_lcp_is_counted_and_ignored),
		CASE(an_ip_packet_longer_than_its_frame_is_malformed),
		CASE(any_spoiled_session_packet_is_counted_once),
	};

	if (geteuid() != 0)
		return 77;
	if (bed_network(&bed) || bed_load(&bed, 64)) {
		fprintf(stderr, "cannot set up the bed\n");
		return 1;
	}
	return cmocka_run_group_tests_name("ppp", tests, NULL, NULL);
}
