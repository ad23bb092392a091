/* SPDX-License-Identifier: BSD-2-Clause */
/* root_exchange against daemons of our own that are slow, broken, hostile or gone. */
#include "base/root_private.h"

#include "base/clock.h"
#include "tests/support/scratch.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cmocka.h>

#define LIMIT 4096 /* octets of an answer */

static struct root *root;
static struct buf answer = BUF_INIT(LIMIT);
static pid_t daemon_pid;
static int fail_malloc_at;
static volatile sig_atomic_t alarms;

void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);

void *__wrap_realloc(void *old, size_t size)
{
	if (fail_malloc_at > 0 && --fail_malloc_at == 0)
		return NULL;
	return __real_realloc(old, size);
}

static void pause_ms(int ms)
{
	poll(NULL, 0, ms);
}

/* The answers of these tests: one octet N, and N octets more. 0xff is no length. */
static ssize_t counted_length(const char *data, size_t have)
{
	unsigned char n = (unsigned char)data[0];

	assert_true(have > 0);
	if (n == 0xff)
		return -EBADMSG;
	if (n == 0xfe)
		return LIMIT + 1;
	return n == 0xfd ? 0 : n + 1;
}

static int ask_until(const char *path, const char *request, uint64_t deadline_ns)
{
	return root_exchange(
		root, path, request, strlen(request), counted_length, deadline_ns, &answer, NULL);
}

static int ask(const char *path, int ms)
{
	return ask_until(path, "question", clock_now_ns() + (uint64_t)ms * NS_PER_MS);
}

static int set_up(void **state)
{
	(void)state;
	daemon_pid = 0;
	fail_malloc_at = 0;
	buf_reset(&answer);
	scratch_begin();
	scratch_dir("/t");
	scratch_dir("/t/run");
	scratch_dir("/t/var");
	scratch_link("/t/var/run", "/run");
	return root_open(scratch_path("/t"), &root);
}

static int tear_down(void **state)
{
	(void)state;
	if (daemon_pid > 0) {
		kill(daemon_pid, SIGKILL);
		waitpid(daemon_pid, NULL, 0);
	}
	root_close(root);
	buf_free(&answer);
	scratch_end();
	return 0;
}

/* A listening socket in the file `path` of the scratch directory, whatever its length. */
static int listen_at(const char *path, int backlog)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX];
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), dir_fd;

	snprintf(dir, sizeof(dir), "%.*s/", (int)(slash - path), path);
	dir_fd = open(scratch_path(dir), O_PATH | O_CLOEXEC);
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", dir_fd,
		slash + 1);
	if (fd < 0 || dir_fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
		listen(fd, backlog) < 0)
		abort();
	close(dir_fd);
	return fd;
}

typedef void serve_fn(int fd);

/* Runs `serve` for one connection to the socket `path`, or to the abstract one. */
static void start(const char *path, serve_fn *serve)
{
	int ready[2], fd;
	char octet;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	daemon_pid = fork();
	if (daemon_pid == 0) {
		alarm(20);
		if (path[0] == '@') {
			struct sockaddr_un address = { .sun_family = AF_UNIX };

			memcpy(address.sun_path + 1, path + 1, strlen(path) - 1);
			fd = socket(AF_UNIX, SOCK_STREAM, 0);
			if (bind(fd, (struct sockaddr *)&address,
				    (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
						strlen(path))) < 0 ||
				listen(fd, 5) < 0)
				_exit(1);
		} else {
			fd = listen_at(path, 5);
		}
		if (write(ready[1], "r", 1) != 1)
			_exit(1);
		for (;;) {
			int client = accept(fd, NULL, NULL);

			if (client >= 0)
				serve(client);
			close(client);
		}
	}
	assert_true(daemon_pid > 0);
	close(ready[1]);
	assert_int_equal(read(ready[0], &octet, 1), 1);
	close(ready[0]);
}

static void send_octets(int fd, const char *octets, size_t length)
{
	if (send(fd, octets, length, MSG_NOSIGNAL) != (ssize_t)length)
		_exit(1);
}

static void take_question(int fd)
{
	char question[16];
	ssize_t got = recv(fd, question, 8, MSG_WAITALL);

	if (got != 8 || memcmp(question, "question", 8) != 0)
		_exit(1);
}

static void serve_well(int fd)
{
	take_question(fd);
	send_octets(fd, "\005hello", 6);
}

static void serve_in_parts(int fd)
{
	take_question(fd);
	for (int i = 0; i < 6; i++) {
		send_octets(fd, &"\005hello"[i], 1);
		pause_ms(2);
	}
}

static void serve_a_trickle(int fd)
{
	take_question(fd);
	for (int i = 0; i < 200; i++) {
		send_octets(fd, "\310", 1);
		pause_ms(40);
	}
}

static void serve_nothing(int fd)
{
	take_question(fd);
	pause_ms(20000);
	close(fd);
}

static void serve_half(int fd)
{
	take_question(fd);
	send_octets(fd, "\005hel", 4);
}

static void serve_garbage(int fd)
{
	take_question(fd);
	send_octets(fd, "\377garbage", 8);
	pause_ms(20000);
}

static void serve_too_long(int fd)
{
	take_question(fd);
	send_octets(fd, "\376", 1);
	pause_ms(20000);
}

static void serve_without_end(int fd)
{
	char flood[1000];

	memset(flood, 0xfd, sizeof(flood));
	take_question(fd);
	while (send(fd, flood, sizeof(flood), MSG_NOSIGNAL) > 0)
		;
}

static void serve_surplus(int fd)
{
	take_question(fd);
	send_octets(fd, "\005hello and more", 15);
}

static void hang_up(int fd)
{
	(void)fd;
}

static void answer_unheard(int fd)
{
	send_octets(fd, "\004busy", 5);
}

static void read_nothing(int fd)
{
	(void)fd;
	pause_ms(20000);
}

static void an_answer_comes_with_its_peer(void **state)
{
	struct root_peer peer = { .pid = -1 };
	uint64_t before = clock_now_ns();
	CLEANUP_BUF struct buf stat = BUF_INIT(4096);
	struct root *live;
	uint64_t start_time;
	char path[64];

	(void)state;
	start("/t/run/x", serve_well);
	assert_int_equal(root_exchange(root, "/run/x", "question", 8, counted_length,
				 before + 5 * NS_PER_S, &answer, &peer),
		0);
	assert_string_equal(answer.data, "\005hello");
	assert_int_equal(peer.pid, daemon_pid);
	assert_int_equal(peer.uid, geteuid());
	assert_int_equal(root_open(NULL, &live), 0);
	snprintf(path, sizeof(path), "/proc/%d/stat", daemon_pid);
	assert_int_equal(root_read_whole(live, path, &stat), 0);
	assert_int_equal(root_parse_start_time(stat.data, &start_time), 0);
	assert_true(start_time > 0 && peer.start_time == start_time);
	root_close(live);
}

static void a_second_exchange_forgets_the_first(void **state)
{
	(void)state;
	start("/t/run/x", serve_well);
	assert_int_equal(ask("/run/x", 5000), 0);
	assert_int_equal(ask("/run/x", 5000), 0);
	assert_int_equal(answer.length, 6);
	assert_int_equal(ask("/run/y", 5000), -ENOENT);
	assert_int_equal(answer.length, 0);
}

static void an_answer_in_parts_is_whole(void **state)
{
	(void)state;
	start("/t/run/x", serve_in_parts);
	assert_int_equal(ask("/run/x", 5000), 0);
	assert_string_equal(answer.data, "\005hello");
}

/* Fails at the deadline, not before and not much later. */
static void expect_timeout(int ms)
{
	uint64_t begin = clock_now_ns(), took;

	assert_int_equal(ask("/run/x", ms), -ETIMEDOUT);
	took = (clock_now_ns() - begin) / NS_PER_MS;
	assert_in_range(took, (unsigned int)ms, (unsigned int)ms + 1500);
}

static void a_trickle_runs_into_the_deadline(void **state)
{
	(void)state;
	start("/t/run/x", serve_a_trickle);
	expect_timeout(300);
	assert_in_range(answer.length, 1, 20); /* what had come */
}

static void silence_runs_into_the_deadline(void **state)
{
	(void)state;
	start("/t/run/x", serve_nothing);
	expect_timeout(150);
	assert_int_equal(answer.length, 0);
}

static void a_stopped_daemon_runs_into_the_deadline(void **state)
{
	(void)state;
	start("/t/run/x", serve_well);
	kill(daemon_pid, SIGSTOP);
	expect_timeout(150);
	kill(daemon_pid, SIGCONT);
}

static void a_request_nobody_reads_runs_into_the_deadline(void **state)
{
	char *long_request = malloc(4 << 20);
	uint64_t deadline = clock_now_ns() + 200 * NS_PER_MS;

	(void)state;
	memset(long_request, 'q', (4 << 20) - 1);
	long_request[(4 << 20) - 1] = '\0';
	start("/t/run/x", read_nothing);
	assert_int_equal(ask_until("/run/x", long_request, deadline), -ETIMEDOUT);
	assert_true(clock_now_ns() >= deadline);
	free(long_request);
}

static void a_deadline_that_has_passed_is_a_timeout(void **state)
{
	(void)state;
	start("/t/run/x", serve_well);
	assert_int_equal(ask_until("/run/x", "question", 0), -ETIMEDOUT);
}

/* Fills the backlog of a socket that nobody accepts from; returns how many it took. */
static int fill_backlog(int clients[8])
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int count = 0;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", scratch_path("/t/run/x"));
	for (; count < 8; count++) {
		clients[count] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (connect(clients[count], (struct sockaddr *)&address, sizeof(address)) < 0) {
			close(clients[count]);
			return count;
		}
	}
	return count;
}

static void a_full_backlog_runs_into_the_deadline(void **state)
{
	int fd = listen_at("/t/run/x", 0), clients[8], count = fill_backlog(clients);

	(void)state;
	assert_in_range(count, 1, 7);
	expect_timeout(150);
	while (count > 0)
		close(clients[--count]);
	close(fd);
}

static void room_in_the_backlog_is_waited_for(void **state)
{
	int fd = listen_at("/t/run/x", 0), clients[8], count = fill_backlog(clients);

	(void)state;
	daemon_pid = fork();
	if (daemon_pid == 0) {
		pause_ms(100);
		for (int i = 0; i < count; i++)
			close(accept(fd, NULL, NULL));
		serve_well(accept(fd, NULL, NULL));
		_exit(0);
	}
	assert_int_equal(ask("/run/x", 10000), 0);
	while (count > 0)
		close(clients[--count]);
	close(fd);
}

static void a_peer_that_hangs_up_is_econnreset(void **state)
{
	(void)state;
	start("/t/run/x", serve_half);
	assert_int_equal(ask("/run/x", 5000), -ECONNRESET);
	assert_string_equal(answer.data, "\005hel");
}

/* SIGPIPE would end this program. */
static void a_peer_that_does_not_listen_is_econnreset(void **state)
{
	char *long_request = malloc(4 << 20);

	(void)state;
	memset(long_request, 'q', (4 << 20) - 1);
	long_request[(4 << 20) - 1] = '\0';
	start("/t/run/x", hang_up);
	for (int i = 0; i < 20; i++)
		assert_int_equal(ask_until("/run/x", long_request, clock_now_ns() + 5 * NS_PER_S),
			-ECONNRESET);
	assert_int_equal(answer.length, 0);
	free(long_request);
}

static void an_answer_before_the_end_of_the_request_is_taken(void **state)
{
	char *long_request = malloc(4 << 20);

	(void)state;
	memset(long_request, 'q', (4 << 20) - 1);
	long_request[(4 << 20) - 1] = '\0';
	start("/t/run/x", answer_unheard);
	assert_int_equal(ask_until("/run/x", long_request, clock_now_ns() + 5 * NS_PER_S), 0);
	assert_string_equal(answer.data, "\004busy");
	free(long_request);
}

static void garbage_is_ebadmsg_at_once(void **state)
{
	(void)state;
	start("/t/run/x", serve_garbage);
	assert_int_equal(ask("/run/x", 10000), -EBADMSG);
}

static void an_answer_above_the_limit_is_e2big(void **state)
{
	(void)state;
	start("/t/run/x", serve_too_long);
	assert_int_equal(ask("/run/x", 10000), -E2BIG);
}

static void an_answer_without_end_is_e2big(void **state)
{
	(void)state;
	start("/t/run/x", serve_without_end);
	assert_int_equal(ask("/run/x", 10000), -E2BIG);
	assert_true(answer.length <= LIMIT);
}

static void what_follows_the_answer_is_cut(void **state)
{
	(void)state;
	start("/t/run/x", serve_surplus);
	assert_int_equal(ask("/run/x", 5000), 0);
	assert_int_equal(answer.length, 6);
	assert_string_equal(answer.data, "\005hello");
}

static void nobody_there(void **state)
{
	(void)state;
	assert_int_equal(ask("/run/none", 1000), -ENOENT);
	close(listen_at("/t/run/dead", 1));
	assert_int_equal(ask("/run/dead", 1000), -ECONNREFUSED);
	scratch_text("/t/run/file", "x");
	assert_int_equal(ask("/run/file", 1000), -ECONNREFUSED);
	assert_int_equal(ask("/run", 1000), -ECONNREFUSED);
	assert_int_equal(ask("run/x", 1000), -EINVAL);
	assert_int_equal(ask("@", 1000), -EINVAL);
	assert_int_equal(ask("/run/secret.sock", 1000), -EACCES);
}

static void links_to_a_socket_stay_below_the_prefix(void **state)
{
	(void)state;
	start("/t/run/x", serve_well);
	assert_int_equal(ask("/var/run/x", 5000), 0);
	scratch_link("/t/run/link", "/run/x");
	assert_int_equal(ask("/run/link", 5000), 0);
	scratch_link("/t/run/out", scratch_path("/t/run/x"));
	assert_int_equal(ask("/run/out", 1000), -ENOENT);
}

static void a_path_longer_than_sun_path_is_reached(void **state)
{
	char path[400] = "/t";

	(void)state;
	for (int i = 0; i < 3; i++) {
		size_t used = strlen(path);

		snprintf(path + used, sizeof(path) - used, "/%080d", i);
		scratch_dir(path);
	}
	snprintf(path + strlen(path), 8, "/x");
	start(path, serve_well);
	assert_int_equal(ask(path + 2, 5000), 0);
	root_close(root);
	assert_int_equal(root_open(NULL, &root), 0);
	assert_int_equal(ask(scratch_path(path), 5000), 0);
}

static void abstract_sockets_are_of_the_live_machine_only(void **state)
{
	char name[64];

	(void)state;
	snprintf(name, sizeof(name), "@/iscsi-agentx-test-%d", getpid());
	start(name, serve_well);
	assert_int_equal(ask(name, 1000), -ENOENT);
	root_close(root);
	assert_int_equal(root_open(NULL, &root), 0);
	assert_int_equal(ask(name, 5000), 0);
	assert_string_equal(answer.data, "\005hello");
	assert_int_equal(ask("@/iscsi-agentx-nobody", 1000), -ECONNREFUSED);
}

static void an_abstract_name_is_a_file_below_a_prefix(void **state)
{
	(void)state;
	scratch_dir("/t/@");
	scratch_dir("/t/@/org");
	start("/t/@/org/x", serve_well);
	assert_int_equal(ask("@/org/x", 5000), 0);
}

static void a_dialogue_is_recorded_and_replayed(void **state)
{
	struct root_peer peer, again;
	struct root *replay;

	(void)state;
	start("/t/run/x", serve_well);
	assert_int_equal(root_record_start(root), 0);
	assert_int_equal(root_exchange(root, "/run/x", "question", 8, counted_length,
				 clock_now_ns() + 5 * NS_PER_S, &answer, &peer),
		0);
	assert_int_equal(ask("/run/none", 1000), -ENOENT);
	assert_int_equal(root_record_save(root, scratch_path("/x.tree")), 0);
	assert_int_equal(root_open(scratch_path("/x.tree"), &replay), 0);
	buf_reset(&answer);
	assert_int_equal(
		root_exchange(replay, "/run/x", "question", 8, counted_length, 0, &answer, &again),
		0);
	assert_string_equal(answer.data, "\005hello");
	assert_int_equal(peer.pid, again.pid);
	assert_int_equal(peer.uid, again.uid);
	assert_true(peer.start_time == again.start_time);
	assert_int_equal(
		root_exchange(replay, "/run/none", "question", 8, counted_length, 0, &answer, NULL),
		-ENOENT);
	root_close(replay);
}

static void half_an_answer_is_recorded_with_its_error(void **state)
{
	size_t length;
	char *saved;

	(void)state;
	start("/t/run/x", serve_half);
	assert_int_equal(root_record_start(root), 0);
	assert_int_equal(ask("/run/x", 5000), -ECONNRESET);
	assert_int_equal(root_record_save(root, scratch_path("/x.tree")), 0);
	saved = scratch_read("/x.tree", &length);
	assert_non_null(strstr(saved, "\n>question\\\n<\\005hel\\\n!ECONNRESET\n"));
	free(saved);
}

static void count_alarm(int signal)
{
	(void)signal;
	alarms++;
}

static void signals_do_not_disturb(void **state)
{
	struct itimerval often = { .it_interval.tv_usec = 3000, .it_value.tv_usec = 3000 };
	struct itimerval never = { .it_value.tv_usec = 0 };
	struct sigaction action = { .sa_handler = count_alarm };

	(void)state;
	start("/t/run/x", serve_a_trickle);
	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	setitimer(ITIMER_REAL, &often, NULL);
	expect_timeout(300);
	setitimer(ITIMER_REAL, &never, NULL);
	assert_true(alarms > 5);
	assert_true(answer.length >= 1);
}

static void an_allocation_failure_is_enomem(void **state)
{
	(void)state;
	start("/t/run/x", serve_well);
	buf_free(&answer);
	fail_malloc_at = 1;
	assert_int_equal(ask("/run/x", 5000), -ENOMEM);
}

static void no_descriptor_is_left_open(void **state)
{
	int before, after;

	(void)state;
	start("/t/run/x", serve_half);
	before = dup(0);
	close(before);
	for (int i = 0; i < 10; i++) {
		ask("/run/x", 5000);
		ask("/run/none", 1000);
		ask("/run", 1000);
	}
	after = dup(0);
	close(after);
	assert_int_equal(before, after);
}

static void the_start_time_is_field_22(void **state)
{
	static const char tail[] = " S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 99";
	static const char *const names[] = { "1 (sh)", "1 (a b)", "1 (a) S 1 (b)", "1 ())" };
	static const char *const bad[] = {
		"", "1", "1 (x)", "1 (x) S 1 2 3",
		"1 (x) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 ",
		"1 (x) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 x",
		"1 (x) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 99999999999999999999",
		"1 (x) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 9999999999999999999999999999999"
	};
	uint64_t value;
	char text[200];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(text, sizeof(text), "%s%s", names[i], tail);
		value = 0;
		assert_int_equal(root_parse_start_time(text, &value), 0);
		assert_int_equal(value, 4711);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(root_parse_start_time(bad[i], &value), -EBADMSG);
}

#define ONE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ONE(an_answer_comes_with_its_peer),
		ONE(a_second_exchange_forgets_the_first),
		ONE(an_answer_in_parts_is_whole),
		ONE(a_trickle_runs_into_the_deadline),
		ONE(silence_runs_into_the_deadline),
		ONE(a_stopped_daemon_runs_into_the_deadline),
		ONE(a_request_nobody_reads_runs_into_the_deadline),
		ONE(a_deadline_that_has_passed_is_a_timeout),
		ONE(a_full_backlog_runs_into_the_deadline),
		ONE(room_in_the_backlog_is_waited_for),
		ONE(a_peer_that_hangs_up_is_econnreset),
		ONE(a_peer_that_does_not_listen_is_econnreset),
		ONE(an_answer_before_the_end_of_the_request_is_taken),
		ONE(garbage_is_ebadmsg_at_once),
		ONE(an_answer_above_the_limit_is_e2big),
		ONE(an_answer_without_end_is_e2big),
		ONE(what_follows_the_answer_is_cut),
		ONE(nobody_there),
		ONE(links_to_a_socket_stay_below_the_prefix),
		ONE(a_path_longer_than_sun_path_is_reached),
		ONE(abstract_sockets_are_of_the_live_machine_only),
		ONE(an_abstract_name_is_a_file_below_a_prefix),
		ONE(a_dialogue_is_recorded_and_replayed),
		ONE(half_an_answer_is_recorded_with_its_error),
		ONE(signals_do_not_disturb),
		ONE(an_allocation_failure_is_enomem),
		ONE(no_descriptor_is_left_open),
		cmocka_unit_test(the_start_time_is_field_22),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
