/* SPDX-License-Identifier: Apache-2.0 */
/* Programs on ports: pinned XDP links (native, generic) or libxdp's dispatcher (shared). */
#ifndef BNG_ATTACH_H
#define BNG_ATTACH_H

#include "program.h"

/* Attaches the loaded program to its port, or leaves an equal one alone, or swaps it on the hook. */
int bng_attach(
	struct bng_kern *kern, uint32_t port, const struct bng_program *program, struct bng_words *words);

/* Attaches through libxdp, which loads the program itself. */
int bng_attach_shared(
	struct bng_kern *kern, uint32_t port, const struct bng_program *program, struct bng_words *words);

/* Detaches every pinned link. */
int bng_attach_remove_all(struct bng_kern *kern, struct bng_words *words);

#endif
