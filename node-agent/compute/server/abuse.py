"""Tried by the tests from inside a session: calls that must be refused. Prints one JSON object."""

import ctypes
import errno
import json
import mmap
import os
import resource
import signal
import socket

libc = ctypes.CDLL(None, use_errno=True)
X32 = 0x40000000


def call(number, *arguments):
    """A raw system call: the name of its error, or 'done'."""
    ctypes.set_errno(0)
    padded = [ctypes.c_long(value) for value in (*arguments, 0, 0, 0, 0, 0, 0)[:6]]
    result = libc.syscall(ctypes.c_long(number), *padded)
    return "done" if result >= 0 else errno.errorcode[ctypes.get_errno()]


def attempt(what):
    """A Python call: the name of its error, or 'done'."""
    try:
        what()
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))
    except Exception as error:
        return type(error).__name__
    return "done"


def fate(what):
    """What becomes of a child that does this: its exit code, or minus the signal."""
    pid = os.fork()
    if pid == 0:
        try:
            what()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def int80():
    """getpid by the 32-bit gate."""
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(bytes([0xB8, 20, 0, 0, 0, 0xCD, 0x80, 0xC3]))
    ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()


CALLS = {
    "ptrace": (101, 0), "process_vm_readv": (310, 1), "process_vm_writev": (311, 1), "pidfd_getfd": (438, 0),
    "kcmp": (312, 1, 1), "unshare user": (272, 0x10000000), "unshare net": (272, 0x40000000), "setns": (308, 0),
    "clone user": (56, 0x10000000 | 17), "clone pid": (56, 0x20000000 | 17), "clone time": (272, 0x80),
    "clone3": (435, 0, 0), "mount": (165,), "umount2": (166,), "pivot_root": (155,), "chroot": (161,),
    "keyctl": (250,), "add_key": (248,), "request_key": (249,), "bpf": (321,), "io_uring_setup": (425, 1),
    "io_uring_enter": (426,), "perf_event_open": (298,), "userfaultfd": (323,), "clock_settime": (227,),
    "settimeofday": (164,), "fsopen": (430,), "fsmount": (432,), "move_mount": (429,), "open_tree": (428,),
    "mount_setattr": (442,), "open_by_handle_at": (304,), "name_to_handle_at": (303,), "init_module": (175,),
    "finit_module": (313,), "kexec_load": (246,), "reboot": (169,), "swapon": (167,), "syslog": (103, 3),
    "iopl": (172, 3), "ioperm": (173,), "modify_ldt": (154,), "sethostname": (170,), "quotactl": (179,),
    "io_setup": (206, 8), "inotify": (294,), "huge mmap": (9, 0, 1 << 21, 3, 0x40022, -1, 0),
    "huge memfd": (319, id("x"), 4), "huge shm": (29, 0, 1 << 21, 0o5600), "rlimit core": (160, 4),
    "prlimit core": (302, 0, 4, id("x")), "memfd_secret": (447,), "fanotify_init": (300,), "acct": (163,), "mknod device": (259, -100, 0, 0o020666, 0),
}  # fmt: skip
FAMILIES = {
    "INET": (2, 1), "INET6": (10, 1), "UDP": (2, 2), "RAW": (2, 3), "ICMP": (2, 2, 1), "NETLINK": (16, 3),
    "PACKET": (17, 3), "ALG": (38, 5), "VSOCK": (40, 1), "KEY": (15, 3), "BLUETOOTH": (31, 3), "XDP": (44, 3),
    "RDS": (21, 5), "TIPC": (30, 5), "CAN": (29, 3), "QIPCRTR": (42, 2),
}  # fmt: skip
TIOCSTI = 0x5412
found = {
    "calls": {name: call(*values) for name, values in CALLS.items()},
    "families": {name: attempt(lambda values=values: socket.socket(*values)) for name, values in FAMILIES.items()},
    "newer calls": [call(number) for number in (451, 457, 467, 1000)],
    "sync": [call(162), call(306, 0), call(306, 999)],
    "own limit": attempt(lambda: resource.getrlimit(resource.RLIMIT_CORE)),
    "pair": attempt(lambda: socket.socketpair(socket.AF_UNIX)),
    "tiocsti": [call(16, 0, request) for request in (TIOCSTI, TIOCSTI | (1 << 32), 0x541C)],
    "tty": attempt(lambda: os.open("/dev/tty", os.O_RDWR)),
    "terminal": attempt(lambda: [os.close(one) for one in os.openpty()]),
    "other instruction sets": [fate(int80), fate(lambda: libc.syscall(ctypes.c_long(X32 | 39)))],
    "kill": [attempt(lambda pid=pid: os.kill(pid, 0)) for pid in (3, 4, 1000, os.getpid() + 1000)],
    "kill 1": attempt(lambda: os.kill(1, signal.SIGKILL)),
    "setuid": [attempt(lambda: os.setuid(0)), attempt(lambda: os.setgid(0)), attempt(lambda: os.setgroups([0]))],
    "nice": attempt(lambda: os.nice(-5)),
    "mlock": call(149, id(found) if "found" in globals() else 0, 1 << 30),
    "mlockall": call(151, 3),
    "realtime": attempt(lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))),
    "rlimits": attempt(lambda: resource.setrlimit(resource.RLIMIT_NPROC, (100_000, 100_000))),
    "oom": attempt(lambda: open("/proc/self/oom_score_adj", "w").write("-900")),
    "memory of 1": [attempt(lambda name=name: open(f"/proc/1/{name}", "rb").read(1)) for name in ("mem", "environ")],
    "descriptors": sorted(fd for fd in range(4096) if attempt(lambda fd=fd: os.fstat(fd)) == "done"),
    "inherited": not os.get_inheritable(3),
    "groups": [os.getgroups(), len({*os.getresuid(), *os.getresgid()})],
}
print(json.dumps(found))
