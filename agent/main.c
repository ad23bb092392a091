/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line. What it asks for is done elsewhere: parent.c, oneshot.c, check.c. */
#include "agent/check.h"
#include "agent/log_sink.h"
#include "agent/mib.h"
#include "agent/mib_list.h"
#include "agent/oneshot.h"
#include "agent/parent.h"
#include "agent/pid_file.h"
#include "base/log.h"

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

#include <getopt.h>
#include <time.h>

enum command {
	COMMAND_DAEMON,
	COMMAND_ONESHOT,
	COMMAND_CHECK,
	COMMAND_LIST_COLUMNS,
	COMMAND_LIST_SOURCES,
	COMMAND_DIRECTIVES,
	COMMAND_SAMPLE,
	COMMAND_HELP,
	COMMAND_VERSION,
};

struct options {
	enum command command;
	enum oneshot_command oneshot;
	const char *argument; /* of --walk, --record, --check */
	const char *root;
	const char *agentx_socket;
	const char *own_addresses; /* -M */
	const char *pid_file;
	struct config_location files;
	bool foreground;
	bool log_given;
};

enum {
	OPT_ONCE = 256,
	OPT_DUMP,
	OPT_WALK,
	OPT_RECORD,
	OPT_ROOT,
	OPT_CHECK,
	OPT_LIST_COLUMNS,
	OPT_LIST_SOURCES,
	OPT_SAMPLE
};

static const struct option long_options[] = {
	{ "once", no_argument, NULL, OPT_ONCE },
	{ "dump", optional_argument, NULL, OPT_DUMP },
	{ "walk", optional_argument, NULL, OPT_WALK },
	{ "record", required_argument, NULL, OPT_RECORD },
	{ "root", required_argument, NULL, OPT_ROOT },
	{ "check", optional_argument, NULL, OPT_CHECK },
	{ "list-columns", no_argument, NULL, OPT_LIST_COLUMNS },
	{ "list-sources", no_argument, NULL, OPT_LIST_SOURCES },
	{ "sample-config", no_argument, NULL, OPT_SAMPLE },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'v' },
	{ NULL, 0, NULL, 0 },
};

static void print_help(FILE *out)
{
	fputs("Usage: iscsi-agentx [OPTION]...\n"
	      "Show the iSCSI state of this host over SNMP, as an AgentX subagent of snmpd, or with -M\n"
	      "without it.\n"
	      "\n"
	      "The daemon:\n"
	      "  -f              stay in the foreground\n"
	      "  -x ADDRESS      UNIX socket of the master agent (agentXSocket)\n"
	      "  -M ADDRESS[,...]  be an SNMP agent of its own, without snmpd: udp:161, udp6:[::]:161,\n"
	      "                  tcp:HOST:PORT; who may ask says accessFile\n"
	      "  -c FILE         read FILE as configuration too\n"
	      "  -C              do not read the default configuration files\n"
	      "  -p FILE         write the process id to FILE\n"
	      "  -L LOGOPTS      where messages go, as in snmpcmd(1): -Le stderr, -Lf FILE, -Lsd syslog\n"
	      "  -D TOKEN[,...]  debug output of net-snmp and of this program\n"
	      "\n"
	      "Without snmpd, once, from the sources to standard output:\n"
	      "  --once          read all sources; a line for each, and counts\n"
	      "  --dump[=text|json]  all objects with their known fields\n"
	      "  --dump=prom     what can be graphed, as Prometheus reads it\n"
	      "  --walk[=OID]    every object as snmpwalk -On -Oe prints it; OID or a table's name\n"
	      "  --record FILE   write what the sources read to FILE, without secrets\n"
	      "  --root PATH     read a directory with sys/, proc/, etc/, run/, var/, or a recording\n"
	      "  --check[=PEER]  look for what is wrong, from the configuration to snmpd's view\n"
	      "  --list-columns  every object of the MIBs that can be served\n"
	      "  --list-sources  every source that can be read\n"
	      "\n"
	      "  -H              every directive of the configuration file\n"
	      "  --sample-config a configuration file with all defaults\n"
	      "  -h, --help      this text\n"
	      "  -v, --version   the version\n"
	      "\n"
	      "Exit status: 0 success, 1 failure, 2 wrong usage. See iscsi-agentx(8).\n",
		out);
}

static void set_oneshot(struct options *o, enum oneshot_command command, const char *argument)
{
	o->command = COMMAND_ONESHOT;
	o->oneshot = command;
	o->argument = argument;
}

static int set_dump(struct options *o, const char *format)
{
	if (!format || strcmp(format, "text") == 0)
		set_oneshot(o, ONESHOT_DUMP_TEXT, NULL);
	else if (strcmp(format, "json") == 0)
		set_oneshot(o, ONESHOT_DUMP_JSON, NULL);
	else if (strcmp(format, "prom") == 0)
		set_oneshot(o, ONESHOT_DUMP_PROM, NULL);
	else {
		fprintf(stderr, "iscsi-agentx: --dump=%s: the formats are text, json and prom\n",
			format);
		return -EINVAL;
	}
	return 0;
}

static void set_debug(const char *tokens)
{
	debug_register_tokens(tokens);
	snmp_set_do_debugging(1);
	log_set_level(LOG_DEBUG);
}

static int parse_option(struct options *o, int option, int argc, char **argv)
{
	switch (option) {
	case 'f':
		o->foreground = true;
		return 0;
	case 'x':
		o->agentx_socket = optarg;
		return 0;
	case 'M':
		o->own_addresses = optarg;
		return 0;
	case 'c':
		o->files.file = optarg;
		return 0;
	case 'C':
		o->files.no_default = true;
		return 0;
	case 'p':
		o->pid_file = optarg;
		return 0;
	case 'D':
		set_debug(optarg);
		return 0;
	case 'L':
		o->log_given = true;
		return log_sink_options(optarg, argc, argv);
	case OPT_ONCE:
		set_oneshot(o, ONESHOT_ONCE, NULL);
		return 0;
	case OPT_DUMP:
		return set_dump(o, optarg);
	case OPT_WALK:
		set_oneshot(o, ONESHOT_WALK, optarg);
		return 0;
	case OPT_RECORD:
		set_oneshot(o, ONESHOT_RECORD, optarg);
		return 0;
	case OPT_ROOT:
		o->root = optarg;
		return 0;
	case OPT_CHECK:
		o->command = COMMAND_CHECK;
		o->argument = optarg;
		return 0;
	case OPT_LIST_COLUMNS:
		o->command = COMMAND_LIST_COLUMNS;
		return 0;
	case OPT_LIST_SOURCES:
		o->command = COMMAND_LIST_SOURCES;
		return 0;
	case OPT_SAMPLE:
		o->command = COMMAND_SAMPLE;
		return 0;
	case 'H':
		o->command = COMMAND_DIRECTIVES;
		return 0;
	case 'h':
		o->command = COMMAND_HELP;
		return 0;
	case 'v':
		o->command = COMMAND_VERSION;
		return 0;
	default:
		return -EINVAL; /* getopt has said what is wrong */
	}
}

static int parse_options(struct options *o, int argc, char **argv)
{
	int option;

	while ((option = getopt_long(argc, argv, "fx:M:c:Cp:D:L:Hhv", long_options, NULL)) != -1) {
		int rc = parse_option(o, option, argc, argv);

		if (rc < 0)
			return rc;
	}
	/* --walk OID: as people type it. */
	if (o->oneshot == ONESHOT_WALK && !o->argument && optind < argc)
		o->argument = argv[optind++];
	if (o->command == COMMAND_CHECK && !o->argument && optind < argc)
		o->argument = argv[optind++];
	if (optind < argc) {
		fprintf(stderr, "iscsi-agentx: %s: not understood\n", argv[optind]);
		return -EINVAL;
	}
	if (o->own_addresses && o->agentx_socket) {
		fputs("iscsi-agentx: -M and -x exclude each other: with -M there is no master "
		      "agent\n",
			stderr);
		return -EINVAL;
	}
	if (o->agentx_socket &&
		(o->agentx_socket[0] != '/' || strlen(o->agentx_socket) >= CONFIG_PATH_MAX)) {
		fprintf(stderr,
			"iscsi-agentx: -x %s: the path of a UNIX socket is needed, at most %d octets\n",
			o->agentx_socket, CONFIG_PATH_MAX - 1);
		return -EINVAL;
	}
	return 0;
}

static int list_columns(void)
{
	int rc = 0;

	for (size_t i = 0; mib_modules[i] && rc == 0; i++)
		rc = mib_list_columns(mib_modules[i], stdout);
	if (rc == 0 && fflush(stdout) == 0)
		return EXIT_SUCCESS;
	log_error("cannot write the output: %s", strerror(errno));
	return EXIT_FAILURE;
}

static void list_sources(void)
{
	for (size_t i = 0; source_list[i]; i++)
		printf("%-12s %s\n", source_list[i]->name, source_list[i]->summary);
}

static int run_daemon(const struct options *o, const struct config *config)
{
	struct parent_settings settings = {
		.config = *config,
		.files = o->files,
		.agentx_socket = o->agentx_socket,
		.own_addresses = o->own_addresses,
		.root = o->root,
		.pid_fd = -1,
	};
	int status;

	if (!o->foreground && netsnmp_daemonize(1, 0) != 0) {
		log_error("cannot become a daemon: %s", strerror(errno));
		return EXIT_FAILURE;
	}
	if (o->pid_file) {
		settings.pid_fd = pid_file_write(o->pid_file);
		if (settings.pid_fd < 0)
			return EXIT_FAILURE;
	}
	status = parent_run(&settings);
	if (o->pid_file)
		pid_file_remove(o->pid_file, settings.pid_fd);
	return status;
}

static int run_configured(const struct options *o)
{
	struct oneshot_settings oneshot = {
		.root = o->root,
		.command = o->oneshot,
		.argument = o->argument,
	};
	struct check_settings check = {
		.root = o->root,
		.peer = o->argument,
		.own_addresses = o->own_addresses,
	};
	struct config config;
	int bad = config_load(&o->files, &config);

	if (bad < 0) {
		log_error("the configuration %s%scould not be read: %s",
			o->files.file ? o->files.file : "", o->files.file ? " " : "",
			strerror(-bad));
		return 2;
	}
	if (o->agentx_socket)
		snprintf(
			config.agentx_socket, sizeof(config.agentx_socket), "%s", o->agentx_socket);
	oneshot.config = check.config = config;
	check.bad_lines = bad;
	if (o->command == COMMAND_ONESHOT)
		return oneshot_run(&oneshot);
	if (o->command == COMMAND_CHECK)
		return check_run(&check);
	return run_daemon(o, &config);
}

int main(int argc, char **argv)
{
	struct options o = { .command = COMMAND_DAEMON };

	/*
	 * The zone of the host, once: what shows dates must not read files. With TZ unset the C
	 * library looks at /etc/localtime for every date, and where it may not, dates become UTC.
	 */
	setenv("TZ", ":/etc/localtime", 0);
	tzset();
	/* Nothing below reads MIB modules: net-snmp must not look for any, nor complain of them. */
	setenv("MIBS", "", 1);
	if (parse_options(&o, argc, argv) < 0) {
		fputs("Try `iscsi-agentx --help`.\n", stderr);
		return 2;
	}
	if (!o.log_given && !o.foreground && o.command == COMMAND_DAEMON)
		snmp_enable_syslog_ident("iscsi-agentx", LOG_DAEMON);
	/* Of commands that print their result, only what is wrong is worth a message. */
	if (o.command != COMMAND_DAEMON && !snmp_get_do_debugging())
		log_set_level(LOG_WARNING);
	log_sink_install();
	switch (o.command) {
	case COMMAND_HELP:
		print_help(stdout);
		return EXIT_SUCCESS;
	case COMMAND_VERSION:
		printf("iscsi-agentx %s (net-snmp %s)\n", ISCSI_AGENTX_VERSION,
			netsnmp_get_version());
		return EXIT_SUCCESS;
	case COMMAND_DIRECTIVES:
		config_print_directives(stdout);
		return EXIT_SUCCESS;
	case COMMAND_SAMPLE:
		config_print_sample(stdout);
		return EXIT_SUCCESS;
	case COMMAND_LIST_COLUMNS:
		return list_columns();
	case COMMAND_LIST_SOURCES:
		list_sources();
		return EXIT_SUCCESS;
	default:
		return run_configured(&o);
	}
}
