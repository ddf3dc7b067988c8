"""Control groups: finds the hierarchy (v2 or v1), makes one group per session, sweeps those of earlier lives.

Layout: <root>/<cgroupName>/<life>/<number>, in v1 the same below each controller. The directory of a life carries a
lock for as long as its server lives; what nobody holds is of an earlier life and goes at the next start.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from .config import Config, Limits
from .log import log


class CgroupError(Exception):
    """No control groups that can hold a session. The text is for people."""


class Group(Protocol):
    """The control group of one child."""

    def add(self, pid: int) -> None:
        """Moves a process into the group."""

    def kill(self) -> None:
        """Kills every process in it."""

    def oom_kills(self) -> int:
        """How many processes the kernel has killed here because the memory limit was reached."""

    def throttled(self) -> int:
        """In how many periods the CPU quota was used up."""

    def process_refusals(self) -> int:
        """How often a fork was refused by the limit on processes."""

    def memory_bytes(self) -> int:
        """Memory in use now, its files in memory included."""

    def cpu_ms(self) -> int:
        """CPU time used so far."""

    def remove(self) -> bool:
        """Removes the empty group; False when it is still busy."""


class Hierarchy(Protocol):
    """Where groups are made."""

    @property
    def text(self) -> str:
        """Version and place, for people."""

    def homes(self) -> list[Path]:
        """The directory (in v1: one per controller) below which this program keeps its groups."""

    def make(self, folder: str, limits: Limits) -> Group:
        """Makes the group `<home>/<folder>` with its limits set. Raises OSError."""

    def prepare(self, life: str) -> None:
        """Makes the directory of a life and hands the controllers down to it."""


@dataclass(frozen=True)
class Mount:
    """A mounted hierarchy: its kind, its options, and where this process is in it."""

    kind: str
    options: frozenset[str]
    own: Path


def own_paths(text: str) -> dict[str, str]:
    """Controller (or '' for v2) → path, out of the text of /proc/self/cgroup."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            found[controller] = path
    return found


def mounts(mountinfo: str, paths: dict[str, str]) -> list[Mount]:
    """The control-group file systems in the text of /proc/self/mountinfo."""
    found = []
    for line in mountinfo.splitlines():
        left, _, right = line.partition(" - ")
        kind, _, options = right.split(" ", 2)
        if kind not in ("cgroup", "cgroup2"):
            continue
        root, point = left.split(" ")[3:5]
        words = frozenset(options.split(","))
        path = next((paths[word] for word in sorted(words) if word and word in paths), paths.get("", "/"))
        if kind == "cgroup2":
            path = paths.get("", "/")
        inside = path[len(root) :] if root != "/" and path.startswith(root) else path if root == "/" else ""
        found.append(Mount(kind, words, Path(point) / inside.strip("/")))
    return found


def find_hierarchy(config: Config) -> Hierarchy:
    """Chooses the hierarchy as configured, or as mounted. Raises CgroupError."""
    from .cgroup_v1 import HierarchyV1
    from .cgroup_v2 import HierarchyV2

    if config.cgroupRoot is not None:
        root = Path(config.cgroupRoot)
        if (root / "cgroup.controllers").exists():
            return HierarchyV2(root, config.cgroupName)
        places = {name: root / name for name in ("memory", "cpu", "pids", "cpuacct")}
        if all((places[name] / "cgroup.procs").exists() for name in ("memory", "cpu", "pids")):
            return HierarchyV1({name: place for name, place in places.items() if place.exists()}, config.cgroupName)
        raise CgroupError(f"cgroupRoot {root} holds neither a v2 hierarchy nor memory, cpu and pids of v1")
    seen = mounts(Path("/proc/self/mountinfo").read_text(), own_paths(Path("/proc/self/cgroup").read_text()))
    for one in seen:
        if one.kind == "cgroup2" and (one.own / "cgroup.controllers").exists():
            if {"memory", "cpu", "pids"} <= set((one.own / "cgroup.controllers").read_text().split()):
                return HierarchyV2(one.own, config.cgroupName)
    places = {
        name: one.own
        for name in ("memory", "cpu", "pids", "cpuacct")
        for one in seen
        if one.kind == "cgroup" and name in one.options and one.own.exists()
    }
    if {"memory", "cpu", "pids"} <= set(places):
        return HierarchyV1(places, config.cgroupName)
    raise CgroupError("no control groups with memory, cpu and pids are mounted here; set cgroupRoot")


def kill_all(procs: Path) -> None:
    """Kills every process that the file `cgroup.procs` names, until none is left or half a second has gone."""
    deadline = time.monotonic() + 0.5
    while time.monotonic() < deadline:
        try:
            pids = [int(word) for word in procs.read_text().split()]
        except OSError:
            return
        if not pids:
            return
        for pid in pids:
            try:
                os.kill(pid, 9)
            except OSError:
                continue
        time.sleep(0.002)


class Life:
    """The groups of this run of the server."""

    def __init__(self, hierarchy: Hierarchy) -> None:
        """Sweeps what earlier lives left and takes a directory of its own. Raises CgroupError."""
        self.hierarchy = hierarchy
        self._name = f"life-{secrets.token_hex(6)}"
        self._count = 0
        try:
            for home in hierarchy.homes():
                home.mkdir(parents=True, exist_ok=True)
            guard = os.open(hierarchy.homes()[0], os.O_RDONLY | os.O_DIRECTORY)
            try:
                # Without this lock another server's sweep could take a life for dead before it has its lock.
                fcntl.flock(guard, fcntl.LOCK_EX)
                self._sweep()
                hierarchy.prepare(self._name)
                self._lock = os.open(hierarchy.homes()[0] / self._name, os.O_RDONLY | os.O_DIRECTORY)
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            finally:
                os.close(guard)
        except OSError as error:
            raise CgroupError(f"cannot make control groups in {hierarchy.text}: {error}") from error

    def _sweep(self) -> None:
        for name in {path.name for home in self.hierarchy.homes() for path in home.glob("life-*")}:
            holder = self.hierarchy.homes()[0] / name
            holder.mkdir(exist_ok=True)
            descriptor = os.open(holder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue
            finally:
                os.close(descriptor)
            left = self._remove(name)
            log("warn" if left else "info", "swept control groups of an earlier life", life=name, left=left)

    def _remove(self, name: str) -> int:
        left = 0
        for home in self.hierarchy.homes():
            for folder in [*(path for path in (home / name).glob("*") if path.is_dir()), home / name]:
                kill_all(folder / "cgroup.procs")
                try:
                    folder.rmdir()
                except FileNotFoundError:
                    continue
                except OSError:
                    left += 1
        return left

    def make(self, limits: Limits) -> Group:
        """A new group with these limits. Raises OSError."""
        self._count += 1
        return self.hierarchy.make(f"{self._name}/{self._count}", limits)

    def end(self) -> None:
        """Removes the directory of this life and, if nobody else uses them, those above."""
        self._remove(self._name)
        os.close(self._lock)
        for home in self.hierarchy.homes():
            try:
                home.rmdir()
            except OSError:
                continue
