/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The agent's side against readers of all kinds: a real one (reader_run in a forked child), one
 * that hangs, one that dies, and ones that send what no reader may send.
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

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

struct fixture {
	struct units *units;
	struct collector *collector;
	int failed; /* calls of reader_failed */
	int peer;   /* the reader's end, when the test plays the reader */
};

static void silent(int priority, const char *message)
{
	(void)priority, (void)message;
}

static void count_failed(void *context, int source)
{
	struct fixture *f = context;

	assert_int_equal(source, 0);
	f->failed++;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct collector_settings settings = {
		.poll_interval_ns = NS_PER_S,
		.poll_timeout_ns = NS_PER_S / 5,
		.reader_failed = count_failed,
		.context = f,
	};
	int pair[2];

	log_set_sink(silent);
	f->units = units_new(60 * NS_PER_S);
	f->collector = collector_new(&settings, f->units);
	assert_int_equal(collector_add(f->collector, "fake"), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	collector_attach(f->collector, 0, pair[0]);
	f->peer = pair[1];
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	if (f->peer >= 0)
		close(f->peer);
	collector_free(f->collector);
	units_free(f->units);
	free(f);
	return 0;
}

static void turn(struct fixture *f, int most_ms)
{
	struct pollfd fds[4];
	int timeout_ms = most_ms;
	size_t n = collector_prepare(f->collector, fds, ARRAY_SIZE(fds), &timeout_ms);

	poll(fds, (nfds_t)n, timeout_ms < most_ms ? timeout_ms : most_ms);
	collector_dispatch(f->collector, fds, n);
}

static struct source_status status(struct fixture *f, const struct fragment **ret)
{
	struct snapshot_input *inputs;
	struct source_status s;

	assert_int_equal(units_inputs(f->units, false, &inputs), 1);
	s = *inputs[0].status;
	if (ret)
		*ret = inputs[0].fragment;
	free(inputs);
	return s;
}

static struct reader_request take_request(struct fixture *f)
{
	struct reader_request request;

	turn(f, 0);
	assert_int_equal(recv(f->peer, &request, sizeof(request), MSG_DONTWAIT), sizeof(request));
	assert_int_equal(request.magic, READER_MAGIC);
	return request;
}

static struct reader_message unit_message(uint64_t serial)
{
	struct reader_message m = { .magic = READER_MAGIC, .type = READER_UNIT, .serial = serial };

	snprintf(m.unit, sizeof(m.unit), "u");
	return m;
}

static void send_message(struct fixture *f, const struct reader_message *m, int fd)
{
	assert_int_equal(fdpass_send(f->peer, m, sizeof(*m), fd, 0), 0);
	if (fd >= 0)
		close(fd);
}

/* What the instance of the next fragments is called. */
static char instance_key = 'a';

/* A memfd with `length` octets of a good fragment, sealed or not. */
static int make_memfd(bool sealed, size_t *ret_length)
{
	struct builder *b = builder_new();
	struct instance *instance = builder_instance(b, NULL);
	struct fragment *fragment;
	int fd = memfd_create("test", MFD_ALLOW_SEALING);

	builder_printf(b, &instance->key, "%c", instance_key);
	assert_int_equal(builder_seal(b, &fragment, ret_length), 0);
	assert_int_equal(write(fd, fragment, *ret_length), *ret_length);
	if (sealed)
		assert_int_equal(
			fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW), 0);
	free(fragment);
	builder_free(b);
	return fd;
}

/* A whole poll: a request, a good unit, the end. */
static void play_good_poll(struct fixture *f)
{
	struct reader_message m = unit_message(take_request(f).serial);
	int fd = make_memfd(true, &m.length);

	send_message(f, &m, fd);
	m.type = READER_DONE;
	m.present = 1;
	send_message(f, &m, -1);
	turn(f, 100);
}

static void good_poll_gives_rows(void **state)
{
	struct fixture *f = *state;
	const struct fragment *fragment;

	play_good_poll(f);
	assert_int_equal(status(f, &fragment).state, SOURCE_OK);
	assert_non_null(fragment);
	assert_int_equal(f->failed, 0);
	assert_true(units_all_polled(f->units));
}

static void poll_without_pause(struct fixture *f)
{
	struct collector_settings soon = {
		.poll_timeout_ns = NS_PER_S, .reader_failed = count_failed, .context = f
	};

	collector_configure(f->collector, &soon);
}

/* The lowest free descriptor: as high as before means that nothing was left open. */
static int free_descriptor(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

/* Of a sealed fragment the agent keeps a descriptor: no memory of its own, and one for each unit.
 */
static void fragment_is_kept_as_one_descriptor(void **state)
{
	struct fixture *f = *state;
	char line[512];
	FILE *maps;
	int first;

	poll_without_pause(f);
	play_good_poll(f);
	first = free_descriptor();
	for (int i = 0; i < 10; i++, instance_key++)
		play_good_poll(f);
	assert_int_equal(status(f, NULL).polls, 11);
	/* The new one came before the old one was given up. */
	assert_true(free_descriptor() <= first + 1);
	maps = fopen("/proc/self/maps", "r");
	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps))
		assert_null(strstr(line, "memfd:test"));
	fclose(maps);
}

/* The same octets again: the one that is there stays, and only the source's row is another one. */
static void same_fragment_is_no_news(void **state)
{
	struct fixture *f = *state;
	const struct fragment *first, *same, *other;
	int before;

	poll_without_pause(f);
	play_good_poll(f);
	assert_int_equal(status(f, &first).polls, 1);
	assert_true(units_take_changed(f->units, false));
	before = free_descriptor();
	play_good_poll(f);
	assert_int_equal(status(f, &same).polls, 2);
	assert_ptr_equal(same, first);
	assert_int_equal(free_descriptor(), before);
	assert_false(units_take_changed(f->units, false));
	assert_true(units_take_changed(f->units, true));
	instance_key++;
	play_good_poll(f);
	assert_int_equal(status(f, &other).polls, 3);
	assert_ptr_not_equal(other, first);
	assert_true(units_take_changed(f->units, false));
}

static void one_request_in_flight(void **state)
{
	struct fixture *f = *state;
	struct reader_request request;

	take_request(f);
	turn(f, 0);
	turn(f, 0);
	assert_int_equal(recv(f->peer, &request, sizeof(request), MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
}

static void silent_reader_is_given_up_at_the_deadline(void **state)
{
	struct fixture *f = *state;
	uint64_t began = clock_now_ns();
	uint64_t took;

	take_request(f);
	while (!f->failed && clock_now_ns() - began < 2 * NS_PER_S)
		turn(f, 1000);
	took = clock_now_ns() - began;
	assert_int_equal(f->failed, 1);
	assert_in_range(took / NS_PER_MS, 190, 1000);
	assert_int_equal(status(f, NULL).last_error, -ETIMEDOUT);
	/* Nothing more is asked of it, whatever time passes, until there is a new reader. */
	turn(f, 0);
	assert_int_equal(f->failed, 1);
}

static void dead_reader_is_seen_at_once(void **state)
{
	struct fixture *f = *state;

	take_request(f);
	close(f->peer);
	f->peer = -1;
	turn(f, 100);
	assert_int_equal(f->failed, 1);
	assert_int_equal(status(f, NULL).last_error, -EPIPE);
}

static void refused(struct fixture *f)
{
	const struct fragment *fragment;

	turn(f, 100);
	assert_int_equal(f->failed, 1);
	assert_int_equal(status(f, &fragment).last_error, -EBADMSG);
	assert_null(fragment);
}

static void unsealed_memory_is_refused(void **state)
{
	struct fixture *f = *state;
	struct reader_message m = unit_message(take_request(f).serial);
	int fd = make_memfd(false, &m.length);

	send_message(f, &m, fd);
	refused(f);
}

static void wrong_length_is_refused(void **state)
{
	struct fixture *f = *state;
	struct reader_message m = unit_message(take_request(f).serial);
	int fd = make_memfd(true, &m.length);

	m.length += 4096;
	send_message(f, &m, fd);
	refused(f);
}

static void pipe_instead_of_memory_is_refused(void **state)
{
	struct fixture *f = *state;
	struct reader_message m = unit_message(take_request(f).serial);
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	close(ends[1]);
	m.length = 1000;
	send_message(f, &m, ends[0]);
	refused(f);
}

static void good_unit_without_memory_is_refused(void **state)
{
	struct fixture *f = *state;
	struct reader_message m = unit_message(take_request(f).serial);

	send_message(f, &m, -1);
	refused(f);
}

static void damaged_fragment_is_refused(void **state)
{
	struct fixture *f = *state;
	struct reader_message m = unit_message(take_request(f).serial);
	int fd = memfd_create("test", MFD_ALLOW_SEALING);

	m.length = 5000;
	assert_int_equal(ftruncate(fd, 5000), 0);
	fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW);
	send_message(f, &m, fd);
	refused(f);
}

static void foreign_serial_is_refused(void **state)
{
	struct fixture *f = *state;
	struct reader_message m = unit_message(take_request(f).serial + 1);

	m.error = -EIO;
	send_message(f, &m, -1);
	refused(f);
}

static void unasked_message_is_refused(void **state)
{
	struct fixture *f = *state;
	struct reader_request request = take_request(f);
	struct reader_message m = {
		.magic = READER_MAGIC, .type = READER_DONE, .serial = request.serial, .present = 1
	};

	send_message(f, &m, -1);
	turn(f, 100);
	send_message(f, &m, -1);
	turn(f, 100);
	assert_int_equal(f->failed, 1);
}

static void unterminated_name_is_refused(void **state)
{
	struct fixture *f = *state;
	struct reader_message m = unit_message(take_request(f).serial);

	m.error = -EIO;
	memset(m.unit, 'x', sizeof(m.unit));
	send_message(f, &m, -1);
	refused(f);
}

static void descriptors_of_refused_messages_do_not_leak(void **state)
{
	struct fixture *f = *state;
	struct reader_message m = unit_message(take_request(f).serial + 7);
	size_t length;
	int fd = make_memfd(true, &length), before = free_descriptor();

	m.length = length;
	assert_int_equal(fdpass_send(f->peer, &m, sizeof(m), fd, 0), 0);
	turn(f, 100);
	close(fd);
	assert_true(free_descriptor() <= before);
}

/* A source for a real reader: one unit that counts its polls, one that fails. */
static int fake_detect(const struct source_env *env)
{
	(void)env;
	return 1;
}

static int fake_open(const struct source_env *env, struct source **ret)
{
	(void)env;
	*ret = NULL;
	return 0;
}

static int fake_collect(struct source *s, uint64_t deadline_ns, struct collection *c)
{
	struct builder *b = collection_begin(c, "good");
	struct instance *instance = builder_instance(b, NULL);
	(void)s, (void)deadline_ns;

	builder_text(b, &instance->key, "x");
	collection_note(c, "of %s", "interest");
	collection_end(c);
	collection_begin(c, "bad");
	collection_fail(c, -EPERM, "no %s", "entry");
	return 0;
}

static void fake_close(struct source *s)
{
	(void)s;
}

static const struct source_ops fake_source = {
	.name = "fake",
	.summary = "test",
	.detect = fake_detect,
	.open = fake_open,
	.collect = fake_collect,
	.close = fake_close,
};

static void real_reader_answers_and_ends_with_the_agent(void **state)
{
	struct fixture *f = *state;
	struct snapshot_input *inputs;
	int pair[2], child_status = -1;
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	pid = fork();
	if (pid == 0) {
		struct source_env env = { .root = NULL };

		close(pair[0]);
		close(f->peer);
		_exit(reader_run(&fake_source, &env, pair[1]));
	}
	close(pair[1]);
	collector_attach(f->collector, 0, pair[0]);
	for (int i = 0; i < 100 && !units_all_polled(f->units); i++)
		turn(f, 100);
	assert_int_equal(units_inputs(f->units, false, &inputs), 2);
	assert_string_equal(inputs[0].status->unit, "good");
	assert_int_equal(inputs[0].fragment->arrays[OBJECT_INSTANCE].count, 1);
	assert_string_equal(inputs[0].status->note, "of interest");
	assert_string_equal(inputs[0].status->message, "");
	assert_string_equal(inputs[1].status->message, "no entry");
	assert_string_equal(inputs[1].status->note, "");
	assert_int_equal(inputs[1].status->last_error, -EPERM);
	free(inputs);
	collector_free(f->collector);
	f->collector = NULL;
	assert_int_equal(waitpid(pid, &child_status, 0), pid);
	assert_true(WIFEXITED(child_status) && WEXITSTATUS(child_status) == 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(good_poll_gives_rows),
		TEST(fragment_is_kept_as_one_descriptor),
		TEST(same_fragment_is_no_news),
		TEST(one_request_in_flight),
		TEST(silent_reader_is_given_up_at_the_deadline),
		TEST(dead_reader_is_seen_at_once),
		TEST(unsealed_memory_is_refused),
		TEST(wrong_length_is_refused),
		TEST(pipe_instead_of_memory_is_refused),
		TEST(good_unit_without_memory_is_refused),
		TEST(damaged_fragment_is_refused),
		TEST(foreign_serial_is_refused),
		TEST(unasked_message_is_refused),
		TEST(unterminated_name_is_refused),
		TEST(descriptors_of_refused_messages_do_not_leak),
		TEST(real_reader_answers_and_ends_with_the_agent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
