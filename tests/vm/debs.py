# SPDX-License-Identifier: BSD-2-Clause
"""The Debian packages of the guest: which ones, fetched and unpacked, never installed.

They come from what the apt of this host offers, so the guest has the libraries against which
build/iscsi-agentx was linked here. apt is told that no package is installed, and keeps its own
caches in a folder of ours; no root rights are needed.

A kind of kernel is a key of KERNELS, or the name of a Debian package, linux-image-VERSION, that the
apt of this host offers.
"""

import collections
import os
import re
import subprocess
import tempfile

# The metapackages whose dependency names the kernel of the day.
KERNELS = {"cloud": "linux-image-cloud-amd64", "full": "linux-image-amd64",
           "6.12": "linux-image-6.12-cloud-amd64", "6.12-full": "linux-image-6.12-amd64"}
# What has all drivers, of the kernels that have not.
FULL = {"cloud": "full", "6.12": "6.12-full"}
QUERY_SECONDS = 120
DOWNLOAD_SECONDS = 600
UNPACK_SECONDS = 120

# file: name of the .deb, size: octets, digest: as apt prints it ("SHA256:...").
Package = collections.namedtuple("Package", "file size digest")


def kernel_package(kernel):
    """The package of a kind of kernel; ImageError if there is no such kind."""
    if kernel in KERNELS:
        return KERNELS[kernel]
    if re.fullmatch(r"linux-image-[a-z0-9.+-]+", kernel):
        return kernel
    raise ImageError("VM_KERNEL is %s: must be one of %s, or linux-image-VERSION"
                     % (kernel, ", ".join(KERNELS)))


class ImageError(Exception):
    """The image cannot be made; the text says what was tried and what to do about it."""


def command(argv, seconds, **kwargs):
    """Runs a program for at most `seconds`; returns what it printed."""
    try:
        done = subprocess.run(argv, timeout=seconds, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, **kwargs)
    except FileNotFoundError:
        raise ImageError("%s is not installed" % argv[0]) from None
    except subprocess.TimeoutExpired:
        raise ImageError("%s took more than %d s" % (argv[0], seconds)) from None
    if done.returncode != 0:
        raise ImageError("%s failed: %s" % (" ".join(argv[:2]),
                                            done.stderr.decode(errors="replace")[-2000:].strip()))
    return done.stdout


class Archive:
    """The packages that the index of this host offers, and our store of those fetched so far."""

    def __init__(self, folder, guest_names):
        self._state = os.path.join(folder, "apt")
        self._store = os.path.join(folder, "debs")
        self._names = guest_names
        for path in (self._state, os.path.join(self._store, "partial")):
            os.makedirs(path, exist_ok=True)
        self._status = os.path.join(self._state, "no-package-is-installed")
        with open(self._status, "w", encoding="ascii"):
            pass

    def path(self, package):
        return os.path.join(self._store, package.file)

    def _apt_get(self, archives, seconds, *args):
        options = {"Dir::State::status": self._status, "Dir::Cache": self._state,
                   "Dir::Cache::archives": archives, "APT::Install-Recommends": "false",
                   "APT::Sandbox::User": "root", "Debug::NoLocking": "true",
                   "Acquire::Retries": "3", "Acquire::http::Timeout": "30"}
        argv = ["apt-get", "-qq", "-y"]
        for key, value in options.items():
            argv += ["-o", "%s=%s" % (key, value)]
        return command(argv + list(args), seconds, cwd=archives,
                       stdin=subprocess.DEVNULL).decode()

    def _query(self, *args):
        """The packages that apt-get would fetch: it prints 'URI' FILE SIZE HASH for each."""
        # In an empty folder, since apt-get leaves out what its archive folder has already.
        with tempfile.TemporaryDirectory(dir=self._state) as nowhere:
            os.mkdir(os.path.join(nowhere, "partial"))
            text = self._apt_get(nowhere, QUERY_SECONDS, "--print-uris", *args)
        found = re.findall(r"^'[^']+' (\S+\.deb) (\d+) ?(\S*)$", text, re.M)
        return [Package(name, int(size), digest) for name, size, digest in found]

    def resolve(self, kernel):
        """(packages of the guest, package of the kernel), in the versions of today."""
        try:
            package = kernel_package(kernel)
            depends = command(["apt-cache", "depends", package], QUERY_SECONDS).decode()
            # The versioned name behind a metapackage changes with every kernel update.
            named = re.findall(r"Depends: (linux-image-\S+)", depends)
            image = self._query("download", (named or [package])[0])
            guest = self._query("install", *self._names)
        except ImageError as error:
            raise ImageError("no package index that has the kernel %s and the packages of "
                             "packages.list (%s); try apt-get update" % (kernel, error)) from None
        if len(image) != 1 or not guest:
            raise ImageError("apt-get does not say what it would download")
        return guest, image[0]

    def _is_here(self, package):
        path = self.path(package)
        return os.path.exists(path) and os.path.getsize(path) == package.size

    def fetch(self, guest, image, say):
        """Downloads what is missing; apt checks every file against the signed index."""
        missing = [package for package in guest + [image] if not self._is_here(package)]
        if missing:
            say("downloading %d packages, %d MB"
                % (len(missing), sum(package.size for package in missing) >> 20))
        if image in missing:
            self._apt_get(self._store, DOWNLOAD_SECONDS, "download", image.file.split("_")[0])
        if any(package in missing for package in guest):
            self._apt_get(self._store, DOWNLOAD_SECONDS, "--download-only", "install",
                          *self._names)
        for package in guest + [image]:
            if not self._is_here(package):
                raise ImageError("apt-get did not download " + package.file)
        self._drop_old(guest)

    def _drop_old(self, guest):
        """Forgets the packages of yesterday; kernels stay, since there are two kinds."""
        wanted = {package.file for package in guest}
        for entry in os.listdir(self._store):
            if entry.endswith(".deb") and not entry.startswith("linux-image-"):
                if entry not in wanted:
                    os.unlink(os.path.join(self._store, entry))

    def unpack(self, package, root, left_out=()):
        """Unpacks the files of a package below `root`; its maintainer scripts never run."""
        argv = ["tar", "-x", "--keep-directory-symlink", "--no-same-owner", "-C", root]
        argv += ["--exclude=./" + pattern for pattern in left_out]
        reader = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", self.path(package)],
                                  stdout=subprocess.PIPE)
        with reader:
            command(argv, UNPACK_SECONDS, stdin=reader.stdout)
        if reader.returncode != 0:
            raise ImageError("%s is damaged" % self.path(package))
