// SPDX-License-Identifier: Apache-2.0
// Verified instructions per program, as the kernel counts them for an agent with three capabilities, against
// bpf/verifier-budget.txt: growth over 10 % fails until that file is changed in the same commit. Also: every
// reason has a line in docs/operate/counters.md.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <cmocka.h>

#include "bed.h"

static struct bed bed;

static uint32_t verified_instructions(struct bpf_program *program)
{
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);

	assert_int_equal(bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size), 0);
	return info.verified_insns;
}

static uint32_t budget_of(const char *name)
{
	FILE *f = fopen("bpf/verifier-budget.txt", "r");
	char line[256], found[64];
	uint32_t budget = 0, newest, oldest;
	struct utsname kernel;

	assert_non_null(f);
	assert_int_equal(uname(&kernel), 0);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%63s %u %u", found, &newest, &oldest) == 3 && !strcmp(found, name))
			budget = strncmp(kernel.release, "6.1.", 4) ? newest : oldest;
	fclose(f);
	return budget;
}

static void expect_within_budget(const char *name, struct bpf_program *program)
{
	uint32_t budget = budget_of(name), used = verified_instructions(program);

	print_message("%s: %u verified instructions, budget %u\n", name, used, budget);
	assert_true(budget > 0);
	assert_true(used <= budget + budget / 10);
}

static void xdp_access_is_within_its_budget(void **state)
{
	(void)state;
	expect_within_budget("xdp_access", bed.access->progs.xdp_access);
}

static void xdp_core_is_within_its_budget(void **state)
{
	(void)state;
	expect_within_budget("xdp_core", bed.core->progs.xdp_core);
}

static void every_reason_is_explained(void **state)
{
	FILE *f = fopen("docs/operate/counters.md", "r");
	char *text = calloc(1, 1 << 18), wanted[128];
	int missing = 0;

	(void)state;
	assert_non_null(f);
	assert_true(fread(text, 1, (1 << 18) - 1, f) > 0);
	fclose(f);
	for (int i = 1; i < BNG_REASONS; i++) {
		snprintf(wanted, sizeof(wanted), "`%s`", bed_reason_name(i));
		if (!strstr(text, wanted)) {
			print_error("docs/operate/counters.md does not explain %s\n", bed_reason_name(i));
			missing++;
		}
	}
	free(text);
	assert_int_equal(missing, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(xdp_access_is_within_its_budget),
		cmocka_unit_test(xdp_core_is_within_its_budget), cmocka_unit_test(every_reason_is_explained)};

	if (geteuid() != 0)
		return 77;
	if (bed_network(&bed) || bed_load(&bed, 64)) {
		fprintf(stderr, "cannot set up the bed\n");
		return 1;
	}
	return cmocka_run_group_tests_name("verifier_budget", tests, NULL, NULL);
}
