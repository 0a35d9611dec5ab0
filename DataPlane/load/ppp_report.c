// SPDX-License-Identifier: Apache-2.0
// What a PPPoE phase came to, as a JSON object.

#include "ppp.h"

static const char *const stages[LOAD_STAGES] = {
	NULL, "padi", "padr", "lcp", "authentication", "network", NULL, NULL};

static void print_number(const char *name, uint64_t value)
{
	printf("\"%s\": %llu, ", name, (unsigned long long)value);
}

static void print_failures(const struct load_ppp_result *r)
{
	const char *separator = "";

	printf("\"failed_in\": {");
	for (int i = 0; i < LOAD_STAGES; i++) {
		if (!stages[i])
			continue;
		printf("%s\"%s\": %llu", separator, stages[i], (unsigned long long)r->failed_in[i]);
		separator = ", ";
	}
	printf("}, ");
}

void load_ppp_print(const char *phase, const struct load_ppp_result *r, uint64_t ring_drops)
{
	double seconds = (double)(r->ended_ns - r->began_ns) / 1e9;

	printf("{\"phase\": \"%s\", ", phase);
	print_number("sent", r->sent);
	print_number("completed", r->completed);
	print_number("failed", r->failed);
	print_failures(r);
	print_number("lost", r->lost);
	print_number("refused", r->refused);
	print_number("timeouts", r->timeouts);
	print_number("unexpected", r->unexpected);
	print_number("duplicates", r->duplicates);
	print_number("late", r->late);
	print_number("padts", r->padts);
	print_number("terminates", r->terminates);
	print_number("renegotiations", r->renegotiations);
	print_number("protocol_rejects", r->protocol_rejects);
	print_number("echo_requests", r->echo_requests);
	print_number("echoes_sent", r->echoes_sent);
	print_number("echo_replies", r->echo_replies);
	print_number("ipv6cp_open", r->ipv6cp_open);
	print_number("pados", r->pados);
	print_number("ring_drops", ring_drops);
	printf("\"seconds\": %.3f, \"rate_per_s\": %.1f, ", seconds,
		(double)r->completed / (seconds > 0 ? seconds : 1));
	load_histogram_print(stdout, "discovery", &r->discovery);
	printf(", ");
	load_histogram_print(stdout, "authentication", &r->authentication);
	printf(", ");
	load_histogram_print(stdout, "exchange", &r->whole);
	printf("}");
}
