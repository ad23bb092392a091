/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One request and its answer over a UNIX stream socket, with a deadline for all of it. Called by
 * root_dir.c in a reader process. The peer is a daemon that may hang, trickle, lie about its
 * length or vanish: no call here blocks, and the deadline is looked at after every octet.
 */
#include "base/root_private.h"

#include "base/clock.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#define CHUNK	      ((ssize_t)64 << 10) /* octets asked for while the length is unknown */
#define RETRY_NS      (5 * NS_PER_MS)
#define POLL_SLICE_MS 60000

/* 0 when `fd` is ready, -ETIMEDOUT. */
static int wait_ready(int fd, short events, uint64_t deadline_ns)
{
	for (;;) {
		struct pollfd pfd = { .fd = fd, .events = events };
		int ms = clock_ms_until(deadline_ns, POLL_SLICE_MS);
		int ready;

		if (ms == 0)
			return -ETIMEDOUT;
		ready = poll(&pfd, 1, ms);
		if (ready > 0)
			return 0;
		if (ready < 0 && errno != EINTR)
			return -errno;
	}
}

/* A full backlog gives EAGAIN at once, and nothing tells when there is room: ask again. */
static int connect_until(
	int fd, const struct sockaddr_un *address, size_t length, uint64_t deadline_ns)
{
	for (;;) {
		struct timespec pause = { .tv_nsec = RETRY_NS };

		if (clock_now_ns() >= deadline_ns)
			return -ETIMEDOUT;
		if (connect(fd, (const struct sockaddr *)address, (socklen_t)length) == 0)
			return 0;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		nanosleep(&pause, NULL);
	}
}

/*
 * -EPIPE when the peer does not want the rest; what it said before is still to be read.
 */
static int send_until(int fd, const char *data, size_t length, uint64_t deadline_ns)
{
	while (length > 0) {
		ssize_t done = send(fd, data, length, MSG_NOSIGNAL);
		int rc;

		if (done >= 0) {
			data += done;
			length -= (size_t)done;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return -errno;
		rc = wait_ready(fd, POLLOUT, deadline_ns);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* How much to ask for next; the length of the answer is not told more often than it changes. */
static ssize_t next_chunk(
	root_answer_length_fn *answer_length, const struct buf *answer, ssize_t *need)
{
	if (*need == 0 && answer->length > 0)
		*need = answer_length(answer->data, answer->length);
	if (*need < 0)
		return *need;
	if (*need > 0 && (size_t)*need > answer->limit)
		return -E2BIG;
	if (*need == 0)
		return CHUNK;
	if (answer->length >= (size_t)*need)
		return 0;
	return *need - (ssize_t)answer->length;
}

static int receive_until(
	int fd, root_answer_length_fn *answer_length, uint64_t deadline_ns, struct buf *answer)
{
	ssize_t need = 0;

	for (;;) {
		ssize_t chunk = next_chunk(answer_length, answer, &need), got;
		int rc;

		if (chunk <= 0)
			return (int)chunk;
		/* In steps: a peer that announces much has to send it before we hold it. */
		if (chunk > 16 * CHUNK)
			chunk = 16 * CHUNK;
		if (need == 0 && (size_t)chunk > answer->limit - answer->length)
			chunk = (ssize_t)(answer->limit - answer->length);
		if (chunk == 0)
			return -E2BIG;
		rc = wait_ready(fd, POLLIN, deadline_ns);
		if (rc < 0)
			return rc;
		rc = buf_reserve(answer, (size_t)chunk);
		if (rc < 0)
			return rc;
		got = recv(fd, answer->data + answer->length, (size_t)chunk, MSG_DONTWAIT);
		if (got == 0)
			return -ECONNRESET;
		if (got < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (got > 0) {
			answer->length += (size_t)got;
			answer->data[answer->length] = '\0';
		}
	}
}

int root_answer_complete(root_answer_length_fn *answer_length, struct buf *answer)
{
	ssize_t need = answer->length ? answer_length(answer->data, answer->length) : 0;

	if (need < 0)
		return (int)need;
	if (need == 0 || (size_t)need > answer->length)
		return -ECONNRESET;
	answer->length = (size_t)need;
	answer->data[need] = '\0';
	return 0;
}

int root_parse_start_time(const char *stat, uint64_t *ret)
{
	/* Field 2 is the name in parentheses, which may hold blanks and parentheses itself. */
	const char *at = strrchr(stat, ')');
	char field[24];
	size_t length;

	if (!at)
		return -EBADMSG;
	at++;
	for (int number = 3; number <= 22; number++) {
		if (*at != ' ')
			return -EBADMSG;
		at++;
		if (number < 22)
			at += strcspn(at, " ");
	}
	length = strspn(at, "0123456789");
	if (length == 0 || length >= sizeof(field))
		return -EBADMSG;
	memcpy(field, at, length);
	field[length] = '\0';
	return text_to_u64(field, UINT64_MAX, ret) < 0 ? -EBADMSG : 0;
}

/* From the machine itself, also below a prefix: the peer is a process of this machine. */
static uint64_t start_time_of(int32_t pid)
{
	CLEANUP_FD int fd = -1;
	char path[32], text[1024] = "";
	struct buf stat = { .data = text, .capacity = sizeof(text), .limit = sizeof(text) - 1 };
	uint64_t start_time = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || root_fd_read(fd, false, &stat) < 0 || stat.length == 0)
		return 0;
	return root_parse_start_time(text, &start_time) < 0 ? 0 : start_time;
}

/* Returns 0 or a negative errno. */
static int identify_peer(int fd, struct root_peer *peer)
{
	struct ucred credentials;
	socklen_t length = sizeof(credentials);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) < 0)
		return -errno;
	peer->uid = credentials.uid;
	peer->pid = credentials.pid > 0 ? credentials.pid : 0;
	peer->start_time = peer->pid ? start_time_of(peer->pid) : 0;
	return 0;
}

/* A file has an owner; a name of the abstract namespace is had by whoever takes it first. */
static bool may_be_anybody(const struct sockaddr_un *address)
{
	return address->sun_path[0] == '\0';
}

int root_socket_exchange(const struct sockaddr_un *address, size_t address_length,
	const void *request, size_t request_length, root_answer_length_fn *answer_length,
	uint64_t deadline_ns, struct buf *answer, struct root_peer *peer)
{
	CLEANUP_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int rc, sent;

	if (fd < 0)
		return -errno;
	rc = connect_until(fd, address, address_length, deadline_ns);
	if (rc < 0)
		return rc;
	rc = identify_peer(fd, peer);
	if (may_be_anybody(address) && (rc < 0 || (peer->uid != 0 && peer->uid != geteuid())))
		return -EACCES;
	sent = send_until(fd, request, request_length, deadline_ns);
	if (sent < 0 && sent != -EPIPE && sent != -ECONNRESET)
		return sent;
	rc = receive_until(fd, answer_length, deadline_ns, answer);
	return rc < 0 ? rc : root_answer_complete(answer_length, answer);
}
