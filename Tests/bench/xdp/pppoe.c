// SPDX-License-Identifier: Apache-2.0
// PPPoE on the bench: a QinQ session with anti-spoof both ways, the echo that XDP answers, and PADIs, also as
// a rate beside the bare echo.
#include <string.h>

#include "bench.h"

enum { ID = 5, GOAL_NS = 150, PADI = 0x09 };

static const uint8_t client_mac[6] = {0x02, 0x00, 0x5e, 0x40, 0x00, 0x00};

static struct packet_layers line_layers(void)
{
	return (struct packet_layers){.to = bed_port_mac,
		.from = client_mac,
		.outer_type = 0x88a8,
		.tags = {1, 1},
		.source = "100.64.0.0",
		.destination = "203.0.113.9",
		.ttl = 64};
}

void put_pppoe_line(const struct grants *grants)
{
	struct bng_line_key line = {.port = BED_ACCESS, .s_vlan = 1, .c_vlan = 1, .pppoe_id = ID};
	struct bng_session session = {.session_id = 1000,
		.generation = 1,
		.template_index = BED_TEMPLATE,
		.s_tpid = __builtin_bswap16(0x88a8),
		.c_tpid = __builtin_bswap16(0x8100),
		.flags = (uint16_t)(BNG_SESSION_PPPOE | grants->flags),
		.rate_up = grants->rate,
		.rate_down = grants->rate,
		.mtu = 1492,
		.magic = 0x12345678};

	bed_reset(&bed);
	memcpy(line.mac, client_mac, 6);
	memcpy(session.frame_mac, client_mac, 6);
	session.ipv4 = bed_ip("100.64.0.0");
	bed_put_session(&bed, &line, &session, UINT64_MAX);
}

static void put_service(void)
{
	struct bng_pppoe_service service = {
		.access_domain_id = 1, .key = {1, 2}, .previous_key = {3, 4}, .ac_name_bytes = 9};
	uint32_t port = BED_ACCESS;

	memcpy(service.ac_name,
		"\x01\x02\x00\x05"
		"edge1",
		9);
	bed_put(bed.access->maps.pppoe_services, &port, &service);
}

/* As pppd sends it, padded by its Host-Uniq to what the generator takes. */
struct traffic padi_traffic(void)
{
	static const uint8_t tags[] = "\x01\x01\x00\x00"
				      "\x01\x03\x00\x24"
				      "0123456789abcdef0123456789abcdefwxyz";
	static const uint8_t broadcast[6] = {255, 255, 255, 255, 255, 255};
	static struct traffic t;
	struct packet_layers layers = line_layers();

	memset(&t, 0, sizeof(t));
	layers.to = broadcast;
	packet_pppoe(&t.packet, &layers, PADI, 0, tags, sizeof(tags) - 1);
	bed_reset(&bed);
	put_service();
	return t;
}

struct traffic pppoe_traffic(void)
{
	static const uint8_t payload[SMALL];
	static struct traffic t;
	struct packet_layers layers = line_layers();

	memset(&t, 0, sizeof(t));
	packet_udp(&t.packet, &layers, 5000, 6000, payload, SMALL);
	packet_into_pppoe(&t.packet, ID);
	return t;
}

static struct traffic echo_traffic(void)
{
	static const uint8_t request[40] = "\xc0\x21\x09\x01\x00\x26\xaa\xbb\xcc\xdd";
	static struct traffic t;
	struct packet_layers layers = line_layers();

	memset(&t, 0, sizeof(t));
	packet_pppoe(&t.packet, &layers, 0, ID, request, sizeof(request));
	return t;
}

void time_pppoe(double floor)
{
	put_pppoe_line(&(struct grants){0});
	time_path("F5.ns.up.pppoe", "line to core, QinQ and PPPoE, one session", bed.access->progs.xdp_access,
		pppoe_traffic(), "access0", "access0p", GOAL_NS, floor);
	time_path("F5.ns.down.pppoe", "core to line, QinQ and PPPoE, one session", bed.core->progs.xdp_core,
		data_traffic(true, true, false, SMALL), "core0", "core0p", GOAL_NS, floor);
	put_pppoe_line(&(struct grants){.flags = BNG_SESSION_CLAMP_MSS});
	time_path("F5.ns.up.clamped", "line to core, QinQ and PPPoE, MSS clamped (UDP)",
		bed.access->progs.xdp_access, pppoe_traffic(), "access0", "access0p", GOAL_NS, floor);
	time_path("F5.ns.lcp_echo", "LCP Echo-Request answered", bed.access->progs.xdp_access, echo_traffic(),
		"access0", "access0p", GOAL_NS, floor);
	time_path("F5.ns.padi", "PADI to PADO", bed.access->progs.xdp_access, padi_traffic(), "access0",
		"access0p", 2 * GOAL_NS, floor);
}
