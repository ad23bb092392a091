#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The list of events in the program (src/model/event_type.def) and the MIB modules say the same, both
ways: IscsiEventKind, IscsiToldState, the notifications, the objects that a row is named by; and
iscsi-agentx.conf(5) names every type that can be switched. TAP."""
import re
import sys

import smi

SOURCE = smi.ROOT / "src/model"
LINE = re.compile(r"^EVENT_TYPE\((\d+), ([A-Z_]+), (\w+), (\w*), ([A-Z_]+), (\w*)\)$", re.MULTILINE)


def types():
    """{word: (number, notification, object)} of event_type.def."""
    found = LINE.findall((SOURCE / "event_type.def").read_text(encoding="utf-8"))
    return {word: (int(number), notification, name)
            for number, _, word, notification, _, name in found}


def modules():
    return [smi.Module(smi.MIBS / name) for name in ("ISCSI-MIB", "ISCSI-PATH-MIB")]


def convention(name):
    """The named numbers of a textual convention of ISCSI-PATH-MIB."""
    tree = smi.smidump(smi.MIBS / "ISCSI-PATH-MIB")
    for typedef in tree.findall("typedefs/typedef"):
        if typedef.get("name") == name:
            return smi.named_numbers(typedef)
    raise RuntimeError(f"no {name}")


def differences(what, ours, theirs):
    return [f"{what}: {pair} only in {where}" for where, pairs in (
        ("the program", sorted(set(ours.items()) - set(theirs.items()))),
        ("the module", sorted(set(theirs.items()) - set(ours.items())))) for pair in pairs]


def check_form():
    """Nothing in the file has a form that is not looked at here."""
    text = (SOURCE / "event_type.def").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith("EVENT_TYPE(")]
    numbers = [number for number, _, _ in types().values()]
    faults = [] if len(lines) == len(types()) >= 16 else [f"{len(lines)} lines, {len(types())} types"]
    if numbers != list(range(1, len(numbers) + 1)):
        faults.append(f"the numbers are {numbers}")
    return faults


def check_kinds():
    return differences("IscsiEventKind", {word: number for word, (number, _, _) in types().items()},
                       convention("IscsiEventKind"))


def check_told():
    text = (SOURCE / "event.h").read_text(encoding="utf-8")
    body = re.search(r"enum event_told \{(.*?)\};", text, re.DOTALL)[1]
    body = re.sub(r"/\*.*?\*/", "", body, flags=re.DOTALL)
    names = [name.split("=")[0].strip() for name in body.split(",") if name.strip()]
    ours = {name[len("TOLD_"):].lower(): number for number, name in enumerate(names, 1)}
    return differences("IscsiToldState", ours, convention("IscsiToldState"))


def check_notifications():
    """Each type but agentStarted has a notification, each notification is that of one type."""
    ours = {notification: word for word, (_, notification, _) in types().items() if notification}
    theirs = {name for module in modules() for name in module.notifications}
    faults = [f"{name} is in no module" for name in sorted(set(ours) - theirs)]
    faults += [f"{name} is of no type" for name in sorted(theirs - set(ours))]
    without = [word for word, (_, notification, _) in types().items() if not notification]
    if without != ["agentStarted"]:
        faults.append(f"without a notification: {without}")
    return faults


def check_objects():
    """What iscsiEventRow points to is there."""
    columns = {name for module in modules() for name in module.columns}
    return [f"{word}: there is no object {name}" for word, (_, _, name) in types().items()
            if name and name not in columns]


def check_man_page():
    text = (smi.ROOT / "docs/man/iscsi-agentx.conf.5").read_text(encoding="utf-8")
    item = text.split(".It Ic notifications Ar")[1].split("\n.It ")[0]
    said = set(re.findall(r"^\.Cm (\w+)", item, re.MULTILINE)) - {"all", "none"}
    wanted = {word for word, (_, notification, _) in types().items() if notification}
    return [f"{word} is not named" for word in sorted(wanted - said)] + \
        [f"{word} is no type" for word in sorted(said - wanted)]


if __name__ == "__main__":
    sys.exit(smi.Tap.main([
        ("event_type.def has the form that is expected", check_form),
        ("IscsiEventKind is event_type.def", check_kinds),
        ("IscsiToldState is enum event_told", check_told),
        ("each notification is that of one type of event", check_notifications),
        ("the objects that name the rows are there", check_objects),
        ("iscsi-agentx.conf(5) names each type that can be switched", check_man_page),
    ]))
