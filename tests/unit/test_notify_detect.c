/* SPDX-License-Identifier: BSD-2-Clause */
/* What two views tell of counters that have grown, and what they must not tell. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "agent/notify_detect.h"
#include "base/clock.h"
#include "tests/support/handmade.h"

#define FOUND_MAX 64

struct found {
	uint8_t notification; /* its sub-identifier */
	uint32_t key[2];
	uint64_t when_ns;
};

static struct found found[FOUND_MAX];
static size_t found_count;

static void note(void *context, const struct mib_notification *n, const struct mib_row *row,
	uint64_t when_ns)
{
	assert_ptr_equal(context, found);
	assert_true(found_count < FOUND_MAX);
	found[found_count++] = (struct found){
		.notification = n->sub_id, .key = { row->key[0], row->key[1] }, .when_ns = when_ns
	};
}

/* A host with a target and an initiator; made at `seconds`. */
struct host {
	struct snapshot *s;
	struct instance *instance;
	struct node *target, *initiator;
};

static struct host host_at(uint64_t seconds)
{
	struct host h = { .s = handmade_new() };
	uint32_t at;

	h.s->made_ns = seconds * NS_PER_S;
	h.instance = handmade_add(h.s, OBJECT_INSTANCE, &at);
	h.instance->object.index = 2;
	OPT_SET(h.instance->number, 2);
	OPT_SET(h.instance->session_failures, 10);
	h.instance->discontinuity = (struct opt_time){ .ns = 5, .known = 1 };
	for (uint32_t i = 0; i < 2; i++) {
		struct node *node = handmade_add(h.s, OBJECT_NODE, NULL);

		node->instance = at;
		node->object.index = i + 1;
		OPT_SET(node->roles, i ? 0x40 : 0x80);
		node->discontinuity = (struct opt_time){ .ns = 0, .known = 1 };
		OPT_SET(node->target_login_authorize_fails, 1);
		OPT_SET(node->target_login_authenticate_fails, 2);
		OPT_SET(node->target_login_negotiate_fails, 3);
		OPT_SET(node->target_login_other_fails, 4);
		OPT_SET(node->initiator_login_auth_fails, 1);
		OPT_SET(node->initiator_login_authenticate_fails, 2);
		OPT_SET(node->initiator_login_negotiate_fails, 3);
		OPT_SET(node->initiator_login_authorize_fails, 4);
		OPT_SET(node->initiator_login_other_fails, 5);
	}
	h.target = h.s->arrays[OBJECT_NODE].objects;
	h.initiator = h.target + 1;
	return h;
}

static struct mib_view *view_of(struct snapshot *s)
{
	struct mib_view *view;

	assert_int_equal(mib_view_new(&iscsi_mib, s, &view), 0);
	snapshot_put(s);
	return view;
}

/* Compares and frees both. Returns how many were found. */
static size_t compare(struct host *before, struct host *now)
{
	struct mib_view *a = view_of(before->s), *b = view_of(now->s);

	found_count = 0;
	notify_detect(a, b, note, found);
	mib_view_free(a);
	mib_view_free(b);
	return found_count;
}

static void each_trigger_tells_its_notification(void **state)
{
	static const struct {
		size_t offset;
		uint8_t notification;
		uint32_t node;
	} triggers[] = {
		{ offsetof(struct node, target_login_authorize_fails), 1, 1 },
		{ offsetof(struct node, target_login_authenticate_fails), 1, 1 },
		{ offsetof(struct node, target_login_negotiate_fails), 1, 1 },
		{ offsetof(struct node, initiator_login_auth_fails), 2, 2 },
		{ offsetof(struct node, initiator_login_authenticate_fails), 2, 2 },
		{ offsetof(struct node, initiator_login_negotiate_fails), 2, 2 },
		{ offsetof(struct node, initiator_login_authorize_fails), 2, 2 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(triggers); i++) {
		struct host a = host_at(1), b = host_at(2);

		/* Both nodes count; only the one with the role has the row. */
		for (int k = 0; k < 2; k++) {
			struct opt_counter *counter =
				(void *)((char *)(b.target + k) + triggers[i].offset);

			counter->value++;
		}
		assert_int_equal(compare(&a, &b), 1);
		assert_int_equal(found[0].notification, triggers[i].notification);
		assert_int_equal(found[0].key[0], 2);
		assert_int_equal(found[0].key[1], triggers[i].node);
		assert_true(found[0].when_ns == 2 * NS_PER_S);
	}
}

static void session_failures_and_several_at_once(void **state)
{
	struct host a = host_at(1), b = host_at(2);

	(void)state;
	b.instance->session_failures.value += 100;
	b.target->target_login_authorize_fails.value += 7;
	b.target->target_login_negotiate_fails.value += 7;
	assert_int_equal(compare(&a, &b), 2);
	assert_int_equal(found[0].notification, 1);
	assert_int_equal(found[1].notification, 3);
	assert_int_equal(found[1].key[0], 2);
}

static void what_is_no_trigger_tells_nothing(void **state)
{
	struct host a = host_at(1), b = host_at(2);

	(void)state;
	assert_int_equal(compare(&a, &b), 0);
	a = host_at(1);
	b = host_at(2);
	b.target->target_login_other_fails.value++;
	b.initiator->initiator_login_other_fails.value++;
	OPT_SET(b.target->target_login_redirects, 5);
	OPT_SET(b.target->target_login_failures, 500);
	assert_int_equal(compare(&a, &b), 0);
}

static void back_wrapped_or_unknown_tells_nothing(void **state)
{
	struct host a, b;

	(void)state;
	a = host_at(1), b = host_at(2);
	b.target->target_login_authorize_fails.value--;
	b.instance->session_failures.value = 0;
	assert_int_equal(compare(&a, &b), 0);
	/* Through 2^32: what a manager sees goes back. */
	a = host_at(1), b = host_at(2);
	a.target->target_login_authorize_fails.value = UINT32_MAX - 1;
	b.target->target_login_authorize_fails.value = (uint64_t)UINT32_MAX + 5;
	assert_int_equal(compare(&a, &b), 0);
	a = host_at(1), b = host_at(2);
	a.target->target_login_authorize_fails.known = 0;
	assert_int_equal(compare(&a, &b), 0);
	a = host_at(1), b = host_at(2);
	b.target->target_login_authorize_fails.value = 1000;
	b.target->target_login_authorize_fails.known = 0;
	assert_int_equal(compare(&a, &b), 0);
}

static void a_row_that_begins_anew_tells_nothing(void **state)
{
	struct host a, b;

	(void)state;
	/* Its own discontinuity, and that of its instance. */
	a = host_at(1), b = host_at(2);
	b.target->target_login_authorize_fails.value++;
	b.target->discontinuity.ns = 2;
	assert_int_equal(compare(&a, &b), 0);
	a = host_at(1), b = host_at(2);
	b.target->target_login_authorize_fails.value++;
	b.instance->session_failures.value++;
	b.instance->discontinuity.ns = 2;
	assert_int_equal(compare(&a, &b), 0);
	a = host_at(1), b = host_at(2);
	b.target->target_login_authorize_fails.value++;
	a.target->discontinuity.known = 0;
	assert_int_equal(compare(&a, &b), 0);
	/* Another target has its number: the first time that this row is there. */
	a = host_at(1), b = host_at(2);
	b.target->target_login_authorize_fails.value++;
	b.target->object.index = 9;
	assert_int_equal(compare(&a, &b), 0);
	/* The row has gone. */
	a = host_at(1), b = host_at(2);
	a.target->target_login_authorize_fails.value++;
	b.target->object.index = 0;
	assert_int_equal(compare(&a, &b), 0);
}

static void the_row_says_when(void **state)
{
	struct host a = host_at(10), b = host_at(15);

	(void)state;
	b.target->target_login_authorize_fails.value++;
	b.initiator->initiator_login_authorize_fails.value++;
	b.target->target_last_failure_time = (struct opt_time){ .ns = 12 * NS_PER_S, .known = 1 };
	/* A time of before says nothing of this event. */
	b.initiator->initiator_last_failure_time =
		(struct opt_time){ .ns = 9 * NS_PER_S, .known = 1 };
	assert_int_equal(compare(&a, &b), 2);
	assert_true(found[0].when_ns == 12 * NS_PER_S);
	assert_true(found[1].when_ns == 15 * NS_PER_S);
}

/* Against the plain definition, on many rows in any order. */
static void many_rows_are_matched_by_their_index(void **state)
{
	uint64_t chance = 7;

	(void)state;
	for (int round = 0; round < 50; round++) {
		struct snapshot *snapshots[2];
		uint64_t counts[2][21] = { 0 };
		size_t expected = 0;
		struct host a, b;

		for (int k = 0; k < 2; k++) {
			struct host h = host_at((uint64_t)k + 1);

			snapshots[k] = h.s;
			for (int i = 0; i < 30; i++) {
				uint32_t number = (uint32_t)handmade_chance(&chance, 20) + 1;
				struct node *node;

				if (number <= 2 || counts[k][number])
					continue;
				counts[k][number] = handmade_chance(&chance, 3) + 1;
				node = handmade_add(h.s, OBJECT_NODE, NULL);
				node->instance = 0;
				node->object.index = number;
				OPT_SET(node->roles, 0x80);
				OPT_SET(node->target_login_authorize_fails, counts[k][number]);
			}
		}
		for (uint32_t n = 3; n <= 20; n++)
			expected += counts[0][n] && counts[1][n] > counts[0][n];
		a.s = snapshots[0];
		b.s = snapshots[1];
		assert_int_equal(compare(&a, &b), expected);
		for (size_t i = 0; i < found_count; i++) {
			uint32_t n = found[i].key[1];

			assert_true(counts[0][n] && counts[1][n] > counts[0][n]);
			assert_true(i == 0 || found[i - 1].key[1] < n);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_trigger_tells_its_notification),
		cmocka_unit_test(session_failures_and_several_at_once),
		cmocka_unit_test(what_is_no_trigger_tells_nothing),
		cmocka_unit_test(back_wrapped_or_unknown_tells_nothing),
		cmocka_unit_test(a_row_that_begins_anew_tells_nothing),
		cmocka_unit_test(the_row_says_when),
		cmocka_unit_test(many_rows_are_matched_by_their_index),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
