# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# Sourced after agent.sh by the jobs whose values are compared on the host (compare.py): what others
# than the agent say of the same sessions, written down twice, with a walk in between.
#
#     /out/stacks/NN-NAME/a, b    one reading of all witnesses each
#     /out/stacks/NN-NAME/walk    what the agent serves; uptime: sysUpTime in 1/100 s after it
#     /out/stacks/kernel.log      messages of the kernel and of iscsid, in the order in which they came;
#                                 a/mark and b/mark say how far it had come
#     /out/stacks/iscsiadm.log    what iscsiadm said when it was told to log in or out

# shellcheck disable=SC2034
ISCSID_LOG=/dev/kmsg
WITNESSES=/out/stacks
# Longer than the agent takes statistics for new (5 s), and a poll.
SETTLE_SECONDS=6.5

# witness_start: begins to write the log, before iscsid is started; the initiator must have its name.
witness_start() {
	mkdir -p $WITNESSES
	echo on >/proc/sys/kernel/printk_devkmsg # else a few lines a second
	setsid cat /dev/kmsg >$WITNESSES/kernel.log &
	: >$WITNESSES/iscsiadm.log
	cp /etc/iscsi/initiatorname.iscsi /etc/iscsi/iscsid.conf $WITNESSES
	{
		uname -s
		uname -r
		uname -m
		cat /sys/module/scsi_transport_iscsi/version
		hostname
	} >$WITNESSES/host
}

# adm ARGUMENT...: iscsiadm, for logins and logouts; what it says is kept.
adm() { iscsiadm "$@" 2>&1 | tee -a $WITNESSES/iscsiadm.log; return "${PIPESTATUS[0]}"; }

# The kernel gives statistics to all who listen, and iscsiadm takes the first that come for its own:
# the agent's reader has to be quiet meanwhile.
quiet_statistics() {
	local reader
	reader=$(reader_process open-iscsi)
	[ -z "$reader" ] || kill -STOP "$reader"
	iscsiadm -m session -s
	[ -z "$reader" ] || kill -CONT "$reader"
}

witness() { # FOLDER
	mkdir -p "$1"
	iscsiadm -m session -P3 >"$1/sessions" 2>&1
	quiet_statistics >"$1/statistics" 2>&1
	iscsiadm -m node >"$1/nodes" 2>&1
	ss -Htn >"$1/sockets"
	in_target ss -Htn >"$1/sockets-target"
	# Write-only files cannot be read; the folders with names and secrets are left alone.
	[ ! -d $LIO ] || (cd $LIO && grep -rHas '' --exclude-dir=auth --exclude-dir=discovery_auth . >"$1/lio"
		find . -type d >"$1/lio-folders")
	ls /sys/class/iscsi_transport >"$1/transports" 2>/dev/null
	# After each of these the agent cannot know whether it has missed an event of the initiator.
	cat /out/agent.*.log | grep -Ec '^the (agent process|process for open-iscsi) .*starting it a|^stopping' \
		>"$1/restarts"
	wc -c <$WITNESSES/kernel.log >"$1/mark"
	wc -l <$WITNESSES/iscsiadm.log >>"$1/mark"
}

# collect NAME [SECONDS]: one scenario's readings. Nothing may change any more when it is called,
# except counters; SECONDS: what to wait before the walk where no session has statistics.
collections=0
collect() {
	local folder
	collections=$((collections + 1))
	folder=$WITNESSES/$(printf %02d $collections)-$1
	witness "$folder/a"
	sleep "${2:-$SETTLE_SECONDS}"
	# shellcheck disable=SC2086
	snmpbulkwalk $snmp_options -Oq -OU -Ox -Ot 127.0.0.1 $ISCSI_MIB >"$folder/walk"
	# shellcheck disable=SC2086
	snmpget $snmp_options -Oqv -Ot 127.0.0.1 .1.3.6.1.2.1.1.3.0 >"$folder/uptime"
	witness "$folder/b"
	check "$1: readings are taken" test -s "$folder/walk"
}
