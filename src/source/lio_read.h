/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads LIO's part of configfs into its struct lio_memory. In the reader process only; blocks as
 * long as the kernel does in one read, and begins none after the deadline.
 *
 * A file that cannot be read leaves its value unknown. What went away while it was read is left
 * out. A directory that cannot be listed for another reason ends the poll: rows that are there must
 * not vanish because of it.
 *
 * Nothing below auth/ is opened. Files of configfs are opened for each read: one that stays open
 * shows its first content for ever.
 */
#ifndef SOURCE_LIO_READ_H
#define SOURCE_LIO_READ_H

#include "source/lio_memory.h"

#define LIO_DIRECTORY "/sys/kernel/config/target/iscsi"

/* Why it failed, in words for collection_fail. */
struct lio_failure {
	char text[160];
};

/*
 * One poll. Returns 1, or 0 when there is no LIO here, or a negative errno with *why set. The
 * caller calls lio_count and lio_memory_sweep after a good one (or when there is no LIO).
 */
int lio_read(struct lio_memory *memory, struct root *root, uint64_t deadline_ns,
	struct lio_failure *why);

#endif
