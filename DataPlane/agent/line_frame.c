// SPDX-License-Identifier: Apache-2.0
// What frames of the agent's own toward lines have in common: their head, and that they are spread over time.
#include "agent.h"

enum { PPPOE_SESSION = 0x8864, PPP_PROTOCOL = 2 };

static uint8_t *put_tag(uint8_t *at, uint32_t tpid, uint32_t vlan)
{
	if (!tpid)
		return at;
	bng_put_be16(at, (uint16_t)tpid);
	bng_put_be16(at + 2, (uint16_t)vlan);
	return at + 4;
}

size_t bng_line_head(const struct bng_agent *agent, const struct bng_session_object *session,
	uint16_t ethertype, uint16_t ppp_protocol, size_t payload, uint8_t ret[BNG_LINE_HEAD_MAX])
{
	const struct bng_line *line = &session->line;
	uint8_t *at = ret + 12;

	memcpy(ret, line->mac, 6);
	memcpy(ret + 6, agent->kern.ports[session->port->head.index].interface.mac, 6);
	at = put_tag(at, line->s_tpid, line->s_vlan);
	at = put_tag(at, line->c_tpid, line->c_vlan);
	bng_put_be16(at, session->has_pppoe ? PPPOE_SESSION : ethertype);
	at += 2;
	if (session->has_pppoe) {
		bng_put_be16(at, 0x1100); /* RFC 2516 4: version, type, code */
		bng_put_be16(at + 2, (uint16_t)line->pppoe_id);
		bng_put_be16(at + 4, (uint16_t)(payload + PPP_PROTOCOL));
		bng_put_be16(at + 6, ppp_protocol);
		at += 8;
	}
	return (size_t)(at - ret);
}

uint64_t bng_line_first_due(uint64_t now_ns, uint64_t interval_ns, uint32_t slot)
{
	return now_ns + interval_ns / 1024 * ((slot * 2654435761u) >> 22);
}
