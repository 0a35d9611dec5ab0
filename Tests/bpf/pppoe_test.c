// SPDX-License-Identifier: Apache-2.0
// PPPoE discovery packet by packet: PADOs byte for byte, cookies that hold for one line and one time, and the
// corpus of malformed packets, each counted and ignored.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "bed.h"
#include "scene.h"

enum { PADI = 0x09, PADO = 0x07, PADR = 0x19, PADS = 0x65, PADT = 0xa7, SLICE_BITS = 36, COOKIE = 16 };

static const char ac_name[] = "\x01\x02\x00\x04"
			      "edge";
static const char service_any[] = "\x01\x01\x00\x00"; /* the empty Service-Name */
static uint8_t cookie[COOKIE];                        /* the tag of the last PADO */

/* ---- SipHash-2-4, apart from the one under test ---- */

static uint64_t rotl(uint64_t x, int b)
{
	return x << b | x >> (64 - b);
}

static uint64_t siphash24(const uint8_t key[16], const uint8_t *data, size_t size)
{
	uint64_t k0, k1, v[4], word;

	memcpy(&k0, key, 8);
	memcpy(&k1, key + 8, 8);
	v[0] = k0 ^ 0x736f6d6570736575ULL;
	v[1] = k1 ^ 0x646f72616e646f6dULL;
	v[2] = k0 ^ 0x6c7967656e657261ULL;
	v[3] = k1 ^ 0x7465646279746573ULL;
	for (size_t at = 0; at <= size + 8; at += 8) {
		int rounds = at > size ? 4 : 2;

		word = (uint64_t)size << 56;
		if (at + 8 <= size)
			memcpy(&word, data + at, 8);
		else if (at <= size)
			memcpy(&word, data + at, size - at);
		if (at > size)
			v[2] ^= 0xff;
		else
			v[3] ^= word;
		for (int i = 0; i < rounds; i++) {
			v[0] += v[1], v[1] = rotl(v[1], 13) ^ v[0], v[0] = rotl(v[0], 32);
			v[2] += v[3], v[3] = rotl(v[3], 16) ^ v[2];
			v[0] += v[3], v[3] = rotl(v[3], 21) ^ v[0];
			v[2] += v[1], v[1] = rotl(v[1], 17) ^ v[2], v[2] = rotl(v[2], 32);
		}
		if (at <= size)
			v[0] ^= word;
		if (at > size)
			break;
	}
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static void the_tests_own_siphash_is_the_papers(void **state)
{
	uint8_t key[16], data[15];

	(void)state;
	for (int i = 0; i < 16; i++)
		key[i] = (uint8_t)i;
	memcpy(data, key, sizeof(data));
	assert_true(siphash24(key, data, sizeof(data)) == 0xa129ca6149be45e5ULL);
}

/* ---- the scene ---- */

static const uint8_t key_one[16] = "0123456789abcdef", key_two[16] = "fedcba9876543210";

static void put_offer(struct bng_pppoe_service *service, const char *name)
{
	uint8_t *tag = service->offered + service->offered_bytes;
	uint16_t length = (uint16_t)strlen(name);

	service->names[service->name_count++] =
		(struct bng_pppoe_offer){.hash = bng_bytes_hash((const uint8_t *)name, length),
			.at = service->offered_bytes,
			.bytes = (uint16_t)(4 + length)};
	memcpy(tag, "\x01\x01\x00", 3);
	tag[3] = (uint8_t)length;
	memcpy(tag + 4, name, length);
	service->offered_bytes = (uint16_t)(service->offered_bytes + 4 + length);
}

static struct bng_pppoe_service a_service(void)
{
	struct bng_pppoe_service service = {.access_domain_id = 7,
		.ac_name_bytes = 8,
		.ac_name = "\x01\x02\x00\x04"
			   "edge"};

	memcpy(service.key, key_one, 16);
	memcpy(service.previous_key, key_one, 16);
	return service;
}

static void serve(struct bng_pppoe_service service)
{
	uint32_t port = BED_ACCESS;

	bed_put(bed.access->maps.pppoe_services, &port, &service);
}

static int served(void **state)
{
	scene(state);
	serve(a_service());
	return 0;
}

static struct packet_layers from_client(void)
{
	return (struct packet_layers){.to = broadcast, .from = mac_a, .outer_type = 0x88a8, .tags = {10, 20}};
}

static struct packet_layers to_us(void)
{
	struct packet_layers layers = from_client();

	layers.to = bed_port_mac;
	return layers;
}

static void discover(struct packet_layers layers, uint8_t code, const char *tags, uint32_t length)
{
	packet_pppoe(&p, &layers, code, code == PADT ? 5 : 0, tags, length);
}

static void make_cookie(uint8_t ret[COOKIE], const uint8_t *key, uint32_t slice)
{
	uint8_t text[24] = {7, 0, 0, 0, 10, 0, 20, 0};
	uint64_t hash;

	memcpy(text + 8, mac_a, 6);
	memcpy(text + 14, bed_port_mac, 6);
	memcpy(text + 20, &slice, 4);
	hash = siphash24(key, text, sizeof(text));
	memcpy(ret, "\x01\x04\x00\x0c", 4);
	for (int i = 0; i < 4; i++)
		ret[4 + i] = (uint8_t)(slice >> (24 - 8 * i));
	memcpy(ret + 8, &hash, 8);
}

static uint32_t slice_now(void)
{
	return (uint32_t)(bed_now_ns() >> SLICE_BITS);
}

/* The tags of the PADO in out, behind its header of l2 + 6 bytes. */
static void expect_pado(uint32_t l2, const void *tags, uint32_t length)
{
	uint8_t head[6] = {0x11, PADO, 0, 0, (uint8_t)(length >> 8), (uint8_t)length};
	uint32_t whole = l2 + 6 + length;

	expect(BED_ACCESS, BNG_TX_pppoe_pado);
	assert_memory_equal(out.frame, mac_a, 6);
	assert_memory_equal(out.frame + 6, bed_port_mac, 6);
	assert_memory_equal(out.frame + 12, p.bytes + 12, l2 - 12);
	assert_memory_equal(out.frame + l2, head, 6);
	assert_memory_equal(out.frame + l2 + 6, tags, length);
	assert_int_equal(out.length, whole < 60 ? 60 : whole);
	for (; whole < out.length; whole++)
		assert_int_equal(out.frame[whole], 0);
}

static void solicit_cookie(void)
{
	discover(from_client(), PADI, service_any, 4);
	run(BED_ACCESS);
	assert_int_equal(out.verdict, XDP_TX);
	memcpy(cookie, out.frame + 22 + 6 + 4, COOKIE);
}

static void request(struct packet_layers layers, const uint8_t *cookie_tag, const char *more, uint32_t length)
{
	uint8_t tags[256];

	memcpy(tags, service_any, 4);
	memcpy(tags + 4, cookie_tag, COOKIE);
	memcpy(tags + 4 + COOKIE, more, length);
	discover(layers, PADR, (char *)tags, 4 + COOKIE + length);
	run(BED_ACCESS);
}

/* Counters start anew; the service stays. */
static void again(void **state)
{
	struct bng_pppoe_service service;
	uint32_t port = BED_ACCESS;

	assert_int_equal(
		bpf_map_lookup_elem(bpf_map__fd(bed.access->maps.pppoe_services), &port, &service), 0);
	scene(state);
	serve(service);
}

/* ---- PADI and PADO ---- */

static void a_padi_is_answered_byte_for_byte(void **state)
{
	uint8_t wanted[4 + COOKIE + 8] = "\x01\x01\x00\x00";
	uint8_t other[COOKIE];
	uint32_t slice = slice_now();

	(void)state;
	discover(from_client(), PADI, service_any, 4);
	run(BED_ACCESS);
	make_cookie(wanted + 4, key_one, slice);
	make_cookie(other, key_one, slice + 1);
	if (!memcmp(out.frame + 28 + 4, other, COOKIE))
		memcpy(wanted + 4, other, COOKIE);
	memcpy(wanted + 4 + COOKIE, ac_name, 8);
	expect_pado(22, wanted, sizeof(wanted));
}

static void what_the_client_sent_to_get_back_comes_back(void **state)
{
	static const char tags[] = "\x01\x03\x00\x05"
				   "\x00\xff"
				   "abc"              /* Host-Uniq */
				   "\x01\x01\x00\x00" /* Service-Name */
				   "\x01\x10\x00\x02"
				   "rs" /* Relay-Session-Id */
				   "\x7f\x7f\x00\x01"
				   "?" /* unknown */
				   "\x00\x00\x00\x00"
				   "\xff\xff"; /* the end, and junk */
	uint8_t wanted[4 + 9 + 6 + COOKIE + 8] = "\x01\x01\x00\x00";
	struct packet_layers layers = from_client();

	layers.tags[1] = 0;
	discover(layers, PADI, tags, sizeof(tags) - 1);
	p.length += 20; /* padding behind the payload */
	run(BED_ACCESS);
	memcpy(wanted + 4, tags, 9);
	memcpy(wanted + 13, tags + 13, 6);
	memcpy(wanted + 19, out.frame + 24 + 19, COOKIE);
	memcpy(wanted + 19 + COOKIE, ac_name, 8);
	expect_pado(18, wanted, sizeof(wanted));

	again(state); /* without the unknown one they stay in their order */
	discover(layers, PADI, tags, 19);
	p.length += 20;
	run(BED_ACCESS);
	memcpy(wanted, tags, 19);
	memcpy(wanted + 19, out.frame + 24 + 19, COOKIE);
	expect_pado(18, wanted, sizeof(wanted));
}

static void a_larger_payload_is_granted_up_to_ours(void **state)
{
	static const struct {
		uint16_t ours, asked, granted;
	} cases[] = {
		{1500, 1500, 1500}, {1500, 9000, 1500}, {9000, 1600, 1600}, {1500, 1492, 0}, {0, 1500, 0}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bng_pppoe_service service = a_service();
		char tags[] = "\x01\x01\x00\x00\x01\x20\x00\x02..";
		uint8_t wanted[6] = {
			0x01, 0x20, 0, 2, (uint8_t)(cases[i].granted >> 8), (uint8_t)cases[i].granted};

		served(state);
		service.max_payload = cases[i].ours;
		serve(service);
		tags[8] = (char)(cases[i].asked >> 8);
		tags[9] = (char)cases[i].asked;
		discover(from_client(), PADI, tags, 10);
		run(BED_ACCESS);
		expect(BED_ACCESS, BNG_TX_pppoe_pado);
		assert_int_equal(out.frame[27], 12 + COOKIE + (cases[i].granted ? 6 : 0));
		if (cases[i].granted)
			assert_memory_equal(out.frame + 28 + 4, wanted, 6);
	}
}

static void the_name_asked_for_stands_first_and_once(void **state)
{
	static const char inet[] = "\x01\x01\x00\x08"
				   "internet",
			  voip[] = "\x01\x01\x00\x04"
				   "voip",
			  tv[] = "\x01\x01\x00\x02"
				 "tv";
	struct bng_pppoe_service service = a_service();

	(void)state;
	put_offer(&service, "internet");
	put_offer(&service, "voip");
	put_offer(&service, "tv");
	serve(service);
	discover(from_client(), PADI, voip, 8);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_TX_pppoe_pado);
	assert_int_equal(out.frame[27], 8 + 8 + 12 + 6 + COOKIE);
	assert_memory_equal(out.frame + 28, voip, 8);
	assert_memory_equal(out.frame + 28 + 8, inet, 12);
	assert_memory_equal(out.frame + 28 + 20, tv, 6);

	again(state);
	discover(from_client(), PADI, service_any, 4);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_TX_pppoe_pado);
	assert_int_equal(out.frame[27], 8 + 4 + 12 + 8 + 6 + COOKIE);
	assert_memory_equal(out.frame + 28 + 4, inet, 12);
}

static void a_name_that_is_not_offered_gets_no_answer(void **state)
{
	static const char gold[] = "\x01\x01\x00\x04"
				   "gold";
	char longest[4 + 200] = "\x01\x01\x00\xc8";
	struct bng_pppoe_service service = a_service();

	put_offer(&service, "internet");
	serve(service);
	discover(from_client(), PADI, gold, 8);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_pppoe_unknown_service);
	again(state);
	discover(from_client(), PADI, longest, sizeof(longest));
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_pppoe_unknown_service);
	service.flags = BNG_PPPOE_ANY_SERVICE;
	served(state);
	serve(service);
	discover(from_client(), PADI, longest, sizeof(longest));
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_TX_pppoe_pado);
	assert_memory_equal(out.frame + 28, longest, sizeof(longest));
}

static void the_longest_padi_still_gets_what_it_asked_for(void **state)
{
	struct bng_pppoe_service service = a_service();
	char name[65] = {0}, tags[1024] = "\x01\x01\x00\x00\x01\x03";
	uint32_t length = 8 + 4 + COOKIE + 1020;

	(void)state;
	for (char i = 0; i < 16; i++) {
		memset(name, 'a' + i, 64);
		put_offer(&service, name);
	}
	serve(service);
	tags[6] = 1016 >> 8;
	tags[7] = (char)(1016 & 0xff);
	memset(tags + 8, 0x5a, 1016);
	discover(from_client(), PADI, tags, sizeof(tags));
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_TX_pppoe_pado);
	assert_int_equal(out.length, 28 + length); /* 1,088 bytes of names do not fit beside it */
	assert_memory_equal(out.frame + 28, tags, 1024);
	assert_memory_equal(out.frame + 28 + 1024 + COOKIE, ac_name, 8);
}

static void sixteen_long_names_are_offered(void **state)
{
	struct bng_pppoe_service service = a_service();
	char name[65] = {0};

	(void)state;
	for (char i = 0; i < 16; i++) {
		memset(name, 'a' + i, 64);
		put_offer(&service, name);
	}
	serve(service);
	discover(from_client(), PADI, service_any, 4);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_TX_pppoe_pado);
	assert_int_equal(out.length, 28 + 12 + 16 * 68 + COOKIE);
	assert_memory_equal(out.frame + 28 + 4, service.offered, 16 * 68);
}

static void a_circuit_tag_is_the_access_nodes_to_give(void **state)
{
	static const char tags[] = "\x01\x01\x00\x00"
				   "\x01\x05\x00\x08"
				   "\x00\x00\x0d\xe9"
				   "\x01\x02"
				   "c1";
	static const char others[] = "\x01\x01\x00\x00"
				     "\x01\x05\x00\x06"
				     "\x00\x00\x00\x09"
				     "\x01\x02";

	discover(from_client(), PADI, tags, sizeof(tags) - 1);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_pppoe_forged_circuit);
	again(state);
	discover(from_client(), PADI, others, sizeof(others) - 1);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_TX_pppoe_pado);
	again(state);
	change_port(BED_ACCESS, 0, BNG_PORT_TRUST_OPTION82, 0, NULL);
	discover(from_client(), PADI, tags, sizeof(tags) - 1);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_TX_pppoe_pado);
}

static void a_pado_that_waits_is_the_agents_to_send(void **state)
{
	struct bng_pppoe_service service = a_service();
	const struct bng_punt *punt;

	(void)state;
	service.delay_ms = 10000;
	serve(service);
	discover(from_client(), PADI, service_any, 4);
	run(BED_ACCESS);
	punt = expect_handed_over(BED_ACCESS, BNG_PUNT_REASON_pppoe_held, BNG_PUNT_HELD, BED_ACCESS, 10000);
	assert_int_equal(punt->frame_length, 60);
	assert_memory_equal(punt->frame, mac_a, 6);
	assert_memory_equal(
		punt->frame + 20, "\x88\x63\x11\x07\x00\x00\x00\x1c\x01\x01\x00\x00\x01\x04\x00\x0c", 16);
}

static void a_port_without_a_service_answers_nothing(void **state)
{
	scene(state);
	discover(from_client(), PADI, service_any, 4);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_pppoe_not_enabled);
}

static void a_padi_to_a_group_that_is_not_all_is_not_for_us(void **state)
{
	static const uint8_t group[6] = {0x01, 0x00, 0x5e, 0, 0, 1};
	struct packet_layers layers = from_client();

	(void)state;
	layers.to = group;
	discover(layers, PADI, service_any, 4);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_not_for_us);
}

/* ---- PADR ---- */

static void a_padr_with_our_cookie_is_punted_once(void **state)
{
	solicit_cookie();
	again(state);
	request(to_us(), cookie, "\x01\x03\x00\x01x", 5);
	expect_punt(BNG_PUNT_REASON_pppoe_padr, BNG_PUNT_PPPOE, 0);
	run(BED_ACCESS);
	assert_int_equal(bed_counter(&bed, BED_ACCESS, BNG_DROP_pppoe_repeated), 1);
	seen[BNG_DROP_pppoe_repeated] = true;
	/* A second client program of the same host is not the first one again. */
	request(to_us(), cookie, "\x01\x03\x00\x01y", 5);
	assert_int_equal(bed_counter(&bed, BED_ACCESS, BNG_PUNT_REASON_pppoe_padr), 2);
}

static void a_retransmitted_padr_is_punted_again(void **state)
{
	uint64_t earlier = bed_now_ns() - 300000000;
	struct bng_padr_key key;

	solicit_cookie();
	again(state);
	request(to_us(), cookie, "", 0);
	expect_punt(BNG_PUNT_REASON_pppoe_padr, BNG_PUNT_PPPOE, 0);
	assert_int_equal(bpf_map_get_next_key(bpf_map__fd(bed.access->maps.pppoe_requests), NULL, &key), 0);
	bed_put(bed.access->maps.pppoe_requests, &key, &earlier);
	run(BED_ACCESS);
	assert_int_equal(bed_counter(&bed, BED_ACCESS, BNG_PUNT_REASON_pppoe_padr), 2);
}

static void a_cookie_is_good_for_its_line_only(void **state)
{
	struct packet_layers layers = to_us();

	solicit_cookie();
	again(state);
	layers.from = mac_b;
	request(layers, cookie, "", 0);
	expect(BED_ACCESS, BNG_DROP_pppoe_cookie_bad);
	again(state);
	layers = to_us();
	layers.tags[1] = 21;
	request(layers, cookie, "", 0);
	expect(BED_ACCESS, BNG_DROP_pppoe_cookie_bad);
	again(state);
	layers = to_us();
	layers.tags[0] = 11;
	request(layers, cookie, "", 0);
	expect(BED_ACCESS, BNG_DROP_pppoe_cookie_bad);
	for (int i = 4; i < COOKIE; i++) {
		again(state);
		cookie[i] ^= 1;
		request(to_us(), cookie, "", 0);
		expect(BED_ACCESS, BNG_DROP_pppoe_cookie_bad);
		cookie[i] ^= 1;
	}
}

static void a_cookie_is_good_for_its_domain_only(void **state)
{
	struct bng_pppoe_service service = a_service();

	(void)state;
	solicit_cookie();
	scene(state);
	service.access_domain_id = 8;
	serve(service);
	request(to_us(), cookie, "", 0);
	expect(BED_ACCESS, BNG_DROP_pppoe_cookie_bad);
}

static void a_cookie_outlives_one_change_of_keys(void **state)
{
	struct bng_pppoe_service service = a_service();

	solicit_cookie();
	memcpy(service.key, key_two, 16);
	scene(state);
	serve(service);
	request(to_us(), cookie, "", 0);
	expect_punt(BNG_PUNT_REASON_pppoe_padr, BNG_PUNT_PPPOE, 0);
	memcpy(service.previous_key, key_two, 16);
	scene(state);
	serve(service);
	request(to_us(), cookie, "", 0);
	expect(BED_ACCESS, BNG_DROP_pppoe_cookie_bad);
}

static void a_cookie_lives_for_this_slice_and_the_next(void **state)
{
	static const struct {
		int age, reason;
	} cases[] = {{-1, BNG_DROP_pppoe_cookie_stale}, {0, BNG_PUNT_REASON_pppoe_padr},
		{2, BNG_DROP_pppoe_cookie_stale}, {1000, BNG_DROP_pppoe_cookie_stale}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t slice = slice_now();

		served(state);
		make_cookie(cookie, key_one, slice - (uint32_t)cases[i].age);
		request(to_us(), cookie, "", 0);
		if (slice_now() == slice)
			expect(BED_ACCESS, cases[i].reason);
	}
	served(state);
	make_cookie(cookie, key_one, slice_now() - 1);
	request(to_us(), cookie, "", 0);
	if (bed_counter(&bed, BED_ACCESS, BNG_DROP_pppoe_cookie_stale)) /* a slice began meanwhile */
		return;
	expect_punt(BNG_PUNT_REASON_pppoe_padr, BNG_PUNT_PPPOE, 0);
}

static void a_padr_without_a_cookie_of_ours_is_dropped(void **state)
{
	static const struct {
		const char *tags;
		uint32_t length;
		int reason;
	} cases[] = {{"\x01\x01\x00\x00", 4, BNG_DROP_pppoe_cookie_missing},
		{"\x01\x01\x00\x00\x01\x04\x00\x00", 8, BNG_DROP_pppoe_cookie_missing},
		{"\x01\x01\x00\x00\x01\x04\x00\x01x", 9, BNG_DROP_pppoe_cookie_bad},
		{"\x01\x01\x00\x00\x01\x04\x00\x0d"
		 "0123456789abc",
			21, BNG_DROP_pppoe_cookie_bad},
		{"\x01\x01\x00\x00\x01\x04\x00\x0c"
		 "0123456789ab",
			20, BNG_DROP_pppoe_cookie_bad}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		served(state);
		discover(to_us(), PADR, cases[i].tags, cases[i].length);
		run(BED_ACCESS);
		expect(BED_ACCESS, cases[i].reason);
	}
}

/* ---- PADT, and what only servers say ---- */

static void a_padt_is_punted_with_its_session(void **state)
{
	struct bng_line_key line = line_a;
	struct bng_session session = session_a();

	discover(to_us(), PADT, "", 0);
	run(BED_ACCESS);
	expect_punt(BNG_PUNT_REASON_pppoe_padt, BNG_PUNT_PPPOE, 0);
	served(state);
	line.pppoe_id = 5;
	session.flags = BNG_SESSION_PPPOE;
	session.session_id = 0x55;
	put(&line, session, 600);
	discover(to_us(), PADT,
		"\x02\x03\x00\x03"
		"bye",
		7);
	run(BED_ACCESS);
	expect_punt(BNG_PUNT_REASON_pppoe_padt, BNG_PUNT_PPPOE, 0x55);
}

static void a_server_on_a_line_is_silenced(void **state)
{
	static const uint8_t codes[] = {PADO, PADS};

	for (int i = 0; i < 2; i++) {
		served(state);
		discover(to_us(), codes[i], service_any, 4);
		run(BED_ACCESS);
		expect(BED_ACCESS, BNG_DROP_pppoe_from_server);
	}
}

/* ---- the corpus ---- */

static void malformed_tags_are_counted_and_ignored(void **state)
{
	static const struct {
		const char *tags;
		uint32_t length;
	} cases[] = {
		{"", 0},                                                  /* no Service-Name */
		{"\x01", 1},                                              /* half a type */
		{"\x01\x01\x00", 3},                                      /* half a head */
		{"\x01\x01\x00\x01", 4},                                  /* longer than the rest */
		{"\x01\x01\xff\xff", 4},                                  /* the longest length */
		{"\x01\x01\x00\x00\x01", 5},                              /* a byte left over */
		{"\x01\x01\x00\x00\x01\x03\x00", 7},                      /* likewise three */
		{"\x01\x01\x00\x00\x01\x01\x00\x00", 8},                  /* two Service-Names */
		{"\x01\x01\x00\x00\x01\x01\x00\x01x", 9},                 /* and unlike ones */
		{"\x01\x03\x00\x00", 4},                                  /* only a Host-Uniq */
		{"\x01\x03\x00\x04\x01\x01\x00\x00", 8},                  /* a name inside it */
		{"\x01\x01\x00\x00\x01\x03\x00\x00\x01\x03\x00\x00", 12}, /* two Host-Uniqs */
		{"\x01\x01\x00\x00\x01\x10\x00\x0d"
		 "0123456789abc",
			21},                                              /* RFC 2516, App. A: 12 */
		{"\x01\x01\x00\x00\x01\x10\x00\x00\x01\x10\x00\x00", 12}, /* two relay sessions */
		{"\x01\x01\x00\x00\x01\x20\x00\x01x", 9},                 /* half a payload size */
		{"\x01\x01\x00\x00\x01\x20\x00\x03xyz", 11},              /* and one too long */
		{"\x01\x01\x00\x00\x01\x20\x00\x02\x05\xdc\x01\x20\x00\x02\x05\xdc", 16}, /* twice */
		{"\x01\x01\x00\x00\x01\x05\x00\x03\x00\x0d\xe9", 11},                     /* half a vendor */
		{"\x01\x01\x00\x00\x00\x00\x00\x01x", 9},                 /* an end with a value */
		{"\x00\x00\x00\x00\x01\x01\x00\x00", 8},                  /* a name behind the end */
		{"\x01\x04\x00\x00\x01\x04\x00\x00\x01\x01\x00\x00", 12}, /* two cookies */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (int code = PADI; code <= PADR; code += PADR - PADI) {
			served(state);
			discover(code == PADI ? from_client() : to_us(), (uint8_t)code, cases[i].tags,
				cases[i].length);
			run(BED_ACCESS);
			expect(BED_ACCESS, BNG_DROP_malformed_pppoe);
		}
}

static void malformed_heads_are_counted_and_ignored(void **state)
{
	static const struct {
		uint8_t at, value; /* behind Ethernet */
	} cases[] = {{0, 0x12}, {0, 0x21}, {0, 0}, {1, 0x08}, {1, 0xff}, {3, 1}, {2, 0xff}, {4, 4}, {5, 5}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		served(state);
		discover(from_client(), PADI, service_any, 4);
		p.bytes[22 + cases[i].at] = cases[i].value;
		run(BED_ACCESS);
		expect(BED_ACCESS, BNG_DROP_malformed_pppoe);
	}
	for (uint32_t length = 22; length < 28; length++) {
		served(state);
		discover(from_client(), PADI, service_any, 4);
		p.length = length;
		run(BED_ACCESS);
		expect(BED_ACCESS, BNG_DROP_malformed_pppoe);
	}
}

static void clients_and_servers_have_addresses_of_their_own(void **state)
{
	static const uint8_t none[6], group[6] = {0x03, 0, 0, 0, 0, 1};
	static const uint8_t *const clients[] = {none, group, broadcast};
	struct packet_layers layers;

	for (size_t i = 0; i < 3; i++) {
		served(state);
		layers = from_client();
		layers.from = clients[i];
		discover(layers, PADI, service_any, 4);
		run(BED_ACCESS);
		expect(BED_ACCESS, BNG_DROP_malformed_pppoe);
	}
	served(state);
	discover(from_client(), PADR, service_any, 4); /* to everybody */
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_malformed_pppoe);
	served(state);
	discover(from_client(), PADT, "", 0);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_malformed_pppoe);
	served(state);
	discover(to_us(), PADT, "", 0);
	p.bytes[22 + 3] = 0; /* a PADT of no session */
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_malformed_pppoe);
}

static void more_than_a_kilobyte_of_tags_is_malformed(void **state)
{
	static char tags[1100] = "\x01\x01\x00\x00\x01\x03";

	(void)state;
	tags[6] = 1017 >> 8;
	tags[7] = (char)(1017 & 0xff);
	discover(from_client(), PADI, tags, 1025);
	run(BED_ACCESS);
	expect(BED_ACCESS, BNG_DROP_malformed_pppoe);
}

/* Every byte changed in turn, every length: nothing but a reason comes of it. */
static void any_spoiled_padi_is_counted_once(void **state)
{
	static const char tags[] = "\x01\x01\x00\x04"
				   "gold"
				   "\x01\x03\x00\x04"
				   "uniq"
				   "\x01\x20\x00\x02\x05\xdc";

	for (uint32_t at = 0; at < 28 + sizeof(tags) - 1; at++) {
		served(state);
		discover(from_client(), PADI, tags, sizeof(tags) - 1);
		p.bytes[at] ^= 0xff;
		run(BED_ACCESS);
		assert_int_equal(bed_all_counters(&bed), 1);
		served(state);
		discover(from_client(), PADI, tags, sizeof(tags) - 1);
		p.length = at < 14 ? 14 : at;
		run(BED_ACCESS);
		assert_int_equal(bed_all_counters(&bed), 1);
		assert_int_equal(out.verdict, XDP_DROP);
	}
}

#define CASE(f) cmocka_unit_test_setup(f, served)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_tests_own_siphash_is_the_papers),
		CASE(a_padi_is_answered_byte_for_byte),
		CASE(what_the_client_sent_to_get_back_comes_back),
		CASE(a_larger_payload_is_granted_up_to_ours),
		CASE(the_name_asked_for_stands_first_and_once),
		CASE(a_name_that_is_not_offered_gets_no_answer),
		CASE(the_longest_padi_still_gets_what_it_asked_for),
		CASE(sixteen_long_names_are_offered),
		CASE(a_circuit_tag_is_the_access_nodes_to_give),
		CASE(a_pado_that_waits_is_the_agents_to_send),
		CASE(a_port_without_a_service_answers_nothing),
		CASE(a_padi_to_a_group_that_is_not_all_is_not_for_us),
		CASE(a_padr_with_our_cookie_is_punted_once),
		CASE(a_retransmitted_padr_is_punted_again),
		CASE(a_cookie_is_good_for_its_line_only),
		CASE(a_cookie_is_good_for_its_domain_only),
		CASE(a_cookie_outlives_one_change_of_keys),
		CASE(a_cookie_lives_for_this_slice_and_the_next),
		CASE(a_padr_without_a_cookie_of_ours_is_dropped),
		CASE(a_padt_is_punted_with_its_session),
		CASE(a_server_on_a_line_is_silenced),
		CASE(malformed_tags_are_counted_and_ignored),
		CASE(malformed_heads_are_counted_and_ignored),
		CASE(clients_and_servers_have_addresses_of_their_own),
		CASE(more_than_a_kilobyte_of_tags_is_malformed),
		CASE(any_spoiled_padi_is_counted_once),
	};

	if (geteuid() != 0)
		return 77;
	if (bed_network(&bed) || bed_load(&bed, 64)) {
		fprintf(stderr, "cannot set up the bed\n");
		return 1;
	}
	return cmocka_run_group_tests_name("pppoe", tests, NULL, NULL);
}
