"""Control groups of version 2: one hierarchy for all controllers."""

from __future__ import annotations

import os
from pathlib import Path

from .cgroup import kill_all
from .cgroup_v1 import PERIOD_US, counter, number
from .config import Limits

CONTROLLERS = "+memory +cpu +pids"


class GroupV2:
    """The group of one child."""

    def __init__(self, place: Path, limits: Limits) -> None:
        self._place = place
        place.mkdir()
        (place / "memory.max").write_text(str(limits.memoryBytes))
        # One process too many ends the session as a whole, not a random part of it.
        (place / "memory.oom.group").write_text("1")
        if (place / "memory.swap.max").exists():
            (place / "memory.swap.max").write_text("0")
        (place / "cpu.max").write_text(f"{int(limits.cpus * PERIOD_US)} {PERIOD_US}")
        (place / "pids.max").write_text(str(limits.processes))

    def add(self, pid: int) -> None:
        """Moves a process into the group."""
        (self._place / "cgroup.procs").write_text(str(pid))

    def kill(self) -> None:
        """Kills every process in it, in one step where the kernel can."""
        try:
            (self._place / "cgroup.kill").write_text("1")
        except OSError:
            kill_all(self._place / "cgroup.procs")

    def oom_kills(self) -> int:
        """How many processes the kernel has killed here because the memory limit was reached."""
        return counter(self._place / "memory.events", "oom_kill")

    def throttled(self) -> int:
        """In how many periods the CPU quota was used up."""
        return counter(self._place / "cpu.stat", "nr_throttled")

    def process_refusals(self) -> int:
        """How often a fork was refused by the limit on processes."""
        return counter(self._place / "pids.events", "max")

    def memory_bytes(self) -> int:
        """Memory in use now, its files in memory included."""
        return number(self._place / "memory.current")

    def cpu_ms(self) -> int:
        """CPU time used so far."""
        return counter(self._place / "cpu.stat", "usage_usec") // 1000

    def remove(self) -> bool:
        """Removes the empty group; False when it is still busy."""
        try:
            self._place.rmdir()
        except FileNotFoundError:
            return True
        except OSError:
            return False
        return True


class HierarchyV2:
    """The hierarchy of version 2, below the group that was delegated to this server (or the root)."""

    def __init__(self, root: Path, name: str) -> None:
        self._root = root
        self._home = root / name
        self.text = f"control groups v2 at {root}"

    def homes(self) -> list[Path]:
        """The one directory."""
        return [self._home]

    def prepare(self, life: str) -> None:
        """Hands the controllers down to the directory of a life."""
        try:
            (self._root / "cgroup.subtree_control").write_text(CONTROLLERS)
        except OSError:
            # A group with processes may have no controllers below it: this server moves into a leaf of its own.
            leaf = self._root / f"{self._home.name}-server"
            leaf.mkdir(exist_ok=True)
            (leaf / "cgroup.procs").write_text(str(os.getpid()))
            (self._root / "cgroup.subtree_control").write_text(CONTROLLERS)
        (self._home / "cgroup.subtree_control").write_text(CONTROLLERS)
        (self._home / life).mkdir()
        (self._home / life / "cgroup.subtree_control").write_text(CONTROLLERS)

    def make(self, folder: str, limits: Limits) -> GroupV2:
        """Makes a group with its limits set; nothing is left of one that cannot be made whole."""
        place = self._home / folder
        try:
            return GroupV2(place, limits)
        except OSError:
            if place.exists():
                place.rmdir()
            raise
