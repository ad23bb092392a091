# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash disable=SC2034,SC2154
# One target with two disks, reached over two cables: a portal group for each cable, an ALUA group
# for each portal group, so that the target can say which way is the better one. multipathd makes a
# map of the two ways to each disk.

TARGET=iqn.2026-11.org.example:disks
FIRST=10.10.1.2:3260
SECOND=10.10.2.2:3260
AGENT_SOURCES='open-iscsi multipath'

PATH_MIB=.1.3.6.1.4.1.8072.9999.9999.7147.1.1
# The entries of the tables of ISCSI-PATH-MIB that are looked at.
SUMMARY=$PATH_MIB.1
PATH_ROW=$PATH_MIB.3.1
DEVICE=$PATH_MIB.5.1
SOURCE_ROW=$PATH_MIB.6.1
MAP=$PATH_MIB.9.1

# --- the target ----------------------------------------------------------------------------------

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

setup_target() {
	local disk tag lun
	for disk in one two; do
		lio_disk $disk 8 && alua_group $disk first 1 && alua_group $disk second 2 || return
	done
	# The WWID is made of the hexadecimal digits of the serial number.
	echo 11111111-1111-4111-8111-111111111111 >$CONFIGFS/core/fileio_0/one/wwn/vpd_unit_serial
	echo 22222222-2222-4222-8222-222222222222 >$CONFIGFS/core/fileio_0/two/wwn/vpd_unit_serial
	LIO_IN=in_target lio_target $TARGET 1 $FIRST && LIO_IN=in_target lio_target $TARGET 2 $SECOND ||
		return
	for tag in 1 2; do
		lun=$(lio_tpg $TARGET $tag)/lun
		lio_lun $TARGET $tag 0 one && lio_lun $TARGET $tag 1 two || return
		for disk in 0 1; do
			echo "$([ $tag = 1 ] && echo first || echo second)" >"$lun/lun_$disk/alua_tg_pt_gp" ||
				return
		done
		lio_acl $TARGET $tag "$INITIATOR" &&
			echo 0 >"$(lio_tpg $TARGET $tag)/attrib/authentication" &&
			lio_enable $TARGET $tag || return
	done
	alua first 0 && alua second 1
}

# --- the initiator and its multipathd ------------------------------------------------------------

setup_initiator() {
	iscsiadm -m discovery -t st -p 10.10.1.2 &&
		node_setting $TARGET 'node.conn[0].timeo.noop_out_interval' 1 &&
		node_setting $TARGET 'node.conn[0].timeo.noop_out_timeout' 1 &&
		node_setting $TARGET node.startup automatic
}

udev_start() {
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

# mp_path DEVICE FORMAT: one value of a path, %p for example.
mp_path() { multipathd show paths format "%d $2" | awk -v device="$1" '$1 == device { print $2 }'; }

# map_lines NAME: what multipath -ll says of a map.
map_lines() { multipath -ll "$1" 2>/dev/null; }

# group_status NAME DEVICE: the status of the group that a device is in: active, enabled.
group_status() {
	map_lines "$1" | awk -v device="$2" '
		/status=/ { sub(/.*status=/, ""); status = $1 }
		{ for (i = 1; i <= NF; i++) if ($i == device) print status }'
}

# disk_to ADDRESS LUN: the block device behind a portal.
disk_to() {
	local session
	for session in /sys/class/iscsi_session/session*; do
		[ "$(cat "/sys/class/iscsi_connection/connection${session##*session}:0/persistent_address")" = "$1" ] ||
			continue
		basename "$session"/device/target*/*:"$2"/block/*
	done
}

# --- the agent's rows ----------------------------------------------------------------------------

# path_to ADDRESS: the index of the path to a portal.
path_to() { row_of "$PATH_ROW.8" "$1:3260"; }
# device_row DISK: the index of its row.
device_row() { row_of "$DEVICE.3" "$1"; }
shows() { [ "$(snmp_get "$1")" = "$2" ]; } # OID VALUE
