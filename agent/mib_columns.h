/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The words in which the tables of a MIB are written (iscsi_mib.c, path_mib.c). A column is
 *
 *	COL_<how it is shown>(sub-identifier, object, field, access, unknown)
 *
 * in an array of struct mib_column, with ROW defined as the structure that holds the field. The
 * field must have the type that the word shows: a wrong one does not compile. `unknown` is what a
 * manager sees while no source knows the field:
 *
 *	HOLE	nothing: noSuchInstance. The rule, and always so for a counter, and for a value that
 *		has a DEFVAL in the MIB but can be configured or negotiated otherwise.
 *	EMPTY	the value that the MIB defines for "none": a zero-length string, unknown(0), time 0
 *	OR(n)	the number n, which the MIB defines for "none", or because it cannot be another
 */
#ifndef AGENT_MIB_COLUMNS_H
#define AGENT_MIB_COLUMNS_H

#include "agent/mib.h"

#define HOLE  .has_nothing = false
#define EMPTY .has_nothing = true
#define OR(n) .has_nothing = true, .nothing = (n)

/* Numbers: struct opt_u32. INTEGER is every enumeration. */
#define COL_U32(id, object, field, access, unknown) \
	COL_FIELD(id, object, field, opt_u32, MIB_UNSIGNED32, access, mib_encode_u32, unknown)
#define COL_GAUGE32(id, object, field, access, unknown) \
	COL_FIELD(id, object, field, opt_u32, MIB_GAUGE32, access, mib_encode_u32, unknown)
#define COL_INTEGER(id, object, field, access, unknown) \
	COL_FIELD(id, object, field, opt_u32, MIB_INTEGER, access, mib_encode_u32, unknown)

/* struct opt_counter; a Counter32 is its low 32 bits. */
#define COL_COUNTER32(id, object, field, access, unknown)                                    \
	COL_FIELD(id, object, field, opt_counter, MIB_COUNTER32, access, mib_encode_counter, \
		unknown)
#define COL_COUNTER64(id, object, field, access, unknown)                                    \
	COL_FIELD(id, object, field, opt_counter, MIB_COUNTER64, access, mib_encode_counter, \
		unknown)

/* TruthValue: struct opt_bool; true(1), false(2), and so is the n of OR(n). */
#define COL_TRUTH(id, object, field, access, unknown) \
	COL_FIELD(id, object, field, opt_bool, MIB_INTEGER, access, mib_encode_truth, unknown)

/* BITS of one octet: struct opt_bits. */
#define COL_BITS(id, object, field, access, unknown) \
	COL_FIELD(id, object, field, opt_bits, MIB_BITS, access, mib_encode_bits, unknown)

/* SnmpAdminString: struct opt_str made safe (text_sanitize), at most 255 octets. */
#define COL_TEXT(id, object, field, access, unknown) \
	COL_FIELD(id, object, field, opt_str, MIB_OCTETS, access, mib_encode_text, unknown)

/* IscsiName: struct opt_str; a text that is no valid IscsiName shows as a zero-length string. */
#define COL_ISCSI_NAME(id, object, field, access, unknown) \
	COL_FIELD(id, object, field, opt_str, MIB_OCTETS, access, mib_encode_iscsi_name, unknown)

/* InetAddressType and InetAddress: both from one struct opt_addr. */
#define COL_ADDRESS_TYPE(id, object, field, access, unknown)                                 \
	COL_FIELD(id, object, field, opt_addr, MIB_INTEGER, access, mib_encode_address_type, \
		unknown)
#define COL_ADDRESS(id, object, field, access, unknown) \
	COL_FIELD(id, object, field, opt_addr, MIB_OCTETS, access, mib_encode_address, unknown)

/* struct opt_isid. */
#define COL_ISID(id, object, field, access, unknown) \
	COL_FIELD(id, object, field, opt_isid, MIB_OCTETS, access, mib_encode_isid, unknown)

/* TimeStamp: struct opt_time, shown as the master's sysUpTime then; 0 when that was not yet. */
#define COL_TIME(id, object, field, access, unknown) \
	COL_FIELD(id, object, field, opt_time, MIB_TIMESTAMP, access, mib_encode_time, unknown)

/* DateAndTime: struct opt_time; a time that is 0 (known that there was none) is a hole too. */
#define COL_DATE(id, object, field, access, unknown) \
	COL_FIELD(id, object, field, opt_time, MIB_OCTETS, access, mib_encode_date, unknown)

/*
 * AutonomousType: struct opt_u32 that holds the sub-identifier of the counter of `table` that
 * counted the event, not below `lowest`; shown as the counter's OID. Unknown or none: 0.0.
 */
#define COL_CAUSE(id, object, field, access, table, lowest_id)                                \
	COL_FIELD(id, object, field, opt_u32, MIB_OBJECT_ID, access, mib_encode_cause, EMPTY, \
		.counters = #table, .lowest = (lowest_id))

/* RowPointer to nothing: 0.0. */
#define COL_NO_POINTER(id, object, access) \
	COL_COMPUTED(id, object, MIB_OBJECT_ID, access, mib_encode_nothing, EMPTY)

/* The same number in every row, an enumeration. */
#define COL_CONSTANT(id, object, value, access) \
	COL_COMPUTED(id, object, MIB_INTEGER, access, mib_encode_nothing, OR(value))

/* Any syntax, by an encoder of the MIB's own file that may look at the whole object. */
#define COL_COMPUTED(id, object, shown_as, in_module, encoder, ...)                         \
	{                                                                                   \
		.sub_id = (id), .name = #object, .syntax = (shown_as), .access = in_module, \
		.encode = encoder, __VA_ARGS__                                              \
	}

/* One field by one encoder: what the words above are made of. */
#define COL_FIELD(id, object, field, field_type, shown_as, in_module, encoder, ...) \
	COL_COMPUTED(id, object, shown_as, in_module, encoder,                      \
		.offset = _Generic(((ROW *)NULL)->field, struct field_type          \
				   : offsetof(ROW, field)),                         \
		__VA_ARGS__)

/*
 * TABLE(name, row set, path below the module's root …) in a module's list. `name` without its
 * endings: the table is <name>Table, the row object <name>Entry, the columns the array <name>Table.
 */
#define TABLE(object, rowset, ...)                                                         \
	{                                                                                  \
		.name = #object "Table", .entry = #object "Entry", .rows = &(rowset),      \
		.path = { __VA_ARGS__ },                                                   \
		.path_length = sizeof((const mib_oid[]){ __VA_ARGS__ }) / sizeof(mib_oid), \
		.columns = object##Table, .column_count = ARRAY_SIZE(object##Table),       \
	}

/*
 * SCALARS(group, row set, path …): objects without a table, below the node `group`, which is at the
 * path; their array is <group>Scalars. The row set is one of a single row (mib.h).
 */
#define SCALARS(object, rowset, ...)                                                       \
	{                                                                                  \
		.name = #object, .entry = "", .rows = &(rowset), .path = { __VA_ARGS__ },  \
		.path_length = sizeof((const mib_oid[]){ __VA_ARGS__ }) / sizeof(mib_oid), \
		.columns = object##Scalars, .column_count = ARRAY_SIZE(object##Scalars),   \
	}

/*
 * NOTIFICATION(name, sub-identifier below root.0, row set, why, the names of its objects …); `why`
 * is WHEN_GROWN(TimeStamp column or NULL, counters …), or UNASKED for a notification that no
 * counter triggers.
 */
#define NOTIFICATION(object, id, rowset, why, ...)                                              \
	{                                                                                       \
		.name = #object, .sub_id = (id), .rows = &(rowset), .columns = { __VA_ARGS__ }, \
		.column_count = sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *), why,  \
	}
#define WHEN_GROWN(time_column, ...) .time = (time_column), .triggers = { __VA_ARGS__ }
#define UNASKED			     .time = NULL

/* The encoders, in mib_encode.c. */
mib_encoder mib_encode_u32;
mib_encoder mib_encode_counter;
mib_encoder mib_encode_truth;
mib_encoder mib_encode_bits;
mib_encoder mib_encode_text;
mib_encoder mib_encode_iscsi_name;
mib_encoder mib_encode_address_type;
mib_encoder mib_encode_address;
mib_encoder mib_encode_isid;
mib_encoder mib_encode_time;
mib_encoder mib_encode_date;
mib_encoder mib_encode_cause;

/* The cell without its field: what the column shows for an unknown one, or a hole. */
mib_encoder mib_encode_nothing;

/* The same for a given name or address, for encoders that choose among several. */
bool mib_show_iscsi_name(
	const struct mib_cell *cell, const struct opt_str *name, struct mib_value *ret);
bool mib_show_address_type(
	const struct mib_cell *cell, const struct opt_addr *address, struct mib_value *ret);
bool mib_show_address(
	const struct mib_cell *cell, const struct opt_addr *address, struct mib_value *ret);

/* The same for a number, for a text of at most 255 octets (made safe), and for a time. */
bool mib_show_number(const struct mib_cell *cell, uint64_t number, struct mib_value *ret);
bool mib_show_text(
	const struct mib_cell *cell, const char *text, size_t length, struct mib_value *ret);
bool mib_show_date(const struct mib_cell *cell, const struct opt_time *time, struct mib_value *ret);

/* The value of a column that says nothing: column->nothing, zero-length, 0.0. */
void mib_value_nothing(const struct mib_column *column, struct mib_value *ret);

#endif
