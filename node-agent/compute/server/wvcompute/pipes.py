"""One of the two output pipes of a child, as the server reads it."""

from __future__ import annotations

import asyncio
import fcntl
import os
import struct
import termios
from collections.abc import Callable

READ_BYTES = 65_536
# Bytes that wait in the pipe while its reader rests; then the writer blocks.
PIPE_BYTES = 262_144
REST_SECONDS = 0.004
# print() writes its text and its end of line one after the other: they should come as one event.
GATHER_SECONDS = 0.001


class OutputPipe:
    """Reads at once what comes after a silence, and in batches what comes in a stream.

    After each read the pipe rests for some milliseconds, so a program that prints in a loop costs the server a few
    hundred reads a second and not one for each print, and a flood fills its own pipe and nothing else.
    """

    def __init__(self, descriptor: int, sink: Callable[[bytes], None]) -> None:
        self._descriptor = descriptor
        self._sink = sink
        self._loop = asyncio.get_running_loop()
        self._rest: asyncio.TimerHandle | None = None
        self._held = False
        self._open = True
        os.set_blocking(descriptor, False)
        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self._loop.add_reader(descriptor, self._readable)

    def _read(self, size: int) -> bool:
        """One read; False when there is nothing."""
        try:
            data = os.read(self._descriptor, size)
        except BlockingIOError:
            return False
        if data:
            self._sink(data)
            return True
        self.close()
        return False

    def _readable(self) -> None:
        self._loop.remove_reader(self._descriptor)
        self._rest = self._loop.call_later(GATHER_SECONDS, self._take)

    def _take(self) -> None:
        self._rest = None
        if self._held or not self._open:
            return
        if self._read(READ_BYTES) and self._open:
            self._rest = self._loop.call_later(REST_SECONDS, self._rested)
        elif self._open:
            self._loop.add_reader(self._descriptor, self._readable)

    def _rested(self) -> None:
        self._rest = None
        if self._open and not self._held:
            self._loop.add_reader(self._descriptor, self._readable)

    def hold(self, held: bool) -> None:
        """Stops reading for as long as the client does not take what there is."""
        self._held = held
        if not self._open:
            return
        self._loop.remove_reader(self._descriptor)
        if not held and self._rest is None:
            self._loop.add_reader(self._descriptor, self._readable)

    def drain(self) -> None:
        """Reads what is in the pipe at this moment, and no more: what was written before a message comes before it."""
        if not self._open:
            return
        left = struct.unpack("i", fcntl.ioctl(self._descriptor, termios.FIONREAD, b"\0\0\0\0"))[0]
        while left > 0 and self._open:
            size = min(left, READ_BYTES)
            if not self._read(size):
                return
            left -= size

    def close(self) -> None:
        """Ends the reading for good."""
        if not self._open:
            return
        self._open = False
        if self._rest is not None:
            self._rest.cancel()
        self._loop.remove_reader(self._descriptor)
        os.close(self._descriptor)
