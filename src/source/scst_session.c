/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Called by scst.c in the reader process of the source. All of this is answered by the kernel
 * itself. A session that goes, or whose name another one gets, while it is read is left out.
 */
#include "source/scst_session.h"

#include "base/clock.h"

#define SEGMENT_MIN	       512u
#define SEGMENT_MAX	       16777215u
#define OUTSTANDING_MAX	       65535u
#define CID_MAX		       65535u
#define KIB		       1024u
#define PROTOCOL_TCP	       6
#define PROTOCOL_LEVEL_RFC7143 1
#define TASK_REPORTING_RFC3720 0x80

enum { DIRECTION_INBOUND = 1 };
enum { TYPE_NORMAL = 1 };
enum { STATE_LOGOUT = 3 };

#define SESSION_PATH SCST_TREE "/%s/sessions/%s"

/* One connection, as read. */
struct found_connection {
	const char *name; /* of its directory */
	struct connection fields;
	bool is_tcp;
};

struct found_session {
	const char *name; /* of its directory */
	bool sid_known;
	uint64_t sid;
	struct session fields; /* without texts */
	char initiator[SCST_LINE_MAX + 1];
	struct opt_u32 receive, transmit, header_digest, data_digest; /* of its connections */
	struct found_connection *connections;
	size_t connection_count;
	bool connections_known;
};

/* Directories of connections begin with an address; everything else in there with a letter. */
static bool is_connection_name(const char *name)
{
	return *name == '[' || (*name >= '0' && *name <= '9') ||
	       !strncmp(name, "Unknown family ", strlen("Unknown family "));
}

/* An end of a connection, which no wildcard is. */
static void read_address(struct scst_reader *r, struct opt_addr *field)
{
	struct text_address address;
	char line[SCST_LINE_MAX + 1];

	if (scst_parse_line(r->text, r->length, line) > 0 &&
		root_to_address(r->root, line, &address) == 0 &&
		!text_address_is_wildcard(&address))
		builder_address(field, &address);
}

/* False when it went away. */
static bool read_connection(struct scst_reader *r, const char *target, const char *session,
	const char *name, struct found_connection *found)
{
	struct connection *fields = &found->fields;
	char line[SCST_LINE_MAX + 1];

	if (scst_is_gone(scst_read(r, SESSION_PATH "/%s/state", target, session, name)))
		return false;
	found->name = name;
	fields->state = scst_parse_state(r->text, r->length);
	fields->cid = SCST_U32(r, 0, CID_MAX, SESSION_PATH "/%s/cid", target, session, name);
	scst_read(r, SESSION_PATH "/%s/ip", target, session, name);
	read_address(r, &fields->remote_address);
	scst_read(r, SESSION_PATH "/%s/transport", target, session, name);
	found->is_tcp = scst_parse_line(r->text, r->length, line) > 0 && !strcmp(line, "iSCSI-TCP");
	/* Over RDMA it is TCP, UDP or none, and there is no target_ip. */
	if (!found->is_tcp)
		return true;
	OPT_SET(fields->protocol, PROTOCOL_TCP);
	scst_read(r, SESSION_PATH "/%s/target_ip", target, session, name);
	read_address(r, &fields->local_address);
	return true;
}

/* `names` holds the session's directory. Returns 0 or what ended the poll. */
static int read_connections(struct scst_reader *r, const char *target, const struct buf *names,
	int count, struct found_session *found)
{
	const char *name = names->data;

	found->connections = calloc((size_t)count + 1, sizeof(*found->connections));
	if (!found->connections)
		return scst_reader_fail(r, -ENOMEM, "keeping");
	for (; count > 0; count--, name = scst_next_name(name)) {
		struct found_connection *connection = &found->connections[found->connection_count];

		if (is_connection_name(name) &&
			read_connection(r, target, found->name, name, connection))
			found->connection_count++;
	}
	return 0;
}

static struct opt_counter read_counter(
	struct scst_reader *r, const char *target, const char *session, const char *attribute)
{
	return SCST_COUNTER(r, SESSION_PATH "/%s", target, session, attribute);
}

/* What a session has moved one way, in octets. */
static struct opt_counter read_octets(struct scst_reader *r, const char *target,
	const char *session, const char *attribute, const struct opt_counter *bidirectional)
{
	struct opt_counter octets = read_counter(r, target, session, attribute);

	/* Those of bidirectional commands are one sum for both ways. */
	if (!bidirectional->known || bidirectional->value != 0 || octets.value > UINT64_MAX / KIB)
		octets.known = 0;
	octets.value *= KIB;
	return octets.known ? octets : (struct opt_counter){ .known = 0 };
}

static void read_counters(struct scst_reader *r, const char *target, struct found_session *found)
{
	static const char *const counts[] = { "read_cmd_count", "write_cmd_count", "bidi_cmd_count",
		"none_cmd_count", "unknown_cmd_count" };
	struct opt_counter sum = { .known = 1 }, bidirectional;

	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		struct opt_counter count = read_counter(r, target, found->name, counts[i]);

		sum.known &= count.known && count.value <= UINT64_MAX - sum.value;
		sum.value += count.value;
	}
	if (sum.known)
		found->fields.command_pdus = sum;
	bidirectional = read_counter(r, target, found->name, "bidi_io_count_kb");
	found->fields.tx_octets =
		read_octets(r, target, found->name, "read_io_count_kb", &bidirectional);
	found->fields.rx_octets =
		read_octets(r, target, found->name, "write_io_count_kb", &bidirectional);
}

static void read_negotiated(struct scst_reader *r, const char *target, struct found_session *found)
{
	struct session *fields = &found->fields;
	const char *session = found->name;

	fields->max_outstanding_r2t =
		SCST_U32(r, 1, OUTSTANDING_MAX, SESSION_PATH "/MaxOutstandingR2T", target, session);
	fields->first_burst_length = SCST_U32(
		r, SEGMENT_MIN, SEGMENT_MAX, SESSION_PATH "/FirstBurstLength", target, session);
	fields->max_burst_length = SCST_U32(
		r, SEGMENT_MIN, SEGMENT_MAX, SESSION_PATH "/MaxBurstLength", target, session);
	found->receive = SCST_U32(r, SEGMENT_MIN, SEGMENT_MAX,
		SESSION_PATH "/MaxRecvDataSegmentLength", target, session);
	found->transmit = SCST_U32(r, SEGMENT_MIN, SEGMENT_MAX,
		SESSION_PATH "/MaxXmitDataSegmentLength", target, session);
	found->header_digest = SCST_DIGEST(r, SESSION_PATH "/HeaderDigest", target, session);
	found->data_digest = SCST_DIGEST(r, SESSION_PATH "/DataDigest", target, session);
	/* Before they are set, shortly after the session was made, all are 0, which reads as No. */
	if (!fields->max_outstanding_r2t.known && !fields->first_burst_length.known &&
		!fields->max_burst_length.known && !found->receive.known)
		return;
	fields->initial_r2t = SCST_BOOL(r, SESSION_PATH "/InitialR2T", target, session);
	fields->immediate_data = SCST_BOOL(r, SESSION_PATH "/ImmediateData", target, session);
}

/* Returns whether it can be read; -ENOENT: the session is gone. */
static int read_sid(struct scst_reader *r, const char *target, const char *session, uint64_t *ret,
	struct opt_isid *ret_isid, struct opt_u32 *ret_tsih)
{
	if (scst_is_gone(scst_read(r, SESSION_PATH "/sid", target, session)))
		return -ENOENT;
	return scst_parse_sid(r->text, r->length, ret, ret_isid, ret_tsih) == 0;
}

/*
 * Reads all of a session. 1, or 0 when it is gone or has become another one meanwhile, or what
 * ended the poll.
 */
static int read_session(
	struct scst_reader *r, const char *target, struct buf *names, struct found_session *found)
{
	struct session *fields = &found->fields;
	struct opt_isid isid;
	struct opt_u32 tsih;
	uint64_t sid = 0;
	int count, rc;

	if (scst_reader_check(r) < 0)
		return r->error;
	count = scst_list(r, names, SESSION_PATH, target, found->name);
	if (count < 0 && count != -EACCES)
		return r->error;
	rc = read_sid(r, target, found->name, &found->sid, &fields->isid, &fields->tsih);
	if (rc == -ENOENT)
		return 0;
	found->sid_known = rc > 0;
	scst_read(r, SESSION_PATH "/initiator_name", target, found->name);
	scst_parse_name(r->text, r->length, found->initiator);
	read_negotiated(r, target, found);
	read_counters(r, target, found);
	if (count >= 0) {
		if (read_connections(r, target, names, count, found) < 0)
			return r->error;
		found->connections_known = true;
	}
	rc = read_sid(r, target, found->name, &sid, &isid, &tsih);
	return rc == -ENOENT ? 0 : (rc > 0) == found->sid_known && sid == found->sid;
}

static int add_connections(
	struct builder *b, const struct found_session *found, uint32_t session_at)
{
	for (size_t i = 0; i < found->connection_count; i++) {
		const struct found_connection *from = &found->connections[i];
		struct connection *connection = builder_connection(b, NULL);
		struct object head;

		if (!connection)
			return builder_error(b);
		head = connection->object;
		*connection = from->fields;
		connection->object = head;
		connection->session = session_at;
		builder_string(b, &connection->key, from->name, strlen(from->name));
		OPT_SET(connection->recv_marker, 0);
		OPT_SET(connection->send_marker, 0);
		OPT_SET(connection->version_active, 0);
		connection->header_digest = found->header_digest;
		connection->data_digest = found->data_digest;
		if (!from->is_tcp)
			continue; /* over RDMA they are other keys' values */
		connection->max_recv_data_segment_length = found->receive;
		connection->max_xmit_data_segment_length = found->transmit;
	}
	return builder_error(b);
}

/* Those of which the kernel does not say that they are being closed. */
static uint32_t count_active(const struct found_session *found)
{
	uint32_t active = 0;

	for (size_t i = 0; i < found->connection_count; i++) {
		const struct opt_u32 *state = &found->connections[i].fields.state;

		active += !state->known || state->value != STATE_LOGOUT;
	}
	return active;
}

static int add_session(struct builder *b, const struct scst_memory *m,
	const struct scst_target *target, const struct found_session *found,
	const struct scst_session *kept, uint32_t instance_at, uint32_t node_at)
{
	uint32_t session_at, active = count_active(found);
	struct session *session = builder_session(b, &session_at);
	struct object head;
	char sid[20] = "?";

	if (!session)
		return builder_error(b);
	head = session->object;
	*session = found->fields;
	session->object = head;
	session->instance = instance_at;
	session->node = node_at;
	if (found->sid_known)
		snprintf(sid, sizeof(sid), "%llx", (unsigned long long)found->sid);
	builder_printf(b, &session->key, "%d:%llu target %s session %s sid %s", (int)m->pid,
		(unsigned long long)m->start_time, target->name, found->name, sid);
	OPT_SET(session->direction, DIRECTION_INBOUND);
	if (*found->initiator)
		builder_text(b, &session->initiator_name, found->initiator);
	if (target->config.alias_known && strlen(target->config.alias) <= UINT8_MAX)
		builder_text(b, &session->target_alias, target->config.alias);
	OPT_SET(session->type, TYPE_NORMAL); /* discovery sessions do not get into the kernel */
	if (found->connections_known && active >= 1 && active <= UINT16_MAX)
		OPT_SET(session->connection_count, active);
	OPT_SET(session->error_recovery_level, 0); /* SCST offers 0, and the lesser one is taken */
	OPT_SET(session->negotiated_max_connections, 1); /* likewise */
	OPT_SET(session->target_portal_tag, SCST_PORTAL_GROUP_TAG);
	OPT_SET(session->protocol_level, PROTOCOL_LEVEL_RFC7143);
	OPT_SET(session->task_reporting, TASK_REPORTING_RFC3720);
	if (kept->reset_ns)
		session->discontinuity = (struct opt_time){ .ns = kept->reset_ns, .known = 1 };
	return add_connections(b, found, session_at);
}

/* Notes what the next poll compares with. Returns 0 or -ENOMEM. */
static int keep_session(const struct scst_target *target, const struct found_session *found,
	struct scst_session *kept)
{
	*kept = (struct scst_session){ .name = strdup(found->name),
		.sid = found->sid,
		.commands = found->fields.command_pdus,
		.tx_octets = found->fields.tx_octets,
		.rx_octets = found->fields.rx_octets };
	if (!kept->name)
		return -ENOMEM;
	scst_session_compare(
		kept, scst_target_find(target, found->name, found->sid), clock_now_ns());
	return 0;
}

int scst_sessions_read(struct scst_reader *r, struct builder *b, const struct scst_memory *m,
	struct scst_target *target, uint32_t instance_at, uint32_t node_at)
{
	CLEANUP_BUF struct buf names = BUF_INIT(ROOT_ANSWER_MAX);
	CLEANUP_BUF struct buf inside = BUF_INIT(ROOT_ANSWER_MAX);
	int count = scst_list(r, &names, SCST_TREE "/%s/sessions", target->name), rc = r->error;
	const char *name = names.data;
	struct scst_session *kept;
	size_t kept_count = 0;

	r->refused |= count == -EACCES;
	if (count < 0)
		return rc;
	kept = calloc((size_t)count + 1, sizeof(*kept));
	if (!kept)
		return scst_reader_fail(r, -ENOMEM, "keeping");
	for (; count > 0 && rc == 0; count--, name = scst_next_name(name)) {
		struct found_session found = { .name = name };

		rc = read_session(r, target->name, &inside, &found);
		if (rc > 0) {
			rc = keep_session(target, &found, &kept[kept_count]);
			if (rc == 0)
				rc = add_session(b, m, target, &found, &kept[kept_count++],
					instance_at, node_at);
		}
		free(found.connections);
	}
	if (rc == 0)
		scst_target_keep(target, kept, kept_count);
	else
		scst_sessions_free(kept, kept_count);
	return rc;
}
