// SPDX-License-Identifier: Apache-2.0
// The scene of the BPF tests; see scene.h.
#include "scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <arpa/inet.h>
#include <cmocka.h>

struct bed bed;
bool seen[BNG_REASONS];
struct packet p;
struct bed_result out;
const uint8_t mac_a[6] = {0x02, 0x00, 0x5e, 0xa1, 0xa2, 0xa3};
const uint8_t mac_b[6] = {0x02, 0x00, 0x5e, 0xb1, 0xb2, 0xb3};
const uint8_t mac_relay[6] = {0x02, 0x00, 0x5e, 0x77, 0x88, 0x99};
const uint8_t mac_stranger[6] = {0x02, 0x00, 0x5e, 0xee, 0xee, 0x01};
const uint8_t broadcast[6] = {255, 255, 255, 255, 255, 255};

const struct bng_line_key line_a = {
	.port = BED_ACCESS, .s_vlan = 10, .c_vlan = 20, .mac = {0x02, 0x00, 0x5e, 0xa1, 0xa2, 0xa3}};
const struct bng_line_key line_b = {
	.port = BED_ACCESS2, .s_vlan = 30, .mac = {0x02, 0x00, 0x5e, 0xb1, 0xb2, 0xb3}};
struct bng_line_key line_r = {.port = BED_ACCESS, .mac = {0x02, 0x00, 0x5e, 0xc1, 0xc2, 0xc3}};

struct bng_session session_a(void)
{
	struct bng_session s = {.session_id = 0xa,
		.generation = 4,
		.slot = SLOT_A,
		.ipv4 = bed_ip("100.64.1.2"),
		.template_index = BED_TEMPLATE,
		.s_tpid = htons(0x88a8),
		.c_tpid = htons(0x8100),
		.flags = BNG_SESSION_FAST_DHCP};

	memcpy(s.frame_mac, mac_a, 6);
	return s;
}

struct bng_session session_b(void)
{
	struct bng_session s = {.session_id = 0xb,
		.generation = 5,
		.slot = SLOT_B,
		.ipv4 = bed_ip("100.64.3.4"),
		.template_index = BED_TEMPLATE,
		.s_tpid = htons(0x8100),
		.flags = BNG_SESSION_FAST_DHCP};

	memcpy(s.frame_mac, mac_b, 6);
	return s;
}

struct bng_session session_r(void)
{
	struct bng_session s = session_a();

	s.session_id = 0xc;
	s.slot = SLOT_R;
	s.ipv4 = bed_ip("100.64.5.6");
	s.s_tpid = s.c_tpid = 0;
	s.flags |= BNG_SESSION_RELAYED;
	memcpy(s.frame_mac, mac_relay, 6);
	return s;
}

void put(const struct bng_line_key *line, struct bng_session session, int64_t seconds_left)
{
	bed_put_session(&bed, line, &session, bed_now_ns() + (uint64_t)(seconds_left * 1000000000LL));
}

int scene(void **state)
{
	(void)state;
	bed_reset(&bed);
	put(&line_a, session_a(), 600);
	put(&line_b, session_b(), 600);
	line_r.giaddr = bed_ip("100.64.255.254");
	put(&line_r, session_r(), 600);
	return 0;
}

void change_port(int index, uint16_t mtu, uint8_t add, uint8_t remove, const char *ipv4)
{
	uint32_t key = (uint32_t)index;
	struct bng_port port;

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(bed.access->maps.ports), &key, &port), 0);
	if (mtu)
		port.mtu = mtu;
	port.flags = (uint8_t)((port.flags | add) & ~remove);
	if (ipv4)
		port.ipv4 = *ipv4 ? bed_ip(ipv4) : 0;
	bed_put(bed.access->maps.ports, &key, &port);
}

void run(int port)
{
	bed_run(&bed, port, p.bytes, p.length, &out);
}

void expect(int port, int reason)
{
	const char *name = bed_reason_name(reason);

	for (int i = 1; i < BNG_REASONS; i++)
		if (i != reason && bed_counter(&bed, port, i))
			print_error("counted %s, expected %s\n", bed_reason_name(i), name);
	assert_int_equal(bed_counter(&bed, port, reason), 1);
	assert_int_equal(bed_all_counters(&bed), 1);
	if (!strncmp(name, "tx.forward", 10))
		assert_int_equal(out.verdict, XDP_REDIRECT);
	else if (reason == BNG_TX_pass_kernel)
		assert_int_equal(out.verdict, XDP_PASS);
	else
		assert_int_equal(out.verdict, strncmp(name, "tx.", 3) ? XDP_DROP : XDP_TX);
	if (out.verdict == XDP_DROP || out.verdict == XDP_PASS) {
		assert_int_equal(out.length, p.length);
		assert_memory_equal(out.frame, p.bytes, p.length);
	} else {
		assert_true(packet_checksums_hold(out.frame, out.length) || reason == BNG_TX_arp_reply ||
			    reason == BNG_TX_pppoe_pado || reason == BNG_TX_ppp_echo_reply);
	}
	seen[reason] = true;
}

void expect_punt(int reason, int class, uint64_t session_id)
{
	union {
		struct bng_punt punt;
		uint8_t bytes[8192];
	} record;

	expect(BED_ACCESS, reason);
	assert_true(bed_take_punt(&bed, &record, sizeof(record)) > 0);
	assert_int_equal(record.punt.reason, reason);
	assert_int_equal(record.punt.punt_class, class);
	assert_int_equal(record.punt.session_id, session_id);
	assert_int_equal(record.punt.out_port | record.punt.detail, 0);
	assert_int_equal(record.punt.frame_length, p.length);
	assert_memory_equal(record.punt.frame, p.bytes, p.length);
	assert_true(record.punt.received_ns <= bed_now_ns() &&
		    record.punt.received_ns + 5000000000ULL > bed_now_ns());
}

struct bng_punt *expect_handed_over(int port, int reason, int class, int out_port, int detail)
{
	static union {
		struct bng_punt punt;
		uint8_t bytes[8192];
	} record;

	assert_int_equal(out.verdict, XDP_DROP);
	assert_int_equal(bed_counter(&bed, port, reason), 1);
	assert_int_equal(bed_all_counters(&bed), 1);
	assert_true(bed_take_punt(&bed, &record, sizeof(record)) > 0);
	assert_int_equal(record.punt.reason, reason);
	assert_int_equal(record.punt.punt_class, class);
	assert_int_equal(record.punt.port, port);
	assert_int_equal(record.punt.out_port, out_port);
	assert_int_equal(record.punt.detail, detail);
	seen[reason] = true;
	return &record.punt;
}

struct packet_layers from_a(const char *destination)
{
	return (struct packet_layers){.to = bed_port_mac,
		.from = mac_a,
		.outer_type = 0x88a8,
		.tags = {10, 20},
		.source = "100.64.1.2",
		.destination = destination,
		.ttl = 64};
}

struct packet_layers from_core(const char *destination)
{
	return (struct packet_layers){.to = bed_core_mac,
		.from = bed_gateway_mac,
		.source = "203.0.113.9",
		.destination = destination,
		.ttl = 64};
}

void udp(struct packet_layers layers, uint32_t length)
{
	static uint8_t payload[2900];

	packet_udp(&p, &layers, 5001, 5002, payload, length);
}

void check_line(const uint8_t *frame, const uint8_t *mac, const char *tags, uint32_t tag_bytes)
{
	assert_memory_equal(frame, mac, 6);
	assert_memory_equal(frame + 6, bed_port_mac, 6);
	assert_memory_equal(frame + 12, tags, tag_bytes);
}
