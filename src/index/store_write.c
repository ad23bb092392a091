/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes the text of the registry's files (store_text.h). Agent process; touches no file itself. */
#include "base/hash.h"
#include "index/store_text.h"
#include "model/kept.h"

#include <inttypes.h>

#define PIECE (64u * 1024) /* octets that go to the sink at once, about */
/* For an entry, and for what is kept of it. */
#define LINE_ROOM (REGISTRY_KEY_MAX * 3 + 256)
#define KEPT_ROOM (KEPT_FIELDS * (KEPT_VALUE_MAX * 3 + 64))

struct writer {
	struct buf piece;
	store_sink_fn *sink;
	void *context;
	uint64_t hash;
	uint64_t written;
	int error;
};

static void writer_flush(struct writer *w)
{
	if (!w->error)
		w->error = w->piece.error;
	if (w->error || w->piece.length == 0)
		return;
	w->written += w->piece.length;
	if (w->written > STORE_FILE_MAX) {
		w->error = -EFBIG;
		return;
	}
	w->hash = hash_bytes(w->hash, w->piece.data, w->piece.length);
	w->error = w->sink(w->context, w->piece.data, w->piece.length);
	buf_reset(&w->piece);
}

void store_write_octets(struct buf *out, const void *octets, size_t length)
{
	const unsigned char *at = octets;

	if (buf_reserve(out, length * 3) < 0)
		return;
	for (size_t i = 0; i < length; i++) {
		if (store_is_plain(at[i])) {
			out->data[out->length++] = (char)at[i];
			continue;
		}
		out->data[out->length++] = '%';
		out->data[out->length++] = STORE_HEX_DIGITS[at[i] >> 4];
		out->data[out->length++] = STORE_HEX_DIGITS[at[i] & 15];
	}
}

static void write_entry(struct writer *w, const struct registry_entry *e, bool persistent)
{
	buf_printf(&w->piece, "%s %" PRIu32 " %" PRIu32 " %d ", index_kind_name(e->kind), e->parent,
		e->number, e->seen != 0);
	if (!persistent)
		buf_printf(&w->piece, "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " ",
			e->since_ns, e->discontinuity_ns, e->incarnation, e->epoch);
	store_write_octets(&w->piece, e->key, e->key_length);
	buf_text(&w->piece, "\n");
	if (!persistent)
		store_write_kept(&w->piece, e->kept);
}

/* The first number that is certainly free. `run` NULL: nothing is in reserve. */
static uint64_t free_from(uint64_t next, enum index_kind kind, const struct store_run *run)
{
	if (kind == INDEX_SESSION && run)
		next += run->sessions_reserved;
	else if (index_kind_persists(kind) && run)
		next += run->rows_reserved;
	return next < STORE_NEXT_MAX ? next : STORE_NEXT_MAX;
}

/* Kinds that persist have none: the parents of these are all remembered. */
static uint64_t floor_of(
	const struct registry *r, enum index_kind kind, const struct store_run *run)
{
	return free_from(registry_floor(r, kind), kind, index_kind_persists(kind) ? NULL : run);
}

static void write_head(struct writer *w, const struct registry *r, bool persistent,
	const char *boot_id, const struct store_run *run)
{
	const struct registry_counter *c = NULL;
	uint64_t counters = 0, entries = 0;

	buf_printf(&w->piece, STORE_MAGIC " %u %s\nboot %s\n", store_version(persistent),
		persistent ? "state" : "run", boot_id);
	if (!persistent)
		buf_printf(&w->piece, "uptime_zero %" PRIu64 "\n", run ? run->uptime_zero_ns : 0);
	while ((c = registry_counters(r, c)))
		counters += !persistent || index_kind_persists(c->kind);
	for (enum index_kind k = 0; k < INDEX_KINDS; k++) {
		if (persistent && !index_kind_persists(k))
			continue;
		entries += registry_count(r, k);
		counters += floor_of(r, k, run) > 1;
	}
	buf_printf(&w->piece, "count %" PRIu64 " %" PRIu64, counters, entries);
	if (persistent) {
		buf_text(&w->piece, "\n");
	} else {
		buf_printf(&w->piece, " %u\n", (unsigned int)KEPT_FIELDS);
		store_write_fields(&w->piece);
	}
	for (enum index_kind k = 0; k < INDEX_KINDS; k++) {
		if (floor_of(r, k, run) > 1 && (!persistent || index_kind_persists(k)))
			buf_printf(&w->piece, "floor %s %" PRIu64 "\n", index_kind_name(k),
				floor_of(r, k, run));
	}
}

int store_format(const struct registry *r, bool persistent, const char *boot_id,
	const struct store_run *run, store_sink_fn *sink, void *context)
{
	struct writer w = { .piece = BUF_INIT(PIECE + LINE_ROOM + KEPT_ROOM),
		.sink = sink,
		.context = context,
		.hash = HASH_INIT };
	const struct registry_counter *c = NULL;
	const struct registry_entry *e = NULL;

	if (!store_is_boot_id(boot_id, strnlen(boot_id, STORE_BOOT_ID + 1)))
		return -EINVAL;
	write_head(&w, r, persistent, boot_id, run);
	while (!w.error && (c = registry_counters(r, c))) {
		if (persistent && !index_kind_persists(c->kind))
			continue;
		buf_printf(&w.piece, "next %s %" PRIu32 " %" PRIu64 "\n", index_kind_name(c->kind),
			c->parent, free_from(c->next, c->kind, persistent ? NULL : run));
		if (w.piece.length >= PIECE || w.piece.error)
			writer_flush(&w);
	}
	while (!w.error && (e = registry_entries(r, e))) {
		if (persistent && !index_kind_persists(e->kind))
			continue;
		write_entry(&w, e, persistent);
		if (w.piece.length >= PIECE || w.piece.error)
			writer_flush(&w);
	}
	writer_flush(&w);
	buf_printf(&w.piece, "end %016" PRIx64 "\n", w.hash);
	writer_flush(&w);
	buf_free(&w.piece);
	return w.error;
}
