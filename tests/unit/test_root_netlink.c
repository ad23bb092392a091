/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A netlink socket of the live machine, by NETLINK_ROUTE in a network namespace of the test's own,
 * where a loopback interface that goes up and down is what happens. Needs to be root; what needs
 * the namespace runs in a child, which ends with the number of the line that failed.
 */
#include "base/netlink.h"

#include "base/privilege.h"
#include "base/root.h"
#include "tests/support/scratch.h"
#include "tests/support/tree_text.h"

#include <linux/capability.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>

#define UNUSED_PROTOCOL 30
#define LINK_GROUP	1 /* RTMGRP_LINK */
#define NO_NAMESPACE	251

#define CHECK(condition)                 \
	do {                             \
		if (!(condition))        \
			return __LINE__; \
	} while (0)

static void run_in_namespace(int (*function)(struct root *root))
{
	int status = -1;
	pid_t pid;

	if (geteuid() != 0) {
		print_message("skipped: needs root\n");
		skip();
	}
	pid = fork();
	if (pid == 0) {
		struct root *root = NULL;
		int line;

		if (unshare(CLONE_NEWNET) < 0)
			_exit(NO_NAMESPACE);
		if (root_open(NULL, &root) < 0)
			_exit(1);
		line = function(root);
		root_close(root);
		_exit(line & 0xff);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == NO_NAMESPACE) {
		print_message("skipped: no network namespace can be made here\n");
		skip();
	}
	if (WEXITSTATUS(status) != 0)
		fail_msg("the check in line …%d (modulo 256)", WEXITSTATUS(status));
}

/* The loopback interface goes up and down: two messages and more to the group. */
static int make_news(int times)
{
	CLEANUP_FD int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct ifreq request = { .ifr_name = "lo" };

	for (int i = 0; i < 2 * times; i++) {
		request.ifr_flags = i & 1 ? 0 : IFF_UP;
		if (ioctl(fd, SIOCSIFFLAGS, &request) < 0)
			return -errno;
	}
	return 0;
}

static int receive_all(struct netlink *nl, int *ret_links)
{
	char data[8192];
	ssize_t got;

	*ret_links = 0;
	while ((got = nl->ops->receive(nl, data, sizeof(data))) > 0) {
		struct nlmsghdr head;

		memcpy(&head, data, sizeof(head));
		*ret_links += head.nlmsg_type == RTM_NEWLINK && head.nlmsg_len <= (size_t)got;
	}
	return (int)got;
}

static int hear(struct root *root)
{
	struct netlink_memory memory = { .queued = 1, .dropped = 1 };
	struct netlink *nl;
	struct pollfd fd;
	int links;

	CHECK(root_netlink_open(root, NETLINK_ROUTE, LINK_GROUP, &nl) == 0);
	fd = (struct pollfd){ .fd = nl->fd, .events = POLLIN };
	CHECK(receive_all(nl, &links) == 0 && links == 0);
	CHECK(poll(&fd, 1, 0) == 0);
	CHECK(nl->ops->memory(nl, &memory) == 0 && memory.queued == 0 && memory.dropped == 0);
	CHECK(make_news(1) == 0);
	CHECK(poll(&fd, 1, 1000) == 1);
	CHECK(nl->ops->memory(nl, &memory) == 0 && memory.queued > 0);
	CHECK(receive_all(nl, &links) == 0 && links >= 2);
	CHECK(nl->ops->memory(nl, &memory) == 0 && memory.queued == 0 && memory.dropped == 0);
	netlink_close(nl);
	return 0;
}

/* The reason for NETLINK_NO_ENOBUFS: a full queue takes messages again as soon as it has room. */
static int overflow(struct root *root)
{
	struct netlink_memory memory;
	struct netlink *nl;
	int octets = 8192, links;
	char data[8192];

	CHECK(root_netlink_open(root, NETLINK_ROUTE, LINK_GROUP, &nl) == 0);
	CHECK(setsockopt(nl->fd, SOL_SOCKET, SO_RCVBUF, &octets, sizeof(octets)) == 0);
	CHECK(make_news(100) == 0);
	CHECK(nl->ops->memory(nl, &memory) == 0 && memory.dropped > 0);
	/* It never says ENOBUFS, and is not deaf before it is empty. */
	CHECK(nl->ops->receive(nl, data, sizeof(data)) > 0);
	CHECK(nl->ops->receive(nl, data, sizeof(data)) > 0);
	CHECK(make_news(1) == 0);
	CHECK(receive_all(nl, &links) == 0 && links > 0);
	CHECK(nl->ops->receive(nl, data, sizeof(data)) == 0);
	netlink_close(nl);
	return 0;
}

static int ask(struct root *root)
{
	struct {
		struct nlmsghdr head;
		struct ifinfomsg link;
	} request = {
		.head = { .nlmsg_len = sizeof(request),
			.nlmsg_type = RTM_GETLINK,
			.nlmsg_flags = NLM_F_REQUEST },
		.link = { .ifi_family = AF_UNSPEC, .ifi_index = 1 },
	};
	struct netlink *nl;
	char small[20];
	int links;

	CHECK(root_netlink_open(root, NETLINK_ROUTE, LINK_GROUP, &nl) == 0);
	CHECK(nl->ops->send(nl, &request, sizeof(request)) == 0);
	CHECK(receive_all(nl, &links) == 0 && links == 1);
	CHECK(nl->ops->send(nl, &request, sizeof(request)) == 0);
	CHECK(nl->ops->receive(nl, small, sizeof(small)) == -EMSGSIZE);
	CHECK(nl->ops->receive(nl, small, sizeof(small)) == 0);
	netlink_close(nl);
	return 0;
}

/* A process that floods the socket keeps nobody in one call, and what the kernel says is heard. */
static int strangers(struct root *root)
{
	enum { MESSAGES = 1024 + 10 };
	const struct nlmsghdr forged = { .nlmsg_len = sizeof(forged), .nlmsg_type = RTM_NEWLINK };
	CLEANUP_FD int stranger = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	struct netlink_memory memory;
	struct sockaddr_nl to;
	socklen_t length = sizeof(to);
	struct netlink *nl;
	char data[8192];
	int links;

	CHECK(root_netlink_open(root, NETLINK_ROUTE, LINK_GROUP, &nl) == 0);
	CHECK(getsockname(nl->fd, (struct sockaddr *)&to, &length) == 0);
	to.nl_groups = 0;
	for (int i = 0; i < MESSAGES; i++)
		CHECK(sendto(stranger, &forged, sizeof(forged), MSG_DONTWAIT,
			      (struct sockaddr *)&to, sizeof(to)) == sizeof(forged));
	CHECK(make_news(1) == 0);
	CHECK(nl->ops->receive(nl, data, sizeof(data)) == 0);
	CHECK(nl->ops->memory(nl, &memory) == 0 && memory.queued > 0 && memory.dropped == 0);
	CHECK(receive_all(nl, &links) == 0 && links >= 2);
	CHECK(nl->ops->memory(nl, &memory) == 0 && memory.queued == 0);
	netlink_close(nl);
	return 0;
}

static int look_around(struct root *root)
{
	struct netlink_table table;
	struct netlink *nl, *other;

	CHECK(root_netlink_open(root, NETLINK_ROUTE, LINK_GROUP, &nl) == 0);
	CHECK(nl->ops->table(nl, &table) == 0);
	CHECK(table.kernel && table.members == 0);
	CHECK(root_netlink_open(root, NETLINK_ROUTE, LINK_GROUP, &other) == 0);
	CHECK(make_news(1) == 0);
	CHECK(nl->ops->table(nl, &table) == 0);
	CHECK(table.members == 1 && table.most_queued > 0);
	netlink_close(other);
	CHECK(nl->ops->table(nl, &table) == 0 && table.members == 0);
	netlink_close(nl);
	return 0;
}

/* The connector is in the first network namespace only, as the initiator is. */
static int elsewhere(struct root *root)
{
	struct netlink *nl = NULL;
	int rc = root_netlink_open(root, NETLINK_CONNECTOR, LINK_GROUP, &nl);

	CHECK(rc == -ENONET || rc == -EPROTONOSUPPORT);
	CHECK(!nl);
	CHECK(root_netlink_open(root, UNUSED_PROTOCOL, LINK_GROUP, &nl) == -EPROTONOSUPPORT);
	return 0;
}

static int without_privilege(struct root *root)
{
	struct netlink *nl = NULL;
	int rc;

	CHECK(privilege_drop_capabilities(0) == 0);
	/* Everybody may listen to routes; to IPsec only the administrator. */
	rc = root_netlink_open(root, NETLINK_XFRM, LINK_GROUP, &nl);
	CHECK(rc == -EPERM || rc == -EPROTONOSUPPORT);
	CHECK(root_netlink_open(root, NETLINK_ROUTE, LINK_GROUP, &nl) == 0);
	netlink_close(nl);
	return 0;
}

static int with_privilege_kept(struct root *root)
{
	struct netlink *nl = NULL;
	int rc;

	CHECK(privilege_drop_capabilities(PRIVILEGE_OF(CAP_NET_ADMIN)) == 0);
	rc = root_netlink_open(root, NETLINK_XFRM, LINK_GROUP, &nl);
	CHECK(rc == 0 || rc == -EPROTONOSUPPORT);
	if (rc == 0)
		netlink_close(nl);
	return 0;
}

static void messages_are_heard(void **state)
{
	(void)state;
	run_in_namespace(hear);
}

static void an_overflow_is_counted_and_not_the_end(void **state)
{
	(void)state;
	run_in_namespace(overflow);
}

static void a_request_is_answered(void **state)
{
	(void)state;
	run_in_namespace(ask);
}

static void strangers_are_not_heard_and_keep_nobody(void **state)
{
	(void)state;
	run_in_namespace(strangers);
}

static void other_listeners_are_seen(void **state)
{
	(void)state;
	run_in_namespace(look_around);
}

static void another_namespace_is_told_apart(void **state)
{
	(void)state;
	run_in_namespace(elsewhere);
}

static void it_needs_a_capability(void **state)
{
	(void)state;
	run_in_namespace(without_privilege);
}

static void which_is_raised_for_it(void **state)
{
	(void)state;
	run_in_namespace(with_privilege_kept);
}

static void only_on_the_live_machine(void **state)
{
	struct netlink *nl = NULL;
	struct root *root;

	(void)state;
	scratch_begin();
	root = tree_text_open(TREE_TEXT_HEAD);
	assert_int_equal(root_netlink_open(root, NETLINK_ROUTE, LINK_GROUP, &nl), -ENOENT);
	root_close(root);
	assert_int_equal(root_open(scratch_path(""), &root), 0);
	assert_int_equal(root_netlink_open(root, NETLINK_ROUTE, LINK_GROUP, &nl), -ENOENT);
	root_close(root);
	/* Nor while a recording is made: what comes is in no recording. */
	assert_int_equal(root_open(NULL, &root), 0);
	assert_int_equal(root_record_start(root), 0);
	assert_int_equal(root_netlink_open(root, NETLINK_ROUTE, LINK_GROUP, &nl), -ENOENT);
	root_close(root);
	assert_null(nl);
	scratch_end();
}

/* ---- what is called between two operations ---- */

static unsigned int calls;

static void count(void *context)
{
	assert_ptr_equal(context, &calls);
	calls++;
}

static void something_is_called_after_each_operation(void **state)
{
	CLEANUP_BUF struct buf names = BUF_INIT(1000);
	struct root_file *file;
	struct root *root;
	char text[16];

	(void)state;
	scratch_begin();
	scratch_dir("/d");
	scratch_text("/d/a", "x");
	scratch_link("/d/l", "a");
	assert_int_equal(root_open(scratch_path(""), &root), 0);
	calls = 0;
	assert_int_equal(root_read(root, "/d/a", text, sizeof(text)), 1);
	assert_int_equal(calls, 0);
	root_set_between(root, count, &calls);
	assert_int_equal(root_read(root, "/d/a", text, sizeof(text)), 1);
	assert_int_equal(calls, 1);
	assert_int_equal(root_read(root, "/d/b", text, sizeof(text)), -ENOENT);
	assert_int_equal(calls, 2);
	assert_int_equal(root_list(root, "/d", &names), 2);
	assert_int_equal(root_read_link(root, "/d/l", text, sizeof(text)), 1);
	assert_int_equal(calls, 4);
	assert_int_equal(root_file_open(root, "/d/a", &file), 0);
	assert_int_equal(root_file_read(file, text, sizeof(text)), 1);
	assert_int_equal(calls, 5);
	root_file_close(file);
	root_set_between(root, NULL, NULL);
	assert_int_equal(root_read(root, "/d/a", text, sizeof(text)), 1);
	assert_int_equal(calls, 5);
	root_close(root);
	scratch_end();
}

static void also_after_a_file_that_stays_open(void **state)
{
	struct root_file *file;
	struct root *root;
	char text[64];

	(void)state;
	assert_int_equal(root_open(NULL, &root), 0);
	if (root_file_open(root, "/sys/kernel/mm/transparent_hugepage/enabled", &file) < 0 ||
		root_file_read(file, text, sizeof(text)) <= 0) {
		print_message("skipped: no attribute of sysfs to read\n");
		skip();
	}
	calls = 0;
	root_set_between(root, count, &calls);
	assert_true(root_file_read(file, text, sizeof(text)) > 0);
	assert_true(root_file_read(file, text, sizeof(text)) > 0);
	assert_int_equal(calls, 2);
	root_file_close(file);
	root_close(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_are_heard),
		cmocka_unit_test(an_overflow_is_counted_and_not_the_end),
		cmocka_unit_test(a_request_is_answered),
		cmocka_unit_test(strangers_are_not_heard_and_keep_nobody),
		cmocka_unit_test(other_listeners_are_seen),
		cmocka_unit_test(another_namespace_is_told_apart),
		cmocka_unit_test(it_needs_a_capability),
		cmocka_unit_test(which_is_raised_for_it),
		cmocka_unit_test(only_on_the_live_machine),
		cmocka_unit_test(something_is_called_after_each_operation),
		cmocka_unit_test(also_after_a_file_that_stays_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
