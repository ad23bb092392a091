/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Called by reader/collection.c for each unit that a source has ended. What a source sets itself
 * (open-iscsi knows more of its paths) stays as it is. Must say nothing that does not follow from
 * the objects that are there.
 */
#include "model/path.h"

#include "model/session_state.h"

enum { CXN_LOGIN = 1, CXN_FULL = 2, CXN_LOGOUT = 3, PROTOCOL_TCP = 6, CIM_NOT_APPLICABLE = 5 };

bool path_key(char out[PATH_KEY_MAX], const struct path_identity *identity)
{
	char ordinal[16] = "";
	int length;

	if (identity->ordinal > 1)
		snprintf(ordinal, sizeof(ordinal), " #%u", identity->ordinal);
	length = snprintf(out, PATH_KEY_MAX, "%s %s%s%s to %s at %s%s",
		identity->direction == PATH_INBOUND ? "in" : "out",
		identity->initiator ? identity->initiator : "",
		identity->iface && *identity->iface ? " by " : "",
		identity->iface ? identity->iface : "", identity->target ? identity->target : "",
		identity->portal ? identity->portal : "", ordinal);
	if (length > 0 && (size_t)length < PATH_KEY_MAX)
		return true;
	out[0] = '\0';
	return false;
}

void path_endpoint(char out[80], const struct opt_addr *address, const struct opt_u32 *port)
{
	struct text_address shown = { .type = address->type, .length = address->length };
	char text[64];
	bool v4 = address->type == 1;

	out[0] = '\0';
	if (!address->known)
		return;
	memcpy(shown.octets, address->octets, sizeof(shown.octets));
	text_from_address(text, &shown);
	if (port->known)
		snprintf(out, 80, v4 ? "%s:%u" : "[%s]:%u", text, port->value);
	else
		snprintf(out, 80, "%s", text);
}

void path_set_status(struct path *path, const struct session *session)
{
	const struct session_meaning *meaning = NULL;

	if (session->condition.known)
		meaning = session_meaning_of(session->condition.value, false, false);
	if (meaning)
		OPT_SET(path->status, meaning->path_status);
}

/* ---- conditions ---- */

/* The initiator comes from far, the local node is the target, and the local end its portal. */
static bool is_inbound(const struct session *session)
{
	return session->direction.known && session->direction.value == PATH_INBOUND;
}

/* Its first connection, and what the states of all come to: the best of them counts. */
static void see_connections(struct builder *b, uint8_t *seen)
{
	for (uint32_t i = 0; i < builder_count(b, OBJECT_SESSION); i++)
		builder_session_at(b, i)->connection = LINK_NONE;
	for (uint32_t i = 0; i < builder_count(b, OBJECT_CONNECTION); i++) {
		const struct connection *c = builder_connection_at(b, i);
		struct session *session = builder_session_at(b, c->session);
		uint8_t *best = &seen[c->session];
		uint8_t condition;

		if (session->connection == LINK_NONE)
			session->connection = i;
		if (!c->state.known)
			continue;
		condition = c->state.value == CXN_FULL	  ? SESSION_UP
			    : c->state.value == CXN_LOGIN ? SESSION_STARTING
							  : SESSION_STOPPING;
		if (!*best || condition == SESSION_UP)
			*best = condition;
	}
}

static int complete_sessions(struct builder *b)
{
	uint32_t count = builder_count(b, OBJECT_SESSION);
	CLEANUP_FREE uint8_t *seen = calloc(count + (size_t)1, 1);

	if (!seen)
		return -ENOMEM;
	see_connections(b, seen);
	for (uint32_t i = 0; i < count; i++) {
		struct session *session = builder_session_at(b, i);

		if (!is_inbound(session))
			continue;
		if (!session->condition.known && seen[i])
			OPT_SET(session->condition, seen[i]);
		if (!session->enabled_default.known)
			OPT_SET(session->enabled_default, CIM_NOT_APPLICABLE);
		builder_text(b, &session->iface, "");
	}
	return 0;
}

/* ---- paths ---- */

/* A connection that needs a path, and the key that it would have alone. */
struct wanted {
	char *key;
	uint32_t connection;
};

static int compare_wanted(const void *a, const void *b)
{
	const struct wanted *x = a, *y = b;
	int order = strcmp(x->key, y->key);

	if (order)
		return order;
	return (x->connection > y->connection) - (x->connection < y->connection);
}

/*
 * Without all of what makes it this path there is none: it would be another row as soon as the rest
 * is known.
 */
static bool make_key(
	struct builder *b, uint32_t connection, uint32_t ordinal, char out[PATH_KEY_MAX])
{
	const struct connection *c = builder_connection_at(b, connection);
	const struct session *session = builder_session_at(b, c->session);
	const struct node *node = builder_node_at(b, session->node);
	char portal[80];

	if (!is_inbound(session) || !session->initiator_name.known || !node->name.known ||
		!c->local_address.known || !c->local_port.known)
		return false;
	path_endpoint(portal, &c->local_address, &c->local_port);
	return path_key(out, &(struct path_identity){
				     .direction = PATH_INBOUND,
				     .initiator = builder_text_of(b, &session->initiator_name),
				     .target = builder_text_of(b, &node->name),
				     .portal = portal,
				     .ordinal = ordinal,
			     });
}

static int add_path(struct builder *b, uint32_t connection_at, const char *key)
{
	struct path *path = builder_path(b, NULL);
	const struct connection *c = builder_connection_at(b, connection_at);
	const struct session *session;

	if (!path)
		return builder_error(b);
	session = builder_session_at(b, c->session);
	path->instance = session->instance;
	path->session = c->session;
	path->connection = connection_at;
	builder_text(b, &path->key, key);
	OPT_SET(path->direction, PATH_INBOUND);
	builder_text(b, &path->iface, "");
	path->initiator_name = session->initiator_name;
	path->target_name = builder_node_at(b, session->node)->name;
	path->portal_address = c->local_address;
	path->portal_port = c->local_port;
	path->portal_tag = session->target_portal_tag;
	OPT_SET(path->expected, 0);
	path_set_status(path, session);
	if (c->protocol.known && c->protocol.value == PROTOCOL_TCP) {
		/* The kernel's TCP: targets tell no protocol of a connection of an adapter. */
		builder_text(b, &path->transport, "tcp");
		OPT_SET(path->tcp_offload, 0);
	}
	return builder_error(b);
}

/* The keys of the connections that have no path yet, sorted. The caller frees each and the list. */
static int list_wanted(struct builder *b, struct wanted **ret, size_t *ret_count)
{
	uint32_t count = builder_count(b, OBJECT_CONNECTION);
	CLEANUP_FREE uint8_t *has_path = calloc(count + (size_t)1, 1);
	struct wanted *list = calloc(count + (size_t)1, sizeof(*list));
	char key[PATH_KEY_MAX];
	size_t n = 0;

	*ret = list;
	*ret_count = 0;
	if (!has_path || !list)
		return -ENOMEM;
	for (uint32_t i = 0; i < builder_count(b, OBJECT_PATH); i++) {
		if (builder_path_at(b, i)->connection < count)
			has_path[builder_path_at(b, i)->connection] = 1;
	}
	for (uint32_t i = 0; i < count; i++) {
		if (has_path[i] || !make_key(b, i, 1, key))
			continue;
		list[n].connection = i;
		list[n].key = strdup(key);
		if (!list[n].key)
			return -ENOMEM;
		*ret_count = ++n;
	}
	qsort(list, n, sizeof(*list), compare_wanted);
	return 0;
}

static int complete_paths(struct builder *b)
{
	struct wanted *list;
	uint32_t ordinal = 1;
	size_t count;
	int rc = list_wanted(b, &list, &count);

	for (size_t i = 0; i < count; i++) {
		char key[PATH_KEY_MAX];

		ordinal = i && strcmp(list[i].key, list[i - 1].key) == 0 ? ordinal + 1 : 1;
		if (rc == 0 && make_key(b, list[i].connection, ordinal, key))
			rc = add_path(b, list[i].connection, key);
	}
	for (size_t i = 0; i < count; i++)
		free(list[i].key);
	free(list);
	return rc;
}

static bool is_expected_without_session(const struct path *path)
{
	return path->session == LINK_NONE && path->direction.known &&
	       path->direction.value == PATH_OUTBOUND && path->expected.known &&
	       path->expected.value;
}

bool path_is_missing(const struct path *path)
{
	return is_expected_without_session(path) && path->status.known &&
	       path->status.value == PATH_DISCONNECTED;
}

bool path_may_be_missing(const struct path *path)
{
	return is_expected_without_session(path) && !path->status.known;
}

int path_complete(struct builder *b)
{
	int rc = builder_error(b);

	if (rc == 0)
		rc = complete_sessions(b);
	if (rc == 0)
		rc = complete_paths(b);
	return rc;
}
