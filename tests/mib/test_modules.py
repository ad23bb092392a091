#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The modules below mibs/ are good SMI, say what RFC 7147 says, and work in net-snmp's tools on a
machine that has no other module. TAP. The capabilities are held in test_capabilities.py."""
import hashlib
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import smi

# The structure of RFC 7147's module: what `fingerprint` gives for the text of the RFC. A change
# of names, numbers, types, ranges, access, groups or references is a departure from the RFC.
RFC7147 = "a76fc02b61109bbe9d0290ea454f38e35d23d3717082c8c7583475fa3580dec5"

# smilint's only complaints, each for a reason:
# module-name-suffix: names of modules without objects end as those of others do (CISCO-SMI).
# node-implicit: the nodes between enterprises and the root belong to NET-SNMP-MIB, and the root
# is to be one line that `make PRIVATE_OID=...` can rewrite.
# type-without-format: IscsiGauge64 is a Counter64, which RFC 2579 (3.1) allows no DISPLAY-HINT.
LINTED = {"ISCSI-MIB": [], "ISCSI-PATH-MIB": ["type-without-format"],
          "ISCSI-AGENTX-SMI": ["module-name-suffix", "node-implicit"],
          "ISCSI-AGENTX-CAPABILITIES": ["module-name-suffix"]}

ROOT_LINE = re.compile(r"^iscsiAgentx OBJECT IDENTIFIER ::= \{ +enterprises ([0-9 ]+) \}$",
                       re.MULTILINE)


def check_smilint():
    return [line for name, ignored in LINTED.items()
            for line in smi.smilint(smi.MIBS / name, *ignored)]


def check_smilint_finds_faults():
    """A silent smilint is worth something only if it would speak."""
    text = (smi.MIBS / "ISCSI-MIB").read_text()
    faults = []
    for old, new in (("AUGMENTS    { iscsiSessionAttributesEntry }", "AUGMENTS    { mib-2 }"),
                     ("    iscsiSsnTSIH                Unsigned32", "    iscsiSsnTSIH Gauge32"),
                     ("        iscsiSsnTSIH,\n", "")):
        if old not in text:
            faults.append(f"nothing to break: {old!r}")
        with tempfile.TemporaryDirectory() as scratch:
            broken = pathlib.Path(scratch) / "ISCSI-MIB"
            broken.write_text(text.replace(old, new))
            if not smi.smilint(broken):
                faults.append(f"smilint accepts {new!r} for {old!r}")
    return faults


def fingerprint(element):
    """A digest of a module's XML without its descriptions and without layout."""
    digest = hashlib.sha256()

    def feed(node):
        if node.tag in ("description", "contact"):
            return
        words = [node.tag, *(f"{k}={v}" for k, v in sorted(node.attrib.items()) if k != "path"),
                 *(node.text or "").split(), "("]
        digest.update(" ".join(words).encode())
        for child in node:
            feed(child)
        digest.update(b")")

    feed(element)
    return digest.hexdigest()


def check_structure():
    tree = smi.smidump(smi.MIBS / "ISCSI-MIB")
    got = fingerprint(tree)
    faults = [] if got == RFC7147 else [f"fingerprint is {got}"]
    module = smi.Module(smi.MIBS / "ISCSI-MIB")
    access = [c["access"] for c in module.columns.values()]
    counts = {"tables": len(list(tree.iter("table"))), "columns": len(access),
              "notifications": len(module.notifications), "groups": len(module.groups),
              **{a: access.count(a) for a in ("read-only", "read-create", "read-write")}}
    wanted = {"tables": 18, "columns": 135, "notifications": 3, "groups": 26, "read-only": 103,
              "read-create": 18, "read-write": 14}
    faults += [f"{counts[k]} {k}, not {wanted[k]}" for k in wanted if counts[k] != wanted[k]]
    # smidump has one word for read-write and read-create.
    text = smi.without_comments((smi.MIBS / "ISCSI-MIB").read_text())
    written = dict(re.findall(r"^(\w+) OBJECT-TYPE\s.*?MAX-ACCESS +(\S+)", text,
                              re.DOTALL | re.MULTILINE))
    return faults + [f"{name}: MAX-ACCESS {written.get(name)}, should be {c['access']}"
                     for name, c in module.columns.items() if written.get(name) != c["access"]]


def names_and_oids():
    """All named nodes of our modules: {MODULE::name: OID}"""
    found = {}
    for name in LINTED:
        tree = smi.smidump(smi.MIBS / name)
        for part in ("nodes", "notifications", "groups", "compliances", "capabilities"):
            for node in tree.iterfind(f"{part}//*[@oid]"):
                found[f"{name}::{node.get('name')}"] = node.get("oid")
    return found


def check_names_both_ways():
    nodes = names_and_oids()
    faults = [] if len(nodes) > 200 else [f"only {len(nodes)} names"]
    for arguments, wanted in ((list(nodes), [f".{o}" for o in nodes.values()]),
                              ([f".{o}" for o in nodes.values()], list(nodes))):
        options = ["-On"] if "::" in arguments[0] else []
        done = smi.snmptranslate(*options, *arguments)
        got = done.stdout.split()
        if done.stderr or done.returncode:
            faults.append(f"snmptranslate ended with {done.returncode}: {done.stderr.strip()}")
        if len(got) != len(wanted):
            faults.append(f"{len(got)} answers to {len(wanted)} names")
        faults += [f"{a}: {g}, not {w}" for a, g, w in zip(arguments, got, wanted) if g != w]
    return faults


def check_other_names():
    """What a manager sees beside our modules in a notification and in sysORTable."""
    wanted = {"SNMPv2-MIB::sysUpTime.0": ".1.3.6.1.2.1.1.3.0",
              "SNMPv2-MIB::snmpTrapOID.0": ".1.3.6.1.6.3.1.1.4.1.0",
              "SNMPv2-MIB::sysORDescr.4": ".1.3.6.1.2.1.1.9.1.3.4",
              "SNMPv2-MIB::coldStart": ".1.3.6.1.6.3.1.1.5.1",
              "SNMPv2-SMI::enterprises.32473": ".1.3.6.1.4.1.32473",
              "SNMPv2-SMI::zeroDotZero": ".0.0"}
    there = smi.snmptranslate("-On", *wanted).stdout.split()
    back = smi.snmptranslate(*wanted.values()).stdout.split()
    faults = [f"{name}: {to} {fro}" for name, to, fro in zip(wanted, there, back)
              if to != wanted[name] or fro != name]
    if not len(wanted) == len(there) == len(back):
        faults.append(f"{len(there)} and {len(back)} answers to {len(wanted)}")
    return faults


def check_details():
    """Enumerations, hints and conventions reach net-snmp: one column of each kind."""
    wanted = {
        "iscsiSsnDirection": ["SYNTAX\tINTEGER {inboundSession(1), outboundSession(2)}"],
        "iscsiSsnInitialR2T": ["CONVENTION TruthValue", "INTEGER {true(1), false(2)}"],
        "iscsiCxnHeaderIntegrity": ["CONVENTION IscsiDigestMethod", "noDigest(3), crc32c(4)}"],
        "iscsiPortalAddrType": ["{unknown(0), ipv4(1), ipv6(2), ipv4z(3), ipv6z(4), dns(16)}",
                                "DEFVAL\t{ ipv4 }"],
        "iscsiPortalAddr": ["CONVENTION InetAddress", "OCTET STRING (0..255)"],
        "iscsiPortalRowStatus": ["active(1), notInService(2), notReady(3), createAndGo(4)",
                                 "MAX-ACCESS\tread-create"],
        "iscsiNodeStorageType": ["other(1), volatile(2), nonVolatile(3), permanent(4), readOnly(5)",
                                 "MAX-ACCESS\tread-write"],
        "iscsiNodeName": ["OCTET STRING (0 | 16..223)", 'DISPLAY-HINT\t"223t"'],
        "iscsiInstDescr": ["CONVENTION SnmpAdminString", 'DISPLAY-HINT\t"255t"'],
        "iscsiCxnLocalPort": ["CONVENTION InetPortNumber", "Unsigned32 (0..65535)"],
        "iscsiSsnISID": ["OCTET STRING (6)"],
        "iscsiSsnTaskReporting": ["BITS {taskReportingRfc3720(0), taskReportingResponseFence(1)"],
        "iscsiInstDiscontinuityTime": ["CONVENTION TimeStamp", "SYNTAX\tTimeTicks"],
        "iscsiInstLastSsnFailureType": ["CONVENTION AutonomousType", "OBJECT IDENTIFIER"],
        "iscsiNodeTransportType": ["CONVENTION RowPointer", "OBJECT IDENTIFIER"],
        "iscsiSsnTxDataOctets": ["SYNTAX\tCounter64", 'UNITS\t\t"octets"'],
        "iscsiSsnCmdPDUs": ["SYNTAX\tCounter32", 'UNITS\t\t"PDUs"'],
        "iscsiSsnConnectionNumber": ["SYNTAX\tGauge32 (1..65535)"],
    }
    faults = []
    for name, texts in wanted.items():
        shown = smi.snmptranslate("-Td", f"ISCSI-MIB::{name}").stdout
        faults += [f"{name}: no {text!r} in {shown!r}" for text in texts if text not in shown]
    tree = smi.snmptranslate("-Tp", "ISCSI-MIB::iscsiSessionStatsEntry").stdout
    if "iscsiSsnLCRxDataOctets(6)" not in tree:
        faults.append(f"-Tp shows {tree!r}")
    return faults


def parse_conventions(text):
    """{name: (hint, enumeration)} of SMI text."""
    found = {}
    body = r"(\w+) ::= TEXTUAL-CONVENTION(.*?)(?=\n\w+ +::=|\nEND|\n\w+ +OBJECT)"
    for match in re.finditer(body, smi.without_comments(text), re.DOTALL):
        hint = re.search(r'DISPLAY-HINT\s+"([^"]*)"', match[2])
        numbers = re.findall(r"(\w+)\s*\(\s*(\d+)\s*\)", match[2].rpartition("SYNTAX")[2])
        found[match[1]] = (hint[1] if hint else "",
                           {n: int(v) for n, v in numbers if n != "SIZE"})
    return found


def check_base_agrees():
    """mibs/base says nothing that the real modules do not say, and lacks no convention."""
    faults = []
    for name in ("SNMPv2-TC", "INET-ADDRESS-MIB", "SNMP-FRAMEWORK-MIB"):
        ours = parse_conventions((smi.MIBS / "base" / name).read_text())
        real = {t.get("name"): (t.findtext("format") or "", smi.named_numbers(t))
                for t in smi.smidump(name).findall("typedefs/typedef")}
        if "SnmpAdminString" in real:
            # RFC 3411 says 255t; the copy of erlang-snmp is that of RFC 2571.
            real["SnmpAdminString"] = ("255t", {})
        if len(real) < 5:
            faults.append(f"{name} has {len(real)} conventions only")
        faults += [f"{name}: {t} is {ours.get(t)}, should be {real.get(t)}"
                   for t in sorted(real.keys() | ours.keys()) if ours.get(t) != real.get(t)]
    for name, least in (("SNMPv2-MIB", 20), ("SNMPv2-SMI", 14)):
        real = {n.get("name"): "." + n.get("oid") for n in smi.smidump(name).iter() if n.get("oid")}
        text = smi.without_comments((smi.MIBS / "base" / name).read_text())
        ours = re.findall(r"^(\w[\w-]*) +(?:OBJECT IDENTIFIER|[A-Z]+-TYPE)\b", text, re.MULTILINE)
        got = smi.snmptranslate("-On", *(f"{name}::{n}" for n in ours)).stdout.split()
        if len(ours) < least or len(got) != len(ours):
            faults.append(f"{name}: {len(ours)} names, {len(got)} answers")
        faults += [f"{name}: {n} is {o}, should be {real.get(n)}"
                   for n, o in zip(ours, got) if real.get(n) != o]
    return faults


def check_private_root():
    text = (smi.MIBS / "ISCSI-AGENTX-SMI").read_text()
    lines = ROOT_LINE.findall(text)
    if len(lines) != 1:
        return [f"{len(lines)} lines that define the root"]
    faults = []
    root = "1.3.6.1.4.1." + ".".join(lines[0].split())
    made = re.search(r"^PRIVATE_OID \?= (\S+)$", (smi.ROOT / "Makefile").read_text(), re.MULTILINE)
    if not made or made[1] != root:
        faults.append(f"root is {root}, PRIVATE_OID of the Makefile is {made and made[1]}")
    for name in LINTED:
        other = smi.without_comments((smi.MIBS / name).read_text())
        if name != "ISCSI-AGENTX-SMI" and re.search(r"\benterprises\b|\b8072\b", other):
            faults.append(f"{name} has the root a second time")
    return faults


def check_other_root():
    """What `make install PRIVATE_OID=...` does to the module, without installing anything."""
    smi.need("make")
    with tempfile.TemporaryDirectory() as scratch:
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
        plan = smi.run(["make", "-n", "-C", smi.ROOT, "install", f"DESTDIR={scratch}",
                        "PRIVATE_OID=1.3.6.1.4.1.32473.7"], env=environment)
        script = re.search(r"sed -i '(s/[^']*iscsiAgentx [^']*)'", plan.stdout)
        if not script:
            return [f"make -n install has no sed of the root line: {plan.stderr.strip()}"]
        moved = smi.run(["sed", script[1], smi.MIBS / "ISCSI-AGENTX-SMI"]).stdout
        (pathlib.Path(scratch) / "ISCSI-AGENTX-SMI").write_text(moved)
        done = smi.snmptranslate(
            "-On", "ISCSI-PATH-MIB::iscsiPathMIB",
            "ISCSI-AGENTX-CAPABILITIES::iscsiAgentxCapabilitiesV1",
            directories=(smi.MIBS / "base", smi.MIBS, scratch))
    if done.stdout.split() != [".1.3.6.1.4.1.32473.7.1", ".1.3.6.1.4.1.32473.7.2.1"]:
        return [f"with another root: {done.stdout!r} {done.stderr!r}"]
    return []


def check_last_directory_wins():
    """What mibs/README.md says of the older module of RFC 4544 elsewhere."""
    with tempfile.TemporaryDirectory() as scratch:
        old = pathlib.Path(scratch) / "ISCSI-MIB"
        text = (smi.MIBS / "ISCSI-MIB").read_text()
        old.write_text(text.replace("iscsiSsnProtocolLevel", "iscsiSsnSomethingElse"))
        base, name = smi.MIBS / "base", "ISCSI-MIB::iscsiSsnProtocolLevel"
        last = smi.snmptranslate("-On", name, directories=(base, scratch, smi.MIBS))
        first = smi.snmptranslate("-On", name, directories=(base, smi.MIBS, scratch))
    faults = []
    if last.stdout.split() != [".1.3.6.1.2.1.142.1.10.1.1.22"]:
        faults.append(f"our module last: {last.stdout!r} {last.stderr!r}")
    if first.returncode == 0:
        faults.append("our module first wins as well: the other one was not looked at")
    return faults


def check_other_root_makes_anew():
    """Objects of another root were kept once: the agent then registered the old capabilities."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}

    def compiles(*arguments):
        plan = subprocess.run(["make", "-n", *arguments, "build/iscsi-agentx"], cwd=smi.ROOT,
                              check=True, capture_output=True, text=True,
                              env=environment).stdout
        return "CC    agent/agentx_library.c" in plan
    if not (smi.ROOT / "build/iscsi-agentx").exists():
        raise smi.Tap.Skip("build/iscsi-agentx is not built")
    faults = [] if compiles("PRIVATE_OID=1.3.6.1.4.1.99999.1") else ["kept with another root"]
    return faults + (["made anew with the same root"] if compiles() else [])


if __name__ == "__main__":
    sys.exit(smi.Tap.main([
        ("smilint has nothing to say of our modules at level 6", check_smilint),
        ("smilint would have found a fault", check_smilint_finds_faults),
        ("ISCSI-MIB has the structure of RFC 7147", check_structure),
        ("net-snmp finds every name and every OID, with mibs/base only", check_names_both_ways),
        ("net-snmp finds the names around them, with mibs/base only", check_other_names),
        ("net-snmp shows enumerations, hints and conventions", check_details),
        ("mibs/base agrees with the real modules", check_base_agrees),
        ("the private root is one line and the Makefile's", check_private_root),
        ("make with another PRIVATE_OID moves the private tree", check_other_root),
        ("and makes the agent anew", check_other_root_makes_anew),
        ("the last directory wins over an older ISCSI-MIB", check_last_directory_wins),
    ]))
