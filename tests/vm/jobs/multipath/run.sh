#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Two ways to two disks, with multipathd over both: what the agent shows of paths, devices and maps
# against what multipathd and multipath -ll say to people; ALUA states that change on the target, a
# cable that is cut, a multipathd that hangs and one that is ended.
. /job/lib.sh
. /job/agent.sh
. /job/lab.sh

maps_are() { [ "$(snmp_walk "$MAP.2" 2>/dev/null | wc -l)" = "$1" ]; }
two_ways() { [ "$(multipathd show paths format %m | grep -c mpath)" = 4 ]; }

# agree WHAT: rows of maps, devices and paths are those of multipathd.
agree() {
	local n name map row disk wrong=() word
	for n in 0 1; do
		name=$(multipathd show maps format '%n %w' | awk -v w="${wwid[n]}" '$2 == w { print $1 }')
		map=$(row_of "$MAP.3" "${wwid[n]}")
		word=$(snmp_get "$MAP.2.$map")
		[ "$word" = "$name" ] || wrong+=("name of map $n: $word, not $name")
		for disk in "${disks1[n]}" "${disks2[n]}"; do
			row=$(device_row "$disk")
			word=$(snmp_get "$DEVICE.18.$row")
			[ "$word" = "$(mp_path "$disk" %p)" ] || wrong+=("priority of $disk: $word")
			word=$(snmp_get "$DEVICE.16.$row")
			[ "${dm_words[word]}" = "$(mp_path "$disk" %t)" ] || wrong+=("state of $disk: $word")
			word=$(snmp_get "$DEVICE.17.$row")
			[ "${checker_words[word]}" = "$(mp_path "$disk" %T)" ] || wrong+=("checker of $disk: $word")
			word=$(snmp_get "$DEVICE.20.$row")
			[ "${group_words[word]}" = "$(group_status "$name" "$disk")" ] || wrong+=("group of $disk: $word")
		done
	done
	[ ${#wrong[@]} = 0 ] || { printf '%s\n' "${wrong[@]}"; multipath -ll; return 1; }
}
dm_words=('' active failed)
group_words=('' active enabled disabled)
checker_words=('' ready ghost faulty shaky i/o-pending i/o-timeout delayed undef)

# path_is ADDRESS WEIGHT PRIMARY
path_is() {
	local path
	path=$(path_to "$1") && shows "$PATH_ROW.23.$path" "$2" && shows "$PATH_ROW.24.$path" "$3"
}

# path_agrees ADDRESS DISK MAP: weight and primary are what multipathd says of the disk.
path_agrees() {
	local primary=0
	[ "$(group_status "$3" "$2")" = active ] && [ "$(mp_path "$2" %t)" = active ] && primary=1
	path_is "$1" "$(mp_path "$2" %p)" $primary
}

record() { iscsi-agentx --record "/out/$1.tree" >/dev/null 2>&1; }

check "modules load" lab_modules
check "cables to the namespace of the target" lab_network
check "snmpd offers the AgentX socket" snmpd_start
check "LIO target with two disks and two ways" setup_target
check "iscsid starts" initiator_start
check "the initiator finds the target" setup_initiator
check "udev starts" udev_start
check "login over both cables" login $TARGET
udevadm settle -t 30
disks1=("$(disk_to 10.10.1.2 0)" "$(disk_to 10.10.1.2 1)")
disks2=("$(disk_to 10.10.2.2 0)" "$(disk_to 10.10.2.2 1)")
agent_start
check "the agent answers" wait_for 15 agent_answers 1

note "no multipathd"
source=$(row_of "$SOURCE_ROW.2" multipath)
check "its source is absent" wait_for 10 shows "$SOURCE_ROW.4.$source" 4
check "there is no map" maps_are 0
check "the number of maps is unknown" hole "$SUMMARY.12.0"

check "multipathd starts" multipathd_start
check "it has made both maps of both ways" wait_for 30 two_ways
wwid=("$(mp_path "${disks1[0]}" %w)" "$(mp_path "${disks1[1]}" %w)")
check "both maps appear over SNMP" wait_for 15 maps_are 2
record two-ways
map=$(row_of "$MAP.3" "${wwid[0]}")
name=$(multipathd show maps format '%n %w' | awk -v w="${wwid[0]}" '$2 == w { print $1 }')
check "rows are what multipathd says" wait_for 5 agree
is "status ok" "$(snmp_get "$MAP.4.$map")" 1
is "device" "/dev/$(snmp_get "$MAP.5.$map")" "$(readlink -f "/dev/mapper/$name")"
is "size" "$(snmp_get "$MAP.6.$map")" "$(blockdev --getsize64 "/dev/mapper/$name")"
is "state" "$(snmp_get "$MAP.7.$map")" "$(dmsetup info -c --noheadings -o suspended "$name" | sed 's/Active/1/; s/Suspended/2/')"
is "queueing" "$(snmp_get "$MAP.8.$map")" "$(multipathd show maps format '%w %Q' | awk -v w="${wwid[0]}" '$1 == w { $1 = ""; sub(/^ /, ""); sub(/ +$/, ""); print }')"
is "paths" "$(snmp_get "$MAP.9.$map") $(snmp_get "$MAP.10.$map") $(snmp_get "$MAP.11.$map")" "2 2 2"
is "none is missing" "$(snmp_get "$MAP.12.$map")" 0
is "two maps in the summary" "$(snmp_get "$SUMMARY.12.0")" 2
is "neither is short of paths" "$(snmp_get "$SUMMARY.13.0")" 0
check "the first path is the primary one" wait_for 5 path_agrees 10.10.1.2 "${disks1[0]}" "$name"
check "the second one is not" path_agrees 10.10.2.2 "${disks2[0]}" "$name"
is "their weights are those of ALUA" "$(snmp_get "$PATH_ROW.23.$(path_to 10.10.1.2)") $(snmp_get "$PATH_ROW.23.$(path_to 10.10.2.2)")" "50 10"
is "a path with two disks is in several maps" "$(snmp_get "$PATH_ROW.26.$(path_to 10.10.1.2)")" several
is "the checker of the path" "$(snmp_get "$PATH_ROW.28.$(path_to 10.10.1.2)")" 1

note "the target prefers the second way"
check "states" eval 'alua second 0 && alua first 2'
moved() { [ "$(mp_path "${disks2[0]}" %p)" = 50 ] && [ "$(group_status "$name" "${disks2[0]}")" = active ]; }
check "multipathd follows" wait_for 30 moved
check "the second path is the primary one" wait_for 5 path_agrees 10.10.2.2 "${disks2[0]}" "$name"
check "the first one is not" wait_for 5 path_agrees 10.10.1.2 "${disks1[0]}" "$name"
is "its weight is that of a path in standby" "$(snmp_get "$PATH_ROW.23.$(path_to 10.10.1.2)")" 1
check "rows are what multipathd says" wait_for 5 agree
record standby
is "a path in standby is as well as it can be" "$(snmp_get "$MAP.4.$map")" 1
check "states as before" eval 'alua first 0 && alua second 1'
moved_back() { [ "$(mp_path "${disks1[0]}" %p)" = 50 ] && [ "$(group_status "$name" "${disks1[0]}")" = active ]; }
check "multipathd follows" wait_for 30 moved_back
check "rows are what multipathd says" wait_for 5 agree

note "the second cable is cut"
second=$(path_to 10.10.2.2)
reconnects=$(snmp_get "$PATH_ROW.30.$second")
row=$(device_row "${disks2[0]}")
check "cut" in_target ip link set tgt2 down
check "the path is reconnecting" wait_for 20 shows "$PATH_ROW.2.$second" 3
check "the map is degraded at once" wait_for 3 shows "$MAP.4.$map" 2
is "it has one path that takes I/O" "$(snmp_get "$MAP.10.$map")" 1
is "both maps are short of paths" "$(snmp_get "$SUMMARY.13.0")" 2
is "the host is degraded" "$(snmp_get "$SUMMARY.1.0")" 2
check "multipathd gives it up" wait_for 30 shows "$DEVICE.16.$row" 2
check "rows are what multipathd says" wait_for 5 agree
record cut
check "mended" in_target ip link set tgt2 up
in_target ip addr add fd00:2::2/64 dev tgt2 nodad 2>/dev/null
check "the path is connected, in the same row" wait_for 30 shows "$PATH_ROW.2.$second" 1
is "it is the row of before" "$(path_to 10.10.2.2)" "$second"
[ -z "$reconnects" ] || is "it has reconnected once" "$(snmp_get "$PATH_ROW.30.$second")" $((reconnects + 1))
check "the map is well" wait_for 20 shows "$MAP.4.$map" 1
check "rows are what multipathd says" wait_for 5 agree

note "logout over the second cable: a path that should be there"
check "logout" logout $TARGET 10.10.2.2
check "its row is disconnected" wait_for 10 shows "$PATH_ROW.2.$second" 2
check "it is missing in the map" wait_for 10 shows "$MAP.12.$map" 1
is "which is degraded" "$(snmp_get "$MAP.4.$map")" 2
is "its weight is unknown" "$(snmp_get "$PATH_ROW.23.$second")" ""
record missing
check "login" login $TARGET 10.10.2.2
udevadm settle -t 30
check "the map is well" wait_for 20 shows "$MAP.4.$map" 1
is "its number is that of before" "$(row_of "$MAP.3" "${wwid[0]}")" "$map"

note "configuration"
printf 'pollInterval 1\nsources %s\npathWeight * 10.10.2.* 77\nprimaryPath %s 10.10.1.2:3260 no\n' "$AGENT_SOURCES" $TARGET >/etc/snmp/iscsi-agentx.conf
kill -HUP "$agent_parent"
check "the weight is that of the file" wait_for 10 shows "$PATH_ROW.23.$second" 77
check "and so is what is primary" wait_for 5 shows "$PATH_ROW.24.$(path_to 10.10.1.2)" 0
is "without a restart" "$(agent_process)" "$(agent_process)"
printf 'pollInterval 1\nsources %s\n' "$AGENT_SOURCES" >/etc/snmp/iscsi-agentx.conf
kill -HUP "$agent_parent"
check "the weight is multipathd's again" wait_for 10 shows "$PATH_ROW.23.$second" 10

note "multipathd hangs"
check "stopped" kill -STOP $multipathd_pid
check "its source fails" wait_for 15 shows "$SOURCE_ROW.4.$source" 3
like "and says why" "$(snmp_get "$SOURCE_ROW.5.$source")" "asking multipathd for .*: no answer in time"
is "rows stay as they were" "$(snmp_get "$MAP.4.$map")" 1
is "the initiator is read all the same" "$(snmp_get "$PATH_ROW.2.$second")" 1
check "continued" kill -CONT $multipathd_pid
check "its source is read again" wait_for 15 shows "$SOURCE_ROW.4.$source" 1

note "multipathd ends, the maps stay in the kernel"
check "ended" kill -TERM $multipathd_pid
check "its source is absent" wait_for 15 shows "$SOURCE_ROW.4.$source" 4
check "its rows go" wait_for 5 maps_are 0
is "the kernel has the map still" "$(dmsetup ls --target multipath | grep -c mpath)" 2
record ended
is "the path is known to be below maps" "$(snmp_get "$PATH_ROW.26.$second")" several
if [ -r "/sys/block/${disks1[0]}/device/access_state" ] && cat "/sys/block/${disks1[0]}/device/access_state" >/dev/null 2>&1; then
	is "ALUA of the kernel tells the weights" "$(snmp_get "$PATH_ROW.23.$(path_to 10.10.1.2)") $(snmp_get "$PATH_ROW.23.$second")" "50 10"
	is "and what is primary" "$(snmp_get "$PATH_ROW.24.$(path_to 10.10.1.2)") $(snmp_get "$PATH_ROW.24.$second")" "1 0"
else
	is "nobody tells the weight (this kernel has no ALUA)" "$(snmp_get "$PATH_ROW.23.$second")" ""
	is "nor whether it is primary" "$(snmp_get "$PATH_ROW.24.$second")" ""
fi
check "multipathd starts again" multipathd_start
check "the maps have the numbers of before" wait_for 15 shows "$MAP.3.$map" "${wwid[0]}"
kill -TERM "$agent_parent"
check "nothing of the agent is left" wait_for 2 no_agent_processes
tap_end
