"""Makes contained children: a uid of its own, a control group, pipes and sockets for each."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import secrets
import socket
from collections.abc import Coroutine

from .cgroup import Life
from .child import Child
from .config import Config, Limits
from .log import log
from .zygotes import Zygote

UIDS = 1_000_000
REMOVE_TRIES = 50
REMOVE_PAUSE_SECONDS = 0.02


class Spawner:
    """One for all zygotes: user ids and groups are given back when the last process of a child is gone."""

    def __init__(self, config: Config, life: Life) -> None:
        self._config = config
        self._life = life
        self._uids: set[int] = set()
        # Two servers on one machine (and one after a crash) begin at different places.
        self._next = secrets.randbelow(UIDS)
        self._clearing: set[asyncio.Task[None]] = set()
        self._children: set[Child] = set()

    def _take_uid(self) -> int:
        while True:
            uid = self._config.uidBase + self._next
            self._next = (self._next + 1) % UIDS
            if uid not in self._uids:
                self._uids.add(uid)
                return uid

    async def spawn(self, zygote: Zygote, **changed: float) -> Child:
        """A contained child of this zygote. `changed`: other limits than configured. Raises OSError or ZygoteError."""
        limits: Limits = dataclasses.replace(self._config.limits, **changed)
        group = self._life.make(limits)
        uid = self._take_uid()
        ours, theirs = socket.socketpair()
        line, line_theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        out, out_theirs = os.pipe2(os.O_CLOEXEC)
        err, err_theirs = os.pipe2(os.O_CLOEXEC)
        child = Child(group, uid, (ours, out, err, line))
        self._children.add(child)
        child.gone.add_done_callback(lambda _: self._keep(self._clear(child)))
        request = {"uid": uid, "disk": limits.diskBytes, "processes": limits.processes}
        try:
            files = [theirs.fileno(), out_theirs, err_theirs, line_theirs.fileno()]
            await child.start(zygote, request, files)
        except BaseException:
            child.abandon()
            raise
        finally:
            theirs.close()
            line_theirs.close()
            os.close(out_theirs)
            os.close(err_theirs)
        return child

    def _keep(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(work)
        self._clearing.add(task)
        task.add_done_callback(self._clearing.discard)

    async def _clear(self, child: Child) -> None:
        self._children.discard(child)
        for _ in range(REMOVE_TRIES):
            if child.group.remove():
                self._uids.discard(child.uid)
                return
            child.group.kill()
            await asyncio.sleep(REMOVE_PAUSE_SECONDS)
        # The uid stays taken: whoever holds the group open may still be of that uid.
        log("error", "a control group could not be removed", uid=child.uid)

    async def end(self) -> None:
        """Kills every child and waits until all are gone and their groups removed."""
        for child in self._children:
            child.kill()
        while self._children or self._clearing:
            waiting = [child.gone for child in self._children]
            await asyncio.wait([*waiting, *self._clearing])
