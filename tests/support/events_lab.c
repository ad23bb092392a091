/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/events_lab.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct oiscsi_events events;
struct oiscsi_records records;
uint64_t now_ns;
uint32_t stat_sn;

int events_begin(void **state)
{
	(void)state;
	free(records.initiator_name); /* a test may begin anew within itself */
	memset(&records, 0, sizeof(records));
	records.initiator_name = strdup(EVENTS_NAME);
	events = (struct oiscsi_events){ .records = &records };
	now_ns = 1000 * NS_PER_S;
	stat_sn = 100;
	return 0;
}

int events_end(void **state)
{
	(void)state;
	oiscsi_events_clear(&events);
	free(records.initiator_name);
	records.initiator_name = NULL;
	return 0;
}

int take(const struct frame *frame)
{
	struct oiscsi_event event;

	assert_int_equal(oiscsi_event_parse(frame->data, frame->length, &event), 0);
	return oiscsi_events_take(&events, &event, now_ns);
}

int happens(uint32_t type, uint32_t sid, uint32_t number)
{
	struct frame frame = frame_event(type, sid, 0, number);

	return take(&frame);
}

int lost(uint32_t sid, uint32_t error)
{
	return happens(OISCSI_EVENT_CONNECTION_ERROR, sid, error);
}

struct oiscsi_watch *created(uint32_t sid)
{
	struct oiscsi_watch *watch;

	assert_int_equal(happens(OISCSI_EVENT_CREATED, sid, 0), 1);
	watch = oiscsi_watch_find(&events, sid);
	assert_non_null(watch);
	watch->target_name = strdup(EVENTS_TARGET);
	text_to_address("10.0.0.1", &watch->portal.address);
	OPT_SET(watch->portal.port, 3260);
	return watch;
}

int answer(uint32_t sid, uint8_t status_class, uint8_t detail, const char *text)
{
	struct frame frame = frame_login_response(
		sid, &(struct login_response){
			     .status_class = status_class, .status_detail = detail, .text = text });

	return take(&frame);
}

int goes_on(uint32_t sid, uint8_t stage)
{
	struct frame frame = frame_login_response(sid,
		&(struct login_response){ .flags = (uint8_t)(stage << 2), .stat_sn = ++stat_sn });

	return take(&frame);
}

int accepted(uint32_t sid, uint16_t tsih, const char *text)
{
	struct frame frame = frame_login_response(
		sid, &(struct login_response){
			     .flags = 0x87, .tsih = tsih, .stat_sn = ++stat_sn, .text = text });

	return take(&frame);
}

struct oiscsi_watch *logged_in(uint32_t sid)
{
	struct oiscsi_watch *watch = created(sid);

	now_ns += 10 * MS;
	assert_int_equal(accepted(sid, 7, NULL), 1);
	assert_int_equal(watch->phase, OISCSI_PHASE_FULL);
	now_ns += 60 * NS_PER_S;
	return watch;
}

const struct oiscsi_node_events *node(void)
{
	static const struct oiscsi_node_events nothing;
	const struct oiscsi_node_events *found = oiscsi_node_events_find(&events, EVENTS_NAME);

	return found ? found : &nothing;
}

void assert_login_counts(const uint64_t wanted[OISCSI_COUNTS])
{
	for (int i = 0; i < OISCSI_COUNTS; i++) {
		if (node()->login[i] != wanted[i])
			fail_msg("login counter %d is %llu, not %llu", i,
				(unsigned long long)node()->login[i],
				(unsigned long long)wanted[i]);
	}
}

void assert_one_failed_login(enum oiscsi_login_count column)
{
	uint64_t wanted[OISCSI_COUNTS] = { [OISCSI_COUNT_FAILURES] = 1 };

	if (column)
		wanted[column] = 1;
	assert_login_counts(wanted);
	assert_int_equal(node()->failure_type, column);
	assert_int_equal(events.failures, 0);
}
