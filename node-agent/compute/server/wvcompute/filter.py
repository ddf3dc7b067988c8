"""The seccomp filter of a session: what user code never needs and what breaks out of sandboxes.

Namespaces, the uid and the empty capability sets already refuse most of this. The filter takes away the code of the
kernel behind it, where the faults of the next years will be found. A few calls go for another reason: they take from
a pool that the whole machine shares and no control group counts, such as huge pages and contexts of asynchronous I/O,
which guests of this host need.
"""

from __future__ import annotations

import errno
import os
import resource
import stat
import struct

import seccomp

from .syscalls import CLONE_NEWCGROUP, CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWPID
from .syscalls import CLONE_NEWUSER, CLONE_NEWUTS

AF_UNIX = 1
TIOCSTI, TIOCLINUX = 0x5412, 0x541C
_NAMESPACES = (
    CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET
)

DENIED = """
ptrace process_vm_readv process_vm_writev process_madvise pidfd_getfd kcmp
unshare setns mount umount2 pivot_root chroot fsopen fsmount fsconfig fspick move_mount open_tree mount_setattr
open_by_handle_at name_to_handle_at quotactl quotactl_fd swapon swapoff acct
add_key request_key keyctl bpf io_uring_setup io_uring_enter io_uring_register perf_event_open userfaultfd
clock_settime clock_adjtime settimeofday adjtimex stime
kexec_load kexec_file_load init_module finit_module delete_module create_module reboot syslog
iopl ioperm modify_ldt vhangup sethostname setdomainname nfsservctl lookup_dcookie uselib ustat sysfs _sysctl
fanotify_init fanotify_mark mbind set_mempolicy migrate_pages move_pages memfd_secret vmsplice
landlock_create_ruleset landlock_add_rule landlock_restrict_self set_mempolicy_home_node
io_setup io_submit io_cancel io_getevents io_pgetevents io_destroy
inotify_init inotify_init1 inotify_add_watch
""".split()
# Would write out the dirty pages of all guests and daemons, as often as it is called: answered with success.
WITHOUT_EFFECT = ("sync", "syncfs")
# Huge pages are reserved by the administrator for guests, and memory limits do not count them: (call, argument, flag).
HUGE_PAGES = (("mmap", 3, 0x40000), ("memfd_create", 1, 4), ("shmget", 2, 0o4000))
# The last call that was looked at (set_mempolicy_home_node, Linux 5.17). What a newer kernel adds is not there.
LAST_KNOWN_CALL = 450
X32_BIT = 0x40000000


def _rules(rules: seccomp.SyscallFilter) -> None:
    refuse = seccomp.ERRNO(errno.EPERM)
    for name in DENIED:
        try:
            rules.add_rule(refuse, name)
        except (RuntimeError, OSError, ValueError):
            # This libseccomp or this architecture has no such call. The self-test tries the ones that matter.
            continue
    # A filter cannot look behind clone3's pointer: with ENOSYS libc falls back to clone, whose flags it can see.
    rules.add_rule(seccomp.ERRNO(errno.ENOSYS), "clone3")
    for bit in range(32):
        flag = 1 << bit
        if flag & _NAMESPACES:
            rules.add_rule(refuse, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, flag, flag))
    # Nothing but local sockets: AF_ALG, NETLINK, VSOCK, PACKET, KEY and the rest never reach their code.
    for name in ("socket", "socketpair"):
        rules.add_rule(refuse, name, seccomp.Arg(0, seccomp.NE, AF_UNIX))
    for request in (TIOCSTI, TIOCLINUX):
        rules.add_rule(refuse, "ioctl", seccomp.Arg(1, seccomp.MASKED_EQ, 0xFFFFFFFF, request))
    for name in WITHOUT_EFFECT:
        rules.add_rule(seccomp.ERRNO(0), name)
    for name, place, flag in HUGE_PAGES:
        rules.add_rule(refuse, name, seccomp.Arg(place, seccomp.MASKED_EQ, flag, flag))
    # Only as it was set keeps it the machine's core dump handler, a program of root, from running at each crash.
    rules.add_rule(refuse, "setrlimit", seccomp.Arg(0, seccomp.EQ, resource.RLIMIT_CORE))
    rules.add_rule(
        refuse, "prlimit64", seccomp.Arg(1, seccomp.EQ, resource.RLIMIT_CORE), seccomp.Arg(2, seccomp.NE, 0)
    )
    for kind in (stat.S_IFCHR, stat.S_IFBLK):
        rules.add_rule(refuse, "mknodat", seccomp.Arg(2, seccomp.MASKED_EQ, 0o170000, kind))
        try:
            rules.add_rule(refuse, "mknod", seccomp.Arg(1, seccomp.MASKED_EQ, 0o170000, kind))
        except (RuntimeError, OSError, ValueError):
            continue


def _nothing_newer() -> bytes:
    """Instructions for the front: ENOSYS for calls above the last known one, as on an older kernel."""
    load, jump_if_bit, jump_if_above, answer = 0x20, 0x45, 0x25, 0x06
    steps = (
        (load, 0, 0, 0),  # the number of the call
        (jump_if_bit, 2, 0, X32_BIT),  # the rules behind kill x32
        (jump_if_above, 0, 1, LAST_KNOWN_CALL),
        (answer, 0, 0, 0x00050000 | errno.ENOSYS),
    )
    return b"".join(struct.pack("=HBBI", *step) for step in steps)


def build_filter() -> bytes:
    """Compiles the filter once; each child only installs the bytes. Other instruction sets (i386, x32) are killed."""
    rules = seccomp.SyscallFilter(seccomp.ALLOW)
    rules.set_attr(seccomp.Attr.ACT_BADARCH, seccomp.KILL_PROCESS)
    rules.set_attr(seccomp.Attr.CTL_NNP, 0)
    _rules(rules)
    descriptor = os.memfd_create("filter")
    try:
        with os.fdopen(os.dup(descriptor), "wb") as file:
            rules.export_bpf(file)
        size = os.fstat(descriptor).st_size
        return _nothing_newer() + os.pread(descriptor, size, 0)
    finally:
        os.close(descriptor)
