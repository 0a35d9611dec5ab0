// SPDX-License-Identifier: Apache-2.0
// The test bed; see bed.h.
#include "bed.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>

const uint8_t bed_port_mac[6] = {0x02, 0x00, 0x5e, 0x00, 0x53, 0x01};
const uint8_t bed_core_mac[6] = {0x02, 0x00, 0x5e, 0x00, 0x53, 0x02};
const uint8_t bed_gateway_mac[6] = {0x02, 0x00, 0x5e, 0x11, 0x22, 0x33};

static struct ring_buffer *ring; // of the punts; made once, for that costs more than a packet

static void must(int error, const char *what)
{
	if (error) {
		fprintf(stderr, "bed: %s: %s\n", what, strerror(error < 0 ? -error : errno));
		exit(1);
	}
}

int bed_network(struct bed *bed)
{
	static const char script[] =
		"set -e; ip link set lo up;"
		"for p in access0 core0 access1; do"
		"  ip link add $p numrxqueues 2 numtxqueues 2 type veth peer name ${p}p numrxqueues 2 "
		"numtxqueues 2; ip link set $p up; ip link set ${p}p up; done;"
		"ip link set access0 address 02:00:5e:00:53:01; ip link set access1 address "
		"02:00:5e:00:53:01;"
		"ip link set core0 address 02:00:5e:00:53:02;"
		"ip addr add 192.0.2.129/25 dev core0;"
		"ip neigh add 192.0.2.254 lladdr 02:00:5e:11:22:33 nud permanent dev core0;"
		"ip route add 203.0.113.0/24 via 192.0.2.254; ip route add 198.51.100.0/24 via 192.0.2.200;"
		"ip route add blackhole 203.0.114.0/24; ip route add unreachable 203.0.115.0/24;"
		"ip route add 203.0.116.0/24 via 192.0.2.254 mtu lock 1000;"
		"for f in all default lo access0 core0; do echo 1 >/proc/sys/net/ipv4/conf/$f/forwarding; "
		"done;"
		"for f in all default lo access0 core0; do echo 1 >/proc/sys/net/ipv6/conf/$f/forwarding; "
		"done;"
		"ip addr add 2001:db8:ffff::129/64 dev core0 nodad;"
		"for n in 2001:db8:ffff::254 fe80::254; do"
		"  ip neigh add $n lladdr 02:00:5e:11:22:33 nud permanent dev core0; done;"
		"ip route add 2001:db8:113::/48 via 2001:db8:ffff::254;"
		"ip route add 2001:db8:114::/48 via 2001:db8:ffff::200;"
		"ip route add blackhole 2001:db8:115::/48;"
		"ip route add unreachable 2001:db8:116::/48;"
		"ip route add 2001:db8:117::/48 via 2001:db8:ffff::254 mtu lock 1300;"
		"ip route add 100::254/128 via fe80::254 dev core0;"
		"ip route add 100::253/128 via fe80::254 dev core0";

	if (unshare(CLONE_NEWNET | CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		mount("sysfs", "/sys", "sysfs", 0, NULL))
		return -errno;
	if (system(script))
		return -EIO;
	bed->has_network = true;
	return 0;
}

/* As the agent: the verifier must accept the programs without CAP_PERFMON and CAP_SYS_ADMIN. */
static cap_t drop_capabilities(void)
{
	cap_value_t kept[] = {CAP_BPF, CAP_NET_ADMIN, CAP_NET_RAW};
	cap_t before = cap_get_proc(), fewer = cap_init();

	if (!before || !fewer || cap_set_flag(fewer, CAP_EFFECTIVE, 3, kept, CAP_SET))
		must(-ENOMEM, "capabilities");
	for (int c = 0; c < CAP_LAST_CAP + 1; c++) {
		cap_flag_value_t value;
		cap_value_t cap = c;

		if (!cap_get_flag(before, cap, CAP_PERMITTED, &value) && value == CAP_SET)
			cap_set_flag(fewer, CAP_PERMITTED, 1, &cap, CAP_SET);
	}
	must(cap_set_proc(fewer), "dropping capabilities");
	cap_free(fewer);
	return before;
}

static int share_maps(struct bpf_object *from, struct bpf_object *to)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, to)
	{
		struct bpf_map *other = bpf_object__find_map_by_name(from, bpf_map__name(map));

		if (!other || strchr(bpf_map__name(map), '.'))
			continue;
		int error = bpf_map__reuse_fd(map, bpf_map__fd(other));

		if (error)
			return error;
	}
	return 0;
}

static int load_programs(struct bed *bed, uint32_t sessions)
{
	int error;

	bed->access = xdp_access__open();
	if (!bed->access)
		return -errno;
	bed->access->rodata->bng_port_index = BED_ACCESS;
	bpf_map__set_max_entries(bed->access->maps.sessions, sessions);
	bpf_map__set_max_entries(bed->access->maps.session_addresses, sessions);
	bpf_map__set_max_entries(bed->access->maps.session_state, sessions);
	bpf_map__set_max_entries(bed->access->maps.session_counters, sessions);
	bpf_map__set_max_entries(bed->access->maps.ppp_state, sessions);
	bpf_map__set_max_entries(bed->access->maps.session6_state, sessions);
	bpf_map__set_max_entries(bed->access->maps.session6_counters, sessions);
	bpf_map__set_max_entries(bed->access->maps.nat_state, sessions);
	bpf_map__set_max_entries(bed->access->maps.policers, sessions * BNG_DIRECTIONS);
	if (bed->nat_entries) {
		bpf_map__set_max_entries(bed->access->maps.nat_out, bed->nat_entries);
		bpf_map__set_max_entries(bed->access->maps.nat_in, bed->nat_entries);
		bpf_map__set_max_entries(bed->access->maps.nat_flows, bed->nat_entries);
	}
	error = xdp_access__load(bed->access);
	if (error)
		return error;
	bed->core = xdp_core__open();
	if (!bed->core)
		return -errno;
	bed->core->rodata->bng_port_index = BED_CORE;
	error = share_maps(bed->access->obj, bed->core->obj);
	if (error)
		return error;
	error = xdp_core__load(bed->core);
	if (error)
		return error;
	bed->reap = xdp_nat_reap__open();
	if (!bed->reap)
		return -errno;
	error = share_maps(bed->access->obj, bed->reap->obj);
	return error ? error : xdp_nat_reap__load(bed->reap);
}

int bed_load(struct bed *bed, uint32_t sessions)
{
	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	cap_t before = getenv("BNG_TEST_ALL_CAPABILITIES") ? NULL : drop_capabilities();
	int error = load_programs(bed, sessions);

	if (before) {
		must(cap_set_proc(before), "regaining capabilities");
		cap_free(before);
	}
	return error;
}

void bed_done(struct bed *bed)
{
	ring_buffer__free(ring);
	ring = NULL;
	xdp_nat_reap__destroy(bed->reap);
	xdp_core__destroy(bed->core);
	bed->reap = NULL;
	xdp_access__destroy(bed->access);
	bed->core = NULL;
	bed->access = NULL;
}

uint32_t bed_ip(const char *text)
{
	struct in_addr address;

	must(inet_pton(AF_INET, text, &address) == 1 ? 0 : -EINVAL, text);
	return address.s_addr;
}

void bed_put(struct bpf_map *map, const void *key, const void *value)
{
	must(bpf_map_update_elem(bpf_map__fd(map), key, value, BPF_ANY), bpf_map__name(map));
}

static void empty_hash(struct bpf_map *map)
{
	uint8_t key[64];
	int fd = bpf_map__fd(map);

	while (!bpf_map_get_next_key(fd, NULL, key))
		if (bpf_map_delete_elem(fd, key))
			break;
}

static void zero_entry(struct bpf_map *map, uint32_t key)
{
	static const uint8_t zeros[8192];

	bed_put(map, &key, zeros);
}

void bed_add_option(struct bng_dhcp_template *template, uint8_t code, const void *data, uint8_t length)
{
	struct bng_template_option *option = &template->options[template->option_count];

	option->code = code;
	option->length = length;
	option->offset = template->option_bytes;
	template->bytes[template->option_bytes++] = code;
	template->bytes[template->option_bytes++] = length;
	memcpy(template->bytes + template->option_bytes, data, length);
	template->option_bytes = (uint16_t)(template->option_bytes + length);
	template->slot_of_code[code] = (uint8_t)++ template->option_count;
}

void bed_template(struct bng_dhcp_template *ret)
{
	uint32_t netmask = bed_ip("255.255.0.0"), gateway = bed_ip("100.64.0.1");
	uint32_t dns[2] = {bed_ip("192.0.2.53"), bed_ip("192.0.2.54")}, ntp = bed_ip("192.0.2.123");

	memset(ret, 0, sizeof(*ret));
	ret->server_id = bed_ip("192.0.2.1");
	ret->gateway = gateway;
	ret->netmask = netmask;
	ret->lease_s = 3600;
	ret->renewal_s = 1800;
	ret->rebinding_s = 3150;
	bed_add_option(ret, 1, &netmask, 4);
	bed_add_option(ret, 3, &gateway, 4);
	bed_add_option(ret, 6, dns, 8);
	bed_add_option(ret, 15, "example.net", 11);
	bed_add_option(ret, 42, &ntp, 4);
	bed_add_option(ret, 224, "\x01\x02\xff", 3);
	static uint64_t version;
	ret->version = ++version;
}

static void put_port(
	struct bed *bed, uint32_t index, const char *name, uint8_t role, const uint8_t *mac, const char *ipv4)
{
	struct bng_port port = {
		.ifindex = if_nametoindex(name), .mtu = 1500, .role = role, .flags = BNG_PORT_CONFIGURED};

	memcpy(port.mac, mac, 6);
	if (ipv4)
		port.ipv4 = bed_ip(ipv4);
	bed_put(bed->access->maps.ports, &index, &port);
	if (port.ifindex)
		bed_put(bed->access->maps.tx_ports, &index, &port.ifindex);
}

static void put_route(struct bed *bed, const char *prefix, uint32_t bits, uint32_t kind, uint32_t hop)
{
	struct bng_route_key key = {.prefix_bits = 32 + bits, .ipv4 = bed_ip(prefix)};
	struct bng_route route = {.kind = kind, .next_hop = hop};

	bed_put(bed->access->maps.routes4, &key, &route);
}

static void put_own(struct bed *bed, const char *ipv4, uint32_t flags)
{
	struct bng_address_key key = {.ipv4 = bed_ip(ipv4)};
	struct bng_own_address own = {.flags = flags};

	bed_put(bed->access->maps.own_addresses, &key, &own);
	put_route(bed, ipv4, 32, BNG_ROUTE_OWN, 0);
}

static void put_scene(struct bed *bed)
{
	struct bng_dhcp_template template;
	struct bng_next_hop gateway = {
		.kind = BNG_NEXT_HOP_GATEWAY, .port = BED_CORE, .ipv4 = bed_ip("192.0.2.254")};
	struct bng_next_hop kernel = {.kind = BNG_NEXT_HOP_KERNEL, .port = BED_CORE};
	struct bng_guard_rate rate = {
		.line_pps = 1000000, .line_burst = 100000, .port_pps = 1000000, .port_burst = 100000};
	uint32_t index;

	put_port(bed, BED_ACCESS, "access0", BNG_ROLE_ACCESS, bed_port_mac, NULL);
	put_port(bed, BED_CORE, "core0", BNG_ROLE_CORE, bed_core_mac, "192.0.2.129");
	put_port(bed, BED_ACCESS2, "access1", BNG_ROLE_ACCESS, bed_port_mac, NULL);
	put_own(bed, "100.64.0.1", BNG_OWN_GATEWAY);
	put_own(bed, "192.0.2.1", BNG_OWN_SERVER);
	bed_template(&template);
	index = BED_TEMPLATE;
	bed_put(bed->access->maps.dhcp_templates, &index, &template);
	index = BED_HOP;
	bed_put(bed->access->maps.next_hops, &index, &gateway);
	index = BED_HOP_KERNEL;
	bed_put(bed->access->maps.next_hops, &index, &kernel);
	put_route(bed, "100.64.0.0", 16, BNG_ROUTE_SUBSCRIBERS, 0);
	put_route(bed, "203.0.113.0", 24, BNG_ROUTE_NEXT_HOP, BED_HOP);
	put_route(bed, "203.0.112.0", 20, BNG_ROUTE_NEXT_HOP, BED_HOP_KERNEL);
	put_route(bed, "203.0.113.128", 25, BNG_ROUTE_NEXT_HOP, BED_HOP_KERNEL);
	put_route(bed, "198.51.100.0", 24, BNG_ROUTE_NEXT_HOP, BED_HOP_KERNEL);
	put_route(bed, "198.18.0.0", 15, BNG_ROUTE_BLACKHOLE, 0);
	for (index = BNG_PUNT_DHCPV4; index < BNG_PUNT_CLASSES; index++)
		bed_put(bed->access->maps.guard_rates, &index, &rate);
}

void bed_reset(struct bed *bed)
{
	struct bpf_map *hashes[] = {bed->access->maps.sessions, bed->access->maps.session_addresses,
		bed->access->maps.own_addresses, bed->access->maps.trusted_relays,
		bed->access->maps.guard_lines, bed->access->maps.routes4, bed->access->maps.filters,
		bed->access->maps.pppoe_services, bed->access->maps.pppoe_requests,
		bed->access->maps.sessions6, bed->access->maps.advertisements,
		bed->access->maps.dhcp6_replies, bed->access->maps.own_addresses6, bed->access->maps.routes6,
		bed->access->maps.nat_sessions, bed->access->maps.nat_out, bed->access->maps.nat_in,
		bed->access->maps.nat_flows, bed->access->maps.nat_fragments};
	uint32_t slots = bpf_map__max_entries(bed->access->maps.session_state);

	for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++)
		empty_hash(hashes[i]);
	for (uint32_t i = 0; i < slots && i < 64; i++) {
		zero_entry(bed->access->maps.session_state, i);
		zero_entry(bed->access->maps.session_counters, i);
		zero_entry(bed->access->maps.ppp_state, i);
		zero_entry(bed->access->maps.session6_state, i);
		zero_entry(bed->access->maps.nat_state, i);
		zero_entry(bed->access->maps.session6_counters, i);
		zero_entry(bed->access->maps.policers, i * BNG_DIRECTIONS + BNG_UP);
		zero_entry(bed->access->maps.policers, i * BNG_DIRECTIONS + BNG_DOWN);
	}
	for (uint32_t i = 0; i < BNG_MAX_PORTS * BNG_PUNT_CLASSES; i++)
		zero_entry(bed->access->maps.guard_ports, i);
	for (uint32_t i = 0; i < 4 * BNG_REASON_STRIDE; i++)
		zero_entry(bed->access->maps.reason_counters, i);
	for (uint32_t i = 0; i < bpf_map__max_entries(bed->access->maps.hop_cache); i++)
		zero_entry(bed->access->maps.hop_cache, i);
	for (uint32_t i = 0; i < bpf_map__max_entries(bed->access->maps.hop6_cache); i++)
		zero_entry(bed->access->maps.hop6_cache, i);
	bed_drain_punts(bed);
	put_scene(bed);
}

static int program_of(struct bed *bed, int port)
{
	return bpf_program__fd(port == BED_CORE ? bed->core->progs.xdp_core : bed->access->progs.xdp_access);
}

void bed_run(struct bed *bed, int port, const uint8_t *frame, uint32_t length, struct bed_result *ret)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = length,
		.data_out = ret->frame, .data_size_out = sizeof(ret->frame), .repeat = 1);

	must(bpf_prog_test_run_opts(program_of(bed, port), &options), "PROG_TEST_RUN");
	ret->verdict = options.retval;
	ret->length = options.data_size_out;
	ret->duration_ns = options.duration;
}

uint64_t bed_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

uint64_t bed_counter(struct bed *bed, int port, int reason)
{
	uint32_t key = (uint32_t)(port * BNG_REASON_STRIDE + reason);
	int cpus = libbpf_num_possible_cpus();
	uint64_t values[256] = {0}, sum = 0;

	must(bpf_map_lookup_elem(bpf_map__fd(bed->access->maps.reason_counters), &key, values),
		"reason_counters");
	for (int i = 0; i < cpus; i++)
		sum += values[i];
	return sum;
}

uint64_t bed_all_counters(struct bed *bed)
{
	uint64_t sum = 0;

	for (int port = 1; port <= 3; port++)
		for (int reason = 1; reason < BNG_REASONS; reason++)
			sum += bed_counter(bed, port, reason);
	return sum;
}

#define NAME_DROP(name) "drop." #name,
#define NAME_PUNT(name) "punt." #name,
#define NAME_TX(name)   "tx." #name,
static const char *const reason_names[] = {
	"none", BNG_DROP_REASONS(NAME_DROP) BNG_PUNT_REASONS(NAME_PUNT) BNG_TX_REASONS(NAME_TX)};

const char *bed_reason_name(int reason)
{
	return reason >= 0 && reason < BNG_REASONS ? reason_names[reason] : "?";
}

int bed_reason_of(const char *kind, const char *name)
{
	char full[96];

	snprintf(full, sizeof(full), "%s.%s", kind, name);
	for (int i = 1; i < BNG_REASONS; i++)
		if (!strcmp(reason_names[i], full))
			return i;
	return -1;
}

void bed_put_session(struct bed *bed, const struct bng_line_key *line, const struct bng_session *session,
	uint64_t expires_ns)
{
	struct bng_session_state state = {.session_id = session->session_id, .expires_ns = expires_ns};
	struct bng_address_key address = {.vrf = session->vrf, .ipv4 = session->ipv4};

	bed_put(bed->access->maps.session_state, &session->slot, &state);
	bed_put(bed->access->maps.sessions, line, session);
	bed_put(bed->access->maps.session_addresses, &address, line);
}

void bed_session_state(struct bed *bed, uint32_t slot, struct bng_session_state *ret)
{
	must(bpf_map_lookup_elem(bpf_map__fd(bed->access->maps.session_state), &slot, ret), "session_state");
}

void bed_session_counters(struct bed *bed, uint32_t slot, struct bng_session_counters *ret)
{
	struct bng_session_counters values[256];
	int cpus = libbpf_num_possible_cpus();

	memset(ret, 0, sizeof(*ret));
	must(bpf_map_lookup_elem(bpf_map__fd(bed->access->maps.session_counters), &slot, values),
		"session_counters");
	for (int i = 0; i < cpus; i++) {
		ret->up_packets += values[i].up_packets;
		ret->up_bytes += values[i].up_bytes;
		ret->down_packets += values[i].down_packets;
		ret->down_bytes += values[i].down_bytes;
		ret->dropped_packets += values[i].dropped_packets;
	}
}

struct taken {
	void *to;
	size_t size;
	uint32_t length, count;
};

static struct taken taken;

static int take_one(void *context, void *data, size_t size)
{
	(void)context;
	if (!taken.count && taken.to) {
		memcpy(taken.to, data, size < taken.size ? size : taken.size);
		taken.length = (uint32_t)size;
	}
	taken.count++;
	return taken.to ? -1 : 0; /* negative: consumes no more than this record */
}

static void consume(struct bed *bed, void *ret, size_t size)
{
	if (!ring)
		ring = ring_buffer__new(bpf_map__fd(bed->access->maps.punts), take_one, NULL, NULL);
	must(ring ? 0 : -errno, "ring");
	taken = (struct taken){.to = ret, .size = size};
	(void)ring_buffer__consume(ring);
}

uint32_t bed_take_punt(struct bed *bed, void *ret, size_t size)
{
	consume(bed, ret, size);
	return taken.length;
}

uint32_t bed_drain_punts(struct bed *bed)
{
	consume(bed, NULL, 0);
	return taken.count;
}
