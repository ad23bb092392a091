/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/fake_kernel.h"

#include <linux/netlink.h>
#include <sys/eventfd.h>

struct fake_kernel fake_kernel;

static void die(const char *what)
{
	fprintf(stderr, "fake_kernel: %s\n", what);
	abort();
}

static void empty(void)
{
	while (fake_kernel.count > 0) {
		free(fake_kernel.queue[fake_kernel.first]);
		fake_kernel.first = (fake_kernel.first + 1) % FAKE_QUEUE_MAX;
		fake_kernel.count--;
	}
}

void fake_kernel_end(void)
{
	empty();
}

void fake_kernel_begin(void)
{
	fake_kernel_end();
	memset(&fake_kernel, 0, sizeof(fake_kernel));
	fake_kernel.room = FAKE_QUEUE_MAX;
	fake_kernel.handle = 0xffffffffc0686050u;
}

/* ---- the socket ---- */

static void ring(struct netlink *nl)
{
	uint64_t one = 1;

	if (write(nl->fd, &one, sizeof(one)) != sizeof(one))
		die("cannot make the socket readable");
}

static void silence(struct netlink *nl)
{
	uint64_t count;

	if (read(nl->fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		die("cannot make the socket unreadable");
}

static ssize_t fake_receive(struct netlink *nl, void *data, size_t capacity)
{
	struct frame *frame;
	ssize_t length;

	if (fake_kernel.receive_error) {
		int error = fake_kernel.receive_error;

		fake_kernel.receive_error = 0;
		return error;
	}
	if (fake_kernel.count == 0) {
		silence(nl);
		return 0;
	}
	frame = fake_kernel.queue[fake_kernel.first];
	fake_kernel.first = (fake_kernel.first + 1) % FAKE_QUEUE_MAX;
	fake_kernel.count--;
	length = frame->length > capacity ? -EMSGSIZE : (ssize_t)frame->length;
	if (length > 0)
		memcpy(data, frame->data, frame->length);
	free(frame);
	return length;
}

static struct netlink *the_socket;

/* False when our queue is full. */
static bool deliver(const struct frame *frame)
{
	struct frame *copy;

	if (!fake_kernel.opened)
		return false;
	if (fake_kernel.count >= fake_kernel.room) {
		fake_kernel.dropped++;
		return false;
	}
	copy = malloc(sizeof(*copy));
	if (!copy)
		die("no memory");
	*copy = *frame;
	fake_kernel.queue[(fake_kernel.first + fake_kernel.count++) % FAKE_QUEUE_MAX] = copy;
	ring(the_socket);
	return true;
}

void fake_kernel_say(const struct frame *frame)
{
	deliver(frame);
}

void fake_kernel_event(uint32_t type, uint32_t sid, uint32_t number)
{
	struct frame frame = frame_event(type, sid, 0, number);

	deliver(&frame);
}

struct fake_connection *fake_kernel_connection(uint32_t sid)
{
	struct fake_connection *connection = NULL;

	for (unsigned int i = 0; i < fake_kernel.connection_count; i++) {
		if (fake_kernel.connections[i].sid == sid)
			connection = &fake_kernel.connections[i];
	}
	if (!connection) {
		if (fake_kernel.connection_count == ARRAY_SIZE(fake_kernel.connections))
			die("too many connections");
		connection = &fake_kernel.connections[fake_kernel.connection_count++];
		connection->sid = sid;
	}
	return connection;
}

/* iscsi_if_get_stats: again and again until one member has it. Another member with room is enough.
 */
static void multicast(const struct frame *frame)
{
	bool taken = !fake_kernel.loses_answers && deliver(frame);

	if (fake_kernel.answers_twice)
		deliver(frame);
	if (!taken && !fake_kernel.loses_answers && fake_kernel.others == 0)
		die("kernel hung: nobody takes the answer to a request");
}

static void refuse(uint32_t sid, uint32_t cid, int error)
{
	struct frame frame = frame_refusal(sid, cid, error);

	deliver(&frame);
}

static void handle_request(uint32_t sid, uint32_t cid, uint64_t handle)
{
	struct frame frame;

	if (fake_kernel.no_sys_admin) {
		refuse(sid, cid, -EPERM);
		return;
	}
	if (handle != fake_kernel.handle) {
		refuse(sid, cid, -EINVAL);
		return;
	}
	for (unsigned int i = 0; i < fake_kernel.connection_count; i++) {
		const struct fake_connection *c = &fake_kernel.connections[i];

		if (c->sid != sid || c->cid != cid)
			continue;
		frame = frame_statistics(sid, cid, &c->statistics, 3);
		multicast(&frame);
		return;
	}
	refuse(sid, cid, -EEXIST);
}

static int fake_send(struct netlink *nl, const void *data, size_t length)
{
	uint32_t words[18];
	uint64_t handle;

	(void)nl;
	if (length != sizeof(words))
		die("a request of another length than 72 octets");
	memcpy(words, data, sizeof(words));
	memcpy(&handle, &words[6], sizeof(handle));
	if (words[0] != 72 || (words[1] & 0xffff) != OISCSI_EVENT_STATISTICS ||
		words[4] != OISCSI_EVENT_STATISTICS)
		die("another request than the one for statistics");
	/* The rules of open_iscsi_stats.h, whatever the answer would come to. */
	if (fake_kernel.count > 0)
		die("a request while messages wait in the queue");
	if (fake_kernel.count >= fake_kernel.room)
		die("kernel hung: a request, and no room for its answer");
	if (fake_kernel.send_error)
		return fake_kernel.send_error;
	fake_kernel.asked_sids[fake_kernel.requests++ % ARRAY_SIZE(fake_kernel.asked_sids)] =
		words[8];
	handle_request(words[8], words[9], handle);
	if (fake_kernel.asked)
		fake_kernel.asked(fake_kernel.requests);
	return 0;
}

static int fake_memory(struct netlink *nl, struct netlink_memory *ret)
{
	(void)nl;
	if (fake_kernel.cannot_measure)
		return -EOPNOTSUPP;
	ret->queued = (uint64_t)fake_kernel.count * FAKE_FRAME_OCTETS;
	ret->dropped = fake_kernel.dropped;
	return 0;
}

static int fake_table(struct netlink *nl, struct netlink_table *ret)
{
	(void)nl;
	fake_kernel.tables++;
	if (fake_kernel.table_error)
		return fake_kernel.table_error;
	*ret = (struct netlink_table){
		.kernel = !fake_kernel.other_namespace,
		.members = fake_kernel.others,
		.most_queued = fake_kernel.others_queued,
	};
	return 0;
}

static void fake_close(struct netlink *nl)
{
	empty();
	close(nl->fd);
	free(nl);
	fake_kernel.opened = false;
	fake_kernel.closes++;
}

static const struct netlink_ops fake_ops = {
	.receive = fake_receive,
	.send = fake_send,
	.memory = fake_memory,
	.table = fake_table,
	.close = fake_close,
};

int fake_kernel_open(struct root *root, int protocol, unsigned int group, struct netlink **ret)
{
	struct netlink *nl;

	(void)root;
	fake_kernel.opens++;
	fake_kernel.last_protocol = protocol;
	fake_kernel.last_group = group;
	if (fake_kernel.open_error)
		return fake_kernel.open_error;
	nl = malloc(sizeof(*nl));
	if (!nl)
		die("no memory");
	*nl = (struct netlink){ .ops = &fake_ops, .fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC) };
	if (nl->fd < 0)
		die("no eventfd");
	the_socket = nl;
	fake_kernel.opened = true;
	fake_kernel.dropped = 0;
	*ret = nl;
	return 0;
}
