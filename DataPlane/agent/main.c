// SPDX-License-Identifier: Apache-2.0
// Command line of bng-agent.
#include "agent.h"

#include "log.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static const char usage[] =
	"usage: bng-agent [--config FILE] [--check | --detach | --version | --help]\n"
	"\n"
	"Programs the XDP data plane of this host's ports as a controller says.\n"
	"\n"
	"  --config FILE  configuration (default /etc/bng/agent.conf)\n"
	"  --check        reads the configuration and says what is wrong with it\n"
	"  --detach       removes programs and pins, and with them all sessions; the agent must not run\n"
	"  --version      prints the version\n"
	"\n"
	"On SIGTERM the agent ends, but leaves programs attached and maps pinned: traffic and DHCP renewals "
	"go on,\n"
	"and the next start adopts them. Use --detach to stop forwarding.\n";

enum mode { MODE_RUN, MODE_CHECK, MODE_DETACH };

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
		{"version", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	const char *file = "/etc/bng/agent.conf";
	enum mode mode = MODE_RUN;
	struct bng_options options;
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
	return mode == MODE_DETACH ? detach(&options) : run(&options);
}
