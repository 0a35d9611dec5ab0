// SPDX-License-Identifier: Apache-2.0
// What is asked: a certificate for the key in the state directory. What an approval brings is written there:
// the certificates first, then node.conf (the node's name and ports), whose presence says that all of it is
// there.
#include "enroller.h"

#include "agent.h"

#include "credentials.h"
#include "frame.h"
#include "log.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { TICK_MS = 100, INTERFACES_MAX = 63, NODE_FILE_MAX = 8192, CERTIFICATES_MAX = 8 };

/* Says a thing once, however often it is found. */
static void tell(struct bng_enroller *enroller, const char *event, const char *text)
{
	char line[sizeof(enroller->told)];

	(void)snprintf(line, sizeof(line), "%s %s", event, text);
	if (!strcmp(line, enroller->told))
		return;
	memcpy(enroller->told, line, sizeof(line));
	bng_log("notice", event, "text=%s again=quietly", bng_quote(text).text);
}

static void send_frame(void *owner, const Bng__Agent__V1__AgentFrame *frame)
{
	struct bng_enroller *enroller = owner;

	if (bng_enrol_send(&enroller->machine, frame))
		return;
	bng_connection_write(&enroller->connection, &enroller->machine.out);
}

static void read_serial(const struct bng_options *options, char *ret, size_t size)
{
	FILE *file = NULL;

	(void)snprintf(ret, size, "%s", options->serial);
	if (!*ret)
		file = fopen("/etc/machine-id", "re");
	if (!file)
		return;
	if (!fgets(ret, (int)size, file))
		*ret = 0;
	(void)fclose(file);
	ret[strcspn(ret, "\n")] = 0;
}

static size_t list_interfaces(
	Bng__Agent__V1__PortInfo *infos, Bng__Agent__V1__PortInfo **list, const struct if_nameindex *names)
{
	size_t count = 0;

	for (; names && names->if_index && count < INTERFACES_MAX; names++) {
		if (!strcmp(names->if_name, "lo"))
			continue;
		bng__agent__v1__port_info__init(&infos[count]);
		infos[count].name = names->if_name;
		list[count] = &infos[count];
		count++;
	}
	return count;
}

static void send_request(struct bng_enroller *enroller)
{
	const struct bng_options *options = enroller->options;
	Bng__Agent__V1__EnrolRequest request = BNG__AGENT__V1__ENROL_REQUEST__INIT;
	Bng__Agent__V1__AgentFrame frame = BNG__AGENT__V1__AGENT_FRAME__INIT;
	Bng__Agent__V1__PortInfo infos[INTERFACES_MAX], *list[INTERFACES_MAX];
	uint8_t signing_request[BNG_REQUEST_MAX];
	struct if_nameindex *names = if_nameindex();
	struct utsname system;
	char serial[128] = "";
	size_t size = 0;

	(void)uname(&system);
	read_serial(options, serial, sizeof(serial));
	if (!bng_credentials_request(
		    options->state, options->node[0] ? options->node : "unnamed", signing_request, &size)) {
		request.node_id = (char *)(uintptr_t)options->node;
		request.serial = serial;
		request.signing_request = (ProtobufCBinaryData){.len = size, .data = signing_request};
		request.agent_version = (char *)(uintptr_t)BNG_VERSION;
		request.kernel_release = system.release;
		request.n_interfaces = list_interfaces(infos, list, names);
		request.interfaces = list;
		frame.body_case = BNG__AGENT__V1__AGENT_FRAME__BODY_ENROL_REQUEST;
		frame.enrol_request = &request;
		send_frame(enroller, &frame);
	}
	if (names)
		if_freenameindex(names);
}

/* A name that may stand in a line of a configuration. */
static bool is_plain(const char *text)
{
	return *text && !text[strcspn(text, " \t\r\n#=/")];
}

static int write_node(struct bng_enroller *enroller, const Bng__Agent__V1__EnrolReply *reply)
{
	const struct bng_options *options = enroller->options;
	char text[NODE_FILE_MAX];
	size_t used, i;

	if (!is_plain(reply->node_id))
		return -EBADMSG;
	used = (size_t)snprintf(
		text, sizeof(text), "# From the controller, by enrolment.\nnode = %.255s\n", reply->node_id);
	if (enroller->dialled.host[0])
		used += (size_t)snprintf(text + used, sizeof(text) - used, "controller = tls:%s%s%s:%s\n",
			strchr(enroller->dialled.host, ':') ? "[" : "", enroller->dialled.host,
			strchr(enroller->dialled.host, ':') ? "]" : "", enroller->dialled.port);
	for (i = 0; i < reply->n_ports; i++) {
		const Bng__Agent__V1__EnrolPort *port = reply->ports[i];
		const char *role = port->role == BNG__AGENT__V1__PORT_ROLE__PORT_ROLE_ACCESS ? "access"
				   : port->role == BNG__AGENT__V1__PORT_ROLE__PORT_ROLE_CORE ? "core"
											     : NULL;

		if (!role || !is_plain(port->interface) || sizeof(text) - used < 320)
			return -EBADMSG;
		used += (size_t)snprintf(
			text + used, sizeof(text) - used, "port = %.64s %s\n", port->interface, role);
	}
	return bng_credentials_write(options->state, "node.conf", text, used);
}

static int accept_approval(
	struct bng_enroller *enroller, const Bng__Agent__V1__EnrolReply *reply, char *words, size_t size)
{
	const struct bng_options *options = enroller->options;
	struct bng_bytes certificates[CERTIFICATES_MAX];
	size_t i;
	int err;

	if (reply->n_certificates > CERTIFICATES_MAX) {
		(void)snprintf(words, size, "more than %d certificates", CERTIFICATES_MAX);
		return -EMSGSIZE;
	}
	for (i = 0; i < reply->n_certificates; i++)
		certificates[i] = (struct bng_bytes){reply->certificates[i].data, reply->certificates[i].len};
	err = bng_credentials_store(options->state, certificates, reply->n_certificates,
		(struct bng_bytes){reply->authority.data, reply->authority.len}, words, size);
	if (err)
		return err;
	err = write_node(enroller, reply);
	if (err)
		(void)snprintf(words, size, "state %s: node.conf: %s", options->state, strerrordesc_np(-err));
	return err;
}

static void answered(struct bng_enroller *enroller, const Bng__Agent__V1__EnrolReply *reply)
{
	char words[512] = "";

	if (reply->status == BNG__AGENT__V1__ENROL_STATUS__ENROL_STATUS_PENDING) {
		tell(enroller, "enrolment_pending", reply->message);
	} else if (reply->status == BNG__AGENT__V1__ENROL_STATUS__ENROL_STATUS_REFUSED) {
		tell(enroller, "enrolment_refused", reply->message);
	} else if (accept_approval(enroller, reply, words, sizeof(words))) {
		tell(enroller, "enrolment_unusable", words);
		enroller->machine.deadline_ns = bng_monotonic_ns() + BNG_ENROL_RETRY_MAX_MS * 1000000ULL;
	} else {
		bng_log("notice", "enrolled", "node=%s", bng_quote(reply->node_id).text);
		enroller->approved = true;
	}
}

static void dial(struct bng_enroller *enroller);

static void act(struct bng_enroller *enroller, const struct bng_enrol_action *action)
{
	const char *text;

	switch (action->kind) {
	case BNG_ENROL_NOTHING:
		break;
	case BNG_ENROL_DIAL:
		dial(enroller);
		break;
	case BNG_ENROL_SEND_REQUEST:
		send_request(enroller);
		break;
	case BNG_ENROL_CHALLENGED:
		bng_prover_answer(enroller->prover, &enroller->connection.tls, action->frame->challenge,
			send_frame, enroller);
		break;
	case BNG_ENROL_ANSWERED:
		answered(enroller, action->frame->enrol_reply);
		bng_connection_close(&enroller->connection);
		break;
	case BNG_ENROL_FAILED:
		text = action->frame  ? action->frame->error->message
		       : action->text ? action->text
				      : enroller->connection.reason;
		tell(enroller, "enrolment_failed", text);
		bng_connection_close(&enroller->connection);
		break;
	}
}

static void happen(struct bng_enroller *enroller, const struct bng_enrol_event *event)
{
	struct bng_enrol_action action = bng_enrol_handle(&enroller->machine, event, bng_monotonic_ns());

	act(enroller, &action);
}

static void pump(struct bng_enroller *enroller)
{
	struct bng_connection *connection = &enroller->connection;
	struct bng_enrol_event event = {.kind = BNG_ENROL_FRAME};
	int result = 1;

	while (connection->state == BNG_CONNECTION_OPEN && result > 0) {
		struct bng_bytes data = {bng_buffer_front(&connection->in), bng_buffer_size(&connection->in)};

		result = bng_frame_next(data, &event.body);
		if (result <= 0)
			break;
		happen(enroller, &event);
		if (connection->state == BNG_CONNECTION_OPEN)
			bng_buffer_consume(&connection->in, BNG_FRAME_HEAD + event.body.size);
	}
	if (result < 0 && connection->state == BNG_CONNECTION_OPEN) {
		bng_connection_close(connection);
		happen(enroller, &(struct bng_enrol_event){.kind = BNG_ENROL_CLOSED});
	}
	bng_connection_resume(connection);
}

static void on_news(struct bng_connection *connection, enum bng_connection_news news)
{
	struct bng_enroller *enroller = (struct bng_enroller *)connection;

	if (news == BNG_NEWS_OPEN)
		happen(enroller, &(struct bng_enrol_event){.kind = BNG_ENROL_CONNECTED});
	else if (news == BNG_NEWS_DATA)
		pump(enroller);
	else if (news == BNG_NEWS_CLOSED)
		happen(enroller, &(struct bng_enrol_event){.kind = BNG_ENROL_CLOSED});
}

/* The configured controller, or the next one the network names; asks it again after the last. */
static const struct bng_endpoint *choose(struct bng_enroller *enroller, char *words, size_t size)
{
	const struct bng_options *options = enroller->options;

	if (!options->discover[0] || options->controller.host[0])
		return &options->controller;
	if (enroller->next >= enroller->found.count) {
		enroller->next = 0;
		if (bng_discover(options->discover, &enroller->found, words, size))
			return NULL;
	}
	enroller->dialled = enroller->found.endpoints[enroller->next++];
	return &enroller->dialled;
}

/* The pin of the configuration, or the one an operator has trusted on this host. */
static const uint8_t *find_pin(const struct bng_options *options, uint8_t buffer[BNG_TLS_HASH])
{
	char path[512], line[128] = "";
	bool found = false;
	FILE *file;

	if (options->has_pin)
		return options->pin;
	file = bng_credentials_path(options->state, "controller.pin", path, sizeof(path)) ? NULL
											  : fopen(path, "re");
	if (!file)
		return NULL;
	if (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = 0;
		found = bng_options_pin(line, buffer);
	}
	(void)fclose(file);
	return found ? buffer : NULL;
}

/* Who has a certificate that counts asks with it; else with the key alone. */
static void dial(struct bng_enroller *enroller)
{
	const struct bng_options *options = enroller->options;
	char key[512], certificate[512], authority[512], words[512] = "";
	uint8_t pin[BNG_TLS_HASH];
	uint64_t stored, ends;
	bool counts = !bng_credentials_times(options->state, &stored, &ends) && ends > bng_clock_now().utc_ms;
	const struct bng_endpoint *endpoint = choose(enroller, words, sizeof(words));
	bool knows;

	if (!endpoint || bng_credentials_key(options->state, words, sizeof(words)) ||
		bng_credentials_path(options->state, "key.pem", key, sizeof(key)) ||
		bng_credentials_path(options->state, "certificate.pem", certificate, sizeof(certificate)) ||
		bng_credentials_path(options->state, "authority.pem", authority, sizeof(authority))) {
		tell(enroller, "enrolment_failed", words);
		happen(enroller, &(struct bng_enrol_event){.kind = BNG_ENROL_CLOSED});
		return;
	}
	knows = !access(authority, R_OK);
	bng_connection_done(&enroller->connection);
	if (enroller->tls_context)
		bng_tls_context_free(enroller->tls_context);
	enroller->tls_context = bng_tls_context_new(
		&(struct bng_tls_files){
			.certificate = counts ? certificate : NULL,
			.key = key,
			.authority = knows ? authority : NULL,
			.pin = find_pin(options, pin),
		},
		false, words, sizeof(words));
	bng_connection_init(&enroller->connection, enroller->loop, endpoint, enroller->tls_context, on_news);
	if (!enroller->tls_context) {
		tell(enroller, "enrolment_failed", words);
		happen(enroller, &(struct bng_enrol_event){.kind = BNG_ENROL_CLOSED});
		return;
	}
	bng_connection_dial(&enroller->connection);
}

void bng_enroller_init(struct bng_enroller *enroller, struct bng_loop *loop,
	const struct bng_options *options, struct bng_prover *prover)
{
	memset(enroller, 0, sizeof(*enroller));
	enroller->loop = loop;
	enroller->options = options;
	enroller->prover = prover;
	bng_enrol_init(&enroller->machine);
	bng_connection_init(&enroller->connection, loop, &options->controller, NULL, on_news);
}

void bng_enroller_done(struct bng_enroller *enroller)
{
	if (!enroller->loop)
		return;
	bng_connection_done(&enroller->connection);
	if (enroller->tls_context)
		bng_tls_context_free(enroller->tls_context);
	bng_enrol_done(&enroller->machine);
	memset(enroller, 0, sizeof(*enroller));
}

void bng_enroller_start(struct bng_enroller *enroller)
{
	if (enroller->machine.state == BNG_ENROL_IDLE && !enroller->machine.deadline_ns)
		happen(enroller, &(struct bng_enrol_event){.kind = BNG_ENROL_START});
}

void bng_enroller_tick(struct bng_enroller *enroller)
{
	bng_connection_tick(&enroller->connection);
	happen(enroller, &(struct bng_enrol_event){.kind = BNG_ENROL_TICK});
}

uint64_t bng_enroller_renew_at(const struct bng_options *options)
{
	uint64_t stored, ends;

	if (bng_credentials_times(options->state, &stored, &ends))
		return 0;
	return ends > stored ? stored + (ends - stored) / 3 * 2 : ends;
}

int bng_enrol_until_approved(const struct bng_options *options, char *words, size_t size)
{
	struct bng_prover prover = {0};
	struct bng_enroller enroller;
	struct bng_loop loop;
	char path[512];
	int err;

	if (bng_credentials_path(options->state, "node.conf", path, sizeof(path)) || !access(path, F_OK))
		return 0;
	err = bng_credentials_key(options->state, words, size);
	if (err)
		return err;
	err = bng_loop_init(&loop);
	if (err)
		return err;
	bng_enroller_init(&enroller, &loop, options, &prover);
	bng_enroller_start(&enroller);
	while (!enroller.approved && !err) {
		err = bng_loop_run_once(&loop, TICK_MS);
		bng_enroller_tick(&enroller);
	}
	bng_enroller_done(&enroller);
	bng_loop_done(&loop);
	return err;
}
