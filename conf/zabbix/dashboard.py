# SPDX-License-Identifier: BSD-2-Clause
"""The dashboard of the Zabbix template: make_zabbix.py. Zabbix 6.0 divides a page in 24 columns,
7.0 in 72."""
from content import TEMPLATE
from rules import INBOUND, PATHS, SOURCES, TARGETS

DESCRIPTION, VALUE = "1", "2"  # what an item's widget shows; neither time nor arrow


def value(key, x, width, title, size="30"):
    return ("item", x, 0, width, 2, title, {
        "itemid": ("ITEM", {"host": TEMPLATE, "key": key}), "adv_conf": ("INTEGER", "1"),
        "description": ("STRING", title), "desc_size": ("INTEGER", "13"),
        "value_size": ("INTEGER", size), "decimal_places": ("INTEGER", "0"),
        "show": ("INTEGER", [DESCRIPTION, VALUE])})


def graph(name, x, y, width, height=5):
    return ("graph", x, y, width, height, "", {
        "source_type": ("INTEGER", "0"), "graphid": ("GRAPH", {"host": TEMPLATE, "name": name})})


def prototypes(rule, name, x, y, width, columns, rows, height=5):
    return ("graphprototype", x, y, width, height * rows, "", {
        "source_type": ("INTEGER", "2"), "columns": ("INTEGER", str(columns)),
        "rows": ("INTEGER", str(rows)),
        "graphid": ("GRAPH_PROTOTYPE", {"host": TEMPLATE, "name": rule["label"] + rule.get("join", ": ") + name})})


PAGES = [
    ("Overview", [
        value("iscsi.sum.status", 0, 3, "Status"),
        value("iscsi.sum.text", 3, 9, "In words", "12"),
        value("iscsi.sum.paths.connected", 12, 3, "Paths connected"),
        value("iscsi.sum.paths.expected", 15, 3, "Paths expected"),
        value("iscsi.sum.sessions.inbound", 18, 3, "Sessions at targets"),
        value("iscsi.sum.sources.failing", 21, 3, "Sources failing"),
        graph("iSCSI: Paths", 0, 2, 12), graph("iSCSI: Sessions", 12, 2, 12),
        prototypes(SOURCES, "Duration of a poll", 0, 7, 24, 2, 2)]),
    ("Paths", [prototypes(PATHS, "Status", 0, 0, 24, 2, 1),
               prototypes(PATHS, "Traffic", 0, 5, 24, 2, 2),
               prototypes(PATHS, "TCP round-trip time", 0, 15, 24, 2, 1)]),
    ("Targets", [prototypes(INBOUND, "Traffic", 0, 0, 24, 2, 3),
                 prototypes(TARGETS, "Logins", 0, 15, 24, 2, 1)]),
]
NEW_FIELDS = {"itemid": "itemid.0", "graphid": "graphid.0"}


def fields(version, kind, values, number):
    for name, (what, content) in values.items():
        if version != "6.0" and name == "source_type" and kind == "graph":
            continue  # its default
        if version != "6.0":
            name = NEW_FIELDS.get(name, name)
        several = isinstance(content, list)
        for n, one in enumerate(content if several else [content]):
            yield {"type": what, "name": f"{name}.{n}" if several and version != "6.0" else name,
                   "value": one}
    if version != "6.0" and kind != "item":
        yield {"type": "STRING", "name": "reference", "value": f"ISCS{chr(ord('A') + number)}"}


def widget(version, one, number):
    kind, x, y, width, height, _, values = one
    wide = 1 if version == "6.0" else 3
    old = {"item": "ITEM", "graph": "GRAPH_CLASSIC", "graphprototype": "GRAPH_PROTOTYPE"}
    return {"type": old[kind] if version == "6.0" else kind,
            "x": str(x * wide) if x else None, "y": str(y) if y else None,
            "width": str(width * wide), "height": str(height),
            "hide_header": "YES",
            "fields": list(fields(version, kind, values, number))}


def dashboards(version, uuid):
    pages, number = [], 0
    for name, widgets in PAGES:
        made = []
        for one in widgets:
            made.append(widget(version, one, number))
            number += 1
        pages.append({"name": name, "widgets": made})
    return [{"uuid": uuid("dashboard"), "name": "iSCSI", "display_period": "60",
             "auto_start": "NO", "pages": pages}]
