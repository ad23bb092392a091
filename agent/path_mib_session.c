/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The properties of CIM_iSCSISession that are not one field of the session. docs/CIM-MAPPING.md
 * says of each where it comes from. Called by the engine.
 */
#include "agent/path_mib_values.h"

#include "agent/mib_rows.h"
#include "base/text.h"
#include "model/path.h"
#include "model/session_now.h"
#include "model/words.h"

#define NAME_SHOWN  223 /* octets of an iSCSI name */
#define CAPTION_MAX 64	/* octets, by CIM */
#define TEXT_MAX    700

/* A session and what hangs on it, with its names as texts ("" unknown). */
struct seen {
	const struct snapshot *s;
	const struct session *session;
	bool inbound;
	char initiator[NAME_SHOWN + 1], target[NAME_SHOWN + 1];
};

static void copy_name(const struct snapshot *s, const struct opt_str *field, char out[])
{
	out[0] = '\0';
	if (field->known)
		text_sanitize(out, NAME_SHOWN, snapshot_text(s, field), field->length);
}

static void see(const struct mib_cell *cell, struct seen *ret)
{
	const struct session *session = cell->row->object;
	const struct opt_str *own;

	ret->s = mib_view_snapshot(cell->view);
	ret->session = session;
	ret->inbound = session->direction.known && session->direction.value == PATH_INBOUND;
	own = &snapshot_nodes(ret->s)[session->node].name;
	copy_name(ret->s, ret->inbound ? &session->initiator_name : own, ret->initiator);
	copy_name(ret->s, ret->inbound ? own : &session->target_name, ret->target);
}

static bool show(const struct mib_cell *cell, const char *text, struct mib_value *ret)
{
	return mib_show_text(cell, text, strlen(text), ret);
}

/* ---- names ---- */

bool encode_caption(const struct mib_cell *cell, struct mib_value *ret)
{
	char number[16] = "", text[TEXT_MAX], cut[CAPTION_MAX + 1];
	struct seen seen;
	int length;

	see(cell, &seen);
	if (seen.session->kernel_number.known)
		snprintf(number, sizeof(number), " %u", seen.session->kernel_number.value);
	length = snprintf(text, sizeof(text), "iSCSI session%s %s %s", number,
		seen.inbound ? "from" : "to", seen.inbound ? seen.initiator : seen.target);
	text_sanitize(cut, CAPTION_MAX, text, (size_t)length);
	return show(cell, cut, ret);
}

/* ", WHAT" for a field that is known and not empty. */
static void add(const struct snapshot *s, char text[TEXT_MAX], const char *what,
	const struct opt_str *field)
{
	size_t used = strlen(text);

	if (field->known && field->length)
		snprintf(text + used, TEXT_MAX - used, ", %s%.*s", what, field->length,
			snapshot_text(s, field));
}

bool encode_description(const struct mib_cell *cell, struct mib_value *ret)
{
	char text[TEXT_MAX], local[80], remote[80];
	const struct connection *c;
	struct seen seen;
	size_t used;

	see(cell, &seen);
	snprintf(text, sizeof(text), "%s", seen.inbound ? "inbound" : "outbound");
	add(seen.s, text, "", &seen.session->transport);
	add(seen.s, text, "iface ", &seen.session->iface);
	add(seen.s, text, "", &seen.session->netdev);
	if (seen.session->connection == LINK_NONE)
		return show(cell, text, ret);
	c = &snapshot_connections(seen.s)[seen.session->connection];
	path_endpoint(local, &c->local_address, &c->local_port);
	path_endpoint(remote, &c->remote_address, &c->remote_port);
	used = strlen(text);
	snprintf(text + used, sizeof(text) - used, ", %s %s %s", *local ? local : "?",
		seen.inbound ? "from" : "to", *remote ? remote : "?");
	return show(cell, text, ret);
}

bool encode_element_name(const struct mib_cell *cell, struct mib_value *ret)
{
	char text[TEXT_MAX];
	struct seen seen;

	see(cell, &seen);
	if (!*seen.initiator || !*seen.target)
		return mib_encode_nothing(cell, ret);
	snprintf(text, sizeof(text), "%s->%s", seen.initiator, seen.target);
	return show(cell, text, ret);
}

/* NAME,i,0xISID and NAME,t,0xTPGT, RFC 7143 section 4.2.7; false when a part is not known. */
static bool initiator_port(const struct seen *seen, char out[TEXT_MAX])
{
	const uint8_t *o = seen->session->isid.octets;

	snprintf(out, TEXT_MAX, "%s,i,0x%02x%02x%02x%02x%02x%02x", seen->initiator, o[0], o[1],
		o[2], o[3], o[4], o[5]);
	return *seen->initiator && seen->session->isid.known;
}

static bool target_port(const struct seen *seen, char out[TEXT_MAX])
{
	snprintf(
		out, TEXT_MAX, "%s,t,0x%04x", seen->target, seen->session->target_portal_tag.value);
	return *seen->target && seen->session->target_portal_tag.known;
}

bool encode_name(const struct mib_cell *cell, struct mib_value *ret)
{
	char initiator[TEXT_MAX], target[TEXT_MAX], text[2 * TEXT_MAX];
	struct seen seen;

	see(cell, &seen);
	if (initiator_port(&seen, initiator) && target_port(&seen, target))
		snprintf(text, sizeof(text), "%s,%s", initiator, target);
	else if (seen.session->kernel_number.known)
		snprintf(text, sizeof(text), "session%u", seen.session->kernel_number.value);
	else
		return mib_encode_nothing(cell, ret);
	return show(cell, text, ret);
}

bool encode_end_point_name(const struct mib_cell *cell, struct mib_value *ret)
{
	char text[TEXT_MAX];
	struct seen seen;
	bool known;

	see(cell, &seen);
	known = seen.inbound ? initiator_port(&seen, text) : target_port(&seen, text);
	return known ? show(cell, text, ret) : mib_encode_nothing(cell, ret);
}

bool encode_instance_id(const struct mib_cell *cell, struct mib_value *ret)
{
	const uint32_t *key = cell->row->key;
	char text[64];

	snprintf(text, sizeof(text), "iscsi-agentx:%u.%u.%u", key[0], key[1], key[2]);
	return show(cell, text, ret);
}

/* ---- states ---- */

static const struct session_meaning *meaning_of(const struct mib_cell *cell)
{
	return session_meaning_now(mib_view_snapshot(cell->view), cell->row->object);
}

#define STATE_ENCODER(name, member)                                          \
	bool name(const struct mib_cell *cell, struct mib_value *ret)        \
	{                                                                    \
		const struct session_meaning *meaning = meaning_of(cell);    \
                                                                             \
		return meaning ? mib_show_number(cell, meaning->member, ret) \
			       : mib_encode_nothing(cell, ret);              \
	}

STATE_ENCODER(encode_operational_status, operational_status)
STATE_ENCODER(encode_health_state, health_state)
STATE_ENCODER(encode_enabled_state, enabled_state)

bool encode_status(const struct mib_cell *cell, struct mib_value *ret)
{
	const struct session_meaning *meaning = meaning_of(cell);

	return meaning ? show(cell, meaning->status, ret) : mib_encode_nothing(cell, ret);
}

bool encode_status_descriptions(const struct mib_cell *cell, struct mib_value *ret)
{
	const struct session_meaning *meaning = meaning_of(cell);
	const struct session *session = cell->row->object;
	char text[TEXT_MAX];
	size_t used;

	if (!meaning)
		return mib_encode_nothing(cell, ret);
	used = (size_t)snprintf(text, sizeof(text), "%s", meaning->text);
	if (session->last_error.known && session->last_error.value &&
		(meaning->condition != SESSION_UP ||
			session_had_recent_error(mib_view_snapshot(cell->view), session)))
		snprintf(text + used, sizeof(text) - used, "; connection error %u: %s",
			session->last_error.value, words_of_error(session->last_error.value));
	return show(cell, text, ret);
}

/* EnabledState follows from the condition. */
bool encode_condition_date(const struct mib_cell *cell, struct mib_value *ret)
{
	const struct session *session = cell->row->object;

	if (!session->condition.known || !session->condition_of_time.known ||
		session->condition.value != session->condition_of_time.value)
		return mib_encode_nothing(cell, ret);
	return mib_show_date(cell, &session->condition_time, ret);
}

bool encode_aggregation(const struct mib_cell *cell, struct mib_value *ret)
{
	enum { NO_LOWER_LEVEL = 2, IN_PARALLEL = 3 };
	const struct session *session = cell->row->object;

	if (!session->connection_count.known)
		return mib_encode_nothing(cell, ret);
	return mib_show_number(
		cell, session->connection_count.value > 1 ? IN_PARALLEL : NO_LOWER_LEVEL, ret);
}

/* iscsiSsnType has normalSession(1), discoverySession(2); CIM has Discovery 2, Normal 3. */
bool encode_session_type(const struct mib_cell *cell, struct mib_value *ret)
{
	const struct session *session = cell->row->object;

	if (!session->type.known)
		return mib_encode_nothing(cell, ret);
	return mib_show_number(cell, session->type.value == 1 ? 3 : 2, ret);
}
