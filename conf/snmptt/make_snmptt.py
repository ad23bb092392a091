#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes conf/snmptt/iscsi-agentx.conf: an entry of snmptt(8) for each notification.

usage: make_snmptt.py BINARY > conf/snmptt/iscsi-agentx.conf

Numbers and objects come from `BINARY --list-columns`, descriptions from the MIB modules. What is
said in one line, and how bad it is, is here; {object} becomes the number of that object.
"""
import pathlib
import re
import subprocess
import sys
import textwrap

MIBS = pathlib.Path(__file__).resolve().parent.parent.parent / "mibs"

# Name: (severity, format).
EVENTS = {
    "iscsiTgtLoginFailure": (
        "Warning", "login of {iscsiTgtLastIntrFailureName} at a target failed "
        "({iscsiTgtLoginFailures} failures at this target)"),
    "iscsiIntrLoginFailure": (
        "Warning", "login at {iscsiIntrLastTgtFailureName} failed "
        "({iscsiIntrLoginFailures} failures of this initiator)"),
    "iscsiInstSessionFailure": (
        "Warning", "session with {iscsiInstLastSsnRmtNodeName} failed "
        "({iscsiInstSsnFailures} failures of this instance)"),
    "iscsiPathDown": (
        "Critical", "path from {iscsiPathInitiatorName} to {iscsiPathTargetName} at "
        "{iscsiPathPortal}: {iscsiEventText}"),
    "iscsiPathUp": (
        "Normal", "path from {iscsiPathInitiatorName} to {iscsiPathTargetName} at "
        "{iscsiPathPortal}: {iscsiEventText}"),
    "iscsiPathMissing": (
        "Critical", "path from {iscsiPathInitiatorName} to {iscsiPathTargetName} at "
        "{iscsiPathPortal}: {iscsiEventText}"),
    "iscsiPathFound": (
        "Normal", "path from {iscsiPathInitiatorName} to {iscsiPathTargetName} at "
        "{iscsiPathPortal}: {iscsiEventText}"),
    "iscsiPathPrimaryChanged": (
        "Normal", "path to {iscsiPathTargetName} at {iscsiPathPortal}: {iscsiEventText}"),
    "iscsiMapDegraded": ("Critical", "map {iscsiMapName}, {iscsiMapWwid}: {iscsiEventText}"),
    "iscsiMapRestored": ("Normal", "map {iscsiMapName}, {iscsiMapWwid}: {iscsiEventText}"),
    "iscsiSessionHealthChanged": ("Warning", "session: {iscsiEventText}"),
    "iscsiTargetSessionLimit": ("Warning", "target at {iscsiEventRow}: {iscsiEventText}"),
    "iscsiSourceStale": ("Warning", "source {iscsiSourceName} {iscsiSourceUnit}: {iscsiEventText}"),
    "iscsiSourceRecovered": (
        "Normal", "source {iscsiSourceName} {iscsiSourceUnit}: {iscsiEventText}"),
    "iscsiFlapping": ("Warning", "{iscsiEventSubject}: {iscsiEventText}"),
}

HEAD = """\
# snmptt(8) for the notifications of iscsi-agentx: names its file in snmptt.ini, [TrapFiles].
# Made by make_snmptt.py from the MIB modules and the agent; nothing is executed.
"""


# An initiator that logs in, or only tries to, names itself. Zabbix looks for this word anywhere in the file
# that it gets from snmptt, and takes what follows for the address of another host.
NO_FORGERY = "REGEX ((?<!^)ZBXTRAP)(ZBX-TRAP)g"


def notifications(binary):
    """[(module, name, OID, [object])] in the order of the modules."""
    listing = subprocess.run([binary, "--list-columns"], check=True, capture_output=True, text=True)
    rows = [line.split("\t") for line in listing.stdout.splitlines()]
    return [(r[1], r[2], r[3], r[4].split(",")) for r in rows if r[0] == "notification"]


def description(module, name):
    """The DESCRIPTION of a notification, as one text."""
    text = (MIBS / module).read_text(encoding="utf-8")
    found = re.search(rf"^{name} NOTIFICATION-TYPE.*?DESCRIPTION\s+\"([^\"]*)\"", text,
                      re.DOTALL | re.MULTILINE)
    if not found:
        sys.exit(f"{module} has no {name} with a DESCRIPTION")
    return " ".join(found[1].split())


def entry(module, name, oid, objects):
    severity, form = EVENTS[name]
    try:
        line = re.sub(r"\{(\w+)\}", lambda m: f"${objects.index(m[1]) + 1}", form)
    except ValueError as error:
        sys.exit(f"{name}: {error}")
    described = textwrap.wrap(description(module, name), 90)
    variables = [f"  {number}: {which}" for number, which in enumerate(objects, 1)]
    return "\n".join([
        "", f'EVENT {name} .{oid} "iSCSI" {severity}', f"FORMAT {line}", NO_FORGERY, "SDESC", *described,
        "Variables:", *variables, "EDESC", ""])


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    found = notifications(sys.argv[1])
    other = set(EVENTS) ^ {name for _, name, _, _ in found}
    if other:
        sys.exit(f"not in both lists: {', '.join(sorted(other))}")
    print(HEAD + "".join(entry(*one) for one in found), end="")


if __name__ == "__main__":
    main()
