/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One session of iscsi-demo-initiator: connect, log in, read and write at a pace, log out.
 *
 * The keys of the target's login answers are known only from libiscsi's log (level 6); its log
 * function has no argument, so the session being served is kept in a static variable. CHAP keys
 * are dropped there, before anything is written.
 */
#include "initiator.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <arpa/inet.h>
#include <time.h>

#include <iscsi/scsi-lowlevel.h>

#define LOG_LEVEL_LOGIN_KEYS 6
#define LOGIN_KEY_PREFIX     "TargetLoginReply: "
#define SECOND_NS	     1000000000ull
#define SETUP_TRIES	     8 /* TEST UNIT READY until the unit attentions are gone */

static struct session *serving;

uint64_t initiator_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

void session_event(const struct session *s, const char *format, ...)
{
	va_list arguments;

	printf("%u ", s->number);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
	fflush(stdout);
}

void session_print_counts(const struct session *s)
{
	session_event(s,
		"counts commands=%ju reads=%ju writes=%ju read-octets=%ju"
		" written-octets=%ju logins=%ju",
		(uintmax_t)s->commands, (uintmax_t)s->reads, (uintmax_t)s->writes,
		(uintmax_t)s->read_octets, (uintmax_t)s->written_octets, (uintmax_t)s->logins);
}

/* libiscsi ends each message with " [target name]". */
static int key_length(const char *key)
{
	const char *end = strstr(key, " [");

	return end ? (int)(end - key) : (int)strlen(key);
}

static void log_message(int level, const char *message)
{
	const char *key = strstr(message, LOGIN_KEY_PREFIX);

	(void)level;
	if (!key || !serving)
		return;
	key += strlen(LOGIN_KEY_PREFIX);
	if (strncmp(key, "CHAP_", 5) != 0)
		session_event(serving, "login %.*s", key_length(key), key);
}

/* libiscsi's error texts end with a newline now and then. */
static void report_error(struct session *s, const char *what)
{
	const char *text = s->context ? iscsi_get_error(s->context) : "";

	session_event(s, "error %s: %.*s", what, (int)strcspn(text, "\n"), text);
}

static void drop(struct session *s, const char *what)
{
	if (s->dropped)
		return;
	report_error(s, what);
	s->dropped = true;
}

static void destroy_context(struct session *s)
{
	serving = s;
	if (s->context)
		iscsi_destroy_context(s->context);
	serving = NULL;
	s->context = NULL;
	s->dropped = false;
	s->outstanding = 0;
}

/* After a lost session or a failed login: wait for the next try, or end. */
static void settle(struct session *s)
{
	bool leaving = s->state == SESSION_LOGOUT;

	destroy_context(s);
	if (s->settings.retry && !leaving) {
		s->state = SESSION_WAITING;
		s->due_ns = initiator_now_ns() + s->settings.retry * SECOND_NS;
	} else {
		s->state = SESSION_ENDED;
		s->failed = true;
	}
}

static void print_local_address(struct session *s)
{
	struct sockaddr_storage storage;
	socklen_t length = sizeof(storage);
	char text[INET6_ADDRSTRLEN] = "";

	if (getsockname(iscsi_get_fd(s->context), (struct sockaddr *)&storage, &length) != 0)
		return;
	if (storage.ss_family == AF_INET) {
		const struct sockaddr_in *v4 = (const struct sockaddr_in *)&storage;

		inet_ntop(AF_INET, &v4->sin_addr, text, sizeof(text));
		session_event(s, "connected local=%s:%u", text, ntohs(v4->sin_port));
	} else {
		const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&storage;

		inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof(text));
		session_event(s, "connected local=[%s]:%u", text, ntohs(v6->sin6_port));
	}
}

/* Counts a command that libiscsi has taken; a NULL task is a refusal to send. */
static bool command_sent(struct session *s, const struct scsi_task *task)
{
	if (!task) {
		drop(s, "command not sent");
		return false;
	}
	s->commands++;
	s->outstanding++;
	return true;
}

static void command_ended(struct session *s, int status, void *task, const char *what)
{
	if (s->outstanding)
		s->outstanding--;
	if (task)
		scsi_free_scsi_task(task);
	if (status == SCSI_STATUS_GOOD || status == SCSI_STATUS_CHECK_CONDITION)
		return;
	drop(s, what);
}

static void capacity_read(struct iscsi_context *context, int status, void *data, void *private)
{
	struct session *s = private;
	const struct scsi_readcapacity10 *capacity;

	(void)context;
	if (status == SCSI_STATUS_GOOD && (capacity = scsi_datain_unmarshall(data))) {
		s->block_octets = capacity->block_size;
		s->block_count = capacity->lba; /* the last block is not used */
		if (s->block_octets < 512 || s->block_octets > 4096 ||
			s->block_count <= s->settings.blocks)
			drop(s, "LUN too small, or block size not usable");
	} else {
		drop(s, "READ CAPACITY");
	}
	command_ended(s, status, data, "READ CAPACITY");
	if (s->dropped)
		return;
	free(s->data);
	s->data = calloc(s->settings.blocks, s->block_octets);
	if (!s->data) {
		drop(s, "no memory");
		return;
	}
	s->state = SESSION_READY;
	s->due_ns = initiator_now_ns();
	session_event(s, "ready block-octets=%u blocks=%u", s->block_octets, s->block_count);
}

static void unit_tested(struct iscsi_context *context, int status, void *data, void *private)
{
	struct session *s = private;
	const struct scsi_task *task;

	command_ended(s, status, data, "TEST UNIT READY");
	if (s->dropped)
		return;
	if (status == SCSI_STATUS_GOOD) {
		task = iscsi_readcapacity10_task(
			context, (int)s->settings.lun, 0, 0, capacity_read, s);
	} else if (++s->setup_tries < SETUP_TRIES) {
		task = iscsi_testunitready_task(context, (int)s->settings.lun, unit_tested, s);
	} else {
		drop(s, "TEST UNIT READY: unit attention does not end");
		return;
	}
	command_sent(s, task);
}

static void logged_in(struct iscsi_context *context, int status, void *data, void *private)
{
	struct session *s = private;

	(void)data;
	if (status != SCSI_STATUS_GOOD) {
		drop(s, "login");
		return;
	}
	s->logins++;
	session_event(s, "logged-in");
	if (s->settings.rate == 0) {
		s->state = SESSION_READY;
		s->due_ns = UINT64_MAX;
		return;
	}
	s->state = SESSION_SETUP;
	s->setup_tries = 0;
	command_sent(s, iscsi_testunitready_task(context, (int)s->settings.lun, unit_tested, s));
}

static void connected(struct iscsi_context *context, int status, void *data, void *private)
{
	struct session *s = private;

	(void)data;
	if (status != SCSI_STATUS_GOOD) {
		drop(s, "connect");
		return;
	}
	print_local_address(s);
	if (iscsi_login_async(context, logged_in, s) != 0)
		drop(s, "login");
}

/* An ISID of the type "random" (RFC 7143, 10.12.5): 24 random bits and the session's number. */
static void set_isid(struct session *s)
{
	uint32_t random = 0;
	uint16_t qualifier = (uint16_t)s->number;

	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		random = (uint32_t)initiator_now_ns() ^ ((uint32_t)getpid() << 8);
	random &= 0xffffff;
	iscsi_set_isid_random(s->context, random, qualifier);
	session_event(s, "isid 80%06x%04x", random, qualifier);
}

/* The name with the number in the place of "%n". */
static void initiator_name(const struct session *s, char *out, size_t size)
{
	const char *name = s->settings.initiator;
	const char *place = strstr(name, "%n");

	if (place)
		snprintf(out, size, "%.*s%u%s", (int)(place - name), name, s->number, place + 2);
	else
		snprintf(out, size, "%s", name);
}

static int make_context(struct session *s)
{
	const struct session_settings *c = &s->settings;
	char name[256];

	initiator_name(s, name, sizeof(name));
	s->context = iscsi_create_context(name);
	if (!s->context)
		return -ENOMEM;
	iscsi_set_log_level(s->context, LOG_LEVEL_LOGIN_KEYS);
	iscsi_set_log_fn(s->context, log_message);
	iscsi_set_noautoreconnect(s->context, 1);
	iscsi_set_timeout(s->context, 60);
	set_isid(s);
	if (iscsi_set_targetname(s->context, c->target) != 0 ||
		iscsi_set_session_type(s->context, ISCSI_SESSION_NORMAL) != 0 ||
		iscsi_set_header_digest(s->context, c->header_digest) != 0 ||
		iscsi_set_immediate_data(s->context, c->immediate_data) != 0 ||
		iscsi_set_initial_r2t(s->context, c->initial_r2t) != 0 ||
		(c->alias && iscsi_set_alias(s->context, c->alias) != 0) ||
		(c->user &&
			iscsi_set_initiator_username_pwd(s->context, c->user, c->password) != 0))
		return -EINVAL;
	session_event(s, "session portal=%s target=%s initiator=%s alias=%s", c->portal, c->target,
		name, c->alias ? c->alias : "");
	return 0;
}

void session_start(struct session *s)
{
	s->state = SESSION_LOGIN;
	s->due_ns = UINT64_MAX;
	serving = s;
	if (make_context(s) != 0)
		drop(s, "set-up");
	else if (iscsi_connect_async(s->context, s->settings.portal, connected, s) != 0)
		drop(s, "connect");
	serving = NULL;
	if (s->dropped)
		settle(s);
}

int session_fd(const struct session *s)
{
	return s->context ? iscsi_get_fd(s->context) : -1;
}

short session_events(const struct session *s)
{
	return s->context ? (short)iscsi_which_events(s->context) : 0;
}

void session_service(struct session *s, short revents)
{
	serving = s;
	if (s->context && iscsi_service(s->context, revents) != 0)
		drop(s, "connection lost");
	serving = NULL;
	if (s->state == SESSION_ENDED)
		destroy_context(s);
	else if (s->dropped)
		settle(s);
}

static void read_ended(struct iscsi_context *context, int status, void *data, void *private)
{
	struct session *s = private;

	(void)context;
	if (status == SCSI_STATUS_GOOD) {
		s->reads++;
		s->read_octets += (uint64_t)s->settings.blocks * s->block_octets;
	}
	command_ended(s, status, data, "READ");
}

static void write_ended(struct iscsi_context *context, int status, void *data, void *private)
{
	struct session *s = private;

	(void)context;
	if (status == SCSI_STATUS_GOOD) {
		s->writes++;
		s->written_octets += (uint64_t)s->settings.blocks * s->block_octets;
	}
	command_ended(s, status, data, "WRITE");
}

/* Writes and reads in turn; one command on the way at most. */
static void send_command(struct session *s)
{
	const struct session_settings *c = &s->settings;
	uint32_t length = c->blocks * s->block_octets;
	struct scsi_task *task;

	if (s->next_block > s->block_count - c->blocks)
		s->next_block = 0;
	if ((s->reads + s->writes) % 2 == 0) {
		task = iscsi_write10_task(s->context, (int)c->lun, s->next_block, s->data, length,
			(int)s->block_octets, 0, 0, 0, 0, 0, write_ended, s);
	} else {
		task = iscsi_read10_task(s->context, (int)c->lun, s->next_block, length,
			(int)s->block_octets, 0, 0, 0, 0, 0, read_ended, s);
		s->next_block += c->blocks;
	}
	command_sent(s, task);
}

void session_turn(struct session *s, uint64_t now_ns)
{
	if (session_due_ns(s) > now_ns)
		return;
	if (s->state == SESSION_WAITING) {
		session_start(s);
		return;
	}
	s->due_ns += SECOND_NS / s->settings.rate;
	if (s->due_ns < now_ns)
		s->due_ns = now_ns; /* slower than the pace: no burst to catch up */
	send_command(s);
	if (s->dropped)
		settle(s);
}

uint64_t session_due_ns(const struct session *s)
{
	if (s->state == SESSION_WAITING)
		return s->due_ns;
	if (s->state != SESSION_READY || s->paused || s->outstanding || s->settings.rate == 0)
		return UINT64_MAX;
	return s->due_ns;
}

void session_pause(struct session *s)
{
	s->paused = true;
}

void session_resume(struct session *s)
{
	s->paused = false;
	if (s->state == SESSION_READY && s->settings.rate)
		s->due_ns = initiator_now_ns();
}

static void logged_out(struct iscsi_context *context, int status, void *data, void *private)
{
	struct session *s = private;

	(void)context;
	(void)data;
	if (status != SCSI_STATUS_GOOD) {
		drop(s, "logout");
		return;
	}
	session_event(s, "logged-out");
	s->state = SESSION_ENDED;
}

void session_logout(struct session *s)
{
	if (s->state == SESSION_ENDED || s->state == SESSION_LOGOUT)
		return;
	if (!s->context || !iscsi_is_logged_in(s->context)) {
		destroy_context(s);
		s->state = SESSION_ENDED;
		return;
	}
	s->state = SESSION_LOGOUT;
	serving = s;
	if (iscsi_logout_async(s->context, logged_out, s) != 0)
		drop(s, "logout");
	serving = NULL;
	if (s->dropped)
		settle(s);
}

void session_close(struct session *s)
{
	destroy_context(s);
	free(s->data);
	s->data = NULL;
}
