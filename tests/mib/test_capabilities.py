#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""mibs/ISCSI-AGENTX-CAPABILITIES is true: against ISCSI-MIB, and against the .coverage file of each
source (src/source/*.coverage; docs/COVERAGE.md is made of them). TAP.

smilint looks at the names in an AGENT-CAPABILITIES only, smidump drops it: it is parsed here."""
import re
import sys

import smi

# The agent never serves another row status: rows are there or disabled, never being created.
ROW_STATUS = {"active": 1, "notInService": 2}


def parse(text):
    """(names of groups, {object: {clause: text}}) of the statement"""
    text = smi.without_comments(text)
    statement = re.search(r"\w+ AGENT-CAPABILITIES\s(.*?)::=", text,
                          re.DOTALL)[1]
    head, *parts = re.split(r"\bVARIATION\s+", statement)
    groups = re.search(r"SUPPORTS\s+ISCSI-MIB\s+INCLUDES\s+\{([^}]*)\}", head)[1].split(",")
    variations = {}
    for part in parts:
        name = part.split()[0]
        if name in variations:
            raise ValueError(f"{name} has two variations")
        clauses = re.findall(r'(SYNTAX|ACCESS|DESCRIPTION)\s+("[^"]*"|[A-Za-z-]+(?:\s*\{[^}]*\})?)',
                             part)
        variations[name] = {k: " ".join(v.strip('"').split()) for k, v in clauses}
    return [g.strip() for g in groups], variations


def read():
    groups, variations = parse((smi.MIBS / "ISCSI-AGENTX-CAPABILITIES").read_text())
    return smi.Module(smi.MIBS / "ISCSI-MIB"), groups, variations


def coverage(module):
    """{column: [(status, text) of each source]}"""
    files = sorted((smi.ROOT / "src/source").glob("*.coverage"))
    if not files:
        raise smi.Tap.Skip("no source has a .coverage file")
    found = {column: [] for column in module.columns}
    for file in files:
        said = {}
        for line in file.read_text().splitlines():
            if line and not line.startswith("#"):
                name, status, text = line.split("\t")
                said[name] = (status, text)
        for column, known in module.columns.items():
            found[column].append(said.get(column) or said[known["table"]])
    return found


def numbers(syntax):
    return {n: int(v) for n, v in re.findall(r"(\w+)\s*\((\d+)\)", syntax)}


def check_groups():
    module, groups, variations = read()
    faults = [f"{g} is no group" for g in groups if g not in module.groups]
    faults += [f"{g} is included twice" for g in set(groups) if groups.count(g) > 1]
    members = {m for g in groups for m in module.groups.get(g, ())}
    faults += [f"{v} is in no included group" for v in variations if v not in members]
    faults += [f"{c} is in no included group" for c in module.columns if c not in members]
    return faults


def check_read_only():
    module, _, variations = read()
    faults, writable = [], 0
    for name, column in module.columns.items():
        if column["access"] != "read-only":
            writable += 1
            if variations.get(name, {}).get("ACCESS") != "read-only":
                faults.append(f"{name} is {column['access']} and no VARIATION makes it read-only")
    for name, variation in variations.items():
        if variation.get("ACCESS") not in (None, "read-only", "not-implemented"):
            faults.append(f"{name}: {variation['ACCESS']}")
        if not variation.get("DESCRIPTION"):
            faults.append(f"{name} has no DESCRIPTION")
    return faults + ([f"{writable} columns can be written in ISCSI-MIB, not 32"]
                     if writable != 32 else [])


def check_syntax():
    """A VARIATION may only restrict (RFC 2580 section 6.5.2.1)."""
    module, _, variations = read()
    conventions = {"StorageType": module.typedef("SNMPv2-TC", "StorageType"),
                   "RowStatus": module.typedef("SNMPv2-TC", "RowStatus")}
    faults = []
    for name, variation in variations.items():
        column = module.columns[name]
        if "SYNTAX" in variation:
            said = numbers(variation["SYNTAX"])
            whole = column["numbers"] or smi.named_numbers(conventions[column["convention"]])
            if not said or not said.items() <= whole.items():
                faults.append(f"{name}: {variation['SYNTAX']} is no part of {whole}")
        if column["convention"] == "RowStatus":
            if numbers(variation.get("SYNTAX", "")) != ROW_STATUS:
                faults.append(f"{name}: a RowStatus is {ROW_STATUS} and nothing else")
    return faults


def check_coverage():
    module, _, variations = read()
    faults = []
    for name, said in coverage(module).items():
        statuses = {status for status, _ in said}
        variation = variations.get(name)
        access = (variation or {}).get("ACCESS")
        never = statuses <= {"hole", "norows"} and "hole" in statuses
        sometimes = "hole" in statuses or any(re.search(r"unknown(?!\()", t) for _, t in said)
        if never != (access == "not-implemented"):
            faults.append(f"{name}: ACCESS is {access}, the sources say {said}")
        elif sometimes and not variation:
            faults.append(f"{name} is not always known and has no VARIATION: {said}")
        elif (statuses == {"norows"}) != ("No rows" in (variation or {}).get("DESCRIPTION", "")):
            faults.append(f"{name}: its VARIATION is {variation}, the sources say {said}")
    return faults


def check_compliance_is_not_claimed():
    text = " ".join((smi.MIBS / "ISCSI-AGENTX-CAPABILITIES").read_text().split())
    return [] if "does not claim iscsiComplianceV2" in text else ["it does not say so"]


if __name__ == "__main__":
    sys.exit(smi.Tap.main([
        ("every column is in an included group, every variation too", check_groups),
        ("what ISCSI-MIB lets be written is read-only", check_read_only),
        ("a variation only restricts", check_syntax),
        ("holes and empty tables are those of the sources", check_coverage),
        ("compliance is not claimed", check_compliance_is_not_claimed),
    ]))
