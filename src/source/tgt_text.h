/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The answers of tgtd that initiators can write into: TGT_ASK_TARGETS and TGT_ASK_CONNECTIONS.
 *
 * The attack. tgtd prints the InitiatorName and InitiatorAlias of a login as they came. With a
 * newline in one of them an initiator writes lines of its own into these texts: other nexuses,
 * connections with other addresses, whole targets, accounts, ACLs. In TGT_ASK_TARGETS tgtd also
 * cuts what it prints for a nexus (name, alias, address) to 1,023 octets, so that the line after
 * it may begin in the middle of a line. (And after a session has gone with commands under way,
 * tgtd 1.0.85 prints freed memory there: anything at all, of any length.)
 *
 * The defence. An initiator can only add to the text. What tgtd itself prints for an object that
 * exists is always there, with its own heading:
 *   - target T:      a line "Target T: name"                      at the beginning of a line
 *   - its lists:     lines "    Account information:" and
 *                    "    ACL information:", after all nexuses    at the beginning of a line
 *   - nexus N:       "        I_T nexus: N" and a newline         anywhere
 *   - connection C
 *     of session S:  "Session: S", "    Connection: C",
 *                    "        Initiator: …"                       at the beginning of a line
 * Which of these exist is known from tables of numbers (tgt_parse.h), which nobody can forge, and
 * which are read before and after the text: what is in both existed while the text was printed.
 * So a heading that is in the text exactly as often as its object exists (once) is tgtd's own, and
 * what follows it is what tgtd printed for this object. A heading that is there more often has
 * been forged for one of them, it cannot be told which, and none of them is believed. A heading of
 * an object that does not exist is forged, or of an object that came or went in between; the same
 * holds for it.
 *
 * Only for targets there is a second chance, because without its name a whole target would be
 * hidden: a heading that is farther from the last nexus heading than what tgtd prints for a nexus
 * is not in there, hence tgtd's own. With a logical unit or two in a target the next one's is.
 *
 * Where a part ends matters as much. What belongs to a target is searched for in all of the text
 * from its own heading up to the next certain one: that is at least its part, and a search that
 * wants exactly one hit cannot be misled by having more to search. A record of a connection must
 * be followed by another one that is tgtd's own, or by nothing: a name could else end its record
 * early and give its connection another address.
 *
 * What is left to an attacker: to say anything as its own name and alias (nothing authenticates
 * them in iSCSI, except a CHAP account that is not shown here); and to make parts of the text
 * unbelievable, which leaves them unknown as long as its session lasts. Names once believed are
 * kept (tgt_memory.h), so this hits new sessions only: they are shown without a name. It cannot
 * add or remove rows, or change a value of another session, its own address, an account or an ACL.
 *
 * Accounts, ACLs, names of targets and paths of units come from tgtd's administrator and are
 * trusted to have no newline; with one, the rule above still finds out most of it.
 *
 * Used by tgt_read.c in the reader process of the source tgt. No I/O; arrays are allocated.
 */
#ifndef SOURCE_TGT_TEXT_H
#define SOURCE_TGT_TEXT_H

#include "source/tgt_parse.h"

/* A line "Target T: name" and what follows it. */
struct tgt_heading {
	uint32_t tid;
	const char *at;
	struct tgt_slice name;
	struct tgt_slice section; /* from the next line up to the next certain heading */
	bool clear;		  /* too far from any nexus to be written by an initiator */
	bool certain;		  /* tgtd's own */
};

/*
 * Finds all headings of targets, in the order of the text, none of them certain yet.
 * *ret (freed by the caller) points into the text. Returns 0 or -ENOMEM.
 */
int tgt_headings_find(const struct tgt_slice *text, struct tgt_heading **ret, size_t *ret_count);

/* Sets certain, ends the sections. `tids`: the targets that exist, ascending. 0 or -ENOMEM. */
int tgt_headings_judge(
	struct tgt_heading *headings, size_t count, const uint32_t *tids, size_t tid_count);

/* The value of "        Driver: " in its place at the beginning of a section; false if none. */
bool tgt_section_driver(const struct tgt_slice *section, struct tgt_slice *ret);

/* The lists of a certain section, lines with 8 blanks before each item. False if in doubt. */
bool tgt_section_access(
	const struct tgt_slice *section, struct tgt_slice *ret_accounts, struct tgt_slice *ret_acl);

/* Takes the next item off a list, without its blanks; false at the end or when in doubt. */
bool tgt_access_next(struct tgt_slice *list, struct tgt_slice *ret);

/* The heading of a nexus, and what follows it up to the end of the section. */
struct tgt_nexus_text {
	uint16_t nexus;
	struct tgt_slice rest;
};

/* All headings of nexuses in a section, ascending. *ret freed by the caller. 0 or -ENOMEM. */
int tgt_nexus_texts_find(
	const struct tgt_slice *section, struct tgt_nexus_text **ret, size_t *ret_count);

/*
 * The alias of a nexus of a certain section, "" when it has none ("none": tgtd prints this word).
 * `name` is the name of the initiator, from tgt_record. False when in doubt: the heading is not
 * there once, the alias is longer than what tgtd prints, or has a newline.
 */
bool tgt_alias_find(const struct tgt_nexus_text *texts, size_t count, uint16_t nexus,
	const struct tgt_slice *name, struct tgt_slice *ret);

/* A connection in TGT_ASK_CONNECTIONS. */
struct tgt_record {
	uint32_t sid, cid;
	const char *at;
	struct tgt_slice name;	  /* InitiatorName */
	struct tgt_slice address; /* as printed; empty: tgtd had none, its socket is closed */
	bool rdma;
	bool whole; /* the lines of one connection, up to another record or the end of the text */
};

/* All records in the order of the text. *ret freed by the caller. Returns 0 or -ENOMEM. */
int tgt_records_find(const struct tgt_slice *text, struct tgt_record **ret, size_t *ret_count);

/* A connection that exists. */
struct tgt_connection_id {
	uint32_t sid, cid;
};

/*
 * Leaves the records that are tgtd's own and whole, sorted by sid and cid; *count is lowered.
 * A session of which the records are not just its connections loses all of them. `ids` are the
 * connections that exist, sorted by sid and cid. Returns 0 or -ENOMEM.
 */
int tgt_records_judge(struct tgt_record *records, size_t *count,
	const struct tgt_connection_id *ids, size_t id_count);

/* The record of a connection among judged ones; NULL when there is none. */
const struct tgt_record *tgt_record_find(
	const struct tgt_record *records, size_t count, uint32_t sid, uint32_t cid);

#endif
