// SPDX-License-Identifier: Apache-2.0
// The test bed: both programs loaded over shared maps in a network namespace of its own, with one access port
// (index 1), one core port (2) and a second access port (3). Also used by the bench.
#ifndef BNG_TEST_BED_H
#define BNG_TEST_BED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bng_abi.h"
#include "xdp_access.skel.h"
#include "xdp_core.skel.h"
#include "xdp_nat_reap.skel.h"

enum {
	BED_ACCESS = 1,
	BED_CORE = 2,
	BED_ACCESS2 = 3,
	BED_FRAME_MAX = 3600,
	BED_TEMPLATE = 5,
	BED_HOP = 3,
	BED_HOP_KERNEL = 4
};

struct bed {
	struct xdp_access *access;
	struct xdp_core *core;
	struct xdp_nat_reap *reap;
	bool has_network;
	uint32_t nat_entries; // of each NAT map; 0: as compiled
};

struct bed_result {
	uint32_t verdict;
	uint32_t length;
	uint32_t duration_ns;
	uint8_t frame[BED_FRAME_MAX];
};

extern const uint8_t bed_port_mac[6]; // of every access port
extern const uint8_t bed_core_mac[6];
extern const uint8_t bed_gateway_mac[6]; // the core router's

// In a new network namespace with the veths access0, core0, access1 and a core router; needs root. 0 or
// -errno.
int bed_network(struct bed *bed);
// Loads with CAP_BPF, CAP_NET_ADMIN, CAP_NET_RAW and nothing else in effect; `sessions` sizes the session
// maps. 0 or -errno.
int bed_load(struct bed *bed, uint32_t sessions);
void bed_done(struct bed *bed);
// Empties the maps and writes the scene: ports, own addresses, template, routes, next hops, guard rates.
void bed_reset(struct bed *bed);

// Runs one packet through the program of BED_ACCESS or BED_CORE; the input is not touched.
void bed_run(struct bed *bed, int port, const uint8_t *frame, uint32_t length, struct bed_result *ret);
uint32_t bed_ns_per_packet(struct bed *bed, int port, const uint8_t *frame, uint32_t length, uint32_t rounds);

uint64_t bed_counter(struct bed *bed, int port, int reason);
uint64_t bed_all_counters(struct bed *bed);
const char *bed_reason_name(int reason);
int bed_reason_of(const char *kind, const char *name); // kind: drop, punt, tx; -1: unknown
uint64_t bed_now_ns(void);

void bed_put_session(struct bed *bed, const struct bng_line_key *line, const struct bng_session *session,
	uint64_t expires_ns);
void bed_session_state(struct bed *bed, uint32_t slot, struct bng_session_state *ret);
void bed_session_counters(
	struct bed *bed, uint32_t slot, struct bng_session_counters *ret); // summed over CPUs
void bed_put(struct bpf_map *map, const void *key, const void *value);
void bed_add_option(struct bng_dhcp_template *template, uint8_t code, const void *data, uint8_t length);
void bed_template(struct bng_dhcp_template *ret);
uint32_t bed_ip(const char *text);

// The oldest record of the punt ring into `ret` (frame included); its length, 0: the ring is empty.
uint32_t bed_take_punt(struct bed *bed, void *ret, size_t size);
uint32_t bed_drain_punts(struct bed *bed); // how many

#endif
