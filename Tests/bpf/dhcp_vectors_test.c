// SPDX-License-Identifier: Apache-2.0
// The DHCPv4 conformance vectors (Tests/vectors/dhcpv4) through xdp_access: verdict, reply, counters, lease,
// and that what punts or drops leaves as it came.
#include <dirent.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <cmocka.h>

#include "bed.h"
#include "packet.h"

enum { MAX_LINES = 64, MAX_CASES = 256, SLOT = 7, GENERATION = 3 };

struct vector {
	char name[128];
	char text[16384];
	const char *keys[MAX_LINES], *values[MAX_LINES];
	int lines;
};

static struct bed bed;
static const uint8_t relay_mac[6] = {0x02, 0x00, 0x5e, 0x77, 0x88, 0x99};

static const char *value_of(const struct vector *v, const char *key)
{
	for (int i = 0; i < v->lines; i++)
		if (!strcmp(v->keys[i], key))
			return v->values[i];
	return NULL;
}

static uint32_t unhex(const char *hex, uint8_t *to, uint32_t size)
{
	uint32_t n = 0;
	unsigned byte;

	for (; n < size && sscanf(hex, "%2x", &byte) == 1; hex += 2)
		to[n++] = (uint8_t)byte;
	return n;
}

static void load_vector(const char *path, struct vector *v)
{
	FILE *f = fopen(path, "r");
	size_t length;

	assert_non_null(f);
	length = fread(v->text, 1, sizeof(v->text) - 1, f);
	fclose(f);
	v->text[length] = 0;
	v->lines = 0;
	for (char *line = strtok(v->text, "\n"); line; line = strtok(NULL, "\n")) {
		char *colon = strstr(line, ": ");

		if (*line == '#' || !colon)
			continue;
		assert_true(v->lines < MAX_LINES);
		*colon = 0;
		v->keys[v->lines] = line;
		v->values[v->lines++] = colon + 2;
	}
}

static void put_trust(const struct vector *v)
{
	const char *trust = value_of(v, "trust");
	uint32_t index = BED_ACCESS, one = 1;
	struct bng_port port;
	struct bng_relay_key relay = {.port = BED_ACCESS, .giaddr = bed_ip("100.64.255.254")};

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(bed.access->maps.ports), &index, &port), 0);
	if (!strcmp(trust, "access-node"))
		port.flags |= BNG_PORT_TRUST_OPTION82;
	if (!strcmp(trust, "relays"))
		port.flags |= BNG_PORT_TRUST_OPTION82 | BNG_PORT_TRUST_RELAYS;
	bed_put(bed.access->maps.ports, &index, &port);
	if (port.flags & BNG_PORT_TRUST_RELAYS)
		bed_put(bed.access->maps.trusted_relays, &relay, &one);
}

static void hash_into(const char *hex, uint64_t *ret_hash, uint16_t *flags, uint16_t flag)
{
	uint8_t bytes[256];

	if (!hex)
		return;
	*ret_hash = bng_bytes_hash(bytes, unhex(hex, bytes, sizeof(bytes)));
	*flags |= flag;
}

/* The line is taken from the frame: its tags and its source or, behind a relay, the client's address in
 * BOOTP. */
static void put_session(const struct vector *v, const uint8_t *frame)
{
	const char *relay = value_of(v, "session-relay");
	uint32_t l2 = packet_l2_length(frame);
	struct bng_line_key line = {.port = BED_ACCESS};
	struct bng_session session = {.session_id = 77,
		.generation = GENERATION,
		.slot = SLOT,
		.ipv4 = bed_ip("100.64.1.2"),
		.template_index = BED_TEMPLATE,
		.flags = BNG_SESSION_FAST_DHCP};
	uint64_t hash, now = bed_now_ns();

	if (!strcmp(value_of(v, "session"), "none"))
		return;
	if (l2 >= 18)
		line.s_vlan = (uint16_t)((frame[14] << 8 | frame[15]) & 0xfff);
	if (l2 >= 22)
		line.c_vlan = (uint16_t)((frame[18] << 8 | frame[19]) & 0xfff);
	memcpy(line.mac, "\x02\x00\x5e\x10\x20\x30", 6);
	memcpy(session.frame_mac, relay ? relay_mac : line.mac, 6);
	if (relay) {
		line.giaddr = bed_ip(relay);
		session.flags |= BNG_SESSION_RELAYED;
	}
	hash = 0;
	hash_into(value_of(v, "session-option82"), &hash, &session.flags, BNG_SESSION_HAS_OPTION82);
	session.option82_hash = hash;
	hash = 0;
	hash_into(value_of(v, "session-client-id"), &hash, &session.flags, BNG_SESSION_HAS_CLIENT_ID);
	session.client_id_hash = hash;
	bed_put_session(&bed, &line, &session,
		strcmp(value_of(v, "session"), "expired") ? now + 60000000000ULL : now - 1000000000ULL);
}

static void expect_address(const struct vector *v, const char *key, const uint8_t *at)
{
	char text[INET_ADDRSTRLEN];

	if (value_of(v, key))
		assert_string_equal(inet_ntop(AF_INET, at, text, sizeof(text)), value_of(v, key));
}

static void expect_options(const struct vector *v, const struct bed_result *r)
{
	for (int i = 0; i < v->lines; i++) {
		uint8_t wanted[256], length = 0;
		const uint8_t *got;

		if (strcmp(v->keys[i], "option") && strcmp(v->keys[i], "absent"))
			continue;
		got = packet_dhcp_option(r->frame, r->length, (uint8_t)atoi(v->values[i]), &length);
		if (!strcmp(v->keys[i], "absent")) {
			assert_null(got);
			continue;
		}
		uint32_t size = unhex(strchr(v->values[i], ' ') + 1, wanted, sizeof(wanted));

		if (!got)
			print_error("option %s is missing\n", v->values[i]);
		assert_non_null(got);
		assert_int_equal(length, size);
		assert_memory_equal(got, wanted, size);
	}
}

static void expect_reply(const struct vector *v, const uint8_t *request, const struct bed_result *r)
{
	uint32_t l2 = packet_l2_length(r->frame);
	const uint8_t *ip = r->frame + l2, *bootp = ip + 28;
	uint8_t bytes[16];
	char text[32];

	assert_int_equal(r->verdict, XDP_TX);
	assert_true(packet_checksums_hold(r->frame, r->length));
	assert_memory_equal(r->frame + 6, bed_port_mac, 6);
	snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", r->frame[0], r->frame[1], r->frame[2],
		r->frame[3], r->frame[4], r->frame[5]);
	if (value_of(v, "to-mac"))
		assert_string_equal(text, value_of(v, "to-mac"));
	if (value_of(v, "to-port"))
		assert_int_equal(ip[22] << 8 | ip[23], atoi(value_of(v, "to-port")));
	if (value_of(v, "tags")) {
		assert_int_equal(unhex(value_of(v, "tags"), bytes, sizeof(bytes)), l2 - 14);
		assert_memory_equal(bytes, r->frame + 12, l2 - 14);
	}
	assert_int_equal(ip[2] << 8 | ip[3], r->length - l2);
	assert_int_equal(ip[24] << 8 | ip[25], r->length - l2 - 20);
	assert_memory_equal(ip + 12, "\xc0\x00\x02\x01", 4);
	expect_address(v, "to-ip", ip + 16);
	expect_address(v, "ciaddr", bootp + 12);
	expect_address(v, "yiaddr", bootp + 16);
	expect_address(v, "giaddr", bootp + 24);
	assert_int_equal(bootp[0], 2);
	assert_memory_equal(bootp + 4, request + packet_l2_length(request) + 28 + 4, 4);
	assert_memory_equal(bootp + 28, request + packet_l2_length(request) + 28 + 28, 16);
	for (int i = 44; i < 236; i++)
		assert_int_equal(bootp[i], 0);
	if (value_of(v, "flags")) {
		unhex(value_of(v, "flags"), bytes, 2);
		assert_memory_equal(bootp + 10, bytes, 2);
	}
	assert_true(r->length - l2 >= 28 + 300);
	expect_options(v, r);
}

static int expected_reason(const char *fast)
{
	char kind[16] = "", name[64] = "";

	if (!strcmp(fast, "offer") || !strcmp(fast, "ack") || !strcmp(fast, "nak")) {
		snprintf(name, sizeof(name), "dhcp_%s", fast);
		return bed_reason_of("tx", name);
	}
	if (!strcmp(fast, "inform"))
		return BNG_TX_dhcp_inform_ack;
	assert_int_equal(sscanf(fast, "%15s %63s", kind, name), 2);
	return bed_reason_of(kind, name);
}

static void expect_counted_once(int reason)
{
	for (int i = 1; i < BNG_REASONS; i++)
		if (bed_counter(&bed, BED_ACCESS, i) != (i == reason))
			print_error("%s is %u, expected %s\n", bed_reason_name(i),
				(unsigned)bed_counter(&bed, BED_ACCESS, i), bed_reason_name(reason));
	assert_int_equal(bed_counter(&bed, BED_ACCESS, reason), 1);
	assert_int_equal(bed_all_counters(&bed), 1);
}

static void expect_punt(const uint8_t *frame, uint32_t length, int reason, bool known)
{
	union {
		struct bng_punt punt;
		uint8_t bytes[4096];
	} record;

	assert_true(bed_take_punt(&bed, &record, sizeof(record)) >= sizeof(struct bng_punt) + length);
	assert_int_equal(record.punt.frame_length, length);
	assert_int_equal(record.punt.reason, reason);
	assert_int_equal(record.punt.punt_class, BNG_PUNT_DHCPV4);
	assert_int_equal(record.punt.port, BED_ACCESS);
	assert_int_equal(record.punt.session_id, known ? 77 : 0);
	assert_int_equal(record.punt.generation, known ? GENERATION : 0);
	assert_memory_equal(record.punt.frame, frame, length);
}

static void conformance_case(void **state)
{
	struct vector *v = *state;
	static struct bed_result result;
	struct bng_session_state before, after;
	uint8_t frame[2048];
	uint32_t length = unhex(value_of(v, "in"), frame, sizeof(frame));
	int reason = expected_reason(value_of(v, "fast"));
	bool known = strcmp(value_of(v, "session"), "none");

	assert_true(reason > 0);
	bed_reset(&bed);
	put_trust(v);
	put_session(v, frame);
	bed_session_state(&bed, SLOT, &before);
	bed_run(&bed, BED_ACCESS, frame, length, &result);
	expect_counted_once(reason);
	bed_session_state(&bed, SLOT, &after);
	if (reason >= BNG_TX_dhcp_offer) {
		expect_reply(v, frame, &result);
	} else {
		assert_int_equal(result.verdict, XDP_DROP);
		assert_int_equal(result.length, length);
		assert_memory_equal(result.frame, frame, length);
	}
	if (!strncmp(value_of(v, "fast"), "punt", 4))
		expect_punt(frame, length, reason, known);
	else
		assert_int_equal(bed_drain_punts(&bed), 0);
	if (reason == BNG_TX_dhcp_ack) {
		assert_true(after.expires_ns > before.expires_ns + 3500000000000ULL);
		assert_int_equal(after.renewals, before.renewals + 1);
	} else {
		assert_int_equal(after.expires_ns, before.expires_ns);
		assert_int_equal(after.renewals, before.renewals);
	}
}

int main(int argc, char **argv)
{
	static struct CMUnitTest tests[MAX_CASES];
	const char *folder = argc > 1 ? argv[1] : "Tests/vectors/dhcpv4";
	struct dirent **entries;
	int count = 0, found = scandir(folder, &entries, NULL, alphasort);

	if (geteuid() != 0)
		return 77;
	for (int i = 0; i < found; i++) {
		const char *dot = strrchr(entries[i]->d_name, '.');
		char path[512];

		if (!dot || strcmp(dot, ".txt") || count == MAX_CASES)
			continue;
		struct vector *v = calloc(1, sizeof(*v));

		snprintf(v->name, sizeof(v->name), "%.*s", (int)(dot - entries[i]->d_name),
			entries[i]->d_name);
		snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
		load_vector(path, v);
		tests[count++] = (struct CMUnitTest){
			.name = v->name, .test_func = conformance_case, .initial_state = v};
	}
	if (!count) {
		fprintf(stderr, "no vectors in %s\n", folder);
		return 1;
	}
	if (bed_network(&bed) || bed_load(&bed, 64)) {
		fprintf(stderr, "cannot set up the bed\n");
		return 1;
	}
	return _cmocka_run_group_tests("dhcp_vectors", tests, (size_t)count, NULL, NULL);
}
