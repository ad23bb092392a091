#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes docs/COVERAGE.md: for each column, its value per source or why there is none.

usage: make_coverage.py BINARY SOURCE.coverage... > docs/COVERAGE.md

The columns come from `BINARY --list-columns`; what each source gives from the .coverage file beside
it. A column that a source says nothing of, or a name that is no column, is an error. What no source
gives but the agent itself is in agent.coverage: the tables that it names are not asked of a source.
"""
import pathlib
import subprocess
import sys

OWN = pathlib.Path(__file__).resolve().parent.parent / "src/source/agent.coverage"

STATUSES = {
    "value": "", "constant": "constant: ", "nothing": "RFC's \"none\": ",
    "hole": "noSuchInstance: ", "norows": "no rows: ",
}


def read_listing(binary):
    """[(module, table, column, access)] in the order of the modules"""
    listing = subprocess.run([binary, "--list-columns"], check=True, capture_output=True, text=True)
    rows = [line.split("\t") for line in listing.stdout.splitlines()]
    return [(r[1], r[2], r[5], r[7]) for r in rows if r[0] == "column"]


def own_tables(listing):
    """The tables that agent.coverage names, one of them or all their columns."""
    lines = OWN.read_text().splitlines()
    named = {line.split("\t")[0] for line in lines if line and not line.startswith("#")}
    return {table for _, table, column, _ in listing if table in named or column in named}


def read_columns(binary, own=False):
    """[(table, column)] of the sources, or of the agent itself"""
    listing = read_listing(binary)
    mine = own_tables(listing)
    return [(table, column) for _, table, column, _ in listing if (table in mine) == own]


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


def print_sources(columns, sources):
    for source, found in sources.items():
        counts = {s: sum(1 for _, c in columns if found[c][0] == s) for s in STATUSES}
        print(f"- **{source}**: " + ", ".join(f"{n} {s}" for s, n in counts.items()) +
              f" of {len(columns)} columns")
    print_tables(columns, sources)


def print_tables(columns, sources):
    table = None
    for name, column in columns:
        if name != table:
            table = name
            print(f"\n## {table}\n\n| column | " + " | ".join(sources) + " |")
            print("|---|" + "---|" * len(sources))
        cells = [STATUSES[f[column][0]] + f[column][1] for f in sources.values()]
        print(f"| {column} | " + " | ".join(cells) + " |")


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    listing = read_listing(sys.argv[1])
    columns = read_columns(sys.argv[1])
    own = read_columns(sys.argv[1], True)
    paths = [pathlib.Path(p) for p in sys.argv[2:]]
    sources = {p.stem: read_coverage(p, columns) for p in paths if p.stem != "agent"}
    agent = {"value": read_coverage(OWN, own)}
    print("# Coverage\n")
    print("Made by `make docs/COVERAGE.md` from the column tables and the `.coverage` file of each\n"
          "source; do not edit. \"noSuchInstance\" means that a GET says so and a walk steps over\n"
          "it: no source tells the value, and no number is better than a wrong one.\n")
    modules = list(dict.fromkeys(module for module, *_ in listing))
    for module in modules:
        mine = {column for name, _, column, _ in listing if name == module}
        print(f"# {module}\n")
        print_sources([c for c in columns if c[1] in mine], sources)
        print_tables([c for c in own if c[1] in mine], agent)
        if module != modules[-1]:
            print()


if __name__ == "__main__":
    main()
