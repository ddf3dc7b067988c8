"""The server's handle of a zygote process."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import jail
from .log import log

MAIN = Path(__file__).resolve().parent.parent / "main.py"
ANSWER_BYTES = 4096
LOAD_SECONDS = 180
FORK_SECONDS = 20

# All that a session finds in its environment. One thread per library: a session has about one CPU, and a zygote
# that forks must not have threads.
ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/games",
    "HOME": jail.HOME,
    "DOT_SAGE": f"{jail.HOME}/.sage",
    "IPYTHONDIR": f"{jail.HOME}/.ipython",
    "LANG": "C.UTF-8",
    "TERM": "dumb",
    "SHELL": "/bin/sh",
    "PAGER": "cat",
    "USER": "compute",
    "LOGNAME": "compute",
    "MPLBACKEND": "agg",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
}


class ZygoteError(Exception):
    """The zygote could not be started, or has ended. The text is for people."""


class Zygote:
    """Starts a zygote and asks it for children, one at a time."""

    def __init__(self, name: str, ended: Callable[[], None]) -> None:
        self.name = name
        self.title = name
        self._ended = ended
        self._told = False
        self._turn = asyncio.Lock()
        self._answer: asyncio.Future[dict[str, Any]] | None = None
        self._socket: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Starts the process and waits until its kernel is loaded. Raises ZygoteError."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        argv = [sys.executable, "-I", str(MAIN), "--zygote", self.name, str(theirs.fileno())]
        nothing = subprocess.DEVNULL
        self._process = subprocess.Popen(
            argv, env=ENVIRONMENT, stdin=nothing, stdout=nothing, stderr=nothing, cwd="/",
            pass_fds=[theirs.fileno()], start_new_session=True,
        )  # fmt: skip
        theirs.close()
        self._socket = ours
        asyncio.get_running_loop().add_reader(ours, self._read)
        answer = await self._wait(LOAD_SECONDS)
        self.title = str(answer.get("title", self.name))

    def _read(self) -> None:
        assert self._socket is not None
        try:
            data = self._socket.recv(ANSWER_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.stop()
            self._missed()
        elif self._answer is not None and not self._answer.done():
            self._answer.set_result(json.loads(data))

    async def _wait(self, seconds: float) -> dict[str, Any]:
        self._answer = asyncio.get_running_loop().create_future()
        try:
            answer = await asyncio.wait_for(self._answer, seconds)
        except TimeoutError as error:
            self.stop()
            raise ZygoteError(f"the {self.name} zygote did not answer in {seconds} s") from error
        finally:
            self._answer = None
        if "failed" in answer:
            raise ZygoteError(str(answer["failed"]))
        return answer

    async def fork(self, request: dict[str, int], files: list[int]) -> int:
        """Makes a child that waits for its word; answers its process id. Raises ZygoteError."""
        async with self._turn:
            if self._socket is None:
                raise ZygoteError(f"the {self.name} zygote has ended")
            try:
                socket.send_fds(self._socket, [json.dumps(request).encode()], files)
            except OSError as error:
                raise ZygoteError(f"the {self.name} zygote does not listen: {error}") from error
            try:
                return int((await self._wait(FORK_SECONDS))["pid"])
            finally:
                if self._socket is None:
                    # It was stopped because it did not answer: without this word it would not be missed.
                    self._missed()

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self._process.pid if self._process is not None else None

    def _missed(self) -> None:
        """Tells once that it has ended without being asked to."""
        if not self._told:
            self._told = True
            self._ended()

    def stop(self) -> None:
        """Ends it, and with it every child that it has forked."""
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None
        if self._process is not None:
            self._process.kill()
            code = self._process.wait()
            self._process = None
            log("debug", "zygote ended", kernel=self.name, code=code)
        if self._answer is not None and not self._answer.done():
            self._answer.set_result({"failed": f"the {self.name} zygote has ended"})

