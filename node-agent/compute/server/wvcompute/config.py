"""The configuration file of the compute server: JSON, every key optional, unknown keys refused."""

from __future__ import annotations

import dataclasses
import json
import re
from dataclasses import dataclass, field
from typing import Any

MIB = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """What one session may use. Names and units are those of the wire (ComputeLimits)."""

    memoryBytes: int = 512 * MIB
    processes: int = 64
    cpus: float = 1
    diskBytes: int = 64 * MIB
    outputBytes: int = 8 * MIB
    cellMs: int = 600_000
    idleMs: int = 1_800_000
    lifeMs: int = 86_400_000
    sessions: int = 8


@dataclass(frozen=True)
class Config:
    """Everything that can be set. `uidBase`: the first of a million user ids that sessions get."""

    limits: Limits = field(default_factory=Limits)
    pool: dict[str, int] = field(default_factory=lambda: {"python": 1, "sage": 2})
    kernels: tuple[str, ...] = ("python", "sage")
    uidBase: int = 2_000_000_000
    cgroupRoot: str | None = None
    cgroupName: str = "webvirt-compute"


class ConfigError(Exception):
    """The configuration names an unknown key or an unfitting value."""


def _check_keys(given: dict[str, Any], kind: type, where: str) -> None:
    known = [one.name for one in dataclasses.fields(kind)]
    for key in given:
        if key not in known:
            raise ConfigError(f"unknown key {where}{key}; known: {', '.join(known)}")


def _limits(given: Any) -> Limits:
    if not isinstance(given, dict):
        raise ConfigError("limits must be an object")
    _check_keys(given, Limits, "limits.")
    for key, value in given.items():
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not number or value <= 0 or (key != "cpus" and value != int(value)):
            raise ConfigError(f"limits.{key} must be a positive {'number' if key == 'cpus' else 'integer'}")
    whole = {key: value if key == "cpus" else int(value) for key, value in given.items()}
    return Limits(**whole)


def parse_config(text: str) -> Config:
    """Checks the text of a configuration file. Raises ConfigError with words for people."""
    try:
        given = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"not JSON: {error}") from error
    if not isinstance(given, dict):
        raise ConfigError("the configuration must be an object")
    _check_keys(given, Config, "")
    values: dict[str, Any] = dict(given)
    if "limits" in values:
        values["limits"] = _limits(values["limits"])
    pool = values.get("pool", {})
    if not isinstance(pool, dict) or not all(isinstance(n, int) and 0 <= n <= 64 for n in pool.values()):
        raise ConfigError("pool must give a number from 0 to 64 for each kernel")
    kernels = values.get("kernels", [])
    if not isinstance(kernels, list) or not all(name in ("python", "sage") for name in kernels):
        raise ConfigError("kernels must be a list of: python, sage")
    if "kernels" in values:
        values["kernels"] = tuple(dict.fromkeys(kernels))
    base = values.get("uidBase", 1_000_000)
    if not isinstance(base, int) or not 65_536 <= base <= 4_200_000_000:
        raise ConfigError("uidBase must be a number from 65536 to 4200000000")
    if not isinstance(values.get("cgroupRoot") or "/", str):
        raise ConfigError("cgroupRoot must be a path or null")
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", str(values.get("cgroupName", "x"))):
        raise ConfigError("cgroupName must be 1 to 64 letters, digits, _ or -")
    return Config(**values)
