// SPDX-License-Identifier: Apache-2.0
// libcap: effective, permitted and inheritable sets, the bounding and ambient sets; no new privileges by
// exec.
#include "privileges.h"

#include <errno.h>
#include <sys/capability.h>
#include <sys/prctl.h>

static const cap_value_t needed[] = {CAP_BPF, CAP_NET_ADMIN, CAP_NET_RAW};
static const cap_value_t for_loading[] = {CAP_BPF, CAP_NET_ADMIN, CAP_NET_RAW, CAP_PERFMON, CAP_SYS_ADMIN};

static bool is_permitted(cap_t held, cap_value_t value)
{
	cap_flag_value_t flag = CAP_CLEAR;

	return !cap_get_flag(held, value, CAP_PERMITTED, &flag) && flag == CAP_SET;
}

static int keep(const cap_value_t *values, int count)
{
	cap_t held = cap_get_proc(), wanted = cap_init();
	int err = held && wanted ? 0 : -ENOMEM, i;

	for (i = 0; i < count && !err; i++)
		if (is_permitted(held, values[i]) &&
			(cap_set_flag(wanted, CAP_PERMITTED, 1, &values[i], CAP_SET) ||
				cap_set_flag(wanted, CAP_EFFECTIVE, 1, &values[i], CAP_SET)))
			err = -errno;
	if (!err && cap_set_proc(wanted))
		err = -errno;
	(void)cap_free(held);
	(void)cap_free(wanted);
	return err;
}

int bng_privileges_for_loading(struct bng_words *words)
{
	cap_t held = cap_get_proc();
	cap_value_t value;
	size_t i;
	int err = held ? 0 : -ENOMEM;

	for (i = 0; i < sizeof(needed) / sizeof(needed[0]) && !err; i++)
		if (!is_permitted(held, needed[i])) {
			bng_say(words, "needs CAP_BPF, CAP_NET_ADMIN and CAP_NET_RAW");
			err = -EPERM;
		}
	(void)cap_free(held);
	if (err)
		return err;
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)cap_reset_ambient();
	/* The bounding set can only be cut with CAP_SETPCAP, which is about to go. */
	for (value = 0; value <= cap_max_bits(); value++)
		(void)cap_drop_bound(value);
	return keep(for_loading, sizeof(for_loading) / sizeof(for_loading[0]));
}

int bng_privileges_for_running(void)
{
	return keep(needed, sizeof(needed) / sizeof(needed[0]));
}
