"""The seccomp filter of a session: what user code never needs and what breaks out of sandboxes.

Namespaces, the uid and the empty capability sets already refuse most of this. The filter takes away the code of the
kernel behind it, where the faults of the next years will be found.
"""

from __future__ import annotations

import errno
import os
import stat

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
landlock_create_ruleset landlock_add_rule landlock_restrict_self
""".split()


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
    for kind in (stat.S_IFCHR, stat.S_IFBLK):
        rules.add_rule(refuse, "mknodat", seccomp.Arg(2, seccomp.MASKED_EQ, 0o170000, kind))
        try:
            rules.add_rule(refuse, "mknod", seccomp.Arg(1, seccomp.MASKED_EQ, 0o170000, kind))
        except (RuntimeError, OSError, ValueError):
            continue


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
        return os.pread(descriptor, size, 0)
    finally:
        os.close(descriptor)


