/* SPDX-License-Identifier: BSD-2-Clause */
/* What src/source/probe_library.h declares by itself, against the header of libiscsi. */
#include "source/probe_library.h"

#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Two enumerations are never the same type. */
typedef int set_session_type_fn(struct iscsi_context *context, enum iscsi_session_type type);
#define HAS_TYPE(function, type) __builtin_types_compatible_p(__typeof__(&(function)), type)

/* Every function has the type that is called. */
#define CALL(type, name, parameters)                                                               \
	_Static_assert(HAS_TYPE(iscsi_##name, __typeof__(((struct probe_library *)NULL)->name)) || \
			       HAS_TYPE(iscsi_##name, set_session_type_fn *),                      \
		"iscsi_" #name " is another function");
PROBE_LIBRARY_CALLS
#undef CALL

_Static_assert(sizeof(enum iscsi_session_type) == sizeof(enum probe_session_type) &&
		       (int)ISCSI_SESSION_DISCOVERY == (int)PROBE_SESSION_DISCOVERY &&
		       (int)ISCSI_SESSION_NORMAL == (int)PROBE_SESSION_NORMAL,
	"other types of session");
_Static_assert((int)SCSI_STATUS_GOOD == (int)PROBE_STATUS_GOOD &&
		       (int)SCSI_STATUS_REDIRECT == (int)PROBE_STATUS_REDIRECT,
	"other statuses");
_Static_assert(
	offsetof(struct iscsi_discovery_address, next) == offsetof(struct probe_discovered, next) &&
		offsetof(struct iscsi_discovery_address, target_name) ==
			offsetof(struct probe_discovered, target_name),
	"another list of targets");

static void it_is_found_and_can_be_called(void **state)
{
	struct probe_library library = { .handle = NULL };
	struct iscsi_context *context;
	const char *name = NULL;

	(void)state;
	assert_int_equal(probe_library_open(&library, &name), 0);
	assert_non_null(name);
	context = library.create_context("iqn.2004-10.org.example:host");
	assert_non_null(context);
	assert_int_equal(library.get_fd(context), -1);
	assert_int_equal(library.destroy_context(context), 0);
	probe_library_close(&library);
	assert_null(library.handle);
	assert_null(library.create_context);
	probe_library_close(&library);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_found_and_can_be_called),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
