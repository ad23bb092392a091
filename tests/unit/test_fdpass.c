/* SPDX-License-Identifier: BSD-2-Clause */
/* base/fdpass.h: however many descriptors a peer sends, one is had at most and none is left open.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fdpass.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/socket.h>

#define MOST 8

static int ends[2];

static int setup(void **state)
{
	(void)state;
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends);
}

static int teardown(void **state)
{
	(void)state;
	close(ends[0]);
	close(ends[1]);
	return 0;
}

static int count_open(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

/* As a peer can that is not ours: any number of descriptors, any length. */
static void send_raw(size_t length, size_t fd_count)
{
	char data[64] = "";
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(MOST * sizeof(int))];
	} control = { .room = { 0 } };
	struct iovec part = { .iov_base = data, .iov_len = length };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	assert_true(length <= sizeof(data) && fd_count <= MOST);
	if (fd_count) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(fd_count * sizeof(int));
		for (size_t i = 0; i < fd_count; i++)
			memcpy(CMSG_DATA(&control.head) + i * sizeof(int), &ends[0], sizeof(int));
	}
	assert_int_equal(sendmsg(ends[0], &message, MSG_NOSIGNAL), (int)length);
}

/* What fdpass_receive gives for it, and how many more descriptors are open then. */
static ssize_t receive(size_t length, size_t fd_count, int *ret_fd, int *ret_more)
{
	char data[32];
	int before = count_open();
	ssize_t n;

	send_raw(length, fd_count);
	*ret_fd = -1;
	n = fdpass_receive(ends[1], data, sizeof(data), ret_fd);
	*ret_more = count_open() - before;
	return n;
}

static void one_is_had(void **state)
{
	int fd, more;

	(void)state;
	assert_int_equal(receive(4, 0, &fd, &more), 4);
	assert_int_equal(fd, -1);
	assert_int_equal(more, 0);
	assert_int_equal(receive(4, 1, &fd, &more), 4);
	assert_int_equal(more, 1);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
}

static void of_several_one_is_had(void **state)
{
	(void)state;
	for (size_t count = 2; count <= MOST; count++) {
		int fd, more;

		assert_int_equal(receive(4, count, &fd, &more), 4);
		assert_int_equal(more, 1);
		assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
		close(fd);
	}
}

static void with_nothing_to_say_none_is_had(void **state)
{
	(void)state;
	for (size_t count = 1; count <= 3; count++) {
		int fd, more;

		assert_int_equal(receive(0, count, &fd, &more), 0);
		assert_int_equal(fd, -1);
		assert_int_equal(more, 0);
		assert_int_equal(receive(64, count, &fd, &more), -EMSGSIZE);
		assert_int_equal(fd, -1);
		assert_int_equal(more, 0);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_is_had),
		TEST(of_several_one_is_had),
		TEST(with_nothing_to_say_none_is_had),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
