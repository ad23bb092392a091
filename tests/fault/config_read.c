/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads the configuration for test_config_load.py and prints what came of it.
 *   config_read [-C] [-c FILE] [-l] [-u]
 *     -l: log through net-snmp, as the program does
 *     -u: the child never ends, whatever signal it gets, as one in uninterruptible sleep
 * Prints "result N" or "error NAME", and then every token with its value when there is a result.
 */
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

#include "agent/config.h"

#include "base/log.h"

#include <inttypes.h>
#include <sys/wait.h>

static bool unending;

pid_t __real_waitpid(pid_t pid, int *status, int options);
pid_t __wrap_waitpid(pid_t pid, int *status, int options);

pid_t __wrap_waitpid(pid_t pid, int *status, int options)
{
	if (!unending)
		return __real_waitpid(pid, status, options);
	while (!(options & WNOHANG))
		pause();
	return 0;
}

static void log_by_library(int priority, const char *message)
{
	snmp_log(priority, "%s\n", message);
}

int main(int argc, char **argv)
{
	struct config_location where = { .file = NULL };
	struct config config;
	int rc, option;

	while ((option = getopt(argc, argv, "Cc:lu")) != -1) {
		if (option == 'C')
			where.no_default = true;
		else if (option == 'c')
			where.file = optarg;
		else if (option == 'l')
			log_set_sink(log_by_library);
		else if (option == 'u')
			unending = true;
		else
			return 2;
	}
	snmp_enable_stderrlog();
	memset(&config, 0xa5, sizeof(config));
	rc = config_load(&where, &config);
	if (rc < 0) {
		printf("error %s\n", strerrorname_np(-rc));
		/* On failure the caller's structure is untouched. */
		return *(const unsigned char *)&config == 0xa5 ? 1 : 3;
	}
	printf("result %d\n", rc);
	for (const struct config_option *o = config_options; o->token; o++) {
		const char *field = (const char *)&config + o->offset;

		if (o->type == CONFIG_LINES) {
			const struct source_lines *lines = (const void *)field;

			for (uint32_t i = 0; i < lines->count; i++)
				printf("%s %s\n", o->token, lines->lines[i]);
		} else if (o->text)
			printf("%s %s\n", o->token, field);
		else
			printf("%s %" PRIu32 "\n", o->token,
				*(const uint32_t *)(const void *)field);
	}
	return 0;
}
