// SPDX-License-Identifier: Apache-2.0
// Are plans kept to a hundredth? Two threads, each on a CPU of its own, send live frames into one policed
// line faster than its plan; what the session's counters say passed is held against the plan.
#include "bench.h"

#include <math.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bng_rate.h"

enum { SENDERS = 2, LARGE = 1372 /* IP packets of 1,400 bytes */ };

struct plan {
	const char *id, *what;
	uint64_t bits_per_second;
	uint32_t payload;
	double seconds;
};

static atomic_bool stopping;
static const struct traffic *sent;

struct grants policed(uint64_t bits_per_second, uint32_t burst_bytes)
{
	uint64_t multiplier = (8000000000ULL << 24) / bits_per_second;

	return (struct grants){
		.rate = {multiplier, (uint64_t)(((unsigned __int128)burst_bytes * multiplier) >> 16)},
		.flags = BNG_SESSION_POLICED_UP | BNG_SESSION_POLICED_DOWN,
	};
}

static void *send_on_cpu(void *cpu)
{
	struct xdp_md context = {
		.data_end = sent->packet.length, .ingress_ifindex = if_nametoindex("access0p")};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = sent->packet.bytes,
		.data_size_in = sent->packet.length, .ctx_in = &context, .ctx_size_in = sizeof(context),
		.repeat = 20000, .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = BATCH);
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET((int)(long)cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		die("affinity");
	while (!stopping)
		if (bpf_prog_test_run_opts(bpf_program__fd(generator->progs.generate), &options))
			die("live frames");
	return NULL;
}

/* Bits the session was counted, and in *ret_least the share of the CPU that sent less of them. */
static double passed_bits(double *ret_least)
{
	struct bng_session_counters each[256] = {0};
	uint64_t sum = 0, least = UINT64_MAX;
	uint32_t slot = 0;

	if (bpf_map_lookup_elem(bpf_map__fd(bed.access->maps.session_counters), &slot, each))
		die("session_counters");
	for (int cpu = 0; cpu < SENDERS; cpu++) {
		sum += each[cpu].up_bytes;
		least = each[cpu].up_bytes < least ? each[cpu].up_bytes : least;
	}
	*ret_least = sum ? (double)least / (double)sum : 0;
	return (double)sum * 8;
}

/* The bucket has been emptied: packets are being dropped. */
static void wait_for_drops(void)
{
	uint64_t before = bed_counter(&bed, BED_ACCESS, BNG_DROP_policed_up);

	for (int i = 0; i < 10000 && bed_counter(&bed, BED_ACCESS, BNG_DROP_policed_up) < before + 100000;
		i++)
		usleep(1000);
}

static int police(const struct plan *plan)
{
	const struct grants grants =
		policed(plan->bits_per_second, (uint32_t)(plan->bits_per_second / 40 + 1600));
	struct traffic t = data_traffic(false, true, false, plan->payload);
	pthread_t threads[SENDERS];
	double least, bits, start, took, ratio;
	char what[128];

	put_line(&grants);
	sent = &t;
	aim(&t);
	stopping = false;
	for (long cpu = 0; cpu < SENDERS; cpu++)
		if (pthread_create(&threads[cpu], NULL, send_on_cpu, (void *)cpu))
			die("thread");
	wait_for_drops();
	start = seconds();
	bits = passed_bits(&least);
	usleep((useconds_t)(plan->seconds * 1e6));
	wait_for_drops();
	took = seconds() - start;
	bits = passed_bits(&least) - bits;
	stopping = true;
	for (int i = 0; i < SENDERS; i++)
		(void)pthread_join(threads[i], NULL);
	ratio = bits / took / (double)plan->bits_per_second;
	snprintf(what, sizeof(what), "%s; the CPU that passed less: %.0f %%", plan->what, least * 100);
	report(plan->id, what, bits / took / 1e3, "kbit/s", 0.99, (double)plan->bits_per_second / 1e3, ratio,
		1, fabs(ratio - 1) <= 0.01);
	return fabs(ratio - 1) > 0.01;
}

int police_exactly(void)
{
	static const struct plan plans[] = {
		{"C7.police.64k", "two CPUs into a line of 64 kbit/s", 64000, SMALL, 8},
		{"C7.police.20m", "two CPUs into a line of 20 Mbit/s, small packets", 20000000, SMALL, 3},
		{"C7.police.1g", "two CPUs into a line of 1 Gbit/s", 1000000000, LARGE, 3},
		{"C7.police.5g", "two CPUs into a line of 5 Gbit/s", 5000000000, LARGE, 3},
	};
	int failed = 0;

	attach("access0", bed.access->progs.xdp_access);
	for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++)
		failed |= police(&plans[i]);
	attach("access0", NULL);
	return failed;
}
