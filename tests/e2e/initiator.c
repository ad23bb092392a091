/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iscsi-demo-initiator: command line, signals and the poll loop. See initiator.h, and
 * `iscsi-demo-initiator --help`, which the tests of tests/support/test_lab.py read.
 */
#include "initiator.h"

#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>

#define SESSIONS_MAX	4096
#define LOGINS_AT_ONCE	32 /* a target's listen backlog is short */
#define LOGOUT_GRACE_NS 3000000000ull

static const char usage_text[] =
	"Usage: iscsi-demo-initiator OPTIONS [--next OPTIONS]...\n"
	"Keeps iSCSI sessions and does small reads and writes: for demo and tests only.\n"
	"It OVERWRITES the LUN.\n"
	"\n"
	"  --portal ADDRESS:PORT    of the target; an IPv6 address in [ ]\n"
	"  --target NAME            of the target\n"
	"  --initiator NAME         our name; %n in it becomes the session's number\n"
	"  --alias TEXT             InitiatorAlias; default: none is sent\n"
	"  --user NAME              CHAP name\n"
	"  --password-fd N          the CHAP secret is the first line read from descriptor N\n"
	"  --header-digest WORD     none, none-crc32c, crc32c-none, crc32c; default none\n"
	"  --immediate-data yes|no  offered; default yes\n"
	"  --initial-r2t yes|no     offered; default no\n"
	"  --lun N                  default 1\n"
	"  --rate N                 SCSI commands per second and session; default 0: none at all\n"
	"  --blocks N               blocks per command, 1 to 64; default 8\n"
	"  --retry SECONDS          a lost or refused session is logged in again; default: never\n"
	"  --count N                so many sessions like this one, each with its own ISID\n"
	"  --next                   another session; options not given again stay as they are\n"
	"  --help\n"
	"\n"
	"Each event is one line: the session's number, the event, its values.\n"
	"SIGUSR1 pauses the commands and prints the counts when none is open, SIGUSR2 resumes;\n"
	"SIGTERM and SIGINT log out, print the counts and end. Exit status: 0 each session ended by\n"
	"our logout, 1 one did not, 2 bad options.\n";

struct initiator {
	struct session *sessions;
	unsigned int count;
	bool pausing; /* counts to be printed once nothing is open */
};

static volatile sig_atomic_t stop_wanted;
static volatile sig_atomic_t pause_wanted;
static volatile sig_atomic_t resume_wanted;

static void handle_signal(int number)
{
	if (number == SIGUSR1)
		pause_wanted = 1;
	else if (number == SIGUSR2)
		resume_wanted = 1;
	else
		stop_wanted = 1;
}

static int fail_usage(const char *what, const char *value)
{
	fprintf(stderr, "iscsi-demo-initiator: %s: %s (--help lists the options)\n", what, value);
	return -EINVAL;
}

static int parse_number(const char *text, unsigned int high, unsigned int *ret)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || value > high)
		return fail_usage("not a number in range", text);
	*ret = (unsigned int)value;
	return 0;
}

static int parse_choice(const char *text, const char *const words[], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(text, words[i]) == 0)
			return (int)i;
	}
	return fail_usage("unknown word", text);
}

/* The first line of the descriptor, in memory that lives as long as the process. */
static int read_password(const char *text, const char **ret)
{
	static char secrets[16][256];
	static size_t used;
	unsigned int fd;
	size_t length = 0;

	if (parse_number(text, INT_MAX, &fd) != 0)
		return -EINVAL;
	if (used == ARRAY_SIZE(secrets))
		return fail_usage("too many passwords", text);
	while (length < sizeof(secrets[used]) - 1 &&
		read((int)fd, &secrets[used][length], 1) == 1 && secrets[used][length] != '\n')
		length++;
	secrets[used][length] = '\0';
	if (length == 0)
		return fail_usage("no password on descriptor", text);
	*ret = secrets[used++];
	return 0;
}

static int add_sessions(
	struct initiator *in, const struct session_settings *settings, unsigned int count)
{
	struct session *grown;

	if (!settings->portal || !settings->target || !settings->initiator)
		return fail_usage("needed", "--portal, --target and --initiator");
	if (settings->user && !settings->password)
		return fail_usage("needed with --user", "--password-fd");
	if (count == 0 || count > SESSIONS_MAX - in->count)
		return fail_usage("number of sessions out of range", "--count");
	grown = realloc(in->sessions, (in->count + count) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	in->sessions = grown;
	for (unsigned int i = 0; i < count; i++, in->count++)
		grown[in->count] = (struct session){
			.settings = *settings, .number = in->count, .state = SESSION_WAITING
		};
	return 0;
}

enum option_name {
	OPT_PORTAL = 1,
	OPT_TARGET,
	OPT_INITIATOR,
	OPT_ALIAS,
	OPT_USER,
	OPT_PASSWORD_FD,
	OPT_HEADER_DIGEST,
	OPT_IMMEDIATE_DATA,
	OPT_INITIAL_R2T,
	OPT_LUN,
	OPT_RATE,
	OPT_BLOCKS,
	OPT_RETRY,
	OPT_COUNT,
	OPT_NEXT,
	OPT_HELP,
};

static const struct option options[] = {
	{ "portal", required_argument, NULL, OPT_PORTAL },
	{ "target", required_argument, NULL, OPT_TARGET },
	{ "initiator", required_argument, NULL, OPT_INITIATOR },
	{ "alias", required_argument, NULL, OPT_ALIAS },
	{ "user", required_argument, NULL, OPT_USER },
	{ "password-fd", required_argument, NULL, OPT_PASSWORD_FD },
	{ "header-digest", required_argument, NULL, OPT_HEADER_DIGEST },
	{ "immediate-data", required_argument, NULL, OPT_IMMEDIATE_DATA },
	{ "initial-r2t", required_argument, NULL, OPT_INITIAL_R2T },
	{ "lun", required_argument, NULL, OPT_LUN },
	{ "rate", required_argument, NULL, OPT_RATE },
	{ "blocks", required_argument, NULL, OPT_BLOCKS },
	{ "retry", required_argument, NULL, OPT_RETRY },
	{ "count", required_argument, NULL, OPT_COUNT },
	{ "next", no_argument, NULL, OPT_NEXT },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 },
};

static int set_text(struct session_settings *c, int option)
{
	switch (option) {
	case OPT_PORTAL:
		c->portal = optarg;
		return 0;
	case OPT_TARGET:
		c->target = optarg;
		return 0;
	case OPT_INITIATOR:
		c->initiator = optarg;
		return 0;
	case OPT_ALIAS:
		c->alias = *optarg ? optarg : NULL;
		return 0;
	case OPT_USER:
		c->user = *optarg ? optarg : NULL;
		return 0;
	default:
		return fail_usage("unknown option, or its argument is missing", "see above");
	}
}

static int set_option(struct session_settings *c, int option)
{
	static const char *const no_yes[] = { "no", "yes" };
	static const char *const digests[] = { "none", "none-crc32c", "crc32c-none", "crc32c" };
	int choice;

	switch (option) {
	case OPT_PASSWORD_FD:
		return read_password(optarg, &c->password);
	case OPT_HEADER_DIGEST:
		choice = parse_choice(optarg, digests, ARRAY_SIZE(digests));
		c->header_digest = (enum iscsi_header_digest)choice;
		return choice < 0 ? choice : 0;
	case OPT_IMMEDIATE_DATA:
		choice = parse_choice(optarg, no_yes, ARRAY_SIZE(no_yes));
		c->immediate_data = (enum iscsi_immediate_data)choice;
		return choice < 0 ? choice : 0;
	case OPT_INITIAL_R2T:
		choice = parse_choice(optarg, no_yes, ARRAY_SIZE(no_yes));
		c->initial_r2t = (enum iscsi_initial_r2t)choice;
		return choice < 0 ? choice : 0;
	case OPT_LUN:
		return parse_number(optarg, 255, &c->lun);
	case OPT_RATE:
		return parse_number(optarg, 100000, &c->rate);
	case OPT_BLOCKS:
		if (parse_number(optarg, 64, &c->blocks) != 0 || c->blocks == 0)
			return fail_usage("--blocks is 1 to 64", optarg);
		return 0;
	case OPT_RETRY:
		return parse_number(optarg, 3600, &c->retry);
	default:
		return set_text(c, option);
	}
}

static int parse_options(struct initiator *in, int argc, char **argv)
{
	struct session_settings settings = {
		.header_digest = ISCSI_HEADER_DIGEST_NONE,
		.immediate_data = ISCSI_IMMEDIATE_DATA_YES,
		.initial_r2t = ISCSI_INITIAL_R2T_NO,
		.lun = 1,
		.blocks = 8,
	};
	unsigned int count = 1;
	int option, rc;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == OPT_HELP) {
			fputs(usage_text, stdout);
			exit(EXIT_SUCCESS);
		}
		if (option == OPT_NEXT) {
			rc = add_sessions(in, &settings, count);
			count = 1;
		} else if (option == OPT_COUNT) {
			rc = parse_number(optarg, SESSIONS_MAX, &count);
		} else {
			rc = set_option(&settings, option);
		}
		if (rc != 0)
			return rc;
	}
	if (optind < argc)
		return fail_usage("not an option", argv[optind]);
	return add_sessions(in, &settings, count);
}

/* Starts waiting sessions in their order, a few logins on the way at a time. */
static void turn_all(struct initiator *in)
{
	uint64_t now = initiator_now_ns();
	unsigned int logins = 0;

	for (unsigned int i = 0; i < in->count; i++)
		logins += in->sessions[i].state == SESSION_LOGIN;
	for (unsigned int i = 0; i < in->count; i++) {
		struct session *s = &in->sessions[i];

		if (s->state == SESSION_WAITING && (stop_wanted || logins >= LOGINS_AT_ONCE))
			continue;
		session_turn(s, now);
		logins += s->state == SESSION_LOGIN;
	}
}

static int timeout_ms(const struct initiator *in, uint64_t until_ns)
{
	uint64_t now = initiator_now_ns();
	uint64_t due = until_ns;

	for (unsigned int i = 0; i < in->count; i++) {
		uint64_t at = session_due_ns(&in->sessions[i]);

		if (at < due)
			due = at;
	}
	if (due <= now)
		return 1; /* not 0: a session may wait for its turn to log in */
	due = (due - now + 999999) / 1000000;
	return due > 1000 ? 1000 : (int)due;
}

static void handle_requests(struct initiator *in)
{
	bool busy = false;

	if (pause_wanted) {
		pause_wanted = 0;
		in->pausing = true;
		for (unsigned int i = 0; i < in->count; i++)
			session_pause(&in->sessions[i]);
	}
	for (unsigned int i = 0; i < in->count; i++)
		busy |= in->sessions[i].outstanding != 0;
	if (in->pausing && !busy) {
		in->pausing = false;
		for (unsigned int i = 0; i < in->count; i++)
			session_print_counts(&in->sessions[i]);
		puts("paused");
		fflush(stdout);
	}
	if (resume_wanted) {
		resume_wanted = 0;
		for (unsigned int i = 0; i < in->count; i++)
			session_resume(&in->sessions[i]);
	}
}

static void wait_and_serve(
	struct initiator *in, struct pollfd *fds, uint64_t until_ns, const sigset_t *mask)
{
	struct timespec timeout;
	int ms = timeout_ms(in, until_ns);

	for (unsigned int i = 0; i < in->count; i++) {
		fds[i].fd = session_fd(&in->sessions[i]);
		fds[i].events = session_events(&in->sessions[i]);
		fds[i].revents = 0;
	}
	timeout.tv_sec = ms / 1000;
	timeout.tv_nsec = (long)(ms % 1000) * 1000000;
	if (ppoll(fds, in->count, &timeout, mask) <= 0)
		return;
	for (unsigned int i = 0; i < in->count; i++) {
		if (fds[i].revents)
			session_service(&in->sessions[i], fds[i].revents);
	}
}

static bool all_ended(const struct initiator *in)
{
	for (unsigned int i = 0; i < in->count; i++) {
		if (in->sessions[i].state != SESSION_ENDED)
			return false;
	}
	return true;
}

/* Until each session has ended, or LOGOUT_GRACE_NS after the request to stop. */
static void run(struct initiator *in, struct pollfd *fds, const sigset_t *mask)
{
	uint64_t end_ns = UINT64_MAX;

	while (!all_ended(in) && initiator_now_ns() < end_ns) {
		turn_all(in);
		wait_and_serve(in, fds, end_ns, mask);
		handle_requests(in);
		if (stop_wanted && end_ns == UINT64_MAX) {
			end_ns = initiator_now_ns() + LOGOUT_GRACE_NS;
			for (unsigned int i = 0; i < in->count; i++)
				session_logout(&in->sessions[i]);
		}
	}
}

/* Signals arrive only inside ppoll(2): no request is missed between the test and the wait. */
static void set_signals(sigset_t *ret_mask)
{
	static const int numbers[] = { SIGTERM, SIGINT, SIGUSR1, SIGUSR2 };
	struct sigaction action = { .sa_handler = handle_signal };
	sigset_t blocked;

	sigemptyset(&blocked);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		sigaddset(&blocked, numbers[i]);
		sigaction(numbers[i], &action, NULL);
	}
	sigprocmask(SIG_BLOCK, &blocked, ret_mask);
	signal(SIGPIPE, SIG_IGN);
}

static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int main(int argc, char **argv)
{
	struct initiator in = { 0 };
	struct pollfd *fds = NULL;
	sigset_t mask;
	uint64_t commands = 0;
	int status = EXIT_SUCCESS;

	set_signals(&mask);
	if (parse_options(&in, argc, argv) != 0) {
		status = 2;
		goto out;
	}
	fds = calloc(in.count, sizeof(*fds));
	if (!fds) {
		status = EXIT_FAILURE;
		goto out;
	}
	raise_descriptor_limit();
	run(&in, fds, &mask);
	for (unsigned int i = 0; i < in.count; i++) {
		session_print_counts(&in.sessions[i]);
		commands += in.sessions[i].commands;
		if (in.sessions[i].failed || in.sessions[i].state != SESSION_ENDED)
			status = EXIT_FAILURE;
		session_close(&in.sessions[i]);
	}
	printf("end sessions=%u commands=%ju\n", in.count, (uintmax_t)commands);
out:
	free(fds);
	free(in.sessions);
	return status;
}
