# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash disable=SC2153,SC2154
# The agent's processes: rights, files, what happens when one dies, and the end of all.

# no_capabilities PID WHAT
no_capabilities() {
	local set
	for set in CapInh CapPrm CapEff CapAmb; do
		is "$2: $set is empty" "$(process_status "$1" $set)" 0000000000000000
	done
	is "$2: can gain nothing by exec" "$(process_status "$1" NoNewPrivs)" 1
}

check_rights() {
	local agent reader user
	user=$(id -u iscsi-agentx)
	agent=$(agent_process)
	reader=$(reader_process tgt)
	is "parent, agent process, saver and reader" "$(agent_processes | wc -l)" 4
	is "the agent process runs as iscsi-agentx" "$(process_status "$agent" Uid)" "$user"
	is "and in its group alone" \
		"$(process_status "$agent" Gid) $(process_status "$agent" Groups)" "$(id -g iscsi-agentx) "
	no_capabilities "$agent" "agent process"
	# tgtd answers its own user and group only.
	is "the reader of tgt is root" "$(process_status "$reader" Uid)" 0
	no_capabilities "$reader" "reader"
	is "reader: CapBnd is empty" "$(process_status "$reader" CapBnd)" 0000000000000000
	is "the agent process has no file of /sys, /proc, /etc or tgt open" \
		"$(find "/proc/$agent/fd" -printf '%l\n' | grep -E '^/(sys|proc|etc|run/tgtd)')" ""
}

check_files() {
	local file=$STATE_DIR/index
	wait_for 5 test -s "$file"
	is "state directory: mode and owner" "$(stat -c '%a %U' "$STATE_DIR")" "700 iscsi-agentx"
	is "state file: mode and owner" "$(stat -c '%a %U' "$file")" "600 iscsi-agentx"
	is "run-time directory: mode and owner" "$(stat -c '%a %U' /run/iscsi-agentx)" \
		"700 iscsi-agentx"
}

# tgtd, the kernel and /etc/iscsi hold two CHAP secrets; the agent must never have seen them.
check_secrets() {
	check_no_secrets $SECRET1 $SECRET2
}

# dies_and_returns WHAT COMMAND...: kills the process that the command prints; another must take
# its place, and the rows must keep their indexes and be fresh.
dies_and_returns() {
	local what=$1 old rows
	shift
	rows=$(session_rows)
	old=$("$@")
	kill -KILL "$old"
	check "$what killed: another one starts" wait_for 3 new_process "$old" "$@"
	check "$what killed: the rows are back with their indexes" wait_for 3 rows_are "$rows"
	check "$what killed: and with counters that move" counters_move
}

# counters_move: reads one block and waits until the agent shows the command.
counters_move() {
	local row before
	row=$(session_row "$TARGET1")
	before=$(snmp_get "$SESSION_STATS.1.$row") || return
	dd if="/dev/$(session_disk "$TARGET1" 1)" of=/dev/null bs=4k count=1 iflag=direct || return
	wait_for 5 counted "$row" $((before + 1))
}

check_deaths() {
	check "two sessions before anything dies" both_rows
	dies_and_returns "agent process" agent_process
	dies_and_returns "reader" reader_process tgt
	local rows
	rows=$(session_rows)
	kill -KILL "$agent_parent"
	wait "$agent_parent" 2>/dev/null
	check "parent killed: no process stays behind" wait_for 1 no_agent_processes
	agent_start
	check "parent killed: a new one serves the same indexes" wait_for 5 rows_are "$rows"
}

# A tgtd that hangs must not keep the agent from answering, and its last rows stay for a while.
check_tgtd_stopped() {
	local took
	kill -STOP "$tgt_pid"
	sleep 3
	took=$(elapsed_ms snmp_walk "$SESSION")
	check "tgtd stopped: a walk takes $took ms" test "$took" -lt 1500
	check "tgtd stopped: the last rows stay" both_rows
	kill -CONT "$tgt_pid"
	check "tgtd goes on: counters move again" wait_for 15 counters_move
}

check_snmpd_restart() {
	local start took
	kill -KILL "$snmpd_pid"
	wait "$snmpd_pid" 2>/dev/null
	snmpd_start
	start=${EPOCHREALTIME/./}
	wait_for 10 agent_answers "$TGT_INSTANCE"
	took=$(((${EPOCHREALTIME/./} - start) / 1000))
	check "snmpd restarted: the rows are back after $took ms" test $took -le 3000
	check "snmpd restarted: with both sessions" both_rows
}

# new_boot: what a reboot does to the agent: an empty /run, another boot_id, tgtd started anew.
new_boot() {
	local id=/proc/sys/kernel/random/boot_id
	logout "$TARGET2" && tgt_stop || return
	kill -TERM "$agent_parent" && wait "$agent_parent" || return
	rm -rf /run/iscsi-agentx
	cat /proc/sys/kernel/random/uuid >/tmp/boot_id
	mount --bind /tmp/boot_id $id
}

# Node numbers outlive a reboot, also when tgtd's configuration has another order since.
check_reboot() {
	local nodes
	nodes="$(node_row "$TARGET1") $(node_row "$TARGET2")"
	like "both targets are nodes" "$nodes" "^[0-9.]+ [0-9.]+$"
	check "new boot: logout, tgtd and agent end" new_boot
	check "new boot: tgtd has the targets in another order" tgt_setup 2 1
	node_setting "$TARGET2" 'node.conn[0].iscsi.HeaderDigest' None
	check "new boot: login without digests" login "$TARGET2"
	is "new boot: tgt's CRC32C was only an offer" \
		"$(cat "$(connection_dir "$TARGET2")/header_digest")" 0
	agent_start
	check "new boot: the session is there" wait_for 10 session_row "$TARGET2"
	is "new boot: the targets keep their node index" \
		"$(node_row "$TARGET1") $(node_row "$TARGET2")" \
		"$nodes"
	check "new boot: header digest is not claimed" \
		hole "$CONNECTION.12.$(connection_row "$(session_row "$TARGET2")")"
	is "new boot: sessions are counted from 1" "$(session_row "$TARGET2")" "${nodes##* }.1"
}

check_end() {
	local took zombies
	kill -TERM "$agent_parent"
	took=$(elapsed_ms wait_for 5 parent_gone)
	check "SIGTERM: the parent has gone after $took ms" test "$took" -le 1000
	wait "$agent_parent"
	is "SIGTERM: exit status" $? 0
	is "SIGTERM: no process is left" "$(agent_processes)" ""
	zombies=$(ps -e -o stat=,comm= | awk "/^Z/")
	is "SIGTERM: no zombie" "$zombies" ""
	check "SIGTERM: the tables have gone from snmpd" wait_for 2 hole "$INSTANCE.2.$TGT_INSTANCE"
	check "snmpd itself lives" snmp_get .1.3.6.1.2.1.1.3.0
	# By name: kernel 6.1 has a warning of its own about logouts (check_flush_dependency).
	is "the kernel says nothing of our processes" \
		"$(dmesg | grep -E 'iscsi-(agentx|r-)')" ""
}

# parent_gone: ended; until `wait` it stays in the table as a zombie of this shell.
parent_gone() {
	local state
	state=$(process_status "$agent_parent" State 2>/dev/null)
	[ -z "$state" ] || [ "$state" = Z ]
}
