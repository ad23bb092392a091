#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""docs/CIM-MAPPING.md against the MIB modules: each property of both classes is there once, each
object that is named exists, and the states are in the words of the module. That the tables of
states are those of the program: tests/unit/test_session_state.c. TAP."""
import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tests" / "mib"))
import smi  # pylint: disable=wrong-import-position

PAGE = TOP / "docs" / "CIM-MAPPING.md"

# SmIscsiTarget.mof, CIM_iSCSISession with what it inherits; iscsimgt.h, ISCSI_Path.
SESSION = """AggregationBehavior Caption CurrentConnections DataPDUInOrder DataSequenceInOrder
    DefaultTimeToRetain DefaultTimeToWait Description Directionality ElementName EnabledDefault
    EnabledState EndPointName ErrorRecoveryLevel HealthState ImmediateData InitialR2T InstallDate
    InstanceID MaxConnectionsPerSession MaxDataBurstLength MaxOutstandingR2T
    MaxUnsolicitedFirstDataBurstLength Name OperationalStatus OtherEnabledState RequestedState
    SessionType Status StatusDescriptions TimeOfLastStateChange TSIH""".split()
FIELDS = """UniqueConnectionId EstimatedLinkSpeed PathWeight PrimaryPath ConnectionStatus
    TCPOffLoadAvailable""".split()
# The values that CIM_ManagedSystemElement.Status can have.
STATUS = {"OK", "Error", "Degraded", "Unknown", "Pred Fail", "Starting", "Stopping", "Service",
          "Stressed", "NonRecover", "No Contact", "Lost Comm", "Stopped"}


def table(head):
    """The rows of the table whose first line begins so, as lists of cells; and its head."""
    lines = PAGE.read_text().split("\n" + head)[1].splitlines()
    rows = [head + lines[0]]
    for line in lines[2:]:
        if not line.startswith("|"):
            break
        rows.append(line)
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]
    return cells[0], cells[1:]


def properties():
    """{class: rows} of the two tables of properties."""
    found = {}
    for part in PAGE.read_text().split("\n## ")[1:]:
        name = part.split("\n", 1)[0]
        rows = [line for line in part.splitlines()
                if re.match(r"\| \w+ \| iscsi\w+ \| ", line)]
        if rows:
            found[name] = [[c.strip() for c in row.split("|")[1:-1]] for row in rows]
    return found


def modules():
    return [smi.Module(smi.MIBS / name) for name in ("ISCSI-MIB", "ISCSI-PATH-MIB")]


def numbers_of(module, column):
    """{name: number} of an enumerated column, whatever convention it has."""
    found = module.columns[column]
    own = {t.get("name"): t for t in module.tree.findall("typedefs/typedef")}
    if found["convention"] == "TruthValue":
        return {"true": 1, "false": 2}
    if found["convention"] in own:
        return smi.named_numbers(own[found["convention"]])
    return found["numbers"]


def each_property_once():
    faults = []
    found = properties()
    for name, wanted in (("CIM_iSCSISession", SESSION), ("ISCSI_Path", FIELDS)):
        there = [row[0] for row in found.get(name, [])]
        faults += [f"{name}.{p} is there {there.count(p)} times" for p in wanted
                   if there.count(p) != 1]
        faults += [f"{name} has no {p}" for p in there if p not in wanted]
    if len(SESSION) != 32 or len(FIELDS) != 6:
        faults.append("the list in this test is not that of the classes")
    return faults


def each_object_is_a_column():
    columns = {c for module in modules() for c in module.columns}
    mapped = [row[1] for rows in properties().values() for row in rows]
    return ([f"{name} is no column" for name in mapped if name not in columns] +
            [f"{name} is there twice" for name in set(mapped) if mapped.count(name) > 1])


def each_name_exists():
    known = {word for module in modules()
             for column, facts in module.columns.items()
             for word in (column, facts["table"], facts["entry"])}
    return [f"{name} is in no module" for name in
            sorted(set(re.findall(r"\biscsi[A-Z]\w+", PAGE.read_text())) - known)]


def each_column_is_there():
    text = PAGE.read_text()
    path_mib = modules()[1]
    return [f"{column} is not on the page" for column, facts in path_mib.columns.items()
            if facts["table"] == "iscsiSsnPropTable" and not re.search(rf"\b{column}\b", text)]


def descriptions_name_the_property():
    """The DESCRIPTION of a column for a property begins with its name: the module says so."""
    module = (smi.MIBS / "ISCSI-PATH-MIB").read_text()
    faults = []
    for name, column, _ in properties()["CIM_iSCSISession"]:
        if not column.startswith("iscsiSsnProp"):
            continue
        text = re.search(rf'^{column} OBJECT-TYPE.*?DESCRIPTION\s+"(\w+)', module,
                         re.MULTILINE | re.DOTALL)
        if not text or text[1] != name:
            faults.append(f"{column}: {text and text[1]}, not {name}")
    return faults


def words_of_states():
    """Every name(number) of a column is one of its syntax."""
    module = modules()[1]
    faults = []
    head, rows = table("| condition |")
    seen = set()
    for row in rows:
        for column, cell in zip(head, row):
            if column not in module.columns:
                continue
            numbers = numbers_of(module, column)
            if numbers:
                seen.add(column)
                label = re.fullmatch(r"(\w+)\((\d+)\)", cell)
                if not label or numbers.get(label[1]) != int(label[2]):
                    faults.append(f"{column}: {cell}")
            elif column == "iscsiSsnPropStatus" and cell not in STATUS:
                faults.append(f"{cell} is no Status of CIM")
    if len(seen) != 4:
        faults.append(f"states of {sorted(seen)} only")
    return faults


def words_of_the_host():
    """The status of a host is in the words of the module, each once."""
    wanted = numbers_of(modules()[1], "iscsiSumStatus")
    words = [row[0] for row in table("| status |")[1]]
    return [] if sorted(words) == sorted(f"{n}({v})" for n, v in wanted.items()) else [
        f"{words}, not {wanted}"]


def words_of_values():
    """The same for the values that are named in the tables of properties."""
    faults = []
    path_mib = modules()[1]
    checked = 0
    for rows in properties().values():
        for _, column, text in rows:
            if column not in path_mib.columns:
                continue
            numbers = numbers_of(path_mib, column)
            for name, number in re.findall(r"\b([a-z]\w+)\((\d+)\)", text):
                checked += 1
                if numbers.get(name) != int(number):
                    faults.append(f"{column}: {name}({number})")
    if checked < 10:
        faults.append(f"only {checked} values were found")
    return faults


if __name__ == "__main__":
    sys.exit(smi.Tap.main([
        ("each property of both classes is on the page once", each_property_once),
        ("each object is a column, and of one property", each_object_is_a_column),
        ("each name on the page is in a module", each_name_exists),
        ("each column of iscsiSsnPropTable is on the page", each_column_is_there),
        ("descriptions begin with the name of the property", descriptions_name_the_property),
        ("states have the words of the module", words_of_states),
        ("values have the words of the module", words_of_values),
        ("the status of a host has the words of the module", words_of_the_host),
    ]))
