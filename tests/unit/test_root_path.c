/* SPDX-License-Identifier: BSD-2-Clause */
/* Which paths base/root.h refuses for a secret, and where links lead by their text alone. */
#include "base/root_private.h"
#include "tests/support/handmade.h"
#include "tests/support/scratch.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void secrets_are_known_by_their_paths(void **state)
{
	static const char *const secret[] = { "/sys/class/iscsi_session/session1/password",
		"/sys/class/iscsi_session/session1/password_in", "/a/old_PASSWORD.txt", "/x/passwd",
		"/sys/kernel/config/target/iscsi/iqn.x/tpgt_1/auth/password",
		"/sys/kernel/config/target/iscsi/iqn.x/tpgt_1/auth/unheard_of",
		"/sys/kernel/config/target/iscsi/iqn.x/tpgt_1/acls/iqn.y/auth/password_mutual",
		"/sys/kernel/config/target/iscsi/discovery_auth/password",
		"/sys/firmware/ibft/target0/chap-secret", "/etc/ppp/chap-secrets", "/x/chap_secret",
		"/etc/iscsi/iscsid.conf", "/etc/iscsi/iscsid.conf.dpkg-old",
		"/etc/iscsi/nodes/iqn.2001-04.com.example:a/192.0.2.1,3260,1/default",
		"/var/lib/iscsi/send_targets/192.0.2.1,3260/st_config", "/etc/tgt/targets.conf",
		"/etc/tgt/conf.d/a.conf", "/etc/target/saveconfig.json", "/etc/scst.conf",
		"/sys/kernel/scst_tgt/targets/iscsi/iqn.a/IncomingUser1", "/etc/shadow-",
		"/proc/1/environ", "/etc/ssl/private/x.key", "/secret/a/b", "/a/naa.b/password",
		"/iqn.x/auth/iqn.secret" };
	static const char *const open[] = { "/", "/sys/class/iscsi_session/session1/username",
		"/sys/kernel/config/target/iscsi/iqn.x/tpgt_1/auth",
		"/sys/kernel/config/target/iscsi/iqn.x/tpgt_1/auth/userid",
		"/sys/kernel/config/target/iscsi/iqn.x/tpgt_1/attrib/authentication",
		"/sys/kernel/config/target/iscsi/iqn.x/tpgt_1/param/AuthMethod",
		"/sys/kernel/config/target/iscsi/iqn.2003-01.org.example:secret-passwords/tpgt_1/enable",
		"/etc/iscsi/initiatorname.iscsi", "/var/lib/iscsi/ifaces/default",
		"/var/run/tgtd/socket.0", "/sys/class/net/static/ifindex", "/proc/net/tcp",
		"/sys/devices/system/node/nodes/x" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(secret); i++) {
		if (!root_path_is_secret(secret[i]))
			fail_msg("%s may be opened", secret[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(open); i++) {
		if (root_path_is_secret(open[i]))
			fail_msg("%s may not be opened", open[i]);
	}
}

static void append(char path[256], const char *text)
{
	size_t used = strlen(path);

	snprintf(path + used, 256 - used, "%s", text);
}

/* Octets that could lead a search for a word astray: parts of the words, in either case. */
static void append_noise(uint64_t *seed, char path[256])
{
	static const char *const parts[] = { "pass", "P", "sec", "se", "creden", "cre", "w", "s",
		"x", ".", "pem", "KEY", "_au", "\303\244", "*", "-" };

	for (uint64_t n = handmade_chance(seed, 5); n > 0; n--)
		append(path, parts[handmade_chance(seed, ARRAY_SIZE(parts))]);
}

static void change_case(uint64_t *seed, char *text)
{
	for (; *text; text++) {
		if (handmade_chance(seed, 2))
			*text = (char)toupper((unsigned char)*text);
	}
}

/* Each word is found wherever it may be in a component, and nothing is that has none. */
static void a_word_is_found_in_any_noise(void **state)
{
	static const struct {
		const char *word;
		bool first, last; /* must be the first, the last of its component */
	} words[] = { { "password", false, false }, { "passwd", false, false },
		{ "secret", false, false }, { "credential", false, false },
		{ "chap_", true, false }, { "incominguser", true, false },
		{ "shadow", true, false }, { ".key", false, true }, { ".pem", false, true },
		{ "kcore", true, true } };
	uint64_t seed = 1;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		size_t at = handmade_chance(&seed, ARRAY_SIZE(words));
		bool with = i % 2;
		char path[256] = "/sys/class/";

		if (!with || !words[at].first)
			append_noise(&seed, path);
		if (with)
			append(path, words[at].word);
		if (!with || !words[at].last)
			append_noise(&seed, path);
		if (!with)
			append(path, "_"); /* not the last of it: .pem, .key */
		change_case(&seed, path + strlen("/sys/class/"));
		append(path, "/state");
		if (root_path_is_secret(path) != with)
			fail_msg("%s %s be opened", path, with ? "may" : "may not");
	}
}

static void directories_of_node_records_may_be_listed(void **state)
{
	CLEANUP_BUF struct buf names = BUF_INIT(4096);
	struct root *root;
	char text[256];

	(void)state;
	scratch_begin();
	scratch_dir("/secrets"); /* the prefix itself may have any name */
	scratch_dir("/secrets/etc");
	scratch_dir("/secrets/etc/iscsi");
	scratch_dir("/secrets/etc/iscsi/nodes");
	scratch_text("/secrets/etc/iscsi/nodes/iqn.a", "node.session.auth.password = CANARY\n");
	assert_int_equal(root_open(scratch_path("/secrets"), &root), 0);
	assert_int_equal(root_list(root, "/etc/iscsi/nodes", &names), 1);
	assert_int_equal(root_read(root, "/etc/iscsi/nodes/iqn.a", text, sizeof(text)), -EACCES);
	assert_string_equal(text, "");
	scratch_dir("/secrets/etc/password");
	assert_int_equal(root_list(root, "/etc/password", &names), -EACCES);
	root_close(root);
	scratch_end();
}

/* Paths that root_resolve cannot be led out of, whatever the links are. */
static ssize_t link_for_test(void *context, const char *path, char *out, size_t capacity)
{
	const char *target = NULL;

	(void)context;
	if (strcmp(path, "/up") == 0)
		target = "../../..";
	else if (strcmp(path, "/abs") == 0)
		target = "/x/./y//z";
	else if (strcmp(path, "/d/rel") == 0)
		target = "../abs";
	else if (strcmp(path, "/nothing") == 0)
		target = "";
	else if (strcmp(path, "/self") == 0)
		target = "self/self";
	if (!target || strlen(target) > capacity)
		return -EINVAL;
	memcpy(out, target, strlen(target));
	return (ssize_t)strlen(target);
}

static void links_resolve_by_their_text(void **state)
{
	static const struct {
		const char *in, *out;
		bool follow;
		int rc;
	} cases[] = {
		{ "/", "/", true, 0 },
		{ "/a/b", "/a/b", true, 0 },
		{ "/up", "/", true, 0 },
		{ "/up", "/up", false, 0 },
		{ "/up/up/a", "/a", true, 0 },
		{ "/d/rel", "/x/y/z", true, 0 },
		{ "/d/rel", "/d/rel", false, 0 },
		{ "/d/rel/w", "/x/y/z/w", false, 0 },
		{ "/nothing", "", true, -ENOENT },
		{ "/self", "", true, -ELOOP },
		{ "/d/rel/../../..", "/", true, 0 },
	};
	char out[PATH_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(
			root_resolve(out, cases[i].in, cases[i].follow, link_for_test, NULL),
			cases[i].rc);
		if (cases[i].rc == 0)
			assert_string_equal(out, cases[i].out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secrets_are_known_by_their_paths),
		cmocka_unit_test(a_word_is_found_in_any_noise),
		cmocka_unit_test(directories_of_node_records_may_be_listed),
		cmocka_unit_test(links_resolve_by_their_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
