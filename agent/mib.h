/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The vocabulary of the MIB tables, and the engine that answers from them. The MIB is data: a
 * column is one line (iscsi_mib.c), a table is a head and its columns, a notification is a list
 * of columns. Nothing here knows net-snmp or AgentX (netsnmp glue: agentx.c) or where values come
 * from (src/).
 *
 *	COL_U32(16, iscsiSsnConnectionNumber, connection_count, READ_ONLY)
 *
 * says: sub-identifier 16 is the object of that name; it shows the field connection_count of the
 * row's object as an unsigned number. The field's type must be the one that the encoder shows
 * (_Generic: a wrong one does not compile). An unknown field is a hole: noSuchInstance for GET,
 * stepped over by GETNEXT.
 */
#ifndef AGENT_MIB_H
#define AGENT_MIB_H

#include "model/snapshot.h"

/* Same representation as net-snmp's `oid`, so that names pass without conversion. */
typedef unsigned long mib_oid;

#define MIB_OID_MAX 128 /* sub-identifiers of a name, RFC 2578 section 3.5 */
#define MIB_KEY_MAX 4	/* index sub-identifiers of a row */

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

/* A value ready to be sent. Pointers stay valid as long as the view that gave it. */
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
	char text[256];	 /* room for encoders that have to write octets */
	mib_oid ids[16]; /* room for encoders that have to write an OBJECT IDENTIFIER */
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

/* Fills `ret` and returns true, or returns false for a hole. Must not fail otherwise, block, or
 * allocate. */
typedef bool mib_encoder(const struct mib_cell *cell, struct mib_value *ret);

struct mib_column {
	uint16_t sub_id;
	uint16_t offset;  /* of the field in the row's object */
	uint8_t syntax;	  /* enum mib_syntax */
	uint8_t access;	  /* enum mib_access */
	bool has_nothing; /* an unknown field shows `nothing`: RFC text defines such a value */
	uint32_t nothing; /* for numbers; texts and OIDs show their empty value */
	const char *name;
	mib_encoder *encode;
};

/* Who the rows of one or several tables are, and their index. */
struct mib_rowset {
	const char *name; /* "session" */
	uint8_t kind;	  /* enum object_kind */
	uint8_t key_length;
	/* The row's index; false when the object has no row here (a portal that is no target
	 * portal) */
	bool (*key)(const struct snapshot *s, const void *object, uint32_t key[MIB_KEY_MAX]);
};

struct mib_table {
	const char *name;
	const char *entry; /* name of the row object */
	uint8_t path[4];   /* below the module's root, to the entry: 1.10.1.1 */
	uint8_t path_length;
	const struct mib_rowset *rows;
	const struct mib_column *columns; /* sorted by sub_id */
	uint16_t column_count;
	const char *index_names[MIB_KEY_MAX]; /* for --list-columns */
	const char *augments; /* name of the entry that this one augments, or NULL */
};

struct mib_notification {
	const char *name;
	uint8_t sub_id;			   /* below root.0 */
	const struct mib_table *tables[8]; /* the table of each object, */
	const char *columns[8];		   /* and its name: the varbinds in their order */
	uint8_t column_count;
};

struct mib_module {
	const char *name; /* "ISCSI-MIB" */
	const mib_oid *root;
	uint8_t root_length;
	const struct mib_table *tables; /* sorted by path */
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
 * snapshot. Immutable but for caches that do not show.
 */
int mib_view_new(const struct mib_module *module, struct snapshot *snapshot, struct mib_view **ret);
void mib_view_free(struct mib_view *view);

const struct snapshot *mib_view_snapshot(const struct mib_view *view);
const struct mib_module *mib_view_module(const struct mib_view *view);

/* The rows of a row set and their number, for notifications and tests. */
const struct mib_row *mib_view_rows(
	const struct mib_view *view, const struct mib_rowset *rows, uint32_t *ret_count);

/*
 * When the master's sysUpTime was 0, CLOCK_MONOTONIC ns: the zero point of TimeStamp columns. An
 * event before it shows as 0 (RFC 2579). 0: unknown, all stamps are 0.
 */
void mib_view_set_uptime_zero(struct mib_view *view, uint64_t uptime_zero_ns);
uint64_t mib_view_uptime_zero(const struct mib_view *view);

enum mib_result { MIB_FOUND, MIB_NO_SUCH_OBJECT, MIB_NO_SUCH_INSTANCE, MIB_END_OF_VIEW };

struct mib_name {
	mib_oid ids[32];
	uint8_t length;
};

/* GET: RFC 3416 section 4.2.1. `name` of any length and content. */
enum mib_result mib_get(
	const struct mib_view *view, const mib_oid *name, size_t length, struct mib_value *ret);

/*
 * GETNEXT: the first cell after `name` in lexicographic order (or `name` itself when `include`,
 * RFC 2741 section 5.2), across columns and tables, holes stepped over. MIB_FOUND or
 * MIB_END_OF_VIEW.
 */
enum mib_result mib_next(const struct mib_view *view, const mib_oid *name, size_t length,
	bool include, struct mib_name *ret_name, struct mib_value *ret);

/* True when `name` is below a column of the module: a SET of it is notWritable. */
bool mib_is_column(const struct mib_module *module, const mib_oid *name, size_t length);

/* Compares names in lexicographic order: <0, 0, >0. */
int mib_compare(const mib_oid *a, size_t a_length, const mib_oid *b, size_t b_length);

/* The column of that name, with its table; NULL when there is none. Linear: for start-up. */
const struct mib_column *mib_find_column(
	const struct mib_module *module, const char *name, const struct mib_table **ret_table);

/* ISCSI-MIB, RFC 7147: iscsi_mib.c. */
extern const struct mib_module iscsi_mib;

#endif
