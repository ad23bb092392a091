/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A source whose reader has ended between two polls, or never came, and for which no other one is
 * started: nobody is asked and nobody answers, and its rows grow old all the same.
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

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#define SHORT_NS    (50 * NS_PER_MS)
#define PATIENCE_NS (20 * NS_PER_S) /* a machine that is busy */

static struct units *units;
static struct collector *collector;
static int peer = -1; /* the reader's end */
static int failed;    /* calls of reader_failed */

static void drop_log(int priority, const char *message)
{
	(void)priority, (void)message;
}

static void reader_failed(void *context, int source)
{
	(void)context, (void)source;
	failed++;
}

/* Between two polls, and for an answer. */
static struct collector_settings settings_of(uint64_t time_ns)
{
	return (struct collector_settings){ .poll_interval_ns = time_ns,
		.poll_timeout_ns = time_ns,
		.reader_failed = reader_failed };
}

/* What is due is due soon from now on. */
static void hurry(void)
{
	struct collector_settings settings = settings_of(SHORT_NS);

	collector_configure(collector, &settings);
}

static int begin(void **state)
{
	struct collector_settings settings = settings_of(PATIENCE_NS);

	(void)state;
	log_set_sink(drop_log);
	failed = 0;
	units = units_new(PATIENCE_NS);
	collector = collector_new(&settings, units);
	assert_int_equal(collector_add(collector, "fake"), 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	if (peer >= 0)
		close(peer);
	peer = -1;
	collector_free(collector);
	units_free(units);
	log_set_sink(NULL);
	return 0;
}

static void attach(void)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	collector_attach(collector, 0, pair[0]);
	peer = pair[1];
}

/* The next turn as a loop makes it that has nothing else to do: it wakes by itself. */
static void turn(void)
{
	struct pollfd fds[4];
	int timeout_ms = (int)(PATIENCE_NS / NS_PER_MS);
	size_t n = collector_prepare(collector, fds, ARRAY_SIZE(fds), &timeout_ms);

	poll(fds, (nfds_t)n, timeout_ms);
	collector_dispatch(collector, fds, n);
}

static struct source_status status(const struct fragment **ret)
{
	struct snapshot_input *inputs;
	struct source_status s;

	assert_int_equal(units_inputs(units, false, &inputs), 1);
	s = *inputs[0].status;
	*ret = inputs[0].fragment;
	free(inputs);
	return s;
}

static void send_fragment(struct reader_message *m)
{
	struct builder *b = builder_new();
	struct instance *instance = builder_instance(b, NULL);
	struct fragment *fragment;
	int fd = memfd_create("test", MFD_ALLOW_SEALING);

	builder_text(b, &instance->key, "a");
	assert_int_equal(builder_seal(b, &fragment, &m->length), 0);
	assert_int_equal(write(fd, fragment, m->length), m->length);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW), 0);
	assert_int_equal(fdpass_send(peer, m, sizeof(*m), fd, 0), 0);
	close(fd);
	free(fragment);
	builder_free(b);
}

/* Answers the next request with a good unit. */
static void play_poll(void)
{
	struct reader_message m = { .magic = READER_MAGIC, .type = READER_UNIT };
	struct reader_request request;

	while (recv(peer, &request, sizeof(request), MSG_DONTWAIT) < 0)
		turn();
	m.serial = request.serial;
	send_fragment(&m);
	m = (struct reader_message){
		.magic = READER_MAGIC, .type = READER_DONE, .serial = request.serial, .present = 1
	};
	assert_int_equal(fdpass_send(peer, &m, sizeof(m), -1, 0), 0);
	while (!collector_is_settled(collector))
		turn();
}

static void reader_ends(void)
{
	close(peer);
	peer = -1;
	while (!failed)
		turn();
	hurry();
}

/* Turns until the source is in a state. */
static void wait_for(enum source_state state)
{
	uint64_t until_ns = clock_now_ns() + PATIENCE_NS;
	const struct fragment *fragment;

	while (status(&fragment).state != state && clock_now_ns() < until_ns)
		turn();
	assert_int_equal(status(&fragment).state, state);
}

static void rows_go_without_a_reader(void **state)
{
	const struct fragment *fragment;

	(void)state;
	attach();
	play_poll();
	assert_int_equal(status(&fragment).state, SOURCE_OK);
	reader_ends();
	wait_for(SOURCE_FAILING);
	assert_string_equal(status(&fragment).message, "its reader process has ended");
	assert_int_equal(status(&fragment).last_error, -EPIPE);
	assert_non_null(fragment);
	units_set_stale_max(units, SHORT_NS);
	wait_for(SOURCE_STALE);
	status(&fragment);
	assert_null(fragment);
	/* It was one reader that has ended, whatever number of polls it misses. */
	assert_int_equal(failed, 1);
	assert_int_equal(status(&fragment).restarts, 1);
}

static void source_is_well_with_the_next_reader(void **state)
{
	const struct fragment *fragment;

	(void)state;
	attach();
	play_poll();
	reader_ends();
	wait_for(SOURCE_FAILING);
	attach();
	play_poll();
	assert_int_equal(status(&fragment).state, SOURCE_OK);
	assert_non_null(fragment);
}

/* Its poll is missed when an answered one would have timed out, not in the same moment. */
static void reader_that_ends_before_it_is_asked(void **state)
{
	const struct fragment *fragment;

	(void)state;
	attach();
	close(peer);
	peer = -1;
	while (!failed)
		turn();
	collector_dispatch(collector, NULL, 0);
	assert_int_equal(status(&fragment).failures, 0);
	assert_int_equal(status(&fragment).state, SOURCE_STARTING);
}

/* What became of the reader is told for as long as there is no other one. */
static void missed_polls_keep_the_reason(void **state)
{
	const struct fragment *fragment;
	uint64_t failures, until_ns = clock_now_ns() + PATIENCE_NS;

	(void)state;
	attach();
	play_poll();
	hurry();
	while (!failed) /* it does not answer any more */
		turn();
	failures = status(&fragment).failures;
	assert_true(failures > 0);
	while (status(&fragment).failures < failures + 2 && clock_now_ns() < until_ns)
		turn();
	assert_true(status(&fragment).failures >= failures + 2);
	assert_string_equal(status(&fragment).message, "its reader did not answer in time");
	assert_int_equal(status(&fragment).last_error, -ETIMEDOUT);
}

static void source_without_any_reader_fails(void **state)
{
	const struct fragment *fragment;

	(void)state;
	assert_int_equal(status(&fragment).state, SOURCE_STARTING);
	hurry();
	wait_for(SOURCE_FAILING);
	assert_string_equal(status(&fragment).message, "no reader process has been started");
	assert_true(units_all_polled(units));
}

/* One that is to come has the time that a poll has. */
static void reader_that_comes_late_is_no_failure(void **state)
{
	const struct fragment *fragment;

	(void)state;
	collector_dispatch(collector, NULL, 0);
	assert_int_equal(status(&fragment).state, SOURCE_STARTING);
	attach();
	play_poll();
	assert_int_equal(status(&fragment).failures, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(rows_go_without_a_reader),
		TEST(source_is_well_with_the_next_reader),
		TEST(reader_that_ends_before_it_is_asked),
		TEST(missed_polls_keep_the_reason),
		TEST(source_without_any_reader_fails),
		TEST(reader_that_comes_late_is_no_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
