// SPDX-License-Identifier: Apache-2.0
// The phases of PPPoE: dial, hold, hang up, vanish; what is received goes to the session it belongs to.

#include "ppp.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

/* The session a frame belongs to: its MAC leads to at most --per-mac lines. */
static uint32_t find(const struct load_dialler *d, const struct load_packet *p, const struct load_pppoe *f)
{
	uint64_t mac = 0;
	uint32_t first;

	for (int i = 0; i < 6; i++)
		mac = mac << 8 | p->frame[i];
	if (mac < d->o->mac_base || mac - d->o->mac_base > (d->lines->count - 1) / d->o->per_mac)
		return LOAD_NOBODY;
	first = (uint32_t)(mac - d->o->mac_base) * d->o->per_mac;
	if (!load_line_tags_match(d->o, first, p))
		return LOAD_NOBODY;
	if (f->discovery && f->code != PPPOE_PADT)
		return first;
	for (uint32_t i = first; i < first + d->o->per_mac && i < d->lines->count; i++) {
		const struct load_session *s = &d->lines->session[i];

		if (s->id == f->id && f->id && memcmp(s->ac_mac, f->source, 6) == 0)
			return i;
	}
	d->r->late++;
	return LOAD_NOBODY;
}

/* Returns whether anything came. */
static bool receive_all(struct load_dialler *d)
{
	struct load_packet packet;
	struct load_pppoe f;
	bool any = false;

	while (load_ring_next(d->ring, &packet)) {
		any = true;
		if (!load_pppoe_parse(&packet, &f))
			continue;
		uint32_t index = find(d, &packet, &f);

		if (index == LOAD_NOBODY)
			continue;
		if (f.discovery)
			load_discovery_received(d, index, &f);
		else if (f.code == 0)
			load_ppp_received(d, index, &f);
		else
			d->r->unexpected++;
	}
	return any;
}

static void check_timeouts(struct load_dialler *d)
{
	uint64_t limit = (uint64_t)(d->o->timeout_s * 1e9), now = load_now_ns();

	while (d->first_waiting != LOAD_NOBODY) {
		uint32_t index = d->first_waiting;
		struct load_session *s = &d->lines->session[index];

		if (s->sent_ns + limit > now)
			return;
		d->r->timeouts++;
		if (s->tries++ >= d->o->retries)
			load_ended(d, index, true);
		else if (s->stage == LOAD_PADI)
			load_send_padi(d, index);
		else if (s->stage == LOAD_PADR)
			load_send_padr(d, index);
		else
			load_ppp_again(d, index);
	}
}

static void begin(struct load_dialler *d, uint32_t index, enum load_stage stage)
{
	struct load_session *s = &d->lines->session[index];

	d->active++;
	s->finished = false;
	s->began_ns = load_now_ns();
	if (stage == LOAD_CLOSING) {
		load_enter(d, index, stage);
		load_ppp_again(d, index);
		return;
	}
	*s = (struct load_session){.attempt = s->attempt, .began_ns = s->began_ns, .auth_id = s->auth_id};
	s->magic = load_random(d);
	for (int i = 0; i < 8; i++)
		s->interface_id[i] = (uint8_t)load_random(d);
	s->interface_id[0] = (uint8_t)((s->interface_id[0] & 0xfd) | 4); /* local, and never all zero */
	load_enter(d, index, stage);
	load_send_padi(d, index);
}

/* Takes lines from DOWN (or from OPEN, to close them) while the window and the rate allow. */
static void begin_some(struct load_dialler *d, enum load_stage stage)
{
	enum load_stage from = stage == LOAD_CLOSING ? LOAD_OPEN : LOAD_DOWN;
	double elapsed = (double)(load_now_ns() - d->r->began_ns) / 1e9;
	uint64_t begun = d->r->completed + d->r->failed + d->active;

	for (uint32_t n = 0; n < LOAD_BATCH && d->active < d->o->window && d->next < d->lines->count;
		d->next++) {
		if (d->o->rate > 0 && (double)begun >= elapsed * d->o->rate + 1)
			return;
		if (d->lines->session[d->next].stage != from)
			continue;
		begin(d, d->next, stage);
		begun++;
		n++;
	}
}

static void run_exchanges(struct load_dialler *d, enum load_stage stage)
{
	while ((d->next < d->lines->count || d->active) && !load_interrupted) {
		begin_some(d, stage);
		load_ring_flush(d->ring);
		if (!receive_all(d) &&
			(d->active >= d->o->window || d->o->rate > 0 || d->next == d->lines->count))
			load_ring_wait(d->ring);
		check_timeouts(d);
		load_ring_flush(d->ring);
	}
}

static void send_echo(struct load_dialler *d)
{
	for (uint32_t n = 0; n < d->lines->count; n++) {
		uint32_t index = d->next++ % d->lines->count;
		struct load_session *s = &d->lines->session[index];

		if (s->stage != LOAD_OPEN)
			continue;
		load_ppp_send(d, index, PPP_LCP, LCP_ECHO_REQUEST, (uint8_t)d->r->echoes_sent,
			(const uint8_t *)&s->magic, 4);
		d->r->echoes_sent++;
		return;
	}
}

/* Keeps the sessions; with a rate it asks for echoes, too. Completed is who is still there at the end. */
static void run_hold(struct load_dialler *d)
{
	uint64_t end = d->r->began_ns + (uint64_t)(d->o->duration_s * 1e9), now;

	while ((now = load_now_ns()) < end && !load_interrupted) {
		double due = (double)(now - d->r->began_ns) / 1e9 * d->o->rate;

		for (int n = 0; n < LOAD_BATCH && (double)d->r->echoes_sent < due; n++)
			send_echo(d);
		load_ring_flush(d->ring);
		if (!receive_all(d))
			load_ring_wait(d->ring);
		check_timeouts(d);
		load_ring_flush(d->ring);
	}
	for (uint32_t i = 0; i < d->lines->count; i++)
		d->r->completed += d->lines->session[i].stage == LOAD_OPEN;
	d->r->failed += d->r->lost;
}

static void run_padt(struct load_dialler *d)
{
	for (uint32_t i = 0; i < d->lines->count; i++) {
		if (d->lines->session[i].stage != LOAD_OPEN)
			continue;
		while (d->o->rate > 0 &&
			(double)d->r->completed > (double)(load_now_ns() - d->r->began_ns) / 1e9 * d->o->rate)
			load_ring_flush(d->ring);
		load_pppoe_send(d, i, PPPOE_PADT, NULL, 0);
		load_forget(d, i);
		d->r->completed++;
	}
}

/* A power cut: nobody says anything. */
static void run_abandon(struct load_dialler *d)
{
	for (uint32_t i = 0; i < d->lines->count; i++) {
		d->r->completed += d->lines->session[i].stage == LOAD_OPEN;
		load_forget(d, i);
	}
}

/* Sessions that were left in the middle of something go on waiting; they no longer count as this phase's. */
static void adopt(struct load_dialler *d)
{
	for (uint32_t i = 0; i < d->lines->count; i++) {
		struct load_session *s = &d->lines->session[i];

		s->finished = true;
		if (!s->waiting)
			continue;
		s->waiting = false;
		load_wait(d, i);
	}
}

static int run_phase(const char *phase, struct load_dialler *d)
{
	adopt(d);
	d->r->began_ns = load_now_ns();
	if (strcmp(phase, "pppoe") == 0)
		run_exchanges(d, LOAD_PADI);
	else if (strcmp(phase, "hold") == 0)
		run_hold(d);
	else if (strcmp(phase, "padt") == 0 && d->o->terminate)
		run_exchanges(d, LOAD_CLOSING);
	else if (strcmp(phase, "padt") == 0)
		run_padt(d);
	else if (strcmp(phase, "abandon") == 0)
		run_abandon(d);
	else if (strcmp(phase, "padi-flood") == 0)
		load_run_padi_flood(d);
	else
		return -EINVAL;
	load_ring_flush(d->ring);
	d->r->ended_ns = load_now_ns();
	return d->r->failed ? 1 : 0;
}

int load_run_ppp(
	const char *phase, struct load_lines *lines, struct load_ring *ring, struct load_ppp_result *r)
{
	struct load_dialler d = {.lines = lines,
		.ring = ring,
		.r = r,
		.o = lines->options,
		.first_waiting = LOAD_NOBODY,
		.last_waiting = LOAD_NOBODY,
		.random = load_now_ns() | 1,
		.digest = EVP_MD_CTX_new()};
	int status;

	if (!lines->session)
		lines->session = calloc(lines->count, sizeof(*lines->session));
	status = lines->session && d.digest ? run_phase(phase, &d) : -ENOMEM;
	EVP_MD_CTX_free(d.digest);
	return status;
}
