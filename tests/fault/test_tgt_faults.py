#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A tgtd that fails in every way beside a good one: the program as it is run, no unit test.

The bad one must cost the good one nothing, no more time than its share, and say why it failed.
Then a recording of it all; and, where tgtd is installed, real initiators that forge.
"""
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
from tgt_lab import BASE, EVIL, FORGED_ALIAS, FORGED_NAME, VICTIM, Session, Tgtd  # noqa: E402

AGENT = os.environ.get("ISCSI_AGENTX", os.path.join(os.environ.get(
    "BUILD", os.path.join(TOP, "build")), "iscsi-agentx"))
FAKE = os.path.join(HERE, "..", "support", "fake_tgtd.py")
TIMEOUT = 2     # s: pollTimeout, so that each of two tgtd has 1 s
LIMIT = 1.8     # s: of a run in which one hangs

# mode: (words of the failure, "" for no unit at all)
FAULTS = {
    "hang": "no answer in time",
    "no-accept": "no answer in time",
    "hang-mid": "no complete answer in time",
    "half": "closed after",
    "close": "answers only its own user and group",
    "garbage": "answer",
    "error": "tgtd says error 1",
    "no-driver": "",
    "huge": "longer than",
    "short": "not an answer of tgtd",
    "lie": "not an answer of tgtd",
    "nul": "not an answer of tgtd",
    "trickle": "in time",
    "endless": "not an answer of tgtd",
    "forget": "closed without an answer",
}


class Fakes:
    """False tgtd below one directory, ended by number."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="test_tgt_faults.")
        self.processes = []

    def start(self, port, mode):
        process = subprocess.Popen([sys.executable, FAKE, self.path(port), mode],
                                   stdout=subprocess.PIPE, text=True)
        self.processes.append(process)
        assert process.stdout.readline() == "ready\n"

    def path(self, port):
        return os.path.join(self.directory, f"socket.{port}")

    def stop(self):
        for process in self.processes:
            process.kill()
            process.wait()
            process.stdout.close()
        self.processes = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.directory)


def run(prefix, *arguments):
    """Runs the agent once: (standard output, s)."""
    own = os.path.dirname(prefix)       # what another agent of this host has saved is no part of it
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as conf:
        conf.write(f"tgtSocket {prefix}\npollTimeout {TIMEOUT}\nsources tgt\n"
                   f"stateDir {own}/state\nrunDir {own}/run\n")
        conf.flush()
        start = time.monotonic()
        done = subprocess.run([AGENT, "-C", "-c", conf.name, *arguments], text=True,
                              capture_output=True, timeout=60, check=False)
        took = time.monotonic() - start
    if done.returncode not in (0, 1):
        raise RuntimeError(f"exit {done.returncode}: {done.stderr}")
    return done.stdout, took


def dump(prefix, *arguments):
    text, took = run(prefix, "--dump=json", *arguments)
    return json.loads(text), took


def fault(t, fakes, mode, words):
    fakes.start(0, mode)
    fakes.start(1, "serve")
    state, took = dump(os.path.join(fakes.directory, "socket"))
    fakes.stop()
    units = {s["unit"]: s for s in state["sources"]}
    good = units.get(fakes.path(1), {}).get("state") == "ok" and len(state["sessions"]) == 3
    t.ok(good, f"{mode}: the other tgtd has its rows", state["sources"])
    t.below(took, LIMIT, f"{mode}: time of the run")
    bad = units.get(fakes.path(0))
    if not words:
        t.ok(bad is None, f"{mode}: is no unit", state["sources"])
    else:
        message = (bad or {}).get("message", "")
        t.ok(bad and bad["state"] == "failing" and words in message,
             f"{mode}: failing, with the reason", message)


def no_listener(t, fakes):
    """The socket of a tgtd that was killed stays in its directory."""
    fakes.start(0, "serve")
    fakes.stop()
    fakes.start(1, "serve")
    state, _ = dump(os.path.join(fakes.directory, "socket"))
    fakes.stop()
    t.equal([s["unit"] for s in state["sources"] if s["unit"]], [fakes.path(1)],
            "a socket that nobody listens on is no unit")


def without_times(state):
    for source in state["sources"]:
        source.pop("age_ms", None)
    return state


def recording(t, fakes):
    """A recording answers as the tgtd did, failures too."""
    prefix = os.path.join(fakes.directory, "socket")
    path = os.path.join(fakes.directory, "recording")
    fakes.start(0, "serve")
    fakes.start(2, "error")
    run(prefix, "--record", path)
    live, _ = dump(prefix)
    fakes.stop()
    replayed, _ = dump(prefix, "--root", path)
    t.ok(len(live["sessions"]) == 3, "a recording is of something")
    t.equal(without_times(replayed), without_times(live), "a recording replays to the same")


def field(objects, key):
    return sorted(str(o.get(key)) for o in objects)


def real(t):
    """A real tgtd, an honest initiator and forgers."""
    with Tgtd() as tgtd:
        disk = os.path.join(tgtd.directory, "disk")
        with open(disk, "wb") as file:
            file.truncate(1 << 20)
        for tid in (1, 2):
            tgtd.adm("--op", "new", "--mode", "target", "--tid", str(tid), "-T",
                     f"{BASE}disk{tid}")
            tgtd.adm("--op", "bind", "--mode", "target", "--tid", str(tid), "-I", "ALL")
            tgtd.adm("--op", "new", "--mode", "logicalunit", "--tid", str(tid), "--lun", "1",
                     "-b", disk)
        tgtd.adm("--op", "new", "--mode", "account", "--user", "alice", "--password",
                 "canary-secret")
        tgtd.adm("--op", "bind", "--mode", "account", "--tid", "2", "--user", "alice")
        honest = Session(tgtd.port, VICTIM, BASE + "disk1", "the alias")
        for _ in range(5):
            honest.test_unit_ready()
        state, _ = dump(tgtd.prefix)
        t.equal(field(state["sessions"], "initiator_name"), [VICTIM], "name of a session")
        t.equal(field(state["sessions"], "initiator_alias"), ["the alias"], "its alias")
        t.equal(field(state["sessions"], "tsih"), [str(honest.tsih)],
                "its TSIH is the one that the initiator was told")
        t.equal(field(state["sessions"], "command_pdus"), ["5"], "its commands")
        t.equal(field(state["connections"], "remote_port"),
                [str(honest.socket.getsockname()[1])], "its connection's remote port")
        forgers = [Session(tgtd.port, EVIL, BASE + "disk1", FORGED_ALIAS, isid=8)]
        state, _ = dump(tgtd.prefix)
        t.equal(field(state["nodes"], "name"), [BASE + "disk1", BASE + "disk2"],
                "a forged alias changes no target")
        t.equal(field(state["sessions"], "initiator_name"), [EVIL, VICTIM], "nor a session")
        t.equal(field(state["connections"], "remote_address"), ["127.0.0.1"] * 2,
                "nor an address, not even its own")
        t.ok("forged" not in field(state["auths"], "identity"), "nor an account")
        forgers.append(Session(tgtd.port, FORGED_NAME, BASE + "disk1", isid=9))
        state, _ = dump(tgtd.prefix)
        text = json.dumps(state)
        t.equal(len(state["sessions"]), 3, "a forged name adds no session")
        t.ok("ghost" not in text and "10.9.9" not in text, "nor a name or an address")
        t.ok("canary" not in text, "no secret is shown")
        for session in [honest, *forgers]:
            session.close()


def main():
    with Tap() as t:
        if not os.access(AGENT, os.X_OK):
            t.skip_all(f"{AGENT} is not built")
        with Fakes() as fakes:
            for mode, words in FAULTS.items():
                fault(t, fakes, mode, words)
            no_listener(t, fakes)
            recording(t, fakes)
        if os.geteuid() == 0 and shutil.which("tgtd", path=os.environ["PATH"] + ":/usr/sbin"):
            real(t)
        else:
            t.skip("a real tgtd", "tgtd is not installed, or this is not root")


if __name__ == "__main__":
    main()
