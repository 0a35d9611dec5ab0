// SPDX-License-Identifier: Apache-2.0
// Command line of bng-agent.
#include "agent.h"

#include "credentials.h"
#include "log.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static const char usage[] =
	"usage: bng-agent [--config FILE] [--check | --detach | --trust PIN | --version | --help]\n"
	"\n"
	"Programs the XDP data plane of this host's ports as a controller says.\n"
	"\n"
	"  --config FILE  configuration (default /etc/bng/agent.conf)\n"
	"  --check        reads the configuration and says what is wrong with it\n"
	"  --detach       removes programs and pins, and with them all sessions; the agent must not run\n"
	"  --trust PIN    before enrolment: the controller that shows sha256:... is ours (see its log, or "
	"ours)\n"
	"  --version      prints the version\n"
	"\n"
	"On SIGTERM the agent ends, but leaves programs attached and maps pinned: traffic and DHCP renewals "
	"go on,\n"
	"and the next start adopts them. Use --detach to stop forwarding.\n";

enum mode { MODE_RUN, MODE_CHECK, MODE_DETACH, MODE_TRUST };

static int say_words(const char *what, const struct bng_words *words, int err)
{
	bng_log("error", what, "reason=%s",
		bng_quote(words->text[0] ? words->text : strerrordesc_np(-err)).text);
	return EXIT_FAILURE;
}

static int detach(const struct bng_options *options)
{
	struct bng_words words = {0};
	struct bng_kern kern;
	int err;

	bng_kern_init(&kern, options->pins, options->attach, options->max_sessions);
	err = bng_kern_detach(&kern, &words);
	bng_kern_done(&kern);
	return err ? say_words("detach_failed", &words, err) : EXIT_SUCCESS;
}

/* A host that is no node yet asks until it is one. */
static int become_node(struct bng_options *options)
{
	char error[512] = "";
	int err;

	if (!options->state[0])
		return 0;
	err = bng_enrol_until_approved(options, error, sizeof(error));
	if (!err)
		err = bng_options_enrolled(options, error, sizeof(error));
	if (err)
		bng_log("error", "enrolment_failed", "reason=%s",
			bng_quote(*error ? error : strerrordesc_np(-err)).text);
	return err;
}

static int trust(const struct bng_options *options, const char *pin)
{
	char line[80], words[256] = "";
	uint8_t bytes[BNG_TLS_HASH];
	int err;

	if (!options->state[0] || !bng_options_pin(pin, bytes)) {
		fprintf(stderr, "bng-agent: --trust: expected sha256: and 64 hexadecimal digits, and state = "
				"DIRECTORY in the configuration\n");
		return 2;
	}
	(void)snprintf(line, sizeof(line), "%s\n", pin);
	err = bng_credentials_key(options->state, words, sizeof(words));
	if (!err)
		err = bng_credentials_write(options->state, "controller.pin", line, strlen(line));
	if (err)
		fprintf(stderr, "bng-agent: %s\n", *words ? words : strerrordesc_np(-err));
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int run(const struct bng_options *options)
{
	static struct bng_agent agent;
	struct bng_words words = {0};
	int err = bng_agent_start(&agent, options, &words);

	if (err) {
		bng_agent_stop(&agent);
		return say_words("start_failed", &words, err);
	}
	if (words.text[0])
		bng_log("warning", "started_with_warnings", "text=%s", bng_quote(words.text).text);
	bng_log("info", "ready", "node=%s version=%s", options->node, BNG_VERSION);
	err = bng_agent_run(&agent);
	bng_log("info", "stopping", "reason=%s", err ? "loop_failed" : "signal");
	bng_agent_stop(&agent);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static const struct option long_options[] = {
		{"config", required_argument, NULL, 'c'},
		{"check", no_argument, NULL, 'k'},
		{"detach", no_argument, NULL, 'd'},
		{"trust", required_argument, NULL, 't'},
		{"version", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	const char *file = "/etc/bng/agent.conf";
	enum mode mode = MODE_RUN;
	static struct bng_options options;
	const char *pin = "";
	char error[512];
	int option;

	while ((option = getopt_long(argc, argv, "c:h", long_options, NULL)) >= 0) {
		switch (option) {
		case 'c':
			file = optarg;
			break;
		case 'k':
			mode = MODE_CHECK;
			break;
		case 'd':
			mode = MODE_DETACH;
			break;
		case 't':
			mode = MODE_TRUST;
			pin = optarg;
			break;
		case 'v':
			printf("bng-agent %s\n", BNG_VERSION);
			return EXIT_SUCCESS;
		case 'h':
			fputs(usage, stdout);
			return EXIT_SUCCESS;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (optind < argc || bng_options_read(file, &options, error, sizeof(error))) {
		fprintf(stderr, "bng-agent: %s\n", optind < argc ? "unexpected argument" : error);
		return 2;
	}
	if (mode == MODE_CHECK) {
		printf("%s: good: node %s, %u ports, up to %u sessions\n", file, options.node,
			options.port_count, options.max_sessions);
		return EXIT_SUCCESS;
	}
	if (mode == MODE_TRUST)
		return trust(&options, pin);
	if (mode == MODE_DETACH)
		return detach(&options);
	return become_node(&options) ? EXIT_FAILURE : run(&options);
}
