#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The kernel's own stacks on one host: LIO behind a cable, open-iscsi in front of it. Each row of one
# is held against what the other end, iscsiadm or the socket table know of the same session, never
# against the files that it was read from.
. /job/lib.sh
. /job/agent.sh

TARGET=iqn.2026-11.org.example:disk
USER=labuser
SECRET=canary-secret-4Kd
MUTUAL=canary-mutual-8Rt
OPEN_ISCSI=1
LIO_INSTANCE=2
TARGET_LOGIN=$ISCSI_MIB.1.6.2.1

setup_target() {
	lio_disk disk 8 && LIO_IN=in_target lio_target $TARGET 1 10.10.1.2:3260 &&
		lio_lun $TARGET 1 0 disk && lio_acl $TARGET 1 "$INITIATOR" &&
		lio_chap $TARGET 1 "$INITIATOR" $USER $SECRET &&
		lio_chap_mutual $TARGET 1 "$INITIATOR" target $MUTUAL && lio_enable $TARGET 1
}

setup_initiator() {
	iscsiadm -m discovery -t st -p 10.10.1.2 &&
		node_setting $TARGET node.session.auth.authmethod CHAP &&
		node_setting $TARGET node.session.auth.username $USER &&
		node_setting $TARGET node.session.auth.password $SECRET &&
		node_setting $TARGET node.session.auth.username_in target &&
		node_setting $TARGET node.session.auth.password_in $MUTUAL &&
		node_setting $TARGET 'node.conn[0].iscsi.HeaderDigest' CRC32C
}

# said KEY: a value of `iscsiadm -m session -P3`.
said() { iscsiadm -m session -P3 | sed -n "s/^[[:space:]]*$1: //p" | head -n 1; }
truth() { case $1 in Yes | 1) echo 1 ;; *) echo 2 ;; esac }
both_stacks() { row_of "$SESSION.3" 2 $OPEN_ISCSI && row_of "$SESSION.3" 1 $LIO_INSTANCE; }

# check_negotiated: what was negotiated, as iscsiadm has it; both ends must say the same.
check_negotiated() { # WHO ROW
	is "$1: InitialR2T" "$(shown "$SESSION.10.$2")" "$(truth "$(said InitialR2T)")"
	is "$1: ImmediateData" "$(shown "$SESSION.11.$2")" "$(truth "$(said ImmediateData)")"
	is "$1: MaxOutstandingR2T" "$(shown "$SESSION.13.$2")" "$(said MaxOutstandingR2T)"
	is "$1: FirstBurstLength" "$(shown "$SESSION.14.$2")" "$(said FirstBurstLength)"
	is "$1: MaxBurstLength" "$(shown "$SESSION.15.$2")" "$(said MaxBurstLength)"
}

check_initiator() {
	local row=$1 cxn=$1.1 sid local_end
	sid=$(session_dir $TARGET)
	sid=${sid##*session}
	local_end=$(ss -Htn state established dst 10.10.1.2:3260 | awk '{ print $3; exit }')
	is "initiator: target name" "$(shown "$SESSION.5.$row")" "$(said Target | sed 's/ (.*//')"
	is "initiator: ISID of iscsid" "$(shown "$SESSION.7.$row")" \
		"$(printf '00 02 3D %02X %02X %02X' 0 0 "$sid")"
	check_negotiated initiator "$row"
	is "initiator: connection in full feature phase" "$(shown "$CONNECTION.3.$cxn")" 2
	is "initiator: local address" "$(shown "$CONNECTION.5.$cxn")" "$(ipv4_octets "${local_end%:*}")"
	is "initiator: local port" "$(shown "$CONNECTION.7.$cxn")" "${local_end##*:}"
	is "initiator: remote address" "$(shown "$CONNECTION.8.$cxn")" "$(ipv4_octets 10.10.1.2)"
	is "initiator: remote port" "$(shown "$CONNECTION.9.$cxn")" 3260
	is "initiator: header digest" "$(shown "$CONNECTION.12.$cxn")" 4
	is "initiator: data digest" "$(shown "$CONNECTION.13.$cxn")" 3
	is "initiator: what it may send" "$(shown "$CONNECTION.11.$cxn")" \
		"$(said MaxXmitDataSegmentLength)"
	is "initiator: what it receives" "$(shown "$CONNECTION.10.$cxn")" \
		"$(said MaxRecvDataSegmentLength)"
	is "initiator: the login before the agent's start is not counted" \
		"$(shown "$ISCSI_MIB.1.8.2.1.1.${row%.*}")" 0
}

check_target() {
	local row=$1 node=${1%.*} cxn
	cxn=$(sed -n "s/^${CONNECTION//./\\.}\.3\.\($1\.[0-9]*\) .*/\1/p" /out/walk)
	is "target: initiator name" "$(shown "$SESSION.4.$row")" "$INITIATOR"
	is "target: the initiator's ISID" "$(shown "$SESSION.7.$row")" "$(shown "$SESSION.7.$2")"
	check_negotiated target "$row"
	is "target: name of the node" "$(shown "$NODE.2.$node")" "$TARGET"
	is "target: one login accepted" "$(shown "$TARGET_LOGIN.1.$node")" 1
	is "target: no login refused yet" "$(shown "$TARGET_LOGIN.5.$node")" 0
	is "target: address of the initiator" "$(shown "$CONNECTION.8.$cxn")" "$(ipv4_octets 10.10.1.1)"
	is "target: its own length is what the initiator was told" "$(shown "$CONNECTION.10.$cxn")" \
		"$(said MaxXmitDataSegmentLength)"
}

# One refused login counts once, though the kernel counts it twice.
check_refusal() {
	local node=$1
	node_setting $TARGET node.session.auth.password wrong-secret-1
	check "a wrong secret is refused" bash -c "! iscsiadm -m node -T $TARGET --login"
	refused() { [ "$(snmp_get "$TARGET_LOGIN.5.$node")" = 1 ]; }
	check "it is counted as an authentication failure" wait_for 5 refused
	is "and not as a negotiation failure too" "$(snmp_get "$TARGET_LOGIN.6.$node")" 0
	is "the target has one failure in all" "$(snmp_get "$ISCSI_MIB.1.6.1.1.1.$node")" 1
}

check "modules load" lab_modules
check "cables to the namespace of the target" lab_network
check "snmpd offers the AgentX socket" snmpd_start
check "LIO target with ACL and CHAP" setup_target
check "iscsid starts" initiator_start
check "the initiator finds the target" setup_initiator
check "login" login $TARGET
wait_for 10 session_disk $TARGET || give_up "the disk shows up"
agent_start
wait_for 10 both_stacks || give_up "both ends appear over SNMP"
pass "both ends appear over SNMP"
check "the whole MIB can be walked" take_walk
ini=$(row_of "$SESSION.3" 2 $OPEN_ISCSI)
tgt=$(row_of "$SESSION.3" 1 $LIO_INSTANCE)

note "initiator: row $ini, target: row $tgt"
check_initiator "$ini"
check_target "$tgt" "$ini"
is "the kernel has both secrets" \
	"$(cat "$(session_dir $TARGET)"/password{,_in} | sort | paste -sd' ')" "$MUTUAL $SECRET"
check_no_secrets $SECRET $MUTUAL 63.61.6E.61.72.79
for source in open-iscsi lio; do
	reader=$(reader_process $source)
	is "reader $source: no capability" "$(process_status "$reader" CapEff)" 0000000000000000
done
check "logout" logout $TARGET
gone() { [ -z "$(snmp_walk "$SESSION.3")" ]; }
check "both rows are gone" wait_for 5 gone
check_refusal "${tgt%.*}"
kill -TERM "$agent_parent"
check "nothing of the agent is left" wait_for 2 no_agent_processes
tap_end
