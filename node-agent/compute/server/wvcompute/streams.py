"""sys.stdout and sys.stderr of a kernel: straight into the pipes, in the order in which they were written.

Output of C code and of subprocesses goes into the same pipes. Nothing is held back, so all of it is in order; between
the two pipes order is kept by waiting, before a switch, until the server has taken what is in the other one.
"""

from __future__ import annotations

import builtins
import fcntl
import io
import struct
import sys
import termios
import time
from typing import NoReturn

# Waiting at switches is a courtesy to the eye. A program that switches all the time must not crawl for it.
SWITCH_BUDGET_SECONDS = 0.1
_budget = [SWITCH_BUDGET_SECONDS]
_last = [1]


def refill() -> None:
    """A new cell may wait again."""
    _budget[0] = SWITCH_BUDGET_SECONDS


def _settle(descriptor: int) -> None:
    """Waits until the server has read all that is in the other pipe, or the budget of the cell is used."""
    started = time.monotonic()
    while _budget[0] > 0:
        try:
            left = struct.unpack("i", fcntl.ioctl(descriptor, termios.FIONREAD, b"\0\0\0\0"))[0]
        except OSError:
            return
        if left == 0:
            return
        time.sleep(0.0002)
        now = time.monotonic()
        _budget[0] -= now - started
        started = now


class Stream(io.TextIOWrapper):
    """A text stream without a buffer."""

    def __init__(self, descriptor: int) -> None:
        raw = io.FileIO(descriptor, "wb", closefd=False)
        super().__init__(raw, encoding="utf-8", errors="backslashreplace", write_through=True)  # type: ignore[arg-type]
        self._descriptor = descriptor

    def write(self, text: str) -> int:
        """Writes through; empty text costs nothing."""
        if not text:
            return 0
        if _last[0] != self._descriptor:
            _settle(_last[0])
            _last[0] = self._descriptor
        return super().write(text)


def _no_keyboard(prompt: object = "") -> NoReturn:
    raise EOFError("input() is not available: a session has no keyboard")


def install() -> None:
    """Puts the streams in place of those that the zygote had."""
    sys.stdout = sys.__stdout__ = Stream(1)
    sys.stderr = sys.__stderr__ = Stream(2)
    sys.stdin = sys.__stdin__ = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 it lives as long as we do
    builtins.input = _no_keyboard
