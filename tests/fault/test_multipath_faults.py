#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A multipathd that is absent, slow, broken or hostile, and one with 2,000 paths: the program as it
is run, no unit test. What fails says why, in time, and costs no other source anything."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.join(HERE, "..", "..")
sys.path.insert(0, os.path.join(HERE, "..", "support"))

from tap import Tap  # noqa: E402
from unpack_tree import unpack  # noqa: E402

AGENT = os.environ.get("ISCSI_AGENTX", os.path.join(os.environ.get(
    "BUILD", os.path.join(TOP, "build")), "iscsi-agentx"))
FAKE = os.path.join(HERE, "..", "support", "fake_multipathd.py")
TIMEOUT = 1     # s: pollTimeout
LIMIT = 4.0     # s: of a run in which multipathd hangs, on a machine with other work
MANY_MAPS, MANY_WIDTH = 500, 4
MANY_S = 2.0    # s: of a run with 2,000 paths of which multipathd costs nothing

# An initiator with four sessions, of which two disks are among those of the false multipathd.
INITIATOR = os.path.join(TOP, "tests/fixtures/open-iscsi/two-targets.tree")
KINDS = ("instances", "portals", "nodes", "auths", "sessions", "connections", "paths", "devices")
# What its rows have from multipathd.
JOINED = {"weight", "primary", "checker_state", "map_path_state", "map_checker", "map_priority",
          "map_group", "map_group_state"}

# mode: words of the failure
FAULTS = {
    "hang": "no answer in time",
    "no-accept": "no answer in time",
    "hang-mid": "no answer in time",
    "half": "closed without a complete answer",
    "close": "closed without a complete answer",
    "garbage": "longer than any",
    "noise": "a line that is none: a?[2Jb|c",
    "fail": "it says: fail",
    "timeout": "busy for too long",
    "help": "does not know the request",
    "deny": "does not allow",
    "empty": "not an answer of multipathd",
    "huge": "longer than any",
    "long": "longer than any",
    "lie": "not an answer of multipathd",
    "nul": "not an answer of multipathd",
    "trickle": "no answer in time",
    "endless": "not an answer of multipathd",
    "forget": "for the path groups: it closed",
}


class Fake:
    """A false multipathd below a directory of its own, ended by number."""

    def __init__(self, mode, *numbers):
        # Removes itself, also when this is interrupted before the block begins.
        self.directory = tempfile.TemporaryDirectory(prefix="test_multipath_faults.")
        self.root = self.directory.name
        self.process = subprocess.Popen(
            [sys.executable, FAKE, self.root, mode, *map(str, numbers)], stdout=subprocess.PIPE,
            text=True)
        assert self.process.stdout.readline() == "ready\n"

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        self.directory.cleanup()


def run(root, *arguments):
    """Runs the agent once: (standard output, s)."""
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as conf:
        conf.write(f"pollTimeout {TIMEOUT}\n")
        conf.flush()
        start = time.monotonic()
        done = subprocess.run([AGENT, "-C", "-c", conf.name, "--root", root, *arguments],
                              text=True, capture_output=True, timeout=60, check=False)
        took = time.monotonic() - start
    if done.returncode not in (0, 1):
        raise RuntimeError(f"exit {done.returncode}: {done.stderr}")
    return done.stdout, took


def dump(root, *arguments):
    """The state, the health of the source, and the time of the run in s."""
    text, took = run(root, "--dump=json", *arguments)
    state = json.loads(text)
    return state, next(s for s in state["sources"] if s["source"] == "multipath"), took


def initiator_of(state):
    """The rows of open-iscsi, without what they have from multipathd."""
    return {kind: [{k: v for k, v in row.items() if k not in JOINED} for row in state[kind]]
            for kind in KINDS}


def fault(t, mode, words, good_state):
    with Fake(mode) as fake:
        unpack(INITIATOR, fake.root)
        state, health, took = dump(fake.root)
    message = health.get("message", "")
    t.ok(health["state"] == "failing" and words in message, f"{mode}: failing, with the reason",
         health)
    t.equal([state["maps"], state["map_paths"]], [[], []], f"{mode}: no rows")
    t.below(took, LIMIT, f"{mode}: time of the run")
    others = {s["source"]: s["state"] for s in state["sources"] if s["state"] != "absent"}
    t.equal((others, initiator_of(state)),
            ({"open-iscsi": "ok", "multipath": "failing"}, initiator_of(good_state)),
            f"{mode}: the others were read, all rows of open-iscsi are there")


def groups_of(state):
    return {p["name"]: (p.get("group"), p.get("group_state")) for p in state["map_paths"]}


def good(t, mode):
    with Fake(mode) as fake:
        state, health, _ = dump(fake.root)
    t.equal(health["state"], "ok", f"{mode}: is read")
    t.equal([m["name"] for m in state["maps"]], ["mpath0", "mpath1"], f"{mode}: its maps")
    t.equal([(m["path_count"], m["active_count"]) for m in state["maps"]], [(2, 2)] * 2,
            f"{mode}: their paths")
    t.equal([(p["name"], p["hctl"], p["priority"]) for p in state["map_paths"]],
            [("sda", "0:0:0:0", 50), ("sdb", "1:0:0:0", 10), ("sdc", "0:0:0:1", 50),
             ("sdd", "1:0:0:1", 10)], f"{mode}: the devices")
    wanted = {"sda": (1, 1), "sdb": (2, 2), "sdc": (1, 1), "sdd": (2, 2)}
    if mode == "forge":
        wanted["sdb"] = (None, None)
    t.equal(groups_of(state), wanted, f"{mode}: their groups")


def with_initiator(t):
    """The state with an initiator and a multipathd in good order."""
    with Fake("serve") as fake:
        unpack(INITIATOR, fake.root)
        state, health, _ = dump(fake.root)
    t.equal((health["state"], len(state["sessions"]), len(state["paths"]), len(state["devices"])),
            ("ok", 4, 4, 6), "serve, with an initiator: all rows")
    t.ok(JOINED <= {k for kind in KINDS for row in state[kind] for k in row},
         "serve, with an initiator: its rows have what multipathd says of them")
    return state


def absent(t):
    """Where the process is not there its sockets are left alone, whoever holds them."""
    with Fake("serve") as fake:
        os.unlink(os.path.join(fake.root, "run/multipathd.pid"))
        _, health, _ = dump(fake.root)
        t.equal(health["state"], "absent", "without a pid file there is no multipathd")
    with Fake("serve") as fake:
        shutil.rmtree(os.path.join(fake.root, f"proc/{fake.process.pid}"))
        _, health, _ = dump(fake.root)
        t.equal(health["state"], "absent", "nor when its process has gone")
    with Fake("serve") as fake:
        fake.stop()
        _, health, _ = dump(fake.root)
        t.ok(health["state"] == "failing" and "nobody listens" in health["message"],
             "a socket that nobody listens on is a failure while the process is there", health)


def many(t):
    with Fake("serve", MANY_MAPS, MANY_WIDTH) as fake:
        path = os.path.join(fake.root, "recording")
        state, health, took = dump(fake.root)
        run(fake.root, "--record", path)
        fake.stop()
        _, replayed, without_daemon = dump(path)
    t.equal([health["state"], replayed["state"]], ["ok", "ok"],
            f"{MANY_MAPS * MANY_WIDTH} paths are read")
    t.equal([len(state["maps"]), len(state["map_paths"])], [MANY_MAPS, MANY_MAPS * MANY_WIDTH],
            "all of them")
    t.ok(all(p.get("group") for p in state["map_paths"]), "with their groups")
    t.below(took, LIMIT, "time of the run, the answers of the false multipathd included")
    t.below(without_daemon, MANY_S, "time of the run with a recording")


def recording(t):
    with Fake("serve") as fake:
        path = os.path.join(fake.root, "recording")
        run(fake.root, "--record", path)
        live, _, _ = dump(fake.root)
        fake.stop()
        replayed, _, _ = dump(path)
    for state in (live, replayed):
        for source in state["sources"]:
            source.pop("age_ms", None)
    t.equal(len(live["map_paths"]), 4, "a recording is of something")
    t.equal(replayed, live, "a recording replays to the same")


def main():
    with Tap() as t:
        if not os.access(AGENT, os.X_OK):
            t.skip_all(f"{AGENT} is not built")
        for mode in ("serve", "abstract", "old", "forge", "nvme"):
            good(t, mode)
        state = with_initiator(t)
        for mode, words in FAULTS.items():
            fault(t, mode, words, state)
        absent(t)
        many(t)
        recording(t)


if __name__ == "__main__":
    main()
