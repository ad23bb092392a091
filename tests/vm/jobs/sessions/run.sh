#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Many sessions: 1, 100, 200. At each count all values are compared (compare.py), and what reading them
# costs is measured beside what `iscsiadm -m session -P3` costs: system calls, and time of the processor
# (of an emulated machine: five times that of a real one, and the same for both).
. /job/lib.sh
. /job/agent.sh
. /job/witness.sh

TARGETS=10
STEPS="1 100 200"
AGENT_BELOW="$UNIT_CAPABILITIES"
name() { echo "iqn.2026-11.org.example:many$1"; }

setup_targets() {
	local n t
	LIO_IN=in_target
	for ((n = 0; n < TARGETS; n++)); do
		t=$(name $n)
		lio_target "$t" 1 10.10.1.2:3260 && lio_acl "$t" 1 $INITIATOR &&
			echo 0 >"$(lio_tpg "$t" 1)/attrib/authentication" && lio_enable "$t" 1 || return
	done
}

setup_initiator() {
	iscsiadm -m discovery -t st -p 10.10.1.2 && iscsiadm -m node -o update -n node.session.scan -v manual &&
		iscsiadm -m node -o update -n 'node.conn[0].timeo.noop_out_interval' -v 0 &&
		iscsiadm -m node -o update -n 'node.conn[0].timeo.noop_out_timeout' -v 0
}

sessions() { find /sys/class/iscsi_session -name 'session*' | wc -l; }

# grow N: until there are N sessions, spread over the targets.
grow() {
	local n want
	if [ "$1" = 1 ]; then
		adm -m node -T "$(name 0)" --login
		return
	fi
	want=$(($1 / TARGETS))
	for ((n = 0; n < TARGETS; n++)); do
		iscsiadm -m node -T "$(name $n)" -o update -n node.session.nr_sessions -v $want || return
		adm -m node -T "$(name $n)" --login || return
	done
	[ "$(sessions)" = "$1" ]
}

served_are() { [ "$(snmp_walk "$SESSION.3.1" | wc -l)" = "$1" ]; }

# --- what it costs -------------------------------------------------------------------------------

report() {
	note "$*"
	echo "$*" >>/out/report
}

# processor_ms COMMAND...: time of the processor, its own and the kernel's for it.
processor_ms() {
	local TIMEFORMAT='%U %S'
	{ time "$@" >/dev/null 2>&1; } 2>&1 | awk '{ printf "%d", ($1 + $2) * 1000 }'
}

run_ns() { awk '{ print $1 }' "/proc/$1/schedstat"; }
# In the private module: polls of the source open-iscsi, as the agent counts them.
SOURCE=.1.3.6.1.4.1.8072.9999.9999.7147.1.1.6.1
polls() { snmp_get "$SOURCE.9.$(row_of $SOURCE.2 open-iscsi)"; }
polls_are() { [ "$(polls)" -ge "$1" ]; }
# total_calls FILE: of a summary of strace, without those for the time: on a real machine they are none.
total_calls() {
	awk '$2 == "total" { n += $1 } $2 == "clock_gettime" { n -= $1 } END { print n }' "$1"
}

# steady READER: of one poll, the mean of twelve: system calls and microseconds of the processor. Every
# fifth asks for statistics.
steady() {
	local from before tracer
	from=$(polls)
	before=$(run_ns "$1")
	wait_for 120 polls_are $((from + 12))
	steady_us=$((($(run_ns "$1") - before) / 1000 / ($(polls) - from)))
	strace -c -U calls,name -o /out/steady -p "$1" 2>/dev/null &
	tracer=$!
	sleep 1
	from=$(polls)
	wait_for 120 polls_are $((from + 12))
	kill -TERM $tracer
	wait $tracer
	steady_calls=$(($(total_calls /out/steady) / ($(polls) - from + 1)))
}

# measure N: one line of the report.
measure() {
	local once="iscsi-agentx -C -c /tmp/once.conf --once" first_ms iscsiadm_calls iscsiadm_ms reader
	printf 'sources open-iscsi\npollTimeout 60\n' >/tmp/once.conf
	# shellcheck disable=SC2086
	{
		strace -f -c -U calls,name -o /out/first $once >/dev/null 2>&1
		first_ms=$(processor_ms $once)
	}
	strace -f -c -U calls,name -o /out/iscsiadm iscsiadm -m session -P3 >/dev/null 2>&1
	iscsiadm_calls=$(total_calls /out/iscsiadm)
	iscsiadm_ms=$(processor_ms iscsiadm -m session -P3)
	reader=$(reader_process open-iscsi)
	steady "$reader"
	report "$1 sessions: first poll $(total_calls /out/first) calls, $first_ms ms (the program's start" \
		"among them); steady poll $steady_calls calls, $steady_us us; iscsiadm -m session -P3" \
		"$iscsiadm_calls calls, $iscsiadm_ms ms"
	is "$1 sessions: the reader is the same" "$(reader_process open-iscsi)" "$reader"
	check "$1 sessions: a poll makes fewer calls than iscsiadm" test "$steady_calls" -gt 0 -a \
		"$steady_calls" -lt "$iscsiadm_calls"
	if [ "$1" -ge 100 ]; then
		check "$1 sessions: less than a fifth of iscsiadm's" test $((steady_calls * 5)) -lt \
			"$iscsiadm_calls"
		check "$1 sessions: and less than a tenth of its time" test $((steady_us / 100)) -lt \
			"$iscsiadm_ms"
	fi
}

check "modules load" lab_modules
check "cables to the namespace of the target" lab_network
check "snmpd offers the AgentX socket" snmpd_start
check "targets" setup_targets
echo "InitiatorName=$INITIATOR" >/etc/iscsi/initiatorname.iscsi
witness_start
check "iscsid starts" initiator_start
check "the initiator finds the targets" setup_initiator
AGENT_SETTINGS="pollTimeout 60" # quiet_statistics and strace make the reader slow
agent_start
wait_for 15 agent_answers 1 || give_up "the agent answers"
for count in $STEPS; do
	began=${EPOCHREALTIME/./}
	check "$count sessions log in" grow "$count"
	note "in $(((${EPOCHREALTIME/./} - began) / 1000)) ms"
	check "$count sessions are served" wait_for 15 served_are "$count"
	collect "$count-sessions"
	measure "$count"
done
check "logout" adm -m node --logoutall=all
check "no session is served" wait_for 20 served_are 0
collect logged-out 2.5
kill -TERM "$agent_parent"
check "nothing of the agent is left" wait_for 2 no_agent_processes
tap_end
