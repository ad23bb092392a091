/* SPDX-License-Identifier: BSD-2-Clause */
/* Called by the one-shot command. To add a metric: one line of `families`. */
#include "model/prom.h"

#include "base/clock.h"

#include <inttypes.h>

/* A metric: one field of all objects of a kind. */
struct family {
	const char *name, *help;
	size_t offset; /* of the field */
	enum object_kind kind;
	enum field_type type;
	uint32_t divisor; /* of the value, 0 none: microseconds are 1000000 */
	bool counter;
};

#define TYPE_OF(object, field)                               \
	_Generic(((struct object *)0)->field, struct opt_u32 \
		 : FIELD_u32, struct opt_counter             \
		 : FIELD_counter, struct opt_bool            \
		 : FIELD_bool)
#define FAMILY(object_of, object, field, is_counter, by, metric, text)                             \
	{                                                                                          \
		.name = "iscsi_" metric, .help = (text), .offset = offsetof(struct object, field), \
		.kind = OBJECT_##object_of, .type = TYPE_OF(object, field), .divisor = (by),       \
		.counter = (is_counter)                                                            \
	}
#define GAUGE(kind, object, field, name, help)	 FAMILY(kind, object, field, false, 0, name, help)
#define COUNTER(kind, object, field, name, help) FAMILY(kind, object, field, true, 0, name, help)
#define SECONDS(kind, object, field, divisor, name, help) \
	FAMILY(kind, object, field, false, divisor, name, help)

static const struct family families[] = {
	GAUGE(SUMMARY, summary, status, "status",
		"State of iSCSI on this host: 1 ok, 2 degraded, 3 critical, 4 unknown."),
	GAUGE(SUMMARY, summary, paths_expected, "paths_expected",
		"Outbound paths that should be connected."),
	GAUGE(SUMMARY, summary, paths_connected, "paths_connected",
		"Expected paths that are connected."),
	GAUGE(SUMMARY, summary, paths_reconnecting, "paths_reconnecting",
		"Expected paths that are being connected again."),
	GAUGE(SUMMARY, summary, paths_missing, "paths_missing",
		"Expected paths that nobody connects."),
	GAUGE(SUMMARY, summary, maps_short, "maps_short",
		"Multipath maps with fewer paths than expected."),
	GAUGE(SUMMARY, summary, devices_faulty, "devices_faulty",
		"SCSI devices that cannot do I/O."),

	GAUGE(INSTANCE, instance, session_count, "instance_sessions", "Sessions now."),
	COUNTER(INSTANCE, instance, session_failures, "instance_session_failures_total",
		"Sessions that failed."),
	COUNTER(INSTANCE, instance, digest_errors, "instance_digest_errors_total",
		"Sessions that failed by digest errors."),
	COUNTER(INSTANCE, instance, connection_timeouts, "instance_connection_timeouts_total",
		"Sessions that failed by connection timeouts."),
	COUNTER(INSTANCE, instance, format_errors, "instance_format_errors_total",
		"Sessions that failed by PDU format errors."),

	COUNTER(NODE, node, target_login_accepts, "target_login_accepts_total",
		"Logins to the target that were accepted."),
	COUNTER(NODE, node, target_login_failures, "target_login_failures_total",
		"Logins to the target that were refused."),
	COUNTER(NODE, node, target_logout_normals, "target_logouts_total",
		"Normal logouts from the target."),
	COUNTER(NODE, node, initiator_login_accepts, "initiator_login_accepts_total",
		"Logins of the initiator that were accepted."),
	COUNTER(NODE, node, initiator_login_failures, "initiator_login_failures_total",
		"Logins of the initiator that failed."),
	COUNTER(NODE, node, initiator_logout_normals, "initiator_logouts_total",
		"Normal logouts of the initiator."),

	GAUGE(SESSION, session, condition, "session_condition",
		"1 first login, 2 logged in, 3 logging out, 4 lost, 5 lost beyond the recovery timeout, 6 given up."),
	GAUGE(SESSION, session, connection_count, "session_connections", "Connections now."),
	COUNTER(SESSION, session, command_pdus, "session_commands_total", "SCSI command PDUs."),
	COUNTER(SESSION, session, response_pdus, "session_responses_total", "SCSI response PDUs."),
	COUNTER(SESSION, session, tx_octets, "session_transmit_bytes_total",
		"Data sent by this host."),
	COUNTER(SESSION, session, rx_octets, "session_receive_bytes_total",
		"Data received by this host."),
	COUNTER(SESSION, session, connection_digest_errors, "session_digest_errors_total",
		"PDUs with a wrong digest."),
	COUNTER(SESSION, session, connection_timeouts, "session_connection_timeouts_total",
		"Connections ended by a timeout."),
	COUNTER(SESSION, session, failures, "session_failures_total",
		"Times that the session failed."),
	COUNTER(SESSION, session, logins, "session_logins_total", "Logins of the session."),
	GAUGE(SESSION, session, last_error, "session_last_error",
		"Number of the last error in enum iscsi_err of Linux, 0 none."),

	GAUGE(PATH, path, status, "path_status", "1 connected, 2 disconnected, 3 reconnecting."),
	GAUGE(PATH, path, expected, "path_expected", "1 when the path should be connected."),
	GAUGE(PATH, path, primary, "path_primary", "1 when I/O takes the path."),
	GAUGE(PATH, path, weight, "path_weight", "Of several paths the highest is used first."),
	GAUGE(PATH, path, checker_state, "path_checker_state",
		"IscsiCheckerState of ISCSI-PATH-MIB, the worst of its devices."),
	GAUGE(PATH, path, access_state, "path_access_state",
		"IscsiAccessState of ISCSI-PATH-MIB, the best of its devices."),
	COUNTER(PATH, path, failures, "path_failures_total", "Outages that began."),
	COUNTER(PATH, path, reconnects, "path_reconnects_total", "Logins that ended an outage."),
	SECONDS(PATH, path, outage_ms, 1000, "path_last_outage_seconds",
		"How long the last outage was."),
	SECONDS(PATH, path, tcp_rtt, 1000000, "path_tcp_rtt_seconds",
		"Round-trip time as TCP measures it."),
	GAUGE(PATH, path, tcp_retransmits, "path_tcp_retransmits",
		"Segments that the present TCP connection sent again."),

	GAUGE(DEVICE, device, state, "device_state",
		"IscsiDeviceState of ISCSI-PATH-MIB: 2 running."),
	GAUGE(DEVICE, device, access_state, "device_access_state",
		"IscsiAccessState of ISCSI-PATH-MIB."),
	GAUGE(DEVICE, device, size, "device_size_bytes", "Size of the device."),
	COUNTER(DEVICE, device, requests, "device_commands_total",
		"SCSI commands given to the device."),
	COUNTER(DEVICE, device, completions, "device_completions_total",
		"SCSI commands that ended."),
	COUNTER(DEVICE, device, errors, "device_errors_total", "SCSI commands that failed."),
	COUNTER(DEVICE, device, timeouts, "device_timeouts_total",
		"SCSI commands that took too long."),

	GAUGE(MAP, map, status, "map_status", "1 ok, 2 degraded, 3 failed."),
	GAUGE(MAP, map, path_count, "map_paths", "Paths in the multipath map."),
	GAUGE(MAP, map, active_count, "map_paths_active", "Paths of the map that take I/O."),
	GAUGE(MAP, map, missing_count, "map_paths_missing",
		"Paths that should be in the map and have no session."),
};

/* ---- labels ---- */

struct labels {
	FILE *out;
	const struct snapshot *s;
	bool begun;
};

/* A label that says nothing is the same as none. A line has one end: no text has one in it. */
static void put_text(struct labels *l, const char *name, const char *text, size_t length)
{
	char clean[2048];
	size_t n = text_sanitize(clean, sizeof(clean) - 1, text, length);

	if (!n)
		return;
	fprintf(l->out, "%s%s=\"", l->begun ? "," : "{", name);
	for (size_t i = 0; i < n; i++) {
		if (clean[i] == '"' || clean[i] == '\\')
			putc('\\', l->out);
		putc(clean[i], l->out);
	}
	putc('"', l->out);
	l->begun = true;
}

static void put_field(struct labels *l, const char *name, const struct opt_str *field)
{
	if (field->known)
		put_text(l, name, snapshot_text(l->s, field), field->length);
}

static void put_index(struct labels *l, const char *name, uint32_t index)
{
	char text[16];

	put_text(l, name, text, (size_t)snprintf(text, sizeof(text), "%" PRIu32, index));
}

static void put_stack(struct labels *l, uint32_t instance)
{
	put_field(l, "stack", &snapshot_instances(l->s)[instance].key);
}

static void label_session(struct labels *l, const struct session *session)
{
	const struct node *own = &snapshot_nodes(l->s)[session->node];
	bool inbound = session->direction.known && session->direction.value == 1;

	put_stack(l, session->instance);
	put_index(l, "session", session->object.index);
	if (session->direction.known)
		put_text(l, "direction", inbound ? "inbound" : "outbound", inbound ? 7 : 8);
	put_field(l, "initiator", inbound ? &session->initiator_name : &own->name);
	put_field(l, "target", inbound ? &own->name : &session->target_name);
}

static void label_path(struct labels *l, const struct path *path)
{
	struct text_address address = { .type = path->portal_address.type,
		.length = path->portal_address.length };
	char text[80], portal[96];

	put_stack(l, path->instance);
	put_index(l, "path", path->object.index);
	put_field(l, "initiator", &path->initiator_name);
	put_field(l, "target", &path->target_name);
	put_field(l, "iface", &path->iface);
	put_field(l, "netdev", &path->netdev);
	if (!path->portal_address.known) {
		put_field(l, "portal", &path->portal_name);
		return;
	}
	memcpy(address.octets, path->portal_address.octets, sizeof(address.octets));
	text_from_address(text, &address);
	if (!path->portal_port.known) {
		put_text(l, "portal", text, strlen(text));
		return;
	}
	put_text(l, "portal", portal,
		(size_t)snprintf(portal, sizeof(portal),
			path->portal_address.type == 1 ? "%s:%" PRIu32 : "[%s]:%" PRIu32, text,
			path->portal_port.value));
}

static void label_device(struct labels *l, const struct device *device)
{
	put_stack(l, device->instance);
	put_field(l, "hctl", &device->hctl);
	put_field(l, "device", &device->name);
	put_index(l, "session", snapshot_sessions(l->s)[device->session].object.index);
}

/* What names an object; nothing for the summary, of which there is one. */
static void put_labels(
	FILE *out, const struct snapshot *s, enum object_kind kind, const void *object)
{
	struct labels l = { .out = out, .s = s };
	const struct instance *instance = object;
	const struct node *node = object;
	const struct map *map = object;

	switch (kind) {
	case OBJECT_INSTANCE:
		put_field(&l, "stack", &instance->key);
		break;
	case OBJECT_NODE:
		put_stack(&l, node->instance);
		put_index(&l, "index", node->object.index);
		put_field(&l, "node", &node->name);
		break;
	case OBJECT_SESSION:
		label_session(&l, object);
		break;
	case OBJECT_PATH:
		label_path(&l, object);
		break;
	case OBJECT_DEVICE:
		label_device(&l, object);
		break;
	case OBJECT_MAP:
		put_field(&l, "map", &map->name);
		put_field(&l, "wwid", &map->wwid);
		break;
	default:
		break;
	}
	if (l.begun)
		putc('}', out);
}

/* ---- samples ---- */

static bool take_value(const struct family *family, const char *object, uint64_t *ret)
{
	const void *field = object + family->offset;
	const struct opt_u32 *number = field;
	const struct opt_counter *counter = field;
	const struct opt_bool *flag = field;

	if (family->type == FIELD_u32)
		*ret = number->value;
	else if (family->type == FIELD_counter)
		*ret = counter->value;
	else
		*ret = flag->value;
	return family->type == FIELD_u32       ? number->known
	       : family->type == FIELD_counter ? counter->known
					       : flag->known;
}

static void put_value(FILE *out, uint64_t value, uint32_t divisor)
{
	int digits = 0;

	for (uint32_t rest = divisor; rest > 1; rest /= 10)
		digits++;
	if (!digits)
		fprintf(out, " %" PRIu64 "\n", value);
	else
		fprintf(out, " %" PRIu64 ".%0*" PRIu64 "\n", value / divisor, digits,
			value % divisor);
}

static void put_head(FILE *out, const char *name, const char *help, bool counter)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
		counter ? "counter" : "gauge");
}

/* Only what has a row: maps of other transports have none, nor has the second object of one key. */
static bool has_row(const struct snapshot *s, enum object_kind kind, const void *at)
{
	const struct device *device = at;
	const struct object *object = at;

	if (kind == OBJECT_SUMMARY)
		return true;
	if (kind == OBJECT_DEVICE) /* it has the session's number */
		object = &snapshot_sessions(s)[device->session].object;
	return object->index;
}

static void put_family(FILE *out, const struct snapshot *s, const struct family *family)
{
	const char *object = s->arrays[family->kind].objects;
	bool begun = false;

	for (uint32_t i = 0; i < s->arrays[family->kind].count;
		i++, object += object_info(family->kind)->size) {
		uint64_t value;

		if (!has_row(s, family->kind, object) || !take_value(family, object, &value))
			continue;
		if (!begun)
			put_head(out, family->name, family->help, family->counter);
		begun = true;
		fputs(family->name, out);
		put_labels(out, s, family->kind, object);
		put_value(out, value, family->divisor);
	}
}

static void put_unit(
	FILE *out, const struct snapshot *s, const char *name, const struct source_status *u)
{
	struct labels l = { .out = out, .s = s };

	fputs(name, out);
	put_text(&l, "source", u->source, strlen(u->source));
	put_text(&l, "unit", u->unit, strlen(u->unit));
	putc('}', out);
}

static bool is_on_this_host(const struct source_status *u)
{
	return u->state != SOURCE_ABSENT && u->state != SOURCE_DISABLED;
}

static void put_sources(FILE *out, const struct snapshot *s, uint64_t now_ns)
{
	static const char up[] = "iscsi_source_up", age[] = "iscsi_source_age_seconds";
	uint32_t present = 0, read = 0;

	for (uint32_t i = 0; i < s->unit_count; i++) {
		if (!is_on_this_host(&s->units[i]))
			continue;
		if (!present++)
			put_head(out, up, "1 when the source can be read.", false);
		put_unit(out, s, up, &s->units[i]);
		put_value(out, s->units[i].state == SOURCE_OK, 0);
	}
	for (uint32_t i = 0; i < s->unit_count; i++) {
		const struct source_status *u = &s->units[i];

		if (!is_on_this_host(u) || !u->last_good_ns)
			continue;
		if (!read++)
			put_head(out, age, "Since it was read well.", false);
		put_unit(out, s, age, u);
		put_value(out, (now_ns - u->last_good_ns) / NS_PER_MS, 1000);
	}
}

int prom_dump(const struct snapshot *s, uint64_t now_ns, FILE *out)
{
	put_sources(out, s, now_ns);
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		put_family(out, s, &families[i]);
	return ferror(out) ? -EIO : 0;
}
