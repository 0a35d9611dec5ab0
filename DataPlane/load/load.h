/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bng-load: subscribers and a core peer from outside. It shares no header with the agent: what it knows of
 * the BNG is what a customer's equipment knows. One thread, two AF_PACKET rings at most.
 */
#ifndef LOAD_H
#define LOAD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { LOAD_FRAME_MAX = 1536, LOAD_BATCH = 64, LOAD_MAX_LINES = 1 << 22 };

/* stats.c: a log-linear histogram, 1 % resolution, 1 us to 70 min. */
enum { LOAD_BUCKETS = 64 * 100 };
struct load_histogram {
	uint64_t count;
	uint64_t max_us;
	uint32_t buckets[LOAD_BUCKETS];
};
void load_histogram_add(struct load_histogram *h, uint64_t ns);
uint64_t load_histogram_quantile_us(const struct load_histogram *h, double q);
void load_histogram_print(FILE *out, const char *name, const struct load_histogram *h);

/* options.c */
enum load_tags { LOAD_UNTAGGED, LOAD_SINGLE, LOAD_QINQ };
enum load_auth { LOAD_AUTH_ANY, LOAD_AUTH_NONE, LOAD_AUTH_PAP, LOAD_AUTH_CHAP };
struct load_options {
	const char *interface;
	const char *core_interface;
	const char *core_netns; /* path of a network namespace, NULL: ours */
	const char *phases;     /* "dora,renew,traffic,release" */
	const char *user;       /* %d in it: the line's index */
	const char *password;
	const char *service;    /* Service-Name asked for, "" any */
	const char *circuit_id; /* NULL, or what an access node would add, %d as above */
	const char *leases_in;
	const char *leases_out;
	uint32_t lines;
	uint64_t mac_base;
	enum load_tags tags;
	uint16_t s_tpid;
	uint16_t s_first, c_first, c_count;
	uint32_t per_mac; /* lines that share each MAC address, and its tags */
	uint16_t mru;
	enum load_auth auth;
	double rate;       /* exchanges or packets per second; 0: as fast as answers come */
	uint32_t window;   /* exchanges under way at most */
	double duration_s; /* of renew and traffic */
	double timeout_s;
	uint32_t retries;
	uint32_t payload;       /* UDP payload bytes of traffic */
	struct in_addr peer;    /* core peer's address */
	uint8_t gateway_mac[6]; /* the BNG's access port */
	uint8_t core_mac[6];    /* the BNG's core port */
	uint8_t peer_mac[6];
	bool has_gateway_mac, has_core_mac, broadcast;
	bool ipv6cp, duplicate, terminate;
};
int load_options_parse(struct load_options *o, int argc, char **argv);

/* A received frame. */
struct load_packet {
	const uint8_t *frame;
	uint32_t length;
	uint16_t tci; /* outer tag the kernel took off, if tagged */
	uint16_t tpid;
	bool tagged;
};

/* line.c */
enum load_state {
	LOAD_IDLE,
	LOAD_DISCOVERING,
	LOAD_REQUESTING,
	LOAD_SOLICITING_ROUTER,
	LOAD_SOLICITING,
	LOAD_BOUND,
	LOAD_RENEWING,
	LOAD_RENEWING6,
	LOAD_FAILED
};
struct load_line {
	uint64_t sent_ns;  /* of the message that waits for an answer */
	uint64_t began_ns; /* of the exchange */
	uint32_t address;  /* network order */
	uint32_t server;   /* network order */
	uint16_t attempt;
	uint8_t state;
	uint8_t tries;
};
enum { LOAD_DUID_MAX = 130 };
struct load_duid {
	uint8_t bytes[LOAD_DUID_MAX];
	uint16_t length;
};
struct load_ipv6 { /* what a line holds of IPv6 */
	uint8_t link[16];
	uint8_t address[16];
	uint8_t prefix[16];
	uint8_t prefix_length;
};
struct load_session;
struct load_lines {
	struct load_line *line;
	struct load_ipv6 *ipv6;       /* of the same index; NULL until a phase with IPv6 begins */
	struct load_duid server;      /* who answered DHCPv6 last: one server for all */
	struct load_session *session; /* of the same index; NULL until a PPPoE phase begins */
	uint32_t count;
	const struct load_options *options;
};
void load_line_mac(const struct load_options *o, uint32_t index, uint8_t mac[6]);
size_t load_line_tags(const struct load_options *o, uint32_t index, uint8_t tags[8]);
bool load_line_tags_match(const struct load_options *o, uint32_t index, const struct load_packet *p);
int load_leases_read(struct load_lines *lines, const char *path);
int load_leases_write(const struct load_lines *lines, const char *path);

/* ring.c: an AF_PACKET socket with a receive ring and batched sending. */
struct load_ring {
	int fd;
	uint8_t *map;
	size_t map_size;
	uint32_t head;
	bool holding; /* the slot at head is the caller's until the next call */
	uint8_t (*out)[LOAD_FRAME_MAX];
	uint32_t out_length[LOAD_BATCH];
	uint32_t pending;
	uint64_t sent, send_errors;
};
int load_ring_open(struct load_ring *r, const char *interface, const char *netns);
void load_ring_close(struct load_ring *r);
bool load_ring_next(struct load_ring *r, struct load_packet *ret);
void load_ring_wait(struct load_ring *r); /* until something arrives, 1 ms at most */
uint8_t *load_ring_slot(
	struct load_ring *r); /* where to build the next frame; flushes when the batch is full */
void load_ring_commit(struct load_ring *r, uint32_t length);
void load_ring_flush(struct load_ring *r);
uint64_t load_ring_drops(struct load_ring *r);

/* frame.c */
uint8_t *load_head_put(uint8_t *frame, const uint8_t dst[6], const uint8_t src[6], const uint8_t *tags,
	size_t tag_bytes, uint16_t ethertype); /* returns where the payload begins */
struct load_udp {
	uint32_t saddr, daddr;
	uint16_t sport, dport;
	uint16_t pppoe_id; /* 0: not in PPPoE */
	const uint8_t *payload;
	uint32_t length;
};
uint32_t load_udp_put(uint8_t *p, const struct load_udp *u); /* the IP packet; returns its length */
/* Finds a UDP payload in a received frame; false if it is none, or its IPv4 checksum is wrong. */
bool load_udp_parse(const struct load_packet *p, struct load_udp *ret);

/* exchange.c: "dora", "dual", "renew", "renew6"; -EINVAL: another phase. */
struct load_result {
	uint64_t sent, completed, failed, timeouts, naks, unexpected;
	uint64_t advertisements; /* nobody had asked for */
	uint64_t began_ns, ended_ns;
	struct load_histogram offer, ack, router, reply6, whole;
};
int load_run_exchange(
	const char *phase, struct load_lines *lines, struct load_ring *ring, struct load_result *r);
/* dhcp.c */
int load_run_release(struct load_lines *lines, struct load_ring *ring, struct load_result *r);

/* traffic.c */
struct load_direction {
	uint64_t sent, received, bytes;
	struct load_histogram latency;
};
int load_run_traffic(struct load_lines *lines, struct load_ring *access, struct load_ring *core,
	struct load_direction *up, struct load_direction *down);

uint64_t load_now_ns(void);

/* main.c: set by SIGINT and SIGTERM: the phase under way ends and is reported. */
extern volatile int load_interrupted;

#endif
