// SPDX-License-Identifier: Apache-2.0
// Every DHCP server that answers in time counts: a false one can add an endpoint, not take a true one away;
// which is true the pin says.
#include "discover.h"

#include "dhcp_inform.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { TRIES = 3, WAIT_MS = 1500, ANSWERS_MAX = 8, SRV_MAX = 8, REPLY_MAX = 4096 };

bool bng_endpoint_parse(const char *text, struct bng_endpoint *ret_endpoint)
{
	const char *colon = strrchr(text, ':');
	struct bng_endpoint endpoint = {0};
	size_t length;
	char *end;
	unsigned long port;

	if (strncmp(text, "tls:", 4) != 0 || !colon || colon < text + 4 || colon[1] < '0' || colon[1] > '9')
		return false;
	text += 4;
	length = (size_t)(colon - text);
	port = strtoul(colon + 1, &end, 10);
	if (*end || !port || port > 65535)
		return false;
	if (length >= 2 && text[0] == '[' && text[length - 1] == ']') {
		text++;
		length -= 2;
	}
	if (!length || length >= sizeof(endpoint.host))
		return false;
	memcpy(endpoint.host, text, length);
	(void)snprintf(endpoint.port, sizeof(endpoint.port), "%lu", port);
	*ret_endpoint = endpoint;
	return true;
}

static void add(struct bng_discovered *found, const struct bng_endpoint *endpoint)
{
	size_t i;

	for (i = 0; i < found->count; i++)
		if (!strcmp(found->endpoints[i].host, endpoint->host) &&
			!strcmp(found->endpoints[i].port, endpoint->port))
			return;
	if (found->count < BNG_DISCOVERED_MAX)
		found->endpoints[found->count++] = *endpoint;
}

static void add_text(struct bng_discovered *found, const char *text)
{
	char copy[BNG_DHCP_TEXT], *rest = copy, *word;
	struct bng_endpoint endpoint;

	(void)snprintf(copy, sizeof(copy), "%s", text);
	while ((word = strsep(&rest, " ,")) != NULL)
		if (bng_endpoint_parse(word, &endpoint))
			add(found, &endpoint);
}

/* The interface's MAC and IPv4 address. */
static bool describe(const char *interface, struct bng_dhcp_inform *ret)
{
	bool has_mac = false, has_address = false;
	struct ifaddrs *list, *entry;

	if (getifaddrs(&list))
		return false;
	for (entry = list; entry; entry = entry->ifa_next) {
		if (!entry->ifa_addr || strcmp(entry->ifa_name, interface) != 0)
			continue;
		if (entry->ifa_addr->sa_family == AF_PACKET) {
			memcpy(ret->mac, ((struct sockaddr_ll *)(void *)entry->ifa_addr)->sll_addr, 6);
			has_mac = true;
		} else if (entry->ifa_addr->sa_family == AF_INET && !has_address) {
			memcpy(ret->address, &((struct sockaddr_in *)(void *)entry->ifa_addr)->sin_addr, 4);
			has_address = true;
		}
	}
	freeifaddrs(list);
	return has_mac && has_address;
}

static int open_socket(const char *interface)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(0x0800)};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(0x0800));

	address.sll_ifindex = (int)if_nametoindex(interface);
	if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address))) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Every answer until the time is over. */
static int collect(int fd, const struct bng_dhcp_inform *inform, struct bng_discovered *found, char *domain)
{
	int64_t until = now_ms() + WAIT_MS, left;
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	uint8_t frame[2048];
	int answers = 0;

	while ((left = until - now_ms()) > 0 && answers < ANSWERS_MAX && poll(&wait, 1, (int)left) > 0) {
		ssize_t size = recv(fd, frame, sizeof(frame), MSG_DONTWAIT);
		struct bng_dhcp_answer answer;

		if (size < 0 ||
			bng_dhcp_inform_read(inform, (struct bng_bytes){frame, (size_t)size}, &answer))
			continue;
		answers++;
		add_text(found, answer.controllers);
		if (!*domain)
			(void)snprintf(domain, BNG_DHCP_TEXT, "%s", answer.domain);
		/* Another server may be slower, but not by much. */
		if (found->count && until > now_ms() + 500)
			until = now_ms() + 500;
	}
	return answers;
}

static void ask_dhcp(const char *interface, struct bng_discovered *found, char *domain)
{
	struct bng_dhcp_inform inform = {0};
	uint8_t frame[BNG_DHCP_FRAME];
	int fd, i, answers = 0;

	if (!describe(interface, &inform) ||
		getrandom(&inform.xid, sizeof(inform.xid), 0) != sizeof(inform.xid))
		return;
	fd = open_socket(interface);
	if (fd < 0)
		return;
	bng_dhcp_inform_build(&inform, frame);
	for (i = 0; i < TRIES && !answers; i++)
		if (send(fd, frame, sizeof(frame), 0) == sizeof(frame))
			answers = collect(fd, &inform, found, domain);
	(void)close(fd);
}

struct service {
	uint16_t priority, weight;
	struct bng_endpoint endpoint;
};

static int by_priority(const void *a, const void *b)
{
	const struct service *first = a, *second = b;

	if (first->priority != second->priority)
		return first->priority < second->priority ? -1 : 1;
	return (int)second->weight - (int)first->weight;
}

/* RFC 2782: _bng-controller._tcp of the domain. */
static void ask_dns(const char *domain, struct bng_discovered *found)
{
	struct service services[SRV_MAX];
	unsigned char reply[REPLY_MAX];
	char name[BNG_DHCP_TEXT + 32];
	struct __res_state state = {0};
	int size, count = 0, i;
	ns_msg message;
	ns_rr record;

	if (res_ninit(&state))
		return;
	if (!*domain)
		domain = state.defdname;
	(void)snprintf(name, sizeof(name), "_bng-controller._tcp.%s", domain);
	size = *domain ? res_nquery(&state, name, ns_c_in, ns_t_srv, reply, sizeof(reply)) : -1;
	res_nclose(&state);
	if (size <= 0 || size > (int)sizeof(reply) || ns_initparse(reply, size, &message))
		return;
	for (i = 0; i < ns_msg_count(message, ns_s_an) && count < SRV_MAX; i++) {
		struct service *service = &services[count];
		const unsigned char *data;

		if (ns_parserr(&message, ns_s_an, i, &record) || ns_rr_type(record) != ns_t_srv ||
			ns_rr_rdlen(record) < 7)
			continue;
		data = ns_rr_rdata(record);
		*service = (struct service){.priority = bng_get_be16(data), .weight = bng_get_be16(data + 2)};
		(void)snprintf(
			service->endpoint.port, sizeof(service->endpoint.port), "%u", bng_get_be16(data + 4));
		if (bng_get_be16(data + 4) &&
			dn_expand(ns_msg_base(message), ns_msg_end(message), data + 6, service->endpoint.host,
				sizeof(service->endpoint.host)) > 0 &&
			service->endpoint.host[0])
			count++;
	}
	qsort(services, (size_t)count, sizeof(services[0]), by_priority);
	for (i = 0; i < count; i++)
		add(found, &services[i].endpoint);
}

int bng_discover(const char *interface, struct bng_discovered *ret_found, char *words, size_t size)
{
	char domain[BNG_DHCP_TEXT] = "";

	*ret_found = (struct bng_discovered){0};
	ask_dhcp(interface, ret_found, domain);
	if (!ret_found->count)
		ask_dns(domain, ret_found);
	if (ret_found->count)
		return 0;
	(void)snprintf(words, size,
		"no controller found: neither DHCP on %s (options 224, 43) nor DNS "
		"(_bng-controller._tcp%s%s) names one",
		interface, *domain ? "." : "", domain);
	return -ENOENT;
}
