/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Both sides of reader/protocol.h, and the poll in one process (once_poll), when something fails: a
 * source that cannot be asked, a message that is none, each system call and allocation once.
 * Whatever it is, a source has rows or a reason, and nothing leaks. Wrapped:
 *	__wrap_read __wrap_pread __wrap_write __wrap_poll __wrap_send __wrap_recv __wrap_sendto
 *	__wrap_sendmsg __wrap_recvmsg __wrap_recvmmsg __wrap_syscall __wrap_open __wrap_openat
 *	__wrap_fstat __wrap_fstatat __wrap_fcntl __wrap_mmap __wrap_memfd_create __wrap_socket
 *	__wrap_bind __wrap_getsockname __wrap_getsockopt __wrap_setsockopt __wrap_fsync
 *	__wrap_renameat __wrap_unlinkat __wrap_mkdir __wrap_dup __wrap_fchmod __wrap_fchown
 *	__wrap_fchownat __wrap_prctl __wrap_setgroups __wrap_setresgid __wrap_setresuid
 *	__wrap_pipe2 __wrap_fork __wrap_malloc __wrap_calloc __wrap_realloc __wrap_reallocarray
 */
#include "tests/support/failing_calls.h"

#include "base/clock.h"
#include "base/fdpass.h"
#include "base/log.h"
#include "base/memfd.h"
#include "reader/collector.h"
#include "reader/protocol.h"
#include "reader/reader.h"
#include "reader/once.h"

#include <fcntl.h>
#include <sys/eventfd.h>

#define DEADLINE_NS (20 * NS_PER_S)

static void silent(int priority, const char *message)
{
	(void)priority, (void)message;
}

/* ---- a source whose functions fail as told ---- */

static struct {
	int detect, open, collect; /* what they return */
	bool spoils;		   /* a link of its unit leads nowhere */
	int event_fd;		   /* -1 none */
	int opened;		   /* and not closed */
} play;

static int play_detect(const struct source_env *env)
{
	(void)env;
	return play.detect;
}

static int play_open(const struct source_env *env, struct source **ret)
{
	(void)env;
	if (play.open < 0)
		return play.open;
	*ret = (struct source *)(void *)&play;
	play.opened++;
	return 0;
}

static int play_collect(struct source *s, uint64_t deadline_ns, struct collection *c)
{
	struct builder *b = collection_begin(c, "unit");
	struct instance *instance = b ? builder_instance(b, NULL) : NULL;
	struct node *node = instance ? builder_node(b, NULL) : NULL;

	(void)s, (void)deadline_ns;
	if (instance)
		builder_text(b, &instance->key, "x");
	if (node) {
		builder_text(b, &node->key, "n");
		node->instance = play.spoils ? 7 : 0;
	}
	collection_end(c);
	return play.collect;
}

static void play_close(struct source *s)
{
	if (s)
		play.opened--;
}

static int play_event_fd(struct source *s)
{
	(void)s;
	return play.event_fd;
}

static int play_event(struct source *s)
{
	uint64_t count;

	(void)s;
	return play.event_fd >= 0 && __real_read(play.event_fd, &count, sizeof(count)) > 0;
}

static const struct source_ops ops = {
	.name = "play",
	.summary = "a source of the test",
	.detect = play_detect,
	.open = play_open,
	.collect = play_collect,
	.close = play_close,
	.event_fd = play_event_fd,
	.event = play_event,
};

static int set_up(void **state)
{
	(void)state;
	log_set_sink(silent);
	play = (typeof(play)){ .detect = 1, .event_fd = -1 };
	if (failing_calls)
		*failing_calls = (struct failing_calls){ .fail_at = 0 };
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	assert_int_equal(play.opened, 0);
	log_set_sink(NULL);
	return 0;
}

/* ---- the reader ---- */

/*
 * Lets a reader answer what was sent to it beforehand. Returns its exit status; in *ret the last
 * message of the poll, all 0 when there was none.
 */
static int answer(const void *request, size_t length, struct reader_message *ret)
{
	static const struct source_env env = { .root = NULL };
	struct reader_message m;
	int ends[2], fd, status;

	*ret = (struct reader_message){ .magic = 0 };
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(__real_send(ends[0], request, length, 0), length);
	assert_int_equal(shutdown(ends[0], SHUT_WR), 0);
	if (failing_calls)
		failing_calls->armed = true;
	status = reader_run(&ops, &env, ends[1]);
	if (failing_calls)
		failing_calls->armed = false;
	close(ends[1]);
	while (fdpass_receive(ends[0], &m, sizeof(m), &fd) == sizeof(m)) {
		if (m.type == READER_DONE)
			*ret = m;
		if (fd >= 0)
			close(fd);
	}
	close(ends[0]);
	return status;
}

static int ask(struct reader_message *ret)
{
	struct reader_request request = {
		.magic = READER_MAGIC, .serial = 5, .deadline_ns = clock_now_ns() + DEADLINE_NS
	};

	return answer(&request, sizeof(request), ret);
}

static void a_source_that_cannot_be_asked_says_why(void **state)
{
	struct reader_message m;

	(void)state;
	play.detect = -EACCES;
	assert_int_equal(ask(&m), EXIT_SUCCESS);
	assert_int_equal(m.serial, 5);
	assert_int_equal(m.error, -EACCES);
	assert_int_equal(m.present, 1);
	assert_string_equal(m.message, "could not tell whether it is on this machine");
	play.detect = 1;
	play.open = -ENOMEM;
	assert_int_equal(ask(&m), EXIT_SUCCESS);
	assert_int_equal(m.error, -ENOMEM);
	assert_string_equal(m.message, "could not be opened");
	play.open = 0;
	play.collect = -EIO;
	assert_int_equal(ask(&m), EXIT_SUCCESS);
	assert_int_equal(m.error, -EIO);
	assert_string_equal(m.message, "its units could not be listed");
	play.detect = 0;
	assert_int_equal(ask(&m), EXIT_SUCCESS);
	assert_int_equal(m.error, 0);
	assert_int_equal(m.present, 0);
}

static void what_is_no_request_ends_the_reader(void **state)
{
	struct reader_request request = { .magic = READER_MAGIC + 1 };
	struct reader_message m;

	(void)state;
	assert_int_equal(answer(&request, sizeof(request), &m), EXIT_FAILURE);
	request.magic = READER_MAGIC;
	assert_int_equal(answer(&request, sizeof(request) - 1, &m), EXIT_FAILURE);
	assert_int_equal(m.magic, 0);
}

/* With news that are there before it is asked. */
static int answer_with_news(void)
{
	struct reader_message m;
	uint64_t one = 1;
	int status;

	play.event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	assert_int_equal(__real_write(play.event_fd, &one, sizeof(one)), sizeof(one));
	status = ask(&m);
	close(play.event_fd);
	assert_int_equal(play.opened, 0);
	return -status;
}

static void a_reader_survives_each_failure(void **state)
{
	(void)state;
	assert_true(fail_each_call(answer_with_news, EINTR) >= 3);
	assert_true(fail_each_call(answer_with_news, EIO) >= 8);
}

/* ---- in one process ---- */

static struct source_status status_of(struct units *units, bool *ret_rows)
{
	struct snapshot_input *inputs = NULL;
	struct source_status status = { .state = SOURCE_OK };
	int count = units_inputs(units, false, &inputs);

	*ret_rows = false;
	if (count > 0) {
		status = *inputs[0].status;
		*ret_rows = inputs[0].fragment != NULL;
	}
	if (count >= 0)
		free(inputs);
	return status;
}

static int poll_in_one_process(void)
{
	static const struct source_ops *const sources[] = { &ops, NULL };
	static const struct source_env env = { .root = NULL };
	struct units *units = units_new(NS_PER_S);
	struct source_status status;
	bool has_rows;
	int rc;

	assert_non_null(units);
	if (failing_calls)
		failing_calls->armed = true;
	rc = once_poll(sources, &env, DEADLINE_NS, units);
	if (failing_calls)
		failing_calls->armed = false;
	status = status_of(units, &has_rows);
	assert_true(rc < 0 || has_rows || status.last_error < 0);
	units_free(units);
	assert_int_equal(play.opened, 0);
	return rc;
}

static void each_failure_of_one_poll_is_a_reason(void **state)
{
	(void)state;
	assert_true(fail_each_call(poll_in_one_process, ENOMEM) >= 5);
}

static void a_source_in_one_process_says_why(void **state)
{
	static const struct source_ops *const sources[] = { &ops, NULL };
	static const struct source_env env = { .root = NULL };
	struct source_status status;

	(void)state;
	for (int i = 0; i < 3; i++) {
		static const int errors[] = { -EACCES, -ENOTDIR, -EBADMSG };
		struct units *units = units_new(NS_PER_S);
		bool has_rows;

		play.detect = i == 0 ? errors[i] : 1;
		play.open = i == 1 ? errors[i] : 0;
		play.spoils = i == 2;
		assert_int_equal(once_poll(sources, &env, DEADLINE_NS, units), 0);
		status = status_of(units, &has_rows);
		assert_int_equal(status.last_error, errors[i]);
		assert_false(has_rows);
		units_free(units);
	}
}

/* ---- the agent ---- */

static struct units *units;
static struct collector *collector;
static int peer, given_up;

static void count_given_up(void *context, int source)
{
	(void)context, (void)source;
	given_up++;
}

static void begin(void)
{
	struct collector_settings settings = { .poll_interval_ns = DEADLINE_NS,
		.poll_timeout_ns = DEADLINE_NS,
		.reader_failed = count_given_up };
	int ends[2];

	given_up = 0;
	units = units_new(60 * NS_PER_S);
	collector = units ? collector_new(&settings, units) : NULL;
	if (!collector)
		return;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	peer = ends[1];
	if (collector_add(collector, "play") < 0)
		close(ends[0]);
	else
		collector_attach(collector, 0, ends[0]);
}

static void finish(void)
{
	if (collector)
		close(peer);
	collector_free(collector);
	units_free(units);
	collector = NULL;
}

static void turn(void)
{
	struct pollfd fds[4];
	int timeout_ms = 0;
	size_t n = collector_prepare(collector, fds, ARRAY_SIZE(fds), &timeout_ms);

	__real_poll(fds, (nfds_t)n, 0);
	collector_dispatch(collector, fds, n);
}

/* Asked, it sends this; with the fragment of a good unit when `with_memory`. */
static void say(struct reader_message m, size_t length, bool with_memory)
{
	struct builder *b = builder_new();
	struct instance *instance = builder_instance(b, NULL);
	struct reader_request request;
	struct fragment *fragment;
	size_t octets;
	int fd;

	builder_text(b, &instance->key, "x");
	assert_int_equal(builder_seal(b, &fragment, &octets), 0);
	fd = with_memory ? memfd_seal("test", fragment, octets) : -1;
	free(fragment);
	builder_free(b);
	if (with_memory)
		m.length = octets;
	if (recv(peer, &request, sizeof(request), MSG_DONTWAIT) == sizeof(request))
		m.serial += request.serial;
	fdpass_send(peer, &m, length, fd, MSG_DONTWAIT);
	if (fd >= 0)
		close(fd);
}

static void what_no_reader_says_gives_it_up(void **state)
{
	static const struct {
		size_t at, length;
		int octet;
		uint32_t type;
	} rows[] = {
#define OCTETS(member, value, kind)                                                              \
	{ offsetof(struct reader_message, member), sizeof(((struct reader_message *)0)->member), \
		value, kind }
		OCTETS(magic, 0, READER_UNIT),
		OCTETS(magic, 0, READER_HINT),
		OCTETS(type, 9, READER_UNIT),
		OCTETS(serial, 9, READER_UNIT),
		OCTETS(unit, 'u', READER_UNIT),
		OCTETS(message, 'm', READER_UNIT),
		OCTETS(error, 1, READER_UNIT),
		OCTETS(error, 1, READER_DONE),
		OCTETS(length, 0x7f, READER_UNIT),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct reader_message m = {
			.magic = READER_MAGIC, .type = rows[i].type, .unit = "u"
		};

		begin();
		turn();
		memset((char *)&m + rows[i].at, rows[i].octet, rows[i].length);
		say(m, sizeof(m), rows[i].at != offsetof(struct reader_message, length));
		turn();
		assert_int_equal(given_up, 1);
		finish();
	}
	for (int i = 0; i < 2; i++) {
		struct reader_message m = { .magic = READER_MAGIC,
			.type = i ? READER_HINT : READER_UNIT };

		begin();
		turn();
		say(m, sizeof(m) - 1, false);
		turn();
		assert_int_equal(given_up, 1);
		finish();
	}
}

/* What does not fit is cut by the kernel; a descriptor beside it is closed. */
static void a_message_that_is_too_long_gives_it_up(void **state)
{
	char octets[sizeof(struct reader_message) + 8] = "";
	int before;

	(void)state;
	begin();
	turn();
	before = open_descriptors();
	assert_int_equal(fdpass_send(peer, octets, sizeof(octets), peer, 0), 0);
	turn();
	assert_int_equal(given_up, 1);
	/* Its socket is closed, and nothing is open instead. */
	assert_int_equal(open_descriptors(), before - 1);
	finish();
}

/* A good unit is taken, or the source says why not, or a new reader is asked for. */
static int take_a_unit(void)
{
	struct reader_message m = { .magic = READER_MAGIC, .type = READER_UNIT, .unit = "u" };
	struct source_status status;
	bool has_rows;

	failing_calls->armed = true;
	begin();
	if (collector) {
		turn();
		failing_calls->armed = false;
		say(m, sizeof(m), true);
		failing_calls->armed = true;
		turn();
		failing_calls->armed = false;
		status = status_of(units, &has_rows);
		assert_true(has_rows || given_up || status.last_error < 0 ||
			    failing_calls->made >= failing_calls->fail_at);
		if (failing_calls->made < failing_calls->fail_at)
			assert_true(has_rows && !given_up);
	}
	failing_calls->armed = false;
	finish();
	return 0;
}

static void a_unit_that_cannot_be_taken_is_a_reason(void **state)
{
	(void)state;
	assert_true(fail_each_call(take_a_unit, EMFILE) >= 10);
	assert_true(fail_each_call(take_a_unit, EINTR) >= 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_source_that_cannot_be_asked_says_why),
		TEST(what_is_no_request_ends_the_reader),
		TEST(a_reader_survives_each_failure),
		TEST(each_failure_of_one_poll_is_a_reason),
		TEST(a_source_in_one_process_says_why),
		TEST(what_no_reader_says_gives_it_up),
		TEST(a_message_that_is_too_long_gives_it_up),
		TEST(a_unit_that_cannot_be_taken_is_a_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
