"""The kernel's end of the socket to the server: whole frames, whatever interrupts."""

from __future__ import annotations

import signal
import socket
import threading

from .frames import CHILD_FRAME_BYTES, FrameReader, Message, encode

_INTERRUPT = {signal.SIGINT}


class Channel:
    """Sends and receives messages. An interrupt never cuts a frame in two."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._reader = FrameReader(CHILD_FRAME_BYTES)
        self._ready: list[Message] = []
        self._lock = threading.Lock()

    def send(self, message: Message) -> None:
        """Sends one message. Blocks while the server does not read."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _INTERRUPT)
        try:
            with self._lock:
                self._socket.sendall(encode(message))
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def receive(self) -> Message | None:
        """The next request; None when the server has gone."""
        while not self._ready:
            data = self._socket.recv(65536)
            if not data:
                return None
            self._ready.extend(self._reader.feed(data))
        return self._ready.pop(0)
