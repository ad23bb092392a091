#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The initiator over time: a cable that is cut, a login that nobody sees, a logout, and a kernel
# module that is loaded anew and begins to count its sessions at 1 again.
. /job/lib.sh
. /job/agent.sh

TARGET=iqn.2026-11.org.example:disk
INST=1
AGENT_SOURCES=open-iscsi

setup_target() {
	lio_disk disk 8 && LIO_IN=in_target lio_target $TARGET 1 10.10.1.2:3260 10.10.2.2:3260 &&
		lio_lun $TARGET 1 0 disk && lio_acl $TARGET 1 "$INITIATOR" &&
		echo 0 >"$(lio_tpg $TARGET 1)/attrib/authentication" && lio_enable $TARGET 1
}

setup_initiator() {
	iscsiadm -m discovery -t st -p 10.10.1.2 &&
		node_setting $TARGET 'node.conn[0].iscsi.HeaderDigest' CRC32C &&
		node_setting $TARGET 'node.conn[0].timeo.noop_out_interval' 1 &&
		node_setting $TARGET 'node.conn[0].timeo.noop_out_timeout' 1
}

# cxn_to ADDRESS: the index of the connection with this remote address.
cxn_to() { row_of "$CONNECTION.8" "$(ipv4_octets "$1")" $INST 2>/dev/null; }
# local_port_to ADDRESS: as the table of sockets has it.
local_port_to() { ss -Htn state established dst "$1:3260" | awk '{ sub(/.*:/, "", $3); print $3; exit }'; }
column() { snmp_get "$CONNECTION.$1.$2"; }
column_is() { [ "$(column "$1" "$2")" = "$3" ]; }
both_are_full() { [ "$(snmp_walk "$CONNECTION.3" | awk '$2 == 2' | wc -l)" = 2 ]; }
sessions() { snmp_walk "$SESSION.3" | wc -l; }
sessions_are() { [ "$(sessions)" = "$1" ]; }

check "modules load" lab_modules
check "cables to the namespace of the target" lab_network
check "snmpd offers the AgentX socket" snmpd_start
check "LIO target with two portals" setup_target
check "iscsid starts" initiator_start
check "the initiator finds the target" setup_initiator
check "login over both cables" login $TARGET
agent_start
wait_for 15 both_are_full || give_up "two connections appear over SNMP"
pass "two connections appear over SNMP"
first=$(cxn_to 10.10.1.2) second=$(cxn_to 10.10.2.2)
port=$(local_port_to 10.10.2.2)
is "the local port is that of the socket" "$(column 7 "$second")" "$port"

note "the second cable is cut: connection $second"
check "cut" in_target ip link set tgt2 down
check "its connection leaves full feature phase" wait_for 20 column_is 3 "$second" 1
is "the other one does not" "$(column 3 "$first")" 2
is "it keeps its remote address" "$(column 8 "$second")" "$(ipv4_octets 10.10.2.2)"
is "it keeps its remote port" "$(column 9 "$second")" 3260
is "it keeps its local address" "$(column 5 "$second")" "$(ipv4_octets 10.10.2.1)"
is "it keeps its local port" "$(column 7 "$second")" "$port"
is "it keeps its digest, which the kernel has forgotten" "$(column 12 "$second")" 4
is "the kernel has" "$(cat /sys/class/iscsi_connection/*/header_digest | sort | tr '\n' ' ')" "0 1 "
check "mended" in_target ip link set tgt2 up
in_target ip addr add fd00:2::2/64 dev tgt2 nodad 2>/dev/null
check "it is in full feature phase again, in the same row" wait_for 30 column_is 3 "$second" 2
new_port() { column_is 7 "$second" "$(local_port_to 10.10.2.2)"; }
check "its local port is that of the new socket" wait_for 10 new_port
is "which is another one" "$([ "$(column 7 "$second")" != "$port" ] && echo yes)" yes
is "its digest is that of the new login" "$(column 12 "$second")" 4

note "the agent's reader dies: the rows stay what they are"
kill -KILL "$(reader_process open-iscsi)"
sleep 3
is "the first row" "$(column 8 "$first")" "$(ipv4_octets 10.10.1.2)"
is "the second row" "$(column 8 "$second")" "$(ipv4_octets 10.10.2.2)"

check "logout over the second cable" logout $TARGET 10.10.2.2
check "its row goes" wait_for 5 sessions_are 1
is "the other one stays" "$(column 3 "$first")" 2
check "logout" logout $TARGET
check "the last row goes" wait_for 5 sessions_are 0
check "the instance stays" agent_answers $INST

note "the module is loaded anew"
pkill -x iscsid
unloaded() { modprobe -r iscsi_tcp; rmmod libiscsi_tcp libiscsi scsi_transport_iscsi; [ ! -e /sys/class/iscsi_transport ]; }
check "unloaded" wait_for 20 unloaded
instance_gone() { ! agent_answers $INST; }
check "the instance goes" wait_for 10 instance_gone
check "loaded" modprobe iscsi_tcp
check "iscsid starts again" initiator_start
check "login" login $TARGET 10.10.1.2
is "the kernel counts from 1" "$(ls /sys/class/iscsi_session)" session1
check "its row appears" wait_for 15 sessions_are 1
third=$(cxn_to 10.10.1.2)
is "and is no row of before" "$([ "$third" != "$first" ] && [ "$third" != "$second" ] && echo yes)" yes
kill -TERM "$agent_parent"
check "nothing of the agent is left" wait_for 2 no_agent_processes
tap_end
