/* SPDX-License-Identifier: Apache-2.0 */
/* Paths and directories under an agent's pins. */
#ifndef BNG_PINS_H
#define BNG_PINS_H

#include "kern.h"

struct bng_pin_path {
	char text[PATH_MAX];
};

/* <pins>/<folder>/<name>, dots of the name escaped (bpffs refuses them). folder may be NULL. */
struct bng_pin_path bng_pin_path(const struct bng_kern *kern, const char *folder, const char *name);

/* Makes the directories and takes the lock; -EBUSY if another agent holds it. */
int bng_pins_open(struct bng_kern *kern, struct bng_words *words);

/* Takes the lock if the directory exists; -ENOENT otherwise. */
int bng_pins_lock(struct bng_kern *kern, struct bng_words *words);

/* Removes every pin in a folder, and the folder. */
int bng_pins_remove_folder(const struct bng_kern *kern, const char *folder);

#endif
