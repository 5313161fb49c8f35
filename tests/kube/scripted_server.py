"""An API server over real sockets that does what the test tells it: for what a real one cannot be made to do.

Lists and other requests take replies from `replies`, watches from `watches`, in order. A request without a reply left
is answered with 501, which no test expects; a watch without one stays open and silent.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web
from aiohttp.test_utils import TestServer
from prometheus_client import CollectorRegistry

from aliquot.clock import Clock, SystemClock
from aliquot.kube.client import ApiClient
from aliquot.kube.config import from_kubeconfig
from aliquot.kube.metrics import RequestMetrics
from aliquot.kube.transport import Limits, Transport

Json = dict[str, Any]


@dataclass(frozen=True)
class Reply:
    """An answer."""

    body: Json | bytes = b"{}"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Drop:
    """Read the request, then cut the connection."""


@dataclass(frozen=True)
class Silence:
    """Never answer."""


@dataclass(frozen=True)
class Stream:
    """Send lines of a watch, then end it, cut it off in the middle of a line, or say nothing more."""

    lines: tuple[bytes, ...]
    then: str = "end"


def stream(*events: tuple[str, Json], then: str = "end") -> Stream:
    """A watch with these events; `then` is end, cut or silence."""
    lines = tuple(msgspec.json.encode({"type": kind, "object": of}) + b"\n" for kind, of in events)
    return Stream(lines, then)


@dataclass(frozen=True)
class Seen:
    """A request that came."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


class ScriptedServer:
    """See the module."""

    def __init__(self) -> None:
        self.replies: deque[Reply | Drop | Silence] = deque()
        self.watches: deque[Reply | Drop | Silence | Stream] = deque()
        self.seen: list[Seen] = []
        self.url = ""
        self._closing = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncGenerator["ScriptedServer"]:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._handle)
        server = TestServer(application)
        await server.start_server()
        self.url = str(server.make_url("")).rstrip("/")
        try:
            yield self
        finally:
            self._closing.set()
            await server.close()

    def watched_from(self) -> list[str]:
        """The resource versions that watches began at."""
        return [seen.query["resourceVersion"] for seen in self.seen if "watch" in seen.query]

    def lists(self) -> int:
        """How many lists were asked for."""
        return sum(seen.method == "GET" and "watch" not in seen.query for seen in self.seen)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.seen.append(Seen(request.method, request.path, dict(request.query), dict(request.headers), body))
        if "watch" in request.query:
            reply = self.watches.popleft() if self.watches else Stream((), "silence")
        else:
            reply = self.replies.popleft() if self.replies else Reply(b"no reply was scripted", 501)
        match reply:
            case Reply(body=answer, status=status, headers=headers):
                raw = answer if isinstance(answer, bytes) else msgspec.json.encode(answer)
                return web.Response(body=raw, status=status, headers={"Content-Type": "application/json", **headers})
            case Stream():
                return await self._stream(request, reply)
            case Silence():
                await self._closing.wait()
                return web.Response()
            case Drop():
                assert request.transport is not None
                request.transport.close()
                return web.Response()

    async def _stream(self, request: web.Request, reply: Stream) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        for line in reply.lines:
            await response.write(line)
        if reply.then == "silence":
            await self._closing.wait()
        if reply.then == "cut":
            await response.write(b'{"type": "ADDED", "object"')
            assert request.transport is not None
            request.transport.close()
        return response


def refusal_body(code: int, reason: str, message: str = "no", **details: Any) -> Json:
    """A `metav1.Status`."""
    return {"kind": "Status", "code": code, "reason": reason, "message": message, "details": details}


@asynccontextmanager
async def client_of(
    url: str,
    directory: Path,
    limits: Limits | None = None,
    *,
    clock: Clock | None = None,
    registry: CollectorRegistry | None = None,
    user: Json | None = None,
) -> AsyncGenerator[ApiClient]:
    """A client of a server, found as ever: by a kubeconfig, which is written into `directory`."""
    clock = clock or SystemClock()
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": url}}],
        "users": [{"name": "u", "user": user or {}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    file = directory / "kubeconfig"
    file.write_bytes(msgspec.json.encode(config))
    server = await from_kubeconfig(str(file), clock)
    metrics = RequestMetrics(registry or CollectorRegistry())
    async with ApiClient(Transport(server, clock, metrics, user_agent="aliquot-test/1", limits=limits)) as client:
        yield client
