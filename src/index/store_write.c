/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes the text of the registry's files (store_text.h). Agent process; touches no file itself. */
#include "base/buf.h"
#include "base/hash.h"
#include "index/store_text.h"

#include <inttypes.h>

#define PIECE	  (64u * 1024) /* octets that go to the sink at once, about */
#define LINE_ROOM (REGISTRY_KEY_MAX * 3 + 256)

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

static void write_key(struct buf *out, const char *key, size_t length)
{
	if (buf_reserve(out, length * 3 + 1) < 0)
		return;
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)key[i];

		if (store_is_plain(c)) {
			out->data[out->length++] = (char)c;
			continue;
		}
		out->data[out->length++] = '%';
		out->data[out->length++] = STORE_HEX_DIGITS[c >> 4];
		out->data[out->length++] = STORE_HEX_DIGITS[c & 15];
	}
	out->data[out->length++] = '\n';
}

static void write_entry(struct writer *w, const struct registry_entry *e, bool persistent)
{
	buf_printf(&w->piece, "%s %" PRIu32 " %" PRIu32 " %d ", index_kind_name(e->kind), e->parent,
		e->number, e->seen != 0);
	if (!persistent)
		buf_printf(&w->piece, "%" PRIu64 " %" PRIu64 " %" PRIu64 " ", e->since_ns,
			e->discontinuity_ns, e->incarnation);
	write_key(&w->piece, e->key, e->key_length);
}

static void write_head(struct writer *w, const struct registry *r, bool persistent,
	const char *boot_id, const struct store_run *run)
{
	const struct registry_counter *c = NULL;
	uint64_t counters = 0, entries = 0;

	buf_printf(&w->piece, STORE_MAGIC " %u %s\nboot %s\n", STORE_VERSION,
		persistent ? "state" : "run", boot_id);
	if (!persistent)
		buf_printf(&w->piece, "uptime_zero %" PRIu64 "\n", run ? run->uptime_zero_ns : 0);
	while ((c = registry_counters(r, c)))
		counters += !persistent || index_kind_persists(c->kind);
	for (enum index_kind k = 0; k < INDEX_KINDS; k++) {
		if (persistent && !index_kind_persists(k))
			continue;
		entries += registry_count(r, k);
		counters += registry_floor(r, k) > 1;
	}
	buf_printf(&w->piece, "count %" PRIu64 " %" PRIu64 "\n", counters, entries);
	for (enum index_kind k = 0; k < INDEX_KINDS; k++) {
		if (registry_floor(r, k) > 1 && (!persistent || index_kind_persists(k)))
			buf_printf(&w->piece, "floor %s %" PRIu64 "\n", index_kind_name(k),
				registry_floor(r, k));
	}
}

int store_format(const struct registry *r, bool persistent, const char *boot_id,
	const struct store_run *run, store_sink_fn *sink, void *context)
{
	struct writer w = { .piece = BUF_INIT(PIECE + LINE_ROOM),
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
			c->parent, c->next);
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
