/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent's hold on the kernel: programs attached to ports, maps pinned under one directory. Everything
 * returns 0 or a negative errno; what start-up has to say in words goes into struct bng_words.
 */
#ifndef BNG_KERN_H
#define BNG_KERN_H

#include "interface.h"
#include "map_list.h"
#include "object.h"
#include "state.h"

#include <limits.h>

enum bng_attach_mode { BNG_ATTACH_AUTO, BNG_ATTACH_NATIVE, BNG_ATTACH_GENERIC, BNG_ATTACH_SHARED };

/* The numbers are those of XDPMode in proto/. */
enum bng_xdp_mode { BNG_XDP_DETACHED = 1, BNG_XDP_NATIVE = 2, BNG_XDP_GENERIC = 3, BNG_XDP_SHARED = 4 };

enum { BNG_NAT_MAPPINGS_DEFAULT = 1 << 18 };

/* Sentences for the log, newest last; what does not fit is cut. */
struct bng_words {
	char text[1024];
};
__attribute__((format(printf, 2, 3))) void bng_say(struct bng_words *words, const char *format, ...);

struct bng_kern_port {
	char name[BNG_PORT_NAME_SIZE];
	uint32_t role;
	struct bng_interface interface;
	enum bng_xdp_mode mode;
	uint64_t program_tag; /* big-endian bytes as a number */
	bool adopted;         /* an equal program was attached already */
	bool fell_back;       /* generic, because native was refused */
	int program;          /* an instance of it, for what the agent sends through it; -1: none */
};

struct bng_kern {
	char pins[256];
	enum bng_attach_mode attach;
	uint32_t max_sessions;
	uint32_t nat_mappings; /* and flows; BNG_NAT_MAPPINGS_DEFAULT unless set before bng_kern_load() */
	uint32_t port_count;   /* ports 1..port_count, as in struct bng_state */
	struct bng_kern_port ports[BNG_MAX_PORTS];
	int lock; /* the pins directory, flocked */
	int maps[BNG_MAP_COUNT];
	int schema;
	int objects;
	int terms;
	int epochs;
	int finals;
	int reaper; /* program that takes mappings away */
	uint64_t epoch[BNG_FAMILIES];
	bool fresh; /* no pins were there */
	uint32_t cpus;
	struct bng_session_state *session_state;   /* mmap of the map, max_sessions + 1 slots */
	struct bng_policer *policers;              /* likewise, BNG_DIRECTIONS each */
	struct bng_ppp_state *ppp_state;           /* likewise */
	struct bng_session6_state *session6_state; /* likewise */
	struct bng_nat_state *nat_state;           /* likewise */
	void *counter_scratch;                     /* one per-CPU value of session_counters, the largest */
	uint64_t template_version;
};

/* What the caller's clocks said at one moment. */
struct bng_clock {
	uint64_t boot_ns;
	uint64_t utc_ms;
};

/* Nothing is opened yet; ports are added with their interfaces, then bng_kern_start(). */
void bng_kern_init(
	struct bng_kern *kern, const char *pins, enum bng_attach_mode attach, uint32_t max_sessions);
void bng_kern_done(struct bng_kern *kern);

/* Locks the pins, opens or creates the maps, loads the programs, then attaches them. */
int bng_kern_load(struct bng_kern *kern, uint64_t epoch_seed, struct bng_words *words);

/* A port whose interface went and came back (ports[port].interface is the new one): its program is loaded and
 * attached again. */
int bng_kern_reattach(struct bng_kern *kern, uint32_t port, struct bng_words *words);

/* Removes links and pins; the agent itself must not run. */
int bng_kern_detach(struct bng_kern *kern, struct bng_words *words);

/* Boot time of a UTC moment, at least 1; 0 for 0. And back. */
uint64_t bng_boot_ns(const struct bng_clock *clock, uint64_t utc_ms);
uint64_t bng_utc_ms(const struct bng_clock *clock, uint64_t boot_ns);

#endif
