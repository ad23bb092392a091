/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/lio_double.h"

struct lio_double lio_fake;
struct lio_poll lio_poll;

static bool ends_with(const char *path, const char *end)
{
	size_t length = strlen(path), tail = strlen(end);

	return length >= tail && !strcmp(path + length - tail, end);
}

static struct lio_override *find(const char *path)
{
	for (size_t i = lio_fake.override_count; i-- > 0;)
		if (ends_with(path, lio_fake.overrides[i].end))
			return &lio_fake.overrides[i];
	return NULL;
}

ssize_t lio_double_read(
	struct root *root, const char *path, char *out, size_t capacity, lio_read_fn *real)
{
	struct lio_override *other;

	assert_null(strstr(path, "/auth/"));
	if (lio_fake.before_read)
		lio_fake.before_read(path);
	*out = 0;
	if (++lio_fake.reads == lio_fake.fail_read)
		return lio_fake.fail_error;
	if (lio_fake.gone && strstr(path, lio_fake.gone))
		return -ENOENT;
	other = find(path);
	if (!other)
		return real(root, path, out, capacity);
	if (!other->text)
		return other->error;
	if (strlen(other->text) >= capacity)
		return -E2BIG;
	memcpy(out, other->text, strlen(other->text) + 1);
	return (ssize_t)strlen(other->text);
}

int lio_double_list(struct root *root, const char *path, struct buf *names, lio_list_fn *real)
{
	struct lio_override *other;
	int count = 0;

	assert_null(strstr(path, "/auth"));
	if (++lio_fake.lists == lio_fake.fail_list) {
		buf_reset(names);
		return lio_fake.fail_error;
	}
	if (lio_fake.gone && strstr(path, lio_fake.gone)) {
		buf_reset(names);
		return -ENOENT;
	}
	other = find(path);
	if (!other)
		return real(root, path, names);
	buf_reset(names);
	if (!other->text)
		return other->error;
	for (const char *at = other->text; *at; at += strcspn(at, "\n") + 1, count++) {
		buf_append(names, at, strcspn(at, "\n"));
		buf_append(names, "", 1);
	}
	return names->error ? names->error : count;
}

static void take_unit(void *context, const struct unit_result *result)
{
	char reason[128] = "";

	(void)context;
	lio_poll.units++;
	assert_string_equal(result->unit, "");
	if (result->error) {
		lio_poll.error = result->error;
		snprintf(lio_poll.message, sizeof(lio_poll.message), "%s", result->message);
		return;
	}
	lio_poll.good++;
	snprintf(lio_poll.note, sizeof(lio_poll.note), "%s", result->message);
	free(lio_poll.fragment);
	lio_poll.fragment = result->fragment;
	lio_poll.length = result->length;
	lio_poll.wall_ns = result->wall_ns;
	if (fragment_check(result->fragment, result->length, reason) < 0)
		fail_msg("%s", reason);
}

int lio_set_up(void **state)
{
	(void)state;
	memset(&lio_fake, 0, sizeof(lio_fake));
	memset(&lio_poll, 0, sizeof(lio_poll));
	lio_poll.env.settings = &lio_poll.settings;
	lio_poll.collection = collection_new(take_unit, NULL);
	return lio_poll.collection ? 0 : -1;
}

static void unload(void)
{
	source_find("lio")->close(lio_poll.source);
	lio_poll.source = NULL;
	root_close(lio_poll.env.root);
	lio_poll.env.root = NULL;
}

int lio_tear_down(void **state)
{
	(void)state;
	unload();
	collection_free(lio_poll.collection);
	free(lio_poll.fragment);
	lio_put_back();
	return 0;
}

void lio_load(const char *name)
{
	char path[128];

	unload();
	snprintf(path, sizeof(path), "tests/fixtures/lio/%s.tree", name);
	assert_int_equal(root_open(path, &lio_poll.env.root), 0);
	assert_int_equal(source_find("lio")->open(&lio_poll.env, &lio_poll.source), 0);
}

int lio_run(void)
{
	lio_poll.units = lio_poll.good = lio_poll.error = 0;
	lio_fake.reads = lio_fake.lists = lio_fake.objects = 0;
	return source_find("lio")->collect(
		lio_poll.source, clock_now_ns() + 60 * NS_PER_S, lio_poll.collection);
}

void lio_run_good(void)
{
	assert_int_equal(lio_run(), 0);
	if (lio_poll.error)
		fail_msg("%s", lio_poll.message);
	assert_int_equal(lio_poll.units, 1);
	assert_int_equal(lio_poll.good, 1);
}

void lio_put_back(void)
{
	for (size_t i = 0; i < lio_fake.override_count; i++)
		free(lio_fake.overrides[i].text);
	memset(lio_fake.overrides, 0, sizeof(lio_fake.overrides));
	lio_fake.override_count = 0;
}

static struct lio_override *add(const char *end)
{
	struct lio_override *other = &lio_fake.overrides[lio_fake.override_count++];

	assert_true(lio_fake.override_count <= ARRAY_SIZE(lio_fake.overrides));
	snprintf(other->end, sizeof(other->end), "%s", end);
	return other;
}

void lio_put(const char *end, const char *text)
{
	add(end)->text = strdup(text);
}

void lio_put_error(const char *end, int error)
{
	add(end)->error = error;
}

const char *lio_info_text(const char *name, unsigned sid, const char *alias)
{
	static char text[1024];

	snprintf(text, sizeof(text),
		"InitiatorName: %s\nInitiatorAlias: %s\n"
		"LIO Session ID: %u   ISID: 0x80 12 34 56 00 07  TSIH: %u  SessionType: Normal\n"
		"Session State: TARG_SESS_STATE_LOGGED_IN\n"
		"---------------------[iSCSI Session Values]-----------------------\n"
		"  CmdSN/WR  :  CmdSN/WC  :  ExpCmdSN  :  MaxCmdSN  :     ITT    :     TTT\n"
		" 0x00000040   0x00000040   0x0000005e   0x0000009d   0x0000005f   0x00000058\n"
		"----------------------[iSCSI Connections]-------------------------\n"
		"CID: 1  Connection State: TARG_CONN_STATE_LOGGED_IN\n"
		"   Address 10.0.0.9 TCP  StatSN: 0xb0d23112\n",
		name, alias, sid, sid);
	return text;
}

uint32_t lio_count_of(enum object_kind kind)
{
	return lio_poll.fragment->arrays[kind].count;
}

const char *lio_text_of(const struct opt_str *field)
{
	return field->known ? (const char *)lio_poll.fragment + lio_poll.fragment->arena_at +
				      field->offset
			    : "-";
}

const struct node *lio_node(const char *name)
{
	const struct node *nodes = LIO_ARRAY(NODE, node);

	for (uint32_t i = 0; i < lio_count_of(OBJECT_NODE); i++)
		if (!strcmp(lio_text_of(&nodes[i].name), name))
			return &nodes[i];
	fail_msg("no target %s", name);
	return NULL;
}

const struct session *lio_session(const char *target, const char *initiator)
{
	const struct session *sessions = LIO_ARRAY(SESSION, session);
	uint32_t node_at = (uint32_t)(lio_node(target) - LIO_ARRAY(NODE, node));

	for (uint32_t i = 0; i < lio_count_of(OBJECT_SESSION); i++)
		if (sessions[i].node == node_at &&
			!strcmp(lio_text_of(&sessions[i].initiator_name), initiator))
			return &sessions[i];
	return NULL;
}

const struct connection *lio_connection(const struct session *session, uint32_t n)
{
	const struct connection *connections = LIO_ARRAY(CONNECTION, connection);
	uint32_t session_at = (uint32_t)(session - LIO_ARRAY(SESSION, session));

	for (uint32_t i = 0; i < lio_count_of(OBJECT_CONNECTION); i++)
		if (connections[i].session == session_at && n-- == 0)
			return &connections[i];
	fail_msg("no such connection");
	return NULL;
}
