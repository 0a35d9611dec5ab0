// SPDX-License-Identifier: Apache-2.0
// The configuration file: the example is good, and what is wrong is named with its line.
#include "test.h"

#include "options.h"

#include <stdio.h>

static const char good[] =
	"node = edge1\ncontroller = unix:/run/x.sock\npins = /sys/fs/bpf/x\nport = access0 access\n";

static struct bng_options options;
static char error[512];

static void refused(const char *extra, const char *words)
{
	char text[2048];
	int size = snprintf(text, sizeof(text), "%s%s", good, extra);

	assert_true(bng_options_parse("f.conf", text, (size_t)size, &options, error, sizeof(error)) < 0);
	if (!strstr(error, words))
		fail_msg("'%s' does not say '%s'", error, words);
}

TEST(the_example_is_good)
{
	assert_int_equal(bng_options_read("deploy/examples/agent.conf", &options, error, sizeof(error)), 0);
	assert_string_equal(options.node, "edge1");
	assert_string_equal(options.controller.path, "/run/bng/agents.sock");
	assert_int_equal(options.port_count, 2);
	assert_int_equal(options.ports[2].role, BNG_ROLE_CORE);
	assert_int_equal(options.max_sessions, 65536);
}

TEST(tls_controllers_are_split_into_host_and_port)
{
	static const char text[] = "node=n\npins=/b\nport=a access\ncontroller=tls:[2001:db8::1]:7401\n"
				   "tls-certificate=/c\ntls-key=/k\ntls-authority=/a\n";

	assert_int_equal(bng_options_parse("f", text, sizeof(text) - 1, &options, error, sizeof(error)), 0);
	assert_string_equal(options.controller.host, "2001:db8::1");
	assert_string_equal(options.controller.port, "7401");
}

TEST(mistakes_are_named_with_file_and_line)
{
	refused("prot = core0 core\n", "f.conf:5: unknown key 'prot'");
	refused("port = access0 access\n", "f.conf:5: port access0 stands here twice");
	refused("port = core0 kore\n", "f.conf:5: expected the role access or core");
	refused("port = core0\n", "f.conf:5: expected port = INTERFACE access|core");
	refused("port = averyveryverylongname core\n", "at most 15 characters");
	refused("\n\nattach = fast\n", "f.conf:7: expected attach = auto, native, generic or shared");
	refused("max-sessions = 0\n", "expected max-sessions from 1 to");
	refused("max-sessions = 99999999999\n", "expected max-sessions from 1 to");
	refused("max-sessions = 5x\n", "not '5x'");
	refused("controller = tcp:1.2.3.4\n", "expected unix:/path or tls:host:port");
	refused("controller = tls:host:0\n", "port from 1 to 65535");
	refused("controller = tls:host:7401\n", "expected tls-certificate, tls-key and tls-authority");
	refused("pins = relative\n", "absolute path");
	refused("node\n", "expected key = value");
	refused("node = # nothing\n", "expected a value for 'node'");
}

TEST(missing_keys_are_named)
{
	static const char *const texts[] = {
		"", "node = n\n", "node = n\npins = /b\n", "node = n\npins = /b\nport = a access\n"};
	static const char *const words[] = {
		"node = NAME", "pins = DIRECTORY", "at least one port", "controller = "};
	size_t i;

	for (i = 0; i < 4; i++) {
		assert_true(bng_options_parse(
				    "f", texts[i], strlen(texts[i]), &options, error, sizeof(error)) < 0);
		assert_non_null(strstr(error, words[i]));
	}
}
