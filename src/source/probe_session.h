/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One try: connect, log in, one NOP-Out or SendTargets, log out, by libiscsi. In the process of its
 * own that probe_child.h makes for it, since what a target sends is parsed by code that is not
 * ours. Tests call it directly.
 */
#ifndef SOURCE_PROBE_SESSION_H
#define SOURCE_PROBE_SESSION_H

#include "source/probe_config.h"
#include "source/probe_library.h"
#include "source/probe_text.h"

/* IscsiProbeResult of ISCSI-PATH-MIB; 0: not over yet. */
enum probe_result {
	PROBE_UNDECIDED,
	PROBE_OK,
	PROBE_REFUSED,
	PROBE_TARGET_ERROR,
	PROBE_REDIRECTED,
	PROBE_TIMEOUT,
	PROBE_CONNECTION_REFUSED,
	PROBE_UNREACHABLE,
	PROBE_CLOSED,
	PROBE_PROTOCOL_ERROR,
	PROBE_LOCAL_ERROR,
	PROBE_RESULTS
};

/* What came of it. Plain octets: it goes from one process to another. */
struct probe_outcome {
	uint32_t result;
	struct opt_u32 connect_us, login_us, ping_us; /* model.def */
	struct opt_u32 login_class, login_detail;
	struct opt_u32 target_count;
	struct probe_keys keys;
	/* The result in words; while it is undecided, what is waited for: "no answer to …". */
	char text[PROBE_TEXT_MAX];
};

/* Called at each step with what is known so far, so that it is not lost with the process. */
typedef void probe_report_fn(void *context, const struct probe_outcome *outcome);

/*
 * Tries. `name`: InitiatorName; the ISID is another random one each time. Blocks until
 * `deadline_ns` at most, unless a target keeps libiscsi busy. *ret is decided then. No secret is
 * known here: a target that wants CHAP refuses the login.
 */
void probe_session_run(const struct probe_library *library, const struct probe_place *place,
	const char *name, uint64_t deadline_ns, probe_report_fn *report, void *context,
	struct probe_outcome *ret);

#endif
