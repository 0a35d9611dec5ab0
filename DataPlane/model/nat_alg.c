// SPDX-License-Identifier: Apache-2.0
// The arithmetic of replaced bytes: RFC 9293 3.4, modulo 2^32.
#include "nat_alg.h"

#include "inet_sum.h"
#include "option_walk.h"

#include <errno.h>

enum {
	IP_HEADER = 20,
	IP_CHECK_AT = 10,
	PROTOCOL_TCP = 6,
	OFFSET = 0x1fff,
	MORE_FRAGMENTS = 0x2000,
	TCP_HEADER = 20,
	SEQ_AT = 4,
	ACK_AT = 8,
	FLAGS_AT = 13,
	CHECK_AT = 16,
	URGENT_AT = 18,
	OPTION_SACK = 5,
	BLOCK = 8,
};

int bng_tcp_packet_read(struct bng_bytes packet, struct bng_tcp_packet *ret)
{
	size_t header, total, tcp;
	uint16_t fragment;

	if (packet.size < IP_HEADER || packet.data[0] >> 4 != 4 || packet.data[9] != PROTOCOL_TCP)
		return -EINVAL;
	header = ((size_t)packet.data[0] & 15) * 4;
	total = bng_get_be16(packet.data + 2);
	fragment = bng_get_be16(packet.data + 6);
	if (header < IP_HEADER || total > packet.size || total < header + TCP_HEADER || fragment & OFFSET)
		return -EINVAL;
	tcp = (size_t)(packet.data[header + 12] >> 4) * 4;
	if (tcp < TCP_HEADER || header + tcp > total)
		return -EINVAL;
	*ret = (struct bng_tcp_packet){.tcp_at = header,
		.data_at = header + tcp,
		.size = total,
		.seq = bng_get_be32(packet.data + header + SEQ_AT),
		.flags = packet.data[header + FLAGS_AT],
		.is_cut = fragment & MORE_FRAGMENTS};
	if (ret->flags & BNG_TCP_FLAG_SYN)
		ret->seq++;
	return 0;
}

static bool is_before(uint32_t one, uint32_t other)
{
	return (int32_t)(one - other) < 0;
}

uint32_t bng_nat_alg_up(const struct bng_nat_alg *alg, uint32_t seq)
{
	uint32_t moved = alg->moved, i;

	for (i = 0; i < alg->edit_count; i++) {
		const struct bng_nat_edit *edit = &alg->edits[i];

		if (!is_before(edit->seq, seq))
			break;
		if (is_before(seq, edit->seq + edit->was))
			return edit->seq + moved;
		moved += (uint32_t)edit->is - edit->was;
	}
	return seq + moved;
}

uint32_t bng_nat_alg_down(const struct bng_nat_alg *alg, uint32_t seq, bool after)
{
	uint32_t moved = alg->moved, i;

	for (i = 0; i < alg->edit_count; i++) {
		const struct bng_nat_edit *edit = &alg->edits[i];
		uint32_t begin = edit->seq + moved;

		if (!is_before(begin, seq))
			break;
		if (is_before(seq, begin + edit->is))
			return after ? edit->seq + edit->was : edit->seq;
		moved += (uint32_t)edit->is - edit->was;
	}
	return seq - moved;
}

bool bng_nat_alg_is_new(const struct bng_nat_alg *alg, uint32_t seq)
{
	const struct bng_nat_edit *last;

	if (!alg->edit_count)
		return true;
	last = &alg->edits[alg->edit_count - 1];
	return !is_before(seq, last->seq + last->was);
}

void bng_nat_alg_add(struct bng_nat_alg *alg, const struct bng_nat_edit *edit)
{
	if (alg->edit_count == BNG_NAT_EDITS) {
		alg->moved += (uint32_t)alg->edits[0].is - alg->edits[0].was;
		memmove(alg->edits, alg->edits + 1, sizeof(alg->edits) - sizeof(alg->edits[0]));
		alg->edit_count--;
	}
	alg->edits[alg->edit_count++] = *edit;
}

/* The sum at check_at after so many bytes became those at `to`, where it still stands as it was. */
static void update(
	const uint8_t *from, size_t from_size, uint8_t *to, size_t to_size, size_t check_at, bool has_length)
{
	uint16_t check = bng_get_be16(from + check_at);
	uint32_t before = has_length ? (uint32_t)from_size : 0, after = has_length ? (uint32_t)to_size : 0;

	before = bng_inet_fold(bng_inet_add(before, from, from_size));
	after = bng_inet_fold(bng_inet_add(after, to, to_size));
	bng_put_be16(to + check_at,
		(uint16_t)~bng_inet_fold((uint16_t)~check + (uint32_t)(uint16_t)~before + after));
}

static const struct bng_nat_edit *edit_around(const struct bng_nat_alg *alg, uint32_t seq)
{
	uint32_t i;

	for (i = 0; i < alg->edit_count; i++)
		if (is_before(alg->edits[i].seq, seq) &&
			is_before(seq, alg->edits[i].seq + alg->edits[i].was))
			return &alg->edits[i];
	return NULL;
}

/* The data as the server is to see it; negative as bng_nat_alg_rewrite_up(). *ret_done: bytes of the data
 * that are in it. */
static int replace(const struct bng_nat_alg *alg, uint32_t seq, struct bng_bytes data, uint8_t *to,
	size_t room, size_t *ret_done)
{
	size_t done = 0, out = 0, size;
	uint32_t i;

	if (data.size && edit_around(alg, seq))
		return -EAGAIN;
	for (i = 0; i <= alg->edit_count; i++) {
		const struct bng_nat_edit *edit = i < alg->edit_count ? &alg->edits[i] : NULL;
		uint32_t at = edit ? edit->seq - seq : (uint32_t)data.size;

		if (edit && (is_before(edit->seq, seq) || at >= data.size))
			continue;
		size = at - done;
		if (size > room - out)
			return -EMSGSIZE;
		memcpy(to + out, data.data + done, size);
		out += size;
		done += size;
		if (!edit)
			break;
		if (edit->was > data.size - done)
			break;
		if (edit->is > room - out)
			return -EMSGSIZE;
		memcpy(to + out, edit->text, edit->is);
		out += edit->is;
		done += edit->was;
	}
	*ret_done = done;
	return data.size && !out ? -EAGAIN : (int)out;
}

int bng_nat_alg_rewrite_up(const struct bng_nat_alg *alg, struct bng_bytes packet, uint8_t *to, size_t room)
{
	struct bng_tcp_packet in;
	size_t done = 0, head, length;
	uint32_t seq, moved_seq;
	uint8_t *tcp;
	int size = bng_tcp_packet_read(packet, &in);

	if (size)
		return size;
	head = in.data_at;
	length = in.size - head;
	if (head > room)
		return -EMSGSIZE;
	memcpy(to, packet.data, head);
	size = replace(
		alg, in.seq, (struct bng_bytes){packet.data + head, length}, to + head, room - head, &done);
	if (size < 0)
		return size;
	/* Of a fragment only the header may change: others are behind it. */
	if (in.is_cut && (done != length || (size_t)size != length ||
				 memcmp(to + head, packet.data + head, length) != 0))
		return -EAGAIN;
	tcp = to + in.tcp_at;
	seq = bng_get_be32(tcp + SEQ_AT);
	moved_seq = bng_nat_alg_up(alg, seq);
	bng_put_be32(tcp + SEQ_AT, moved_seq);
	if (in.flags & BNG_TCP_FLAG_URG)
		bng_put_be16(tcp + URGENT_AT,
			(uint16_t)(bng_nat_alg_up(alg, seq + bng_get_be16(tcp + URGENT_AT)) - moved_seq));
	if (done != length)
		tcp[FLAGS_AT] &= (uint8_t)~BNG_TCP_FLAG_FIN;
	bng_put_be16(to + 2, (uint16_t)(head + (size_t)size));
	update(packet.data, in.tcp_at, to, in.tcp_at, IP_CHECK_AT, false);
	update(packet.data + in.tcp_at, in.size - in.tcp_at, tcp, head - in.tcp_at + (size_t)size, CHECK_AT,
		true);
	return (int)(head + (size_t)size);
}

/* RFC 2018 3: blocks of what the server has; one of which nothing is left goes. */
static void move_blocks(const struct bng_nat_alg *alg, uint8_t *option, size_t length)
{
	size_t at, kept = 2;

	for (at = 2; at + BLOCK <= length; at += BLOCK) {
		uint32_t left = bng_nat_alg_down(alg, bng_get_be32(option + at), true);
		uint32_t right = bng_nat_alg_down(alg, bng_get_be32(option + at + 4), false);

		if (!is_before(left, right))
			continue;
		bng_put_be32(option + kept, left);
		bng_put_be32(option + kept + 4, right);
		kept += BLOCK;
	}
	option[1] = (uint8_t)kept;
	if (kept == 2)
		kept = 0;
	memset(option + kept, BNG_OPTION_NOP, length - kept);
}

static void move_sack(const struct bng_nat_alg *alg, uint8_t *options, size_t size)
{
	size_t at, length;

	for (at = 0; (length = bng_option_next(options, size, &at)); at += length)
		if (options[at] == OPTION_SACK && (length - 2) % BLOCK == 0)
			move_blocks(alg, options + at, length);
}

int bng_nat_alg_rewrite_down(const struct bng_nat_alg *alg, uint8_t *packet, size_t size)
{
	struct bng_tcp_packet in;
	uint8_t before[60], *tcp;
	size_t head;
	int err = bng_tcp_packet_read((struct bng_bytes){packet, size}, &in);

	if (err)
		return err;
	tcp = packet + in.tcp_at;
	head = in.data_at - in.tcp_at;
	memcpy(before, tcp, head);
	if (in.flags & BNG_TCP_FLAG_ACK)
		bng_put_be32(tcp + ACK_AT, bng_nat_alg_down(alg, bng_get_be32(tcp + ACK_AT), false));
	move_sack(alg, tcp + TCP_HEADER, head - TCP_HEADER);
	update(before, head, tcp, head, CHECK_AT, false);
	return 0;
}
