/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The counters of a target made right, and what follows from their movements.
 *
 * Linux counts the failed login of a new session twice: by its cause, then again as a negotiation
 * failure. So the true ones are at most
 *	negotiate_fails - (other_fails + redirects + authorize_fails + authenticate_fails)
 * in which a negotiation that LIO refused (02/00) is counted twice still, and a connection that was
 * lost during login once; which of them it was cannot be told.
 * The kernel counts the cause first; reading negotiate_fails before the others therefore never
 * takes the second count of a failure for one of its own. In between the difference may go down:
 * the highest value that was served stays. (It stays behind by one, too, for each failure that the
 * kernel counts once: a connection refused to a session that exists.)
 *
 * The kernel's time and type of the last failure are of no use: the time overflows, and the type
 * is that of the second count. They are taken from what moved between two polls. Of failures
 * before the first poll only what is certain is known.
 *
 * In the reader process only. Pure.
 */
#ifndef SOURCE_LIO_COUNT_H
#define SOURCE_LIO_COUNT_H

#include "source/lio_memory.h"

/*
 * Takes the counters that this poll has read into all targets. Called once after each complete
 * poll, before lio_memory_sweep; `now_ns`: CLOCK_MONOTONIC.
 */
void lio_count(struct lio_memory *memory, uint64_t now_ns);

#endif
