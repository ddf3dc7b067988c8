"""The file system that a session sees: a new root, built by an allow-list.

Masking paths over the host's root leaks every folder that nobody thought of. What is not named here is not there.
A zygote builds the root once and lives in it; each child adds what is its own: /tmp, its home, /proc, /dev/pts.
"""

from __future__ import annotations

import os

from .syscalls import CLONE_NEWNS, MS_BIND, MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_PRIVATE, MS_RDONLY, MS_REC, MS_REMOUNT
from .syscalls import mount, pivot_root, umount, unshare

HOME = "/home/compute"
PROGRAM = "/program"
_SEALED = MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV

_TOP = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
# Settings that libraries read and that hold nothing of this host: fonts, plot defaults, alternatives, R, time zone.
_ETC = (
    *("ld.so.cache", "alternatives", "fonts", "matplotlibrc", "mime.types", "python3", "python3.11", "localtime"),
    *("timezone", "papersize", "terminfo", "R", "gprc", "locale.alias"),
)
_DEVICES = ("null", "zero", "full", "random", "urandom")
_USERS = {
    "passwd": "root:x:0:0:root:/nonexistent:/usr/sbin/nologin\ncompute:x:{uid}:{uid}::/home/compute:/bin/sh\n",
    "group": "root:x:0:\ncompute:x:{uid}:\n",
}
_MADE_UP = {
    **_USERS,
    "hosts": "127.0.0.1 localhost compute\n",
    "hostname": "compute\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}


def _bind(source: str, target: str) -> None:
    """Shows one file or directory of the host, read-only, without what is mounted below it."""
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    else:
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o444))
    mount(source, target, flags=MS_BIND)
    mount("", target, flags=_SEALED)


def _show(source: str, target: str) -> None:
    """Binds what is there; a symbolic link stays one."""
    if os.path.islink(source):
        os.symlink(os.readlink(source), target)
    elif os.path.exists(source):
        _bind(source, target)


def _devices(new: str) -> None:
    os.mkdir(f"{new}/dev")
    for name in _DEVICES:
        target = f"{new}/dev/{name}"
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o666))
        mount(f"/dev/{name}", target, flags=MS_BIND)
        mount("", target, flags=MS_BIND | MS_REMOUNT | MS_NOSUID | MS_NOEXEC)
    for name in ("pts", "shm"):
        os.mkdir(f"{new}/dev/{name}")
    links = {"ptmx": "pts/ptmx", "fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"}
    for name, target in links.items():
        os.symlink(target, f"{new}/dev/{name}")


def build(program: str) -> None:
    """Moves the calling (root) process into a new root. `program`: the folder of this program, seen until `seal`."""
    unshare(CLONE_NEWNS)
    mount("", "/", flags=MS_REC | MS_PRIVATE)
    ours = os.open(program, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    # Every Linux has a /tmp; this mount is seen by nobody else, and dies with the process.
    new = "/tmp"
    mount("root", new, "tmpfs", MS_NOSUID | MS_NODEV, "size=1m,nr_inodes=1k,mode=755")
    _bind("/usr", f"{new}/usr")
    if os.path.isdir("/usr/local/etc"):
        # The one place below /usr where an administrator keeps settings, perhaps with a password.
        mount("masked", f"{new}/usr/local/etc", "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV, "size=4k,mode=755")
    for name in _TOP:
        _show(f"/{name}", f"{new}/{name}")
    os.mkdir(f"{new}/etc")
    for name in _ETC:
        _show(f"/etc/{name}", f"{new}/etc/{name}")
    for name, text in _MADE_UP.items():
        with open(f"{new}/etc/{name}", "w", encoding="ascii") as file:
            file.write(text.format(uid=65534))
    _devices(new)
    for folder in ("proc", "tmp", "home", "home/compute", "old", "program", "var", "run"):
        os.mkdir(f"{new}/{folder}")
    _bind(f"/proc/self/fd/{ours}", f"{new}{PROGRAM}")
    os.close(ours)
    pivot_root(new, f"{new}/old")
    os.chdir("/")
    umount("/old")
    os.rmdir("/old")
    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    for folder in ("/tmp", HOME):
        mount("zygote", folder, "tmpfs", MS_NOSUID | MS_NODEV, "size=64m,nr_inodes=4k,mode=700")


def seal() -> None:
    """Takes our own program out of the root, once all of it is loaded, and makes the root read-only."""
    umount(PROGRAM)
    os.rmdir(PROGRAM)
    mount("", "/", flags=_SEALED)


def furnish(uid: int, disk_bytes: int, inodes: int) -> None:
    """Gives a child (in a mount namespace of its own) its file systems. One cap holds for all it can write."""
    flags = MS_NOSUID | MS_NODEV
    for folder in ("/tmp", HOME, "/proc"):
        umount(folder)
    mount("scratch", "/tmp", "tmpfs", flags, f"size={disk_bytes},nr_inodes={inodes},mode=755")
    for name, mode in (("home", 0o700), ("shm", 0o1777), ("tmp", 0o1777)):
        os.mkdir(f"/tmp/{name}")
        os.chown(f"/tmp/{name}", uid, uid)
        os.chmod(f"/tmp/{name}", mode)
    for name, text in _USERS.items():
        with open(f"/tmp/{name}", "w", encoding="ascii") as file:
            file.write(text.format(uid=uid))
        mount(f"/tmp/{name}", f"/etc/{name}", flags=MS_BIND)
        mount("", f"/etc/{name}", flags=_SEALED)
    mount("/tmp/home", HOME, flags=MS_BIND)
    mount("/tmp/shm", "/dev/shm", flags=MS_BIND)
    mount("/tmp/tmp", "/tmp", flags=MS_BIND)
    mount("proc", "/proc", "proc", flags | MS_NOEXEC, "hidepid=2,subset=pid")
    mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0600,max=16")
    os.chdir(HOME)
