"""A zygote: imports a kernel once, inside the jail, and forks contained children on demand.

It speaks on one packet socket with the server: the server sends a request and four descriptors, the zygote answers
with the child's process id. The child waits for the server's word (which has then put it into its control group),
contains itself and becomes process 1; the kernel is its child.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import sys
from typing import NoReturn

from . import contain, first, jail, kernels
from . import syscalls as sys_
from .filter import build_filter

REQUEST_BYTES = 64 * 1024


def _become_kernel(kernel: kernels.Kernel, channel: int, out: int, err: int) -> NoReturn:
    """Process 2: nothing open but 0, 1, 2 and its channel."""
    os.setsid()
    os.dup2(out, 1)
    os.dup2(err, 2)
    os.dup2(channel, 3, inheritable=False)
    contain.keep_only({3})
    sys_.prctl(sys_.PR_SET_PDEATHSIG, 9)
    kernel.serve(socket.socket(fileno=3))
    os._exit(0)


def _child(request: dict[str, int], files: list[int], kernel: kernels.Kernel, program: bytes) -> NoReturn:
    """Process 1, from the fork to its end."""
    channel, out, err, line_file = files
    line = socket.socket(fileno=line_file)
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        sys_.prctl(sys_.PR_SET_PDEATHSIG, 9)
        if line.recv(1) != b"g":
            os._exit(1)
        contain.contain(contain.Terms(request["uid"], request["disk"], request["processes"]), program)
        contain.keep_only(set(files))
        pid = os.fork()
        if pid == 0:
            line.close()
            _become_kernel(kernel, channel, out, err)
        for descriptor in (channel, out, err):
            os.close(descriptor)
        first.watch(pid, line)
    except BaseException as error:  # noqa: BLE001 whatever it is, it must not go on
        first.report(line, failed=f"{type(error).__name__}: {error}"[:500])
    os._exit(1)


def _loop(control: socket.socket, kernel: kernels.Kernel, program: bytes) -> None:
    own = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
    while True:
        data, files, _, _ = socket.recv_fds(control, REQUEST_BYTES, 8)
        if not data:
            return
        request = json.loads(data)
        # A process may name the namespace of its next child only once, unless it goes back to its own before.
        sys_.setns(own, sys_.CLONE_NEWPID)
        sys_.unshare(sys_.CLONE_NEWPID)
        try:
            pid = os.fork()
        except OSError as error:
            control.send(json.dumps({"failed": str(error)}).encode())
            pid = -1
        if pid == 0:
            _child(request, files, kernel, program)
        for descriptor in files:
            os.close(descriptor)
        if pid > 0:
            control.send(json.dumps({"pid": pid}).encode())


def run(name: str, control_file: int, program_folder: str) -> None:
    """The whole life of a zygote. Ends when the server closes its end of the socket, and dies with the server."""
    sys_.prctl(sys_.PR_SET_PDEATHSIG, 9)
    control = socket.socket(fileno=control_file)
    os.set_inheritable(control_file, False)
    program = build_filter()
    try:
        jail.build(program_folder)
        # The package lies elsewhere now; nothing of ours may be found by the users' imports later.
        del sys.path[0]
        sys.modules[__package__].__path__ = [f"{jail.PROGRAM}/{__package__}"]
        kernel = kernels.load(name)
        jail.seal()
    except BaseException as error:  # noqa: BLE001 the server wants to know, whatever it is
        control.send(json.dumps({"failed": f"{type(error).__name__}: {error}"[:500]}).encode())
        return
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    # What is loaded now lives as long as the zygote: the children's collector must neither walk nor copy it.
    gc.collect()
    gc.freeze()
    control.send(json.dumps({"ready": True, "title": kernel.title}).encode())
    _loop(control, kernel, program)
