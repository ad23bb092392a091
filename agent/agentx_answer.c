/* SPDX-License-Identifier: BSD-2-Clause */
#include "agent/agentx_answer.h"

#include "agent/agentx_write.h"

/* The rest of a payload that is being read. Reading past its end sets `bad` and gives zeros. */
struct reader {
	const uint8_t *at, *end;
	bool big, bad;
};

struct name {
	mib_oid ids[MIB_OID_MAX];
	size_t length;
};

struct range {
	struct name start, end; /* end.length 0: no end */
	bool include;
};

struct answer {
	const struct mib_view *const *views;
	size_t view_count;
	struct reader in;
	struct agentx_writer out;
};

/* ---- reading ---- */

static const uint8_t *read_octets(struct reader *r, size_t count)
{
	static const uint8_t zeros[4];
	const uint8_t *at = r->at;

	if (r->bad || (size_t)(r->end - r->at) < count) {
		r->bad = true;
		return zeros;
	}
	r->at += count;
	return at;
}

/* An Object Identifier, section 5.1; `ret_include` may be NULL. */
static void read_name(struct reader *r, struct name *ret, bool *ret_include)
{
	static const mib_oid internet[] = { 1, 3, 6, 1 };
	const uint8_t *head = read_octets(r, 4), *ids;
	uint8_t count = head[0], prefix = head[1];

	ret->length = 0;
	if (ret_include)
		*ret_include = head[2] & 1;
	if (prefix) {
		memcpy(ret->ids, internet, sizeof(internet));
		ret->ids[4] = prefix;
		ret->length = 5;
	}
	if (r->bad || ret->length + count > MIB_OID_MAX ||
		(size_t)(r->end - r->at) < (size_t)count * 4) {
		r->bad = true;
		return;
	}
	ids = read_octets(r, (size_t)count * 4);
	agentx_get_ids(ret->ids + ret->length, ids, count, r->big);
	ret->length += count;
}

/* A SearchRange, section 5.2. */
static void read_range(struct reader *r, struct range *ret)
{
	read_name(r, &ret->start, &ret->include);
	read_name(r, &ret->end, NULL);
}

/* ---- the requests ---- */

static void answer_get(struct answer *a, const struct range *range)
{
	const struct name *name = &range->start;
	enum mib_result result = MIB_NO_SUCH_OBJECT;
	struct mib_value value;

	for (size_t i = 0; i < a->view_count && result == MIB_NO_SUCH_OBJECT; i++)
		result = mib_get(a->views[i], name->ids, name->length, &value);
	if (result == MIB_FOUND)
		agentx_write_binding(&a->out, name->ids, name->length, &value);
	else
		agentx_write_exception(&a->out, name->ids, name->length,
			result == MIB_NO_SUCH_INSTANCE ? AGENTX_NO_SUCH_INSTANCE
						       : AGENTX_NO_SUCH_OBJECT);
}

/* Returns false when there was nothing left in the range. */
static bool answer_next(struct answer *a, const struct range *range)
{
	const struct name *start = &range->start, *end = &range->end;
	struct mib_value value;
	struct mib_name found;

	for (size_t i = 0; i < a->view_count; i++) {
		if (mib_next(a->views[i], start->ids, start->length, range->include, &found,
			    &value) != MIB_FOUND)
			continue;
		if (end->length && mib_compare(found.ids, found.length, end->ids, end->length) >= 0)
			break;
		agentx_write_binding(&a->out, found.ids, found.length, &value);
		return true;
	}
	agentx_write_exception(&a->out, start->ids, start->length, AGENTX_END_OF_VIEW);
	return false;
}

/* Get and GetNext: one varbind for each range. Returns 0 or res.error, with its index. */
static uint16_t answer_each(struct answer *a, bool next, uint16_t *ret_index)
{
	struct range range;

	for (uint16_t i = 1; a->in.at < a->in.end; i++) {
		read_range(&a->in, &range);
		if (a->in.bad)
			return AGENTX_ERROR_PARSE;
		if (next)
			answer_next(a, &range);
		else
			answer_get(a, &range);
		if (a->out.full) {
			*ret_index = i;
			return AGENTX_ERROR_TOO_BIG;
		}
	}
	return AGENTX_ERROR_NONE;
}

/* A SearchRange has at least 8 octets. */
#define RANGES_MAX ((AGENTX_PDU_MAX - AGENTX_HEADER_SIZE) / 8)

/*
 * One repetition of a GetBulk: a varbind for each of the ranges that `ranges` reads. Beginning with
 * the second, each goes on from the name that the last one found; found_at says where in the
 * Response that varbind is. Returns true when one range is not at its end.
 */
static bool answer_repetition(
	struct answer *a, struct reader ranges, bool first, uint16_t found_at[RANGES_MAX])
{
	bool more = false;
	struct range range;

	for (size_t i = 0; ranges.at < ranges.end && !a->out.full; i++) {
		read_range(&ranges, &range);
		if (ranges.bad) {
			a->in.bad = true;
			return false;
		}
		if (!first) {
			struct reader last = { .at = a->out.octets + found_at[i] + 4,
				.end = a->out.octets + a->out.length,
				.big = a->out.big };

			read_name(&last, &range.start, NULL);
			range.include = false;
		}
		found_at[i] = (uint16_t)a->out.length;
		more |= answer_next(a, &range);
	}
	return more;
}

/* A full Response ends it: the varbinds so far are the answer. */
static uint16_t answer_bulk(struct answer *a)
{
	const uint8_t *head = read_octets(&a->in, 4);
	uint16_t non_repeaters = agentx_get_u16(head, a->in.big);
	uint16_t repetitions = agentx_get_u16(head + 2, a->in.big);
	uint16_t found_at[RANGES_MAX] = { 0 };
	struct range range;
	bool more = true;

	for (uint16_t i = 0; i < non_repeaters && a->in.at < a->in.end && !a->in.bad; i++) {
		read_range(&a->in, &range);
		if (!a->in.bad)
			answer_next(a, &range);
	}
	for (uint16_t i = 0; i < repetitions && more && !a->in.bad && !a->out.full; i++)
		more = answer_repetition(a, a->in, i == 0, found_at);
	return a->in.bad ? AGENTX_ERROR_PARSE : AGENTX_ERROR_NONE;
}

bool agentx_is_request(uint8_t type)
{
	return type >= AGENTX_PDU_GET && type <= AGENTX_PDU_CLEANUP_SET;
}

size_t agentx_answer(const struct mib_view *const views[], size_t view_count,
	const struct agentx_header *h, const uint8_t *payload, uint8_t *response)
{
	bool big = agentx_is_big(h);
	struct answer a = { .views = views,
		.view_count = view_count,
		.in = { .at = payload, .end = payload + h->length, .big = big },
		.out = { .octets = response,
			.length = AGENTX_RESPONSE_MIN,
			.limit = AGENTX_PDU_MAX,
			.big = big } };
	uint16_t error, index = 0;

	if (h->flags & AGENTX_FLAG_CONTEXT && h->type != AGENTX_PDU_CLEANUP_SET)
		return agentx_response_write(response, h, AGENTX_ERROR_UNSUPPORTED_CONTEXT, 0);
	switch (h->type) {
	case AGENTX_PDU_GET:
	case AGENTX_PDU_GET_NEXT:
		error = answer_each(&a, h->type == AGENTX_PDU_GET_NEXT, &index);
		break;
	case AGENTX_PDU_GET_BULK:
		error = answer_bulk(&a);
		break;
	case AGENTX_PDU_TEST_SET:
		return agentx_response_write(response, h, AGENTX_ERROR_NOT_WRITABLE, 1);
	case AGENTX_PDU_COMMIT_SET:
		return agentx_response_write(response, h, AGENTX_ERROR_COMMIT_FAILED, 1);
	case AGENTX_PDU_UNDO_SET:
		return agentx_response_write(response, h, AGENTX_ERROR_UNDO_FAILED, 1);
	default:
		return 0;
	}
	agentx_response_write(response, h, error, index);
	if (error)
		return AGENTX_RESPONSE_MIN;
	agentx_put_u32(response + 16, big, (uint32_t)(a.out.length - AGENTX_HEADER_SIZE));
	return a.out.length;
}
