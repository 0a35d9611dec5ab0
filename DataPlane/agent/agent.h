/* SPDX-License-Identifier: Apache-2.0 */
/* The whole agent: model, kernel, link and sockets, and what wires them. One thread, one event loop. */
#ifndef BNG_AGENT_H
#define BNG_AGENT_H

#include "apply.h"
#include "audit.h"
#include "connection.h"
#include "delay_queue.h"
#include "desired.h"
#include "enroller.h"
#include "frame.h"
#include "kern.h"
#include "link.h"
#include "loop.h"
#include "options.h"
#include "packet.h"
#include "ring.h"
#include "watch.h"

/* Counters of the process, reported beside those of the programs. X(name, text) */
#define BNG_AGENT_COUNTERS(X)                                                                                \
	X(inject_sent, "inject.sent")                                                                        \
	X(inject_unknown_port, "inject.unknown_port")                                                        \
	X(inject_bad_frame, "inject.bad_frame")                                                              \
	X(inject_refused_generation, "inject.refused_generation")                                            \
	X(inject_send_failed, "inject.send_failed")                                                          \
	X(inject_queue_full, "inject.queue_full")                                                            \
	X(punt_sent, "punt.sent")                                                                            \
	X(punt_dropped_lane, "punt.dropped_lane")                                                            \
	X(punt_dropped_credit, "punt.dropped_credit")                                                        \
	X(punt_dropped_queue, "punt.dropped_queue")                                                          \
	X(fragment_packets, "fragment.packets")                                                              \
	X(fragment_sent, "fragment.sent")                                                                    \
	X(fragment_failed, "fragment.failed")                                                                \
	X(held_sent, "held.sent")                                                                            \
	X(held_queue_full, "held.queue_full")                                                                \
	X(echo_sent, "echo.sent")                                                                            \
	X(adv_sent, "adv.sent")                                                                              \
	X(nat_reaped, "nat.reaped")                                                                          \
	X(nat_early_sent, "nat.early_sent")                                                                  \
	X(nat_early_lost, "nat.early_lost")                                                                  \
	X(nat_alg_sent, "nat_alg.sent")                                                                      \
	X(nat_alg_opened, "nat_alg.opened")                                                                  \
	X(nat_alg_refused, "nat_alg.refused")                                                                \
	X(nat_alg_foreign, "nat_alg.foreign")                                                                \
	X(nat_alg_low_port, "nat_alg.low_port")                                                              \
	X(nat_alg_malformed, "nat_alg.malformed")                                                            \
	X(nat_alg_cut, "nat_alg.cut")                                                                        \
	X(nat_alg_lost, "nat_alg.lost")                                                                      \
	X(neighbor_sent, "neighbor.sent")                                                                    \
	X(neighbor_failed, "neighbor.failed")                                                                \
	X(attach_generic_fallback, "attach.generic_fallback")                                                \
	X(association_lost, "association.lost")                                                              \
	X(event_lost, "event.lost")

#define BNG_AGENT_COUNTER_ENUM(name, text) BNG_COUNT_##name,
enum bng_agent_counter { BNG_AGENT_COUNTERS(BNG_AGENT_COUNTER_ENUM) BNG_AGENT_COUNTER_COUNT };

/* A batch being applied: so many items per turn of the loop. */
struct bng_batch_run {
	const Bng__Agent__V1__Batch *batch; /* NULL: none */
	size_t next;
	Bng__Agent__V1__ItemResult **results; /* into items, as far as applied */
	Bng__Agent__V1__ItemResult *items;
	struct bng_arena arena; /* results live here */
};

/* A request for session counters being answered, reply by reply. */
enum { BNG_COUNTERS_WAITING_MAX = 16 };

struct bng_counters_run {
	bool all;
	uint64_t request_id;
	uint64_t *ids;
	size_t id_count;
	size_t next; /* index into ids, or the next slot */
};

struct bng_punt_batch {
	struct bng_arena arena;
	Bng__Agent__V1__Punt *punts[256];
	size_t count;
	size_t bytes;
};

/* Frames collected for one system call; their bytes must stay until it is made. */
struct bng_frame_run {
	struct bng_bytes frames[BNG_PACKET_BATCH];
	unsigned count;
	uint32_t port;
	enum bng_agent_counter counter; /* +1 per frame sent */
	/* Until then a full queue of the interface is waited for: it drains in microseconds, or is stuck. */
	uint64_t patient_until_ns;
};

/* What the agent asks of a PPPoE line, by slot. */
struct bng_echo {
	uint64_t due_ns; /* boot time; 0: not drawn yet */
	uint32_t sent;
	uint8_t unanswered;
	bool is_lost;
	bool was_heard; /* since the agent began */
};

/* The advertisements a line gets unasked, by slot. */
struct bng_advertiser {
	uint64_t due_ns; /* boot time; 0: not drawn yet */
	uint64_t sent;
};

enum { BNG_EARLY_LINES = 4096 };

/* The walk over mappings and flows that looks for those whose time has passed. */
struct bng_nat_sweep {
	uint8_t *keys;
	uint8_t *values;
	uint8_t cursor[64];
	bool has_begun;    /* cursor is good */
	bool over_flows;   /* the second half of a round */
	uint64_t round_ns; /* boot time the round began */
	uint64_t mappings; /* seen in this round so far */
	uint64_t flows;
	uint64_t last_mappings; /* of the last whole round */
	uint64_t last_flows;
	struct bng_nat_reap records[BNG_NAT_REAP_MAX];
	uint32_t record_count;
};

struct bng_agent_source {
	struct bng_source source;
	struct bng_agent *agent;
};

struct bng_lane_connection {
	struct bng_connection connection;
	struct bng_agent *agent;
	enum bng_lane lane;
	char failure[160]; /* why the last dial failed, so that the same failure is logged once */
};

struct bng_agent {
	struct bng_options options;
	uint8_t boot_id[16];
	struct bng_loop loop;
	struct bng_state state;
	struct bng_kern kern;
	struct bng_link link;
	struct bng_digester digester;
	struct bng_audit audit;
	struct bng_ring ring;
	struct bng_batch_run batch;
	struct bng_counters_run counters_runs[BNG_COUNTERS_WAITING_MAX]; /* the first is being answered */
	size_t counters_run_count;
	struct bng_punt_batch punts;
	struct bng_lane_connection lanes[BNG_LANES];
	void *tls_context;
	struct bng_prover prover;
	struct bng_enroller enroller; /* in use with a state directory */
	uint64_t renew_at_ms;         /* UTC; 0: nobody renews anything */
	struct bng_agent_source tick, second, signals, watch, punt_source;
	unsigned seconds;
	int packet[BNG_MAX_PORTS];
	int raw_ip;
	int raw_ip6;
	int neighbors;
	uint64_t node_term;
	uint64_t counters[BNG_AGENT_COUNTER_COUNT];
	uint64_t *reasons;
	uint32_t *renewals_queued;  /* by slot: value of renewals in the event on its way */
	uint32_t *renewals6_queued; /* likewise of the IPv6 lease */
	uint8_t *lapse_queued;      /* by slot */
	uint8_t *lapse6_queued;
	struct bng_echo *echoes; /* by slot */
	uint32_t echo_phase;
	struct bng_advertiser *advertisers; /* by slot */
	uint32_t advertise_phase;
	uint64_t started_ns; /* boot time */
	struct bng_delay_queue held;
	struct bng_delay_queue unresolved;       /* IPv6 packets without Ethernet */
	struct bng_delay_queue early;            /* fragments before their first one */
	uint16_t early_of_line[BNG_EARLY_LINES]; /* by a hash: lines that share a place share its room */
	struct bng_nat_sweep nat;
	uint32_t *nat_asked; /* by slot: seconds since boot when more ports were last asked for */
	uint8_t *nat_algs;   /* by slot: control connections of which something was changed */
	bool stopping;
};

/* agent.c */
int bng_agent_start(struct bng_agent *agent, const struct bng_options *options, struct bng_words *words);
int bng_agent_run(struct bng_agent *agent);
void bng_agent_stop(struct bng_agent *agent);
struct bng_clock bng_clock_now(void);
uint64_t bng_monotonic_ns(void);

/* sockets.c */
void bng_sockets_init(struct bng_agent *agent);
int bng_sockets_open(struct bng_agent *agent);
void bng_sockets_close(struct bng_agent *agent);

/* adopt.c: objects and terms from pins. */
int bng_adopt(struct bng_agent *agent, struct bng_words *words);

/* lanes.c */
int bng_lanes_init(struct bng_agent *agent, struct bng_words *words);
void bng_lanes_done(struct bng_agent *agent);
void bng_lanes_event(struct bng_agent *agent, const struct bng_link_event *event);
void bng_lanes_tick(struct bng_agent *agent);
void bng_lanes_flush(struct bng_agent *agent);
void bng_lanes_pump(struct bng_agent *agent, enum bng_lane lane);
void bng_lanes_send(struct bng_agent *agent, enum bng_lane lane, const Bng__Agent__V1__AgentFrame *frame);

/* identity.c */
int bng_identity_init(struct bng_agent *agent, struct bng_words *words);
void bng_identity_done(struct bng_agent *agent);
void bng_identity_tick(struct bng_agent *agent);
void bng_identity_challenged(struct bng_agent *agent, const Bng__Agent__V1__Challenge *challenge);

/* batch.c */
void bng_batch_begin(struct bng_agent *agent, const Bng__Agent__V1__Batch *batch);
void bng_batch_work(struct bng_agent *agent);
void bng_batch_forget(struct bng_agent *agent);

/* hello.c */
void bng_hello_send(struct bng_agent *agent);
void bng_heartbeat_send(struct bng_agent *agent);
void bng_port_info(const struct bng_agent *agent, uint32_t index, const struct bng_interface *interface,
	uint32_t mode, Bng__Agent__V1__PortInfo *ret);

/* audit_reply.c */
void bng_audit_summary_send(struct bng_agent *agent, uint64_t request_id);
void bng_audit_page_send(struct bng_agent *agent, const Bng__Agent__V1__AuditPageRequest *request);

/* report.c */
void bng_counters_send(struct bng_agent *agent);
void bng_session_counters_begin(
	struct bng_agent *agent, const Bng__Agent__V1__SessionCountersRequest *request);
/* One reply; false when there is nothing more to do now: all is sent, or the lane is full. */
bool bng_session_counters_work(struct bng_agent *agent);
void bng_session_counters_forget(struct bng_agent *agent);
/* What both families carried, together and apart. */
void bng_session_traffic_fill(const struct bng_session_counters *ipv4,
	const struct bng_session6_counters *ipv6, Bng__Agent__V1__SessionCounters *ret);
int bng_session_counters_fill(struct bng_agent *agent, const struct bng_session_object *session,
	const struct bng_clock *clock, Bng__Agent__V1__SessionCounters *ret);
/* slot: 0 when another process, or an earlier delete, has freed it. */
void bng_final_counters_fill(const struct bng_agent *agent, uint64_t session_id, uint32_t slot,
	const struct bng_final *final, Bng__Agent__V1__SessionCounters *ret);

/* punt.c, inject.c */
void bng_punt_take(void *agent, const struct bng_punt *punt);
void bng_punt_flush(struct bng_agent *agent);
void bng_inject(struct bng_agent *agent, const Bng__Agent__V1__InjectBatch *batch);

/* frame_run.c: the run is flushed when it is full or its port is another one. False: no such port. */
bool bng_frame_run_add(
	struct bng_agent *agent, struct bng_frame_run *run, uint32_t port, struct bng_bytes frame);
void bng_frame_run_flush(struct bng_agent *agent, struct bng_frame_run *run);

/* neighbor.c */
void bng_neighbor_send(struct bng_agent *agent, const struct bng_punt *punt);
void bng_neighbor_tick(struct bng_agent *agent);

/* hand_over.c */
void bng_fragment_send(struct bng_agent *agent, const struct bng_punt *punt);
void bng_held_take(struct bng_agent *agent, const struct bng_punt *punt);
void bng_held_tick(struct bng_agent *agent);

/* echo.c */
void bng_echo_tick(struct bng_agent *agent);
/* The line has said nothing yet since the agent began, and may still do so in time. */
bool bng_echo_is_undecided(const struct bng_agent *agent, const struct bng_session_object *session);

/* advertise.c */
void bng_advertise_tick(struct bng_agent *agent);

/* line_frame.c: frames of the agent's own toward a line. */
enum { BNG_LINE_HEAD_MAX = 14 + 4 + 4 + 8 };
/* Ethernet, tags and, for PPPoE, the session's head up to PPP's protocol, for so many bytes behind it; its
 * size. */
size_t bng_line_head(const struct bng_agent *agent, const struct bng_session_object *session,
	uint16_t ethertype, uint16_t ppp_protocol, size_t payload, uint8_t ret[BNG_LINE_HEAD_MAX]);
/* When a slot's first frame of a kind that comes every so often is due: somewhere in the interval. */
uint64_t bng_line_first_due(uint64_t now_ns, uint64_t interval_ns, uint32_t slot);

/* sweep.c: leases and lapses into events, events out, acknowledgements in. */
void bng_sweep(struct bng_agent *agent);
void bng_sweep_forget_slot(struct bng_agent *agent, uint32_t slot);
/* What the events of a session's lease have in common. */
struct bng_event bng_sweep_event(
	enum bng_event_kind kind, const struct bng_session_object *session, const struct bng_clock *clock);
void bng_events_send(struct bng_agent *agent);
void bng_events_acknowledged(struct bng_agent *agent, uint64_t sequence);
void bng_ports_check(struct bng_agent *agent);

/* nat_sweep.c, nat_fragment.c */
int bng_nat_sweep_init(struct bng_agent *agent);
void bng_nat_sweep_done(struct bng_agent *agent);
void bng_nat_sweep_tick(struct bng_agent *agent);
/* A record of the class NAT_PORTS. */
void bng_nat_ports_low(struct bng_agent *agent, const struct bng_punt *punt);
void bng_nat_fragment_take(struct bng_agent *agent, const struct bng_punt *punt);
void bng_nat_fragment_tick(struct bng_agent *agent);

/* nat_alg.c: a record of the class NAT_ALG; and, now and then, what has ended. */
void bng_nat_alg_take(struct bng_agent *agent, const struct bng_punt *punt);
void bng_nat_alg_sweep(struct bng_agent *agent);

/* sweep6.c: the IPv6 lease of a session. Negative when the queue is full. */
int bng_sweep6_slot(
	struct bng_agent *agent, const struct bng_session_object *session, const struct bng_clock *clock);

#endif
