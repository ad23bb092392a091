/* SPDX-License-Identifier: BSD-2-Clause */
#include "agent/check.h"

#include "agent/mib.h"
#include "agent/setup.h"
#include "agent/snmp_access.h"
#include "agent/snmp_listen.h"
#include "base/clock.h"
#include "base/privilege.h"
#include "index/store_lock.h"
#include "model/dump.h"
#include "reader/once.h"
#include "source/source_select.h"

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

#include <poll.h>
#include <stdarg.h>
#include <sys/stat.h>

/* How long a snmpd takes, after a restart, to listen; then comes the agent's next attempt. */
#define SNMPD_START_NS (3 * NS_PER_S)
#define LOOK_AGAIN_MS  200

struct check {
	const struct check_settings *settings;
	unsigned wrong;
	uint64_t patient_until_ns; /* what is not there yet is looked for again until then */
};

static void PRINTF_LIKE(2, 3) good(const char *what, const char *format, ...)
{
	va_list args;

	printf("ok     %-14s ", what);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

static void PRINTF_LIKE(3, 4) wrong(struct check *c, const char *what, const char *format, ...)
{
	va_list args;

	printf("WRONG  %-14s ", what);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	c->wrong++;
}

static void mend(const char *line)
{
	printf("       %-14s %s\n", "  to mend:", line);
}

static void check_configuration(struct check *c)
{
	if (c->settings->bad_lines)
		wrong(c, "configuration", "%d bad lines, see above; their defaults are used",
			c->settings->bad_lines);
	else
		good("configuration", "no bad line");
}

/* As the daemon finds it when the same user starts it. */
static bool is_of_others(const struct check *c, const char *path)
{
	const struct privilege_directory directory = setup_directory(path);
	uid_t user = geteuid();
	gid_t group;

	if (user == 0)
		privilege_find_user(c->settings->config.agent_user, &user, &group);
	return privilege_look_into(&directory, user) == -ENOTEMPTY;
}

static void check_directory(struct check *c, const char *what, const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0) {
		if (errno == ENOENT)
			good(what, "%s will be made at the first start", path);
		else
			wrong(c, what, "%s: %s", path, strerror(errno));
		return;
	}
	if (!S_ISDIR(st.st_mode))
		wrong(c, what, "%s is no directory: index numbers will not be kept", path);
	else if (is_of_others(c, path))
		wrong(c, what,
			"%s has files of others: the agent does not take it, and index numbers will not "
			"be kept",
			path);
	else if (st.st_mode & (S_IWGRP | S_IWOTH))
		wrong(c, what, "%s may be written by others: the agent takes that away", path);
	else
		good(what, "%s", path);
}

static void check_sources(struct check *c)
{
	const struct config *config = &c->settings->config;
	struct source_env env = { .settings = &config->sources };
	const struct source_ops *sources[SOURCES_MAX + 1];
	CLEANUP_FREE struct snapshot_input *inputs = NULL;
	struct units *units = units_new(NS_PER_S);
	int count, rc = root_open(c->settings->root, &env.root);

	if (rc < 0 || !units) {
		wrong(c, "sources", "cannot be read: %s", strerror(units ? -rc : ENOMEM));
		goto out;
	}
	source_select(config->source_names, sources);
	once_poll(sources, &env, config->poll_timeout * NS_PER_S, units);
	count = units_inputs(units, false, &inputs);
	for (int i = 0; i < count; i++) {
		const struct source_status *u = inputs[i].status;

		if (u->state == SOURCE_OK || u->state == SOURCE_ABSENT)
			good("source", "%s%s%s: %s", u->source, u->unit[0] ? " " : "", u->unit,
				u->state == SOURCE_OK ? "read" : "not on this machine");
		else
			wrong(c, "source", "%s %s: %s (%s)", u->source, u->unit, u->message,
				strerror(-u->last_error));
	}
out:
	units_free(units);
	root_close(env.root);
}

/* Waits a moment. False when there was time enough for what is looked for. */
static bool look_again(const struct check *c)
{
	if (clock_now_ns() >= c->patient_until_ns)
		return false;
	poll(NULL, 0, LOOK_AGAIN_MS);
	return true;
}

/*
 * The daemon has its directories for itself. While it runs, a snmpd that was restarted a moment ago
 * is given the time to be found: --check is what one types next.
 */
static void check_daemon(struct check *c)
{
	const struct config *config = &c->settings->config;
	CLEANUP_FD int state = -1;
	CLEANUP_FD int run = -1;
	int rc = store_lock(config->state_dir, 0, &state);

	if (rc != -EBUSY) /* it may do without one of them */
		rc = store_lock(config->run_dir, 0, &run);
	if (rc == -EBUSY) {
		good("daemon", "runs");
		c->patient_until_ns =
			clock_now_ns() + SNMPD_START_NS + config->agentx_ping_interval * NS_PER_S;
	} else if (rc == 0 || rc == -ENOENT) {
		wrong(c, "daemon", "does not run%s: %s",
			rc ? ", or cannot make its directories" : "",
			c->settings->own_addresses ? "nobody is answered"
						   : "snmpd has nothing to show");
		mend("systemctl enable --now iscsi-agentx    (or start: iscsi-agentx)");
	} /* else: only root can tell */
}

static bool check_agentx(struct check *c)
{
	const char *path = c->settings->config.agentx_socket;
	CLEANUP_FD int fd = -1;

	do
		fd = setup_connect(path);
	while (fd < 0 && look_again(c));
	if (fd >= 0) {
		good("AgentX socket", "%s: a master agent listens", path);
		return true;
	}
	wrong(c, "AgentX socket", "%s: %s", path, strerror(-fd));
	if (fd == -ENOENT || fd == -ECONNREFUSED)
		mend("start snmpd with `master agentx` in /etc/snmp/snmpd.conf (or set agentXSocket)");
	else if (fd == -EACCES)
		mend("run this as root, or set agentXPerms in snmpd.conf");
	return false;
}

/* -M: who may ask, and the addresses. True when it is worth while to ask an agent there. */
static bool check_own_agent(struct check *c)
{
	const char *path = c->settings->config.access_file;
	struct access_summary summary;
	size_t length = 0;
	char *text = access_load(path, &length);
	int rc;

	if (!text) {
		wrong(c, "accessFile", "%s: cannot be used, see above", path);
		mend("rocommunity NAME in it, owner root, mode 0600");
	} else {
		access_check(text, length, path, &summary);
		if (summary.bad)
			wrong(c, "accessFile", "%s: %u bad lines, see above", path, summary.bad);
		else if (!summary.rights)
			wrong(c, "accessFile", "%s: no line gives anybody access", path);
		else
			good("accessFile", "%s: %u lines give access, %u trap sinks", path,
				summary.rights, summary.sinks);
		access_free(text, length);
	}
	rc = listen_open(c->settings->own_addresses);
	if (rc == -EADDRINUSE)
		good("address", "%s: in use, by this agent if it runs", c->settings->own_addresses);
	else if (rc < 0)
		wrong(c, "address", "%s: %s", c->settings->own_addresses, strerror(-rc));
	else
		good("address", "%s: can be listened at", c->settings->own_addresses);
	listen_close();
	return c->settings->peer;
}

/* The defVersion of snmp.conf, which the library leaves to the programs, or v2c. */
static long version_asked(void)
{
	int version = netsnmp_ds_get_int(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_SNMPVERSION);

	if (version == NETSNMP_DS_SNMP_VERSION_1) /* not its number: 0 is none */
		return SNMP_VERSION_1;
	return version ? version : SNMP_VERSION_2c;
}

/* A GETNEXT of `name`. Returns the answer (freed by the caller with snmp_free_pdu) or NULL. */
static netsnmp_pdu *ask(struct check *c, const oid *name, size_t length)
{
	netsnmp_session settings, *session;
	netsnmp_pdu *answer = NULL;
	char peer[256], community[] = "iscsi";

	snmp_sess_init(&settings);
	snprintf(peer, sizeof(peer), "%s", c->settings->peer ? c->settings->peer : "localhost");
	settings.peername = peer;
	settings.version = version_asked();
	if (!netsnmp_ds_get_string(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_COMMUNITY)) {
		settings.community = (u_char *)community;
		settings.community_len = strlen(community);
	}
	settings.retries = 1;
	settings.timeout = 1000000;
	session = snmp_open(&settings);
	if (!session)
		return NULL;
	netsnmp_pdu *request = snmp_pdu_create(SNMP_MSG_GETNEXT);
	if (request) {
		snmp_add_null_var(request, name, length);
		if (snmp_synch_response(session, request, &answer) != STAT_SUCCESS)
			answer = NULL;
	}
	snmp_close(session);
	return answer;
}

/* "view iscsi included .1.3.6.1.2.1.142": the line that people leave out of snmpd.conf. */
static void mend_view(const struct mib_module *module)
{
	char line[256] = "view iscsi included ";
	size_t used = strlen(line);

	for (uint8_t i = 0; i < module->root_length && used < sizeof(line); i++)
		used += (size_t)snprintf(line + used, sizeof(line) - used, ".%lu", module->root[i]);
	snprintf(line + used, sizeof(line) - used,
		"    (in snmpd.conf: iscsi, or the view of who asks; restart snmpd)");
	mend(line);
}

static const char *agent_name(const struct check *c)
{
	return c->settings->own_addresses ? "the agent" : "snmpd";
}

/* Whether the answer is an object of the module. */
static bool shown(const netsnmp_pdu *answer, const struct mib_module *module)
{
	const netsnmp_variable_list *v = answer ? answer->variables : NULL;

	return v && answer->errstat == SNMP_ERR_NOERROR && v->type != SNMP_ENDOFMIBVIEW &&
	       snmp_oidtree_compare(v->name, v->name_length, module->root, module->root_length) ==
		       0;
}

static void check_view(struct check *c, const struct mib_module *module)
{
	netsnmp_pdu *answer = ask(c, module->root, module->root_length);

	while (!shown(answer, module) && look_again(c)) {
		if (answer)
			snmp_free_pdu(answer);
		answer = ask(c, module->root, module->root_length);
	}
	const netsnmp_variable_list *v = answer ? answer->variables : NULL;

	/* noSuchName is how v1 says that there is nothing. */
	if (!v) {
		wrong(c, "SNMP",
			"no answer from %s with the settings of snmp.conf (default: v2c, "
			"community iscsi)",
			c->settings->peer ? c->settings->peer : "localhost");
		if (!c->settings->own_addresses)
			mend("rocommunity iscsi 127.0.0.1 -V iscsi    (in snmpd.conf, with its "
			     "views)");
		mend("defVersion, defCommunity or v3 settings in snmp.conf; or --check=HOST:PORT");
	} else if (answer->errstat != SNMP_ERR_NOERROR && answer->errstat != SNMP_ERR_NOSUCHNAME) {
		wrong(c, "SNMP", "%s answers: %s", agent_name(c),
			snmp_errstring((int)answer->errstat));
	} else if (!shown(answer, module)) {
		wrong(c, "view",
			"%s shows nothing of %s: either the agent does not run, or the "
			"view leaves it out",
			agent_name(c), module->name);
		if (!c->settings->own_addresses)
			mend_view(module);
	} else {
		good("view", "%s shows %s", agent_name(c), module->name);
	}
	if (answer)
		snmp_free_pdu(answer);
}

int check_run(const struct check_settings *settings)
{
	struct check c = { .settings = settings };

	check_configuration(&c);
	check_directory(&c, "stateDir", settings->config.state_dir);
	check_directory(&c, "runDir", settings->config.run_dir);
	check_sources(&c);
	check_daemon(&c);
	if (settings->own_addresses ? check_own_agent(&c) : check_agentx(&c)) {
		setenv("MIBS", "", 1);
		netsnmp_ds_set_boolean(
			NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DISABLE_PERSISTENT_LOAD, 1);
		netsnmp_ds_set_boolean(
			NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DISABLE_PERSISTENT_SAVE, 1);
		init_snmp("snmpapp");
		for (size_t i = 0; mib_modules[i]; i++)
			check_view(&c, mib_modules[i]);
		snmp_shutdown("snmpapp");
	}
	printf("%u wrong\n", c.wrong);
	return c.wrong ? EXIT_FAILURE : EXIT_SUCCESS;
}
