/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Values the agent sets before a program is loaded. One program instance is loaded per port. */
#ifndef BNG_TUNABLES_H
#define BNG_TUNABLES_H

#include "bng_abi.h"

const volatile __u32 bng_port_index = 0;	/* of the port this instance is attached to; 0 is never loaded */

#endif
