#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes docs/COVERAGE.md: for each column, its value per source or why there is none.

usage: make_coverage.py BINARY SOURCE.coverage... > docs/COVERAGE.md

The columns come from `BINARY --list-columns`; what each source gives from the .coverage file beside
it. A column that a source says nothing of, or a name that is no column, is an error.
"""
import pathlib
import subprocess
import sys

STATUSES = {
    "value": "", "constant": "constant: ", "nothing": "RFC's \"none\": ",
    "hole": "noSuchInstance: ", "norows": "no rows: ",
}


def read_columns(binary):
    listing = subprocess.run([binary, "--list-columns"], check=True, capture_output=True, text=True)
    rows = [line.split("\t") for line in listing.stdout.splitlines()]
    return [(r[2], r[5]) for r in rows if r[0] == "column"]


def read_coverage(path, columns):
    """Returns {column: (status, text)}; exits with file and line on a fault."""
    tables = {}
    for table, column in columns:
        tables.setdefault(table, []).append(column)
    known = {column for _, column in columns}
    found, defaults = {}, {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        fields = line.split("\t")
        where = f"{path}:{number}"
        if len(fields) != 3 or fields[1] not in STATUSES:
            sys.exit(f"{where}: not NAME<TAB>STATUS<TAB>text")
        name, status, text = fields
        if name in found or name in defaults:
            sys.exit(f"{where}: {name} is there twice")
        if name in known:
            found[name] = (status, text)
        elif name in tables:
            defaults[name] = (status, text)
        else:
            sys.exit(f"{where}: {name} is neither a column nor a table")
    for table, column in columns:
        if column not in found:
            if table not in defaults:
                sys.exit(f"{path}: nothing on {column}")
            found[column] = defaults[table]
    return found


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    columns = read_columns(sys.argv[1])
    sources = {pathlib.Path(p).stem: read_coverage(pathlib.Path(p), columns) for p in sys.argv[2:]}
    print("# Coverage of ISCSI-MIB (RFC 7147)\n")
    print("Made by `make docs/COVERAGE.md` from the column tables and the `.coverage` file of each\n"
          "source; do not edit. \"noSuchInstance\" means that a GET says so and a walk steps over\n"
          "it: no source tells the value, and no number is better than a wrong one.\n")
    for source, found in sources.items():
        counts = {s: sum(1 for c in found.values() if c[0] == s) for s in STATUSES}
        print(f"- **{source}**: " + ", ".join(f"{n} {s}" for s, n in counts.items()) +
              f" of {len(columns)} columns")
    table = None
    for name, column in columns:
        if name != table:
            table = name
            print(f"\n## {table}\n\n| column | " + " | ".join(sources) + " |")
            print("|---|" + "---|" * len(sources))
        cells = [STATUSES[f[column][0]] + f[column][1] for f in sources.values()]
        print(f"| {column} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
