/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_iscsi_snmp: a monitoring plug-in for Nagios, Icinga and their kin. It asks the SNMP agent
 * of a host and says in one line what is wrong and where. It runs where the monitor runs, as the
 * monitor's user, and never on behalf of the agent.
 */
#include "plugin/client.h"
#include "plugin/mode.h"
#include "plugin/result.h"

#include <signal.h>

/* The API's limit of time, also while a name is looked up. Only what a handler may call. */
static void too_late(int signal)
{
	static const char text[] = "ISCSI UNKNOWN - no result within the time of the check\n";

	(void)signal;
	(void)!write(STDOUT_FILENO, text, sizeof(text) - 1);
	_exit(STATUS_UNKNOWN);
}

static void say_failure(
	struct result *r, const struct options *o, const struct client *c, int error)
{
	if (error == -ENOENT)
		result_text(r,
			"%s has no answer to this: is iscsi-agentx running there, and does the view "
			"of this user include its trees?",
			o->host);
	else if (error == -EIO || error == -ETIMEDOUT)
		result_text(r, "%s: %s", o->host, client_reason(c));
	else
		result_text(r, "%s: %s", o->host, strerror(-error));
}

static int run(const struct options *options, const struct mode *mode)
{
	struct result failure = RESULT_INIT, result = RESULT_INIT;
	struct client *client = NULL;
	const char *reason = NULL;
	int rc, status;

	failure.status = STATUS_UNKNOWN;
	if (client_open(options, &client, &reason) < 0) {
		result_text(&failure, "%s: %s", options->host, reason);
		status = result_print(&failure, stdout);
		result_free(&failure);
		return status;
	}
	rc = mode->run(client, options, &result);
	if (rc < 0)
		say_failure(&failure, options, client, rc);
	status = result_print(rc < 0 ? &failure : &result, stdout);
	client_close(client);
	result_free(&result);
	result_free(&failure);
	return status;
}

int main(int argc, char **argv)
{
	struct options options;
	const struct mode *mode;
	const char *refused;

	if (options_parse(&options, argc, argv) != 0)
		return STATUS_UNKNOWN; /* also of help and version: nothing was checked */
	mode = mode_find(options.mode);
	if (!mode) {
		printf("ISCSI UNKNOWN - -m %s: no such mode; see check_iscsi_snmp --help\n",
			options.mode);
		return STATUS_UNKNOWN;
	}
	refused = mode_refuses(mode, &options);
	if (refused) {
		printf("ISCSI UNKNOWN - the mode %s has no %s; other modes have\n", mode->name,
			refused);
		return STATUS_UNKNOWN;
	}
	signal(SIGALRM, too_late);
	alarm(options.timeout_s);
	return run(&options, mode);
}
