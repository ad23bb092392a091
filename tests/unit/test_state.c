/* SPDX-License-Identifier: BSD-2-Clause */
/* agent/state.h: what has changed is handed to the saver soon, or later when it is less urgent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/saver.h"
#include "agent/state.h"
#include "base/boot.h"
#include "base/clock.h"
#include "base/fdpass.h"
#include "base/memfd.h"
#include "index/event_store.h"
#include "model/kept.h"
#include "tests/support/scratch.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

uint64_t __wrap_clock_now_ns(void);

static uint64_t now_ns;

uint64_t __wrap_clock_now_ns(void)
{
	return now_ns;
}

static struct registry *registry;
static struct registry_entry *entry;
static struct state *state_;
static int saver; /* its end */

/* One turn of the loop; returns the bits of the files that were handed over, 1 << store_file. */
static int turn(uint64_t after_ns)
{
	struct saver_request request;
	int fd = -1, files = 0;

	now_ns += after_ns;
	state_dispatch(state_, NULL, 0);
	while (fdpass_receive(saver, &request, sizeof(request), &fd) > 0) {
		const struct saver_reply reply = { .serial = request.serial, .file = request.file };
		struct pollfd readable = { .revents = POLLIN };

		close(fd);
		files |= 1 << request.file;
		assert_int_equal(send(saver, &reply, sizeof(reply), 0), sizeof(reply));
		state_dispatch(state_, &readable, 1);
	}
	return files;
}

static int set_up(void **state)
{
	struct config config;
	int ends[2];

	(void)state;
	scratch_begin();
	config_defaults(&config);
	snprintf(config.state_dir, sizeof(config.state_dir), "%s", scratch_path("/s"));
	snprintf(config.run_dir, sizeof(config.run_dir), "%s", scratch_path("/r"));
	now_ns = 1000 * NS_PER_S;
	registry = registry_new();
	state_ = state_open(&config, registry, NULL);
	if (!registry || !state_ || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends))
		return -1;
	state_attach_saver(state_, ends[0]);
	saver = ends[1];
	assert_int_equal(registry_number(registry, INDEX_NODE, 1, "n", 1, 1, &entry, NULL), 0);
	assert_int_equal(turn(0), 0);
	assert_int_equal(turn(2 * NS_PER_S), 3);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	close(saver);
	state_close(state_, 0);
	registry_free(registry);
	scratch_end();
	return 0;
}

static void keep(uint64_t counted)
{
	const struct kept_count count = { .last = counted };
	struct kept_record record = { .length = 0 };

	kept_put(&record, KEPT_SESSION_failures, &count, sizeof(count));
	assert_int_equal(registry_keep(registry, entry, record.octets, record.length), 0);
}

static void what_is_kept_is_saved_later_than_numbers(void **state)
{
	(void)state;
	keep(1);
	assert_int_equal(turn(0), 0);
	assert_int_equal(turn(9 * NS_PER_S), 0);
	keep(2); /* does not put it off */
	assert_int_equal(turn(1 * NS_PER_S), 2);
	assert_int_equal(turn(60 * NS_PER_S), 0);
}

static void a_new_number_does_not_wait_for_what_is_kept(void **state)
{
	(void)state;
	keep(1);
	assert_int_equal(turn(0), 0);
	assert_int_equal(registry_number(registry, INDEX_SESSION, 1, "s", 1, 1, &entry, NULL), 0);
	assert_int_equal(turn(1 * NS_PER_S), 0);
	assert_int_equal(turn(2 * NS_PER_S), 2);
	assert_int_equal(turn(60 * NS_PER_S), 0);
}

static void changed_times_are_as_urgent_as_numbers(void **state)
{
	(void)state;
	entry->epoch = 5;
	registry_sweep(registry, 1);
	assert_int_equal(turn(0), 0);
	assert_int_equal(turn(2 * NS_PER_S), 2);
}

/* The disk is full, say: a new number is no reason to try again sooner. */
static void after_a_failure_there_is_a_pause(void **state)
{
	struct pollfd readable = { .revents = POLLIN };
	struct saver_request request;
	struct saver_reply reply;
	int fd = -1;

	(void)state;
	keep(1);
	state_dispatch(state_, NULL, 0);
	now_ns += 10 * NS_PER_S;
	state_dispatch(state_, NULL, 0);
	assert_true(fdpass_receive(saver, &request, sizeof(request), &fd) > 0);
	close(fd);
	reply = (struct saver_reply){
		.serial = request.serial, .error = -ENOSPC, .file = request.file
	};
	assert_int_equal(send(saver, &reply, sizeof(reply), 0), sizeof(reply));
	state_dispatch(state_, &readable, 1);
	assert_int_equal(registry_number(registry, INDEX_SESSION, 1, "s", 1, 1, &entry, NULL), 0);
	assert_int_equal(turn(2 * NS_PER_S), 0);
	assert_int_equal(turn(57 * NS_PER_S), 0);
	assert_int_equal(turn(1 * NS_PER_S), 2);
}

/* A saver may end after the turn began in which something is due. */
static void a_new_saver_gets_at_once_what_the_last_one_could_not_take(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(registry_number(registry, INDEX_SESSION, 1, "s", 1, 1, &entry, NULL), 0);
	assert_int_equal(turn(0), 0);
	close(saver);
	now_ns += 2 * NS_PER_S;
	state_dispatch(state_, NULL, 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends), 0);
	state_attach_saver(state_, ends[0]);
	saver = ends[1];
	assert_int_equal(turn(0), 1 << STORE_RUN);
	assert_int_equal(turn(60 * NS_PER_S), 0);
}

/* It has none to send; one that it does must not stay with a process that has no use for it. */
static void a_descriptor_of_the_saver_is_closed(void **state)
{
	const struct saver_reply reply = { .file = STORE_RUN };
	struct pollfd readable = { .revents = POLLIN }, end = { .events = POLLIN };
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(fdpass_send(saver, &reply, sizeof(reply), ends[1], 0), 0);
	close(ends[1]);
	end.fd = ends[0];
	assert_int_equal(poll(&end, 1, 0), 0);
	state_dispatch(state_, &readable, 1);
	assert_int_equal(poll(&end, 1, 0), 1);
	assert_int_equal(end.revents, POLLHUP);
	close(ends[0]);
	/* The reply counts as one: this saver is asked as before. */
	keep(1);
	assert_int_equal(turn(0), 0);
	assert_int_equal(turn(10 * NS_PER_S), 2);
}

static void at_the_end_nothing_waits(void **state)
{
	struct saver_request request;
	int fd = -1;

	(void)state;
	keep(1);
	assert_int_equal(turn(0), 0);
	state_close(state_, 1);
	state_ = NULL;
	assert_true(fdpass_receive(saver, &request, sizeof(request), &fd) > 0);
	assert_int_equal(request.file, STORE_RUN);
	close(fd);
}

/* ---- the event log ---- */

static struct event_log *events;

static int set_up_events(void **state)
{
	struct config config;
	int ends[2];

	(void)state;
	scratch_begin();
	mkdir(scratch_path("/s"), 0700);
	config_defaults(&config);
	snprintf(config.state_dir, sizeof(config.state_dir), "%s", scratch_path("/s"));
	snprintf(config.run_dir, sizeof(config.run_dir), "%s", scratch_path("/s"));
	now_ns = 1000 * NS_PER_S;
	registry = registry_new();
	events = event_log_new(100);
	state_ = state_open(&config, registry, events);
	if (!registry || !events || !state_ ||
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends))
		return -1;
	state_attach_saver(state_, ends[0]);
	saver = ends[1];
	return 0;
}

static int tear_down_events(void **state)
{
	tear_down(state);
	event_log_free(events);
	return 0;
}

static struct event_record *add_event(void)
{
	const struct event_record record = {
		.type = EVENT_PATH_UP, .row_type = EVENT_PATH_UP, .told = TOLD_HELD
	};

	return event_log_add(events, &record);
}

/* Takes the request for a file that must be there, and saves it. Returns its serial. */
static uint64_t save(enum store_file file)
{
	struct saver_request request;
	const void *text;
	int fd = -1;

	for (;;) {
		assert_true(fdpass_receive(saver, &request, sizeof(request), &fd) > 0);
		if (request.file == file)
			break;
		close(fd);
	}
	assert_int_equal(memfd_map(fd, request.length, &text), 0);
	assert_int_equal(store_replace(scratch_path("/s"), file, text, request.length), 0);
	munmap((void *)(uintptr_t)text, request.length);
	close(fd);
	return request.serial;
}

/* The same for the events; the number that comes next. */
static uint32_t save_events(uint64_t *ret_serial)
{
	struct event_log *log = event_log_new(100);
	uint32_t next;

	*ret_serial = save(STORE_EVENTS);
	assert_int_equal(event_store_load(log, scratch_path("/s"),
				 "01234567-89ab-cdef-0123-"
				 "456789abcdef"),
		0);
	assert_int_equal(event_log_count(log), event_log_count(events));
	next = event_log_next(log);
	event_log_free(log);
	return next;
}

static void an_event_is_saved_soon_and_so_is_what_became_of_it(void **state)
{
	const struct event_record *record;
	struct snapshot none = { .references = 1 };

	(void)state;
	assert_int_equal(turn(0), 0);
	/* The reserves of numbers, at once. */
	assert_int_equal(turn(1), 1 << STORE_EVENTS | 1 << STORE_RUN);
	record = add_event();
	assert_int_equal(turn(0), 0);
	assert_int_equal(turn(1 * NS_PER_S), 0);
	assert_int_equal(turn(1 * NS_PER_S), 1 << STORE_EVENTS);
	event_log_set_told(events, &none, record->number, TOLD_HELD); /* as it is */
	assert_int_equal(turn(60 * NS_PER_S), 0);
	event_log_set_told(events, &none, record->number, TOLD_SENT);
	assert_int_equal(turn(0), 0);
	assert_int_equal(turn(2 * NS_PER_S), 1 << STORE_EVENTS);
	assert_int_equal(turn(60 * NS_PER_S), 0);
}

/* Killed at any time: the file says a number that was never given. */
static void numbers_are_reserved_before_they_are_given(void **state)
{
	struct pollfd readable = { .revents = POLLIN };
	struct saver_reply reply = { .file = STORE_EVENTS };
	uint32_t next;

	(void)state;
	state_dispatch(state_, NULL, 0);
	now_ns++;
	state_dispatch(state_, NULL, 0);
	next = save_events(&reply.serial);
	assert_true(next > 10000);
	assert_int_equal(send(saver, &reply, sizeof(reply), 0), sizeof(reply));
	state_dispatch(state_, &readable, 1);
	/* A storm that uses up more than half of them: the file is made anew at once. */
	while (event_log_next(events) < next / 2 + 2) {
		add_event();
		event_log_begin(events);
	}
	state_dispatch(state_, NULL, 0);
	now_ns++;
	state_dispatch(state_, NULL, 0);
	assert_true(save_events(&reply.serial) > next + 5000);
}

static void at_the_end_the_reserve_is_given_back(void **state)
{
	uint64_t serial;

	(void)state;
	assert_int_equal(turn(0), 0);
	assert_int_equal(turn(1), 1 << STORE_EVENTS | 1 << STORE_RUN);
	add_event();
	add_event();
	state_close(state_, 1);
	state_ = NULL;
	assert_int_equal(save_events(&serial), 3);
}

/* The number that the file, which must be there, has for the next row below a parent. */
static uint32_t saved_next(enum store_file file, enum index_kind kind, uint32_t parent)
{
	char boot_id[BOOT_ID_LENGTH + 1];
	struct registry *r = registry_new();
	uint32_t next;
	bool loaded;

	boot_id_read(boot_id);
	assert_int_equal(
		store_load(r, scratch_path("/s"), file == STORE_STATE, boot_id, NULL, &loaded), 0);
	assert_true(loaded);
	next = registry_next(r, kind, parent);
	registry_free(r);
	return next;
}

/* Killed at any time: a session that was not saved has a number that no other one will have. */
static void numbers_of_sessions_are_reserved_until_the_end(void **state)
{
	struct saver_reply reply = { .file = STORE_RUN };
	struct pollfd readable = { .revents = POLLIN };

	(void)state;
	state_dispatch(state_, NULL, 0);
	now_ns++;
	state_dispatch(state_, NULL, 0);
	/* Also of a node that has no session yet. */
	reply.serial = save(STORE_RUN);
	assert_true(saved_next(STORE_RUN, INDEX_SESSION, 7) > 10000);
	assert_int_equal(send(saver, &reply, sizeof(reply), 0), sizeof(reply));
	state_dispatch(state_, &readable, 1);
	assert_int_equal(registry_number(registry, INDEX_SESSION, 7, "s", 1, 1, &entry, NULL), 0);
	assert_int_equal(entry->number, 1);
	state_close(state_, 1);
	state_ = NULL;
	save(STORE_RUN);
	assert_int_equal(saved_next(STORE_RUN, INDEX_SESSION, 7), 2);
}

/*
 * Likewise the rows that stay over reboots: in the file of this boot, so that a kill leaves a gap,
 * and that of the state directory has none. Connections have their session's.
 */
static void numbers_of_other_rows_are_reserved_for_this_boot(void **state)
{
	static const enum index_kind kinds[] = { INDEX_PORTAL, INDEX_NODE, INDEX_AUTH, INDEX_PATH,
		INDEX_MAP, INDEX_PROBE, INDEX_SOURCE };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (i) {
			tear_down_events(state);
			assert_int_equal(set_up_events(state), 0);
		}
		assert_int_equal(
			registry_number(registry, kinds[i], 1, "a", 1, 1, &entry, NULL), 0);
		assert_int_equal(
			registry_number(registry, INDEX_CONNECTION, 1, "c", 1, 1, &entry, NULL), 0);
		state_dispatch(state_, NULL, 0);
		now_ns += 3 * NS_PER_S;
		state_dispatch(state_, NULL, 0);
		save(STORE_STATE);
		assert_int_equal(saved_next(STORE_STATE, kinds[i], 1), 2);
		save(STORE_RUN);
		assert_in_range(saved_next(STORE_RUN, kinds[i], 1), 1000, 2000);
		assert_int_equal(saved_next(STORE_RUN, INDEX_CONNECTION, 1), 2);
	}
}

static void the_reserve_of_other_rows_is_given_back(void **state)
{
	(void)state;
	assert_int_equal(registry_number(registry, INDEX_PATH, 1, "a", 1, 1, &entry, NULL), 0);
	state_close(state_, 1);
	state_ = NULL;
	save(STORE_RUN);
	assert_int_equal(saved_next(STORE_RUN, INDEX_PATH, 1), 2);
}

/* It is what the front waits for. */
static void an_engine_is_saved_at_once_and_that_is_known(void **state)
{
	struct engine engine;

	(void)state;
	assert_int_equal(turn(0), 0);
	/* What is reserved at the start. */
	assert_int_equal(turn(1), 1 << STORE_EVENTS | 1 << STORE_RUN);
	state_load_engine(state_, &engine);
	assert_int_equal(engine.id_length, 0);
	engine = (struct engine){ .id = { 1, 2, 3, 4, 5 }, .id_length = 5, .boots = 1 };
	state_set_engine(state_, &engine);
	assert_false(state_engine_is_saved(state_));
	assert_int_equal(turn(0), 1 << STORE_ENGINE);
	assert_true(state_engine_is_saved(state_));
	assert_int_equal(turn(60 * NS_PER_S), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_is_kept_is_saved_later_than_numbers),
		TEST(a_new_number_does_not_wait_for_what_is_kept),
		TEST(changed_times_are_as_urgent_as_numbers),
		TEST(after_a_failure_there_is_a_pause),
		TEST(a_new_saver_gets_at_once_what_the_last_one_could_not_take),
		TEST(a_descriptor_of_the_saver_is_closed),
		TEST(at_the_end_nothing_waits),
		cmocka_unit_test_setup_teardown(an_event_is_saved_soon_and_so_is_what_became_of_it,
			set_up_events, tear_down_events),
		cmocka_unit_test_setup_teardown(numbers_are_reserved_before_they_are_given,
			set_up_events, tear_down_events),
		cmocka_unit_test_setup_teardown(
			at_the_end_the_reserve_is_given_back, set_up_events, tear_down_events),
		cmocka_unit_test_setup_teardown(an_engine_is_saved_at_once_and_that_is_known,
			set_up_events, tear_down_events),
		cmocka_unit_test_setup_teardown(numbers_of_sessions_are_reserved_until_the_end,
			set_up_events, tear_down_events),
		cmocka_unit_test_setup_teardown(numbers_of_other_rows_are_reserved_for_this_boot,
			set_up_events, tear_down_events),
		cmocka_unit_test_setup_teardown(
			the_reserve_of_other_rows_is_given_back, set_up_events, tear_down_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
