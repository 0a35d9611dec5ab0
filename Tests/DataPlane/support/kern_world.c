// SPDX-License-Identifier: Apache-2.0
// Three veths, a BPF file system and the maps in it, as bng-agent makes them.
#include "kern_world.h"

#include "apply.h"
#include "attach.h"
#include "map_policy.h"
#include "map_session.h"
#include "objects.h"
#include "test.h"
#include "watch.h"

#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>

const struct bng_clock world_clock = {.boot_ns = 1000000000000ULL, .utc_ms = 1800000000000ULL};
static const struct bng_refusal good = {.code = BNG_OK};
static char bpffs[64];
char pins[WORLD_PINS_SIZE];
struct bng_kern kern;
struct bng_state state;
struct bng_words words;

void world_load(void)
{
	static const char *const names[] = {"", "access0", "core0", "access1"};
	uint32_t i;

	snprintf(pins, sizeof(pins), "%s/node", bpffs);
	words.text[0] = 0;
	test_state_init(&state, 100);
	bng_kern_init(&kern, pins, BNG_ATTACH_AUTO, 100);
	kern.port_count = 3;
	for (i = 1; i <= 3; i++) {
		strcpy(kern.ports[i].name, names[i]);
		kern.ports[i].role = i == 2 ? BNG_ROLE_CORE : BNG_ROLE_ACCESS;
		assert_int_equal(bng_interface_query(names[i], &kern.ports[i].interface), 0);
	}
	if (bng_kern_load(&kern, 77, &words))
		fail_msg("%s", words.text);
}

void world_unload(void)
{
	bng_kern_done(&kern);
	bng_state_done(&state);
}

void world_begin(void)
{
	static int made;
	const char *const commands = "ip link set lo up; for p in access0 core0 access1; do ip link add $p "
				     "type veth peer name ${p}p && "
				     "ip link set $p up && ip link set ${p}p up || exit 1; done";

	if (!made++) {
		strcpy(bpffs, "/tmp/bng-kern-test-XXXXXX");
		assert_non_null(mkdtemp(bpffs));
		assert_int_equal(system(commands), 0);
		assert_int_equal(mount("bpf", bpffs, "bpf", 0, NULL), 0);
	}
	world_load();
}

__attribute__((destructor)) static void clean_up(void)
{
	if (bpffs[0]) {
		(void)umount(bpffs);
		(void)rmdir(bpffs);
	}
}

void world_end(void)
{
	world_unload();
	words.text[0] = 0;
	bng_kern_init(&kern, pins, BNG_ATTACH_AUTO, 100);
	if (bng_kern_detach(&kern, &words))
		fail_msg("%s", words.text);
	bng_kern_done(&kern);
	assert_int_equal(bng_test_live_blocks(), 0);
}

void world_upsert(const union bng_any_object *object)
{
	static const uint8_t packed[300] = "stands for the packed object";
	struct bng_refusal refusal;
	struct bng_change change;

	assert_int_equal(bng_state_prepare(&state, object, &good, &change, &refusal), 0);
	assert_int_equal(bng_kern_upsert(&kern, &state, &change, (struct bng_bytes){packed, sizeof(packed)},
				 &world_clock),
		0);
	bng_state_commit(&state, &change);
}

void world_remove_session(uint64_t id, struct bng_final *final)
{
	struct bng_refusal refusal;
	struct bng_change change;

	assert_int_equal(bng_state_prepare_removal(&state, BNG_FAMILY_SESSION, id, 99, &change, &refusal), 0);
	assert_int_equal(bng_kern_remove(&kern, &state, &change, &world_clock, final), 0);
	bng_state_commit(&state, &change);
}

void world_upsert_base(void)
{
	union bng_any_object all[] = {
		test_port(1, "access0", BNG_ROLE_ACCESS, 1),
		test_identity(1, "100.64.0.1"),
		test_template(1, 1, "100.64.0.1"),
		test_kernel_hop(1),
		test_route(1, "0.0.0.0", 0, 1),
	};
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		world_upsert(&all[i]);
}

/* What adopt.c does, without the wire: the same objects into a fresh state, then the two reconciliations. */
uint32_t world_adopt(const union bng_any_object *session)
{
	uint32_t repaired = 0;
	struct bng_refusal refusal;

	test_apply_base(&state);
	if (session)
		assert_int_equal(test_apply(&state, session, &refusal), BNG_OK);
	assert_int_equal(bng_map_policy_reconcile(&kern, &state, &repaired), 0);
	assert_int_equal(bng_map_session_reconcile(&kern, &state, &world_clock, &repaired), 0);
	return repaired;
}

int world_remove(struct bng_change *change)
{
	int err = bng_kern_remove(&kern, &state, change, &world_clock, NULL);

	if (!err)
		bng_state_commit(&state, change);
	return err;
}
