#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Packs a directory that holds sys/, proc/, etc/ … into a recording (src/base/root_tree.c).

    pack_tree.py [--errors FILE] [--only GLOB]… [--skip GLOB]… DIRECTORY > scenario.tree

FILE has lines of MODE TAB OPERATION:ERRNO TAB PATH for what could not be read where the directory
was copied from; these files need not be in it. The globs match whole paths (/sys/*), --skip wins.
What holds secrets is packed as "error PATH read EACCES", never with its content.
"""
import argparse
import errno
import fnmatch
import os
import re
import stat
import sys

SECRET = re.compile(
    r"passw|secret|chap_|credential|shadow|IncomingUser|OutgoingUser|\.key$|\.pem$"
    r"|/(\w+_)?auth/(?!(userid(_mutual)?|authenticate_target|enforce_discovery_auth)$)"
    r"|/(iscsid|targets|scst)\.conf|/saveconfig[^/]*\.json"
    r"|^/(etc|var)/.*/(nodes|send_targets|isns|static|fw|slp|tgt)/", re.IGNORECASE)
NODE_NAME = re.compile(r"/(iqn|eui|naa)\.[^/]*", re.IGNORECASE)
ORDER = {"list": 0, "read": 1, "readlink": 2}
ESCAPES = {0x5C: "\\\\", 0x09: "\\t", 0x0D: "\\r"}


def escape(octets, spaces):
    """C escapes; `spaces` is which spaces need one: all (a word) or the last (a line)."""
    out = []
    for i, c in enumerate(octets):
        hide = c == 0x20 and (spaces == "all" or i + 1 == len(octets))
        plain = 0x20 <= c <= 0x7E and not hide
        out.append(ESCAPES.get(c) or (chr(c) if plain else "\\%03o" % c))
    return "".join(out)


def content(octets):
    lines = octets.split(b"\n")
    last = lines.pop()
    out = ["|" + escape(line, "last") + "\n" for line in lines]
    if last:
        out.append("|" + escape(last, "last") + "\\\n")
    return "".join(out)


def is_secret(path):
    return SECRET.search(NODE_NAME.sub("/node", os.fsdecode(path))) is not None


class Packer:
    def __init__(self, base, only, skip):
        self.base, self.only, self.skip = os.fsencode(base), only, skip
        self.records = {}  # (components, order) -> text
        self.names = {}    # directory -> set of names

    def wanted(self, path):
        text = os.fsdecode(path)
        if any(fnmatch.fnmatchcase(text, glob) for glob in self.skip):
            return False
        return not self.only or any(fnmatch.fnmatchcase(text, glob) for glob in self.only)

    def put(self, path, operation, text):
        components = tuple(path.split(b"/")) if path != b"/" else (b"",)
        self.records[components, ORDER[operation]] = text

    def mention(self, path):
        """Makes `path` an entry of its directory, and that of its own."""
        while path != b"/":
            parent, name = os.path.split(path)
            self.names.setdefault(parent, set()).add(name)
            path = parent

    def error(self, path, operation, name):
        self.put(path, operation, "error %s %s %s\n" % (escape(path, "all"), operation, name))
        self.mention(path)

    def file(self, path):
        if is_secret(path):
            self.error(path, "read", "EACCES")
            return
        try:
            with open(self.base + path, "rb") as file:
                octets = file.read()
        except OSError as e:
            self.error(path, "read", errno.errorcode[e.errno])
            return
        self.put(path, "read", "file %s\n%s" % (escape(path, "all"), content(octets)))
        self.mention(path)

    def walk(self, path):
        for name in os.listdir(self.base + path):
            below = os.path.join(path, name)
            mode = os.lstat(self.base + below).st_mode
            if stat.S_ISDIR(mode):
                if self.wanted(below):
                    self.names.setdefault(below, set())
                    self.mention(below)
                self.walk(below)
            elif self.wanted(below) and stat.S_ISREG(mode):
                self.file(below)
            elif self.wanted(below) and stat.S_ISLNK(mode):
                target = os.readlink(self.base + below)
                self.put(below, "readlink", "link %s\n|%s\n" % (
                    escape(below, "all"), escape(target, "last")))
                self.mention(below)

    def errors(self, file):
        for line in file:
            _, what, path = line.rstrip(b"\n").split(b"\t")
            if self.wanted(path):
                self.error(path, "read", what.split(b":")[1].decode())

    def write(self, out):
        for path, names in self.names.items():
            lines = ["|%s\n" % escape(name, "last") for name in sorted(names)]
            self.put(path, "list", "dir %s\n%s" % (escape(path, "all"), "".join(lines)))
        out.write("iscsi-agentx tree 1\n")
        for key in sorted(self.records):
            out.write(self.records[key])


def main():
    parser = argparse.ArgumentParser(description="pack a directory into a recording")
    parser.add_argument("--errors", type=argparse.FileType("rb"))
    parser.add_argument("--only", action="append", default=[], metavar="GLOB")
    parser.add_argument("--skip", action="append", default=[], metavar="GLOB")
    parser.add_argument("directory")
    args = parser.parse_args()
    packer = Packer(args.directory.rstrip("/"), args.only, args.skip)
    packer.walk(b"/")
    if args.errors:
        packer.errors(args.errors)
    packer.write(sys.stdout)


if __name__ == "__main__":
    main()
