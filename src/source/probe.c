/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The source probe: logins of our own, by libiscsi, to portals that the configuration or the node
 * records name; off unless configured. It has no instance of ISCSI-MIB.
 *
 * Nothing waits for a probe. Each try is a process (probe_child.h); they are started and ended
 * between the polls, when the descriptor of event_fd says so: an epoll set of their pipes and one
 * timer. A poll shows what the last tries gave. Only a one-shot command, which has no second poll,
 * waits for the first tries, until its deadline.
 *
 * Runs in the reader process of the source, on the live machine only: what a recording says of
 * portals is no reason to talk to them.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/privilege.h"
#include "source/open_iscsi_read.h"
#include "source/probe_entries.h"
#include "source/probe_model.h"
#include "source/probe_names.h"
#include "source/source.h"

#include <linux/capability.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

#define AT_ONCE	       16u /* tries that go on */
#define REFRESH_NS     (30 * NS_PER_S)
#define RECORDS_FOR_NS NS_PER_S
/* What a try may need beyond what the reader has: a PDU has 16 MiB at most. */
#define ROOM_OCTETS (128ull * 1024 * 1024)

struct source {
	const struct source_env *env;
	int epoll, timer;
	struct probe_library library;
	const char *library_name;
	int library_error;
	char name[PROBE_NAME_MAX];
	bool name_taken;
	struct probe_entries entries;
	size_t running;
	uint64_t refresh_ns; /* when the list is made anew */
};

/* For the process of a try to become nobody, and to end it then. */
#define CAPABILITIES (PRIVILEGE_OF(CAP_SETUID) | PRIVILEGE_OF(CAP_SETGID) | PRIVILEGE_OF(CAP_KILL))

/* Where nothing is configured, a reader has no use for a privilege, in all its life. */
static int probe_detect(const struct source_env *env)
{
	if (root_is_live(env->root) &&
		(env->settings->probes.count > 0 || env->settings->probe_known_paths))
		return 1;
	if (env->lasting)
		privilege_forget(CAPABILITIES);
	return 0;
}

static void probe_close(struct source *s);

static int probe_open(const struct source_env *env, struct source **ret)
{
	struct source *s = calloc(1, sizeof(*s));
	struct epoll_event event = { .events = EPOLLIN };
	int rc;

	if (!s)
		return -ENOMEM;
	s->env = env;
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	s->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (s->epoll < 0 || s->timer < 0 ||
		epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->timer, &event) < 0) {
		rc = -errno;
		probe_close(s);
		return rc;
	}
	/* In effect all the time: only then does the kernel end the tries of a killed reader. */
	privilege_raise(PRIVILEGE_OF(CAP_KILL));
	*ret = s;
	return 0;
}

/* ---- tries ---- */

static void start(struct source *s, struct probe_entry *entry, uint64_t now_ns)
{
	const struct probe_job job = {
		.library = &s->library,
		.name = s->name,
		.timeout_ns = s->env->settings->probe_timeout * NS_PER_S,
		.root = s->env->root,
		.room = ROOM_OCTETS,
		.sandbox = s->env->sandbox,
	};
	struct epoll_event event = { .events = EPOLLIN };
	int rc = probe_child_start(&job, &entry->place, &entry->child);

	entry->due_ns = now_ns + s->env->settings->probe_interval * NS_PER_S;
	if (rc == 0) {
		s->running++;
		/* If that fails, the timer ends it: a try too late, and never lost. */
		(void)!epoll_ctl(s->epoll, EPOLL_CTL_ADD, entry->child.fd, &event);
		return;
	}
	memset(&entry->child.outcome, 0, sizeof(entry->child.outcome));
	entry->child.outcome.result = PROBE_LOCAL_ERROR;
	snprintf(entry->child.outcome.text, sizeof(entry->child.outcome.text),
		"no process for it: %s", strerror(-rc));
	probe_entry_finish(entry, now_ns);
}

/* Not by closing it: other children may still have the pipe for a moment. */
static void end(struct source *s, struct probe_entry *entry)
{
	epoll_ctl(s->epoll, EPOLL_CTL_DEL, entry->child.fd, NULL);
	probe_child_end(&entry->child);
	s->running--;
}

/* True when a poll should show it soon: the same result can wait for the next one. */
static bool end_finished(struct source *s, uint64_t now_ns)
{
	bool news = false;

	for (size_t i = 0; i < s->entries.count; i++) {
		struct probe_entry *entry = s->entries.list[i];

		if (!entry->child.pid ||
			(!probe_child_take(&entry->child) && now_ns < entry->child.kill_ns))
			continue;
		end(s, entry);
		news |= probe_entry_finish(entry, clock_now_ns());
	}
	return news;
}

static void end_all(struct source *s, const struct probe_entries *entries)
{
	for (size_t i = 0; i < entries->count; i++)
		if (entries->list[i]->child.pid)
			end(s, entries->list[i]);
}

/* Those that have waited longest first. */
static void start_due(struct source *s, uint64_t now_ns)
{
	while (s->running < AT_ONCE) {
		struct probe_entry *next = NULL;

		for (size_t i = 0; i < s->entries.count; i++) {
			struct probe_entry *entry = s->entries.list[i];

			if (!entry->child.pid && entry->due_ns <= now_ns &&
				(!next || entry->due_ns < next->due_ns))
				next = entry;
		}
		if (!next)
			return;
		start(s, next, now_ns);
	}
}

/* ---- what is tried ---- */

static void make_name(struct source *s)
{
	char host[128];

	if (oiscsi_read_value(
		    s->env->root, host, sizeof(host), "%s", "/proc/sys/kernel/hostname") <= 0)
		*host = '\0';
	probe_own_name(s->name, s->env->settings->probe_initiator_name, host);
}

/* When the records cannot be read, it stays as it is until the next time. */
static void refresh(struct source *s, uint64_t now_ns)
{
	const struct source_settings *settings = s->env->settings;
	CLEANUP_OISCSI_RECORDS struct oiscsi_records records = { .incomplete = true };
	struct probe_entries gone;

	s->refresh_ns = now_ns + REFRESH_NS;
	if (!s->library.handle)
		s->library_error = probe_library_open(&s->library, &s->library_name);
	if (oiscsi_records_read(s->env->root, settings->open_iscsi_config,
		    settings->open_iscsi_records, now_ns + RECORDS_FOR_NS, &records) < 0)
		return;
	make_name(s);
	s->name_taken = probe_name_is_taken(s->env->root, &records, s->name);
	probe_entries_refresh(&s->entries, settings, &records, now_ns, &gone);
	end_all(s, &gone);
	probe_entries_clear(&gone);
	if (s->name_taken)
		end_all(s, &s->entries);
}

/* ---- between polls ---- */

static bool may_try(const struct source *s)
{
	return s->library.handle && !s->name_taken;
}

static void set_timer(struct source *s)
{
	struct itimerspec at = { .it_value = { 0 } };
	uint64_t next = s->refresh_ns;

	for (size_t i = 0; may_try(s) && i < s->entries.count; i++) {
		const struct probe_entry *entry = s->entries.list[i];
		uint64_t when = entry->child.pid ? entry->child.kill_ns : entry->due_ns;

		if (when < next && (entry->child.pid || s->running < AT_ONCE))
			next = when;
	}
	at.it_value.tv_sec = (time_t)(next / NS_PER_S);
	at.it_value.tv_nsec = (long)(next % NS_PER_S);
	timerfd_settime(s->timer, TFD_TIMER_ABSTIME, &at, NULL);
}

static int probe_event(struct source *s)
{
	uint64_t now_ns = clock_now_ns();
	bool news = end_finished(s, now_ns);

	if (now_ns >= s->refresh_ns)
		refresh(s, now_ns);
	if (may_try(s))
		start_due(s, now_ns);
	set_timer(s); /* also takes back that it has expired */
	return news;
}

static int probe_event_fd(struct source *s)
{
	return s->epoll;
}

/* ---- polls ---- */

static bool all_tried(const struct source *s)
{
	for (size_t i = 0; i < s->entries.count; i++)
		if (!s->entries.list[i]->probed_ns)
			return false;
	return true;
}

static void wait_for_first(struct source *s, uint64_t deadline_ns)
{
	while (may_try(s) && !all_tried(s) && clock_now_ns() < deadline_ns) {
		struct pollfd fd = { .fd = s->epoll, .events = POLLIN };

		poll(&fd, 1, clock_ms_until(deadline_ns, 60000));
		probe_event(s);
	}
}

static void note(const struct source *s, struct collection *c)
{
	if (s->entries.without_zone)
		collection_note(
			c, "a probe's portal has a zone that is no interface now: not tried");
	else if (s->entries.left_out)
		collection_note(c, "more than %u portals and targets: the rest is not tried",
			PROBE_ENTRIES_MAX);
}

static int probe_collect(struct source *s, uint64_t deadline_ns, struct collection *c)
{
	struct builder *b = collection_begin(c, "");
	int rc;

	probe_event(s);
	if (!s->env->lasting)
		wait_for_first(s, deadline_ns);
	if (s->library_error == -ENOSYS)
		collection_fail(c, s->library_error,
			"%s is too old, it lacks a function: nothing is tried", s->library_name);
	else if (!s->library.handle)
		collection_fail(c, s->library_error,
			"libiscsi is not installed, or cannot be loaded: nothing is tried");
	if (!s->library.handle)
		return 0;
	if (s->name_taken) {
		collection_fail(c, -EINVAL,
			"probeInitiatorName is the name of this host's own sessions, and a target "
			"might end them for a probe: nothing is tried");
		return 0;
	}
	rc = probe_model_build(b, &s->entries, s->name);
	note(s, c);
	if (rc < 0)
		collection_fail(c, rc, "no memory for its probes");
	else
		collection_end(c);
	return 0;
}

static void probe_close(struct source *s)
{
	if (!s)
		return;
	end_all(s, &s->entries);
	probe_entries_clear(&s->entries);
	probe_library_close(&s->library);
	if (s->epoll >= 0)
		close(s->epoll);
	if (s->timer >= 0)
		close(s->timer);
	free(s);
}

const struct source_ops probe_source = {
	.name = "probe",
	.summary = "logins to portals, by libiscsi: whether they answer, and how fast",
	.capabilities = CAPABILITIES,
	.sandbox = SANDBOX_CAPABILITIES | SANDBOX_FORK | SANDBOX_TCP,
	.detect = probe_detect,
	.open = probe_open,
	.collect = probe_collect,
	.close = probe_close,
	.event_fd = probe_event_fd,
	.event = probe_event,
};
