/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/event_text.h"

#include "base/clock.h"
#include "base/text.h"
#include "model/own.h"
#include "model/path.h"
#include "model/path_join.h"
#include "model/session_now.h"
#include "model/words.h"

#include <inttypes.h>
#include <stdarg.h>

#define LOGIN_NS NS_PER_S	 /* from its first state in sysfs to the last, and more */
#define SEEN_NS	 (10 * NS_PER_S) /* from a login to the poll that sees it, of a busy reader, too */
#define ROOM	 1024		 /* before it is made safe and cut; iSCSI names have 223 octets */

void event_set_text(char ret[EVENT_TEXT_MAX + 1], const char *format, ...)
{
	char text[ROOM];
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (length < 0)
		length = 0;
	text_sanitize(ret, EVENT_TEXT_MAX, text,
		(size_t)length < sizeof(text) ? (size_t)length : sizeof(text) - 1);
}

/* A text of the snapshot, "" while it is unknown. A NUL follows each. */
static const char *text_of(const struct snapshot *s, const struct opt_str *field)
{
	return field->known ? snapshot_text(s, field) : "";
}

/* The causes of failed logins by the columns that count them. */
static const char *const target_causes[] = { [2] = "other reason",
	[3] = "redirected",
	[4] = "authorization",
	[5] = "authentication",
	[6] = "negotiation" };
static const char *const initiator_causes[] = { [2] = "other reason",
	[3] = "redirected",
	[4] = "authentication",
	[5] = "target not authenticated",
	[6] = "negotiation",
	[7] = "authorization" };
static const char *const session_causes[] = { [1] = "digest errors",
	[2] = "connection timeout",
	[3] = "format errors",
	[4] = "target gone" };

/* " (word)", or "" for a number that has none. */
static const char *cause(
	const char *const words[], size_t count, const struct opt_u32 *number, char out[40])
{
	out[0] = '\0';
	if (number->known && number->value < count && words[number->value])
		snprintf(out, 40, " (%s)", words[number->value]);
	return out;
}

/* "; 12 in all", or "" while the count is unknown. */
static const char *in_all(const struct opt_counter *count, char out[40])
{
	out[0] = '\0';
	if (count->known)
		snprintf(out, 40, "; %" PRIu64 " in all", count->value);
	return out;
}

static void describe_target(
	const struct snapshot *s, const struct node *node, struct event_record *ret)
{
	const char *name = text_of(s, &node->target_last_failure_name);
	char why[40], count[40], end[80];

	path_endpoint(end, &node->target_last_failure_address, &node->target_last_failure_port);
	event_set_text(ret->subject, "target %s", text_of(s, &node->name));
	event_set_text(ret->text, "login failed%s%s%s%s%s%s",
		cause(target_causes, ARRAY_SIZE(target_causes), &node->target_last_failure_type,
			why),
		*name ? ", initiator " : "", name, *end ? " at " : "", end,
		in_all(&node->target_login_failures, count));
}

static void describe_initiator(
	const struct snapshot *s, const struct node *node, struct event_record *ret)
{
	const char *name = text_of(s, &node->initiator_last_failure_name);
	char why[40], count[40], end[80];

	path_endpoint(
		end, &node->initiator_last_failure_address, &node->initiator_last_failure_port);
	event_set_text(ret->subject, "initiator %s", text_of(s, &node->name));
	event_set_text(ret->text, "login failed%s%s%s%s%s%s",
		cause(initiator_causes, ARRAY_SIZE(initiator_causes),
			&node->initiator_last_failure_type, why),
		*name ? ", target " : "", name, *end ? " at " : "", end,
		in_all(&node->initiator_login_failures, count));
}

static void describe_instance(
	const struct snapshot *s, const struct instance *instance, struct event_record *ret)
{
	const char *name = text_of(s, &instance->last_failure_remote_name);
	char why[40], count[40];

	event_set_text(ret->subject, "instance %u, %s", instance->number.value,
		text_of(s, &instance->description));
	event_set_text(ret->text, "session failed%s%s%s%s",
		cause(session_causes, ARRAY_SIZE(session_causes), &instance->last_failure_type,
			why),
		*name ? ", other end " : "", name, in_all(&instance->session_failures, count));
}

/* The target and the portal tell paths of this host apart; inbound ones by their initiators. */
static void name_path(const struct snapshot *s, const struct path *path, struct event_record *ret)
{
	const char *portal = text_of(s, &path->portal_name), *iface = text_of(s, &path->iface);
	bool outbound = path->direction.known && path->direction.value == PATH_OUTBOUND;
	char end[80] = "";

	if (!*portal) {
		path_endpoint(end, &path->portal_address, &path->portal_port);
		portal = end;
	}
	event_set_text(ret->subject, "path %s %s%s%s%s%s", outbound ? "to" : "from",
		text_of(s, outbound ? &path->target_name : &path->initiator_name),
		*portal ? " at " : "", portal, *iface ? ", interface " : "", iface);
}

/*
 * What a path remembers may be an outage of long ago: one that was logged out has not had another
 * one. That of now is one that the snapshot before did not know to be over; or knew, while the path
 * was down still: the kernel tells of a login before sysfs shows the path connected. The state in
 * the middle of a login counts as a new one, some moments younger than that end. A path that was
 * logged out as soon as it was back looks the same, but for the time until it is back again.
 */
static bool outage_is_new(const struct path *before, const struct path *path)
{
	if (!before || !path->outage_ms.known || !path->outage_end.known)
		return false;
	if (!before->outage_end.known || path->outage_end.ns > before->outage_end.ns)
		return true;
	return before->status_time.known && path->status_time.known &&
	       path->outage_end.ns + LOGIN_NS >= before->status_time.ns &&
	       path->outage_end.ns + SEEN_NS >= path->status_time.ns;
}

static void describe_path(const struct snapshot *s, uint32_t type, const struct path *before,
	const struct path *path, struct event_record *ret)
{
	const char *error = path->last_error.known ? words_of_error(path->last_error.value) : "";
	const char *map = text_of(s, &path->map_name);

	name_path(s, path, ret);
	switch (type) {
	case EVENT_PATH_DOWN:
		event_set_text(ret->text, "%s%s%s",
			path->status.value == PATH_RECONNECTING
				? "connection lost, being connected again"
				: "disconnected",
			*error ? "; last error: " : "", error);
		break;
	case EVENT_PATH_UP:
		if (outage_is_new(before, path))
			event_set_text(ret->text, "connected after an outage of %u.%u s",
				path->outage_ms.value / 1000, path->outage_ms.value % 1000 / 100);
		else
			event_set_text(ret->text, "connected");
		break;
	case EVENT_PATH_MISSING:
		event_set_text(ret->text, "no session, though its record wants one");
		break;
	case EVENT_PATH_FOUND:
		event_set_text(ret->text, "has a session again");
		break;
	default:
		event_set_text(ret->text, "takes the I/O now%s%s", *map ? " of " : "", map);
	}
}

static void describe_session(
	const struct snapshot *s, const struct session *session, struct event_record *ret)
{
	const char *peer = text_of(s, &session->target_name);
	const struct session_meaning *meaning = session_meaning_now(s, session);

	if (!*peer)
		peer = text_of(s, &session->initiator_name);
	event_set_text(ret->subject, "session %u with %s", session->object.index, peer);
	event_set_text(ret->text, "health is %u: %s", meaning ? meaning->health_state : 0,
		meaning ? meaning->text : "not known");
}

static void describe_map(const struct snapshot *s, const struct map *map, struct event_record *ret)
{
	const char *name = text_of(s, &map->name), *queueing = text_of(s, &map->queueing);
	char missing[40] = "";

	if (map->missing_count.known && map->missing_count.value)
		snprintf(missing, sizeof(missing), ", %u missing", map->missing_count.value);
	event_set_text(ret->subject, "map %s, %s", *name ? name : "without a name",
		text_of(s, &map->wwid));
	switch (map->status.value) {
	case MAP_OK:
		event_set_text(
			ret->text, "restored: all of %u paths take I/O", map->path_count.value);
		break;
	case MAP_DEGRADED:
		event_set_text(ret->text, "degraded: %u of %u paths take I/O%s",
			map->active_count.value, map->path_count.value, missing);
		break;
	default:
		event_set_text(ret->text, "failed: none of %u paths takes I/O%s%s%s",
			map->path_count.value, missing, *queueing ? ", queueing is " : "",
			queueing);
		break;
	}
}

static void describe_source(const struct snapshot *s, uint32_t type,
	const struct source_info *source, struct event_record *ret)
{
	const char *unit = text_of(s, &source->unit);

	event_set_text(
		ret->subject, "source %s%s%s", text_of(s, &source->name), *unit ? " " : "", unit);
	if (type == EVENT_SOURCE_STALE)
		event_set_text(ret->text, "cannot be read, its rows are gone: %s",
			text_of(s, &source->last_error));
	else
		event_set_text(ret->text, "is %s",
			source->state.value == HEALTH_ABSENT ? "not there any more" : "read again");
}

void event_describe(const struct snapshot *s, uint32_t type, const void *before, const void *object,
	uint32_t limit, struct event_record *ret)
{
	ret->subject[0] = '\0';
	ret->text[0] = '\0';
	switch (event_type_subject(type)) {
	case SUBJECT_TARGET_LOGIN:
		describe_target(s, object, ret);
		break;
	case SUBJECT_INITIATOR_LOGIN:
		describe_initiator(s, object, ret);
		break;
	case SUBJECT_INSTANCE_SESSIONS:
		describe_instance(s, object, ret);
		break;
	case SUBJECT_PATH_STATUS:
	case SUBJECT_PATH_PRIMARY:
		describe_path(s, type, before, object, ret);
		break;
	case SUBJECT_MAP_STATUS:
		describe_map(s, object, ret);
		break;
	case SUBJECT_SESSION_HEALTH:
		describe_session(s, object, ret);
		break;
	case SUBJECT_TARGET_SESSIONS:
		event_set_text(ret->subject, "target %s",
			text_of(s, &((const struct node *)object)->name));
		event_set_text(ret->text, "has reached the limit of %u sessions", limit);
		break;
	case SUBJECT_SOURCE_STATE:
		describe_source(s, type, object, ret);
		break;
	default:
		break;
	}
}

void event_describe_flapping(uint32_t changes, uint64_t window_ns, struct event_record *ret)
{
	event_set_text(ret->text,
		"flaps: %u changes within %" PRIu64
		" s; more is told when it has been quiet as long",
		changes, window_ns / NS_PER_S);
}
