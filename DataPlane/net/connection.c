// SPDX-License-Identifier: Apache-2.0
// Non-blocking from name resolution (getaddrinfo_a) on. Input pauses when its buffer is half full.
#include "connection.h"

#include "alloc.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/un.h>
#include <unistd.h>

enum { READ_STEP = 65536, TLS_STEP = 262144 };

struct lookup {
	struct gaicb request;
	struct addrinfo hints;
	char host[256];
	char port[8];
};

void bng_connection_init(struct bng_connection *connection, struct bng_loop *loop,
	const struct bng_endpoint *endpoint, void *tls_context,
	void (*news)(struct bng_connection *, enum bng_connection_news))
{
	*connection = (struct bng_connection){.source.fd = -1,
		.loop = loop,
		.tls_context = tls_context,
		.endpoint = *endpoint,
		.news = news};
	bng_buffer_init(&connection->in, BNG_CONNECTION_IN_MAX);
	bng_buffer_init(&connection->out, BNG_CONNECTION_OUT_MAX + BNG_CONNECTION_OUT_MAX / 2);
}

static void forget_lookup(struct bng_connection *connection)
{
	struct lookup *lookup = connection->lookup;

	if (!lookup)
		return;
	connection->lookup = NULL;
	/* A request that cannot be cancelled still uses its memory: leak it rather than corrupt the heap. */
	if (gai_error(&lookup->request) == EAI_INPROGRESS && gai_cancel(&lookup->request) != EAI_CANCELED)
		return;
	if (lookup->request.ar_result)
		freeaddrinfo(lookup->request.ar_result);
	bng_free(lookup);
}

static void drop(struct bng_connection *connection)
{
	forget_lookup(connection);
	if (connection->source.fd >= 0) {
		bng_loop_remove(connection->loop, &connection->source);
		(void)close(connection->source.fd);
		connection->source.fd = -1;
	}
	if (connection->tls.ssl)
		bng_tls_done(&connection->tls);
	bng_buffer_clear(&connection->in);
	bng_buffer_clear(&connection->out);
	connection->state = BNG_CONNECTION_CLOSED;
}

void bng_connection_done(struct bng_connection *connection)
{
	drop(connection);
	bng_buffer_done(&connection->in);
	bng_buffer_done(&connection->out);
}

static void fail(struct bng_connection *connection, int err)
{
	if (err == -EPROTO && connection->tls.ssl)
		bng_tls_reason(&connection->tls, connection->reason, sizeof(connection->reason));
	else
		(void)snprintf(connection->reason, sizeof(connection->reason), "%s",
			err ? strerrordesc_np(-err) : "closed by the peer");
	drop(connection);
	connection->news(connection, BNG_NEWS_CLOSED);
}

static void watch(struct bng_connection *connection)
{
	uint32_t events = 0;

	if (connection->state == BNG_CONNECTION_CONNECTING) {
		events = EPOLLOUT;
	} else {
		if (bng_buffer_size(&connection->in) < BNG_CONNECTION_IN_PAUSE)
			events |= EPOLLIN;
		if (bng_buffer_size(&connection->out))
			events |= EPOLLOUT;
	}
	(void)bng_loop_change(connection->loop, &connection->source, events);
}

/* 0, or a negative errno after which the connection must fail. */
static int flush(struct bng_connection *connection)
{
	while (bng_buffer_size(&connection->out)) {
		ssize_t done = send(connection->source.fd, bng_buffer_front(&connection->out),
			bng_buffer_size(&connection->out), MSG_NOSIGNAL);

		if (done < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		bng_buffer_consume(&connection->out, (size_t)done);
	}
	return 0;
}

static int take_cipher(struct bng_connection *connection, struct bng_bytes bytes)
{
	int err = bng_tls_receive(&connection->tls, bytes, &connection->in, &connection->out);

	if (err) {
		(void)flush(connection);
		return err;
	}
	if (connection->tls.established && connection->state == BNG_CONNECTION_HANDSHAKE) {
		connection->state = BNG_CONNECTION_OPEN;
		connection->news(connection, BNG_NEWS_OPEN);
	}
	return connection->tls.ended ? -ECONNRESET : 0;
}

/* 1: got something; 0: nothing there now; negative: over. */
static int receive(struct bng_connection *connection)
{
	static uint8_t scratch[READ_STEP];
	ssize_t got = recv(connection->source.fd, scratch, sizeof(scratch), 0);
	int err;

	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (!got)
		return -ENODATA;
	if (connection->tls_context)
		err = take_cipher(connection, (struct bng_bytes){scratch, (size_t)got});
	else
		err = bng_buffer_append(&connection->in, scratch, (size_t)got);
	return err ? err : 1;
}

static void opened(struct bng_connection *connection)
{
	int err;

	if (!connection->tls_context) {
		connection->state = BNG_CONNECTION_OPEN;
		connection->news(connection, BNG_NEWS_OPEN);
		return;
	}
	connection->state = BNG_CONNECTION_HANDSHAKE;
	err = bng_tls_init(&connection->tls, connection->tls_context, connection->endpoint.host, false);
	if (!err)
		err = take_cipher(connection, (struct bng_bytes){0});
	if (!err)
		err = flush(connection);
	if (err)
		fail(connection, err);
}

static void ready_to_connect(struct bng_connection *connection)
{
	int err = 0;
	socklen_t size = sizeof(err);

	if (getsockopt(connection->source.fd, SOL_SOCKET, SO_ERROR, &err, &size))
		err = errno;
	if (err)
		fail(connection, -err);
	else
		opened(connection);
}

static void ready_to_read(struct bng_connection *connection)
{
	int result = 1, rounds;

	/* A few reads at most: other sources want their turn. */
	for (rounds = 0; rounds < 8 && result > 0 && connection->source.fd >= 0; rounds++) {
		if (bng_buffer_size(&connection->in) >= BNG_CONNECTION_IN_PAUSE)
			break;
		result = receive(connection);
	}
	if (connection->source.fd < 0)
		return;
	if (bng_buffer_size(&connection->in))
		connection->news(connection, BNG_NEWS_DATA);
	if (result < 0 && connection->source.fd >= 0)
		fail(connection, result == -ENODATA ? 0 : result);
}

static void ready(struct bng_source *source, uint32_t events)
{
	struct bng_connection *connection = (struct bng_connection *)source;
	int err;

	if (connection->state == BNG_CONNECTION_CONNECTING) {
		ready_to_connect(connection);
	} else {
		if (events & EPOLLOUT) {
			err = flush(connection);
			if (err) {
				fail(connection, err);
				return;
			}
			connection->news(connection, BNG_NEWS_WRITABLE);
		}
		if (connection->source.fd >= 0 && events & (EPOLLIN | EPOLLHUP | EPOLLERR))
			ready_to_read(connection);
	}
	if (connection->source.fd >= 0)
		watch(connection);
}

static void connect_to(struct bng_connection *connection, const struct sockaddr *address, socklen_t size)
{
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1, err;

	if (fd < 0) {
		fail(connection, -errno);
		return;
	}
	if (address->sa_family != AF_UNIX)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	connection->source = (struct bng_source){.fd = fd, .ready = ready};
	connection->state = BNG_CONNECTION_CONNECTING;
	err = connect(fd, address, size) && errno != EINPROGRESS ? -errno : 0;
	if (!err)
		err = bng_loop_add(connection->loop, &connection->source, EPOLLOUT);
	if (err)
		fail(connection, err);
}

static void start_lookup(struct bng_connection *connection)
{
	struct lookup *lookup = bng_alloc_zero(1, sizeof(*lookup));
	struct gaicb *list[1];

	if (!lookup) {
		fail(connection, -ENOMEM);
		return;
	}
	memcpy(lookup->host, connection->endpoint.host, sizeof(lookup->host));
	memcpy(lookup->port, connection->endpoint.port, sizeof(lookup->port));
	lookup->hints = (struct addrinfo){.ai_socktype = SOCK_STREAM};
	lookup->request = (struct gaicb){
		.ar_name = lookup->host, .ar_service = lookup->port, .ar_request = &lookup->hints};
	list[0] = &lookup->request;
	connection->lookup = lookup;
	connection->state = BNG_CONNECTION_RESOLVING;
	if (getaddrinfo_a(GAI_NOWAIT, list, 1, NULL))
		fail(connection, -EHOSTUNREACH);
}

void bng_connection_tick(struct bng_connection *connection)
{
	struct lookup *lookup = connection->lookup;
	struct sockaddr_storage address;
	socklen_t size;
	int result;

	if (connection->state != BNG_CONNECTION_RESOLVING)
		return;
	result = gai_error(&lookup->request);
	if (result == EAI_INPROGRESS)
		return;
	if (result || !lookup->request.ar_result) {
		forget_lookup(connection);
		fail(connection, -EHOSTUNREACH);
		return;
	}
	size = lookup->request.ar_result->ai_addrlen;
	memcpy(&address, lookup->request.ar_result->ai_addr, size);
	forget_lookup(connection);
	connect_to(connection, (struct sockaddr *)&address, size);
}

/* Address literals need no resolver. */
static bool dial_literal(struct bng_connection *connection)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV},
			*found = NULL;

	if (getaddrinfo(connection->endpoint.host, connection->endpoint.port, &hints, &found))
		return false;
	connect_to(connection, found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
	return true;
}

void bng_connection_dial(struct bng_connection *connection)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	drop(connection);
	connection->reason[0] = 0;
	if (connection->endpoint.path[0]) {
		memcpy(address.sun_path, connection->endpoint.path, sizeof(address.sun_path));
		connect_to(connection, (struct sockaddr *)&address, sizeof(address));
	} else if (!dial_literal(connection)) {
		start_lookup(connection);
	}
}

static int encrypt(struct bng_connection *connection, struct bng_buffer *from)
{
	while (bng_buffer_size(from) && bng_buffer_size(&connection->out) < BNG_CONNECTION_OUT_MAX) {
		size_t size = bng_buffer_size(from) < TLS_STEP ? bng_buffer_size(from) : TLS_STEP;
		int err = bng_tls_send(
			&connection->tls, (struct bng_bytes){bng_buffer_front(from), size}, &connection->out);

		if (err)
			return err;
		bng_buffer_consume(from, size);
	}
	return 0;
}

static int pass_on(struct bng_connection *connection, struct bng_buffer *from)
{
	size_t size = bng_buffer_size(from),
	       room = BNG_CONNECTION_OUT_MAX - bng_buffer_size(&connection->out);
	int err;

	if (bng_buffer_size(&connection->out) >= BNG_CONNECTION_OUT_MAX)
		return 0;
	size = size < room ? size : room;
	err = bng_buffer_append(&connection->out, bng_buffer_front(from), size);
	if (!err)
		bng_buffer_consume(from, size);
	return err;
}

void bng_connection_write(struct bng_connection *connection, struct bng_buffer *from)
{
	int err;

	if (connection->state != BNG_CONNECTION_OPEN || !bng_buffer_size(from))
		return;
	err = connection->tls_context ? encrypt(connection, from) : pass_on(connection, from);
	if (!err)
		err = flush(connection);
	if (err)
		fail(connection, err);
	else
		watch(connection);
}

void bng_connection_resume(struct bng_connection *connection)
{
	if (connection->source.fd >= 0 && connection->state >= BNG_CONNECTION_HANDSHAKE)
		watch(connection);
}

void bng_connection_close(struct bng_connection *connection)
{
	if (connection->state == BNG_CONNECTION_OPEN)
		(void)flush(connection);
	drop(connection);
}
