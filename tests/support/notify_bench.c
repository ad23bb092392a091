/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/notify_bench.h"

#include "base/clock.h"
#include "model/path.h"
#include "model/session_state.h"
#include "tests/support/handmade.h"
#include "tests/support/notify_decode.h"

#define WALL_ZERO_NS (UINT64_C(1700000000) * NS_PER_S)

struct bench_host host;
struct config bench_config;
uint64_t bench_now_ns;
uint64_t bench_unread;
struct bench_sent bench_sent[BENCH_SENT_MAX];
size_t bench_sent_count;
struct event_log *bench_log;
struct notifier *bench_notifier;

static struct mib_view *views[4];

uint64_t __wrap_clock_now_ns(void);
uint64_t __wrap_clock_wall_zero_ns(void);
int __wrap_clock_ms_until(uint64_t deadline_ns, int cap_ms);

uint64_t __wrap_clock_now_ns(void)
{
	return bench_now_ns;
}

uint64_t __wrap_clock_wall_zero_ns(void)
{
	return WALL_ZERO_NS;
}

/* The one of clock.c asks its own clock. */
int __wrap_clock_ms_until(uint64_t deadline_ns, int cap_ms)
{
	uint64_t ms = deadline_ns > bench_now_ns
			      ? (deadline_ns - bench_now_ns + NS_PER_MS - 1) / NS_PER_MS
			      : 0;

	return ms < (uint64_t)cap_ms ? (int)ms : cap_ms;
}

static void check(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "notify_bench: %s\n", what);
	abort();
}

static int take(const uint8_t *octets, size_t length, uint64_t event_ns)
{
	static struct decoded_notify d;
	struct bench_sent *sent = &bench_sent[bench_sent_count++];

	check(bench_sent_count <= BENCH_SENT_MAX, "too many notifications");
	notify_decode(octets, length, &d);
	memset(sent, 0, sizeof(*sent));
	sent->module = d.trap[4] != 2; /* mib-2: 1.3.6.1.2.1 */
	sent->notification = (uint8_t)d.trap[d.trap_length - 1];
	sent->at_ns = bench_now_ns;
	sent->event_ns = event_ns;
	/* Beyond the event's date and text come objects of the row itself. */
	for (size_t i = sent->module ? 2 : 0; i < d.count; i++) {
		const struct agentx_decoded_binding *b = &d.objects[i];

		if (!sent->row)
			sent->row = (uint32_t)b->name[b->name_length - 1];
		if (!b->octets && !b->ids_length && !sent->number)
			sent->number = b->number;
	}
	return 0;
}

static uint64_t waiting(void)
{
	return bench_unread;
}

static struct path *add_path(struct snapshot *s, uint32_t number, uint32_t status)
{
	struct path *path = handmade_add(s, OBJECT_PATH, NULL);

	path->object.index = number;
	path->instance = 0;
	path->session = 0;
	OPT_SET(path->direction, PATH_OUTBOUND);
	OPT_SET(path->status, status);
	handmade_text(s, &path->target_name, "iqn.t", 5);
	return path;
}

static void add_session(struct snapshot *s)
{
	struct node *node = handmade_add(s, OBJECT_NODE, NULL);
	struct session *session = handmade_add(s, OBJECT_SESSION, NULL);

	node->instance = 0;
	node->object.index = 1;
	OPT_SET(node->roles, 0x40);
	session->instance = session->node = 0;
	session->object.index = 1;
	OPT_SET(session->direction, PATH_OUTBOUND);
	OPT_SET(session->condition, host.condition);
}

static struct snapshot *look(void)
{
	struct snapshot *s = handmade_new();
	struct instance *instance = handmade_add(s, OBJECT_INSTANCE, NULL);
	struct source_info *source = handmade_add(s, OBJECT_SOURCE, NULL);

	s->made_ns = bench_now_ns;
	s->wall_zero_ns = WALL_ZERO_NS;
	s->units = calloc(1, sizeof(*s->units));
	check(s->units, "no memory");
	s->unit_count = 1;
	s->units[0].state = SOURCE_OK;
	instance->object.index = 1;
	OPT_SET(instance->number, 1);
	OPT_SET(instance->session_failures, host.session_failures);
	instance->discontinuity = (struct opt_time){ .ns = host.discontinuity_ns, .known = 1 };
	source->object.index = 1;
	OPT_SET(source->state, host.source_state);
	add_session(s);
	for (uint32_t i = 0; i < BENCH_PATHS; i++) {
		struct path *path = host.status[i] ? add_path(s, i + 1, host.status[i]) : NULL;

		if (path && host.missing[i]) {
			path->session = LINK_NONE;
			OPT_SET(path->expected, 1);
		}
	}
	for (uint32_t i = 0; i < host.more_paths; i++)
		add_path(s, BENCH_PATHS + 1 + i, host.many_status);
	return s;
}

static void free_views(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(views); i++) {
		mib_view_free(views[i]);
		views[i] = NULL;
	}
}

/* As the daemon does it: events are found after the first view and before the others. */
static void make_views(struct snapshot *s, struct mib_view *now[])
{
	for (size_t i = 0; mib_modules[i]; i++) {
		check(mib_view_new(mib_modules[i], s, &now[i]) == 0, "no memory");
		if (i == 0)
			check(notifier_observe(bench_notifier, views[0], s, now[0]) == 0,
				"no memory");
	}
}

size_t bench_poll(uint64_t after_ns)
{
	struct mib_view *now[ARRAY_SIZE(views)] = { NULL };
	size_t before = bench_sent_count;
	struct snapshot *s;

	bench_now_ns += after_ns;
	s = look();
	make_views(s, now);
	free_views();
	memcpy(views, now, sizeof(views));
	notifier_tell(bench_notifier, views);
	notifier_dispatch(bench_notifier);
	snapshot_put(s);
	return bench_sent_count - before;
}

void bench_poll_in_vain(uint64_t after_ns)
{
	struct mib_view *now[ARRAY_SIZE(views)] = { NULL };
	struct snapshot *s;

	bench_now_ns += after_ns;
	s = look();
	make_views(s, now);
	notifier_tell(bench_notifier, NULL);
	for (size_t i = 0; now[i]; i++)
		mib_view_free(now[i]);
	snapshot_put(s);
}

size_t bench_wait(uint64_t ns)
{
	uint64_t end_ns = bench_now_ns + ns;
	size_t before = bench_sent_count, sent = before;

	while (bench_now_ns < end_ns) {
		/* The master's answer to what has just been sent makes a turn, too. */
		int timeout_ms = bench_sent_count > sent ? 1 : 1000;

		sent = bench_sent_count;
		notifier_prepare(bench_notifier, &timeout_ms);
		check(timeout_ms >= 0 && timeout_ms <= 1000, "the timeout");
		bench_now_ns += timeout_ms ? (uint64_t)timeout_ms * NS_PER_MS : 1000;
		notifier_dispatch(bench_notifier);
	}
	return bench_sent_count - before;
}

uint32_t bench_last_event(void)
{
	return event_log_next(bench_log) - 1;
}

const struct event *bench_event(uint32_t number)
{
	const struct snapshot *s = mib_view_snapshot(views[0]);

	for (uint32_t i = 0; i < snapshot_count(s, OBJECT_EVENT); i++) {
		if (snapshot_events(s)[i].object.index == number)
			return &snapshot_events(s)[i];
	}
	return NULL;
}

void bench_configure(void)
{
	notifier_configure(bench_notifier, &bench_config);
}

int bench_set_up(void **state)
{
	struct notifier_settings settings = {
		.config = &bench_config, .send = take, .waiting = waiting
	};

	(void)state;
	memset(&host, 0, sizeof(host));
	for (uint32_t i = 0; i < BENCH_PATHS; i++)
		host.status[i] = PATH_CONNECTED;
	host.condition = SESSION_UP;
	host.source_state = 1;
	host.many_status = PATH_CONNECTED;
	config_defaults(&bench_config);
	bench_now_ns = 1000 * NS_PER_S;
	bench_unread = 0;
	bench_sent_count = 0;
	bench_log = event_log_new(bench_config.event_table_size);
	settings.log = bench_log;
	bench_notifier = notifier_new(&settings);
	return bench_log && bench_notifier ? 0 : -1;
}

int bench_tear_down(void **state)
{
	(void)state;
	free_views();
	notifier_free(bench_notifier);
	event_log_free(bench_log);
	return 0;
}
