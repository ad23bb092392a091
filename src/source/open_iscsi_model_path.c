/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The paths of the initiator, and what its sessions have beyond ISCSI-MIB. Called by
 * open_iscsi_model.c in the reader process of the source.
 */
#include "base/clock.h"
#include "model/path.h"
#include "source/open_iscsi_model.h"
#include "source/open_iscsi_paths.h"

enum { CIM_ENABLED = 2, CIM_DISABLED = 3, CIM_NOT_APPLICABLE = 5 };

static void set_time(struct opt_time *field, uint64_t ns)
{
	if (ns)
		*field = (struct opt_time){ .ns = ns, .known = 1 };
}

/* What the record of the session says of the next start of the host. */
static void set_default(const struct oiscsi *o, const struct oiscsi_node *node,
	struct opt_u32 *field, struct opt_bool *expected)
{
	if (node) {
		bool automatic = node->startup != OISCSI_MANUAL;

		OPT_SET(*field, automatic ? CIM_ENABLED : CIM_DISABLED);
		OPT_SET(*expected, automatic);
	} else if (oiscsi_records_are_whole(o)) {
		OPT_SET(*field, CIM_NOT_APPLICABLE);
		OPT_SET(*expected, 0);
	}
}

void oiscsi_model_extra(struct builder *b, const struct oiscsi *o,
	const struct oiscsi_session *from, struct session *session)
{
	const struct oiscsi_extra *extra = from->extra;
	struct opt_bool expected;

	OPT_SET(session->kernel_number, from->sid);
	session->host_number = from->host;
	if (from->transport_name[0])
		builder_text(b, &session->transport, from->transport_name);
	if (from->netdev[0])
		builder_text(b, &session->netdev, from->netdev);
	if (!extra)
		return;
	if (extra->identified)
		builder_text(b, &session->iface, extra->iface);
	if (extra->is_path)
		set_default(o, extra->node, &session->enabled_default, &expected);
	session->target_portal_tag = extra->tag;
	if (!extra->condition_known)
		return;
	OPT_SET(session->condition, extra->condition);
	if (extra->condition_ns) {
		OPT_SET(session->condition_of_time, extra->condition);
		set_time(&session->condition_time, extra->condition_ns);
	}
}

/* cxgb3i and cxgb4i place data into memory, and iser replaces TCP, without this capability. */
static void set_offload(const struct oiscsi_session *session, struct opt_bool *field)
{
	const struct oiscsi_transport *transport = session->transport;

	if (transport->name[0])
		OPT_SET(*field, !transport->kernel_tcp);
}

/* What the events of the kernel told of the path's session. */
static void set_events(
	const struct oiscsi *o, const struct oiscsi_session *session, struct path *path)
{
	const struct oiscsi_events *events = oiscsi_model_events(o);
	const struct oiscsi_watch *watch = events ? oiscsi_watch_find(events, session->sid) : NULL;

	if (!watch)
		return;
	if (session->transport->firmware || !watch->last_error.known)
		return;
	path->last_error = watch->last_error;
	set_time(&path->last_error_time, watch->last_error_ns);
}

static void set_session(struct builder *b, const struct oiscsi *o,
	const struct oiscsi_session *session, struct path *path)
{
	const struct oiscsi_extra *extra = session->extra;

	path->session = extra->session_at;
	path->connection = extra->connection_at;
	if (session->transport_name[0])
		builder_text(b, &path->transport, session->transport_name);
	if (extra->netdev[0])
		builder_text(b, &path->netdev, extra->netdev);
	path->portal_tag = extra->tag;
	path->link_speed = extra->speed;
	set_offload(session, &path->tcp_offload);
	path->recovery_timeout = extra->recovery_timeout;
	path->nop_interval = extra->nop_interval;
	path->nop_timeout = extra->nop_timeout;
	path->tcp_rtt = extra->tcp_rtt;
	path->tcp_retransmits = extra->tcp_retransmits;
	set_events(o, session, path);
}

static void set_portal(
	struct builder *b, const struct oiscsi_portal_name *portal, struct path *path)
{
	if (portal->address.type)
		builder_address(&path->portal_address, &portal->address);
	if (portal->host[0])
		builder_text(b, &path->portal_name, portal->host);
	OPT_SET(path->portal_port, portal->port);
}

/*
 * The last outage as events told it, or as polls saw it where they did not, or it was another one
 * later (iscsid logs in again without a loss that the kernel reports).
 */
static void set_outage(const struct oiscsi_path *from, struct path *path)
{
	const struct oiscsi_outages *told = &from->outages;
	uint64_t seen_ns = from->outage_end_ns;
	uint64_t began_ns = seen_ns - from->outage_ms * NS_PER_MS;

	if (from->counted && told->end_ns && (!seen_ns || began_ns <= told->end_ns)) {
		set_time(&path->outage_end, told->end_ns);
		path->outage_ms = told->ms;
	} else if (seen_ns) {
		set_time(&path->outage_end, seen_ns);
		OPT_SET(path->outage_ms, from->outage_ms);
	}
}

static void set_memory(const struct oiscsi_path *from, struct path *path)
{
	path->status = from->status;
	if (from->last_status && (from->status_ns || !from->status.known))
		OPT_SET(path->status_of_time, from->last_status);
	set_time(&path->status_time, from->status_ns);
	set_outage(from, path);
	if (from->counted) {
		OPT_SET(path->failures, from->outages.failures);
		OPT_SET(path->reconnects, from->outages.reconnects);
	}
}

/* Why a missing path is missing, as its target has it. */
static void set_refusal(const struct oiscsi_refusal *refusal, struct path *path)
{
	if (!refusal->ns)
		return;
	path->login_class = refusal->login_class;
	path->login_detail = refusal->login_detail;
	set_time(&path->login_time, refusal->ns);
}

static int add_path(struct builder *b, const struct oiscsi *o, const struct oiscsi_path *from,
	uint32_t instance_at)
{
	const struct oiscsi_session *session = from->session;
	struct path *path = builder_path(b, NULL);
	struct opt_u32 enabled;

	if (!path)
		return builder_error(b);
	path->instance = instance_at;
	builder_text(b, &path->key, from->key);
	OPT_SET(path->direction, PATH_OUTBOUND);
	set_memory(from, path);
	set_default(o, from->node, &enabled, &path->expected);
	builder_text(b, &path->target_name, session ? session->target_name : from->node->target);
	builder_text(b, &path->iface, session ? session->extra->iface : from->node->iface);
	if (session) {
		builder_text(b, &path->initiator_name, session->initiator_name);
		set_portal(b, &session->extra->portal, path);
		set_session(b, o, session, path);
	} else {
		builder_text(b, &path->initiator_name,
			from->node->initiator_name ? from->node->initiator_name
						   : o->records.initiator_name);
		set_portal(b, &from->node->portal, path);
		path->portal_tag = from->node->tag;
		set_refusal(&from->refusal, path);
	}
	return builder_error(b);
}

int oiscsi_model_paths(struct builder *b, const struct oiscsi *o, uint32_t instance_at)
{
	int rc = 0;

	for (size_t i = 0; i < o->paths.count && rc == 0; i++) {
		const struct oiscsi_session *session = o->paths.list[i].session;

		if (!session || session->extra->session_at != LINK_NONE)
			rc = add_path(b, o, &o->paths.list[i], instance_at);
	}
	return rc;
}
