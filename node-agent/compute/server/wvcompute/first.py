"""Process 1 of a session's namespace: passes on interrupts, reaps orphans, tells how the kernel ended.

It is contained like the kernel, and user code cannot touch it: process 1 takes no signal from inside its namespace
that it has no handler for, and its memory and descriptors are closed to others of its uid. When it ends, the kernel
of the machine kills everything that is left in the namespace.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
from typing import NoReturn

INTERRUPT, INTERRUPTED = b"i", b"a"


def report(line: socket.socket, **fields: object) -> None:
    """Tells the server, in one packet, what became of the session."""
    try:
        line.send(json.dumps(fields).encode())
    except OSError:
        pass


def _reap(kernel: int, line: socket.socket) -> None:
    """Takes in every ended child; ends this process when the kernel is among them."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        if pid != kernel:
            continue
        if os.WIFSIGNALED(status):
            report(line, signal=os.WTERMSIG(status))
        else:
            report(line, exit=os.WEXITSTATUS(status))
        os._exit(0)


def watch(kernel: int, line: socket.socket) -> NoReturn:
    """Runs until the kernel has ended or the server has gone."""
    for number in range(1, signal.NSIG):
        try:
            signal.signal(number, signal.SIG_IGN if number == signal.SIGINT else signal.SIG_DFL)
        except (OSError, ValueError):
            continue
    woken, wakes = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    poll = select.poll()
    poll.register(woken, select.POLLIN)
    poll.register(line, select.POLLIN)
    _reap(kernel, line)
    while True:
        for descriptor, _ in poll.poll():
            if descriptor == woken:
                os.read(woken, 512)
                _reap(kernel, line)
                continue
            asked = line.recv(16)
            if not asked:
                os._exit(0)
            if asked == INTERRUPT:
                try:
                    # The whole group, as a terminal does: os.system('sleep 60') ends too.
                    os.killpg(kernel, signal.SIGINT)
                except OSError:
                    pass
                line.send(INTERRUPTED)
