#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Paths over two cables, with multipathd over them: paths that are expected and missing, a portal that
# is cut, a logout; what is shown of paths, devices and maps against what multipathd and multipath -ll
# say to people; ALUA states that change on the target; a multipathd that hangs and one that is ended;
# an agent that is started anew. The lab: lab.sh; the comparison: agree.sh.
. /job/lib.sh
. /job/agent.sh
. /job/lab.sh
. /job/agree.sh

configure() { # [LINE...]
	agent_configure "$@"
	kill -HUP "$agent_parent"
}
maps_are() { [ "$(snmp_walk $MAP.2 2>/dev/null | wc -l)" = "$1" ]; }
all_ways() { [ "$(multipathd show paths raw format %m | grep -c mpath)" = 6 ]; }
# summary: status, paths expected, connected, reconnecting, missing.
summary() {
	printf '%s ' "$(snmp_get $SUMMARY.1.0)" "$(snmp_get $SUMMARY.8.0)" "$(snmp_get $SUMMARY.9.0)" \
		"$(snmp_get $SUMMARY.10.0)" "$(snmp_get $SUMMARY.11.0)"
}
summary_is() { [ "$(summary)" = "$* " ]; }
# path_column COLUMN ADDRESS TARGET: of a walk of its own.
path_column() { read_rows && shown "$PATH_ROW.$1.$(path_to "$2" "$3")"; }

check "modules load" lab_modules
check "cables to the namespace of the target" lab_network
check "snmpd offers the AgentX socket" snmpd_start
check "LIO targets" setup_targets
check "iscsid starts" initiator_start
check "the initiator finds them" setup_initiator
check "udev starts" udev_start
agent_start
check "the agent answers" wait_for 15 agent_answers 1

note "paths that are expected and missing"
check "nothing is expected" wait_for 5 summary_is 1 0 0 0 0
check "records of one target want a session at the start" node_setting $DISKS node.startup automatic
check "two paths are missing, and the target cannot be reached" wait_for 60 summary_is 3 2 0 0 2
read_rows
first=$(path_to $FIRST $DISKS) second=$(path_to $SECOND $DISKS)
is "the first path is disconnected" "$(shown $PATH_ROW.2.$first)" 2
is "it is expected" "$(shown $PATH_ROW.3.$first)" 1
note "$(snmp_get $SUMMARY.2.0)"
check "login over the first cable" login $DISKS $FIRST
check "one path is missing, and the host is degraded" wait_for 10 summary_is 2 2 1 0 1
is "the first path is connected, in its row" "$(snmp_get $PATH_ROW.2.$first)" 1
is "the second is still disconnected" "$(snmp_get $PATH_ROW.2.$second)" 2
note "$(snmp_get $SUMMARY.2.0)"
check "login over the second cable" login $DISKS $SECOND
check "all is well" wait_for 10 summary_is 1 2 2 0 0
check "login to the other target over both" login $SINGLE
check "all is well" wait_for 10 summary_is 1 4 4 0 0
udevadm settle -t 30
check "all disks are there" wait_for 10 find_disks

note "no multipathd"
source=$(row_of $SOURCE_ROW.2 multipath)
check "its source is absent" wait_for 10 shows "$SOURCE_ROW.4.$source" 4
check "there is no map" maps_are 0
check "the number of maps is unknown" hole $SUMMARY.12.0
path_alone() { [ "$(path_column "$1" $FIRST $DISKS)" = "$2" ]; }
check "the weight is that of the access state" wait_for 5 path_alone 23 50
check "the path is in no map" path_alone 26 ''

note "multipathd"
check "multipathd starts" multipathd_start
check "it has made the maps of both ways" wait_for 30 all_ways
check "they appear over SNMP" wait_for 15 maps_are 3
check "rows are what multipathd says" agree_soon 10
map=$(row_with $MAP.3 "${mp_wwid[${disks1[0]}]}")
name=${mp_map[${disks1[0]}]}
is "status ok" "$(shown $MAP.4.$map)" 1
is "device" "/dev/$(shown $MAP.5.$map)" "$(readlink -f "/dev/mapper/$name")"
is "size" "$(shown $MAP.6.$map)" "$(blockdev --getsize64 "/dev/mapper/$name")"
is "state" "$(shown $MAP.7.$map)" "$(dmsetup info -c --noheadings -o suspended "$name" | sed 's/Active/1/; s/Suspended/2/')"
is "queueing" "$(shown $MAP.8.$map)" "$(multipathd show maps raw format '%w|%Q' | sed -n "s/^${mp_wwid[${disks1[0]}]}|//p")"
is "paths" "$(shown $MAP.9.$map) $(shown $MAP.10.$map) $(shown $MAP.11.$map)" "2 2 2"
is "none is missing" "$(shown $MAP.12.$map)" 0
is "three maps in the summary, none is short of paths" "$(shown $SUMMARY.12.0) $(shown $SUMMARY.13.0)" "3 0"
is "the first path is the primary one" "$(shown $PATH_ROW.24.$first) $(shown $PATH_ROW.24.$second)" "1 0"
is "their weights are those of ALUA" "$(shown $PATH_ROW.23.$first) $(shown $PATH_ROW.23.$second)" "50 10"
is "a path with two disks is in several maps" "$(shown $PATH_ROW.26.$first)" several
is "the other target's is in one" "$(path_column 26 $FIRST $SINGLE)" "${mp_map[$single1]}"

note "the target prefers the second way"
check "states" eval 'alua second 0 && alua first 2'
moved() { read_multipath && [ "${mp_priority[${disks2[1]}]} ${mp_group[${disks2[0]}]}" = "50 active" ]; }
check "multipathd follows" wait_for 30 moved
check "rows are what multipathd says" agree_soon 10
is "the second path is the primary one" "$(shown $PATH_ROW.24.$first) $(shown $PATH_ROW.24.$second)" "0 1"
is "that is an event" "$(events $PRIMARY_PATH $PATH_ROW.2.$second)" 1
is "the weight of the first is that of standby" "$(shown $PATH_ROW.23.$first) $(shown $PATH_ROW.23.$second)" "1 50"
is "a path in standby is as well as it can be" "$(shown $MAP.4.$map)" 1
is "and the host is well" "$(shown $SUMMARY.1.0)" 1
check "states as before" eval 'alua first 0 && alua second 1'
moved_back() { read_multipath && [ "${mp_priority[${disks1[1]}]} ${mp_group[${disks1[0]}]}" = "50 active" ]; }
check "multipathd follows" wait_for 30 moved_back
check "rows are what multipathd says" agree_soon 10

note "the second cable is cut"
reconnects=$(snmp_get $PATH_ROW.30.$second) failures=$(snmp_get $PATH_ROW.31.$second)
is "no map was degraded so far" "$(read_rows && events $MAP_DEGRADED $MAP.2.$map)" 0
note "reconnects before: $reconnects, outages: $failures"
# watch_state: the kernel's state of the session, whenever it changes, with the time.
watch_state() {
	local now state='' file
	file=/sys/class/iscsi_session/session$(session_to $SECOND $DISKS)/state
	while read -r now <"$file"; do
		[ "$now" = "$state" ] || echo "$EPOCHREALTIME $now"
		state=$now
		nap 0.02
	done
}
watch_state >/out/state.log &
watcher=$!
check "cut" in_target ip link set tgt2 down
check "the path is reconnecting" wait_for 30 shows $PATH_ROW.2.$second 3
check "the map is degraded at once" wait_for 5 shows $MAP.4.$map 2
is "it has one path that takes I/O" "$(snmp_get $MAP.10.$map)" 1
# The sessions on the cable find it out one after the other.
check "all maps are short of paths" wait_for 10 shows $SUMMARY.13.0 3
check "the host is degraded" wait_for 5 summary_is 2 4 2 2 0
note "$(snmp_get $SUMMARY.2.0)"
is "the last error is a NOP's" "$(snmp_get $PATH_ROW.32.$second)" 1022
row=$(row_of $DEVICE.3 "${disks2[0]}")
is "that is an event" "$(read_rows && events $MAP_DEGRADED $MAP.2.$map)" 1
check "multipathd gives it up" wait_for 60 shows "$DEVICE.16.$row" 2
check "rows are what multipathd says" agree_soon 15
check "mended" in_target ip link set tgt2 up
in_target ip addr add fd00:2::2/64 dev tgt2 nodad 2>/dev/null
check "the path is connected, in the same row" wait_for 40 shows $PATH_ROW.2.$second 1
is "it is the row of before" "$(read_rows && path_to $SECOND $DISKS)" "$second"
is "it has reconnected once" "$(snmp_get $PATH_ROW.30.$second)" $((reconnects + 1))
is "after one outage" "$(snmp_get $PATH_ROW.31.$second)" $((failures + 1))
kill $watcher
outage=$(awk '$2 == "FAILED" && !from { from = $1 } $2 == "LOGGED_IN" { to = $1 } END { print int((to - from) * 1000) }' /out/state.log)
shown_outage=$(snmp_get $PATH_ROW.41.$second)
note "it was not connected for $outage ms by the kernel's state, for $shown_outage ms by the agent"
check "which took as long as the kernel's state says" test $((shown_outage - outage)) -lt 1000 -a $((outage - shown_outage)) -lt 1000
check "the map is well" wait_for 20 shows $MAP.4.$map 1
check "all is well" wait_for 10 summary_is 1 4 4 0 0
check "rows are what multipathd says" agree_soon 10
is "the map that is restored is an event" "$(events $MAP_RESTORED $MAP.2.$map)" 1

note "logout over the second cable: a path that should be there"
check "logout" logout $DISKS $SECOND
check "its row is disconnected" wait_for 10 shows $PATH_ROW.2.$second 2
check "it is missing in the map" wait_for 10 shows $MAP.12.$map 1
is "which is degraded" "$(snmp_get $MAP.4.$map)" 2
check "the host is degraded" wait_for 5 summary_is 2 4 3 0 1
check "its weight is unknown" hole $PATH_ROW.23.$second
is "it was no outage" "$(snmp_get $PATH_ROW.31.$second)" $((failures + 1))
check "login" login $DISKS $SECOND
udevadm settle -t 30
check "all disks are there" wait_for 10 find_disks
check "the map is well" wait_for 20 shows $MAP.4.$map 1
is "its number is that of before" "$(row_of $MAP.3 "${mp_wwid[${disks1[0]}]}")" "$map"
check "rows are what multipathd says" agree_soon 10
is "a login by hand is no reconnect" "$(snmp_get $PATH_ROW.30.$second)" $((reconnects + 1))

note "logout from the other target, which no record expects"
check "logout" logout $SINGLE $SECOND
no_row() { read_rows && ! path_to $SECOND $SINGLE; }
check "its row goes" wait_for 10 no_row
is "the host is well" "$(summary)" "1 3 3 0 0 "
check "login" login $SINGLE $SECOND
udevadm settle -t 30
check "all disks are there" wait_for 10 find_disks

note "configuration"
agent=$(agent_process)
configure 'pathWeight * 10.10.2.* 77' "primaryPath $DISKS $FIRST:3260 no"
check "the weight is that of the file" wait_for 10 shows $PATH_ROW.23.$second 77
check "and so is what is primary" wait_for 5 shows $PATH_ROW.24.$first 0
is "without a restart" "$(agent_process)" "$agent"
configure
check "they are multipathd's again" agree_soon 15

note "multipathd hangs"
check "stopped" kill -STOP $multipathd_pid
check "its source fails" wait_for 30 shows "$SOURCE_ROW.4.$source" 3
like "and says why" "$(snmp_get "$SOURCE_ROW.5.$source")" "asking multipathd for .*: no answer in time"
is "rows stay as they were" "$(snmp_get $MAP.4.$map) $(snmp_get $PATH_ROW.23.$second)" "1 10"
check "the initiator is read all the same" wait_for 5 summary_is 1 4 4 0 0
ms=$(elapsed_ms snmp_get $PATH_ROW.2.$second)
note "an answer took $ms ms"
check "answers come at once" test "$ms" -lt 1000
check "continued" kill -CONT $multipathd_pid
check "its source is read again" wait_for 30 shows "$SOURCE_ROW.4.$source" 1

note "the agent is started anew"
kill -TERM "$agent_parent"
wait_for 5 no_agent_processes
agent_start
check "the path is in its row" wait_for 15 shows $PATH_ROW.2.$second 1
is "by its portal" "$(snmp_get $PATH_ROW.8.$second)" "$SECOND:3260"
is "its history is what it was" "$(snmp_get $PATH_ROW.30.$second) $(snmp_get $PATH_ROW.31.$second) $(snmp_get $PATH_ROW.41.$second)" \
	"$((reconnects + 1)) $((failures + 1)) $shown_outage"
check "the map is in its row" wait_for 10 shows $MAP.2.$map "$name"

note "multipathd ends, the maps stay in the kernel"
check "ended" kill -TERM $multipathd_pid
check "its source is absent" wait_for 15 shows "$SOURCE_ROW.4.$source" 4
check "its rows go" wait_for 5 maps_are 0
is "the kernel has the maps still" "$(dmsetup ls --target multipath | grep -c mpath)" 3
check "and the path is known to be below them" wait_for 5 shows $PATH_ROW.26.$second several
is "the other target's to be below one" "$(path_column 26 $FIRST $SINGLE)" "${mp_map[$single1]}"
is "by its WWID" "$(path_column 27 $FIRST $SINGLE)" "${mp_wwid[$single1]}"
is "ALUA of the kernel tells the weights" "$(snmp_get $PATH_ROW.23.$first) $(snmp_get $PATH_ROW.23.$second)" "50 10"
check "which way the maps take is not known" hole $PATH_ROW.24.$first
check "of no path" hole $PATH_ROW.24.$second
check "multipathd starts again" multipathd_start
check "the maps have the numbers of before" wait_for 15 shows $MAP.2.$map "$name"
check "rows are what multipathd says" agree_soon 10
kill -TERM "$agent_parent"
check "nothing of the agent is left" wait_for 2 no_agent_processes
tap_end
