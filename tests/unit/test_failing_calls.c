/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What speaks to the kernel (src/base, index/store_disk.h), with each of its system calls and
 * allocations failing once: interrupted by a signal, which nobody notices, or with an error, which
 * is returned and leaves nothing open. Wrapped:
 *	__wrap_read __wrap_pread __wrap_write __wrap_poll __wrap_send __wrap_recv __wrap_sendto
 *	__wrap_sendmsg __wrap_recvmsg __wrap_recvmmsg __wrap_syscall __wrap_open __wrap_openat
 *	__wrap_fstat __wrap_fstatat __wrap_fcntl __wrap_mmap __wrap_memfd_create __wrap_socket
 *	__wrap_bind __wrap_getsockname __wrap_getsockopt __wrap_setsockopt __wrap_fsync
 *	__wrap_renameat __wrap_unlinkat __wrap_mkdir __wrap_dup __wrap_fchmod __wrap_fchown
 *	__wrap_fchownat __wrap_prctl __wrap_setgroups __wrap_setresgid __wrap_setresuid
 *	__wrap_pipe2 __wrap_fork __wrap_malloc __wrap_calloc __wrap_realloc __wrap_reallocarray
 */
#include "tests/support/failing_calls.h"

#include "base/boot.h"
#include "base/clock.h"
#include "base/fdpass.h"
#include "base/memfd.h"
#include "base/netlink.h"
#include "base/root.h"
#include "index/store_disk.h"
#include "tests/support/scratch.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>

#define DEADLINE (clock_now_ns() + 20 * NS_PER_S)

/* What is between the two counts. */
#define ARMED(statement)                      \
	do {                                  \
		failing_calls->armed = true;  \
		statement;                    \
		failing_calls->armed = false; \
	} while (0)

static int set_up(void **state)
{
	(void)state;
	scratch_begin();
	scratch_dir("/sys");
	scratch_text("/sys/value", "42\n");
	scratch_link("/sys/link", "value");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	scratch_end();
	return 0;
}

static int hand_over_memory(void)
{
	const void *at = NULL;
	char copy[6] = "";
	int fd = -1, rc;

	ARMED(fd = memfd_seal("test", "hello", 6));
	if (fd < 0)
		return fd;
	ARMED(rc = memfd_map(fd, 6, &at));
	if (rc == 0) {
		assert_string_equal(at, "hello");
		assert_int_equal(munmap((void *)(uintptr_t)at, 6), 0);
		ARMED(rc = memfd_read(fd, copy, 6, 0));
		if (rc == 0)
			assert_string_equal(copy, "hello");
	}
	close(fd);
	return rc;
}

static int pass_a_descriptor(void)
{
	int ends[2], got_fd = -1, rc;
	ssize_t got = 0;
	char text[8] = "";

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	ARMED(rc = fdpass_send(ends[0], "word", 5, ends[0], 0));
	if (rc == 0) {
		ARMED(got = fdpass_receive(ends[1], text, sizeof(text), &got_fd));
		rc = got < 0 ? (int)got : 0;
	}
	if (rc == 0) {
		assert_string_equal(text, "word");
		assert_true(got_fd >= 0);
		close(got_fd);
	}
	close(ends[0]);
	close(ends[1]);
	return rc;
}

static int read_a_directory(void)
{
	struct buf names = BUF_INIT(4096);
	struct root *root = NULL;
	char text[16] = "";
	ssize_t rc;

	ARMED(rc = root_open(scratch_path(""), &root));
	if (rc == 0)
		ARMED(rc = root_list(root, "/sys", &names));
	if (rc > 0) {
		assert_int_equal(rc, 2);
		assert_string_equal(names.data, "link");
		ARMED(rc = root_read(root, "/sys/link", text, sizeof(text)));
	}
	if (rc > 0) {
		assert_string_equal(text, "42\n");
		ARMED(rc = root_read_link(root, "/sys/link", text, sizeof(text)));
	}
	if (rc > 0)
		assert_string_equal(text, "value");
	buf_free(&names);
	root_close(root);
	return rc < 0 ? (int)rc : 0;
}

/* The kernel's routing messages: nothing happens, but all is there to be asked. */
static int listen_to_the_kernel(void)
{
	struct netlink_memory memory;
	struct netlink_table table;
	struct netlink *nl = NULL;
	struct root *root = NULL;
	struct nlmsghdr message = { .nlmsg_len = sizeof(message), .nlmsg_type = NLMSG_NOOP };
	char data[512];
	ssize_t rc;

	assert_int_equal(root_open(NULL, &root), 0);
	ARMED(rc = root_netlink_open(root, NETLINK_ROUTE, 1, &nl));
	if (rc == 0)
		ARMED(rc = nl->ops->send(nl, &message, sizeof(message)));
	if (rc == 0)
		ARMED(rc = nl->ops->memory(nl, &memory));
	if (rc == -EOPNOTSUPP)
		rc = 0; /* what it was asked at its start has failed */
	if (rc == 0)
		ARMED(rc = nl->ops->table(nl, &table));
	if (rc == 0) {
		assert_true(table.kernel);
		ARMED(rc = nl->ops->receive(nl, data, sizeof(data)));
	}
	netlink_close(nl);
	root_close(root);
	return rc < 0 ? (int)rc : 0;
}

/* A connection over loopback, as the client sees it. */
static struct root_tcp_socket make_connection(int fds[3])
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001) };
	struct root_tcp_socket ret = { .remote_port = 0 };
	socklen_t length = sizeof(at);

	fds[0] = socket(AF_INET, SOCK_STREAM, 0);
	fds[1] = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(fds[0], (struct sockaddr *)&at, length), 0);
	assert_int_equal(listen(fds[0], 1), 0);
	assert_int_equal(getsockname(fds[0], (struct sockaddr *)&at, &length), 0);
	assert_int_equal(connect(fds[1], (struct sockaddr *)&at, length), 0);
	fds[2] = accept(fds[0], NULL, NULL);
	assert_true(fds[2] >= 0);
	ret.remote_port = ntohs(at.sin_port);
	assert_int_equal(getsockname(fds[1], (struct sockaddr *)&at, &length), 0);
	ret.local_port = ntohs(at.sin_port);
	ret.local.type = ret.remote.type = 1;
	memcpy(ret.local.octets, &at.sin_addr, 4);
	memcpy(ret.remote.octets, &at.sin_addr, 4);
	return ret;
}

static int ask_for_sockets(void)
{
	struct root_tcp_socket *sockets = NULL;
	struct root *root = NULL;
	bool found = false;
	ssize_t count = 0;
	int fds[3];
	struct root_tcp_info info = { .socket = make_connection(fds) };
	int rc;

	assert_int_equal(root_open(NULL, &root), 0);
	ARMED(count = root_tcp_sockets(root, DEADLINE, &sockets));
	for (ssize_t i = 0; i < count; i++)
		found |= sockets[i].local_port == info.socket.local_port &&
			 sockets[i].remote_port == info.socket.remote_port;
	assert_true(count < 0 || found);
	if (count >= 0)
		free(sockets);
	ARMED(rc = root_tcp_infos(root, DEADLINE, &info, 1));
	assert_true(rc < 0 || info.known);
	root_close(root);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	return count < 0 ? (int)count : rc;
}

static const struct store_names names = { "state", "state.new", "state.bad", "all is lost", 4096 };

static int write_word(void *context, int fd)
{
	return store_disk_write(&fd, context, strlen(context));
}

static int take_word(void *context, const char *text, size_t length, char reason[STORE_REASON])
{
	(void)reason;
	assert_true(length < 16);
	memcpy(context, text, length);
	((char *)context)[length] = '\0';
	return 0;
}

/* The old content or the new, never another. */
static int replace_a_file(void)
{
	char old[] = "old", new[] = "new", found[16] = "";
	int rc, loaded;

	assert_int_equal(store_disk_replace(&names, scratch_path(""), write_word, old), 0);
	ARMED(rc = store_disk_replace(&names, scratch_path(""), write_word, new));
	assert_int_equal(store_disk_load(&names, scratch_path(""), false, take_word, found), 0);
	assert_true(strcmp(found, "new") == 0 || (rc < 0 && strcmp(found, "old") == 0));
	ARMED(loaded = store_disk_load(&names, scratch_path(""), false, take_word, found));
	return rc < 0 ? rc : loaded;
}

static int read_the_boot(void)
{
	char id[BOOT_ID_LENGTH + 1] = "";
	int rc;

	ARMED(rc = boot_id_read(id));
	assert_int_equal(strlen(id), BOOT_ID_LENGTH);
	assert_int_equal(strcmp(id, "00000000-0000-0000-0000-000000000000") == 0, rc < 0);
	return rc;
}

static const struct {
	int (*function)(void);
	bool needs_root;
} subjects[] = {
	{ hand_over_memory, false },
	{ pass_a_descriptor, false },
	{ read_a_directory, false },
	{ listen_to_the_kernel, true },
	{ ask_for_sockets, false },
	{ replace_a_file, false },
};

static void an_interrupted_call_is_made_again(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(subjects); i++)
		if (geteuid() == 0 || !subjects[i].needs_root)
			assert_true(fail_each_call(subjects[i].function, EINTR) > 0);
}

static void an_error_is_returned_and_nothing_stays_open(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(subjects); i++)
		if (geteuid() == 0 || !subjects[i].needs_root)
			assert_true(fail_each_call(subjects[i].function, EIO) > 1);
	assert_true(fail_each_call(read_the_boot, EIO) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			an_interrupted_call_is_made_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			an_error_is_returned_and_nothing_stays_open, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
