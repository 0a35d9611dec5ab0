// SPDX-License-Identifier: Apache-2.0
// ioctl for the state, rtnetlink only as a bell: after it rings the ports are queried again, so a lost
// message does no harm.
#include "watch.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static bool ask(int fd, const char *name, unsigned long request, struct ifreq *ret)
{
	memset(ret, 0, sizeof(*ret));
	(void)snprintf(ret->ifr_name, sizeof(ret->ifr_name), "%s", name);
	return !ioctl(fd, request, ret);
}

static void ask_driver(int fd, const char *name, struct bng_interface *interface)
{
	struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
	struct ifreq request = {0};

	(void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	request.ifr_data = (void *)&info;
	if (!ioctl(fd, SIOCETHTOOL, &request))
		(void)snprintf(interface->driver, sizeof(interface->driver), "%s", info.driver);
}

int bng_interface_query(const char *name, struct bng_interface *ret_interface)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct bng_interface interface = {0};
	struct ifreq request;

	*ret_interface = interface;
	if (fd < 0)
		return -errno;
	if (!ask(fd, name, SIOCGIFINDEX, &request)) {
		(void)close(fd);
		return -ENODEV;
	}
	interface.index = (uint32_t)request.ifr_ifindex;
	if (ask(fd, name, SIOCGIFHWADDR, &request))
		memcpy(interface.mac, request.ifr_hwaddr.sa_data, sizeof(interface.mac));
	if (ask(fd, name, SIOCGIFMTU, &request))
		interface.mtu = (uint32_t)request.ifr_mtu;
	if (ask(fd, name, SIOCGIFFLAGS, &request))
		interface.link_up = (request.ifr_flags & (IFF_UP | IFF_RUNNING)) == (IFF_UP | IFF_RUNNING);
	if (ask(fd, name, SIOCGIFADDR, &request))
		interface.ipv4 = ((struct sockaddr_in *)(void *)&request.ifr_addr)->sin_addr.s_addr;
	ask_driver(fd, name, &interface);
	(void)close(fd);
	*ret_interface = interface;
	return 0;
}

bool bng_interface_forwards(const char *name, bool ipv6)
{
	char path[128];
	FILE *file;
	int value;

	(void)snprintf(
		path, sizeof(path), "/proc/sys/net/%s/conf/%s/forwarding", ipv6 ? "ipv6" : "ipv4", name);
	file = fopen(path, "re");
	if (!file)
		return true;
	value = fgetc(file);
	(void)fclose(file);
	return value != '0';
}

int bng_watch_open(void)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR};
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

bool bng_watch_drain(int fd)
{
	char scratch[16384];
	bool rang = false;
	ssize_t got;

	while ((got = recv(fd, scratch, sizeof(scratch), 0)) > 0 || (got < 0 && errno == ENOBUFS))
		rang = true;
	return rang;
}
