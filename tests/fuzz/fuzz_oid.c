/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names that a manager could send, against views made by chance: the input is a little program
 * that writes a name (from a cell's, or number by number up to 64 bits) and asks for it. Every
 * answer must be the reference's (tests/support/mib_reference.h).
 */
#include "tests/support/handmade.h"
#include "tests/support/mib_reference.h"

#define VIEWS	    4
#define QUERIES_MAX 64

static struct reference references[VIEWS];

static void make_views(void)
{
	for (uint32_t i = 0; i < VIEWS; i++) {
		uint64_t seed = 100 + i;
		struct snapshot *s = handmade_random(&seed, i * i * 3);
		struct mib_view *view;

		if (mib_view_new(&iscsi_mib, s, &view) < 0)
			abort();
		snapshot_put(s);
		reference_make(view, &references[i]);
	}
}

struct input {
	const uint8_t *at, *end;
};

static uint64_t take(struct input *in, size_t octets)
{
	uint64_t n = 0;

	for (; octets && in->at < in->end; octets--)
		n = n << 8 | *in->at++;
	return n;
}

static void ask(const struct reference *r, const mib_oid *ids, size_t length)
{
	/* Exactly as long as the name, so that a read beyond it is seen. */
	mib_oid *name = malloc(length * sizeof(*name) + 1);
	const char *wrong;

	if (!name)
		return;
	memcpy(name, ids, length * sizeof(*name));
	wrong = reference_compare(r, name, length);
	if (wrong) {
		fprintf(stderr, "%s\n", wrong);
		abort();
	}
	free(name);
}

/* One step of the program: changes the name. */
static size_t step(const struct reference *r, struct input *in, unsigned operation, mib_oid *ids,
	size_t length)
{
	static const size_t widths[] = { 1, 4, 8 };
	const struct reference_cell *cell;

	switch (operation) {
	case 0: /* a cell's name */
		if (!r->count)
			return length;
		cell = &r->cells[take(in, 2) % r->count];
		memcpy(ids, cell->ids, cell->length * sizeof(*ids));
		return cell->length;
	case 1:
	case 2:
	case 3:
		if (length < MIB_OID_MAX)
			ids[length++] = take(in, widths[operation - 1]);
		return length;
	case 4:
		return length ? length - 1 : 0;
	case 5:
		if (length)
			ids[length - 1]++;
		return length;
	case 6:
		if (length)
			ids[length - 1]--;
		return length;
	default:
		return 0;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { .at = data, .end = data + size };
	const struct reference *r;
	mib_oid ids[MIB_OID_MAX];
	size_t length = 0;
	int queries = 0;

	if (!references[0].view)
		make_views();
	r = &references[take(&in, 1) % VIEWS];
	while (in.at < in.end && queries < QUERIES_MAX) {
		unsigned operation = (unsigned)take(&in, 1) % 9;

		if (operation < 8) {
			length = step(r, &in, operation, ids, length);
			continue;
		}
		ask(r, ids, length);
		queries++;
	}
	ask(r, ids, length);
	return 0;
}
