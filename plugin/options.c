/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugin/options.h"

#include "base/text.h"
#include "plugin/mode.h"

#include <getopt.h>

enum { OPT_STATE = 256, OPT_INBOUND };

static const struct option long_options[] = {
	{ "hostname", required_argument, NULL, 'H' },
	{ "port", required_argument, NULL, 'p' },
	{ "mode", required_argument, NULL, 'm' },
	{ "protocol", required_argument, NULL, 'P' },
	{ "community", required_argument, NULL, 'C' },
	{ "seclevel", required_argument, NULL, 'L' },
	{ "secname", required_argument, NULL, 'U' },
	{ "authproto", required_argument, NULL, 'a' },
	{ "authpasswd", required_argument, NULL, 'A' },
	{ "privproto", required_argument, NULL, 'x' },
	{ "privpasswd", required_argument, NULL, 'X' },
	{ "warning", required_argument, NULL, 'w' },
	{ "critical", required_argument, NULL, 'c' },
	{ "target", required_argument, NULL, 'T' },
	{ "inbound", no_argument, NULL, OPT_INBOUND },
	{ "state", required_argument, NULL, OPT_STATE },
	{ "timeout", required_argument, NULL, 't' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static void print_help(void)
{
	fputs("Usage: check_iscsi_snmp -H HOST [-m MODE] [OPTION]...\n"
	      "Check the iSCSI of a host by the SNMP agent iscsi-agentx.\n"
	      "\n"
	      "  -H, --hostname HOST     name or address of the host\n"
	      "  -p, --port PORT         its port (161)\n"
	      "  -m, --mode MODE         what is checked (health):\n",
		stdout);
	mode_print_list(stdout);
	fputs("  -w, --warning RANGE     of the mode's value, as the plug-in API has it\n"
	      "  -c, --critical RANGE    of the mode's value\n"
	      "  -T, --target NAME[,...] paths, expected, targets: these only; with * and ?\n"
	      "      --inbound           sessions: those of the targets of the host\n"
	      "      --state DIR         errors: where the last counts are kept\n"
	      "  -t, --timeout SECONDS   then the state is UNKNOWN (10)\n"
	      "  -P, --protocol VERSION  1, 2c or 3 (2c)\n"
	      "  -C, --community NAME    of v1 and v2c (iscsi)\n"
	      "  -L, --seclevel LEVEL    noAuthNoPriv, authNoPriv or authPriv (authPriv)\n"
	      "  -U, --secname USER      of v3\n"
	      "  -a, --authproto NAME    MD5, SHA, SHA-224, SHA-256, SHA-384, SHA-512 (SHA)\n"
	      "  -A, --authpasswd TEXT   passphrase\n"
	      "  -x, --privproto NAME    DES, AES (AES)\n"
	      "  -X, --privpasswd TEXT   passphrase\n"
	      "  -v, --verbose           more details; up to three\n"
	      "  -h, --help              this text\n"
	      "  -V, --version           the version\n"
	      "\n"
	      "Exit status: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN. See check_iscsi_snmp(1).\n",
		stdout);
}

static int wrong(const char *what, const char *value)
{
	printf("ISCSI UNKNOWN - %s %s: not understood; see check_iscsi_snmp --help\n", what,
		value ? value : "");
	return -EINVAL;
}

static int set_version(struct options *o, const char *text)
{
	if (strcmp(text, "1") == 0)
		o->version = 1;
	else if (strcmp(text, "2c") == 0 || strcmp(text, "2") == 0)
		o->version = 2;
	else if (strcmp(text, "3") == 0)
		o->version = 3;
	else
		return wrong("-P", text);
	return 0;
}

static int set_number(uint32_t *number, const char *letter, const char *text, uint32_t high)
{
	return text_to_u32(text, high, number) < 0 || *number == 0 ? wrong(letter, text) : 0;
}

static int set_range(struct range *range, const char *letter, const char *text)
{
	return range_parse(text, range) < 0 ? wrong(letter, text) : 0;
}

/* The options that are a text. */
static const char **text_of(struct options *o, int option)
{
	switch (option) {
	case 'H':
		return &o->host;
	case 'm':
		return &o->mode;
	case 'C':
		return &o->community;
	case 'L':
		return &o->level;
	case 'U':
		return &o->user;
	case 'a':
		return &o->auth_protocol;
	case 'A':
		return &o->auth_passphrase;
	case 'x':
		return &o->privacy_protocol;
	case 'X':
		return &o->privacy_passphrase;
	case 'T':
		return &o->targets;
	case OPT_STATE:
		return &o->state;
	default:
		return NULL;
	}
}

static int parse_option(struct options *o, int option)
{
	const char **text = text_of(o, option);

	if (text) {
		*text = optarg;
		return 0;
	}
	switch (option) {
	case 'p':
		return set_number(&o->port, "-p", optarg, 65535);
	case 't':
		return set_number(&o->timeout_s, "-t", optarg, 3600);
	case 'P':
		return set_version(o, optarg);
	case 'w':
		return set_range(&o->warning, "-w", optarg);
	case 'c':
		return set_range(&o->critical, "-c", optarg);
	case OPT_INBOUND:
		o->inbound = true;
		return 0;
	case 'v':
		o->verbose++;
		return 0;
	case 'h':
		print_help();
		return 1;
	case 'V':
		puts("check_iscsi_snmp " ISCSI_AGENTX_VERSION);
		return 1;
	default:
		return wrong("an option", NULL);
	}
}

int options_parse(struct options *ret, int argc, char **argv)
{
	struct options o = {
		.mode = "health",
		.port = 161,
		.version = 2,
		.community = "iscsi",
		.level = "authPriv",
		.auth_protocol = "SHA",
		.privacy_protocol = "AES",
		.timeout_s = 10,
	};
	int option, rc;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "H:p:m:P:C:L:U:a:A:x:X:w:c:T:t:vhV", long_options,
			NULL)) != -1) {
		rc = parse_option(&o, option);
		if (rc != 0)
			return rc;
	}
	if (optind < argc)
		return wrong("the argument", argv[optind]);
	if (!o.host || !*o.host)
		return wrong("-H", "is missing");
	/* A list of nothing would be a check of nothing. */
	if (o.targets && !o.targets[strspn(o.targets, ", ")])
		return wrong("-T", "names nothing");
	if (o.version == 3 && !o.user)
		return wrong("-U", "is missing for SNMPv3");
	*ret = o;
	return 0;
}
