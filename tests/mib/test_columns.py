#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The agent's column tables and the MIB modules say the same, both ways. TAP.

Compares `iscsi-agentx --list-columns` (AGENT_BINARY, default build/iscsi-agentx) with what smidump
makes of mibs/ISCSI-MIB, mibs/ISCSI-PATH-MIB and every other module that the listing names: each accessible column
with table, entry, OID, base type, access and index; each notification with OID and objects in
order. The listing has no header and one line per column or notification, TAB between fields:

    column        MODULE  table  entry  OID  name  SYNTAX  access  index,...
    notification  MODULE  name   OID    object,...

Before that the comparison itself is tested: on a listing made from the module, and on that listing
with one thing wrong in it.
"""
import os
import sys

import smi

FIELDS = {"column": 9, "notification": 5}
REQUIRED = "ISCSI-MIB"
PRIVATE = "ISCSI-PATH-MIB"


def listing_of(module):
    """What an agent that agrees with the module prints."""
    lines = ["\t".join(("column", module.name, c["table"], c["entry"], c["oid"], name, c["syntax"],
                        c["access"], ",".join(c["index"])))
             for name, c in module.columns.items()]
    lines += ["\t".join(("notification", module.name, name, oid, ",".join(objects)))
              for name, (oid, objects) in module.notifications.items()]
    return lines


def compare(lines, modules):
    """What is wrong with a listing, given {module name: Module}."""
    faults, seen = [], set()
    for number, line in enumerate(lines, 1):
        fields = line.split("\t")
        if FIELDS.get(fields[0]) != len(fields):
            faults.append(f"line {number} has no known form: {line!r}")
            continue
        module = modules.get(fields[1])
        name = fields[5] if fields[0] == "column" else fields[2]
        if module is None:
            faults.append(f"line {number}: {name}: there is no module {fields[1]}")
            continue
        if (fields[1], name) in seen:
            faults.append(f"{name} is listed twice")
        seen.add((fields[1], name))
        if fields[0] == "column":
            faults += compare_column(name, fields, module)
        else:
            faults += compare_notification(name, fields, module)
    for module in modules.values():
        faults += [f"{name} is not listed" for name in (*module.columns, *module.notifications)
                   if (module.name, name) not in seen]
    return faults


def compare_column(name, fields, module):
    wanted = module.columns.get(name)
    if wanted is None:
        return [f"{name} is no accessible column of {module.name}"]
    listed = dict(zip(("table", "entry", "oid"), fields[2:5]))
    listed.update(zip(("syntax", "access"), fields[6:8]))
    listed["index"] = fields[8].split(",")
    return [f"{name}: {what} is {value}, in {module.name} {wanted[what]}"
            for what, value in listed.items() if value != wanted[what]]


def compare_notification(name, fields, module):
    if name not in module.notifications:
        return [f"{name} is no notification of {module.name}"]
    oid, objects = module.notifications[name]
    faults = []
    if fields[3] != oid:
        faults.append(f"{name}: oid is {fields[3]}, in {module.name} {oid}")
    if fields[4].split(",") != objects:
        faults.append(f"{name}: objects are {fields[4]}, in {module.name} {','.join(objects)}")
    return faults


_modules = {}


def module_of(name):
    if name not in _modules:
        _modules[name] = smi.Module(smi.MIBS / name)
    return _modules[name]


def check_module_is_read_right():
    """The comparison is worth what smi.Module is: some columns by hand."""
    module = module_of(REQUIRED)
    root = "1.3.6.1.2.1.142.1."
    session = ["iscsiInstIndex", "iscsiSsnNodeIndex", "iscsiSsnIndex"]
    by_hand = {
        "iscsiInstDescr": ("1.1.1.2", "OCTET-STRING", "read-only", ["iscsiInstIndex"]),
        "iscsiInstLastSsnFailureType": ("1.1.1.11", "OBJECT-IDENTIFIER", "read-only",
                                        ["iscsiInstIndex"]),
        "iscsiInstSsnDigestErrors": ("1.2.1.1", "Counter32", "read-only", ["iscsiInstIndex"]),
        "iscsiPortalRowStatus": ("2.1.1.2", "INTEGER", "read-create",
                                 ["iscsiInstIndex", "iscsiPortalIndex"]),
        "iscsiPortalRoles": ("2.1.1.3", "BITS", "read-create",
                             ["iscsiInstIndex", "iscsiPortalIndex"]),
        "iscsiPortalProtocol": ("2.1.1.6", "Unsigned32", "read-create",
                                ["iscsiInstIndex", "iscsiPortalIndex"]),
        "iscsiTgtPortalPort": ("3.1.1.2", "Unsigned32", "read-write",
                               ["iscsiInstIndex", "iscsiPortalIndex",
                                "iscsiTgtPortalNodeIndexOrZero"]),
        "iscsiSsnISID": ("10.1.1.7", "OCTET-STRING", "read-only", session),
        "iscsiSsnInitialR2T": ("10.1.1.10", "INTEGER", "read-only", session),
        "iscsiSsnConnectionNumber": ("10.1.1.16", "Gauge32", "read-only", session),
        "iscsiSsnDiscontinuityTime": ("10.1.1.21", "TimeTicks", "read-only", session),
        "iscsiSsnTxDataOctets": ("10.2.1.3", "Counter64", "read-only", session),
        "iscsiCxnState": ("11.1.1.3", "INTEGER", "read-only", session + ["iscsiCxnIndex"]),
    }
    faults = []
    for name, (oid, syntax, access, index) in by_hand.items():
        c = module.columns.get(name)
        got = c and (c["oid"], c["syntax"], c["access"], c["index"])
        if got != (root + oid, syntax, access, index):
            faults.append(f"{name}: {got}")
    if "iscsiInstIndex" in module.columns:
        faults.append("iscsiInstIndex is not accessible")
    return faults


def check_private_module_is_read_right():
    """Scalars, a table that augments one of another module, a convention on Counter64."""
    module = module_of(PRIVATE)
    root = "1.3.6.1.4.1.8072.9999.9999.7147.1.1."
    session = ["iscsiInstIndex", "iscsiSsnNodeIndex", "iscsiSsnIndex"]
    by_hand = {
        "iscsiSumText": ("iscsiPathSummary", "", "1.2", "OCTET-STRING", [""]),
        "iscsiAgentSnapshotTime": ("iscsiPathAgent", "", "2.4", "TimeTicks", [""]),
        "iscsiPathStatus": ("iscsiPathTable", "iscsiPathEntry", "3.1.2", "INTEGER",
                            ["iscsiPathIndex"]),
        "iscsiPathUniqueConnectionId": ("iscsiPathTable", "iscsiPathEntry", "3.1.21",
                                        "Counter64", ["iscsiPathIndex"]),
        "iscsiSsnPropCaption": ("iscsiSsnPropTable", "iscsiSsnPropEntry", "4.1.1",
                                "OCTET-STRING", session),
        "iscsiDevState": ("iscsiDevTable", "iscsiDevEntry", "5.1.7", "INTEGER",
                          session + ["iscsiDevLun"]),
    }
    keys = ("table", "entry", "oid", "syntax", "index")
    return [f"{name}: {module.columns.get(name)}" for name, wanted in by_hand.items()
            if [module.columns.get(name, {}).get(k) for k in keys]
            != [*wanted[:2], root + wanted[2], *wanted[3:]]]


def check_agreement_is_found():
    module = module_of(REQUIRED)
    return compare(listing_of(module), {REQUIRED: module})


def mistakes(lines):
    """(what, listing with that mistake, what a fault must say)"""
    def changed(name, old, new):
        at = [i for i, l in enumerate(lines) if name in l.split("\t")]
        assert len(at) == 1 and old in lines[at[0]].split("\t"), name
        line = ["\t".join(new if f == old else f for f in lines[at[0]].split("\t"))]
        return lines[:at[0]] + line + lines[at[0] + 1:]

    failures = next(l for l in lines if l.startswith("notification")).split("\t")[4]
    swapped = ",".join([*failures.split(",")[1:], failures.split(",")[0]])
    return [
        ("a wrong syntax", changed("iscsiSsnConnectionNumber", "Gauge32", "Unsigned32"),
         "iscsiSsnConnectionNumber: syntax"),
        ("a wrong access", changed("iscsiPortalAddr", "read-create", "read-write"),
         "iscsiPortalAddr: access"),
        ("a wrong OID", changed("iscsiCxnCid", "1.3.6.1.2.1.142.1.11.1.1.2",
                                "1.3.6.1.2.1.142.1.11.1.1.3"), "iscsiCxnCid: oid"),
        ("a wrong table", changed("iscsiSsnCmdPDUs", "iscsiSessionStatsTable",
                                  "iscsiSessionAttributesTable"), "iscsiSsnCmdPDUs: table"),
        ("a wrong entry", changed("iscsiSsnCmdPDUs", "iscsiSessionStatsEntry",
                                  "iscsiSessionAttributesEntry"), "iscsiSsnCmdPDUs: entry"),
        ("a wrong index", changed("iscsiNodeName", "iscsiInstIndex,iscsiNodeIndex",
                                  "iscsiNodeIndex,iscsiInstIndex"), "iscsiNodeName: index"),
        ("a missing column", [l for l in lines if "\tiscsiSsnTSIH\t" not in l],
         "iscsiSsnTSIH is not listed"),
        ("a column that is none", changed("iscsiSsnTSIH", "iscsiSsnTSIH", "iscsiSsnIndex"),
         "iscsiSsnIndex is no accessible column"),
        ("a column listed twice", lines + [lines[0]], "listed twice"),
        ("a missing notification", [l for l in lines if "\tiscsiTgtLoginFailure\t" not in l],
         "iscsiTgtLoginFailure is not listed"),
        ("objects in another order", changed("iscsiTgtLoginFailure", failures, swapped),
         "iscsiTgtLoginFailure: objects"),
        ("a wrong notification OID", changed("iscsiTgtLoginFailure", "1.3.6.1.2.1.142.0.1",
                                             "1.3.6.1.2.1.142.0.4"), "iscsiTgtLoginFailure: oid"),
        ("a module that is not there", changed("iscsiSsnTSIH", "ISCSI-MIB", "OTHER-MIB"),
         "there is no module OTHER-MIB"),
        ("a line of another form", lines + ["column\tISCSI-MIB"], "no known form"),
        ("nothing", [], "iscsiInstDescr is not listed"),
    ]


def check_mistakes_are_found():
    module = module_of(REQUIRED)
    faults = []
    for what, lines, message in mistakes(listing_of(module)):
        found = compare(lines, {REQUIRED: module})
        if not any(message in fault for fault in found):
            faults.append(f"{what} is not found: {found[:3]}")
    return faults


def check_agent():
    binary = os.environ.get("AGENT_BINARY", str(smi.ROOT / "build/iscsi-agentx"))
    if "/" in binary and not os.path.exists(binary):
        return [f"{binary} is not built"]
    done = smi.run([binary, "--list-columns"])
    if done.returncode != 0:
        return [f"{binary} --list-columns ended with {done.returncode}: {done.stderr.strip()}"]
    lines = done.stdout.splitlines()
    names = {REQUIRED, PRIVATE, *(l.split("\t")[1] for l in lines if "\t" in l)}
    modules = {n: module_of(n) for n in names if (smi.MIBS / n).is_file()}
    faults = compare(lines, modules)
    print(f"# {len(lines)} lines, modules {', '.join(sorted(modules))}")
    return faults + ([f"stderr: {done.stderr.strip()}"] if done.stderr else [])


if __name__ == "__main__":
    sys.exit(smi.Tap.main([
        ("columns are read from the module as they are", check_module_is_read_right),
        ("and those of the private module", check_private_module_is_read_right),
        ("a listing that agrees is accepted", check_agreement_is_found),
        ("each mistake in a listing is found", check_mistakes_are_found),
        ("the agent's columns are those of the modules", check_agent),
    ]))
