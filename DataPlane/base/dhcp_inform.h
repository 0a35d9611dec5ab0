/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DHCPINFORM (RFC 2131 3.4) as a host asks where its controller is, and the answers: option 224
 * (site-specific, RFC 3942) or sub-option 1 of option 43 (RFC 2132 8.4), both text; option 15, the domain.
 * What a server says is hostile until pinned.
 */
#ifndef BNG_DHCP_INFORM_H
#define BNG_DHCP_INFORM_H

#include "bytes.h"

enum { BNG_DHCP_FRAME = 342, BNG_DHCP_TEXT = 256 };

struct bng_dhcp_inform {
	uint8_t mac[6];
	uint8_t address[4]; /* the host's own */
	uint32_t xid;
};

struct bng_dhcp_answer {
	char controllers[BNG_DHCP_TEXT]; /* endpoints, separated by spaces; empty: none */
	char domain[BNG_DHCP_TEXT];
};

/* The whole Ethernet frame of an inform, broadcast. */
void bng_dhcp_inform_build(const struct bng_dhcp_inform *inform, uint8_t ret_frame[BNG_DHCP_FRAME]);

/* An Ethernet frame: 0 if it is the acknowledgement of this inform; -EBADMSG if not, or it is malformed. */
int bng_dhcp_inform_read(
	const struct bng_dhcp_inform *inform, struct bng_bytes frame, struct bng_dhcp_answer *ret_answer);

#endif
