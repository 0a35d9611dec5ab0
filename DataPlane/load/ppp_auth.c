// SPDX-License-Identifier: Apache-2.0
// PAP (RFC 1334) and CHAP with MD5 (RFC 1994) from the side of who is asked.

#include "ppp.h"

#include <openssl/evp.h>
#include <string.h>

enum { PAP_REQUEST = 1, PAP_ACK, PAP_NAK };
enum { CHAP_CHALLENGE = 1, CHAP_RESPONSE, CHAP_SUCCESS, CHAP_FAILURE };
enum { TEXT_MAX = 200 };

void load_pap_send(struct load_dialler *d, uint32_t index)
{
	uint8_t data[2 * TEXT_MAX + 2];
	uint32_t user = load_expand((char *)data + 1, TEXT_MAX, d->o->user, index);
	uint32_t password = load_expand((char *)data + user + 2, TEXT_MAX, d->o->password, index);

	data[0] = (uint8_t)user;
	data[user + 1] = (uint8_t)password;
	load_ppp_send(
		d, index, PPP_PAP, PAP_REQUEST, d->lines->session[index].auth_id, data, user + password + 2);
	load_wait(d, index);
}

void load_auth_begin(struct load_dialler *d, uint32_t index)
{
	struct load_session *s = &d->lines->session[index];

	s->auth_ns = load_now_ns();
	if (s->auth == PPP_PAP) {
		s->auth_id++;
		load_pap_send(d, index);
	} else {
		load_wait(d, index); /* for the challenge */
	}
}

static bool digest(struct load_dialler *d, uint32_t index, uint8_t id, const uint8_t *value, uint8_t length,
	uint8_t ret[16])
{
	char secret[TEXT_MAX];
	uint32_t n = load_expand(secret, sizeof(secret), d->o->password, index);
	EVP_MD_CTX *context = d->digest;

	return EVP_DigestInit_ex(context, EVP_md5(), NULL) == 1 && EVP_DigestUpdate(context, &id, 1) == 1 &&
	       EVP_DigestUpdate(context, secret, n) == 1 && EVP_DigestUpdate(context, value, length) == 1 &&
	       EVP_DigestFinal_ex(context, ret, NULL) == 1;
}

void load_chap_send(struct load_dialler *d, uint32_t index)
{
	struct load_session *s = &d->lines->session[index];
	uint8_t data[17 + TEXT_MAX] = {16};
	uint32_t name = load_expand((char *)data + 17, TEXT_MAX, d->o->user, index);

	memcpy(data + 1, s->response, 16);
	load_ppp_send(d, index, PPP_CHAP, CHAP_RESPONSE, s->auth_id, data, 17 + name);
}

/* Also of an open session: RFC 1994 2 lets the peer ask again at any time. */
static void got_challenge(
	struct load_dialler *d, uint32_t index, uint8_t id, const uint8_t *data, uint32_t length)
{
	struct load_session *s = &d->lines->session[index];

	if (length < 1 || data[0] == 0 || 1u + data[0] > length ||
		!digest(d, index, id, data + 1, data[0], s->response)) {
		d->r->unexpected++;
		return;
	}
	s->auth_id = id;
	s->responded = true;
	load_chap_send(d, index);
	if (s->stage == LOAD_AUTHENTICATE)
		load_wait(d, index);
}

static void got_result(struct load_dialler *d, uint32_t index, uint8_t id, bool success)
{
	struct load_session *s = &d->lines->session[index];

	if (s->stage != LOAD_AUTHENTICATE || id != s->auth_id) {
		d->r->duplicates++;
	} else if (success) {
		load_histogram_add(&d->r->authentication, load_now_ns() - s->auth_ns);
		s->auth = 0;
		load_ppp_advance(d, index);
	} else {
		d->r->refused++;
		load_ended(d, index, true);
	}
}

void load_auth_received(struct load_dialler *d, uint32_t index, uint16_t protocol, uint8_t code, uint8_t id,
	const uint8_t *data, uint32_t length)
{
	const struct load_session *s = &d->lines->session[index];
	bool pap = protocol == PPP_PAP;

	if (!load_configure_open(&s->cp[LOAD_CP_LCP]))
		d->r->late++; /* RFC 1661 3.5: silently discarded before the link is up */
	else if (!pap && code == CHAP_CHALLENGE)
		got_challenge(d, index, id, data, length);
	else if (code == (pap ? PAP_ACK : CHAP_SUCCESS) || code == (pap ? PAP_NAK : CHAP_FAILURE))
		got_result(d, index, id, code == (pap ? PAP_ACK : CHAP_SUCCESS));
	else
		d->r->unexpected++;
}
