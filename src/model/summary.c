/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/summary.h"

#include "base/text.h"
#include "model/path.h"
#include "model/path_join.h"
#include "model/session_state.h"

#include <stdarg.h>

/* What the counts are made of. */
struct counts {
	uint32_t sessions, full, failed, inbound;
	uint32_t expected, connected, reconnecting, missing, untold;
	uint32_t devices, devices_faulty;
	bool devices_known, faults_known; /* of all sessions */
	uint32_t maps, maps_short, maps_failed;
	bool maps_known;
	uint32_t sources, failing, unread;
	bool paths_unread; /* the source that tells of them is one of these */
	uint32_t targets, unreachable;
	const struct path *unreachable_path; /* the first path to the first of them */
};

static void count_sessions(const struct snapshot *s, struct counts *c)
{
	uint32_t without_devices = 0, without_faults = 0;

	for (uint32_t i = 0; i < snapshot_count(s, OBJECT_SESSION); i++) {
		const struct session *session = &snapshot_sessions(s)[i];
		uint32_t condition = session->condition.known ? session->condition.value : 0;

		if (!session->object.index || !session->direction.known)
			continue;
		if (session->direction.value == PATH_INBOUND) {
			c->inbound++;
			continue;
		}
		c->sessions++;
		c->full += condition == SESSION_UP;
		c->failed += condition == SESSION_LOST || condition == SESSION_EXPIRED ||
			     condition == SESSION_ABANDONED;
		without_devices += !session->device_count.known;
		without_faults += !session->device_fault_count.known;
		c->devices += session->device_count.value;
		c->devices_faulty += session->device_fault_count.value;
	}
	c->devices_known = !without_devices;
	c->faults_known = !without_faults;
}

static bool should_be_connected(const struct path *path)
{
	return path->object.index && path->direction.known &&
	       path->direction.value == PATH_OUTBOUND &&
	       (path->session != LINK_NONE || (path->expected.known && path->expected.value));
}

static bool is_connected(const struct path *path)
{
	return path->status.known && path->status.value == PATH_CONNECTED;
}

static void count_path(const struct path *path, struct counts *c)
{
	c->expected++;
	if (!path->status.known)
		c->untold++;
	else if (path->status.value == PATH_CONNECTED)
		c->connected++;
	else if (path->status.value == PATH_RECONNECTING)
		c->reconnecting++;
	else
		c->missing++;
}

/* ---- targets without a connected path ---- */

struct order {
	const struct snapshot *s;
	const struct path *path;
};

static int compare_texts(const struct snapshot *s, const struct opt_str *a, const struct opt_str *b)
{
	return strcmp(a->known ? snapshot_text(s, a) : "", b->known ? snapshot_text(s, b) : "");
}

/* Does each path go to the same target, from the same initiator, as the next one? */
static int compare_ends(const struct order *x, const struct order *y)
{
	int order = compare_texts(x->s, &x->path->target_name, &y->path->target_name);

	return order ? order
		     : compare_texts(x->s, &x->path->initiator_name, &y->path->initiator_name);
}

static int compare_orders(const void *a, const void *b)
{
	const struct order *x = a, *y = b;
	int order = compare_ends(x, y);

	return order ? order : (x->path > y->path) - (x->path < y->path);
}

static int compare_wwids(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The maps that a connected session has a device in. */
struct maps {
	const char **wwids; /* sorted */
	size_t count;
};

static int list_maps(const struct snapshot *s, struct maps *ret)
{
	uint32_t count = snapshot_count(s, OBJECT_DEVICE);

	ret->count = 0;
	ret->wwids = calloc(count + (size_t)1, sizeof(*ret->wwids));
	if (!ret->wwids)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		const struct device *device = &snapshot_devices(s)[i];
		const struct session *session = &snapshot_sessions(s)[device->session];

		if (device->map_wwid.known && device->map_wwid.length && session->condition.known &&
			session->condition.value == SESSION_UP)
			ret->wwids[ret->count++] = snapshot_text(s, &device->map_wwid);
	}
	qsort(ret->wwids, ret->count, sizeof(*ret->wwids), compare_wwids);
	return 0;
}

/* All of the devices that the session has, and there are some, are in a map that works. */
static bool session_is_covered(const struct snapshot *s, const struct maps *maps, uint32_t session)
{
	uint32_t covered = 0;

	for (uint32_t i = 0; i < snapshot_count(s, OBJECT_DEVICE); i++) {
		const struct device *device = &snapshot_devices(s)[i];
		const char *wwid;

		if (device->session != session)
			continue;
		if (!device->map_wwid.known || !device->map_wwid.length)
			return false;
		wwid = snapshot_text(s, &device->map_wwid);
		if (!bsearch(&wwid, maps->wwids, maps->count, sizeof(wwid), compare_wwids))
			return false;
		covered++;
	}
	return covered > 0;
}

/* The target of the paths orders[0 … count - 1], none of them connected. */
static bool is_unreachable(
	const struct snapshot *s, const struct maps *maps, const struct order *orders, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!orders[i].path->status.known)
			return false; /* it may be connected */
		if (orders[i].path->session != LINK_NONE &&
			session_is_covered(s, maps, orders[i].path->session))
			return false;
	}
	return true;
}

static void judge_target(const struct snapshot *s, const struct maps *maps,
	const struct order *orders, size_t count, struct counts *c)
{
	for (size_t i = 0; i < count; i++) {
		if (is_connected(orders[i].path))
			return;
	}
	if (!is_unreachable(s, maps, orders, count))
		return;
	if (!c->unreachable++)
		c->unreachable_path = orders[0].path;
}

static int count_paths(const struct snapshot *s, struct counts *c)
{
	CLEANUP_FREE struct order *orders =
		calloc(snapshot_count(s, OBJECT_PATH) + (size_t)1, sizeof(*orders));
	size_t count = 0, begin = 0;
	struct maps maps;
	int rc = list_maps(s, &maps);

	if (!orders)
		rc = -ENOMEM;
	for (uint32_t i = 0; rc == 0 && i < snapshot_count(s, OBJECT_PATH); i++) {
		const struct path *path = &snapshot_paths(s)[i];

		if (!should_be_connected(path))
			continue;
		count_path(path, c);
		orders[count++] = (struct order){ .s = s, .path = path };
	}
	if (count)
		qsort(orders, count, sizeof(*orders), compare_orders);
	for (size_t i = 1; i <= count; i++) {
		if (i < count && compare_ends(&orders[i - 1], &orders[i]) == 0)
			continue;
		judge_target(s, &maps, &orders[begin], i - begin, c);
		begin = i;
	}
	free(maps.wwids);
	return rc;
}

/* ---- the rest ---- */

static void count_maps(const struct snapshot *s, struct counts *c)
{
	for (uint32_t i = 0; i < s->unit_count; i++) {
		const struct source_status *u = &s->units[i];

		c->maps_known |= !strcmp(u->source, "multipath") && source_has_rows(u);
	}
	for (uint32_t i = 0; i < snapshot_count(s, OBJECT_MAP); i++) {
		const struct map *map = &snapshot_maps(s)[i];

		if (!map->object.index || !map->status.known)
			continue;
		c->maps++;
		c->maps_short += map->status.value != MAP_OK;
		c->maps_failed += map->status.value == MAP_FAILED;
	}
}

static void count_sources(const struct snapshot *s, struct counts *c)
{
	for (uint32_t i = 0; i < s->unit_count; i++) {
		enum source_state state = s->units[i].state;
		bool has_rows = source_has_rows(&s->units[i]);

		if (state == SOURCE_ABSENT || state == SOURCE_DISABLED)
			continue;
		c->sources++;
		c->failing += state == SOURCE_FAILING || state == SOURCE_STALE;
		c->unread += !has_rows;
		c->paths_unread |= !has_rows && !strcmp(s->units[i].source, "open-iscsi");
	}
	for (uint32_t i = 0; i < snapshot_count(s, OBJECT_NODE); i++) {
		const struct node *node = &snapshot_nodes(s)[i];

		c->targets += node->object.index && node->roles.known && node->roles.value & 0x80;
	}
}

static enum summary_status judge(const struct counts *c)
{
	if (c->unreachable || c->maps_failed)
		return SUMMARY_CRITICAL;
	if (c->reconnecting || c->missing || c->devices_faulty || c->maps_short)
		return SUMMARY_DEGRADED;
	return c->unread || c->untold ? SUMMARY_UNKNOWN : SUMMARY_OK;
}

/* Adds to the line; what is too much is left out. */
static void PRINTF_LIKE(2, 3) say(char text[SUMMARY_TEXT_MAX], const char *format, ...)
{
	size_t used = strlen(text);
	va_list args;

	va_start(args, format);
	vsnprintf(text + used, SUMMARY_TEXT_MAX - used, format, args);
	va_end(args);
}

/* "3 targets" */
static void say_number(char *text, uint32_t number, const char *what)
{
	say(text, "%u %s%s", number, what, number == 1 ? "" : "s");
}

static void say_unreachable(const struct snapshot *s, const struct counts *c, char *text)
{
	const struct opt_str *target = &c->unreachable_path->target_name;
	char name[100];

	text_sanitize(name, sizeof(name) - 1, target->known ? snapshot_text(s, target) : "",
		target->known ? target->length : 0);
	say(text, "no path to %s", name);
	if (c->unreachable > 1) {
		say(text, " and ");
		say_number(text, c->unreachable - 1, "other target");
	}
	say(text, ", ");
}

static void say_paths(const struct counts *c, char *text)
{
	say(text, "%u of ", c->connected);
	say_number(text, c->expected, "path");
	say(text, " connected");
	if (c->reconnecting)
		say(text, ", %u reconnecting", c->reconnecting);
	if (c->missing)
		say(text, ", %u missing", c->missing);
	if (c->untold)
		say(text, ", %u of unknown status", c->untold);
}

static void say_all(const struct snapshot *s, const struct counts *c, enum summary_status status,
	char text[SUMMARY_TEXT_MAX])
{
	static const char *const words[] = { [SUMMARY_OK] = "OK",
		[SUMMARY_DEGRADED] = "DEGRADED",
		[SUMMARY_CRITICAL] = "CRITICAL",
		[SUMMARY_UNKNOWN] = "UNKNOWN" };

	text[0] = '\0';
	say(text, "%s: ", words[status]);
	if (c->unreachable)
		say_unreachable(s, c, text);
	if (c->expected)
		say_paths(c, text);
	else if (c->paths_unread)
		say(text, "paths are not known");
	else if (c->sources)
		say(text, "no path is expected");
	else
		say(text, "no iSCSI on this host");
	if (c->devices_faulty) {
		say(text, "; %u of ", c->devices_faulty);
		say_number(text, c->devices, "device");
		say(text, " cannot do I/O");
	}
	if (c->maps_short) {
		say(text, "; %u of ", c->maps_short);
		say_number(text, c->maps, "map");
		say(text, c->maps_short == 1 ? " lacks a path" : " lack paths");
		if (c->maps_failed)
			say(text, ", %u without any", c->maps_failed);
	}
	if (c->targets) {
		say(text, "; ");
		say_number(text, c->targets, "target");
		say(text, ", ");
		say_number(text, c->inbound, "inbound session");
	}
	if (c->failing || c->unread) {
		say(text, "; ");
		say_number(text, c->failing ? c->failing : c->unread, "source");
		say(text, c->failing ? " cannot be read" : " not read yet");
	}
}

int summary_make(const struct snapshot *s, struct summary *ret, char text[SUMMARY_TEXT_MAX])
{
	struct counts c = { .sessions = 0 };
	int rc = count_paths(s, &c);

	if (rc < 0)
		return rc;
	count_sessions(s, &c);
	count_sources(s, &c);
	count_maps(s, &c);
	OPT_SET(ret->status, judge(&c));
	OPT_SET(ret->sessions, c.sessions);
	OPT_SET(ret->sessions_full, c.full);
	OPT_SET(ret->sessions_failed, c.failed);
	OPT_SET(ret->sessions_inbound, c.inbound);
	OPT_SET(ret->targets, c.targets);
	OPT_SET(ret->paths_expected, c.expected);
	OPT_SET(ret->paths_connected, c.connected);
	OPT_SET(ret->paths_reconnecting, c.reconnecting);
	OPT_SET(ret->paths_missing, c.missing);
	if (c.devices_known)
		OPT_SET(ret->devices, c.devices);
	if (c.devices_known && (c.faults_known || c.devices_faulty))
		OPT_SET(ret->devices_faulty, c.devices_faulty);
	if (c.maps_known) {
		OPT_SET(ret->maps, c.maps);
		OPT_SET(ret->maps_short, c.maps_short);
	}
	OPT_SET(ret->sources, c.sources);
	OPT_SET(ret->sources_failing, c.failing);
	say_all(s, &c, ret->status.value, text);
	return 0;
}
