# SPDX-License-Identifier: BSD-2-Clause
"""What the output of a command claims, each claim about one field of one object: by its natural key,
since index numbers are others when an object is missing. Held against the output of a good run."""

import json
import re

# Their values follow from how much could be read: source, summary; or are numbers of rows.
SUMS = re.compile(r'iscsi_(status|devices_faulty|instance_sessions)$|iscsi_(paths|maps|source)_')
KINDS_OF_SUMS = ('summary', 'source')
COUNTS = ('portal_count', 'node_count', 'session_count')
NUMBERS = ('index', 'session', 'path', 'map')  # labels that are index numbers


def of_dump(text):
    """[(kind, index, {field: value})] of --dump."""
    objects = []
    for line in text.splitlines():
        head = re.fullmatch(r'(\w+) (\d+)', line)
        if head:
            objects.append((head[1], int(head[2]), {}))
        elif line.startswith('  '):
            name, _, value = line.strip().partition(' ')
            objects[-1][2][name] = value.strip()
    return objects


def of_json(text):
    """The same of --dump=json."""
    return [(kind[:-1], o['index'], {name: json.dumps(value) for name, value in o.items()
                                     if name != 'index'})
            for kind, objects in json.loads(text).items() if kind != 'sources' for o in objects]


def claims(objects):
    """[((object, field), value)]; an object's name is its key with those of the instance and the session
    that it is a part of, and a link is the key of what it leads to."""
    found, of_number = [], {(kind, index): fields for kind, index, fields in objects}
    kinds = {kind for kind, _, _ in objects}

    def name_of(kind, fields):
        parents = tuple(name_of(link, of_number.get((link, int(fields[link])), {}))
                        for link in ('instance', 'session') if link in fields and link != kind)
        return kind, fields.get('key'), parents

    for kind, _, fields in objects:
        for field, value in fields.items() if kind not in KINDS_OF_SUMS else ():
            if field in kinds and field != kind:
                value = of_number.get((field, int(value)), {}).get('key')
            found.append(((name_of(kind, fields), field), value))
    return found


def false_fields(objects, truth):
    """Claims that a good run does not make; fewer rows than there are were counted, not invented."""
    false, true = [], dict(claims(truth))
    for (name, field), value in claims(objects):
        if field in COUNTS and (name, field) in true and int(value) <= int(true[name, field]):
            continue
        if true.get((name, field)) != value:
            false.append((name, field, value, true.get((name, field))))
    return false


def series(text):
    """[(name, labels, value)] of --dump=prom, without the sums."""
    found = []
    for line in text.splitlines():
        match = re.fullmatch(r'(\w+)(?:\{(.*)\})? (\S+)', line)
        if match and not SUMS.match(match[1]):
            labels = set(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', match[2] or ''))
            found.append((match[1], {l for l in labels if l[0] not in NUMBERS}, match[3]))
    return found


def false_series(text, truth):
    """Those for which the good run has none of this value with all of these labels."""
    true = series(truth)
    return [(name, sorted(labels), value) for name, labels, value in series(text)
            if not any(name == n and value == v and labels <= l for n, l, v in true)]


def false_claims(option, text, truth):
    """Of the output of --dump, --dump=json or --dump=prom."""
    if not text:
        return []
    if option == '--dump=prom':
        return false_series(text, truth)
    parse = of_json if option == '--dump=json' else of_dump
    return false_fields(parse(text), parse(truth))
