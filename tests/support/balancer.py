"""What a Service does, on one machine: hands each connection to one of several ports on which somebody listens."""

import asyncio
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Self

_HOST = "127.0.0.1"
_CHUNK_BYTES = 65_536


class Balancer:
    """Hands out connections in turn, and passes over ports that refuse; use it as a context manager.

    Attributes:
        port: where it listens.
    """

    def __init__(self, backends: Sequence[int]) -> None:
        self.port = 0
        self._backends = list(backends)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._listening = threading.Event()
        self._stopped = asyncio.Event()

    def __enter__(self) -> Self:
        self._thread.start()
        self._listening.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._connected, _HOST, 0)
        self.port = server.sockets[0].getsockname()[1]
        self._listening.set()
        await self._stopped.wait()
        server.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in self._backends:
            self._backends.append(self._backends.pop(0))
            # Cancelled when the balancer ends: asyncio takes a cancelled handler of connections for a mistake.
            with suppress(OSError, asyncio.CancelledError):
                other_reader, other_writer = await asyncio.open_connection(_HOST, self._backends[-1])
                await asyncio.gather(_pass(reader, other_writer), _pass(other_reader, writer))
                return
        writer.close()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on what comes until it ends, or its other end is gone."""
    try:
        while chunk := await reader.read(_CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()
