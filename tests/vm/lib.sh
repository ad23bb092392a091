# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# Sourced by the run.sh of every job, in the guest only (it changes interfaces, /etc and configfs as
# it likes). Three parts: TAP, the lab (initiator, kernel target, tgt, networks), SNMP.
#
# The lab: the kernel initiator lives in the initial network namespace, where it must, and a target
# may live there too, or in the namespace `target` at the other end of two cables:
#     ini1 10.10.1.1/24 fd00:1::1/64 ------ tgt1 10.10.1.2/24 fd00:1::2/64
#     ini2 10.10.2.1/24 fd00:2::1/64 ------ tgt2 10.10.2.2/24 fd00:2::2/64

# Daemons are started by setsid, as a service manager would: the kernel sends SIGHUP to a process
# group that has lost its parent while one of it is stopped, and jobs do stop daemons.

INITIATOR=iqn.2026-11.org.example:guest
CONFIGFS=/sys/kernel/config/target
LIO=$CONFIGFS/iscsi

# --- TAP -----------------------------------------------------------------------------------------

tap_count=0
tap_failed=0

note() { printf '# %s\n' "$*"; }

pass() {
	tap_count=$((tap_count + 1))
	printf 'ok %d - %s\n' $tap_count "$1"
}

fail() { # WHAT [WHY]
	tap_count=$((tap_count + 1))
	tap_failed=$((tap_failed + 1))
	printf 'not ok %d - %s\n' $tap_count "$1"
	[ -z "${2:-}" ] || printf '%s\n' "$2" | sed 's/^/#   /'
}

# check WHAT COMMAND...: the command must succeed; what it prints is shown when it does not. It runs
# in this shell (it may start daemons and set variables).
check() {
	local what=$1 rc
	shift
	"$@" >/tmp/check 2>&1
	rc=$?
	if [ $rc -eq 0 ]; then pass "$what"; else fail "$what" "$* -> $rc: $(cat /tmp/check)"; fi
}

is() { # WHAT GOT WANT
	if [ "$2" = "$3" ]; then pass "$1"; else fail "$1" "got '$2', want '$3'"; fi
}

like() { # WHAT GOT REGEX
	if [[ $2 =~ $3 ]]; then pass "$1"; else fail "$1" "got '$2', want /$3/"; fi
}

# none_has WORD FILE...: all of the files can be read, and no line of them has the word.
none_has() {
	local word=$1
	shift
	grep -d skip -F -e "$word" "$@"
	[ $? -eq 1 ] # 0: one has it, 2: one cannot be read
}

# tap_end: the plan, and the exit code of the job.
tap_end() {
	echo "1..$tap_count"
	[ $tap_count -gt 0 ] && [ $tap_failed -eq 0 ]
	exit
}

# give_up WHY: a step failed without which the rest makes no sense.
give_up() {
	fail "$1"
	tap_end
}

# nap SECONDS: sleeps without a new process, which would cost what is measured more than the wait.
[ -p /run/nap ] || mkfifo /run/nap
nap() { read -rt "$1" <>/run/nap || true; }

# wait_for SECONDS COMMAND...: repeats the command until it succeeds; fails when the time is over.
wait_for() {
	local until=$((${EPOCHREALTIME/./} + $1 * 1000000))
	shift
	while ! "$@" >/dev/null 2>&1; do
		[ "${EPOCHREALTIME/./}" -lt $until ] || return 1
		nap 0.05
	done
}

# elapsed_ms COMMAND...: runs it and prints how long it took; its exit code is the command's.
elapsed_ms() {
	local start=${EPOCHREALTIME/./} rc
	"$@" >/dev/null 2>&1
	rc=$?
	echo $(((${EPOCHREALTIME/./} - start) / 1000))
	return $rc
}

# --- machine and networks ------------------------------------------------------------------------

# lab_modules: everything that initiator, kernel target and socket tables need.
lab_modules() {
	modprobe -a configfs target_core_mod target_core_file iscsi_target_mod iscsi_tcp sd_mod sg \
		inet_diag tcp_diag || return
	mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config
}

# in_target COMMAND...: in the network namespace of the target. (`ip netns exec` would mount a new
# /sys, without configfs.)
in_target() { nsenter --net=/run/netns/target "$@"; }

# lab_network: the namespace and the two cables of the picture above.
lab_network() {
	local n
	ip netns add target && in_target ip link set lo up || return
	for n in 1 2; do
		ip link add ini$n type veth peer name tgt$n netns target &&
			ip addr add 10.10.$n.1/24 dev ini$n &&
			ip addr add fd00:$n::1/64 dev ini$n nodad &&
			ip link set ini$n up &&
			in_target ip addr add 10.10.$n.2/24 dev tgt$n &&
			in_target ip addr add fd00:$n::2/64 dev tgt$n nodad &&
			in_target ip link set tgt$n up || return
	done
}

# --- kernel initiator ----------------------------------------------------------------------------

# initiator_setting KEY VALUE: a default of iscsid.conf, before initiator_start.
initiator_setting() {
	local key=${1//[/\\[}
	sed -i "/^#\? *${key//./\\.} *=/d" /etc/iscsi/iscsid.conf
	echo "$1 = $2" >>/etc/iscsi/iscsid.conf
}

# initiator_start: names the initiator $INITIATOR and starts iscsid (log: $ISCSID_LOG, else
# /out/iscsid.log; -d 2: it tells each login that it tries once more).
initiator_start() {
	echo "InitiatorName=$INITIATOR" >/etc/iscsi/initiatorname.iscsi
	initiator_setting iscsid.startup /bin/false
	initiator_setting node.startup manual
	initiator_setting 'node.conn[0].timeo.login_timeout' 5
	initiator_setting node.session.initial_login_retry_max 1
	setsid iscsid -f -d 2 >>"${ISCSID_LOG:-/out/iscsid.log}" 2>&1 &
	wait_for 10 iscsiadm -m iface
}

# node_setting TARGET KEY VALUE: changes the record that discovery made.
node_setting() { iscsiadm -m node -T "$1" -o update -n "$2" -v "$3"; }

login() { iscsiadm -m node -T "$1" ${2:+-p "$2"} --login; } # TARGET [PORTAL]

logout() { iscsiadm -m node -T "$1" ${2:+-p "$2"} --logout; } # TARGET [PORTAL]

# session_dir TARGET: its folder in /sys/class/iscsi_session; fails when there is no session.
session_dir() {
	local dir
	for dir in /sys/class/iscsi_session/session*; do
		[ "$(cat "$dir/targetname" 2>/dev/null)" = "$1" ] && echo "$dir" && return
	done
	return 1
}

# connection_dir TARGET: the folder of its first connection in /sys/class/iscsi_connection.
connection_dir() {
	local session
	session=$(session_dir "$1") && ls -d "/sys/class/iscsi_connection/connection${session##*session}:0"
}

# session_disk TARGET [LUN]: the block device of a LUN of this session, sda for example.
session_disk() {
	local session
	local block
	session=$(session_dir "$1") || return
	for block in "$session"/device/target*/*:"${2:-0}"/block/*; do
		[ -e "$block" ] && echo "${block##*/}" && return
	done
	return 1
}

# --- kernel target (LIO) -------------------------------------------------------------------------
# A target is TARGET (its name) and TAG (the number of its portal group).

lio_tpg() { echo "$LIO/$1/tpgt_$2"; } # TARGET TAG

# lio_disk NAME MIB: a backstore in memory, filled with NAME over and over.
lio_disk() {
	local store=$CONFIGFS/core/fileio_0/$1 file=/tmp/$1.img
	yes "$1" | head -c $(($2 << 20)) >"$file"
	mkdir -p "$store" &&
		echo "fd_dev_name=$file,fd_dev_size=$(($2 << 20))" >"$store/control" &&
		echo "$1" >"$store/wwn/vpd_unit_serial" &&
		echo 1 >"$store/enable"
}

# lio_target TARGET TAG ADDRESS:PORT...: a portal group, still disabled, that listens in the
# namespace of the caller's choice: call it as `LIO_IN=in_target lio_target …` for the other end.
lio_target() {
	local tpg portal
	tpg=$(lio_tpg "$1" "$2")
	shift 2
	mkdir -p "$LIO" "$tpg" || return
	for portal; do
		${LIO_IN:-} mkdir "$tpg/np/$portal" || return
	done
}

lio_lun() { # TARGET TAG LUN DISK
	local lun
	lun=$(lio_tpg "$1" "$2")/lun/lun_$3
	mkdir "$lun" && ln -s "$CONFIGFS/core/fileio_0/$4" "$lun/$4"
}

# lio_acl TARGET TAG INITIATOR: this initiator may log in and sees all LUNs.
lio_acl() {
	local tpg lun acl
	tpg=$(lio_tpg "$1" "$2")
	acl=$tpg/acls/$3
	mkdir "$acl" || return
	for lun in "$tpg"/lun/lun_*; do
		[ -d "$lun" ] || continue
		mkdir -p "$acl/${lun##*/}" && ln -s "$lun" "$acl/${lun##*/}/" || return
	done
}

lio_chap() { # TARGET TAG INITIATOR USER SECRET
	local tpg
	tpg=$(lio_tpg "$1" "$2")
	echo 1 >"$tpg/attrib/authentication" &&
		echo -n "$4" >"$tpg/acls/$3/auth/userid" &&
		echo -n "$5" >"$tpg/acls/$3/auth/password"
}

# lio_chap_mutual TARGET TAG INITIATOR USER SECRET: what the target proves itself with.
lio_chap_mutual() {
	local auth
	auth=$(lio_tpg "$1" "$2")/acls/$3/auth
	echo -n "$4" >"$auth/userid_mutual" && echo -n "$5" >"$auth/password_mutual"
}

# lio_anyone TARGET TAG: demo mode, every initiator may log in.
lio_anyone() {
	local attrib
	attrib=$(lio_tpg "$1" "$2")/attrib
	echo 1 >"$attrib/generate_node_acls" &&
		echo 1 >"$attrib/cache_dynamic_acls" &&
		echo 0 >"$attrib/demo_mode_write_protect" &&
		echo 0 >"$attrib/authentication"
}

# lio_remove TARGET: with all that is below it; its sessions end.
lio_remove() {
	local tpg
	for tpg in "$LIO/$1"/tpgt_*; do
		echo 0 >"$tpg/enable"
		find "$tpg/acls" -type l -delete && find "$tpg/lun" -type l -delete || return
		rmdir "$tpg"/acls/*/lun_* "$tpg"/acls/* "$tpg"/lun/lun_* 2>/dev/null # there may be none
		rmdir "$tpg"/np/* "$tpg" || return
	done
	rmdir "$LIO/$1"
}

lio_enable() { echo 1 >"$(lio_tpg "$1" "$2")/enable"; } # TARGET TAG

# --- user-space target (tgt) ---------------------------------------------------------------------

# tgt_start PORTAL...: starts tgtd (log: /out/tgtd.log) that listens on these addresses. Its process
# is $tgt_pid.
tgt_start() {
	local portal
	setsid tgtd -f --iscsi portal="$1" >>/out/tgtd.log 2>&1 &
	# shellcheck disable=SC2034
	tgt_pid=$!
	wait_for 10 tgtadm --lld iscsi --mode sys --op show || return
	shift
	for portal; do
		tgtadm --lld iscsi --mode portal --op new --param portal="$portal" || return
	done
	tgtadm --mode sys --op update --name State -v ready
}

# tgt_stop: the hard way, since tgtd ignores SIGTERM.
tgt_stop() {
	kill -KILL "$tgt_pid"
	wait "$tgt_pid" 2>/dev/null
	return 0
}

# tgt_target TID TARGET MIB: a target with one disk (LUN 1, since tgt's LUN 0 is its controller).
tgt_target() {
	truncate -s $(($3 << 20)) "/tmp/tgt$1.img"
	tgtadm --lld iscsi --mode target --op new --tid "$1" -T "$2" &&
		tgtadm --lld iscsi --mode logicalunit --op new --tid "$1" --lun 1 -b "/tmp/tgt$1.img"
}

# tgt_allow TID NAME: an initiator name, an address, or ALL.
tgt_allow() {
	local option=--initiator-address
	case $2 in iqn.* | eui.* | naa.*) option=--initiator-name ;; esac
	tgtadm --lld iscsi --mode target --op bind --tid "$1" "$option" "$2"
}

# tgt_chap TID USER SECRET
tgt_chap() {
	tgtadm --lld iscsi --mode account --op new --user "$2" --password "$3" &&
		tgtadm --lld iscsi --mode account --op bind --tid "$1" --user "$2"
}

# --- SNMP ----------------------------------------------------------------------------------------

# snmpd_start: the master agent, on 127.0.0.1 and the default AgentX socket (log: /out/snmpd.log);
# returns when it answers. $SNMPD_CONFIG: more lines of its configuration. Its process is $snmpd_pid;
# call it again after ending that one.
snmpd_start() {
	cat >/run/snmpd.conf <<-EOF
		rocommunity public 127.0.0.1
		master agentx
		agentAddress udp:127.0.0.1:161
		${SNMPD_CONFIG:-}
	EOF
	MIBS='' setsid snmpd -f -C -c /run/snmpd.conf -Lf /out/snmpd.log -p /run/snmpd.pid &
	# shellcheck disable=SC2034
	snmpd_pid=$!
	wait_for 10 snmp_get .1.3.6.1.2.1.1.3.0 && test -S /var/agentx/master
}

# What the guest has no use for: MIB files. All OIDs are numbers here.
snmp_options="-v2c -c public -m : -M /dev/null -On -t 2 -r 1"

# snmp_get OID: the value without its type; fails when there is none.
snmp_get() {
	local answer
	# shellcheck disable=SC2086
	answer=$(snmpget $snmp_options -Oqv -OU 127.0.0.1 "$1" 2>&1) || return
	case $answer in *"No Such "*) return 1 ;; esac
	snmp_value answer "$answer"
	printf '%s\n' "$answer"
}

# snmp_value VARIABLE TEXT: without the quotes and the blank that the tools put around octets.
snmp_value() {
	local text=${2#\"}
	text=${text%\"}
	printf -v "$1" '%s' "${text% }"
}

# snmp_walk OID: lines ".OID VALUE"; none when there is nothing.
snmp_walk() {
	# shellcheck disable=SC2086
	snmpbulkwalk $snmp_options -Oq -OU 127.0.0.1 "$1" | grep -v ' No \(Such\|more\) '
}
