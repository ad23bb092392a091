#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The probe beside a session in use: the kernel's initiator reads from a LIO target all the time,
# while the agent logs in to the same portals of the same target. A login with the name and ISID of
# that session would end it; with its name alone LIO would show the probe instead of it. Neither may
# happen. The witnesses are LIO, the socket table, sysfs and the reads.
. /job/lib.sh
. /job/agent.sh

TARGET=iqn.2026-11.org.example:disk
CLOSED=iqn.2026-11.org.example:closed
PROBE=iqn.2026-11.org.example:probe
AGENT_SOURCES=open-iscsi,lio,probe
PATH_MIB=.1.3.6.1.4.1.8072.9999.9999.7147.1.1
SOURCE=$PATH_MIB.6.1
TRY=$PATH_MIB.7.1

OK=1 REFUSED=2 CONNECTION_REFUSED=6
HEALTH_ERROR=3

setup_targets() {
	lio_disk disk 8 && LIO_IN=in_target lio_target $TARGET 1 10.10.1.2:3260 10.10.2.2:3260 &&
		lio_lun $TARGET 1 0 disk && lio_acl $TARGET 1 "$INITIATOR" &&
		lio_acl $TARGET 1 $PROBE &&
		echo 0 >"$(lio_tpg $TARGET 1)/attrib/authentication" && lio_enable $TARGET 1 &&
		LIO_IN=in_target lio_target $CLOSED 1 10.10.1.2:3260 && lio_lun $CLOSED 1 0 disk &&
		lio_acl $CLOSED 1 "$INITIATOR" && lio_enable $CLOSED 1
}

# configure LINE...: what the agent reads beside the file that agent_start writes.
configure() { printf '%s\n' "$@" >/etc/snmp/iscsi-agentx.local.conf; }

# --- witnesses -----------------------------------------------------------------------------------

info() { cat "$(lio_tpg $TARGET 1)/acls/$1/info"; } # INITIATOR
# tsih INITIATOR: of the session that LIO shows for its ACL.
tsih() { info "$1" | sed -n 's/.*TSIH: \([0-9]*\).*/\1/p'; }
logged_in() { info "$1" | grep -q TARG_SESS_STATE_LOGGED_IN; }
logged_out() { ! logged_in "$1"; }
# session_socket: the local port of the session's connection.
session_socket() { ss -Htn state established dst 10.10.1.2:3260 | awk '{ sub(/.*:/, "", $3); print $3 }'; }
conn_errors() { dmesg | grep -ci 'conn error\|connection[0-9]*:0: detected\|recovery timed out'; }

# Reads the disk, not its cache, until /run/stop is there; a line for each read.
read_all_the_time() {
	while [ ! -e /run/stop ]; do
		dd if="/dev/$1" of=/dev/null bs=64k count=4 iflag=direct status=none 2>>/out/reads.errors &&
			echo read >>/out/reads
	done
}
reads() { wc -l </out/reads; }
goes_on() { # reads go on, from now
	local before
	before=$(reads)
	more() { [ "$(reads)" -gt $((before + 3)) ]; }
	wait_for 10 more
}

# undisturbed WHEN
undisturbed() {
	is "$1: LIO shows the same session of the initiator" "$(tsih "$INITIATOR")" "$session_tsih"
	is "$1: over the same connection" "$(session_socket)" "$session_port"
	is "$1: the session is logged in" "$(cat "$session/state")" LOGGED_IN
	is "$1: it is the same" "$(session_dir $TARGET)" "$session"
	is "$1: no connection error in the kernel's log" "$(conn_errors)" 0
	is "$1: no read has failed" "$(cat /out/reads.errors)" ""
	check "$1: reads go on" goes_on
}

# --- the agent's view ----------------------------------------------------------------------------

try_of() { # PORTAL TARGET: its row
	local index
	for index in $(snmp_walk $TRY.4 | awk -v portal="\"$1\"" '$2 == portal { sub(/.*\./, "", $1); print $1 }'); do
		[ "$(snmp_get "$TRY.8.$index")" = "$2" ] && echo "$index" && return
	done
	return 1
}
result_of() { snmp_get "$TRY.2.$(try_of "$1" "$2")"; }
has_result() { result_of "$1" "$2"; }
# not_ok PORTAL: the cable was up a moment ago, so the result is what it was until the next try.
# One that cannot be had is not another one.
not_ok() {
	local result
	result=$(result_of "$1" $TARGET) && [[ $result =~ ^[0-9]+$ && $result != "$OK" ]]
}
# outbound and inbound
session_rows_are() { [ "$(snmp_walk "$SESSION.3.1" | wc -l) $(snmp_walk "$SESSION.3.2" | wc -l)" = "$1" ]; }
source_state() { snmp_get "$SOURCE.4.$(row_of $SOURCE.2 probe)"; }
source_is() { [ "$(source_state)" = "$1" ]; }
source_error() { snmp_get "$SOURCE.5.$(row_of $SOURCE.2 probe)"; }

check "modules load" lab_modules
check "cables to the namespace of the target" lab_network
check "snmpd offers the AgentX socket" snmpd_start
check "LIO targets" setup_targets
check "iscsid starts" initiator_start
check "the initiator finds the target" iscsiadm -m discovery -t st -p 10.10.1.2
check "login" login $TARGET 10.10.1.2
disk() { session_disk $TARGET; }
check "its disk is there" wait_for 10 disk
session=$(session_dir $TARGET)
session_tsih=$(tsih "$INITIATOR")
session_port=$(session_socket)
note "session $session, TSIH $session_tsih, port $session_port, disk $(disk)"
: >/out/reads
: >/out/reads.errors
read_all_the_time "$(disk)" &
reader=$!
undisturbed "before"

note "the probe logs in to the same target over both cables, and is refused by another one"
configure "probe 10.10.1.2 $TARGET" "probe 10.10.2.2 $TARGET" "probe 10.10.1.2 $CLOSED" \
	"probe 10.10.1.2" "probe 10.10.1.2:3269" "probe [fd00:1::2]" "probeTimeout 20" \
	"probeInitiatorName $PROBE"
agent_start
for place in "10.10.1.2:3260 $TARGET" "10.10.2.2:3260 $TARGET" "10.10.1.2:3260 $CLOSED" \
	"10.10.1.2:3260 " "10.10.1.2:3269 "; do
	check "$place: a try is over" wait_for 40 has_result "${place% *}" "${place#* }"
done
is "the first portal" "$(result_of 10.10.1.2:3260 $TARGET)" $OK
is "the second portal, which has no session" "$(result_of 10.10.2.2:3260 $TARGET)" $OK
row=$(try_of 10.10.1.2:3260 $TARGET)
is "its login status" "$(snmp_get "$TRY.14.$row")/$(snmp_get "$TRY.15.$row")" 0/0
is "its portal group tag" "$(snmp_get "$TRY.20.$row")" 1
is "its alias" "$(snmp_get "$TRY.19.$row")" "$(tr -d '\0\n' <"$(lio_tpg $TARGET 1)/param/TargetAlias")"
like "the time of a NOP-Out, µs" "$(snmp_get "$TRY.13.$row")" '^[1-9][0-9]*$'
is "the name that it logs in with" "$(snmp_get "$TRY.9.$row")" $PROBE
is "a target without an ACL for it" "$(result_of 10.10.1.2:3260 $CLOSED)" $REFUSED
row=$(try_of 10.10.1.2:3260 $CLOSED)
like "with the status of that" "$(snmp_get "$TRY.14.$row")/$(snmp_get "$TRY.15.$row")" '^2/[23]$'
is "a discovery" "$(result_of 10.10.1.2:3260 "")" $OK
like "and how many targets" "$(snmp_get "$TRY.17.$(try_of 10.10.1.2:3260 "")")" '^[12]$'
is "a port on which nobody listens" "$(result_of 10.10.1.2:3269 "")" $CONNECTION_REFUSED
check "the probe has logged out" wait_for 10 logged_out $PROBE
undisturbed "after the probe"
check "both ends of the session are rows, and no other session is" wait_for 5 session_rows_are "1 1"
is "no try is left" "$(pgrep -c iscsi-probe)" 0
kill -TERM "$agent_parent"
check "nothing of the agent is left" wait_for 5 no_agent_processes

note "the records of open-iscsi are tried when that is asked for"
configure "probeKnownPaths yes" "probeTimeout 20" "probeInterval 30" "probeInitiatorName $PROBE"
agent_start
check "the portal of the session" wait_for 40 has_result 10.10.1.2:3260 $TARGET
check "the portal without one" wait_for 40 has_result 10.10.2.2:3260 $TARGET
is "both" "$(result_of 10.10.1.2:3260 $TARGET) $(result_of 10.10.2.2:3260 $TARGET)" "$OK $OK"
is "as records" "$(snmp_get "$TRY.10.$(try_of 10.10.2.2:3260 $TARGET)")" 2
undisturbed "after the records"

note "a portal whose cable is cut"
check "cut" ip link set ini2 down
check "no try of it succeeds any more" wait_for 90 not_ok 10.10.2.2:3260
kill -TERM "$agent_parent"
check "nothing of the agent is left" wait_for 5 no_agent_processes

note "with the initiator's own name nothing is tried"
configure "probe 10.10.1.2 $TARGET" "probeInitiatorName $INITIATOR"
agent_start
check "the source says that it does not" wait_for 15 source_is $HEALTH_ERROR
like "and why" "$(source_error)" 'own sessions'
is "no row" "$(snmp_walk $TRY.2 | wc -l)" 0
undisturbed "with its own name"
rm /etc/iscsi/initiatorname.iscsi
kill -TERM "$agent_parent"
check "nothing of the agent is left" wait_for 5 no_agent_processes
agent_start
check "nor when only the session has it" wait_for 15 source_is $HEALTH_ERROR
undisturbed "with the name of its session"
kill -TERM "$agent_parent"
check "nothing of the agent is left" wait_for 5 no_agent_processes

touch /run/stop
wait $reader
note "$(reads) times 256 KiB were read"
tap_end
