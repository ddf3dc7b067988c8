"""The children of one kernel that wait, contained and warm, for the next session."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from .child import Child
from .log import log
from .spawner import Spawner
from .zygotes import Zygote

# A hand-out is followed by a cell at once; making the next child waits until that cell has had its time.
REFILL_SECONDS = 0.2
RETRY_SECONDS = 2.0


class Pool:
    """Keeps `size` children ready. `changed` is called when their number changes."""

    def __init__(self, spawner: Spawner, zygote: Zygote, size: int, changed: Callable[[], None]) -> None:
        self.zygote = zygote
        self._spawner = spawner
        self._size = size
        self._changed = changed
        self._children: list[Child] = []
        self._timer: asyncio.TimerHandle | None = None
        self._work: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def count(self) -> int:
        """Children that wait."""
        return len(self._children)

    async def fill(self) -> None:
        """Makes children until the pool is full. Raises what the spawner raises."""
        while not self._closed and len(self._children) < self._size:
            child = await self._spawner.spawn(self.zygote)
            if self._closed or child.gone.done():
                child.kill()
                continue
            self._children.append(child)
            child.gone.add_done_callback(lambda _, child=child: self._lost(child))
            self._changed()

    def take(self) -> Child | None:
        """A child that waits, if there is one."""
        while self._children:
            child = self._children.pop(0)
            if not child.gone.done():
                self.refill(REFILL_SECONDS)
                return child
        return None

    async def make(self) -> Child:
        """A new child for a session, when none waits. Raises what the spawner raises."""
        child = await self._spawner.spawn(self.zygote)
        self.refill(REFILL_SECONDS)
        return child

    def _lost(self, child: Child) -> None:
        if child in self._children:
            self._children.remove(child)
            self._changed()
            self.refill(RETRY_SECONDS)

    def refill(self, seconds: float) -> None:
        """Fills the pool after this time, or earlier if it was to be earlier."""
        if self._closed or (self._work is not None and not self._work.done()):
            return
        if len(self._children) >= self._size:
            return
        loop = asyncio.get_running_loop()
        if self._timer is not None:
            if self._timer.when() <= loop.time() + seconds:
                return
            self._timer.cancel()
        self._timer = loop.call_later(seconds, self._begin)

    def _begin(self) -> None:
        self._timer = None
        if self._closed or (self._work is not None and not self._work.done()):
            return
        self._work = asyncio.ensure_future(self.fill())
        self._work.add_done_callback(self._filled)

    def _filled(self, work: asyncio.Task[None]) -> None:
        if not work.cancelled() and work.exception() is not None and not self._closed:
            log("error", "cannot make a child for the pool", kernel=self.zygote.name, error=str(work.exception()))
            self.refill(RETRY_SECONDS)

    def close(self) -> list[Child]:
        """Kills those that wait and makes no more; answers them."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        left, self._children = self._children, []
        for child in left:
            child.kill()
        return left
