# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash disable=SC2034,SC2154
# Two targets of one tgtd with different settings, and the kernel's initiator logged in to both.
#
#	         target 1 (defaults of tgt)   target 2
#	InitialR2T        Yes                 No: what was negotiated depends on the initiator
#	ImmediateData     Yes: likewise       No
#	HeaderDigest      None                CRC32C
#	MaxRecvDataSeg.   8192                16384

INITIATOR_ADDRESS=10.20.0.1
TARGET_ADDRESS=10.20.0.2
TARGET1=iqn.2026-11.org.example:one
TARGET2=iqn.2026-11.org.example:two
SECRET1=first-secret-7Jq
SECRET2=second-secret-9Xw
TGT_INSTANCE=3
# The kernel's initiator is the witness here, not what is shown.
AGENT_SOURCES=tgt

# Both ends are this host; the second address of a subnet is reached from the first.
tgt_network() {
	ip link add lab0 type dummy && ip addr add $INITIATOR_ADDRESS/24 dev lab0 &&
		ip addr add $TARGET_ADDRESS/24 dev lab0 && ip link set lab0 up
}

target_setting() { # TID NAME VALUE
	tgtadm --lld iscsi --mode target --op update --tid "$1" --name "$2" --value "$3"
}

# tgt_setup TID1 TID2: starts tgtd with the two targets under these numbers.
tgt_setup() {
	tgt_start $TARGET_ADDRESS:3260 &&
		tgt_target "$1" $TARGET1 16 && tgt_allow "$1" "$INITIATOR" &&
		tgt_chap "$1" user1 $SECRET1 &&
		tgt_target "$2" $TARGET2 16 && tgt_allow "$2" ALL &&
		tgt_chap "$2" user2 $SECRET2 &&
		target_setting "$2" InitialR2T No && target_setting "$2" ImmediateData No &&
		target_setting "$2" HeaderDigest CRC32C &&
		target_setting "$2" MaxRecvDataSegmentLength 16384
}

initiator_setup() {
	iscsiadm -m discovery -t st -p $TARGET_ADDRESS || return
	local n target secret
	for n in 1 2; do
		target=TARGET$n secret=SECRET$n
		node_setting "${!target}" node.session.auth.authmethod CHAP &&
			node_setting "${!target}" node.session.auth.username user$n &&
			node_setting "${!target}" node.session.auth.password "${!secret}" || return
	done
	node_setting $TARGET2 'node.conn[0].iscsi.HeaderDigest' CRC32C
}

# logins: logs in, and keeps what tgtd sends meanwhile in /out/tgtd.strace (its first thread does
# the network).
logins() {
	local tracer rc
	strace -xx -s 48 -e trace=write,send,sendto,sendmsg,writev -o /out/tgtd.strace \
		-p "$tgt_pid" &
	tracer=$!
	wait_for 10 grep '^TracerPid:.*[1-9]' "/proc/$tgt_pid/status"
	login $TARGET1 && login $TARGET2
	rc=$?
	kill $tracer
	wait $tracer
	return $rc
}

# wire_tsih SID: the TSIH in the final Login Response (opcode 0x23, T bit, next stage 3) to the
# session with this sid, whose ISID is 00 02 3d and the sid: octets 8..13, the TSIH is 14..15.
wire_tsih() {
	local isid octet='\\x[0-9a-f][0-9a-f]'
	isid=$(printf '\\\\x%02x' 0 2 $((0x3d)) $(($1 >> 16)) $(($1 >> 8 & 255)) $(($1 & 255)))
	sed -n "s/.*\"\\\\x23\\\\x8[37]\($octet\)\{6\}$isid\\\\x\(..\)\\\\x\(..\).*/\2\3/p" \
		/out/tgtd.strace | tail -n 1 | { read -r hex && echo $((16#$hex)); }
}

# initiator_port TARGET: of the connection to this target, as the socket table has it; the target's
# own entry for the same connection must be there, too.
initiator_port() {
	local port
	port=$(cat "$(connection_dir "$1")/local_port") &&
		ss -Htn state established src "$INITIATOR_ADDRESS:$port" dst $TARGET_ADDRESS:3260 |
		grep -q . &&
		ss -Htn state established src $TARGET_ADDRESS:3260 dst "$INITIATOR_ADDRESS:$port" |
		grep -q . && echo "$port"
}

# commands_sent SID: SCSI commands of this session by the initiator's own count.
commands_sent() {
	iscsiadm -m session -r "$1" -s | awk '$1 == "scsicmd_pdus:" { print $2 }'
}
