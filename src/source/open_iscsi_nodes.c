/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/open_iscsi_nodes.h"

#include "base/text.h"

#define VALUE_MAX    701u /* octets with NUL: of a name that is kept */
#define PORT_DEFAULT 3260u

enum { INITIATOR_NAME, STARTUP, LEADING, SESSIONS, TAG, IFACE, ADDRESS, PORT, KEY_COUNT };

const char *const oiscsi_node_keys[KEY_COUNT + 1] = {
	[INITIATOR_NAME] = "iface.initiatorname",
	[STARTUP] = "node.startup",
	[LEADING] = "node.leading_login",
	[SESSIONS] = "node.session.nr_sessions",
	[TAG] = "node.tpgt",
	[IFACE] = "iface.iscsi_ifacename",
	[ADDRESS] = "node.conn[0].address",
	[PORT] = "node.conn[0].port",
};

void oiscsi_node_clear(struct oiscsi_node *node)
{
	free(node->target);
	free(node->initiator_name);
	free(node->address);
	memset(node, 0, sizeof(*node));
}

static enum oiscsi_startup startup_of(const char *value)
{
	if (strcmp(value, "automatic") == 0)
		return OISCSI_AUTOMATIC;
	return strcmp(value, "onboot") == 0 ? OISCSI_ONBOOT : OISCSI_MANUAL;
}

/* As iscsid reads it: of several lines with one key the last counts. */
static int set_text(char **field, const char *value)
{
	char *copy = strdup(value);

	if (!copy)
		return -ENOMEM;
	free(*field);
	*field = copy;
	return 0;
}

static int take_line(struct oiscsi_node *node, const struct oiscsi_line *line)
{
	char value[VALUE_MAX];
	uint32_t number;

	if (!oiscsi_line_copy(line, value, sizeof(value)))
		return 0;
	if (oiscsi_line_is(line, oiscsi_node_keys[INITIATOR_NAME]))
		return set_text(&node->initiator_name, value);
	if (oiscsi_line_is(line, oiscsi_node_keys[ADDRESS]))
		return strlen(value) < 256 ? set_text(&node->address, value) : 0;
	if (oiscsi_line_is(line, oiscsi_node_keys[STARTUP]))
		node->startup = startup_of(value);
	else if (oiscsi_line_is(line, oiscsi_node_keys[LEADING]))
		node->leading_login = strcmp(value, "Yes") == 0;
	else if (oiscsi_line_is(line, oiscsi_node_keys[SESSIONS]) &&
		 text_to_u32(value, INT32_MAX, &number) == 0 && number)
		node->nr_sessions =
			number < OISCSI_NR_SESSIONS_MAX ? number : OISCSI_NR_SESSIONS_MAX;
	else if (oiscsi_line_is(line, oiscsi_node_keys[IFACE]))
		snprintf(node->iface, sizeof(node->iface), "%.63s", value);
	else if (oiscsi_line_is(line, oiscsi_node_keys[PORT]) &&
		 text_to_u32(value, UINT16_MAX, &number) == 0 && number)
		node->port = number;
	else if (oiscsi_line_is(line, oiscsi_node_keys[TAG]) &&
		 text_to_u32(value, UINT16_MAX, &number) == 0)
		OPT_SET(node->tag, number); /* -1: not known */
	return 0;
}

int oiscsi_node_parse(const char *target, const char *text, size_t length, struct oiscsi_node *ret)
{
	struct oiscsi_node node = { .port = PORT_DEFAULT, .iface = "default", .nr_sessions = 1 };
	struct oiscsi_line line;
	int rc = set_text(&node.target, target);

	while (rc == 0 && oiscsi_line_next(&text, &length, &line))
		rc = take_line(&node, &line);
	if (rc < 0) {
		oiscsi_node_clear(&node);
		return rc;
	}
	*ret = node;
	return 0;
}

int oiscsi_nodes_add(struct oiscsi_nodes *nodes, struct oiscsi_node *node)
{
	if (nodes->count == nodes->capacity) {
		size_t more = nodes->capacity ? 2 * nodes->capacity : 16;
		struct oiscsi_node *grown = NULL;

		if (nodes->count < OISCSI_NODES_MAX)
			grown = reallocarray(nodes->list, more, sizeof(*grown));
		if (!grown) {
			oiscsi_node_clear(node);
			return nodes->count < OISCSI_NODES_MAX ? -ENOMEM : 0;
		}
		nodes->list = grown;
		nodes->capacity = more;
	}
	nodes->list[nodes->count++] = *node;
	return 0;
}

void oiscsi_nodes_clear(struct oiscsi_nodes *nodes)
{
	for (size_t i = 0; i < nodes->count; i++)
		oiscsi_node_clear(&nodes->list[i]);
	free(nodes->list);
	memset(nodes, 0, sizeof(*nodes));
}
