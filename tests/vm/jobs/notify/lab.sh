# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash disable=SC2034,SC2154
# Two targets of the kernel behind two cables, the kernel's initiator, and snmpd that sends what it is
# told to a snmptrapd, which notes when each notification came.
#
# The poll interval is so long that a notification within a second of its event can only come of the
# event itself. The limits of how many may be sent are off: what is sent twice is to be seen.

DISK=iqn.2026-11.org.example:disk # first cable, with CHAP
GONE=iqn.2026-11.org.example:gone # second cable
USER=labuser
SECRET=canary-secret-4Kd
AGENT_SOURCES='open-iscsi lio'
POLL_SECONDS=10
AGENT_SETTINGS="pollInterval $POLL_SECONDS
pollTimeout 10
notifyLimit 0
notifyLimitAll 0
notifyFlapChanges 0"
SNMPD_CONFIG='trapsess -v2c -c public 127.0.0.1:162'

# --- the targets and the initiator ---------------------------------------------------------------

setup_targets() {
	local acl
	lio_disk disk 8 && lio_disk gone 8 || return
	LIO_IN=in_target lio_target $DISK 1 10.10.1.2:3260 10.10.2.2:3260 &&
		lio_lun $DISK 1 0 disk && lio_acl $DISK 1 "$INITIATOR" &&
		lio_chap $DISK 1 "$INITIATOR" $USER $SECRET && lio_enable $DISK 1 || return
	# The target's own pings, which find a lost initiator after 45 s by default.
	acl=$(lio_tpg $DISK 1)/acls/$INITIATOR
	echo 3 >"$acl/attrib/nopin_timeout" && echo 3 >"$acl/attrib/nopin_response_timeout" || return
	LIO_IN=in_target lio_target $GONE 1 10.10.2.2:3260 &&
		lio_lun $GONE 1 0 gone && lio_acl $GONE 1 "$INITIATOR" &&
		echo 0 >"$(lio_tpg $GONE 1)/attrib/authentication" && lio_enable $GONE 1
}

setup_initiator() {
	iscsiadm -m discovery -t st -p 10.10.1.2 && iscsiadm -m discovery -t st -p 10.10.2.2 &&
		iscsiadm -m node -o update -n 'node.conn[0].timeo.noop_out_interval' -v 2 &&
		iscsiadm -m node -o update -n 'node.conn[0].timeo.noop_out_timeout' -v 5 &&
		iscsiadm -m node -T $DISK -p 10.10.2.2 -o delete &&
		node_setting $DISK node.session.auth.authmethod CHAP &&
		node_setting $DISK node.session.auth.username $USER &&
		node_setting $DISK node.session.auth.password $SECRET
}

refused_login() { ! login $DISK; }

# drop_acl TARGET TAG INITIATOR: what lio_acl made.
drop_acl() {
	local acl
	acl=$(lio_tpg "$1" "$2")/acls/$3
	rm -f "$acl"/lun_*/lun_* && rmdir "$acl"/lun_* "$acl"
}

# delete_target TARGET TAG: as an administrator does, with sessions or not.
delete_target() {
	local tpg
	tpg=$(lio_tpg "$1" "$2")
	echo 0 >"$tpg/enable" && drop_acl "$1" "$2" "$INITIATOR" &&
		rm -f "$tpg"/lun/lun_0/gone && rmdir "$tpg"/lun/lun_0 "$tpg"/np/* "$tpg" "$LIO/$1"
}

# --- when ----------------------------------------------------------------------------------------

# mark: what happens from now on is looked at. Puts the kernel's clock and ours side by side.
mark() {
	marks=$((marks + 1))
	mark_time=$EPOCHREALTIME
	echo "job: mark $marks" >/dev/kmsg
	traps_before=$(wc -l </out/traps)
}

# kernel_time REGEX: when the kernel first said this after the mark, by our clock.
kernel_time() {
	dmesg | awk -v mark="job: mark $marks" -v real="$mark_time" -v regex="$1" '
		{ time = $0; sub(/^\[ */, "", time); sub(/\].*/, "", time) }
		index($0, mark) { zero = real - time; seen = 1; next }
		seen && $0 ~ regex { printf "%.6f\n", zero + time; found = 1; exit }
		END { exit !found }'
}


# watch_state FILE: what a file of sysfs says, whenever it changes, with the time.
watch_state() {
	local now before=
	while read -r now <"$1"; do
		[ "$now" = "$before" ] || echo "$EPOCHREALTIME $now"
		before=$now
		nap 0.01
	done
}

# --- notifications -------------------------------------------------------------------------------

TRAP_OID=.1.3.6.1.6.3.1.1.4.1.0
PATH_NOTIFICATION=.1.3.6.1.4.1.8072.9999.9999.7147.1.0
TARGET_LOGIN_FAILURE=$ISCSI_MIB.0.1
INITIATOR_LOGIN_FAILURE=$ISCSI_MIB.0.2
SESSION_FAILURE=$ISCSI_MIB.0.3
PATH_DOWN=$PATH_NOTIFICATION.1
PATH_UP=$PATH_NOTIFICATION.2
PATH_MISSING=$PATH_NOTIFICATION.3
PATH_FOUND=$PATH_NOTIFICATION.4

# Lines of /out/traps: the time, a tab, then "OID VALUE" for each varbind, with tabs between them.
trapd_start() {
	echo 'disableAuthorization yes' >/run/snmptrapd.conf
	: >/out/traps
	MIBS='' setsid snmptrapd -f -C -c /run/snmptrapd.conf -n -m : -M /dev/null -On -Oq -OU -F '%v\n' \
		-Lo udp:127.0.0.1:162 2>/out/snmptrapd.log | while IFS= read -r line; do
		printf '%s\t%s\n' "$EPOCHREALTIME" "$line"
	done >>/out/traps &
	wait_for 10 eval 'ss -Hlun | grep -q "127.0.0.1:162 "'
}

# new_traps: those of the two modules since the mark.
new_traps() {
	tail -n +$((traps_before + 1)) /out/traps |
		grep -e "$TRAP_OID $ISCSI_MIB\.0\." -e "$TRAP_OID $PATH_NOTIFICATION\."
}

traps_of() { new_traps | grep "$TRAP_OID $1	"; } # NOTIFICATION

# has_come NOTIFICATION OID: true when it has, with this varbind; the first one is in $trap, its time in
# $trap_time.
has_come() {
	trap=$(traps_of "$1" | grep "	$2 " | head -n 1)
	trap_time=${trap%%	*}
	[ -n "$trap" ]
}

# names NOTIFICATION...: of all that came since the mark, sorted.
names() { new_traps | sed "s/.*$TRAP_OID \([^	]*\)	.*/\1/" | sort | tr '\n' ' '; }

# varbind OID: its value in $trap; fails when it is not there.
varbind() {
	local bindings value
	IFS=$'\t' read -ra bindings <<<"$trap"
	for value in "${bindings[@]}"; do
		[ "${value%% *}" = "$1" ] && printf '%s\n' "${value#* }" && return
	done
	return 1
}

# as_a_get COUNT: the varbinds of $trap after the first two are so many, and what a GET says, but for the
# OID in $moved, which is something else by now.
moved=
as_a_get() {
	local bindings binding got wrong=0
	IFS=$'\t' read -ra bindings <<<"$trap"
	[ ${#bindings[@]} = $(($1 + 3)) ] || {
		echo "${#bindings[@]} fields, not $(($1 + 3)): $trap"
		return 1
	}
	for binding in "${bindings[@]:3}"; do
		[ "${binding%% *}" != "$moved" ] || continue
		# shellcheck disable=SC2086
		got=$(snmpget $snmp_options -Oq -OU 127.0.0.1 "${binding%% *}")
		[ "${got% }" = "${binding% }" ] || {
			echo "told '$binding', got '$got'"
			wrong=1
		}
	done
	return $wrong
}

# await SECONDS NOTIFICATION OID: until it has come. What looks would be in the way of what comes, so it
# looks when there is something new, and once a second.
await() {
	local until=$((SECONDS + $1)) look
	shift
	while :; do
		: >/run/looked
		has_come "$@" && return
		look=$((SECONDS + 1))
		[ $SECONDS -lt $until ] || return
		until [ /out/traps -nt /run/looked ] || [ $SECONDS -gt $look ]; do
			nap 0.05
		done
		nap 0.2
	done
}

# told WHAT NOTIFICATION OID VARBINDS SECONDS: it comes within the time, with this varbind and as many
# in all, and says what a GET says.
told() {
	check "$1: it comes" await "$5" "$2" "$3"
	check "$1: it says what a GET says" as_a_get "$4"
}

# only WHAT NOTIFICATION...: those came since the mark, and no other, also in one more poll.
only() {
	local what=$1
	shift
	sleep $((POLL_SECONDS + 2))
	is "$what: each comes once, and no other" "$(names)" \
		"$([ $# = 0 ] || printf '%s\n' "$@" | sort | tr '\n' ' ')"
}

# in_time WHAT TIME MS: from what happened, at a TIME that the kernel or another witness told, to the
# arrival of $trap.
in_time() {
	local ms
	[ -n "$2" ] || {
		fail "$1: there is a witness of when"
		return
	}
	ms=$(awk -v from="$2" -v to="$trap_time" 'BEGIN { print int((to - from) * 1000) }')
	note "$1: $ms ms after it happened$([ "$ms" -lt 200 ] && echo ', less than 200')"
	check "$1: it comes in time" test "$ms" -lt "$3"
}
