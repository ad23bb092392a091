#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The lab itself, without the agent: if this job fails, so would all others, and the agent is not
# to blame. A kernel target behind a cable, CHAP, two paths, digests; tgtd and snmpd answer.
. /job/lib.sh

TARGET=iqn.2026-11.org.example:lab
USER=labuser
SECRET=lab-secret-123

note "kernel $(uname -r), $(nproc) processors"
check "modules load" lab_modules
check "two cables to the namespace of the target" lab_network
check "snmpd offers the AgentX socket" snmpd_start
like "snmpd answers" "$(snmp_get .1.3.6.1.2.1.1.1.0)" "Linux"

setup_target() {
	lio_disk lab 8 && LIO_IN=in_target lio_target $TARGET 1 10.10.1.2:3260 "[fd00:2::2]:3260" &&
		lio_lun $TARGET 1 0 lab && lio_acl $TARGET 1 "$INITIATOR" &&
		lio_chap $TARGET 1 "$INITIATOR" $USER $SECRET && lio_enable $TARGET 1
}
check "LIO target with ACL and CHAP" setup_target
check "iscsid starts" initiator_start
check "discovery finds both portals" bash -c \
	"iscsiadm -m discovery -t st -p 10.10.1.2 | grep -c $TARGET | grep -x 2"

node_setting $TARGET node.session.auth.authmethod CHAP
node_setting $TARGET node.session.auth.username $USER
node_setting $TARGET node.session.auth.password wrong-secret-1
check "a wrong secret is refused" bash -c \
	"iscsiadm -m node -T $TARGET -p 10.10.1.2 --login 2>&1 | grep 'authorization failure'"
node_setting $TARGET node.session.auth.password $SECRET
node_setting $TARGET 'node.conn[0].iscsi.HeaderDigest' CRC32C
check "login over both paths" login $TARGET
is "two sessions in sysfs" "$(ls /sys/class/iscsi_session | wc -l)" 2
is "they are logged in" "$(sort -u /sys/class/iscsi_session/session*/state)" LOGGED_IN
is "header digest was negotiated" "$(sort -u /sys/class/iscsi_connection/*/header_digest)" 1
is "the target counts them" "$(cat "$LIO"/$TARGET/fabric_statistics/iscsi_instance/sessions)" 2
check "the disk shows up" wait_for 10 session_disk $TARGET
like "and can be read" "$(head -c 8 "/dev/$(session_disk $TARGET)")" "^lab"
check "logout" logout $TARGET
is "no session is left" "$(ls /sys/class/iscsi_session)" ""

check "tgtd starts" tgt_start 127.0.0.1:3261
check "tgt target" tgt_target 1 $TARGET.tgt 8
check "tgt lets everybody in" tgt_allow 1 ALL
check "tgt is discovered" bash -c "iscsiadm -m discovery -t st -p 127.0.0.1:3261 | grep $TARGET.tgt"
check "login to tgt" login $TARGET.tgt
check "its disk shows up" wait_for 10 session_disk $TARGET.tgt 1
check "logout from tgt" logout $TARGET.tgt

check "multipath modules load" modprobe -a dm-multipath dm-service-time dm-round-robin
check "multipathd answers" bash -c "multipathd -d >/out/multipathd.log 2>&1 & . /job/lib.sh;
	wait_for 10 multipathd show status"
is "nothing but silence from the kernel" "$(dmesg --level=emerg,alert,crit | head)" ""
tap_end
