"""Plain JSON requests to an API server: one at a time, or many at once."""

import asyncio
import http.client
import threading
import weakref
from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

import aiohttp
import orjson

from aliquot_lab.errors import LabError
from aliquot_lab.kubeconfig import Access

T = TypeVar("T")
_TIMEOUT_SECONDS = 60.0
_AT_ONCE = 32


class ApiError(LabError):
    """The API server refused a request.

    Attributes:
        status: HTTP status.
        reason: The reason in the `Status` object, such as `NotFound`; empty if there was none.
    """

    def __init__(self, method: str, path: str, status: int, body: bytes) -> None:
        try:
            document = cast("dict[str, Any]", orjson.loads(body))
            self.reason, text = str(document.get("reason", "")), str(document.get("message", ""))
        except (orjson.JSONDecodeError, AttributeError):
            self.reason, text = "", body.decode(errors="replace")[:500]
        self.status = status
        super().__init__(f"{method} {path}: {status} {self.reason}: {text}")


@dataclass(frozen=True)
class Call:
    """One request; `allowed` are error statuses that count as success (409 when creating what may exist)."""

    method: str
    path: str
    body: object = None
    content_type: str = "application/json"
    allowed: frozenset[int] = field(default_factory=frozenset[int])


class Api:
    """An API server, reached with one identity. Safe to use from several threads.

    Who waits for something reads again and again: reading goes over connections that stay open, as opening one costs
    both sides more than the question.
    """

    def __init__(self, access: Access) -> None:
        self.access = access
        self._context = access.ssl_context()
        self._address = urlsplit(access.server)
        self._idle: list[http.client.HTTPConnection] = []
        weakref.finalize(self, _close_all, self._idle)

    def call(self, method: str, path: str, body: object = None, *, content_type: str = "application/json") -> Any:
        """Send one request and return the decoded answer (None for an answer that is no JSON, such as /readyz's).

        Raises:
            ApiError: the server answered with an error.
            OSError: the server could not be reached.
        """
        headers = {"Content-Type": content_type, "Accept": "application/json", **self.access.headers()}
        if method == "GET" and self._idle:
            try:
                return self._answer(self._idle.pop(), method, path, body, headers)
            except (OSError, IndexError):  # left by its server since, or taken by another thread: one more is opened
                pass
        return self._answer(self._connection(), method, path, body, headers)

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self._address.hostname or "", self._address.port
        if self._address.scheme == "https":
            return http.client.HTTPSConnection(host, port, timeout=_TIMEOUT_SECONDS, context=self._context)
        return http.client.HTTPConnection(host, port, timeout=_TIMEOUT_SECONDS)

    def _answer(
        self, connection: http.client.HTTPConnection, method: str, path: str, body: object, headers: dict[str, str]
    ) -> Any:
        stays_open = False
        try:
            connection.request(method, self._address.path + path, _encoded(body), headers)
            response = connection.getresponse()
            content = response.read()
            stays_open = method == "GET" and not response.will_close
        except http.client.HTTPException as problem:  # a server that dies in the middle of an answer
            message = f"{method} {path}: {problem!r}"
            raise ConnectionError(message) from problem
        finally:
            if not stays_open:
                connection.close()
        if stays_open:
            self._idle.append(connection)
        if response.status >= 400:
            raise ApiError(method, path, response.status, content)
        return orjson.loads(content) if response.headers.get_content_type() == "application/json" else None

    def answers(self, path: str) -> bool:
        """Whether GET `path` succeeds."""
        try:
            self.call("GET", path)
        except (ApiError, OSError):
            return False
        return True

    def call_all(self, calls: Sequence[Call]) -> None:
        """Send many requests, several at once; blocks until all are done, also inside a running event loop.

        Raises:
            ApiError: the first refusal.
        """
        if calls:
            run_blocking(self._call_all(calls))

    async def _call_all(self, calls: Iterable[Call]) -> None:
        waiting = iter(calls)
        connector = aiohttp.TCPConnector(ssl=self._context, limit=_AT_ONCE)
        timeout = aiohttp.ClientTimeout(total=_TIMEOUT_SECONDS)
        async with aiohttp.ClientSession(
            connector=connector, timeout=timeout, headers=self.access.headers()
        ) as session:

            async def worker() -> None:
                for call in waiting:
                    await self._call(session, call)

            async with asyncio.TaskGroup() as workers:
                for _ in range(_AT_ONCE):
                    workers.create_task(worker())

    async def _call(self, session: aiohttp.ClientSession, call: Call) -> None:
        headers = {"Content-Type": call.content_type}
        url = self.access.server + call.path
        async with session.request(call.method, url, data=_encoded(call.body), headers=headers) as response:
            content = await response.read()
            if response.status >= 400 and response.status not in call.allowed:
                raise ApiError(call.method, call.path, response.status, content)


def run_blocking(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` to its end in an event loop of its own, whether or not this thread runs one already."""
    results: list[T] = []
    problems: list[BaseException] = []

    def run() -> None:
        try:
            results.append(asyncio.run(work))
        except BaseExceptionGroup as group:
            problems.append(group.exceptions[0])
        except BaseException as problem:
            problems.append(problem)

    thread = threading.Thread(target=run, name="aliquot-lab-requests")
    thread.start()
    thread.join()
    if problems:
        raise problems[0]
    return results[0]


def _close_all(connections: list[http.client.HTTPConnection]) -> None:
    for connection in connections:
        connection.close()


def _encoded(body: object) -> bytes | None:
    return None if body is None else orjson.dumps(body)
