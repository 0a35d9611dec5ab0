/* SPDX-License-Identifier: Apache-2.0 */
/* One outgoing stream: a Unix or TCP socket, with TLS or without, its bytes in two bounded buffers. Never
 * blocks. */
#ifndef BNG_CONNECTION_H
#define BNG_CONNECTION_H

#include "buffer.h"
#include "loop.h"
#include "tls.h"

#include <sys/socket.h>

struct bng_endpoint {
	char path[108]; /* Unix socket, or */
	char host[256]; /* TLS */
	char port[8];
};

enum bng_connection_state {
	BNG_CONNECTION_CLOSED,
	BNG_CONNECTION_RESOLVING,
	BNG_CONNECTION_CONNECTING,
	BNG_CONNECTION_HANDSHAKE,
	BNG_CONNECTION_OPEN,
};

enum bng_connection_news { BNG_NEWS_OPEN, BNG_NEWS_DATA, BNG_NEWS_CLOSED, BNG_NEWS_WRITABLE };

enum {
	BNG_CONNECTION_IN_MAX = 4 * 1024 * 1024,
	BNG_CONNECTION_OUT_MAX = 2 * 1024 * 1024,
	BNG_CONNECTION_IN_PAUSE = 2 * 1024 * 1024
};

struct bng_connection {
	struct bng_source source; /* first: the loop hands it back */
	struct bng_loop *loop;
	enum bng_connection_state state;
	struct bng_tls tls;
	void *tls_context; /* NULL: plain */
	struct bng_endpoint endpoint;
	void *lookup;          /* a resolution under way */
	struct bng_buffer in;  /* plaintext received */
	struct bng_buffer out; /* bytes for the socket */
	char reason[160];      /* why it closed */
	void (*news)(struct bng_connection *connection, enum bng_connection_news news);
};

void bng_connection_init(struct bng_connection *connection, struct bng_loop *loop,
	const struct bng_endpoint *endpoint, void *tls_context,
	void (*news)(struct bng_connection *, enum bng_connection_news));
void bng_connection_done(struct bng_connection *connection);

/* Starts; OPEN or CLOSED follows as news, also when it fails at once. */
void bng_connection_dial(struct bng_connection *connection);

/* Looks after a name resolution; call now and then while RESOLVING. */
void bng_connection_tick(struct bng_connection *connection);

/* Moves bytes from a buffer into the connection as far as there is room, and writes. */
void bng_connection_write(struct bng_connection *connection, struct bng_buffer *from);

/* Tells it that bytes were taken from in: reading goes on if it had paused. */
void bng_connection_resume(struct bng_connection *connection);

/* Writes what the socket takes at once, then closes. No news. */
void bng_connection_close(struct bng_connection *connection);

#endif
