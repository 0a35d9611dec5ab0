/* SPDX-License-Identifier: Apache-2.0 */
/* Frames out of ports (AF_PACKET) and IP packets into the kernel's forwarding (raw socket). */
#ifndef BNG_PACKET_H
#define BNG_PACKET_H

#include "bytes.h"

enum { BNG_PACKET_BATCH = 64 };

/* A socket that only sends on this interface. */
int bng_packet_open(uint32_t ifindex);

/* Sends up to BNG_PACKET_BATCH frames; returns how many went, negative if the first did not. */
int bng_packet_send(int fd, const struct bng_bytes *frames, unsigned count);

int bng_raw_ip_open(void);
int bng_raw_ip6_open(void);

/* Hands an IPv6 packet (header included) to the kernel's routing, which resolves the neighbour. */
int bng_raw_ip6_send(int fd, struct bng_bytes packet);

/*
 * Hands an IPv4 packet (header included, network order) to the kernel's routing, which resolves the
 * neighbour. gateway: where to route it instead of its destination (0: no); ifindex: through this interface
 * (0: any).
 */
int bng_raw_ip_send(int fd, struct bng_bytes packet, uint32_t gateway, uint32_t ifindex);

#endif
