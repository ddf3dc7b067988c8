"""Serves the agent: sessions are opened from the pools, and end with the connection that opened them."""

from __future__ import annotations

import asyncio
import dataclasses
import re
from typing import Any

from . import death
from .client import Client
from .config import Config
from .frames import Message
from .log import log
from .pool import Pool
from .session import Session
from .zygotes import ZygoteError

USE_SECONDS = 1.0
# After a cell has ended and none runs, the pools are filled at once; this lets its result go out first.
QUIET_SECONDS = 0.002
SESSION = re.compile(r"[A-Za-z0-9_-]{8,64}")


class ComputeServer:
    """State and requests. The program fills in `pools`, `checks` and `state` while it starts."""

    def __init__(self, config: Config) -> None:
        self.pools: dict[str, Pool] = {}
        self.checks: list[dict[str, Any]] = []
        self.state = "starting"
        self.reason: str | None = "The kernels are loading and the containment is being tested."
        self.settled: asyncio.Event = asyncio.Event()
        self._config = config
        self._client: Client | None = None
        self._sessions: dict[str, Session] = {}
        self._opening: set[asyncio.Task[None]] = set()
        self._use_timer: asyncio.TimerHandle | None = None
        self._told: Message | None = None

    # --- state

    def describe(self) -> Message:
        """The shape of computeServerSchema."""
        kernels = [{"name": n, "title": p.zygote.title, "pooled": p.count} for n, p in self.pools.items()]
        live = sum(1 for session in self._sessions.values() if not session.over)
        return {
            "state": self.state,
            "reason": self.reason,
            "kernels": kernels if self.state != "refused" else [],
            "checks": self.checks,
            "limits": dataclasses.asdict(self._config.limits),
            "sessions": live,
        }

    def changed(self) -> None:
        """Tells the client when something is new."""
        if self._client is None or self._told is None:
            return
        now = self.describe()
        if now != self._told:
            self._told = now
            self._client.send({"t": "server", "server": now})

    def settle(self, state: str, reason: str | None) -> None:
        """The start is over."""
        self.state, self.reason = state, reason
        self.settled.set()
        self.changed()

    # --- the client

    def connected(self, client: Client) -> None:
        """A newer client replaces the older one, whose sessions end."""
        older, self._client = self._client, client
        self._told = None
        if older is not None:
            older.close()
            self._end_sessions("its agent has connected anew")

    def disconnected(self, client: Client) -> None:
        """Its sessions end."""
        if client is self._client:
            self._client = None
            self._told = None
            self._end_sessions("its agent has gone")

    def _end_sessions(self, reason: str) -> None:
        for session in self._sessions.values():
            session.die(death.Death("agent-gone", f"The session ended because {reason}."))
        # Their last events are for nobody: the new client must not hear of sessions that it did not open.
        self._sessions = {}

    def hold(self, held: bool) -> None:
        """Back-pressure: what the client does not take stays in the pipes."""
        for session in self._sessions.values():
            if session.child is not None:
                session.child.hold(held)

    def request(self, client: Client, message: Message) -> None:
        """One frame of the client. A frame that does not fit is logged and dropped."""
        if client is not self._client:
            return
        op = message.get("op")
        if op == "hello":
            self._told = self.describe()
            client.send({"t": "server", "server": self._told})
        elif op == "ping":
            client.send({"t": "pong", "id": message.get("id")})
        elif op == "open":
            self._open(client, message.get("session"), message.get("kernel"))
        else:
            self._to_session(op, message)

    def _to_session(self, op: object, message: Message) -> None:
        session = self._sessions.get(str(message.get("session")))
        if session is None or session.over:
            # It has just died; the client hears of it, or has heard.
            log("debug", "request for no session", op=op, session=message.get("session"))
            return
        cell, code = message.get("cell"), message.get("code")
        if op == "execute" and isinstance(cell, int) and isinstance(code, str):
            session.execute(cell, code)
        elif op == "interrupt":
            session.interrupt()
        elif op == "terminate":
            session.die(death.asked(str(message.get("reason") or "")[:512], self._config.limits))
        elif op == "complete" and isinstance(code, str) and isinstance(message.get("cursor"), int):
            session.complete(message)
        else:
            log("warn", "request that cannot be understood", op=op)

    # --- opening

    def _refuse(self, client: Client, name: object, code: str, text: str) -> None:
        client.send({"t": "refused", "session": name, "code": code, "message": text})

    def _refusal(self, name: object, kernel: object) -> tuple[str, str] | None:
        """Why this session cannot be opened now: code and text; None when it can be tried."""
        if not isinstance(name, str) or not SESSION.fullmatch(name):
            return "no-capacity", "The id of a session has 8 to 64 letters, digits, _ or -."
        if name in self._sessions:
            return "no-capacity", "There is a session with this id."
        if self.state == "refused":
            return "not-contained", self.reason or "The containment does not hold here."
        live = sum(1 for session in self._sessions.values() if not session.over)
        if live >= self._config.limits.sessions:
            return "no-capacity", f"This host runs {live} sessions, as many as it may."
        if self.settled.is_set() and kernel not in self.pools:
            return "no-kernel", f"This host has no kernel {str(kernel)[:64]}."
        return None

    def _open(self, client: Client, name: Any, kernel: Any) -> None:
        refusal = self._refusal(name, kernel)
        if refusal is not None:
            self._refuse(client, name, *refusal)
            return
        send = lambda message: self._deliver(session, message)  # noqa: E731 it names the session that is made here
        session = Session(name, self._config.limits, send, self._quiet)
        self._sessions[name] = session
        child = self.pools[kernel].take() if self.settled.is_set() else None
        if child is not None:
            session.attach(child)
        else:
            task = asyncio.ensure_future(self._open_later(client, session, kernel))
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)
        if self._use_timer is None:
            self._use_timer = asyncio.get_running_loop().call_later(USE_SECONDS, self._use)
        self.changed()

    async def _open_later(self, client: Client, session: Session, kernel: str) -> None:
        """For a session that has to wait: for the start of the server, or because the pool is empty."""
        await self.settled.wait()
        refusal: tuple[str, str] | None = None
        if self.state == "refused":
            refusal = "not-contained", self.reason or ""
        elif kernel not in self.pools:
            refusal = "no-kernel", f"This host has no kernel {str(kernel)[:64]}."
        else:
            try:
                session.attach(self.pools[kernel].take() or await self.pools[kernel].make())
            except (OSError, ZygoteError) as error:
                log("error", "cannot make a child for a session", session=session.name, error=str(error))
                refusal = "not-contained", f"No contained process could be made: {error}"
        if refusal is not None:
            session.over = True
            if self._sessions.get(session.name) is session:
                del self._sessions[session.name]
                self._refuse(client, session.name, *refusal)
        self.changed()

    # --- while sessions live

    def _deliver(self, session: Session, message: Message) -> None:
        """Sends what a session says, if it is one of the present client."""
        if self._client is None or self._sessions.get(session.name) is not session:
            return
        self._client.send(message)
        if session.over and message.get("event", {}).get("type") == "died":
            del self._sessions[session.name]
            self.changed()

    def _quiet(self) -> None:
        if not any(session.busy for session in self._sessions.values()):
            for pool in self.pools.values():
                pool.refill(QUIET_SECONDS)

    def _use(self) -> None:
        self._use_timer = None
        if not self._sessions:
            return
        used = [use for session in list(self._sessions.values()) if (use := session.use()) is not None]
        if self._client is not None and used:
            self._client.send({"t": "use", "list": used})
        self._use_timer = asyncio.get_running_loop().call_later(USE_SECONDS, self._use)

    def kill_sessions(self, text: str) -> None:
        """For the end of the server."""
        for session in self._sessions.values():
            session.die(death.Death("server-gone", text))
