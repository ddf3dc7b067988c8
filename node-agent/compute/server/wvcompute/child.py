"""A contained child as the server holds it: its process, its control group, its socket and its pipes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from dataclasses import dataclass
from typing import Any, Protocol

from .cgroup import Group
from .first import INTERRUPT, INTERRUPTED
from .frames import Message, encode
from .inbox import Inbox
from .log import log
from .pipes import OutputPipe
from .zygotes import Zygote, ZygoteError

READY_SECONDS = 30
# A kernel that closes its socket is about to end; its exit status comes a moment later.
LAST_WORD_SECONDS = 0.3


@dataclass(frozen=True)
class Exit:
    """How a child ended. `exit` or `signal` as process 1 told them; neither when it was killed itself."""

    exit: int | None
    signal: int | None
    oom_kills: int


class Listener(Protocol):
    """Who uses the child."""

    def message(self, message: Message) -> None:
        """A frame from the kernel. Everything in it may be forged by the user's code."""

    def output(self, stream: str, data: bytes) -> None:
        """Bytes of `stdout` or `stderr`."""

    def interrupted(self) -> None:
        """An interrupt has been delivered."""

    def broken(self, text: str) -> None:
        """The kernel does not keep to the protocol."""

    def ended(self, end: Exit) -> None:
        """All its processes are gone."""


class Child:
    """Made by `spawn`, which returns when the child is contained and waits for work."""

    def __init__(self, group: Group, uid: int, files: tuple[socket.socket, int, int, socket.socket]) -> None:
        self.group = group
        self.uid = uid
        self.pid = 0
        self.listener: Listener | None = None
        self.gone: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()
        self._loop = asyncio.get_running_loop()
        self._channel, out, err, self._line = files
        self._outgoing = bytearray()
        self._ready: asyncio.Future[None] = self._loop.create_future()
        self._ready.add_done_callback(lambda ready: ready.cancelled() or ready.exception())
        self._pidfd = -1
        self._report: dict[str, Any] = {}
        self._pipes = (
            OutputPipe(out, lambda data: self._output("stdout", data)),
            OutputPipe(err, lambda data: self._output("stderr", data)),
        )
        for one in (self._channel, self._line):
            one.setblocking(False)
        self._inbox = Inbox(self._channel, self._message, self._speechless, self._broken)
        self._loop.add_reader(self._line, self._read_line)

    async def start(self, zygote: Zygote, request: dict[str, int], theirs: list[int]) -> None:
        """Forks, puts the child into its group, lets it contain itself. Raises ZygoteError or OSError."""
        self.pid = await zygote.fork(request, theirs)
        self._pidfd = os.pidfd_open(self.pid)
        self._loop.add_reader(self._pidfd, self._gone)
        self.group.add(self.pid)
        self._line.send(b"g")
        try:
            await asyncio.wait_for(self._ready, READY_SECONDS)
        except TimeoutError as error:
            raise ZygoteError(f"the child was not contained within {READY_SECONDS} s") from error

    # --- what comes from the child

    def _output(self, stream: str, data: bytes) -> None:
        if self.listener is not None:
            self.listener.output(stream, data)

    def _speechless(self) -> None:
        self._loop.call_later(LAST_WORD_SECONDS, self.kill)

    def _broken(self, text: str) -> None:
        if self.listener is not None:
            self.listener.broken(text)
        self.kill()

    def _message(self, message: Message) -> None:
        if not self._ready.done():
            if message.get("t") == "ready":
                self._ready.set_result(None)
            return
        # What was printed before this message was sent is in the pipes by now.
        for pipe in self._pipes:
            pipe.drain()
        if self.listener is not None:
            self.listener.message(message)

    def _read_line(self) -> bool:
        """One packet of process 1; False when there is none."""
        try:
            data = self._line.recv(4096)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            self._loop.remove_reader(self._line)
            return False
        if data == INTERRUPTED:
            if self.listener is not None:
                self.listener.interrupted()
        else:
            self._report = json.loads(data)
            if "failed" in self._report and not self._ready.done():
                self._ready.set_exception(ZygoteError(f"containment failed: {self._report['failed']}"))
        return True

    # --- what goes to the child

    def send(self, message: Message) -> None:
        """Sends a request; what the socket does not take at once waits here."""
        self._outgoing += encode(message)
        self._write()

    def _write(self) -> None:
        if self.gone.done():
            return
        try:
            sent = self._channel.send(self._outgoing)
            del self._outgoing[:sent]
        except BlockingIOError:
            pass
        except OSError:
            self._outgoing.clear()
        if self._outgoing:
            self._loop.add_writer(self._channel, self._write)
        else:
            self._loop.remove_writer(self._channel)

    def interrupt(self) -> None:
        """SIGINT for the kernel's process group; `interrupted` follows when it is delivered."""
        try:
            self._line.send(INTERRUPT)
        except OSError as error:
            log("warn", "interrupt not delivered", error=str(error))

    def hold(self, held: bool) -> None:
        """Stops or goes on reading its output and its frames."""
        for pipe in self._pipes:
            pipe.hold(held)
        self._inbox.hold(held)

    def kill(self) -> None:
        """Kills process 1 and with it the whole namespace; `ended` follows when all are gone."""
        if self.gone.done() or self._pidfd < 0:
            return
        try:
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
        except ProcessLookupError:
            pass

    # --- the end

    def _gone(self) -> None:
        """Process 1 is dead, which the kernel says only when all others of its namespace are."""
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        self._pidfd = -1
        # Also what came behind an interrupt: process 1 says last how the kernel ended.
        while self._read_line():
            pass
        self._inbox.empty()
        for pipe in self._pipes:
            pipe.drain()
        self._close()
        end = Exit(self._report.get("exit"), self._report.get("signal"), self.group.oom_kills())
        if not self._ready.done():
            self._ready.set_exception(ZygoteError("the child ended before it was contained"))
        self.gone.set_result(end)
        if self.listener is not None:
            self.listener.ended(end)

    def _close(self) -> None:
        self._inbox.close()
        for one in (self._channel, self._line):
            self._loop.remove_reader(one)
            self._loop.remove_writer(one)
            one.close()
        for pipe in self._pipes:
            pipe.close()

    def abandon(self) -> None:
        """For a child that could not be started: closes what is open, kills what runs."""
        if self._pidfd >= 0:
            self.kill()
        elif not self.gone.done():
            self._close()
            self.gone.set_result(Exit(None, None, 0))
