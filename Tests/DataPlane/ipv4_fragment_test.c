// SPDX-License-Identifier: Apache-2.0
// Fragments joined again are the packet; sizes, offsets, flags, options and checksums are RFC 791's. Also the
// queue of frames that wait.
#include "test.h"

#include "delay_queue.h"
#include "ipv4_fragment.h"

#include <errno.h>

enum { SIZE = 2048 };

static uint8_t frame[SIZE];
static size_t frame_size;

static uint16_t sum_of(const uint8_t *bytes, size_t size)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < size; i += 2)
		sum += bng_get_be16(bytes + i);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* A frame with this head (of head_size bytes), these options and so much payload. Returns where IP begins. */
static size_t build(const void *head, size_t head_size, const void *options, size_t option_size,
	size_t payload, uint16_t fragment)
{
	size_t header = 20 + option_size;
	uint8_t *ip = frame + head_size;

	memset(frame, 0, sizeof(frame));
	memcpy(frame, head, head_size);
	ip[0] = (uint8_t)(0x40 | header / 4);
	ip[1] = 0xb8;
	bng_put_be16(ip + 2, (uint16_t)(header + payload));
	bng_put_be16(ip + 4, 0xbeef);
	bng_put_be16(ip + 6, fragment);
	ip[8] = 63;
	ip[9] = 17;
	memcpy(ip + 12, "\x0a\0\0\1\x64\x40\1\2", 8);
	memcpy(ip + 20, options, option_size);
	bng_put_be16(ip + 10, (uint16_t)~sum_of(ip, header));
	for (size_t i = 0; i < payload; i++)
		ip[header + i] = (uint8_t)(i * 7 + i / 256);
	frame_size = head_size + header + payload;
	return head_size;
}

#define UNTAGGED "\2\0\0\0\0\1\2\0\0\0\0\2\x08\x00"
#define PPPOE    "\2\0\0\0\0\1\2\0\0\0\0\2\x88\xa8\0\x0a\x81\0\0\x14\x88\x64\x11\0\0\5\xff\xff\0\x21"

static struct bng_bytes whole(void)
{
	return (struct bng_bytes){frame, frame_size};
}

/* Cuts and joins; the number of fragments. */
static unsigned cut(size_t head, size_t header, uint32_t mtu, size_t payload, uint16_t fragment)
{
	struct bng_fragmenter fragmenter;
	uint8_t piece[SIZE];
	size_t done = 0, size;
	unsigned count = 0;

	assert_int_equal(bng_fragmenter_init(&fragmenter, whole(), mtu), 0);
	while ((size = bng_fragmenter_next(&fragmenter, piece)) > 0) {
		const uint8_t *ip = piece + head;
		size_t own = (ip[0] & 15u) * 4u, data = bng_get_be16(ip + 2) - own;
		bool last = done + data == payload;

		assert_int_equal(size, head + own + data);
		assert_true(own + data <= mtu);
		assert_true(last || data % 8 == 0);
		assert_true(last || own + data + 8 > mtu); /* as few as can be */
		assert_int_equal(sum_of(ip, own), 0xffff);
		assert_int_equal(bng_get_be16(ip + 4), 0xbeef);
		assert_memory_equal(ip + 8, frame + head + 8, 2);
		assert_memory_equal(ip + 12, frame + head + 12, 8);
		assert_int_equal(bng_get_be16(ip + 6) & 0x1fff, (fragment & 0x1fff) + done / 8);
		assert_int_equal(bng_get_be16(ip + 6) & 0xe000, last ? fragment & 0x2000 : 0x2000);
		assert_memory_equal(ip + own, frame + head + header + done, data);
		done += data;
		count++;
	}
	assert_int_equal(done, payload);
	return count;
}

TEST(a_packet_is_cut_into_units_of_eight_bytes)
{
	static const uint32_t mtus[] = {28, 29, 35, 36, 64, 576, 1007, 1492, 1500};

	for (size_t i = 0; i < sizeof(mtus) / sizeof(mtus[0]); i++)
		for (size_t payload = 1; payload < 1900; payload += 137) {
			size_t head = build(UNTAGGED, 14, "", 0, payload, 0);

			(void)cut(head, 20, mtus[i], payload, 0);
		}
	(void)build(UNTAGGED, 14, "", 0, 1480, 0);
	assert_int_equal(cut(14, 20, 1492, 1480, 0), 2);
	assert_int_equal(cut(14, 20, 1500, 1480, 0), 1);
}

TEST(a_fragment_is_cut_again_without_losing_its_place)
{
	(void)build(UNTAGGED, 14, "", 0, 1200, 0x2000 | 300);
	assert_int_equal(cut(14, 20, 576, 1200, 0x2000 | 300), 3);
	(void)build(UNTAGGED, 14, "", 0, 1203, 300);
	assert_int_equal(cut(14, 20, 576, 1203, 300), 3);
}

TEST(pppoe_says_the_length_of_each_piece)
{
	struct bng_fragmenter fragmenter;
	uint8_t piece[SIZE];
	size_t head = build(PPPOE, 30, "", 0, 1480, 0), size;
	unsigned count = 0;

	assert_int_equal(bng_fragmenter_init(&fragmenter, whole(), 1492), 0);
	while ((size = bng_fragmenter_next(&fragmenter, piece)) > 0) {
		assert_memory_equal(piece, frame, 26);
		assert_int_equal(bng_get_be16(piece + 26), size - 28);
		assert_memory_equal(piece + 28, "\0\x21", 2);
		count++;
	}
	assert_int_equal(count, 2);
	(void)cut(head, 20, 1492, 1480, 0);
}

TEST(only_options_with_the_copied_flag_are_in_later_fragments)
{
	/* Record route (not copied), NOP, router alert (copied), end. */
	static const uint8_t options[] = {7, 7, 4, 0, 0, 0, 0, 1, 0x94, 4, 0, 0};
	struct bng_fragmenter fragmenter;
	uint8_t piece[SIZE];

	(void)build(UNTAGGED, 14, options, sizeof(options), 100, 0);
	assert_int_equal(cut(14, 32, 68, 100, 0), 3);
	assert_int_equal(bng_fragmenter_init(&fragmenter, whole(), 68), 0);
	assert_int_equal(bng_fragmenter_next(&fragmenter, piece), 14 + 32 + 32);
	assert_memory_equal(piece + 14 + 20, options, sizeof(options));
	assert_int_equal(bng_fragmenter_next(&fragmenter, piece), 14 + 24 + 40);
	assert_int_equal(piece[14], 0x46);
	assert_memory_equal(piece + 14 + 20, "\x94\4\0\0", 4);
}

TEST(malformed_options_end_the_copying)
{
	static const uint8_t cases[][4] = {
		{0x94, 0, 0, 0}, {0x94, 1, 0, 0}, {0x94, 5, 0, 0}, {1, 1, 1, 0x94}};

	for (size_t i = 0; i < 4; i++) {
		(void)build(UNTAGGED, 14, cases[i], 4, 100, 0);
		(void)cut(14, 24, 64, 100, 0);
	}
}

TEST(what_cannot_be_cut_is_refused)
{
	struct bng_fragmenter fragmenter;
	size_t size;

	(void)build(UNTAGGED, 14, "", 0, 100, 0x4000);
	assert_int_equal(bng_fragmenter_init(&fragmenter, whole(), 68), -EINVAL);
	(void)build(UNTAGGED, 14, "", 0, 100, 0);
	assert_int_equal(bng_fragmenter_init(&fragmenter, whole(), 27), -EMSGSIZE);
	/* It would end beyond the longest packet. */
	(void)build(UNTAGGED, 14, "", 0, 100, 0x1fff);
	assert_int_equal(bng_fragmenter_init(&fragmenter, whole(), 68), -EINVAL);
	(void)build(UNTAGGED, 14, "", 0, 100, 0);
	size = frame_size;
	for (frame_size = 0; frame_size < size; frame_size++)
		assert_int_equal(bng_fragmenter_init(&fragmenter, whole(), 68), -EINVAL);
	(void)build(PPPOE, 30, "", 0, 100, 0);
	size = frame_size;
	for (frame_size = 0; frame_size < size; frame_size++)
		assert_int_equal(bng_fragmenter_init(&fragmenter, whole(), 68), -EINVAL);
}

/* Every byte changed in turn: it is refused, or cut within its bounds (ASan looks on). */
TEST(a_changed_byte_is_refused_or_cut)
{
	static const uint8_t options[] = {0x94, 4, 0, 0};
	struct bng_fragmenter fragmenter;
	uint8_t piece[SIZE];

	for (size_t at = 0; at < 60; at++)
		for (unsigned bit = 0; bit < 8; bit++) {
			unsigned count = 0;

			(void)build(PPPOE, 30, options, 4, 300, 0);
			frame[at] ^= (uint8_t)(1u << bit);
			if (bng_fragmenter_init(&fragmenter, whole(), 100))
				continue;
			while (bng_fragmenter_next(&fragmenter, piece) > 0)
				assert_true(++count < 50);
		}
}

TEST(frames_leave_in_the_order_of_their_time)
{
	static const uint64_t due[] = {50, 10, 30, 30, 20, 60};
	static const uint8_t order[] = {1, 4, 2, 3, 0, 5};
	struct bng_delay_queue queue;
	struct bng_delayed out;

	assert_int_equal(bng_delay_queue_init(&queue), 0);
	for (uint8_t i = 0; i < 6; i++)
		assert_int_equal(bng_delay_queue_push(&queue, due[i], 1, (struct bng_bytes){&i, 1}), 0);
	assert_false(bng_delay_queue_pop(&queue, 9, &out));
	for (size_t i = 0; i < 6; i++) {
		assert_true(bng_delay_queue_pop(&queue, 100, &out));
		assert_int_equal(out.frame[0], order[i]);
		bng_free(out.frame);
	}
	assert_false(bng_delay_queue_pop(&queue, 100, &out));
	bng_delay_queue_done(&queue);
	assert_int_equal(bng_test_live_blocks(), 0);
}

TEST(a_full_queue_takes_no_more_and_frees_what_it_held)
{
	struct bng_delay_queue queue;
	struct bng_delayed out;
	struct bng_bytes one = {(const uint8_t *)"x", 1};

	assert_int_equal(bng_delay_queue_init(&queue), 0);
	for (uint64_t i = 0; i < BNG_DELAYED_MAX; i++)
		assert_int_equal(bng_delay_queue_push(&queue, i, 1, one), 0);
	assert_int_equal(bng_delay_queue_push(&queue, 0, 1, one), -ENOSPC);
	assert_true(bng_delay_queue_pop(&queue, 0, &out));
	bng_free(out.frame);
	bng_test_fail_allocation(0);
	assert_int_equal(bng_delay_queue_push(&queue, 0, 1, one), -ENOMEM);
	bng_test_fail_allocation(-1);
	assert_int_equal(bng_delay_queue_push(&queue, 0, 1, one), 0);
	bng_delay_queue_done(&queue);
	assert_int_equal(bng_test_live_blocks(), 0);
}
