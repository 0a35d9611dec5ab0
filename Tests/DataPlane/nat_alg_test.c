// SPDX-License-Identifier: Apache-2.0
// The gateway for FTP: what is read as a command, and segments whose bytes were replaced, against a server
// and a client that count them.
#include "test.h"

#include "ftp_command.h"
#include "nat_alg.h"

#include <errno.h>
#include <stdio.h>

static struct bng_ftp_command command;

static enum bng_ftp_line read_text(const char *text)
{
	memset(&command, 0, sizeof(command));
	return bng_ftp_read((struct bng_bytes){(const uint8_t *)text, strlen(text)}, &command);
}

TEST(port_and_eprt_are_read)
{
	static const uint8_t address[4] = {100, 64, 1, 2};
	const char *same[] = {"PORT 100,64,1,2,4,1\r\n", "port 100,64,1,2,4,1\n",
		"PORT 100,064,001,2,04,1\r\n", "EPRT |1|100.64.1.2|1025|\r\n",
		"eprt !1!100.64.1.2!1025!\r\n"};

	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		assert_int_equal(read_text(same[i]), BNG_FTP_LISTEN);
		assert_memory_equal(command.address, address, 4);
		assert_int_equal(command.port, 1025);
		assert_int_equal(command.argument_at, 5);
		assert_int_equal(command.argument_size, strcspn(same[i], "\r\n") - 5);
	}
	assert_int_equal(command.delimiter, '!');
}

TEST(the_argument_is_written_as_the_client_writes_it)
{
	static const uint8_t address[4] = {255, 255, 255, 255};
	uint8_t text[BNG_FTP_ARGUMENT_MAX + 1];

	assert_int_equal(read_text("EPRT ~1~1.2.3.4~1~\r\n"), BNG_FTP_LISTEN);
	assert_int_equal(bng_ftp_write_argument(&command, address, 65535, text), BNG_FTP_ARGUMENT_MAX);
	assert_string_equal((char *)text, "~1~255.255.255.255~65535~");
	assert_int_equal(read_text("PORT 1,2,3,4,5,6\r\n"), BNG_FTP_LISTEN);
	assert_int_equal(bng_ftp_write_argument(&command, address, 1024, text), 19);
	assert_string_equal((char *)text, "255,255,255,255,4,0");
}

TEST(what_is_not_exact_is_not_read)
{
	const char *malformed[] = {"PORT \r\n", "PORT 1,2,3,4,5\r\n", "PORT 1,2,3,4,5,6,7\r\n",
		"PORT 1,2,3,256,5,6\r\n", "PORT 1,2,3,4,5,6 \r\n", "PORT  1,2,3,4,5,6\r\n",
		"PORT 1,2,3,4,5,-6\r\n", "PORT 1,2,3,4,5,\r\n", "PORT 0001,2,3,4,5,6\r\n",
		"PORT 1.2.3.4,5,6\r\n", "EPRT \r\n", "EPRT |1|1.2.3.4|65536|\r\n", "EPRT |1|1.2.3.4|1\r\n",
		"EPRT |1|1.2.3|1|\r\n", "EPRT |1|1.2.3.4|1|x\r\n", "EPRT |1!1.2.3.4!1!\r\n",
		"EPRT 11112.3.4111\r\n", "EPRT .1.1.2.3.4.1.\r\n", "EPRT |1|1.2.3.4|123456|\r\n"};
	const char *others[] = {"", "P", "PORT", "PORT\r\n", "PORTS 1,2,3,4,5,6\r\n", " PORT 1,2,3,4,5,6\r\n",
		"PASV\r\n", "EPSV 1\r\n", "RETR PORT 1,2,3,4,5,6\r\n", "EPRT |2|2001:db8::1|1025|\r\n"};
	const char *cut[] = {"PORT ", "PORT 1,2,3,4,5,6", "PORT 1,2,3,4,5,6\r", "EPRT |1|1.2.3.4|1|"};

	for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++)
		assert_int_equal(read_text(malformed[i]), BNG_FTP_MALFORMED);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_int_equal(read_text(others[i]), BNG_FTP_OTHER);
	for (size_t i = 0; i < sizeof(cut) / sizeof(cut[0]); i++)
		assert_int_equal(read_text(cut[i]), BNG_FTP_CUT);
}

static struct bng_nat_alg alg;

static void edit(uint32_t seq, const char *was, const char *is)
{
	struct bng_nat_edit it = {.seq = seq, .was = (uint8_t)strlen(was), .is = (uint8_t)strlen(is)};

	memcpy(it.text, is, it.is);
	assert_true(bng_nat_alg_is_new(&alg, seq));
	bng_nat_alg_add(&alg, &it);
}

TEST(numbers_are_moved_by_what_lies_before_them_also_around_zero)
{
	const uint32_t starts[] = {1000, 0xfffffff0, 0xffffffff, 0x7ffffff8, 0};

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		uint32_t at = starts[i];

		alg = (struct bng_nat_alg){0};
		edit(at, "aaaa", "bbbbbbb");      /* 3 more */
		edit(at + 20, "aaaaaaaaaa", "b"); /* 9 fewer */
		assert_int_equal(bng_nat_alg_up(&alg, at - 1), at - 1);
		assert_int_equal(bng_nat_alg_up(&alg, at), at);
		assert_int_equal(bng_nat_alg_up(&alg, at + 3), at);
		assert_int_equal(bng_nat_alg_up(&alg, at + 4), at + 7);
		assert_int_equal(bng_nat_alg_up(&alg, at + 20), at + 23);
		assert_int_equal(bng_nat_alg_up(&alg, at + 29), at + 23);
		assert_int_equal(bng_nat_alg_up(&alg, at + 30), at + 24);
		for (int after = 0; after < 2; after++) {
			assert_int_equal(bng_nat_alg_down(&alg, at, after), at);
			assert_int_equal(bng_nat_alg_down(&alg, at + 6, after), after ? at + 4 : at);
			assert_int_equal(bng_nat_alg_down(&alg, at + 7, after), at + 4);
			assert_int_equal(bng_nat_alg_down(&alg, at + 23, after), at + 20);
			assert_int_equal(bng_nat_alg_down(&alg, at + 24, after), at + 30);
			assert_int_equal(bng_nat_alg_down(&alg, at + 124, after), at + 130);
		}
		assert_false(bng_nat_alg_is_new(&alg, at + 29));
		assert_true(bng_nat_alg_is_new(&alg, at + 30));
	}
}

TEST(edits_that_are_forgotten_still_move_what_follows)
{
	alg = (struct bng_nat_alg){0};
	for (uint32_t i = 0; i < 100; i++)
		edit(i * 50, "aaaa", i % 3 ? "bbbbbb" : "b");
	assert_int_equal(alg.edit_count, BNG_NAT_EDITS);
	/* 66 times 2 more, 34 times 3 fewer. */
	assert_int_equal(bng_nat_alg_up(&alg, 5000), 5000 + 66 * 2 - 34 * 3);
	assert_int_equal(bng_nat_alg_down(&alg, 5000 + 66 * 2 - 34 * 3, false), 5000);
}

enum { HEAD = 40 };

static uint8_t packet[1600], out[1600];

static uint16_t sum(const uint8_t *bytes, size_t size, uint32_t start)
{
	for (size_t i = 0; i < size; i++)
		start += i & 1 ? bytes[i] : (uint32_t)bytes[i] << 8;
	while (start >> 16)
		start = (start & 0xffff) + (start >> 16);
	return (uint16_t)start;
}

static uint16_t tcp_sum(const uint8_t *ip)
{
	size_t size = bng_get_be16(ip + 2) - 20u;

	return sum(ip + 20, size, 6u + (uint32_t)size + sum(ip + 12, 8, 0));
}

static bool sums_hold(const uint8_t *ip)
{
	return sum(ip, 20, 0) == 0xffff && tcp_sum(ip) == 0xffff;
}

/* A segment with right sums; its size. `options` are of a size that is a multiple of 4. */
static size_t segment(
	uint32_t seq, uint32_t ack, uint8_t flags, const void *options, size_t option_size, const char *data)
{
	size_t size = HEAD + option_size + strlen(data);

	memset(packet, 0, sizeof(packet));
	packet[0] = 0x45;
	bng_put_be16(packet + 2, (uint16_t)size);
	packet[8] = 64;
	packet[9] = 6;
	bng_put_be32(packet + 12, 0xc0000281);
	bng_put_be32(packet + 16, 0xcb007109);
	bng_put_be16(packet + 20, 40001);
	bng_put_be16(packet + 22, 21);
	bng_put_be32(packet + 24, seq);
	bng_put_be32(packet + 28, ack);
	packet[32] = (uint8_t)((20 + option_size) / 4 << 4);
	packet[33] = flags;
	if (option_size)
		memcpy(packet + HEAD, options, option_size);
	memcpy(packet + HEAD + option_size, data, strlen(data));
	bng_put_be16(packet + 10, (uint16_t)~sum(packet, 20, 0));
	bng_put_be16(packet + 36, (uint16_t)~tcp_sum(packet));
	return size;
}

static int up(size_t size, size_t room)
{
	return bng_nat_alg_rewrite_up(&alg, (struct bng_bytes){packet, size}, out, room);
}

static void leaves(uint32_t seq, const char *in, uint32_t out_seq, const char *wanted)
{
	int size = up(segment(seq, 7, BNG_TCP_FLAG_ACK, NULL, 0, in), sizeof(out));

	assert_int_equal(size, HEAD + strlen(wanted));
	assert_int_equal(bng_get_be16(out + 2), size);
	assert_int_equal(bng_get_be32(out + 24), out_seq);
	assert_int_equal(bng_get_be32(out + 28), 7);
	assert_memory_equal(out + HEAD, wanted, strlen(wanted));
	assert_true(sums_hold(out));
}

TEST(a_command_is_replaced_whenever_it_comes)
{
	alg = (struct bng_nat_alg){0};
	edit(105, "10,0,0,1,4,1", "192,0,2,129,200,100");
	for (int again = 0; again < 2; again++) {
		leaves(100, "PORT 10,0,0,1,4,1\r\n", 100, "PORT 192,0,2,129,200,100\r\n");
		leaves(119, "LIST\r\n", 126, "LIST\r\n");
		leaves(119, "", 126, "");
		leaves(90, "NOOP 3456\nPORT 10,0,0,1,4,1\r\nLIST\r\n", 90,
			"NOOP 3456\nPORT 192,0,2,129,200,100\r\nLIST\r\n");
	}
	/* The last byte again, as a keep-alive has it. */
	leaves(118, "\n", 125, "\n");
}

TEST(what_has_not_all_of_it_is_cut_before_it_or_lost)
{
	alg = (struct bng_nat_alg){0};
	edit(105, "10,0,0,1,4,1", "1,2,3,4,5,6");
	leaves(95, "NOOP\nPORT 10,0", 95, "NOOP\nPORT ");
	assert_int_equal(up(segment(105, 7, BNG_TCP_FLAG_ACK, NULL, 0, "10,0"), sizeof(out)), -EAGAIN);
	assert_int_equal(
		up(segment(107, 7, BNG_TCP_FLAG_ACK, NULL, 0, ",0,0,1,4,1\r\n"), sizeof(out)), -EAGAIN);
	/* A FIN behind what is cut off is not said yet. */
	up(segment(100, 7, BNG_TCP_FLAG_ACK | BNG_TCP_FLAG_FIN, NULL, 0, "PORT 10,0"), sizeof(out));
	assert_int_equal(out[33], BNG_TCP_FLAG_ACK);
	assert_true(sums_hold(out));
}

TEST(what_has_no_room_is_refused)
{
	size_t size;

	alg = (struct bng_nat_alg){0};
	edit(105, "10,0,0,1,4,1", "192,0,2,129,200,100");
	size = segment(100, 7, BNG_TCP_FLAG_ACK, NULL, 0, "PORT 10,0,0,1,4,1\r\n");
	for (size_t room = 0; room < size + 7; room++)
		assert_int_equal(up(size, room), -EMSGSIZE);
	assert_int_equal(up(size, size + 7), size + 7);
}

TEST(urgent_data_and_a_wrong_sum_stay_what_they_are)
{
	size_t size;

	alg = (struct bng_nat_alg){0};
	edit(105, "10,0,0,1,4,1", "192,0,2,129,200,100");
	size = segment(100, 7, BNG_TCP_FLAG_ACK | BNG_TCP_FLAG_URG, NULL, 0, "PORT 10,0,0,1,4,1\r\nABOR\r\n");
	bng_put_be16(packet + 38, 20);
	bng_put_be16(packet + 36, (uint16_t)(bng_get_be16(packet + 36) - 20));
	up(size, sizeof(out));
	assert_int_equal(bng_get_be16(out + 38), 27);
	assert_true(sums_hold(out));
	packet[36] ^= 1;
	up(size, sizeof(out));
	assert_false(sums_hold(out));
}

TEST(of_a_fragment_only_the_header_changes)
{
	size_t size;

	alg = (struct bng_nat_alg){0};
	edit(105, "10,0,0,1,4,1", "192,0,2,129,200,100");
	size = segment(200, 7, BNG_TCP_FLAG_ACK, NULL, 0, "LIST\r\n");
	packet[6] = 0x20;
	assert_int_equal(up(size, sizeof(out)), size);
	assert_int_equal(bng_get_be32(out + 24), 207);
	assert_int_equal(tcp_sum(out), 0xffff);
	size = segment(100, 7, BNG_TCP_FLAG_ACK, NULL, 0, "PORT 10,0,0,1,4,1\r\n");
	packet[6] = 0x20;
	assert_int_equal(up(size, sizeof(out)), -EAGAIN);
	packet[6] = 0;
	packet[7] = 1;
	assert_int_equal(up(size, sizeof(out)), -EINVAL);
}

static void put_sack(uint8_t *option, const uint32_t *edges, size_t count)
{
	option[0] = option[1] = 1;
	option[2] = 5;
	option[3] = (uint8_t)(2 + 4 * count);
	for (size_t i = 0; i < count; i++)
		bng_put_be32(option + 4 + i * 4, edges[i]);
}

TEST(the_servers_acknowledgements_are_the_clients_again)
{
	uint8_t option[28], wanted[28];
	size_t size;

	alg = (struct bng_nat_alg){0};
	edit(105, "10,0,0,1,4,1", "192,0,2,129,200,100"); /* 105-117, seen as 105-124 */
	/* A block behind; one from inside to behind; one that is all inside and goes. */
	put_sack(option, (uint32_t[]){300, 400, 110, 126, 106, 120}, 6);
	put_sack(wanted, (uint32_t[]){293, 393, 117, 119}, 4);
	memset(wanted + 20, 1, 8);
	size = segment(50, 126, BNG_TCP_FLAG_ACK, option, sizeof(option), "200 well\r\n");
	assert_int_equal(bng_nat_alg_rewrite_down(&alg, packet, size), 0);
	assert_int_equal(bng_get_be32(packet + 24), 50);
	assert_int_equal(bng_get_be32(packet + 28), 119);
	assert_memory_equal(packet + HEAD, wanted, sizeof(wanted));
	assert_true(sums_hold(packet));
	/* Of one that is all inside, nothing is left. */
	put_sack(option, (uint32_t[]){106, 120}, 2);
	size = segment(50, 110, BNG_TCP_FLAG_ACK, option, 12, "");
	assert_int_equal(bng_nat_alg_rewrite_down(&alg, packet, size), 0);
	assert_int_equal(bng_get_be32(packet + 28), 105);
	memset(wanted, 1, 12);
	assert_memory_equal(packet + HEAD, wanted, 12);
	assert_true(sums_hold(packet));
}

TEST(hostile_options_and_lengths_are_left_or_refused)
{
	static const uint8_t options[][4] = {
		{5, 255, 1, 1}, {5, 0, 5, 1}, {5, 1, 5, 9}, {1, 1, 1, 5}, {5, 4, 1, 1}};
	struct bng_tcp_packet read;
	size_t size;

	alg = (struct bng_nat_alg){0};
	edit(105, "a", "bb");
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		size = segment(50, 126, BNG_TCP_FLAG_ACK, options[i], 4, "");
		assert_int_equal(bng_nat_alg_rewrite_down(&alg, packet, size), 0);
		assert_memory_equal(packet + HEAD, options[i], 4);
		assert_true(sums_hold(packet));
	}
	size = segment(50, 126, BNG_TCP_FLAG_ACK, NULL, 0, "LIST\r\n");
	for (size_t less = 0; less < size; less++)
		assert_int_equal(bng_tcp_packet_read((struct bng_bytes){packet, less}, &read), -EINVAL);
	packet[32] = 0x40;
	assert_int_equal(bng_tcp_packet_read((struct bng_bytes){packet, size}, &read), -EINVAL);
	packet[32] = 0xf0;
	assert_int_equal(bng_tcp_packet_read((struct bng_bytes){packet, size}, &read), -EINVAL);
	packet[32] = 0x50;
	packet[9] = 17;
	assert_int_equal(bng_tcp_packet_read((struct bng_bytes){packet, size}, &read), -EINVAL);
}
