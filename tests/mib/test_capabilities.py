#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""mibs/ISCSI-AGENTX-CAPABILITIES is true: against the modules that it names, and against the .coverage file of each
source (src/source/*.coverage; docs/COVERAGE.md is made of them). TAP.

smilint looks at the names in an AGENT-CAPABILITIES only, smidump drops it: it is parsed here."""
import re
import sys

import smi

# The agent never serves another row status: rows are there or disabled, never being created.
ROW_STATUS = {"active": 1, "notInService": 2}


MODULES = ("ISCSI-MIB", "ISCSI-PATH-MIB")
WRITABLE = {"ISCSI-MIB": 32, "ISCSI-PATH-MIB": 0}


def parse(text, name):
    """(names of groups, {object: {clause: text}}) of what the statement says of a module"""
    text = smi.without_comments(text)
    statement = re.search(r"\w+ AGENT-CAPABILITIES\s(.*?)::=", text,
                          re.DOTALL)[1]
    part = re.search(rf"\bSUPPORTS\s+{name}\s(.*?)(?=\bSUPPORTS\b|$)", statement, re.DOTALL)[1]
    head, *parts = re.split(r"\bVARIATION\s+", part)
    groups = re.search(r"INCLUDES\s+\{([^}]*)\}", head)[1].split(",")
    variations = {}
    for part in parts:
        column = part.split()[0]
        if column in variations:
            raise ValueError(f"{column} has two variations")
        clauses = re.findall(r'(SYNTAX|ACCESS|DESCRIPTION)\s+("[^"]*"|[A-Za-z-]+(?:\s*\{[^}]*\})?)',
                             part)
        variations[column] = {k: " ".join(v.strip('"').split()) for k, v in clauses}
    return [g.strip() for g in groups], variations


def read(name):
    groups, variations = parse((smi.MIBS / "ISCSI-AGENTX-CAPABILITIES").read_text(), name)
    return smi.Module(smi.MIBS / name), groups, variations


def lines_of(file):
    return [line.split("\t") for line in file.read_text().splitlines()
            if line and not line.startswith("#")]


def coverage(module):
    """{column: [(status, text) of each source]}, but for what the agent gives itself"""
    files = sorted((smi.ROOT / "src/source").glob("*.coverage"))
    if not files:
        raise smi.Tap.Skip("no source has a .coverage file")
    own = {name for file in files if file.stem == "agent" for name, *_ in lines_of(file)}
    columns = {n: c for n, c in module.columns.items() if n not in own and c["table"] not in own}
    found = {column: [] for column in columns}
    for file in files:
        if file.stem == "agent":
            continue
        said = {name: (status, text) for name, status, text in lines_of(file)}
        for column, known in columns.items():
            found[column].append(said.get(column) or said[known["table"]])
    return found


def numbers(syntax):
    return {n: int(v) for n, v in re.findall(r"(\w+)\s*\((\d+)\)", syntax)}


def check_groups(name):
    module, groups, variations = read(name)
    faults = [f"{g} is no group" for g in groups if g not in module.groups]
    faults += [f"{g} is included twice" for g in set(groups) if groups.count(g) > 1]
    members = {m for g in groups for m in module.groups.get(g, ())}
    faults += [f"{v} is in no included group" for v in variations if v not in members]
    faults += [f"{c} is in no included group" for c in module.columns if c not in members]
    return faults


def check_read_only(name):
    module, _, variations = read(name)
    faults, writable = [], 0
    for object_name, column in module.columns.items():
        if column["access"] != "read-only":
            writable += 1
            if variations.get(object_name, {}).get("ACCESS") != "read-only":
                faults.append(f"{object_name} is {column['access']} and no VARIATION makes it "
                              "read-only")
    for object_name, variation in variations.items():
        if variation.get("ACCESS") not in (None, "read-only", "not-implemented"):
            faults.append(f"{object_name}: {variation['ACCESS']}")
        if not variation.get("DESCRIPTION"):
            faults.append(f"{object_name} has no DESCRIPTION")
    return faults + ([f"{writable} columns of {name} can be written, not {WRITABLE[name]}"]
                     if writable != WRITABLE[name] else [])


def check_syntax(name):
    """A VARIATION may only restrict (RFC 2580 section 6.5.2.1)."""
    module, _, variations = read(name)
    conventions = {"StorageType": module.typedef("SNMPv2-TC", "StorageType"),
                   "RowStatus": module.typedef("SNMPv2-TC", "RowStatus")}
    faults = []
    for object_name, variation in variations.items():
        column = module.columns[object_name]
        if "SYNTAX" in variation:
            said = numbers(variation["SYNTAX"])
            whole = column["numbers"] or smi.named_numbers(conventions[column["convention"]])
            if not said or not said.items() <= whole.items():
                faults.append(f"{object_name}: {variation['SYNTAX']} is no part of {whole}")
        if column["convention"] == "RowStatus":
            if numbers(variation.get("SYNTAX", "")) != ROW_STATUS:
                faults.append(f"{object_name}: a RowStatus is {ROW_STATUS} and nothing else")
    return faults


def check_coverage(name):
    module, _, variations = read(name)
    faults = []
    for object_name, said in coverage(module).items():
        statuses = {status for status, _ in said}
        variation = variations.get(object_name)
        access = (variation or {}).get("ACCESS")
        never = statuses <= {"hole", "norows"} and "hole" in statuses
        sometimes = "hole" in statuses or any(re.search(r"unknown(?!\()", t) for _, t in said)
        if never != (access == "not-implemented"):
            faults.append(f"{object_name}: ACCESS is {access}, the sources say {said}")
        elif sometimes and not variation:
            faults.append(f"{object_name} is not always known and has no VARIATION: {said}")
        elif (statuses == {"norows"}) != ("No rows" in (variation or {}).get("DESCRIPTION", "")):
            faults.append(f"{object_name}: its VARIATION is {variation}, the sources say {said}")
    return faults


def check_compliance_is_not_claimed():
    text = " ".join((smi.MIBS / "ISCSI-AGENTX-CAPABILITIES").read_text().split())
    return [] if "does not claim iscsiComplianceV2" in text else ["it does not say so"]


def of_each(check):
    """The check for every module, as one that takes no argument."""
    return lambda: [f"{name}: {fault}" for name in MODULES for fault in check(name)]


if __name__ == "__main__":
    sys.exit(smi.Tap.main([
        ("every column is in an included group, every variation too", of_each(check_groups)),
        ("what a module lets be written is read-only", of_each(check_read_only)),
        ("a variation only restricts", of_each(check_syntax)),
        ("holes and empty tables are those of the sources", of_each(check_coverage)),
        ("compliance is not claimed", check_compliance_is_not_claimed),
    ]))
