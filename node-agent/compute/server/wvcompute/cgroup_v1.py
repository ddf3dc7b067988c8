"""Control groups of version 1: one hierarchy for each of memory, cpu and pids (and cpuacct where there is one)."""

from __future__ import annotations

import os
from pathlib import Path

from .cgroup import kill_all
from .config import Limits

PERIOD_US = 100_000


def counter(path: Path, name: str) -> int:
    """The number behind a name in a file of `name number` lines; 0 when it is not there."""
    try:
        for line in path.read_text().splitlines():
            word, _, value = line.partition(" ")
            if word == name:
                return int(value)
    except (OSError, ValueError):
        return 0
    return 0


def number(path: Path) -> int:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return 0


def _cpu_ticks(pid: str) -> int:
    """CPU ticks of a process and of its children that it has waited for."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(int(value) for value in fields[11:15])
    except (OSError, ValueError, IndexError):
        return 0


class GroupV1:
    """The group of one child: the same folder in each hierarchy."""

    def __init__(self, places: dict[str, Path], limits: Limits) -> None:
        self._places = places
        self._cpu_ms = 0
        for place in places.values():
            place.mkdir()
        memory, cpu, pids = places["memory"], places["cpu"], places["pids"]
        (memory / "memory.limit_in_bytes").write_text(str(limits.memoryBytes))
        try:
            (memory / "memory.memsw.limit_in_bytes").write_text(str(limits.memoryBytes))
        except FileNotFoundError:
            # No accounting of swap in this kernel: then nothing of the group may be swapped.
            (memory / "memory.swappiness").write_text("0")
        (cpu / "cpu.cfs_period_us").write_text(str(PERIOD_US))
        (cpu / "cpu.cfs_quota_us").write_text(str(int(limits.cpus * PERIOD_US)))
        (pids / "pids.max").write_text(str(limits.processes))

    def add(self, pid: int) -> None:
        """Moves a process into the group."""
        for place in self._places.values():
            (place / "cgroup.procs").write_text(str(pid))

    def kill(self) -> None:
        """Kills every process in it."""
        kill_all(self._places["memory"] / "cgroup.procs")

    def oom_kills(self) -> int:
        """How many processes the kernel has killed here because the memory limit was reached."""
        return counter(self._places["memory"] / "memory.oom_control", "oom_kill")

    def throttled(self) -> int:
        """In how many periods the CPU quota was used up."""
        return counter(self._places["cpu"] / "cpu.stat", "nr_throttled")

    def process_refusals(self) -> int:
        """How often a fork was refused by the limit on processes."""
        return counter(self._places["pids"] / "pids.events", "max")

    def memory_bytes(self) -> int:
        """Memory in use now, its files in memory included."""
        return number(self._places["memory"] / "memory.usage_in_bytes")

    def cpu_ms(self) -> int:
        """CPU time used so far; without cpuacct the sum over the processes, which never goes back."""
        if "cpuacct" in self._places:
            self._cpu_ms = number(self._places["cpuacct"] / "cpuacct.usage") // 1_000_000
        else:
            try:
                pids = (self._places["cpu"] / "cgroup.procs").read_text().split()
            except OSError:
                pids = []
            ticks = sum(_cpu_ticks(pid) for pid in pids)
            self._cpu_ms = max(self._cpu_ms, ticks * 1000 // os.sysconf("SC_CLK_TCK"))
        return self._cpu_ms

    def remove(self) -> bool:
        """Removes the empty group; False when it is still busy."""
        gone = True
        for place in self._places.values():
            try:
                place.rmdir()
            except FileNotFoundError:
                continue
            except OSError:
                gone = False
        return gone


class HierarchyV1:
    """The hierarchies of version 1, below the places where this server may make groups."""

    def __init__(self, places: dict[str, Path], name: str) -> None:
        self._homes = {controller: place / name for controller, place in places.items()}
        self.text = f"control groups v1 at {places['memory']}"

    def homes(self) -> list[Path]:
        """One directory per controller, memory first."""
        return list(self._homes.values())

    def prepare(self, life: str) -> None:
        """Makes the directories of a life."""
        for home in self._homes.values():
            (home / life).mkdir()

    def make(self, folder: str, limits: Limits) -> GroupV1:
        """Makes a group with its limits set; nothing is left of one that cannot be made whole."""
        places = {controller: home / folder for controller, home in self._homes.items()}
        try:
            return GroupV1(places, limits)
        except OSError:
            for place in places.values():
                if place.exists():
                    place.rmdir()
            raise
