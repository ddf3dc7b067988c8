"""Frames: 4 bytes of length, big-endian, then a JSON object in UTF-8. Both sockets speak them."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from typing import Any

CLIENT_FRAME_BYTES = 32 * 1024 * 1024
CHILD_FRAME_BYTES = 24 * 1024 * 1024

Message = dict[str, Any]


class FrameError(Exception):
    """The other side does not keep to the protocol: a frame above the cap, or not a JSON object."""


def encode(message: Message) -> bytes:
    """One frame. Lone surrogates (legal in Python's text, not in UTF-8) are escaped by JSON itself."""
    body = json.dumps(message, separators=(",", ":")).encode("ascii")
    return struct.pack(">I", len(body)) + body


def _object(body: bytes) -> Message:
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise FrameError(f"not JSON: {error}") from error
    if not isinstance(message, dict):
        raise FrameError("not a JSON object")
    return message


class FrameReader:
    """Cuts a stream of bytes into messages. Keeps at most one unfinished frame of `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """Takes bytes and yields the messages that are complete. Raises FrameError."""
        self._held += data
        while len(self._held) >= 4:
            size = int.from_bytes(self._held[:4], "big")
            if size > self._limit:
                raise FrameError(f"a frame of {size} bytes; at most {self._limit} are taken")
            if len(self._held) < 4 + size:
                return
            body = bytes(self._held[4 : 4 + size])
            del self._held[: 4 + size]
            yield _object(body)
