#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Makes the machine in which `make check-vm` runs: a Debian kernel and an initramfs.

    build_image.py [KERNEL]        prints the folder that holds vmlinuz and initrd.cpio

packages.list and modules.list say what is in it. Everything comes out of Debian packages (debs.py);
nothing is downloaded or built again as long as their versions and the files of this folder stay the
same. Needs apt-get with a package index, dpkg-deb, tar and xz, no root rights; writes only below
build/vm (or $VM_CACHE), and prints what takes long to stderr.

Called by test_vm.py; by hand to see what the image costs.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import sys
import tempfile
import time

import cpio
import debs

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
LIB = "usr/lib/x86_64-linux-gnu"
MODULES_SECONDS = 180
# A change of one of these makes a new image.
RECIPE = ("build_image.py", "cpio.py", "debs.py", "init", "packages.list", "modules.list")

# What no guest reads: documentation, translations, and the Perl that only maintainer scripts use
# (libperl itself stays: snmpd is linked against it).
LEFT_OUT = (
    "usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info", "usr/share/perl*",
    "usr/share/bash-completion", "usr/share/lintian", "usr/share/zoneinfo", "usr/share/bug",
    "usr/share/initramfs-tools", "usr/share/misc/pci.ids", "usr/include", "usr/bin/perl*",
    LIB + "/perl", LIB + "/perl-base", LIB + "/gconv", "usr/lib/udev/hwdb*", "lib/udev/hwdb*",
)
# Packages that others depend on for their installation only.
UNUSED = ("debconf", "dpkg", "gcc-12-base", "libdb5.3", "passwd", "perl", "perl-base",
          "perl-modules-5.36", "tar")

ETC = {
    "passwd": """\
root:x:0:0:root:/root:/bin/bash
Debian-snmp:x:101:101::/var/lib/snmp:/bin/false
iscsi-agentx:x:970:970::/var/lib/iscsi-agentx:/bin/false
nobody:x:65534:65534::/nonexistent:/bin/false
""",
    "group": """\
root:x:0:
tty:x:5:
disk:x:6:
lp:x:7:
kmem:x:15:
dialout:x:20:
cdrom:x:24:
tape:x:26:
audio:x:29:
video:x:44:
Debian-snmp:x:101:
render:x:105:
kvm:x:106:
sgx:x:107:
input:x:108:
iscsi-agentx:x:970:
nogroup:x:65534:
""",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\nservices: files\n",
    "hosts": "127.0.0.1 localhost guest\n::1 localhost\n",
    "hostname": "guest\n",
}


def say(text):
    print("vm image: " + text, file=sys.stderr, flush=True)


def read_list(name):
    """The lines of a list file, each as its words; comments and empty lines are left out."""
    with open(os.path.join(HERE, name), encoding="ascii") as lines:
        return [line.split() for line in lines if line.strip() and not line.startswith("#")]


def image_key(guest, image):
    """Changes when the image would: versions of the packages, and the recipe."""
    digest = hashlib.sha256(repr(sorted(guest + [image])).encode())
    for name in RECIPE:
        with open(os.path.join(HERE, name), "rb") as source:
            digest.update(source.read())
    return digest.hexdigest()


def make_root(archive, packages, root):
    """Unpacks the guest's packages into `root`, which has /bin, /sbin, /lib merged into /usr."""
    for name in ("bin", "sbin", "lib", "lib64"):
        os.makedirs(os.path.join(root, "usr", name))
        os.symlink("usr/" + name, os.path.join(root, name))
    for package in packages:
        if package.file.split("_")[0] not in UNUSED:
            archive.unpack(package, root, LEFT_OUT)
    for name in ("proc", "sys", "dev", "run", "tmp", "out", "job", "root", "etc",
                 "etc/target", "var/lib/snmp"):
        os.makedirs(os.path.join(root, name), exist_ok=True)
    for name, text in ETC.items():
        with open(os.path.join(root, "etc", name), "w", encoding="ascii") as out:
            out.write(text)
    add_busybox(root)
    shutil.copy(os.path.join(HERE, "init"), os.path.join(root, "init"))
    os.chmod(os.path.join(root, "init"), 0o755)


def add_busybox(root):
    """Busybox is every program that no package brought: awk, tar, poweroff …"""
    busybox = os.path.join(root, "usr/bin/busybox")
    for name in debs.command([busybox, "--list"], MODULES_SECONDS).decode().split():
        paths = [os.path.join(root, "usr", folder, name) for folder in ("bin", "sbin")]
        if not any(os.path.lexists(path) for path in paths):
            os.symlink("busybox", paths[0])


def kmod(root, name, *args):
    """Runs the guest's own kmod as the program `name`: the host needs none."""
    lib = os.path.join(root, LIB)
    argv = [os.path.join(lib, "ld-linux-x86-64.so.2"), "--argv0", name, "--library-path", lib,
            os.path.join(root, "usr/bin/kmod")]
    return debs.command(argv + list(args), MODULES_SECONDS).decode()


def modules_with_needs(root, unpacked, version):
    """The .ko files of modules.list and of what they need, relative to the modules' folder."""
    base = os.path.join(unpacked, "lib/modules", version)
    wanted = set()
    for name, *optional in read_list("modules.list"):
        try:
            lines = kmod(root, "modprobe", "-d", unpacked, "-S", version, "--show-depends", name)
        except debs.ImageError:
            if not optional:
                raise debs.ImageError("kernel %s has no module %s" % (version, name)) from None
            continue
        for line in lines.splitlines():
            if line.startswith("insmod "):
                wanted.add(os.path.relpath(line.split()[1], base))
    return sorted(wanted)


def add_kernel(archive, image, root, unpacked, vmlinuz):
    """Puts the kernel into the file `vmlinuz` and the wanted modules into `root`."""
    archive.unpack(image, unpacked, LEFT_OUT)
    version = os.listdir(os.path.join(unpacked, "lib/modules"))[0]
    base = os.path.join(unpacked, "lib/modules", version)
    for path, _, files in os.walk(base):
        packed = [os.path.join(path, name) for name in files if name.endswith(".ko.xz")]
        if packed:
            debs.command(["xz", "-d"] + packed, MODULES_SECONDS)
    kmod(root, "depmod", "-b", unpacked, version)
    target = os.path.join(root, "usr/lib/modules", version)
    for name in modules_with_needs(root, unpacked, version):
        os.makedirs(os.path.dirname(os.path.join(target, name)), exist_ok=True)
        shutil.copy(os.path.join(base, name), os.path.join(target, name))
    for name in ("modules.builtin", "modules.order"):
        shutil.copy(os.path.join(base, name), target)
    kmod(root, "depmod", "-b", root, version)
    shutil.copy(os.path.join(unpacked, "boot", "vmlinuz-" + version), vmlinuz)
    return version


def build(archive, guest, image, folder):
    """Makes vmlinuz and initrd.cpio in `folder`."""
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        root = os.path.join(scratch, "root")
        unpacked = os.path.join(scratch, "kernel")
        os.mkdir(root)
        os.mkdir(unpacked)
        make_root(archive, guest, root)
        version = add_kernel(archive, image, root, unpacked, os.path.join(folder, "vmlinuz"))
        with open(os.path.join(folder, "initrd.cpio"), "wb") as out:
            initramfs = cpio.Archive(out)
            initramfs.tree(root)
            initramfs.close()
            size = out.tell()
    return version, size


def ensure_image(kernel="cloud"):
    """The folder with an up-to-date image of this kind of kernel; ImageError if there is none."""
    debs.kernel_package(kernel)
    cache = os.environ.get("VM_CACHE") or os.path.join(TOP, "build", "vm")
    folder = os.path.join(cache, kernel)
    os.makedirs(folder, exist_ok=True)
    with contextlib.ExitStack() as stack:
        lock = stack.enter_context(open(os.path.join(cache, "lock"), "w", encoding="ascii"))
        fcntl.flock(lock, fcntl.LOCK_EX)
        started = time.monotonic()
        archive = debs.Archive(cache, [words[0] for words in read_list("packages.list")])
        guest, image = archive.resolve(kernel)
        key = image_key(guest, image)
        key_file = os.path.join(folder, "key")
        with contextlib.suppress(FileNotFoundError):
            with open(key_file, encoding="ascii") as known:
                if known.read() == key:
                    return folder
            os.unlink(key_file)
        archive.fetch(guest, image, say)
        say("unpacking %d packages and %s" % (len(guest), image.file))
        version, size = build(archive, guest, image, folder)
        with open(key_file, "w", encoding="ascii") as out:
            out.write(key)
        say("kernel %s, initramfs %d MB, made in %.0f s"
            % (version, size >> 20, time.monotonic() - started))
    return folder


def main():
    try:
        print(ensure_image(*sys.argv[1:2] or ["cloud"]))
    except (debs.ImageError, OSError) as error:
        say("cannot make the image: %s" % error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
