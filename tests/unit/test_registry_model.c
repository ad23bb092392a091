/* SPDX-License-Identifier: BSD-2-Clause */
/* index/registry.h: random runs against a model that is too simple to be wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "index/registry.h"

/*
 * The model: arrays, searched from end to end. It does not fold idle parents, and the run makes
 * too few of them for that.
 */
#define MODEL_KEYS    12
#define MODEL_PARENTS 3

struct model {
	uint32_t number[INDEX_KINDS][MODEL_PARENTS][MODEL_KEYS]; /* 0 none */
	uint64_t seen[INDEX_KINDS][MODEL_PARENTS][MODEL_KEYS];
	uint32_t next[INDEX_KINDS][MODEL_PARENTS];
	uint64_t round;
};

static uint32_t random_state;

static uint32_t random_below(uint32_t limit)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (random_state >> 8) % limit;
}

static uint32_t model_number(struct model *m, enum index_kind kind, uint32_t parent, uint32_t key)
{
	uint32_t *number = &m->number[kind][parent][key];

	if (!*number)
		*number = kind == INDEX_INSTANCE ? parent : ++m->next[kind][parent];
	m->seen[kind][parent][key] = m->round;
	return *number;
}

static void model_sweep(struct model *m, uint32_t keep)
{
	for (size_t k = INDEX_SESSION; k < INDEX_KINDS; k++) {
		for (size_t p = 0; p < MODEL_PARENTS; p++) {
			for (size_t i = 0; i < MODEL_KEYS; i++) {
				if (m->round - m->seen[k][p][i] >= keep)
					m->number[k][p][i] = 0;
			}
		}
	}
	m->round++;
}

static void compare_with_model(struct registry *r, const struct model *m)
{
	for (enum index_kind k = 0; k < INDEX_KINDS; k++) {
		uint32_t count = 0;

		for (uint32_t p = 0; p < MODEL_PARENTS; p++) {
			for (uint32_t i = 0; i < MODEL_KEYS; i++) {
				const struct registry_entry *e =
					registry_find(r, k, p, (const char *)&i, sizeof(i));

				assert_int_equal(e ? e->number : 0, m->number[k][p][i]);
				count += e != NULL;
			}
			if (k != INDEX_INSTANCE)
				assert_int_equal(registry_next(r, k, p), m->next[k][p] + 1);
		}
		assert_int_equal(registry_count(r, k), count);
	}
}

static void a_random_run_agrees_with_the_model(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 20; seed++) {
		struct registry *r = registry_new(), *fresh;
		struct model m = { .round = 1 };
		uint32_t left_out;

		random_state = seed;
		for (int step = 0; step < 3000; step++) {
			enum index_kind kind = (enum index_kind)random_below(INDEX_KINDS);
			uint32_t parent = random_below(MODEL_PARENTS), key, keep;
			struct registry_entry *e;

			switch (random_below(40)) {
			case 0:
				keep = 1 + random_below(4);
				registry_sweep(r, keep);
				model_sweep(&m, keep);
				break;
			case 1: /* into another registry, as after a load */
				fresh = registry_new();
				registry_sweep(r, 1000);
				model_sweep(&m, 1000);
				assert_int_equal(registry_merge(fresh, r, true, &left_out), 0);
				assert_int_equal(left_out, 0);
				registry_free(r);
				r = fresh;
				m.round = 1;
				memset(m.seen, 0, sizeof(m.seen));
				for (size_t i = 0; i < sizeof(m.seen) / sizeof(uint64_t); i++)
					((uint64_t *)m.seen)[i] = 1;
				break;
			default:
				key = random_below(MODEL_KEYS);
				parent += kind == INDEX_INSTANCE && parent == 0;
				assert_int_equal(
					registry_number(r, kind, parent, (const char *)&key,
						sizeof(key), 1, &e, NULL),
					0);
				assert_int_equal(e->number, model_number(&m, kind, parent, key));
			}
			if (step % 50 == 0)
				compare_with_model(r, &m);
		}
		compare_with_model(r, &m);
		registry_free(r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_random_run_agrees_with_the_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
