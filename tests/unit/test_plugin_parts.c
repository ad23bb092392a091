/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plugin/mode.h: targets and the sessions at them, which are summed over several sources, while one
 * of them is not read. What is seen is never taken for all, but what is too much without the rest
 * is wrong.
 */
#include "tests/support/plugin_host.h"

/* What the source table says of a stack of targets of which no row is shown. */
static const uint64_t unread_states[] = { 2, 3, 5, 7 };

/* A tgtd is read, LIO is not: its targets and their sessions are missing in each sum. */
static void begin_partial(uint64_t overall, uint64_t state)
{
	host_clear();
	options = (struct options){ .host = "h" };
	show_sources(overall, state != 7);
	show_counts(0, 0, 0, 5);
	add(NAME(SUMMARY(SUM_TARGETS)))->number = 1;
	add_target(1, "iqn.tgt");
	show_state(1, state);
	show_state(2, 1);
	show_rows(1, 0);
	show_rows(2, 7);
}

static void rows_of_some_sources_are_not_all(void **state)
{
	(void)state;
	/* Degraded or critical, by a path that has nothing to do with it, as well as unknown. */
	for (uint64_t overall = 2; overall <= 4; overall++) {
		for (size_t i = 0; i < ARRAY_SIZE(unread_states); i++) {
			const char *why =
				unread_states[i] == 7 ? ", a source has not been read yet" : UNREAD;
			char wanted[200];

			begin_partial(overall, unread_states[i]);
			snprintf(wanted, sizeof(wanted), "ISCSI UNKNOWN - 1 targets%s", why);
			expect_all(mode_targets, wanted);
			assert_int_equal(range_parse("10:", &options.critical), 0);
			expect_all(mode_targets, wanted);
			options.inbound = true;
			snprintf(wanted, sizeof(wanted),
				"ISCSI UNKNOWN - 5 sessions at the targets of this host%s", why);
			expect_all(mode_sessions, wanted);
			options.critical = (struct range){ .given = false };
			expect_all(mode_sessions, wanted);
		}
	}
	/* One that fails with the rows of before is in the sums. */
	begin_partial(2, 3);
	cells[cell_count - 2].value.number = 9;
	expect_start(mode_targets, "ISCSI OK - 1 targets | targets=1;;;0\n");
	options.inbound = true;
	expect_start(mode_sessions,
		"ISCSI OK - 5 sessions at the targets of this host | sessions_inbound=5;;;0\n");
}

static void give(const char *critical, const char *warning)
{
	options.critical = options.warning = (struct range){ .given = false };
	if (critical)
		assert_int_equal(range_parse(critical, &options.critical), 0);
	if (warning)
		assert_int_equal(range_parse(warning, &options.warning), 0);
}

/* What is not read makes a sum greater, never smaller. */
static void a_part_that_is_too_much_is_wrong(void **state)
{
	static const struct {
		const char *critical, *warning, *status;
	} cases[] = {
		{ "0:3", NULL, "CRITICAL" },
		{ "0:3", "0:4", "CRITICAL" },
		{ "0:5", "0:4", "WARNING" },
		{ "3", NULL, "CRITICAL" },
		{ "~:4", NULL, "CRITICAL" },
		{ "0:5", NULL, "UNKNOWN" },
		{ "6:", NULL, "UNKNOWN" },
		{ "6:9", "0:9", "UNKNOWN" },
		{ "@5", NULL, "UNKNOWN" },
		{ "@0:100", "@5:6", "UNKNOWN" },
		{ "@5:", NULL, "CRITICAL" },
		{ "@6:", "@0:", "WARNING" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases) * ARRAY_SIZE(unread_states); i++) {
		uint64_t unread = unread_states[i % ARRAY_SIZE(unread_states)];
		size_t n = i / ARRAY_SIZE(unread_states);
		const char *why = unread == 7 ? ", a source has not been read yet" : UNREAD;
		char wanted[200];

		begin_partial(2, unread);
		give(cases[n].critical, cases[n].warning);
		options.inbound = true;
		snprintf(wanted, sizeof(wanted),
			"ISCSI %s - 5 sessions at the targets of this host%s", cases[n].status,
			why);
		expect_all(mode_sessions, wanted);
		for (oid target = 2; target <= 5; target++)
			add_target(target, "iqn.another");
		snprintf(wanted, sizeof(wanted), "ISCSI %s - 5 targets%s", cases[n].status, why);
		expect_all(mode_targets, wanted);
	}
}

/* A multipathd that fails on a host with targets: their sums are whole. */
static void a_source_without_targets_hides_none(void **state)
{
	static const char *const names[] = { "multipath", "open-iscsi", "probe" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(unread_states) * ARRAY_SIZE(names); i++) {
		const char *name = names[i / ARRAY_SIZE(unread_states)];
		uint64_t unread = unread_states[i % ARRAY_SIZE(unread_states)];

		begin_partial(2, unread);
		show_name(1, name);
		show_name(2, "tgt");
		set_text(add(NAME(SUMMARY(SUM_TEXT))), "DEGRADED: text");
		give("0:9", NULL);
		expect_all(mode_targets, "ISCSI OK - 1 targets | targets=1;;0:9;0");
		options.inbound = true;
		expect_start(mode_sessions, "ISCSI OK - 5 sessions at the targets of this host | "
					    "sessions_inbound=5;;0:9;0\n");
		give("6:", NULL);
		expect_start(mode_sessions, "ISCSI CRITICAL - 5 sessions at the targets of ");
		expect_start(mode_health,
			"ISCSI WARNING - text | sessions_inbound=5;;;0 targets=1;;;0 ");
		options.targets = "iqn.tgt,iqn.lio";
		expect_start(mode_targets, "ISCSI CRITICAL - 1 targets: missing iqn.lio | ");
		/* No session is none. */
		cells[5].value.number = 0;
		expect_start(mode_sessions, "ISCSI CRITICAL - 0 sessions at the targets of ");
		expect_start(mode_health, "ISCSI WARNING - text | sessions_inbound=0;;;0 ");
		/* The host says that it does not know, since nothing else is wrong. */
		cells[0].value.number = SUMMARY_UNKNOWN;
		expect_start(mode_targets, "ISCSI CRITICAL - 1 targets: missing iqn.lio");
		give(NULL, NULL);
		expect_start(mode_sessions, "ISCSI UNKNOWN - 0 sessions at the targets of this "
					    "host, a source ");
	}
}

/* LIO fails besides, or a source of which the summary knows and the table does not yet. */
static void a_source_without_targets_clears_no_other(void **state)
{
	(void)state;
	begin_partial(2, 2);
	show_name(1, "multipath");
	show_state(3, 3);
	show_name(3, "lio");
	expect_start(mode_targets, "ISCSI UNKNOWN - 1 targets" UNREAD);
	options.targets = "iqn.lio";
	expect_start(mode_targets, "ISCSI UNKNOWN - 0 targets: not seen iqn.lio, a source ");
	for (uint64_t failing = 1; failing <= 2; failing++) {
		host_clear();
		show_sources(2, failing);
		show_counts(0, 0, 0, 0);
		show_state(1, 2);
		show_name(1, "multipath");
		expect_start(mode_targets,
			failing == 2 ? "ISCSI UNKNOWN - 0 targets: not seen iqn.lio, 2 sources "
				     : "ISCSI CRITICAL - 0 targets: missing iqn.lio | ");
	}
}

static void a_target_that_is_named_and_seen_is_there(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(unread_states); i++) {
		begin_partial(2, unread_states[i]);
		options.targets = "iqn.tgt";
		expect_all(mode_targets, "ISCSI OK - 1 targets | targets=1;;;0");
		/* Who knows how many more a pattern fits. */
		options.targets = "iqn.tgt,iqn.t*";
		expect_start(mode_targets, "ISCSI UNKNOWN - 1 targets, a source ");
		options.targets = "iqn.tg[st]";
		expect_start(mode_targets, "ISCSI UNKNOWN - 1 targets, a source ");
		options.targets = "iqn.tgt,iqn.lio";
		expect_start(
			mode_targets, "ISCSI UNKNOWN - 1 targets: not seen iqn.lio, a source ");
	}
}

static void partial_sums_are_no_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(unread_states); i++) {
		begin_partial(2, unread_states[i]);
		cells[2].value.number = 4;
		set_text(add(NAME(SUMMARY(SUM_TEXT))), "DEGRADED: 3 of 4 paths connected");
		expect_all(mode_health,
			unread_states[i] == 7
				? "ISCSI WARNING - 3 of 4 paths connected | sessions=4;;;0 "
				  "sessions_failed=0;;;0 sources_failing=0;;;0"
				: "ISCSI WARNING - 3 of 4 paths connected | sessions=4;;;0 "
				  "sessions_failed=0;;;0 sources_failing=1;;;0");
	}
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup(function, host_begin)
	const struct CMUnitTest tests[] = {
		TEST(rows_of_some_sources_are_not_all),
		TEST(a_part_that_is_too_much_is_wrong),
		TEST(a_source_without_targets_hides_none),
		TEST(a_source_without_targets_clears_no_other),
		TEST(a_target_that_is_named_and_seen_is_there),
		TEST(partial_sums_are_no_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
