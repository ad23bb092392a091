/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The agent process without its parent and readers, for callgrind: under it a poll of 10,000
 * sessions takes longer than the parent, or a reader's deadline, allows. Links all of the agent but
 * main.c. LINK: -lnetsnmpmibs -lnetsnmpagent -lnetsnmp
 *
 *	agent_alone RECORDING SOCKET
 *
 * Polls once, connects to the master at SOCKET and answers requests as daemon.c does, until the
 * master has gone. At SIGUSR1 it calls begin_count, where callgrind writes what it has counted and
 * begins anew (subject.py).
 */
#include "agent/agentx.h"
#include "agent/config.h"
#include "base/clock.h"
#include "index/registry.h"
#include "reader/once.h"
#include "tests/bench/bench.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#define FDS_MAX 64

static volatile sig_atomic_t marked;

static void on_signal(int number)
{
	(void)number;
	marked = 1;
}

static __attribute__((noinline)) void begin_count(void)
{
	marked = 0;
	__asm__ volatile("");
}

static int open_socket(void *context)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", (const char *)context);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		bench_die("%s: %s", address.sun_path, strerror(errno));
	return fd;
}

static struct snapshot *poll_recording(const struct config *config, const char *path)
{
	struct source_env env = { .settings = &config->sources };
	const struct source_ops *sources[] = { source_find("open-iscsi"), NULL };
	struct units *units = units_new(UINT64_MAX);
	struct registry *registry = registry_new();
	struct snapshot_input *inputs;
	static struct path_rules rules;
	struct snapshot *s;
	int count;

	config_path_rules(config, &rules);
	if (!units || !registry || root_open(path, &env.root) < 0 ||
		once_poll(sources, &env, 3600 * NS_PER_S, units) < 0)
		bench_die("%s: cannot be polled", path);
	count = units_inputs(units, false, &inputs);
	if (count < 0 || snapshot_build(inputs, (uint32_t)count, registry, &rules, 1,
				 clock_now_ns(), &s) < 0)
		bench_die("no snapshot");
	return s;
}

/* As wait_for_turn of daemon.c. Not inline: callgrind counts what is in it. */
static __attribute__((noinline)) bool serve_requests(
	struct pollfd *fds, size_t count, int timeout_ms)
{
	uint64_t until_ns = clock_now_ns() + (uint64_t)timeout_ms * NS_PER_MS;

	while (poll(fds, (nfds_t)count, timeout_ms) > 0) {
		if (!agentx_answer_requests(fds, count))
			return false;
		timeout_ms = clock_ms_until(until_ns, timeout_ms);
		if (timeout_ms == 0)
			break;
	}
	return true;
}

int main(int argc, char **argv)
{
	struct mib_view *views[AGENTX_MODULES_MAX + 1] = { NULL };
	struct agentx_settings settings = {
		.ping_interval_s = 60, .open_socket = open_socket, .notify_queue = 16
	};
	static struct config config;
	struct agentx_counts counts = { .disconnects = 0 };
	struct snapshot *s;

	if (argc != 3)
		bench_die("usage: agent_alone RECORDING SOCKET");
	config_defaults(&config);
	s = poll_recording(&config, argv[1]);
	for (size_t i = 0; mib_modules[i]; i++) {
		if (mib_view_new(mib_modules[i], s, &views[i]) < 0)
			bench_die("no view");
	}
	settings.context = argv[2];
	snprintf(settings.address, sizeof(settings.address), "%s", argv[2]);
	if (agentx_start(&settings, mib_modules) < 0)
		bench_die("AgentX cannot be started");
	agentx_serve(views);
	signal(SIGUSR1, on_signal);
	while (counts.disconnects == 0) {
		struct pollfd fds[FDS_MAX];
		int timeout_ms = 1000;
		size_t count = agentx_prepare(fds, FDS_MAX, &timeout_ms);

		serve_requests(fds, count, timeout_ms);
		if (marked)
			begin_count();
		agentx_dispatch(fds, count);
		agentx_counts(&counts);
	}
	return EXIT_SUCCESS;
}
