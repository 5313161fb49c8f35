"""Sending requests: connections, credentials, time limits, retries and metrics; knows paths, not objects.

Watches have connections of their own: aiohttp's pool is not fair, and a request that waits behind them may starve
(notes/lab.md 5). The pool for the others should be larger than the number of workers.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Final, Self, TypeAlias, TypeVar
from urllib.parse import urlencode

import aiohttp
import msgspec
from yarl import URL

from aliquot.backoff import Backoff
from aliquot.clock import Clock
from aliquot.kube.config import Server
from aliquot.kube.metrics import RequestMetrics
from aliquot.kube.problems import (
    ApiProblem,
    NoAnswer,
    Refused,
    Request,
    Timeout,
    Unauthorized,
    Unreachable,
    Unreadable,
    refusal,
)
from aliquot.kube.token_bucket import TokenBucket

T = TypeVar("T")
Socket: TypeAlias = "aiohttp.ClientWebSocketResponse[bool]"
_CONNECT_SECONDS: Final = 10.0
_WARNING: Final = re.compile(r'299 \S+ "(?P<text>(?:[^"\\]|\\.)*)"')
_BACKOFF: Final = Backoff(base_seconds=0.1, cap_seconds=10, spread=0.5)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be asked of an API server, and how patiently.

    Attributes:
        connections: requests on their way at once, watches not counted; more than there are workers.
        request_timeout_seconds: longest wait for one answer.
        attempts: how often a request is sent before its problem is raised.
        backoff: wait between attempts; `Retry-After` makes it longer, never shorter.
        longest_retry_after_seconds: an answer that asks for a longer wait than this is raised at once.
        requests_per_second: client-side limit; None leaves it to the server's own fairness.
        burst: requests beyond that limit that may go at once.
    """

    connections: int = 128
    request_timeout_seconds: float = 30
    attempts: int = 6
    backoff: Backoff = _BACKOFF
    longest_retry_after_seconds: float = 30
    requests_per_second: float | None = None
    burst: int = 100


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said, not read yet: most writes need nothing of it.

    Attributes:
        request: what was asked.
        body: JSON as it came.
        warnings: what the server has to say besides, for people.
    """

    request: Request
    body: bytes
    warnings: tuple[str, ...] = ()

    def decode(self, type_: type[T]) -> T:
        """Read it as a msgspec struct or any type that msgspec knows.

        Raises:
            Unreadable: it has another shape.
        """
        try:
            return msgspec.json.decode(self.body, type=type_)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Unreadable(self.request, f"the answer is no {type_.__name__}: {error}") from error

    def json(self) -> dict[str, object]:
        """Read it as an untyped object.

        Raises:
            Unreadable: it is no JSON object.
        """
        return self.decode(dict[str, object])


class Transport:
    """A set of connections to one server, to be used as an async context manager.

    Args:
        server: where, and who we are there (`aliquot.kube.config.find_server`).
        clock: for durations.
        metrics: where requests are counted.
        user_agent: how the server's audit log shall call us, such as `aliquot-operator/0.1.0`.
        limits: how much may be asked, and how patiently.
        chance: spreads retries; without it they are spread by a generator of its own.
    """

    def __init__(
        self,
        server: Server,
        clock: Clock,
        metrics: RequestMetrics,
        *,
        user_agent: str,
        limits: Limits | None = None,
        chance: Random | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self.server = server
        self._clock = clock
        self._metrics = metrics
        self._user_agent = user_agent
        self._chance = chance or Random()  # noqa: S311 - spreads retries, guards nothing
        self._sessions: _Sessions | None = None
        self._timeout = aiohttp.ClientTimeout(total=self.limits.request_timeout_seconds, sock_connect=_CONNECT_SECONDS)
        rate = self.limits.requests_per_second
        self._bucket = None if rate is None else TokenBucket(rate, self.limits.burst, clock.monotonic())

    async def __aenter__(self) -> Self:
        assert self._sessions is None, "a transport is opened once"
        self._sessions = _Sessions(self.server, self.limits, self._user_agent)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._sessions is not None:
            await self._sessions.close()
            self._sessions = None

    def with_limits(self, limits: Limits) -> "Transport":
        """The same connections with other time limits and attempts; open and close the original.

        A limit on requests per second is shared with the original, unless the new limits have none.
        """
        other = Transport(
            self.server, self._clock, self._metrics, user_agent=self._user_agent, limits=limits, chance=self._chance
        )
        other._sessions = self._opened()
        other._bucket = None if limits.requests_per_second is None else self._bucket
        return other

    def _opened(self) -> "_Sessions":
        assert self._sessions is not None, "the client is not open: use `async with`"
        return self._sessions

    async def send(
        self,
        request: Request,
        method: str,
        path: str,
        *,
        parameters: Mapping[str, str | int] | None = None,
        body: bytes | None = None,
        content_type: str = "application/json",
        repeatable: bool = True,
    ) -> Answer:
        """Send a request until it is answered, refused for good, or given up.

        Args:
            request: what it is about, for problems and metrics.
            method: HTTP method.
            path: escaped path.
            parameters: query.
            body: JSON.
            content_type: of the body.
            repeatable: whether carrying it out twice does no more than once. If not, it is sent again only when it
                was certainly not carried out: no connection was made, or the server answered 429.

        Raises:
            ApiProblem: whatever the last attempt met.
        """
        url = self._url(path, parameters)
        attempt = 0
        knocked_twice = False
        while True:
            attempt += 1
            if self._bucket is not None and (wait := self._bucket.reserve(self._clock.monotonic())):
                await asyncio.sleep(wait)
            identity = await self.server.credentials.headers()
            headers = identity if body is None else {**identity, "Content-Type": content_type}
            try:
                return await self._once(request, method, url, headers, body)
            except Unauthorized:
                if knocked_twice or not await self.server.credentials.refresh(seen=identity):
                    raise
                knocked_twice = True
            except ApiProblem as problem:
                if attempt >= self.limits.attempts or not self._may_repeat(problem, repeatable=repeatable):
                    raise
                wait = self.limits.backoff.seconds(attempt, self._chance)
                await asyncio.sleep(max(wait, problem.retry_after_seconds))
            self._metrics.retried(request)

    def _may_repeat(self, problem: ApiProblem, *, repeatable: bool) -> bool:
        if not problem.worth_retry or problem.retry_after_seconds > self.limits.longest_retry_after_seconds:
            return False
        return repeatable or not problem.may_be_done

    def _url(self, path: str, parameters: Mapping[str, str | int] | None) -> URL:
        query = f"?{urlencode(parameters)}" if parameters else ""
        return URL(f"{self.server.url}{path}{query}", encoded=True)

    async def _once(
        self, request: Request, method: str, url: URL, headers: Mapping[str, str], body: bytes | None
    ) -> Answer:
        session = self._opened().requests
        started = self._clock.monotonic()
        code = 0
        self._metrics.in_flight.inc()
        try:
            async with session.request(
                method,
                url,
                data=body,
                headers=headers,
                proxy=self.server.proxy,
                server_hostname=self.server.tls_server_name,
                timeout=self._timeout,
            ) as response:
                answer = await response.read()
                code = response.status
                if code >= 400:
                    raise refusal(request, code, answer, response.headers.get("Retry-After", ""))
                return Answer(request, answer, _warnings(response.headers.getall("Warning", ())))
        except (aiohttp.ClientError, OSError) as error:  # a TimeoutError is an OSError
            raise _no_answer(request, error) from error
        finally:
            self._metrics.in_flight.dec()
            self._metrics.answered(request, code, self._clock.monotonic() - started)

    @asynccontextmanager
    async def stream(
        self, request: Request, path: str, parameters: Mapping[str, str | int], *, silence_seconds: float
    ) -> AsyncGenerator[AsyncIterator[bytes]]:
        """Open a stream of lines; it ends when the server ends it.

        A last line without its line break was cut off, and is dropped.

        Args:
            request: what it is about.
            path: escaped path.
            parameters: query.
            silence_seconds: a stream that brings nothing for so long raises Timeout.

        Raises:
            ApiProblem: it was refused, broke or fell silent.
        """
        identity = await self.server.credentials.headers()
        url = self._url(path, parameters)
        try:
            response = await self._open(request, url, identity, silence_seconds)
        except Unauthorized:
            if not await self.server.credentials.refresh(seen=identity):
                raise
            response = await self._open(request, url, await self.server.credentials.headers(), silence_seconds)
        try:
            yield _lines(request, response.content)
        finally:
            response.close()

    async def _open(
        self, request: Request, url: URL, headers: Mapping[str, str], silence_seconds: float
    ) -> aiohttp.ClientResponse:
        code = 0
        try:
            response = await self._opened().watches.get(
                url,
                headers=headers,
                proxy=self.server.proxy,
                server_hostname=self.server.tls_server_name,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS, sock_read=silence_seconds),
            )
            code = response.status
            if code >= 400:
                async with response:
                    raise refusal(request, code, await response.read(), response.headers.get("Retry-After", ""))
            return response
        except (aiohttp.ClientError, OSError) as error:
            raise _no_answer(request, error) from error
        finally:
            self._metrics.answered(request, code, None)

    @asynccontextmanager
    async def converse(
        self, request: Request, path: str, parameters: Mapping[str, str | int], *, protocol: str
    ) -> AsyncGenerator[Socket]:
        """Open a websocket, and close it at the end of the context.

        Args:
            request: what it is about.
            path: escaped path.
            parameters: query.
            protocol: what both sides speak, such as `v4.channel.k8s.io`.

        Raises:
            ApiProblem: it was refused, or nobody answers.
        """
        identity = await self.server.credentials.headers()
        try:
            socket = await self._upgrade(request, path, parameters, protocol, identity)
        except Unauthorized:
            if not await self.server.credentials.refresh(seen=identity):
                raise
            identity = await self.server.credentials.headers()
            socket = await self._upgrade(request, path, parameters, protocol, identity)
        async with socket:
            yield socket

    async def _upgrade(
        self,
        request: Request,
        path: str,
        parameters: Mapping[str, str | int],
        protocol: str,
        identity: Mapping[str, str],
    ) -> Socket:
        code = 0
        try:
            socket = await self._opened().watches.ws_connect(
                self._url(path, parameters),
                protocols=(protocol,),
                headers={**identity, "Accept": "*/*"},  # it is no JSON that comes: it would be refused
                proxy=self.server.proxy,
                server_hostname=self.server.tls_server_name,
                max_msg_size=0,
            )
        except aiohttp.WSServerHandshakeError as problem:
            code = problem.status
            raise await self._why_refused(request, path, parameters, code) from problem
        except (aiohttp.ClientError, OSError) as error:
            raise _no_answer(request, error) from error
        else:
            code = 101
            return socket
        finally:
            self._metrics.answered(request, code, None)

    async def _why_refused(
        self, request: Request, path: str, parameters: Mapping[str, str | int], code: int
    ) -> ApiProblem:
        """Say why a websocket is refused: aiohttp keeps no word of it, and who just asks gets the same answer."""
        if code == 401:
            return refusal(request, code, b"Unauthorized")
        try:
            await self.send(request, "GET", path, parameters=parameters)
        except Refused as problem:
            if problem.status == code:
                return problem
        except ApiProblem:
            pass
        return refusal(request, code, b"")


class _Sessions:
    """aiohttp's sessions, one for requests and one for watches."""

    def __init__(self, server: Server, limits: Limits, user_agent: str) -> None:
        def session(connections: int) -> aiohttp.ClientSession:
            return aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    ssl=server.tls if server.tls is not None else True, limit=connections, keepalive_timeout=60
                ),
                # Nobody between us and the server gains from compressing: it costs both ends more than it saves.
                headers={"User-Agent": user_agent, "Accept": "application/json", "Accept-Encoding": "identity"},
                cookie_jar=aiohttp.DummyCookieJar(),
                # Reading the environment and .netrc on every request doubles its cost (notes/python-operator.md 0.4).
                trust_env=False,
            )

        self.requests = session(limits.connections)
        self.watches = session(0)

    async def close(self) -> None:
        await self.requests.close()
        await self.watches.close()


async def _lines(request: Request, content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    tail = b""
    try:
        async for chunk in content.iter_any():
            *lines, tail = (tail + chunk).split(b"\n")
            for line in lines:
                if line:
                    yield line
    except (aiohttp.ClientError, OSError) as error:
        raise _no_answer(request, error) from error


def _warnings(headers: Sequence[str]) -> tuple[str, ...]:
    """Read the texts of headers such as `299 - "unknown field"`, in which a backslash protects a quote."""
    texts = (found["text"] for header in headers if (found := _WARNING.match(header)))
    return tuple(re.sub(r"\\(.)", r"\1", text) for text in texts)


def _no_answer(request: Request, error: Exception) -> NoAnswer:
    sent = not isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)
    message = str(error) or type(error).__name__
    if isinstance(error, TimeoutError):
        return Timeout(request, message, sent=sent)
    return Unreachable(request, message, sent=sent)
