"""The kernels by name. A kernel is loaded once in its zygote; `serve` runs in each child."""

from __future__ import annotations

import socket
from typing import Protocol


class Kernel(Protocol):
    """Something that a contained child runs."""

    title: str

    def serve(self, channel: socket.socket) -> None:
        """Answers the server's requests until the channel closes."""


def load(name: str) -> Kernel:
    """Imports what a kernel needs (only that: a zygote of probes must be there at once)."""
    if name == "probe":
        from .probes import Probes

        return Probes()
    from .kernel import ShellKernel

    if name == "sage":
        from .sage_shell import load_sage

        return ShellKernel(load_sage())
    from .shell import load_python

    return ShellKernel(load_python())
