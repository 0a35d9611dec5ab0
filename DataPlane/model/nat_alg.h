/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TCP segments of a control connection of which the gateway has replaced some bytes, by others and more or
 * fewer: sequence numbers up, acknowledgements and SACK (RFC 2018) down, sums updated by what changed (RFC
 * 1624). Only what the inside sends is changed.
 */
#ifndef BNG_NAT_ALG_H
#define BNG_NAT_ALG_H

#include "bng_abi.h"
#include "bytes.h"

/* An IPv4 packet with a TCP header, its offsets. */
struct bng_tcp_packet {
	size_t tcp_at;
	size_t data_at;
	size_t size;
	uint32_t seq; /* of the first byte of data */
	uint8_t flags;
	bool is_cut; /* the first fragment of more */
};

enum { BNG_TCP_FLAG_FIN = 1, BNG_TCP_FLAG_SYN = 2, BNG_TCP_FLAG_ACK = 16, BNG_TCP_FLAG_URG = 32 };

/* -EINVAL: it is none, is shorter than it says, or a fragment without the header. */
int bng_tcp_packet_read(struct bng_bytes packet, struct bng_tcp_packet *ret);

/* The client's number as the server counts; inside bytes that were replaced: where these begin. */
uint32_t bng_nat_alg_up(const struct bng_nat_alg *alg, uint32_t seq);
/* The server's number as the client counts; inside bytes that replace others: where these begin, or with
 * `after` end. */
uint32_t bng_nat_alg_down(const struct bng_nat_alg *alg, uint32_t seq, bool after);

/* Whether nothing of it has been sent before, so that it may still be replaced. */
bool bng_nat_alg_is_new(const struct bng_nat_alg *alg, uint32_t seq);
/* A new one, behind all others; the oldest is forgotten when there is no room. */
void bng_nat_alg_add(struct bng_nat_alg *alg, const struct bng_nat_edit *edit);

/*
 * A packet from inside as the server is to see it, into `to` of `room` bytes. Its size; -EMSGSIZE: there is
 * no room; -EAGAIN: it begins inside replaced bytes or has not all of them at its begin, and has to come
 * again. One that ends inside of them is sent as far as these.
 */
int bng_nat_alg_rewrite_up(const struct bng_nat_alg *alg, struct bng_bytes packet, uint8_t *to, size_t room);
/* A packet of the server as the client is to see it, in place. -EINVAL: see bng_tcp_packet_read(). */
int bng_nat_alg_rewrite_down(const struct bng_nat_alg *alg, uint8_t *packet, size_t size);

#endif
