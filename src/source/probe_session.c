/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/probe_session.h"

#include "base/clock.h"
#include "model/words.h"

#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>

#define LOG_OF_KEYS   6 /* libiscsi logs the keys of login responses from this level on */
#define LOG_OF_ERRORS 1
#define IDLE_MS	      100 /* libiscsi waits for nothing now */
#define LOGOUT_NS     NS_PER_S
#define TARGETS_MAX   1000000u

struct session {
	const struct probe_library *l;
	struct iscsi_context *context;
	const struct probe_place *place;
	struct probe_outcome *outcome;
	probe_report_fn *report;
	void *report_context;
	uint64_t deadline_ns;

	/* Of the step that is waited for. */
	bool connecting, done;
	int status;
	uint64_t sent_ns, done_ns;
	uint64_t logged_ns;	    /* when libiscsi last logged something */
	char error[PROBE_TEXT_MAX]; /* in libiscsi's words, "" none */
};

/* Whose libiscsi logs now: its log function has no argument for it. */
static struct session *serving;

/* ---- what libiscsi tells ---- */

/* Its error texts have a newline or the name of the target behind them now and then. */
static void keep_error(struct session *s, const char *text)
{
	const char *end = strstr(text, " [");
	size_t length = strcspn(text, "\n");

	if (end && (size_t)(end - text) < length)
		length = (size_t)(end - text);
	if (s->error[0])
		return;
	if (strstr(text, "CHAP")) /* what it said of itself is nobody's business */
		snprintf(s->error, sizeof(s->error), "an authentication that was not offered");
	else
		text_sanitize(s->error, sizeof(s->error) - 1, text, length);
}

static void on_log(int level, const char *message)
{
	if (!serving)
		return;
	serving->logged_ns = clock_now_ns();
	probe_keys_take(&serving->outcome->keys, message, serving->place->target);
	if (level <= LOG_OF_ERRORS)
		keep_error(serving, message);
}

static void on_done(struct iscsi_context *context, int status, void *data, void *private_data)
{
	struct session *s = private_data;

	(void)data;
	if (s->done)
		return;
	s->done = true;
	s->status = status;
	s->done_ns = clock_now_ns();
	if (status != PROBE_STATUS_GOOD)
		keep_error(s, s->l->get_error(context));
}

/* Called for a connection that is made, and by old versions again when it ends. */
static void on_connected(struct iscsi_context *context, int status, void *data, void *private_data)
{
	struct session *s = private_data;

	if (s->connecting)
		on_done(context, status, data, private_data);
}

static void on_discovered(struct iscsi_context *context, int status, void *data, void *private_data)
{
	struct session *s = private_data;
	uint32_t count = 0;

	if (s->done)
		return;
	if (status == PROBE_STATUS_GOOD) {
		for (const struct probe_discovered *d = data; d && count < TARGETS_MAX; d = d->next)
			count++;
		OPT_SET(s->outcome->target_count, count);
	}
	on_done(context, status, data, private_data);
}

/* ---- waiting ---- */

static uint32_t microseconds(uint64_t from_ns, uint64_t to_ns)
{
	uint64_t us = to_ns > from_ns ? (to_ns - from_ns) / 1000 : 0;

	return us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

static void begin(struct session *s, const char *waiting_for)
{
	s->done = false;
	s->sent_ns = 0;
	s->error[0] = '\0';
	snprintf(s->outcome->text, sizeof(s->outcome->text), "no answer to %s", waiting_for);
	if (s->report)
		s->report(s->report_context, s->outcome);
}

/*
 * What the socket says, before libiscsi takes it and keeps a text of it only. 0, or a negative
 * errno: why there is no connection, or -ECONNRESET when there is none any more.
 */
static int look_at_socket(const struct session *s, int fd, short *events)
{
	int error = 0;
	socklen_t size = sizeof(error);
	ssize_t n;
	char octet;

	if (s->connecting) {
		if (*events && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
			error = errno;
		return -error;
	}
	if (!(*events & (POLLIN | POLLHUP | POLLERR)))
		return 0;
	n = recv(fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT);
	if (n == 0 || (n < 0 && errno != EAGAIN))
		return -ECONNRESET;
	/* What came before the end is an answer, too. */
	if (n > 0)
		*events &= ~(POLLHUP | POLLERR);
	return 0;
}

/* Until the step is done: 0, -ETIMEDOUT, -EPROTO (libiscsi gives up), or as look_at_socket. */
static int wait_done(struct session *s, uint64_t deadline_ns)
{
	while (!s->done) {
		struct pollfd fd = { .fd = s->l->get_fd(s->context),
			.events = (short)s->l->which_events(s->context) };
		int rc;

		if (clock_now_ns() >= deadline_ns)
			return -ETIMEDOUT;
		if (fd.fd < 0)
			return -ECONNRESET;
		if (poll(&fd, 1, clock_ms_until(deadline_ns, fd.events ? 60000 : IDLE_MS)) < 0)
			continue; /* a signal */
		rc = look_at_socket(s, fd.fd, &fd.revents);
		if (rc < 0)
			return rc;
		if (fd.revents & POLLOUT && !s->sent_ns)
			s->sent_ns = clock_now_ns();
		if (s->l->service(s->context, fd.revents) < 0)
			return s->done ? 0 : -EPROTO;
	}
	return 0;
}

/* ---- what it means ---- */

static void decide(struct session *s, enum probe_result result, const char *text)
{
	s->outcome->result = result;
	if (text)
		snprintf(s->outcome->text, sizeof(s->outcome->text), "%s", text);
}

/* There was no answer, or none that libiscsi understands. */
static void decide_failure(struct session *s, int error)
{
	switch (error) {
	case -ETIMEDOUT:
		/* Our own deadline, or that of TCP: the text is there. */
		decide(s, PROBE_TIMEOUT, NULL);
		return;
	case -ECONNREFUSED:
		decide(s, PROBE_CONNECTION_REFUSED, "connection refused");
		return;
	case -ECONNRESET:
	case -EPIPE:
		decide(s, PROBE_CLOSED,
			s->connecting ? "the connection was reset"
				      : "the target closed the connection before it answered");
		return;
	case -EHOSTUNREACH:
	case -ENETUNREACH:
	case -EHOSTDOWN:
	case -ENETDOWN:
	case -EACCES: /* a router or a packet filter forbids it */
	case -EPERM:
		decide(s, PROBE_UNREACHABLE, strerror(-error));
		return;
	case -EPROTO:
		snprintf(s->outcome->text, sizeof(s->outcome->text), "no valid iSCSI: %.200s",
			s->error[0] ? s->error : "the answer");
		decide(s, PROBE_PROTOCOL_ERROR, NULL);
		return;
	default:
		decide(s, PROBE_LOCAL_ERROR, strerror(-error));
	}
}

/* libiscsi could not even begin. */
static void decide_local(struct session *s)
{
	const char *text = s->l->get_error(s->context);

	s->error[0] = '\0';
	keep_error(s, text ? text : "");
	decide(s, PROBE_LOCAL_ERROR,
		s->error[0] ? s->error : "libiscsi does not say why it failed");
}

/* ---- the steps: false, and decided, when it ends here ---- */

static bool connect_portal(struct session *s)
{
	char portal[PROBE_PORTAL_TEXT];
	uint64_t began_ns, called_ns;
	int rc;

	probe_portal_text(portal, s->place);
	begin(s, "the request for a connection");
	s->connecting = true;
	errno = 0;
	called_ns = clock_now_ns();
	if (s->l->connect_async(s->context, portal, on_connected, s) < 0) {
		if (errno && errno != EINPROGRESS)
			decide_failure(s, -errno);
		else
			decide_local(s);
		return false;
	}
	/*
	 * Before connect(2) libiscsi has getaddrinfo(3) ask the kernel for all addresses of this
	 * host, which takes longer than many a network; and then, just before it, it logs
	 * something.
	 */
	began_ns = s->logged_ns > called_ns ? s->logged_ns : called_ns;
	rc = wait_done(s, s->deadline_ns);
	if (rc == 0 && s->status != PROBE_STATUS_GOOD)
		rc = -EPROTO;
	if (rc < 0) {
		decide_failure(s, rc);
		return false;
	}
	s->connecting = false;
	OPT_SET(s->outcome->connect_us, microseconds(began_ns, s->done_ns));
	return true;
}

static void set_login_status(struct probe_outcome *o, uint32_t class, uint32_t detail)
{
	OPT_SET(o->login_class, class);
	OPT_SET(o->login_detail, detail);
	snprintf(o->text, sizeof(o->text), "%s", words_of_login(class, detail));
}

static void decide_refused(struct session *s)
{
	static const enum probe_result results[] = {
		[1] = PROBE_REDIRECTED, PROBE_REFUSED, PROBE_TARGET_ERROR
	};
	struct probe_outcome *o = s->outcome;
	uint32_t class, detail;

	if (s->status == PROBE_STATUS_REDIRECT) {
		class = PROBE_STATUS_REDIRECT >> 8; /* it is the status of the response itself */
		detail = PROBE_STATUS_REDIRECT & 0xff;
	} else if (!probe_status_parse(s->error, &class, &detail)) {
		decide_failure(s, -EPROTO);
		return;
	}
	set_login_status(o, class, detail);
	decide(s, class < ARRAY_SIZE(results) ? results[class] : PROBE_PROTOCOL_ERROR, NULL);
}

static bool log_in(struct session *s)
{
	uint64_t began_ns = s->done_ns;
	int rc;

	begin(s, "the login request");
	if (s->l->login_async(s->context, on_done, s) < 0) {
		decide_local(s);
		return false;
	}
	rc = wait_done(s, s->deadline_ns);
	if (rc < 0) {
		decide_failure(s, rc);
		return false;
	}
	if (s->status != PROBE_STATUS_GOOD) {
		decide_refused(s);
	} else {
		set_login_status(s->outcome, 0, 0);
		if (s->place->target[0])
			s->outcome->keys.redirect[0] = '\0'; /* only a redirection has one */
	}
	if (s->outcome->login_class.known)
		OPT_SET(s->outcome->login_us, microseconds(began_ns, s->done_ns));
	return s->status == PROBE_STATUS_GOOD;
}

/* What shows that somebody is behind the login. */
static void ask(struct session *s)
{
	unsigned char ping[] = "iscsi-agentx";
	bool discovery = !s->place->target[0];
	int rc;

	begin(s, discovery ? "SendTargets" : "the NOP-Out");
	rc = discovery ? s->l->discovery_async(s->context, on_discovered, s)
		       : s->l->nop_out_async(s->context, on_done, ping, sizeof(ping), s);
	if (rc < 0) {
		decide_local(s);
		return;
	}
	rc = wait_done(s, s->deadline_ns);
	if (rc == 0 && s->status != PROBE_STATUS_GOOD)
		rc = s->l->get_fd(s->context) < 0 ? -ECONNRESET : -EPROTO;
	if (rc < 0) {
		decide_failure(s, rc);
		return;
	}
	if (!discovery)
		OPT_SET(s->outcome->ping_us, microseconds(s->sent_ns, s->done_ns));
	decide(s, PROBE_OK, discovery ? "its targets were told" : "logged in, and it answers");
}

/* The result is there already: an answer that does not come changes nothing. */
static void log_out(struct session *s)
{
	uint64_t until_ns = clock_now_ns() + LOGOUT_NS;

	s->done = false;
	if (s->l->logout_async(s->context, on_done, s) == 0)
		wait_done(s, until_ns);
}

static struct iscsi_context *make_context(const struct session *s, const char *name)
{
	struct iscsi_context *context = s->l->create_context(name);
	uint32_t random[2];

	if (!context)
		return NULL;
	/* Of the kernel's kind would be 0x00; this begins with 0x80, "random". */
	if (getrandom(random, sizeof(random), GRND_NONBLOCK) == sizeof(random))
		s->l->set_isid_random(context, random[0] & 0xffffff, random[1] & 0xffff);
	s->l->set_noautoreconnect(context, 1);
	s->l->set_log_level(context, LOG_OF_KEYS);
	s->l->set_log_fn(context, on_log);
	s->l->set_session_type(
		context, s->place->target[0] ? PROBE_SESSION_NORMAL : PROBE_SESSION_DISCOVERY);
	if (s->place->target[0] && s->l->set_targetname(context, s->place->target) < 0) {
		s->l->destroy_context(context);
		return NULL;
	}
	return context;
}

void probe_session_run(const struct probe_library *library, const struct probe_place *place,
	const char *name, uint64_t deadline_ns, probe_report_fn *report, void *context,
	struct probe_outcome *ret)
{
	struct session s = {
		.l = library,
		.place = place,
		.outcome = ret,
		.report = report,
		.report_context = context,
		.deadline_ns = deadline_ns,
	};

	memset(ret, 0, sizeof(*ret));
	serving = &s;
	s.context = make_context(&s, name);
	if (!s.context) {
		decide(&s, PROBE_LOCAL_ERROR, "libiscsi has no memory for a session");
	} else {
		if (connect_portal(&s) && log_in(&s)) {
			ask(&s);
			if (report)
				report(context, ret);
			log_out(&s);
		}
		s.done = true; /* what is cancelled now has been decided */
		library->destroy_context(s.context);
	}
	serving = NULL;
}
