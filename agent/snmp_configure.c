/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lines of the access file go to net-snmp's own handlers one by one, so that what they complain
 * of can be told with file and line, and a line that they refuse costs only itself.
 */
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/agent/net-snmp-agent-includes.h>

#include "agent/snmp_access.h"
#include "agent/snmp_front.h"
#include "agent/snmp_system.h"

#include "base/log.h"

/* How long an inform sink of SNMPv3 may take to say which engine it is. µs. */
#define OPEN_TIMEOUT_US 500000

#define SESSIONS_MAX 64

static struct {
	char complaint[512];
	/* Those opened by the line, and what they are to have when they are open. */
	struct {
		netsnmp_session *session;
		long timeout;
		int retries;
	} opened[SESSIONS_MAX];
	size_t opened_count;
} line_state;

static int take_log(int major, int minor, void *server_argument, void *client_argument)
{
	const struct snmp_log_message *m = server_argument;
	size_t used = strlen(line_state.complaint);
	const char *text = m->msg, *error = strstr(text, "Error: ");

	(void)major, (void)minor, (void)client_argument;
	if (m->priority > LOG_WARNING)
		return 0;
	if (error) /* "(null): line 0: Error: ": it knows of no file */
		text = error + strlen("Error: ");
	snprintf(line_state.complaint + used, sizeof(line_state.complaint) - used, "%s%.*s",
		used ? "; " : "", (int)strcspn(text, "\n"), text);
	return 0;
}

static int on_session_init(int major, int minor, void *session, void *client_argument)
{
	netsnmp_session *s = session;

	(void)major, (void)minor, (void)client_argument;
	if (!s)
		return 0;
	if (line_state.opened_count < SESSIONS_MAX) {
		line_state.opened[line_state.opened_count].session = s;
		line_state.opened[line_state.opened_count].timeout = s->timeout;
		line_state.opened[line_state.opened_count++].retries = s->retries;
	}
	s->timeout = OPEN_TIMEOUT_US;
	s->retries = 0;
	return 0;
}

/*
 * A session of SNMPv3 without an engine ID, which is one for informs: asks the receiver for it.
 * The library would do that with the first inform, and with each one as long as there is no answer,
 * and wait each time.
 */
static bool ask_for_engine(netsnmp_session *s)
{
	const struct snmp_secmod_def *security = find_sec_mod(s->securityModel);

	if (!security || !security->probe_engineid)
		return false;
	if (security->probe_engineid(snmp_sess_pointer(s), s) != SNMPERR_SUCCESS)
		return false;
	return !security->post_probe_engineid ||
	       security->post_probe_engineid(snmp_sess_pointer(s), s) == SNMPERR_SUCCESS;
}

/* Sessions that are still there get back what the line said of them. */
static void settle_sessions(void)
{
	for (size_t i = 0; i < line_state.opened_count; i++) {
		netsnmp_session *s = line_state.opened[i].session;

		if (!snmp_sess_pointer(s))
			continue;
		if (s->version == SNMP_VERSION_3 && !s->securityEngineIDLen && !ask_for_engine(s)) {
			remove_trap_session(s);
			snprintf(line_state.complaint, sizeof(line_state.complaint), "%s",
				"the receiver does not say which SNMP engine it is, and gets "
				"nothing until the next start; with its engine ID (-e) in the "
				"line it need not be asked");
			continue;
		}
		s->timeout = line_state.opened[i].timeout;
		s->retries = line_state.opened[i].retries;
	}
	line_state.opened_count = 0;
}

/* Which of the places for messages was on. */
static unsigned int turn_off_log(void)
{
	unsigned int on = 0, bit = 1;

	for (netsnmp_log_handler *h = get_logh_head(); h; h = h->next, bit <<= 1) {
		if (h->enabled)
			on |= bit;
		netsnmp_disable_this_loghandler(h);
	}
	return on;
}

static void turn_on_log(unsigned int on)
{
	for (netsnmp_log_handler *h = get_logh_head(); h; h = h->next, on >>= 1) {
		if (on & 1)
			netsnmp_enable_this_loghandler(h);
	}
}

/* Hands a line over; false when net-snmp complained of it, which is logged. */
static bool pass_line(struct access_line *line, const char *path, netsnmp_log_handler *catcher)
{
	unsigned int on = turn_off_log();
	int rc;

	line_state.complaint[0] = '\0';
	netsnmp_enable_this_loghandler(catcher);
	rc = netsnmp_config(line->text);
	netsnmp_disable_this_loghandler(catcher);
	turn_on_log(on);
	settle_sessions();
	if (rc == SNMPERR_SUCCESS && !line_state.complaint[0])
		return true;
	log_error("%s: line %u: %s: %s", path, line->number, line->token,
		line_state.complaint[0] ? line_state.complaint : "net-snmp does not take it");
	return false;
}

void snmp_configure_engine(const struct snmp_settings *settings)
{
	const char *at = settings->access, *end = at + settings->access_length;
	const struct engine *engine = &settings->engine;
	char text[2 * ENGINE_ID_MAX + 32] = "oldEngineID 0x";
	size_t used = strlen(text);
	unsigned int number = 0;
	struct access_line line;
	bool is_given = false;

	while (access_next_line(&at, end, &number, &line)) {
		if (line.wrong || line.kind != ACCESS_ENGINE)
			continue;
		netsnmp_config(line.text);
		is_given = is_given || strcasecmp(line.token, "engineIDNic") != 0;
	}
	if (!engine->id_length) {
		if (is_given)
			log_notice(
				"%s gives the SNMP engine its ID, and nothing tells how often it was "
				"started: counting from 1; if the ID is not a new one, messages that "
				"it has had can be replayed",
				settings->access_path);
		return;
	}
	for (uint32_t i = 0; i < engine->id_length; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%02X", engine->id[i]);
	netsnmp_config(text);
	/* net-snmp adds one. */
	snprintf(text, sizeof(text), "engineBoots %" PRIu32, engine->boots);
	netsnmp_config(text);
}

unsigned int snmp_configure(const struct snmp_settings *settings)
{
	const char *at = settings->access, *end = at + settings->access_length;
	unsigned int number = 0, sinks = 0, bad = 0;
	netsnmp_log_handler *catcher;
	struct access_line line;

	snmp_register_callback(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_LOGGING, take_log, NULL);
	snmp_register_callback(
		SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_SESSION_INIT, on_session_init, NULL);
	catcher = netsnmp_register_loghandler(NETSNMP_LOGHANDLER_CALLBACK, LOG_DEBUG);
	if (!catcher)
		return 0;
	netsnmp_disable_this_loghandler(catcher);
	while (access_next_line(&at, end, &number, &line)) {
		/* What is wrong at sight the parent has said. */
		if (line.wrong || line.kind == ACCESS_ENGINE)
			continue;
		if (settings->alive)
			settings->alive(settings->context);
		if (line.kind == ACCESS_SYSTEM)
			snmp_system_set(&line);
		else if (!pass_line(&line, settings->access_path, catcher))
			bad++;
		else
			sinks += line.kind == ACCESS_SINK;
	}
	netsnmp_remove_loghandler(catcher);
	snmp_unregister_callback(
		SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_SESSION_INIT, on_session_init, NULL, 0);
	snmp_unregister_callback(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_LOGGING, take_log, NULL, 0);
	return sinks;
}
