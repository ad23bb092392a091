/* SPDX-License-Identifier: BSD-2-Clause */
/* root_exchange with a daemon of our own: where its socket may be, who it is, what is recorded. */
#include "base/root_private.h"

#include "base/clock.h"
#include "tests/support/daemon.h"
#include "tests/support/scratch.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static int fail_malloc_at;

void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);

void *__wrap_realloc(void *old, size_t size)
{
	if (fail_malloc_at > 0 && --fail_malloc_at == 0)
		return NULL;
	return __real_realloc(old, size);
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
	daemon_start("/t/run/x", daemon_serve_well);
	assert_int_equal(root_exchange(daemon_root, "/run/x", "question", 8, daemon_answer_length,
				 before + 5 * NS_PER_S, &daemon_answer, &peer),
		0);
	assert_string_equal(daemon_answer.data, "\005hello");
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
	daemon_start("/t/run/x", daemon_serve_well);
	assert_int_equal(daemon_ask("/run/x", 5000), 0);
	assert_int_equal(daemon_ask("/run/x", 5000), 0);
	assert_int_equal(daemon_answer.length, 6);
	assert_int_equal(daemon_ask("/run/y", 5000), -ENOENT);
	assert_int_equal(daemon_answer.length, 0);
}

static void nobody_there(void **state)
{
	(void)state;
	assert_int_equal(daemon_ask("/run/none", 1000), -ENOENT);
	close(daemon_listen_at("/t/run/dead", 1));
	assert_int_equal(daemon_ask("/run/dead", 1000), -ECONNREFUSED);
	scratch_text("/t/run/file", "x");
	assert_int_equal(daemon_ask("/run/file", 1000), -ECONNREFUSED);
	assert_int_equal(daemon_ask("/run", 1000), -ECONNREFUSED);
	assert_int_equal(daemon_ask("run/x", 1000), -EINVAL);
	assert_int_equal(daemon_ask("@", 1000), -EINVAL);
	assert_int_equal(daemon_ask("/run/secret.sock", 1000), -EACCES);
}

static void links_to_a_socket_stay_below_the_prefix(void **state)
{
	(void)state;
	daemon_start("/t/run/x", daemon_serve_well);
	assert_int_equal(daemon_ask("/var/run/x", 5000), 0);
	scratch_link("/t/run/link", "/run/x");
	assert_int_equal(daemon_ask("/run/link", 5000), 0);
	scratch_link("/t/run/out", scratch_path("/t/run/x"));
	assert_int_equal(daemon_ask("/run/out", 1000), -ENOENT);
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
	daemon_start(path, daemon_serve_well);
	assert_int_equal(daemon_ask(path + 2, 5000), 0);
	root_close(daemon_root);
	assert_int_equal(root_open(NULL, &daemon_root), 0);
	assert_int_equal(daemon_ask(scratch_path(path), 5000), 0);
}

static void abstract_sockets_are_of_the_live_machine_only(void **state)
{
	char name[64];

	(void)state;
	snprintf(name, sizeof(name), "@/iscsi-agentx-test-%d", getpid());
	daemon_start(name, daemon_serve_well);
	assert_int_equal(daemon_ask(name, 1000), -ENOENT);
	root_close(daemon_root);
	assert_int_equal(root_open(NULL, &daemon_root), 0);
	assert_int_equal(daemon_ask(name, 5000), 0);
	assert_string_equal(daemon_answer.data, "\005hello");
	assert_int_equal(daemon_ask("@/iscsi-agentx-nobody", 1000), -ECONNREFUSED);
}

static void an_abstract_name_is_a_file_below_a_prefix(void **state)
{
	(void)state;
	scratch_dir("/t/@");
	scratch_dir("/t/@/org");
	daemon_start("/t/@/org/x", daemon_serve_well);
	assert_int_equal(daemon_ask("@/org/x", 5000), 0);
}

static void a_dialogue_is_recorded_and_replayed(void **state)
{
	struct root_peer peer, again;
	struct root *replay;

	(void)state;
	daemon_start("/t/run/x", daemon_serve_well);
	assert_int_equal(root_record_start(daemon_root), 0);
	assert_int_equal(root_exchange(daemon_root, "/run/x", "question", 8, daemon_answer_length,
				 clock_now_ns() + 5 * NS_PER_S, &daemon_answer, &peer),
		0);
	assert_int_equal(daemon_ask("/run/none", 1000), -ENOENT);
	assert_int_equal(root_record_save(daemon_root, scratch_path("/x.tree")), 0);
	assert_int_equal(root_open(scratch_path("/x.tree"), &replay), 0);
	buf_reset(&daemon_answer);
	assert_int_equal(root_exchange(replay, "/run/x", "question", 8, daemon_answer_length, 0,
				 &daemon_answer, &again),
		0);
	assert_string_equal(daemon_answer.data, "\005hello");
	assert_int_equal(peer.pid, again.pid);
	assert_int_equal(peer.uid, again.uid);
	assert_true(peer.start_time == again.start_time);
	assert_int_equal(root_exchange(replay, "/run/none", "question", 8, daemon_answer_length, 0,
				 &daemon_answer, NULL),
		-ENOENT);
	root_close(replay);
}

static void half_an_answer_is_recorded_with_its_error(void **state)
{
	size_t length;
	char *saved;

	(void)state;
	daemon_start("/t/run/x", daemon_serve_half);
	assert_int_equal(root_record_start(daemon_root), 0);
	assert_int_equal(daemon_ask("/run/x", 5000), -ECONNRESET);
	assert_int_equal(root_record_save(daemon_root, scratch_path("/x.tree")), 0);
	saved = scratch_read("/x.tree", &length);
	assert_non_null(strstr(saved, "\n>question\\\n<\\005hel\\\n!ECONNRESET\n"));
	free(saved);
}

static void an_allocation_failure_is_enomem(void **state)
{
	(void)state;
	daemon_start("/t/run/x", daemon_serve_well);
	buf_free(&daemon_answer);
	fail_malloc_at = 1;
	assert_int_equal(daemon_ask("/run/x", 5000), -ENOMEM);
}

static void no_descriptor_is_left_open(void **state)
{
	int before, after;

	(void)state;
	daemon_start("/t/run/x", daemon_serve_half);
	before = dup(0);
	close(before);
	for (int i = 0; i < 10; i++) {
		daemon_ask("/run/x", 5000);
		daemon_ask("/run/none", 1000);
		daemon_ask("/run", 1000);
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

#define ONE(test) cmocka_unit_test_setup_teardown(test, daemon_set_up, daemon_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ONE(an_answer_comes_with_its_peer),
		ONE(a_second_exchange_forgets_the_first),
		ONE(nobody_there),
		ONE(links_to_a_socket_stay_below_the_prefix),
		ONE(a_path_longer_than_sun_path_is_reached),
		ONE(abstract_sockets_are_of_the_live_machine_only),
		ONE(an_abstract_name_is_a_file_below_a_prefix),
		ONE(a_dialogue_is_recorded_and_replayed),
		ONE(half_an_answer_is_recorded_with_its_error),
		ONE(an_allocation_failure_is_enomem),
		ONE(no_descriptor_is_left_open),
		cmocka_unit_test(the_start_time_is_field_22),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
