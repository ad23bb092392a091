#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What is done to the kernel's stacks, and the notifications that come of it, at snmptrapd: the right
# one, once, with the values of a GET, and how long after the kernel's own message. A cut cable, logins
# refused for a wrong secret and for no ACL, a deleted target, a path that is missing and found; and
# nothing of what was before the agent began.
. /job/lib.sh
. /job/agent.sh
. /job/lab.sh

OPEN_ISCSI=1
LIO_INSTANCE=2
INITIATOR_NODE=$OPEN_ISCSI.1
PATH_MIB=.1.3.6.1.4.1.8072.9999.9999.7147.1.1
PATH_ROW=$PATH_MIB.3.1
EVENT=$PATH_MIB.8.1
# Failure types are columns of these tables: enough of their names here.
INSTANCE_TIMEOUTS=$ISCSI_MIB.1.1.2.1.2
INTR_LOGIN=$ISCSI_MIB.1.8.2.1
TARGET_LOGIN=$ISCSI_MIB.1.6.2.1

# outbound_path TARGET: the initiator's row; the target, which is on this host, too, has one of its own.
outbound_path() {
	local name value
	while read -r name value; do
		[ "$value" = "\"$1\"" ] && [ "$(snmp_get "$PATH_ROW.4.${name##*.}")" = 2 ] &&
			echo "${name##*.}" && return
	done < <(snmp_walk "$PATH_ROW.6")
	return 1
}

check "modules load" lab_modules
check "cables to the namespace of the target" lab_network
check "snmptrapd listens" trapd_start
check "snmpd offers the AgentX socket" snmpd_start
check "LIO targets" setup_targets
check "iscsid starts" initiator_start
check "the initiator finds them" setup_initiator

note "what was before the agent began"
mark
node_setting $DISK node.session.auth.password wrong-secret-1
check "a login is refused" refused_login
node_setting $DISK node.session.auth.password $SECRET
check "login" login $DISK
check "login" login $GONE
agent_start
check "the agent answers" wait_for 30 agent_answers $LIO_INSTANCE
disk_node=$LIO_INSTANCE.$(row_of "$NODE.2" $DISK $LIO_INSTANCE | sed "s/^$LIO_INSTANCE\.//")
check "the target has counted the refused login" wait_for 15 eval '[ "$(snmp_get "$ISCSI_MIB.1.6.1.1.1.$disk_node")" -ge 1 ]'
disk_path=$(outbound_path $DISK)
gone_path=$(outbound_path $GONE)
only "before"
snmp_walk "$EVENT" >/out/events.start
is "one event: the start" "$(snmp_walk "$EVENT.2" | sed "s/.*\.2\.//")" "1 16"

note "the first cable is cut: pings are not answered"
mark
check "cut" in_target ip link set tgt1 down
told "a failed session" $SESSION_FAILURE "$INSTANCE.10.$OPEN_ISCSI" 3 40
since=$(kernel_time 'detected conn error [(]1022[)]')
in_time "a failed session" "$since" 3000
is "its failure is a timeout" "$(varbind "$INSTANCE.11.$OPEN_ISCSI")" "$INSTANCE_TIMEOUTS"
is "with this target" "$(varbind "$INSTANCE.12.$OPEN_ISCSI")" "\"$DISK\""
told "a path that is down" $PATH_DOWN "$PATH_ROW.2.$disk_path" 7 10
in_time "a path that is down" "$since" 3000
is "it is reconnecting" "$(varbind "$PATH_ROW.2.$disk_path")" 3
is "to this portal" "$(varbind "$PATH_ROW.8.$disk_path")" '"10.10.1.2:3260"'
told "the target's failed session" $SESSION_FAILURE "$INSTANCE.10.$LIO_INSTANCE" 3 60
in_time "the target's failed session" "$(kernel_time 'Did not receive response to NOPIN')" $((POLL_SECONDS * 1000 + 2000))
is "with this initiator" "$(varbind "$INSTANCE.12.$LIO_INSTANCE")" "\"$INITIATOR\""
only "the cut" $SESSION_FAILURE $SESSION_FAILURE $PATH_DOWN

note "mended"
mark
watch_state "$(session_dir $DISK)/state" >/out/state.log &
watcher=$!
check "mended" in_target ip link set tgt1 up
told "a path that is up" $PATH_UP "$PATH_ROW.2.$disk_path" 7 60
kill $watcher
in_time "a path that is up" "$(awk '$2 == "LOGGED_IN" { print $1; exit }' /out/state.log)" 3000
outage=$(varbind "$PATH_ROW.41.$disk_path")
note "outage of $outage ms"
check "after an outage of some seconds" test "$outage" -gt 5000
only "mended" $PATH_UP

note "a wrong secret, at both ends"
check "logout" logout $DISK
mark
node_setting $DISK node.session.auth.password wrong-secret-1
check "the login is refused" refused_login
told "the initiator" $INITIATOR_LOGIN_FAILURE "$ISCSI_MIB.1.8.1.1.1.$INITIATOR_NODE" 6 10
in_time "the initiator" "$(kernel_time 'Security negotiation failed')" 3000
is "it was refused for its authentication" "$(varbind "$ISCSI_MIB.1.8.1.1.3.$INITIATOR_NODE")" "$INTR_LOGIN.4"
is "by this target" "$(varbind "$ISCSI_MIB.1.8.1.1.4.$INITIATOR_NODE")" "\"$DISK\""
is "at this port" "$(varbind "$ISCSI_MIB.1.8.1.1.7.$INITIATOR_NODE")" 3260
told "the target" $TARGET_LOGIN_FAILURE "$ISCSI_MIB.1.6.1.1.1.$disk_node" 6 30
in_time "the target" "$(kernel_time 'Security negotiation failed')" $((POLL_SECONDS * 1000 + 2000))
is "it failed to authenticate" "$(varbind "$ISCSI_MIB.1.6.1.1.3.$disk_node")" "$TARGET_LOGIN.5"
is "from this initiator" "$(varbind "$ISCSI_MIB.1.6.1.1.4.$disk_node")" "\"$INITIATOR\""
only "a wrong secret" $INITIATOR_LOGIN_FAILURE $TARGET_LOGIN_FAILURE
node_setting $DISK node.session.auth.password $SECRET

note "no ACL, at both ends"
check "the ACL is dropped" drop_acl $DISK 1 "$INITIATOR"
mark
check "the login is refused" refused_login
told "the initiator" $INITIATOR_LOGIN_FAILURE "$ISCSI_MIB.1.8.1.1.1.$INITIATOR_NODE" 6 10
in_time "the initiator" "$(kernel_time 'is not authorized to access')" 3000
is "it was refused for its name" "$(varbind "$ISCSI_MIB.1.8.1.1.3.$INITIATOR_NODE")" "$INTR_LOGIN.7"
told "the target" $TARGET_LOGIN_FAILURE "$ISCSI_MIB.1.6.1.1.1.$disk_node" 6 30
in_time "the target" "$(kernel_time 'is not authorized to access')" $((POLL_SECONDS * 1000 + 2000))
is "nobody of this name may log in" "$(varbind "$ISCSI_MIB.1.6.1.1.3.$disk_node")" "$TARGET_LOGIN.4"
only "no ACL" $INITIATOR_LOGIN_FAILURE $TARGET_LOGIN_FAILURE

note "a path that its record wants"
node_setting $GONE node.startup automatic
expected() { [ "$(snmp_get "$PATH_ROW.3.$gone_path")" = 1 ]; }
check "the path is expected" wait_for 90 expected
mark
check "logout" logout $GONE
logged_out=$EPOCHREALTIME
told "a missing path" $PATH_MISSING "$PATH_ROW.2.$gone_path" 6 30
is "it is disconnected" "$(varbind "$PATH_ROW.2.$gone_path")" 2
in_time "a missing path" "$logged_out" 3000
only "logout" $PATH_MISSING
mark
check "login" login $GONE
# A poll in the middle of the login finds a path that is not up yet: that is told when it is.
check "a path that is found: it comes" await 30 $PATH_FOUND "$PATH_ROW.2.$gone_path"
found="$PATH_FOUND "
[ "$(varbind "$PATH_ROW.2.$gone_path")" = 1 ] || {
	moved="$PATH_ROW.2.$gone_path"
	found="$PATH_UP $PATH_FOUND "
}
check "a path that is found: it says what a GET says" as_a_get 6
moved=
sleep $((POLL_SECONDS + 2))
is "login: it is found, and up if it was not yet, and no more" "$(names)" "$found"
node_setting $GONE node.startup manual

note "the other target is deleted while the initiator reads from it"
disk=$(session_disk $GONE)
(while dd if="/dev/$disk" of=/dev/null bs=64k iflag=direct; do :; done) >/dev/null 2>&1 &
reading=$!
mark
check "deleted" delete_target $GONE 1
told "a failed session" $SESSION_FAILURE "$INSTANCE.10.$OPEN_ISCSI" 3 40
in_time "a failed session" "$(kernel_time 'detected conn error')" 3000
is "with this target" "$(varbind "$INSTANCE.12.$OPEN_ISCSI")" "\"$GONE\""
told "a path that is down" $PATH_DOWN "$PATH_ROW.2.$gone_path" 7 10
sleep 10
only "deleted" $SESSION_FAILURE $PATH_DOWN
note "$(snmp_get "$PATH_ROW.37.$gone_path")"
kill $reading

note "at the end"
snmp_walk "$EVENT" >/out/events.end
sent=$(snmp_get $PATH_MIB.2.21.0)
is "as many were sent as came" "$sent" "$(traps_before=0 new_traps | wc -l)"
is "none waits, none was suppressed, none was lost" \
	"$(snmp_get $PATH_MIB.2.22.0) $(snmp_get $PATH_MIB.2.23.0) $(snmp_get $PATH_MIB.2.24.0)" "0 0 0"
check "no secret is told" none_has "$SECRET" /out/traps /out/events.* /out/agent.*.log
check "nor the wrong one" none_has wrong-secret /out/traps /out/events.* /out/agent.*.log
kill -TERM "$agent_parent"
check "nothing of the agent is left" wait_for 2 no_agent_processes
tap_end
