/* SPDX-License-Identifier: Apache-2.0 */
/* What a network interface says of itself: found by net/, used by kern/ and agent/. */
#ifndef BNG_INTERFACE_H
#define BNG_INTERFACE_H

#include <stdbool.h>
#include <stdint.h>

struct bng_interface {
	uint32_t index; /* 0: absent */
	uint32_t mtu;
	uint32_t ipv4; /* first address, network order; 0: none */
	uint8_t mac[6];
	bool link_up;
	char driver[32];
};

#endif
