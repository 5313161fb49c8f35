"""Bytes between a connection here and a port of a pod, to and fro."""

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Final

import aiohttp

from aliquot.errors import AliquotError
from aliquot.kube.transport import Socket

_DATA: Final = 0
_TROUBLE: Final = 1
_CHUNK_BYTES: Final = 2**16
_SILENCE_SECONDS: Final = 10.0
"""How long an answer may take to go on once nothing more is sent from here: the pod cannot be told that that is all."""


class PortUnreachable(AliquotError):  # noqa: N818 - it says what is the matter
    """Nobody answers on that port of the pod; says what its node said."""


@dataclass(slots=True)
class Wire:
    """One connection with a port of a pod (`ApiClient.forward`).

    Attributes:
        socket: the websocket that carries it.
        heard: messages that have come.
    """

    socket: Socket
    heard: int = 0
    _begun: set[int] = field(default_factory=set[int])

    async def send(self, data: bytes) -> None:
        """Send bytes to the pod; returns once there is room for more."""
        await self.socket.send_bytes(bytes((_DATA,)) + data)

    async def receive(self) -> bytes:
        """Take what comes next from the pod; empty: that was all.

        Raises:
            PortUnreachable: the pod has no such connection.
        """
        while True:
            message = await self.socket.receive()
            if message.type is not aiohttp.WSMsgType.BINARY:
                return b""
            self.heard += 1
            content: bytes = message.data
            channel = content[0] if content else _DATA
            if channel not in self._begun:
                self._begun.add(channel)  # the first message of each channel is the number of the port
            elif channel == _TROUBLE:
                raise PortUnreachable(content[1:].decode(errors="replace").strip())
            elif len(content) > 1:
                return content[1:]


async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, wire: Wire) -> None:
    """Carry bytes both ways until the pod ends it, or nothing is to be had from either side.

    Raises:
        PortUnreachable: the pod does not take the connection.
    """
    sending = asyncio.create_task(_send(reader, wire))
    receiving = asyncio.create_task(_receive(wire, writer))
    try:
        await asyncio.wait((sending, receiving), return_when=asyncio.FIRST_COMPLETED)
        heard = -1
        while not receiving.done() and heard != wire.heard:
            heard = wire.heard
            await asyncio.wait((receiving,), timeout=_SILENCE_SECONDS)
    finally:
        sending.cancel()
        if not receiving.done():
            receiving.cancel()
        ended = await asyncio.gather(sending, receiving, return_exceptions=True)
    for each in ended:
        if isinstance(each, PortUnreachable):
            raise each


async def _send(reader: asyncio.StreamReader, wire: Wire) -> None:
    with contextlib.suppress(OSError, aiohttp.ClientError):
        while data := await reader.read(_CHUNK_BYTES):
            await wire.send(data)


async def _receive(wire: Wire, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, aiohttp.ClientError):
        while data := await wire.receive():
            writer.write(data)
            await writer.drain()
