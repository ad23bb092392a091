/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is made once and grows: each of its allocations fails in turn. There is none then, or what
 * there is can be used and freed, and what did not fit is counted or an error. Leaks are for the
 * sanitizer to find. Wrapped:
 *	__wrap_malloc __wrap_calloc __wrap_realloc __wrap_reallocarray
 */
#include "tests/support/failing_memory.h"

#include "agent/agentx_queue.h"
#include "agent/notify.h"
#include "index/registry.h"
#include "model/event.h"
#include "source/netdev.h"
#include "source/tgt_memory.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static int send_nothing(const uint8_t *octets, size_t length, uint64_t event_ns)
{
	(void)octets, (void)length, (void)event_ns;
	return 0;
}

static uint64_t nothing_waits(void)
{
	return 0;
}

/* Each returns whether all has worked. */

static bool make_notifier(void)
{
	struct config config;
	struct notifier_settings settings = {
		.config = &config, .send = send_nothing, .waiting = nothing_waits
	};
	struct notifier *n;
	bool made;

	config_defaults(&config);
	settings.log = event_log_new(16);
	n = settings.log ? notifier_new(&settings) : NULL;
	made = n != NULL;
	notifier_free(n);
	event_log_free(settings.log);
	return made;
}

static bool fill_an_event_log(void)
{
	struct event_log *log = event_log_new(4);
	uint32_t added = 0;

	if (!log)
		return false;
	for (uint32_t i = 0; i < 40; i++) {
		struct event_record record = { .type = EVENT_PATH_DOWN };

		added += event_log_add(log, &record) != NULL;
	}
	event_log_begin(log);
	/* Those that are there have numbers without a gap. */
	for (size_t i = 1; i < event_log_count(log); i++)
		assert_int_equal(
			event_log_at(log, i)->number, event_log_at(log, i - 1)->number + 1);
	assert_int_equal(event_log_count(log), added < 4 ? added : 4);
	event_log_free(log);
	return added == 40;
}

static bool queue_notifications(void)
{
	static const uint8_t octets[64];
	struct agentx_queue *q = queue_new(12);
	unsigned int taken = 0;

	if (!q)
		return false;
	for (int i = 0; i < 12; i++)
		taken += queue_add(q, octets, sizeof(octets), 1) == 0;
	queue_set_limit(q, 20);
	taken += queue_add(q, octets, sizeof(octets), 1) == 0;
	assert_int_equal(queue_counts(q)->queued + queue_counts(q)->dropped >= 13, 1);
	assert_int_equal(queue_waiting(q), taken);
	queue_free(q);
	return taken == 13;
}

static bool number_things(void)
{
	struct registry *r = registry_new();
	struct registry_entry *entry;
	uint32_t numbered = 0;

	if (!r)
		return false;
	for (int i = 0; i < 40; i++) {
		char key[32];

		snprintf(key, sizeof(key), "node %d", i);
		if (registry_number(r, INDEX_NODE, 1, key, strlen(key), 1, &entry, NULL) == 0)
			assert_int_equal(entry->number, ++numbered);
	}
	assert_int_equal(registry_count(r, INDEX_NODE), numbered);
	registry_free(r);
	return numbered == 40;
}

static bool read_routes(void)
{
	static const char text[] =
		"Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
		"eth0\t0002000A\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n";
	static const char address[] = "fe800000000000000000000000000001 02 40 20 80 eth0\n";
	struct netdevs netdevs = { .route_count = 0 };
	int rc = netdevs_parse_route(&netdevs, text);

	if (rc == 0)
		rc = netdevs_parse_if_inet6(&netdevs, address);
	assert_true(rc == 0 || rc == -ENOMEM);
	assert_true(rc < 0 || (netdevs.route_count == 1 && netdevs.address_count == 1));
	netdevs_clear(&netdevs);
	return rc == 0;
}

static bool remember_a_tgtd(void)
{
	struct tgt_target target = { .tid = 1 };
	struct tgt_unit *unit = tgt_unit_new(0, "/var/run/tgtd/socket.0");
	bool all = unit != NULL;

	for (uint16_t nexus = 1; all && nexus < 20; nexus++)
		all = tgt_target_add_nexus(&target, nexus) == 0 &&
		      tgt_session_get(unit, &target, nexus);
	free(target.nexuses);
	tgt_unit_free(unit);
	return all;
}

static void each_allocation_fails_once(void **state)
{
	static const struct {
		bool (*work)(void);
		unsigned long at_least; /* allocations */
	} rows[] = { { make_notifier, 4 }, { fill_an_event_log, 3 }, { queue_notifications, 10 },
		{ number_things, 20 }, { read_routes, 2 }, { remember_a_tgtd, 10 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		unsigned long n = 0;
		bool has_worked;

		do {
			allocations = 0;
			fail_at = ++n;
			has_worked = rows[i].work();
			fail_at = 0;
			assert_true(has_worked || allocations >= n);
		} while (allocations >= n);
		assert_true(has_worked);
		assert_true(n > rows[i].at_least);
	}
}

static void a_path_that_is_too_long_is_none(void **state)
{
	char path[512];

	(void)state;
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_null(tgt_unit_new(0, path));
}

static void nothing_can_be_freed(void **state)
{
	(void)state;
	notifier_free(NULL);
	event_log_free(NULL);
	queue_free(NULL);
	registry_free(NULL);
	tgt_unit_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_allocation_fails_once),
		cmocka_unit_test(a_path_that_is_too_long_is_none),
		cmocka_unit_test(nothing_can_be_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
