// SPDX-License-Identifier: Apache-2.0
// The life of a line that dials: who waits for an answer, who is up, and what counts as done, failed or lost.

#include "ppp.h"

uint32_t load_random(struct load_dialler *d)
{
	do { /* xorshift64: magic numbers must differ, not be secret */
		d->random ^= d->random << 13;
		d->random ^= d->random >> 7;
		d->random ^= d->random << 17;
	} while (!(uint32_t)d->random);
	return (uint32_t)d->random;
}

void load_wait_end(struct load_dialler *d, uint32_t index)
{
	struct load_session *sessions = d->lines->session, *s = &sessions[index];

	if (!s->waiting)
		return;
	s->waiting = false;
	if (s->previous == LOAD_NOBODY)
		d->first_waiting = s->next;
	else
		sessions[s->previous].next = s->next;
	if (s->next == LOAD_NOBODY)
		d->last_waiting = s->previous;
	else
		sessions[s->next].previous = s->previous;
}

void load_wait(struct load_dialler *d, uint32_t index)
{
	struct load_session *sessions = d->lines->session, *s = &sessions[index];

	load_wait_end(d, index);
	s->waiting = true;
	s->sent_ns = load_now_ns();
	s->previous = d->last_waiting;
	s->next = LOAD_NOBODY;
	if (d->last_waiting == LOAD_NOBODY)
		d->first_waiting = index;
	else
		sessions[d->last_waiting].next = index;
	d->last_waiting = index;
}

void load_enter(struct load_dialler *d, uint32_t index, enum load_stage stage)
{
	struct load_session *s = &d->lines->session[index];

	s->stage = (uint8_t)stage;
	s->tries = 1;
}

/* The line's exchange is over; what happens to it later is another matter. */
static void finish(struct load_dialler *d, struct load_session *s)
{
	s->finished = true;
	d->active--;
}

void load_opened(struct load_dialler *d, uint32_t index)
{
	struct load_session *s = &d->lines->session[index];
	struct load_line *l = &d->lines->line[index];

	load_wait_end(d, index);
	load_enter(d, index, LOAD_OPEN);
	l->state = LOAD_BOUND;
	l->address = s->address;
	if (s->finished)
		return;
	d->r->completed++;
	d->r->ipv6cp_open += load_configure_open(&s->cp[LOAD_CP_IPV6CP]);
	load_histogram_add(&d->r->whole, load_now_ns() - s->began_ns);
	finish(d, s);
}

void load_forget(struct load_dialler *d, uint32_t index)
{
	struct load_session *s = &d->lines->session[index];

	load_wait_end(d, index);
	load_enter(d, index, LOAD_DOWN);
	s->id = 0;
	d->lines->line[index] = (struct load_line){.state = LOAD_IDLE};
}

void load_ended(struct load_dialler *d, uint32_t index, bool say_padt)
{
	struct load_session *s = &d->lines->session[index];

	if (s->stage == LOAD_DOWN)
		return;
	if (say_padt && s->id)
		load_pppoe_send(d, index, PPPOE_PADT, NULL, 0);
	if (s->stage == LOAD_CLOSING) {
		d->r->completed++;
		finish(d, s);
	} else if (s->finished) {
		d->r->lost++;
	} else {
		d->r->failed++;
		d->r->failed_in[s->stage]++;
		finish(d, s);
	}
	load_forget(d, index);
}
