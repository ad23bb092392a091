/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A reader that says between polls that something has happened: it is asked soon, but not more
 * often than it can bear, whatever it says. And what a good unit lacks is said once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/fdpass.h"
#include "base/log.h"
#include "reader/collector.h"
#include "reader/protocol.h"
#include "reader/reader.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define INTERVAL_NS (60 * NS_PER_S) /* nothing but a hint brings a request */

static struct units *units;
static struct collector *collector;
static int peer = -1; /* the reader's end, when the test plays the reader */

static void drop_log(int priority, const char *message)
{
	(void)priority;
	(void)message;
}

static void reader_failed(void *context, int source)
{
	(void)context, (void)source;
	fail_msg("the reader is given up");
}

static int begin(void **state)
{
	struct collector_settings settings = {
		.poll_interval_ns = INTERVAL_NS,
		.poll_timeout_ns = 2 * NS_PER_S,
		.reader_failed = reader_failed,
	};
	int pair[2];

	(void)state;
	log_set_sink(drop_log);
	units = units_new(60 * NS_PER_S);
	collector = collector_new(&settings, units);
	assert_int_equal(collector_add(collector, "fake"), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	collector_attach(collector, 0, pair[0]);
	peer = pair[1];
	return 0;
}

static int end(void **state)
{
	(void)state;
	close(peer);
	collector_free(collector);
	units_free(units);
	log_set_sink(NULL);
	return 0;
}

static void turn(int most_ms)
{
	struct pollfd fds[4];
	int timeout_ms = most_ms;
	size_t n = collector_prepare(collector, fds, ARRAY_SIZE(fds), &timeout_ms);

	poll(fds, (nfds_t)n, timeout_ms < most_ms ? timeout_ms : most_ms);
	collector_dispatch(collector, fds, n);
}

/* True when a request has come; its serial. */
static bool take_request(uint64_t *ret_serial)
{
	struct reader_request request;

	if (recv(peer, &request, sizeof(request), MSG_DONTWAIT) != sizeof(request))
		return false;
	*ret_serial = request.serial;
	return true;
}

/* Turns until a request has come; returns how long that took, in ms. */
static uint64_t wait_for_request(uint64_t *ret_serial, unsigned int most_ms)
{
	uint64_t began = clock_now_ns(), until = began + most_ms * NS_PER_MS;

	while (clock_now_ns() < until) {
		turn(20);
		if (take_request(ret_serial))
			return (clock_now_ns() - began) / NS_PER_MS;
	}
	fail_msg("no request within %u ms", most_ms);
	return 0;
}

static void say(uint32_t type, uint64_t serial)
{
	struct reader_message m = {
		.magic = READER_MAGIC, .type = type, .serial = serial, .present = 1
	};

	assert_int_equal(fdpass_send(peer, &m, sizeof(m), -1, 0), 0);
}

/* A poll that is answered at once. */
static uint64_t complete_poll(void)
{
	uint64_t serial = 0;

	wait_for_request(&serial, 500);
	say(READER_DONE, serial);
	turn(50);
	return serial;
}

static void no_request_for(unsigned int ms)
{
	uint64_t until = clock_now_ns() + ms * NS_PER_MS, serial;

	while (clock_now_ns() < until)
		turn(10);
	assert_false(take_request(&serial));
}

/* While a reader is at work, what only another one's source row shows can wait. */
static void settled_while_nobody_is_asked(void **state)
{
	uint64_t serial = 0;

	(void)state;
	assert_true(collector_is_settled(collector));
	wait_for_request(&serial, 500);
	assert_false(collector_is_settled(collector));
	say(READER_DONE, serial);
	turn(50);
	assert_true(collector_is_settled(collector));
}

/* As after a SIGHUP with another pollInterval: what was due after a minute does not wait for it. */
static void a_shorter_interval_counts_at_once(void **state)
{
	struct collector_settings settings = {
		.poll_interval_ns = 2 * INTERVAL_NS,
		.poll_timeout_ns = 2 * NS_PER_S,
		.reader_failed = reader_failed,
	};
	uint64_t first = complete_poll(), serial;

	(void)state;
	collector_configure(collector, &settings);
	no_request_for(100);
	settings.poll_interval_ns = 50 * NS_PER_MS;
	collector_configure(collector, &settings);
	wait_for_request(&serial, 10000);
	assert_int_equal(serial, first + 1);
}

static void a_hint_brings_a_request(void **state)
{
	uint64_t first = complete_poll(), serial;

	(void)state;
	no_request_for(150);
	say(READER_HINT, 0);
	assert_true(wait_for_request(&serial, 1000) < 100);
	assert_int_equal(serial, first + 1);
}

/* A poll that was due by itself does not keep the first event waiting. */
static void the_first_one_at_once(void **state)
{
	uint64_t first = complete_poll(), serial;

	(void)state;
	say(READER_HINT, 0);
	assert_true(wait_for_request(&serial, 1000) < 80);
	assert_int_equal(serial, first + 1);
}

static void the_next_one_not_within_100_ms(void **state)
{
	uint64_t serial;

	(void)state;
	complete_poll();
	say(READER_HINT, 0);
	complete_poll();
	say(READER_HINT, 0);
	assert_true(wait_for_request(&serial, 1000) >= 80);
}

/* One at once, then ten in a second. */
static void hints_without_end_bring_few_requests(void **state)
{
	uint64_t until, serial;
	int count = 0;

	(void)state;
	complete_poll();
	until = clock_now_ns() + NS_PER_S;
	while (clock_now_ns() < until) {
		say(READER_HINT, 0);
		turn(5);
		if (take_request(&serial)) {
			say(READER_DONE, serial);
			count++;
		}
	}
	assert_in_range(count, 3, 11);
}

static void a_slow_reader_is_left_most_of_its_time(void **state)
{
	uint64_t serial;

	(void)state;
	complete_poll();
	say(READER_HINT, 0);
	wait_for_request(&serial, 500);
	poll(NULL, 0, 60);
	say(READER_DONE, serial);
	turn(50);
	say(READER_HINT, 0);
	/* 60 ms of work in 240 and more. */
	assert_true(wait_for_request(&serial, 2000) >= 150);
}

static void a_hint_during_a_poll_counts_after_it(void **state)
{
	uint64_t first, serial;

	(void)state;
	wait_for_request(&first, 500);
	say(READER_HINT, 0);
	turn(10);
	assert_false(take_request(&serial));
	poll(NULL, 0, 30);
	say(READER_DONE, first);
	wait_for_request(&serial, 1000);
	assert_int_equal(serial, first + 1);
}

/* ---- with a real reader ---- */

static int doorbell[2]; /* a pipe: a test rings, the source hears */

static int fake_detect(const struct source_env *env)
{
	(void)env;
	return 1;
}

static int fake_open(const struct source_env *env, struct source **ret)
{
	(void)env;
	*ret = (struct source *)(void *)doorbell;
	return 0;
}

/* Processor time that reading takes here, and handing over: nothing but in one test. */
static uint64_t work_ns;

static void work(void)
{
	uint64_t began_ns = clock_cpu_ns();

	while (clock_cpu_ns() - began_ns < work_ns)
		;
}

int __real_memfd_seal(const char *name, const void *data, size_t length);
int __wrap_memfd_seal(const char *name, const void *data, size_t length);

int __wrap_memfd_seal(const char *name, const void *data, size_t length)
{
	work();
	return __real_memfd_seal(name, data, length);
}

static int fake_collect(struct source *s, uint64_t deadline_ns, struct collection *c)
{
	struct builder *b = collection_begin(c, "");
	struct instance *instance = builder_instance(b, NULL);

	(void)s, (void)deadline_ns;
	work();
	builder_text(b, &instance->key, "x");
	collection_note(c, "no %s", "ears");
	return collection_end(c);
}

static void fake_close(struct source *s)
{
	(void)s;
}

static int fake_event_fd(struct source *s)
{
	(void)s;
	return doorbell[0];
}

/* 'n' is news; anything else is not worth a poll. */
static int fake_event(struct source *s)
{
	struct pollfd fd = { .fd = doorbell[0], .events = POLLIN };
	char rung = 0;

	(void)s;
	if (poll(&fd, 1, 0) == 1 && read(doorbell[0], &rung, 1) != 1)
		return 0;
	return rung == 'n';
}

static const struct source_ops fake_source = {
	.name = "fake",
	.summary = "test",
	.detect = fake_detect,
	.open = fake_open,
	.collect = fake_collect,
	.close = fake_close,
	.event_fd = fake_event_fd,
	.event = fake_event,
};

static uint64_t polls_seen(void)
{
	struct snapshot_input *inputs;
	uint64_t polls = 0;

	assert_int_equal(units_inputs(units, false, &inputs), 1);
	polls = inputs[0].status->polls;
	free(inputs);
	return polls;
}

/* Turns until there were so many polls; returns the ms, or `most_ms` when there were not. */
static uint64_t wait_for_polls(uint64_t count, unsigned int most_ms)
{
	uint64_t began = clock_now_ns();

	while (polls_seen() < count && clock_now_ns() - began < most_ms * NS_PER_MS)
		turn(5);
	return polls_seen() < count ? most_ms : (clock_now_ns() - began) / NS_PER_MS;
}

/* A reader process in place of the one that the test plays. */
static pid_t start_reader(void)
{
	int pair[2];
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	pid = fork();
	if (pid == 0) {
		struct source_env env = { .lasting = true };

		close(pair[0]);
		close(peer);
		_exit(reader_run(&fake_source, &env, pair[1]));
	}
	close(pair[1]);
	collector_attach(collector, 0, pair[0]);
	return pid;
}

static void end_reader(pid_t pid)
{
	int status = -1;

	collector_free(collector);
	collector = NULL;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void an_event_is_served_within_200_ms(void **state)
{
	struct snapshot_input *inputs;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(doorbell), 0);
	pid = start_reader();
	assert_true(wait_for_polls(1, 2000) < 2000);
	assert_int_equal(write(doorbell[1], "x", 1), 1);
	assert_int_equal(wait_for_polls(2, 250), 250);
	assert_int_equal(write(doorbell[1], "n", 1), 1);
	assert_true(wait_for_polls(2, 2000) < 200);
	assert_int_equal(units_inputs(units, false, &inputs), 1);
	assert_string_equal(inputs[0].status->note, "no ears");
	free(inputs);
	end_reader(pid);
	close(doorbell[0]);
	close(doorbell[1]);
}

/* iscsiSourceCpu: what was read, and what it took to hand it over. */
static void processor_time_is_that_of_the_whole_poll(void **state)
{
	struct snapshot_input *inputs;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(doorbell), 0);
	work_ns = 5 * NS_PER_MS;
	pid = start_reader();
	assert_true(wait_for_polls(1, 5000) < 5000);
	assert_int_equal(units_inputs(units, false, &inputs), 1);
	assert_in_range(inputs[0].status->cpu_ns, 2 * work_ns, NS_PER_S);
	free(inputs);
	work_ns = 0;
	end_reader(pid);
	close(doorbell[0]);
	close(doorbell[1]);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(settled_while_nobody_is_asked),
		TEST(a_shorter_interval_counts_at_once),
		TEST(a_hint_brings_a_request),
		TEST(the_first_one_at_once),
		TEST(the_next_one_not_within_100_ms),
		TEST(hints_without_end_bring_few_requests),
		TEST(a_slow_reader_is_left_most_of_its_time),
		TEST(a_hint_during_a_poll_counts_after_it),
		TEST(an_event_is_served_within_200_ms),
		TEST(processor_time_is_that_of_the_whole_poll),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
