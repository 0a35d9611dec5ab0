/* SPDX-License-Identifier: Apache-2.0 */
/* Network interfaces: what they are, and word of their changes. */
#ifndef BNG_WATCH_H
#define BNG_WATCH_H

#include <stddef.h>

#include "interface.h"

/* -ENODEV: *ret_interface is zero. */
int bng_interface_query(const char *name, struct bng_interface *ret_interface);

/* Whether the kernel forwards IPv4, or IPv6, that arrives on this interface. */
bool bng_interface_forwards(const char *name, bool ipv6);

/* A netlink socket subscribed to link and IPv4 address changes. */
int bng_watch_open(void);

/* Drains it; true if anything about any interface may have changed (also when messages were lost). */
bool bng_watch_drain(int fd);

#endif
