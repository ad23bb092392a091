/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time. Inside the program every time is CLOCK_MONOTONIC in nanoseconds since boot, the clock that
 * net-snmp's sysUpTime runs on; wall-clock time is for display only.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/base.h"

#define NS_PER_S  UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_CS UINT64_C(10000000) /* one hundredth of a second, the unit of TimeTicks */

/* Nanoseconds of CLOCK_MONOTONIC. Cannot fail on Linux. */
uint64_t clock_now_ns(void);

/* Nanoseconds of CPU time that this process has used (CLOCK_PROCESS_CPUTIME_ID). */
uint64_t clock_cpu_ns(void);

/*
 * What the time of day was, ns since 1970, when CLOCK_MONOTONIC was 0: added to such a time it
 * gives the time of day by the clock as it is set now. The same number until that clock is set (or
 * the host slept), so that what is shown of one event does not tremble between two reads of two
 * clocks.
 */
uint64_t clock_wall_zero_ns(void);

/* Milliseconds from now to `deadline_ns` for poll(2): 0 when it has passed, at most `cap_ms`. */
int clock_ms_until(uint64_t deadline_ns, int cap_ms);

#endif
