/* SPDX-License-Identifier: Apache-2.0 */
/* Capabilities: what loading needs, then what running needs, nothing else. */
#ifndef BNG_PRIVILEGES_H
#define BNG_PRIVILEGES_H

#include "kern.h"

/* Keeps CAP_BPF, CAP_NET_ADMIN, CAP_NET_RAW, and for loading CAP_PERFMON and CAP_SYS_ADMIN where present.
 * -EPERM in words if one of the first is missing; attach = shared needs all five. */
int bng_privileges_for_loading(enum bng_attach_mode attach, struct bng_words *words);

/* Keeps the first three; with attach = shared all, to attach to an interface that comes back. */
int bng_privileges_for_running(enum bng_attach_mode attach);

#endif
