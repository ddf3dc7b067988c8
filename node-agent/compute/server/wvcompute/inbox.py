"""What a kernel says, frame by frame, and no more of it than is fair: all sessions share the time of this program."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

from .frames import CHILD_FRAME_BYTES, FrameError, FrameReader, Message

READ_BYTES = 65_536
# A session may send frames without end: of this program's time they get this share, and at most so much at a time.
SHARE = 0.2
AT_ONCE_SECONDS = 0.25


class Inbox:
    """Reads one socket. `ended`: the other side has closed it; `broken`: its frames cannot be read."""

    def __init__(
        self,
        sock: socket.socket,
        take: Callable[[Message], None],
        ended: Callable[[], None],
        broken: Callable[[str], None],
    ) -> None:
        self._socket = sock
        self._take = take
        self._ended = ended
        self._broken = broken
        self._loop = asyncio.get_running_loop()
        self._reader = FrameReader(CHILD_FRAME_BYTES)
        self._open = True
        self._held = False
        self._credit = AT_ONCE_SECONDS
        self._seen = self._loop.time()
        self._rest: asyncio.TimerHandle | None = None
        self._loop.add_reader(sock, self._readable)

    def _readable(self) -> None:
        began = self._loop.time()
        self._credit = min(AT_ONCE_SECONDS, self._credit + (began - self._seen) * SHARE)
        self._read()
        self._seen = self._loop.time()
        self._credit -= self._seen - began
        if self._credit < 0 and self._open:
            self._loop.remove_reader(self._socket)
            self._rest = self._loop.call_later(-self._credit / SHARE, self._rested)

    def _rested(self) -> None:
        self._rest = None
        if self._open and not self._held:
            self._loop.add_reader(self._socket, self._readable)

    def _read(self) -> bool:
        """One read; False when there is nothing, or nothing any more."""
        try:
            data = self._socket.recv(READ_BYTES)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            self.close()
            self._ended()
            return False
        try:
            for message in self._reader.feed(data):
                self._take(message)
        except FrameError as error:
            self.close()
            self._broken(str(error))
            return False
        return True

    def hold(self, held: bool) -> None:
        """Stops or goes on reading."""
        self._held = held
        if held:
            self._loop.remove_reader(self._socket)
        elif self._rest is None:
            self._rested()

    def empty(self) -> None:
        """Reads what is left, when nobody is there any more who could add to it."""
        while self._open and self._read():
            pass

    def close(self) -> None:
        """Reads nothing more."""
        if not self._open:
            return
        self._open = False
        if self._rest is not None:
            self._rest.cancel()
        self._loop.remove_reader(self._socket)
