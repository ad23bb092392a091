#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the VARIATIONs of mibs/ISCSI-AGENTX-CAPABILITIES anew: what the sources' .coverage files
say of each column, in the words of RFC 2580. What stands before the first VARIATION of each module
(SUPPORTS) is kept.

usage: make_capabilities.py BINARY MODULE SOURCE.coverage...
"""
import pathlib
import re
import sys
import textwrap

import make_coverage

PEOPLE = {"tgt": "tgtd", "lio": "LIO", "open-iscsi": "open-iscsi", "scst": "SCST"}
ROW_STATUS = {"iscsiPortalRowStatus", "iscsiTgtAuthRowStatus", "iscsiIntrAuthRowStatus"}
INDENT = " " * 8
SUPPORTS = re.compile(r"    SUPPORTS    (\S+)\n    INCLUDES \{[^}]*\}\n\n")


def joined(names):
    names = [PEOPLE.get(n, n) for n in names]
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def sentences(column, access, said):
    """(ACCESS or None, sentences) of a column; said: {source: (status, text)}."""
    holes = [s for s, (status, _) in said.items() if status == "hole"]
    statuses = {status for status, _ in said.values()}
    writable = access != "read-only"
    out = ["Nothing is changed over SNMP."] if writable else []
    clause = "read-only" if writable else None
    if statuses == {"norows"}:
        out.append("No rows yet.")
    elif statuses <= {"hole", "norows"}:
        return "not-implemented", [f"Not available from {joined(holes)}."]
    elif holes:
        out.append(f"Not available from {joined(holes)}.")
    for source, (status, text) in said.items():
        when = re.search(r"unknown(?!\().*", text)
        if status == "value" and when:
            out.append(f"{PEOPLE.get(source, source)}: {when.group(0).rstrip('.')}.")
    return clause, out


def variation(column, clause, text):
    lines = [f"    VARIATION   {column}"]
    if column in ROW_STATUS:
        lines.append("    SYNTAX      INTEGER { active(1), notInService(2) }")
    if clause:
        lines.append(f"    ACCESS      {clause}")
    quoted = '"' + " ".join(text).replace('"', "'") + '"'
    if len(quoted) <= 56:
        lines.append(f"    DESCRIPTION {quoted}")
    else:
        wrapped = textwrap.wrap(quoted, 70)
        lines += ["    DESCRIPTION", INDENT + wrapped[0]]
        lines += [INDENT + " " + line for line in wrapped[1:]]
    return "\n".join(lines)


def variations(listing, sources):
    """The VARIATIONs of one module, a comment before those of each table."""
    parts, table = [], None
    for _, name, column, access in listing:
        said = {s: found[column] for s, found in sources.items() if column in found}
        if not said:  # the agent's own: always there
            continue
        clause, out = sentences(column, access, said)
        if not out:
            continue
        if name != table:
            table = name
            parts.append(f"    -- {table}")
        parts.append(variation(column, clause, out))
    return "\n\n".join(parts) + "\n\n"


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    module = pathlib.Path(sys.argv[2])
    listing = make_coverage.read_listing(sys.argv[1])
    columns = make_coverage.read_columns(sys.argv[1])
    paths = [pathlib.Path(p) for p in sys.argv[3:]]
    sources = {p.stem: make_coverage.read_coverage(p, columns) for p in paths
               if p.stem != "agent"}
    text = module.read_text()
    out, end = "", 0
    for head in SUPPORTS.finditer(text):
        out += text[end if not out else head.start():head.end()]
        out += variations([c for c in listing if c[0] == head[1]], sources)
        end = head.end()
    module.write_text(out + text[text.rindex("    ::= {"):])


if __name__ == "__main__":
    main()
