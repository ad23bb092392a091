/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The netlink socket of the source open-iscsi, between and during polls. Called by open_iscsi.c in
 * the reader process. Whatever comes over it was said by the kernel, but what targets sent is in
 * it: it is parsed as hostile, and wiped.
 */
#include "source/open_iscsi_listener.h"

#include "base/clock.h"
#include "source/open_iscsi_names.h"

#include <sys/epoll.h>
#include <sys/timerfd.h>

#define PUMP_INTERVAL_NS  (NS_PER_MS / 2)
#define MESSAGES_PER_PUMP 4096
#define BACK_OFF_MAX_NS	  (60 * NS_PER_S)

/*
 * sysfs shows the result of an event a little later, when iscsid has done its part: a new login
 * after some 50 ms, a lost one after less. So the agent is asked to look at once, and twice again.
 */
static const uint64_t settle_after_ns[] = { 150 * NS_PER_MS, NS_PER_S };

/*
 * A name is looked for so long after the session began, and so often. iscsid sets it within
 * milliseconds, but on a machine that has no time for either of them.
 */
#define NAMES_FOR_NS	  NS_PER_S
#define NAMES_INTERVAL_NS (NS_PER_MS / 2)

void oiscsi_listener_init(struct oiscsi_listener *l, struct root *root,
	oiscsi_statistics_fn *take_statistics, void *context)
{
	*l = (struct oiscsi_listener){
		.root = root,
		.take_statistics = take_statistics,
		.context = context,
		.epoll_fd = -1,
		.timer_fd = -1,
	};
}

void oiscsi_listener_close(struct oiscsi_listener *l)
{
	netlink_close(l->netlink);
	l->netlink = NULL;
	if (l->epoll_fd >= 0)
		close(l->epoll_fd);
	if (l->timer_fd >= 0)
		close(l->timer_fd);
	l->epoll_fd = l->timer_fd = -1;
	free(l->frame);
	l->frame = NULL;
	l->timer_ns = 0;
	memset(l->settle_ns, 0, sizeof(l->settle_ns));
	oiscsi_events_clear(&l->events);
}

static int wait_on(int epoll_fd, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };

	return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int open_all(struct oiscsi_listener *l)
{
	struct netlink_memory memory = { .dropped = 0 };
	int rc;

	l->frame = malloc(OISCSI_FRAME_MAX);
	if (!l->frame)
		return -ENOMEM;
	rc = root_netlink_open(l->root, OISCSI_NETLINK_PROTOCOL, OISCSI_NETLINK_GROUP, &l->netlink);
	if (rc < 0)
		return rc;
	l->netlink->ops->memory(l->netlink, &memory);
	l->dropped = memory.dropped;
	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	l->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (l->epoll_fd < 0 || l->timer_fd < 0)
		return -errno;
	rc = wait_on(l->epoll_fd, l->netlink->fd);
	return rc < 0 ? rc : wait_on(l->epoll_fd, l->timer_fd);
}

static void explain(struct oiscsi_listener *l, int error)
{
	static const char *const without =
		"sessions have no counters, failures and logins are not seen";

	if (error == -ENOENT) /* a recording: nothing is wrong */
		l->note[0] = '\0';
	else if (error == -EPERM || error == -EACCES)
		snprintf(l->note, sizeof(l->note),
			"may not listen to the kernel (CAP_NET_ADMIN): %s", without);
	else if (error == -ENONET)
		snprintf(l->note, sizeof(l->note),
			"not in the network namespace of the kernel's initiator: %s", without);
	else
		snprintf(l->note, sizeof(l->note), "cannot listen to the kernel (%s): %s",
			strerror(-error), without);
}

/* Stops, and tries again after a while that grows. */
static void give_up(struct oiscsi_listener *l, int error, uint64_t now_ns)
{
	oiscsi_listener_close(l);
	explain(l, error);
	l->back_off_ns = l->back_off_ns ? 2 * l->back_off_ns : NS_PER_S;
	if (l->back_off_ns > BACK_OFF_MAX_NS)
		l->back_off_ns = BACK_OFF_MAX_NS;
	/* A module is being loaded: that takes no while. */
	l->retry_ns = error == -EPROTONOSUPPORT ? now_ns : now_ns + l->back_off_ns;
}

void oiscsi_listener_follow(struct oiscsi_listener *l, bool wanted)
{
	uint64_t now_ns = clock_now_ns();
	int rc;

	if (!wanted) {
		oiscsi_listener_close(l);
		l->note[0] = '\0';
		l->retry_ns = l->back_off_ns = 0;
		return;
	}
	if (l->netlink || now_ns < l->retry_ns)
		return;
	rc = open_all(l);
	if (rc < 0) {
		give_up(l, rc, now_ns);
		return;
	}
	l->openings++;
	l->opened_ns = now_ns;
	l->note[0] = '\0';
}

/* ---- news ---- */

static void set_timer(struct oiscsi_listener *l, uint64_t at_ns)
{
	struct itimerspec spec = { .it_value = { .tv_sec = (time_t)(at_ns / NS_PER_S),
					   .tv_nsec = (long)(at_ns % NS_PER_S) } };

	if (at_ns == l->timer_ns || l->timer_fd < 0)
		return;
	timerfd_settime(l->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL);
	l->timer_ns = at_ns;
}

/* Sets the timer to what comes first. */
static void wake_next(struct oiscsi_listener *l, bool names, uint64_t now_ns)
{
	uint64_t next = names ? now_ns + NAMES_INTERVAL_NS : 0;

	for (size_t i = 0; i < ARRAY_SIZE(l->settle_ns); i++) {
		if (l->settle_ns[i] && (!next || l->settle_ns[i] < next))
			next = l->settle_ns[i];
	}
	set_timer(l, next);
}

static void tell(struct oiscsi_listener *l, uint64_t now_ns)
{
	l->news = true;
	for (size_t i = 0; i < ARRAY_SIZE(l->settle_ns); i++)
		l->settle_ns[i] = now_ns + settle_after_ns[i];
}

static void settle(struct oiscsi_listener *l, uint64_t now_ns)
{
	for (size_t i = 0; i < ARRAY_SIZE(l->settle_ns); i++) {
		if (!l->settle_ns[i] || l->settle_ns[i] > now_ns)
			continue;
		l->settle_ns[i] = 0;
		l->news = true;
	}
}

/* ---- messages ---- */

static void begin_anew(struct oiscsi_listener *l, uint64_t now_ns)
{
	oiscsi_events_clear(&l->events);
	l->opened_ns = now_ns > l->opened_ns ? now_ns : l->opened_ns + 1;
	tell(l, now_ns);
}

static void take_answer(struct oiscsi_listener *l, const struct oiscsi_event *event, int answer)
{
	if (l->waiting && event->sid == l->asked_sid && event->cid == l->asked_cid) {
		l->waiting = false;
		l->answer = answer;
	}
}

/*
 * The last chance: when the reader was late, all that a refused login is has come at once, and what
 * happened is counted with the names that are known then.
 */
static void read_names_before(struct oiscsi_listener *l, const struct oiscsi_event *event)
{
	struct oiscsi_watch *watch = oiscsi_watch_find(&l->events, event->sid);

	if (watch && watch->names_until_ns && !watch->names_known)
		watch->names_known = oiscsi_names_read(l->root, watch);
}

static void take_event(struct oiscsi_listener *l, const struct oiscsi_event *event, uint64_t now_ns)
{
	struct oiscsi_watch *watch;
	int rc;

	if (event->type == OISCSI_EVENT_STATISTICS) {
		l->take_statistics(l->context, event, now_ns);
		take_answer(l, event, 1);
		return;
	}
	if (event->type == OISCSI_EVENT_REFUSED) {
		take_answer(l, event, event->error);
		return;
	}
	read_names_before(l, event);
	rc = oiscsi_events_take(&l->events, event, now_ns);
	if (rc < 0)
		begin_anew(l, now_ns);
	else if (rc > 0)
		tell(l, now_ns);
	if (rc > 0 && event->type == OISCSI_EVENT_CREATED) {
		watch = oiscsi_watch_find(&l->events, event->sid);
		watch->names_until_ns = now_ns + NAMES_FOR_NS;
	}
}

/* One message. 1, 0 when none waits, or the error that ends the use of the socket. */
static int take_message(struct oiscsi_listener *l, uint64_t now_ns)
{
	ssize_t got = l->netlink->ops->receive(l->netlink, l->frame, OISCSI_FRAME_MAX);
	struct oiscsi_event event;
	int rc;

	if (got == 0)
		return 0;
	if (got == -EMSGSIZE || got == -ENOBUFS) {
		begin_anew(l, now_ns);
		return 1;
	}
	if (got < 0)
		return (int)got;
	rc = oiscsi_event_parse(l->frame, (size_t)got, &event);
	if (rc == 0)
		take_event(l, &event, now_ns);
	/* Login responses prove identities. */
	explicit_bzero(l->frame, (size_t)got);
	return rc < 0 ? rc : 1;
}

static void look_for_drops(struct oiscsi_listener *l, uint64_t now_ns)
{
	struct netlink_memory memory;

	if (l->netlink->ops->memory(l->netlink, &memory) < 0 || memory.dropped == l->dropped)
		return;
	l->dropped = memory.dropped;
	begin_anew(l, now_ns);
}

/* True when some are still being looked for. */
static bool read_names(struct oiscsi_listener *l, uint64_t now_ns)
{
	bool more = false;

	for (size_t i = 0; i < l->events.watch_count; i++) {
		struct oiscsi_watch *watch = l->events.watches[i];

		if (!watch->names_until_ns)
			continue;
		watch->names_known = oiscsi_names_read(l->root, watch);
		if (watch->names_known || now_ns >= watch->names_until_ns)
			watch->names_until_ns = 0;
		else
			more = true;
	}
	return more;
}

static bool is_logging_in(const struct oiscsi_listener *l, uint32_t sid)
{
	const struct oiscsi_watch *watch = oiscsi_watch_find(&l->events, sid);

	return watch && watch->attempt;
}

int oiscsi_listener_seen(struct oiscsi_listener *l, uint32_t sid, enum oiscsi_state state)
{
	struct oiscsi_watch *watch;
	int rc;

	/* The last answer was told before iscsid began to use the session: it may wait. Taken later
	 * it would be that of another login, without the keys of the answers before it. */
	if (state == OISCSI_LOGGED_IN && is_logging_in(l, sid))
		oiscsi_listener_pump(l, true);
	if (!l->netlink)
		return 0;
	rc = oiscsi_events_seen(&l->events, sid, state, clock_now_ns());
	if (rc < 0)
		return rc;
	watch = oiscsi_watch_find(&l->events, sid);
	if (watch->names_known)
		return 0;
	/* An event between two files could be the end of it. */
	l->pumping = true;
	watch->names_known = oiscsi_names_read(l->root, watch);
	l->pumping = false;
	return 0;
}

/* Returns true when the socket was read empty. */
static bool drain(struct oiscsi_listener *l, uint64_t now_ns)
{
	for (int i = 0; i < MESSAGES_PER_PUMP; i++) {
		int rc = take_message(l, now_ns);

		if (rc == 0)
			return true;
		if (rc < 0) {
			give_up(l, rc, now_ns);
			return false;
		}
	}
	return false;
}

bool oiscsi_listener_pump(struct oiscsi_listener *l, bool now)
{
	uint64_t now_ns;
	bool empty;

	if (!l->netlink || l->pumping)
		return false;
	now_ns = clock_now_ns();
	if (!now && now_ns < l->pumped_ns + PUMP_INTERVAL_NS)
		return false;
	l->pumping = true;
	l->pumped_ns = now_ns;
	empty = drain(l, now_ns);
	if (l->netlink) {
		l->back_off_ns = 0; /* it works */
		look_for_drops(l, now_ns);
		settle(l, now_ns);
		wake_next(l, read_names(l, now_ns), now_ns);
	}
	l->pumping = false;
	return empty;
}

int oiscsi_listener_fd(const struct oiscsi_listener *l)
{
	return l->epoll_fd;
}

int oiscsi_listener_event(struct oiscsi_listener *l)
{
	uint64_t times;
	int news;

	if (l->timer_fd >= 0 && read(l->timer_fd, &times, sizeof(times)) > 0)
		l->timer_ns = 0;
	oiscsi_listener_pump(l, true);
	news = l->news;
	l->news = false;
	return news;
}
