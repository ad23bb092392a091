# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash disable=SC2034
# Sourced after lib.sh by the jobs that run the agent: its processes, and its tables over SNMP.

ISCSI_MIB=.1.3.6.1.2.1.142
# The entries of the tables: column C of row R is ENTRY.C.R.
INSTANCE=$ISCSI_MIB.1.1.1.1
INSTANCE_STATS=$ISCSI_MIB.1.1.2.1
PORTAL=$ISCSI_MIB.1.2.1.1
NODE=$ISCSI_MIB.1.5.1.1
SESSION=$ISCSI_MIB.1.10.1.1
SESSION_STATS=$ISCSI_MIB.1.10.2.1
CONNECTION=$ISCSI_MIB.1.11.1.1

# ISCSI-PATH-MIB
PRIVATE_MIB=.1.3.6.1.4.1.8072.9999.9999.7147.1.1
PATH_ROW=$PRIVATE_MIB.3.1

STATE_DIR=/var/lib/iscsi-agentx

# --- processes -----------------------------------------------------------------------------------

# What a unit leaves the parent: to become the agent's user and to drop the rest, to give it its
# folders, to end what runs as that user, and what the reader of open-iscsi raises for single calls.
UNIT_CAPABILITIES="setpriv --no-new-privs --inh-caps=-all --bounding-set=-all,+setuid,+setgid,+setpcap,+chown,+kill,+net_admin,+sys_admin"

# agent_configure [LINE...]: the configuration: a short poll interval, the sources of $AGENT_SOURCES
# (all of them without it), the lines in $AGENT_SETTINGS, and these lines.
agent_configure() {
	mkdir -p /etc/snmp
	printf '%s\n' 'pollInterval 1' "sources ${AGENT_SOURCES:-all}" "${AGENT_SETTINGS:-}" "$@" \
		>/etc/snmp/iscsi-agentx.conf
}

# agent_start: as a service manager does, with default paths, below the command $AGENT_BELOW if there
# is one (it must end by executing the agent). The n-th start logs to /out/agent.n.log. The parent's
# process is $agent_parent.
agent_starts=0
agent_start() {
	agent_starts=$((agent_starts + 1))
	agent_configure
	# shellcheck disable=SC2086
	setsid ${AGENT_BELOW:-} /usr/sbin/iscsi-agentx -f -Lf /out/agent.$agent_starts.log &
	agent_parent=$!
}

# agent_process: the process that talks to the master. It and the readers are children of the
# parent, known by the names that ps(1) shows.
agent_process() { pgrep -P "$agent_parent" -x iscsi-agentx-a; }

# A name of a process has at most 15 characters.
reader_process() { pgrep -P "$agent_parent" -x "$(printf '%.15s' "iscsi-r-$1")"; } # SOURCE

# agent_processes: all of them, also orphans; fails when there is none.
agent_processes() {
	ps -e -o pid=,comm= | awk '$2 ~ /^iscsi-(agentx|r-)/ { print $1; n++ } END { exit !n }'
}

no_agent_processes() { ! agent_processes; }

# process_status PID FIELD: the first value of a line of /proc/PID/status.
process_status() { awk -v field="$2:" '$1 == field { print $2 }' "/proc/$1/status"; }

# memory_of PID: what it may write to, which is where all that it has read is.
memory_of() {
	local area mode rest from
	while read -r area mode rest; do
		[[ $mode == rw* ]] || continue
		from=0x${area%-*}
		dd if="/proc/$1/mem" bs=4096 skip=$((from / 4096)) \
			count=$(((0x${area#*-} - from) / 4096)) 2>/dev/null
	done <"/proc/$1/maps"
}

# check_no_secrets SECRET...: not in walks, messages, files, nor in the memory of a process of the agent,
# which is what a core would hold.
check_no_secrets() {
	local secret pid where
	check "the whole MIB can be walked" take_walk
	snmp_walk $PRIVATE_MIB >/out/walk.private
	for pid in $agent_parent $(pgrep -P "$agent_parent"); do
		memory_of "$pid" >"/tmp/memory.$(<"/proc/$pid/comm")"
	done
	for secret in "$@"; do
		where=$(grep -l -r -F "$secret" /out/walk* /out/agent.*.log $STATE_DIR /run/iscsi-agentx /tmp/memory.*)
		is "the secret $secret is nowhere" "$where" ""
	done
	check "memory could be looked into" grep -q -F "$INITIATOR" /tmp/memory.iscsi-agentx-a
	rm -f /tmp/memory.*
}

# new_process OLD COMMAND...: the command, which prints a process id, prints another one than OLD.
new_process() {
	local old=$1 new
	shift
	new=$("$@") && [ -n "$new" ] && [ "$new" != "$old" ]
}

# --- tables --------------------------------------------------------------------------------------

# row_of ENTRY.COLUMN VALUE [PREFIX]: the index of the first row (below PREFIX) in which the column
# has this value; fails when there is none.
row_of() {
	local name value
	while read -r name value; do
		snmp_value value "$value"
		[ "$value" = "$2" ] && echo "${name#"$1".}" && return
	done < <(snmp_walk "$1${3:+.$3}")
	return 1
}

# hole OID: true when the agent shows nothing there.
hole() { ! snmp_get "$1" >/dev/null; }

# ipv4_octets A.B.C.D: as an InetAddress is shown: "0A 14 00 01".
# shellcheck disable=SC2046,SC2183
ipv4_octets() { printf "%02X %02X %02X %02X" $(tr . ' ' <<<"$1"); }

# agent_answers INSTANCE: the agent serves this iscsiInstIndex.
agent_answers() { snmp_get "$INSTANCE.2.$1"; }

# take_walk: one walk of the whole MIB, for any number of `shown` and `not_shown` without the cost
# of a program each. It stays in /out/walk.
declare -A walked
take_walk() {
	local name value
	snmp_walk $ISCSI_MIB >/out/walk
	walked=()
	while read -r name value; do
		snmp_value value "$value"
		walked[$name]=$value
	done </out/walk
	[ ${#walked[@]} -gt 0 ]
}

# shown OID: the value in the last walk; nothing and failure for a hole.
shown() { [ -n "${walked[$1]+set}" ] && printf '%s\n' "${walked[$1]}"; }

not_shown() { [ -z "${walked[$1]+set}" ]; }
