// SPDX-License-Identifier: Apache-2.0
// NAT44: a million random packets, with all that can fail made to fail. Nothing of a session that is to be
// translated leaves with a private source, and what leaves whole has right sums. BNG_SEED repeats a run,
// BNG_LEAK_PACKETS lengthens it.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <cmocka.h>

#include "nat_scene.h"

enum { ENTRIES = 1024, PACKETS = 1000000, WEATHER = 2000 };

static const struct bng_line_key line_c = {.port = BED_ACCESS, .mac = {0x02, 0x00, 0x5e, 0xc1, 0xc2, 0xc3}};
static const uint8_t mac_c[6] = {0x02, 0x00, 0x5e, 0xc1, 0xc2, 0xc3};
static uint64_t randomness;
static uint32_t toward_core, toward_lines, between_lines, waiting, refused;

static uint32_t roll(uint32_t below)
{
	randomness ^= randomness << 13;
	randomness ^= randomness >> 7;
	randomness ^= randomness << 17;
	return (uint32_t)(randomness >> 32) % below;
}

static int is_private(const uint8_t *a)
{
	return a[0] == 10 || (a[0] == 172 && a[1] >> 4 == 1) || (a[0] == 192 && a[1] == 168) ||
	       (a[0] == 100 && a[1] >> 6 == 1);
}

/* C: one to one with NAT_WHOLE. B: sources are not checked, only counted. A has a private network behind it.
 */
static void make_scene(void)
{
	struct bng_session a = session_a(), b = session_b(), c = session_r();
	struct bng_route route = {.kind = BNG_ROUTE_SESSION, .session = a.ipv4};
	struct bng_route_key behind = {.prefix_bits = 32 + 24, .ipv4 = bed_ip("192.168.7.0")};
	struct bng_nat_session grant = {.session_id = 0xc, .address = bed_ip(NAT_WHOLE)};
	struct bng_nat_key in = {.address = bed_ip(NAT_WHOLE)};
	struct bng_nat_reverse reverse = {.session_id = 0xc,
		.address = c.ipv4,
		.flags = BNG_NAT_FORWARD | BNG_NAT_STATIC,
		.session = c.ipv4,
		.slot = SLOT_R};
	struct bng_nat_state fresh = {.session_id = 0xc};
	uint32_t slot = SLOT_R;

	nat_scene(NULL);
	a.flags |= BNG_SESSION_NAT | BNG_SESSION_HAS_ROUTES;
	b.flags |= BNG_SESSION_NAT | BNG_SESSION_SPOOF_LOG;
	c.flags = BNG_SESSION_NAT | BNG_SESSION_NAT_STATIC;
	memcpy(c.frame_mac, mac_c, 6);
	put(&line_a, a, 600);
	put(&nat_line_b, b, 600);
	put(&line_c, c, 600);
	bed_put(bed.access->maps.routes4, &behind, &route);
	bed_put(bed.access->maps.nat_sessions, &slot, &grant);
	bed_put(bed.access->maps.nat_state, &slot, &fresh);
	bed_put(bed.access->maps.nat_in, &in, &reverse);
	nat_forward(SLOT_A, 0xa, "100.64.1.2", 6, 80, 80);
	nat_policy(roll(8), roll(4) ? 1000 : 3);
}

/* All entries of a map become dead, another session's, or go. */
static void spoil_mappings(uint32_t how)
{
	struct bng_nat_key key, next;
	struct bng_nat_mapping mapping;
	int fd = bpf_map__fd(bed.access->maps.nat_out);
	int more = !bpf_map_get_next_key(fd, NULL, &key);

	while (more) {
		more = !bpf_map_get_next_key(fd, &key, &next);
		if (!bpf_map_lookup_elem(fd, &key, &mapping)) {
			if (how == 0)
				mapping.seen_ns = BNG_NAT_DEAD;
			else
				mapping.session_id = 0x77;
			if (how == 2)
				bpf_map_delete_elem(fd, &key);
			else
				bpf_map_update_elem(fd, &key, &mapping, BPF_ANY);
		}
		key = next;
	}
}

static void fill(struct bpf_map *map)
{
	static const uint8_t value[64];

	for (uint32_t i = 0; i < ENTRIES; i++) {
		struct bng_nat_flow_key key = {.vrf = 7, .address = i};

		if (bpf_map_update_elem(bpf_map__fd(map), &key, value, BPF_ANY))
			return;
	}
}

static void change_weather(void)
{
	uint32_t slot = 1 + roll(3);
	struct bng_nat_session grant;
	struct bng_nat_state nat_state = {.session_id = 0x55};
	int grants = bpf_map__fd(bed.access->maps.nat_sessions);

	make_scene();
	switch (roll(10)) {
	case 0:
		bpf_map_delete_elem(grants, &slot);
		break;
	case 1:
		if (!bpf_map_lookup_elem(grants, &slot, &grant)) {
			grant.block_count = 0;
			bed_put(bed.access->maps.nat_sessions, &slot, &grant);
		}
		break;
	case 2:
		if (!bpf_map_lookup_elem(grants, &slot, &grant)) {
			grant.session_id = 0x66;
			bed_put(bed.access->maps.nat_sessions, &slot, &grant);
		}
		break;
	case 3:
		if (!bpf_map_lookup_elem(grants, &slot, &grant)) {
			grant.policy = 100000;
			bed_put(bed.access->maps.nat_sessions, &slot, &grant);
		}
		break;
	case 4:
		bed_put(bed.access->maps.nat_state, &slot, &nat_state);
		break;
	case 5:
		fill(bed.access->maps.nat_in);
		break;
	case 6:
		fill(bed.access->maps.nat_out);
		break;
	case 7:
		fill(bed.access->maps.nat_flows);
		break;
	default:
		break;
	}
}

static const char *random_source(int line)
{
	static const char *const own[] = {"100.64.1.2", "100.64.3.4", "100.64.5.6"};
	static const char *const others[] = {"192.168.7.5", "192.168.7.6", "10.1.2.3", "172.20.1.1",
		"100.64.1.2", "203.0.120.1", "8.8.8.8", "192.168.9.9"};

	return roll(3) ? own[line] : others[roll(8)];
}

static const char *random_destination(void)
{
	static const char *const all[] = {NAT_PEER, "203.0.113.10", "203.0.113.11", NAT_PUBLIC, NAT_WHOLE,
		"198.51.100.7", "203.0.120.5", "100.64.3.4", "8.8.4.4", "192.0.2.1"};

	return all[roll(10)];
}

static uint16_t random_port(void)
{
	switch (roll(4)) {
	case 0:
		return 80;
	case 1:
		return (uint16_t)(NAT_BLOCK_A + roll(128));
	default:
		return (uint16_t)(5000 + roll(90));
	}
}

/* 1: the packet is whole, with sums that are right. */
static int make_packet(int *ret_port)
{
	static const uint8_t protocols[] = {6, 17, 1, 47, 50, 132, 0, 255};
	static const uint8_t icmp_types[] = {8, 0, 3, 11, 12, 13, 14, 5, 4, 30};
	struct packet_layers layers = {.to = bed_port_mac, .ttl = (uint8_t)(roll(20) ? 64 : roll(3))};
	int line = (int)roll(3);
	uint8_t bytes[700];

	*ret_port = roll(3) ? BED_ACCESS : BED_CORE;
	layers.option_words = roll(6) ? 0 : (uint8_t)roll(11);
	layers.destination = random_destination();
	if (*ret_port == BED_CORE) {
		layers.to = bed_core_mac;
		layers.from = bed_gateway_mac;
		layers.source = roll(2) ? NAT_PEER : "203.0.113.10";
		layers.destination = roll(4) ? NAT_PUBLIC : roll(2) ? NAT_WHOLE : "203.0.120.5";
	} else {
		layers.from = line == 0 ? mac_a : line == 1 ? mac_b : mac_c;
		layers.source = random_source(line);
		layers.tags[0] = line == 0 ? 10 : line == 1 ? 30 : 0;
		layers.tags[1] = line == 0 ? 20 : 0;
		layers.outer_type = line == 0 ? 0x88a8 : 0;
	}
	if (!roll(8))
		layers.fragment = (uint16_t)(roll(4) ? (roll(2) ? 0x2000 : roll(0x2000)) : roll(0x10000));
	switch (roll(8)) {
	case 0:
	case 1:
		nat_udp(layers, random_port(), random_port(), roll(64));
		break;
	case 2:
	case 3:
		nat_tcp(layers, random_port(), random_port(), (uint8_t)(roll(2) ? NAT_SYN : roll(64)),
			roll(64));
		break;
	case 4:
		nat_icmp(layers, icmp_types[roll(10)], random_port(), roll(64));
		break;
	case 5: { /* an error about what went out last, whatever that was */
		struct bed_result about = out;
		struct packet_layers quoted = from_core(random_destination());

		if (roll(2) || about.length < 64) {
			quoted.source = random_destination();
			nat_udp(quoted, random_port(), random_port(), 20);
			memcpy(about.frame, p.bytes, p.length);
			about.length = p.length;
		}
		nat_error(layers, icmp_types[2 + roll(3)], about.frame, roll(40));
		break;
	}
	default:
		for (uint32_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t)roll(256);
		layers.protocol = protocols[roll(8)];
		packet_ipv4(&p, &layers, bytes, roll(roll(2) ? 40 : sizeof(bytes)));
		return 0;
	}
	if (!roll(50)) {
		p.length = p.ip_at + roll(p.length - p.ip_at + 1);
		if (p.length < 14)
			p.length = 14;
		return 0;
	}
	return !(layers.fragment & 0x3fff);
}

/* What is on its way to the core, or to another line by a public address. */
static void check_frame(const uint8_t *frame, const struct packet *came, uint32_t number)
{
	const uint8_t *ip = frame + packet_l2_length(frame);

	if (is_private(ip + 12)) {
		print_error("packet %u: private source %u.%u.%u.%u leaves, protocol %u\n", number, ip[12],
			ip[13], ip[14], ip[15], ip[9]);
		for (uint32_t i = 0; i < came->length; i++)
			print_error("%02x", came->bytes[i]);
		fail();
	}
}

static void check_waiting(uint32_t number)
{
	static union {
		struct bng_punt punt;
		uint8_t bytes[8192];
	} record;

	while (bed_take_punt(&bed, &record, sizeof(record)) > 0)
		if (record.punt.punt_class == BNG_PUNT_NEIGHBOR) {
			check_frame(record.punt.frame, &p, number);
			waiting++;
		}
}

static void nothing_private_leaves_and_sums_stay_right(void **state)
{
	const char *given = getenv("BNG_SEED"), *wanted = getenv("BNG_LEAK_PACKETS");
	uint32_t packets = wanted ? (uint32_t)strtoul(wanted, NULL, 0) : PACKETS;

	(void)state;
	randomness = given ? strtoull(given, NULL, 0) : bed_now_ns() | 1;
	print_message("seed %llu\n", (unsigned long long)randomness);
	for (uint32_t i = 0; i < packets; i++) {
		int port, whole;

		if (!(i % WEATHER))
			change_weather();
		if (!roll(WEATHER / 2))
			spoil_mappings(roll(3));
		whole = make_packet(&port);
		if (!p.length)
			continue;
		run(port);
		if (out.verdict == XDP_REDIRECT) {
			int is_up = !memcmp(out.frame, bed_gateway_mac, 6);
			const uint8_t *to = p.bytes + p.ip_at + 16;

			toward_core += is_up;
			toward_lines += !is_up && port == BED_CORE;
			between_lines += !is_up && port == BED_ACCESS;
			if (is_up || (to[0] == 203 && to[2] == 120))
				check_frame(out.frame, &p, i);
			if (whole && !nat_seen().sums_hold) {
				print_error("packet %u: wrong sums\n", i);
				for (uint32_t b = 0; b < p.length; b++)
					print_error("%02x", p.bytes[b]);
				fail();
			}
		} else {
			refused++;
			check_waiting(i);
		}
	}
	print_message("%u to the core, %u to lines, %u between lines, %u waiting, %u refused\n", toward_core,
		toward_lines, between_lines, waiting, refused);
	assert_true(toward_core > packets / 50 && toward_lines > packets / 50 &&
		    between_lines > packets / 200 && waiting > packets / 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_private_leaves_and_sums_stay_right)};

	if (geteuid() != 0)
		return 77;
	bed.nat_entries = ENTRIES;
	if (bed_network(&bed) || bed_load(&bed, 64)) {
		fprintf(stderr, "cannot set up the bed\n");
		return 1;
	}
	return cmocka_run_group_tests_name("nat_leak", tests, NULL, NULL);
}
