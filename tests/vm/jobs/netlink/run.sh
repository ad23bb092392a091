#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What the initiator counts and learns from the kernel's events, against what was done to it, and its
# statistics against iscsiadm: logins that stand, that are refused for each reason, a lost session, a
# logout, a reader and an agent that are started anew, an iscsid that is killed.
. /job/lib.sh
. /job/agent.sh

TARGET=iqn.2026-11.org.example:disk
USER=labuser
SECRET=canary-secret-4Kd
AGENT_SOURCES=open-iscsi
NODE_OF=1.1 # the only initiator name of the only instance

INST=$ISCSI_MIB.1.1.1.1
INST_ERRORS=$ISCSI_MIB.1.1.2.1
INTR=$ISCSI_MIB.1.8.1.1
INTR_LOGIN=$ISCSI_MIB.1.8.2.1
INTR_LOGOUT=$ISCSI_MIB.1.8.3.1
SESSION_STATS=$ISCSI_MIB.1.10.2.1
SESSION_ERRORS=$ISCSI_MIB.1.10.3.1

setup_target() {
	lio_disk disk 8 && LIO_IN=in_target lio_target $TARGET 1 10.10.1.2:3260 &&
		lio_lun $TARGET 1 0 disk && lio_acl $TARGET 1 "$INITIATOR" &&
		lio_chap $TARGET 1 "$INITIATOR" $USER $SECRET && lio_enable $TARGET 1
}

setup_initiator() {
	iscsiadm -m discovery -t st -p 10.10.1.2 &&
		node_setting $TARGET node.startup automatic &&
		node_setting $TARGET node.session.auth.authmethod CHAP &&
		node_setting $TARGET node.session.auth.username $USER &&
		node_setting $TARGET node.session.auth.password $SECRET &&
		node_setting $TARGET 'node.conn[0].timeo.noop_out_interval' 1 &&
		node_setting $TARGET 'node.conn[0].timeo.noop_out_timeout' 1
}

value_is() { [ "$(snmp_get "$1")" = "$2" ]; }
# counts WHAT: all counters of the initiator's logins and logouts at once, "failures accepts other
# redirects authfail authenticate negotiate authorize logouts".
counts() {
	local column out
	out=$(snmp_get "$INTR.1.$NODE_OF")
	for column in 1 2 3 4 5 6 7; do
		out="$out $(snmp_get "$INTR_LOGIN.$column.$NODE_OF")"
	done
	echo "$out $(snmp_get "$INTR_LOGOUT.1.$NODE_OF")"
}
counts_are() { [ "$(counts)" = "$1" ]; }
# becomes WHAT COUNTS: within 5 s, and not another one a second later.
becomes() {
	local start=$SECONDS
	wait_for 5 counts_are "$2"
	sleep 1
	is "$1" "$(counts)" "$2"
}
session_row() { row_of "$SESSION.3" 2; }
has_session() { [ -n "$(session_row)" ]; }
no_session() { [ -z "$(session_row)" ]; }
# The one path, by its columns.
path_is() { value_is "$PATH_ROW.$1.1" "$2"; } # COLUMN VALUE
path() { snmp_get "$PATH_ROW.$1.1"; }
CONNECTED=1 DISCONNECTED=2 RECONNECTING=3
# Failures, reconnects, last outage, last error.
path_history() { echo "$(path 31) $(path 30) $(path 41) $(path 32)"; }
# The target's own words of the session.
info() { cat "$(lio_tpg $TARGET 1)/acls/$INITIATOR/info"; }
ip_port() { printf '%s ' "$(snmp_get "$INTR.6.$NODE_OF")" "$(snmp_get "$INTR.7.$NODE_OF")"; }
refused_login() { ! login $TARGET; }

check "modules load" lab_modules
check "a cable to the namespace of the target" lab_network
check "snmpd offers the AgentX socket" snmpd_start
check "LIO target with ACL and CHAP" setup_target
check "iscsid starts" initiator_start
check "the initiator finds the target" setup_initiator
agent_start
wait_for 15 agent_answers 1 || give_up "the initiator appears over SNMP"
pass "the initiator appears over SNMP"
wait_for 5 counts_are "0 0 0 0 0 0 0 0 0"
is "nothing has happened yet, discovery is no login of a session" "$(counts)" "0 0 0 0 0 0 0 0 0"

note "a login"
began=$(date +%s%N)
check "login" login $TARGET
wait_for 5 counts_are "0 1 0 0 0 0 0 0 0"
note "counted $((($(date +%s%N) - began) / 1000000)) ms after the command to log in was given"
becomes "one login stands" "0 1 0 0 0 0 0 0 0"
wait_for 5 has_session
row=$(session_row)
is "TSIH, as the target has it" "$(snmp_get "$SESSION.6.$row")" \
	"$(info | sed -n 's/.*TSIH: \([0-9]*\).*/\1/p')"
is "ISID, as the target has it" "$(snmp_get "$SESSION.7.$row")" \
	"$(info | sed -n 's/.*ISID: 0x\([0-9a-f ]*[0-9a-f]\) .*/\1/p' | tr a-f A-F)"
is "the target's alias" "$(snmp_get "$SESSION.9.$row")" \
	"$(cat "$(lio_tpg $TARGET 1)/param/TargetAlias")"

is "its path is connected" "$(path 2)" $CONNECTED
is "and was never lost" "$(path_history)" "0 0  0"
is "its last login was accepted" "$(path 35) $(path 36)" "0 0"

note "statistics"
disk=
got_disk() { disk=$(session_disk $TARGET); }
check "the disk shows up" wait_for 10 got_disk
dd if="/dev/$disk" of=/dev/null bs=64k count=32 iflag=direct 2>/dev/null
dd if=/dev/zero of="/dev/$disk" bs=64k count=16 oflag=direct 2>/dev/null
stat_of() { iscsiadm -m session -s | sed -n "s/^[[:space:]]*$1: \([0-9]*\).*/\1/p" | head -n 1; }
# The pings of every second are octets, too: what is shown lies between two readings of iscsiadm.
between() { # WHAT COLUMN NAME
	local low shown high
	low=$(stat_of "$3")
	sleep 7 # longer than statistics are taken for new
	shown=$(snmp_get "$SESSION_STATS.$2.$row")
	high=$(stat_of "$3")
	note "$1: $low, $shown, $high"
	check "$1" test "$low" -le "$shown" -a "$shown" -le "$high"
}
between "octets sent" 3 txdata_octets
between "octets received" 4 rxdata_octets
between "the low 32 bits of the octets sent" 5 txdata_octets
is "SCSI commands" "$(snmp_get "$SESSION_STATS.1.$row")" "$(stat_of scsicmd_pdus)"
is "SCSI responses" "$(snmp_get "$SESSION_STATS.2.$row")" "$(stat_of scsirsp_pdus)"
check "more than a megabyte was written" test "$(snmp_get "$SESSION_STATS.3.$row")" -gt 1048576
check "NOPs are not counted, and not claimed to be none" hole "$SESSION_STATS.7.$row"

note "the cable is cut: a NOP times out"
tsih=$(snmp_get "$SESSION.6.$row")
is "no session has failed" "$(snmp_get "$INST.10.1")" 0
cut_at=$(date +%s%3N)
check "cut" in_target ip link set tgt1 down
check "one failed session is counted" wait_for 15 value_is "$INST.10.1" 1
is "by its connection's timeout" "$(snmp_get "$INST_ERRORS.2.1")" 1
is "and not by a digest" "$(snmp_get "$INST_ERRORS.1.1")" 0
is "the type names the column" "$(snmp_get "$INST.11.1")" ".1.3.6.1.2.1.142.1.1.2.1.2"
is "the other node's name" "$(snmp_get "$INST.12.1")" "$TARGET"
is "the session has it too" "$(snmp_get "$SESSION_ERRORS.2.$row")" 1
check "its path is reconnecting" wait_for 5 path_is 2 $RECONNECTING
is "one outage of it has begun" "$(path_history)" "1 0  1022"
lost_by=$(date +%s%3N)
sleep 3
mended_at=$(date +%s%3N)
check "mended" in_target ip link set tgt1 up
check "a second login stands" wait_for 30 value_is "$INTR_LOGIN.1.$NODE_OF" 2
check "its path is connected again, under the same number" wait_for 5 path_is 2 $CONNECTED
back_by=$(date +%s%3N)
is "one login has ended an outage" "$(path 31) $(path 30)" "1 1"
note "the outage took $(path 41) ms: more than $((mended_at - lost_by)), less than $((back_by - cut_at))"
check "which took as long as it did" \
	test "$(path 41)" -gt $((mended_at - lost_by)) -a "$(path 41)" -lt $((back_by - cut_at))
is "in the same row" "$(session_row)" "$row"
is "the failure was one" "$(snmp_get "$INST.10.1")" 1
new_tsih() { [ "$(snmp_get "$SESSION.6.$row")" = "$(info | sed -n 's/.*TSIH: \([0-9]*\).*/\1/p')" ]; }
check "its TSIH is the target's new one" wait_for 5 new_tsih
is "which is another one" "$([ "$(snmp_get "$SESSION.6.$row")" != "$tsih" ] && echo yes)" yes
failures=$(snmp_get "$INTR.1.$NODE_OF")
note "logins that failed meanwhile: $failures"

note "the reader is killed, then the whole agent: what was counted stays"
before=$(counts)
history=$(path_history)
answered=$(path 38)
tsih=$(snmp_get "$SESSION.6.$row")
kill -KILL "$(reader_process open-iscsi)"
sleep 3
is "the counters after a new reader" "$(counts)" "$before"
is "the TSIH, which the new reader has not heard" "$(snmp_get "$SESSION.6.$row")" "$tsih"
is "a discontinuity is told" "$([ "$(snmp_get "$INST.13.1")" != 0 ] && echo yes)" yes
is "the history of the path" "$(path_history)" "$history"
is "a discontinuity of it too" "$([ "$(path 48)" != 0 ] && echo yes)" yes
sleep 3 # until it is saved
kill -TERM "$agent_parent"
wait_for 5 no_agent_processes
agent_start
wait_for 15 agent_answers 1
wait_for 5 counts_are "$before"
is "the counters after a restart of the agent" "$(counts)" "$before"
is "the TSIH" "$(snmp_get "$SESSION.6.$(session_row)")" "$tsih"
is "the history of the path" "$(path_history)" "$history"
is "the date of its last login" "$(path 38)" "$answered"
is "the same row" "$(session_row)" "$row"

note "iscsid is killed: the kernel is still asked, and lives"
pkill -KILL -x iscsid
dd if="/dev/$disk" of=/dev/null bs=64k count=8 iflag=direct 2>/dev/null
commands=$(snmp_get "$SESSION_STATS.1.$row")
more_commands() { [ "$(snmp_get "$SESSION_STATS.1.$row")" -gt "$commands" ]; }
dd if="/dev/$disk" of=/dev/null bs=64k count=8 iflag=direct 2>/dev/null
check "statistics go on without it" wait_for 15 more_commands
is "and the reader is the same" "$(reader_process open-iscsi | wc -l)" 1
check "iscsid starts again" initiator_start
# It logs in anew by itself, and refuses to log out until it has.
check "and its login is counted" wait_for 30 value_is "$INTR_LOGIN.1.$NODE_OF" 3

note "logout"
history=$(path_history) # iscsid has logged in anew since: an outage, and no failure
before=($(counts))
lost=$(snmp_get "$INST.10.1")
check "logout" logout $TARGET
wait_for 15 no_session
sleep 1
after=($(counts))
is "one logout" "$((after[8] - before[8]))" 1
is "no failed session" "$(snmp_get "$INST.10.1")" "$lost"
is "its path is expected and missing" "$(path 2) $(path 3)" "$DISCONNECTED 1"
is "and has the history of before" "$(path_history)" "$history"

# refusal WHAT COLUMN TYPE: the next login is refused; the column (2 other … 7 authorize) grows by one.
refusal() { # WHAT COLUMN DETAIL
	local before after column grown=
	before=($(counts))
	check "$1: refused" refused_login
	sleep 2
	after=($(counts))
	is "$1: one failed login" "$((after[0] - before[0]))" 1
	for column in 1 2 3 4 5 6 7; do
		[ "${after[$column]}" = "${before[$column]}" ] || grown="$grown $column:$((after[column] - before[column]))"
	done
	is "$1: counted in its column and no other" "$grown" " $2:1"
	is "$1: the type names it" "$(snmp_get "$INTR.3.$NODE_OF")" ".1.3.6.1.2.1.142.1.8.2.1.$2"
	is "$1: the target's name" "$(snmp_get "$INTR.4.$NODE_OF")" "$TARGET"
	is "$1: its portal" "$(ip_port)" "$(ipv4_octets 10.10.1.2) 3260 "
	is "$1: the missing path says why" "$(path 2) $(path 35) $(path 36)" "$DISCONNECTED 2 $3"
}

note "refused logins"
node_setting $TARGET node.session.auth.password wrong-secret-1
refusal "wrong secret (02/01)" 4 1
node_setting $TARGET node.session.auth.password $SECRET
rmdir "$(lio_tpg $TARGET 1)/acls/$INITIATOR"/lun_* 2>/dev/null
rm -f "$(lio_tpg $TARGET 1)/acls/$INITIATOR"/lun_*/* 2>/dev/null
rmdir "$(lio_tpg $TARGET 1)/acls/$INITIATOR"/lun_* "$(lio_tpg $TARGET 1)/acls/$INITIATOR" 2>/dev/null
refusal "no ACL (02/02)" 7 2
note "at the end: $(counts)"
snmpwalk -v2c -c public -On 127.0.0.1 .1.3.6.1 >/out/walk 2>&1
check "a walk comes to the path's row" grep -F -e "$PATH_ROW.6.1 = STRING: \"$TARGET\"" /out/walk
check "no secret is shown" none_has "$SECRET" /out/walk /out/agent.*.log /var/lib/iscsi-agentx/* /run/iscsi-agentx/*
kill -TERM "$agent_parent"
check "nothing of the agent is left" wait_for 2 no_agent_processes
tap_end
