/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All parsers of tgtd's answers on any octets. The first octet selects the answer; what the
 * parsers give must lie inside of the input, and be within the ranges that later code relies on.
 */
#include "source/tgt_text.h"
#include "source/tgt_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void must_be_inside(const struct tgt_slice *part, const struct tgt_slice *whole)
{
	must(part->at >= whole->at && part->at + part->length <= whole->at + whole->length);
}

static void nexuses(struct tgt_slice text)
{
	uint16_t nexus;

	if (tgt_nexuses_begin(&text) == 0)
		while (tgt_nexuses_next(&text, 1, &nexus) > 0)
			must(nexus != 0);
}

static void session(struct tgt_slice text)
{
	struct tgt_counters counters;

	if (tgt_session_begin(&text, 1, 1) == 0)
		while (tgt_session_next(&text, 1, &counters) > 0)
			must(counters.cid <= UINT16_MAX);
}

static void portals(struct tgt_slice text)
{
	struct tgt_slice whole = text;
	struct tgt_portal portal;

	while (tgt_portal_next(&text, &portal) > 0) {
		must_be_inside(&portal.text, &whole);
		must(portal.port && portal.tag);
	}
}

static void parameters(struct tgt_slice text)
{
	struct tgt_parameters a, b;

	tgt_parameters_parse(text.at, text.length, &a);
	must(!a.max_recv_data_segment_length.known || a.max_recv_data_segment_length.value >= 512);
	must(!a.initial_r2t.known || a.initial_r2t.value <= 1);
	tgt_parameters_parse(text.at, text.length / 2, &b);
	tgt_parameters_intersect(&b, &a);
	must(!b.initial_r2t.known || a.initial_r2t.known);
}

static void section(const struct tgt_slice *text)
{
	CLEANUP_FREE struct tgt_nexus_text *texts = NULL;
	struct tgt_slice accounts, acl, driver, item, alias, name = { "iqn.a", 5 };
	size_t count;

	if (tgt_section_driver(text, &driver))
		must_be_inside(&driver, text);
	if (tgt_section_access(text, &accounts, &acl)) {
		while (tgt_access_next(&accounts, &item))
			must_be_inside(&item, text);
		while (tgt_access_next(&acl, &item))
			must_be_inside(&item, text);
		must(!accounts.length && !acl.length);
	}
	if (tgt_nexus_texts_find(text, &texts, &count) < 0)
		return;
	for (size_t i = 0; i < count; i++) {
		must(!i || texts[i - 1].nexus <= texts[i].nexus);
		if (tgt_alias_find(texts, count, texts[i].nexus, &name, &alias) && alias.length)
			must_be_inside(&alias, text);
	}
}

static void targets(struct tgt_slice text)
{
	static const uint32_t tids[] = { 1, 2, 3 };
	CLEANUP_FREE struct tgt_heading *headings = NULL;
	size_t count;

	if (tgt_headings_find(&text, &headings, &count) < 0 ||
		tgt_headings_judge(headings, count, tids, ARRAY_SIZE(tids)) < 0)
		return;
	for (size_t i = 0; i < count; i++) {
		must_be_inside(&headings[i].name, &text);
		must_be_inside(&headings[i].section, &text);
		must(!headings[i].certain || headings[i].tid <= 3);
		section(&headings[i].section);
	}
}

static void connections(struct tgt_slice text)
{
	static const struct tgt_connection_id ids[] = { { 1, 0 }, { 2, 0 }, { 2, 1 }, { 3, 7 } };
	CLEANUP_FREE struct tgt_record *records = NULL;
	size_t count;

	if (tgt_records_find(&text, &records, &count) < 0 ||
		tgt_records_judge(records, &count, ids, ARRAY_SIZE(ids)) < 0)
		return;
	must(count <= ARRAY_SIZE(ids));
	for (size_t i = 0; i < count; i++) {
		struct text_address address;

		must_be_inside(&records[i].name, &text);
		must_be_inside(&records[i].address, &text);
		must(tgt_record_find(records, count, records[i].sid, records[i].cid) ==
			&records[i]);
		(void)tgt_slice_address(&records[i].address, &address);
	}
}

static void answer(struct tgt_slice data)
{
	ssize_t length = tgt_answer_length(data.at, data.length);
	struct tgt_slice text;
	uint32_t error;

	must(length <= 0 || length >= (ssize_t)TGT_ANSWER_HEADER);
	if (tgt_answer_parse(data.at, data.length, &error, &text.at, &text.length) == 0 &&
		text.length) {
		must_be_inside(&text, &data);
		must(!memchr(text.at, 0, text.length));
	}
	must(tgt_error_text(data.length ? (uint8_t)*data.at : 0) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const parsers[])(struct tgt_slice) = { nexuses, session, portals, parameters,
		targets, connections, answer };
	CLEANUP_FREE char *copy = NULL;

	if (size < 1)
		return 0;
	/* A copy of just this size: a read beyond it is seen. */
	copy = malloc(size - 1 ? size - 1 : 1);
	if (!copy)
		return 0;
	memcpy(copy, data + 1, size - 1);
	parsers[data[0] % ARRAY_SIZE(parsers)]((struct tgt_slice){ copy, size - 1 });
	return 0;
}
