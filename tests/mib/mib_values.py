# SPDX-License-Identifier: BSD-2-Clause
"""Whether what an agent serves is what the MIB modules allow: for every value its type, range and
named numbers, for texts UTF-8 without control characters, for addresses the length that their type
has, for names their order and their columns.

    faults = Judge().faults(snmp.parse(text))
"""
import os
import unicodedata

import smi

PRIVATE = os.environ.get("PRIVATE_OID", "1.3.6.1.4.1.8072.9999.9999.7147")
MODULES = ("ISCSI-MIB", "ISCSI-PATH-MIB")
# What the net-snmp tools call the types of SMI.
KINDS = {"OCTET-STRING": "STRING", "BITS": "STRING", "OBJECT-IDENTIFIER": "OID",
         "INTEGER": "INTEGER", "Unsigned32": "Gauge32", "Gauge32": "Gauge32",
         "Counter32": "Counter32", "Counter64": "Counter64", "TimeTicks": "Timeticks"}
TEXTS = {"SnmpAdminString", "DisplayString", "IscsiName"}
# RFC 4001: octets of an InetAddress by its InetAddressType; dns(16) has any length.
ADDRESS_OCTETS = {0: {0}, 1: {4}, 2: {16}, 3: {8}, 4: {20}, 16: set(range(1, 256))}
NOTHING = (0, 0)
# RFC 7147 has 1..65535; CID 0 is legal (RFC 7143 11.12.7) and what all stacks of Linux begin with.
MORE = {"iscsiCxnCid": {0}}


def numbers(text):
    return tuple(int(part) for part in text.split("."))


class Judge:
    """The columns of the modules, by their numbers."""

    def __init__(self):
        self.columns = {}
        for name in MODULES:
            module = smi.Module(smi.MIBS / name)
            for column, facts in module.columns.items():
                oid = self.own_root(facts["oid"])
                self.columns[numbers(oid)] = dict(facts, name=column)
        # Column of an InetAddress -> column of its InetAddressType: the one before it in its table.
        self.pairs, kind = {}, None
        for oid, facts in sorted(self.columns.items()):
            first = facts["limits"]["conventions"][:1]
            if first == ["InetAddressType"]:
                kind = oid
            elif first == ["InetAddress"]:
                self.pairs[oid] = kind

    @staticmethod
    def own_root(oid):
        default = "1.3.6.1.4.1.8072.9999.9999.7147"
        return PRIVATE + oid[len(default):] if oid.startswith(default + ".") else oid

    def find(self, oid):
        """(number of the column, its facts), or (None, None)."""
        for length in range(len(oid) - 1, 0, -1):
            if oid[:length] in self.columns:
                return oid[:length], self.columns[oid[:length]]
        return None, None

    def faults(self, varbinds):
        """What is wrong with a whole walk, in words."""
        faults = []
        values = {varbind.oid: varbind.value for varbind in varbinds}
        before = ()
        for varbind in varbinds:
            if varbind.oid <= before:
                faults.append(f"{varbind.oid} does not come after {before}")
            before = varbind.oid
            column, facts = self.find(varbind.oid)
            if column is None:
                faults.append(f"{varbind.oid} is of no column")
                continue
            index = varbind.oid[len(column):]
            for fault in self.of_value(facts, varbind, values):
                faults.append(f"{facts['name']}{list(index)} = {varbind.value!r}: {fault}")
            if facts["index"] == [""] and index != (0,):
                faults.append(f"{facts['name']} is a scalar and has the index {index}")
            if column in self.pairs:
                kind = values.get(self.pairs[column] + index)
                if len(varbind.value) not in ADDRESS_OCTETS.get(kind, ()):
                    faults.append(f"{facts['name']}{list(index)} = {varbind.value!r} has the "
                                  f"address type {kind}")
        return faults

    def of_value(self, facts, varbind, values):
        """What is wrong with one value."""
        limits, value = facts["limits"], varbind.value
        if varbind.kind != KINDS[facts["syntax"]]:
            yield f"a {varbind.kind}, and should be {facts['syntax']}"
            return
        if facts["syntax"] == "BITS":
            ones = {i for i in range(8 * len(value)) if value[i // 8] & 0x80 >> i % 8}
            if not ones <= set(limits["labels"].values()):
                yield "bits without a name"
            return
        if limits["labels"] and value not in limits["labels"].values():
            yield "not in the enumeration"
        size = value if isinstance(value, int) else len(value)
        if limits["ranges"] and size not in MORE.get(facts["name"], ()) and not any(
                low <= size <= high for low, high in limits["ranges"]):
            yield f"not in the range {limits['ranges']}"
        if TEXTS & set(limits["conventions"]):
            yield from self.of_text(value)
        if "RowPointer" in limits["conventions"] and value != NOTHING:
            yield from self.of_pointer(value, values)
        if "AutonomousType" in limits["conventions"] and value != NOTHING:
            if value not in self.columns:
                yield "names no column"

    def of_pointer(self, value, values):
        """It names the first column of a row, which may have a hole there, but is somewhere."""
        column, _ = self.find(value)
        if column is None:
            yield "points to no column"
        elif not any(column[:-1] + (n,) + value[len(column):] in values for n in range(1, 64)):
            yield "points to no row"

    @staticmethod
    def of_text(value):
        try:
            text = value.decode()
        except UnicodeDecodeError as error:
            yield f"not UTF-8: {error}"
            return
        if any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in text):
            yield "control characters"
