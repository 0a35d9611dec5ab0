// SPDX-License-Identifier: Apache-2.0
// The configuration file: the example is good, and what is wrong is named with its line.
#include "test.h"

#include "options.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

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

static void trust(const char *extra, const char *words)
{
	char text[1024];
	int size =
		snprintf(text, sizeof(text), "node=n\npins=/b\nport=a access\ncontroller=tls:c:1\n%s", extra);
	int err = bng_options_parse("f", text, (size_t)size, &options, error, sizeof(error));

	if (!words)
		assert_int_equal(err, 0);
	else if (!err || !strstr(error, words))
		fail_msg("'%s' does not say '%s'", error, words);
}

#define PIN "controller-pin = sha256:00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00FF\n"

TEST(over_tls_there_is_exactly_one_way_to_be_known)
{
	trust("", "expected, with a tls: controller, one of");
	trust("tls-key = /k\n", "together");
	trust("psk = /p\n", "controller-pin");
	trust("psk = /p\nstate = /s\n" PIN, "one of");
	trust("psk = /p\ncontroller-pin = sha256:zz\n", "64 hexadecimal digits");
	trust("psk = /p\ncontroller-pin = sha256: "
	      "0ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff\n",
		"64 hexadecimal digits");
	trust("psk = /p\n" PIN, NULL);
	assert_true(
		options.has_pin && options.pin[1] == 0xff && options.pin[30] == 0 && options.pin[31] == 0xff);
	trust("state = /s\nserial = 1\n", NULL);
}

TEST(what_enrolment_wrote_completes_the_file_but_does_not_change_it)
{
	static const char text[] = "controller=tls:c:1\npins=/b\nstate=/tmp/bng-options-test\n" PIN;
	FILE *file;

	assert_int_equal(bng_options_parse("f", text, sizeof(text) - 1, &options, error, sizeof(error)), 0);
	assert_true(bng_options_enrolled(&options, error, sizeof(error)) < 0);
	(void)mkdir("/tmp/bng-options-test", 0700);
	file = fopen("/tmp/bng-options-test/node.conf", "w");
	assert_non_null(file);
	fputs("node = edge1\nport = eth0 access\nport = eth1 core\n", file);
	fclose(file);
	assert_int_equal(bng_options_enrolled(&options, error, sizeof(error)), 0);
	assert_string_equal(options.node, "edge1");
	assert_int_equal(options.port_count, 2);
	strcpy(options.node, "edge2");
	assert_true(bng_options_enrolled(&options, error, sizeof(error)) < 0);
	assert_non_null(strstr(error, "enrolled this host as edge1"));
	strcpy(options.node, "edge1");
	options.port_count = 1;
	strcpy(options.ports[1].name, "eth7");
	assert_int_equal(bng_options_enrolled(&options, error, sizeof(error)), 0);
	assert_int_equal(options.port_count, 1);
	assert_string_equal(options.ports[1].name, "eth7");
	unlink("/tmp/bng-options-test/node.conf");
	rmdir("/tmp/bng-options-test");
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
	refused("controller = tcp:1.2.3.4\n", "expected unix:/path, tls:host:port");
	refused("controller = tls:host:0\n", "port from 1 to 65535");
	refused("controller = tls:host:7401\n",
		"one of: tls-certificate, tls-key and tls-authority; psk; state");
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
