"""A session: a child that was handed out, its queue of cells, its deadlines, its events."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

from . import death
from .child import Child, Exit
from .config import Limits
from .frames import Message
from .output import CellOutput, Event

COMPLETE_SECONDS = 3.0
STATUSES = ("ok", "error", "interrupted")
MATCH_CHARACTERS = 512


class Session:
    """Lives from `open` to `died`. Cells sent before the child is there wait."""

    def __init__(self, name: str, limits: Limits, send: Callable[[Message], None], idle: Callable[[], None]) -> None:
        self.name = name
        self.child: Child | None = None
        self._limits = limits
        self._send = send
        self._idle = idle
        self._loop = asyncio.get_running_loop()
        self._queue: deque[tuple[int, str]] = deque()
        self._asks: deque[Message] = deque()
        self._output: CellOutput | None = None
        self._running: int | None = None
        self._started = 0.0
        self._asking: Message | None = None
        # Interrupts on their way; then whether one may have come too late; then whether the kernel forgets it now.
        self._interrupts = 0
        self._late = False
        self._forgetting = False
        self._death: death.Death | None = None
        self._cell_timer: asyncio.TimerHandle | None = None
        self._ask_timer: asyncio.TimerHandle | None = None
        self._life_timer: asyncio.TimerHandle | None = None
        self.over = False

    def attach(self, child: Child) -> None:
        """The child is there: `opened`, and the first cell starts."""
        self.child = child
        child.listener = self
        self._life_timer = self._loop.call_later(
            self._limits.lifeMs / 1000, lambda: self.die(death.life_time(self._limits))
        )
        self._send({"t": "opened", "session": self.name})
        if self._death is not None:
            child.kill()
        self._step()

    def _event(self, event: Event) -> None:
        self._send({"t": "event", "session": self.name, "tsMs": int(time.time() * 1000), "event": event})

    @property
    def busy(self) -> bool:
        """A cell runs."""
        return self._running is not None

    # --- what the client asks

    def execute(self, cell: int, code: str) -> None:
        """Queues a cell."""
        self._queue.append((cell, code))
        self._step()

    def interrupt(self) -> None:
        """Interrupts the running cell and drops those that wait."""
        dropped, self._queue = self._queue, deque()
        if self._running is not None:
            self._signal()
        for cell, _ in dropped:
            self._event({"type": "ended", "cell": cell, "status": "interrupted", "elapsedMs": 0})

    def _signal(self) -> None:
        if self.child is not None:
            self._interrupts += 1
            self._late = True
            self.child.interrupt()

    def complete(self, request: Message) -> None:
        """Completes when idle. While a cell runs the answer is: nothing."""
        if self.child is None or self.busy or self._queue or self._death is not None:
            self._completed(request, {})
            return
        self._asks.append(request)
        self._step()

    def die(self, cause: death.Death) -> None:
        """Kills it; `died` follows when all its processes are gone. The first cause is the one that is told."""
        self._death = self._death or cause
        if self.child is not None:
            self.child.kill()

    # --- one thing at a time

    def _step(self) -> None:
        if self.child is None or self._death is not None or self.busy or self._asking:
            return
        if self._interrupts or self._forgetting:
            return
        if self._late:
            # It is with the kernel, but perhaps its cell had ended: it must neither hit the next one, nor may one
            # that is meant for the next be lost with it. So the kernel first says that it has forgotten this one.
            self._late, self._forgetting = False, True
            self.child.send({"op": "forget"})
        elif self._asks:
            self._asking = request = self._asks.popleft()
            self._ask_timer = self._loop.call_later(COMPLETE_SECONDS, self._ask_late)
            # A completion that cannot be stopped is a cell that never ends.
            self._deadline()
            fields = {"ask": 0, "code": request.get("code"), "cursor": request.get("cursor")}
            self.child.send({"op": "complete", **fields})
        elif self._queue:
            cell, code = self._queue.popleft()
            self._running = cell
            self._started = time.monotonic()
            self._output = CellOutput(cell, self._limits.outputBytes, self._event)
            self._deadline()
            self.child.send({"op": "execute", "cell": cell, "code": code})
            self._event({"type": "started", "cell": cell})

    def _deadline(self) -> None:
        end = self._limits.cellMs / 1000
        self._cell_timer = self._loop.call_later(end, lambda: self.die(death.cell_time(self._limits)))

    def _finish(self, status: str) -> None:
        """The running cell is over."""
        if self._running is None or self._output is None:
            return
        self._output.finish()
        elapsed = round((time.monotonic() - self._started) * 1000, 3)
        event = {"type": "ended", "cell": self._running, "status": status, "elapsedMs": elapsed}
        self._running = None
        self._event(event)
        if self._cell_timer is not None:
            self._cell_timer.cancel()
        self._idle()

    # --- completion

    def _completed(self, request: Message, answer: Message) -> None:
        cursor = request.get("cursor")
        place = cursor if isinstance(cursor, int) else 0
        matches, start, end = answer.get("matches"), answer.get("start"), answer.get("end")
        if not (isinstance(matches, list) and isinstance(start, int) and isinstance(end, int)):
            matches, start, end = [], place, place
        texts = [one[:MATCH_CHARACTERS] for one in matches if isinstance(one, str)]
        fields = {"session": self.name, "ask": request.get("ask")}
        self._send({"t": "completed", **fields, "matches": texts, "start": start, "end": end})

    def _ask_late(self) -> None:
        if self._asking is not None:
            self._signal()

    # --- what the child says (all of it may be forged; then it is the forger's own session that is wrong)

    def message(self, message: Message) -> None:
        """A frame from the kernel."""
        kind = message.get("t")
        if kind == "completed" and self._asking is not None:
            request, self._asking = self._asking, None
            for timer in (self._ask_timer, self._cell_timer):
                if timer is not None:
                    timer.cancel()
            self._completed(request, message)
            self._step()
        elif kind == "ended":
            if self._running is not None and message.get("cell") == self._running:
                status = message.get("status")
                self._finish(status if status in STATUSES else "error")
                self._step()
        elif kind == "forgotten":
            self._forgetting = False
            self._step()
        elif self._output is None:
            return
        elif kind in ("result", "display"):
            self._output.bundle(kind, message.get("data"), message.get("cut"))
        elif kind == "error":
            self._output.error(message)

    def output(self, stream: str, data: bytes) -> None:
        """Bytes of stdout or stderr; between cells they belong to the cell before."""
        if self._output is not None:
            self._output.stream(stream, data)

    def interrupted(self) -> None:
        """An interrupt is with the kernel."""
        self._interrupts = max(0, self._interrupts - 1)
        self._step()

    def broken(self, text: str) -> None:
        """The kernel's frames cannot be read."""
        self._death = self._death or death.Death("output-limit", f"The session's process sent {text}.")

    def ended(self, end: Exit) -> None:
        """All its processes are gone: the last events."""
        for timer in (self._cell_timer, self._life_timer, self._ask_timer):
            if timer is not None:
                timer.cancel()
        self.over = True
        cause = self._death or death.by_itself(end, self._limits)
        running = self._running
        self._finish("died")
        for cell, _ in self._queue:
            self._event({"type": "ended", "cell": cell, "status": "died", "elapsedMs": 0})
        self._event({"type": "died", "cell": running, "death": {"cause": cause.cause, "text": cause.text}})

    def use(self) -> Message | None:
        """Its memory and CPU time now. One whose processes the kernel began to kill for memory dies as a whole."""
        if self.child is None or self.over:
            return None
        kills = self.child.group.oom_kills()
        if kills > 0:
            self.die(death.out_of_memory(kills, self._limits))
        group = self.child.group
        return {"session": self.name, "memoryBytes": group.memory_bytes(), "cpuMs": group.cpu_ms()}
