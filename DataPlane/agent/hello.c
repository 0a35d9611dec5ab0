// SPDX-License-Identifier: Apache-2.0
// What the agent says of itself: hello, heartbeat, ports.
#include "agent.h"

#include <stdio.h>
#include <sys/utsname.h>

void bng_port_info(const struct bng_agent *agent, uint32_t index, const struct bng_interface *interface,
	uint32_t mode, Bng__Agent__V1__PortInfo *ret)
{
	const struct bng_kern_port *port = &agent->kern.ports[index];

	bng__agent__v1__port_info__init(ret);
	ret->name = (char *)(uintptr_t)port->name;
	ret->role = (Bng__Agent__V1__PortRole)port->role;
	ret->interface_index = interface->index;
	ret->mac = (ProtobufCBinaryData){.len = 6, .data = (uint8_t *)(uintptr_t)interface->mac};
	ret->mtu_bytes = interface->mtu;
	ret->mode = (Bng__Agent__V1__XDPMode)mode;
	ret->link_up = interface->link_up;
	ret->driver = (char *)(uintptr_t)interface->driver;
}

static size_t fill_capabilities(const struct bng_agent *agent, Bng__Agent__V1__Capability *capabilities,
	Bng__Agent__V1__Capability **list)
{
	const struct {
		const char *name;
		uint64_t limit;
	} all[] = {
		{"sessions", agent->options.max_sessions},
		{"ports", BNG_MAX_PORTS - 1},
		{"pool_templates", BNG_MAX_TEMPLATES - 1},
		{"next_hops", BNG_MAX_NEXT_HOPS - 1},
		{"routes", BNG_ROUTES_MAX},
		{"own_addresses", BNG_OWN_ADDRESSES_MAX},
		{"trusted_relays", BNG_RELAYS_MAX},
		{"qinq", 2},
		{"dhcpv4_fast_path", 0},
		{"ipv6", 0},
		{"nat44", agent->options.nat_mappings},
		{"nat_alg", 0},
		{"pcp", 0},
		{"events", BNG_EVENTS_MAX},
	};
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		bng__agent__v1__capability__init(&capabilities[i]);
		capabilities[i].name = (char *)(uintptr_t)all[i].name;
		capabilities[i].limit = all[i].limit;
		list[i] = &capabilities[i];
	}
	return i;
}

static void fill_program_version(const struct bng_agent *agent, char *text, size_t size)
{
	uint64_t access = 0, core = 0;
	uint32_t i;

	for (i = 1; i <= agent->kern.port_count; i++) {
		if (agent->kern.ports[i].role == BNG_ROLE_ACCESS)
			access = agent->kern.ports[i].program_tag;
		else
			core = agent->kern.ports[i].program_tag;
	}
	(void)snprintf(text, size, "xdp_access:%016llx xdp_core:%016llx", (unsigned long long)access,
		(unsigned long long)core);
}

void bng_hello_send(struct bng_agent *agent)
{
	Bng__Agent__V1__Hello hello = BNG__AGENT__V1__HELLO__INIT;
	Bng__Agent__V1__AgentFrame frame = BNG__AGENT__V1__AGENT_FRAME__INIT;
	Bng__Agent__V1__FamilyEpoch epochs[BNG_FAMILIES], *epoch_list[BNG_FAMILIES];
	Bng__Agent__V1__PortInfo ports[BNG_MAX_PORTS], *port_list[BNG_MAX_PORTS];
	Bng__Agent__V1__Capability capabilities[16], *capability_list[16];
	Bng__Agent__V1__ScopeTerm term = BNG__AGENT__V1__SCOPE_TERM__INIT, *term_list[1] = {&term};
	char program_version[64];
	struct utsname system;
	uint32_t i;

	for (i = 1; i < BNG_FAMILIES; i++) {
		bng__agent__v1__family_epoch__init(&epochs[i]);
		epochs[i].family = (Bng__Agent__V1__Family)i;
		epochs[i].state_epoch = agent->kern.epoch[i];
		epoch_list[i - 1] = &epochs[i];
	}
	for (i = 1; i <= agent->kern.port_count; i++) {
		bng_port_info(
			agent, i, &agent->kern.ports[i].interface, agent->kern.ports[i].mode, &ports[i]);
		port_list[i - 1] = &ports[i];
	}
	fill_program_version(agent, program_version, sizeof(program_version));
	term.scope = (char *)(uintptr_t) "node";
	term.term = agent->node_term;
	(void)uname(&system);
	hello.node_id = agent->options.node;
	hello.protocol_minor_max = BNG_LINK_MINOR;
	hello.boot_id = (ProtobufCBinaryData){.len = sizeof(agent->boot_id), .data = agent->boot_id};
	hello.n_epochs = BNG_FAMILIES - 1;
	hello.epochs = epoch_list;
	hello.n_ports = agent->kern.port_count;
	hello.ports = port_list;
	hello.n_capabilities = fill_capabilities(agent, capabilities, capability_list);
	hello.capabilities = capability_list;
	hello.n_terms = agent->node_term ? 1 : 0;
	hello.terms = term_list;
	hello.agent_version = (char *)(uintptr_t)BNG_VERSION;
	hello.program_version = program_version;
	hello.kernel_release = system.release;
	hello.utc_unix_ms = bng_clock_now().utc_ms;
	hello.next_event_sequence = agent->link.events.first_sequence;
	frame.body_case = BNG__AGENT__V1__AGENT_FRAME__BODY_HELLO;
	frame.hello = &hello;
	bng_lanes_send(agent, BNG_LANE_STATE, &frame);
}

void bng_heartbeat_send(struct bng_agent *agent)
{
	Bng__Agent__V1__AgentHeartbeat heartbeat = BNG__AGENT__V1__AGENT_HEARTBEAT__INIT;
	Bng__Agent__V1__AgentFrame frame = BNG__AGENT__V1__AGENT_FRAME__INIT;

	heartbeat.sequence = agent->link.heartbeat_sequence;
	heartbeat.utc_unix_ms = bng_clock_now().utc_ms;
	heartbeat.punt_queue_depth =
		(uint32_t)(bng_buffer_size(&agent->link.lanes[BNG_LANE_PUNT].out) / 1024);
	heartbeat.event_queue_depth = (uint32_t)agent->link.events.count;
	heartbeat.apply_queue_depth =
		agent->batch.batch ? (uint32_t)(agent->batch.batch->n_items - agent->batch.next) : 0;
	heartbeat.lost_events = agent->link.events.lost;
	heartbeat.sessions = (uint32_t)agent->state.by_id[BNG_FAMILY_SESSION].count;
	frame.body_case = BNG__AGENT__V1__AGENT_FRAME__BODY_HEARTBEAT;
	frame.heartbeat = &heartbeat;
	bng_lanes_send(agent, BNG_LANE_STATE, &frame);
}
