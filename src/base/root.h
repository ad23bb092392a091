/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only way from a source to the machine. Every file, directory, management socket and socket
 * table that a source reads goes through a `struct root`, so that the same code reads
 *   - the live machine,
 *   - a directory that holds sys/, proc/, etc/, run/, var/ (--root DIR),
 *   - a recording made by --record, read errors included (--root FILE),
 * and so that a recording can be made of any of them.
 *
 * Used in the reader processes and by the one-shot commands. It only reads: nothing is opened for
 * writing, and a path with a component that names a secret is refused before it is opened.
 *
 * Paths are absolute as on the live machine ("/var/run/tgtd/socket.0"); the prefix is the root's
 * business, and symbolic links of a prefix or a recording never lead out of it. Empty and "."
 * components are dropped, ".." is -EINVAL. All functions return 0 or a count, or a negative
 * errno. None blocks on a file of sysfs or configfs longer than the kernel does; those with a
 * deadline keep to it. Only regular files are read: a FIFO, device or socket is -EACCES and not
 * opened, a directory -EISDIR. What a recording does not hold is -ENOENT.
 */
#ifndef BASE_ROOT_H
#define BASE_ROOT_H

#include "base/buf.h"
#include "base/text.h"

struct root;

/* Limits: what a reader accepts from a file or a peer. */
#define ROOT_FILE_MAX	(64u * 1024)	    /* octets of one attribute or small file */
#define ROOT_ANSWER_MAX (32u * 1024 * 1024) /* octets of one answer of a management socket */
#define ROOT_LIST_MAX	200000u		    /* entries of one directory */

/*
 * Opens a root. `path` NULL or "/" is the live machine; a directory is a prefix; a regular file
 * is a recording. Errors: -ENOENT, -ENOTDIR, -EACCES, -ENOMEM, -EBADMSG (not a recording, or
 * damaged; the log names the line). The caller frees it with root_close.
 */
int root_open(const char *path, struct root **ret);

/* Frees; NULL is accepted. */
void root_close(struct root *root);

/* True for the live machine (no prefix, no recording). */
bool root_is_live(const struct root *root);

/*
 * A function to be called after each operation through this root, for what must not wait until a
 * long poll is over (a socket that fills up). It may use the root itself: what it does is followed
 * by a call of it, too, so it guards against that. NULL: none.
 */
typedef void root_between_fn(void *context);
void root_set_between(struct root *root, root_between_fn *between, void *context);

/*
 * Reads a whole file into `out` (capacity octets, NUL added, so at most capacity - 1 are kept).
 * Returns the octets read. -E2BIG when it is longer, -EACCES also for a refused secret, and the
 * errno of open or read otherwise (ENOENT, ENODEV, ENOTCONN, EINVAL … are what sysfs gives for
 * things that went away or have no value). On failure `out` holds the empty string.
 */
ssize_t root_read(struct root *root, const char *path, char *out, size_t capacity);

/*
 * Reads a file that may hold secrets among other lines (iscsid.conf, node records): of its lines
 * `key = value` only those whose key is in `keys` (NULL at its end) are appended to `out`, each
 * with a newline. The rest is wiped before this returns and gets into no recording. For such files
 * this is the only way; what root_path_is_secret refuses for another reason is refused here too. A
 * line ends at any control character but a tab; a key ends at a blank or '='; lines without '=' are
 * left out. `out` is emptied first, and empty on failure. Returns the number of lines, or an error
 * of root_read; -EINVAL when a key is the name of a secret.
 */
ssize_t root_read_filtered(
	struct root *root, const char *path, const char *const keys[], struct buf *out);

/*
 * The target of a symbolic link as text. Same errors as readlink(2), and -E2BIG when it does not
 * fit. Returns its length. On failure `out` holds the empty string.
 */
ssize_t root_read_link(struct root *root, const char *path, char *out, size_t capacity);

/*
 * A file that is read on every poll. On the live machine a file of sysfs stays open from its first
 * read on; after its object went away it is opened anew, so that a read never shows what another
 * open would not (but for objects that the kernel renames, such as network interfaces: read those
 * with root_read). With any other file, or when 16,384 files are open or RLIMIT_NOFILE is nearly
 * used up, root_file_read is root_read. root_file_open does not look for the file: -EINVAL,
 * -ENAMETOOLONG, -EACCES (a secret), -ENOMEM. Close it before the root; NULL is accepted.
 */
struct root_file;
int root_file_open(struct root *root, const char *path, struct root_file **ret);
ssize_t root_file_read(struct root_file *file, char *out, size_t capacity);
void root_file_close(struct root_file *file);

/*
 * Which object of the kernel an open file is of: two calls that give one number other than 0 are
 * about one object, so that what an object keeps for life need not be read again. 0: not known, as
 * with all files that do not stay open.
 */
uint64_t root_file_object(const struct root_file *file);

/*
 * Lists a directory: sorted names without `.` and `..`, one NUL-terminated string after the other
 * in names->data (which may be NULL when there is none). Returns the number of names. -E2BIG
 * above ROOT_LIST_MAX or names->limit. `names` is emptied first, and empty on failure.
 */
int root_list(struct root *root, const char *path, struct buf *names);

/*
 * Which object a directory is: *ret is its inode number on the live machine, 0 below a prefix and
 * in a recording, where that tells nothing. Of use where the kernel gives no number twice: a
 * directory of configfs keeps one for life, and one that is made later in its place has another
 * (get_next_ino(): 2^32 of them, for all of a boot). Returns 0, or an errno of open(2) with *ret 0.
 */
int root_directory_object(struct root *root, const char *path, uint64_t *ret);

/* The process at the other end of a management socket, and when it was started. */
struct root_peer {
	int32_t pid;	     /* 0 when unknown (another pid namespace) */
	uint32_t uid;	     /* effective, when it called listen(2) */
	uint64_t start_time; /* clock ticks since boot, /proc/PID/stat field 22; 0 when unknown */
};

/* How long an answer is: returns its full length in octets once it can be told from the first
 * `have` octets, 0 when more are needed, or -EBADMSG when this cannot be an answer. */
typedef ssize_t root_answer_length_fn(const char *data, size_t have);

/*
 * One request and its answer over a UNIX stream socket: connect, send, receive until
 * `answer_length` is satisfied, close. `answer_length` is called again after each part until it
 * tells a length; octets after that length are cut. A path that begins with '@' is in the
 * abstract namespace, where any user can listen: one who is neither root nor this process's user is
 * asked nothing; below a prefix directory, "@/a/b" is the socket file /@/a/b. In a recording
 * a dialogue is found by the socket and all octets of the request.
 * Never blocks beyond `deadline_ns` (CLOCK_MONOTONIC). `answer` is emptied first; on failure it
 * holds what had come. `ret_peer` may be NULL and is set on success only.
 * Errors: -ENOENT, -ECONNREFUSED (nobody listens), -EACCES (also: a stranger listens), -ETIMEDOUT,
 * -ECONNRESET (the peer closed early), -EBADMSG, -E2BIG (answer->limit), -ENOMEM.
 */
int root_exchange(struct root *root, const char *socket_path, const void *request,
	size_t request_length, root_answer_length_fn *answer_length, uint64_t deadline_ns,
	struct buf *answer, struct root_peer *ret_peer);

/* One TCP socket in state ESTABLISHED, from the network namespace of this process. */
struct root_tcp_socket {
	struct text_address local, remote; /* both ipv4 (IPv4-mapped ones too) or both ipv6 */
	uint16_t local_port, remote_port;
};

/*
 * All established TCP sockets, IPv4 and IPv6, in a new array (*ret freed by the caller). Live:
 * NETLINK_SOCK_DIAG (linux/inet_diag.h); otherwise, and if that is refused, /proc/net/tcp and
 * /proc/net/tcp6 below the root. Sorted. Returns the number of sockets; -ENOENT when there is no
 * table, -ETIMEDOUT, -EBADMSG, -E2BIG, -ENOMEM.
 */
ssize_t root_tcp_sockets(struct root *root, uint64_t deadline_ns, struct root_tcp_socket **ret);

/* What TCP measures on one connection; of an IPv6 link-local one the zone must be known. */
struct root_tcp_info {
	struct root_tcp_socket socket; /* which one */
	bool known;
	uint32_t rtt_us;      /* smoothed round-trip time, µs */
	uint32_t retransmits; /* segments sent again in its life */
};

/*
 * Asks for `count` established sockets of this network namespace, by NETLINK_SOCK_DIAG, several at
 * once; one that is not there is not known. Live machines only: -EOPNOTSUPP for any other
 * root, with nothing known. Returns 0; -ETIMEDOUT, or a negative errno of the kernel, with those
 * known that were answered.
 */
int root_tcp_infos(
	struct root *root, uint64_t deadline_ns, struct root_tcp_info *infos, size_t count);

/*
 * Opens a socket of the kernel's netlink protocol `protocol` that receives its multicast group
 * `group` (1..32), see base/netlink.h; netlink_close frees it. On the live machine only, and not
 * while a recording is made of it (events cannot be replayed): else -ENOENT. Needs CAP_NET_ADMIN
 * (-EPERM), which is raised for it. -EPROTONOSUPPORT: the kernel has no such protocol (now).
 * -ENONET: it has, but in another network namespace. Mind that the kernel loads the module of a
 * protocol that it lacks, and keeps it loaded as long as the socket is open.
 */
struct netlink;
int root_netlink_open(struct root *root, int protocol, unsigned int group, struct netlink **ret);

/*
 * text_to_address and text_to_endpoint for text that was read through `root`: names of zones are
 * looked up in /sys/class/net/NAME/ifindex below it. -ENODEV also when that cannot be read.
 */
int root_to_address(struct root *root, const char *text, struct text_address *ret);
int root_to_endpoint(
	struct root *root, const char *text, struct text_address *ret_address, uint16_t *ret_port);

/*
 * From now on everything that is read through this root, errors included, is also kept; a path
 * read twice keeps the last content. root_record_start again begins anew. root_record_save writes
 * the recording (format: the comment at the head of base/root_tree.c) to `path` of the live
 * machine, mode 0600, through a temporary file and a rename; it can be called more than once.
 * -EINVAL when none was started, -E2BIG or -ENOMEM when it could not be kept.
 */
int root_record_start(struct root *root);
int root_record_save(struct root *root, const char *path);

/*
 * True when `path` has a component that may hold a secret (*password*, *secret*, chap_*, auth/…)
 * or is a file with secrets among other lines (iscsid.conf, node records …): such a file is never
 * opened, the answer is -EACCES; but see root_read_filtered for the latter. The list is in
 * base/root_secret.c. Public for the tests.
 */
bool root_path_is_secret(const char *path);

#endif
