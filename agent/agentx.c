/* SPDX-License-Identifier: BSD-2-Clause */
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/agent/net-snmp-agent-includes.h>
#include <net-snmp/agent/agent_callbacks.h>
#include <net-snmp/library/large_fd_set.h>

#include "agent/agentx.h"

#include "agent/agentx_answer.h"
#include "agent/agentx_library.h"
#include "agent/agentx_report.h"
#include "agent/agentx_retry.h"
#include "agent/agentx_transport.h"
#include "agent/agentx_uptime.h"
#include "base/clock.h"
#include "base/log.h"

#include <limits.h>

#define APPLICATION "iscsi-agentx"
/* How long the library may wait for the answer to Close, µs. */
#define STOP_TIMEOUT_US 200000

/* Without an answer to a Ping the master is given up. Generous: a slow script silences snmpd. */
#define PING_TIMEOUT_NS (5 * NS_PER_S)

/* So long after a Ping would have ended the session, a notification will not be answered any more.
 */
#define NOTIFY_TIMEOUT_NS (5 * NS_PER_S)

struct region {
	const struct mib_module *module;
	bool registered; /* in the session of now */
	uint16_t error;	 /* with which the master refused it */
};

static struct {
	struct agentx_settings settings;
	struct region regions[AGENTX_MODULES_MAX]; /* sorted by root */
	size_t position[AGENTX_MODULES_MAX];	   /* of the n-th module of agentx_start there */
	size_t count;
	const struct mib_view *views[AGENTX_MODULES_MAX]; /* as regions; first NULL: none */
	netsnmp_session *session;			  /* NULL: not open */
	struct region *registering;			  /* what the library registers now */
	struct agentx_queue *queue;
	struct retry retry;
	bool queue_blocked;   /* the socket had no room */
	bool notify_answered; /* since agentx_answer_requests began */
	netsnmp_large_fd_set set;
	uint64_t ping_due_ns, register_due_ns, uptime_zero_ns;
	int connect_error;
	uint16_t open_error;
	struct agentx_counts counts;
} agent;

/* ---- the session ---- */

/* SNMPD_CALLBACK_INDEX_START: the master has accepted the session; nothing is registered. */
static int on_session_open(int major, int minor, void *session, void *unused)
{
	(void)major;
	(void)minor;
	(void)unused;
	agent.session = session;
	agent.counts.connects++;
	retry_opened(&agent.retry, clock_now_ns());
	for (size_t i = 0; i < agent.count; i++)
		agent.regions[i].registered = false;
	return 0;
}

/* SNMPD_CALLBACK_INDEX_STOP: the session is lost. */
static int on_session_lost(int major, int minor, void *session, void *unused)
{
	(void)major;
	(void)minor;
	(void)session;
	(void)unused;
	if (agent.session)
		agent.counts.disconnects++;
	agent.session = NULL;
	retry_lost(&agent.retry, transport_ended_by_master(), clock_now_ns());
	queue_session_lost(agent.queue);
	return 0;
}

/* SNMPD_CALLBACK_REGISTER_OID, before the library's own: what the next call is about. */
static int on_register(int major, int minor, void *parameters, void *unused)
{
	const struct register_parameters *p = parameters;

	(void)major;
	(void)minor;
	(void)unused;
	agent.registering = NULL;
	for (size_t i = 0; i < agent.count; i++) {
		const struct mib_module *m = agent.regions[i].module;

		if (mib_compare(m->root, m->root_length, p->name, p->namelen) == 0)
			agent.registering = &agent.regions[i];
	}
	return 0;
}

static void on_reply(const struct transport_reply *reply)
{
	switch (reply->request) {
	case AGENTX_PDU_OPEN:
		agent.open_error = reply->error;
		agent.ping_due_ns = clock_now_ns() + agent.settings.ping_interval_s * NS_PER_S;
		break;
	case AGENTX_PDU_REGISTER:
		if (agent.registering) {
			agent.registering->registered = reply->error == AGENTX_ERROR_NONE;
			agent.registering->error = reply->error;
		}
		break;
	case AGENTX_PDU_PING:
		/* The master has forgotten the session. */
		if (reply->error)
			transport_end(STREAM_SESSION_CLOSED);
		break;
	case AGENTX_PDU_NOTIFY:
		agent.notify_answered = true;
		/* Likewise: the notification waits for the next session. */
		if (reply->error == AGENTX_ERROR_NOT_OPEN)
			transport_end(STREAM_SESSION_CLOSED);
		else
			queue_answered(agent.queue, reply->packet, reply->error);
		return;
	}
	if (reply->error == AGENTX_ERROR_NONE)
		agent.uptime_zero_ns = agentx_uptime_zero(
			reply->uptime_cs, reply->sent_ns, clock_now_ns(), agent.uptime_zero_ns);
}

static void on_try(int result)
{
	agent.connect_error = result;
	retry_tried(&agent.retry, result, clock_now_ns());
	agent.open_error = AGENTX_ERROR_NONE;
}

static size_t on_request(const struct agentx_header *h, const uint8_t *payload, uint8_t *response)
{
	return agentx_answer(agent.views, agent.views[0] ? agent.count : 0, h, payload, response);
}

/* ---- start and stop ---- */

/* Keeps the modules sorted by root: agentx_answer looks for the next name in that order. */
static int take_modules(const struct mib_module *const modules[])
{
	for (size_t n = 0; modules[n]; n++) {
		const struct mib_module *m = modules[n];
		size_t at = agent.count;

		if (agent.count == AGENTX_MODULES_MAX)
			return -E2BIG;
		while (at > 0 &&
			mib_compare(m->root, m->root_length, agent.regions[at - 1].module->root,
				agent.regions[at - 1].module->root_length) < 0) {
			agent.regions[at] = agent.regions[at - 1];
			at--;
		}
		agent.regions[at].module = m;
		agent.count++;
		for (size_t i = 0; i < n; i++)
			agent.position[i] += agent.position[i] >= at;
		agent.position[n] = at;
	}
	return 0;
}

static int set_callbacks(void)
{
	static const struct {
		int major, minor;
		SNMPCallback *function;
	} callbacks[] = {
		{ SNMP_CALLBACK_APPLICATION, SNMPD_CALLBACK_INDEX_START, on_session_open },
		{ SNMP_CALLBACK_APPLICATION, SNMPD_CALLBACK_INDEX_STOP, on_session_lost },
		{ SNMP_CALLBACK_APPLICATION, SNMPD_CALLBACK_REGISTER_OID, on_register },
	};

	for (size_t i = 0; i < ARRAY_SIZE(callbacks); i++) {
		if (netsnmp_register_callback(callbacks[i].major, callbacks[i].minor,
			    callbacks[i].function, NULL, NETSNMP_CALLBACK_HIGHEST_PRIORITY))
			return -ENOMEM;
	}
	return 0;
}

/* ---- after each turn ---- */

static struct region *first_refused(void)
{
	for (size_t i = 0; i < agent.count; i++) {
		if (!agent.regions[i].registered)
			return &agent.regions[i];
	}
	return NULL;
}

static void end_turn(void)
{
	const struct region *refused = first_refused();
	struct agentx_facts facts = { .state = agentx_state(),
		.settings = &agent.settings,
		.connect_error = agent.connect_error,
		.ended = transport_ended(),
		.open_error = agent.open_error };

	if (agent.session)
		library_stop_ping(agent.session);
	else
		library_hasten(retry_due_ns(&agent.retry));
	if (refused) {
		facts.refused_name = refused->module->name;
		facts.refused_error = refused->error;
	}
	if (facts.state != AGENTX_REFUSED)
		agent.register_due_ns = 0;
	else if (!agent.register_due_ns)
		agent.register_due_ns = clock_now_ns() + agent.settings.ping_interval_s * NS_PER_S;
	agentx_report(&facts);
}

int agentx_start(const struct agentx_settings *settings, const struct mib_module *const modules[])
{
	static const struct transport_hooks hooks_template = {
		.answer = on_request, .tried = on_try, .replied = on_reply
	};
	static struct transport_hooks hooks;
	int result;

	agent.settings = *settings;
	agent.uptime_zero_ns = settings->uptime_zero_ns;
	retry_begin(&agent.retry, settings->ping_interval_s * NS_PER_S, clock_now_ns());
	agent.queue = queue_new(settings->notify_queue);
	if (!agent.queue)
		return -ENOMEM;
	hooks = hooks_template;
	hooks.open_socket = settings->open_socket;
	hooks.context = settings->context;
	netsnmp_large_fd_set_init(&agent.set, FD_SETSIZE);
	result = library_set_options();
	if (!result)
		result = take_modules(modules);
	if (!result)
		result = transport_register(&hooks);
	if (!result)
		result = set_callbacks();
	if (result)
		return result;
	if (init_agent(APPLICATION))
		return -EIO;
	/* init_agent sets the default of 15 s. */
	netsnmp_ds_set_int(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_AGENTX_PING_INTERVAL,
		(int)settings->ping_interval_s);
	for (size_t i = 0; i < agent.count && !result; i++)
		result = library_register(agent.regions[i].module);
	if (!result)
		result = library_register_capabilities();
	if (result)
		return result;
	/* Connects for the first time. */
	init_snmp(APPLICATION);
	end_turn();
	return 0;
}

void agentx_stop(void)
{
	if (agent.session)
		agent.session->timeout = STOP_TIMEOUT_US;
	/* Not snmp_shutdown, which also ends the logging (and writes an empty line to its file). */
	snmp_call_callbacks(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_SHUTDOWN, NULL);
	/* Those of the session just closed are still there, and shutdown_agent would call them. */
	clear_callback();
	snmp_alarm_unregister_all();
	snmp_close_sessions();
	shutdown_agent();
	netsnmp_large_fd_set_cleanup(&agent.set);
	queue_free(agent.queue);
	agent.queue = NULL;
	agent.session = NULL;
	agent.count = 0;
}

void agentx_serve(struct mib_view *const views[])
{
	for (size_t i = 0; i < agent.count; i++)
		agent.views[agent.position[i]] = views ? views[i] : NULL;
}

int agentx_notify(const uint8_t *octets, size_t length, uint64_t event_ns)
{
	return queue_add(agent.queue, octets, length, event_ns);
}

uint64_t agentx_notify_waiting(void)
{
	return queue_waiting(agent.queue);
}

void agentx_set_notify_queue(uint32_t limit)
{
	queue_set_limit(agent.queue, limit);
}

/* ---- the loop ---- */

static void lower_timeout(int *timeout_ms, int ms)
{
	if (*timeout_ms < 0 || ms < *timeout_ms)
		*timeout_ms = ms;
}

/* How long a notification may be unanswered. */
static uint64_t notify_timeout_ns(void)
{
	return agent.settings.ping_interval_s * NS_PER_S + PING_TIMEOUT_NS + NOTIFY_TIMEOUT_NS;
}

static bool wants_to_notify(void)
{
	return agent.session && !transport_ended() && queue_wants_to_send(agent.queue);
}

/* When a timer of ours has to run. */
static uint64_t next_timer(void)
{
	uint64_t next = transport_deadline(), ping;

	if (agent.register_due_ns && agent.register_due_ns < next)
		next = agent.register_due_ns;
	if (agent.session) {
		ping = transport_ping_sent_ns() ? transport_ping_sent_ns() + PING_TIMEOUT_NS
						: agent.ping_due_ns;
		next = ping < next ? ping : next;
		if (queue_oldest_sent(agent.queue) != UINT64_MAX) {
			uint64_t expiry = queue_oldest_sent(agent.queue) + notify_timeout_ns();

			next = expiry < next ? expiry : next;
		}
	}
	if (wants_to_notify() && !agent.queue_blocked)
		next = 0;
	return next;
}

size_t agentx_prepare(struct pollfd *fds, size_t capacity, int *timeout_ms)
{
	struct timeval wait = { 0 };
	int limit = 0, block = 1;
	uint64_t timer;
	size_t count = 0;

	NETSNMP_LARGE_FD_ZERO(&agent.set);
	snmp_select_info2(&limit, &agent.set, &wait, &block);
	for (int fd = 0; fd < limit && count < capacity; fd++) {
		if (NETSNMP_LARGE_FD_ISSET(fd, &agent.set))
			fds[count++] = (struct pollfd){ .fd = fd, .events = POLLIN };
		if (count && fds[count - 1].fd == transport_fd() && wants_to_notify() &&
			agent.queue_blocked)
			fds[count - 1].events |= POLLOUT;
	}
	if (!block && wait.tv_sec < INT_MAX / 1000 - 1)
		lower_timeout(timeout_ms, (int)(wait.tv_sec * 1000 + (wait.tv_usec + 999) / 1000));
	timer = next_timer();
	if (timer != UINT64_MAX)
		lower_timeout(timeout_ms, clock_ms_until(timer, INT_MAX));
	return count;
}

/* Gives the library its turn with what is readable, the AgentX socket only when it must look. */
static void turn_library(const struct pollfd *fds, size_t count)
{
	bool readable = false, any;

	NETSNMP_LARGE_FD_ZERO(&agent.set);
	any = false;
	for (size_t i = 0; i < count; i++) {
		if (!fds[i].revents)
			continue;
		if (fds[i].fd == transport_fd()) {
			readable = true;
			continue;
		}
		NETSNMP_LARGE_FD_SET(fds[i].fd, &agent.set);
		any = true;
	}
	if (transport_serve(readable)) {
		NETSNMP_LARGE_FD_SET(transport_fd(), &agent.set);
		any = true;
	}
	if (!any) {
		snmp_timeout();
		return;
	}
	transport_library_turn(true);
	snmp_read2(&agent.set);
	transport_library_turn(false);
}

bool agentx_answer_requests(const struct pollfd *fds, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (fds[i].revents && (fds[i].fd != transport_fd() || fds[i].revents != POLLIN))
			return false;
	}
	agent.notify_answered = false;
	return !transport_serve(true) && transport_deadline() == UINT64_MAX &&
	       !agent.notify_answered;
}

static void run_ping(uint64_t now)
{
	uint64_t sent = transport_ping_sent_ns();

	if (!agent.session)
		return;
	if (sent) {
		if (now - sent >= PING_TIMEOUT_NS)
			transport_end(STREAM_NOT_ANSWERING);
		return;
	}
	if (now >= agent.ping_due_ns) {
		agent.ping_due_ns = now + agent.settings.ping_interval_s * NS_PER_S;
		transport_ping();
	}
}

/* Asks again for what the master has refused. */
static void run_register(uint64_t now)
{
	if (!agent.register_due_ns || now < agent.register_due_ns)
		return;
	agent.register_due_ns = now + agent.settings.ping_interval_s * NS_PER_S;
	for (size_t i = 0; i < agent.count; i++) {
		if (!agent.regions[i].registered)
			library_register_again(agent.regions[i].module);
	}
}

/*
 * Behind the turn in which what the master sent was read: sending never goes on without reading in
 * between, since so few may be unanswered.
 */
static void run_notifications(uint64_t now)
{
	if (!agent.session)
		return;
	if (now > notify_timeout_ns())
		queue_expire(agent.queue, now - notify_timeout_ns());
	agent.queue_blocked =
		queue_send(agent.queue, now, agent.uptime_zero_ns, transport_notify) == -EAGAIN;
}

void agentx_dispatch(const struct pollfd *fds, size_t count)
{
	uint64_t start = clock_now_ns();

	turn_library(fds, count);
	run_alarms();
	netsnmp_check_outstanding_agent_requests();
	run_ping(start);
	run_register(start);
	run_notifications(start);
	end_turn();
}

enum agentx_state agentx_state(void)
{
	if (!agent.session || transport_ended() != STREAM_OPEN)
		return AGENTX_DISCONNECTED;
	return first_refused() ? AGENTX_REFUSED : AGENTX_CONNECTED;
}

uint64_t agentx_uptime_zero_ns(void)
{
	return agent.uptime_zero_ns;
}

void agentx_counts(struct agentx_counts *ret)
{
	const struct transport_counts *t = transport_counts();

	*ret = agent.counts;
	ret->requests = t->requests;
	ret->bad_pdus = t->bad_pdus;
	ret->send_timeouts = t->send_timeouts;
	ret->notifications = *queue_counts(agent.queue);
	ret->waiting = queue_waiting(agent.queue);
}
