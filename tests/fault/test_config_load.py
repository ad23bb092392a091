#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""config_load with real files: what is set, what is reported with file and line, what an
unreadable, endless or missing file does. Needs build/tests/config_read (CONFIG_READ names another
one); nothing outside of a private directory is read or written."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

PROGRAM = os.path.abspath(os.environ.get("CONFIG_READ", "build/tests/config_read"))
DEFAULTS = {
    "agentXSocket": "/var/agentx/master", "agentXPingInterval": "1", "agentUser": "iscsi-agentx",
    "pollInterval": "5", "pollTimeout": "3", "staleMax": "60", "sources": "all",
    "notifications": "all -sessionHealth", "notifyLimit": "3", "notifyLimitAll": "3",
    "notifyWindow": "10", "notifyFlapChanges": "5", "notifyFlapWindow": "60",
    "notifyQueue": "1000", "eventTableSize": "200", "targetSessionLimit": "0",
    "stateDir": "/var/lib/iscsi-agentx", "runDir": "/run/iscsi-agentx",
    "accessFile": "/etc/snmp/iscsi-agentx-access.conf", "sandbox": "1",
    "openIscsiConfig": "/etc/iscsi", "openIscsiRecords": "/var/lib/iscsi",
    "openIscsiStatistics": "1", "openIscsiDevices": "10000", "tgtSocket": "/var/run/tgtd/socket",
    "probeKnownPaths": "0", "probeInterval": "60", "probeTimeout": "10",
    "probeInitiatorName": "auto",
}


class Outcome:
    """What one run of the program gave."""

    def __init__(self, done, seconds):
        lines = done.stdout.splitlines()
        self.code, self.seconds = done.returncode, seconds
        self.head = lines[0] if lines else "nothing"
        self.values = dict(line.split(" ", 1) for line in lines[1:])
        self.log = done.stderr.splitlines()

    def __str__(self):
        return f"{self.head}, exit code {self.code}, {self.seconds:.1f} s, log {self.log}"

    def changed(self):
        """The values that are not the defaults."""
        return {k: v for k, v in self.values.items() if DEFAULTS.get(k) != v}


class Suite:
    """Runs the tests in a directory of their own and prints TAP."""

    def __init__(self, directory):
        self.directory = directory
        self.count = self.failed = 0

    def file(self, name, text):
        """Writes a file and returns its path."""
        path = os.path.join(self.directory, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="latin-1") as out:
            out.write(text)
        return path

    def read(self, *arguments, path="nowhere", prefix=(), program=PROGRAM,
             **variables):
        """Runs the program with SNMPCONFPATH set to a directory below ours."""
        environment = {"PATH": os.environ["PATH"], "HOME": self.directory, **variables}
        if path:
            environment["SNMPCONFPATH"] = os.path.join(self.directory, path)
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
            if name in os.environ:
                environment[name] = os.environ[name]
        begin = time.monotonic()
        done = subprocess.run([*prefix, program, *arguments], env=environment, timeout=60,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, check=False, text=True, errors="replace")
        return Outcome(done, time.monotonic() - begin)

    def check(self, good, what, why=""):
        """One line of TAP."""
        self.count += 1
        self.failed += not good
        print(("ok" if good else "not ok") + f" {self.count} - {what}")
        if not good:
            print(f"# {why}")

    def good(self, text, changed, what):
        """The file of this text changes exactly these values, without a word."""
        got = self.read("-C", "-c", self.file("good.conf", text))
        self.check(got.head == "result 0" and got.changed() == changed and not got.log, what, got)

    def bad(self, line, message, what):
        """The line is reported with its number, and nothing is changed."""
        path = self.file("bad.conf", "# first\n\n" + line + "\nstaleMax 77\n")
        got = self.read("-C", "-c", path)
        self.check(got.head == "result 1" and got.changed() == {"staleMax": "77"} and
                   got.log == [f"{path}: line 3: {message}"], what, got)


def test_values(s):
    """What a file can say."""
    got = s.read("-C")
    s.check(got.head == "result 0" and got.values == DEFAULTS and not got.log,
            "no file: the defaults", got)
    s.good("", {}, "an empty file")
    s.good("pollInterval 10\n", {"pollInterval": "10"}, "a number")
    s.good("POLLINTERVAL 10", {"pollInterval": "10"}, "upper case, no newline at the end")
    s.good("  pollInterval \t 10 \t \n# pollInterval 11\n", {"pollInterval": "10"},
           "blanks and comments")
    s.good("pollInterval 10\npollInterval 20\n", {"pollInterval": "20"}, "the last line counts")
    s.good("sources tgt, lio\n", {"sources": "tgt, lio"}, "several words")
    s.good('tgtSocket "/run/my tgt/socket"\n', {"tgtSocket": "/run/my tgt/socket"}, "quotes")
    s.good("pathWeight *\t10.0.0.1 5\n", {"pathWeight": "*\t10.0.0.1 5"}, "a line of several")
    s.bad("pathWeight * 10.0.0.1", "Error: pathWeight * 10.0.0.1 has no weight from 0 to "
          "2147483647, ignoring the line", "half a line of several")
    s.good("[iscsi-agentx] pollInterval 9\n", {"pollInterval": "9"}, "a section of our name")
    s.good("pollInterval 300\npollTimeout 60\nstaleMax 0\nagentXPingInterval 60\n",
           {"pollInterval": "300", "pollTimeout": "60", "staleMax": "0",
            "agentXPingInterval": "60"}, "the ends of the ranges")
    path = "/" + "p" * 106
    s.good(f"stateDir {path}\n", {"stateDir": path}, "a path of 107 octets")


def test_bad_lines(s):
    """What is reported, with file, line and consequence."""
    s.bad("pollInterval 0", "Error: pollInterval 0 is not in the range 1 to 300 seconds, "
          "keeping the default 5", "a number below the range")
    s.bad("pollinterval 301", "Error: pollInterval 301 is not in the range 1 to 300 seconds, "
          "keeping the default 5", "a number above the range")
    s.bad("pollInterval 99999999999999999999", "Error: pollInterval 99999999999999999999 is not "
          "in the range 1 to 300 seconds, keeping the default 5", "a huge number")
    s.bad("pollInterval -1", "Error: pollInterval -1 is not a whole number, keeping the default 5",
          "a negative number")
    s.bad("pollInterval 5s", "Error: pollInterval 5s is not a whole number, keeping the default 5",
          "a number with a unit")
    s.bad("sources tgt lioo", "Error: sources tgt lioo has a word that is no source, keeping the "
          "default all", "a source that there is not")
    s.bad("notifications pathDwn", "Error: notifications pathDwn has a word that is no "
          "notification, keeping the default all -sessionHealth", "a misspelt notification")
    s.bad("pollInterval", "Error: Blank line following pollInterval token, ignoring the line",
          "a token without a value")
    s.bad("pollIntervall 5", "Warning: Unknown token: pollIntervall, ignoring the line",
          "an unknown token")
    s.bad("rocommunity secret", "Warning: Unknown token: rocommunity, ignoring the line",
          "a token of snmpd")
    s.bad("stateDir state", "Error: stateDir state is not an absolute path, keeping the default "
          "/var/lib/iscsi-agentx", "a relative path")
    s.bad("agentXSocket tcp:localhost:705", "Error: agentXSocket tcp:localhost:705 is not an "
          "absolute path, keeping the default /var/agentx/master", "no path at all")
    s.bad("stateDir /" + "p" * 107, "Error: stateDir /" + "p" * 59 + "... is longer than 107 "
          "octets, keeping the default /var/lib/iscsi-agentx", "a path that is too long")
    s.bad("agentUser a b", "Error: agentUser a b is more than one word, keeping the default "
          "iscsi-agentx", "two words for one")
    s.bad('agentUser ""', 'Error: agentUser "" is no value, keeping the default iscsi-agentx',
          "an empty value")
    s.bad("tgtSocket /a\x01b", "Error: tgtSocket /a?b is not plain text, keeping the default "
          "/var/run/tgtd/socket", "a control character, which the log does not repeat")
    s.bad("tgtSocket /a\xffb %s%n", "Error: tgtSocket /a\ufffdb %s%n is not plain text, keeping "
          "the default /var/run/tgtd/socket", "no UTF-8, and a format")
    path = s.file("later.conf", "pollInterval 10\npollInterval x\n")
    got = s.read("-C", "-c", path)
    s.check(got.head == "result 1" and got.changed() == {"pollInterval": "10"} and got.log ==
            [f"{path}: line 2: Error: pollInterval x is not a whole number, keeping 10"],
            "the value of an earlier line is kept", got)
    got = s.read("-l", "-C", "-c", path)
    s.check(got.head == "result 1" and len(got.log) == 1 and got.log[0].startswith(path),
            "each message appears once when the log goes through net-snmp", got)
    got = s.read("-C", "-c", s.file("many.conf", "nonsense 1\n" * 5000))
    s.check(got.head == "result 5000" and len(got.log) == 101 and
            got.log[100] == "more bad lines of the configuration are not shown",
            "5000 bad lines are counted, 100 shown", got.head)


def test_places(s):
    """-c, -C, SNMPCONFPATH, includes, and the files that are not ours."""
    s.file("place/iscsi-agentx.conf", "pollInterval 11\nstaleMax 12\n")
    s.file("place/iscsi-agentx.local.conf", "staleMax 13\n")
    s.file("place/snmp.conf", "garbage in snmp.conf\nmibs +NOTHERE-MIB\n")
    s.file("place/snmpd.conf", "garbage in snmpd.conf\n")
    extra = s.file("extra.conf", "pollTimeout 14\n")
    got = s.read(path="place")
    s.check(got.head == "result 0" and not got.log and
            got.changed() == {"pollInterval": "11", "staleMax": "13"},
            "the default files in SNMPCONFPATH, and no file of another name", got)
    got = s.read("-c", extra, path="place")
    s.check(got.changed() == {"pollInterval": "11", "staleMax": "13", "pollTimeout": "14"},
            "-c is read besides the default files", got)
    got = s.read("-C", "-c", extra, path="place")
    s.check(got.changed() == {"pollTimeout": "14"}, "-C leaves the default files out", got)
    got = s.read("-C", path="place")
    s.check(got.head == "result 0" and not got.changed(), "-C alone: nothing is read", got)
    s.file("inc/more/a.conf", "pollInterval 21\n")
    s.file("inc/b.conf", "staleMax x\n")
    main = s.file("inc/main.conf", "includeFile b.conf\nincludeDir " + s.directory +
                  "/inc/more\npollTimeout 22\nbroken\n")
    got = s.read("-C", "-c", main)
    s.check(got.head == "result 2" and got.changed() ==
            {"pollInterval": "21", "pollTimeout": "22"} and len(got.log) == 2 and
            "/inc/b.conf: line 1: " in got.log[0] and "/inc/main.conf: line 4: " in got.log[1],
            "includes, with the right file and line", got)
    got = s.read("-C", "-c", s.file("deep.conf", "includeFile deep.conf\npollTimeout 4\n"))
    s.check(re.match("result [1-9]", got.head), "a file that includes itself ends", got)
    two = s.file("two.conf", "staleMax 15\n")
    got = s.read("-C", "-c", extra + "," + two)
    s.check(got.changed() == {"pollTimeout": "14", "staleMax": "15"}, "-c FILE,FILE", got)
    persistent = s.file("persist/iscsi-agentx.conf", "agentUser root\n")
    got = s.read(path=None, SNMP_PERSISTENT_DIR=os.path.dirname(persistent))
    s.check(got.values.get("agentUser") != "root", "the directory of persistent files is not read", got)


def test_faults(s):
    """Files that are not there, cannot be read, or never end."""
    for argument, error, what in (
            ("/nonexistent", "ENOENT", "a missing file of -c"),
            (s.directory, "EISDIR", "a directory"),
            (s.file("pre.conf", "") + ",/nonexistent", "ENOENT", "the second of two is missing"),
            (s.file("a%sb.conf", "garbage\n"), "EINVAL", "a name that is a format"),
            ("/" + "x" * 5000, "ENAMETOOLONG", "a name that is too long")):
        got = s.read("-C", "-c", argument)
        s.check(got.code == 1 and got.head == "error " + error, f"{what}: {error}", got)
    fifo = os.path.join(s.directory, "fifo")
    os.mkfifo(fifo)
    got = s.read("-C", "-c", fifo)
    s.check(got.code == 1 and got.head == "error ETIMEDOUT" and 4.5 < got.seconds < 9,
            "a file that does not end: given up after 5 s", got)
    got = s.read("-u", "-C", "-c", s.file("unending.conf", "pollInterval 6\n"))
    s.check(got.head == "result 0" and got.changed() == {"pollInterval": "6"} and got.seconds < 4,
            "a child that SIGKILL does not end is not waited for", got)
    include = s.file("crash.conf", f"includeFile {s.directory}/%n%n%n%n.conf\n")
    s.file("%n%n%n%n.conf", "garbage\n")
    got = s.read("-C", "-c", include)
    s.check(got.code in (0, 1) and got.head.split()[0] in ("error", "result"),
            "a reader that may crash does not take the caller along", got)
    if os.geteuid() == 0:
        place = s.file("closed/iscsi-agentx.conf", "pollInterval 11\n")
        os.chmod(place, 0o600)
        os.chmod(s.directory, 0o755)
        program = shutil.copy(PROGRAM, os.path.join(s.directory, "config_read"))
        got = s.read(path="closed", program=program,
                     prefix=("setpriv", "--reuid=65534", "--clear-groups"))
        said = [line for line in got.log if not line.startswith("LLVM Profile")]
        s.check(got.head == "result 1" and said ==
                [f"{place}: Permission denied, going on without this file"],
                "a default file that may not be read is reported", got)


def test_calls(s):
    """What the reading does to the system, seen by strace."""
    trace = os.path.join(s.directory, "trace")
    path = s.file("calls.conf", "pollInterval 6\n")
    prefix = ("strace", "-f", "-qq", "-o", trace)
    try:
        got = s.read("-C", "-c", path, prefix=prefix)
    except FileNotFoundError:
        got = None
    if got is None or got.head != "result 0":
        s.check(True, "no socket is opened and nothing is written # SKIP strace may not trace here")
        return
    with open(trace, encoding="utf-8", errors="replace") as lines:
        text = lines.read()
    wrong = re.findall(r"\b(?:socket|connect|bind|mkdir|unlink|rename)\w*\([^\n]*", text)
    if ".profraw" in text:  # it counts for make coverage, which looks for the place to write to
        wrong = [call for call in wrong if not call.startswith("mkdir(")]
    wrong += [call for call in re.findall(r"openat\([^\n]*(?:O_WRONLY|O_RDWR|O_CREAT)[^\n]*", text)
              if ".profraw" not in call]  # the counters of make coverage
    wrong += re.findall(r'openat\([^\n]*/mibs["/][^\n]*', text)
    s.check("calls.conf" in text and not wrong, "no socket is opened and nothing is written", wrong)


def main():
    """All tests."""
    if not os.access(PROGRAM, os.X_OK):
        print("1..1\nnot ok 1 - " + PROGRAM + " is there")
        return 1
    with tempfile.TemporaryDirectory(prefix="config_load.") as directory:
        suite = Suite(directory)
        test_values(suite)
        test_bad_lines(suite)
        test_places(suite)
        test_faults(suite)
        test_calls(suite)
    print(f"1..{suite.count}")
    return 1 if suite.failed else 0


if __name__ == "__main__":
    sys.exit(main())
