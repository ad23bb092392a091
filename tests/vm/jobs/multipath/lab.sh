# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash disable=SC2034,SC2154
# Two targets, each reached over two cables. DISKS has two disks and a portal group for each cable,
# with an ALUA group for each portal group, so that it can say which way is the better one. SINGLE
# has one disk and one portal group with both portals. multipathd makes a map of the two ways to
# each disk.

DISKS=iqn.2026-11.org.example:disks
SINGLE=iqn.2026-11.org.example:single
FIRST=10.10.1.2
SECOND=10.10.2.2
AGENT_SOURCES='open-iscsi multipath'
# An emulated machine beside others is slow: a reader is not to be ended for that.
AGENT_SETTINGS='pollTimeout 10'

# --- the targets ---------------------------------------------------------------------------------

# alua_group DISK GROUP ID: with implicit ALUA only, or the initiator would ask for other states.
alua_group() {
	local group=$CONFIGFS/core/fileio_0/$1/alua/$2
	mkdir "$group" && echo "$3" >"$group/tg_pt_gp_id" && echo 1 >"$group/alua_access_type"
}

# alua GROUP STATE: 0 active/optimized, 1 active/non-optimized, 2 standby, of both disks.
alua() {
	local disk
	for disk in one two; do
		echo "$2" >"$CONFIGFS/core/fileio_0/$disk/alua/$1/alua_access_state" || return
	done
}

# The WWID is made of the hexadecimal digits of the serial number.
serial() { echo "$2" >"$CONFIGFS/core/fileio_0/$1/wwn/vpd_unit_serial"; }

admit() { # TARGET TAG
	lio_acl "$1" "$2" "$INITIATOR" && echo 0 >"$(lio_tpg "$1" "$2")/attrib/authentication" &&
		lio_enable "$1" "$2"
}

setup_disks() {
	local tag lun group
	alua_group one first 1 && alua_group one second 2 &&
		alua_group two first 1 && alua_group two second 2 || return
	for tag in 1 2; do
		[ $tag = 1 ] && group=first || group=second
		LIO_IN=in_target lio_target $DISKS $tag 10.10.$tag.2:3260 &&
			lio_lun $DISKS $tag 0 one && lio_lun $DISKS $tag 1 two || return
		for lun in 0 1; do
			echo $group >"$(lio_tpg $DISKS $tag)/lun/lun_$lun/alua_tg_pt_gp" || return
		done
		admit $DISKS $tag || return
	done
	alua first 0 && alua second 1
}

setup_targets() {
	lio_disk one 8 && lio_disk two 8 && lio_disk three 8 &&
		serial one 11111111-1111-4111-8111-111111111111 &&
		serial two 22222222-2222-4222-8222-222222222222 &&
		serial three 33333333-3333-4333-8333-333333333333 || return
	setup_disks &&
		LIO_IN=in_target lio_target $SINGLE 1 $FIRST:3260 $SECOND:3260 &&
		lio_lun $SINGLE 1 0 three && admit $SINGLE 1
}

# --- the initiator and its multipathd ------------------------------------------------------------

# After discovery nothing is expected: node.startup is manual.
setup_initiator() {
	iscsiadm -m discovery -t st -p $FIRST &&
		iscsiadm -m node -o update -n 'node.conn[0].timeo.noop_out_interval' -v 2 &&
		iscsiadm -m node -o update -n 'node.conn[0].timeo.noop_out_timeout' -v 5
}

# The handler for ALUA is there before the first disk, as /usr/lib/modules-load.d/multipath.conf has
# it: a device looks for it when it is found, and multipathd loads it only when it makes a map.
udev_start() {
	modprobe scsi_dh_alua || return
	/lib/systemd/systemd-udevd --daemon && udevadm trigger --action=add && udevadm settle -t 30
}

# multipathd_start: its process is $multipathd_pid.
multipathd_start() {
	cat >/etc/multipath.conf <<-'EOC'
		defaults {
			user_friendly_names yes
			find_multipaths no
			polling_interval 1
			max_polling_interval 1
			path_grouping_policy group_by_prio
			prio alua
			failback immediate
			no_path_retry 3
		}
		blacklist {
			devnode "^vd"
		}
	EOC
	modprobe -a dm-multipath dm-service-time || return
	setsid multipathd -d -v2 >>/out/multipathd.log 2>&1 &
	multipathd_pid=$!
	wait_for 10 multipathd show status
}

# --- witnesses: what multipathd and the kernel say in words for people ---------------------------

# session_to ADDRESS TARGET: the number of the kernel's session.
session_to() {
	local session
	for session in /sys/class/iscsi_session/session*; do
		[ "$(cat "$session/targetname")" = "$2" ] &&
			[ "$(cat "/sys/class/iscsi_connection/connection${session##*session}:0/persistent_address")" = "$1" ] &&
			echo "${session##*session}" && return
	done
	return 1
}

# disk_to ADDRESS TARGET LUN: the block device behind a portal.
disk_to() {
	local block
	for block in /sys/class/iscsi_session/session"$(session_to "$1" "$2")"/device/target*/*:"$3"/block/*; do
		[ -e "$block" ] && echo "${block##*/}" && return
	done
	return 1
}

# read_multipath: what multipathd and multipath -ll say now, into the tables below. A path that it
# has no priority for has -1.
declare -A mp_priority mp_state mp_checker mp_map mp_wwid mp_group
read_multipath() {
	local device priority state checker map wwid line word status
	mp_priority=() mp_state=() mp_checker=() mp_map=() mp_wwid=() mp_group=()
	while IFS='|' read -r device priority state checker map wwid; do
		[ "$priority" = -1 ] && priority=
		mp_priority[$device]=$priority mp_state[$device]=$state mp_checker[$device]=$checker
		mp_map[$device]=$map mp_wwid[$device]=$wwid
	done < <(multipathd show paths raw format '%d|%p|%t|%T|%m|%w')
	while read -r line; do
		[[ $line =~ status=([a-z]*) ]] && status=${BASH_REMATCH[1]}
		for word in $line; do
			[[ $word = sd* ]] && mp_group[$word]=$status
		done
	done < <(multipath -ll 2>/dev/null)
	[ ${#mp_map[@]} -gt 0 ]
}

# --- the agent's rows ----------------------------------------------------------------------------

PATH_MIB=.1.3.6.1.4.1.8072.9999.9999.7147.1.1
SUMMARY=$PATH_MIB.1
PATH_ROW=$PATH_MIB.3.1
DEVICE=$PATH_MIB.5.1
SOURCE_ROW=$PATH_MIB.6.1
EVENT=$PATH_MIB.8.1
MAP=$PATH_MIB.9.1

# IscsiEventKind
PRIMARY_PATH=8
MAP_DEGRADED=9
MAP_RESTORED=10

# IscsiMapPathState, IscsiMapGroupState, IscsiCheckerState in the words of multipathd.
state_words=('' active failed)
group_words=('' active enabled disabled)
checker_words=('' ready ghost faulty shaky 'i/o pending' 'i/o timeout' delayed undef)

# read_rows: one walk of ISCSI-PATH-MIB, for `shown`.
read_rows() {
	local name value
	snmp_walk $PATH_MIB >/tmp/rows
	walked=()
	while read -r name value; do
		snmp_value value "$value"
		walked[$name]=$value
	done </tmp/rows
	[ ${#walked[@]} -gt 0 ]
}

# path_to ADDRESS TARGET: the index of the path, of the last read_rows.
path_to() {
	local name
	for name in "${!walked[@]}"; do
		[[ $name = $PATH_ROW.8.* ]] && [ "${walked[$name]}" = "$1:3260" ] &&
			[ "${walked[$PATH_ROW.6.${name##*.}]}" = "$2" ] && echo "${name##*.}" && return
	done
	return 1
}

# row_with ENTRY.COLUMN VALUE: as row_of, of the last read_rows.
row_with() {
	local name
	for name in "${!walked[@]}"; do
		[[ $name = $1.* ]] && [ "${walked[$name]}" = "$2" ] && echo "${name#"$1".}" && return
	done
	return 1
}

# events TYPE ROW: how many there are in the event table, of the last read_rows.
events() {
	local name count=0
	for name in "${!walked[@]}"; do
		[[ $name = $EVENT.2.* ]] && [ "${walked[$name]}" = "$1" ] &&
			[ "${walked[$EVENT.7.${name##*.}]}" = "$2" ] && count=$((count + 1))
	done
	echo $count
}

shows() { [ "$(snmp_get "$1")" = "$2" ]; } # OID VALUE
