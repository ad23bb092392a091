/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/open_iscsi_extra.h"

#include "base/clock.h"
#include "source/netdev.h"
#include "source/open_iscsi_read.h"

#define RECOVERY_INTERVAL_NS (30 * NS_PER_S)
#define SPEEDS_MAX	     64u /* interfaces whose speed is read once for all sessions */

/* What all sessions of a poll share. */
struct poll {
	struct oiscsi *o;
	uint64_t now_ns;
	bool daemon_asked, netdevs_asked, netdevs_known;
	enum oiscsi_daemon daemon;
	struct netdevs netdevs;
	struct {
		char netdev[IF_NAMESIZE];
		struct opt_u32 speed;
	} speeds[SPEEDS_MAX];
	size_t speed_count;
};

void oiscsi_extra_free(struct oiscsi_extra *extra)
{
	if (!extra)
		return;
	root_file_close(extra->recovery_file);
	free(extra);
}

static struct oiscsi_extra *extra_new(struct oiscsi *o, const struct oiscsi_session *session)
{
	struct oiscsi_extra *extra = calloc(1, sizeof(*extra));
	char path[80];

	if (!extra)
		return NULL;
	snprintf(path, sizeof(path), "/sys/class/iscsi_session/session%u/recovery_tmo",
		session->sid);
	if (root_file_open(o->root, path, &extra->recovery_file) < 0) {
		free(extra);
		return NULL;
	}
	return extra;
}

static int read_session(
	struct poll *p, uint32_t sid, const char *attribute, char *text, size_t capacity)
{
	return oiscsi_read_value(p->o->root, text, capacity,
		"/sys/class/iscsi_session/session%u/%s", sid, attribute);
}

static int read_connection(struct poll *p, const struct oiscsi_session *session,
	const char *attribute, char *text, size_t capacity)
{
	return oiscsi_read_value(p->o->root, text, capacity,
		"/sys/class/iscsi_connection/connection%u:%u/%s", session->sid,
		session->connections[0].cid, attribute);
}

/* ---- which path it is ---- */

/*
 * Interface record and configured portal. A name that is not there ("no such file", or the kernel
 * has none) is known to be none; one that could not be read is not, and then nothing is.
 */
static void identify(struct poll *p, struct oiscsi_session *session)
{
	struct oiscsi_extra *extra = session->extra;
	char iface[65], address[256], port[32];
	uint32_t number;
	int rc;

	if (extra->identified || !session->connection_count)
		return;
	rc = read_session(p, session->sid, "ifacename", iface, sizeof(iface));
	if (rc < 0 && rc != -ENOENT)
		return;
	if (read_connection(p, session, "persistent_address", address, sizeof(address)) <= 0 ||
		read_connection(p, session, "persistent_port", port, sizeof(port)) <= 0 ||
		text_to_u32(port, UINT16_MAX, &number) < 0 || !number)
		return;
	memcpy(extra->iface, iface, sizeof(extra->iface));
	oiscsi_portal_name(p->o->root, address, number, &extra->portal);
	extra->identified = true;
}

/* ---- its condition ---- */

static bool is_down(const struct oiscsi_session *session)
{
	enum oiscsi_link link =
		session->connection_count ? session->connections[0].link : OISCSI_LINK_UNKNOWN;

	return session->transport->class_link &&
	       (link == OISCSI_DOWN || link == OISCSI_LINK_FAILED);
}

static bool is_bound(const struct oiscsi_session *session)
{
	return session->transport->class_link && session->connection_count &&
	       session->connections[0].link == OISCSI_BOUND;
}

/* A login of it was seen, or the end of one. */
static bool has_history(const struct oiscsi_session *session)
{
	enum session_condition before = session->extra->condition;

	return (before != SESSION_NEW && before != SESSION_STARTING) || session->login.known;
}

/* FAILED and FREE, with a failed connection, are also a first login that iscsid tries again. */
static bool is_first_login(const struct oiscsi_session *session)
{
	return !has_history(session) && session->past == OISCSI_PAST_NONE;
}

static bool is_of_unread_past(const struct oiscsi_session *session)
{
	return !has_history(session) && session->past == OISCSI_PAST_UNREAD;
}

/*
 * FREE is a session that has not logged in yet, and one that was lost for longer than the recovery
 * timeout. Where nothing else tells, the latter is the one whose connection has failed once.
 */
static bool was_logged_in(const struct oiscsi_session *session)
{
	return has_history(session) || (session->past == OISCSI_PAST_UNTOLD && is_down(session) &&
					       session->connections[0].link == OISCSI_LINK_FAILED);
}

static bool is_logging_out(const struct oiscsi_session *session)
{
	return session->unbinding && session->state != OISCSI_FAILED && !is_down(session);
}

/*
 * When a logout is through its connection is shut down, a moment before the session goes. One that
 * was lost has failed instead.
 */
static bool is_going(const struct oiscsi_session *session)
{
	return session->unbinding && session->state != OISCSI_FAILED && is_down(session) &&
	       session->connections[0].link == OISCSI_DOWN;
}

bool oiscsi_asks_for_daemon(const struct oiscsi_session *session)
{
	return session->state == OISCSI_FREE && !is_logging_out(session) && !is_going(session) &&
	       !is_bound(session) && was_logged_in(session) && !session->transport->firmware;
}

static bool seen_free(
	const struct oiscsi_session *session, enum oiscsi_daemon daemon, enum session_seen *ret)
{
	bool link_known = session->transport->class_link && session->connection_count &&
			  session->connections[0].link != OISCSI_LINK_UNKNOWN;

	if (is_bound(session) || is_first_login(session)) {
		*ret = SESSION_SEEN_LOGIN;
		return true;
	}
	if (is_of_unread_past(session))
		return false;
	if (!was_logged_in(session) && link_known) {
		*ret = SESSION_SEEN_LOGIN;
		return true;
	}
	if (!was_logged_in(session))
		return false; /* an old kernel, or an adapter: it may be either */
	*ret = daemon == OISCSI_DAEMON_GONE ? SESSION_SEEN_ABANDONED : SESSION_SEEN_EXPIRED;
	return true;
}

/*
 * The kernel may have heard already what a first login has negotiated that is not through: as long
 * as its connection is bound it is no loss.
 */
static bool seen_failed(const struct oiscsi_session *session, enum session_seen *ret)
{
	bool starting = session->extra->condition == SESSION_STARTING;

	if (is_of_unread_past(session))
		return false;
	*ret = is_first_login(session) || (starting && is_bound(session)) ? SESSION_SEEN_LOGIN
									  : SESSION_SEEN_LOST;
	return true;
}

bool oiscsi_seen(
	const struct oiscsi_session *session, enum oiscsi_daemon daemon, enum session_seen *ret)
{
	if (is_going(session))
		return false;
	if (is_logging_out(session)) {
		*ret = SESSION_SEEN_LOGOUT;
		return true;
	}
	switch (session->state) {
	case OISCSI_LOGGED_IN:
		*ret = is_down(session)	   ? SESSION_SEEN_LOST
		       : is_bound(session) ? SESSION_SEEN_LOGIN
					   : SESSION_SEEN_UP;
		return true;
	case OISCSI_FAILED:
		return seen_failed(session, ret);
	case OISCSI_FREE:
		return seen_free(session, daemon, ret);
	case OISCSI_STATE_UNKNOWN:
		break;
	}
	return false;
}

static enum oiscsi_daemon ask_for_daemon(struct poll *p)
{
	if (!p->daemon_asked)
		p->daemon = oiscsi_daemon_look(p->o->root);
	p->daemon_asked = true;
	return p->daemon;
}

/* Both are EnabledState Disabled: nothing has changed for who reads that. */
static bool is_same_for_people(enum session_condition a, enum session_condition b)
{
	return (a == SESSION_EXPIRED && b == SESSION_ABANDONED) ||
	       (a == SESSION_ABANDONED && b == SESSION_EXPIRED);
}

/* A session that was not there in the poll before. */
static bool is_fresh(const struct oiscsi *o, const struct oiscsi_session *session)
{
	return o->poll > 1 && session->first_poll == o->poll;
}

static void follow(struct poll *p, struct oiscsi_session *session)
{
	struct oiscsi_extra *extra = session->extra;
	bool asked = oiscsi_asks_for_daemon(session);
	enum oiscsi_daemon daemon = asked ? ask_for_daemon(p) : OISCSI_DAEMON_UNKNOWN;
	enum session_condition before = extra->condition, now;
	enum session_seen seen;

	extra->condition_known = !oiscsi_is_in_doubt(session,
					 session->connection_count ? session->connections : NULL) &&
				 oiscsi_seen(session, daemon, &seen);
	if (!extra->condition_known)
		return;
	now = session_condition_next(before, seen);
	extra->status_known = now != SESSION_EXPIRED || session->transport->firmware ||
			      daemon == OISCSI_DAEMON_RUNS;
	extra->condition = now;
	if (before == SESSION_NEW)
		extra->condition_ns = is_fresh(p->o, session) ? p->now_ns : 0;
	else if (now != before && !is_same_for_people(before, now))
		extra->condition_ns = p->now_ns;
}

/* ---- values ---- */

static struct opt_u32 number_of(const char *text, uint32_t high)
{
	struct opt_u32 number = { .known = 0 };
	uint32_t value;

	if (text_to_u32(text, high, &value) == 0)
		OPT_SET(number, value);
	return number;
}

/*
 * Seconds; negative numbers and "off" are for ever. multipathd changes it while a session lives; as
 * long as that is up, it is soon enough to see it then.
 */
static void read_recovery(const struct poll *p, struct oiscsi_extra *extra)
{
	char text[64];

	if (extra->recovery_timeout.known && extra->condition == SESSION_UP &&
		p->now_ns - extra->recovery_read_ns < RECOVERY_INTERVAL_NS)
		return;
	extra->recovery_read_ns = p->now_ns;
	extra->recovery_timeout.known = 0;
	if (!oiscsi_value(text, root_file_read(extra->recovery_file, text, sizeof(text))))
		return;
	if (strcmp(text, "off") == 0 || text[0] == '-')
		OPT_SET(extra->recovery_timeout, UINT32_MAX);
	else
		extra->recovery_timeout = number_of(text, INT32_MAX);
}

/* False when they cannot be read now; asked for once in a poll. */
static bool ask_for_netdevs(struct poll *p)
{
	if (!p->netdevs_asked)
		p->netdevs_known = netdevs_read(p->o->root, &p->netdevs) == 0;
	p->netdevs_asked = true;
	return p->netdevs_known;
}

/*
 * What the session is bound to, else what its addresses tell.
 * False when something for it could not be read, so that the next poll may tell more.
 */
static bool find_netdev(struct poll *p, struct oiscsi_session *session)
{
	const struct oiscsi_connection *c = &session->connections[0];
	struct oiscsi_extra *extra = session->extra;
	const struct text_address *remote = c->remote.type ? &c->remote : &extra->portal.address;

	snprintf(extra->netdev, IF_NAMESIZE, "%s", session->netdev);
	if (extra->netdev[0])
		return true;
	if (!session->transport->kernel_tcp)
		return session->transport_name[0] != '\0';
	if (!session->netdev_known || !ask_for_netdevs(p))
		return false;
	netdev_of_connection(&p->netdevs, &c->local, remote, extra->netdev);
	return c->remote.type || extra->identified;
}

/* "10 Gbps": be2iscsi and qla4xxx tell it of the adapter. */
static struct opt_u32 read_port_speed(struct poll *p, const struct oiscsi_session *session)
{
	struct opt_u32 speed = { .known = 0 };
	char text[64], unit[8];
	uint32_t number;

	if (!session->host.known || session->transport->kernel_tcp ||
		oiscsi_read_value(p->o->root, text, sizeof(text),
			"/sys/class/iscsi_host/host%u/port_speed", session->host.value) <= 0)
		return speed;
	/* Six digits fit; a sign is none of them. NOLINTNEXTLINE(cert-err34-c) */
	if (strspn(text, "0123456789") == 0 || sscanf(text, "%6u %7s", &number, unit) != 2 ||
		!number)
		return speed;
	if (strcmp(unit, "Gbps") == 0)
		OPT_SET(speed, number * 1000);
	else if (strcmp(unit, "Mbps") == 0)
		OPT_SET(speed, number);
	return speed;
}

static struct opt_u32 read_speed(struct poll *p, const struct oiscsi_session *session)
{
	const char *netdev = session->extra->netdev;
	struct opt_u32 speed;

	if (!netdev[0])
		return read_port_speed(p, session);
	for (size_t i = 0; i < p->speed_count; i++) {
		if (strcmp(p->speeds[i].netdev, netdev) == 0)
			return p->speeds[i].speed;
	}
	speed = netdev_speed(p->o->root, netdev);
	if (p->speed_count < SPEEDS_MAX) {
		memcpy(p->speeds[p->speed_count].netdev, netdev, IF_NAMESIZE);
		p->speeds[p->speed_count++].speed = speed;
	}
	return speed;
}

/* It is there and could not be read: the next poll tries again. */
static bool is_to_be_asked_again(int rc)
{
	return rc < 0 && rc != -ENOENT;
}

/* What a login sets: once for each, and until all of it could be read. */
static void read_login(struct poll *p, struct oiscsi_session *session)
{
	struct oiscsi_extra *extra = session->extra;
	const struct oiscsi_connection *c = &session->connections[0];
	uint32_t port = c->local_port.known ? c->local_port.value : 0;
	bool current = extra->condition != SESSION_UP || session->current, whole;
	char text[64];

	if (extra->complete && current &&
		(extra->condition != SESSION_UP || extra->local_port == port))
		return;
	whole = !is_to_be_asked_again(read_session(p, session->sid, "tpgt", text, sizeof(text)));
	extra->tag = number_of(text, UINT16_MAX);
	whole &= !is_to_be_asked_again(read_connection(p, session, "recv_tmo", text, sizeof(text)));
	extra->nop_interval = number_of(text, INT32_MAX);
	whole &= !is_to_be_asked_again(read_connection(p, session, "ping_tmo", text, sizeof(text)));
	extra->nop_timeout = number_of(text, INT32_MAX);
	whole &= find_netdev(p, session);
	extra->local_port = port;
	extra->complete = whole && current;
}

static int read_extra(struct poll *p, struct oiscsi_session *session)
{
	struct oiscsi_extra *extra = session->extra;

	if (!extra) {
		session->extra = extra = extra_new(p->o, session);
		if (!extra)
			return -ENOMEM;
	}
	extra->session_at = extra->connection_at = LINK_NONE;
	follow(p, session);
	identify(p, session);
	read_recovery(p, extra);
	if (!session->connection_count)
		return 0;
	if (extra->condition_known && extra->condition != SESSION_STARTING)
		read_login(p, session);
	extra->speed = read_speed(p, session);
	return 0;
}

/* ---- what TCP measures ---- */

static bool has_socket(const struct oiscsi_session *session)
{
	const struct oiscsi_connection *c = session->connections;

	return session->present && session->transport->kernel_tcp && session->connection_count &&
	       session->extra->condition == SESSION_UP && c->local.type && c->remote.type &&
	       c->local_port.known && c->remote_port.known;
}

static int read_tcp(struct oiscsi *o, uint64_t deadline_ns)
{
	CLEANUP_FREE struct root_tcp_info *infos = calloc(o->session_count + 1, sizeof(*infos));
	size_t count = 0;

	if (!infos)
		return -ENOMEM;
	for (size_t i = 0; i < o->session_count; i++) {
		const struct oiscsi_connection *c = o->sessions[i]->connections;

		if (has_socket(o->sessions[i]))
			infos[count++].socket = (struct root_tcp_socket){ c->local, c->remote,
				(uint16_t)c->local_port.value, (uint16_t)c->remote_port.value };
	}
	root_tcp_infos(o->root, deadline_ns, infos, count); /* what it cannot tell is unknown */
	count = 0;
	for (size_t i = 0; i < o->session_count; i++) {
		struct oiscsi_extra *extra = o->sessions[i]->extra;

		if (!extra)
			continue;
		extra->tcp_rtt.known = extra->tcp_retransmits.known = 0;
		if (!has_socket(o->sessions[i]))
			continue;
		if (infos[count].known) {
			OPT_SET(extra->tcp_rtt, infos[count].rtt_us);
			OPT_SET(extra->tcp_retransmits, infos[count].retransmits);
		}
		count++;
	}
	return 0;
}

int oiscsi_extras_read(struct oiscsi *o, uint64_t now_ns, uint64_t deadline_ns)
{
	struct poll p = { .o = o, .now_ns = now_ns };
	int rc = 0;

	for (size_t i = 0; i < o->session_count && rc == 0; i++) {
		if (clock_now_ns() >= deadline_ns)
			rc = -ETIMEDOUT;
		else if (o->sessions[i]->present)
			rc = read_extra(&p, o->sessions[i]);
	}
	netdevs_clear(&p.netdevs);
	return rc == 0 ? read_tcp(o, deadline_ns) : rc;
}
