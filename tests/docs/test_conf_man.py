#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""iscsi-agentx.conf(5) against the program: each token of `iscsi-agentx -H` is in the man page
with its default and range, and the man page has no other one. AGENT_BINARY names the program
(build/iscsi-agentx)."""

import os
import re
import shutil
import subprocess
import sys

PROGRAM = os.environ.get("AGENT_BINARY", "build/iscsi-agentx")
PAGE = os.path.join(os.path.dirname(__file__), "../../docs/man/iscsi-agentx.conf.5")
ARGUMENTS = {"SECONDS": "seconds", "NUMBER": "count", "PATH": "path", "WORD": "user",
             "WORDS": "name ...", "FLAG": "yes | no", "LINES": "target portal value"}
# Where the sort of an option does not say what its argument is.
OTHER_ARGUMENTS = {"probe": "portal target", "probeInitiatorName": "name"}


def tokens_of_program():
    """The lines of -H: {token: (type, default, range, unit)}."""
    text = subprocess.run([PROGRAM, "-H"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          timeout=60, check=True, text=True).stdout
    found = {}
    for line in text.splitlines()[1:]:
        token, sort, default, limits, unit, _ = re.split(r" {2,}", line.strip(), maxsplit=5)
        found[token] = (sort, default, limits, unit)
    return found


def tokens_of_page(page):
    """The items of section TOKENS: {token: (argument, text)}."""
    section = page.split(".Sh TOKENS\n")[1].split("\n.Sh ")[0]
    found = {}
    for item in section.split("\n.It Ic ")[1:]:
        head, text = item.split("\n", 1)
        token, argument = head.split(" Ar ", 1)
        found[token] = (argument, text)
    return found


def check_token(token, described, sort, default, limits, unit):
    """What is wrong with the description of a token, or an empty text."""
    argument, text = described
    expected = OTHER_ARGUMENTS.get(token, "seconds" if unit == "seconds" else ARGUMENTS[sort])
    if sort in ("SECONDS", "NUMBER"):
        low, high = limits.split("..")
        said = re.findall(r"^The range is (\d+) to (\d+) (\w+), the default is (\d+)\.$", text,
                          re.MULTILINE)
        wanted = (low, high, unit, default)
    elif sort == "LINES":
        said = re.findall(r"^It may be given up to (\d+) times, the default is (\w+)\.$", text,
                          re.MULTILINE)
        wanted = (limits.split("..")[1], default)
    else:
        said = re.findall(r"^The default is\n\.(?:Pa|Cm) (.*) \.$", text, re.MULTILINE)
        wanted = default
    if said != [wanted]:
        return f"the page says {said}, the program {wanted}"
    if argument != expected:
        return f"the argument is called {argument}, not {expected}"
    return ""


def seldom():
    """The seconds between two readings of what no poll reads each time, by the sources, in the order of
    the page: records, recovery timeouts, disks, SCST's parameters."""
    found = []
    for name, constant in (("open_iscsi", "RECORDS_INTERVAL_NS"),
                           ("open_iscsi_extra", "RECOVERY_INTERVAL_NS"),
                           ("open_iscsi_devices", "REFRESH_NS"), ("scst_daemon", "ASK_AGAIN_NS")):
        path = os.path.join(os.path.dirname(__file__), "../../src/source", name + ".c")
        with open(path, encoding="utf-8") as source:
            found.append(re.search(rf"^#define {constant}\s+\((\d+)", source.read(), re.M)[1])
    return found


def lint():
    """What mandoc complains of, or None when it is not here."""
    if not shutil.which("mandoc"):
        return None
    text = subprocess.run(["mandoc", "-Tlint", "-Wstyle", PAGE], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=60, check=False, text=True).stdout
    # Which other manuals are installed is not the page's fault.
    return "\n".join(line for line in text.splitlines()
                     if "outdated mandoc.db" not in line and "manual not found" not in line)


def main():
    """All tests."""
    with open(PAGE, encoding="utf-8") as page_file:
        page = page_file.read()
    program, described = tokens_of_program(), tokens_of_page(page)
    results = []
    results.append((list(program) == list(described),
                    "the page has the tokens of the program, in its order",
                    f"{list(described)} against {list(program)}"))
    for token, row in program.items():
        wrong = check_token(token, described[token], *row) if token in described else "is not there"
        results.append((not wrong, f"{token}: default and range", wrong))
    poll = described["pollInterval"][1]
    said, wanted = re.findall(r"every (\d+) seconds", poll), seldom()
    results.append((len(set(wanted[:3])) == 1 and said == [wanted[0], wanted[3]],
                    "pollInterval: what is read less often", f"{said} against {wanted}"))
    with open(os.path.join(os.path.dirname(PAGE), "../OPERATIONS.md"), encoding="utf-8") as text:
        said = re.findall(r"Records are read every (\d+) seconds", text.read())
    results.append((said == wanted[:1], "OPERATIONS.md says when a deleted record shows", said))
    complaints = lint()
    results.append((not complaints, "mandoc has no complaint" +
                    (" # SKIP mandoc is not installed" if complaints is None else ""), complaints))
    print(f"1..{len(results)}")
    for number, (good, what, why) in enumerate(results, 1):
        print(("ok" if good else "not ok") + f" {number} - {what}")
        if not good:
            print("# " + str(why).replace("\n", "\n# "))
    return 0 if all(good for good, _, _ in results) else 1


if __name__ == "__main__":
    sys.exit(main())
