/* SPDX-License-Identifier: Apache-2.0 */
/* When mappings and connections of NAT44 end. */
#ifndef BNG_NAT_EXPIRY_H
#define BNG_NAT_EXPIRY_H

#include "bng_abi.h"
#include "object.h"

/* session: whose they are; NULL: it is no more, or no longer one that is translated. Keys are of nat_out,
 * nat_flows. */
bool bng_nat_mapping_has_ended(const struct bng_session_object *session, const struct bng_nat_key *key,
	const struct bng_nat_mapping *mapping, uint64_t now_ns);
bool bng_nat_flow_has_ended(const struct bng_session_object *session, const struct bng_nat_flow_key *key,
	const struct bng_nat_flow *flow, uint64_t now_ns);

#endif
