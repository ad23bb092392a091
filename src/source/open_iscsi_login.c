/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a login negotiated. Called by open_iscsi_read.c in the reader process.
 *
 * Reading it costs about 15 files for a session (7 µs each, measured: 0.1 s for 1,000 sessions),
 * so it is read once for each login, if the next one is sure to be noticed. The signs:
 *   - the session or the connection was not up in a poll, but a quick one may fall between two;
 *   - C/exp_statsn, the target's status number: it goes back or jumps with most logins. Some
 *     targets begin where they like, so alone it is no proof;
 *   - C/local_port: another login has another TCP connection, and the kernel gives it another
 *     port. With the number above that is as good as certain.
 * Where the port cannot be watched (adapters that have no such file, and kernels before 6.1, see
 * below) everything is read in each poll.
 *
 * Up to Linux 5.19 (and 6.0, to be safe) the kernel may crash when it is asked for an address or
 * a port of a connection just while the session logs out (fixed in 6.1: "iscsi_tcp: Fix
 * null-ptr-deref while calling getpeername()"). There these files are read only when a sign of a
 * new login was seen, and once a minute.
 */
#include "source/open_iscsi_login.h"

#define ENDS_INTERVAL_NS (60ull * 1000 * 1000 * 1000)
#define STATSN_JUMP	 (1u << 24) /* more answers than a target gives between two polls */

enum { DIGEST_NO = 3, DIGEST_CRC32C = 4 };

/* What is being read: `incomplete` when something could not be, that may well be next time. */
struct reading {
	struct oiscsi *o;
	const struct oiscsi_session *session;
	bool incomplete;
	bool netdev_known; /* what the session is bound to, if to anything */
	bool zone_unknown; /* of the address that is being read: all drivers have what was asked */
};

static void note_failure(struct reading *r, int rc)
{
	/* No such file: its driver has none. Not connected, no value: known to be none. */
	if (rc < 0 && rc != -ENOENT && rc != -ENOTCONN)
		r->incomplete = true;
}

static int read_session(struct reading *r, const char *attribute, char *text, size_t capacity)
{
	int rc = oiscsi_read_value(r->o->root, text, capacity,
		"/sys/class/iscsi_session/session%u/%s", r->session->sid, attribute);

	note_failure(r, rc);
	return rc;
}

static int read_connection(struct reading *r, const struct oiscsi_connection *connection,
	const char *attribute, char *text, size_t capacity)
{
	int rc = oiscsi_read_value(r->o->root, text, capacity,
		"/sys/class/iscsi_connection/connection%u:%u/%s", r->session->sid, connection->cid,
		attribute);

	note_failure(r, rc);
	return rc;
}

static struct opt_u32 number_of(const char *text, uint32_t low, uint32_t high)
{
	struct opt_u32 number = { .known = 0 };
	uint32_t value;

	if (text_to_u32(text, high, &value) == 0 && value >= low)
		OPT_SET(number, value);
	return number;
}

static struct opt_bool flag_of(const char *text)
{
	struct opt_bool flag = { .known = 0 };
	uint32_t value;

	if (text_to_u32(text, 1, &value) == 0)
		OPT_SET(flag, value);
	return flag;
}

static struct opt_u32 session_number(
	struct reading *r, const char *attribute, uint32_t low, uint32_t high)
{
	char text[64];

	read_session(r, attribute, text, sizeof(text));
	return number_of(text, low, high);
}

static struct opt_bool session_flag(struct reading *r, const char *attribute)
{
	char text[64];

	read_session(r, attribute, text, sizeof(text));
	return flag_of(text);
}

static struct opt_u32 connection_number(struct reading *r,
	const struct oiscsi_connection *connection, const char *attribute, uint32_t low,
	uint32_t high)
{
	char text[64];

	read_connection(r, connection, attribute, text, sizeof(text));
	return number_of(text, low, high);
}

void oiscsi_link_read(struct oiscsi_connection *connection)
{
	char text[64];
	ssize_t rc = root_file_read(connection->state_file, text, sizeof(text));

	/* Linux before 5.7 has no such file. */
	connection->link_unread = rc < 0 && rc != -ENOENT;
	oiscsi_value(text, rc);
	connection->link = oiscsi_link_parse(text);
}

static struct opt_u32 read_file_number(struct root_file *file, uint32_t low, uint32_t high)
{
	char text[64];

	oiscsi_value(text, root_file_read(file, text, sizeof(text)));
	return number_of(text, low, high);
}

/* ---- is it a new login? ---- */

static bool is_lost(const struct oiscsi_session *session)
{
	if (!session->transport->class_link)
		return false;
	for (size_t i = 0; i < session->connection_count; i++) {
		enum oiscsi_link link = session->connections[i].link;

		if (link == OISCSI_DOWN || link == OISCSI_LINK_FAILED)
			return true;
	}
	return false;
}

static bool is_logged_in(const struct oiscsi_session *session)
{
	return session->state == OISCSI_LOGGED_IN && !is_lost(session);
}

/* False when the connection, or anything that could tell so, is not what it was. */
static bool connection_goes_on(const struct oiscsi *o, struct oiscsi_connection *connection)
{
	struct opt_u32 before = connection->statsn;

	connection->statsn = read_file_number(connection->statsn_file, 0, UINT32_MAX);
	if (!before.known || !connection->statsn.known ||
		connection->statsn.value - before.value >= STATSN_JUMP)
		return false;
	if (o->ports_are_safe && connection->watched_port.known) {
		struct opt_u32 port = read_file_number(connection->local_port_file, 1, UINT16_MAX);

		return port.known && port.value == connection->watched_port.value;
	}
	return true;
}

static bool login_goes_on(const struct oiscsi *o, struct oiscsi_session *session)
{
	bool goes_on = session->current && session->connection_count > 0;

	for (size_t i = 0; i < session->connection_count; i++)
		goes_on &= connection_goes_on(o, &session->connections[i]);
	return goes_on;
}

/* A new login would not be missed. */
static bool is_watched(const struct oiscsi *o, const struct oiscsi_session *session)
{
	for (size_t i = 0; i < session->connection_count; i++) {
		if (!o->ports_are_safe || !session->connections[i].watched_port.known)
			return false;
	}
	return session->connection_count > 0;
}

/* ---- the values ---- */

static void read_firmware(struct reading *r, struct oiscsi_login *login)
{
	char text[512];

	if (read_session(r, "isid", text, sizeof(text)) > 0)
		login->isid.known = oiscsi_isid_parse(text, login->isid.octets);
	login->tsih = session_number(r, "tsid", 1, UINT16_MAX);
	if (read_session(r, "targetalias", text, sizeof(text)) > 0)
		text_sanitize(
			login->target_alias, sizeof(login->target_alias) - 1, text, strlen(text));
	login->data_pdu_in_order = session_flag(r, "data_pdu_in_order");
	login->data_sequence_in_order = session_flag(r, "data_seq_in_order");
	login->error_recovery_level = session_number(r, "erl", 0, 2);
}

static void read_values(struct reading *r, struct oiscsi_login *login)
{
	memset(login, 0, sizeof(*login));
	login->initial_r2t = session_flag(r, "initial_r2t");
	login->immediate_data = session_flag(r, "immediate_data");
	login->max_outstanding_r2t = session_number(r, "max_outstanding_r2t", 1, UINT16_MAX);
	login->first_burst_length = session_number(r, "first_burst_len", 512, 16777215);
	login->max_burst_length = session_number(r, "max_burst_len", 512, 16777215);
	if (r->session->transport->discovery)
		login->discovery = session_flag(r, "discovery_session");
	if (r->session->transport->firmware)
		read_firmware(r, login);
	login->known = true;
}

static struct opt_u32 read_digest(
	struct reading *r, const struct oiscsi_connection *connection, const char *attribute)
{
	struct opt_u32 digest = connection_number(r, connection, attribute, 0, 1);

	if (digest.known)
		digest.value = digest.value ? DIGEST_CRC32C : DIGEST_NO;
	return digest;
}

static void read_lengths(struct reading *r, struct oiscsi_connection *connection)
{
	connection->max_recv_data_segment_length =
		connection_number(r, connection, "max_recv_dlength", 512, 16777215);
	connection->max_xmit_data_segment_length =
		connection_number(r, connection, "max_xmit_dlength", 512, 16777215);
}

/* What the session's record says of its interface; "default" is never bound. False: unknown. */
static bool netdev_of_record(const struct reading *r, char out[64])
{
	const char *name = r->session->iface_name;
	const struct oiscsi_iface *iface = name ? oiscsi_iface_find(&r->o->records, name) : NULL;

	snprintf(out, 64, "%s", iface ? iface->netdev : "");
	if (!name)
		return r->session->iface_known;
	return iface || !r->o->records.incomplete || strcmp(name, "default") == 0;
}

/* The interface that the session is bound to: by the kernel, else by its record. */
static void read_netdev(struct reading *r, char netdev[IF_NAMESIZE])
{
	const struct oiscsi_session *session = r->session;
	bool before = r->incomplete;
	char text[64];

	netdev[0] = '\0';
	r->netdev_known = false;
	if (!session->host.known)
		return;
	r->incomplete = false;
	note_failure(r, oiscsi_read_value(r->o->root, text, sizeof(text),
				"/sys/class/iscsi_host/host%u/netdev", session->host.value));
	if (!r->incomplete && !text[0] && !netdev_of_record(r, text))
		r->incomplete = true;
	r->netdev_known = !r->incomplete;
	r->incomplete |= before;
	if (!strchr(text, '/'))
		snprintf(netdev, IF_NAMESIZE, "%.15s", text);
}

/*
 * A link-local address is of an interface: the one that the session is bound to, or that of
 * persistent_address, which then is what it is bound to.
 */
static void read_zone(struct reading *r, const struct oiscsi_connection *connection,
	char netdev[IF_NAMESIZE], char zone[IF_NAMESIZE])
{
	char text[256];
	const char *percent;

	snprintf(zone, IF_NAMESIZE, "%s", netdev);
	if (*zone)
		return;
	r->zone_unknown =
		read_connection(r, connection, "persistent_address", text, sizeof(text)) <= 0;
	if (r->zone_unknown)
		return;
	percent = strchr(text, '%');
	if (!percent || strchr(percent, '/'))
		return;
	snprintf(zone, IF_NAMESIZE, "%.*s", (int)strcspn(percent + 1, "]"), percent + 1);
	if (strspn(zone, "0123456789") != strlen(zone))
		snprintf(netdev, IF_NAMESIZE, "%s", zone);
}

/* An address of the connection; `text` is its attribute. */
static void take_address(struct reading *r, const struct oiscsi_connection *connection,
	char netdev[IF_NAMESIZE], const char *text, struct text_address *ret)
{
	char zone[IF_NAMESIZE] = "";
	struct text_address address;

	r->zone_unknown = false;
	if (strncasecmp(text + (*text == '['), "fe", 2) == 0)
		read_zone(r, connection, netdev, zone);
	if (!oiscsi_read_address(r->o->root, text, zone, &address))
		return;
	/* What was not read may be its zone: without it, it would be another address. */
	if (oiscsi_lacks_zone(&address) &&
		(r->incomplete || r->zone_unknown || !r->session->host.known))
		return;
	*ret = address;
}

static void read_remote(
	struct reading *r, struct oiscsi_connection *connection, char netdev[IF_NAMESIZE])
{
	char text[128];

	memset(&connection->remote, 0, sizeof(connection->remote));
	if (read_connection(r, connection, "address", text, sizeof(text)) > 0)
		take_address(r, connection, netdev, text, &connection->remote);
}

static void read_local(
	struct reading *r, struct oiscsi_connection *connection, char netdev[IF_NAMESIZE])
{
	const struct oiscsi_session *session = r->session;
	char text[128];
	int rc = 0;

	memset(&connection->local, 0, sizeof(connection->local));
	if (session->transport->firmware) {
		rc = read_connection(r, connection, "local_ipaddr", text, sizeof(text));
	} else if (session->transport->host_address && session->host.known) {
		rc = oiscsi_read_value(r->o->root, text, sizeof(text),
			"/sys/class/iscsi_host/host%u/ipaddress", session->host.value);
		note_failure(r, rc);
	}
	if (rc > 0)
		take_address(r, connection, netdev, text, &connection->local);
}

static void read_ends(
	struct reading *r, struct oiscsi_connection *connection, char netdev[IF_NAMESIZE])
{
	read_remote(r, connection, netdev);
	connection->remote_port = connection_number(r, connection, "port", 1, UINT16_MAX);
	read_local(r, connection, netdev);
	connection->local_port = connection_number(r, connection, "local_port", 1, UINT16_MAX);
	connection->watched_port = connection->local_port;
	connection->local_matched = connection->port_matched = false;
}

/* Reads one connection into a copy of it. */
static void read_login_of(struct reading *r, struct oiscsi_connection *connection,
	char netdev[IF_NAMESIZE], bool with_ends, uint64_t now_ns)
{
	read_lengths(r, connection);
	connection->header_digest = read_digest(r, connection, "header_digest");
	connection->data_digest = read_digest(r, connection, "data_digest");
	if (with_ends) {
		read_ends(r, connection, netdev);
		connection->ends_read_ns = now_ns;
	}
}

/* The states did not change while the values were read: those are of one login, and whole. */
static bool is_undisturbed(const struct oiscsi *o, struct oiscsi_session *session,
	const struct oiscsi_connection *read)
{
	char text[64];

	oiscsi_value(text, root_file_read(session->state_file, text, sizeof(text)));
	if (oiscsi_state_parse(text) != OISCSI_LOGGED_IN)
		return false;
	for (size_t i = 0; i < session->connection_count; i++) {
		enum oiscsi_link before = session->connections[i].link;

		oiscsi_link_read(&session->connections[i]);
		if (session->connections[i].link != before)
			return false;
		if (o->ports_are_safe && read[i].watched_port.known) {
			struct opt_u32 port = read_file_number(
				session->connections[i].local_port_file, 1, UINT16_MAX);

			if (!port.known || port.value != read[i].watched_port.value)
				return false;
		}
	}
	return true;
}

/* `same`: no sign of a new login was seen. */
static void read_login(struct oiscsi *o, struct oiscsi_session *session, bool same, uint64_t now_ns)
{
	CLEANUP_FREE struct oiscsi_connection *read = NULL;
	struct reading r = { .o = o, .session = session };
	char netdev[IF_NAMESIZE];
	struct oiscsi_login login;

	session->current = false;
	if (session->connection_count) {
		read = malloc(session->connection_count * sizeof(*read));
		if (!read)
			return; /* the next poll tries again */
		memcpy(read, session->connections, session->connection_count * sizeof(*read));
	}
	read_values(&r, &login);
	read_netdev(&r, netdev);
	for (size_t i = 0; i < session->connection_count; i++) {
		bool with_ends = !same || o->ports_are_safe || !session->transport->kernel_tcp ||
				 now_ns - read[i].ends_read_ns >= ENDS_INTERVAL_NS;

		read_login_of(&r, &read[i], netdev, with_ends, now_ns);
	}
	if (!is_undisturbed(o, session, read))
		return;
	session->login = login;
	memcpy(session->netdev, netdev, sizeof(netdev));
	session->netdev_known = r.netdev_known;
	if (read)
		memcpy(session->connections, read, session->connection_count * sizeof(*read));
	session->current = !r.incomplete;
	session->half_known = false;
}

/*
 * A session that was down when it was first seen. The kernel still has what the last login
 * negotiated, but not the digests, nor the addresses. Of one that never logged in it has nothing.
 */
static void read_left_over(struct oiscsi *o, struct oiscsi_session *session)
{
	struct reading r = { .o = o, .session = session };
	struct oiscsi_login login;

	if (session->past != OISCSI_PAST_UNTOLD ||
		(session->state == OISCSI_FREE && !is_lost(session)))
		return;
	read_values(&r, &login);
	if (!login.max_burst_length.known)
		return;
	read_netdev(&r, session->netdev);
	session->netdev_known = r.netdev_known;
	for (size_t i = 0; i < session->connection_count; i++)
		read_lengths(&r, &session->connections[i]);
	session->login = login;
	session->half_known = r.incomplete;
}

/* Where iscsid tries to connect to, for a connection that has no end to show. */
static void read_persistent(struct oiscsi *o, const struct oiscsi_session *session,
	struct oiscsi_connection *connection)
{
	struct reading r = { .o = o, .session = session };
	char text[256], zone[IF_NAMESIZE];

	if (connection->remote.type ||
		(connection->persistent.type && connection->persistent_port.known))
		return;
	if (read_connection(&r, connection, "persistent_address", text, sizeof(text)) > 0) {
		snprintf(zone, sizeof(zone), "%s", session->netdev);
		oiscsi_read_address(o->root, text, zone, &connection->persistent);
	}
	connection->persistent_port =
		connection_number(&r, connection, "persistent_port", 1, UINT16_MAX);
}

void oiscsi_login_read(struct oiscsi *o, struct oiscsi_session *session, uint64_t now_ns)
{
	session->past = OISCSI_PAST_UNTOLD;
	if (is_logged_in(session)) {
		bool same = login_goes_on(o, session);

		if (!same || !is_watched(o, session))
			read_login(o, session, same, now_ns);
		return;
	}
	session->current = false;
	if (session->state == OISCSI_FAILED || session->state == OISCSI_FREE) {
		if (!session->login.known)
			session->past = oiscsi_past_read(o, session);
		if (!session->login.known || session->half_known)
			read_left_over(o, session);
	}
	for (size_t i = 0; i < session->connection_count; i++)
		read_persistent(o, session, &session->connections[i]);
}
