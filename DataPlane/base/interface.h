/* SPDX-License-Identifier: Apache-2.0 */
/* What a network interface says of itself: found by net/, used by kern/ and agent/. */
#ifndef BNG_INTERFACE_H
#define BNG_INTERFACE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct bng_interface {
	uint32_t index; /* 0: absent */
	uint32_t mtu;
	uint32_t ipv4; /* first address, network order; 0: none */
	uint8_t mac[6];
	bool link_up;
	char driver[32];
};

static inline bool bng_interface_equal(const struct bng_interface *a, const struct bng_interface *b)
{
	return a->index == b->index && a->mtu == b->mtu && a->ipv4 == b->ipv4 && a->link_up == b->link_up &&
	       memcmp(a->mac, b->mac, sizeof(a->mac)) == 0 && strcmp(a->driver, b->driver) == 0;
}

#endif
