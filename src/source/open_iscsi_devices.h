/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The SCSI devices of the sessions, from sysfs alone: no device is opened, no command is sent to
 * one. In the reader process of the source open-iscsi.
 */
#ifndef SOURCE_OPEN_ISCSI_DEVICES_H
#define SOURCE_OPEN_ISCSI_DEVICES_H

#include "model/builder.h"
#include "source/open_iscsi_memory.h"

/* H:C:T:L, in this order. */
struct oiscsi_hctl {
	uint32_t host, channel, target;
	uint64_t lun;
};

struct oiscsi_device {
	struct oiscsi_hctl hctl;
	uint64_t poll;	     /* the last one that listed it */
	bool asked;	     /* whose it is */
	uint32_t sid;	     /* session, UINT32_MAX: of none */
	uint64_t found_ns;   /* when it was listed first */
	uint64_t read_ns;    /* when what seldom changes was read, 0 not yet */
	uint64_t counted_ns; /* when it was last counted */
	struct root_file *state_file;
	uint64_t object; /* root_file_object of it when vendor and model were read */
	struct root_file *access_file, *count_files[4]; /* NULL: not kept */

	/* What seldom changes. Texts are "" while unknown. */
	char name[32], vendor[32], model[64];
	struct opt_counter size; /* octets */
	bool map_known;
	char holder[32];		   /* the kernel's name of its map: "dm-0"; "" none */
	char map_name[128], map_wwid[160]; /* "" none */
	bool has_access;		   /* its target tells access states */
	struct opt_bool preferred;

	/* State, each poll; counts, each poll or in turn. */
	struct opt_u32 state, access; /* IscsiDeviceState, IscsiAccessState */
	struct opt_counter requests, completions, errors, timeouts;
};

struct oiscsi_devices {
	struct oiscsi_device *list; /* by H:C:T:L */
	size_t count, capacity;
	const struct oiscsi_device **by_session; /* those of sessions, by sid, then as the list */
	size_t of_sessions;
	uint64_t list_poll; /* the poll of the list, 0 none: one that has no time left makes none */
	bool listed;	    /* the list could be read; also when it was not asked for */
	bool known;	    /* they were listed in this poll */
	bool whole;	    /* and all of them are in the list, with their sessions */
};

void oiscsi_devices_clear(struct oiscsi_devices *devices);

/*
 * One poll of o->devices, after the sessions were read. At most `limit` are looked at; 0: none, and
 * devices->known is false, as it is when they cannot be listed. What cannot be read is unknown;
 * without time for all, the states of the first ones are read and the rest is as it was. Returns 0
 * or -ENOMEM.
 */
int oiscsi_devices_read(
	const struct oiscsi *o, size_t limit, uint64_t now_ns, uint64_t deadline_ns);

/*
 * Adds the devices of a session, and its counts of them if all are known. That none is faulty is
 * only known when the states of all are.
 */
int oiscsi_model_devices(struct builder *b, const struct oiscsi_devices *devices, uint32_t sid,
	uint32_t instance_at, uint32_t session_at);

/* Makes by_session anew from the list, as it says there. Returns 0 or -ENOMEM. */
int oiscsi_devices_order(struct oiscsi_devices *devices);

/* <0, 0, >0, as numbers. */
int oiscsi_hctl_compare(const struct oiscsi_hctl *x, const struct oiscsi_hctl *y);

/* ---- texts; pure ---- */

bool oiscsi_hctl_parse(const char *text, struct oiscsi_hctl *ret);

/* The number after "/session" in the path of a device's link; UINT32_MAX when there is none. */
uint32_t oiscsi_sid_of_link(const char *target);

/* IscsiDeviceState and IscsiAccessState of ISCSI-PATH-MIB; 0 for any other word. */
uint32_t oiscsi_device_state_parse(const char *value);
uint32_t oiscsi_access_state_parse(const char *value);

/* States in which a device can do I/O, or will at once. */
bool oiscsi_device_is_fit(uint32_t state);

#endif
