/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The vocabulary of the MIB tables, and the engine that answers from them. The MIB is data: a
 * column is one line (iscsi_mib.c; the words for it: mib_columns.h), a table is a head and its
 * columns, a notification is a list of columns, a row set says who the rows are (mib_rows.h).
 * Nothing here knows net-snmp or AgentX (agentx.c does) or where values come from (src/).
 *
 *	COL_GAUGE32(16, iscsiSsnConnectionNumber, connection_count, READ_ONLY, HOLE)
 *
 * says: sub-identifier 16 is the object of that name; it shows the field connection_count of the
 * row's object as a Gauge32. The field's type must be the one that the encoder shows (_Generic: a
 * wrong one does not compile). While the field is unknown the cell is a hole: noSuchInstance for
 * GET, stepped over by GETNEXT.
 *
 * Used by the agent process and the one-shot commands, from one thread. Nothing here does I/O.
 */
#ifndef AGENT_MIB_H
#define AGENT_MIB_H

#include "model/snapshot.h"

/* Same representation as net-snmp's `oid`, so that names pass without conversion. */
typedef unsigned long mib_oid;

#define MIB_OID_MAX  128 /* sub-identifiers of a name, RFC 2578 section 3.5 */
#define MIB_KEY_MAX  4	 /* index sub-identifiers of a row */
#define MIB_PATH_MAX 4	 /* sub-identifiers from a module's root to a table's entry */

enum mib_access {
	READ_ONLY,
	READ_WRITE,
	READ_CREATE
}; /* as in the module; all are served read-only */

/* The syntax of a column: what it is on the wire and how smidump names it (tests/mib). */
enum mib_syntax {
	MIB_COUNTER32,
	MIB_COUNTER64,
	MIB_UNSIGNED32,
	MIB_GAUGE32,
	MIB_INTEGER, /* Integer32 and every enumeration */
	MIB_OCTETS,
	MIB_BITS,
	MIB_OBJECT_ID,
	MIB_TIMESTAMP, /* TimeTicks */
};

/* The name of a cell or column: root, path, sub-identifier, index. */
struct mib_name {
	mib_oid ids[32];
	uint8_t length;
};

/*
 * A value ready to be sent. Its pointers stay valid as long as both the view that gave it and the
 * structure itself: they may point into it, so never copy one.
 */
struct mib_value {
	enum mib_syntax syntax;
	union {
		uint64_t number;
		struct {
			const char *data;
			size_t length; /* octets */
		} octets;
		struct {
			const mib_oid *ids;
			size_t length; /* sub-identifiers */
		} oid;
	};
	char text[256];	      /* room for encoders that have to write octets */
	struct mib_name name; /* room for encoders that have to write an OBJECT IDENTIFIER */
};

struct mib_view;
struct mib_column;
struct mib_row;

/* What an encoder works on. */
struct mib_cell {
	const struct mib_view *view;
	const struct mib_column *column;
	const struct mib_row *row;
};

/*
 * Fills `ret` and returns true, or returns false for a hole; always the same for a cell of a view.
 * Must not fail otherwise, block, or allocate.
 */
typedef bool mib_encoder(const struct mib_cell *cell, struct mib_value *ret);

struct mib_column {
	uint16_t sub_id;
	uint16_t offset;  /* of the field in the row's object */
	uint8_t syntax;	  /* enum mib_syntax */
	uint8_t access;	  /* enum mib_access */
	bool has_nothing; /* an unknown field shows `nothing` (mib_columns.h), it is no hole */
	uint8_t lowest;	  /* COL_CAUSE: the first column of `counters` that can be one */
	uint32_t
		nothing; /* a number, or the octet of BITS; texts and OIDs show their empty value */
	const char *name;
	const char *counters; /* COL_CAUSE: the table whose columns the value names */
	mib_encoder *encode;
};

/*
 * Who the rows of one or several tables are, and their index.
 *
 * Scalars are a table too: a group of them is one with a single row, whose index is the 0 that
 * ends the name of a scalar's instance (RFC 2578 section 7.5). Its row set has no index object.
 */
struct mib_rowset {
	uint8_t kind;			      /* enum object_kind */
	uint8_t key_length;		      /* sub-identifiers, 1 also for scalars */
	const char *index_names[MIB_KEY_MAX]; /* the index objects; none for scalars */
	/*
	 * The row's index; false when the object has no row here (a portal that is no target
	 * portal). `key` is all zero before.
	 */
	bool (*key)(const struct snapshot *s, const void *object, uint32_t key[MIB_KEY_MAX]);
};

struct mib_table {
	const char *name;	    /* of scalars: the node that they are below */
	const char *entry;	    /* name of the row object; "" for scalars */
	mib_oid path[MIB_PATH_MAX]; /* below the module's root, to the entry: 1.10.1.1 */
	uint8_t path_length;
	const struct mib_rowset *rows;
	const struct mib_column *columns; /* sorted by sub_id */
	uint16_t column_count;
};

struct mib_notification {
	const char *name;
	uint8_t sub_id;		       /* below root.0 */
	const struct mib_rowset *rows; /* of the row that it is about */
	const char *columns[8];	       /* the names of its objects, in the order of the module */
	uint8_t column_count;
	/*
	 * Counters of the row: when one of them has grown, the notification is due
	 * (notify_detect.c). None: it is due for another reason. A NULL ends them.
	 */
	const char *triggers[5];
	const char *time; /* TimeStamp of the row that tells when; NULL: there is none */
};

struct mib_module {
	const char *name; /* "ISCSI-MIB" */
	const mib_oid *root;
	uint8_t root_length;
	const struct mib_table *tables; /* sorted by path, no path the beginning of another */
	uint16_t table_count;
	const struct mib_notification *notifications;
	uint16_t notification_count;
};

/* A row of a row set, sorted by key. */
struct mib_row {
	uint32_t key[MIB_KEY_MAX];
	const void *object;
};

/*
 * A snapshot seen through a module: the sorted rows of its row sets. Holds a reference on the
 * snapshot. Immutable but for caches that do not show. Objects without a number have no row; of
 * two objects with one key the first one has it. Returns 0 or -ENOMEM; freed with mib_view_free
 * (NULL is accepted).
 */
int mib_view_new(const struct mib_module *module, struct snapshot *snapshot, struct mib_view **ret);
void mib_view_free(struct mib_view *view);

const struct snapshot *mib_view_snapshot(const struct mib_view *view);
const struct mib_module *mib_view_module(const struct mib_view *view);

/* The rows of a row set of the module and their number, for notifications and tests. */
const struct mib_row *mib_view_rows(
	const struct mib_view *view, const struct mib_rowset *rows, uint32_t *ret_count);

/*
 * When the master's sysUpTime was 0, CLOCK_MONOTONIC ns: the zero point of TimeStamp columns. An
 * event before it shows as 0 (RFC 2579). 0: unknown, all stamps are 0.
 */
void mib_view_set_uptime_zero(struct mib_view *view, uint64_t uptime_zero_ns);
uint64_t mib_view_uptime_zero(const struct mib_view *view);

enum mib_result { MIB_FOUND, MIB_NO_SUCH_OBJECT, MIB_NO_SUCH_INSTANCE, MIB_END_OF_VIEW };

/*
 * GET: RFC 3416 section 4.2.1. `name` of any length and content, its sub-identifiers above 2^32 - 1
 * included. MIB_FOUND (only then `ret` has a value); MIB_NO_SUCH_INSTANCE: the name is at or below
 * a column, but is no row of it, or the cell is a hole; MIB_NO_SUCH_OBJECT: every other name.
 */
enum mib_result mib_get(
	const struct mib_view *view, const mib_oid *name, size_t length, struct mib_value *ret);

/*
 * GETNEXT: the first cell after `name` in lexicographic order (or `name` itself when `include`,
 * RFC 2741 section 5.2), across columns and tables, holes stepped over. `name` as for GET.
 * MIB_FOUND (only then the outputs have a value) or MIB_END_OF_VIEW. O(log rows); a walk along a
 * column finds its row without a search.
 */
enum mib_result mib_next(const struct mib_view *view, const mib_oid *name, size_t length,
	bool include, struct mib_name *ret_name, struct mib_value *ret);

/* True when the row set is that of a group of scalars. */
static inline bool mib_is_scalar(const struct mib_rowset *rows)
{
	return !rows->index_names[0];
}

/* Compares names in lexicographic order: <0, 0, >0. */
int mib_compare(const mib_oid *a, size_t a_length, const mib_oid *b, size_t b_length);

/* The table of that name; NULL when there is none. Linear. */
const struct mib_table *mib_find_table(const struct mib_module *module, const char *name);

/* The column of that name, with its table; NULL when there is none. Linear: for start-up. */
const struct mib_column *mib_find_column(
	const struct mib_module *module, const char *name, const struct mib_table **ret_table);

/* The OID of a column. */
void mib_name_column(const struct mib_module *module, const struct mib_table *table,
	const struct mib_column *column, struct mib_name *ret);

/*
 * Varbind `at` (0 … column_count - 1) of a notification about the row with that key (as in struct
 * mib_row: zeros behind the index): name and value of the object, by the same encoder as for GET.
 * An object of a table with another row set than the notification's is of the row `other`: the
 * event's; a scalar has its own instance. A notification never lacks a varbind: where GET finds a
 * hole, it has 0, a zero-length string or 0.0.
 * Returns 0, or -ENOENT when the row is not in this view (any more).
 */
int mib_notification_value(const struct mib_view *view, const struct mib_notification *notification,
	uint8_t at, const uint32_t key[MIB_KEY_MAX], const uint32_t other[MIB_KEY_MAX],
	struct mib_name *ret_name, struct mib_value *ret);

/* ISCSI-MIB, RFC 7147: iscsi_mib.c; ISCSI-PATH-MIB: path_mib.c. */
extern const struct mib_module iscsi_mib;
extern const struct mib_module path_mib;

/* All modules that are served, in the order of their roots; ends with NULL. mib_module.c. */
extern const struct mib_module *const mib_modules[];

#endif
