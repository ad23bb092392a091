/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What comes from the kernel's iSCSI netlink, with any octets, as a story of several messages: each
 * is three octets (what happens before it, and its length) and the message. Beside that the input
 * is read as /proc/net/netlink.
 *
 * Whatever is told: what is parsed lies in the message, counters never go back, no message counts
 * more than one failure, no failure without an event of the session, and every text is one that
 * may be shown.
 */
#include "base/clock.h"
#include "base/netlink.h"
#include "source/open_iscsi_events.h"
#include "source/open_iscsi_records.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)          \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

enum { STEP_STATE = 0x03, STEP_SWEEP = 0x08, STEP_LATER = 0x30, STEP_NAMED = 0x40 };

static struct oiscsi_records records;

/* All counters of all there is. */
struct sums {
	uint64_t sessions, classed, unmapped, logins[OISCSI_COUNTS], logouts;
};

static struct sums sums_of(const struct oiscsi_events *e)
{
	struct sums sums = { .sessions = e->failures };

	sums.classed = e->digest_errors + e->timeouts + e->format_errors;
	sums.unmapped = e->unmapped;
	for (size_t i = 0; i < e->node_count; i++) {
		for (int k = 0; k < OISCSI_COUNTS; k++)
			sums.logins[k] += e->nodes[i]->login[k];
		sums.logouts += e->nodes[i]->logouts;
	}
	return sums;
}

static void check_sums(const struct sums *before, const struct sums *after)
{
	uint64_t causes = 0;

	CHECK(after->sessions >= before->sessions && after->sessions <= before->sessions + 1);
	CHECK(after->logouts >= before->logouts && after->logouts <= before->logouts + 1);
	for (int k = 0; k < OISCSI_COUNTS; k++) {
		CHECK(after->logins[k] >= before->logins[k]);
		CHECK(after->logins[k] <= before->logins[k] + 1);
		if (k != OISCSI_COUNT_FAILURES && k != OISCSI_COUNT_ACCEPTS)
			causes += after->logins[k];
	}
	CHECK(causes <= after->logins[OISCSI_COUNT_FAILURES]);
	CHECK(after->classed <= after->sessions);
	/* Learned from the next login, of a failure that has had its kind before. */
	CHECK(after->unmapped <= after->sessions);
}

static void check_text(const char *text, size_t limit)
{
	size_t length = strnlen(text, limit + 1);

	CHECK(length <= limit);
	CHECK(text_is_clean(text, length, limit));
}

static void check_events(const struct oiscsi_events *e)
{
	for (size_t i = 0; i < e->watch_count; i++) {
		const struct oiscsi_watch *watch = e->watches[i];

		CHECK(i == 0 || e->watches[i - 1]->sid < watch->sid);
		CHECK(watch->phase <= OISCSI_PHASE_ENDING);
		check_text(watch->learned.target_alias, sizeof(watch->learned.target_alias) - 1);
		check_text(watch->keys.target_alias, sizeof(watch->keys.target_alias) - 1);
		CHECK(!watch->portal.port.known || watch->portal.port.value <= UINT16_MAX);
		CHECK(!watch->redirect.port.known || watch->redirect.port.value <= UINT16_MAX);
		CHECK(!watch->login_class.known || watch->login_class.value <= UINT8_MAX);
	}
}

/* In memory of its own, so that a read beyond it is seen. */
static void one_message(
	struct oiscsi_events *e, const uint8_t *data, size_t length, uint64_t now_ns)
{
	uint8_t *frame = malloc(length ? length : 1);
	struct oiscsi_event event;
	struct oiscsi_statistics statistics;
	struct sums before = sums_of(e), after;

	CHECK(frame);
	memcpy(frame, data, length);
	if (oiscsi_event_parse(frame, length, &event) == 0) {
		CHECK(event.length <= length);
		CHECK(!event.length ||
			(event.data >= frame && event.data + event.length <= frame + length));
		CHECK(event.error <= 0);
		if (event.type == OISCSI_EVENT_STATISTICS)
			oiscsi_statistics_parse(event.data, event.length, &statistics);
		CHECK(oiscsi_events_take(e, &event, now_ns) >= 0);
		after = sums_of(e);
		check_sums(&before, &after);
		check_events(e);
	}
	free(frame);
}

static void the_table(const uint8_t *data, size_t size)
{
	char *text = malloc(size ? size : 1);
	struct netlink_table table;

	CHECK(text);
	memcpy(text, data, size);
	netlink_table_parse(text, size, 8, 1, 133, &table);
	free(text);
}

static bool every_other(const void *context, uint32_t sid)
{
	(void)context;
	return sid & 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct oiscsi_events events = { .records = &records };
	uint64_t now_ns = 1000 * NS_PER_S;

	the_table(data, size);
	for (size_t at = 0, length; size - at >= 3; at += length) {
		unsigned int step = data[at];

		length = (size_t)data[at + 1] << 8 | data[at + 2];
		at += 3;
		if (length > size - at)
			length = size - at;
		/* Between two messages: nothing, or up to half a minute. */
		now_ns += (step & STEP_LATER ? (uint64_t)(step & STEP_LATER) * 640 : 1) * NS_PER_MS;
		if (step & STEP_STATE && events.watch_count)
			CHECK(oiscsi_events_seen(&events, events.watches[0]->sid,
				      (enum oiscsi_state)(step & STEP_STATE), now_ns) == 0);
		if (step & STEP_SWEEP)
			oiscsi_events_sweep(&events, now_ns - 10 * NS_PER_S, every_other, NULL);
		if (step & STEP_NAMED)
			CHECK(oiscsi_events_name_default(&events, "iqn.2026-11.org.example:host") ==
				0);
		one_message(&events, data + at, length, now_ns);
	}
	oiscsi_events_clear(&events);
	CHECK(events.watch_count == 0 && events.node_count == 0);
	return 0;
}
