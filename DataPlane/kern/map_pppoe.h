/* SPDX-License-Identifier: Apache-2.0 */
/* Typed access to pppoe_services: the service of a port's access domain, under the port's index. */
#ifndef BNG_MAP_PPPOE_H
#define BNG_MAP_PPPOE_H

#include "kern.h"

/* Brings every port's entry to what holds after the change of a Port or a PPPoEService. */
int bng_map_pppoe_service_write(
	struct bng_kern *kern, const struct bng_state *state, const struct bng_change *change);

#endif
