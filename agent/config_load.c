/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads iscsi-agentx.conf as every net-snmp agent reads its file: the same places, includes,
 * SNMPCONFPATH, -c and -C. net-snmp's reader keeps global state, logs by itself and trusts its
 * files, so it runs in a child process: nothing of it stays in the caller, and a file that makes it
 * hang or crash costs a message. Called by the root parent and the one-shot commands.
 *
 * The child registers our tokens and nothing else (no init_snmp), so that no other file is read, no
 * MIB module is looked for and no socket is opened. It sends its messages and at last the result
 * through a pipe; the caller logs them.
 */
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

#include "agent/config.h"

#include "base/clock.h"
#include "base/log.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define APPLICATION  "iscsi-agentx"
#define TIME_LIMIT   (5 * NS_PER_S)
#define END_LIMIT    (NS_PER_S / 2) /* for the child to be gone after SIGKILL */
#define MESSAGES_MAX 100	    /* of one reading */

/* What the child sends: any number of messages, then one result. */
enum record_type { RECORD_MESSAGE = 1, RECORD_RESULT };
struct record {
	uint32_t type;
	int32_t value; /* priority of a message; bad lines of a result, or its negative errno */
	union {
		char message[512];
		struct config config;
	};
};

/* net-snmp's handlers have no argument for it. Used in the child only. */
static struct {
	struct config config;
	int pipe;
	int bad_lines, messages;
	bool silent; /* reading for the second time: the messages have been sent */
} child;

static void send_record(const struct record *r)
{
	const char *at = (const char *)r;
	size_t left = sizeof(*r);

	while (left > 0) {
		ssize_t written = write(child.pipe, at, left);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			_exit(EXIT_FAILURE); /* nobody listens any more */
		at += written;
		left -= (size_t)written;
	}
}

static void send_result(int value)
{
	struct record r = { .type = RECORD_RESULT, .value = value };

	r.config = child.config;
	send_record(&r);
	_exit(EXIT_SUCCESS);
}

/* Every line that is found wrong comes here once. */
static void send_bad_line(const char *message)
{
	struct record r = { .type = RECORD_MESSAGE, .value = LOG_ERR };

	child.bad_lines++;
	if (child.silent || child.messages++ > MESSAGES_MAX)
		return;
	if (child.messages > MESSAGES_MAX)
		message = "more bad lines of the configuration are not shown";
	snprintf(r.message, sizeof(r.message), "%s", message);
	send_record(&r);
}

/*
 * What the library says goes through here: its own complaints, and ours that pass through
 * netsnmp_config_error, since only that knows file and line. "FILE: line N: Error: TEXT".
 */
static int take_log(int major, int minor, void *server_argument, void *client_argument)
{
	const struct snmp_log_message *m = server_argument;
	static const char unknown[] = "Unknown token: ";
	char text[512];
	char *end, *dot;

	(void)major, (void)minor, (void)client_argument;
	if (m->priority > LOG_WARNING || strstr(m->msg, " error(s) in config file(s)"))
		return 0;
	snprintf(text, sizeof(text), "%s", m->msg);
	end = text + strlen(text);
	while (end > text && (end[-1] == '\n' || end[-1] == ' '))
		*--end = '\0';
	dot = end > text && end[-1] == '.' ? end - 1 : end;
	if (strstr(text, unknown) || strstr(text, "Blank line following"))
		snprintf(dot, (size_t)(text + sizeof(text) - dot), ", ignoring the line");
	send_bad_line(text);
	return 0;
}

static void set_option(const char *token, char *value)
{
	char reason[CONFIG_REASON_MAX];

	if (config_set(&child.config, token, value, reason) < 0)
		netsnmp_config_error("%s", reason);
}

/* The files of -c: each must be there, since the library only grumbles when it is not. */
static int check_files(const char *files)
{
	char name[SNMP_MAXPATH];

	for (const char *p = files; *p; p += *p == ',') {
		size_t length = strcspn(p, ",");
		struct stat st;

		if (length >= sizeof(name))
			return -ENAMETOOLONG;
		/* The library takes the name for a printf format when it reports a line. */
		if (memchr(p, '%', length))
			return -EINVAL;
		memcpy(name, p, length);
		name[length] = '\0';
		p += length;
		if (stat(name, &st) < 0 || access(name, R_OK) < 0)
			return -errno;
		if (S_ISDIR(st.st_mode))
			return -EISDIR;
	}
	return 0;
}

/* A default file that this user may not read: the library takes it for one that is not there. */
static void check_default_files(void)
{
	static const char *const endings[] = { "conf", "local.conf" };
	const char *path = getenv("SNMPCONFPATH");

	if (!path)
		path = get_configuration_directory();
	for (const char *p = path; *p; p += *p == ':') {
		int length = (int)strcspn(p, ":");

		for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
			char name[SNMP_MAXPATH], text[SNMP_MAXPATH + 128];

			snprintf(name, sizeof(name), "%.*s/" APPLICATION ".%s", length, p,
				endings[i]);
			if (access(name, R_OK) == 0 || errno != EACCES)
				continue;
			snprintf(text, sizeof(text), "%s: %s, going on without this file", name,
				strerror(EACCES));
			send_bad_line(text);
		}
		p += length;
	}
}

/* Sets the library up. False when it has no memory for that, of which it often says nothing. */
static bool set_up(const struct config_location *where)
{
	bool good;

	/* What the caller has set up in the library is not for us. */
	unregister_all_config_handlers();
	/* Not snmp_disable_log, which would write an empty line to the file of -Lf. */
	for (netsnmp_log_handler *h = get_logh_head(); h; h = h->next)
		netsnmp_disable_this_loghandler(h);
	/* Of the call of take_log the library tells in debug output, which calls take_log: no end.
	 */
	snmp_set_do_debugging(0);
	good = netsnmp_register_loghandler(NETSNMP_LOGHANDLER_CALLBACK, LOG_DEBUG);
	good &= snmp_register_callback(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_LOGGING, take_log,
			NULL) == SNMPERR_SUCCESS;

	netsnmp_ds_set_string(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_APPTYPE, APPLICATION);
	netsnmp_ds_set_boolean(
		NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_READ_CONFIGS, where->no_default);
	netsnmp_ds_set_string(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_OPTIONALCONFIG, where->file);
	/*
	 * The directory of net-snmp's persistent files belongs to snmpd's user: a file of our name
	 * in it must not tell root what to do. (Not DONT_PERSIST_STATE, which stops all files.)
	 */
	set_persistent_directory("/dev/null");
	good &= netsnmp_ds_get_string(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_APPTYPE) &&
		netsnmp_ds_get_string(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_PERSISTENT_DIR);
	good &= !where->file ||
		netsnmp_ds_get_string(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_OPTIONALCONFIG);
	for (const struct config_option *o = config_options; o->token; o++)
		good &= register_config_handler(APPLICATION, o->token, set_option, NULL, o->help) !=
			NULL;
	return good;
}

static void read_once(const struct config_location *where)
{
	config_defaults(&child.config);
	child.bad_lines = 0;
	if (!where->no_default)
		check_default_files();
	read_configs();
}

/*
 * The child: reads, sends, and ends. A file for which the library gets no memory, it passes over
 * without a word: what is read twice and is not the same both times was not read.
 */
static void run_child(const struct config_location *where, int pipe_fd)
{
	int rc = where->file ? check_files(where->file) : 0, bad_lines;
	struct config first;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	child.pipe = pipe_fd;
	config_defaults(&child.config);
	if (rc < 0)
		send_result(rc);
	if (!set_up(where))
		send_result(-ENOMEM);
	read_once(where);
	first = child.config;
	bad_lines = child.bad_lines;
	child.silent = true;
	read_once(where);
	if (memcmp(&first, &child.config, sizeof(first)) != 0 || bad_lines != child.bad_lines)
		send_result(-ENOMEM);
	send_result(child.bad_lines);
}

/* Reads one record before the deadline. Returns 0, -ETIMEDOUT, or -EIO at the end of the pipe. */
static int receive_record(int fd, uint64_t deadline_ns, struct record *ret)
{
	char *at = (char *)ret;
	size_t left = sizeof(*ret);

	while (left > 0) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int wait_ms = clock_ms_until(deadline_ns, 60 * 1000);
		ssize_t got;

		if (wait_ms == 0)
			return -ETIMEDOUT;
		if (poll(&p, 1, wait_ms) <= 0)
			continue; /* interrupted, or the time is over */
		got = read(fd, at, left);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return -EIO;
		at += got;
		left -= (size_t)got;
	}
	return 0;
}

/* Logs the messages until the result; returns what config_load returns. */
static int receive_result(int fd, struct config *ret)
{
	uint64_t deadline_ns = clock_now_ns() + TIME_LIMIT;
	struct record r;

	for (;;) {
		int rc = receive_record(fd, deadline_ns, &r);

		if (rc < 0)
			return rc;
		if (r.type == RECORD_RESULT) {
			if (r.value >= 0)
				*ret = r.config;
			return r.value;
		}
		r.message[sizeof(r.message) - 1] = '\0';
		log_message(r.value, "%s", r.message);
	}
}

/*
 * Ends the child and gives its status; -1 when somebody else has waited for it, in which case the
 * number may be another process's already, or when it does not end: it is in uninterruptible sleep
 * (the disk of its files is lost), and whoever waits for all children, or init, gets it one day.
 */
static int end_child(pid_t pid)
{
	uint64_t until_ns = clock_now_ns() + END_LIMIT;
	int status = 0;

	for (;;) {
		pid_t done = waitpid(pid, &status, WNOHANG);

		if (done == pid)
			return status;
		if ((done < 0 && errno != EINTR) || clock_now_ns() >= until_ns)
			return -1;
		kill(pid, SIGKILL); /* its work is done or in vain */
		poll(NULL, 0, 1);
	}
}

int config_load(const struct config_location *where, struct config *ret)
{
	int ends[2], rc, status;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid < 0) {
		rc = -errno;
		close(ends[0]);
		close(ends[1]);
		return rc;
	}
	if (pid == 0) {
		close(ends[0]);
		run_child(where, ends[1]);
		_exit(EXIT_FAILURE);
	}
	close(ends[1]);
	rc = receive_result(ends[0], ret);
	close(ends[0]);
	status = end_child(pid);
	if (rc == -EIO && status >= 0 && WIFSIGNALED(status))
		log_error("the process that reads the configuration died of signal %d",
			WTERMSIG(status));
	return rc;
}
