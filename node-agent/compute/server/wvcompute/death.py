"""Why a session died, with the proof."""

from __future__ import annotations

import signal
from dataclasses import dataclass

from .child import Exit
from .config import MIB, Limits


@dataclass(frozen=True)
class Death:
    """`cause` is one of the wire's DEATH_CAUSES; `text` is for people."""

    cause: str
    text: str


def span(milliseconds: float) -> str:
    """A length of time in words."""
    seconds = milliseconds / 1000
    for size, word in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size and seconds % size == 0:
            count = int(seconds // size)
            return f"{count} {word}{'' if count == 1 else 's'}"
    return f"{seconds:g} second{'' if seconds == 1 else 's'}"


def out_of_memory(kills: int, limits: Limits) -> Death:
    """Proof: the counter of the control group."""
    limit = limits.memoryBytes
    size = f"{limit // MIB} MiB" if limit % MIB == 0 else f"{limit} bytes"
    count = "a process" if kills == 1 else f"{kills} processes"
    return Death("out-of-memory", f"Out of memory: at the limit of {size} the kernel killed {count} of the session.")


def cell_time(limits: Limits) -> Death:
    """Proof: the deadline."""
    return Death("cell-time", f"The cell ran longer than {span(limits.cellMs)}, the limit for one cell.")


def life_time(limits: Limits) -> Death:
    """Proof: the deadline."""
    return Death("life-time", f"The session was {span(limits.lifeMs)} old, the limit for a session.")


def asked(reason: str, limits: Limits) -> Death:
    """Proof: the request."""
    if reason == "idle":
        return Death("idle", f"No cell ran and nobody watched for {span(limits.idleMs)}.")
    return Death("terminated", f"Ended on request: {reason}." if reason else "Ended on request.")


def by_itself(end: Exit, limits: Limits) -> Death:
    """For a session that nobody killed: what the control group and process 1 say."""
    if end.oom_kills > 0:
        return out_of_memory(end.oom_kills, limits)
    if end.signal is not None:
        try:
            name = signal.Signals(end.signal).name
        except ValueError:
            name = "unknown"
        return Death("crash", f"The process was killed by signal {end.signal} ({name}).")
    if end.exit is not None:
        return Death("exit", f"The process ended by itself with code {end.exit}.")
    return Death("crash", "The session's processes were killed from outside; no limit was reached.")
