/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is never opened, because it holds a password, a key or a CHAP secret. root.c asks before
 * every access, root_dir.c again for the path that symbolic links led to. A line here is a promise
 * of SECURITY.md; take none away.
 *
 * Patterns match one component of the path, without regard to case: written in lower case, `*` is
 * any octets. (fnmatch(3) with FNM_CASEFOLD does the same and took four fifths of all that it cost
 * to read a session.) Names of nodes (iqn., eui., naa.) are chosen by people and are no pattern's
 * business: a target may be called iqn.2003-01.org.example:secrets.
 */
#include "base/root_private.h"

/* Refused with everything below it. */
static const char *const secret_components[] = {
	"*password*",	 /* open-iscsi sysfs password, password_in; LIO auth/password, _mutual */
	"*passwd*",	 /* the same in private spellings; /etc/passwd is no business of ours */
	"*secret*",	 /* iBFT chap-secret, rev-chap-name-secret; ipsec.secrets; chap-secrets */
	"chap_*",	 /* flash nodes: entries of the adapter's CHAP table */
	"*credential*",	 /* systemd and container credentials */
	"incominguser*", /* SCST: name and password on one line */
	"outgoinguser*", /* SCST: the same for the other direction */
	"shadow*",	 /* /etc/shadow and its copies */
	"gshadow*",	 /* the same of groups */
	"*.key",	 /* private keys */
	"*.pem",	 /* often with the private key */
	"environ",	 /* /proc/PID/environ: daemons get secrets this way */
	"kcore",	 /* /proc/kcore: the memory of the machine */
	"mem",		 /* /proc/PID/mem: the memory of a process */
};

/* Files with secrets among other lines: never read as a whole. Directories may be listed. */
static const char *const secret_files[] = {
	"iscsid.conf*",	    /* open-iscsi: node.session.auth.password and discovery… */
	"targets.conf*",    /* tgt: incominguser NAME PASSWORD */
	"saveconfig*.json", /* targetcli: chap_password in clear */
	"scst.conf*",	    /* SCST: IncomingUser "NAME PASSWORD" */
};

/* Directories whose files (not their subdirectories' names) are such files. */
static const char *const secret_directories[] = {
	"nodes",	/* open-iscsi node records, one or two levels down */
	"send_targets", /* open-iscsi discovery records */
	"isns",		/* the same of iSNS discovery */
	"static",	/* the same of static discovery */
	"fw",		/* the same of firmware discovery */
	"slp",		/* the same of SLP discovery */
	"tgt",		/* /etc/tgt/conf.d: tgt's accounts */
};

/* LIO: files of auth/ and discovery_auth/ that are no secret; all others are refused. */
static const char *const auth_directories[] = { "auth", "*_auth" };
static const char *const auth_allowed[] = {
	"userid",		  /* a name, not a secret */
	"userid_mutual",	  /* the same of the target */
	"authenticate_target",	  /* whether CHAP is mutual: 0 or 1 */
	"enforce_discovery_auth", /* 0 or 1 */
};

static bool matches_pattern(const char *text, const char *pattern)
{
	const char *after_star = NULL, *star_ends = NULL;

	while (*text) {
		if (*pattern == '*') {
			after_star = ++pattern;
			star_ends = text;
			if (!*pattern)
				return true;
		} else if (*pattern == *text) {
			pattern++;
			text++;
		} else if (after_star) {
			/* The star takes one octet more, and the rest is tried again. */
			pattern = after_star;
			text = ++star_ends;
		} else {
			return false;
		}
	}
	return !*pattern || (*pattern == '*' && !pattern[1]);
}

static bool matches(const char *component, const char *const *patterns, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (matches_pattern(component, patterns[i]))
			return true;
	}
	return false;
}

#define MATCHES(component, table) matches(component, table, ARRAY_SIZE(table))

/* One that is in lower case. */
static bool is_node_name(const char *component)
{
	return strncmp(component, "iqn.", 4) == 0 || strncmp(component, "eui.", 4) == 0 ||
	       strncmp(component, "naa.", 4) == 0;
}

static void lower(char *out, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		out[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] - 'A' + 'a' : text[i]);
	out[length] = '\0';
}

enum root_refusal root_path_refusal(const char *path)
{
	/* Where a directory `static` or `tgt` is no other's: below etc/ or var/lib/. */
	bool config = strncmp(path, "/etc/", 5) == 0 || strncmp(path, "/var/", 5) == 0;
	enum root_refusal refusal = ROOT_ALLOWED;
	bool below_auth = false;

	while (*path) {
		char component[NAME_MAX + 1];
		size_t length;

		path += strspn(path, "/");
		length = strcspn(path, "/");
		if (length == 0)
			break;
		if (length > NAME_MAX)
			return ROOT_REFUSED; /* no such file can be */
		lower(component, path, length);
		path += length;
		if (below_auth && !MATCHES(component, auth_allowed))
			return ROOT_REFUSED;
		if (is_node_name(component))
			continue;
		if (MATCHES(component, secret_components))
			return ROOT_REFUSED;
		if (MATCHES(component, auth_directories))
			below_auth = true;
		if (MATCHES(component, secret_files) ||
			(config && MATCHES(component, secret_directories)))
			refusal = ROOT_REFUSED_FILE;
	}
	return refusal;
}

bool root_path_is_secret(const char *path)
{
	return root_path_refusal(path) != ROOT_ALLOWED;
}
