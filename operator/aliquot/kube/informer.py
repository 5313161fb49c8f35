"""Keeps a cache of one kind in step with the API server: a list, then a watch, for as long as the process lives.

    list ──▶ watch ──▶ (the server ends it, it breaks, it falls silent) ──▶ watch again from the last version heard of
      ▲                      │
      └── 410, a version from the future, or three unexplained failures in a row ◀──┘

It never gives up; `last_problem` and `seconds_since_contact` say how it is doing. A kind that is not served (any more:
404) has no objects, as its definition goes only after they have gone. A handler that raises is a mistake of ours: the
exception leaves `run`, as a cache whose readers missed a change is worse than a restart.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from random import Random
from typing import Final, Generic, NoReturn, TypeVar

import msgspec

from aliquot import log
from aliquot.backoff import Backoff
from aliquot.clock import Clock
from aliquot.kube.cache import Key, ObjectCache
from aliquot.kube.client import ApiClient
from aliquot.kube.decoding import EventDecoder, EventType, HasMetadata, MetadataOnly, Undecodable, WatchEvent
from aliquot.kube.metrics import WatchMetrics
from aliquot.kube.problems import (
    ApiProblem,
    Expired,
    Forbidden,
    NoAnswer,
    NotFound,
    Request,
    TooManyRequests,
    Unreadable,
    from_status,
)
from aliquot.kube.resources import Resource

T = TypeVar("T", bound=HasMetadata)
Handler = Callable[[T | None, T | None], None]
"""Called with (old, new) after the cache has changed; must return at once. See `aliquot.kube.cache`."""

_log = log.get(__name__)
_BACKOFF: Final = Backoff(base_seconds=0.2, cap_seconds=30, spread=0.5)
_SHORTEST_WATCH_SECONDS: Final = 300
_LONGEST_WATCH_SECONDS: Final = 600
_UNEXPLAINED_FAILURES: Final = 3
_LOOK_SECONDS: Final = 0.1
_CHANGES_AT_ONCE: Final = 200
"""After so many changes of a list others get their turn: leases and other watches live in the same loop."""
_FROM_THE_FUTURE: Final = "ResourceVersionTooLarge"


class Informer(Generic[T]):
    """A cache of one kind, and those who want to know of its changes.

    Args:
        api: an open client.
        resource: which kind.
        projection: a msgspec struct with the fields that are needed, `metadata` among them.
        clock: for `seconds_since_contact`.
        metrics: where events and restarts are counted.
        namespace: empty for all.
        label_selector: as for kubectl.
        field_selector: as for kubectl.
        silence_seconds: a stream without event or bookmark for so long is opened anew; bookmarks come every 60 s.
        chance: spreads the ends of watches and the waits after failures.
    """

    def __init__(
        self,
        api: ApiClient,
        resource: Resource,
        projection: type[T],
        clock: Clock,
        metrics: WatchMetrics,
        *,
        namespace: str = "",
        label_selector: str = "",
        field_selector: str = "",
        silence_seconds: float = 90,
        chance: Random | None = None,
    ) -> None:
        self.resource = resource
        self.synced = asyncio.Event()
        """Set once the first list is in the cache and was handed to the handlers; stays set."""
        self.resource_version = ""
        """Version up to which everything was heard of; empty while a list is needed."""
        self.last_problem: ApiProblem | None = None
        """What went wrong last; None while the watch is in order."""
        self.not_served: list[Callable[[], None]] = []
        """Called each time the kind is found not to be served; what objects there were has been told of by then."""
        self._api = api
        self._projection = projection
        self._clock = clock
        self._metrics = metrics
        self._count = metrics.objects.labels(resource.full_name)
        self._events = {type_: metrics.events.labels(resource.full_name, type_) for type_ in EventType}
        self._namespace = namespace
        self._label_selector = label_selector
        self._field_selector = field_selector
        self._silence_seconds = silence_seconds
        self._chance = chance or Random()  # noqa: S311 - spreads reconnects, guards nothing
        self._cache = ObjectCache[T]()
        self._handlers: list[Handler[T]] = []
        self._decoder = EventDecoder(projection)
        self._last_contact = clock.monotonic()
        self._failures = 0
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    def add_handler(self, handler: Handler[T]) -> None:
        """Have a function told of every change; objects that are there already are handed to it at once as new."""
        self._handlers.append(handler)
        for found in self._cache.objects.values():
            handler(None, found)

    def get(self, namespace: str, name: str) -> T | None:
        """The object of that name, as last heard of."""
        return self._cache.objects.get((namespace, name))

    def __iter__(self) -> Iterator[T]:
        return iter(self._cache.objects.values())

    def __len__(self) -> int:
        return len(self._cache.objects)

    @property
    def undecodable(self) -> Mapping[Key, Undecodable]:
        """Objects that do not fit the projection; the cache keeps their last good version, if there was one."""
        return self._cache.undecodable

    def seconds_since_contact(self) -> float:
        """Seconds since a list, an event or a bookmark was received."""
        return self._clock.monotonic() - self._last_contact

    async def caught_up(self, within_seconds: float) -> bool:
        """Compare with the API server: whether everything that happened before this call is heard of in time.

        A kind in which nothing happens is only known to be in step after its next bookmark, so give it over 60 s.

        Raises:
            ApiProblem: the API server could not be asked.
        """
        async for page in self._api.pages(self.resource, MetadataOnly, namespace=self._namespace, chunk_size=1):
            wanted = int(page.resource_version)
            break
        else:
            raise AssertionError("a list has at least one page")
        if self._heard() >= wanted:
            return True
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((wanted, future))
        try:
            async with asyncio.timeout(within_seconds):
                await future
        except TimeoutError:
            return False
        finally:
            self._waiting = [entry for entry in self._waiting if entry[1] is not future]
        return True

    def _heard(self) -> int:
        return int(self.resource_version or 0)

    async def run(self) -> NoReturn:
        """List and watch until cancelled."""
        while True:
            try:
                if not self.resource_version:
                    await self._list()
                await self._watch()
                reason = "ended"
                self._failures += 1
            except ApiProblem as problem:
                self._failures += 1
                reason = type(problem).__name__
                self._consider(problem)
            self._metrics.restarts.labels(self.resource.full_name, reason).inc()
            # A failure right after good news costs no wait if the server meant it: it ended the watch, or forgot.
            if self._failures > 1 or reason not in {"ended", Expired.__name__}:
                await asyncio.sleep(self._wait())

    def _wait(self) -> float:
        asked = self.last_problem.retry_after_seconds if self.last_problem is not None else 0
        return max(_BACKOFF.seconds(self._failures, self._chance), min(asked, _BACKOFF.cap_seconds))

    def _consider(self, problem: ApiProblem) -> None:
        """Decide whether the watch can go on from the version that we have."""
        unexplained = not isinstance(problem, NoAnswer | TooManyRequests) and self._failures >= _UNEXPLAINED_FAILURES
        if isinstance(problem, Expired) or problem.has_cause(_FROM_THE_FUTURE) or unexplained:
            self.resource_version = ""
        if isinstance(problem, NotFound):
            self.resource_version = ""
            self._forget_all()
            for listener in self.not_served:
                listener()
        level = _log.debug if self._failures == 1 else _log.warning
        level("watch interrupted", resource=self.resource.full_name, problem=str(problem), failures=self._failures)
        self.last_problem = problem

    async def _list(self) -> None:
        page = await self._api.list(
            self.resource,
            self._projection,
            namespace=self._namespace,
            label_selector=self._label_selector,
            field_selector=self._field_selector,
        )
        self._report(page.undecodable)
        for number, change in enumerate(self._cache.replace(page.items, page.undecodable), start=1):
            self._tell(*change)
            if number % _CHANGES_AT_ONCE == 0:
                await asyncio.sleep(0)
        self._contact(page.resource_version)
        self._count.set(len(self))
        self.synced.set()

    def _forget_all(self) -> None:
        for change in self._cache.replace([], []):
            self._tell(*change)
        self._count.set(0)

    async def _watch(self) -> None:
        until = self._chance.randint(_SHORTEST_WATCH_SECONDS, _LONGEST_WATCH_SECONDS)
        async with self._api.watch(
            self.resource,
            resource_version=self.resource_version,
            timeout_seconds=until,
            silence_seconds=self._silence_seconds,
            namespace=self._namespace,
            label_selector=self._label_selector,
            field_selector=self._field_selector,
        ) as lines:
            self.last_problem = None
            async for line in lines:
                self._receive(self._decode(line))
                self._failures = 0

    def _decode(self, line: bytes) -> WatchEvent[T]:
        try:
            return self._decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Unreadable(self._request(), f"this is no watch event: {error}: {line[:200]!r}") from error

    def _request(self) -> Request:
        return Request("watch", self.resource.full_name, self._namespace)

    def _receive(self, event: WatchEvent[T]) -> None:
        self._events[event.type].inc()
        if event.status is not None:
            raise from_status(self._request(), event.status)
        if event.type is not EventType.BOOKMARK:
            for change in self._changes(event):
                self._tell(*change)
            self._count.set(len(self))
        self._contact(event.identity.resource_version)

    def _changes(self, event: WatchEvent[T]) -> Iterator[tuple[T | None, T | None]]:
        if event.type is EventType.DELETED:
            return self._cache.remove(event.identity)
        if event.object is not None:
            return self._cache.put(event.object)
        found = event.undecodable()
        self._report([found])
        return self._cache.put_undecodable(found)

    def _report(self, undecodable: Sequence[Undecodable]) -> None:
        for found in undecodable:
            self._metrics.undecodable.labels(self.resource.full_name).inc()
            known = self._cache.undecodable.get((found.identity.namespace, found.identity.name))
            if known is None or known.error != found.error:
                _log.warning(
                    "object does not have the expected shape",
                    resource=self.resource.full_name,
                    namespace=found.identity.namespace,
                    name=found.identity.name,
                    problem=found.error,
                )

    def _tell(self, old: T | None, new: T | None) -> None:
        for handler in self._handlers:
            handler(old, new)

    def _contact(self, resource_version: str) -> None:
        self.resource_version = resource_version
        self._last_contact = self._clock.monotonic()
        if self._waiting:
            heard = self._heard()
            for wanted, future in self._waiting:
                if heard >= wanted and not future.done():
                    future.set_result(None)


async def all_synced(informers: Iterable[Informer[HasMetadata]]) -> None:
    """Wait until each of them has its first list."""
    for informer in informers:
        await informer.synced.wait()


async def filled(informer: Informer[T], within_seconds: float) -> bool:
    """Wait for the first list; False: it may not be read, or is not there in time."""
    deadline = asyncio.get_running_loop().time() + within_seconds
    while not informer.synced.is_set():
        if isinstance(informer.last_problem, Forbidden) or asyncio.get_running_loop().time() >= deadline:
            return False
        with suppress(TimeoutError):
            await asyncio.wait_for(informer.synced.wait(), _LOOK_SECONDS)
    return True
