/* SPDX-License-Identifier: Apache-2.0 */
/* Programs on ports: pinned XDP links (native, generic) or libxdp's dispatcher (shared). */
#ifndef BNG_ATTACH_H
#define BNG_ATTACH_H

#include "program.h"

/* Attaches the loaded program to its port, or leaves an equal one alone, or swaps it on the hook. */
int bng_attach(
	struct bng_kern *kern, uint32_t port, const struct bng_program *program, struct bng_words *words);

/* The same behind libxdp's dispatcher. libxdp loads again what it attaches, as an extension of the
 * dispatcher: it gets an instance that is open but not loaded. */
int bng_attach_shared(struct bng_kern *kern, uint32_t port, const struct bng_program *loaded,
	const struct bng_program *unloaded, struct bng_words *words);

/* Takes ours from behind the dispatchers they were attached to, and leaves the others there. */
int bng_detach_shared(const struct bng_kern *kern, struct bng_words *words);

/* Detaches every pinned link. */
int bng_attach_remove_all(struct bng_kern *kern, struct bng_words *words);

#endif
