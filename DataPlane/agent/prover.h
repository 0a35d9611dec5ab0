/* SPDX-License-Identifier: Apache-2.0 */
/* Answers to challenges, on whichever connection they are put. */
#ifndef BNG_PROVER_H
#define BNG_PROVER_H

#include "psk.h"

#include "bng/agent/v1/session.pb-c.h"

struct bng_prover {
	struct bng_psk psk; /* size 0: none */
};

/* Where a proof goes; the frame is valid during the call. */
typedef void (*bng_prover_send)(void *owner, const Bng__Agent__V1__AgentFrame *frame);

/* Sends a proof, or why there is none. */
void bng_prover_answer(struct bng_prover *prover, const struct bng_tls *tls,
	const Bng__Agent__V1__Challenge *challenge, bng_prover_send send, void *owner);

#endif
