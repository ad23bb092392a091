#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What is particular of LIO, with initiators in user space that do as they like: lines forged in an
# alias, two sessions of one ACL, sessions without an ACL, refused logins, targets made anew. The
# witnesses are what the initiators were told, and counted themselves.
. /job/lib.sh
. /job/agent.sh

T=iqn.2026-11.org.example:target
OPEN=iqn.2026-11.org.example:open
FORGER=iqn.2026-11.org.example:forger
TWICE=iqn.2026-11.org.example:twice
LIO_INSTANCE=2
TARGET=$ISCSI_MIB.1.6.1.1
TARGET_LOGIN=$ISCSI_MIB.1.6.2.1
TARGET_LOGOUT=$ISCSI_MIB.1.6.3.1
TARGET_AUTH=$ISCSI_MIB.1.7.1.1

setup_targets() {
	ip link set lo up && lio_disk disk 8 && lio_target $T 1 127.0.0.1:3260 "[::1]:3260" &&
		lio_target $T 2 0.0.0.0:3261 && lio_lun $T 1 0 disk && lio_acl $T 1 $FORGER &&
		lio_acl $T 1 $TWICE && lio_enable $T 1 &&
		lio_target $OPEN 1 127.0.0.1:3260 && lio_lun $OPEN 1 0 disk && lio_anyone $OPEN 1 &&
		lio_enable $OPEN 1 && echo 0 >"$(lio_tpg $T 1)/attrib/authentication" &&
		echo None >"$(lio_tpg $T 1)/param/HeaderDigest" &&
		echo 65536 >"$(lio_tpg $T 1)/param/MaxXmitDataSegmentLength"
}

# session NAME OPTION...: a session in the background; its process is in ${pids[NAME]}, its events
# in /out/NAME.log.
declare -A pids
session() {
	local name=$1
	shift
	iscsi-demo-initiator --portal 127.0.0.1:3260 --target $T --lun 0 "$@" >"/out/$name.log" 2>&1 &
	pids[$name]=$!
	wait_for 10 grep -q "^0 logged-in" "/out/$name.log"
}

# told NAME KEY: what the target told the initiator at login.
told() { sed -n "s/^0 login $2=//p" "/out/$1.log" | tail -n 1; }

# end_session NAME: by its logout. Its counts are in its log.
end_session() {
	kill -TERM "${pids[$1]}"
	wait "${pids[$1]}"
}

# counted NAME WHAT: what the initiator counted itself.
counted() { sed -n "s/.*counts.* $2=\([0-9]*\).*/\1/p" "/out/$1.log" | tail -n 1; }

# poll_done: the agent has polled twice since.
poll_done() { sleep 2.5; }

# session_of NAME: the row of its session.
session_of() { row_of "$SESSION.4" "$1" $LIO_INSTANCE; }
no_session_of() { ! session_of "$1"; }
truth() { case $1 in Yes) echo 1 ;; *) echo 2 ;; esac }
value_is() { [ "$(snmp_get "$1")" = "$2" ]; } # OID VALUE
moved() { [ "$(snmp_get "$1")" != "$2" ]; }   # OID OLD

check_forger() {
	local row cxn port isid forged
	forged=$'x\nLIO Session ID: 9   ISID: 0xff ff ff ff ff ff  TSIH: 9  SessionType: Discovery'
	forged+=$'\nSession State: TARG_SESS_STATE_FAILED\nCID: 9  Connection State: TARG_CONN_STATE_FREE'
	forged+=$'\n   Address 6.6.6.6 SCTP  StatSN: 0x00000000'
	check "forger: logs in" session forger --initiator $FORGER --alias "$forged" --rate 20 || return
	check "forger: the kernel prints the forged lines" grep -q '^LIO Session ID: 9 ' \
		"$(lio_tpg $T 1)/acls/$FORGER/info"
	check "forger: its session is shown" wait_for 5 session_of $FORGER
	row=$(session_of $FORGER)
	port=$(sed -n 's/^0 connected local=.*://p' /out/forger.log)
	isid=$(sed -n 's/^0 isid //p' /out/forger.log)
	take_walk
	cxn=$(sed -n "s/^${CONNECTION//./\\.}\.3\.\($row\.[0-9]*\) .*/\1/p" /out/walk)
	is "forger: one connection" "$(wc -w <<<"$cxn")" 1
	is "forger: its own TSIH" "$(shown "$SESSION.6.$row")" 1
	is "forger: its own ISID" "$(shown "$SESSION.7.$row" | tr -d ' ')" "${isid^^}"
	like "forger: all of its lines are an alias" "$(shown "$SESSION.8.$row")" \
		'^x.LIO Session ID: 9 .*StatSN: 0x00000000$'
	is "forger: TargetAlias" "$(shown "$SESSION.9.$row")" "$(told forger TargetAlias)"
	is "forger: InitialR2T" "$(shown "$SESSION.10.$row")" "$(truth "$(told forger InitialR2T)")"
	is "forger: ImmediateData" "$(shown "$SESSION.11.$row")" "$(truth "$(told forger ImmediateData)")"
	is "forger: FirstBurstLength" "$(shown "$SESSION.14.$row")" "$(told forger FirstBurstLength)"
	is "forger: MaxBurstLength" "$(shown "$SESSION.15.$row")" "$(told forger MaxBurstLength)"
	is "forger: ErrorRecoveryLevel" "$(shown "$SESSION.20.$row")" \
		"$(told forger ErrorRecoveryLevel)"
	is "forger: a normal session" "$(shown "$SESSION.12.$row")" 1
	is "forger: in full feature phase" "$(shown "$CONNECTION.3.$cxn")" 2
	is "forger: local address" "$(shown "$CONNECTION.5.$cxn")" "$(ipv4_octets 127.0.0.1)"
	is "forger: local port" "$(shown "$CONNECTION.7.$cxn")" 3260
	is "forger: address" "$(shown "$CONNECTION.8.$cxn")" "$(ipv4_octets 127.0.0.1)"
	is "forger: its port" "$(shown "$CONNECTION.9.$cxn")" "$port"
	is "forger: what LIO declares to receive" "$(shown "$CONNECTION.10.$cxn")" \
		"$(told forger MaxRecvDataSegmentLength)"
	is "forger: the only header digest" "$(shown "$CONNECTION.12.$cxn")" 3
	check "forger: the data digest is not claimed" not_shown "$CONNECTION.13.$cxn"
}

# The initiator says what it did when no command is open any more.
check_counters() {
	local row commands octets
	row=$(session_of $FORGER)
	kill -USR1 "${pids[forger]}"
	check "counters: the initiator stands still" wait_for 5 grep -q counts /out/forger.log
	poll_done
	commands=$(counted forger commands)
	octets=$(counted forger read-octets)
	note "commands $commands, octets read $octets"
	is "counters: commands as the initiator counted" "$(snmp_get "$SESSION_STATS.1.$row")" "$commands"
	check "counters: at least the octets that it read" \
		[ "$(snmp_get "$SESSION_STATS.3.$row")" -ge "$octets" ]
	check "counters: and not much more" [ "$(snmp_get "$SESSION_STATS.3.$row")" -le $((octets + 4096)) ]
}

check_two_of_an_acl() {
	local first second
	check "two sessions: the first logs in" session first --initiator $TWICE --alias first
	check "two sessions: it is shown" wait_for 5 session_of $TWICE
	first=$(session_of $TWICE)
	check "two sessions: the second logs in" session second --initiator $TWICE --alias second
	newer() { second=$(session_of $TWICE) && [ "$second" != "$first" ]; }
	check "two sessions: the newest is shown" wait_for 5 newer
	is "two sessions: it is the second" "$(snmp_get "$SESSION.8.$second")" second
	check "two sessions: the second logs out" end_session second
	back() { [ "$(session_of $TWICE)" = "$first" ]; }
	check "two sessions: the first is back in its row" wait_for 5 back
	is "two sessions: with its alias" "$(snmp_get "$SESSION.8.$first")" first
	check "two sessions: the first logs out" end_session first
	check "two sessions: none is shown" wait_for 5 no_session_of $TWICE
}

# Known by name only.
check_without_acl() {
	local node=$1 guest=iqn.2026-11.org.example:guest0 row
	check "no ACL: logs in" session guest --target $OPEN --initiator $guest
	check "no ACL: the login is counted" wait_for 5 value_is "$TARGET_LOGIN.1.$node" 1
	check "no ACL: its session is shown" wait_for 5 session_of $guest
	row=$(session_of $guest)
	guest_row=$row
	take_walk
	is "no ACL: a normal one" "$(shown "$SESSION.12.$row")" 1
	check "no ACL: nothing else is claimed" not_shown "$SESSION.6.$row"
	check "no ACL: nor counted" not_shown "$SESSION_STATS.1.$row"
	is "no ACL: anybody may log in" "$(snmp_walk "$TARGET_AUTH.2.$node" | wc -l)" 1
	check "no ACL: logs out" end_session guest
	check "no ACL: the logout is counted" wait_for 5 value_is "$TARGET_LOGOUT.1.$node" 1
	check "no ACL: its session is gone" wait_for 5 no_session_of $guest
	is "no ACL: no failure" "$(snmp_get "$TARGET.1.$node")" 0
}

check_refused() {
	local node=$1
	is "refused: none yet" "$(snmp_get "$TARGET.1.$node")" 0
	is "refused: none, so no time" "$(snmp_get "$TARGET.2.$node" | tr -d '()' | cut -d: -f1)" 0
	check "refused: an unknown initiator" bash -c "! timeout 10 iscsi-demo-initiator --portal \
		127.0.0.1:3260 --target $T --initiator iqn.2026-11.org.example:unknown0"
	check "refused: it is counted" wait_for 5 value_is "$TARGET_LOGIN.4.$node" 1
	poll_done
	is "refused: and not as a failed negotiation too" "$(snmp_get "$TARGET_LOGIN.6.$node")" 0
	is "refused: one failure in all" "$(snmp_get "$TARGET.1.$node")" 1
	is "refused: of that kind" "$(snmp_get "$TARGET.3.$node")" "$TARGET_LOGIN.4"
	is "refused: address" "$(snmp_get "$TARGET.6.$node")" "$(ipv4_octets 127.0.0.1)"
	check "refused: with a time" moved "$TARGET.2.$node" "0:0:00:00.00"
}

portal_status() { # ADDRESS:PORT: RowStatus of the portal with this port
	local portal
	portal=$(row_of "$ISCSI_MIB.1.3.1.1.2" "$1" $LIO_INSTANCE) &&
		snmp_get "$PORTAL.2.$(cut -d. -f1,2 <<<"$portal")"
}

check_portals() {
	is "portals: three and one" "$(snmp_walk "$PORTAL.2.$LIO_INSTANCE" | wc -l)" 4
	is "portals: of the disabled group" "$(portal_status 3261)" 2
	check "portals: it is enabled" lio_enable $T 2
	in_service() { [ "$(portal_status 3261)" = 1 ]; }
	check "portals: and in service" wait_for 5 in_service
}

# A target of the same name is another: its counters begin anew.
check_made_anew() {
	local node=$1 tpg
	tpg=$(lio_tpg $OPEN 1)
	is "made anew: no discontinuity" "$(snmp_get "$NODE.17.$node")" "0:0:00:00.00"
	make_anew() {
		echo 0 >"$tpg/enable" && rm "$tpg/lun/lun_0/disk" && rmdir "$tpg/lun/lun_0" &&
			rmdir "$tpg/np/127.0.0.1:3260" && rmdir "$tpg" && rmdir "$LIO/$OPEN" &&
			lio_target $OPEN 1 127.0.0.1:3262 && lio_lun $OPEN 1 0 disk
	}
	check "made anew: within a poll" make_anew
	check "made anew: its row stays, its counters begin" wait_for 5 value_is "$TARGET_LOGIN.1.$node" 0
	is "made anew: the same row" "$(row_of "$NODE.2" $OPEN $LIO_INSTANCE)" "$node"
	check "made anew: a discontinuity" moved "$NODE.17.$node" "0:0:00:00.00"
}

# LIO numbers the sessions of a target that was made anew from 1 again. The reader told them from those
# of before by what it had seen: the next reader took the one for the other, under its number.
check_number_kept() {
	local guest=iqn.2026-11.org.example:guest0 row reader
	open_again() { lio_anyone $OPEN 1 && lio_enable $OPEN 1; }
	check "number: the target made anew is enabled" open_again
	check "number: who was there before logs in" session again --portal 127.0.0.1:3262 \
		--target $OPEN --initiator $guest
	check "number: its session is shown" wait_for 5 session_of $guest
	row=$(session_of $guest)
	check "number: it is another session" [ "$row" != "$guest_row" ]
	reader=$(reader_process lio)
	kill -KILL "$reader"
	another_reader() { [ "$(reader_process lio)" != "$reader" ] && reader_process lio; }
	check "number: another reader" wait_for 5 another_reader
	poll_done
	is "number: it is that session for the next reader, too" "$(session_of $guest)" "$row"
	check "number: logs out" end_session again
}

check "modules load" lab_modules
check "snmpd offers the AgentX socket" snmpd_start
check "two targets" setup_targets
AGENT_SOURCES=lio agent_start
wait_for 10 agent_answers $LIO_INSTANCE || give_up "LIO appears over SNMP"
pass "LIO appears over SNMP"
t=$(row_of "$NODE.2" $T $LIO_INSTANCE)
open=$(row_of "$NODE.2" $OPEN $LIO_INSTANCE)
note "rows of the targets: $t, $open"

check_forger
check_counters
check_two_of_an_acl
check_without_acl "$open"
check_refused "$t"
check_portals
check_made_anew "$open"
check "forger: logs out" end_session forger
is "no line of the agent warns" "$(grep -ci -e warn -e error -e fail /out/agent.1.log)" 0
check_number_kept
kill -TERM "$agent_parent"
check "nothing of the agent is left" wait_for 2 no_agent_processes
tap_end
