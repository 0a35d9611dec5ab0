/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's table of IPv6 neighbours (rtnetlink). The kernel answers at once: nothing here waits. */
#ifndef BNG_NEIGHBOR_H
#define BNG_NEIGHBOR_H

#include <stdint.h>

/* The descriptor, or a negative errno. */
int bng_neighbor_open(void);

/* Lets the kernel ask for the neighbour's MAC address, unless it knows it. */
int bng_neighbor_probe(int fd, const uint8_t address[16], uint32_t ifindex);

/* -ENOENT: not known, or not yet. */
int bng_neighbor_get(int fd, const uint8_t address[16], uint32_t ifindex, uint8_t ret_mac[6]);

#endif
