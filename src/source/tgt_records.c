/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The connections of TGT_ASK_CONNECTIONS: see tgt_text.h for what can be believed of them.
 * Called by tgt_read.c in the reader process of the source tgt. No I/O; must never take an octet
 * of the text for granted.
 */
#include "source/tgt_text.h"

/* Reads the lines of a connection; false when `rest` does not begin with its headings. */
static bool record_parse(struct tgt_slice *rest, struct tgt_record *ret)
{
	struct tgt_record record = { .at = rest->at };
	struct tgt_slice line;
	uint64_t sid, cid;

	if (!tgt_skip(rest, "Session: ") || !tgt_skip_number(rest, UINT32_MAX, &sid) ||
		!tgt_skip(rest, "\n    Connection: ") || !tgt_skip_number(rest, UINT32_MAX, &cid) ||
		!tgt_skip(rest, "\n        Initiator: ") || !tgt_next_line(rest, &record.name))
		return false;
	record.sid = (uint32_t)sid;
	record.cid = (uint32_t)cid;
	if (tgt_next_line(rest, &line) && rest->at[-1] == '\n' && tgt_skip(&line, "        ")) {
		record.rdma = tgt_skip(&line, "RDMA ");
		record.whole = (!line.length && !record.rdma) || tgt_skip(&line, "IP Address: ");
		record.address = line;
	}
	*ret = record;
	return true;
}

int tgt_records_find(const struct tgt_slice *text, struct tgt_record **ret, size_t *ret_count)
{
	CLEANUP_FREE struct tgt_record *records = NULL;
	const char *end = text->at + text->length, *record_end = NULL, *newline;
	size_t count = 0, capacity = 0;

	for (const char *at = text->at; at < end; at = newline + 1) {
		struct tgt_slice rest = { at, (size_t)(end - at) };
		struct tgt_record record;

		if (record_parse(&rest, &record)) {
			if (count == capacity) {
				size_t more = capacity ? 2 * capacity : 16;
				struct tgt_record *grown =
					reallocarray(records, more, sizeof(*records));

				if (!grown)
					return -ENOMEM;
				records = grown;
				capacity = more;
			}
			if (count && record_end != at)
				records[count - 1].whole = false;
			records[count++] = record;
			record_end = rest.at;
		}
		newline = memchr(at, '\n', (size_t)(end - at));
		if (!newline)
			break;
	}
	if (count && record_end != end)
		records[count - 1].whole = false;
	*ret = steal_pointer(&records);
	*ret_count = count;
	return 0;
}

static int compare_ids(uint32_t a_sid, uint32_t a_cid, uint32_t b_sid, uint32_t b_cid)
{
	if (a_sid != b_sid)
		return a_sid < b_sid ? -1 : 1;
	return (a_cid > b_cid) - (a_cid < b_cid);
}

static int compare_records(const void *a, const void *b)
{
	const struct tgt_record *x = a, *y = b;

	return compare_ids(x->sid, x->cid, y->sid, y->cid);
}

static int compare_connection_ids(const void *a, const void *b)
{
	const struct tgt_connection_id *x = a, *y = b;

	return compare_ids(x->sid, x->cid, y->sid, y->cid);
}

/* How many elements at `i` have its sid; 0 at the end. */
static size_t run_length(const struct tgt_connection_id *ids, size_t count, size_t i)
{
	size_t n = 0;

	while (i + n < count && ids[i + n].sid == ids[i].sid)
		n++;
	return n;
}

/*
 * Leaves in `found` (sorted) the connections of those sessions that have the very same
 * connections, none twice, in `ids` (sorted). Returns their number.
 */
static size_t keep_certain(struct tgt_connection_id *found, size_t found_count,
	const struct tgt_connection_id *ids, size_t id_count)
{
	size_t kept = 0;

	for (size_t i = 0, j = 0, n; i < found_count; i += n) {
		bool same;

		n = run_length(found, found_count, i);
		while (j < id_count && ids[j].sid < found[i].sid)
			j++;
		same = j < id_count && n == run_length(ids, id_count, j);
		for (size_t k = 0; same && k < n; k++)
			same = ids[j + k].sid == found[i].sid &&
			       ids[j + k].cid == found[i + k].cid &&
			       (!k || ids[j + k - 1].cid != ids[j + k].cid);
		for (size_t k = 0; same && k < n; k++)
			found[kept++] = found[i + k];
	}
	return kept;
}

/* The work of tgt_records_judge, with room for *count of `certain` and `own`. */
static void judge_records(struct tgt_record *records, size_t *count,
	const struct tgt_connection_id *ids, size_t id_count, struct tgt_connection_id *certain,
	bool *own)
{
	size_t certain_count, kept = 0;

	for (size_t i = 0; i < *count; i++)
		certain[i] = (struct tgt_connection_id){ records[i].sid, records[i].cid };
	qsort(certain, *count, sizeof(*certain), compare_connection_ids);
	certain_count = keep_certain(certain, *count, ids, id_count);
	for (size_t i = 0; i < *count && certain_count; i++) {
		struct tgt_connection_id key = { records[i].sid, records[i].cid };

		own[i] = bsearch(&key, certain, certain_count, sizeof(key), compare_connection_ids);
	}
	for (size_t i = 0; i < *count; i++)
		if (own[i] && records[i].whole && (i + 1 == *count || own[i + 1]))
			records[kept++] = records[i];
	qsort(records, kept, sizeof(*records), compare_records);
	*count = kept;
}

int tgt_records_judge(struct tgt_record *records, size_t *count,
	const struct tgt_connection_id *ids, size_t id_count)
{
	struct tgt_connection_id *certain = calloc(*count + 1, sizeof(*certain));
	bool *own = calloc(*count + 1, sizeof(*own));
	int rc = certain && own ? 0 : -ENOMEM;

	if (rc == 0 && *count)
		judge_records(records, count, ids, id_count, certain, own);
	free(certain);
	free(own);
	return rc;
}

const struct tgt_record *tgt_record_find(
	const struct tgt_record *records, size_t count, uint32_t sid, uint32_t cid)
{
	struct tgt_record key = { .sid = sid, .cid = cid };

	return count ? bsearch(&key, records, count, sizeof(key), compare_records) : NULL;
}
