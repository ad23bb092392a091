#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes conf/zabbix/VERSION/template_app_iscsi_snmp.yaml: the template "iSCSI by SNMP".

usage: make_zabbix.py BINARY 6.0|7.0 > conf/zabbix/VERSION/template_app_iscsi_snmp.yaml

What is monitored is in content.py, once for both versions. OIDs come from `BINARY --list-columns`,
the words of enumerations from the MIB modules. Zabbix 6.0 asks for each object by itself; 7.0 walks
a table once and takes all items out of that answer. Identifiers are hashes of names, so that an
import over an older version of the template changes items and keeps their history.
"""
import pathlib
import re
import subprocess
import sys

from template import VERSIONS, export

MIBS = pathlib.Path(__file__).resolve().parent.parent.parent / "mibs"
PLAIN = re.compile(r"[A-Za-z{/.][\w ./(){}$#-]*")
WORDS = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}


# -- YAML: the little of it that Zabbix's own export writes ---------------------------------------

def scalar(value):
    text = str(value)
    if (PLAIN.fullmatch(text) and text.lower() not in WORDS and text == text.strip()
            and text[0] not in "{" and " #" not in text):
        return text
    return "'" + text.replace("'", "''") + "'"


def write(value, indent=0):
    """The lines of a mapping or a list; what is None or empty is left out of a mapping."""
    pad = "  " * indent
    if isinstance(value, dict):
        for key, one in value.items():
            if one is None or one == [] or one == {}:
                continue
            name = scalar(key)
            if isinstance(one, str) and "\n" in one:
                yield f"{pad}{name}: |"
                yield from (f"{pad}  {line}" if line else "" for line in one.split("\n"))
            elif isinstance(one, (dict, list)):
                yield f"{pad}{name}:"
                yield from write(one, indent + 1)
            else:
                yield f"{pad}{name}: {scalar(one)}"
    else:
        for one in value:
            if isinstance(one, (dict, list)):
                first, *rest = write(one, indent + 1)
                yield f"{pad}- {first.lstrip()}"
                yield from rest
            else:
                yield f"{pad}- {scalar(one)}"


# -- what the modules say -------------------------------------------------------------------------

class Modules:
    """OIDs by name, and the enumeration of an object."""

    def __init__(self, binary):
        listing = subprocess.run([binary, "--list-columns"], check=True, capture_output=True,
                                 text=True).stdout
        rows = [line.split("\t") for line in listing.splitlines()]
        columns = [r for r in rows if r[0] == "column"]
        self.oids = {r[5]: r[4] for r in columns}
        self.homes = {r[5]: r[1] for r in columns}
        self.traps = {r[2]: r[3] for r in rows if r[0] == "notification"}
        self.texts = {m: (MIBS / m).read_text(encoding="utf-8")
                      for m in dict.fromkeys(r[1] for r in columns)}

    def oid(self, name):
        if name not in self.oids:
            sys.exit(f"no object of the agent: {name}")
        return self.oids[name]

    def module(self, name):
        return self.homes[name]

    def description(self, name):
        """The DESCRIPTION of an object, as one text."""
        found = re.search(rf"^{name}\s+OBJECT-TYPE.*?DESCRIPTION\s+\"([^\"]*)\"",
                          self.texts[self.homes[name]], re.MULTILINE | re.DOTALL)
        return " ".join(found[1].split())

    def enumeration(self, name):
        """(name of the value map, {number: word}) of an object, or of a textual convention."""
        for module, text in self.texts.items():
            found = re.search(rf"^{name}\s+OBJECT-TYPE\s+SYNTAX\s+(\w+)\s*(\{{[^}}]*\}})?", text,
                              re.MULTILINE)
            if found and found[2]:
                return f"{module}::{name}", self._words(found[2])
            if found:
                return self._convention(found[1])
        sys.exit(f"no object of the modules: {name}")

    def _convention(self, name):
        if name == "TruthValue":  # of SNMPv2-TC
            return "SNMPv2-TC::TruthValue", {"1": "true", "2": "false"}
        for module, text in self.texts.items():
            found = re.search(rf"^{name} ::= TEXTUAL-CONVENTION.*?SYNTAX\s+INTEGER\s*(\{{[^}}]*\}})",
                              text, re.MULTILINE | re.DOTALL)
            if found:
                return f"{module}::{name}", self._words(found[1])
        sys.exit(f"no enumeration: {name}")

    @staticmethod
    def _words(braces):
        return {number: word for word, number in re.findall(r"(\w+)\((\d+)\)", braces)}


def main():
    if len(sys.argv) != 3 or sys.argv[2] not in VERSIONS:
        sys.exit(__doc__)
    tree = export(Modules(sys.argv[1]), sys.argv[2])
    print("\n".join(write({"zabbix_export": tree})))


if __name__ == "__main__":
    main()
