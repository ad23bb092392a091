# SPDX-License-Identifier: BSD-2-Clause
"""A walk of ISCSI-MIB as rows that can be compared: by names of columns, and by what a row is about.

The index numbers are the agent's own, so no witness knows them. Each row gets a natural key out of
what is in it: the name of its node, the address of its portal, the ISID of its session.
"""

import collections
import os
import re

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MODULE = os.path.join(TOP, "mibs", "ISCSI-MIB")
ROOT = (1, 3, 6, 1, 2, 1, 142)

OPEN_ISCSI = 1  # iscsiInstIndex of the initiator
LIO = 2         # and of the kernel's target

# table: number of its group and table below iscsiObjects; columns: {sub-id: name}.
Column = collections.namedtuple("Column", "name table number counter")


class Oid(str):
    """An OBJECT IDENTIFIER as text: .1.3.6"""


def read_columns(path=MODULE):
    """{OID of a column as a tuple: Column}, from the text of the module."""
    with open(path, encoding="ascii") as text:
        module = re.sub(r"--.*", "", text.read())
    oids = {"iscsiMibModule": ROOT}
    columns = {}
    pattern = (r"\b(iscsi\w+)\s+(OBJECT IDENTIFIER|OBJECT-TYPE|MODULE-IDENTITY)\b"
               r"((?:\"[^\"]*\"|[^\"])*?)::=\s*\{\s*(\w+)\s+(\d+)\s*\}")
    for name, kind, body, parent, number in re.findall(pattern, module):
        if kind == "MODULE-IDENTITY" or parent not in oids:
            continue
        oids[name] = oids[parent] + (int(number),)
        if kind == "OBJECT-TYPE" and parent.endswith("Entry") and \
                "not-accessible" not in body:
            table = parent[:-len("Entry")]
            columns[oids[name]] = Column(name, table, int(number), bool(
                re.search(r"SYNTAX\s+Counter", body)))
    return columns


def oid_of(columns, name, index=()):
    """The Oid of a column, by its name."""
    for oid, column in columns.items():
        if column.name == name:
            return Oid("." + ".".join(map(str, oid + tuple(index))))
    raise KeyError(name)


def parse_value(text):
    """What snmpwalk prints with -Oq -OU -Ox -Ot: octets in hexadecimal digits, numbers, OIDs."""
    if text.startswith('"'):
        return bytes.fromhex(text.strip('"'))
    if text.startswith("."):
        return Oid(text)
    return int(text)


def read_walk(text, columns):
    """{table: {index: {name of a column: value}}}; long octets go over several lines."""
    tables = collections.defaultdict(lambda: collections.defaultdict(dict))
    for line in re.split(r"\n(?=\.1\.)", text.strip()):
        name, _, value = line.partition(" ")
        if " No Such " in line or " No more " in line or not name:
            continue
        oid = tuple(map(int, name.strip(".").split(".")))
        length = len(ROOT) + 5  # .1.group.table.1.column
        column = columns.get(oid[:length])
        if column is None:
            raise ValueError("%s is no column of ISCSI-MIB" % name)
        tables[column.table][oid[length:]][column.name] = parse_value(value.replace("\n", ""))
    return tables


def text_of(value):
    """A value for people."""
    if isinstance(value, bytes):
        printable = value and all(32 <= octet < 127 for octet in value) and len(value) > 4
        return repr(value.decode("ascii")) if printable else value.hex(" ") or "''"
    return str(value)


class Rows:
    """The rows of a walk by (table, natural key)."""

    def __init__(self, tables):
        self._tables = tables
        self.rows = {}
        self.nameless = []  # (table, index) of rows that do not say what they are about
        self._nodes = {index: cells.get("iscsiNodeName", b"").decode("utf-8", "replace")
                       for index, cells in tables["iscsiNodeAttributes"].items()}
        self._portals = self._portal_keys()
        self._sessions = {index: self._session_key(index, cells)
                          for index, cells in tables["iscsiSessionAttributes"].items()}
        seen = collections.Counter()
        for table, rows in tables.items():
            for index, cells in rows.items():
                key = self._key(table, index)
                if key is None or (table, key) in self.rows:
                    self.nameless.append((table, index))
                    continue
                if table.endswith("AuthAttributes"):
                    # Such rows point nowhere: any of a node's are as good as the others.
                    seen[table, key] += 1
                    key += (seen[table, key],)
                self.rows[table, key] = cells

    def _portal_keys(self):
        keys = {}
        for (instance, portal, node), cells in self._tables["iscsiTgtPortalAttributes"].items():
            attributes = self._tables["iscsiPortalAttributes"].get((instance, portal), {})
            keys[instance, portal] = (instance, self._nodes.get((instance, node)),
                                      cells.get("iscsiTgtPortalTag"),
                                      attributes.get("iscsiPortalAddr"),
                                      cells.get("iscsiTgtPortalPort"))
        for index, cells in self._tables["iscsiPortalAttributes"].items():
            keys.setdefault(index, (index[0], cells.get("iscsiPortalAddr")))
        return keys

    def _session_key(self, index, cells):
        isid = cells.get("iscsiSsnISID")
        if isid is None:
            return None
        if index[0] == OPEN_ISCSI:
            return (OPEN_ISCSI, int.from_bytes(isid[3:], "big"))
        return (index[0], self._nodes.get(index[:2]), isid.hex())

    def _key(self, table, index):
        if table.startswith("iscsiInstance"):
            return index
        if table in ("iscsiPortalAttributes", "iscsiTgtPortalAttributes",
                     "iscsiIntrPortalAttributes"):
            return self._portals.get(index[:2])
        if table.startswith("iscsiSession"):
            return self._sessions.get(index)
        if table.startswith("iscsiConnection"):
            session = self._sessions.get(index[:3])
            return session and session + (index[3],)
        return (index[0], self._nodes.get(index[:2]))
