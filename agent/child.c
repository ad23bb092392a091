/* SPDX-License-Identifier: BSD-2-Clause */
#include "agent/child.h"

#include "agent/daemon.h"
#include "agent/saver.h"
#include "agent/setup.h"
#include "agent/snmp_listen.h"
#include "base/log.h"
#include "base/privilege.h"
#include "reader/reader.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static void reset_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	for (int s = 1; s < NSIG; s++)
		signal(s, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	/* The terminal's Ctrl-C reaches the whole group: the parent ends the others in order. */
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* What a process has read stays in it, also where no unit says LimitCORE=0. */
static void forbid_cores(void)
{
	struct rlimit none = { .rlim_cur = 0, .rlim_max = 0 };

	setrlimit(RLIMIT_CORE, &none);
#ifndef __SANITIZE_ADDRESS__ /* whose search for leaks looks into this process from another one */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

/*
 * What all children do first. `name` is what ps(1) shows. Not every descriptor is closed: messages
 * may go to a file that the parent has opened.
 */
static void become_child(const struct child_context *context, const char *name)
{
	reset_signals();
	prctl(PR_SET_NAME, name, 0, 0, 0);
	forbid_cores();
	for (size_t i = 0; i < ARRAY_SIZE(context->parent_fds); i++) {
		if (context->parent_fds[i] >= 0)
			close(context->parent_fds[i]);
	}
}

/*
 * Sources keep files open (root_file.c), thousands where there are thousands of sessions; the usual
 * limit is 1,024 for the sake of programs that call select(2), of which a reader is none.
 */
static void allow_all_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* What only the agent process needs: the sockets that listen, and who may ask. */
static void forget_own_agent(const struct child_context *context)
{
	listen_close();
	if (context->snmp)
		explicit_bzero(
			(char *)(uintptr_t)context->snmp->access, context->snmp->access_length);
}

static int reader_main(
	const struct child_context *context, int socket, const struct source_ops *ops, pid_t parent)
{
	struct source_env env = {
		.settings = &context->config->sources,
		.lasting = true,
		.sandbox = context->config->sandbox,
	};
	unsigned int needs = SANDBOX_LOG | SANDBOX_READ | ops->sandbox;
	char name[16];
	int rc;

	snprintf(name, sizeof(name), "iscsi-r-%s", ops->name);
	become_child(context, name);
	forget_own_agent(context);
	allow_all_descriptors();
	if (context->drop_privileges) {
		rc = privilege_drop_capabilities(ops->capabilities);
		if (rc < 0) {
			log_error("reader %s: cannot give up privileges (%s), not reading",
				ops->name, strerror(-rc));
			return EXIT_FAILURE;
		}
	}
	if (privilege_die_with_parent(parent) < 0)
		return EXIT_FAILURE;
	rc = root_open(context->root, &env.root);
	if (rc < 0) {
		log_error("reader %s: cannot open the root %s: %s", ops->name,
			context->root ? context->root : "/", strerror(-rc));
		return EXIT_FAILURE;
	}
	setup_sandbox(context->config, name, needs | (context->root ? SANDBOX_BELOW : 0));
	rc = reader_run(ops, &env, socket);
	root_close(env.root);
	return rc;
}

/* The agent process and its saver: no privilege at all. Returns 0 or a negative errno. */
static int become_unprivileged(const struct child_context *context, const char *what, pid_t parent)
{
	int rc = 0;

	if (context->drop_privileges) {
		rc = privilege_become(context->user, context->group);
		if (rc == 0)
			rc = privilege_drop_capabilities(0);
	}
	if (rc < 0)
		log_error("%s: cannot give up privileges (%s), not starting", what, strerror(-rc));
	return rc < 0 ? rc : privilege_die_with_parent(parent);
}

static int saver_main(const struct child_context *context, int socket, pid_t parent)
{
	become_child(context, "iscsi-agentx-s");
	forget_own_agent(context);
	if (become_unprivileged(context, "saver process", parent) < 0)
		return EXIT_FAILURE;
	setup_sandbox(context->config, "saver process", SANDBOX_LOG | SANDBOX_SAVE);
	return saver_run(context->config, socket);
}

static int agent_main(const struct child_context *context, int control,
	const struct source_ops *const sources[], pid_t parent)
{
	become_child(context, "iscsi-agentx-a");
	if (become_unprivileged(context, "agent process", parent) < 0)
		return EXIT_FAILURE;
	return daemon_run(context->config, context->snmp, control, sources);
}

pid_t child_start_agent(
	const struct child_context *context, int control, const struct source_ops *const sources[])
{
	pid_t parent = getpid(), pid = fork();

	if (pid == 0)
		exit(agent_main(context, control, sources, parent));
	return pid < 0 ? -errno : pid;
}

pid_t child_start_reader(
	const struct child_context *context, int socket, const struct source_ops *ops)
{
	pid_t parent = getpid(), pid = fork();

	if (pid == 0)
		exit(reader_main(context, socket, ops, parent));
	return pid < 0 ? -errno : pid;
}

pid_t child_start_saver(const struct child_context *context, int socket)
{
	pid_t parent = getpid(), pid = fork();

	if (pid == 0)
		exit(saver_main(context, socket, parent));
	return pid < 0 ? -errno : pid;
}
