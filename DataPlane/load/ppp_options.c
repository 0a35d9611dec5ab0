// SPDX-License-Identifier: Apache-2.0
// Options of LCP, IPCP and IPv6CP: what a subscriber's router asks for, and what it takes.

#include "ppp.h"

#include <string.h>

enum { LCP_MRU = 1, LCP_AUTH = 3, LCP_MAGIC = 5 };
enum { IPCP_ADDRESS = 3, IPCP_DNS1 = 129, IPCP_DNS2 = 131 };
enum { IPV6CP_INTERFACE_ID = 1 };

/* Bits of struct load_cp.rejected. */
static uint8_t bit_of(int cp, uint8_t type)
{
	switch (type) {
	case LCP_MRU: /* and IPV6CP_INTERFACE_ID */
		return 1;
	case IPCP_ADDRESS:
		return cp == LOAD_CP_IPCP ? 2 : 0;
	case LCP_MAGIC:
		return 4;
	case IPCP_DNS1:
		return 8;
	case IPCP_DNS2:
		return 16;
	default:
		return 0;
	}
}

static uint8_t *put(
	const struct load_session *s, int cp, uint8_t *p, uint8_t type, const void *value, uint8_t length)
{
	if (s->cp[cp].rejected & bit_of(cp, type))
		return p;
	*p++ = type;
	*p++ = (uint8_t)(length + 2);
	memcpy(p, value, length);
	return p + length;
}

uint32_t load_options_put(const struct load_session *s, int cp, uint8_t *to)
{
	uint8_t *p = to, mru[2] = {(uint8_t)(s->mru >> 8), (uint8_t)s->mru};

	switch (cp) {
	case LOAD_CP_LCP:
		p = put(s, cp, p, LCP_MRU, mru, 2);
		p = put(s, cp, p, LCP_MAGIC, &s->magic, 4);
		break;
	case LOAD_CP_IPCP:
		p = put(s, cp, p, IPCP_ADDRESS, &s->address, 4);
		p = put(s, cp, p, IPCP_DNS1, &s->dns[0], 4);
		p = put(s, cp, p, IPCP_DNS2, &s->dns[1], 4);
		break;
	default:
		p = put(s, cp, p, IPV6CP_INTERFACE_ID, s->interface_id, 8);
	}
	return (uint32_t)(p - to);
}

/* Authentication-Protocol: the one that was chosen on the command line, or any that we know. */
static enum load_verdict judge_auth(
	struct load_session *s, const struct load_options *o, const uint8_t *option, uint8_t *better)
{
	static const uint8_t pap[] = {LCP_AUTH, 4, 0xc0, 0x23}, chap[] = {LCP_AUTH, 5, 0xc2, 0x23, 5};
	bool is_pap = option[1] == sizeof(pap) && memcmp(option, pap, sizeof(pap)) == 0;
	bool is_chap = option[1] == sizeof(chap) && memcmp(option, chap, sizeof(chap)) == 0;

	if (o->auth == LOAD_AUTH_NONE)
		return LOAD_REFUSE;
	if (is_pap && o->auth != LOAD_AUTH_CHAP) {
		s->auth = PPP_PAP;
		return LOAD_ACCEPT;
	}
	if (is_chap && o->auth != LOAD_AUTH_PAP) {
		s->auth = PPP_CHAP;
		return LOAD_ACCEPT;
	}
	if (o->auth == LOAD_AUTH_PAP)
		memcpy(better, pap, sizeof(pap));
	else
		memcpy(better, chap, sizeof(chap));
	return LOAD_SUGGEST;
}

static enum load_verdict judge_lcp(
	struct load_session *s, const struct load_options *o, const uint8_t *option, uint8_t *better)
{
	switch (option[0]) {
	case LCP_MRU:
		return option[1] == 4 && (option[2] << 8 | option[3]) >= 64 ? LOAD_ACCEPT : LOAD_REFUSE;
	case LCP_MAGIC:
		if (option[1] != 6)
			return LOAD_REFUSE;
		memcpy(&s->peer_magic, option + 2, 4);
		if (s->peer_magic && s->peer_magic != s->magic)
			return LOAD_ACCEPT;
		memcpy(better, option, 6);
		better[5] ^= 0x55; /* RFC 1661 6.4: another number is suggested */
		return LOAD_SUGGEST;
	case LCP_AUTH:
		return judge_auth(s, o, option, better);
	default:
		return LOAD_REFUSE; /* ACFC among them: RFC 2516 7 */
	}
}

static enum load_verdict judge_ipv6cp(struct load_session *s, const uint8_t *option, uint8_t *better)
{
	static const uint8_t none[8];

	if (option[0] != IPV6CP_INTERFACE_ID || option[1] != 10)
		return LOAD_REFUSE;
	if (memcmp(option + 2, none, 8) != 0 && memcmp(option + 2, s->interface_id, 8) != 0)
		return LOAD_ACCEPT;
	memcpy(better, option, 2);
	memcpy(better + 2, s->interface_id, 8);
	better[9] ^= 1; /* RFC 5072 4.1 */
	return LOAD_SUGGEST;
}

enum load_verdict load_option_judge(struct load_session *s, const struct load_options *o, int cp,
	const uint8_t *option, uint8_t *ret_better)
{
	if (cp == LOAD_CP_LCP)
		return judge_lcp(s, o, option, ret_better);
	if (cp == LOAD_CP_IPV6CP)
		return judge_ipv6cp(s, option, ret_better);
	return option[0] == IPCP_ADDRESS && option[1] == 6 ? LOAD_ACCEPT : LOAD_REFUSE;
}

void load_option_naked(struct load_dialler *d, struct load_session *s, int cp, const uint8_t *option)
{
	uint8_t type = option[0], length = option[1];

	if (cp == LOAD_CP_LCP && type == LCP_MRU && length == 4)
		s->mru = (uint16_t)(option[2] << 8 | option[3]);
	else if (cp == LOAD_CP_LCP && type == LCP_MAGIC)
		s->magic = load_random(d);
	else if (cp == LOAD_CP_IPCP && type == IPCP_ADDRESS && length == 6)
		memcpy(&s->address, option + 2, 4);
	else if (cp == LOAD_CP_IPCP && (type == IPCP_DNS1 || type == IPCP_DNS2) && length == 6)
		memcpy(&s->dns[type == IPCP_DNS2], option + 2, 4);
	else if (cp == LOAD_CP_IPV6CP && type == IPV6CP_INTERFACE_ID && length == 10)
		memcpy(s->interface_id, option + 2, 8);
}

void load_option_rejected(struct load_session *s, int cp, const uint8_t *option)
{
	s->cp[cp].rejected |= bit_of(cp, option[0]);
}
