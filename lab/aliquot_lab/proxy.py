"""A proxy between a client and an API server that misbehaves on command.

It speaks TLS and HTTP/1.1 on both sides and streams watches. It runs in a thread with an event loop of its own, so a
test may be synchronous or not; all methods may be called from any thread, also from within an `Act`. A client's bearer
token goes through; a client that brings none is given the identity of the `Access` that the proxy was made with, as
client certificates end at the proxy. Upgraded connections (`kubectl exec`) are not supported.
"""

import asyncio
import contextlib
import enum
import ssl
import tempfile
import threading
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, NoReturn, Self, TypeVar

import aiohttp
from aiohttp import web
from yarl import URL

from aliquot_lab.certificates import Authority
from aliquot_lab.errors import LabError
from aliquot_lab.faults import Act, Answer, ApiRequest, Cut, Delay, Fault, Hold, Rule, Script, parse, status_document
from aliquot_lab.kubeconfig import Access

T = TypeVar("T")
_HOST: Final = "127.0.0.1"
_LARGEST_BODY_BYTES: Final = 64 << 20
_START_SECONDS: Final = 120.0
# They belong to one connection, not to the message.
_HOP_BY_HOP: Final = frozenset(
    {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "proxy-connection", "content-length"}
)


class _End(enum.Enum):
    """How a watch ends."""

    CLOSED = "closed"
    CUT = "cut"
    EXPIRED = "expired"


class _Lost(enum.Enum):
    """What becomes of a request that gets no answer."""

    CUT = "cut"
    HELD = "held"


@dataclass(eq=False)
class _Watch:
    """An open watch."""

    request: ApiRequest
    end: asyncio.Future[_End]
    silent: bool = False

    def finish(self, end: _End) -> None:
        if not self.end.done():
            self.end.set_result(end)


@dataclass
class _Sessions:
    """The way to the API server: for clients with a token of their own, and for those without."""

    theirs: aiohttp.ClientSession
    ours: aiohttp.ClientSession


@dataclass
class _State:
    """What lives in the proxy's thread."""

    loop: asyncio.AbstractEventLoop
    stop: asyncio.Event
    healed: asyncio.Event = field(default_factory=asyncio.Event)
    watches: set[_Watch] = field(default_factory=set[_Watch])
    tasks: set[asyncio.Task[web.Response | _Lost]] = field(default_factory=set[asyncio.Task[web.Response | _Lost]])


class FaultProxy:
    """A proxy for the length of a `with` block, scripted by the test."""

    def __init__(self, upstream: Access, *, seed: int = 0) -> None:
        """Prepare a proxy; it listens inside the `with` block.

        Args:
            upstream: The API server, and the identity of clients that bring no token.
            seed: For rules with a probability.
        """
        self._upstream = upstream
        self._script = Script(seed)
        self._authority = Authority.new("aliquot-fault-proxy")
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str]] = Counter()
        self._number = 0
        self._port = 0
        self._black = False
        self._problems: list[Exception] = []
        self._state: _State | None = None
        self._listening = threading.Event()
        self._thread = threading.Thread(target=self._run, name="aliquot-fault-proxy", daemon=True)

    # Life

    def __enter__(self) -> Self:
        """Listen.

        Raises:
            LabError: it could not listen.
        """
        self._thread.start()
        if not self._listening.wait(_START_SECONDS) or self._state is None:
            message = f"the fault proxy did not start: {self._problems}"
            raise LabError(message)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Cut everything and end; raises what an `Act` raised, unless something else is being raised."""
        state = self._running
        state.loop.call_soon_threadsafe(state.stop.set)
        self._thread.join()
        if self._problems and problem is None:
            raise self._problems[0]

    @property
    def url(self) -> str:
        """Where the proxy listens, for `Cluster.kubeconfig_for(server=…)`."""
        return f"https://{_HOST}:{self._port}"

    @property
    def authority(self) -> bytes:
        """PEM of the authority that signed the proxy's certificate."""
        return self._authority.certificate

    @property
    def access(self) -> Access:
        """The API server through the proxy, as the proxy's own identity."""
        return Access(self.url, self.authority)

    # Script

    def add(self, *rules: Rule) -> None:
        """Put rules in force, behind those there are."""
        self._script.add(*rules)

    def remove(self, rule: Rule) -> None:
        """Take a rule out of force."""
        self._script.remove(rule)

    def clear(self) -> None:
        """Take all rules out of force; what is held stays held (see `heal`)."""
        self._script.clear()

    def strikes(self, rule: Rule) -> int:
        """How many requests a rule in force has struck."""
        return self._script.strikes(rule)

    def on_request(
        self,
        do: Callable[[ApiRequest], object],
        *,
        after: bool = False,
        when: Callable[[ApiRequest], bool] | None = None,
        nth: int = 1,
        times: int | None = None,
    ) -> Rule:
        """Call `do` for each request, as a rule with an `Act` would; returns that rule."""
        rule = Rule(Act(do, after=after), when=when, nth=nth, times=times)
        self.add(rule)
        return rule

    def counts(self) -> Counter[tuple[str, str]]:
        """(verb, resource) → how many requests came so far, struck or not; paths without a resource by their path."""
        with self._lock:
            return self._counts.copy()

    # Watches

    def watches(self, resource: str | None = None) -> list[ApiRequest]:
        """The open watches that are not silent, oldest first."""

        def read(state: _State) -> list[ApiRequest]:
            speaking = [watch.request for watch in self._chosen(state, resource) if not watch.silent]
            return sorted(speaking, key=lambda request: request.number)

        return self._in_loop(read)

    def close_watches(self, resource: str | None = None) -> int:
        """End the open watches (of a resource) as a server does when their time is over; returns how many."""
        return self._finish(resource, _End.CLOSED)

    def cut_watches(self, resource: str | None = None) -> int:
        """Cut the connections of the open watches (of a resource); returns how many."""
        return self._finish(resource, _End.CUT)

    def expire_watches(self, resource: str | None = None) -> int:
        """Send an ERROR event with code 410 into the open watches (of a resource) and end them; returns how many."""
        return self._finish(resource, _End.EXPIRED)

    def silence_watches(self, resource: str | None = None) -> int:
        """Swallow all further bytes of the open watches (of a resource) for ever; returns how many.

        Their connections stay open until the client closes them. Watches that are opened later speak.
        """

        def silence(state: _State) -> int:
            chosen = [watch for watch in self._chosen(state, resource) if not watch.silent]
            for watch in chosen:
                watch.silent = True
            return len(chosen)

        return self._in_loop(silence)

    def black_hole(self) -> None:
        """Swallow everything from now on: open watches fall silent, requests are neither forwarded nor answered."""

        def swallow(state: _State) -> None:
            self._black = True
            for watch in state.watches:
                watch.silent = True

        self._in_loop(swallow)

    def heal(self) -> None:
        """End a black hole, and cut the requests that it or a `Hold` held; silent watches stay silent."""

        def mend(state: _State) -> None:
            self._black = False
            state.healed.set()
            state.healed = asyncio.Event()

        self._in_loop(mend)

    def _finish(self, resource: str | None, end: _End) -> int:
        def finish(state: _State) -> int:
            chosen = self._chosen(state, resource)
            for watch in chosen:
                watch.finish(end)
            return len(chosen)

        return self._in_loop(finish)

    @staticmethod
    def _chosen(state: _State, resource: str | None) -> list[_Watch]:
        open_watches = [watch for watch in state.watches if not watch.end.done()]
        return [watch for watch in open_watches if resource is None or watch.request.resource == resource]

    # The thread

    @property
    def _running(self) -> _State:
        if self._state is None:
            message = "the fault proxy works inside its `with` block only"
            raise LabError(message)
        return self._state

    def _in_loop(self, work: Callable[[_State], T]) -> T:
        """Do `work` in the proxy's thread, where its state belongs."""
        state = self._running
        if threading.current_thread() is self._thread:
            return work(state)

        async def run() -> T:
            return work(state)

        return asyncio.run_coroutine_threadsafe(run(), state.loop).result()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as problem:
            self._problems.append(problem)
        finally:
            self._listening.set()

    async def _serve(self) -> None:
        state = _State(asyncio.get_running_loop(), asyncio.Event())
        anonymous = Access(self._upstream.server, self._upstream.authority)
        async with _session(anonymous) as theirs, _session(self._upstream) as ours:
            sessions = _Sessions(theirs, ours)

            async def handle(request: web.Request) -> web.StreamResponse:
                return await self._handle(request, state, sessions)

            application = web.Application(client_max_size=_LARGEST_BODY_BYTES)
            application.router.add_route("*", "/{path:.*}", handle)
            runner = web.AppRunner(
                application,
                handler_cancellation=True,
                access_log=None,
                # Who closes an idle connection is decided by the client and by the test, not by the proxy.
                keepalive_timeout=3600,
                shutdown_timeout=0,
            )
            await runner.setup()
            try:
                site = web.TCPSite(runner, _HOST, 0, ssl_context=self._server_context())
                await site.start()
                self._port = runner.addresses[0][1]
                self._state = state
                self._listening.set()
                await state.stop.wait()
            finally:
                for task in state.tasks:
                    task.cancel()
                await asyncio.gather(*state.tasks, return_exceptions=True)
                assert runner.server is not None
                for connection in runner.server.connections:
                    # Closing in order would wait for an answer of the client's, longer than this loop lives.
                    if connection.transport is not None:
                        connection.transport.abort()
                await runner.cleanup()

    def _server_context(self) -> ssl.SSLContext:
        pair = self._authority.server("localhost", hosts=[_HOST, "localhost"])
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        # The standard library loads certificates from files only.
        with tempfile.TemporaryDirectory(prefix="aliquot-fault-proxy-") as folder:
            pair.write(Path(folder), "server")
            context.load_cert_chain(Path(folder, "server.crt"), Path(folder, "server.key"))
        return context

    # Requests

    async def _handle(self, request: web.Request, state: _State, sessions: _Sessions) -> web.StreamResponse:
        body = await request.read()
        seen = self._register(request, body)
        faults = self._script.faults(seen)
        session = sessions.theirs if "Authorization" in request.headers else sessions.ours
        if seen.verb == "watch":
            lost = await self._before(seen, faults, watch=True)
            if lost is None and not self._black:
                return await self._watch(request, seen, state, session)
        else:
            # Carried out to its end even if the client dies meanwhile, as an API server would do.
            work = asyncio.create_task(self._carry_out(request, seen, faults, session))
            state.tasks.add(work)
            work.add_done_callback(state.tasks.discard)
            lost = await asyncio.shield(work)
        if isinstance(lost, web.Response):
            return lost
        if self._black or lost is _Lost.HELD:
            await state.healed.wait()
        return await _cut(request)

    def _register(self, request: web.Request, body: bytes) -> ApiRequest:
        with self._lock:
            self._number += 1
            agent = request.headers.get("User-Agent", "")
            seen = parse(self._number, request.method, request.raw_path, user_agent=agent, body=body)
            self._counts[seen.verb, seen.resource or seen.path] += 1
            return seen

    async def _carry_out(
        self, request: web.Request, seen: ApiRequest, faults: list[Fault], session: aiohttp.ClientSession
    ) -> web.Response | _Lost:
        lost = await self._before(seen, faults, watch=False)
        if lost is not None:
            return lost
        if self._black:
            return _Lost.HELD
        try:
            async with _send(session, self._upstream.server, request, seen.body) as answer:
                content = await answer.read()
                response = web.Response(status=answer.status, body=content, headers=_passed_on(answer.headers))
        except (aiohttp.ClientError, OSError):  # the API server is down, or restarts: the client shall see just that
            return _Lost.CUT
        lost = self._after(seen, faults)
        if self._black:
            return _Lost.HELD
        return response if lost is None else lost

    async def _before(self, seen: ApiRequest, faults: list[Fault], *, watch: bool) -> web.Response | _Lost | None:
        """What strikes before a request is forwarded; for a watch, everything."""
        for fault in faults:
            match fault:
                case Act(do, after) if watch or not after:
                    self._act(do, seen)
                case Delay(seconds):
                    await asyncio.sleep(seconds)
                case Cut(after) | Answer(_, _, after) if after and not watch:
                    return None
                case Cut():
                    return _Lost.CUT
                case Answer():
                    return _response(fault)
                case Hold():
                    return _Lost.HELD
                case Act():
                    pass
        return None

    def _after(self, seen: ApiRequest, faults: list[Fault]) -> web.Response | _Lost | None:
        """What strikes between an API server's answer and its client."""
        for fault in faults:
            match fault:
                case Act(do, True):
                    self._act(do, seen)
                case Cut(True):
                    return _Lost.CUT
                case Answer(_, _, True):
                    return _response(fault)
                case _:
                    pass
        return None

    def _act(self, do: Callable[[ApiRequest], object], seen: ApiRequest) -> None:
        try:
            do(seen)
        except Exception as problem:  # raised again at the end, in the test's own thread
            self._problems.append(problem)

    async def _watch(
        self, request: web.Request, seen: ApiRequest, state: _State, session: aiohttp.ClientSession
    ) -> web.StreamResponse:
        watch = _Watch(seen, state.loop.create_future())
        try:
            async with _send(session, self._upstream.server, request, seen.body) as answer:
                response = web.StreamResponse(status=answer.status, headers=_passed_on(answer.headers))
                await response.prepare(request)
                state.watches.add(watch)
                try:
                    end = await _pump(answer, response, watch)
                finally:
                    state.watches.discard(watch)
                if end is _End.EXPIRED:
                    event = b'{"type":"ERROR","object":' + status_document(410) + b"}\n"
                    await response.write(event)
                if end is not _End.CUT:
                    await response.write_eof()
                    return response
        except (aiohttp.ClientError, OSError):
            pass
        return await _cut(request)


async def _pump(answer: aiohttp.ClientResponse, response: web.StreamResponse, watch: _Watch) -> _End:
    """Pass events on until the server or the test ends the watch."""

    async def pass_on() -> None:
        async for event in _events(answer):
            if not watch.silent:
                await response.write(event)
        if watch.silent:
            await watch.end

    passing = asyncio.create_task(pass_on())
    try:
        await asyncio.wait({passing, watch.end}, return_when=asyncio.FIRST_COMPLETED)
        if watch.end.done():
            return watch.end.result()
        passing.result()
        return _End.CLOSED
    finally:
        passing.cancel()
        await asyncio.gather(passing, return_exceptions=True)
        watch.end.cancel()


async def _events(answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """Whole events, so that nothing is ever put into the middle of one; other encodings than JSON as they come."""
    whole = answer.content_type == "application/json" and "Content-Encoding" not in answer.headers
    rest = b""
    async for chunk in answer.content.iter_any():
        if not whole:
            yield chunk
            continue
        lines, newline, rest = (rest + chunk).rpartition(b"\n")
        if newline:
            yield lines + newline
    if rest:
        yield rest


@contextlib.asynccontextmanager
async def _session(access: Access) -> AsyncGenerator[aiohttp.ClientSession]:
    connector = aiohttp.TCPConnector(ssl=access.ssl_context(), limit=0)
    session = aiohttp.ClientSession(
        connector=connector,
        headers=access.headers(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=_START_SECONDS),
        auto_decompress=False,
        skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        cookie_jar=aiohttp.DummyCookieJar(),
    )
    async with session:
        yield session


@contextlib.asynccontextmanager
async def _send(
    session: aiohttp.ClientSession, server: str, request: web.Request, body: bytes
) -> AsyncGenerator[aiohttp.ClientResponse]:
    headers = [(name, value) for name, value in _passed_on(request.headers) if name.lower() != "host"]
    url = URL(server + request.raw_path, encoded=True)
    async with session.request(
        request.method, url, data=body or None, headers=headers, allow_redirects=False
    ) as answer:
        yield answer


def _passed_on(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in headers.items() if name.lower() not in _HOP_BY_HOP]


def _response(answer: Answer) -> web.Response:
    after = answer.retry_after_seconds
    return web.Response(
        status=answer.status,
        body=answer.document(),
        content_type="application/json",
        headers={} if after is None else {"Retry-After": str(after)},
    )


async def _cut(request: web.Request) -> NoReturn:
    """Cut the connection without a word; the server then cancels the handler."""
    if request.transport is not None:
        request.transport.abort()
    await asyncio.get_running_loop().create_future()
    raise AssertionError("a cut connection cancels its handler")
