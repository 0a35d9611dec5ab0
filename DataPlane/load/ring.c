// SPDX-License-Identifier: Apache-2.0
// AF_PACKET: a TPACKET_V2 ring to receive (version 3 holds packets back until a block retires, which would be
// measured as latency), sendmmsg past the queueing discipline to send.

#define _GNU_SOURCE
#include "load.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SLOT_SIZE = 2048, SLOTS = 1 << 14, BLOCK_SIZE = 1 << 18 };

/* Opens a socket in another network namespace (or ours) and comes back. */
static int socket_in(const char *netns)
{
	int home = -1, there = -1, fd = -1;

	if (!netns) {
		fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
		return fd < 0 ? -errno : fd;
	}
	home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	there = open(netns, O_RDONLY | O_CLOEXEC);
	if (home >= 0 && there >= 0 && setns(there, CLONE_NEWNET) == 0) {
		fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
		if (setns(home, CLONE_NEWNET))
			abort(); /* in the wrong namespace for good: nothing sensible is left to do */
	}
	int err = fd < 0 ? -errno : fd;

	if (home >= 0)
		close(home);
	if (there >= 0)
		close(there);
	return err;
}

static int bind_ring(int fd, const char *interface, struct load_ring *r)
{
	int version = TPACKET_V2, one = 1, size = 1 << 24;
	struct tpacket_req req = {.tp_block_size = BLOCK_SIZE,
		.tp_block_nr = SLOTS / (BLOCK_SIZE / SLOT_SIZE),
		.tp_frame_size = SLOT_SIZE,
		.tp_frame_nr = SLOTS};
	struct ifreq request = {0};
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_protocol = __builtin_bswap16(ETH_P_ALL)};

	/* By ioctl on the socket: it looks in the socket's namespace, not in ours. */
	strncpy(request.ifr_name, interface, sizeof(request.ifr_name) - 1);
	if (ioctl(fd, SIOCGIFINDEX, &request))
		return -errno;
	to.sll_ifindex = request.ifr_ifindex;
	if (setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) ||
		setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one)) ||
		setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)) ||
		setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) ||
		setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &req, sizeof(req)))
		return -errno;
	r->map_size = (size_t)SLOT_SIZE * SLOTS;
	r->map = mmap(NULL, r->map_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
	if (r->map == MAP_FAILED)
		return -errno;
	return bind(fd, (struct sockaddr *)&to, sizeof(to)) ? -errno : 0;
}

int load_ring_open(struct load_ring *r, const char *interface, const char *netns)
{
	int fd = socket_in(netns), err;

	*r = (struct load_ring){.fd = fd};
	err = fd < 0 ? fd : bind_ring(fd, interface, r);
	if (err)
		return err;
	r->out = calloc(LOAD_BATCH, LOAD_FRAME_MAX);
	return r->out ? 0 : -ENOMEM;
}

void load_ring_close(struct load_ring *r)
{
	if (r->map && r->map != MAP_FAILED)
		munmap(r->map, r->map_size);
	if (r->fd >= 0)
		close(r->fd);
	free(r->out);
}

static struct tpacket2_hdr *slot(struct load_ring *r, uint32_t index)
{
	return (struct tpacket2_hdr *)(void *)(r->map + (size_t)index * SLOT_SIZE);
}

bool load_ring_next(struct load_ring *r, struct load_packet *ret)
{
	struct tpacket2_hdr *h;

	if (r->holding) {
		__atomic_store_n(&slot(r, r->head)->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
		r->head = (r->head + 1) % SLOTS;
	}
	h = slot(r, r->head);
	r->holding = __atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER;
	if (r->holding)
		*ret = (struct load_packet){.frame = (uint8_t *)h + h->tp_mac,
			.length = h->tp_snaplen,
			.tagged = h->tp_status & TP_STATUS_VLAN_VALID,
			.tci = h->tp_vlan_tci,
			.tpid = h->tp_vlan_tpid};
	return r->holding;
}

void load_ring_wait(struct load_ring *r)
{
	struct pollfd p = {.fd = r->fd, .events = POLLIN};

	(void)poll(&p, 1, 1);
}

uint8_t *load_ring_slot(struct load_ring *r)
{
	if (r->pending == LOAD_BATCH)
		load_ring_flush(r);
	return r->out[r->pending];
}

void load_ring_commit(struct load_ring *r, uint32_t length)
{
	r->out_length[r->pending++] = length;
}

void load_ring_flush(struct load_ring *r)
{
	struct mmsghdr messages[LOAD_BATCH] = {0};
	struct iovec parts[LOAD_BATCH];
	uint32_t done = 0;

	for (uint32_t i = 0; i < r->pending; i++) {
		parts[i] = (struct iovec){.iov_base = r->out[i], .iov_len = r->out_length[i]};
		messages[i].msg_hdr.msg_iov = &parts[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	while (done < r->pending) {
		int n = sendmmsg(r->fd, messages + done, r->pending - done, 0);

		if (n > 0) {
			done += (uint32_t)n;
			r->sent += (uint32_t)n;
		} else if (errno != EINTR && errno != EAGAIN && errno != ENOBUFS) {
			r->send_errors++;
			done++;
		}
	}
	r->pending = 0;
}

uint64_t load_ring_drops(struct load_ring *r)
{
	struct tpacket_stats stats = {0};
	socklen_t length = sizeof(stats);

	if (getsockopt(r->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &length))
		return 0;
	return stats.tp_drops;
}
