/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the source lio knows of LIO: what the poll under way has read, and what is kept from poll to
 * poll because the kernel does not keep it or does not tell it again: when a login failed and how
 * (lio_count.h), parameters that a session logged in with, the sockets of its connections.
 *
 * Who is the same session. The kernel counts sessions and TSIHs in a target portal group from 1 on,
 * so LIO Session ID, ISID and TSIH name one as long as the group lives. Which group it is tells its
 * directory (root_directory_object), to every reader alike. Where it does not, in a recording, each
 * name of a target and each tag of a group has a number of lives, part of the key in its place,
 * which goes up when it is made anew: when it was missing in a poll, or its counters went back.
 * Lives begin at 0 with the reader.
 *
 * LIO shows one session of an ACL, the newest; when that one ends the one before it is back with
 * its old key. Of sessions of initiators without an ACL it shows the names only (dynamic_sessions):
 * the first, second … of a name in its group are one session each, whichever that is.
 *
 * In the reader process only. Pure memory: no I/O.
 */
#ifndef SOURCE_LIO_MEMORY_H
#define SOURCE_LIO_MEMORY_H

#include "base/root.h"
#include "source/lio_parse.h"
#include "source/socket_match.h"

struct lio_connection {
	uint32_t cid;
	enum lio_connection_state state;
	bool is_tcp;
	struct opt_u32 protocol; /* IP protocol number */
	bool address_known;
	struct text_address address; /* of the initiator */
	struct socket_ends ends;
};

enum lio_session_counter {
	LIO_COMMAND_PDUS,
	LIO_RESPONSE_PDUS,
	LIO_TX_OCTETS,
	LIO_RX_OCTETS,
	LIO_DIGEST_ERRORS,
	LIO_TIMEOUT_ERRORS,
	LIO_SESSION_COUNTERS
};

struct lio_session {
	struct lio_info info; /* without connections */
	bool negotiated_read; /* all files of: */
	struct lio_parameters negotiated;
	struct lio_parameters group; /* what of the group's holds for it: lio_memory_session.c */
	bool group_unread;	     /* while not all files could be read: as they are now */
	struct opt_counter counters[LIO_SESSION_COUNTERS];
	uint64_t last[LIO_SESSION_COUNTERS];	/* known ones, as the kernel said them, and */
	uint64_t carried[LIO_SESSION_COUNTERS]; /* what it had forgotten */
	bool was_unseen;	   /* it may have counted while this reader did not see it: */
	uint64_t carried_since_ns; /* on a kernel of 32 bits (lio_count.c), else 0 */
	struct lio_connection *connections; /* by cid */
	size_t connection_count;
};

struct lio_acl {
	char *name;
	bool exists;		     /* in this poll, as all of this name below */
	bool told, was_told;	     /* whether it has a session: in this poll, in the one before */
	struct lio_session *session; /* NULL none */
};

struct lio_portal {
	char *name; /* of its directory: address and port */
	bool exists;
	bool endpoint_known;
	struct text_address address;
	uint16_t port;
};

struct lio_guest {
	char *name;	  /* of the initiator */
	uint32_t ordinal; /* among the sessions of this name, from 1 */
};

struct lio_group { /* target portal group */
	uint32_t tag;
	bool exists, was; /* in this poll, in the one before */
	uint64_t object;  /* of the kernel, 0 unknown */
	uint32_t life;
	struct opt_bool enabled, demo; /* demo: initiators without an ACL may log in */
	bool polled;		       /* parameters are of this poll, `before` of the one before */
	bool all_read, before_read;    /* all that of the group only is, of: */
	struct lio_parameters parameters, before, always; /* always: the same in all polls */
	bool always_read;				  /* once */
	uint32_t newest_sid;				  /* of the sessions of earlier polls */
	struct lio_portal *portals;
	size_t portal_count;
	struct lio_acl *acls;
	size_t acl_count;
	struct lio_guest *guests; /* sessions without an ACL, by name and ordinal */
	size_t guest_count;
	/* Of the target, before they were listed: */
	struct opt_u32 guests_sessions;
	struct opt_counter guests_accepts;
};

/* Counters of a target. The corrected one is not of the kernel. */
enum lio_counter {
	LIO_NEGOTIATE, /* first: lio_read.c reads in this order, and see lio_count.h */
	LIO_OTHER,
	LIO_REDIRECT,
	LIO_AUTHORIZE,
	LIO_AUTHENTICATE,
	LIO_ACCEPTS,
	LIO_LOGOUT_NORMAL,
	LIO_LOGOUT_OTHER,
	LIO_SESSIONS_FAILED,
	LIO_FAILED_DIGEST,
	LIO_FAILED_TIMEOUT,
	LIO_FAILED_FORMAT,
	LIO_COUNTERS
};

/* The login failures of a target, corrected, by the columns of iscsiTargetLoginStatsTable. */
struct lio_failures {
	struct opt_counter other, redirect, authorize, authenticate, negotiate;
};

struct lio_target {
	char *name;
	bool exists, was; /* in this poll, in the one before */
	uint32_t life;
	bool seen;  /* a poll has been counted */
	bool based; /* what is known of failures before the first is final */
	struct opt_counter counters[LIO_COUNTERS]; /* of this poll */
	uint64_t last[LIO_COUNTERS];		   /* the last known ones */
	bool last_known[LIO_COUNTERS];
	/* What is made of them, lio_count.c: */
	struct lio_failures failures;
	struct opt_counter login_failures; /* their sum */
	struct lio_failures before;	   /* the last known ones */
	struct opt_time last_failure_time;
	struct opt_u32 last_failure_type; /* column of iscsiTargetLoginStatsTable */
	uint64_t discontinuity_ns;	  /* 0 none */
	/* Of the last failure, as the kernel says in this poll. */
	char failure_name[LIO_NAME_MAX + 1]; /* "" unknown */
	bool failure_address_known;
	struct text_address failure_address;
	/* Of the last session that failed, likewise. */
	struct opt_u32 session_failure_type;
	char session_failure_name[LIO_NAME_MAX + 1];
	struct lio_group *groups; /* by tag */
	size_t group_count;
	struct opt_u32 sessions; /* that the kernel counts; unknown if that moved meanwhile */
	bool all_seen;		 /* what the kernel shows of them could be read */
};

struct lio_memory {
	struct lio_target *targets; /* by name; also those that are gone, for their lives */
	size_t target_count;
	bool long_is_error;	/* an attribute that is too long is one; else: see lio_read.c */
	bool doubted;		/* in this poll a file of a session was not what LIO prints */
	bool refused;		/* in this poll something that has sessions could not be read */
	bool withheld;		/* in this poll a list of guests was not read: see lio_read.c */
	bool list_may_be_cut;	/* of guests, in this poll */
	bool counts_in_32_bits; /* what is of a session; a target's always is */
	bool counted;		/* a poll has been counted */
	bool based;		/* what is known of failures before the first is final */
	/* Of the instance: */
	struct opt_u32 last_failure_type;
	char last_failure_name[LIO_NAME_MAX + 1];
	uint64_t discontinuity_ns;
	char version[LIO_NAME_MAX + 1]; /* file lio_version */
	char vendor[LIO_NAME_MAX + 1];	/* as its targets say it */
	struct opt_u32 version_min, version_max;
};

void lio_memory_clear(struct lio_memory *memory);

/* Begins a poll: nothing exists yet. */
void lio_memory_begin(struct lio_memory *memory);

/*
 * The object of a name (or tag), which exists in this poll; made if it is not known. NULL without
 * memory. The pointer is good until the next one is made.
 */
struct lio_target *lio_memory_target(struct lio_memory *memory, const char *name);
struct lio_group *lio_target_group(struct lio_target *target, uint32_t tag);
struct lio_portal *lio_group_portal(struct lio_group *group, const char *name);
struct lio_acl *lio_group_acl(struct lio_group *group, const char *name);

/* The parameters of this poll are complete. */
void lio_group_take_parameters(struct lio_group *group);

/* The group is this object of the kernel, 0 unknown: what was learnt of another one is forgotten.
 */
void lio_group_take_object(struct lio_group *group, uint64_t object);

/*
 * Takes the session that an ACL shows, with its counters of this poll. Returns 0 when it is the one
 * that was there, which keeps what was learnt of it, 1 when it is another, of which nothing was
 * negotiated yet, or -ENOMEM with the ACL unchanged.
 */
int lio_acl_take_session(struct lio_group *group, struct lio_acl *acl, const struct lio_info *info,
	const struct opt_counter counters[LIO_SESSION_COUNTERS]);

void lio_acl_drop_session(struct lio_acl *acl);

/* Makes the guests of a group those of dynamic_sessions. Returns 0, or -ENOMEM with none. */
int lio_group_take_guests(struct lio_group *group, const char *text, size_t length);

/*
 * dynamic_sessions could not be read: the guests stay if it is certain that nobody has left the
 * target since they were read, else there are none. Those that have got an ACL meanwhile are guests
 * no more: call it when the ACLs have been read.
 */
void lio_group_keep_guests(struct lio_group *group, const struct lio_target *target);

/* There are no guests. */
void lio_group_drop_guests(struct lio_group *group);

/* Ends the poll: forgets what is gone, but for the lives of targets and groups. */
void lio_memory_sweep(struct lio_memory *memory);

#endif
