"""What the self-test tries from inside: a kernel that runs these functions instead of user code.

Each answers (holds, text). The ones that are meant to be stopped do not answer at all.
"""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import socket
import time
from collections.abc import Callable

from .channel import Channel

Finding = tuple[bool, str]
_libc = ctypes.CDLL(None, use_errno=True)
# x86_64 numbers are enough: elsewhere the calls below go through libc or are left out.
_PTRACE_TRACEME = 0
_HOST_FILES = ("/etc/shadow", "/root", "/var/lib", "/home/compute/../../old", "/run/dbus", "/sys/kernel", "/proc/kcore")


def _refused(what: Callable[[], object], *codes: int) -> str | None:
    """None when the call fails with one of these codes, else what happened."""
    try:
        what()
    except OSError as error:
        return None if error.errno in codes else f"failed with {errno.errorcode.get(error.errno or 0)}"
    return "was possible"


def uid(expected: int) -> Finding:
    """Who am I, and what may I?"""
    with open("/proc/self/status", encoding="ascii") as file:
        status = dict(line.split(":\t", 1) for line in file.read().splitlines() if ":\t" in line)
    rights = status["CapEff"] + status["CapPrm"] + status["CapBnd"]
    back = _refused(lambda: os.setuid(0), errno.EPERM)
    holds = os.getresuid() == (expected,) * 3 and not os.getgroups() and not rights.strip("0") and back is None
    text = f"runs as uid {os.getuid()} without rights; setuid(0) {back or 'is refused'}"
    return holds and status["NoNewPrivs"] == "1", text


def pid_namespace() -> Finding:
    """Only my own processes are there."""
    seen = sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
    return os.getpid() == 2 and set(seen) <= {1, 2}, f"is process {os.getpid()}, sees the processes {seen[:8]}"


def network(port: int) -> Finding:
    """A server that listens on this host's loopback is out of reach; so is every other kind of socket."""
    problem = _refused(lambda: socket.create_connection(("127.0.0.1", port), 1), errno.EPERM)
    kinds = {"NETLINK": 16, "PACKET": 17, "ALG": 38, "VSOCK": 40, "INET6": 10, "BLUETOOTH": 31, "KEY": 15}
    made = [name for name, kind in kinds.items() if _refused(lambda kind=kind: socket.socket(kind, 3), errno.EPERM)]
    with open("/proc/self/net/dev", encoding="ascii") as file:
        devices = [line.split(":")[0].strip() for line in file.readlines()[2:]]
    holds = problem is None and not made and devices in ([], ["lo"])
    text = f"connect {problem or 'is refused'}; other families {', '.join(made) or 'are refused'}; devices {devices}"
    return holds, text


def files(secret: str) -> Finding:
    """A file of the host that everybody may read there is not here."""
    seen = [path for path in (secret, *_HOST_FILES) if os.path.exists(path) and not _empty(path)]
    return not seen, f"sees {', '.join(seen)}" if seen else "the host's files outside /usr are not there"


def _empty(path: str) -> bool:
    return os.path.isdir(path) and not os.listdir(path)


def writes() -> Finding:
    """Nothing but its own disk can be written."""
    made = []
    for folder in ("/", "/usr", "/etc", "/usr/local/lib", "/dev", "/proc/sys/kernel", "/var", "/run"):
        try:
            os.close(os.open(f"{folder}/webvirt-probe", os.O_CREAT | os.O_WRONLY))
            made.append(folder)
        except OSError:
            continue
    return not made, f"could write in {', '.join(made)}" if made else "only /tmp, /dev/shm and its home can be written"


def disk(limit_bytes: int) -> Finding:
    """Fills its disk."""
    written = 0
    try:
        with open("/tmp/fill", "wb", buffering=0) as file:
            chunk = bytes(65_536)
            while written <= 2 * limit_bytes:
                if written + 65_536 > limit_bytes:
                    # RLIMIT_FSIZE stops one file at the size of the disk; a second one has to hit the disk itself.
                    break
                written += file.write(chunk)
        with open("/dev/shm/fill", "wb", buffering=0) as file:
            while written <= 2 * limit_bytes:
                written += file.write(chunk)
    except OSError as error:
        holds = error.errno == errno.ENOSPC and written <= limit_bytes
        return holds, f"full after {written} of {limit_bytes} bytes ({errno.errorcode.get(error.errno or 0)})"
    return False, f"wrote {written} bytes where {limit_bytes} are allowed"


def syscalls() -> Finding:
    """Calls that break out of sandboxes."""
    tries: dict[str, Callable[[], int]] = {
        "unshare": lambda: _libc.unshare(0x10000000),
        "mount": lambda: _libc.mount(b"x", b"/tmp", b"tmpfs", 0, None),
        "ptrace": lambda: _libc.ptrace(_PTRACE_TRACEME, 0, 0, 0),
        "chroot": lambda: _libc.chroot(b"/tmp"),
        "setns": lambda: _libc.setns(0, 0),
        "process_vm_readv": lambda: _libc.process_vm_readv(1, None, 0, None, 0, 0),
        "bpf": lambda: _libc.syscall(321, 0, None, 0) if os.uname().machine == "x86_64" else -1,
        "io_uring_setup": lambda: _libc.syscall(425, 1, None),
    }
    possible = []
    for name, attempt in tries.items():
        ctypes.set_errno(0)
        if attempt() != -1 or ctypes.get_errno() not in (errno.EPERM, 0):
            possible.append(f"{name} ({errno.errorcode.get(ctypes.get_errno(), 'done')})")
    return not possible, f"not filtered: {', '.join(possible)}" if possible else f"{len(tries)} calls tried, all EPERM"


def processes(limit: int) -> Finding:
    """A fork bomb that stops at the first refusal. Its processes end with the child."""
    made = 0
    while made <= 2 * limit:
        try:
            pid = os.fork()
        except OSError:
            return made < limit, f"no more after {made} processes; {limit} are allowed"
        if pid == 0:
            time.sleep(30)
            os._exit(0)
        made += 1
    return False, f"made {made} processes where {limit} are allowed"


def memory(limit_bytes: int) -> Finding:
    """Takes twice what is allowed; should be killed before it can answer."""
    held = bytearray(2 * limit_bytes)
    for place in range(0, len(held), 4096):
        held[place] = 1
    return False, f"took {len(held)} bytes where {limit_bytes} are allowed"


def burn(seconds: float) -> Finding:
    """Uses all the CPU it can get, up to this much CPU time."""
    while time.process_time() < seconds:
        pass
    return True, ""


def stubborn() -> Finding:
    """Ignores every signal, and leaves a daemon that does too."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(60)
        os._exit(0)
    return True, ""


PROBES: dict[str, Callable[..., Finding]] = {
    one.__name__: one
    for one in (uid, pid_namespace, network, files, writes, disk, syscalls, processes, memory, burn, stubborn)
}


class Probes:
    """The kernel of the self-test."""

    title = "probe"

    def serve(self, sock: socket.socket) -> None:
        """Runs probes by name."""
        channel = Channel(sock)
        channel.send({"t": "ready"})
        while (request := channel.receive()) is not None:
            try:
                holds, text = PROBES[request["probe"]](*request["with"])
            except Exception as error:  # noqa: BLE001 a probe that fails has proved nothing
                holds, text = False, f"{type(error).__name__}: {error}"
            channel.send({"t": "found", "holds": holds, "text": text})
