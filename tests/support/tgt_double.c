/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/tgt_double.h"

#include <arpa/inet.h>
#include <poll.h>

/* No cmocka here: fuzz targets are linked with this too. */
#define check(condition)                                                                        \
	do {                                                                                    \
		if (!(condition)) {                                                             \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                                \
		}                                                                               \
	} while (0)

struct tgt_double fake;
struct tgt_poll last_poll;

static const char *const scenes[] = { "", "sessions", NULL };

static int fixture_answer(uint32_t mode, uint32_t op, int64_t number, struct buf *text)
{
	for (size_t i = 0; scenes[i]; i++) {
		const char *scene = *scenes[i] ? scenes[i] : fake.scene;
		char name[128] = "";

		if (mode == MODE_PORTAL)
			snprintf(name, sizeof(name), "tgt/portals.txt");
		else if (mode == MODE_TARGET && number < 0)
			snprintf(name, sizeof(name), "tgt/%s-t0.txt", scene);
		else if (mode == MODE_TARGET && number <= 2)
			snprintf(name, sizeof(name), "tgt/default-t1.txt");
		else if (mode == MODE_CONNECTION)
			snprintf(name, sizeof(name), "tgt/%s-tc-%d.txt", scene, (int)number);
		else if (mode == MODE_DEVICE)
			snprintf(name, sizeof(name), "tgt/%s-nexus-%d.txt", scene, (int)number);
		else if (mode == MODE_SESSION)
			snprintf(name, sizeof(name), "tgt/%s-session-%d.txt", scene, (int)number);
		check(op == (mode == MODE_DEVICE || mode == MODE_SESSION ? 6 : 2));
		if (*name && (fixture_read(name, text) == 0 || text->error))
			return 0;
	}
	return mode == MODE_SESSION ? 6 : 4;
}

static const struct answer *other_answer(uint32_t mode, uint32_t op, int64_t number)
{
	for (size_t i = 0; i < fake.answer_count; i++)
		if (fake.answers[i].mode == mode && fake.answers[i].op == op &&
			fake.answers[i].number == number)
			return &fake.answers[i];
	return NULL;
}

int double_exchange(const char *socket_path, const void *request, size_t request_length,
	root_answer_length_fn *answer_length, struct buf *answer, struct root_peer *ret_peer)
{
	const unsigned char *octets = request;
	CLEANUP_BUF struct buf text = BUF_INIT(1 << 24);
	uint32_t mode, op, head[2] = { 0, 8 };
	const struct answer *other;
	int64_t number;
	int32_t tid;
	uint64_t sid;

	fake.asked++;
	poll(NULL, 0, fake.delay_ms);
	buf_reset(answer);
	check(request_length == 120);
	memcpy(&mode, octets, 4);
	memcpy(&op, octets + 4, 4);
	memcpy(&tid, octets + 76, 4);
	memcpy(&sid, octets + 80, 8);
	number = mode == MODE_SESSION ? (int64_t)sid : tid;
	/* All other tgtd than that of control port 0 hang. */
	if (strcmp(socket_path + strlen(socket_path) - 2, ".0") != 0)
		return -ETIMEDOUT;
	other = other_answer(mode, op, number);
	if (other && other->pid)
		fake.peer.pid = other->pid;
	if (ret_peer)
		*ret_peer = fake.peer;
	if (other && other->rc)
		return other->rc;
	if (other && other->error)
		head[0] = other->error;
	else if (other && other->text)
		buf_text(&text, other->text);
	else
		head[0] = (uint32_t)fixture_answer(mode, op, number, &text);
	if (text.error)
		return text.error;
	if (text.length)
		head[1] += (uint32_t)text.length + 1;
	buf_append(answer, head, 8);
	if (text.length)
		buf_append(answer, text.data, text.length + 1);
	if (answer->error)
		return answer->error;
	check((size_t)answer_length(answer->data, answer->length) == answer->length);
	return 0;
}

int double_list(const char *path, struct buf *names)
{
	const char *name = fake.names;

	check(!strcmp(path, "/var/run/tgtd"));
	for (int i = 0; i < fake.name_count; i++, name += strlen(name) + 1)
		buf_append(names, name, strlen(name) + 1);
	return names->error ? names->error : fake.name_count;
}

ssize_t double_tcp_sockets(struct root_tcp_socket **ret)
{
	if (fake.socket_count < 0)
		return fake.socket_count;
	/* Not malloc: a source that lacks the table for once goes on without it. */
	check(posix_memalign((void **)ret, sizeof(void *), sizeof(fake.sockets)) == 0);
	memcpy(*ret, fake.sockets, sizeof(fake.sockets));
	return fake.socket_count;
}

ssize_t double_read(const char *path, char *out, size_t capacity)
{
	if (fake.read_error)
		return fake.read_error;
	if (!strcmp(path, "/proc/sys/kernel/ostype"))
		return snprintf(out, capacity, "Linux\n");
	if (!strcmp(path, "/proc/sys/kernel/osrelease"))
		return snprintf(out, capacity, "6.1.0-test\n");
	return -ENOENT;
}

ssize_t double_read_link(const char *path, char *out, size_t capacity)
{
	if (fake.other_netns && strcmp(path, "/proc/self/ns/net") != 0)
		return snprintf(out, capacity, "%s", fake.other_netns);
	return snprintf(out, capacity, "net:[1]");
}

static void take_unit(void *context, const struct unit_result *result)
{
	(void)context;
	last_poll.units++;
	if (result->error) {
		last_poll.error = result->error;
		snprintf(last_poll.message, sizeof(last_poll.message), "%s", result->message);
		snprintf(last_poll.failed_unit, sizeof(last_poll.failed_unit), "%s", result->unit);
	} else {
		char reason[128] = "";

		last_poll.good++;
		snprintf(last_poll.unit, sizeof(last_poll.unit), "%s", result->unit);
		if (fragment_check(result->fragment, result->length, reason) < 0)
			fprintf(stderr, "%s\n", reason), abort();
		free(last_poll.fragment);
		last_poll.fragment = result->fragment;
		last_poll.wall_ns = result->wall_ns;
	}
}

int run(const char *scene)
{
	if (scene)
		fake.scene = scene;
	last_poll.units = last_poll.good = last_poll.error = 0;
	*last_poll.message = *last_poll.unit = *last_poll.failed_unit = 0;
	return source_find("tgt")->collect(
		last_poll.source, clock_now_ns() + NS_PER_S, last_poll.collection);
}

void run_good(const char *scene)
{
	check(run(scene) == 0);
	if (last_poll.error)
		fprintf(stderr, "%s\n", last_poll.message);
	check(last_poll.good == 1);
	check(last_poll.units == 1);
}

void put_answer(struct answer answer)
{
	check(fake.answer_count < ARRAY_SIZE(fake.answers));
	fake.answers[fake.answer_count++] = answer;
}

int tgt_set_up(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	memset(&last_poll, 0, sizeof(last_poll));
	fake.scene = "sessions";
	fake.peer = (struct root_peer){ .pid = 4711, .start_time = 815 };
	fake.names = "socket.0";
	fake.name_count = 1;
	snprintf(last_poll.settings.tgt_socket, sizeof(last_poll.settings.tgt_socket), "%s",
		"/var/run/tgtd/socket");
	last_poll.env.settings = &last_poll.settings;
	last_poll.collection = collection_new(take_unit, NULL);
	return source_find("tgt")->open(&last_poll.env, &last_poll.source);
}

int tgt_tear_down(void **state)
{
	(void)state;
	source_find("tgt")->close(last_poll.source);
	collection_free(last_poll.collection);
	free(last_poll.fragment);
	return 0;
}

char *slurp(const char *name)
{
	CLEANUP_BUF struct buf b = BUF_INIT(1 << 20);

	check(fixture_read(name, &b) == 0);
	return steal_pointer(&b.data);
}

void put_socket(const char *local, const char *remote, uint16_t remote_port)
{
	struct root_tcp_socket *socket = &fake.sockets[fake.socket_count++];

	check(text_to_address(local, &socket->local) == 0);
	check(text_to_address(remote, &socket->remote) == 0);
	socket->local_port = 32600;
	socket->remote_port = remote_port;
}

void put_session(const char *table, int64_t nexus)
{
	fake.answer_count = 0;
	put_answer(
		(struct answer){ .mode = MODE_SESSION, .op = 6, .number = nexus, .text = table });
}

uint32_t count_of(enum object_kind kind)
{
	return last_poll.fragment->arrays[kind].count;
}

const char *text_of(const struct opt_str *field)
{
	return field->known ? (const char *)last_poll.fragment + last_poll.fragment->arena_at +
				      field->offset
			    : "-";
}

/* The session of a nexus; NULL when there is none. */
const struct session *session_of(uint16_t nexus)
{
	const struct session *sessions = ARRAY_OF(SESSION, session);

	for (uint32_t i = 0; i < count_of(OBJECT_SESSION); i++)
		if (sessions[i].tsih.value == htons(nexus))
			return &sessions[i];
	return NULL;
}

const struct connection *connection_of(uint16_t nexus, uint32_t cid)
{
	const struct connection *connections = ARRAY_OF(CONNECTION, connection);
	const struct session *session = session_of(nexus);

	for (uint32_t i = 0; session && i < count_of(OBJECT_CONNECTION); i++)
		if (connections[i].session == (uint32_t)(session - ARRAY_OF(SESSION, session)) &&
			connections[i].cid.value == cid)
			return &connections[i];
	return NULL;
}

bool is_address(const struct opt_addr *field, const char *text)
{
	struct text_address address = { .type = field->type, .length = field->length };
	char out[64];

	if (!field->known)
		return !strcmp(text, "-");
	memcpy(address.octets, field->octets, sizeof(address.octets));
	return !strcmp(text_from_address(out, &address), text);
}
