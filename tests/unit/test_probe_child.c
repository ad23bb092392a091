/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The process of one try, with a library of the test's own in it that does what a hostile target
 * could make of libiscsi: it crashes, hangs, goes in circles, wants memory, writes into the pipe.
 */
#include "base/clock.h"
#include "source/probe_child.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/wait.h>

#include <cmocka.h>

/* AddressSanitizer ends a process that gets no memory. */
#ifdef __SANITIZE_ADDRESS__
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

#define PIPE_AT 3
#define HOST	"iqn.2004-10.org.example:host"

static const struct probe_place place = { .address = { 1, 4, { 127, 0, 0, 1 } },
	.port = 3260,
	.target = "iqn.2004-10.org.example:disk" };

/* ---- libraries: only the first call of a try is reached ---- */

static struct iscsi_context *die(const char *name)
{
	(void)name;
	raise(SIGKILL);
	return NULL;
}

static struct iscsi_context *hang(const char *name)
{
	(void)name;
	while (getpid() > 0)
		pause();
	return NULL;
}

static struct iscsi_context *spin(const char *name)
{
	(void)name;
	for (volatile unsigned int i = 1; i; i += 2)
		;
	return NULL;
}

static struct iscsi_context *leave(const char *name)
{
	(void)name;
	_exit(EXIT_SUCCESS);
}

static struct iscsi_context *close_and_hang(const char *name)
{
	close(PIPE_AT);
	signal(SIGALRM, SIG_IGN);
	return hang(name);
}

static struct iscsi_context *need_memory(const char *name)
{
	const size_t size = 64u << 20;
	char *volatile memory = malloc(size); /* or the compiler makes neither call */

	(void)name;
	if (memory)
		memset(memory, 1, size);
	free(memory);
	raise(memory ? SIGUSR1 : SIGUSR2);
	return NULL;
}

static void put(const struct probe_outcome *outcome, size_t length)
{
	if (write(PIPE_AT, outcome, length) < 0)
		_exit(EXIT_FAILURE);
}

/* Every octet is what no honest try would say. */
static struct iscsi_context *lie(const char *name)
{
	struct probe_outcome outcome;

	(void)name;
	memset(&outcome, 0xff, sizeof(outcome));
	put(&outcome, sizeof(outcome));
	_exit(EXIT_SUCCESS);
}

static struct iscsi_context *lie_well(const char *name)
{
	struct probe_outcome outcome = { .result = PROBE_OK,
		.login_class = { 256, 1 },
		.connect_us = { 5, 1 },
		.ping_us = { 6, 2 },
		.keys = { .tag = { 65536, 1 }, .max_recv = { 511, 1 } } };

	(void)name;
	memset(outcome.keys.alias, '\n', sizeof(outcome.keys.alias));
	memset(outcome.text, 'x', sizeof(outcome.text));
	put(&outcome, sizeof(outcome));
	_exit(EXIT_SUCCESS);
}

static struct iscsi_context *say_half(const char *name)
{
	struct probe_outcome outcome = { .result = PROBE_OK };

	put(&outcome, sizeof(outcome) / 2);
	return hang(name);
}

static struct iscsi_context *no_context(const char *name)
{
	(void)name;
	return NULL;
}

/* What it says goes nowhere. */
static struct iscsi_context *say_in_vain(const char *name)
{
	(void)name;
	/* The pipe itself stays open to the end: who sees that end kills what is still there. */
	if (dup(PIPE_AT) < 0 || dup2(open("/dev/full", O_WRONLY), PIPE_AT) != PIPE_AT)
		_exit(EXIT_FAILURE);
	return NULL;
}

/* What is the reader's is not there: 0, 1 and 2, and the pipe. */
static struct iscsi_context *look_around(const char *name)
{
	int found = 0;

	(void)name;
	for (int fd = PIPE_AT + 1; fd < 256; fd++)
		found += lseek(fd, 0, SEEK_CUR) >= 0 || errno != EBADF;
	if (found || (getuid() == 0 && geteuid() == 0) || getuid() != geteuid())
		_exit(EXIT_FAILURE);
	raise(SIGUSR2);
	return NULL;
}

/* ---- */

static struct probe_outcome try_with(
	struct iscsi_context *(*create)(const char *), uint64_t room, uint64_t *ret_took_ns)
{
	struct probe_library library = { .create_context = create };
	struct probe_job job = {
		.library = &library, .name = HOST, .timeout_ns = NS_PER_S, .room = room
	};
	struct probe_child child;
	uint64_t began_ns = clock_now_ns();

	assert_int_equal(root_open("/", &job.root), 0);
	assert_int_equal(probe_child_start(&job, &place, &child), 0);
	for (;;) {
		struct pollfd fd = { .fd = child.fd, .events = POLLIN };

		poll(&fd, 1, clock_ms_until(child.kill_ns, 10000));
		if (probe_child_take(&child) || clock_now_ns() >= child.kill_ns)
			break;
	}
	probe_child_end(&child);
	root_close(job.root);
	assert_int_equal(child.pid, 0);
	assert_int_equal(child.fd, -1);
	/* Nothing is left of it. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	if (ret_took_ns)
		*ret_took_ns = clock_now_ns() - began_ns;
	return child.outcome;
}

static void a_try_that_dies_is_a_protocol_error(void **state)
{
	struct probe_outcome o = try_with(die, 0, NULL);

	(void)state;
	assert_int_equal(o.result, PROBE_PROTOCOL_ERROR);
	assert_string_equal(o.text, "libiscsi did not survive the answer (signal 9)");
	o = try_with(leave, 0, NULL);
	assert_int_equal(o.result, PROBE_PROTOCOL_ERROR);
}

/* That says nothing of the target. */
static void a_result_that_is_lost_is_a_local_error(void **state)
{
	struct probe_library library = { .create_context = hang };
	struct probe_job job = { .library = &library, .name = HOST, .timeout_ns = NS_PER_S };
	struct probe_outcome o = try_with(say_in_vain, 0, NULL);
	struct probe_child child;
	int directory;

	(void)state;
	assert_int_equal(o.result, PROBE_LOCAL_ERROR);
	assert_string_equal(o.text, "its result was lost");
	assert_int_equal(root_open("/", &job.root), 0);
	assert_int_equal(probe_child_start(&job, &place, &child), 0);
	directory = open("/", O_RDONLY | O_DIRECTORY);
	assert_int_equal(dup2(directory, child.fd), child.fd);
	close(directory);
	assert_true(probe_child_take(&child));
	probe_child_end(&child);
	root_close(job.root);
	assert_int_equal(child.outcome.result, PROBE_LOCAL_ERROR);
	assert_string_equal(child.outcome.text, "its result was lost: Is a directory");
}

static void a_try_that_does_not_end_is_ended(void **state)
{
	uint64_t took_ns;

	(void)state;
	assert_int_equal(try_with(hang, 0, &took_ns).result, PROBE_TIMEOUT);
	assert_true(took_ns >= NS_PER_S);
	assert_int_equal(try_with(spin, 0, NULL).result, PROBE_TIMEOUT);
	/* Nobody waits for one that says that it is over. */
	assert_int_equal(try_with(close_and_hang, 0, &took_ns).result, PROBE_PROTOCOL_ERROR);
}

static void what_it_says_is_not_believed(void **state)
{
	struct probe_outcome o = try_with(lie, 0, NULL);

	(void)state;
	assert_int_equal(o.result, PROBE_PROTOCOL_ERROR);
	assert_false(o.connect_us.known || o.login_us.known || o.ping_us.known ||
		     o.login_class.known || o.login_detail.known || o.target_count.known ||
		     o.keys.tag.known || o.keys.max_recv.known);
	assert_true(text_is_clean(o.keys.alias, strlen(o.keys.alias), PROBE_TEXT_MAX - 1));
	o = try_with(lie_well, 0, NULL);
	assert_int_equal(o.result, PROBE_OK);
	assert_true(o.connect_us.known && o.connect_us.value == 5);
	assert_false(o.login_class.known || o.ping_us.known || o.keys.tag.known ||
		     o.keys.max_recv.known);
	assert_int_equal(strlen(o.text), PROBE_TEXT_MAX - 1);
	assert_int_equal(o.keys.alias[0], '?');
	o = try_with(say_half, 0, NULL);
	assert_int_equal(o.result, PROBE_PROTOCOL_ERROR);
}

static void it_has_little_memory_and_nothing_of_the_reader(void **state)
{
	struct probe_outcome o;

	(void)state;
	if (!SANITIZED) {
		o = try_with(need_memory, 32u << 20, NULL);
		assert_non_null(strstr(o.text, "(signal 12)"));
		o = try_with(need_memory, 0, NULL);
		assert_non_null(strstr(o.text, "(signal 10)"));
	}
	o = try_with(look_around, 0, NULL);
	assert_non_null(strstr(o.text, "(signal 12)"));
}

static void a_failure_at_home_is_a_local_error(void **state)
{
	struct probe_outcome o = try_with(no_context, 0, NULL);

	(void)state;
	assert_int_equal(o.result, PROBE_LOCAL_ERROR);
	assert_non_null(strstr(o.text, "no memory"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_try_that_dies_is_a_protocol_error),
		cmocka_unit_test(a_result_that_is_lost_is_a_local_error),
		cmocka_unit_test(a_try_that_does_not_end_is_ended),
		cmocka_unit_test(what_it_says_is_not_believed),
		cmocka_unit_test(it_has_little_memory_and_nothing_of_the_reader),
		cmocka_unit_test(a_failure_at_home_is_a_local_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
