#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# fetch_smi.sh DIRECTORY
#
# Puts the standard SMI modules that ISCSI-MIB imports into DIRECTORY, for smilint and smidump,
# which want the real ones (mibs/base is for net-snmp only). Debian's main section has them in one
# package, erlang-snmp, with ".mib" at the end of their names, which smilint does not look for. It
# is downloaded and unpacked, not installed; if it is installed, it is used as it is.
#
# Does nothing when all modules are there. Exit status 0; else 1 and the reason on stderr.
set -u

modules='SNMPv2-SMI SNMPv2-TC SNMPv2-CONF SNMPv2-MIB SNMP-FRAMEWORK-MIB INET-ADDRESS-MIB'

fail() {
	echo "fetch_smi.sh: $*" >&2
	exit 1
}

have_all() { # DIRECTORY SUFFIX
	for module in $modules; do
		[ -s "$1/$module$2" ] || return 1
	done
}

[ $# -eq 1 ] || fail "usage: fetch_smi.sh DIRECTORY"
target=$1
have_all "$target" '' && exit 0

scratch=$(mktemp -d) || fail "cannot make a temporary directory"
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM

found=
for directory in /usr/lib/erlang/lib/snmp-*/mibs; do
	have_all "$directory" .mib && found=$directory
done

if [ -z "$found" ]; then
	command -v apt-get >/dev/null || fail "no apt-get to download erlang-snmp, and it is not installed"
	(cd "$scratch" && apt-get -qq -o APT::Sandbox::User=root -o Acquire::http::Timeout=20 \
		download erlang-snmp) \
		>"$scratch/log" 2>&1 ||
		fail "cannot download erlang-snmp: $(tail -n 1 "$scratch/log")"
	dpkg-deb -x "$scratch"/erlang-snmp_*.deb "$scratch/package" 2>"$scratch/log" ||
		fail "cannot unpack erlang-snmp: $(tail -n 1 "$scratch/log")"
	for directory in "$scratch"/package/usr/lib/erlang/lib/snmp-*/mibs; do
		have_all "$directory" .mib && found=$directory
	done
	[ -n "$found" ] || fail "this erlang-snmp lacks some of: $modules"
fi

mkdir -p "$target" || fail "cannot make $target"
for module in $modules; do
	# Complete or not at all, also with two of these at once.
	new=$target/.$module.$$
	cp "$found/$module.mib" "$new" || fail "cannot write $new"
	mv -f "$new" "$target/$module" || fail "cannot write $target/$module"
done
