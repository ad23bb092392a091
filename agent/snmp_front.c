/* SPDX-License-Identifier: BSD-2-Clause */
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/agent/net-snmp-agent-includes.h>
#include <net-snmp/library/large_fd_set.h>

#include "agent/snmp_front.h"

#include "agent/agentx_library.h"
#include "agent/snmp_access.h"
#include "agent/snmp_listen.h"
#include "agent/snmp_system.h"
#include "agent/snmp_value.h"
#include "base/clock.h"
#include "base/log.h"

#include <arpa/inet.h>
#include <limits.h>
#include <sys/socket.h>

#define APPLICATION "iscsi-agentx"
/* Connections of managers over tcp at a time; beyond, the one that was silent longest is ended. */
#define CONNECTIONS_MAX 32u

struct stream {
	int fd;
	uint64_t active_ns;
};

static struct {
	const struct mib_view *views[FRONT_MODULES_MAX];
	size_t count;
	uint64_t uptime_zero_ns;
	unsigned int sinks;
	bool open, streams;
	netsnmp_large_fd_set set;
	struct stream connections[2 * CONNECTIONS_MAX];
	size_t connection_count;
	struct front_counts counts;
} front;

/* ---- start and stop ---- */

static int register_modules(const struct mib_module *const modules[])
{
	for (size_t i = 0; modules[i]; i++) {
		int rc;

		if (i == FRONT_MODULES_MAX)
			return -E2BIG;
		rc = snmp_handler_register(modules[i], &front.views[i]);
		if (rc < 0)
			return rc;
		front.count++;
	}
	return snmp_system_register();
}

static void say_what_is_missing(const struct snmp_settings *settings)
{
	const char *at = settings->access, *end = at + settings->access_length;
	unsigned int number = 0;
	struct access_line line;

	while (access_next_line(&at, end, &number, &line)) {
		if (!line.wrong && line.kind == ACCESS_RIGHT)
			return;
	}
	log_error("%s: no line gives anybody access: no request will be answered; "
		  "`rocommunity NAME` or `createUser` with `rouser` does",
		settings->access_path);
}

static int serve_sockets(void)
{
	for (size_t i = 0; i < listen_count(); i++) {
		bool stream;

		if (netsnmp_register_agent_nsap(listen_transport(i, &stream)) < 0)
			return -EIO;
		front.streams |= stream;
	}
	return 0;
}

/*
 * The address in traps of SNMPv1. The library looks for it with each one, but later this process
 * may neither ask a name server nor make the socket that tells its addresses (base/sandbox.h).
 */
static void settle_trap_address(void)
{
	const char *name =
		netsnmp_ds_get_string(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_TRAP_ADDR);
	struct in_addr address = { .s_addr = 0 };
	char text[INET_ADDRSTRLEN];

	if (!name || netsnmp_gethostbyname_v4(name, &address.s_addr) < 0)
		address.s_addr = get_myaddr();
	if (inet_ntop(AF_INET, &address, text, sizeof(text)))
		netsnmp_ds_set_string(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_TRAP_ADDR, text);
}

static int take_engine(struct engine *ret)
{
	struct engine engine = { .boots = (uint32_t)snmpv3_local_snmpEngineBoots() };

	engine.id_length = (uint32_t)snmpv3_get_engineID(engine.id, sizeof(engine.id));
	if (!engine.id_length || engine.id_length > sizeof(engine.id) || !engine.boots)
		return -EIO;
	*ret = engine;
	return 0;
}

int snmp_front_start(const struct snmp_settings *settings, const struct mib_module *const modules[],
	struct engine *ret_engine)
{
	int rc;

	netsnmp_large_fd_set_init(&front.set, FD_SETSIZE);
	library_set_process();
	/* Who asks would be said for each datagram. */
	netsnmp_ds_set_boolean(
		NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_DONT_LOG_TCPWRAPPERS_CONNECTS, 1);
	/* A name of a trap sink that no server knows must not stop the agent for long. */
	setenv("RES_OPTIONS", "timeout:1 attempts:1", 0);
	if (init_agent(APPLICATION))
		return -EIO;
	front.uptime_zero_ns = clock_now_ns();
	rc = register_modules(modules);
	if (rc < 0)
		return rc;
	snmp_configure_engine(settings);
	init_snmp(APPLICATION);
	rc = take_engine(ret_engine);
	if (rc < 0)
		return rc;
	front.sinks = snmp_configure(settings);
	settle_trap_address();
	say_what_is_missing(settings);
	return serve_sockets();
}

void snmp_front_open(void)
{
	front.open = true;
	if (front.sinks)
		send_easy_trap(SNMP_TRAP_COLDSTART, 0);
	log_notice("answering as an SNMP agent of its own, at %zu addresses", listen_count());
}

bool snmp_front_is_open(void)
{
	return front.open;
}

static void stop(void)
{
	/* Not snmp_shutdown, which also ends the logging. */
	snmp_call_callbacks(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_SHUTDOWN, NULL);
	clear_callback();
	snmp_alarm_unregister_all();
	snmp_close_sessions();
	shutdown_agent();
	netsnmp_large_fd_set_cleanup(&front.set);
	front.count = 0;
}

static void serve(struct mib_view *const views[])
{
	for (size_t i = 0; i < front.count; i++)
		front.views[i] = views ? views[i] : NULL;
}

/* ---- notifications ---- */

static int notify(const uint8_t *octets, size_t length, uint64_t event_ns)
{
	/* An event before the zero of sysUpTime gets 0, as a TimeStamp would (RFC 2579). */
	uint64_t since_ns = event_ns > front.uptime_zero_ns ? event_ns - front.uptime_zero_ns : 0;
	netsnmp_variable_list *varbinds;

	if (!front.sinks)
		return 0;
	varbinds = snmp_value_list(octets, length, (uint32_t)(since_ns / NS_PER_CS));
	if (!varbinds) {
		front.counts.lost++;
		return -ENOMEM;
	}
	send_v2trap(varbinds);
	snmp_free_varbind(varbinds);
	front.counts.sent++;
	return 0;
}

static uint64_t notify_waiting(void)
{
	return 0;
}

/* Nothing waits here: a trap is sent at once, and an inform is net-snmp's. */
static void set_notify_queue(uint32_t limit)
{
	(void)limit;
}

/* ---- the loop ---- */

/* 1: listens for connections; 0: datagrams; -1: none of the sockets that listen. */
static int listens(int fd)
{
	for (size_t i = 0; i < listen_count(); i++) {
		bool stream;
		const netsnmp_transport *t = listen_transport(i, &stream);

		if (t->sock == fd)
			return stream;
	}
	return -1;
}

static bool is_connection(int fd)
{
	int type = 0;
	socklen_t length = sizeof(type);

	return front.streams && listens(fd) < 0 &&
	       getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_STREAM;
}

static uint64_t active_since(int fd, uint64_t now)
{
	for (size_t i = 0; i < front.connection_count; i++) {
		if (front.connections[i].fd == fd)
			return front.connections[i].active_ns;
	}
	return now;
}

/* The connections among the descriptors; the library ends one that is shut down as it reads it. */
static void keep_connections(const struct pollfd *fds, size_t count)
{
	struct stream now[ARRAY_SIZE(front.connections)] = { { .fd = -1 } };
	uint64_t now_ns = clock_now_ns();
	size_t found = 0, oldest = 0;

	for (size_t i = 0; i < count && found < ARRAY_SIZE(now); i++) {
		if (!is_connection(fds[i].fd))
			continue;
		now[found].fd = fds[i].fd;
		now[found].active_ns = active_since(fds[i].fd, now_ns);
		if (now[found].active_ns < now[oldest].active_ns)
			oldest = found;
		found++;
	}
	if (found > CONNECTIONS_MAX)
		shutdown(now[oldest].fd, SHUT_RDWR);
	memcpy(front.connections, now, found * sizeof(now[0]));
	front.connection_count = found;
}

static void note_activity(const struct pollfd *fds, size_t count)
{
	uint64_t now_ns = clock_now_ns();

	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < front.connection_count && fds[i].revents; k++) {
			if (front.connections[k].fd == fds[i].fd)
				front.connections[k].active_ns = now_ns;
		}
	}
}

static size_t prepare(struct pollfd *fds, size_t capacity, int *timeout_ms)
{
	struct timeval wait = { 0 };
	int limit = 0, block = 1;
	size_t count = 0;

	NETSNMP_LARGE_FD_ZERO(&front.set);
	snmp_select_info2(&limit, &front.set, &wait, &block);
	for (int fd = 0; fd < limit && count < capacity; fd++) {
		if (NETSNMP_LARGE_FD_ISSET(fd, &front.set) && (front.open || listens(fd) < 0))
			fds[count++] = (struct pollfd){ .fd = fd, .events = POLLIN };
	}
	if (front.streams)
		keep_connections(fds, count);
	if (!block && wait.tv_sec < INT_MAX / 1000 - 1) {
		int ms = (int)(wait.tv_sec * 1000 + (wait.tv_usec + 999) / 1000);

		if (*timeout_ms < 0 || ms < *timeout_ms)
			*timeout_ms = ms;
	}
	return count;
}

/* Gives the library its turn with what is readable. */
static bool read_ready(const struct pollfd *fds, size_t count)
{
	bool any = false;

	NETSNMP_LARGE_FD_ZERO(&front.set);
	for (size_t i = 0; i < count; i++) {
		if (!fds[i].revents)
			continue;
		NETSNMP_LARGE_FD_SET(fds[i].fd, &front.set);
		any = true;
	}
	if (any)
		snmp_read2(&front.set);
	return any;
}

/* Datagrams change nothing in the set of descriptors; connections and answers of sinks do. */
static bool answer_requests(const struct pollfd *fds, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (fds[i].revents && (fds[i].revents != POLLIN || listens(fds[i].fd) != 0))
			return false;
	}
	read_ready(fds, count);
	return true;
}

static void dispatch(const struct pollfd *fds, size_t count)
{
	if (front.streams)
		note_activity(fds, count);
	if (!read_ready(fds, count))
		snmp_timeout();
	run_alarms();
	netsnmp_check_outstanding_agent_requests();
}

static uint64_t uptime_zero_ns(void)
{
	return front.uptime_zero_ns;
}

static void counts(struct front_counts *ret)
{
	*ret = front.counts;
}

static const char *status(void)
{
	return front.open ? "serving as an SNMP agent of its own"
			  : "waiting until the SNMP engine is saved";
}

const struct front snmp_front = {
	.serve = serve,
	.notify = notify,
	.notify_waiting = notify_waiting,
	.set_notify_queue = set_notify_queue,
	.prepare = prepare,
	.answer_requests = answer_requests,
	.dispatch = dispatch,
	.uptime_zero_ns = uptime_zero_ns,
	.counts = counts,
	.status = status,
	.stop = stop,
};
