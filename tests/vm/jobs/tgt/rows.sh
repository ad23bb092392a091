# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash disable=SC2153,SC2154
# The rows of tgt's sessions and connections against independent witnesses.

# node_row TARGET: index "instance.node" of the target's node.
node_row() { row_of "$NODE.2" "$1" "$TGT_INSTANCE"; }

# session_row TARGET: index "instance.node.session" of the row of the session to this target.
session_row() {
	local node
	node=$(node_row "$1") && row_of "$SESSION.4" "$INITIATOR" "$node"
}

# session_rows: the indexes of all sessions, as "3.1.1 3.2.2 ".
session_rows() {
	snmp_walk "$SESSION.4" | while read -r name _; do
		printf '%s ' "${name#"$SESSION.4."}"
	done
}

# both_rows: two sessions are shown; rows_are ROWS: these are.
both_rows() { [[ $(session_rows) == *" "*" " ]]; }

rows_are() { [ "$(session_rows)" = "$1" ]; }

# connection_row SESSION_ROW: index of its first connection.
connection_row() {
	snmp_walk "$CONNECTION.3.$1" | awk -v entry="$CONNECTION.3." \
		'NR == 1 { print substr($1, length(entry) + 1); found = 1 } END { exit !found }'
}

# truth 0|1: as TruthValue, true(1) or false(2).
truth() { echo $((2 - $1)); }

# digest 0|1: as IscsiDigestMethod, noDigest(3) or crc32c(4).
digest() { echo $((3 + $1)); }

check_instance() {
	check "the whole MIB can be walked" take_walk
	is "instance: its number of sessions is what sysfs has" \
		"$(shown "$INSTANCE.9.$TGT_INSTANCE")" "$(find /sys/class/iscsi_session/ -type l | wc -l)"
	is "no session of another instance" \
		"$(grep "^$SESSION.3." /out/walk | grep -vc "^$SESSION.3.$TGT_INSTANCE.")" 0
}

# check_session 1|2: every claim about the session and its connection that somebody else knows too.
check_session() {
	local target=TARGET$1 row sysfs connection cxn sid port
	target=${!target}
	row=$(session_row "$target")
	cxn=$(connection_row "$row")
	sysfs=$(session_dir "$target")
	connection=$(connection_dir "$target")
	sid=${sysfs##*session}
	port=$(initiator_port "$target")
	note "target $1: row $row, connection $cxn, sid $sid, port $port"

	is "session $1: inbound" "$(shown "$SESSION.3.$row")" 1
	is "session $1: initiator name as in initiatorname.iscsi" "$(shown "$SESSION.4.$row")" \
		"$(sed -n 's/^InitiatorName=//p' /etc/iscsi/initiatorname.iscsi)"
	is "session $1: the TSIH of the Login Response" "$(shown "$SESSION.6.$row")" \
		"$(wire_tsih "$sid")"
	is "session $1: connections as in sysfs" "$(shown "$SESSION.16.$row")" \
		"$(find /sys/class/iscsi_connection/ -name "connection$sid:*" | wc -l)"
	is "session $1: MaxOutstandingR2T as negotiated" "$(shown "$SESSION.13.$row")" \
		"$(cat "$sysfs/max_outstanding_r2t")"
	is "session $1: DataSequenceInOrder as negotiated" "$(shown "$SESSION.18.$row")" \
		"$(truth "$(cat "$sysfs/data_seq_in_order")")"
	is "session $1: DataPDUInOrder as negotiated" "$(shown "$SESSION.19.$row")" \
		"$(truth "$(cat "$sysfs/data_pdu_in_order")")"
	is "session $1: ErrorRecoveryLevel as negotiated" "$(shown "$SESSION.20.$row")" \
		"$(cat "$sysfs/erl")"
	check_what_follows "$1" "$row" "$sysfs" "$cxn" "$connection"

	is "connection $1: CID" "$(shown "$CONNECTION.2.$cxn")" "${connection##*:}"
	is "connection $1: full feature phase" "$(shown "$CONNECTION.3.$cxn")" 2
	is "connection $1: local address" "$(shown "$CONNECTION.5.$cxn")" \
		"$(ipv4_octets "$(cat "$connection/persistent_address")")"
	is "connection $1: local port" "$(shown "$CONNECTION.7.$cxn")" \
		"$(cat "$connection/persistent_port")"
	is "connection $1: remote address" "$(shown "$CONNECTION.8.$cxn")" \
		"$(ipv4_octets "$INITIATOR_ADDRESS")"
	check_remote_port "$1" "$cxn" "$port"
	is "connection $1: the length that the initiator was told" \
		"$(shown "$CONNECTION.10.$cxn")" "$(cat "$connection/max_xmit_dlength")"
	is "connection $1: data digest" "$(shown "$CONNECTION.13.$cxn")" \
		"$(digest "$(cat "$connection/data_digest")")"
}

# tgt tells its own settings, not what was negotiated. Only the values that one side can enforce
# follow from them; for the others the agent must show nothing.
check_what_follows() { # N ROW SESSION_DIR CONNECTION_ROW CONNECTION_DIR
	if [ "$1" = 1 ]; then
		is "session 1: InitialR2T as negotiated" "$(shown "$SESSION.10.$2")" \
			"$(truth "$(cat "$3/initial_r2t")")"
		is "connection 1: header digest as negotiated" "$(shown "$CONNECTION.12.$4")" \
			"$(digest "$(cat "$5/header_digest")")"
		check "session 1: ImmediateData is not claimed" not_shown "$SESSION.11.$2"
	else
		check "session 2: InitialR2T is not claimed" not_shown "$SESSION.10.$2"
		is "session 2: ImmediateData as negotiated" "$(shown "$SESSION.11.$2")" \
			"$(truth "$(cat "$3/immediate_data")")"
		# HeaderDigest=CRC32C in tgt means "also CRC32C": check_reboot logs in without.
		check "connection 2: header digest is not claimed" not_shown "$CONNECTION.12.$4"
	fi
	check "session $1: FirstBurstLength is not claimed" not_shown "$SESSION.14.$2"
	check "session $1: MaxBurstLength is not claimed" not_shown "$SESSION.15.$2"
}

# Two connections from one address to one portal: nothing in tgt's answers tells which socket
# belongs to which session. The right port or none.
check_remote_port() { # N CONNECTION_ROW PORT
	local port
	if port=$(shown "$CONNECTION.9.$2"); then
		is "connection $1: remote port as in the socket table" "$port" "$3"
	else
		pass "connection $1: ambiguous remote port is not claimed"
	fi
}

# The first session must count exactly the commands that the initiator sends.
check_counters() {
	local row sid disk before after sent octets
	row=$(session_row "$TARGET1")
	sid=$(session_dir "$TARGET1")
	sid=${sid##*session}
	disk=/dev/$(session_disk "$TARGET1" 1)
	sleep 2
	before=$(snmp_get "$SESSION_STATS.1.$row")
	octets=$(snmp_get "$SESSION_STATS.3.$row")
	sent=$(commands_sent "$sid")
	dd if="$disk" of=/dev/null bs=4k count=100 iflag=direct 2>/dev/null
	sent=$(($(commands_sent "$sid") - sent))
	check "dd makes the initiator send commands" test $sent -ge 100
	wait_for 5 counted "$row" $((before + sent))
	after=$(snmp_get "$SESSION_STATS.1.$row")
	is "session 1: command PDUs grow by as many" $((after - before)) $sent
	check "session 1: octets sent grow by the data at least" \
		test $(($(snmp_get "$SESSION_STATS.3.$row") - octets)) -ge 409600
	check "session 1: response PDUs, which tgt does not count, are not claimed" \
		hole "$SESSION_STATS.2.$row"
}

counted() { [ "$(snmp_get "$SESSION_STATS.1.$1")" -ge "$2" ]; } # ROW COUNT

check_logout() {
	local row2
	row2=$(session_row "$TARGET2")
	check "logout from the first target" logout "$TARGET1"
	check "its session row goes" wait_for 4 no_row "$TARGET1"
	is "the other keeps its index" "$(session_row "$TARGET2")" "$row2"
	is "and its connection row is the only one" "$(snmp_walk "$CONNECTION.3" | wc -l)" 1
	is "with its remote port, which is now certain" \
		"$(snmp_get "$CONNECTION.9.$(connection_row "$row2")")" "$(initiator_port "$TARGET2")"
}

# no_row TARGET: the agent answers, and has no such session.
no_row() { agent_answers "$TGT_INSTANCE" && ! session_row "$1"; }
