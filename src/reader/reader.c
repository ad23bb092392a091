/* SPDX-License-Identifier: BSD-2-Clause */
#include "reader/reader.h"

#include "base/clock.h"
#include "base/fdpass.h"
#include "base/log.h"
#include "base/memfd.h"
#include "reader/protocol.h"

#include <poll.h>
#include <sys/socket.h>

struct reader {
	const struct source_ops *ops;
	const struct source_env *env;
	struct source *source; /* NULL until opened */
	int socket;
	uint64_t serial; /* of the request being answered */
	bool broken;	 /* the agent is gone */
};

static void send_message(struct reader *r, const struct reader_message *m, int fd)
{
	if (fdpass_send(r->socket, m, sizeof(*m), fd, 0) < 0)
		r->broken = true;
}

static void give_unit(void *context, const struct unit_result *result)
{
	struct reader *r = context;
	struct reader_message m = {
		.magic = READER_MAGIC,
		.type = READER_UNIT,
		.serial = r->serial,
		.wall_ns = result->wall_ns,
		.cpu_ns = result->cpu_ns,
		.error = result->error,
	};
	CLEANUP_FREE struct fragment *fragment = result->fragment;
	CLEANUP_FD int fd = -1;

	snprintf(m.unit, sizeof(m.unit), "%s", result->unit);
	snprintf(m.message, sizeof(m.message), "%s", result->message);
	if (!m.error) {
		uint64_t wall_ns = clock_now_ns(), cpu_ns = clock_cpu_ns();

		fd = memfd_seal("fragment", fragment, result->length);
		/* A copy of all that there is: it belongs to the poll. */
		m.wall_ns += clock_now_ns() - wall_ns;
		m.cpu_ns += clock_cpu_ns() - cpu_ns;
		if (fd < 0) {
			m.error = fd;
			snprintf(m.message, sizeof(m.message), "no memory to hand it over");
		} else {
			m.length = result->length;
		}
	}
	send_message(r, &m, fd);
}

/* One poll. Returns 0 or the error of the source as a whole; *ret_present as in the protocol. */
static int poll_source(struct reader *r, uint64_t deadline_ns, struct collection *c,
	bool *ret_present, const char **ret_message)
{
	int rc = r->ops->detect(r->env);

	*ret_present = rc != 0;
	if (rc < 0) {
		*ret_message = "could not tell whether it is on this machine";
		return rc;
	}
	if (rc == 0)
		return 0;
	if (!r->source) {
		rc = r->ops->open(r->env, &r->source);
		if (rc < 0) {
			*ret_message = "could not be opened";
			return rc;
		}
	}
	*ret_message = "its units could not be listed";
	return r->ops->collect(r->source, deadline_ns, c);
}

static void answer(struct reader *r, const struct reader_request *request, struct collection *c)
{
	struct reader_message m = { .magic = READER_MAGIC, .type = READER_DONE };
	const char *message = "";
	bool present;

	r->serial = m.serial = request->serial;
	m.error = poll_source(r, request->deadline_ns, c, &present, &message);
	m.present = present;
	if (m.error < 0)
		snprintf(m.message, sizeof(m.message), "%s", message);
	send_message(r, &m, -1);
}

/* What has happened between polls, or during the last one. */
static void take_events(struct reader *r)
{
	struct reader_message m = { .magic = READER_MAGIC, .type = READER_HINT };

	/* When the agent has not yet read the last one, this one is not needed. */
	if (r->source && r->ops->event && r->ops->event(r->source) > 0)
		fdpass_send(r->socket, &m, sizeof(m), -1, MSG_DONTWAIT);
}

/* Waits for a request, and takes events meanwhile. Errors of poll(2) show in recv(2), too. */
static void wait_for_request(struct reader *r)
{
	for (;;) {
		struct pollfd fds[2] = { { .fd = r->socket, .events = POLLIN },
			{ .fd = -1, .events = POLLIN } };

		if (!r->source || !r->ops->event_fd)
			return;
		fds[1].fd = r->ops->event_fd(r->source);
		if (fds[1].fd < 0)
			return;
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return;
		if (fds[1].revents)
			take_events(r);
		if (fds[0].revents)
			return;
	}
}

int reader_run(const struct source_ops *ops, const struct source_env *env, int socket)
{
	struct reader r = { .ops = ops, .env = env, .socket = socket };
	struct collection *c = collection_new(give_unit, &r);
	int status = EXIT_SUCCESS;

	if (!c) {
		log_error("reader %s: no memory, giving up", ops->name);
		return EXIT_FAILURE;
	}
	while (!r.broken) {
		struct reader_request request;
		ssize_t n;

		wait_for_request(&r);
		n = recv(socket, &request, sizeof(request), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			break; /* the agent has gone: so does its reader */
		if (n != sizeof(request) || request.magic != READER_MAGIC) {
			log_error("reader %s: not a request, giving up", ops->name);
			status = EXIT_FAILURE;
			break;
		}
		answer(&r, &request, c);
		take_events(&r);
	}
	ops->close(r.source);
	collection_free(c);
	return status;
}
