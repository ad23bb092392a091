/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The source open-iscsi over a recording of tests/fixtures/open-iscsi that a unit test changes
 * between polls. What is wrong in the lab itself ends the test program.
 */
#ifndef TESTS_SUPPORT_OPEN_ISCSI_LAB_H
#define TESTS_SUPPORT_OPEN_ISCSI_LAB_H

#include "model/fragment.h"
#include "source/source.h"

#define LAB_SESSION(sid)    "/sys/class/iscsi_session/session" #sid
#define LAB_CONNECTION(sid) "/sys/class/iscsi_connection/connection" #sid ":0"
#define LAB_HOST(host)	    "/sys/class/iscsi_host/host" #host

/* The result of the last poll. */
struct lab_result {
	int units;			 /* begun in it */
	int error;			 /* of the unit */
	char message[160];		 /* of a failure; else what is missing, "" nothing */
	const struct fragment *fragment; /* NULL after a failure; checked */
};
extern struct lab_result lab_result;

/* Opens the recording NAME.tree and the source. */
void lab_begin(const char *name);
void lab_end(void);

/* Ends the reader and starts another one: what was kept between polls is lost. */
void lab_restart_reader(void);

/*
 * Starts another reader that listens to the kernel between polls (`lasting`), and asks it for
 * statistics. The test plays the kernel (fake_kernel.h).
 */
void lab_listen(bool lasting, bool statistics);

/* How many SCSI devices are looked at from the next poll on; none after lab_begin. */
void lab_look_at_devices(uint32_t limit);

/* What the reader does between polls when its descriptor is readable. */
int lab_event(void);

/* One poll with this much time. Returns what collect did. */
int lab_poll_within(uint64_t ns);
int lab_poll(void);

/* Replaces what the recording has of a path. */
void lab_file(const char *path, const char *text);
void lab_error(const char *path, int error);	    /* of reading a file: -EIO */
void lab_list(const char *path, const char *names); /* names, each with a newline */
void lab_list_error(const char *path, int error);
void lab_link_error(const char *path, int error);

/* The objects of the last poll. */
uint32_t lab_count(enum object_kind kind);
const char *lab_text(const struct opt_str *field); /* "-" when unknown */
const struct session *lab_session(uint32_t at);
const struct connection *lab_connection(uint32_t at);
const struct path *lab_path(uint32_t at);
const struct instance *lab_instance(void);
const struct node *lab_node(const char *name); /* NULL: there is none of this name */

/* The address as text, "-" when unknown. */
const char *lab_address(const struct opt_addr *address);

/* All known fields of the last poll, a line for each, without links; freed by the caller. */
char *lab_lines(void);

#endif
