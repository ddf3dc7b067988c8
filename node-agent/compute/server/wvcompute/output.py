"""The output of a cell: bytes become text, and what is above the limit is counted instead of kept."""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable
from typing import Any

Event = dict[str, Any]

# Of a cell that has used up its output, one result and one error still come through, this long.
LAST_RESULT_CHARACTERS = 16_384
ERROR_CHARACTERS = 65_536
MIME_TYPES = 32
# Each event costs everybody on its way more than its text: one for each so many bytes of the limit, empty ones too.
BYTES_FOR_AN_EVENT = 32
# What the kernel says that it left out cannot be more than this.
CUT_BYTES = 1 << 40


def wire_bytes(text: str) -> int:
    """What a text costs in a frame, where a character may need twelve bytes."""
    return len(json.dumps(text)) - 2


def text_of(value: object, limit: int) -> str:
    """A field of a message from user code as text for the wire: never too long, never a lone surrogate."""
    text = value if isinstance(value, str) else "" if value is None else str(value)
    return text[:limit].encode("utf-8", "replace").decode("utf-8")


class CellOutput:
    """Keeps the budget of one cell. `emit` takes the events, `skipped` among them."""

    def __init__(self, cell: int, limit_bytes: int, emit: Callable[[Event], None]) -> None:
        self.cell = cell
        self._limit = limit_bytes
        self._used = 0
        self._events = limit_bytes // BYTES_FOR_AN_EVENT
        self._cut = 0
        self._told = False
        self._spare = {"result", "error"}
        self._emit = emit
        make = codecs.getincrementaldecoder("utf-8")
        self._decoders = {name: make(errors="replace") for name in ("stdout", "stderr")}

    def stream(self, name: str, data: bytes, final: bool = False) -> None:
        """Bytes of stdout or stderr. A character that is cut in two waits for its other half."""
        keep = max(0, min(len(data), self._limit - self._used)) if self._events > 0 else 0
        self._used += keep
        text = self._decoders[name].decode(data[:keep], final)
        if text:
            self._events -= 1
            self._emit({"type": name, "cell": self.cell, "text": text})
        if keep < len(data):
            self._skip(len(data) - keep)

    def _skip(self, size: int) -> None:
        """Counts; the first time it is told at once, so that nobody waits for output that will not come."""
        self._cut += size
        if not self._told:
            self._told = True
            self._tell()

    def _tell(self) -> None:
        limit = f"{self._limit // 1048576} MiB" if self._limit >= 1048576 else f"{self._limit} bytes"
        reason = f"a cell keeps at most {limit} of output"
        self._emit({"type": "skipped", "cell": self.cell, "bytes": self._cut, "reason": reason})
        self._cut = 0

    def bundle(self, kind: str, data: object, cut: object) -> None:
        """A result or a display with its representations, from a message of the kernel."""
        given = data if isinstance(data, dict) else {}
        texts = {
            text_of(name, 128): text_of(value, len(value))
            for name, value in list(given.items())[:MIME_TYPES]
            if isinstance(value, str)
        }
        size = sum(wire_bytes(text) for text in texts.values())
        if self._used + size > self._limit or self._events <= 0:
            kept: dict[str, str] = {}
            if kind in self._spare:
                self._spare.discard(kind)
                kept = {"text/plain": texts.get("text/plain", "")[:LAST_RESULT_CHARACTERS]}
            self._skip(size - sum(wire_bytes(text) for text in kept.values()))
            texts = kept
        else:
            self._used += size
        if texts:
            self._events -= 1
            self._emit({"type": kind, "cell": self.cell, "data": texts})
        if isinstance(cut, int) and cut > 0:
            self._skip(min(cut, CUT_BYTES))

    def error(self, message: dict[str, Any]) -> None:
        """An exception, from a message of the kernel."""
        fields = {name: text_of(message.get(name), ERROR_CHARACTERS) for name in ("name", "message", "traceback")}
        size = sum(wire_bytes(text) for text in fields.values())
        if self._used + size > self._limit or self._events <= 0:
            if "error" not in self._spare:
                self._skip(size)
                return
            self._spare.discard("error")
        self._used += size
        self._events -= 1
        self._emit({"type": "error", "cell": self.cell, **fields})

    def finish(self) -> None:
        """The cell has ended: halves of characters come out as replacement marks, and the rest of the count is told."""
        for name in self._decoders:
            self.stream(name, b"", final=True)
            self._decoders[name].reset()
        if self._cut > 0:
            self._tell()
