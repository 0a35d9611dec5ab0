// SPDX-License-Identifier: Apache-2.0
// libcap: effective, permitted and inheritable sets, the bounding and ambient sets; no new privileges by
// exec.
#include "privileges.h"

#include <errno.h>
#include <sys/capability.h>
#include <sys/prctl.h>

/* The first NEEDED always; libxdp's dispatcher, which looks programs up by id, needs the rest as well. */
static const cap_value_t capabilities[] = {CAP_BPF, CAP_NET_ADMIN, CAP_NET_RAW, CAP_PERFMON, CAP_SYS_ADMIN};
enum { NEEDED = 3, ALL = sizeof(capabilities) / sizeof(capabilities[0]) };

static bool is_permitted(cap_t held, cap_value_t value)
{
	cap_flag_value_t flag = CAP_CLEAR;

	return !cap_get_flag(held, value, CAP_PERMITTED, &flag) && flag == CAP_SET;
}

static int needed_for(enum bng_attach_mode attach)
{
	return attach == BNG_ATTACH_SHARED ? ALL : NEEDED;
}

static int keep(int count)
{
	cap_t held = cap_get_proc(), wanted = cap_init();
	int err = held && wanted ? 0 : -ENOMEM, i;

	for (i = 0; i < count && !err; i++)
		if (is_permitted(held, capabilities[i]) &&
			(cap_set_flag(wanted, CAP_PERMITTED, 1, &capabilities[i], CAP_SET) ||
				cap_set_flag(wanted, CAP_EFFECTIVE, 1, &capabilities[i], CAP_SET)))
			err = -errno;
	if (!err && cap_set_proc(wanted))
		err = -errno;
	(void)cap_free(held);
	(void)cap_free(wanted);
	return err;
}

static int check(enum bng_attach_mode attach, struct bng_words *words)
{
	cap_t held = cap_get_proc();
	int err = held ? 0 : -ENOMEM, i;

	for (i = 0; i < needed_for(attach) && !err; i++)
		if (!is_permitted(held, capabilities[i])) {
			bng_say(words, attach == BNG_ATTACH_SHARED
					       ? "attach = shared needs CAP_BPF, CAP_NET_ADMIN, CAP_NET_RAW, "
						 "CAP_PERFMON and CAP_SYS_ADMIN"
					       : "needs CAP_BPF, CAP_NET_ADMIN and CAP_NET_RAW");
			err = -EPERM;
		}
	(void)cap_free(held);
	return err;
}

int bng_privileges_for_loading(enum bng_attach_mode attach, struct bng_words *words)
{
	cap_value_t value;
	int err = check(attach, words);

	if (err)
		return err;
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)cap_reset_ambient();
	/* The bounding set can only be cut with CAP_SETPCAP, which is about to go. */
	for (value = 0; value <= cap_max_bits(); value++)
		(void)cap_drop_bound(value);
	return keep(ALL);
}

int bng_privileges_for_running(enum bng_attach_mode attach)
{
	return keep(needed_for(attach));
}
