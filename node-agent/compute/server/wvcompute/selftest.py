"""The self-test at the start: tries every limit and every wall in contained children, as user code would."""

from __future__ import annotations

import asyncio
import socket
import tempfile
import time
from collections.abc import Coroutine
from typing import Any

from .cgroup import Life
from .child import Child, Exit
from .config import MIB, Config
from .frames import Message
from .spawner import Spawner
from .zygotes import Zygote, ZygoteError

# Walls must be seen to hold also on a host that is busy: these are ends, not expectations.
ANSWER_SECONDS = 30
MEMORY_BYTES = 48 * MIB
DISK_BYTES = 2 * MIB
PROCESSES = 12
CPUS = 0.1
# Many times what the quota gives in one period: a hog that gets this much at once has no quota.
HOG_CPU_SECONDS = 0.5
DEAD_SECONDS = 3.0
Check = dict[str, Any]


class _Probe:
    """A child in which probes run."""

    def __init__(self, child: Child) -> None:
        self.child = child
        child.listener = self
        self._found: asyncio.Future[Message] | None = None

    async def run(self, probe: str, *values: object) -> tuple[bool, str]:
        """What the probe found; a child that died in it found that it is not (holds is False)."""
        self._found = asyncio.get_running_loop().create_future()
        self.child.send({"probe": probe, "with": values})
        try:
            answer = await asyncio.wait_for(self._found, ANSWER_SECONDS)
        except TimeoutError:
            return False, "the probe did not answer"
        return bool(answer.get("holds")), str(answer.get("text"))

    def message(self, message: Message) -> None:
        """A finding."""
        if self._found is not None and not self._found.done():
            self._found.set_result(message)

    def output(self, stream: str, data: bytes) -> None:
        """Probes print nothing."""

    def interrupted(self) -> None:
        """Probes are not interrupted."""

    def broken(self, text: str) -> None:
        """The end follows."""

    def ended(self, end: Exit) -> None:
        """It died before it could answer."""
        self.message({"holds": False, "text": f"the probe died (signal {end.signal}, exit {end.exit})"})


class _SelfTest:
    def __init__(self, spawner: Spawner, zygote: Zygote, life: Life) -> None:
        self._spawner = spawner
        self._zygote = zygote
        self._life = life

    async def _probe(self, **limits: float) -> _Probe:
        return _Probe(await self._spawner.spawn(self._zygote, **limits))

    async def walls(self) -> list[Check]:
        """The walls that one child can try one after the other."""
        probe = await self._probe(diskBytes=DISK_BYTES)
        checks = []
        with socket.create_server(("127.0.0.1", 0)) if _loopback() else socket.socket(socket.AF_UNIX) as listener:
            port = listener.getsockname()[1] if listener.family == socket.AF_INET else 9
            with tempfile.NamedTemporaryFile(dir="/var/tmp", prefix="webvirt-") as secret:
                tries: list[tuple[str, str, tuple[object, ...]]] = [
                    ("uid", "uid", (probe.child.uid,)),
                    ("pid-namespace", "pid_namespace", ()),
                    ("network", "network", (port,)),
                    ("files", "files", (secret.name,)),
                    ("read-only", "writes", ()),
                    ("disk", "disk", (DISK_BYTES,)),
                    ("syscalls", "syscalls", ()),
                ]
                for name, what, values in tries:
                    holds, text = await probe.run(what, *values)
                    checks.append({"name": name, "holds": holds, "text": text})
        probe.child.kill()
        return checks

    async def memory(self) -> list[Check]:
        """The kernel must kill, and its counter must say so."""
        probe = await self._probe(memoryBytes=MEMORY_BYTES)
        _, text = await probe.run("memory", MEMORY_BYTES)
        probe.child.kill()
        end = await probe.child.gone
        holds = end.oom_kills > 0
        proof = f"killed at {MEMORY_BYTES // MIB} MiB, the counter says {end.oom_kills}"
        words = proof if holds else f"not killed: {text}"
        return [{"name": "memory", "holds": holds, "text": words}]

    async def processes(self) -> list[Check]:
        """A fork bomb stops at the limit of the control group."""
        probe = await self._probe(processes=PROCESSES)
        holds, text = await probe.run("processes", PROCESSES)
        refusals = probe.child.group.process_refusals()
        started = time.monotonic()
        probe.child.kill()
        await probe.child.gone
        took = (time.monotonic() - started) * 1000
        text = f"{text}, the counter says {refusals} refused; all dead in {took:.0f} ms"
        return [{"name": "processes", "holds": holds and refusals > 0, "text": text}]

    async def cpu(self) -> list[Check]:
        """A hog is throttled, as the counter of the control group says."""
        probe = await self._probe(cpus=CPUS)
        work = asyncio.ensure_future(probe.run("burn", HOG_CPU_SECONDS))
        while not work.done() and not probe.child.group.throttled():
            await asyncio.sleep(0.01)
        throttled = probe.child.group.throttled()
        probe.child.kill()
        await probe.child.gone
        await work
        text = f"a hog with {CPUS:g} of a CPU was throttled in {throttled} periods"
        return [{"name": "cpu", "holds": throttled > 0, "text": text}]

    async def killing(self) -> list[Check]:
        """Daemons that ignore signals die with their session, and its group can be removed."""
        probe = await self._probe()
        holds, text = await probe.run("stubborn")
        started = time.monotonic()
        probe.child.kill()
        await probe.child.gone
        took = time.monotonic() - started
        text = f"daemons that ignore signals were dead in {took * 1000:.0f} ms" if holds else text
        return [{"name": "killing", "holds": holds and took < DEAD_SECONDS, "text": text}]


def _loopback() -> bool:
    """A host without loopback has nothing to connect to; the probe's connect must be refused all the same."""
    try:
        socket.create_server(("127.0.0.1", 0)).close()
    except OSError:
        return False
    return True


async def _safely(name: str, work: Coroutine[None, None, list[Check]]) -> list[Check]:
    try:
        return await work
    except (ZygoteError, OSError) as error:
        return [{"name": name, "holds": False, "text": f"no child could be made: {error}"[:512]}]


async def self_test(spawner: Spawner, life: Life, config: Config) -> list[Check]:
    """All checks. Raises ZygoteError when there can be no probes at all."""
    zygote = Zygote("probe", lambda: None)
    try:
        await zygote.start()
        test = _SelfTest(spawner, zygote, life)
        parts = {
            "walls": test.walls(),
            "memory": test.memory(),
            "processes": test.processes(),
            "cpu": test.cpu(),
            "killing": test.killing(),
        }
        found = await asyncio.gather(*(_safely(name, work) for name, work in parts.items()))
        return [check for part in found for check in part]
    finally:
        zygote.stop()
