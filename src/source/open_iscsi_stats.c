/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Statistics of connections. Called by open_iscsi.c in the reader process, in a poll. The rules are
 * in open_iscsi_stats.h; each has its test in tests/unit/test_open_iscsi_stats.c.
 */
#include "source/open_iscsi_stats.h"

#include "base/clock.h"
#include "base/privilege.h"
#include "source/open_iscsi_read.h"

#include <linux/capability.h>
#include <poll.h>

#define ASK_BURST	32
#define ASK_INTERVAL_NS (5 * NS_PER_S)
/* Polls that are that far apart are not that far to the nanosecond. */
#define ASK_SLACK_NS (100 * NS_PER_MS)
/* For one pause; then the others' queues are looked at. */
#define PAUSE_MS 5
/* Some 12 answers: what a process may not have come to read yet. */
#define OTHERS_QUEUED_MAX (16u << 10)

#define ROOM_TRIES 4

/* One round of asking. */
struct round {
	struct oiscsi_asker *asker;
	struct oiscsi *o;
	uint64_t now_ns, until_ns;
	unsigned int asked; /* in it */
};

/* What a request came to. */
enum outcome { ANSWERED, NOT_ANSWERED, STOP };

void oiscsi_stats_take(void *context, const struct oiscsi_event *event, uint64_t now_ns)
{
	struct oiscsi *o = context;
	struct oiscsi_session *session = oiscsi_session_find(o, event->sid);
	struct oiscsi_statistics statistics;

	if (!session || oiscsi_statistics_parse(event->data, event->length, &statistics) < 0)
		return;
	for (size_t i = 0; i < session->connection_count; i++) {
		if (session->connections[i].cid != event->cid)
			continue;
		session->connections[i].statistics = statistics;
		session->connections[i].statistics_ns = now_ns;
	}
}

/* ---- the number of a driver ---- */

/* Only the administrator may see it: it is an address in the kernel. */
static int read_handle(struct oiscsi *o, const char *transport, uint64_t *ret)
{
	uint64_t before = privilege_raise(PRIVILEGE_OF(CAP_SYS_ADMIN));
	char text[32];
	int rc = oiscsi_read_value(
		o->root, text, sizeof(text), "/sys/class/iscsi_transport/%s/handle", transport);

	privilege_restore(before);
	if (rc <= 0)
		return rc < 0 ? rc : -ENODATA;
	return text_to_u64(text, UINT64_MAX, ret);
}

static int find_handle(
	struct oiscsi_asker *asker, struct oiscsi *o, const char *transport, uint64_t *ret)
{
	int rc;

	for (size_t i = 0; i < asker->handle_count; i++) {
		if (strcmp(asker->handles[i].name, transport) == 0) {
			*ret = asker->handles[i].handle;
			return 0;
		}
	}
	rc = read_handle(o, transport, ret);
	if (rc < 0)
		return rc;
	if (asker->handle_count < ARRAY_SIZE(asker->handles)) {
		snprintf(asker->handles[asker->handle_count].name, OISCSI_TRANSPORT_MAX, "%s",
			transport);
		asker->handles[asker->handle_count++].handle = *ret;
	}
	return 0;
}

/* ---- one request ---- */

static void explain(struct oiscsi_asker *asker, int error)
{
	if (error == -EPERM || error == -EACCES)
		snprintf(asker->note, sizeof(asker->note),
			"may not ask the kernel for statistics (CAP_SYS_ADMIN): sessions have no counters of PDUs and octets");
	else
		snprintf(asker->note, sizeof(asker->note),
			"cannot ask the kernel for statistics (%s): sessions have no counters of PDUs and octets",
			strerror(-error));
}

/* Rule 1. An event may come just after the socket was read empty, but not again and again. */
static bool has_room(struct oiscsi_listener *l)
{
	struct netlink_memory memory;

	for (int i = 0; i < ROOM_TRIES; i++) {
		if (!oiscsi_listener_pump(l, true))
			return false;
		if (l->netlink->ops->memory(l->netlink, &memory) < 0)
			return false;
		if (memory.queued == 0)
			return true;
	}
	return false;
}

/* Sends it and takes the answer. 1, 0 when there is none, or the error. */
static int exchange(struct oiscsi_asker *asker, struct oiscsi_listener *l, uint64_t handle,
	uint32_t sid, uint32_t cid)
{
	uint8_t request[OISCSI_REQUEST_OCTETS];
	int rc;

	oiscsi_statistics_request(request, ++asker->sequence, handle, sid, cid);
	l->waiting = true;
	l->asked_sid = sid;
	l->asked_cid = cid;
	l->answer = 0;
	rc = l->netlink->ops->send(l->netlink, request, sizeof(request));
	if (rc == 0)
		oiscsi_listener_pump(l, true);
	l->waiting = false;
	return rc < 0 ? rc : l->answer;
}

/* Rules 1, 2 and 6. */
static enum outcome ask(
	struct round *r, const struct oiscsi_session *session, struct oiscsi_connection *connection)
{
	struct oiscsi_listener *l = r->o->listener;
	struct oiscsi_asker *asker = r->asker;
	uint64_t handle;
	int rc = find_handle(asker, r->o, session->transport_name, &handle);

	if (rc < 0) {
		explain(asker, rc);
		return rc == -ENOENT ? NOT_ANSWERED : STOP;
	}
	if (!has_room(l) || oiscsi_events_are_ending(&l->events, clock_now_ns()))
		return STOP;
	connection->asked_ns = r->now_ns;
	rc = exchange(asker, l, handle, session->sid, connection->cid);
	if (rc == 1) {
		asker->note[0] = '\0';
		return ANSWERED;
	}
	if (rc == -EEXIST) /* the kernel's word for: there is none */
		return NOT_ANSWERED;
	if (rc < 0 && rc != -EINVAL) /* that: the driver was loaded anew in this poll */
		explain(asker, rc);
	return STOP;
}

/* ---- who is asked for, and when ---- */

/* Rule 3. */
static bool others_have_room(struct oiscsi_listener *l)
{
	struct netlink_table table;

	return l->netlink && l->netlink->ops->table(l->netlink, &table) == 0 && table.kernel &&
	       table.most_queued <= OTHERS_QUEUED_MAX;
}

/* Lets iscsid read; takes events meanwhile. */
static void pause_a_little(struct oiscsi_listener *l)
{
	uint64_t until_ns = clock_now_ns() + PAUSE_MS * NS_PER_MS;

	while (l->netlink && clock_now_ns() < until_ns) {
		struct pollfd fd = { .fd = l->netlink->fd, .events = POLLIN };

		if (poll(&fd, 1, clock_ms_until(until_ns, PAUSE_MS)) != 1)
			break;
		oiscsi_listener_pump(l, true);
	}
}

/* Rule 4. A session that has never logged in has nothing to count. */
static bool is_due(const struct oiscsi_session *session, const struct oiscsi_connection *connection,
	uint64_t now_ns)
{
	return session->present && session->login.known && !session->unbinding &&
	       (session->transport->counts_pdus || session->transport->counts_octets) &&
	       now_ns - connection->asked_ns >= ASK_INTERVAL_NS - ASK_SLACK_NS;
}

static size_t first_position(const struct oiscsi *o, uint32_t sid)
{
	for (size_t i = 0; i < o->session_count; i++) {
		if (o->sessions[i]->sid >= sid)
			return i;
	}
	return 0;
}

/* False: no more in this poll. */
static bool ask_session(struct round *r, struct oiscsi_session *session)
{
	for (size_t i = 0; i < session->connection_count; i++) {
		struct oiscsi_connection *connection = &session->connections[i];

		if (!is_due(session, connection, r->now_ns))
			continue;
		if (r->asked > 0 && r->asked % ASK_BURST == 0)
			pause_a_little(r->o->listener);
		if (clock_now_ns() >= r->until_ns ||
			(r->asked % ASK_BURST == 0 && !others_have_room(r->o->listener)))
			return false;
		r->asked++;
		if (ask(r, session, connection) == STOP)
			return false;
	}
	return true;
}

void oiscsi_stats_ask(
	struct oiscsi_asker *asker, struct oiscsi *o, uint64_t now_ns, uint64_t until_ns)
{
	struct round r = { .asker = asker, .o = o, .now_ns = now_ns, .until_ns = until_ns };
	size_t first = first_position(o, asker->next_sid);
	struct netlink_memory memory;

	if (!o->listener->netlink)
		return;
	/* Another driver may get the number of one that was unloaded. The kernel would have it look
	 * into a connection that is not its own. */
	asker->handle_count = 0;
	if (o->listener->netlink->ops->memory(o->listener->netlink, &memory) < 0) {
		snprintf(asker->note, sizeof(asker->note),
			"this kernel does not tell whether it is safe to ask it for statistics: sessions have no counters of PDUs and octets");
		return;
	}
	for (size_t i = 0; i < o->session_count; i++) {
		struct oiscsi_session *session = o->sessions[(first + i) % o->session_count];

		asker->next_sid = session->sid;
		if (!ask_session(&r, session))
			return;
	}
}
