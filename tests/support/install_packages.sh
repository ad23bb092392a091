#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# install_packages.sh [-n] SECTION...
#
# Installs what is missing of the sections of .ci/packages, with apt-get, as root or through sudo.
# Does nothing, and asks for nothing, when all is there. -n only says what is missing.
#
# snmpd, snmptrapd, snmptt, tgt, icinga2, PostgreSQL and those of Prometheus and Zabbix are services. They
# are not started by the installation: systemctl is told not to talk to process 1 (SYSTEMD_OFFLINE), and
# on sysvinit the run level given is that of a single user (RUNLEVEL). Both are variables of this one
# apt-get, so there is nothing to put back afterwards. Like on any Debian machine they are enabled, which
# means from the next boot on; the last line says how to prevent that. A service that runs already is
# left alone.
#
# Exit status: 0 all is there (or this is no Debian: then the names are printed), 1 something could
# not be installed, 2 wrong usage.
set -u

say() {
	echo "install_packages.sh: $*" >&2
}

list=$(dirname "$0")/../../.ci/packages
dry=
if [ "${1-}" = -n ]; then
	dry=1
	shift
fi
if [ $# -eq 0 ]; then
	say "usage: install_packages.sh [-n] SECTION...; sections:" \
		$(sed -n 's/^\[\(.*\)\]$/\1/p' "$list")
	exit 2
fi

wanted=
for section; do
	names=$(awk -v section="[$section]" '
		/^\[/ { inside = $0 == section; next }
		inside && NF && $1 !~ /^#/ { print $1 }' "$list")
	if [ -z "$names" ] || [ "$section" = download ]; then
		say "no section '$section' to install in .ci/packages"
		exit 2
	fi
	wanted="$wanted $names"
done

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
	say "no Debian here: nothing is installed. Needed, by Debian's names:" $wanted
	exit 0
fi

missing=
services=
for name in $wanted; do
	status=$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)
	[ "$status" = installed ] && continue
	case " $missing " in *" $name "*) continue ;; esac
	missing="$missing $name"
	# By the names of their units.
	case $name in
	snmpd | snmptt | tgt | prometheus* | postgresql) services="$services $name" ;;
	snmptrapd) services="$services snmptrapd.socket" ;;
	icinga2-bin) services="$services icinga2" ;;
	zabbix-server-pgsql) services="$services zabbix-server" ;;
	esac
done
[ -n "$missing" ] || exit 0

if [ -n "$dry" ]; then
	say "missing:$missing"
	exit 1
fi

root=
if [ "$(id -u)" -ne 0 ]; then
	if ! command -v sudo >/dev/null; then
		say "missing:$missing; neither root nor sudo, so please: apt-get install$missing"
		exit 1
	fi
	root=sudo
fi

install() {
	$root env DEBIAN_FRONTEND=noninteractive SYSTEMD_OFFLINE=1 RUNLEVEL=1 NEEDRESTART_SUSPEND=1 \
		apt-get -qq -y --no-install-recommends -o Dpkg::Use-Pty=0 install $missing >"$log" 2>&1
}

say "installing:$missing"
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
trap 'exit 1' HUP INT TERM
if ! install; then
	# The lists of a fresh machine or container are old or not there.
	$root apt-get -qq update >>"$log" 2>&1
	if ! install; then
		cat "$log" >&2
		say "failed; by hand: apt-get install$missing"
		exit 1
	fi
fi
if [ -n "$services" ]; then
	say "not started:$services; they start at the next boot, unless: systemctl disable$services"
fi
exit 0
