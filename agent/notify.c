/* SPDX-License-Identifier: BSD-2-Clause */
#include "agent/notify.h"

#include "agent/notify_damp.h"
#include "agent/notify_detect.h"
#include "agent/notify_encode.h"
#include "agent/notify_select.h"
#include "base/clock.h"
#include "base/log.h"
#include "model/event_find.h"
#include "model/event_text.h"

/* Events of one snapshot that are looked at; one for each of so many rows is a rare disaster. */
#define FOUND_MAX 10000u

/*
 * What a manager receives keeps the rule too, though the way there takes now a bit longer, now a
 * bit less.
 */
#define WINDOW_MARGIN_NS (100 * NS_PER_MS)

/* A way to the master that takes longer is not the usual one: windows begin when it is over. */
#define DELAYED_NS (100 * NS_PER_MS)

/* An event of the newest snapshot, until it is told. */
struct found {
	uint32_t type, row_type, number;
	uint32_t still_true; /* bits: types that say of its row what is so still */
	enum damp_result damped;
	uint32_t key[MIB_KEY_MAX];
	uint64_t when_ns;
};

struct notifier {
	struct notifier_settings settings;
	struct config config;
	bool enabled[EVENT_TYPES];
	struct notify_place places[EVENT_TYPES]; /* notification NULL: there is none */
	struct rate *rate;
	struct damp *damp;
	struct mib_view *const *views;
	struct snapshot *snapshot; /* while it is being told */
	struct found *found;
	size_t found_count;
	uint64_t overflow;	/* events beyond FOUND_MAX in this snapshot */
	uint64_t busy_since_ns; /* since when the master has not taken all; 0 it has */
	uint64_t flapping;	/* events that were held down and are not told */
	uint64_t dropped;
	bool started;
};

/* ---- life ---- */

void notifier_configure(struct notifier *n, const struct config *config)
{
	const struct rate_settings rate = {
		.each = config->notify_limit,
		.all = config->notify_limit_all,
		.window_ns = config->notify_window * NS_PER_S + WINDOW_MARGIN_NS,
	};
	const struct damp_settings damp = {
		.changes = config->notify_flap_changes,
		.window_ns = config->notify_flap_window * NS_PER_S,
	};

	n->config = *config;
	notify_select(config->notifications, n->enabled);
	rate_configure(n->rate, &rate);
	damp_configure(n->damp, &damp);
	event_log_set_limit(n->settings.log, config->event_table_size);
}

struct notifier *notifier_new(const struct notifier_settings *settings)
{
	const struct rate_settings rate = { .each = 0 };
	const struct damp_settings damp = { .changes = 0 };
	struct notifier *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->settings = *settings;
	n->rate = rate_new(&rate);
	n->damp = damp_new(&damp);
	n->found = calloc(FOUND_MAX, sizeof(*n->found));
	if (!n->rate || !n->damp || !n->found) {
		notifier_free(n);
		return NULL;
	}
	for (uint32_t type = 1; type < EVENT_TYPES; type++)
		notify_find(event_type_notification(type), &n->places[type]);
	notifier_configure(n, settings->config);
	return n;
}

void notifier_free(struct notifier *n)
{
	if (!n)
		return;
	rate_free(n->rate);
	damp_free(n->damp);
	free(n->found);
	free(n);
}

/* ---- what has happened ---- */

static struct event_record *log_event(struct notifier *n, struct event_record *record,
	uint32_t type, const uint32_t key[MIB_KEY_MAX], uint64_t when_ns)
{
	record->type = type;
	record->told = TOLD_OFF;
	record->time_ns = when_ns;
	record->wall_ns = clock_wall_zero_ns() + when_ns;
	memcpy(record->key, key, sizeof(record->key));
	return event_log_add(n->settings.log, record);
}

static bool may_flap(uint32_t type)
{
	switch (event_type_subject(type)) {
	case SUBJECT_PATH_STATUS:
	case SUBJECT_PATH_PRIMARY:
	case SUBJECT_MAP_STATUS:
	case SUBJECT_SESSION_HEALTH:
	case SUBJECT_TARGET_SESSIONS:
	case SUBJECT_SOURCE_STATE:
		return true;
	default:
		return false;
	}
}

/* What damp and rate know an event by. A row that flaps is one subject for each of its types. */
static struct rate_item item_of(const struct found *found, uint32_t row_type)
{
	struct rate_item item = { .type = found->type,
		.group = event_type_subject(found->type),
		.number = found->number,
		.event_ns = found->when_ns };

	if (found->type == EVENT_FLAPPING)
		item.group += (uint32_t)event_type_subject(row_type) << 16;
	memcpy(item.key, found->key, sizeof(item.key));
	return item;
}

/* Adds an event to the log, and to what is to be told; false when that is not possible. */
static bool add_event(struct notifier *n, struct event_record *record, uint32_t type,
	const uint32_t key[MIB_KEY_MAX], uint64_t when_ns)
{
	const struct event_record *logged;
	struct found *found = &n->found[n->found_count];

	if (n->found_count == FOUND_MAX) {
		n->overflow++;
		return false;
	}
	logged = log_event(n, record, type, key, when_ns);
	if (!logged) {
		n->dropped++;
		return false;
	}
	*found = (struct found){
		.type = type, .number = logged->number, .still_true = UINT32_MAX, .when_ns = when_ns
	};
	memcpy(found->key, key, sizeof(found->key));
	found->row_type = record->row_type;
	n->found_count++;
	return true;
}

/* What was said before of the subject of a new event, and is true of the object as it is now. */
static uint32_t types_still_true(uint32_t new_type, const void *object)
{
	uint32_t types = 0;

	for (uint32_t type = 1; type < EVENT_TYPES; type++) {
		if (event_type_subject(type) == event_type_subject(new_type) &&
			event_is_still_true(type, object))
			types |= UINT32_C(1) << type;
	}
	return types;
}

static void add_found(void *context, uint32_t type, const void *before, const void *object,
	const uint32_t key[EVENT_KEY_MAX], uint64_t when_ns)
{
	struct notifier *n = context;
	struct event_record record = { .row_type = type };
	struct rate_item item;
	struct found *found;

	_Static_assert(EVENT_KEY_MAX == MIB_KEY_MAX, "an index fits into an event");
	_Static_assert(EVENT_TYPES <= RATE_TYPES, "each type has its window");
	event_describe(n->snapshot, type, before, object, n->config.target_session_limit, &record);
	if (!add_event(n, &record, type, key, when_ns) || !may_flap(type))
		return;
	found = &n->found[n->found_count - 1];
	found->still_true = types_still_true(type, object);
	item = item_of(found, type);
	found->damped = damp_change(n->damp, clock_now_ns(), &item);
	if (found->damped != DAMP_BEGINS)
		return;
	event_describe_flapping(
		n->config.notify_flap_changes, n->config.notify_flap_window * NS_PER_S, &record);
	add_event(n, &record, EVENT_FLAPPING, key, when_ns);
}

static void add_counted(void *context, const struct mib_notification *notification,
	const struct mib_row *row, uint64_t when_ns)
{
	const struct notifier *n = context;

	for (uint32_t type = 1; type < EVENT_TYPES; type++) {
		if (n->places[type].notification == notification)
			add_found(context, type, NULL, row->object, row->key, when_ns);
	}
}

static void log_start(struct notifier *n)
{
	struct event_record record = { .row_type = EVENT_AGENT_STARTED };
	const uint32_t no_row[MIB_KEY_MAX] = { 0 };

	n->started = true;
	event_set_text(record.subject, "the agent");
	event_set_text(record.text, "iscsi-agentx %s started: what happened before was not seen",
		ISCSI_AGENTX_VERSION);
	log_event(n, &record, EVENT_AGENT_STARTED, no_row, clock_now_ns());
}

int notifier_observe(struct notifier *n, const struct mib_view *before, struct snapshot *s,
	const struct mib_view *now)
{
	int rc = 0;

	n->found_count = 0;
	n->snapshot = s;
	n->overflow = 0;
	event_log_begin(n->settings.log);
	if (!n->started)
		log_start(n);
	if (before) {
		notify_detect(before, now, add_counted, n);
		rc = event_find(
			mib_view_snapshot(before), s, n->config.target_session_limit, add_found, n);
	}
	if (n->overflow) {
		log_warning("%llu events at once: the last %llu of them are not recorded",
			(unsigned long long)(n->overflow + FOUND_MAX),
			(unsigned long long)n->overflow);
		n->dropped += n->overflow;
	}
	if (event_log_put(n->settings.log, s) < 0)
		rc = -ENOMEM;
	return rc;
}

/* ---- telling it ---- */

static int encode(struct notifier *n, struct rate_item *item)
{
	uint8_t *octets;
	int rc = notify_encode(
		n->views, &n->places[item->type], item->key, item->number, &octets, &item->length);

	if (rc == 0) {
		free(item->octets);
		item->octets = octets;
	}
	return rc;
}

/* Gives everything to the master that may go now. */
static void drain(struct notifier *n, uint64_t now_ns)
{
	struct rate_item item;

	while (rate_take(n->rate, now_ns, &item)) {
		/*
		 * Counters may have gone on while it was held. What an event says of itself has
		 * not, and its row may be beyond the table's end by now.
		 */
		if (n->views && n->places[item.type].notification->triggers[0])
			encode(n, &item);
		if (!n->busy_since_ns)
			n->busy_since_ns = now_ns;
		n->settings.send(item.octets, item.length, item.event_ns);
		if (n->snapshot)
			event_log_set_told(n->settings.log, n->snapshot, item.number, TOLD_SENT);
		free(item.octets);
	}
}

/* The record says held, until drain says that it was sent. */
static void tell(struct notifier *n, const struct rate_item *item, uint64_t now_ns)
{
	event_log_set_told(n->settings.log, n->snapshot, item->number, TOLD_HELD);
	rate_put(n->rate, item);
	drain(n, now_ns);
}

/* That a row flaps is worth telling when one of its changes would be. */
static bool is_enabled(const struct notifier *n, const struct found *found)
{
	if (found->type != EVENT_FLAPPING || !n->enabled[EVENT_FLAPPING])
		return n->enabled[found->type];
	for (uint32_t type = 1; type < EVENT_TYPES; type++) {
		if (n->enabled[type] &&
			event_type_subject(type) == event_type_subject(found->row_type))
			return true;
	}
	return false;
}

static void tell_found(struct notifier *n, const struct found *found, uint64_t now_ns)
{
	struct rate_item item = item_of(found, found->row_type);
	bool wanted = is_enabled(n, found) && n->places[found->type].notification;

	if (!wanted || encode(n, &item) < 0) {
		n->dropped += wanted;
		/* Not told; what it contradicts is not to be told as the last state, either. */
		rate_forget(n->rate, &item, found->still_true);
		n->flapping += damp_forget(n->damp, &item, found->still_true);
		return;
	}
	if (found->damped == DAMP_PASSES) {
		tell(n, &item, now_ns);
		return;
	}
	/* What is held is its last state no more, and that one waits until it is quiet. */
	rate_forget(n->rate, &item, 0);
	event_log_set_told(n->settings.log, n->snapshot, found->number, TOLD_FLAPPING);
	n->flapping += damp_keep(n->damp, &item);
}

void notifier_tell(struct notifier *n, struct mib_view *const views[])
{
	uint64_t now_ns = clock_now_ns();

	n->views = views;
	for (size_t i = 0; views && i < n->found_count; i++)
		tell_found(n, &n->found[i], now_ns);
	n->found_count = 0;
	n->snapshot = NULL;
}

/* ---- the loop ---- */

void notifier_prepare(const struct notifier *n, int *timeout_ms)
{
	uint64_t rate = rate_due(n->rate), damp = damp_due(n->damp);
	uint64_t next = rate < damp ? rate : damp;
	int ms = next == UINT64_MAX ? *timeout_ms : clock_ms_until(next, 60 * 1000);

	if (*timeout_ms < 0 || ms < *timeout_ms)
		*timeout_ms = ms;
}

/* What waited for the master went out only now. */
static void follow_master(struct notifier *n, uint64_t now_ns)
{
	if (!n->busy_since_ns || n->settings.waiting())
		return;
	if (now_ns - n->busy_since_ns > DELAYED_NS)
		rate_delayed(n->rate, n->busy_since_ns, now_ns);
	n->busy_since_ns = 0;
}

void notifier_dispatch(struct notifier *n)
{
	uint64_t now_ns = clock_now_ns();
	struct rate_item item;

	follow_master(n, now_ns);
	while (damp_take(n->damp, now_ns, &item)) {
		if (item.octets)
			rate_put(n->rate, &item);
	}
	drain(n, now_ns);
}

void notifier_counts(const struct notifier *n, struct notifier_counts *ret)
{
	const struct rate_counts *rate = rate_counts(n->rate);

	ret->suppressed = rate->suppressed + n->flapping;
	ret->dropped = rate->dropped + n->dropped;
	ret->held = (uint32_t)(rate_held(n->rate) + damp_flapping(n->damp));
}
