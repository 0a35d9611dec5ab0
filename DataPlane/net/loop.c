// SPDX-License-Identifier: Apache-2.0
// epoll, timerfd, signalfd.
#include "loop.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

int bng_loop_init(struct bng_loop *loop)
{
	*loop = (struct bng_loop){.epoll = epoll_create1(EPOLL_CLOEXEC)};
	return loop->epoll < 0 ? -errno : 0;
}

void bng_loop_done(struct bng_loop *loop)
{
	if (loop->epoll >= 0)
		(void)close(loop->epoll);
	loop->epoll = -1;
}

static int control(struct bng_loop *loop, int operation, struct bng_source *source, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = source};

	source->events = events;
	return epoll_ctl(loop->epoll, operation, source->fd, &event) ? -errno : 0;
}

int bng_loop_add(struct bng_loop *loop, struct bng_source *source, uint32_t events)
{
	return control(loop, EPOLL_CTL_ADD, source, events);
}

int bng_loop_change(struct bng_loop *loop, struct bng_source *source, uint32_t events)
{
	return source->events == events ? 0 : control(loop, EPOLL_CTL_MOD, source, events);
}

void bng_loop_remove(struct bng_loop *loop, struct bng_source *source)
{
	int i;

	(void)epoll_ctl(loop->epoll, EPOLL_CTL_DEL, source->fd, NULL);
	for (i = 0; i < loop->pending_count; i++)
		if (loop->pending[i] == source)
			loop->pending[i] = NULL;
}

int bng_loop_run_once(struct bng_loop *loop, int timeout_ms)
{
	struct epoll_event events[16];
	int count = epoll_wait(loop->epoll, events, 16, timeout_ms), i;

	if (count < 0)
		return errno == EINTR ? 0 : -errno;
	for (i = 0; i < count; i++) {
		loop->pending[i] = events[i].data.ptr;
		loop->pending_events[i] = events[i].events;
	}
	loop->pending_count = count;
	for (i = 0; i < count; i++)
		if (loop->pending[i])
			loop->pending[i]->ready(loop->pending[i], loop->pending_events[i]);
	loop->pending_count = 0;
	return 0;
}

int bng_timer_open(uint64_t interval_ms)
{
	struct timespec every = {
		.tv_sec = (time_t)(interval_ms / 1000), .tv_nsec = (long)(interval_ms % 1000) * 1000000};
	struct itimerspec spec = {.it_interval = every, .it_value = every};
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (timerfd_settime(fd, 0, &spec, NULL)) {
		int err = -errno;

		(void)close(fd);
		return err;
	}
	return fd;
}

void bng_timer_drain(int fd)
{
	uint64_t count;

	if (read(fd, &count, sizeof(count)) < 0)
		return;
}

int bng_signals_open(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -errno;
	(void)signal(SIGPIPE, SIG_IGN);
	fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}
