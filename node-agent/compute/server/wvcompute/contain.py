"""The steps by which a child of a zygote gives up everything. Fail closed: any error ends the child."""

from __future__ import annotations

import errno
import os
import resource
import socket
from dataclasses import dataclass

from . import jail
from . import syscalls as sys_

_RIGHTS = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")


@dataclass(frozen=True)
class Terms:
    """What one child gets. Sizes in bytes."""

    uid: int
    disk_bytes: int
    processes: int

    @property
    def inodes(self) -> int:
        """Files and folders: one for each 4 KiB of its disk, so that names cannot fill the memory first."""
        return max(64, self.disk_bytes // 4096)


class NotContained(Exception):
    """A wall that should stand does not."""


def keep_only(descriptors: set[int]) -> None:
    """Closes every open file but these and 0, 1, 2."""
    low = 3
    for kept in sorted(descriptors | {1 << 20}):
        if kept >= low:
            os.closerange(low, kept)
            low = kept + 1


def _limit(terms: Terms) -> None:
    """Limits of each process. The sums over all are the control group's.

    No RLIMIT_AS: address space is not memory (PARI and numpy reserve much and touch little), and it is per process.
    No RLIMIT_CPU: it is per process too, so three hogs would have three times as much.
    """
    both = {
        # Not 0: then a handler that core_pattern names is still started, as root; at 1 the kernel makes no dump at all.
        resource.RLIMIT_CORE: 1,
        resource.RLIMIT_NOFILE: 1024,
        # A second wall: the control group's limit comes first, and its counter proves that it does.
        resource.RLIMIT_NPROC: terms.processes + 16,
        resource.RLIMIT_FSIZE: terms.disk_bytes,
        resource.RLIMIT_MEMLOCK: 64 * 1024,
        resource.RLIMIT_MSGQUEUE: 0,
        resource.RLIMIT_NICE: 0,
        resource.RLIMIT_RTPRIO: 0,
        resource.RLIMIT_SIGPENDING: 1024,
    }
    for kind, value in both.items():
        resource.setrlimit(kind, (value, value))


def _namespaces() -> set[str]:
    """The namespaces of this process, such as net:[4026531840]. (Its process namespace is checked by its number.)"""
    return {os.readlink(f"/proc/self/ns/{kind}") for kind in ("mnt", "net", "ipc", "uts", "cgroup")}


def _give_up_rights(uid: int) -> None:
    for capability in range(64):
        try:
            sys_.prctl(sys_.PR_CAPBSET_DROP, capability)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            break  # one above the last that this kernel knows; `_verify` reads the whole set
    sys_.prctl(sys_.PR_CAP_AMBIENT, sys_.PR_CAP_AMBIENT_CLEAR_ALL)
    sys_.prctl(sys_.PR_SET_SECUREBITS, sys_.SECUREBITS)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    sys_.drop_capabilities()
    sys_.prctl(sys_.PR_SET_NO_NEW_PRIVS, 1)
    # setresuid has cleared the signal that was set before it: without this line a killed server leaves orphans.
    sys_.prctl(sys_.PR_SET_PDEATHSIG, 9)
    # Nobody of the same uid may look into this process or take its descriptors.
    sys_.prctl(sys_.PR_SET_DUMPABLE, 0)


def _verify(terms: Terms) -> None:
    """Reads back what was set: a step that silently did nothing must not pass."""
    if os.getresuid() != (terms.uid,) * 3 or os.getresgid() != (terms.uid,) * 3 or os.getgroups():
        raise NotContained("the user id did not change")
    if os.getpid() != 1:
        raise NotContained("no process namespace of its own")
    if sys_.parent_death_signal() != 9:
        raise NotContained("it would outlive its server")
    with open("/proc/self/status", encoding="ascii") as file:
        status = dict(line.split(":\t", 1) for line in file.read().splitlines() if ":\t" in line)
    for name in _RIGHTS:
        if int(status[name], 16) != 0:
            raise NotContained(f"rights are left: {name} {status[name]}")
    if status["NoNewPrivs"] != "1" or status["Seccomp"] != "2":
        raise NotContained("the system call filter is not there")


def contain(terms: Terms, program: bytes) -> None:
    """Contains the calling process, the first of a new process namespace and already in its control group.

    `program` is the seccomp filter. Raises OSError or NotContained; then the process must end.
    """
    # A forked child of a zygote dies with it from here on; the sessions' processes die with this one.
    sys_.prctl(sys_.PR_SET_PDEATHSIG, 9)
    before = _namespaces()
    sys_.unshare(
        sys_.CLONE_NEWNS | sys_.CLONE_NEWNET | sys_.CLONE_NEWIPC | sys_.CLONE_NEWUTS | sys_.CLONE_NEWCGROUP
    )
    shared = before & _namespaces()
    if shared:
        raise NotContained(f"shares namespaces with the host: {', '.join(sorted(shared))}")
    with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        # Should the whole machine run out of memory, sessions go before guests and daemons.
        file.write("900")
    socket.sethostname("compute")
    jail.furnish(terms.uid, terms.disk_bytes, terms.inodes)
    os.umask(0o077)
    _limit(terms)
    _give_up_rights(terms.uid)
    sys_.install_filter(program)
    _verify(terms)
