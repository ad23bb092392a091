/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The few functions of libiscsi that a probe needs, found at run time: neither the build nor the
 * program needs the library, and no other process than the reader of the source probe has it.
 * tests/unit/test_probe_library.c holds these declarations against <iscsi/iscsi.h>.
 */
#ifndef SOURCE_PROBE_LIBRARY_H
#define SOURCE_PROBE_LIBRARY_H

#include "base/base.h"

struct iscsi_context;

typedef void probe_log_fn(int level, const char *message);
typedef void probe_done_fn(
	struct iscsi_context *context, int status, void *data, void *private_data);

/* Of enum scsi_status and enum iscsi_session_type. */
enum { PROBE_STATUS_GOOD = 0, PROBE_STATUS_REDIRECT = 0x101 };
enum probe_session_type { PROBE_SESSION_DISCOVERY = 1, PROBE_SESSION_NORMAL = 2 };

/* How struct iscsi_discovery_address begins. */
struct probe_discovered {
	struct probe_discovered *next;
	const char *target_name;
};

/* NAME: iscsi_NAME in the library. */
#define PROBE_LIBRARY_CALLS                                                                 \
	CALL(struct iscsi_context *, create_context, (const char *initiator_name))          \
	CALL(int, destroy_context, (struct iscsi_context * context))                        \
	CALL(int, set_targetname, (struct iscsi_context * context, const char *name))       \
	CALL(int, set_session_type,                                                         \
		(struct iscsi_context * context, enum probe_session_type type))             \
	CALL(int, set_isid_random,                                                          \
		(struct iscsi_context * context, uint32_t random, uint32_t qualifier))      \
	CALL(void, set_noautoreconnect, (struct iscsi_context * context, int state))        \
	CALL(void, set_log_level, (struct iscsi_context * context, int level))              \
	CALL(void, set_log_fn, (struct iscsi_context * context, probe_log_fn * log))        \
	CALL(const char *, get_error, (struct iscsi_context * context))                     \
	CALL(const char *, get_target_address, (struct iscsi_context * context))            \
	CALL(int, get_fd, (struct iscsi_context * context))                                 \
	CALL(int, which_events, (struct iscsi_context * context))                           \
	CALL(int, service, (struct iscsi_context * context, int events))                    \
	CALL(int, connect_async,                                                            \
		(struct iscsi_context * context, const char *portal, probe_done_fn *done,   \
			void *private_data))                                                \
	CALL(int, login_async,                                                              \
		(struct iscsi_context * context, probe_done_fn * done, void *private_data)) \
	CALL(int, discovery_async,                                                          \
		(struct iscsi_context * context, probe_done_fn * done, void *private_data)) \
	CALL(int, nop_out_async,                                                            \
		(struct iscsi_context * context, probe_done_fn * done, unsigned char *data, \
			int length, void *private_data))                                    \
	CALL(int, logout_async,                                                             \
		(struct iscsi_context * context, probe_done_fn * done, void *private_data))

struct probe_library {
	void *handle;
#define CALL(type, name, parameters) type(*name) parameters;
	PROBE_LIBRARY_CALLS
#undef CALL
};

/*
 * Loads it. Returns 0; -ENOENT: it is not installed; -ENOSYS: it lacks a function. `ret_name` gets
 * the name that was found last, static; untouched when there is none.
 */
int probe_library_open(struct probe_library *ret, const char **ret_name);

/* Unloads; also one that was never loaded (all zero). */
void probe_library_close(struct probe_library *library);

#endif
