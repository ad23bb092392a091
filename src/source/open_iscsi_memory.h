/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the source open-iscsi knows from poll to poll: sessions by their number (sid), what their
 * last login negotiated, the files that are read each poll. In the reader process only.
 *
 * A login is what happens once for a session and again after each loss of its connection. What it
 * negotiates cannot change until the next one, so it is read once for each (open_iscsi_read.c),
 * and the last known values stay while the connection is down (the kernel forgets some of them).
 *
 * What the kernel's events tell of a session is beside it, in an oiscsi_watch of the same sid
 * (open_iscsi_events.h): it begins before sysfs shows the session, and may end before anybody
 * looked.
 */
#ifndef SOURCE_OPEN_ISCSI_MEMORY_H
#define SOURCE_OPEN_ISCSI_MEMORY_H

#include "base/root.h"
#include "source/open_iscsi_listener.h"
#include "source/open_iscsi_records.h"
#include "source/open_iscsi_text.h"
#include "source/open_iscsi_wire.h"

#include <net/if.h>

#define OISCSI_NAME_MAX	      700u /* octets of a name; leaves room for the rest of a key */
#define OISCSI_TRANSPORT_MAX  32u  /* octets with NUL of a transport's name */
#define OISCSI_CONNECTION_MAX 64u  /* of a session; Linux makes one */

/* How a driver differs from the others, by the name of its transport. */
struct oiscsi_transport {
	const char *name;
	bool tcp;	   /* its connections are TCP, whoever does it */
	bool kernel_tcp;   /* by sockets of the kernel, which are in the socket table */
	bool host_address; /* H/ipaddress is the local address of the connections */
	bool discovery;	   /* has sessions for discovery too: S/discovery_session */
	bool class_link;   /* C/state is true: logins go through the class */
	bool firmware;	   /* the adapter logs in: ISID, TSIH and so on are its own */
	/* What its statistics count of a connection: SCSI commands and responses, octets, NOPs. */
	bool counts_pdus, counts_octets, counts_nops;
};

/* The traits of a transport; those of an unknown one (nothing is certain) for any other name. */
const struct oiscsi_transport *oiscsi_transport_find(const char *name);

struct oiscsi_connection {
	uint32_t cid;
	uint64_t poll; /* the last one that listed it */
	struct root_file *state_file, *statsn_file, *local_port_file;
	enum oiscsi_link link;
	bool link_unread; /* it is there, and could not be read */
	/* By these a new login shows: see login_goes_on in open_iscsi_read.c. */
	struct opt_u32 statsn, watched_port;
	uint64_t ends_read_ns;

	/* By open_iscsi_stats.c. They count from the beginning of the session, over all logins. */
	struct oiscsi_statistics statistics;
	uint64_t statistics_ns; /* when they came; 0 never */
	uint64_t asked_ns;	/* the poll in which the kernel was last asked for them */

	/* Of the last login. Addresses of type 0 are unknown. */
	struct text_address remote, local;
	struct opt_u32 remote_port, local_port;
	bool local_matched, port_matched; /* by oiscsi_sockets_match, not read */
	struct opt_u32 max_recv_data_segment_length, max_xmit_data_segment_length;
	struct opt_u32 header_digest, data_digest; /* IscsiDigestMethod */

	/* Where iscsid was told to connect to: shown while there is no connection. */
	struct text_address persistent;
	struct opt_u32 persistent_port;
};

/* What a session has from its last login. */
struct oiscsi_login {
	bool known; /* there was one, and it was read */
	struct opt_bool initial_r2t, immediate_data;
	struct opt_u32 max_outstanding_r2t;
	struct opt_u32 first_burst_length, max_burst_length; /* octets */
	/* Of adapters that log in by themselves: */
	struct opt_bool data_pdu_in_order, data_sequence_in_order;
	struct opt_u32 error_recovery_level, tsih;
	struct opt_isid isid;
	char target_alias[256];	   /* "" none */
	struct opt_bool discovery; /* a discovery session */
};

/* What the kernel tells of the logins of a session that is down (open_iscsi_past.c). */
enum oiscsi_past {
	OISCSI_PAST_UNTOLD, /* nothing, or that there was one: its states say what it is */
	OISCSI_PAST_NONE,   /* there was none yet */
	OISCSI_PAST_UNREAD, /* it could not be read whether there was one */
};

struct oiscsi_extra; /* source/open_iscsi_paths.h */

struct oiscsi_session {
	uint32_t sid;
	uint32_t epoch;	     /* 0; else how many sessions before it had a sid that came again */
	uint64_t poll;	     /* the last one that listed it */
	uint64_t first_poll; /* the first one */
	bool present;	     /* it was still there when it was read */

	/* These do not change while the session lives. Names are NULL while unknown. */
	char creator[12];		   /* process that made it, "-1" the kernel, "" unknown */
	char key_creator[12];		   /* the same as it was at first, for the session's key */
	bool creator_asked, creator_known; /* known also that there is none */
	struct opt_u32 host;
	char transport_name[OISCSI_TRANSPORT_MAX]; /* "" unknown */
	const struct oiscsi_transport *transport;
	char *target_name, *initiator_name, *iface_name;
	bool iface_known; /* also that there is no name of one */

	struct root_file *state_file, *target_state_file;
	uint64_t object; /* root_file_object of state_file, 0 not known */
	bool gone;	 /* that was of an object which is no more: its number is another's now */
	enum oiscsi_state state;
	bool unbinding;	       /* a logout has begun: its devices go, or are gone */
	bool unbinding_unread; /* or may have: what tells it could not be read */
	bool half_known;       /* `login` was read while it was down, and not all of it is known */
	bool current;	       /* `login` is that of the state now, and is complete */
	uint64_t login_serial; /* of its oiscsi_watch, before `login` was read */
	struct oiscsi_login login;
	enum oiscsi_past past;		       /* in this poll */
	char netdev[IF_NAMESIZE];	       /* that it is bound to, "" none or unknown */
	bool netdev_known;		       /* also that there is none */
	struct oiscsi_connection *connections; /* by cid */
	size_t connection_count;
	struct oiscsi_extra *extra; /* for its path; NULL at first */
};

/* A local address, for the portal table. */
struct oiscsi_portal {
	struct text_address address;
	char transport[OISCSI_TRANSPORT_MAX];
	char netdev[IF_NAMESIZE]; /* "" unknown */
	char driver[32];	  /* of the netdev, "" unknown */
	char key[160];
};

/* The paths of the last poll, by key, each once. */
struct oiscsi_paths {
	struct oiscsi_path *list; /* source/open_iscsi_paths.h */
	size_t count;
	size_t strangers; /* sessions that are on a path, and it is not known which */
};

struct oiscsi_devices; /* source/open_iscsi_devices.h */

struct oiscsi {
	struct root *root;
	uint64_t poll;			  /* counts up */
	struct oiscsi_session **sessions; /* by sid */
	size_t session_count;
	uint32_t next_sid; /* above the highest ever seen */
	uint32_t epochs;
	uint64_t opening;    /* of the listener's socket at the last list, 0 without one */
	bool ports_are_safe; /* open_iscsi_read.c */
	struct oiscsi_listener *listener;
	bool follows_events; /* poll follows poll: what it counts in between means something */
	uint64_t polled_ns;  /* the beginning of this poll */
	bool records_known;  /* they were read, with whatever result */
	uint32_t iscsid_pid; /* open_iscsi_alias.h; 0 none was seen yet */
	char alias[256];     /* likewise: InitiatorAlias as that process sends it, "" unknown */
	struct oiscsi_records records;
	struct oiscsi_paths paths;
	struct oiscsi_devices *devices; /* the source's */
	struct oiscsi_portal *portals;	/* by key, each once */
	size_t portal_count;
	char transports[128];					 /* "tcp, iser" */
	char release[80], architecture[245], module_version[80]; /* "" unknown */
};

/* Frees what is in it. */
void oiscsi_clear(struct oiscsi *o);

/*
 * True when it cannot be told how far login or logout are, since a state of the connection's or the
 * session's could not be read. A session that has failed is lost whatever they say.
 */
bool oiscsi_is_in_doubt(
	const struct oiscsi_session *session, const struct oiscsi_connection *connection);

/* NULL when there is none. */
struct oiscsi_session *oiscsi_session_find(const struct oiscsi *o, uint32_t sid);

/*
 * Makes the sessions those of a list of names (root_list of the class): new ones begin, those that
 * are not in it any more are forgotten. Returns 0 or -ENOMEM.
 */
int oiscsi_sessions_merge(struct oiscsi *o, const struct buf *names, size_t count);

/* The same with the connections; those of a session that is not there are left out. */
int oiscsi_connections_merge(struct oiscsi *o, const struct buf *names, size_t count);

#endif
