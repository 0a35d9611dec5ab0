// SPDX-License-Identifier: Apache-2.0
// Where an IPv6 packet begins in a frame, and ICMPv6 ones with their checksum.
#include "test.h"

#include "ipv6_packet.h"

static uint8_t frame[256];

/* A frame with this head and an IPv6 header that says so much payload. */
static size_t found(const char *head, size_t head_size, uint16_t payload, size_t size)
{
	memset(frame, 0, sizeof(frame));
	memcpy(frame + 12, head, head_size);
	frame[12 + head_size] = 0x60;
	bng_put_be16(frame + 12 + head_size + 4, payload);
	return bng_frame_ipv6_at((struct bng_bytes){frame, size});
}

TEST(ipv6_is_found_behind_tags_and_pppoe)
{
	assert_int_equal(found("\x86\xdd", 2, 10, 64), 14);
	assert_int_equal(found("\x81\0\0\5\x86\xdd", 6, 10, 68), 18);
	assert_int_equal(found("\x88\xa8\0\5\x81\0\0\7\x86\xdd", 10, 10, 72), 22);
	assert_int_equal(found("\x88\xa8\0\5\x81\0\0\7\x88\x64\x11\0\0\1\0\x34\0\x57", 18, 10, 80), 30);
}

TEST(what_is_no_whole_ipv6_packet_is_not_found)
{
	assert_int_equal(found("\x86\xdd", 2, 11, 64), 0);
	assert_int_equal(found("\x86\xdd", 2, 0, 53), 0);
	assert_int_equal(found("\x86\xdd", 2, 0, 14), 0);
	assert_int_equal(found("\x08\0", 2, 10, 64), 0);
	assert_int_equal(found("\x81\0\0\1\x81\0\0\2\x81\0\0\3\x86\xdd", 14, 0, 200), 0);
	assert_int_equal(found("\x88\x64\x11\0\0\1\0\x34\0\x21", 10, 10, 200), 0);
	assert_int_equal(found("\x88\x64\x11\0\0\1\0\x34\0\x57", 10, 0, 22), 0);
	(void)found("\x86\xdd", 2, 10, 64);
	frame[14] = 0x45;
	assert_int_equal(bng_frame_ipv6_at((struct bng_bytes){frame, 64}), 0);
}

TEST(an_icmpv6_packet_sums_up)
{
	static const uint8_t source[16] = {0xfe, 0x80, [15] = 1}, group[16] = {0xff, 2, [15] = 1};
	uint8_t message[17] = {134, 0, 0xff, 0xff, 64, [16] = 0x80}, packet[BNG_IPV6_HEADER + 17 + 1] = {0};
	uint32_t sum = 58 + 17;
	size_t i;

	bng_icmpv6_put(packet, source, group, (struct bng_bytes){message, sizeof(message)});
	assert_memory_equal(packet, "\x60\0\0\0\0\x11\x3a\xff", 8);
	assert_memory_equal(packet + 8, source, 16);
	assert_memory_equal(packet + 24, group, 16);
	assert_memory_equal(packet + 44, message + 4, 13);
	for (i = 8; i < sizeof(packet); i += 2)
		sum += bng_get_be16(packet + i);
	assert_int_equal((sum & 0xffff) + (sum >> 16), 0xffff);
}
