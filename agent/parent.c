/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The root parent. It keeps to a desired state: in each turn of its loop it starts what should run
 * and does not (balance), so that every way in which a child can end has one cure.
 *
 * It never blocks but in a reload (SIGHUP): in config_load, at most 5.5 s, in which the children go
 * on; until they have ended, if they are to be started anew; and to look up another agentUser.
 */
#include "agent/parent.h"

#include "agent/child.h"
#include "agent/control.h"
#include "agent/daemon.h"
#include "agent/sd_notify.h"
#include "agent/setup.h"
#include "agent/snmp_setup.h"
#include "base/clock.h"
#include "base/log.h"
#include "source/source_select.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

/* An agent process that has said nothing for so long hangs (it speaks every second). */
#define AGENT_SILENCE_NS (4 * NS_PER_S)
/* A child that lived for so long has earned an immediate restart. */
#define LIFE_GOOD_NS	 (10 * NS_PER_S)
#define RESTART_FIRST_NS (100 * NS_PER_MS)
#define RESTART_MAX_NS	 (30 * NS_PER_S)
/* After the stop order: SIGKILL for what is left. */
#define STOP_GRACE_NS (600 * NS_PER_MS)

struct child {
	pid_t pid; /* 0: not running */
	uint64_t started_ns;
	uint64_t start_at_ns; /* not before */
	uint64_t delay_ns;    /* the last back-off */
};

struct parent {
	struct parent_settings settings;
	struct child_context context;
	const struct source_ops *sources[SOURCES_MAX + 1];
	int source_count;
	struct snmp_settings snmp; /* -M: what the next agent process has; access: our memory */
	struct child agent;
	/* The readers in the order of their sources, and behind them the saver. */
	struct child helpers[SOURCES_MAX + 1];
	int control;	   /* -1 without an agent process */
	int signals;	   /* signalfd */
	uint64_t heard_ns; /* last message of the agent process */
	uint64_t watchdog_ns, watchdog_at_ns;
	uint64_t stop_at_ns; /* not 0: stopping; when to use SIGKILL */
	bool ready;
	bool failed; /* stopping, since the agent process cannot run */
	bool ending; /* the children are ended to be started anew: no news */
	char status[160];
};

static void child_ended(struct child *c, uint64_t now_ns)
{
	if (now_ns - c->started_ns >= LIFE_GOOD_NS || !c->delay_ns)
		c->delay_ns = RESTART_FIRST_NS;
	else if (c->delay_ns * 2 < RESTART_MAX_NS)
		c->delay_ns *= 2;
	else
		c->delay_ns = RESTART_MAX_NS;
	c->pid = 0;
	c->start_at_ns = now_ns + c->delay_ns;
}

static void kill_child(const struct child *c, int signal)
{
	if (c->pid > 0)
		kill(c->pid, signal);
}

static void keep_from_child(struct parent *p, int our_end)
{
	p->context.parent_fds[0] = p->signals;
	p->context.parent_fds[1] = p->control;
	p->context.parent_fds[2] = our_end;
	p->context.parent_fds[3] = p->settings.pid_fd;
}

static void start_agent(struct parent *p)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		log_error("cannot make a socket for the agent process: %s", strerror(errno));
		p->agent.start_at_ns = clock_now_ns() + NS_PER_S;
		return;
	}
	keep_from_child(p, pair[0]);
	pid = child_start_agent(&p->context, pair[1], p->sources);
	close(pair[1]);
	p->agent.started_ns = p->heard_ns = clock_now_ns();
	if (pid < 0) {
		log_error("cannot start the agent process: %s", strerror((int)-pid));
		close(pair[0]);
		child_ended(&p->agent, clock_now_ns());
		return;
	}
	p->agent.pid = pid;
	p->control = pair[0];
	/* Readers of an earlier agent process end by themselves when its end of their pair closes.
	 */
}

static const char *helper_name(const struct parent *p, int helper)
{
	return p->sources[helper] ? p->sources[helper]->name : "the index numbers";
}

/* Starts a reader or the saver, and hands its other end to the agent process. */
static void start_helper(struct parent *p, int helper)
{
	const struct source_ops *source = p->sources[helper];
	struct control_message m = { .type = source ? CONTROL_READER : CONTROL_SAVER,
		.value = helper };
	struct child *c = &p->helpers[helper];
	int pair[2], rc;
	pid_t pid;

	c->started_ns = clock_now_ns();
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		child_ended(c, c->started_ns);
		return;
	}
	keep_from_child(p, pair[0]);
	pid = source ? child_start_reader(&p->context, pair[1], source)
		     : child_start_saver(&p->context, pair[1]);
	close(pair[1]);
	if (pid < 0) {
		log_error("cannot start the process for %s: %s", helper_name(p, helper),
			strerror((int)-pid));
		child_ended(c, c->started_ns);
	} else {
		c->pid = pid;
		rc = control_send(p->control, &m, pair[0]);
		/* A helper without an agent sees its socket close and ends. */
		if (rc < 0)
			log_error("cannot hand the process for %s to the agent process: %s",
				helper_name(p, helper), strerror(-rc));
	}
	close(pair[0]);
}

/* Starts what should run now. Returns when it is to be called again at the latest. */
static uint64_t balance(struct parent *p)
{
	uint64_t now = clock_now_ns(), next = UINT64_MAX;

	if (p->stop_at_ns)
		return p->stop_at_ns > now ? p->stop_at_ns : now + 10 * NS_PER_MS;
	if (!p->agent.pid && p->agent.start_at_ns <= now)
		start_agent(p);
	if (!p->agent.pid)
		return p->agent.start_at_ns;
	for (int i = 0; i <= p->source_count; i++) {
		struct child *c = &p->helpers[i];

		if (!c->pid && c->start_at_ns <= now)
			start_helper(p, i);
		if (!c->pid && c->start_at_ns < next)
			next = c->start_at_ns;
	}
	if (p->heard_ns + AGENT_SILENCE_NS <= now) {
		log_error("the agent process has been silent for %u s, starting it anew",
			(unsigned)(AGENT_SILENCE_NS / NS_PER_S));
		kill_child(&p->agent, SIGKILL);
		p->heard_ns = now;
	}
	if (p->heard_ns + AGENT_SILENCE_NS < next)
		next = p->heard_ns + AGENT_SILENCE_NS;
	return next;
}

static const char *describe_end(int status, char out[64])
{
	if (WIFSIGNALED(status))
		snprintf(out, 64, "was ended by signal %d", WTERMSIG(status));
	else
		snprintf(out, 64, "ended with status %d", WEXITSTATUS(status));
	return out;
}

static void stop(struct parent *p);

static void agent_ended(struct parent *p, int status)
{
	char how[64];

	if (p->control >= 0)
		close(p->control);
	p->control = -1;
	child_ended(&p->agent, clock_now_ns());
	if (WIFEXITED(status) && WEXITSTATUS(status) == DAEMON_NOT_ALONE) {
		p->failed = true;
		stop(p);
	}
	if (!p->stop_at_ns && !p->ending)
		log_error("the agent process %s; starting it again in %llu ms",
			describe_end(status, how),
			(unsigned long long)(p->agent.delay_ns / NS_PER_MS));
}

static void reap(struct parent *p)
{
	char how[64];
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == p->agent.pid) {
			agent_ended(p, status);
			continue;
		}
		for (int i = 0; i <= p->source_count; i++) {
			struct child *c = &p->helpers[i];

			if (pid != c->pid)
				continue;
			child_ended(c, clock_now_ns());
			if (p->stop_at_ns || p->ending ||
				(WIFEXITED(status) && WEXITSTATUS(status) == 0))
				continue;
			log_warning("the process for %s %s; starting it again in %llu ms",
				helper_name(p, i), describe_end(status, how),
				(unsigned long long)(c->delay_ns / NS_PER_MS));
		}
	}
}

/* The saver ends after the agent process. */
static void order_end(struct parent *p)
{
	struct control_message m = { .type = CONTROL_STOP };

	if (p->control >= 0 && control_send(p->control, &m, -1) < 0)
		kill_child(&p->agent, SIGKILL);
	/* Readers own nothing that has to be put away. */
	for (int i = 0; i < p->source_count; i++)
		kill_child(&p->helpers[i], SIGKILL);
}

static void stop(struct parent *p)
{
	if (p->stop_at_ns)
		return;
	log_info("stopping");
	p->stop_at_ns = clock_now_ns() + STOP_GRACE_NS;
	sd_notify_send("STOPPING=1", NULL);
	order_end(p);
}

static bool has_children(const struct parent *p)
{
	for (int i = 0; i <= p->source_count; i++) {
		if (p->helpers[i].pid)
			return true;
	}
	return p->agent.pid != 0;
}

static void wait_for_children(struct parent *p, uint64_t grace_ns)
{
	uint64_t until_ns = clock_now_ns() + grace_ns;

	while (has_children(p) && clock_now_ns() < until_ns) {
		poll(NULL, 0, 5);
		reap(p);
	}
}

/*
 * Ends all children as in a stop, which is through within milliseconds; kills what is left.
 * Takes 1.1 s at most: false when one is in uninterruptible sleep.
 */
static bool end_children(struct parent *p)
{
	p->ending = true;
	order_end(p);
	wait_for_children(p, STOP_GRACE_NS);
	kill_child(&p->agent, SIGKILL);
	for (int i = 0; i <= p->source_count; i++)
		kill_child(&p->helpers[i], SIGKILL);
	wait_for_children(p, NS_PER_S / 2);
	p->ending = false;
	return !has_children(p);
}

static void reload(struct parent *p)
{
	struct control_message m = { .type = CONTROL_CONFIG };
	struct config config;
	uid_t user = p->context.user;
	gid_t group = p->context.group;
	int rc, access = 0;

	/* systemd makes them root's again when it runs ExecReload, and nothing could be saved. */
	setup_directories(&p->settings.config, p->context.user, p->context.group, p->context.user);
	rc = config_load(&p->settings.files, &config);
	if (rc != 0) {
		log_error("the configuration %s: the one in force stays",
			rc < 0 ? "could not be read" : "has bad lines");
		return;
	}
	if (p->settings.agentx_socket)
		snprintf(config.agentx_socket, sizeof(config.agentx_socket), "%s",
			p->settings.agentx_socket);
	if (p->context.snmp)
		access = snmp_setup_access(&p->snmp, config.access_file, true);
	if (access < 0) {
		log_error(
			"who may ask could not be read, or has bad lines: what is in force stays");
		return;
	}
	if (!access && memcmp(&config, &p->settings.config, sizeof(config)) == 0) {
		log_info("configuration read again: nothing has changed");
		return;
	}
	m.config = config;
	if (!access && config_can_be_followed(&p->settings.config, &config) && p->control >= 0 &&
		control_send(p->control, &m, -1) == 0) {
		p->settings.config = config;
		log_notice("configuration read again: new intervals and rules in force");
		return;
	}
	/* Not each time: a directory service may keep us waiting. */
	if (strcmp(config.agent_user, p->settings.config.agent_user) != 0 &&
		setup_user(config.agent_user, &user, &group) < 0) {
		log_error("the agent process has no user: the configuration in force stays");
		return;
	}
	log_notice("configuration read again: starting the processes anew with it");
	if (!end_children(p)) {
		log_error("a process cannot be ended: the configuration in force stays");
		return;
	}
	p->settings.config = config;
	setup_directories(&p->settings.config, user, group, p->context.user);
	p->context.user = user;
	p->context.group = group;
	p->source_count = source_select(p->settings.config.source_names, p->sources);
	/* They were ended, they did not fail: all start at once. */
	p->agent = (struct child){ .pid = 0 };
	memset(p->helpers, 0, sizeof(p->helpers));
}

static void handle_signals(struct parent *p)
{
	struct signalfd_siginfo info;

	while (read(p->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGCHLD:
			break; /* see turn */
		case SIGHUP:
			if (!p->stop_at_ns)
				reload(p);
			/* What it said meanwhile is not read yet: it was we who did not listen. */
			p->heard_ns = clock_now_ns();
			break;
		default:
			stop(p);
		}
	}
}

static void answer_connect(struct parent *p)
{
	struct control_message m = { .type = CONTROL_SOCKET };
	CLEANUP_FD int fd = setup_connect(p->settings.config.agentx_socket);

	if (fd < 0)
		m.value = fd;
	control_send(p->control, &m, fd);
}

static void show_status(struct parent *p, const struct control_message *m)
{
	if (m->value && !p->ready) {
		p->ready = true;
		sd_notify_send("READY=1", m->text);
	} else if (strcmp(p->status, m->text) != 0) {
		sd_notify_send(NULL, m->text);
	}
	snprintf(p->status, sizeof(p->status), "%s", m->text);
}

static void handle_control(struct parent *p)
{
	struct control_message m;
	int fd;

	/* A bounded number, so that a raging agent process cannot keep signals waiting. */
	for (int i = 0; i < 16 && p->control >= 0 && control_receive(p->control, &m, &fd) > 0;
		i++) {
		if (fd >= 0)
			close(fd); /* the agent process has nothing to hand over */
		p->heard_ns = clock_now_ns();
		if (m.type == CONTROL_CONNECT)
			answer_connect(p);
		else if (m.type == CONTROL_READER_FAILED && m.value >= 0 &&
			 m.value < p->source_count)
			kill_child(&p->helpers[m.value], SIGKILL);
		else if (m.type == CONTROL_ALIVE)
			show_status(p, &m);
	}
}

static bool is_over(const struct parent *p)
{
	if (!p->stop_at_ns)
		return false;
	/* A process in uninterruptible sleep cannot be waited for: init inherits it. */
	return !has_children(p) || clock_now_ns() > p->stop_at_ns + NS_PER_S / 10;
}

static int block_signals(struct parent *p)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	signal(SIGPIPE, SIG_IGN);
	p->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return p->signals < 0 ? -errno : 0;
}

static void turn(struct parent *p)
{
	uint64_t next = balance(p);
	struct pollfd fds[2] = {
		{ .fd = p->signals, .events = POLLIN },
		{ .fd = p->control, .events = POLLIN }, /* -1 is passed over by poll(2) */
	};

	if (p->watchdog_ns && p->watchdog_at_ns < next)
		next = p->watchdog_at_ns;
	if (poll(fds, 2, clock_ms_until(next, 60 * 1000)) < 0)
		return;
	if (fds[1].revents)
		handle_control(p);
	if (fds[0].revents)
		handle_signals(p);
	/* Each time, whatever the signals say: a child that is overlooked is never started again.
	 */
	reap(p);
	/* The socket of an agent process that has ended stays readable until it is reaped. */
	if ((fds[1].revents & POLLHUP) && p->agent.pid && !fds[0].revents)
		poll(NULL, 0, 1);
	if (p->watchdog_ns && p->watchdog_at_ns <= clock_now_ns()) {
		sd_notify_send("WATCHDOG=1", NULL);
		p->watchdog_at_ns = clock_now_ns() + p->watchdog_ns;
	}
	if (p->stop_at_ns && clock_now_ns() > p->stop_at_ns)
		kill_child(&p->agent, SIGKILL);
}

int parent_run(const struct parent_settings *settings)
{
	struct parent p = { .settings = *settings, .control = -1, .signals = -1 };
	int rc;

	p.context.config = &p.settings.config;
	p.context.root = settings->root;
	p.watchdog_ns = sd_notify_watchdog_ns();
	p.source_count = source_select(p.settings.config.source_names, p.sources);
	p.context.drop_privileges = geteuid() == 0;
	if (setup_user(p.settings.config.agent_user, &p.context.user, &p.context.group) < 0)
		return EXIT_FAILURE;
	if (settings->own_addresses) {
		if (snmp_setup(&p.snmp, p.settings.config.access_file, settings->own_addresses) < 0)
			return EXIT_FAILURE;
		p.context.snmp = &p.snmp;
	}
	rc = block_signals(&p);
	if (rc < 0) {
		log_error("cannot take signals: %s", strerror(-rc));
		return EXIT_FAILURE;
	}
	setup_directories(&p.settings.config, p.context.user, p.context.group, p.context.user);
	while (!is_over(&p))
		turn(&p);
	close(p.signals);
	snmp_setup_free(&p.snmp);
	return p.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
