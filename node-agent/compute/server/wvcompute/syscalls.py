"""System calls that Python 3.11 has no function for. Each raises OSError."""

from __future__ import annotations

import ctypes
import os
import platform

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
CLONE_NEWTIME = 0x00000080

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 32, 4096, 16384, 1 << 18
MNT_DETACH = 2

PR_SET_PDEATHSIG, PR_GET_PDEATHSIG = 1, 2
PR_SET_DUMPABLE = 4
PR_SET_SECCOMP = 22
PR_CAPBSET_DROP = 24
PR_SET_SECUREBITS = 28
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 47, 4
SECCOMP_MODE_FILTER = 2
# NOROOT, NO_SETUID_FIXUP and KEEP_CAPS off, no ambient raise; each with its lock.
SECUREBITS = 0b11101011

_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_libc = ctypes.CDLL(None, use_errno=True)


def _must(result: int, what: str) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
    return result


def unshare(flags: int) -> None:
    """Leaves the named namespaces for new ones."""
    _must(_libc.unshare(flags), "unshare")


def setns(descriptor: int, kind: int) -> None:
    """Enters the namespace behind an open descriptor."""
    _must(_libc.setns(descriptor, kind), "setns")


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    """mount(2)."""
    arguments = [source.encode(), target.encode(), kind.encode() or None, ctypes.c_ulong(flags), data.encode() or None]
    _must(_libc.mount(*arguments), f"mount {target}")


def umount(target: str) -> None:
    """Detaches what is mounted there, also while it is in use."""
    _must(_libc.umount2(target.encode(), MNT_DETACH), f"umount {target}")


def pivot_root(new: str, old: str) -> None:
    """Makes `new` the root; the old root comes to lie at `old`."""
    number = _PIVOT_ROOT.get(platform.machine())
    if number is None:
        raise OSError(38, f"pivot_root is not known for {platform.machine()}")
    _must(_libc.syscall(number, new.encode(), old.encode()), "pivot_root")


def prctl(option: int, *values: int) -> int:
    """prctl(2) with whole-number arguments."""
    padded = [ctypes.c_ulong(value) for value in (*values, 0, 0, 0, 0)[:4]]
    return _must(_libc.prctl(option, *padded), f"prctl {option}")


def parent_death_signal() -> int:
    """The signal that this process gets when its parent dies; 0 for none."""
    number = ctypes.c_int(0)
    _must(_libc.prctl(PR_GET_PDEATHSIG, ctypes.byref(number), 0, 0, 0), "prctl PDEATHSIG")
    return number.value


def drop_capabilities() -> None:
    """Empties all capability sets of the calling process."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    _must(_libc.capset(header, (ctypes.c_uint32 * 6)()), "capset")


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def install_filter(program: bytes) -> None:
    """Installs a seccomp filter (classic BPF, 8 bytes an instruction). Needs no_new_privs first."""
    block = _Program(len(program) // 8, program)
    code = _libc.prctl(PR_SET_SECCOMP, ctypes.c_ulong(SECCOMP_MODE_FILTER), ctypes.byref(block), 0, 0)
    _must(code, "seccomp")
