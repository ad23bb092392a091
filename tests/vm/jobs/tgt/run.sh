#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The agent on a host whose tgtd serves the kernel's initiator. What it shows is held against what
# others know of the same sessions: the initiator's sysfs and counters, the socket table, and the
# login PDUs on the wire. Then its processes: rights, files, death and return, an end without trace.
. /job/lib.sh
. /job/agent.sh
. /job/lab.sh
. /job/rows.sh
. /job/processes.sh

check "modules load" lab_modules
check "network" tgt_network
check "snmpd offers the AgentX socket" snmpd_start
check "iscsid starts" initiator_start
check "tgtd with two targets" tgt_setup 1 2
check "the initiator finds and knows them" initiator_setup
check "login to both" logins
wait_for 10 session_disk "$TARGET1" 1 || give_up "the disk of the first target shows up"
wait_for 10 session_disk "$TARGET2" 1 || give_up "the disk of the second target shows up"

agent_start
wait_for 10 both_rows || give_up "the sessions appear over SNMP"
pass "the sessions appear over SNMP"

check_instance
check_session 1
check_session 2
check_counters
check_rights
check_files
check_secrets
check_deaths
check_tgtd_stopped
check_snmpd_restart
check_logout
check_reboot
check_end
tap_end
