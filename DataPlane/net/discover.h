/* SPDX-License-Identifier: Apache-2.0 */
/* Where the controller may be, as the management network says: DHCP, else DNS SRV. Waits some seconds: for
 * hosts that are no node yet. */
#ifndef BNG_DISCOVER_H
#define BNG_DISCOVER_H

#include "connection.h"

enum { BNG_DISCOVERED_MAX = 8 };

struct bng_discovered {
	struct bng_endpoint endpoints[BNG_DISCOVERED_MAX]; /* in the order to try them */
	size_t count;
};

/* "tls:HOST:PORT", HOST an address in brackets or not, or a name. False if it is something else. */
bool bng_endpoint_parse(const char *text, struct bng_endpoint *ret_endpoint);

/* Asks on this interface, and its network's DNS. -errno with a sentence in words when nobody says anything.
 */
int bng_discover(const char *interface, struct bng_discovered *ret_found, char *words, size_t size);

#endif
