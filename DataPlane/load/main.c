// SPDX-License-Identifier: Apache-2.0
// Runs the phases in order and prints one JSON object.

#include "ppp.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

volatile int load_interrupted;

static void interrupt(int signal_number)
{
	(void)signal_number;
	load_interrupted = 1;
}

static void print_result(const char *phase, const struct load_result *r, uint64_t ring_drops)
{
	double seconds = (double)(r->ended_ns - r->began_ns) / 1e9;

	printf("{\"phase\": \"%s\", \"sent\": %llu, \"completed\": %llu, \"failed\": %llu, \"timeouts\": "
	       "%llu, \"naks\": %llu, "
	       "\"unexpected\": %llu, \"ring_drops\": %llu, \"seconds\": %.3f, \"rate_per_s\": %.1f, ",
		phase, (unsigned long long)r->sent, (unsigned long long)r->completed,
		(unsigned long long)r->failed, (unsigned long long)r->timeouts, (unsigned long long)r->naks,
		(unsigned long long)r->unexpected, (unsigned long long)ring_drops, seconds,
		(double)r->completed / (seconds > 0 ? seconds : 1));
	load_histogram_print(stdout, "offer", &r->offer);
	printf(", ");
	load_histogram_print(stdout, "ack", &r->ack);
	printf(", ");
	if (r->router.count || r->reply6.count) {
		printf("\"advertisements\": %llu, ", (unsigned long long)r->advertisements);
		load_histogram_print(stdout, "router", &r->router);
		printf(", ");
		load_histogram_print(stdout, "reply6", &r->reply6);
		printf(", ");
	}
	load_histogram_print(stdout, "exchange", &r->whole);
	printf("}");
}

static void print_direction(const char *name, const struct load_direction *d)
{
	printf("\"%s\": {\"sent\": %llu, \"received\": %llu, \"lost\": %lld, \"bytes\": %llu, ", name,
		(unsigned long long)d->sent, (unsigned long long)d->received,
		(long long)(d->sent - d->received), (unsigned long long)d->bytes);
	load_histogram_print(stdout, "latency", &d->latency);
	printf("}");
}

static int run_traffic(struct load_lines *lines, struct load_ring *ring)
{
	struct load_direction *up = calloc(2, sizeof(*up));
	struct load_ring core;
	int status, err;

	if (!up)
		return -ENOMEM;
	err = load_ring_open(&core, lines->options->core_interface, lines->options->core_netns);
	if (err) {
		free(up);
		return err;
	}
	status = load_run_traffic(lines, ring, &core, up, up + 1);
	printf("{\"phase\": \"traffic\", ");
	print_direction("up", up);
	printf(", ");
	print_direction("down", up + 1);
	printf("}");
	load_ring_close(&core);
	free(up);
	return status;
}

static int run_ppp(const char *phase, struct load_lines *lines, struct load_ring *ring)
{
	struct load_ppp_result *r = calloc(1, sizeof(*r));
	int status = r ? load_run_ppp(phase, lines, ring, r) : -ENOMEM;

	if (status >= 0)
		load_ppp_print(phase, r, load_ring_drops(ring));
	free(r);
	return status;
}

static int run_phase(const char *phase, struct load_lines *lines, struct load_ring *ring)
{
	struct load_result *r;
	int status;

	if (strcmp(phase, "traffic") == 0)
		return run_traffic(lines, ring);
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	if (strcmp(phase, "release") == 0)
		status = load_run_release(lines, ring, r);
	else
		status = load_run_exchange(phase, lines, ring, r);
	if (status >= 0)
		print_result(phase, r, load_ring_drops(ring));
	free(r);
	return status == -EINVAL ? run_ppp(phase, lines, ring) : status;
}

static int run_phases(struct load_lines *lines, struct load_ring *ring)
{
	char *list = strdup(lines->options->phases), *rest = NULL;
	int worst = 0;

	if (!list)
		return -ENOMEM;
	printf("{\"lines\": %u, \"phases\": [", lines->count);
	for (char *phase = strtok_r(list, ",", &rest); phase && worst >= 0;
		phase = strtok_r(NULL, ",", &rest)) {
		int status = run_phase(phase, lines, ring);

		if (status == -EINVAL)
			fprintf(stderr,
				"bng-load: --phases %s: expected dora, dual, renew, renew6, release, "
				"traffic, pppoe, hold, "
				"padt, abandon or padi-flood\n",
				phase);
		worst = status < 0 ? status : worst | status;
		if (rest && *rest)
			printf(", ");
		(void)fflush(stdout);
	}
	printf("]}\n");
	free(list);
	return worst;
}

/* With the lines allocated: leases, ring, phases. Exit status. */
static int run(struct load_lines *lines)
{
	const struct load_options *o = lines->options;
	struct load_ring ring;
	int err = o->leases_in ? load_leases_read(lines, o->leases_in) : 0;

	if (err) {
		fprintf(stderr, "bng-load: %s: %s\n", o->leases_in, strerror(-err));
		return 2;
	}
	err = load_ring_open(&ring, o->interface, NULL);
	if (err) {
		fprintf(stderr, "bng-load: %s: %s\n", o->interface, strerror(-err));
		return 2;
	}
	err = run_phases(lines, &ring);
	if (err >= 0 && o->leases_out && load_leases_write(lines, o->leases_out) != 0) {
		fprintf(stderr, "bng-load: %s: cannot be written\n", o->leases_out);
		err = 1;
	}
	load_ring_close(&ring);
	if (err < 0) {
		fprintf(stderr, "bng-load: %s\n", strerror(-err));
		return 2;
	}
	return err;
}

int main(int argc, char **argv)
{
	struct load_options o;
	struct load_lines lines;
	int status;

	if (load_options_parse(&o, argc, argv))
		return 2;
	lines = (struct load_lines){
		.count = o.lines, .options = &o, .line = calloc(o.lines, sizeof(struct load_line))};
	if (!lines.line) {
		fprintf(stderr, "bng-load: no memory for %u lines\n", o.lines);
		return 1;
	}
	(void)signal(SIGINT, interrupt);
	(void)signal(SIGTERM, interrupt);
	status = run(&lines);
	free(lines.session);
	free(lines.ipv6);
	free(lines.line);
	return status;
}
