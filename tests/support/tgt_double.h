/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A tgtd inside a unit test: it answers the source tgt with the fixtures tests/fixtures/tgt, a
 * test can put another answer in the place of each. And a collection that keeps the fragment of
 * the last good poll, with ways to look into it.
 *
 * A test that includes this has, in the place of base/root.h: __wrap_root_exchange,
 * __wrap_root_list, __wrap_root_tcp_sockets, __wrap_root_read, __wrap_root_read_link (see
 * tgt_wraps.h; the names must be in the test's own text for the linker's list).
 */
#ifndef TESTS_SUPPORT_TGT_DOUBLE_H
#define TESTS_SUPPORT_TGT_DOUBLE_H

#include "base/clock.h"
#include "reader/collection.h"
#include "source/source.h"
#include "tests/support/fixture.h"

#define VICTIM "iqn.2026-11.org.example:victim"
#define EVIL   "iqn.2026-11.org.example:evil"
#define OTHER  "iqn.2026-11.org.example:other"
#define DISK1  "iqn.2026-11.org.example:disk1"
#define DISK2  "iqn.2026-11.org.example:disk2"

enum { MODE_TARGET = 1, MODE_DEVICE = 2, MODE_PORTAL = 3, MODE_SESSION = 5, MODE_CONNECTION = 6 };

/* Another answer to one question: a text, an error of tgtd, or a negative errno of the exchange. */
struct answer {
	uint32_t mode, op;
	int64_t number; /* tid or sid */
	const char *text;
	uint32_t error;
	int rc;
	int32_t pid; /* of another process from here on */
};

/* What it says; set up anew for each test. */
extern struct tgt_double {
	const char *scene; /* beginning of the names of the fixtures */
	struct answer answers[8];
	size_t answer_count;
	struct root_peer peer;
	const char *names; /* of the directory, one after the other */
	int name_count;
	struct root_tcp_socket sockets[8];
	ssize_t socket_count; /* or a negative errno */
	ssize_t read_error;   /* of each file, when not 0 */
	const char *other_netns;
	unsigned asked;
	int delay_ms; /* of each answer */
} fake;

/* The last last_poll. */
extern struct tgt_poll {
	struct source_settings settings;
	struct source_env env;
	struct source *source;
	struct collection *collection;
	int units, good;
	int error;
	char message[UNIT_MESSAGE_MAX], unit[UNIT_NAME_MAX], failed_unit[UNIT_NAME_MAX];
	struct fragment *fragment;
	uint64_t wall_ns; /* that it took, as the source says */
} last_poll;

/* For cmocka: a source that has not been polled yet, on an honest tgtd; and its end. */
int tgt_set_up(void **state);
int tgt_tear_down(void **state);

/* One last_poll; `scene` NULL: as before. Returns what collect returned. */
int run(const char *scene);

/* One poll in which the only unit must be good. */
void run_good(const char *scene);

/* Puts an answer in the place of a fixture, until fake.answer_count is set to 0. */
void put_answer(struct answer answer);

/* Adds an established socket, of the local port 32600. */
void put_socket(const char *local, const char *remote, uint16_t remote_port);

/* Replaces all other answers by the counters of a session. */
void put_session(const char *table, int64_t nexus);

#define SESSION_TABLE(nexus, line)                                                               \
	"tgt lun sid x\n  1   0   " nexus " 0\n\n"                                               \
	"sid cid rxdata_octets txdata_octets dataout_pdus datain_pdus cmd_pdus rsp_pdus\n " line \
	"\n"

/* A fixture as text; freed with free. */
char *slurp(const char *name);

/* The objects of the last good last_poll. */
uint32_t count_of(enum object_kind kind);
const char *text_of(const struct opt_str *field); /* "-" unknown */
#define ARRAY_OF(KIND, type) \
	((const struct type *)fragment_array(last_poll.fragment, OBJECT_##KIND))

/* NULL when there is none. */
const struct session *session_of(uint16_t nexus);
const struct connection *connection_of(uint16_t nexus, uint32_t cid);

/* `text` "-": unknown. */
bool is_address(const struct opt_addr *field, const char *text);

/* What the wrapped functions do. */
int double_exchange(const char *socket_path, const void *request, size_t request_length,
	root_answer_length_fn *answer_length, struct buf *answer, struct root_peer *ret_peer);
int double_list(const char *path, struct buf *names);
ssize_t double_tcp_sockets(struct root_tcp_socket **ret);
ssize_t double_read(const char *path, char *out, size_t capacity);
ssize_t double_read_link(const char *path, char *out, size_t capacity);

#endif
