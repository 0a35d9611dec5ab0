// SPDX-License-Identifier: Apache-2.0
// Start, the loop, stop. What must never happen in the loop is waiting: long work is cut into turns.
#include "agent.h"

#include "alloc.h"
#include "log.h"
#include "map_policy.h"
#include "privileges.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

enum { TICK_MS = 50, SECOND_MS = 1000, REPORT_SECONDS = 2, PUNTS_PER_TURN = 1024, BATCH_TURN_NS = 2000000 };

uint64_t bng_monotonic_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

struct bng_clock bng_clock_now(void)
{
	struct timespec boot, utc;

	(void)clock_gettime(CLOCK_BOOTTIME, &boot);
	(void)clock_gettime(CLOCK_REALTIME, &utc);
	return (struct bng_clock){
		.boot_ns = (uint64_t)boot.tv_sec * 1000000000 + (uint64_t)boot.tv_nsec,
		.utc_ms = (uint64_t)utc.tv_sec * 1000 + (uint64_t)utc.tv_nsec / 1000000,
	};
}

static struct bng_agent *agent_of(struct bng_source *source)
{
	return ((struct bng_agent_source *)source)->agent;
}

static void on_tick(struct bng_source *source, uint32_t events)
{
	(void)events;
	bng_timer_drain(source->fd);
	bng_lanes_tick(agent_of(source));
	bng_held_tick(agent_of(source));
	bng_neighbor_tick(agent_of(source));
	bng_echo_tick(agent_of(source));
	bng_advertise_tick(agent_of(source));
	bng_nat_fragment_tick(agent_of(source));
	bng_nat_sweep_tick(agent_of(source));
	bng_identity_tick(agent_of(source));
}

static void on_second(struct bng_source *source, uint32_t events)
{
	struct bng_agent *agent = agent_of(source);

	(void)events;
	bng_timer_drain(source->fd);
	bng_sweep(agent);
	bng_nat_alg_sweep(agent);
	bng_events_send(agent);
	if (++agent->seconds % REPORT_SECONDS == 0)
		bng_counters_send(agent);
}

static void on_signal(struct bng_source *source, uint32_t events)
{
	struct signalfd_siginfo info;

	(void)events;
	if (read(source->fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		agent_of(source)->stopping = true;
}

static void on_watch(struct bng_source *source, uint32_t events)
{
	(void)events;
	if (bng_watch_drain(source->fd))
		bng_ports_check(agent_of(source));
}

static void on_punts(struct bng_source *source, uint32_t events)
{
	struct bng_agent *agent = agent_of(source);

	(void)events;
	(void)bng_ring_consume(&agent->ring, PUNTS_PER_TURN);
	bng_punt_flush(agent);
}

static int add_source(struct bng_agent *agent, struct bng_agent_source *source, int fd,
	void (*ready)(struct bng_source *, uint32_t))
{
	if (fd < 0)
		return fd;
	*source = (struct bng_agent_source){.source = {.fd = fd, .ready = ready}, .agent = agent};
	return bng_loop_add(&agent->loop, &source->source, EPOLLIN);
}

static int open_sources(struct bng_agent *agent)
{
	int err = add_source(agent, &agent->signals, bng_signals_open(), on_signal);

	if (!err)
		err = add_source(agent, &agent->tick, bng_timer_open(TICK_MS), on_tick);
	if (!err)
		err = add_source(agent, &agent->second, bng_timer_open(SECOND_MS), on_second);
	if (!err)
		err = add_source(agent, &agent->watch, bng_watch_open(), on_watch);
	if (!err)
		err = bng_ring_init(&agent->ring, &agent->kern, bng_punt_take, agent);
	if (!err)
		err = add_source(agent, &agent->punt_source, bng_ring_fd(&agent->ring), on_punts);
	return err;
}

static int open_ports(struct bng_agent *agent, struct bng_words *words)
{
	uint32_t i;
	int err;

	bng_kern_init(&agent->kern, agent->options.pins, agent->options.attach, agent->options.max_sessions);
	agent->kern.nat_mappings = agent->options.nat_mappings;
	for (i = 1; i <= agent->options.port_count; i++) {
		struct bng_kern_port *port = &agent->kern.ports[i];

		err = bng_state_add_port(
			&agent->state, agent->options.ports[i].name, agent->options.ports[i].role);
		if (err)
			return err;
		memcpy(port->name, agent->options.ports[i].name, sizeof(port->name));
		port->role = agent->options.ports[i].role;
		err = bng_interface_query(port->name, &port->interface);
		if (err) {
			bng_say(words, "port %s: no such interface", port->name);
			return err;
		}
	}
	agent->kern.port_count = agent->options.port_count;
	return 0;
}

static void log_ports(struct bng_agent *agent)
{
	static const char *const modes[] = {"none", "detached", "native", "generic", "shared"};
	uint32_t i;

	for (i = 1; i <= agent->kern.port_count; i++) {
		const struct bng_kern_port *port = &agent->kern.ports[i];

		if (port->fell_back)
			agent->counters[BNG_COUNT_attach_generic_fallback]++;
		bng_log(port->fell_back ? "warning" : "info", "port_attached",
			"port=%s role=%s mode=%s tag=%016llx adopted=%s", port->name,
			port->role == BNG_ROLE_ACCESS ? "access" : "core", modes[port->mode],
			(unsigned long long)port->program_tag, port->adopted ? "yes" : "no");
		/* bpf_fib_lookup obeys it: without it nothing leaves toward the core. */
		if (port->role == BNG_ROLE_ACCESS && !bng_interface_forwards(port->name, false))
			bng_log("warning", "forwarding_is_off", "port=%s hint=%s", port->name,
				bng_quote("sysctl net.ipv4.ip_forward=1").text);
	}
}

static int allocate(struct bng_agent *agent)
{
	size_t slots = (size_t)agent->options.max_sessions + 1;

	agent->renewals_queued = bng_alloc_zero(slots, sizeof(uint32_t));
	agent->renewals6_queued = bng_alloc_zero(slots, sizeof(uint32_t));
	agent->lapse_queued = bng_alloc_zero(slots, 1);
	agent->lapse6_queued = bng_alloc_zero(slots, 1);
	agent->advertisers = bng_alloc_zero(slots, sizeof(struct bng_advertiser));
	agent->echoes = bng_alloc_zero(slots, sizeof(struct bng_echo));
	agent->started_ns = bng_clock_now().boot_ns;
	agent->reasons = bng_alloc_zero((size_t)BNG_MAX_PORTS * BNG_REASON_STRIDE, sizeof(uint64_t));
	bng_arena_init(&agent->batch.arena, BNG_DECODE_BUDGET);
	bng_arena_init(&agent->punts.arena, BNG_DECODE_BUDGET);
	if (!agent->renewals_queued || !agent->renewals6_queued || !agent->lapse_queued ||
		!agent->lapse6_queued || !agent->advertisers || !agent->echoes || !agent->reasons)
		return -ENOMEM;
	if (bng_nat_sweep_init(agent))
		return -ENOMEM;
	if (bng_delay_queue_init(&agent->held) || bng_delay_queue_init(&agent->early))
		return -ENOMEM;
	return bng_delay_queue_init(&agent->unresolved);
}

int bng_agent_start(struct bng_agent *agent, const struct bng_options *options, struct bng_words *words)
{
	struct {
		uint64_t hash[2];
		uint64_t link;
		uint64_t epoch;
	} seeds;
	int err;

	*agent = (struct bng_agent){.options = *options, .loop.epoll = -1};
	bng_sockets_init(agent);
	if (getrandom(&seeds, sizeof(seeds), 0) != (ssize_t)sizeof(seeds) ||
		getrandom(agent->boot_id, sizeof(agent->boot_id), 0) != (ssize_t)sizeof(agent->boot_id))
		return -EIO;
	bng_link_init(&agent->link, agent->boot_id, seeds.link);
	err = bng_state_init(&agent->state, options->max_sessions, seeds.hash);
	if (!err)
		err = open_ports(agent, words);
	if (!err)
		err = allocate(agent);
	if (!err)
		err = bng_digester_init(&agent->digester);
	if (!err)
		err = bng_loop_init(&agent->loop);
	if (!err)
		err = bng_lanes_init(agent, words);
	if (!err)
		err = bng_privileges_for_loading(options->attach, words);
	if (!err)
		err = bng_kern_load(&agent->kern, seeds.epoch, words);
	if (!err)
		err = bng_privileges_for_running(options->attach);
	if (err)
		return err;
	log_ports(agent);
	err = bng_adopt(agent, words);
	if (!err)
		err = bng_sockets_open(agent);
	return err ? err : open_sources(agent);
}

/* Several small batches, or a part of a large one. The lane is read on only between batches. */
static void work_on_batches(struct bng_agent *agent)
{
	uint64_t end_ns = bng_monotonic_ns() + BATCH_TURN_NS;

	while (agent->batch.batch && bng_monotonic_ns() < end_ns) {
		bng_batch_work(agent);
		if (!agent->batch.batch)
			bng_lanes_pump(agent, BNG_LANE_STATE);
	}
}

int bng_agent_run(struct bng_agent *agent)
{
	struct bng_link_event start = {.kind = BNG_LINK_START, .lane = BNG_LANE_STATE};
	bool busy = false;
	int err = 0;

	bng_lanes_event(agent, &start);
	while (!agent->stopping && !err) {
		err = bng_loop_run_once(&agent->loop, busy ? 0 : -1);
		work_on_batches(agent);
		busy = agent->counters_run_count && bng_session_counters_work(agent);
		busy = busy || agent->batch.batch;
		bng_lanes_flush(agent);
	}
	return err;
}

static void close_source(struct bng_agent *agent, struct bng_agent_source *source)
{
	if (!source->agent)
		return;
	bng_loop_remove(&agent->loop, &source->source);
	if (source != &agent->punt_source)
		(void)close(source->source.fd);
}

void bng_agent_stop(struct bng_agent *agent)
{
	bng_lanes_done(agent);
	close_source(agent, &agent->punt_source);
	close_source(agent, &agent->watch);
	close_source(agent, &agent->second);
	close_source(agent, &agent->tick);
	close_source(agent, &agent->signals);
	bng_ring_done(&agent->ring);
	bng_sockets_close(agent);
	bng_batch_forget(agent);
	bng_session_counters_forget(agent);
	bng_arena_done(&agent->batch.arena);
	bng_arena_done(&agent->punts.arena);
	bng_free(agent->renewals_queued);
	bng_free(agent->renewals6_queued);
	bng_free(agent->lapse_queued);
	bng_free(agent->lapse6_queued);
	bng_free(agent->advertisers);
	bng_free(agent->echoes);
	bng_delay_queue_done(&agent->held);
	bng_delay_queue_done(&agent->unresolved);
	bng_delay_queue_done(&agent->early);
	bng_nat_sweep_done(agent);
	bng_free(agent->reasons);
	bng_audit_done(&agent->audit);
	bng_digester_done(&agent->digester);
	bng_link_done(&agent->link);
	bng_kern_done(&agent->kern);
	bng_state_done(&agent->state);
	bng_loop_done(&agent->loop);
}
