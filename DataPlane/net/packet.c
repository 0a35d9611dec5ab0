// SPDX-License-Identifier: Apache-2.0
// sendmmsg for frames; IP_HDRINCL for packets whose next hop the kernel must find.
#include "packet.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SEND_BUFFER = 4 * 1024 * 1024 };

int bng_packet_open(uint32_t ifindex)
{
	/* Protocol 0: it never receives. */
	struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_ifindex = (int)ifindex};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), size = SEND_BUFFER;

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address))) {
		int err = -errno;

		(void)close(fd);
		return err;
	}
	return fd;
}

int bng_packet_send(int fd, const struct bng_bytes *frames, unsigned count)
{
	struct mmsghdr messages[BNG_PACKET_BATCH];
	struct iovec vectors[BNG_PACKET_BATCH];
	unsigned i;
	int sent;

	if (count > BNG_PACKET_BATCH)
		count = BNG_PACKET_BATCH;
	for (i = 0; i < count; i++) {
		vectors[i] = (struct iovec){
			.iov_base = (void *)(uintptr_t)frames[i].data, .iov_len = frames[i].size};
		messages[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &vectors[i], .msg_iovlen = 1}};
	}
	sent = sendmmsg(fd, messages, count, 0);
	return sent < 0 ? -errno : sent;
}

/* What is forwarded is not held to the path MTUs that this host has learned as a sender. */
static int raw_open(int family, int level, int option, int probe)
{
	int fd = socket(family, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_RAW);

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, level, option, &probe, sizeof(probe))) {
		int err = -errno;

		(void)close(fd);
		return err;
	}
	return fd;
}

int bng_raw_ip_open(void)
{
	return raw_open(AF_INET, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
}

int bng_raw_ip_send(int fd, struct bng_bytes packet, uint32_t gateway, uint32_t ifindex)
{
	_Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(struct in_pktinfo))] = {0};
	struct sockaddr_in address = {.sin_family = AF_INET};
	struct iovec vector = {.iov_base = (void *)(uintptr_t)packet.data, .iov_len = packet.size};
	struct msghdr message = {
		.msg_name = &address, .msg_namelen = sizeof(address), .msg_iov = &vector, .msg_iovlen = 1};
	struct in_pktinfo info = {.ipi_ifindex = (int)ifindex};

	if (packet.size < sizeof(struct iphdr))
		return -EINVAL;
	memcpy(&address.sin_addr.s_addr, packet.data + 16, 4);
	if (gateway)
		address.sin_addr.s_addr = gateway;
	if (ifindex) {
		struct cmsghdr *head = (struct cmsghdr *)control;

		message.msg_control = control;
		message.msg_controllen = sizeof(control);
		head->cmsg_level = IPPROTO_IP;
		head->cmsg_type = IP_PKTINFO;
		head->cmsg_len = CMSG_LEN(sizeof(info));
		memcpy(CMSG_DATA(head), &info, sizeof(info));
	}
	return sendmsg(fd, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int bng_raw_ip6_open(void)
{
	return raw_open(AF_INET6, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
}

int bng_raw_ip6_send(int fd, struct bng_bytes packet)
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6};

	if (packet.size < sizeof(struct ip6_hdr))
		return -EINVAL;
	memcpy(&address.sin6_addr, packet.data + 24, sizeof(address.sin6_addr));
	return sendto(fd, packet.data, packet.size, MSG_NOSIGNAL, (struct sockaddr *)&address,
		       sizeof(address)) < 0
		       ? -errno
		       : 0;
}
