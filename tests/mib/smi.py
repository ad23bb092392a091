# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of the MIB modules share: TAP output, the SMI tools, a module as smidump sees it.

Standard library only. The tools are smilint, smidump (smitools) and snmptranslate (snmp)."""
import functools
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import traceback
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
MIBS = ROOT / "mibs"
BUILD = pathlib.Path(os.environ.get("BUILD_DIR", ROOT / "build")).resolve()


class Tap:
    """Runs checks in order and prints TAP. A check is (name, function); the function returns the
    list of what is wrong, or raises Skip."""

    class Skip(Exception):
        pass

    @staticmethod
    def main(checks):
        print(f"1..{len(checks)}")
        failed = 0
        for number, (name, check) in enumerate(checks, 1):
            try:
                faults = check()
            except Tap.Skip as reason:
                print(f"ok {number} - {name} # SKIP {reason}")
                continue
            except Exception as error:  # the rest must still run
                faults = traceback.format_exception(error)
                faults = "".join(faults).splitlines()
            failed += bool(faults)
            print(f"{'not ok' if faults else 'ok'} {number} - {name}")
            for fault in faults[:20]:
                print(f"# {fault}")
            if len(faults) > 20:
                print(f"# ... {len(faults)} in all")
        sys.stdout.flush()
        return 1 if failed else 0


def run(command, **more):
    return subprocess.run([str(c) for c in command], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, errors="replace", timeout=300, check=False, **more)


def need(*tools):
    for tool in tools:
        if not shutil.which(tool):
            raise Tap.Skip(f"no {tool} here")


@functools.lru_cache(None)
def fetch():
    """Tries once to have the real SMI modules: what went wrong, or ''."""
    done = run([ROOT / "tests/support/fetch_smi.sh", BUILD / "smi"])
    return "" if done.returncode == 0 else done.stderr.strip() or "fetch_smi.sh failed"


def smi_environment():
    """The environment for smilint and smidump: the real SMI modules, then ours."""
    if fetch():
        raise Tap.Skip(fetch())
    return dict(os.environ, SMIPATH=f"{BUILD / 'smi'}:{MIBS}", LC_ALL="C")


def smilint(file, *ignored):
    """What smilint has to say of a module at level 6, warnings of the ignored kinds left out."""
    need("smilint")
    command = ["smilint", "--config=/dev/null", "-s", "-m", "-l", "6"]
    for kind in ignored:
        command += ["-i", kind]
    done = run(command + [file], env=smi_environment())
    lines = (done.stdout + done.stderr).splitlines()
    return lines or ([f"smilint ended with {done.returncode}"] if done.returncode else [])


def snmptranslate(*arguments, directories=None, modules="ALL"):
    """Runs snmptranslate with no other modules than those of the directories. No configuration of
    this machine counts."""
    need("snmptranslate")
    path = ":".join(str(d) for d in directories or (MIBS / "base", MIBS))
    with tempfile.TemporaryDirectory() as nothing:
        os.mkdir(os.path.join(nothing, "cert_indexes"))  # or it is made with a message
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("MIB", "SNMP"))}
        environment.update(SNMPCONFPATH=nothing, SNMP_PERSISTENT_DIR=nothing, LC_ALL="C")
        return run(["snmptranslate", "-M", path, "-m", modules, *arguments], env=environment)


def smidump(module):
    """The XML tree of a module: a file, which must be without fault, or the name of a standard one
    (the SNMPv2-TC of erlang-snmp imports an ASN.1 type, which smidump would have stop it)."""
    need("smidump")
    forgive = ["-k"] if isinstance(module, str) else []
    done = run(["smidump", "--config=/dev/null", "-q", *forgive, "-f", "xml", module],
               env=smi_environment())
    if not done.stdout:
        raise RuntimeError(f"smidump {module}: {done.stderr.strip() or done.returncode}")
    return xml.etree.ElementTree.fromstring(done.stdout)


ACCESS = {"readonly": "read-only", "readwrite": "read-write"}
SYNTAX = {"Enumeration": "INTEGER", "Integer32": "INTEGER", "OctetString": "OCTET-STRING",
          "ObjectIdentifier": "OBJECT-IDENTIFIER", "Bits": "BITS"}


class Module:
    """Columns (scalars among them), notifications, groups and conventions of a module."""

    def __init__(self, file):
        self.tree = smidump(file)
        self.name = self.tree.find("module").get("name")
        self.types = {}
        self.columns = {}
        self.indexes = {}
        augmented = {}
        for row in self.tree.iter("row"):
            self.indexes[row.get("name")] = [i.get("name") for i in row.findall("linkage/index")]
            for other in row.findall("linkage/augments"):
                augmented[row.get("name")] = other.get("module"), other.get("name")
        for row, (module, other) in augmented.items():
            known = self if module == self.name else Module(MIBS / module)
            self.indexes[row] = known.indexes[other]
        for table in self.tree.iter("table"):
            for row in table.findall("row"):
                for column in row.findall("column"):
                    self.add_column(table, row, column)
        nodes = {n.get("oid"): n.get("name") for n in self.tree.iter("node")}
        for scalar in self.tree.iter("scalar"):
            self.add_scalar(nodes[scalar.get("oid").rpartition(".")[0]], scalar)
        self.notifications = {
            n.get("name"): (n.get("oid"), [o.get("name") for o in n.findall("objects/object")])
            for n in self.tree.iter("notification")}
        self.groups = {g.get("name"): [m.get("name") for m in g.findall("members/member")]
                       for g in self.tree.findall("groups/group")}

    def add_column(self, table, row, column):
        access = column.find("access").text
        if access == "noaccess":
            return
        access = ACCESS[access]
        # smidump has one word for both; a row that can be created has no column that is merely
        # read-write (RFC 2578 section 7.3).
        if access == "read-write" and row.get("create") == "true":
            access = "read-create"
        self.columns[column.get("name")] = {
            "table": table.get("name"), "entry": row.get("name"), "oid": column.get("oid"),
            "syntax": self.base_type(column.find("syntax")), "access": access,
            "index": self.indexes[row.get("name")], "convention": convention(column),
            "numbers": named_numbers(column.find("syntax")),
            "limits": self.limits(column.find("syntax"))}

    def add_scalar(self, parent, scalar):
        """As --list-columns has it: the node above is its table, and it has no index."""
        access = scalar.find("access").text
        if access == "noaccess":
            return
        self.columns[scalar.get("name")] = {
            "table": parent, "entry": "", "oid": scalar.get("oid"),
            "syntax": self.base_type(scalar.find("syntax")), "access": ACCESS[access],
            "index": [""], "convention": convention(scalar),
            "numbers": named_numbers(scalar.find("syntax")),
            "limits": self.limits(scalar.find("syntax"))}

    def base_type(self, syntax):
        """The type of a column on the wire, as --list-columns names it."""
        name, node = list(self.chain(syntax))[-1]
        return SYNTAX.get(name, name) if node is None else SYNTAX.get(node.get("basetype"),
                                                                      node.get("basetype"))

    def chain(self, syntax):
        """From a syntax down to its base: (name of the convention or "", its definition); the last
        may be a type of SMI itself, which has a name and no definition."""
        node = syntax.find("type")
        if node is None:
            node = syntax.find("typedef")
        while node is not None:
            name = ""
            if node.tag in ("type", "parent"):
                module, name = node.get("module"), node.get("name")
                if module in ("", None, "SNMPv2-SMI"):
                    yield name, None
                    return
                node = self.typedef(module, name)
            yield name, node
            node = node.find("parent")

    def limits(self, syntax):
        """What the module says of a column's values: names of all conventions, ranges (of numbers,
        or of octets), named numbers. The definition next to the column counts."""
        limits = {"conventions": [], "ranges": [], "labels": {}}
        for name, node in self.chain(syntax):
            limits["conventions"] += [name] if name else []
            if node is None:
                continue
            limits["ranges"] = limits["ranges"] or [(int(r.get("min")), int(r.get("max")))
                                                    for r in node.findall("range")]
            limits["labels"] = limits["labels"] or named_numbers(node)
        return limits

    def typedef(self, module, name):
        if module not in self.types:
            tree = self.tree if module == self.name else smidump(module)
            self.types[module] = {t.get("name"): t for t in tree.findall("typedefs/typedef")}
        return self.types[module][name]


def convention(column):
    """The textual convention that the column names, or ''."""
    for node in (column.find("syntax/type"), column.find("syntax/typedef/parent")):
        if node is not None:
            return node.get("name")
    return ""


def named_numbers(node):
    return {n.get("name"): int(n.get("number")) for n in node.iter("namednumber")}


def without_comments(text):
    """SMI text without its comments, strings kept."""
    return re.sub(r'("[^"]*")|--[^\n]*', lambda m: m[1] or "", text)
