#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Both stacks of the kernel through all that happens to them, one scenario after the other. After each
# of them witnesses and a walk are taken; the host compares every value (compare.py).
. /job/lib.sh
. /job/agent.sh
. /job/witness.sh

A=iqn.2026-11.org.example:alpha # two portal groups of one portal, CHAP, digests
B=iqn.2026-11.org.example:beta  # one group of two portals, one of them IPv6
C=iqn.2026-11.org.example:gamma # refuses: CHAP
D=iqn.2026-11.org.example:delta # refuses: no ACL
SECOND=iqn.2026-11.org.example:second
USER=labuser
SECRET=canary-secret-4Kd
AGENT_BELOW="$UNIT_CAPABILITIES"

chap() { # TARGET TAG SECRET: of the record, which may be the wrong one
	local key
	for key in "authmethod CHAP" "username $USER" "password $3"; do
		# shellcheck disable=SC2086
		node_setting "$1" node.session.auth.${key% *} "${key#* }" || return
	done
	lio_chap "$1" "$2" "$INITIATOR" $USER $SECRET
}

param() { echo "$4" >"$(lio_tpg "$1" "$2")/param/$3"; } # TARGET TAG NAME VALUE
open_to_acls() { echo 0 >"$(lio_tpg "$1" "$2")/attrib/authentication"; }

setup_targets() {
	local tag
	LIO_IN=in_target
	lio_disk disk 8 || return
	for tag in 1 2; do
		lio_target $A $tag 10.10.$tag.2:3260 && lio_lun $A $tag 0 disk &&
			lio_acl $A $tag $INITIATOR && open_to_acls $A $tag && lio_enable $A $tag || return
	done
	param $A 2 HeaderDigest CRC32C && param $A 2 DataDigest CRC32C && param $A 2 TargetAlias other &&
		lio_target $B 1 10.10.1.2:3260 '[fd00:2::2]:3260' && lio_lun $B 1 0 disk &&
		lio_acl $B 1 $INITIATOR && lio_acl $B 1 $SECOND && open_to_acls $B 1 &&
		param $B 1 ImmediateData No && param $B 1 MaxBurstLength 131072 &&
		param $B 1 InitialR2T No && param $B 1 MaxXmitDataSegmentLength 65536 && lio_enable $B 1 &&
		lio_target $C 1 10.10.1.2:3260 && lio_lun $C 1 0 disk && lio_acl $C 1 $INITIATOR && lio_enable $C 1 &&
		lio_target $D 1 10.10.1.2:3260 && open_to_acls $D 1 && lio_enable $D 1
}

setup_initiator() {
	local tag key
	iscsiadm -m discovery -t st -p 10.10.1.2 || return
	for key in HeaderDigest DataDigest; do
		node_setting $A "node.conn[0].iscsi.$key" CRC32C || return
	done
	chap $A 1 $SECRET && chap $A 2 $SECRET && chap $C 1 wrong-secret-1 || return
	node_setting $A node.session.iscsi.MaxOutstandingR2T 4
	node_setting $B 'node.conn[0].iscsi.MaxRecvDataSegmentLength' 131072
	for tag in $A $B; do
		node_setting $tag 'node.conn[0].timeo.noop_out_interval' 2
		node_setting $tag 'node.conn[0].timeo.noop_out_timeout' 2
	done
}

sessions_are() { [ "$(iscsiadm -m session 2>/dev/null | grep -c ^tcp)" = "$1" ]; }
logged_in_are() { [ "$(cat /sys/class/iscsi_session/*/state | grep -c LOGGED_IN)" = "$1" ]; }
served_are() { [ "$(snmp_walk "$SESSION.3" | wc -l)" = "$1" ]; }

login_both() {
	adm -m node -T $A --login && adm -m node -T $B --login && sessions_are 4 &&
		wait_for 10 session_disk $A && wait_for 10 session_disk $B
}

second_initiator() {
	nsenter --net=/run/netns/target iscsi-demo-initiator --portal 10.10.1.2:3260 --target $B --initiator $SECOND --lun 0 \
		--alias "a second one" --rate 20 >/out/second.log 2>&1 &
	second=$!
	wait_for 10 grep -q "^0 logged-in" /out/second.log
}

transfer() {
	local disk
	for disk in /sys/class/iscsi_session/session*/device/target*/*:0/block/*; do
		dd if="/dev/${disk##*/}" of=/dev/null bs=64k count=16 iflag=direct || return
		dd if=/dev/zero of="/dev/${disk##*/}" bs=64k count=8 oflag=direct || return
	done
	kill -USR1 "$second"
}

refuse() { ! adm -m node -T "$1" --login; } # TARGET

# delete_under_load: beta goes while its disk is read.
delete_under_load() {
	local disk
	disk=$(session_disk $B)
	dd if="/dev/$disk" of=/dev/null bs=4k iflag=direct 2>/dev/null &
	lio_remove $B
}

unload() {
	pkill -x iscsid
	modprobe -r iscsi_tcp
	rmmod libiscsi_tcp libiscsi scsi_transport_iscsi 2>/dev/null
	[ ! -e /sys/class/iscsi_transport ]
}
initiator_gone() { ! agent_answers 1; }

unload_target() {
	local target
	for target in "$LIO"/iqn.*; do
		lio_remove "${target##*/}" || return
	done
	rmdir "$LIO" && wait_for 10 rmmod iscsi_target_mod
}
target_gone() { ! agent_answers 2; }

check "modules load" lab_modules
check "cables to the namespace of the target" lab_network
check "snmpd offers the AgentX socket" snmpd_start
check "targets" setup_targets
echo "InitiatorName=$INITIATOR" >/etc/iscsi/initiatorname.iscsi
witness_start
check "iscsid starts" initiator_start
check "the initiator finds the targets" setup_initiator
AGENT_SETTINGS="pollTimeout 20" # quiet_statistics stops the reader for a moment
agent_start
wait_for 15 agent_answers 1 || give_up "the agent answers"
is "the agent's parent keeps what the unit leaves it" "$(process_status "$agent_parent" CapEff)" 00000000002011e1
collect idle 2.5

check "logins" login_both
check "a second initiator logs in" second_initiator
check "sessions are served" wait_for 10 served_are 8
collect logged-in

check "reads and writes on every disk" transfer
collect input-output

check "a cable is cut" in_target ip link set tgt2 down
check "its sessions are lost" wait_for 20 logged_in_are 2
sleep 2
collect link-cut

check "the cable is mended" in_target ip link set tgt2 up
in_target ip addr add fd00:2::2/64 dev tgt2 nodad
check "all sessions are back" wait_for 30 logged_in_are 4
sleep 2
collect recovered

check "a wrong secret is refused" refuse $C
check "an unknown initiator is refused" refuse $D
echo 0 >"$(lio_tpg $C 1)/enable"
check "a disabled portal group refuses" refuse $C
sleep 2
collect refused

kill -TERM "$agent_parent"
check "the agent ends" wait_for 5 no_agent_processes
agent_start
check "it serves what it did" wait_for 15 served_are 8
collect agent-restarted

pkill -KILL -x iscsid
collect iscsid-killed
check "iscsid starts again" initiator_start
check "all sessions are there" wait_for 30 logged_in_are 4
sleep 10
collect iscsid-back

kill -TERM "$second"
check "a target goes under load" delete_under_load
check "its sessions are lost" wait_for 20 logged_in_are 2
sleep 3
collect target-deleted

check "logout" adm -m node -T $A --logout
# iscsid does not write down a refusal that comes while it logs out, which the agent counts: so just
# after one, with the pause between two logins ahead.
rejections=$(grep -c 'login rejected' $WITNESSES/kernel.log)
another_rejection() { [ "$(grep -c 'login rejected' $WITNESSES/kernel.log)" -gt "$rejections" ]; }
check "its login is refused once more" wait_for 20 another_rejection
check "logout of what is lost" adm -m node -T $B --logout
check "no session is left" wait_for 20 sessions_are 0
sleep 2
collect logged-out 2.5

check "the initiator's modules are unloaded" wait_for 20 unload
check "its instance is gone" wait_for 10 initiator_gone
collect initiator-unloaded 2.5

check "the target's module is unloaded" unload_target
check "its instance is gone" wait_for 10 target_gone
collect all-unloaded 2.5
kill -TERM "$agent_parent"
check "nothing of the agent is left" wait_for 2 no_agent_processes
tap_end
