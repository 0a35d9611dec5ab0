/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PPPoE client side of many lines: discovery (RFC 2516, RFC 4638), LCP (RFC 1661), PAP, CHAP with MD5,
 * IPCP, IPv6CP. Each line is a small state machine; those that wait for an answer stand in one queue, oldest
 * first, so that a time-out costs nothing however many lines there are.
 */
#ifndef LOAD_PPP_H
#define LOAD_PPP_H

#include "load.h"

enum load_stage {
	LOAD_DOWN,
	LOAD_PADI,
	LOAD_PADR,
	LOAD_LINK,
	LOAD_AUTHENTICATE,
	LOAD_NETWORK,
	LOAD_OPEN,
	LOAD_CLOSING,
	LOAD_STAGES
};
enum {
	PPP_IPV4 = 0x0021,
	PPP_IPV6 = 0x0057,
	PPP_IPCP = 0x8021,
	PPP_IPV6CP = 0x8057,
	PPP_LCP = 0xc021,
	PPP_PAP = 0xc023,
	PPP_CHAP = 0xc223
};
enum { PPPOE_PADI = 0x09, PPPOE_PADO = 0x07, PPPOE_PADR = 0x19, PPPOE_PADS = 0x65, PPPOE_PADT = 0xa7 };
enum {
	CP_REQUEST = 1,
	CP_ACK,
	CP_NAK,
	CP_REJECT,
	LCP_TERMINATE_REQUEST,
	LCP_TERMINATE_ACK,
	LCP_CODE_REJECT,
	LCP_PROTOCOL_REJECT,
	LCP_ECHO_REQUEST,
	LCP_ECHO_REPLY,
	LCP_DISCARD_REQUEST
};
enum { LOAD_CP_LCP, LOAD_CP_IPCP, LOAD_CP_IPV6CP, LOAD_CPS };
enum { LOAD_NOBODY = UINT32_MAX, LOAD_ECHOED_MAX = 96 };

/* One negotiation (RFC 1661 4): it is open when both sides' requests are acknowledged. */
struct load_cp {
	uint8_t id;        /* of our last Configure-Request */
	uint8_t peer_id;   /* of the peer's that we acknowledged */
	bool acked;        /* ours was acknowledged */
	bool acking;       /* the peer's was */
	bool refused;      /* by Protocol-Reject */
	uint8_t rejected;  /* our options the peer does not know, by bit */
	uint8_t exchanges; /* Naks and Rejects received and sent: what does not converge is given up */
};

struct load_session {
	uint64_t sent_ns; /* of what waits for an answer */
	uint64_t began_ns, auth_ns;
	uint32_t previous, next; /* in the queue of those that wait */
	uint32_t magic, peer_magic, attempt;
	uint32_t address, dns[2]; /* network order */
	uint8_t interface_id[8];
	struct load_cp cp[LOAD_CPS];
	uint16_t id; /* SESSION_ID, 0: none */
	uint16_t mru, auth;
	uint8_t ac_mac[6];
	uint8_t stage, tries, auth_id;
	bool waiting, finished, responded;
	uint8_t response[16]; /* to the last challenge: said again if the peer's word is lost */
	uint8_t echoed_length;
	uint8_t echoed[LOAD_ECHOED_MAX]; /* AC-Cookie and Relay-Session-Id of the PADO */
};

struct load_ppp_result {
	uint64_t sent, completed, failed, timeouts, unexpected, late, duplicates;
	uint64_t refused; /* by an error tag or by authentication */
	uint64_t padts, terminates, renegotiations, protocol_rejects, lost;
	uint64_t echo_requests, echoes_sent, echo_replies, ipv6cp_open, padis, pados;
	uint64_t failed_in[LOAD_STAGES];
	uint64_t began_ns, ended_ns;
	struct load_histogram discovery, authentication, whole;
};

struct load_dialler {
	struct load_lines *lines;
	struct load_ring *ring;
	struct load_ppp_result *r;
	const struct load_options *o;
	uint32_t next;   /* line to begin with next */
	uint32_t active; /* begun and not finished */
	uint32_t first_waiting, last_waiting;
	uint64_t random;
	void *digest; /* EVP_MD_CTX */
};

/* A PPPoE frame that came for one of our MACs. */
struct load_pppoe {
	const uint8_t *source;
	const uint8_t *payload;
	uint32_t length;
	uint16_t id;
	uint8_t code;
	bool discovery;
};

/* pppoe_frame.c */
bool load_pppoe_parse(const struct load_packet *p, struct load_pppoe *ret);
/* The value of the first tag of a kind, NULL: none. False in *ret_whole: the tags do not fit their packet. */
const uint8_t *load_pppoe_tag(
	const struct load_pppoe *f, uint16_t type, uint16_t *ret_length, bool *ret_whole);
uint8_t *load_pppoe_put_tag(uint8_t *p, uint16_t type, uint16_t length, const void *value);
/* A template with the first %d replaced by the index. Returns the length. */
uint32_t load_expand(char *to, size_t size, const char *template, uint32_t index);
void load_pppoe_send(
	struct load_dialler *d, uint32_t index, uint8_t code, const uint8_t *payload, uint32_t length);
void load_ppp_send(struct load_dialler *d, uint32_t index, uint16_t protocol, uint8_t code, uint8_t id,
	const uint8_t *data, uint32_t length);

/* pppoe.c: discovery */
void load_send_padi(struct load_dialler *d, uint32_t index);
void load_send_padr(struct load_dialler *d, uint32_t index);
void load_discovery_received(struct load_dialler *d, uint32_t index, const struct load_pppoe *f);

/* ppp.c: the packets of a session */
void load_ppp_received(struct load_dialler *d, uint32_t index, const struct load_pppoe *f);
void load_ppp_advance(struct load_dialler *d, uint32_t index); /* to the next stage, if this one is done */
void load_ppp_again(struct load_dialler *d, uint32_t index);   /* nothing came: says it again */

/* ppp_configure.c: Configure-Request, -Ack, -Nak, -Reject of LCP, IPCP and IPv6CP */
void load_configure_begin(struct load_dialler *d, uint32_t index, int cp);
void load_configure_send(struct load_dialler *d, uint32_t index, int cp);
void load_configure_received(struct load_dialler *d, uint32_t index, int cp, uint8_t code, uint8_t id,
	const uint8_t *data, uint32_t length);
static inline bool load_configure_open(const struct load_cp *c)
{
	return c->acked && c->acking;
}

/* ppp_options.c: what we ask for and what we think of what the peer asks for */
enum load_verdict { LOAD_ACCEPT, LOAD_SUGGEST, LOAD_REFUSE };
uint32_t load_options_put(const struct load_session *s, int cp, uint8_t *p);
/* SUGGEST leaves the option that would do in `ret_better`, at most 12 bytes. */
enum load_verdict load_option_judge(struct load_session *s, const struct load_options *o, int cp,
	const uint8_t *option, uint8_t *ret_better);
void load_option_naked(struct load_dialler *d, struct load_session *s, int cp, const uint8_t *option);
void load_option_rejected(struct load_session *s, int cp, const uint8_t *option);

/* ppp_auth.c */
void load_auth_begin(struct load_dialler *d, uint32_t index);
void load_pap_send(struct load_dialler *d, uint32_t index);
void load_chap_send(struct load_dialler *d, uint32_t index);
void load_auth_received(struct load_dialler *d, uint32_t index, uint16_t protocol, uint8_t code, uint8_t id,
	const uint8_t *data, uint32_t length);

/* dialler.c */
void load_wait(struct load_dialler *d, uint32_t index); /* for an answer, from now on */
void load_wait_end(struct load_dialler *d, uint32_t index);
void load_enter(struct load_dialler *d, uint32_t index, enum load_stage stage);
void load_opened(struct load_dialler *d, uint32_t index);
void load_ended(struct load_dialler *d, uint32_t index, bool say_padt); /* failed, or lost if it was up */
uint32_t load_random(struct load_dialler *d);                           /* never 0 */
void load_forget(struct load_dialler *d, uint32_t index);               /* nothing is said */

/* dial.c: the phases; -EINVAL: no such phase */
int load_run_ppp(
	const char *phase, struct load_lines *lines, struct load_ring *ring, struct load_ppp_result *r);

/* padi_flood.c */
void load_run_padi_flood(struct load_dialler *d);

/* ppp_report.c */
void load_ppp_print(const char *phase, const struct load_ppp_result *r, uint64_t ring_drops);

#endif
