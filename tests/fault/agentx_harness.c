/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The AgentX half of the program alone: agentx.h with the ISCSI-MIB over a snapshot that this
 * program makes itself. For the tests that do terrible things to the master (test_agentx.py).
 *
 *	agentx_harness [-n SESSIONS] [-p PING_INTERVAL] [-f LOWEST_FD] [-o WALK_FILE] [-b BURST]
 *		[-q QUEUE] [-s SEND_BUFFER] [-L…] SOCKET
 *
 * SIGUSR1: one line of status on standard output. SIGUSR2: everything that is served now, as
 * snmpwalk -On -Oe prints it, to WALK_FILE. SIGHUP: BURST notifications at once, their counter
 * goes on from burst to burst. SIGTERM: stops, and says how long that took.
 */
#include "agent/agentx.h"
#include "agent/agentx_write.h"
#include "agent/log_sink.h"
#include "agent/mib_walk.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "index/registry.h"
#include "model/builder.h"
#include "model/snapshot.h"

#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>

struct harness {
	const char *socket_path, *walk_path;
	uint32_t sessions, ping_interval, burst, queue, notified;
	int lowest_fd, send_buffer;
	int signals;
	struct mib_view *views[2];
	uint64_t woken_ns, longest_gap_ns;
	bool stop;
};

static int open_socket(void *context)
{
	const struct harness *h = context;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	CLEANUP_FD int fd = -1;
	size_t length = strlen(h->socket_path);

	if (length >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, h->socket_path, length);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	if (h->send_buffer &&
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &h->send_buffer, sizeof(h->send_buffer)) < 0)
		return -errno;
	if (fd < h->lowest_fd) {
		int high = fcntl(fd, F_DUPFD_CLOEXEC, h->lowest_fd);

		return high < 0 ? -errno : high;
	}
	return steal_fd(&fd);
}

static void add_session(struct builder *b, uint32_t instance, uint32_t node, uint32_t number)
{
	struct text_address address = { .type = 1, .length = 4, .octets = { 192, 0, 2, 1 } };
	uint32_t at;
	struct session *s = builder_session(b, &at);
	struct connection *c;

	if (!s)
		return;
	s->instance = instance;
	s->node = node;
	builder_printf(b, &s->key, "session %u", number);
	OPT_SET(s->direction, 1);
	builder_printf(b, &s->initiator_name, "iqn.1993-08.org.debian:01:%08x", number);
	builder_text(b, &s->target_name, "");
	builder_printf(b, &s->initiator_alias, "host-%u.example.org", number);
	OPT_SET(s->tsih, 1 + number % 65535);
	OPT_SET(s->type, 1);
	OPT_SET(s->connection_count, 1);
	OPT_SET(s->max_burst_length, 262144);
	OPT_SET(s->command_pdus, UINT64_C(1000) * number);
	OPT_SET(s->tx_octets, (UINT64_C(1) << 33) + number);
	s->discontinuity = (struct opt_time){ .ns = clock_now_ns(), .known = 1 };
	c = builder_connection(b, NULL);
	if (!c)
		return;
	c->session = at;
	builder_text(b, &c->key, "0");
	OPT_SET(c->cid, 1);
	OPT_SET(c->state, 2);
	builder_address(&c->remote_address, &address);
	OPT_SET(c->remote_port, 1024 + number % 60000);
}

static int make_fragment(uint32_t sessions, struct fragment **ret)
{
	struct builder *b = builder_new();
	uint32_t instance_at = 0, node_at = 0;
	struct instance *instance;
	struct node *node;
	size_t length;
	int rc;

	if (!b)
		return -ENOMEM;
	instance = builder_instance(b, &instance_at);
	if (instance) {
		builder_text(b, &instance->key, "harness:0");
		OPT_SET(instance->number, 1);
		builder_text(b, &instance->description, "a snapshot made by a test");
	}
	node = builder_node(b, &node_at);
	if (node) {
		node->instance = instance_at;
		builder_text(b, &node->key, "target iqn.2026-11.org.example:a");
		builder_text(b, &node->name, "iqn.2026-11.org.example:a");
		OPT_SET(node->roles, 0x80);
	}
	for (uint32_t i = 1; i <= sessions; i++)
		add_session(b, instance_at, node_at, i);
	rc = builder_seal(b, ret, &length);
	builder_free(b);
	return rc;
}

static int make_views(struct harness *h)
{
	struct source_status status = {
		.source = "harness", .state = SOURCE_OK, .last_good_ns = clock_now_ns()
	};
	CLEANUP_FREE struct fragment *fragment = NULL;
	struct snapshot_input input = { .status = &status };
	struct registry *registry = registry_new();
	struct snapshot *s = NULL;
	int rc = registry ? make_fragment(h->sessions, &fragment) : -ENOMEM;

	input.fragment = fragment;
	if (rc == 0)
		rc = snapshot_build(&input, 1, registry, NULL, 1, clock_now_ns(), &s);
	if (rc == 0)
		rc = mib_view_new(&iscsi_mib, s, &h->views[0]);
	snapshot_put(s);
	registry_free(registry);
	return rc;
}

static const char *state_name(enum agentx_state state)
{
	static const char *const names[] = {
		[AGENTX_DISCONNECTED] = "disconnected",
		[AGENTX_REFUSED] = "refused",
		[AGENTX_CONNECTED] = "connected",
	};

	return names[state];
}

static long resident_kb(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

static void print_status(struct harness *h)
{
	struct agentx_counts c;

	agentx_counts(&c);
	printf("state=%s connects=%" PRIu64 " disconnects=%" PRIu64 " requests=%" PRIu64
	       " bad_pdus=%" PRIu64 " send_timeouts=%" PRIu64 " gap_ms=%" PRIu64
	       " uptime_zero_ns=%" PRIu64 " rss_kb=%ld",
		state_name(agentx_state()), c.connects, c.disconnects, c.requests, c.bad_pdus,
		c.send_timeouts, h->longest_gap_ns / NS_PER_MS, agentx_uptime_zero_ns(),
		resident_kb());
	printf(" queued=%" PRIu64 " sent=%" PRIu64 " refused=%" PRIu64 " unconfirmed=%" PRIu64
	       " resent=%" PRIu64 " dropped=%" PRIu64 " waiting=%" PRIu64 "\n",
		c.notifications.queued, c.notifications.sent, c.notifications.refused,
		c.notifications.unconfirmed, c.notifications.resent, c.notifications.dropped,
		c.waiting);
	fflush(stdout);
	h->longest_gap_ns = 0;
}

static void write_walk(const struct harness *h)
{
	FILE *out = h->walk_path ? fopen(h->walk_path, "w") : NULL;

	if (!out) {
		log_error("cannot write the walk: %s", strerror(errno));
		return;
	}
	mib_walk(h->views[0], NULL, 0, out);
	fputs("END\n", out);
	fclose(out);
}

/* iscsiInstSessionFailure with one object: iscsiInstSsnFailures.1, the number of the event. */
static void notify(struct harness *h)
{
	static const mib_oid name[] = { 1, 3, 6, 1, 2, 1, 142, 0, 3 };
	static const mib_oid counter[] = { 1, 3, 6, 1, 2, 1, 142, 1, 1, 1, 1, 10, 1 };

	for (uint32_t i = 0; i < h->burst; i++) {
		struct mib_value value = { .syntax = MIB_COUNTER32, .number = ++h->notified };
		uint8_t octets[256];
		struct agentx_writer w;

		agentx_write_notify(&w, octets, sizeof(octets), name, ARRAY_SIZE(name));
		agentx_write_binding(&w, counter, ARRAY_SIZE(counter), &value);
		if (agentx_notify(octets, w.length, clock_now_ns()) < 0)
			log_error("no memory for a notification");
	}
}

static void handle_signal(struct harness *h)
{
	struct signalfd_siginfo info;

	if (read(h->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	if (info.ssi_signo == SIGUSR1)
		print_status(h);
	else if (info.ssi_signo == SIGUSR2)
		write_walk(h);
	else if (info.ssi_signo == SIGHUP)
		notify(h);
	else
		h->stop = true;
}

/* The loop is back at poll(2); notes how long it was away. */
static void note_gap(struct harness *h)
{
	uint64_t now = clock_now_ns();

	if (h->woken_ns && now - h->woken_ns > h->longest_gap_ns)
		h->longest_gap_ns = now - h->woken_ns;
}

/* Waits as the daemon does (daemon.c), whose turn is once in a second when it has nothing to do. */
static int wait_for_turn(struct harness *h, struct pollfd *fds, size_t count, int timeout_ms)
{
	uint64_t until_ns = clock_now_ns() + (uint64_t)timeout_ms * NS_PER_MS;

	for (;;) {
		int ready;

		note_gap(h);
		ready = poll(fds, count + 1, timeout_ms);
		h->woken_ns = clock_now_ns();
		if (ready < 0)
			return -errno;
		if (ready == 0 || fds[0].revents || !agentx_answer_requests(fds + 1, count))
			return 0;
		timeout_ms = clock_ms_until(until_ns, timeout_ms);
		if (timeout_ms == 0)
			return 0;
	}
}

static void turn(struct harness *h)
{
	struct pollfd fds[64];
	int timeout_ms = 1000;
	size_t count;

	mib_view_set_uptime_zero(h->views[0], agentx_uptime_zero_ns());
	fds[0] = (struct pollfd){ .fd = h->signals, .events = POLLIN };
	count = agentx_prepare(fds + 1, ARRAY_SIZE(fds) - 1, &timeout_ms);
	if (wait_for_turn(h, fds, count, timeout_ms) < 0)
		return;
	if (fds[0].revents)
		handle_signal(h);
	agentx_dispatch(fds + 1, count);
}

static int parse_options(struct harness *h, int argc, char **argv)
{
	uint32_t number = 0;
	int option, rc = 0;

	while (rc == 0 && (option = getopt(argc, argv, "n:p:f:o:b:q:s:L:")) != -1) {
		switch (option) {
		case 'n':
			rc = text_to_u32(optarg, 100000, &h->sessions);
			break;
		case 'p':
			rc = text_to_u32(optarg, 60, &h->ping_interval);
			break;
		case 'f':
			rc = text_to_u32(optarg, 100000, &number);
			h->lowest_fd = (int)number;
			break;
		case 'o':
			h->walk_path = optarg;
			break;
		case 'b':
			rc = text_to_u32(optarg, 100000, &h->burst);
			break;
		case 'q':
			rc = text_to_u32(optarg, 100000, &h->queue);
			break;
		case 's':
			rc = text_to_u32(optarg, 1 << 20, &number);
			h->send_buffer = (int)number;
			break;
		case 'L':
			rc = log_sink_options(optarg, argc, argv);
			break;
		default:
			rc = -EINVAL;
		}
	}
	if (rc == 0 && optind + 1 != argc)
		rc = -EINVAL;
	if (rc == 0)
		h->socket_path = argv[optind];
	return rc;
}

static int block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int main(int argc, char **argv)
{
	static struct harness h = {
		.sessions = 3, .ping_interval = 1, .queue = 1000, .lowest_fd = -1
	};
	static const struct mib_module *const modules[] = { &iscsi_mib, NULL };
	struct agentx_settings settings = { .open_socket = open_socket, .context = &h };
	uint64_t start;
	int rc;

	if (parse_options(&h, argc, argv) < 0) {
		fputs("usage: agentx_harness [-n N] [-p S] [-f FD] [-o FILE] [-b N] [-q N] [-s N] [-L…] "
		      "SOCKET\n",
			stderr);
		return 2;
	}
	snprintf(settings.address, sizeof(settings.address), "%s", h.socket_path);
	settings.ping_interval_s = h.ping_interval;
	settings.notify_queue = h.queue;
	log_sink_install();
	h.signals = block_signals();
	rc = make_views(&h);
	if (rc == 0)
		rc = agentx_start(&settings, modules);
	if (rc < 0) {
		log_error("cannot start: %s", strerror(-rc));
		return 1;
	}
	agentx_serve(h.views);
	printf("ready pid=%ld\n", (long)getpid());
	fflush(stdout);
	while (!h.stop)
		turn(&h);
	start = clock_now_ns();
	agentx_stop();
	printf("stopped after_ms=%" PRIu64 "\n", (clock_now_ns() - start) / NS_PER_MS);
	mib_view_free(h.views[0]);
	return 0;
}
