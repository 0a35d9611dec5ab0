// SPDX-License-Identifier: Apache-2.0
// Where the controller is, as DHCP says: what is asked, and which answers count.
#include "test.h"

#include "dhcp_inform.h"
#include "discover.h"
#include "inet_sum.h"

#include <errno.h>

static const struct bng_dhcp_inform inform = {
	.mac = {2, 0, 0x5e, 0, 0, 1}, .address = {192, 0, 2, 9}, .xid = 0xdeadbeef};
static uint8_t frame[600];

static size_t answer_with(const uint8_t *options, size_t size)
{
	memset(frame, 0, sizeof(frame));
	bng_put_be16(frame + 12, 0x0800);
	frame[14] = 0x45;
	frame[23] = 17;
	bng_put_be16(frame + 34, 67);
	bng_put_be16(frame + 36, 68);
	frame[42] = 2;
	bng_put_be32(frame + 46, inform.xid);
	memcpy(frame + 70, inform.mac, 6);
	bng_put_be32(frame + 278, 0x63825363);
	memcpy(frame + 282, options, size);
	return 282 + size;
}

TEST(an_inform_is_what_the_rfc_says)
{
	uint8_t sent[BNG_DHCP_FRAME];

	bng_dhcp_inform_build(&inform, sent);
	assert_int_equal(bng_inet_fold(bng_inet_add(0, sent + 14, 20)), 0xffff);
	assert_int_equal(bng_get_be16(sent + 16), BNG_DHCP_FRAME - 14);
	assert_int_equal(bng_get_be32(sent + 46), inform.xid);
	assert_memory_equal(sent + 54, inform.address, 4); /* ciaddr */
	assert_memory_equal(sent + 70, inform.mac, 6);
	assert_int_equal(sent[282], 53);
	assert_int_equal(sent[284], 8);
}

TEST(both_options_and_the_domain_are_read)
{
	static const uint8_t options[] = {53, 1, 5, 224, 7, 't', 'l', 's', ':', 'a', ':', '1', 43, 13, 2, 2,
		9, 9, 1, 7, 't', 'l', 's', ':', 'b', ':', '2', 0, 15, 3, 'i', 's', 'p', 255, 99};
	struct bng_dhcp_answer answer;
	size_t size = answer_with(options, sizeof(options));

	assert_int_equal(bng_dhcp_inform_read(&inform, (struct bng_bytes){frame, size}, &answer), 0);
	assert_string_equal(answer.controllers, "tls:a:1 tls:b:2");
	assert_string_equal(answer.domain, "isp");
}

TEST(no_prefix_of_an_answer_is_read_past_its_end_and_none_without_its_type_counts)
{
	static const uint8_t options[] = {53, 1, 5, 224, 7, 't', 'l', 's', ':', 'a', ':', '1', 255};
	struct bng_dhcp_answer answer;
	size_t size = answer_with(options, sizeof(options)), i;

	for (i = 0; i < size; i++) {
		uint8_t *copy = malloc(i ? i : 1);
		int err;

		memcpy(copy, frame, i);
		err = bng_dhcp_inform_read(&inform, (struct bng_bytes){copy, i}, &answer);
		/* Options may end without their end mark (RFC 2132 3.2 notwithstanding), but not in the midst
		 * of one. */
		assert_int_equal(err, i == 285 || i == 294 ? 0 : -EBADMSG);
		free(copy);
	}
}

TEST(answers_to_others_and_of_other_kinds_are_none)
{
	static const uint8_t ack[] = {53, 1, 5, 255}, offer[] = {53, 1, 2, 255};
	static const struct {
		size_t at;
		uint8_t value;
	} changes[] = {
		{12, 0x86}, {14, 0x46}, {23, 6}, {35, 66}, {37, 67}, {42, 1}, {46, 0}, {70, 4}, {278, 0}};
	struct bng_dhcp_answer answer;
	size_t size = answer_with(offer, sizeof(offer)), i;

	assert_int_equal(bng_dhcp_inform_read(&inform, (struct bng_bytes){frame, size}, &answer), -EBADMSG);
	for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		size = answer_with(ack, sizeof(ack));
		assert_int_equal(bng_dhcp_inform_read(&inform, (struct bng_bytes){frame, size}, &answer), 0);
		frame[changes[i].at] = changes[i].value;
		assert_int_equal(
			bng_dhcp_inform_read(&inform, (struct bng_bytes){frame, size}, &answer), -EBADMSG);
	}
}

TEST(text_that_is_not_text_or_too_long_is_left_out)
{
	uint8_t options[300] = {53, 1, 5, 224, 4, 't', 7, 's', ':', 224, 255};
	struct bng_dhcp_answer answer;
	size_t size;

	memset(options + 11, 'x', 255);
	options[266] = 224;
	options[267] = 2;
	memset(options + 268, 'y', 2);
	options[270] = 255;
	size = answer_with(options, 271);
	assert_int_equal(bng_dhcp_inform_read(&inform, (struct bng_bytes){frame, size}, &answer), 0);
	assert_string_equal(answer.controllers, "yy");
}

TEST(endpoints_from_the_network_are_tls_and_nothing_else)
{
	static const char *const bad[] = {"unix:/run/x", "tls:", "tls::1", "tls:a", "tls:a:0", "tls:a:65536",
		"tls:a:1x", "tls:a:", "http:a:1", "tls:[]:1", "", "tls"};
	struct bng_endpoint endpoint;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(bng_endpoint_parse(bad[i], &endpoint));
	assert_true(bng_endpoint_parse("tls:[2001:db8::1]:7401", &endpoint));
	assert_string_equal(endpoint.host, "2001:db8::1");
	assert_string_equal(endpoint.port, "7401");
	assert_true(bng_endpoint_parse("tls:192.0.2.1:1", &endpoint));
	assert_string_equal(endpoint.host, "192.0.2.1");
}
