# SPDX-License-Identifier: BSD-2-Clause
"""The tree of a Zabbix export, out of content.py and rules.py, for one version: make_zabbix.py."""
import hashlib
import re

import content
import dashboard
import rules
from content import TEMPLATE

VERSIONS = ("6.0", "7.0")
# Zabbix's own group, with its identifier.
GROUP = {"uuid": "7c2cb727f85b492d88cd56e17127c64d", "name": "Templates/SAN"}
# Written so since a host may have another template for SNMP, which has the usual writing of it.
AVAILABLE = 'zabbix[host,"snmp",available]'
# Zabbix takes no longer one.
WALK_LENGTH = 512
# In an expression: told(NOTIFICATION), or an item by its object.
NAME = re.compile(r"\btold\((\w+)\)|\b(?:available|iscsi[A-Z]\w*)\b")


def uuid(*names):
    """A UUID of version 4 in form, made of names: 32 hexadecimal digits, without dashes."""
    digest = bytearray(hashlib.sha256("\0".join((TEMPLATE, *names)).encode()).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x40
    digest[8] = digest[8] & 0x3F | 0x80
    return digest.hex()


def key_of(name, rule=None):
    """iscsiPathTcpRtt: iscsi.path.tcp.rtt, in a rule with the number of the row."""
    if name == "available":
        return AVAILABLE
    words = re.findall(r"[A-Z][a-z0-9]*", name.replace("PDUs", "Pdus").replace("ID", "Id"))
    if rule and "prefix" in rule:
        words = [rule["prefix"]] + (words[1:] if words[0] == "Path" else words)
    return ".".join(["iscsi", *(w.lower() for w in words)]) + ("[{#SNMPINDEX}]" if rule else "")


def label(rule):
    """What the names of a rule begin with."""
    return rule["label"] + rule.get("join", ": ") if rule else ""


def tags(values):
    return [{"tag": tag, "value": value} for tag, value in values.items()]


class Export:
    """One version of the template."""

    def __init__(self, modules, version):
        self.modules = modules
        self.walks = version != "6.0"  # one question for a table, not one for each of its objects
        self.version = version
        self.maps = {}

    # -- items ---------------------------------------------------------------------------------

    def item(self, name, title, more, rule=None):
        oid = self.modules.oid(name)
        row = ".0" if not rule else "." + (
            rules.SESSION_ROW if more.get("session") else "{#SNMPINDEX}")
        key = key_of(name, rule)
        text, real = more.get("text"), more.get("float")
        where = tags({**(rule["tags"] if rule else {"component": more.get("tag", "summary")})})
        found = {
            "uuid": uuid("item", key), "name": label(rule) + title if rule else f"iSCSI: {title}",
            "type": "DEPENDENT" if self.walks else "SNMP_AGENT",
            "snmp_oid": None if self.walks else oid + row, "key": key,
            "delay": "0" if self.walks else "{$ISCSI.INTERVAL}",
            "history": "30d", "trends": "0" if text else None,
            "value_type": "CHAR" if text else "FLOAT" if real else None,
            "units": more.get("units"), "description": self.describe(name),
            "valuemap": {"name": self.valuemap(name)} if more.get("map") else None,
            "preprocessing": self.steps(oid + row, more),
            "master_item": {"key": self.walk_key(rule, more)} if self.walks else None,
            "tags": where}
        return found

    def describe(self, name):
        return f"MIB: {self.modules.module(name)}\n{name}: {self.modules.description(name)}"

    def steps(self, instance, more):
        """Preprocessing. What has no instance is no value, and no fault of the item."""
        steps = []
        if self.walks:
            steps.append({"type": "SNMP_WALK_VALUE", "parameters": [instance, "0"]})
        elif more.get("hole", True):
            steps.append({"type": "CHECK_NOT_SUPPORTED", "parameters": [""]})
        if steps and more.get("hole", True):
            steps[0]["error_handler"] = "DISCARD_VALUE"
        if more.get("per"):
            steps.append({"type": "CHANGE_PER_SECOND", "parameters": [""]})
        if "times" in more:
            steps.append({"type": "MULTIPLIER", "parameters": [more["times"]]})
        if "keep" in more:
            steps.append({"type": "DISCARD_UNCHANGED_HEARTBEAT", "parameters": [more["keep"]]})
        return steps

    def valuemap(self, name):
        title, words = self.modules.enumeration(name)
        self.maps[title] = words
        return title

    # -- one question for a table ----------------------------------------------------------------

    @staticmethod
    def walk_key(rule, more):
        """The item with the answer that an item is taken from. All rules that show sessions of paths
        share one."""
        if not rule:
            return "iscsi.walk[summary]"
        return f"iscsi.walk[{'sessions' if more.get('session') else rule.get('walk', rule['id'])}]"

    def walk(self, names):
        """The question for some columns; for their whole tables where it would be too long."""
        oids = list(dict.fromkeys(self.modules.oid(name) for name in names))
        if len(f"walk[{','.join(oids)}]") > WALK_LENGTH:
            oids = list(dict.fromkeys(oid.rpartition(".")[0] for oid in oids))
        return f"walk[{','.join(oids)}]"

    def walk_items(self):
        """The items whose values are whole answers, and are not kept."""
        groups = {}
        for rule in [None, *rules.RULES]:
            for name, _, more in rule["items"] if rule else content.SUMMARY:
                groups.setdefault(self.walk_key(rule, more), []).append(name)
        for key, names in groups.items():
            yield {"uuid": uuid("item", key),
                   "name": f"iSCSI: SNMP walk of {key.partition('[')[2].rstrip(']')}",
                   "type": "SNMP_AGENT", "snmp_oid": self.walk(names), "key": key,
                   "delay": "{$ISCSI.INTERVAL}", "history": "0", "trends": "0",
                   "value_type": "TEXT", "description": "What other items are taken from.",
                   "tags": tags({"component": "raw"})}

    # -- triggers ----------------------------------------------------------------------------------

    def trap_key(self):
        """The key of the item for notifications, which knows them by their OIDs, however the first
        arc is written (net-snmp may write it as "iso"), and by the names of the MIB modules."""
        roots = dict.fromkeys(oid.rpartition(".")[0] for oid in self.modules.traps.values())
        traps = "|".join(re.escape(root.removeprefix("1")) + r"\.\d+" for root in roots)
        return f'snmptrap["{traps}|ISCSI-(PATH-)?MIB::"]'

    def expression(self, text, rule=None):
        def one(found):
            if not found[1]:
                return f"/{TEMPLATE}/{key_of(found[0], rule)}"
            # A point stands for itself and for any letter: versions differ in how they read "\\.".
            oid = self.modules.traps[found[1]].removeprefix("1.")
            return (f'find(/{TEMPLATE}/{self.trap_key()},,"regexp",'
                    f'"{oid}([^0-9]|$)|{found[1]}")=1')
        return NAME.sub(one, text)

    def trigger(self, one, rule=None):
        name, _, expression, title, more = one
        own = {t[0]: (t, rule) for t in rule["triggers"]} if rule else {}
        every = {**{t[0]: (t, None) for t in content.TRIGGERS}, **own}
        return {
            "uuid": uuid("trigger", rule["id"] if rule else "", name),
            "expression": self.expression(expression, rule), "name": label(rule) + title,
            "event_name": label(rule) + more["event"] if "event" in more else None,
            "opdata": more.get("data"), "priority": more["priority"],
            "description": more["text"],
            "recovery_mode": "NONE" if more.get("once") else None,
            # A row that has gone has no value more that could end its problem.
            "manual_close": "YES" if rule or more.get("manual") else None,
            "dependencies": [
                {"name": label(r) + t[3],
                 "expression": self.expression(t[2], r)}
                for t, r in (every[which] for which in more.get("after", []))],
            "tags": tags({"scope": more["scope"]})}

    def place_triggers(self, items, triggers, rule=None):
        """A trigger of one item is written with the item; returns the others."""
        field = "trigger_prototypes" if rule else "triggers"
        by_key, others = {i["key"]: i for i in items}, []
        for one in triggers:
            made = self.trigger(one, rule)
            keys = {self.trap_key() if m[1] else key_of(m[0], rule) for m in NAME.finditer(one[2])}
            if len(keys) == 1:
                by_key[keys.pop()].setdefault(field, []).append(made)
            else:
                others.append(made)
        return others

    # -- graphs ------------------------------------------------------------------------------------

    @staticmethod
    def graph(name, lines, stacked=False, rule=None):
        return {"uuid": uuid("graph", name), "name": name, "type": "STACKED" if stacked else None,
                "show_triggers": "NO",
                "graph_items": [
                    {"sortorder": str(n), "drawtype": None if stacked else "BOLD_LINE",
                     "color": color, "item": {"host": TEMPLATE, "key": key_of(which, rule)}}
                    for n, (color, which) in enumerate(lines)]}

    # -- discovery ---------------------------------------------------------------------------------

    def rule(self, rule):
        key = f"iscsi.{rule['id']}.discovery"
        items = [self.item(*one, rule) for one in rule["items"]]
        others = self.place_triggers(items, rule["triggers"], rule)
        oids = [(macro, self.modules.oid(name)) for macro, name in rule["macros"].items()]
        found = {
            "uuid": uuid("rule", key), "name": rule["name"],
            "type": "SNMP_AGENT",
            "snmp_oid": self.walk(rule["macros"].values()) if self.walks else
            f"discovery[{','.join(f'{m},{oid}' for m, oid in oids)}]", "key": key,
            "delay": "{$ISCSI.DISCOVERY.INTERVAL}",
            "filter": self.filter(rule["filter"]), "lifetime": "30d",
            "description": rule["text"], "item_prototypes": items,
            "trigger_prototypes": others,
            "graph_prototypes": [
                self.graph(label(rule) + name, lines, rule=rule)
                for name, lines in rule["graphs"]]}
        if self.walks:
            found["preprocessing"] = [
                {"type": "SNMP_WALK_TO_JSON",
                 "parameters": [p for m, oid in oids for p in (m, oid, "0")]},
                {"type": "DISCARD_UNCHANGED_HEARTBEAT", "parameters": ["1h"]}]
        if any(more.get("session") for _, _, more in rule["items"]):
            found["overrides"] = [{
                "name": "No session now", "step": "1",
                "filter": self.filter([("{#CONNECTION}", False, rules.HAS_SESSION)]),
                "operations": [{"operationobject": "ITEM_PROTOTYPE", "operator": "LIKE",
                                "value": ": Session: ", "discover": "NO_DISCOVER"}]}]
        return found

    @staticmethod
    def filter(conditions):
        return conditions and {
            "evaltype": "AND",
            "conditions": [
                {"macro": macro, "value": value,
                 "operator": None if wanted else "NOT_MATCHES_REGEX",
                 "formulaid": chr(ord("A") + n)}
                for n, (macro, wanted, value) in enumerate(conditions)]}

    # -- all of it ---------------------------------------------------------------------------------

    def items(self):
        yield {"uuid": uuid("item", AVAILABLE), "name": "iSCSI: SNMP agent availability",
               "type": "INTERNAL", "key": AVAILABLE, "delay": "{$ISCSI.INTERVAL}",
               "history": "7d", "description": "Whether the host answers to SNMP at all.",
               "valuemap": {"name": "zabbix.host.available"}, "tags": tags({"component": "agent"})}
        yield {"uuid": uuid("item", "snmptrap"), "name": "iSCSI: Notifications",
               "type": "SNMP_TRAP", "key": self.trap_key(), "history": "30d", "trends": "0",
               "value_type": "LOG", "logtimefmt": "yyyy-MM-ddThh:mm:ss",
               "description": "Notifications of both modules, when the Zabbix server has an SNMP "
                              "trapper. What they tell is in the values, too.",
               "tags": tags({"component": "notification"})}
        if self.walks:
            yield from self.walk_items()
        for one in content.SUMMARY:
            yield self.item(*one)

    def value_maps(self):
        self.maps["zabbix.host.available"] = {
            "0": "not available", "1": "available", "2": "unknown"}
        return [{"uuid": uuid("valuemap", title), "name": title, "mappings": [
            {"value": value, "newvalue": word} for value, word in words.items()]}
            for title, words in sorted(self.maps.items())]

    def tree(self):
        items = list(self.items())
        others = self.place_triggers(items, content.TRIGGERS)
        made = [self.rule(rule) for rule in rules.RULES]
        template = {
            "uuid": uuid("template"), "template": TEMPLATE, "name": TEMPLATE,
            "description": content.DESCRIPTION,
            "vendor": {"name": "iscsi-agentx", "version": "7.0-0"} if self.walks else None,
            "groups": [{"name": GROUP["name"]}], "items": items, "discovery_rules": made,
            "tags": tags({"class": "storage", "target": "iscsi"}),
            "macros": [{"macro": m, "value": v, "description": d} for m, v, d in content.MACROS],
            "dashboards": dashboard.dashboards(self.version, uuid),
            "valuemaps": self.value_maps()}
        groups = "template_groups" if self.walks else "groups"
        date = None if self.walks else "2026-11-30T00:00:00Z"
        return {"version": self.version, "date": date, groups: [GROUP], "templates": [template],
                "triggers": others,
                "graphs": [self.graph(*one) for one in content.GRAPHS]}


def export(modules, version):
    return Export(modules, version).tree()
