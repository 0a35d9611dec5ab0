// SPDX-License-Identifier: Apache-2.0
// What the files of the fast path's bench share: the bed, the generator, traffic, the report.
#ifndef BNG_BENCH_H
#define BNG_BENCH_H

#include "bed.h"
#include "generator.skel.h"
#include "packet.h"

enum { LINES = 65536, LIVE_FRAMES = 400000, BATCH = 64, SMALL = 26 /* bytes of UDP payload */ };

struct traffic {
	struct packet packet;
	bool many, tagged, downstream;
	uint32_t chaddr_at, address_at;
};

// What a line is granted; all zero: nothing but to forward.
struct grants {
	struct bng_rate rate;
	uint32_t filter_index;
	uint16_t flags;
};

extern struct bed bed;
extern struct generator *generator;

void die(const char *what);
double seconds(void);
void attach(const char *interface, struct bpf_program *program);
void put_line(const struct grants *grants); // one QinQ line
void put_untagged_line(const struct grants *grants);
void put_nat_line(uint32_t n);                                 // one more QinQ line, translated
void aim_at_line(struct traffic *t, uint32_t n);               // QinQ, upstream
double run_once(const struct traffic *t, const char *far_end); // packets per second
double median(double *values, int count);
struct traffic data_traffic(bool downstream, bool tagged, bool many, uint32_t payload_length);
void aim(const struct traffic *t); // what the generator sends
void report(const char *id, const char *what, double value, const char *unit, double limit, double peer,
	double ratio, double goal, bool met);

// Replies per second against the bare echo's; `limit` is the gate of the ratio.
void compare(const char *id, const char *what, struct traffic t, double limit, double goal);
void time_path(const char *id, const char *what, struct bpf_program *program, struct traffic t,
	const char *near, const char *far, double goal, double floor);

// pppoe.c: one QinQ session; UDP from it; a PADI, with the service that answers it; all its rows.
void put_pppoe_line(const struct grants *grants);
struct traffic pppoe_traffic(void);
struct traffic padi_traffic(void);
void time_pppoe(double floor);

// ipv6.c: its rows.
void time_ipv6(double floor);
void compare_ipv6(void);

// nat.c: its rows; 1 if it is less than four times as fast as nftables.
void time_nat(double floor);
int compare_nat(void);

// police.c: both directions policed. Then two CPUs sending into one policed line: 1 if a plan is missed by
// more than a hundredth.
struct grants policed(uint64_t bits_per_second, uint32_t burst_bytes);
int police_exactly(void);

#endif
