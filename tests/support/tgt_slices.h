/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers of the tests of tgtd's texts: slices of text, recorded ones, and the names in those
 * (tests/support/tgt_lab.py). Included after cmocka.h.
 */
#ifndef TESTS_SUPPORT_TGT_SLICES_H
#define TESTS_SUPPORT_TGT_SLICES_H

#include "source/tgt_text.h"
#include "tests/support/fixture.h"

#define VICTIM "iqn.2026-11.org.example:victim"
#define EVIL   "iqn.2026-11.org.example:evil"
#define OTHER  "iqn.2026-11.org.example:other"

static inline struct tgt_slice slice(const char *text)
{
	return (struct tgt_slice){ text, strlen(text) };
}

static inline struct tgt_slice fixture(struct buf *b, const char *name)
{
	assert_int_equal(fixture_read(name, b), 0);
	return (struct tgt_slice){ b->data, b->length };
}

#endif
