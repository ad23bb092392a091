/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way of the data, in one turn of the loop: collector (fragments of the readers) -> units ->
 * snapshot_build with the registry -> one view for each MIB module -> the front (front.h).
 */
#include "agent/daemon.h"

#include "agent/agentx.h"
#include "agent/control.h"
#include "agent/front.h"
#include "agent/notify.h"
#include "agent/setup.h"
#include "agent/snmp_front.h"
#include "agent/state.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "index/registry.h"
#include "reader/collector.h"
#include "source/source_select.h"

#include <poll.h>

#define FDS_MAX 192

/* For the last save; the parent allows 0.6 s in all. */
#define CLOSE_WAIT_NS (200 * NS_PER_MS)
#define ALIVE_NS      NS_PER_S
/* The parent answers at once; beyond this it is stopped, and the connection is tried later. */
#define CONNECT_WAIT_NS (300 * NS_PER_MS)

/* Without a disk that takes the engine's number of starts, managers are answered all the same. */
#define ENGINE_WAIT_NS (5 * NS_PER_S)

/* Snapshots for which an unseen session keeps its number, since its unit may come back. */
#define KEEP_ROUNDS 1000

struct daemon {
	struct config config;
	struct path_rules rules; /* of the configuration */
	int control;
	bool stop;
	struct units *units;
	struct collector *collector;
	struct registry *registry;
	struct state *state;
	struct event_log *events;
	struct notifier *notifier;
	const struct front *front;
	const struct snmp_settings *snmp; /* -M; NULL: AgentX */
	struct mib_view *views[FRONT_MODULES_MAX + 1];
	uint64_t generation;
	uint64_t built_ns; /* when the last snapshot was tried */
	uint64_t alive_at_ns;
	uint64_t started_ns;
	bool served;
	int locks[2];		 /* state_lock */
	uint32_t readers_to_end; /* bits: of these sources the parent could not be told yet */
};

static struct collector_settings collector_settings_of(struct daemon *d);

static void handle_message(struct daemon *d, const struct control_message *m, int fd)
{
	struct collector_settings settings;

	switch (m->type) {
	case CONTROL_READER:
		d->readers_to_end &= ~(UINT32_C(1) << m->value);
		if (fd >= 0)
			collector_attach(d->collector, m->value, fd);
		return;
	case CONTROL_SAVER:
		if (fd >= 0)
			state_attach_saver(d->state, fd);
		return;
	case CONTROL_CONFIG:
		d->config = m->config;
		settings = collector_settings_of(d);
		collector_configure(d->collector, &settings);
		units_set_stale_max(d->units, d->config.stale_max * NS_PER_S);
		config_path_rules(&d->config, &d->rules); /* for the next snapshot */
		notifier_configure(d->notifier, &d->config);
		d->front->set_notify_queue(d->config.notify_queue);
		break;
	case CONTROL_STOP:
		d->stop = true;
		break;
	default: /* a CONTROL_SOCKET that came too late */
		break;
	}
	if (fd >= 0)
		close(fd);
}

/* Handles what the parent has sent; with `wait_for_socket`, also keeps a CONTROL_SOCKET. */
static void drain_control(struct daemon *d, int *wait_for_socket)
{
	for (;;) {
		struct control_message m;
		int fd = -1, rc = control_receive(d->control, &m, &fd);

		if (rc == -EAGAIN)
			return;
		if (rc <= 0) {
			/* Without a parent nobody would restart the readers or reconnect. */
			if (!d->stop)
				log_error("the parent process is gone: stopping");
			d->stop = true;
			return;
		}
		if (m.type == CONTROL_SOCKET && wait_for_socket && *wait_for_socket == -EINPROGRESS)
			*wait_for_socket = m.value < 0 ? m.value : fd;
		else
			handle_message(d, &m, fd);
	}
}

/* agentx_settings.open_socket: the parent opens it, since this process may not. */
static int open_master_socket(void *context)
{
	struct daemon *d = context;
	struct control_message m = { .type = CONTROL_CONNECT };
	uint64_t deadline_ns = clock_now_ns() + CONNECT_WAIT_NS;
	int result = -EINPROGRESS;
	int rc = control_send(d->control, &m, -1);

	if (rc < 0)
		return rc;
	while (result == -EINPROGRESS && !d->stop) {
		struct pollfd fd = { .fd = d->control, .events = POLLIN };

		if (deadline_ns <= clock_now_ns())
			return -ETIMEDOUT;
		if (poll(&fd, 1, clock_ms_until(deadline_ns, 300)) > 0)
			drain_control(d, &result);
	}
	return result == -EINPROGRESS ? -ECONNABORTED : result;
}

/* A reader that hangs does not end by itself, so the parent has to hear of it, if not at once. */
static void end_readers(struct daemon *d)
{
	for (int i = 0; i < SOURCES_MAX; i++) {
		struct control_message m = { .type = CONTROL_READER_FAILED, .value = i };

		if (d->readers_to_end & UINT32_C(1) << i && control_send(d->control, &m, -1) == 0)
			d->readers_to_end &= ~(UINT32_C(1) << i);
	}
}

static void reader_failed(void *context, int source)
{
	struct daemon *d = context;

	d->readers_to_end |= UINT32_C(1) << source;
	end_readers(d);
}

static struct collector_settings collector_settings_of(struct daemon *d)
{
	return (struct collector_settings){
		.poll_interval_ns = d->config.poll_interval * NS_PER_S,
		.poll_timeout_ns = d->config.poll_timeout * NS_PER_S,
		.reader_failed = reader_failed,
		.context = d,
	};
}

static void free_views(struct mib_view *views[])
{
	for (int i = 0; i < FRONT_MODULES_MAX; i++) {
		mib_view_free(views[i]);
		views[i] = NULL;
	}
}

/* Makes the views of a snapshot and serves them instead of the old ones. */
static int serve_snapshot(struct daemon *d, struct snapshot *s)
{
	struct mib_view *views[FRONT_MODULES_MAX + 1] = { NULL };

	for (int i = 0; mib_modules[i]; i++) {
		int rc = mib_view_new(mib_modules[i], s, &views[i]);

		if (rc < 0) {
			notifier_tell(d->notifier, NULL);
			free_views(views);
			return rc;
		}
		mib_view_set_uptime_zero(views[i], state_uptime_zero(d->state));
		/* Before the next view, which shows events: those of this snapshot among them. */
		if (i == 0 && notifier_observe(d->notifier, d->views[0], s, views[0]) < 0)
			log_error("no memory for the events of this snapshot");
	}
	d->front->serve(views);
	free_views(d->views);
	memcpy(d->views, views, sizeof(views));
	notifier_tell(d->notifier, d->views);
	return 0;
}

static struct agent_facts facts_of(const struct daemon *d)
{
	struct notifier_counts notifier;
	struct front_counts front;

	notifier_counts(d->notifier, &notifier);
	d->front->counts(&front);
	return (struct agent_facts){
		.started_ns = d->started_ns,
		.notify_sent = front.sent,
		.notify_suppressed = notifier.suppressed,
		.notify_dropped = notifier.dropped + front.lost,
		.notify_waiting = notifier.held + (uint32_t)front.waiting,
	};
}

/* A new snapshot from what the units are now. On failure the old one stays in service. */
static void rebuild(struct daemon *d)
{
	CLEANUP_FREE struct snapshot_input *inputs = NULL;
	struct snapshot *s = NULL;
	int rc, count = units_inputs(d->units, state_known_before(d->state), &inputs);

	d->built_ns = clock_now_ns();
	rc = count < 0 ? count
		       : snapshot_build(inputs, (uint32_t)count, d->registry, &d->rules,
				 ++d->generation, clock_now_ns(), &s);
	if (rc == 0) {
		struct agent_facts facts = facts_of(d);

		snapshot_set_agent(s, &facts);
		rc = serve_snapshot(d, s);
	}
	snapshot_put(s);
	if (rc < 0) {
		log_error("cannot make a new view (%s): serving the one of before", strerror(-rc));
		return;
	}
	registry_sweep(d->registry, KEEP_ROUNDS);
	d->served = d->served || units_all_polled(d->units);
}

static uint32_t count_failing(const struct snapshot *s)
{
	uint32_t failing = 0;

	for (uint32_t i = 0; s && i < s->unit_count; i++)
		failing += s->units[i].state == SOURCE_FAILING || s->units[i].state == SOURCE_STALE;
	return failing;
}

/*
 * A source that fails brings nothing new, but the age of its rows, which the snapshot has, goes on:
 * where it is the only source, nothing else would make another snapshot.
 */
static bool is_outdated(const struct daemon *d)
{
	return d->views[0] && count_failing(mib_view_snapshot(d->views[0])) &&
	       clock_now_ns() - d->built_ns >= d->config.poll_interval * NS_PER_S;
}

/* What `systemctl status` shows. */
static void say_alive(struct daemon *d)
{
	struct control_message m = { .type = CONTROL_ALIVE, .value = d->served };
	const struct snapshot *s = d->views[0] ? mib_view_snapshot(d->views[0]) : NULL;

	snprintf(m.text, sizeof(m.text),
		"%s; %u targets and initiators, %u sessions; %u sources failing",
		d->front->status(), s ? snapshot_count(s, OBJECT_NODE) : 0,
		s ? snapshot_count(s, OBJECT_SESSION) : 0, count_failing(s));
	if (control_send(d->control, &m, -1) == 0)
		d->alive_at_ns = clock_now_ns() + ALIVE_NS;
	else
		d->alive_at_ns = clock_now_ns() + ALIVE_NS / 10;
}

static void follow_uptime(struct daemon *d)
{
	uint64_t zero_ns = d->front->uptime_zero_ns();

	if (zero_ns == state_uptime_zero(d->state) || !zero_ns)
		return;
	state_set_uptime_zero(d->state, zero_ns);
	for (int i = 0; d->views[i]; i++)
		mib_view_set_uptime_zero(d->views[i], zero_ns);
}

/*
 * Waits until a turn is needed. Requests, as long as nothing else happens and no time is reached,
 * are answered without one: a master sends the next request as soon as it has the answer.
 * Returns a negative errno when there is nothing to do.
 */
static int wait_for_turn(
	struct daemon *d, struct pollfd *fds, size_t others, size_t front, int timeout_ms)
{
	uint64_t until_ns = clock_now_ns() + (uint64_t)timeout_ms * NS_PER_MS;

	for (;;) {
		int ready = poll(fds, (nfds_t)(others + front), timeout_ms);

		if (ready < 0)
			return errno == EINTR ? 0 : -errno;
		for (size_t i = 0; i < others && ready > 0; i++) {
			if (fds[i].revents)
				return 0;
		}
		if (ready == 0 || !d->front->answer_requests(fds + others, front))
			return 0;
		timeout_ms = clock_ms_until(until_ns, timeout_ms);
		if (timeout_ms == 0)
			return 0;
	}
}

/* With -M: as soon as the engine's number of starts cannot be used again. */
static void open_front(struct daemon *d)
{
	if (!d->snmp || snmp_front_is_open())
		return;
	if (!state_engine_is_saved(d->state)) {
		if (clock_now_ns() < d->started_ns + ENGINE_WAIT_NS)
			return;
		log_error("%s: the SNMP engine's number of starts cannot be saved: answering "
			  "nevertheless; after the next start managers of SNMPv3 may refuse "
			  "this engine for a while",
			d->config.state_dir);
	}
	snmp_front_open();
}

static void turn(struct daemon *d)
{
	struct pollfd fds[FDS_MAX];
	int timeout_ms = clock_ms_until(d->alive_at_ns, 1000);
	size_t control = 1, readers, state, front;

	fds[0] = (struct pollfd){ .fd = d->control, .events = POLLIN };
	readers = collector_prepare(d->collector, fds + control, FDS_MAX / 2, &timeout_ms);
	notifier_prepare(d->notifier, &timeout_ms);
	state = state_prepare(d->state, fds + control + readers, 1, &timeout_ms);
	front = d->front->prepare(
		fds + control + readers + state, FDS_MAX - control - readers - state, &timeout_ms);
	if (wait_for_turn(d, fds, control + readers + state, front, timeout_ms) < 0)
		return;
	if (fds[0].revents)
		drain_control(d, NULL);
	end_readers(d);
	collector_dispatch(d->collector, fds + control, readers);
	state_dispatch(d->state, fds + control + readers, state);
	d->front->dispatch(fds + control + readers + state, front);
	open_front(d);
	follow_uptime(d);
	if (units_take_changed(d->units, collector_is_settled(d->collector)) || is_outdated(d))
		rebuild(d);
	notifier_dispatch(d->notifier);
	if (d->alive_at_ns <= clock_now_ns())
		say_alive(d);
}

static int start_agentx(struct daemon *d)
{
	struct agentx_settings settings = {
		.ping_interval_s = d->config.agentx_ping_interval,
		.open_socket = open_master_socket,
		.context = d,
		.notify_queue = d->config.notify_queue,
		.uptime_zero_ns = state_uptime_zero(d->state),
	};

	snprintf(settings.address, sizeof(settings.address), "%s", d->config.agentx_socket);
	return agentx_start(&settings, mib_modules);
}

static void say_still_alive(void *context)
{
	struct daemon *d = context;

	if (d->alive_at_ns <= clock_now_ns())
		say_alive(d);
}

static int start_snmp(struct daemon *d)
{
	struct snmp_settings settings = *d->snmp;
	struct engine engine;
	int rc;

	settings.alive = say_still_alive;
	settings.context = d;
	state_load_engine(d->state, &settings.engine);
	rc = snmp_front_start(&settings, mib_modules, &engine);
	if (rc == 0)
		state_set_engine(d->state, &engine);
	return rc;
}

static int start(struct daemon *d, const struct source_ops *const sources[])
{
	struct collector_settings settings = collector_settings_of(d);
	struct notifier_settings notifier = {
		.config = &d->config,
		.send = d->front->notify,
		.waiting = d->front->notify_waiting,
	};

	int locked = state_lock(&d->config, d->locks);

	if (locked < 0)
		return locked;
	config_path_rules(&d->config, &d->rules);
	d->units = units_new(d->config.stale_max * NS_PER_S);
	d->registry = registry_new();
	if (!d->units || !d->registry)
		return -ENOMEM;
	d->collector = collector_new(&settings, d->units);
	if (!d->collector)
		return -ENOMEM;
	for (int i = 0; sources[i]; i++) {
		int rc = collector_add(d->collector, sources[i]->name);

		if (rc < 0)
			return rc;
	}
	if (units_add_disabled(d->units, sources) < 0)
		return -ENOMEM;
	d->events = event_log_new(d->config.event_table_size);
	if (!d->events)
		return -ENOMEM;
	d->state = state_open(&d->config, d->registry, d->events);
	if (!d->state)
		return -ENOMEM;
	notifier.log = d->events;
	d->notifier = notifier_new(&notifier);
	if (!d->notifier)
		return -ENOMEM;
	return d->snmp ? start_snmp(d) : start_agentx(d);
}

static void finish(struct daemon *d)
{
	struct mib_view *none[FRONT_MODULES_MAX + 1] = { NULL };

	d->front->stop();
	d->front->serve(none);
	state_close(d->state, CLOSE_WAIT_NS);
	notifier_free(d->notifier);
	event_log_free(d->events);
	free_views(d->views);
	collector_free(d->collector);
	units_free(d->units);
	registry_free(d->registry);
	for (size_t i = 0; i < ARRAY_SIZE(d->locks); i++) {
		if (d->locks[i] >= 0)
			close(d->locks[i]);
	}
}

int daemon_run(const struct config *config, const struct snmp_settings *snmp, int control,
	const struct source_ops *const sources[])
{
	struct daemon d = { .config = *config,
		.snmp = snmp,
		.front = snmp ? &snmp_front : &agentx_front,
		.control = control,
		.started_ns = clock_now_ns() };
	int rc;

	setup_memory();
	rc = start(&d, sources);
	if (rc == -EBUSY)
		return DAEMON_NOT_ALONE;
	if (rc < 0) {
		log_error("the agent process cannot start: %s", strerror(-rc));
		return EXIT_FAILURE;
	}
	/* Its files have been read, its socket comes from the parent: it opens nothing any more.
	 * With -M the library reads hosts.allow and hosts.deny for each request. */
	setup_sandbox(&d.config, "agent process",
		SANDBOX_LOG | (snmp ? SANDBOX_LISTEN | SANDBOX_READ : 0));
	while (!d.stop)
		turn(&d);
	finish(&d);
	return EXIT_SUCCESS;
}
