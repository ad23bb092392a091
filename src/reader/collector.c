/* SPDX-License-Identifier: BSD-2-Clause */
#include "reader/collector.h"

#include "base/clock.h"
#include "base/fdpass.h"
#include "base/log.h"
#include "base/memfd.h"
#include "reader/protocol.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>

/* Messages of one reader handled in a turn: a chatty one must not keep the others waiting. */
#define MESSAGES_PER_TURN 128

/*
 * A hint brings the next request forward, but not closer to the last one that a hint brought than
 * this, and not so close that the reader would do nothing else any more: events may come without
 * end. The first of them waits for nothing.
 */
#define HINT_INTERVAL_NS (100 * NS_PER_MS)
#define HINT_SHARE	 4 /* times as long as the last poll took */

struct channel {
	const char *name;
	int source;	 /* its number in the table of units */
	int fd;		 /* -1: no reader now … */
	int error;	 /* … and what became of the last one: negative errno … */
	const char *why; /* … and in words */
	uint64_t serial;
	uint64_t deadline_ns; /* of the request in flight; 0 none */
	uint64_t due_ns;      /* when the next request is to go out */
	uint64_t sent_ns;     /* the last one */
	bool hinted;	      /* the next one is brought by a hint */
	uint64_t hinted_ns;   /* the last one that was */
	uint64_t took_ns;     /* until it was answered */
};

struct collector {
	struct collector_settings settings;
	struct units *units;
	struct channel *channels;
	int count;
};

struct collector *collector_new(const struct collector_settings *settings, struct units *units)
{
	struct collector *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->settings = *settings;
	c->units = units;
	return c;
}

static void close_channel(struct channel *ch)
{
	if (ch->fd >= 0)
		close(ch->fd);
	ch->fd = -1;
	ch->deadline_ns = 0;
}

void collector_free(struct collector *c)
{
	if (!c)
		return;
	for (int i = 0; i < c->count; i++)
		close_channel(&c->channels[i]);
	free(c->channels);
	free(c);
}

void collector_configure(struct collector *c, const struct collector_settings *settings)
{
	uint64_t latest = clock_now_ns() + settings->poll_interval_ns;

	c->settings = *settings;
	for (int i = 0; i < c->count; i++) {
		if (c->channels[i].due_ns > latest)
			c->channels[i].due_ns = latest;
	}
}

int collector_add(struct collector *c, const char *name)
{
	struct channel *channels =
		reallocarray(c->channels, (size_t)c->count + 1, sizeof(*channels));
	int source;

	if (!channels)
		return -ENOMEM;
	c->channels = channels;
	source = units_add_source(c->units, name);
	if (source < 0)
		return source;
	channels[c->count] = (struct channel){ .name = name,
		.source = source,
		.fd = -1,
		.error = -ECHILD,
		.why = "no reader process has been started",
		.due_ns = clock_now_ns() };
	return c->count++;
}

void collector_attach(struct collector *c, int source, int fd)
{
	struct channel *ch = &c->channels[source];

	close_channel(ch);
	/* What an earlier reader may still have sent is told apart by its serial. */
	ch->serial++;
	ch->fd = fd;
	ch->due_ns = clock_now_ns();
	if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		close_channel(ch);
}

/* The reader is of no use any more: what is in flight has failed, and the parent makes a new one.
 */
static void give_up(struct collector *c, struct channel *ch, int error, const char *why)
{
	ch->error = error;
	ch->why = why;
	if (ch->deadline_ns)
		units_done(c->units, ch->source, ch->serial, true, error, why);
	close_channel(ch);
	units_restarted(c->units, ch->source);
	c->settings.reader_failed(c->settings.context, ch->source);
}

/* When a poll that nobody can be asked for has failed: when one that was asked for would have. */
static uint64_t missed_at(const struct collector *c, const struct channel *ch)
{
	return ch->due_ns + c->settings.poll_timeout_ns;
}

/*
 * The parent has not started another reader yet, or cannot: its rows become older, as if one were
 * there that does not answer.
 */
static void miss_poll(struct collector *c, struct channel *ch, uint64_t now_ns)
{
	ch->due_ns = now_ns + c->settings.poll_interval_ns;
	units_done(c->units, ch->source, ++ch->serial, true, ch->error, ch->why);
}

static void send_request(struct collector *c, struct channel *ch, uint64_t now_ns)
{
	struct reader_request request = {
		.magic = READER_MAGIC,
		.serial = ++ch->serial,
		/* The reader gives up first, so that it can still say what it waited for. */
		.deadline_ns = now_ns + c->settings.poll_timeout_ns * 9 / 10,
	};

	if (ch->hinted)
		ch->hinted_ns = now_ns;
	ch->hinted = false;
	ch->sent_ns = now_ns;
	ch->due_ns = now_ns + c->settings.poll_interval_ns;
	ch->deadline_ns = now_ns + c->settings.poll_timeout_ns;
	if (send(ch->fd, &request, sizeof(request), MSG_NOSIGNAL | MSG_DONTWAIT) !=
		(ssize_t)sizeof(request))
		give_up(c, ch, -EPIPE, "its reader process has ended");
}

/*
 * A fragment received as a memfd (taken over): seals and size; then either the unit's last one has
 * the same octets, which were checked when it came, or fragment_check. It is mapped for that only:
 * sealed as it is, it cannot be another one afterwards. Returns 0, 1 (the same as before; *ret is
 * not set), -ENOMEM, or -EBADMSG with the reason.
 */
static int take_fragment(struct collector *c, const struct channel *ch,
	const struct reader_message *m, int fd_taken, struct unit_fragment *ret, char reason[128])
{
	CLEANUP_FD int fd = fd_taken;
	size_t length = m->length;
	struct fragment *head;
	const void *at;
	int rc = m->length <= FRAGMENT_MAX ? memfd_map(fd, length, &at) : -EMSGSIZE;

	if (rc < 0) {
		snprintf(reason, 128, "its memory %s",
			rc == -EPERM
				? "is not sealed"
				: (rc == -EMSGSIZE ? "has the wrong size" : "cannot be mapped"));
		return rc == -ENOMEM ? rc : -EBADMSG;
	}
	rc = units_is_same(c->units, ch->source, m->unit, at, length)
		     ? 1
		     : fragment_check(at, length, reason);
	head = rc == 0 ? malloc(sizeof(*head)) : NULL;
	if (head)
		memcpy(head, at, sizeof(*head));
	munmap((void *)(uintptr_t)at, length);
	if (!head)
		return rc ? rc : -ENOMEM;
	*ret = (struct unit_fragment){ .data = head, .is_sealed = true, .memfd = steal_fd(&fd) };
	return 0;
}

static bool is_message(const struct channel *ch, const struct reader_message *m, ssize_t n)
{
	if (n == sizeof(*m) && m->magic == READER_MAGIC && m->type == READER_HINT)
		return true;
	return n == sizeof(*m) && m->magic == READER_MAGIC && m->serial == ch->serial &&
	       ch->deadline_ns && (m->type == READER_UNIT || m->type == READER_DONE) &&
	       memchr(m->unit, 0, sizeof(m->unit)) && memchr(m->message, 0, sizeof(m->message)) &&
	       m->error <= 0;
}

/* The next request goes out soon. While one is in flight, after it: it may have looked too early.
 */
static void hint(struct channel *ch)
{
	uint64_t pause_ns = HINT_SHARE * ch->took_ns, at_ns;

	if (pause_ns < HINT_INTERVAL_NS)
		pause_ns = HINT_INTERVAL_NS;
	at_ns = ch->hinted_ns + pause_ns;
	if (at_ns >= ch->due_ns)
		return;
	ch->due_ns = at_ns;
	ch->hinted = true;
}

/* Where a descriptor was sent and none came: whether this process had no room for one. */
static bool lacks_descriptors(const struct channel *ch)
{
	CLEANUP_FD int fd = fcntl(ch->fd, F_DUPFD_CLOEXEC, 0);

	return fd < 0;
}

/* Handles a message; `fd` is taken over. Returns 0 or -EBADMSG with a reason. */
static int handle_message(struct collector *c, struct channel *ch, const struct reader_message *m,
	int fd_taken, char reason[128])
{
	CLEANUP_FD int fd = fd_taken;
	struct unit_fragment fragment = { .data = NULL };
	int rc;

	if (m->type == READER_HINT) {
		hint(ch);
		return 0;
	}
	if (m->type == READER_DONE) {
		ch->deadline_ns = 0;
		ch->took_ns = clock_now_ns() - ch->sent_ns;
		units_done(c->units, ch->source, m->serial, m->present, m->error, m->message);
		return 0;
	}
	if (m->error < 0) {
		units_failed(c->units, ch->source, m->unit, m->serial, m->error, m->message);
		return 0;
	}
	if (fd < 0 && lacks_descriptors(ch)) {
		units_failed(c->units, ch->source, m->unit, m->serial, -EMFILE,
			"no descriptor to take it");
		return 0;
	}
	if (fd < 0) {
		snprintf(reason, 128, "it has no memory with it");
		return -EBADMSG;
	}
	rc = take_fragment(c, ch, m, steal_fd(&fd), &fragment, reason);
	if (rc == -ENOMEM) {
		units_failed(c->units, ch->source, m->unit, m->serial, rc, "no memory to take it");
		return 0;
	}
	if (rc < 0)
		return rc;
	if (rc == 1) {
		units_same(c->units, ch->source, m->unit, m->serial, m->message, m->wall_ns,
			m->cpu_ns);
		return 0;
	}
	units_good(c->units, ch->source, m->unit, m->serial, fragment, m->message, m->wall_ns,
		m->cpu_ns);
	return 0;
}

static void drain(struct collector *c, struct channel *ch)
{
	for (int i = 0; i < MESSAGES_PER_TURN && ch->fd >= 0; i++) {
		struct reader_message m;
		char reason[128] = "it is no message of a reader";
		int fd = -1, rc = -EBADMSG;
		ssize_t n = fdpass_receive(ch->fd, &m, sizeof(m), &fd);

		if (n == -EAGAIN)
			return;
		if (n <= 0 && n != -EMSGSIZE) {
			give_up(c, ch, -EPIPE, "its reader process has ended");
			return;
		}
		if (is_message(ch, &m, n))
			rc = handle_message(c, ch, &m, fd, reason);
		else if (fd >= 0)
			close(fd);
		if (rc == -EBADMSG) {
			log_error(
				"source %s: refusing what its reader sent: %s; starting a new reader",
				ch->name, reason);
			give_up(c, ch, -EBADMSG, "its reader sent something wrong");
			return;
		}
	}
}

bool collector_is_settled(const struct collector *c)
{
	for (int i = 0; i < c->count; i++) {
		if (c->channels[i].deadline_ns)
			return false;
	}
	return true;
}

size_t collector_prepare(struct collector *c, struct pollfd *fds, size_t capacity, int *timeout_ms)
{
	uint64_t next = units_next_expiry(c->units);
	size_t n = 0;
	int ms;

	for (int i = 0; i < c->count && n < capacity; i++) {
		const struct channel *ch = &c->channels[i];
		uint64_t at = ch->deadline_ns ? ch->deadline_ns : ch->due_ns;

		if (ch->fd < 0)
			at = missed_at(c, ch);
		else
			fds[n++] = (struct pollfd){ .fd = ch->fd, .events = POLLIN };
		if (at < next)
			next = at;
	}
	if (next == UINT64_MAX)
		return n;
	ms = clock_ms_until(next, 60 * 1000);
	if (*timeout_ms < 0 || ms < *timeout_ms)
		*timeout_ms = ms;
	return n;
}

void collector_dispatch(struct collector *c, const struct pollfd *fds, size_t count)
{
	uint64_t now;

	for (int i = 0; i < c->count; i++) {
		struct channel *ch = &c->channels[i];

		for (size_t k = 0; k < count; k++) {
			if (ch->fd >= 0 && fds[k].fd == ch->fd && fds[k].revents) {
				drain(c, ch);
				break;
			}
		}
	}
	now = clock_now_ns();
	for (int i = 0; i < c->count; i++) {
		struct channel *ch = &c->channels[i];

		if (ch->fd < 0) {
			if (missed_at(c, ch) <= now)
				miss_poll(c, ch, now);
		} else if (ch->deadline_ns && ch->deadline_ns <= now)
			give_up(c, ch, -ETIMEDOUT, "its reader did not answer in time");
		else if (!ch->deadline_ns && ch->due_ns <= now)
			send_request(c, ch, now);
	}
	units_expire(c->units);
}
