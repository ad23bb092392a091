/* SPDX-License-Identifier: BSD-2-Clause */
/* The merge: links and texts still mean the same, every row has a number of its own and keeps it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/memfd.h"
#include "index/registry.h"
#include "model/builder.h"
#include "model/dump.h"

static char last_log[1024];

static void keep_log(int priority, const char *message)
{
	(void)priority;
	snprintf(last_log, sizeof(last_log), "%s", message);
}

/* A stack with `sessions` sessions of one connection each. */
struct stack {
	unsigned number;
	const char *incarnation;
	unsigned sessions;
	const char *session_key; /* format of the keys */
};

static struct fragment *make(const struct stack *stack)
{
	struct builder *b = builder_new();
	struct instance *instance = builder_instance(b, NULL);
	struct fragment *f;
	struct node *node;
	char reason[128];
	size_t length;

	builder_printf(b, &instance->key, "stack %u", stack->number);
	OPT_SET(instance->number, stack->number);
	if (stack->incarnation)
		builder_text(b, &instance->incarnation, stack->incarnation);
	node = builder_node(b, NULL);
	node->instance = 0;
	builder_printf(b, &node->key, "node of %u", stack->number);
	builder_printf(b, &node->name, "iqn.2026-11.example:n%u", stack->number);
	for (unsigned i = 0; i < stack->sessions; i++) {
		struct session *session = builder_session(b, NULL);
		struct connection *connection = builder_connection(b, NULL);

		session->instance = session->node = 0;
		builder_printf(b, &session->key, "%s%u", stack->session_key, i);
		connection->session = i;
		builder_text(b, &connection->key, "0");
	}
	assert_int_equal(builder_seal(b, &f, &length), 0);
	assert_int_equal(fragment_check(f, length, reason), 0);
	builder_free(b);
	return f;
}

static struct snapshot *merge(
	struct registry *r, const struct stack *stacks, unsigned count, uint64_t now_ns, bool first)
{
	struct source_status status = { .source = "test", .state = SOURCE_OK };
	struct snapshot_input inputs[4] = { { .status = NULL } };
	struct snapshot *s;

	for (unsigned i = 0; i < count; i++)
		inputs[i] = (struct snapshot_input){
			.status = &status, .fragment = make(&stacks[i]), .first = first
		};
	assert_int_equal(snapshot_build(inputs, count, r, NULL, 1, now_ns, &s), 0);
	for (unsigned i = 0; i < count; i++)
		free((void *)(uintptr_t)inputs[i].fragment);
	registry_sweep(r, 1000);
	return s;
}

static int setup(void **state)
{
	log_set_sink(keep_log);
	last_log[0] = '\0';
	*state = registry_new();
	return 0;
}

static int teardown(void **state)
{
	registry_free(*state);
	return 0;
}

static void texts_and_links_survive_the_merge(void **state)
{
	const struct stack stacks[] = { { 1, NULL, 2, "a" }, { 3, NULL, 3, "b" } };
	struct snapshot *s = merge(*state, stacks, 2, 100, false);
	const struct session *sessions = snapshot_sessions(s);
	const struct connection *connections = snapshot_connections(s);

	assert_int_equal(snapshot_count(s, OBJECT_SESSION), 5);
	assert_string_equal(snapshot_text(s, &snapshot_nodes(s)[sessions[4].node].name),
		"iqn.2026-11.example:n3");
	assert_string_equal(snapshot_text(s, &sessions[4].key), "b2");
	assert_int_equal(connections[4].session, 4);
	assert_int_equal(sessions[4].object.unit, 1);
	assert_int_equal(snapshot_instances(s)[1].object.index, 3);
	snapshot_put(s);
}

/* A fragment that is still in its memfd gives the snapshot that it gives in memory. */
static void sealed_fragment_is_the_same(void **state)
{
	const struct stack stack = { 3, NULL, 5, "s" };
	struct source_status status = { .source = "test", .state = SOURCE_OK };
	struct fragment *f = make(&stack), head = *f;
	struct snapshot_input inputs[] = { { .status = &status, .fragment = f },
		{ .status = &status,
			.fragment = &head,
			.is_sealed = true,
			.memfd = memfd_seal("test", f, f->length) } };
	struct snapshot *s[2];
	char *dumps[2];
	size_t lengths[2];

	for (int i = 0; i < 2; i++) {
		FILE *out = open_memstream(&dumps[i], &lengths[i]);

		assert_int_equal(snapshot_build(&inputs[i], 1, *state, NULL, 1, 100, &s[i]), 0);
		assert_int_equal(dump_snapshot(s[i], DUMP_JSON, 100, out), 0);
		fclose(out);
	}
	/* Every field, and no octet between two of them. */
	assert_string_equal(dumps[0], dumps[1]);
	assert_non_null(strstr(dumps[0], "s4"));
	assert_int_equal(s[0]->arena_length, s[1]->arena_length);
	assert_memory_equal(s[0]->arena, s[1]->arena, s[0]->arena_length);
	snapshot_put(s[0]);
	snapshot_put(s[1]);
	close(inputs[1].memfd);
	free(dumps[0]);
	free(dumps[1]);
	free(f);
}

/* It cannot be shorter than its head says once it has been checked; if it were, nothing is made up.
 */
static void sealed_fragment_that_lacks_something_is_an_error(void **state)
{
	const struct stack stack = { 3, NULL, 5, "s" };
	struct source_status status = { .source = "test", .state = SOURCE_OK };
	struct fragment *f = make(&stack);
	struct snapshot_input input = { .status = &status,
		.fragment = f,
		.is_sealed = true,
		.memfd = memfd_seal("test", f, f->length - 1) };
	struct snapshot *s = NULL;

	assert_int_equal(snapshot_build(&input, 1, *state, NULL, 1, 100, &s), -EIO);
	assert_null(s);
	close(input.memfd);
	free(f);
}

static void rows_keep_their_numbers(void **state)
{
	const struct stack before = { 3, NULL, 3, "s" }, after = { 3, NULL, 2, "s" };
	const struct stack other = { 3, NULL, 2, "t" };
	struct snapshot *s = merge(*state, &before, 1, 100, false);

	assert_int_equal(snapshot_sessions(s)[2].object.index, 3);
	snapshot_put(s);
	s = merge(*state, &after, 1, 200, false);
	assert_int_equal(snapshot_sessions(s)[1].object.index, 2);
	snapshot_put(s);
	s = merge(*state, &other, 1, 300, false);
	assert_int_equal(snapshot_sessions(s)[0].object.index, 4);
	assert_int_equal(snapshot_connections(s)[0].object.index, 1);
	snapshot_put(s);
}

static void counts_are_those_of_rows(void **state)
{
	const struct stack stacks[] = { { 1, NULL, 2, "a" }, { 3, NULL, 3, "b" } };
	struct snapshot *s = merge(*state, stacks, 2, 100, false);

	assert_int_equal(snapshot_instances(s)[0].session_count.value, 2);
	assert_int_equal(snapshot_instances(s)[1].session_count.value, 3);
	assert_int_equal(snapshot_instances(s)[1].node_count.value, 1);
	assert_true(snapshot_instances(s)[1].portal_count.known);
	assert_int_equal(snapshot_instances(s)[1].portal_count.value, 0);
	snapshot_put(s);
}

static void second_instance_of_a_number_has_no_rows(void **state)
{
	const struct stack stacks[] = { { 3, NULL, 1, "a" }, { 3, NULL, 2, "b" } };
	struct snapshot *s = merge(*state, stacks, 2, 100, false);

	assert_int_equal(snapshot_instances(s)[0].object.index, 3);
	assert_int_equal(snapshot_instances(s)[1].object.index, 0);
	assert_int_equal(snapshot_nodes(s)[1].object.index, 0);
	assert_int_equal(snapshot_sessions(s)[1].object.index, 0);
	assert_int_equal(snapshot_connections(s)[2].object.index, 0);
	assert_non_null(strstr(last_log, "have the key of another one"));
	snapshot_put(s);
}

static void second_object_of_a_key_has_no_row(void **state)
{

	struct source_status status = { .source = "test" };
	struct builder *b = builder_new();
	struct snapshot_input input = { .status = &status };
	struct fragment *f;
	struct snapshot *s;
	size_t length;

	builder_text(b, &builder_instance(b, NULL)->key, "i");
	OPT_SET(builder_instance_at(b, 0)->number, 3);
	builder_node(b, NULL)->instance = 0;
	builder_text(b, &builder_node_at(b, 0)->key, "n");
	for (int i = 0; i < 3; i++) {
		struct session *session = builder_session(b, NULL);

		session->instance = session->node = 0;
		builder_text(b, &session->key, "same");
	}
	assert_int_equal(builder_seal(b, &f, &length), 0);
	input.fragment = f;
	assert_int_equal(snapshot_build(&input, 1, *state, NULL, 1, 1, &s), 0);
	assert_int_equal(snapshot_sessions(s)[0].object.index, 1);
	assert_int_equal(snapshot_sessions(s)[1].object.index, 0);
	assert_int_equal(snapshot_sessions(s)[2].object.index, 0);
	assert_int_equal(snapshot_instances(s)[0].session_count.value, 1);
	snapshot_put(s);
	free(f);
	builder_free(b);
}

static void session_that_appears_has_a_discontinuity_then(void **state)
{
	const struct stack one = { 3, NULL, 1, "s" }, two = { 3, NULL, 2, "s" };
	struct snapshot *s = merge(*state, &one, 1, 100, true);

	/* There before the agent: its counters were not interrupted that we know of. */
	assert_true(snapshot_sessions(s)[0].discontinuity.known);
	assert_int_equal(snapshot_sessions(s)[0].discontinuity.ns, 0);
	snapshot_put(s);
	s = merge(*state, &two, 1, 200, false);
	assert_int_equal(snapshot_sessions(s)[0].discontinuity.ns, 0);
	assert_int_equal(snapshot_sessions(s)[1].discontinuity.ns, 200);
	snapshot_put(s);
	s = merge(*state, &two, 1, 300, false);
	assert_int_equal(snapshot_sessions(s)[1].discontinuity.ns, 200);
	snapshot_put(s);
}

static void restarted_stack_has_a_discontinuity(void **state)
{
	const struct stack first = { 3, "100/5000", 0, "" }, second = { 3, "101/9000", 0, "" };
	struct snapshot *s = merge(*state, &first, 1, 100, true);

	assert_int_equal(snapshot_instances(s)[0].discontinuity.ns, 0);
	snapshot_put(s);
	s = merge(*state, &second, 1, 200, false);
	assert_int_equal(snapshot_instances(s)[0].discontinuity.ns, 200);
	snapshot_put(s);
	s = merge(*state, &second, 1, 300, false);
	assert_int_equal(snapshot_instances(s)[0].discontinuity.ns, 200);
	snapshot_put(s);
}

static bool fail_calloc;
static int calls_left;
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);

void *__wrap_calloc(size_t n, size_t size)
{
	if (fail_calloc && calls_left-- == 0)
		return NULL;
	return __real_calloc(n, size);
}

static void every_failed_allocation_is_survived(void **state)
{
	const struct stack stack = { 3, NULL, 2, "s" };
	struct source_status status = { .source = "test" };
	struct snapshot_input input = { .status = &status, .fragment = make(&stack) };
	struct snapshot *s = NULL;
	int rc = -ENOMEM;

	for (int k = 0; rc < 0 && k < 100; k++) {
		calls_left = k;
		fail_calloc = true;
		rc = snapshot_build(&input, 1, *state, NULL, 1, 1, &s);
		fail_calloc = false;
		assert_true(rc == 0 || (rc == -ENOMEM && !s));
	}
	assert_int_equal(rc, 0);
	assert_int_equal(snapshot_sessions(s)[1].object.index, 2);
	snapshot_put(s);
	free((void *)(uintptr_t)input.fragment);
}

static void dump_makes_hostile_text_safe(void **state)
{
	struct source_status status = { .source = "test", .state = SOURCE_OK, .unit = "u\x1b[2J" };
	struct snapshot_input input = { .status = &status };
	struct builder *b = builder_new();
	struct instance *instance = builder_instance(b, NULL);
	char *text = NULL;
	size_t length;
	struct snapshot *s;
	struct fragment *f;
	FILE *out = open_memstream(&text, &length);

	builder_text(b, &instance->key, "a\"b\\c\n\xff\x1b]0;x");
	OPT_SET(instance->number, 3);
	assert_int_equal(builder_seal(b, &f, &length), 0);
	input.fragment = f;
	assert_int_equal(snapshot_build(&input, 1, *state, NULL, 1, 1, &s), 0);
	assert_int_equal(dump_snapshot(s, DUMP_JSON, 1, out), 0);
	fclose(out);
	assert_non_null(strstr(text, "\"key\": \"a\\\"b\\\\c???]0;x\""));
	assert_null(strchr(text, '\x1b'));
	free(text);
	snapshot_put(s);
	free(f);
	builder_free(b);
}

/*
 * What failed after it was absent has no rows, though it was read well once: multipathd that hung,
 * was ended, and hangs again was taken for one whose maps are known.
 */
static void a_source_has_rows_if_its_fragment_is_there(void **state)
{
	static const struct {
		enum source_state state;
		bool fragment, has_rows;
	} cases[] = {
		{ SOURCE_OK, true, true },
		{ SOURCE_OK, false, true }, /* it is known that there are none */
		{ SOURCE_FAILING, true, true },
		{ SOURCE_FAILING, false, false },
		{ SOURCE_STALE, false, false },
		{ SOURCE_STARTING, false, false },
		{ SOURCE_ABSENT, false, false },
	};
	struct fragment *f = make(&(struct stack){ 1, NULL, 1, "a" });

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct source_status status = {
			.source = "test", .state = cases[i].state, .last_good_ns = 5
		};
		const struct snapshot_input input = { .status = &status,
			.fragment = cases[i].fragment ? f : NULL };
		struct snapshot *s;

		assert_int_equal(snapshot_build(&input, 1, *state, NULL, 1, 10, &s), 0);
		assert_int_equal(source_has_rows(&s->units[0]), cases[i].has_rows);
		snapshot_put(s);
	}
	free(f);
}

/* A source that has failed from the start on said that its last good poll took 0 microseconds. */
static void a_source_without_a_good_poll_has_no_time_of_one(void **state)
{
	struct source_status status = { .source = "test", .last_good_ns = 9, .cpu_ns = 3000 };
	const struct snapshot_input input = { .status = &status };
	static const struct {
		enum source_state state;
		uint64_t wall_ns;
		bool known;
	} cases[] = {
		{ SOURCE_OK, 5000, true },
		{ SOURCE_FAILING, 5000, true },
		{ SOURCE_STALE, 5000, true },
		{ SOURCE_FAILING, 0, false }, /* its good poll found no stack */
		{ SOURCE_STALE, 0, false },
		{ SOURCE_STARTING, 0, false },
		{ SOURCE_ABSENT, 5000, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct source_info *source;
		struct snapshot *s;

		status.state = cases[i].state;
		status.wall_ns = cases[i].wall_ns;
		assert_int_equal(snapshot_build(&input, 1, *state, NULL, 1, 10, &s), 0);
		source = s->arrays[OBJECT_SOURCE].objects;
		assert_int_equal(source->wall_us.known, cases[i].known);
		assert_int_equal(source->cpu_us.known, cases[i].known);
		if (cases[i].known) {
			assert_int_equal(source->wall_us.value, 5);
			assert_int_equal(source->cpu_us.value, 3);
		}
		snapshot_put(s);
	}
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(texts_and_links_survive_the_merge),
		TEST(sealed_fragment_is_the_same),
		TEST(sealed_fragment_that_lacks_something_is_an_error),
		TEST(rows_keep_their_numbers),
		TEST(counts_are_those_of_rows),
		TEST(second_instance_of_a_number_has_no_rows),
		TEST(second_object_of_a_key_has_no_row),
		TEST(session_that_appears_has_a_discontinuity_then),
		TEST(restarted_stack_has_a_discontinuity),
		TEST(a_source_has_rows_if_its_fragment_is_there),
		TEST(a_source_without_a_good_poll_has_no_time_of_one),
		TEST(every_failed_allocation_is_survived),
		TEST(dump_makes_hostile_text_safe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
