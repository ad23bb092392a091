# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash disable=SC2154
# The comparison: rows of maps, devices and paths against multipathd, multipath -ll and sysfs.

# What multipathd's words and the kernel's are worth, as the MIB says it.
declare -A checker_ranks=([ready]=0 [ghost]=1 ['i/o pending']=2 [undef]=3 [delayed]=4 [shaky]=5
	['i/o timeout']=6 [faulty]=7)
declare -A access_numbers=([active/optimized]=1 [active/non-optimized]=2 [standby]=3)
access_weights=('' 50 10 1)

wrong=()
equal() { [ "$2" = "$3" ] || wrong+=("$1: shown '$2', not '$3'"); } # WHAT SHOWN WITNESS

compare_devices() {
	local disk row
	for disk in "${!mp_map[@]}"; do
		row=$(row_with $DEVICE.3 "$disk") || {
			wrong+=("$disk has no row")
			continue
		}
		equal "priority of $disk" "$(shown "$DEVICE.18.$row")" "${mp_priority[$disk]}"
		equal "state of $disk" "${state_words[$(shown "$DEVICE.16.$row")]}" "${mp_state[$disk]}"
		equal "checker of $disk" "${checker_words[$(shown "$DEVICE.17.$row")]}" "${mp_checker[$disk]}"
		equal "group of $disk" "${group_words[$(shown "$DEVICE.20.$row")]}" "${mp_group[$disk]}"
		equal "map of $disk" "$(shown "$DEVICE.10.$row")" "${mp_map[$disk]}"
		equal "WWID of $disk" "$(shown "$DEVICE.11.$row")" "${mp_wwid[$disk]}"
		row=$(row_with $MAP.3 "${mp_wwid[$disk]}")
		equal "name of the map of $disk" "$(shown "$MAP.2.$row")" "${mp_map[$disk]}"
	done
}

# compare_path ADDRESS TARGET DISK...: what the devices of the path come to.
compare_path() {
	local path what="path to $1 of $2" disk word weight='' primary=0 checker='' access='' map=
	path=$(path_to "$1" "$2") || {
		wrong+=("$what has no row")
		return
	}
	shift 2
	for disk; do
		word=${mp_priority[$disk]}
		[ -n "$word" ] && [ "$word" -gt "${weight:--1}" ] && weight=$word
		[ "${mp_group[$disk]} ${mp_state[$disk]}" = "active active" ] && primary=1
		word=${mp_checker[$disk]}
		[ "${checker_ranks[$word]}" -gt "${checker_ranks[${checker:-ready}]}" ] || [ -z "$checker" ] &&
			checker=$word
		word=$(cat "/sys/block/$disk/device/access_state" 2>/dev/null)
		word=${access_numbers[${word:-none}]}
		[ -n "$word" ] && [ "$word" -lt "${access:-9}" ] && access=$word
		[ -n "$map" ] && [ "$map" != "${mp_map[$disk]}" ] && map=several || map=${mp_map[$disk]}
	done
	equal "weight of the $what" "$(shown "$PATH_ROW.23.$path")" "${weight:-${access_weights[$access]}}"
	equal "primary, $what" "$(shown "$PATH_ROW.24.$path")" $primary
	equal "map of the $what" "$(shown "$PATH_ROW.26.$path")" "$map"
	[ "$map" = several ] ||
		equal "WWID of the $what" "$(shown "$PATH_ROW.27.$path")" "${mp_wwid[$disk]}"
	equal "checker of the $what" "${checker_words[$(shown "$PATH_ROW.28.$path")]}" "$checker"
	equal "access state of the $what" "$(shown "$PATH_ROW.29.$path")" "$access"
}

# agree: everything that multipathd has is shown as it has it; prints what is not.
agree() {
	wrong=()
	read_multipath && read_rows || return
	compare_devices
	compare_path $FIRST $DISKS "${disks1[@]}"
	compare_path $SECOND $DISKS "${disks2[@]}"
	compare_path $FIRST $SINGLE "$single1"
	compare_path $SECOND $SINGLE "$single2"
	[ ${#wrong[@]} = 0 ] && return
	printf '%s\n' "${wrong[@]}"
	multipath -ll
	return 1
}

# agree_soon SECONDS: what changes between two polls has that long.
agree_soon() { wait_for "$1" agree || agree; }

# find_disks: which block devices are behind the portals now.
find_disks() {
	disks1=("$(disk_to $FIRST $DISKS 0)" "$(disk_to $FIRST $DISKS 1)")
	disks2=("$(disk_to $SECOND $DISKS 0)" "$(disk_to $SECOND $DISKS 1)")
	single1=$(disk_to $FIRST $SINGLE 0)
	single2=$(disk_to $SECOND $SINGLE 0)
	[ -n "${disks1[1]}" ] && [ -n "${disks2[1]}" ] && [ -n "$single1" ] && [ -n "$single2" ]
}
