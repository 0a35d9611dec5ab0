// SPDX-License-Identifier: Apache-2.0
// The gateway for FTP (RFC 959, RFC 2428, RFC 3022 4.4): every packet of a control connection comes by here,
// translated and ready to leave. Where a client says that it listens, it is told to the server as its public
// side, and that is opened for the server. A data connection does not come by here.
#include "nat_alg.h"

#include "agent.h"

#include "entry.h"
#include "ftp_command.h"
#include "ipv4_fragment.h"
#include "map_nat_alg.h"

#include <arpa/inet.h>
#include <errno.h>

enum {
	ETHERNET = 14,
	TCP = 6,
	FIRST_PORT = 1024, /* a server's own connections come to no lower port: RFC 2577 3 */
	PER_SESSION_MAX = 32,
	SWEEP_SECONDS = 5,
};

_Static_assert((int)BNG_FTP_ARGUMENT_MAX <= (int)BNG_NAT_EDIT_MAX, "edits");

/* A packet in hand. */
struct passage {
	struct bng_bytes packet; /* IPv4 */
	struct bng_tcp_packet tcp;
	bool is_up;
	struct bng_nat_key inside;
	struct bng_nat_flow_key key; /* of nat_flows, and of nat_algs */
	uint32_t slot;
	uint64_t session_id;
	__be32 session; /* its address */
	struct bng_nat_alg alg;
};

static bool find_sides(struct bng_agent *agent, struct passage *passage, uint32_t vrf)
{
	const uint8_t *ip = passage->packet.data, *tcp = ip + passage->tcp.tcp_at;
	size_t near = passage->is_up ? 0 : 1, far = 1 - near;
	struct bng_nat_key outside = {.vrf = vrf, .protocol = TCP};
	struct bng_nat_reverse reverse;

	memcpy(&outside.address, ip + 12 + near * 4, sizeof(outside.address));
	memcpy(&outside.port, tcp + near * 2, sizeof(outside.port));
	passage->inside = outside;
	if (!passage->is_up &&
		!bng_map_nat_outside(&agent->kern, &passage->inside, passage->session_id, &outside))
		return false;
	if (!bng_map_nat_inside(&agent->kern, &outside, passage->session_id, &reverse))
		return false;
	passage->inside.address = reverse.address;
	passage->inside.port = reverse.port;
	passage->slot = reverse.slot;
	passage->session = reverse.session;
	passage->key = (struct bng_nat_flow_key){
		.vrf = vrf, .address = outside.address, .port = outside.port, .protocol = TCP};
	memcpy(&passage->key.peer, ip + 12 + far * 4, sizeof(passage->key.peer));
	memcpy(&passage->key.peer_port, tcp + far * 2, sizeof(passage->key.peer_port));
	return passage->slot <= agent->options.max_sessions;
}

static void find_edits(struct bng_agent *agent, struct passage *passage)
{
	bool is_there = bng_map_nat_alg_get(&agent->kern, &passage->key, &passage->alg);
	bool begins = passage->is_up &&
		      (passage->tcp.flags & (BNG_TCP_FLAG_SYN | BNG_TCP_FLAG_ACK)) == BNG_TCP_FLAG_SYN;

	if (is_there && passage->alg.session_id == passage->session_id && !begins)
		return;
	if (is_there) {
		bng_map_nat_alg_drop(&agent->kern, &passage->key);
		if (agent->nat_algs[passage->slot])
			agent->nat_algs[passage->slot]--;
	}
	passage->alg = (struct bng_nat_alg){.session_id = passage->session_id, .slot = passage->slot};
}

/* Keeps the edit, so that it is made again whenever the bytes come again. */
static int keep(struct bng_agent *agent, struct passage *passage, const struct bng_nat_edit *edit)
{
	struct bng_nat_alg next = passage->alg;
	uint8_t *count = &agent->nat_algs[passage->slot];
	int err;

	if (!next.edit_count && *count >= PER_SESSION_MAX)
		return -ENOSPC;
	bng_nat_alg_add(&next, edit);
	err = bng_map_nat_alg_put(&agent->kern, &passage->key, &next);
	if (err)
		return err;
	if (!passage->alg.edit_count)
		++*count;
	passage->alg = next;
	return 0;
}

static int open_way(struct bng_agent *agent, const struct passage *passage,
	const struct bng_ftp_command *command, __be16 *ret)
{
	struct bng_nat_opening opening = {
		.inside = passage->inside, .peer = passage->key.peer, .session = passage->session};

	opening.inside.port = htons(command->port);
	return bng_map_nat_open(&agent->kern, &opening, passage->slot, passage->session_id, ret);
}

/* `at`: of the line in the data. */
static void replace(struct bng_agent *agent, struct passage *passage, const struct bng_ftp_command *command,
	size_t at, const uint8_t *argument)
{
	struct bng_nat_edit edit = {.seq = passage->tcp.seq + (uint32_t)(at + command->argument_at),
		.was = (uint8_t)command->argument_size};
	uint8_t text[BNG_FTP_ARGUMENT_MAX + 1], address[4];
	__be16 port = 0;

	if (!bng_nat_alg_is_new(&passage->alg, edit.seq))
		return;
	if (memcmp(command->address, &passage->inside.address, sizeof(command->address)) != 0) {
		agent->counters[BNG_COUNT_nat_alg_foreign]++;
		return;
	}
	if (command->port < FIRST_PORT) {
		agent->counters[BNG_COUNT_nat_alg_low_port]++;
		return;
	}
	if (open_way(agent, passage, command, &port)) {
		agent->counters[BNG_COUNT_nat_alg_refused]++;
		/* Replaced by itself: it may not be changed when it comes again. */
		edit.is = edit.was;
		memcpy(edit.text, argument, edit.was);
		(void)keep(agent, passage, &edit);
		return;
	}
	memcpy(address, &passage->key.address, sizeof(address));
	edit.is = (uint8_t)bng_ftp_write_argument(command, address, ntohs(port), text);
	memcpy(edit.text, text, edit.is);
	agent->counters[keep(agent, passage, &edit) ? BNG_COUNT_nat_alg_refused : BNG_COUNT_nat_alg_opened]++;
}

static void read_line(struct bng_agent *agent, struct passage *passage, struct bng_bytes line, size_t at)
{
	struct bng_ftp_command command;

	switch (bng_ftp_read(line, &command)) {
	case BNG_FTP_LISTEN:
		replace(agent, passage, &command, at, line.data + command.argument_at);
		return;
	case BNG_FTP_CUT:
		agent->counters[BNG_COUNT_nat_alg_cut]++;
		return;
	case BNG_FTP_MALFORMED:
		agent->counters[BNG_COUNT_nat_alg_malformed]++;
		return;
	case BNG_FTP_OTHER:
		return;
	}
}

static void read_commands(struct bng_agent *agent, struct passage *passage)
{
	const uint8_t *data = passage->packet.data + passage->tcp.data_at, *end;
	size_t size = passage->tcp.size - passage->tcp.data_at, at, length;

	if (passage->tcp.is_cut || (passage->tcp.flags & BNG_TCP_FLAG_SYN))
		return;
	for (at = 0; at < size; at += length) {
		end = memchr(data + at, '\n', size - at);
		length = end ? (size_t)(end - (data + at)) + 1 : size - at;
		read_line(agent, passage, (struct bng_bytes){data + at, length}, at);
	}
}

/* The packet as it is to leave, into `to`; its size, or a negative errno. */
static int rewrite(struct bng_agent *agent, struct passage *passage, uint8_t *to, size_t room)
{
	size_t size = passage->tcp.size;
	int err = 0;

	find_edits(agent, passage);
	if (passage->is_up)
		read_commands(agent, passage);
	if (passage->alg.edit_count && passage->is_up)
		return bng_nat_alg_rewrite_up(&passage->alg, passage->packet, to, room);
	if (size > room)
		return -EMSGSIZE;
	memcpy(to, passage->packet.data, size);
	if (passage->alg.edit_count)
		err = bng_nat_alg_rewrite_down(&passage->alg, to, size);
	return err ? err : (int)size;
}

/* By its port; cut, if it is too large for the line; or by the kernel, if the next hop is not known yet. */
static void leave(struct bng_agent *agent, struct bng_punt *punt)
{
	struct bng_frame_run run = {.counter = BNG_COUNT_nat_alg_sent};

	if (punt->detail) {
		bng_fragment_send(agent, punt);
	} else if (!punt->out_port) {
		bng_neighbor_send(agent, punt);
	} else if (bng_frame_run_add(agent, &run, punt->out_port,
			   (struct bng_bytes){punt->frame, punt->frame_length})) {
		bng_frame_run_flush(agent, &run);
		return;
	} else {
		agent->counters[BNG_COUNT_nat_alg_lost]++;
		return;
	}
	agent->counters[BNG_COUNT_nat_alg_sent]++;
}

/* What the port takes, behind `head` bytes. */
static size_t room_of(const struct bng_agent *agent, const struct bng_punt *punt, size_t head)
{
	size_t room = BNG_FRAME_MAX - head;
	uint32_t mtu = punt->out_port < BNG_MAX_PORTS ? agent->kern.ports[punt->out_port].interface.mtu : 0;

	/* A line's has been seen to by the program. */
	return punt->out_port && agent->kern.ports[punt->out_port].role == BNG_ROLE_CORE && mtu < room ? mtu
												       : room;
}

void bng_nat_alg_take(struct bng_agent *agent, const struct bng_punt *punt)
{
	static union {
		struct bng_punt punt;
		uint8_t bytes[sizeof(struct bng_punt) + BNG_FRAME_MAX];
	} out;
	static const uint8_t plain[ETHERNET] = {[12] = 0x08};
	const struct bng_session_object *session =
		(const void *)bng_state_get(&agent->state, BNG_FAMILY_SESSION, punt->session_id);
	size_t at = bng_frame_ipv4_at((struct bng_bytes){punt->frame, punt->frame_length});
	size_t head = punt->out_port ? at : ETHERNET;
	struct passage passage = {.session_id = punt->session_id,
		.packet = {punt->frame + at, punt->frame_length - at},
		.is_up = !punt->out_port || (punt->out_port < BNG_MAX_PORTS &&
						    agent->kern.ports[punt->out_port].role == BNG_ROLE_CORE)};
	int size = -EINVAL;

	if (at && session && punt->frame_length <= BNG_FRAME_MAX &&
		!bng_tcp_packet_read(passage.packet, &passage.tcp) &&
		find_sides(agent, &passage, bng_session_vrf(session)))
		size = rewrite(agent, &passage, out.punt.frame + head, room_of(agent, punt, head));
	if (size < 0) {
		agent->counters[BNG_COUNT_nat_alg_lost]++;
		return;
	}
	out.punt = *punt;
	out.punt.frame_length = (uint32_t)(head + (size_t)size);
	memcpy(out.punt.frame, punt->out_port ? punt->frame : plain, head);
	leave(agent, &out.punt);
}

void bng_nat_alg_sweep(struct bng_agent *agent)
{
	if (agent->seconds % SWEEP_SECONDS == 0)
		bng_map_nat_alg_sweep(&agent->kern, bng_clock_now().boot_ns, agent->nat_algs);
}
