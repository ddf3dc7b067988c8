"""The program: arguments, the start in its order, signals, the end."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import sys
from pathlib import Path

from .cgroup import CgroupError, Life, find_hierarchy
from .client import Client
from .config import Config, ConfigError, parse_config
from .log import log
from .pool import Pool
from .selftest import self_test
from .server import ComputeServer
from .spawner import Spawner
from .zygotes import Zygote, ZygoteError

STOP_SECONDS = 3.0
RESTART_SECONDS = 1.0
LONGEST_RESTART_SECONDS = 60.0


class Program:
    """Owns every part for as long as the server runs."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._server = ComputeServer(config)
        self._zygotes: dict[str, Zygote] = {}
        self._life: Life | None = None
        self._spawner: Spawner | None = None
        self._stopping = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, path: str) -> int:
        """Listens, starts, waits for the end. Answers the exit code."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        if os.environ.get("WEBVIRT_STOP_WITH_STDIN") == "1":
            os.set_blocking(0, False)
            loop.add_reader(0, self._stdin)
        before = os.umask(0o177)
        listener = await loop.create_unix_server(lambda: Client(self._server), path)
        os.umask(before)
        print(json.dumps({"ready": True}), flush=True)
        start = asyncio.ensure_future(self._start())
        self._tasks.add(start)
        await self._stopping.wait()
        listener.close()
        await self._stop()
        Path(path).unlink(missing_ok=True)
        return 0

    def _stdin(self) -> None:
        try:
            if not os.read(0, 4096):
                asyncio.get_running_loop().remove_reader(0)
                self._stopping.set()
        except BlockingIOError:
            return

    async def _start(self) -> None:
        try:
            if os.geteuid() != 0:
                raise CgroupError("the compute server does not run as root, so it cannot contain anything")
            self._life = Life(find_hierarchy(self._config))
            self._spawner = Spawner(self._config, self._life)
            loads = asyncio.gather(*(self._load(name) for name in self._config.kernels))
            self._server.checks = await self_test(self._spawner, self._life, self._config)
            failed = [check for check in self._server.checks if not check["holds"]]
            if failed:
                names = ", ".join(check["name"] for check in failed)
                self._refuse(f"The containment does not hold here ({names}): {failed[0]['text']}")
                return
            await loads
            if not self._server.pools:
                self._refuse("No kernel could be loaded.")
            else:
                self._server.settle("ready", None)
                log("info", "ready", kernels=list(self._server.pools), groups=self._life.hierarchy.text)
        except (CgroupError, ZygoteError, OSError) as error:
            self._refuse(f"The containment cannot be made here: {error}")

    def _refuse(self, reason: str) -> None:
        log("error", "no computations on this host", reason=reason)
        self._server.settle("refused", reason[:1024])
        for pool in self._server.pools.values():
            pool.close()
        for zygote in self._zygotes.values():
            zygote.stop()

    async def _load(self, name: str) -> None:
        """Loads one kernel. One that is not installed, or does not load, is left out."""
        if name == "sage" and not any((Path(folder) / "sage/all.py").exists() for folder in sys.path):
            log("info", "kernel is not installed", kernel=name)
            return
        assert self._spawner is not None
        zygote = Zygote(name, lambda: self._zygote_ended(name))
        self._zygotes[name] = zygote
        try:
            await zygote.start()
            pool = Pool(self._spawner, zygote, self._config.pool.get(name, 1), self._server.changed)
            await pool.fill()
        except (ZygoteError, OSError) as error:
            zygote.stop()
            if self._server.state != "refused":
                log("error", "kernel does not load", kernel=name, error=str(error))
            return
        self._server.pools[name] = pool
        self._server.changed()

    def _zygote_ended(self, name: str) -> None:
        """Its sessions have died with it; a new one is started for those to come."""
        if self._stopping.is_set():
            return
        log("error", "zygote has ended", kernel=name)
        pool = self._server.pools.pop(name, None)
        if pool is not None:
            pool.close()
            self._server.changed()
            self._later(name, RESTART_SECONDS)

    def _later(self, name: str, seconds: float) -> None:
        asyncio.get_running_loop().call_later(seconds, self._again, name, seconds)

    def _again(self, name: str, seconds: float) -> None:
        if not self._stopping.is_set() and self._server.state == "ready":
            task = asyncio.ensure_future(self._reload(name, seconds))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _reload(self, name: str, seconds: float) -> None:
        """What loaded before loads again one day: a host that was out of memory just now must not lose its kernel."""
        await self._load(name)
        if name not in self._server.pools:
            self._later(name, min(LONGEST_RESTART_SECONDS, seconds * 2))

    async def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._server.kill_sessions("The compute server was stopped.")
        for pool in self._server.pools.values():
            pool.close()
        for zygote in self._zygotes.values():
            zygote.stop()
        if self._spawner is not None:
            try:
                await asyncio.wait_for(self._spawner.end(), STOP_SECONDS)
            except TimeoutError:
                log("error", "not all processes have ended in time")
        if self._life is not None:
            self._life.end()


def _free(path: str) -> None:
    """Removes the socket of an earlier life. Raises OSError when somebody listens on it."""
    probe = socket.socket(socket.AF_UNIX)
    try:
        probe.connect(path)
    except FileNotFoundError:
        return
    except ConnectionRefusedError:
        os.unlink(path)
        return
    finally:
        probe.close()
    raise OSError(98, f"another compute server listens on {path}")


def main(argv: list[str]) -> int:
    """Entry. Exit code 0 after a stop on request, 1 when it cannot start, 2 for wrong arguments."""
    parser = argparse.ArgumentParser(prog="main.py", description="The compute server of a WebVirt host.")
    parser.add_argument("--socket")
    parser.add_argument("--config")
    parser.add_argument("--zygote", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.zygote:
        from .zygote import run

        run(options.zygote[0], int(options.zygote[1]), str(Path(__file__).resolve().parent.parent))
        return 0
    if not options.socket:
        parser.error("--socket is needed")
    try:
        config = parse_config(Path(options.config).read_text("utf-8")) if options.config else Config()
        _free(options.socket)
        return asyncio.run(Program(config).run(options.socket))
    except (ConfigError, OSError) as error:
        log("error", "cannot start", error=str(error))
        return 1
