// SPDX-License-Identifier: Apache-2.0
// The fast path's bench: replies per second of xdp_access and of a bare echo on the same veth with the same
// live-frames generator, in interleaved runs, and nanoseconds per packet of every path from the kernel's own
// statistics. Prints a table; --json writes it.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

enum { ROUNDS = 9, RETRIES = 6 };

struct bed bed;
struct generator *generator;
static FILE *json;
static int missed;
static const uint8_t client_mac[6] = {0x02, 0x00, 0x5e, 0x40, 0x00, 0x00};

void die(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void attach(const char *interface, struct bpf_program *program)
{
	int index = (int)if_nametoindex(interface);

	bpf_xdp_detach(index, 0, NULL);
	if (program && bpf_xdp_attach(index, bpf_program__fd(program), XDP_FLAGS_DRV_MODE, NULL))
		die(interface);
}

static void one_line(uint32_t n, bool tagged, const struct grants *grants)
{
	struct bng_line_key line = {.port = BED_ACCESS};
	struct bng_session session = {.session_id = 1000 + n,
		.generation = 1,
		.slot = n,
		.template_index = BED_TEMPLATE,
		.flags = (uint16_t)(BNG_SESSION_FAST_DHCP | grants->flags),
		.filter_index = grants->filter_index,
		.rate_up = grants->rate,
		.rate_down = grants->rate};
	uint8_t address[4] = {100, 64, (uint8_t)(n >> 8), (uint8_t)n};

	memcpy(line.mac, client_mac, 6);
	line.mac[4] = (uint8_t)(n >> 8);
	line.mac[5] = (uint8_t)n;
	if (tagged) {
		line.s_vlan = (uint16_t)(1 + (n >> 11));
		line.c_vlan = (uint16_t)(1 + (n & 2047));
		session.s_tpid = __builtin_bswap16(0x88a8);
		session.c_tpid = __builtin_bswap16(0x8100);
	}
	memcpy(&session.ipv4, address, 4);
	memcpy(session.frame_mac, line.mac, 6);
	bed_put_session(&bed, &line, &session, bed_now_ns() + 86400ULL * 1000000000ULL);
}

static void put_lines(bool many, bool tagged)
{
	static const struct grants none;

	bed_reset(&bed);
	for (uint32_t n = 0; n < (many ? LINES : 1); n++)
		one_line(n, tagged, &none);
}

void put_line(const struct grants *grants)
{
	bed_reset(&bed);
	one_line(0, true, grants);
}

void put_untagged_line(const struct grants *grants)
{
	bed_reset(&bed);
	one_line(0, false, grants);
}

void put_nat_line(uint32_t n)
{
	const struct grants translated = {.flags = BNG_SESSION_NAT};

	one_line(n, true, &translated);
}

void aim_at_line(struct traffic *t, uint32_t n)
{
	uint8_t *frame = t->packet.bytes, *ip = frame + t->packet.ip_at;
	uint32_t sum = 0;

	frame[11] = ip[15] = (uint8_t)n;
	frame[18] = 0;
	frame[19] = (uint8_t)(1 + n);
	ip[10] = ip[11] = 0;
	for (int i = 0; i < 20; i += 2)
		sum += (uint32_t)(ip[i] << 8 | ip[i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	ip[10] = (uint8_t)(~sum >> 8);
	ip[11] = (uint8_t)~sum;
}

static void set_layers(struct packet_layers *layers, bool tagged)
{
	memset(layers, 0, sizeof(*layers));
	layers->from = client_mac;
	layers->to = bed_port_mac;
	layers->source = "0.0.0.0";
	layers->destination = "255.255.255.255";
	if (tagged) {
		layers->outer_type = 0x88a8;
		layers->tags[0] = 1;
		layers->tags[1] = 1;
	}
}

/* As dhclient sends it: type, host name, parameter list. */
static const uint8_t discover_options[] = {53, 1, 1, 12, 7, 'c', 'p', 'e', '-', '1', '2', '3', 55, 13, 1, 28,
	2, 3, 15, 6, 119, 12, 44, 47, 26, 121, 42};
static const uint8_t renew_options[] = {53, 1, 3, 12, 7, 'c', 'p', 'e', '-', '1', '2', '3', 55, 13, 1, 28, 2,
	3, 15, 6, 119, 12, 44, 47, 26, 121, 42};

static struct traffic dhcp_traffic(bool renew, bool many)
{
	static struct traffic t;
	struct packet_layers layers;

	memset(&t, 0, sizeof(t));
	t.many = many;
	t.tagged = many;
	set_layers(&layers, t.tagged);
	if (renew) {
		layers.source = "100.64.0.0";
		layers.destination = "192.0.2.1";
		packet_dhcp(
			&t.packet, &layers, client_mac, "100.64.0.0", renew_options, sizeof(renew_options));
		t.address_at = t.packet.ip_at + 28 + 12; /* ciaddr; the source address is not looked at */
	} else {
		packet_dhcp(&t.packet, &layers, client_mac, NULL, discover_options, sizeof(discover_options));
	}
	t.chaddr_at = t.packet.ip_at + 28 + 28;
	return t;
}

struct traffic data_traffic(bool downstream, bool tagged, bool many, uint32_t payload_length)
{
	static struct traffic t;
	static const uint8_t payload[2048];
	struct packet_layers layers;

	memset(&t, 0, sizeof(t));
	t.many = many;
	t.tagged = tagged && !downstream;
	t.downstream = downstream;
	set_layers(&layers, t.tagged);
	layers.source = downstream ? "203.0.113.9" : "100.64.0.0";
	layers.destination = downstream ? "100.64.0.0" : "203.0.113.9";
	if (downstream) {
		layers.from = bed_gateway_mac;
		layers.to = bed_core_mac;
	}
	packet_udp(&t.packet, &layers, 5000, 6000, payload, payload_length);
	return t;
}

void aim(const struct traffic *t)
{
	memset(generator->bss->template_bytes, 0, sizeof(generator->bss->template_bytes));
	memcpy(generator->bss->template_bytes, t->packet.bytes,
		t->packet.length < sizeof(generator->bss->template_bytes)
			? t->packet.length
			: sizeof(generator->bss->template_bytes));
	generator->bss->tail_at = t->packet.length - 8;
	generator->bss->line_mask = t->many ? LINES - 1 : 0;
	generator->bss->chaddr_at = t->chaddr_at;
	generator->bss->address_at = t->address_at;
	generator->data->mac_at = t->downstream ? 0 : 6;
	generator->bss->tagged = t->many && t->tagged;
	generator->bss->sequence = 0;
}

/* Sends LIVE_FRAMES from the far end of `interface`'s veth; packets per second that came out at the counter.
 */
static double send_frames(const struct traffic *t, const char *far_end, uint64_t *ret_received)
{
	struct xdp_md context = {.data_end = t->packet.length, .ingress_ifindex = if_nametoindex(far_end)};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = t->packet.bytes, .data_size_in = t->packet.length,
		.ctx_in = &context, .ctx_size_in = sizeof(context), .repeat = LIVE_FRAMES,
		.flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = BATCH);
	uint64_t before;
	double start, elapsed;

	aim(t);
	before = generator->bss->received;
	start = seconds();
	if (bpf_prog_test_run_opts(bpf_program__fd(generator->progs.generate), &options))
		die("live frames");
	elapsed = seconds() - start;
	*ret_received = generator->bss->received - before;
	return (double)*ret_received / elapsed;
}

/*
 * A run in which the frames overran the veth's ring measured the scheduler: on a busy machine ksoftirqd and
 * the generator share the CPU by turns. It is repeated.
 */
double run_once(const struct traffic *t, const char *far_end)
{
	double rate = 0;
	uint64_t received;

	for (int i = 0; i < RETRIES; i++) {
		rate = send_frames(t, far_end, &received);
		if (received >= LIVE_FRAMES / 100 * 95)
			return rate;
		usleep(20000);
	}
	fprintf(stderr, "bench: frames overrun the ring: the machine is too busy\n");
	return rate;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

double median(double *values, int count)
{
	qsort(values, (size_t)count, sizeof(*values), by_value);
	return values[count / 2];
}

void report(const char *id, const char *what, double value, const char *unit, double limit, double peer,
	double ratio, double goal, bool met)
{
	static bool first = true;

	printf("%-26s %12.0f %-10s peer %12.0f  ratio %.2f  goal %.2f  %s  %s\n", id, value, unit, peer,
		ratio, goal, met ? "met" : "NOT MET", what);
	if (json)
		fprintf(json,
			"%s\n  {\"id\": \"%s\", \"what\": \"%s\", \"value\": %.1f, \"unit\": \"%s\", "
			"\"limit\": %.2f, \"peer\": %.1f, "
			"\"ratio\": %.3f, \"goal\": %.2f, \"met\": %s}",
			first ? "[" : ",", id, what, value, unit, limit, peer, ratio, goal,
			met ? "true" : "false");
	first = false;
}

/* In interleaved runs. */
void compare(const char *id, const char *what, struct traffic t, double limit, double goal)
{
	double ours[ROUNDS], echoes[ROUNDS], ratios[ROUNDS];
	uint64_t answered = bed_all_counters(&bed);

	for (int i = 0; i < ROUNDS; i++) {
		attach("access0", generator->progs.echo);
		echoes[i] = run_once(&t, "access0p");
		attach("access0", bed.access->progs.xdp_access);
		ours[i] = run_once(&t, "access0p");
		ratios[i] = ours[i] / echoes[i];
	}
	attach("access0", NULL);
	answered = bed_counter(&bed, BED_ACCESS, BNG_TX_dhcp_offer) +
		   bed_counter(&bed, BED_ACCESS, BNG_TX_dhcp_ack) +
		   bed_counter(&bed, BED_ACCESS, BNG_TX_pppoe_pado) +
		   bed_counter(&bed, BED_ACCESS, BNG_TX_nd_neighbor_advertisement) +
		   bed_counter(&bed, BED_ACCESS, BNG_TX_nd_router_advertisement) +
		   bed_counter(&bed, BED_ACCESS, BNG_TX_dhcpv6_reply) - answered;
	if (answered < (uint64_t)ROUNDS * LIVE_FRAMES / 2) {
		fprintf(stderr, "bench: %s: only %llu of %d requests were answered\n", id,
			(unsigned long long)answered, ROUNDS * LIVE_FRAMES);
		missed = 1;
	}
	double value = median(ours, ROUNDS), peer = median(echoes, ROUNDS);
	double ratio = median(ratios, ROUNDS); /* of neighbours in time: what else runs here hits both */

	if (ratio < limit || value < 50000)
		missed = 1;
	report(id, what, value, "replies/s", limit, peer, ratio, goal, ratio >= goal);
}

static void program_time(struct bpf_program *program, uint64_t *ret_ns, uint64_t *ret_runs)
{
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size))
		die("program info");
	*ret_ns = info.run_time_ns;
	*ret_runs = info.run_cnt;
}

/* The kernel's own time per run, of which `floor` is the cost of measuring. */
static double ns_per_run(
	struct bpf_program *program, const struct traffic *t, const char *near, const char *far)
{
	double values[ROUNDS];

	attach(near, program);
	for (int i = 0; i < ROUNDS; i++) {
		uint64_t ns, runs, ns_after, runs_after;

		program_time(program, &ns, &runs);
		(void)run_once(t, far);
		program_time(program, &ns_after, &runs_after);
		values[i] = (double)(ns_after - ns) / (double)(runs_after - runs);
	}
	attach(near, NULL);
	return median(values, ROUNDS);
}

void time_path(const char *id, const char *what, struct bpf_program *program, struct traffic t,
	const char *near, const char *far, double goal, double floor)
{
	double ns = ns_per_run(program, &t, near, far);

	report(id, what, ns, "ns/packet", 0, floor, ns / goal, goal, ns <= goal);
}

/* What a grant adds to the QinQ rows. */
static void time_grants(double floor)
{
	struct bng_filter filter = {.rule_count = BNG_MAX_FILTER_RULES, .permits_rest = 1};
	const struct grants fast = policed(100000000000, 64 << 20), slow = policed(64000, 1600),
			    filtered = {.filter_index = 1};

	put_line(&fast);
	time_path("F2.ns.up.policed", "line to core, QinQ, policed, within the rate",
		bed.access->progs.xdp_access, data_traffic(false, true, false, SMALL), "access0", "access0p",
		150, floor);
	time_path("F2.ns.down.policed", "core to line, QinQ, policed, within the rate",
		bed.core->progs.xdp_core, data_traffic(true, true, false, SMALL), "core0", "core0p", 150,
		floor);
	put_line(&slow);
	time_path("F2.ns.up.dropped", "line to core, QinQ, above the rate", bed.access->progs.xdp_access,
		data_traffic(false, true, false, SMALL), "access0", "access0p", 150, floor);
	put_line(&filtered);
	for (int i = 0; i < BNG_MAX_FILTER_RULES; i++)
		filter.rules[i] = (struct bng_filter_rule){.port_first = 25,
			.port_last = 25,
			.protocol = 17,
			.ways = BNG_WAY_BOTH,
			.families = BNG_FAMILY_BOTH};
	bed_put(bed.access->maps.filters, &filtered.filter_index, &filter);
	time_path("F2.ns.up.filtered", "line to core, QinQ, past 32 rules", bed.access->progs.xdp_access,
		data_traffic(false, true, false, SMALL), "access0", "access0p", 150, floor);
}

static void time_paths(void)
{
	int stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
	struct traffic hot;

	if (stats < 0)
		die("bpf_stats");
	put_lines(false, false);
	hot = dhcp_traffic(false, false);
	double floor = ns_per_run(generator->progs.echo, &hot, "access0", "access0p");

	time_path("F1.ns.discover.hot", "xdp_access, DISCOVER, one line; peer: bare echo",
		bed.access->progs.xdp_access, hot, "access0", "access0p", 150, floor);
	time_path("F1.ns.renew.hot", "xdp_access, renewing REQUEST, one line", bed.access->progs.xdp_access,
		dhcp_traffic(true, false), "access0", "access0p", 150, floor);
	time_path("F2.ns.up.untagged", "line to core, untagged, one line", bed.access->progs.xdp_access,
		data_traffic(false, false, false, SMALL), "access0", "access0p", 150, floor);
	time_path("F2.ns.down.untagged", "core to line, untagged, one line", bed.core->progs.xdp_core,
		data_traffic(true, false, false, SMALL), "core0", "core0p", 150, floor);
	put_lines(false, true);
	time_path("F2.ns.up.qinq", "line to core, QinQ, one line", bed.access->progs.xdp_access,
		data_traffic(false, true, false, SMALL), "access0", "access0p", 150, floor);
	time_path("F2.ns.down.qinq", "core to line, QinQ, one line", bed.core->progs.xdp_core,
		data_traffic(true, true, false, SMALL), "core0", "core0p", 150, floor);
	put_lines(true, true);
	time_path("F1.ns.discover.64k", "xdp_access, DISCOVER, 64k QinQ lines", bed.access->progs.xdp_access,
		dhcp_traffic(false, true), "access0", "access0p", 300, floor);
	time_grants(floor);
	time_pppoe(floor);
	time_ipv6(floor);
	close(stats);
}

/* The IPv4 rows others are held against, then `more`; the floor is a bare echo. */
static void beside_ipv4(void (*more)(double floor))
{
	int stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
	struct traffic padi = padi_traffic();
	double floor;

	if (stats < 0)
		die("bpf_stats");
	floor = ns_per_run(generator->progs.echo, &padi, "access0", "access0p");
	put_lines(false, true);
	time_path("F2.ns.up.qinq", "line to core, QinQ, one line", bed.access->progs.xdp_access,
		data_traffic(false, true, false, SMALL), "access0", "access0p", 150, floor);
	time_path("F2.ns.down.qinq", "core to line, QinQ, one line", bed.core->progs.xdp_core,
		data_traffic(true, true, false, SMALL), "core0", "core0p", 150, floor);
	more(floor);
	close(stats);
}

static void only_ipv6(void)
{
	beside_ipv4(time_ipv6);
	compare_ipv6();
}

static int only_nat(void)
{
	int slower = compare_nat();

	beside_ipv4(time_nat); /* ends with a million mappings */
	return slower;
}

static void only_pppoe(void)
{
	beside_ipv4(time_pppoe);
	compare("F5.padi", "PADI to PADO, one line, against a bare XDP echo", padi_traffic(), 0.3, 0.6);
}

static void compare_rates(void)
{
	put_lines(false, false);
	compare("F1.discover.hot", "DISCOVER to OFFER, one line, against a bare XDP echo",
		dhcp_traffic(false, false), 0.5, 0.8);
	put_lines(false, false);
	compare("F1.renew.hot", "renewing REQUEST to ACK, one line", dhcp_traffic(true, false), 0.5, 0.8);
	put_lines(true, true);
	compare("F1.discover.64k", "DISCOVER to OFFER over 65,536 QinQ lines", dhcp_traffic(false, true), 0.3,
		0.6);
	put_lines(true, true);
	compare("F1.renew.64k", "renewing REQUEST to ACK over 65,536 QinQ lines", dhcp_traffic(true, true),
		0.3, 0.6);
	compare("F5.padi", "PADI to PADO, one line, against a bare XDP echo", padi_traffic(), 0.3, 0.6);
	compare_ipv6();
}

int main(int argc, char **argv)
{
	const char *only = NULL;

	if (geteuid() != 0)
		return 77;
	for (int i = 1; i + 1 < argc; i += 2) {
		if (!strcmp(argv[i], "--json"))
			json = fopen(argv[i + 1], "w");
		else if (!strcmp(argv[i], "--only")) /* rates, times, pppoe, ipv6, nat, police */
			only = argv[i + 1];
	}
	/* ksoftirqd, once it is needed, must run before the generator fills the ring again. */
	if (nice(19) == -1 && errno)
		die("nice");
	if (bed_network(&bed) || bed_load(&bed, LINES + 64))
		die("bed");
	generator = generator__open_and_load();
	if (!generator)
		die("generator");
	attach("access0p", generator->progs.count);
	attach("core0p", generator->progs.count);
	if (!only || !strcmp(only, "rates"))
		compare_rates();
	if (!only || !strcmp(only, "times"))
		time_paths();
	if (only && !strcmp(only, "pppoe"))
		only_pppoe();
	if (only && !strcmp(only, "ipv6"))
		only_ipv6();
	if (only && !strcmp(only, "nat"))
		missed |= only_nat();
	if (!only || !strcmp(only, "police"))
		missed |= police_exactly();
	if (json) {
		fprintf(json, "\n]\n");
		fclose(json);
	}
	generator__destroy(generator);
	bed_done(&bed);
	return missed;
}
