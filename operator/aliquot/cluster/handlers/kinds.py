"""What people set, as kopf hears of it: custom resources, parsed, and handed to a sink.

kopf lists, then watches. It tells of every object after each list (type None) but not of objects that vanished while
its watch was away: `Sink.listed` says that a list was made after the first one, so that someone can compare.

kopf takes an event loop for its own: it puts its handlers of signals in the place of ours, and when it ends it waits
for every task in the loop, and then cancels it. So it has a loop, and a thread, of its own:

    kopf's thread: watch ─▶ is it known? ─▶ parse ──call_soon_threadsafe──▶ our loop: Sink
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from itertools import repeat
from typing import Any, cast

import aiohttp

from aliquot import log
from aliquot.cluster.mirror.parse import parse
from aliquot.cluster.resources import resource_of
from aliquot.contracts.kinds.registry import Kind
from aliquot.contracts.kinds.shapes import Resource
from aliquot.kube.config import Server
from aliquot.settings import Api
from aliquot.without import without

with without("kubernetes"):  # it would be for objects of that client, which we do not have: a tenth of a start
    import kopf

_log = log.get(__name__)
_STOP_SECONDS = 2.0
"""How long kopf may take to stop; it only watches, so nothing is wrong if it goes on for a while."""
_SCAN_SECONDS = 20.0
"""After so long kopf has found all kinds and asks for their objects, or it never will."""
_MISSING_SECONDS = 2.0
"""How often a kind that is not served is asked for again."""


@dataclass(frozen=True)
class Sink:
    """Where everything goes that kopf hears.

    Attributes:
        is_known: whether an object is known in this version already, such as from the answer to our own write; asked
            in kopf's thread.
        changed: takes an object, and whether it is gone.
        listed: told for each object of a kind that was listed rather than watched.
        trouble: takes what is wrong with the watch of a kind; None: it is in order.
    """

    is_known: Callable[[Kind, Mapping[str, Any]], bool]
    changed: Callable[[Resource, bool], None]
    listed: Callable[[Kind], None]
    trouble: Callable[[Kind, str | None], None]


def _watch(registry: kopf.OperatorRegistry, kind: Kind, sink: Sink) -> None:
    here = asyncio.get_running_loop()

    async def heard(event: kopf.RawEvent, **_: object) -> None:
        if event["type"] is None:
            here.call_soon_threadsafe(sink.listed, kind)
        raw = cast("Mapping[str, Any]", event["object"])
        gone = event["type"] == "DELETED"
        if not gone and sink.is_known(kind, raw):
            return
        parsed = parse(kind, raw)
        if parsed is not None:
            here.call_soon_threadsafe(sink.changed, parsed, gone)

    kopf.on.event(kind.group, kind.stored, kind.plural, registry=registry, id=kind.plural)(heard)


def settings(api: Api) -> kopf.OperatorSettings:
    """Tell kopf to watch and nothing else: no state on objects, no events, no scanning, no peering."""
    settings = kopf.OperatorSettings()
    settings.peering.standalone = True
    settings.scanning.disabled = True
    settings.posting.enabled = False
    settings.persistence.progress_storage = _NoProgress()
    settings.persistence.diffbase_storage = _NoDiffBase()
    settings.queueing.idle_timeout = 0.5
    settings.watching.inactivity_timeout = api.watch_silence_seconds
    settings.watching.chunk_size = 500
    settings.networking.request_timeout = api.request_timeout_seconds
    settings.networking.error_backoffs = _Backoffs()
    return settings


class _Backoffs:
    """Waits after errors of the API server, in seconds: without an end, as kopf ends a watch after the last."""

    def __iter__(self) -> Iterator[float]:
        yield from (0.5, 1, 2)
        yield from repeat(4.0)


class _NoProgress(kopf.ProgressStorage):
    """There are no change-detecting handlers, so there is no progress to keep."""

    def fetch(self, *, key: kopf.HandlerId, body: kopf.Body) -> None:
        """Nothing is kept."""

    def store(self, **_: object) -> None:
        """Nothing is kept."""

    def purge(self, **_: object) -> None:
        """Nothing is kept."""

    def touch(self, **_: object) -> None:
        """Nothing is kept."""

    def clear(self, *, essence: kopf.BodyEssence) -> kopf.BodyEssence:
        """Nothing is kept."""
        return essence


class _NoDiffBase(kopf.DiffBaseStorage):
    """Nobody asks what changed, so nothing is remembered to compare with."""

    def build(self, **_: object) -> kopf.BodyEssence:
        """Nothing is compared."""
        return kopf.BodyEssence({})

    def fetch(self, *, body: kopf.Body) -> None:
        """Nothing is kept."""

    def store(self, **_: object) -> None:
        """Nothing is kept."""


@asynccontextmanager
async def _login(
    server: Server,
    registry: kopf.OperatorRegistry,
    home: asyncio.AbstractEventLoop,
    patience: aiohttp.ClientMiddlewareType,
) -> AsyncGenerator[None]:
    async def authenticate(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        headers = asyncio.run_coroutine_threadsafe(_headers(server), home)
        request.headers.update(await asyncio.wrap_future(headers))
        return await send(request)

    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ssl=server.tls or False),
        middlewares=[patience, authenticate],
        proxy=server.proxy,
        read_bufsize=2**21,
    )

    async def login(**_: object) -> kopf.AiohttpSession:
        return kopf.AiohttpSession(server=server.url, aiohttp_session=session)

    kopf.on.login(registry=registry)(login)
    try:
        yield
    finally:
        await session.close()


async def _headers(server: Server) -> Mapping[str, str]:
    return await server.credentials.headers()


def _patience(
    kinds: tuple[Kind, ...], sink: Sink, home: asyncio.AbstractEventLoop, asked: set[Kind]
) -> aiohttp.ClientMiddlewareType:
    """Wait for kinds that are not served, tell how the watches are doing, and note which kinds were asked for.

    kopf ends the watch of a kind for good, and in silence, at the first answer of 404.
    """
    of_path = {resource_of(kind).collection(): kind for kind in kinds}

    async def send_until_served(
        request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        kind = of_path.get(request.url.path)
        if kind is None:
            return await send(request)
        asked.add(kind)
        while True:
            trouble = None
            try:
                response = await send(request)
                if response.status >= HTTPStatus.BAD_REQUEST:
                    trouble = f"watch {kind.resource}: {response.status} {response.reason}"
            except aiohttp.ClientError as problem:
                trouble = f"watch {kind.resource}: {problem}"
                raise
            finally:
                home.call_soon_threadsafe(sink.trouble, kind, trouble)
            if response.status != HTTPStatus.NOT_FOUND:
                return response
            response.close()
            await asyncio.sleep(_MISSING_SECONDS)

    return send_until_served


async def watch_kinds(kinds: tuple[Kind, ...], server: Server, api: Api, sink: Sink) -> None:
    """Watch in a thread of kopf's own until cancelled, or until kopf ends by itself: call again.

    Args:
        kinds: which; their definitions must be served already: kopf looks for them once.
        server: where.
        api: time limits.
        sink: takes what is heard.
    """
    registry = kopf.OperatorRegistry()
    for kind in kinds:
        _watch(registry, kind, sink)
    home, there = asyncio.get_running_loop(), asyncio.new_event_loop()
    stop = asyncio.Event()

    async def operate() -> None:
        asked: set[Kind] = set()

        async def end_unless_all_are_watched() -> None:
            """Begin anew: kopf looks for definitions once, and never watches one that was not there at that moment."""
            await asyncio.sleep(_SCAN_SECONDS)
            if asked != {*kinds}:
                stop.set()

        async with _login(server, registry, home, _patience(kinds, sink, home, asked)):
            looking = asyncio.create_task(end_unless_all_are_watched())
            await kopf.operator(registry=registry, settings=settings(api), clusterwide=True, stop_flag=stop)
            looking.cancel()

    def work() -> None:
        with asyncio.Runner(loop_factory=lambda: there) as runner:
            runner.run(operate())

    working = asyncio.create_task(asyncio.to_thread(work))
    try:
        await asyncio.shield(working)
    except Exception as problem:
        _log.warning("watching of custom resources ended, and begins anew", problem=repr(problem))
    else:
        _log.warning("watching of custom resources ended, and begins anew")
    finally:
        with suppress(RuntimeError):  # it has ended
            there.call_soon_threadsafe(stop.set)
        await asyncio.wait([working], timeout=_STOP_SECONDS)
