# SPDX-License-Identifier: BSD-2-Clause
"""The fault matrix: what goes wrong, what must hold then, and which test shows it.

The rows are data: *_rows.py beside this file, each with ROWS and maybe GOALS. Who reads them:
docs/make_reliability.py (the document, and what `make check-fault` prints at its end) and
tests/docs/test_reliability.py (that every row names tests that there are).
"""

import ast
import dataclasses
import importlib
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(os.path.dirname(HERE))


@dataclasses.dataclass(frozen=True)
class Row:
    """One fault.

    plain: what a subagent written in the documented way with libnetsnmpagent (5.9.3) does, or
    another program of the field; measured elsewhere, '' nothing known.
    shown: (file below tests/, part of the test's TAP description). The part stands in the file as
    one string; of a C test it is the function's name.
    measured: (key, words with one {}) for each line `# measured ID KEY VALUE` of those tests.
    """
    id: str
    fault: str
    plain: str
    required: str
    shown: tuple
    measured: tuple = ()


@dataclasses.dataclass(frozen=True)
class Goal:
    """A number that a row's test measures, and what it is to be at most (`limit`, in its unit)."""
    measure: str
    goal: str
    row: str
    key: str
    limit: float


def modules():
    """The modules with rows, that of the master first."""
    if HERE not in sys.path:
        sys.path.insert(0, HERE)
    names = sorted(name[:-3] for name in os.listdir(HERE) if name.endswith('_rows.py'))
    return [importlib.import_module(name) for name in names]


def rows():
    return [row for module in modules() for row in module.ROWS]


def goals():
    return [goal for module in modules() for goal in getattr(module, 'GOALS', ())]


SLOW = ('e2e/test_valgrind.py', 'e2e/test_scale.py')


def target(file):
    """The make target that runs a file of tests."""
    folder = file.split('/')[0]
    if file.startswith('fault/matrix/'):
        return 'check-fault'
    if file in SLOW:
        return 'check-slow'
    if folder == 'package' and file != 'package/test_install.py':
        return 'check-package'
    return {'vm': 'check-vm', 'nms': 'check-nms'}.get(folder, 'check')


def program(file):
    """What runs a file of tests, as run.py is told it."""
    name = os.path.basename(file)
    return f'build/tests/{name[:-2]}' if file.endswith('.c') else f'tests/{file}'


def strings(file):
    """The texts of a Python file that a test may print: its strings, in f-strings what is constant."""
    with open(os.path.join(TESTS, file), encoding='utf-8') as source:
        tree = ast.parse(source.read())
    return [node.value for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def stands_in(file, text):
    """Whether a test that prints this text can be in that file."""
    if not file.endswith('.c'):
        return any(text in found.split('\n')[0] for found in strings(file))
    with open(os.path.join(TESTS, file), encoding='utf-8') as source:
        return re.search(rf'\b{re.escape(text)}\b', source.read()) is not None
