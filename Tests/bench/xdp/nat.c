// SPDX-License-Identifier: Apache-2.0
// NAT44: nanoseconds per packet beside the same packet without it, new mappings, a million of them (memory, a
// walk over all, taking them away), and packets per second beside nftables' masquerade on the same wire.
#include "bench.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xdp_nat_reap.skel.h"

enum { POLICY = 1, BLOCK = 16384, BLOCKS = 3, HOLDERS = 22, MAPPINGS = 1000000, ROUNDS = 9 };

static void grant(uint32_t slot, uint32_t public_host)
{
	struct bng_nat_policy policy = {.flows_per_session = 1000000};
	struct bng_route_key pool = {.prefix_bits = 32 + 24, .ipv4 = bed_ip("203.0.120.0")};
	struct bng_route route = {.kind = BNG_ROUTE_NAT};
	struct bng_nat_session granted = {.session_id = 1000 + slot,
		.address = bed_ip("203.0.120.0") + htonl(public_host),
		.policy = POLICY,
		.block_count = BLOCKS,
		.block_ports = BLOCK,
		.first_ports = {BLOCK, 2 * BLOCK, 3 * BLOCK}};
	struct bng_nat_state state = {.session_id = 1000 + slot};
	uint32_t index = POLICY;

	bed_put(bed.access->maps.nat_policies, &index, &policy);
	bed_put(bed.access->maps.nat_sessions, &slot, &granted);
	bed_put(bed.access->maps.nat_state, &slot, &state);
	bed_put(bed.access->maps.routes4, &pool, &route);
}

/* Protocol 6 in UDP's place; its sum follows. 20 of the 34 bytes are the header, an ACK. */
static struct traffic as_tcp(struct traffic t)
{
	uint8_t *ip = t.packet.bytes + t.packet.ip_at;

	ip[9] = 6;
	ip[11] = (uint8_t)(ip[11] + 11);
	if (ip[11] < 11)
		ip[10]++;
	memset(ip + 24, 0, 16);
	ip[32] = 0x50;
	ip[33] = 16;
	return t;
}

/* Sends it up once; the same packet as the answer to it. */
static struct traffic answer_to(const struct traffic *up, struct traffic down)
{
	static struct bed_result out;
	uint8_t *ip = down.packet.bytes + down.packet.ip_at;
	uint32_t sum = 0;

	bed_run(&bed, BED_ACCESS, up->packet.bytes, up->packet.length, &out);
	if (out.verdict != XDP_REDIRECT)
		die("a packet to be translated was not forwarded");
	memcpy(ip + 16, out.frame + 14 + 12, 4);
	memcpy(ip + 20, out.frame + 14 + 22, 2);
	memcpy(ip + 22, out.frame + 14 + 20, 2);
	ip[10] = ip[11] = 0;
	for (int i = 0; i < 20; i += 2)
		sum += (uint32_t)(ip[i] << 8 | ip[i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	ip[10] = (uint8_t)(~sum >> 8);
	ip[11] = (uint8_t)~sum;
	return down;
}

static void time_hits(double floor)
{
	const struct grants plain = {0}, translated = {.flags = BNG_SESSION_NAT};
	struct grants full = policed(100000000000, 64 << 20);
	struct traffic up = data_traffic(false, true, false, SMALL),
		       down = data_traffic(true, true, false, SMALL);
	struct traffic tcp_up = as_tcp(up), tcp_down = as_tcp(down), whole = as_tcp(pppoe_traffic());

	put_line(&plain);
	time_path("F2.ns.up.plain", "line to core, QinQ, UDP, no NAT", bed.access->progs.xdp_access, up,
		"access0", "access0p", 150, floor);
	time_path("F2.ns.down.plain", "core to line, QinQ, UDP, no NAT", bed.core->progs.xdp_core, down,
		"core0", "core0p", 150, floor);
	put_line(&translated);
	grant(0, 1);
	time_path("F2.ns.up.nat.udp", "line to core, QinQ, UDP, mapped", bed.access->progs.xdp_access, up,
		"access0", "access0p", 300, floor);
	time_path("F2.ns.down.nat.udp", "core to line, QinQ, UDP, mapped", bed.core->progs.xdp_core,
		answer_to(&up, down), "core0", "core0p", 300, floor);
	time_path("F2.ns.up.nat.tcp", "line to core, QinQ, TCP, connected", bed.access->progs.xdp_access,
		tcp_up, "access0", "access0p", 300, floor);
	time_path("F2.ns.down.nat.tcp", "core to line, QinQ, TCP, connected", bed.core->progs.xdp_core,
		answer_to(&tcp_up, tcp_down), "core0", "core0p", 300, floor);
	full.flags |= BNG_SESSION_NAT;
	put_line(&full);
	grant(0, 1);
	time_path("F2.ns.up.nat.policed", "line to core, QinQ, UDP, mapped, policed",
		bed.access->progs.xdp_access, up, "access0", "access0p", 300, floor);
	time_path("F2.ns.down.nat.policed", "core to line, QinQ, UDP, mapped, policed",
		bed.core->progs.xdp_core, answer_to(&up, down), "core0", "core0p", 300, floor);
	full.flags |= BNG_SESSION_CLAMP_MSS;
	put_pppoe_line(&full);
	grant(0, 1);
	time_path("F2.ns.up.whole", "line to core, QinQ, PPPoE, TCP, clamped, policed, NAT",
		bed.access->progs.xdp_access, whole, "access0", "access0p", 300, floor);
	time_path("F2.ns.down.whole", "core to line, QinQ, PPPoE, TCP, clamped, policed, NAT",
		bed.core->progs.xdp_core, answer_to(&whole, tcp_down), "core0", "core0p", 300, floor);
}

static double memory_of(struct bpf_map *map)
{
	char path[64], line[128];
	unsigned long bytes = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", bpf_map__fd(map));
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "memlock: %lu", &bytes) == 1)
			break;
	if (f)
		fclose(f);
	return (double)bytes;
}

/* What the agent's sweep reads, without its decisions; how many there were. */
static uint32_t walk(struct bng_nat_reap *ret, uint32_t wanted)
{
	static struct bng_nat_key keys[1024];
	static struct bng_nat_mapping values[1024];
	uint32_t cursor = 0, next = 0, total = 0, count;
	int error, begun = 0;

	do {
		count = 1024;
		error = bpf_map_lookup_batch(bpf_map__fd(bed.access->maps.nat_out), begun ? &cursor : NULL,
			&next, keys, values, &count, NULL);
		for (uint32_t i = 0; i < count && total + i < wanted; i++)
			ret[total + i] = (struct bng_nat_reap){.seen_ns = values[i].seen_ns,
				.kind = BNG_NAT_REAP_MAPPING,
				.mapping = keys[i]};
		total += count;
		cursor = next;
		begun = 1;
	} while (!error);
	return total;
}

static void a_million_mappings(double floor)
{
	struct traffic t = data_traffic(false, true, false, 0);
	static struct bng_nat_reap records[MAPPINGS], done[BNG_NAT_REAP_MAX];
	static struct bed_result out;
	const struct grants translated = {.flags = BNG_SESSION_NAT};
	struct bpf_prog_info before = {0}, after = {0};
	uint32_t size = sizeof(before), made = 0, found, taken = 0;
	double empty, begin, ns;

	put_line(&translated);
	for (uint32_t n = 0; n < HOLDERS; n++) {
		put_nat_line(n);
		grant(n, 1 + n);
	}
	empty = memory_of(bed.access->maps.nat_out) + memory_of(bed.access->maps.nat_in);
	bpf_obj_get_info_by_fd(bpf_program__fd(bed.access->progs.xdp_access), &before, &size);
	for (uint32_t n = 0; n < HOLDERS && made < MAPPINGS; n++) {
		aim_at_line(&t, n);
		for (uint32_t port = 0; port < BLOCK * BLOCKS * 94 / 100 && made < MAPPINGS; port++) {
			t.packet.bytes[t.packet.ip_at + 20] = (uint8_t)((1000 + port) >> 8);
			t.packet.bytes[t.packet.ip_at + 21] = (uint8_t)(1000 + port);
			bed_run(&bed, BED_ACCESS, t.packet.bytes, t.packet.length, &out);
			made += out.verdict == XDP_REDIRECT;
		}
	}
	bpf_obj_get_info_by_fd(bpf_program__fd(bed.access->progs.xdp_access), &after, &size);
	ns = (double)(after.run_time_ns - before.run_time_ns) / (double)(after.run_cnt - before.run_cnt);
	report("F2.ns.up.nat.first", "the packet that makes a mapping, up to a million of them", ns,
		"ns/packet", 0, floor, ns / 3000, 3000, ns <= 3000);
	report("F3.nat.memory", "kilobytes of nat_out and nat_in with a million mappings; peer: empty",
		(memory_of(bed.access->maps.nat_out) + memory_of(bed.access->maps.nat_in)) / 1024, "KiB", 0,
		empty / 1024, 1, 1, true);
	begin = seconds();
	found = walk(records, MAPPINGS);
	report("F3.nat.walk",
		"ms of a CPU to read all mappings, which the sweep does every 2 s; peer: mappings",
		(seconds() - begin) * 1e3, "ms", 0, found, 1, 1, found >= made);
	begin = seconds();
	for (uint32_t i = 0; i < MAPPINGS / 10; i += BNG_NAT_REAP_MAX) {
		LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = records + i, .data_size_in = sizeof(done),
			.data_out = done, .data_size_out = sizeof(done), .repeat = 1);

		if (bpf_prog_test_run_opts(bpf_program__fd(bed.reap->progs.xdp_nat_reap), &options))
			die("xdp_nat_reap");
		for (int r = 0; r < BNG_NAT_REAP_MAX; r++)
			taken += done[r].done;
	}
	report("F3.nat.reap", "mappings taken away per second; peer: of how many",
		taken / (seconds() - begin), "/s", 0, taken, 1, 1, taken >= MAPPINGS / 10);
}

void time_nat(double floor)
{
	time_hits(floor);
	a_million_mappings(floor);
}

static int masquerade(bool on)
{
	return system(on ? "nft 'add table ip bench; add chain ip bench post { type nat hook postrouting "
			   "priority 100 ; }; "
			   "add rule ip bench post oifname \"core0\" masquerade' && ip addr replace "
			   "100.64.0.1/16 dev access0"
			 : "nft delete table ip bench; ip addr del 100.64.0.1/16 dev access0");
}

/* In interleaved runs: frames of one connection into the access port, counted behind the core port. */
int compare_nat(void)
{
	const struct grants translated = {.flags = BNG_SESSION_NAT};
	struct traffic t = data_traffic(false, false, false, SMALL);
	double ours[ROUNDS], theirs[ROUNDS], none[ROUNDS], ratios[ROUNDS];
	int without = 0;

	for (int i = 0; i < ROUNDS; i++) {
		put_untagged_line(&translated);
		grant(0, 1);
		attach("access0", bed.access->progs.xdp_access);
		ours[i] = run_once(&t, "access0p");
		put_untagged_line(&(struct grants){0});
		none[i] = run_once(&t, "access0p");
		attach("access0", generator->progs.up_the_stack);
		without = masquerade(true);
		theirs[i] = without ? 0 : run_once(&t, "access0p");
		(void)masquerade(false);
		ratios[i] = theirs[i] ? ours[i] / theirs[i] : 0;
	}
	attach("access0", NULL);
	if (without)
		fprintf(stderr, "bench: nftables is not to be had here\n");
	double ratio = median(ratios, ROUNDS), rate = median(ours, ROUNDS);

	report("F3.nat.pps", "UDP of one line through NAT and a veth, against nftables masquerade", rate,
		"packets/s", 4, median(theirs, ROUNDS), ratio, 4, ratio >= 4);
	report("F3.nat.pps.plain", "the same through NAT, against ours without it", rate, "packets/s", 0,
		median(none, ROUNDS), rate / median(none, ROUNDS), 0.7, rate / median(none, ROUNDS) >= 0.7);
	return without ? 0 : ratio < 4;
}
