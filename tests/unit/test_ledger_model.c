/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * model/ledger.h, the counters: random lives of readers and agents against a reference that is too
 * simple to be wrong. Events happen all the time; a reader that lives counts those that happen in
 * its life. What is shown is exactly the number of events that were counted, never less than
 * before, and each time that events may have been missed the discontinuity is new.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "tests/support/handmade.h"
#include "tests/support/ledger_lab.h"

#define ROWS  3
#define SEEDS 40
#define STEPS 400

/* The truth. */
struct reference {
	uint64_t counted[ROWS]; /* events that a reader has counted and a poll has brought */
	uint64_t since[ROWS];	/* what the reader that lives has counted */
	uint64_t brought[ROWS]; /* of these, what a poll has brought */
	uint64_t discontinuity[ROWS];
	bool there[ROWS], known[ROWS]; /* it is said of; its count is known; in this poll */
	bool counting[ROWS];	       /* it was counted in this reader's life */
	bool ever[ROWS], seen[ROWS];   /* it was counted; it was there */
	unsigned epoch;
	bool receives; /* events, as this poll says */
};

static const char *const keys[ROWS] = { "n0", "n1", "n2" };

static void new_reader(struct reference *ref)
{
	ref->epoch++;
	memset(ref->since, 0, sizeof(ref->since));
	memset(ref->brought, 0, sizeof(ref->brought));
	memset(ref->counting, 0, sizeof(ref->counting));
}

/* What the poll that is made now brings. */
static void bring(struct reference *ref, uint64_t now_ns)
{
	for (size_t i = 0; i < ROWS; i++) {
		bool was_there = ref->seen[i];

		ref->seen[i] |= ref->there[i];
		if (!ref->there[i] || !ref->known[i] || !ref->receives)
			continue;
		if (!ref->counting[i] && was_there)
			ref->discontinuity[i] = now_ns;
		if (ref->since[i] < ref->brought[i]) { /* it began anew without a word */
			ref->discontinuity[i] = now_ns;
			ref->brought[i] = 0;
		}
		ref->counted[i] += ref->since[i] - ref->brought[i];
		ref->brought[i] = ref->since[i];
		ref->counting[i] = ref->ever[i] = true;
	}
}

static void step(struct ledger_lab *lab, struct reference *ref, uint64_t *seed)
{
	size_t row = handmade_chance(seed, ROWS);
	char epoch[16];

	switch (handmade_chance(seed, 12)) {
	case 0:
		new_reader(ref);
		break;
	case 1: /* a new agent has new readers, unless the old ones were quick */
		ledger_lab_restart(lab, true, false);
		if (handmade_chance(seed, 4))
			new_reader(ref);
		break;
	case 2:
		ref->since[row] = handmade_chance(seed, 3);
		break;
	default:
		ref->since[row] += handmade_chance(seed, 2) ? handmade_chance(seed, 4)
							    : handmade_chance(seed, UINT32_MAX);
	}
	snprintf(epoch, sizeof(epoch), "%u", ref->epoch);
	ref->receives = handmade_chance(seed, 8) != 0;
	ledger_lab_begin(lab, ref->receives ? epoch : NULL);
	for (size_t i = 0; i < ROWS; i++) {
		struct node *node;

		ref->there[i] = handmade_chance(seed, 8) != 0;
		ref->known[i] = handmade_chance(seed, 8) && (ref->receives || ref->ever[i]);
		node = ref->there[i] ? ledger_lab_node(lab, keys[i]) : NULL;
		if (node && ref->known[i])
			OPT_SET(node->initiator_login_failures, ref->since[i]);
	}
	ledger_lab_end(lab);
	bring(ref, lab->now_ns);
}

static void what_is_shown_is_what_was_counted(void **state)
{
	(void)state;
	for (uint64_t s = 1; s <= SEEDS; s++) {
		struct reference ref = { .epoch = 1 };
		uint64_t seed = s, before[ROWS] = { 0 }, shown_times = 0;
		struct ledger_lab lab;

		ledger_lab_open(&lab);
		for (int i = 0; i < STEPS; i++) {
			step(&lab, &ref, &seed);
			for (size_t k = 0; k < ROWS; k++) {
				const struct node *node;

				if (!ref.there[k])
					continue;
				node = ledger_lab_shown_node(&lab, keys[k]);
				if (!ref.known[k] || !ref.receives) {
					assert_false(node->initiator_login_failures.known);
					continue;
				}
				if (!ref.receives)
					continue; /* never counted: absolute, as far as can be seen
						   */
				assert_true(node->initiator_login_failures.known);
				assert_int_equal(
					node->initiator_login_failures.value, ref.counted[k]);
				assert_true(node->initiator_login_failures.value >= before[k]);
				assert_int_equal(node->discontinuity.ns, ref.discontinuity[k]);
				before[k] = ref.counted[k];
				shown_times++;
			}
		}
		assert_true(shown_times > STEPS);
		ledger_lab_close(&lab);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_shown_is_what_was_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
