/* SPDX-License-Identifier: Apache-2.0 */
/* The connection on which this host asks for a certificate: before it is a node, and again before the
 * certificate ends. */
#ifndef BNG_ENROLLER_H
#define BNG_ENROLLER_H

#include "connection.h"
#include "discover.h"
#include "enrol.h"
#include "options.h"
#include "prover.h"

struct bng_enroller {
	struct bng_connection connection; /* first: its news lead back here */
	struct bng_enrol machine;
	struct bng_loop *loop;
	const struct bng_options *options;
	struct bng_prover *prover;
	void *tls_context;
	struct bng_discovered found; /* with controller = discover: what is tried in turn */
	size_t next;
	struct bng_endpoint dialled;
	bool approved;  /* the files are written; the owner takes it back */
	char told[600]; /* what was last logged, so that it is logged once */
};

void bng_enroller_init(struct bng_enroller *enroller, struct bng_loop *loop,
	const struct bng_options *options, struct bng_prover *prover);
void bng_enroller_done(struct bng_enroller *enroller);

/* Begins to ask, if it is not at it. */
void bng_enroller_start(struct bng_enroller *enroller);
void bng_enroller_tick(struct bng_enroller *enroller);

/* Asks until this host is a node: blocks, ends by signals. Nothing to do if it is one. -errno with words. */
int bng_enrol_until_approved(const struct bng_options *options, char *words, size_t size);

/* When a certificate should be replaced, UTC milliseconds: two thirds into its time. 0: there is none. */
uint64_t bng_enroller_renew_at(const struct bng_options *options);

#endif
