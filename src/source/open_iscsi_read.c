/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sessions and connections of one poll: their states each time, from files that stay open;
 * what a login negotiated once for each login (open_iscsi_login.c). Called by open_iscsi.c in the
 * reader process.
 */
#include "source/open_iscsi_read.h"

#include "base/clock.h"
#include "source/open_iscsi_login.h"

#include <stdarg.h>

#define VALUE_MAX 1024u /* octets with NUL; names have 223, the other values less */

int oiscsi_read_value(struct root *root, char *text, size_t capacity, const char *format, ...)
{
	char path[512];
	va_list args;
	ssize_t rc;

	va_start(args, format);
	vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	rc = root_read(root, path, text, capacity);
	if (rc < 0) {
		*text = '\0';
		return (int)rc;
	}
	return oiscsi_value(text, rc);
}

bool oiscsi_lacks_zone(const struct text_address *address)
{
	return address->type == 2 && address->octets[0] == 0xfe &&
	       (address->octets[1] & 0xc0) == 0x80;
}

bool oiscsi_read_address(
	struct root *root, const char *text, const char *netdev, struct text_address *ret)
{
	struct text_address address, zoned;
	char with_zone[128];

	if (root_to_address(root, text, &address) < 0 || text_address_is_wildcard(&address))
		return false;
	if (oiscsi_lacks_zone(&address) && *netdev) {
		const char *bare = text + (*text == '[');

		snprintf(with_zone, sizeof(with_zone), "%.*s%%%s", (int)strcspn(bare, "]"), bare,
			netdev);
		if (root_to_address(root, with_zone, &zoned) == 0)
			address = zoned;
	}
	*ret = address;
	return true;
}

/* ---- what does not change while a session lives ---- */

static int keep_name(struct oiscsi_session *session, const char *text, char **name)
{
	if (strlen(text) > OISCSI_NAME_MAX)
		return 0;
	*name = strdup(text);
	session->current = false; /* the name of its interface tells more of it */
	return *name ? 0 : -ENOMEM;
}

/* Asks until there is a name. 0, -ENOENT (the driver has none), or a negative errno. */
static int read_name(
	struct oiscsi *o, struct oiscsi_session *session, const char *attribute, char **name)
{
	char text[VALUE_MAX];
	int rc;

	if (*name)
		return 0;
	rc = oiscsi_read_value(o->root, text, sizeof(text), "/sys/class/iscsi_session/session%u/%s",
		session->sid, attribute);
	return rc > 0 ? keep_name(session, text, name) : rc;
}

/* The entry of the class is a link to …/hostH/…/sessionN/…; long ago its `device` was. */
bool oiscsi_read_host(struct root *root, uint32_t sid, uint32_t *ret)
{
	static const char *const links[] = { "", "/device" };
	char path[160], target[1024];

	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		snprintf(path, sizeof(path), "/sys/class/iscsi_session/session%u%s", sid, links[i]);
		if (root_read_link(root, path, target, sizeof(target)) > 0 &&
			oiscsi_host_of_link(target, sid, ret))
			return true;
	}
	return false;
}

static void read_transport(struct oiscsi *o, struct oiscsi_session *session)
{
	char text[64];
	const char *name;

	if (session->transport_name[0] || !session->host.known ||
		oiscsi_read_value(o->root, text, sizeof(text),
			"/sys/class/scsi_host/host%u/proc_name", session->host.value) <= 0)
		return;
	name = oiscsi_transport_of_driver(text);
	if (strlen(name) >= sizeof(session->transport_name))
		return;
	memcpy(session->transport_name, name, strlen(name) + 1);
	session->transport = oiscsi_transport_find(name);
	/* What was read without knowing it is less than there is. */
	session->current = false;
	session->half_known = true;
}

/* The process that made the session. It is in the key of the session, which must stay: if it could
 * not be read at first the key goes without. */
static void read_creator(struct oiscsi *o, struct oiscsi_session *session)
{
	char text[64];
	size_t length;
	int rc;

	if (session->creator_known)
		return;
	rc = oiscsi_read_value(o->root, text, sizeof(text),
		"/sys/class/iscsi_session/session%u/creator", session->sid);
	session->creator_known = rc >= 0 || rc == -ENOENT;
	length = strlen(text);
	if (length < sizeof(session->creator) && strspn(text, "-0123456789") == length)
		memcpy(session->creator, text, length + 1);
	if (!session->creator_asked)
		memcpy(session->key_creator, session->creator, sizeof(session->creator));
	session->creator_asked = true;
}

int oiscsi_read_host_initiator(struct root *root, uint32_t host, char *text, size_t capacity)
{
	return oiscsi_read_value(
		root, text, capacity, "/sys/class/iscsi_host/host%u/initiatorname", host);
}

/* qla4xxx has the name of its adapter. */
static int take_host_initiator(struct oiscsi *o, struct oiscsi_session *session)
{
	char text[VALUE_MAX];

	if (!session->host.known ||
		oiscsi_read_host_initiator(o->root, session->host.value, text, sizeof(text)) <= 0)
		return 0;
	return keep_name(session, text, &session->initiator_name);
}

/* 0 or -ENOMEM. */
static int read_identity(struct oiscsi *o, struct oiscsi_session *session)
{
	int rc, own, iface;
	uint32_t host;

	if (!session->host.known && oiscsi_read_host(o->root, session->sid, &host))
		OPT_SET(session->host, host);
	read_transport(o, session);
	read_creator(o, session);
	rc = read_name(o, session, "targetname", &session->target_name);
	own = read_name(o, session, "initiatorname", &session->initiator_name);
	if (own == -ENOENT)
		own = take_host_initiator(o, session);
	iface = read_name(o, session, "ifacename", &session->iface_name);
	session->iface_known = iface == 0 || iface == -ENOENT;
	return rc == -ENOMEM || own == -ENOMEM || iface == -ENOMEM ? -ENOMEM : 0;
}

/* ---- what changes ---- */

/* Whether a session that could not be read is still there. */
static bool session_exists(struct oiscsi *o, uint32_t sid)
{
	char path[64], target[1024];
	ssize_t rc;

	snprintf(path, sizeof(path), "/sys/class/iscsi_session/session%u", sid);
	rc = root_read_link(o->root, path, target, sizeof(target));
	return rc != -ENOENT && rc != -ENODEV;
}

static void read_state(struct oiscsi *o, struct oiscsi_session *session)
{
	char text[64];
	uint64_t before = session->object;
	ssize_t rc = root_file_read(session->state_file, text, sizeof(text));

	session->object = root_file_object(session->state_file);
	session->gone |= before && session->object != before;
	session->present = !session->gone &&
			   ((rc != -ENOENT && rc != -ENODEV) || session_exists(o, session->sid));
	oiscsi_value(text, rc);
	session->state = oiscsi_state_parse(text);
	rc = root_file_read(session->target_state_file, text, sizeof(text));
	oiscsi_value(text, rc);
	session->unbinding =
		rc > 0 && (strcmp(text, "UNBINDING") == 0 || strcmp(text, "UNBOUND") == 0);
	session->unbinding_unread = rc < 0 && rc != -ENOENT; /* Linux before 6.1 has no such file */
	for (size_t i = 0; i < session->connection_count; i++)
		oiscsi_link_read(&session->connections[i]);
}

static int read_session(struct oiscsi *o, struct oiscsi_session *session, uint64_t now_ns)
{
	const struct oiscsi_watch *watch;
	int rc;

	read_state(o, session);
	if (!session->present)
		return 0;
	rc = oiscsi_listener_seen(o->listener, session->sid, session->state);
	if (rc < 0)
		return rc;
	watch = oiscsi_watch_find(&o->listener->events, session->sid);
	session->login_serial = watch ? watch->login_serial : 0;
	rc = read_identity(o, session);
	if (rc < 0)
		return rc;
	oiscsi_login_read(o, session, now_ns);
	return 0;
}

static int list(struct oiscsi *o, const char *class, struct buf *names, struct oiscsi_failure *why)
{
	char path[64];
	int count;

	snprintf(path, sizeof(path), "/sys/class/%s", class);
	count = root_list(o->root, path, names);
	if (count == -ENOENT)
		count = 0; /* the module is being loaded or unloaded */
	if (count < 0)
		snprintf(why->text, sizeof(why->text), "listing %s: %s", path, strerror(-count));
	return count;
}

int oiscsi_read(struct oiscsi *o, uint64_t now_ns, uint64_t deadline_ns, struct oiscsi_failure *why)
{
	CLEANUP_BUF struct buf names = BUF_INIT(ROOT_ANSWER_MAX);
	int count = list(o, "iscsi_session", &names, why), rc;

	if (count < 0)
		return count;
	o->poll++;
	snprintf(why->text, sizeof(why->text), "no memory for the sessions");
	rc = oiscsi_sessions_merge(o, &names, (size_t)count);
	if (rc < 0) {
		o->poll--; /* the next one is the first to see them: it knows of none when it began
			    */
		return rc;
	}
	count = list(o, "iscsi_connection", &names, why);
	if (count < 0)
		return count;
	snprintf(why->text, sizeof(why->text), "no memory for the sessions");
	rc = oiscsi_connections_merge(o, &names, (size_t)count);
	for (size_t i = 0; i < o->session_count && rc == 0; i++) {
		if (clock_now_ns() >= deadline_ns) {
			snprintf(why->text, sizeof(why->text),
				"reading sessions: %zu of %zu before the time was over", i,
				o->session_count);
			return -ETIMEDOUT;
		}
		rc = read_session(o, o->sessions[i], now_ns);
	}
	return rc;
}
