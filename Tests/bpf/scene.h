// SPDX-License-Identifier: Apache-2.0
// Three subscribers on the test bed, one packet in and one result out, and the check every test ends with.
#ifndef BNG_TEST_SCENE_H
#define BNG_TEST_SCENE_H

#include "bed.h"
#include "packet.h"

enum { SLOT_A = 1, SLOT_B = 2, SLOT_R = 3 };

extern struct bed bed;
extern bool seen[BNG_REASONS]; // reasons that had a case so far
extern struct packet p;
extern struct bed_result out;
extern const uint8_t mac_a[6], mac_b[6], mac_relay[6], mac_stranger[6], broadcast[6];

/* A: QinQ 88a8 10.20 with 100.64.1.2; B: one tag 30 on the second access port with 100.64.3.4; R: 100.64.5.6
 * behind a relay. */
extern const struct bng_line_key line_a, line_b;
extern struct bng_line_key line_r;

struct bng_session session_a(void);
struct bng_session session_b(void);
struct bng_session session_r(void);
void put(const struct bng_line_key *line, struct bng_session session, int64_t seconds_left);

// Setup of a test: the bed empty but for the three subscribers with a lease.
int scene(void **state);
void change_port(int index, uint16_t mtu, uint8_t add, uint8_t remove, const char *ipv4);

// Runs p through the port's program into out.
void run(int port);
// Exactly one reason was counted, and the verdict goes with its kind.
void expect(int port, int reason);
void expect_punt(int reason, int class, uint64_t session_id);

// The frame went to the agent, which is to send it out of out_port.
struct bng_punt *expect_handed_over(int port, int reason, int class, int out_port, int detail);

struct packet_layers from_a(const char *destination);
struct packet_layers from_core(const char *destination);
void udp(struct packet_layers layers, uint32_t length);
void check_line(const uint8_t *frame, const uint8_t *mac, const char *tags, uint32_t tag_bytes);

#endif
