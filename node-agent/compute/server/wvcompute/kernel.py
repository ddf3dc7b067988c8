"""Process 2 of a session: takes requests from the server and runs them in the shell, one at a time."""

from __future__ import annotations

import os
import random
import signal
import socket
import sys
import tempfile
import traceback
from contextlib import contextmanager
from collections.abc import Iterator

from IPython.utils.tokenutil import line_at_cursor

from . import streams
from .channel import Channel
from .frames import Message
from .shell import Shell, warm

MATCHES = 1000
_INTERRUPT = {signal.SIGINT}


def reseed() -> None:
    """New randomness for this child: the zygote's generators are the same in all of them."""
    random.seed()
    tempfile._name_sequence = None  # type: ignore[attr-defined]
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed()
    sage = sys.modules.get("sage.misc.randstate")
    if sage is not None:
        sage.set_random_seed()


@contextmanager
def interruptible() -> Iterator[None]:
    """Lets SIGINT in, also one that has come since the server sent this request."""
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _INTERRUPT)
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_BLOCK, _INTERRUPT)


def forget_interrupts() -> None:
    """Drops a SIGINT that came when its cell had just ended. The server asks for it before the next cell."""
    while signal.sigtimedwait(_INTERRUPT, 0) is not None:
        pass


def points(text: str, units: int) -> int:
    """A place counted in UTF-16 units (as browsers count) as a number of characters."""
    return len(text.encode("utf-16-le", "surrogatepass")[: 2 * max(0, units)].decode("utf-16-le", "ignore"))


def units(text: str, place: int) -> int:
    """The other way round."""
    return len(text[:place].encode("utf-16-le", "surrogatepass")) // 2


class ShellKernel:
    """Serves one shell."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self.title = shell.title

    def serve(self, sock: socket.socket) -> None:
        """Answers until the server closes the channel or the user exits."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _INTERRUPT)
        if signal.getsignal(signal.SIGINT) in (signal.SIG_IGN, signal.SIG_DFL):
            # Sage has a handler of its own, which also stops its C code. Python has none when it was started with
            # SIGINT ignored, as shells start what runs in the background.
            signal.signal(signal.SIGINT, signal.default_int_handler)
        channel = Channel(sock)
        streams.install()
        reseed()
        os.environ["USER"] = os.environ["LOGNAME"] = "compute"
        # Pages that every cell touches are copied now, while nobody waits.
        warm(self._shell, ["2+3"])
        self._shell.tell = channel.send
        channel.send({"t": "ready"})
        while not self._shell.exit_now:
            try:
                request = channel.receive()
                if request is None:
                    return
                self._answer(channel, request)
            except KeyboardInterrupt:
                # A thread of the user's has caught a signal that was meant for a cell which has just ended.
                continue

    def _answer(self, channel: Channel, request: Message) -> None:
        if request.get("op") == "execute":
            streams.refill()
            status = self._execute(str(request["code"]))
            channel.send({"t": "ended", "cell": request["cell"], "status": status})
        elif request.get("op") == "complete":
            channel.send({"t": "completed", "ask": request["ask"], **self._complete(request)})
        elif request.get("op") == "forget":
            forget_interrupts()
            channel.send({"t": "forgotten"})

    def _execute(self, code: str) -> str:
        shell = self._shell
        shell.failed = None
        try:
            with interruptible():
                result = shell.run_cell(code, store_history=True)
            error = result.error_before_exec or result.error_in_exec
        except KeyboardInterrupt as caught:
            error = caught
        except BaseException as caught:  # noqa: BLE001 the shell itself failed, for instance by what the user replaced
            error = caught
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except Exception:  # noqa: BLE001, S112 the user may have put anything there
                continue
        if error is None:
            return "ok"
        if shell.failed is None:
            self._tell(error)
        return "interrupted" if isinstance(error, KeyboardInterrupt) else "error"

    def _tell(self, error: BaseException) -> None:
        """For what IPython shows in another way than as a traceback."""
        lines = traceback.format_exception_only(type(error), error)
        self._shell._showtraceback(type(error), error, ["".join(lines).rstrip()])

    def _complete(self, request: Message) -> Message:
        code = str(request["code"])
        cursor = points(code, int(request["cursor"]))
        found: list[str] = []
        typed = ""
        try:
            with interruptible():
                line, offset = line_at_cursor(code, cursor)
                typed, found = self._shell.complete("", line, cursor - offset)
        except (Exception, KeyboardInterrupt):  # noqa: BLE001, S110
            pass  # completion asks the user's objects; no answer is an answer
        matches = [str(match) for match in found[:MATCHES]]
        return {"matches": matches, "start": units(code, cursor - len(typed)), "end": units(code, cursor)}
