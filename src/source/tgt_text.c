/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The targets and nexuses of TGT_ASK_TARGETS: see tgt_text.h for what can be believed of them.
 * Called by tgt_read.c in the reader process of the source tgt. No I/O; must never take an octet
 * of the text for granted.
 */
#include "source/tgt_text.h"

#define ACCOUNTS_LINE "    Account information:\n"
#define ACL_LINE      "    ACL information:\n"
#define NEXUS_HEADING "        I_T nexus: "

/*
 * A heading of a nexus, and the 1,023 octets that tgtd prints for it at most; a little more does
 * no harm.
 */
#define NEXUS_TEXT_MAX 1056u

/*
 * The next place in `text`, from `from` on, where a line begins with `prefix`; NULL when there is
 * none. `text` must begin at the beginning of a line.
 */
static const char *line_find(const struct tgt_slice *text, const char *from, const char *prefix)
{
	const char *end = text->at + text->length;
	size_t length = strlen(prefix);

	while (from && (size_t)(end - from) >= length) {
		from = memmem(from, (size_t)(end - from), prefix, length);
		if (!from || from == text->at || from[-1] == '\n')
			return from;
		from++;
	}
	return NULL;
}

static bool heading_parse(const struct tgt_slice *text, const char *at, struct tgt_heading *ret)
{
	struct tgt_slice rest = { at, (size_t)(text->at + text->length - at) };
	struct tgt_slice before = { text->at, 0 };
	uint64_t tid;

	if (!tgt_skip(&rest, "Target ") || !tgt_skip_number(&rest, INT32_MAX, &tid) ||
		!tgt_skip(&rest, ": ") || !tgt_next_line(&rest, &ret->name))
		return false;
	ret->tid = (uint32_t)tid;
	ret->at = at;
	ret->section = rest;
	ret->certain = false;
	before.length = (size_t)(at - text->at);
	if (before.length > NEXUS_TEXT_MAX)
		before = (struct tgt_slice){ at - NEXUS_TEXT_MAX, NEXUS_TEXT_MAX };
	ret->clear = !memmem(before.at, before.length, NEXUS_HEADING, strlen(NEXUS_HEADING));
	return true;
}

int tgt_headings_find(const struct tgt_slice *text, struct tgt_heading **ret, size_t *ret_count)
{
	CLEANUP_FREE struct tgt_heading *headings = NULL;
	size_t count = 0, capacity = 0;

	for (const char *at = text->at; (at = line_find(text, at, "Target ")); at++) {
		struct tgt_heading heading;

		if (!heading_parse(text, at, &heading))
			continue;
		if (count == capacity) {
			size_t more = capacity ? 2 * capacity : 16;
			struct tgt_heading *grown = reallocarray(headings, more, sizeof(*headings));

			if (!grown)
				return -ENOMEM;
			headings = grown;
			capacity = more;
		}
		headings[count++] = heading;
	}
	*ret = steal_pointer(&headings);
	*ret_count = count;
	return 0;
}

static int compare_tids(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* How often `tid` is in the sorted list; 2 is more than once. */
static int times_in(const uint32_t *sorted, size_t count, uint32_t tid)
{
	const uint32_t *found =
		count ? bsearch(&tid, sorted, count, sizeof(*sorted), compare_tids) : NULL;

	if (!found)
		return 0;
	return (found > sorted && found[-1] == tid) ||
			       (found < sorted + count - 1 && found[1] == tid)
		       ? 2
		       : 1;
}

/* The tids of the headings, or of the clear ones alone, sorted. Returns their number. */
static size_t sort_tids(
	const struct tgt_heading *headings, size_t count, bool clear_only, uint32_t *out)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (headings[i].clear || !clear_only)
			out[kept++] = headings[i].tid;
	qsort(out, kept, sizeof(*out), compare_tids);
	return kept;
}

/* The work of tgt_headings_judge, with room for `count` of `all` and `clear`. */
static void judge_headings(struct tgt_heading *headings, size_t count, const uint32_t *tids,
	size_t tid_count, uint32_t *all, uint32_t *clear)
{
	size_t clear_count = sort_tids(headings, count, true, clear);
	const char *end = headings[count - 1].section.at + headings[count - 1].section.length;

	sort_tids(headings, count, false, all);
	for (size_t i = 0; i < count; i++) {
		struct tgt_heading *h = &headings[i];

		h->certain = times_in(tids, tid_count, h->tid) == 1 &&
			     (times_in(all, count, h->tid) == 1 ||
				     (h->clear && times_in(clear, clear_count, h->tid) == 1));
	}
	for (size_t i = count; i-- > 0;) {
		if (!headings[i].certain)
			continue;
		headings[i].section.length = (size_t)(end - headings[i].section.at);
		end = headings[i].at;
	}
}

int tgt_headings_judge(
	struct tgt_heading *headings, size_t count, const uint32_t *tids, size_t tid_count)
{
	uint32_t *all = calloc(count + 1, sizeof(*all));
	uint32_t *clear = calloc(count + 1, sizeof(*clear));
	int rc = all && clear ? 0 : -ENOMEM;

	if (rc == 0 && count)
		judge_headings(headings, count, tids, tid_count, all, clear);
	free(all);
	free(clear);
	return rc;
}

bool tgt_section_driver(const struct tgt_slice *section, struct tgt_slice *ret)
{
	struct tgt_slice rest = *section;

	return tgt_skip(&rest, "    System information:\n        Driver: ") &&
	       tgt_next_line(&rest, ret);
}

/* The only place where a line is just `heading`; NULL when there is none or a second one. */
static const char *only_line(const struct tgt_slice *section, const char *heading)
{
	const char *at = line_find(section, section->at, heading);

	return at && !line_find(section, at + 1, heading) ? at : NULL;
}

/* True when each line is an item: 8 blanks, then something that is no blank. */
static bool is_access_list(struct tgt_slice list)
{
	struct tgt_slice item;

	while (list.length)
		if (!tgt_access_next(&list, &item))
			return false;
	return true;
}

bool tgt_section_access(
	const struct tgt_slice *section, struct tgt_slice *ret_accounts, struct tgt_slice *ret_acl)
{
	const char *accounts_at = only_line(section, ACCOUNTS_LINE);
	const char *acl_at = only_line(section, ACL_LINE);
	struct tgt_slice accounts, acl;

	if (!accounts_at || !acl_at || acl_at < accounts_at)
		return false;
	accounts.at = accounts_at + strlen(ACCOUNTS_LINE);
	accounts.length = (size_t)(acl_at - accounts.at);
	acl.at = acl_at + strlen(ACL_LINE);
	acl.length = (size_t)(section->at + section->length - acl.at);
	if (!is_access_list(accounts) || !is_access_list(acl))
		return false;
	*ret_accounts = accounts;
	*ret_acl = acl;
	return true;
}

bool tgt_access_next(struct tgt_slice *list, struct tgt_slice *ret)
{
	struct tgt_slice line;

	if (!tgt_next_line(list, &line) || !tgt_skip(&line, "        ") || !line.length ||
		*line.at == ' ')
		return false;
	*ret = line;
	return true;
}

static int compare_nexus_texts(const void *a, const void *b)
{
	const struct tgt_nexus_text *x = a, *y = b;

	return x->nexus - y->nexus;
}

int tgt_nexus_texts_find(
	const struct tgt_slice *section, struct tgt_nexus_text **ret, size_t *ret_count)
{
	CLEANUP_FREE struct tgt_nexus_text *texts = NULL;
	const char *end = section->at + section->length;
	size_t count = 0, capacity = 0;

	for (const char *at = section->at;
		(at = memmem(at, (size_t)(end - at), NEXUS_HEADING, strlen(NEXUS_HEADING)));) {
		struct tgt_slice rest = { at + strlen(NEXUS_HEADING), 0 };
		uint64_t nexus;

		rest.length = (size_t)(end - rest.at);
		/* What was cut can end like the beginning of a heading and hide the true one. */
		at++;
		if (!tgt_skip_number(&rest, UINT16_MAX, &nexus) || !tgt_skip(&rest, "\n"))
			continue;
		if (count == capacity) {
			size_t more = capacity ? 2 * capacity : 16;
			struct tgt_nexus_text *grown = reallocarray(texts, more, sizeof(*texts));

			if (!grown)
				return -ENOMEM;
			texts = grown;
			capacity = more;
		}
		texts[count++] = (struct tgt_nexus_text){ (uint16_t)nexus, rest };
	}
	if (count)
		qsort(texts, count, sizeof(*texts), compare_nexus_texts);
	*ret = steal_pointer(&texts);
	*ret_count = count;
	return 0;
}

bool tgt_alias_find(const struct tgt_nexus_text *texts, size_t count, uint16_t nexus,
	const struct tgt_slice *name, struct tgt_slice *ret)
{
	struct tgt_nexus_text key = { .nexus = nexus };
	const struct tgt_nexus_text *found =
		count ? bsearch(&key, texts, count, sizeof(*texts), compare_nexus_texts) : NULL;
	struct tgt_slice rest, line, cid_line;
	uint64_t cid;

	if (!found || (found > texts && found[-1].nexus == nexus) ||
		(found < texts + count - 1 && found[1].nexus == nexus))
		return false;
	rest = found->rest;
	if (!tgt_next_line(&rest, &line) || !tgt_skip(&line, "            Initiator: ") ||
		line.length < name->length || memcmp(line.at, name->at, name->length) != 0)
		return false;
	line.at += name->length;
	line.length -= name->length;
	if (!tgt_skip(&line, " alias: ") || !tgt_next_line(&rest, &cid_line) ||
		!tgt_skip(&cid_line, "            Connection: ") ||
		!tgt_skip_number(&cid_line, UINT16_MAX, &cid) || cid_line.length)
		return false;
	if (tgt_slice_is(&line, "none"))
		line.length = 0;
	*ret = line;
	return true;
}
