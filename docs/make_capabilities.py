#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the VARIATIONs of mibs/ISCSI-AGENTX-CAPABILITIES anew: what the sources' .coverage files
say of each column, in the words of RFC 2580. What stands before the first VARIATION is kept.

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


def access_of(binary):
    """{column: access} in the order of the module."""
    listing = make_coverage.subprocess.run([binary, "--list-columns"], check=True,
                                           capture_output=True, text=True)
    rows = [line.split("\t") for line in listing.stdout.splitlines()]
    return {r[5]: r[7] for r in rows if r[0] == "column"}


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


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    module = pathlib.Path(sys.argv[2])
    columns = make_coverage.read_columns(sys.argv[1])
    access = access_of(sys.argv[1])
    sources = {pathlib.Path(p).stem: make_coverage.read_coverage(pathlib.Path(p), columns)
               for p in sys.argv[3:]}
    text = module.read_text()
    head = text[:text.index("    -- iscsi")]
    tail = text[text.rindex("    ::= {"):]
    parts, table = [], None
    for name, column in columns:
        clause, out = sentences(column, access[column],
                                {s: found[column] for s, found in sources.items()})
        if not out:
            continue
        if name != table:
            table = name
            parts.append(f"    -- {table}")
        parts.append(variation(column, clause, out))
    module.write_text(head + "\n\n".join(parts) + "\n\n" + tail)


if __name__ == "__main__":
    main()
