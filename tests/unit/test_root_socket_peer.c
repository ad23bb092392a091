/* SPDX-License-Identifier: BSD-2-Clause */
/* root_exchange against daemons of our own that are slow, broken, hostile or gone. */
#include "base/root.h"

#include "base/clock.h"
#include "tests/support/daemon.h"
#include "tests/support/scratch.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>

#include <cmocka.h>

static volatile sig_atomic_t alarms;

static void serve_in_parts(int fd)
{
	daemon_take_question(fd);
	for (int i = 0; i < 6; i++) {
		daemon_send(fd, &"\005hello"[i], 1);
		daemon_pause_ms(2);
	}
}

static void serve_nothing(int fd)
{
	daemon_take_question(fd);
	daemon_pause_ms(20000);
	close(fd);
}

static void serve_garbage(int fd)
{
	daemon_take_question(fd);
	daemon_send(fd, "\377garbage", 8);
	daemon_pause_ms(20000);
}

static void serve_too_long(int fd)
{
	daemon_take_question(fd);
	daemon_send(fd, "\376", 1);
	daemon_pause_ms(20000);
}

static void serve_without_end(int fd)
{
	char flood[1000];

	memset(flood, 0xfd, sizeof(flood));
	daemon_take_question(fd);
	while (send(fd, flood, sizeof(flood), MSG_NOSIGNAL) > 0)
		;
}

static void serve_surplus(int fd)
{
	daemon_take_question(fd);
	daemon_send(fd, "\005hello and more", 15);
}

static void hang_up(int fd)
{
	(void)fd;
}

static void answer_unheard(int fd)
{
	daemon_send(fd, "\004busy", 5);
}

static void read_nothing(int fd)
{
	(void)fd;
	daemon_pause_ms(20000);
}

static void an_answer_in_parts_is_whole(void **state)
{
	(void)state;
	daemon_start("/t/run/x", serve_in_parts);
	assert_int_equal(daemon_ask("/run/x", 5000), 0);
	assert_string_equal(daemon_answer.data, "\005hello");
}

/* Fails at the deadline, not before and not much later. */
static void expect_timeout(int ms)
{
	uint64_t begin = clock_now_ns(), took;

	assert_int_equal(daemon_ask("/run/x", ms), -ETIMEDOUT);
	took = (clock_now_ns() - begin) / NS_PER_MS;
	assert_in_range(took, (unsigned int)ms, (unsigned int)ms + 1500);
}

static void a_trickle_runs_into_the_deadline(void **state)
{
	(void)state;
	daemon_start("/t/run/x", daemon_serve_a_trickle);
	expect_timeout(300);
	assert_in_range(daemon_answer.length, 1, 20); /* what had come */
}

static void silence_runs_into_the_deadline(void **state)
{
	(void)state;
	daemon_start("/t/run/x", serve_nothing);
	expect_timeout(150);
	assert_int_equal(daemon_answer.length, 0);
}

static void a_stopped_daemon_runs_into_the_deadline(void **state)
{
	(void)state;
	daemon_start("/t/run/x", daemon_serve_well);
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
	daemon_start("/t/run/x", read_nothing);
	assert_int_equal(daemon_ask_until("/run/x", long_request, deadline), -ETIMEDOUT);
	assert_true(clock_now_ns() >= deadline);
	free(long_request);
}

static void a_deadline_that_has_passed_is_a_timeout(void **state)
{
	(void)state;
	daemon_start("/t/run/x", daemon_serve_well);
	assert_int_equal(daemon_ask_until("/run/x", "question", 0), -ETIMEDOUT);
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
	int fd = daemon_listen_at("/t/run/x", 0), clients[8], count = fill_backlog(clients);

	(void)state;
	assert_in_range(count, 1, 7);
	expect_timeout(150);
	while (count > 0)
		close(clients[--count]);
	close(fd);
}

static void room_in_the_backlog_is_waited_for(void **state)
{
	int fd = daemon_listen_at("/t/run/x", 0), clients[8], count = fill_backlog(clients);

	(void)state;
	daemon_pid = fork();
	if (daemon_pid == 0) {
		daemon_pause_ms(100);
		for (int i = 0; i < count; i++)
			close(accept(fd, NULL, NULL));
		daemon_serve_well(accept(fd, NULL, NULL));
		_exit(0);
	}
	assert_int_equal(daemon_ask("/run/x", 10000), 0);
	while (count > 0)
		close(clients[--count]);
	close(fd);
}

static void a_peer_that_hangs_up_is_econnreset(void **state)
{
	(void)state;
	daemon_start("/t/run/x", daemon_serve_half);
	assert_int_equal(daemon_ask("/run/x", 5000), -ECONNRESET);
	assert_string_equal(daemon_answer.data, "\005hel");
}

/* SIGPIPE would end this program. */
static void a_peer_that_does_not_listen_is_econnreset(void **state)
{
	char *long_request = malloc(4 << 20);

	(void)state;
	memset(long_request, 'q', (4 << 20) - 1);
	long_request[(4 << 20) - 1] = '\0';
	daemon_start("/t/run/x", hang_up);
	for (int i = 0; i < 20; i++)
		assert_int_equal(
			daemon_ask_until("/run/x", long_request, clock_now_ns() + 5 * NS_PER_S),
			-ECONNRESET);
	assert_int_equal(daemon_answer.length, 0);
	free(long_request);
}

static void an_answer_before_the_end_of_the_request_is_taken(void **state)
{
	char *long_request = malloc(4 << 20);

	(void)state;
	memset(long_request, 'q', (4 << 20) - 1);
	long_request[(4 << 20) - 1] = '\0';
	daemon_start("/t/run/x", answer_unheard);
	assert_int_equal(
		daemon_ask_until("/run/x", long_request, clock_now_ns() + 5 * NS_PER_S), 0);
	assert_string_equal(daemon_answer.data, "\004busy");
	free(long_request);
}

static void garbage_is_ebadmsg_at_once(void **state)
{
	(void)state;
	daemon_start("/t/run/x", serve_garbage);
	assert_int_equal(daemon_ask("/run/x", 10000), -EBADMSG);
}

static void an_answer_above_the_limit_is_e2big(void **state)
{
	(void)state;
	daemon_start("/t/run/x", serve_too_long);
	assert_int_equal(daemon_ask("/run/x", 10000), -E2BIG);
}

static void an_answer_without_end_is_e2big(void **state)
{
	(void)state;
	daemon_start("/t/run/x", serve_without_end);
	assert_int_equal(daemon_ask("/run/x", 10000), -E2BIG);
	assert_true(daemon_answer.length <= DAEMON_ANSWER_MAX);
}

static void what_follows_the_answer_is_cut(void **state)
{
	(void)state;
	daemon_start("/t/run/x", serve_surplus);
	assert_int_equal(daemon_ask("/run/x", 5000), 0);
	assert_int_equal(daemon_answer.length, 6);
	assert_string_equal(daemon_answer.data, "\005hello");
}

/* As nobody: takes the name, and says what it was asked by leaving a file. */
static void serve_as_stranger(int fd)
{
	daemon_take_question(fd);
	scratch_text("/asked", "");
	daemon_send(fd, "\005hello", 6);
}

static void start_on_abstract_name(uid_t user, char name[64])
{
	snprintf(name, 64, "@/iscsi-agentx-peer-%d-%u", getpid(), user);
	assert_int_equal(chmod(scratch_path(""), 0777), 0);
	assert_int_equal(seteuid(user), 0); /* of listen(2), which is what the kernel tells */
	daemon_start(name, serve_as_stranger);
	assert_int_equal(seteuid(0), 0);
	root_close(daemon_root);
	assert_int_equal(root_open(NULL, &daemon_root), 0);
}

/* Whoever binds the name first could answer for the daemon. */
static void a_stranger_on_an_abstract_name_is_asked_nothing(void **state)
{
	char name[64];

	(void)state;
	if (geteuid() != 0)
		skip();
	start_on_abstract_name(65534, name);
	assert_int_equal(daemon_ask(name, 5000), -EACCES);
	assert_int_equal(daemon_answer.length, 0);
	/* The daemon has seen the end of the connection when it can be asked again. */
	assert_int_equal(daemon_ask(name, 5000), -EACCES);
	assert_int_equal(access(scratch_path("/asked"), F_OK), -1);
	/* Root is. */
	daemon_tear_down(NULL);
	assert_int_equal(daemon_set_up(NULL), 0);
	start_on_abstract_name(0, name);
	assert_int_equal(daemon_ask(name, 5000), 0);
	assert_int_equal(access(scratch_path("/asked"), F_OK), 0);
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
	daemon_start("/t/run/x", daemon_serve_a_trickle);
	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	setitimer(ITIMER_REAL, &often, NULL);
	expect_timeout(300);
	setitimer(ITIMER_REAL, &never, NULL);
	assert_true(alarms > 5);
	assert_true(daemon_answer.length >= 1);
}

#define ONE(test) cmocka_unit_test_setup_teardown(test, daemon_set_up, daemon_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
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
		ONE(a_stranger_on_an_abstract_name_is_asked_nothing),
		ONE(signals_do_not_disturb),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
