// SPDX-License-Identifier: Apache-2.0
// Requests about one neighbour at a time. Errors the kernel reports of a probe are left unread until the next
// answer is looked for.
#include "neighbor.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { KNOWN = NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT | NUD_NOARP };

struct request {
	struct nlmsghdr head;
	struct ndmsg neighbor;
	struct rtattr destination;
	uint8_t address[16];
};

int bng_neighbor_open(void)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&address, sizeof(address))) {
		int err = -errno;

		(void)close(fd);
		return err;
	}
	return fd;
}

static int ask(int fd, uint16_t type, uint16_t flags, uint8_t neighbor_flags, const uint8_t address[16],
	uint32_t ifindex)
{
	struct request request = {
		.head = {.nlmsg_len = sizeof(request),
			.nlmsg_type = type,
			.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags)},
		.neighbor = {.ndm_family = AF_INET6,
			.ndm_ifindex = (int)ifindex,
			.ndm_flags = neighbor_flags},
		.destination = {.rta_len = RTA_LENGTH(16), .rta_type = NDA_DST},
	};

	memcpy(request.address, address, sizeof(request.address));
	return send(fd, &request, sizeof(request), 0) < 0 ? -errno : 0;
}

int bng_neighbor_probe(int fd, const uint8_t address[16], uint32_t ifindex)
{
	return ask(fd, RTM_NEWNEIGH, NLM_F_CREATE, NTF_USE, address, ifindex);
}

static bool take_mac(const struct nlmsghdr *head, uint8_t ret_mac[6])
{
	const struct ndmsg *neighbor = NLMSG_DATA(head);
	const struct rtattr *attribute = (const void *)(neighbor + 1);
	int left = (int)NLMSG_PAYLOAD(head, sizeof(*neighbor));

	if (left < 0 || !(neighbor->ndm_state & KNOWN))
		return false;
	while (RTA_OK(attribute, left)) {
		if (attribute->rta_type == NDA_LLADDR && RTA_PAYLOAD(attribute) == 6) {
			memcpy(ret_mac, RTA_DATA(attribute), 6);
			return true;
		}
		left -= (int)RTA_ALIGN(attribute->rta_len);
		attribute = (const void *)((const uint8_t *)attribute + RTA_ALIGN(attribute->rta_len));
	}
	return false;
}

int bng_neighbor_get(int fd, const uint8_t address[16], uint32_t ifindex, uint8_t ret_mac[6])
{
	_Alignas(struct nlmsghdr) uint8_t answer[4096];
	const struct nlmsghdr *head = (const void *)answer;
	int err;
	ssize_t got;

	while (recv(fd, answer, sizeof(answer), 0) > 0)
		; /* what earlier requests left */
	err = ask(fd, RTM_GETNEIGH, 0, 0, address, ifindex);
	if (err)
		return err;
	got = recv(fd, answer, sizeof(answer), 0);
	if (got < 0)
		return -errno;
	if (!NLMSG_OK(head, (size_t)got) || head->nlmsg_type != RTM_NEWNEIGH)
		return -ENOENT;
	return take_mac(head, ret_mac) ? 0 : -ENOENT;
}
