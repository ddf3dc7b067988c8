"""The agent's connection: frames in, frames out, and a stop when it does not take what there is."""

from __future__ import annotations

import asyncio
from typing import Protocol, cast

from .frames import CLIENT_FRAME_BYTES, FrameError, FrameReader, Message, encode
from .log import log

# What may wait for a client that does not read. Then the sessions' pipes fill, and the sessions wait.
WAITING_BYTES = 8 * 1024 * 1024


class Server(Protocol):
    """Who answers the client."""

    def connected(self, client: Client) -> None:
        """A client is there; an older one goes."""

    def request(self, client: Client, message: Message) -> None:
        """A frame from the client."""

    def hold(self, held: bool) -> None:
        """The client does not take (or takes again) what is sent."""

    def disconnected(self, client: Client) -> None:
        """The client is gone, and with it its sessions."""


class Client(asyncio.Protocol):
    """One connection."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._reader = FrameReader(CLIENT_FRAME_BYTES)
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Takes the place of the client before."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=WAITING_BYTES, low=WAITING_BYTES // 4)
        self._server.connected(self)

    def data_received(self, data: bytes) -> None:
        """Frames. What is no frame ends the connection; a request that cannot be served is only logged."""
        try:
            for message in self._reader.feed(data):
                self._server.request(self, message)
        except FrameError as error:
            log("warn", "the client does not keep to the protocol", error=str(error))
            self.close()

    def pause_writing(self) -> None:
        """More than WAITING_BYTES wait."""
        self._server.hold(True)

    def resume_writing(self) -> None:
        """The client reads again."""
        self._server.hold(False)

    def connection_lost(self, error: Exception | None) -> None:
        """Closed by either side."""
        self._transport = None
        self._server.disconnected(self)

    def send(self, message: Message) -> None:
        """Sends a frame; nothing when the client is gone."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(encode(message))

    def close(self) -> None:
        """Ends the connection at once."""
        if self._transport is not None:
            self._transport.abort()
