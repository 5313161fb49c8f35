"""Events (events.k8s.io/v1): what `kubectl describe` shows, recorded at once and written when there is time.

    record ──▶ new ──▶ written ──recorded again──▶ counted ──▶ count written ─┐
                │         ▲                                                   │
                │         └───────────────────────────────────────────────────┘
                └──▶ dropped, and counted in a metric: too many waiting, too many about one object, refused

- The same thing said again within `window_seconds` is a higher count of the same Event, not another one. What makes two
  of them the same: the objects, type, reason, action, and `key` (the note, where no key is given).
- Until an Event is written its note is the latest; afterwards the API server lets nothing change but the count.
- Names are made from what an Event says and when, so that writing it twice ends in AlreadyExists: done before.
- Nothing that happens to an Event stops anything, or is worth waiting for.
"""

import asyncio
import hashlib
import heapq
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, NamedTuple, NoReturn

import msgspec

from aliquot import log
from aliquot.backoff import Backoff
from aliquot.clock import Clock
from aliquot.kube.client import ApiClient
from aliquot.kube.metrics import EventMetrics
from aliquot.kube.micro_time import micro_time
from aliquot.kube.problems import AlreadyExists, ApiProblem, Forbidden, NotFound
from aliquot.kube.resources import EVENTS
from aliquot.kube.token_bucket import TokenBucket

EventType = Literal["Normal", "Warning"]

CONTROLLER: Final = "aliquot.dev/operator"
"""Who speaks where nobody else is named."""
_log = log.get(__name__)
_LONGEST_NOTE_BYTES: Final = 1024
_LONGEST_WORD: Final = 128
_LONGEST_NAME: Final = 253
_NAMESPACE_OF_CLUSTER_WIDE: Final = "default"
"""Where the API server wants Events about objects without a namespace."""
_BURST_PER_OBJECT: Final = 25
_PER_SECOND_PER_OBJECT: Final = 1 / 300
_KEPT: Final = 4096
"""Series, and objects with a token bucket, that are remembered; the oldest are forgotten first."""
_HOLD_SECONDS: Final = 0.1
_REQUEST_SECONDS: Final = 10.0
_ATTEMPTS: Final = 12
_BACKOFF: Final = Backoff(base_seconds=0.5, cap_seconds=30)


class ObjectReference(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Which object an Event is about, as in `core/v1` ObjectReference; uid so that `kubectl describe` finds it."""

    api_version: str
    kind: str
    namespace: str = ""
    name: str = ""
    uid: str = ""
    resource_version: str = ""
    field_path: str = ""


class _Same(NamedTuple):
    """What makes two Events the same."""

    regarding: str
    related: str
    type: EventType
    reason: str
    action: str
    key: str


@dataclass(slots=True)
class _Series:
    """One Event and how often it was said.

    Attributes:
        regarding: the object it is about.
        related: another object.
        note: for people.
        first: Unix seconds when it was said first.
        last: the same, last.
        said_at: monotonic seconds when it was said last.
        waits_since: monotonic seconds since when it waits to be written.
        count: how often it was said.
        written: the count that the API server knows; 0 before it is created.
        written_at: monotonic seconds when it was written last.
        attempts: failures in a row.
    """

    regarding: ObjectReference
    related: ObjectReference | None
    note: str
    first: float
    last: float
    said_at: float
    waits_since: float
    count: int = 1
    written: int = 0
    written_at: float = 0
    attempts: int = 0


class Recorder:
    """Takes Events from anybody, and writes them while `run` runs.

    Args:
        client: an open client; requests are sent with limits of the recorder's own.
        clock: for times in Events, and for pace.
        metrics: where what is written and dropped is counted.
        controller: who speaks, as a qualified name.
        instance: which process of it.
        per_second: most writes in a second.
        capacity: Events that may wait; more are dropped.
        window_seconds: the same said again after a longer pause than this is another Event.
        series_seconds: a count that goes on rising is written at most this often.
        longest_hold_seconds: how long `hold` may keep an Event waiting.
    """

    def __init__(
        self,
        client: ApiClient,
        clock: Clock,
        metrics: EventMetrics,
        *,
        controller: str = CONTROLLER,
        instance: str,
        per_second: float = 100,
        capacity: int = 10_000,
        window_seconds: float = 360,
        series_seconds: float = 10,
        longest_hold_seconds: float = 30,
    ) -> None:
        assert instance, "an Event names the process that speaks"
        self._given_client = client
        self._clock = clock
        self._metrics = metrics
        self._controller = controller
        self._instance = instance[:_LONGEST_WORD]
        self._per_second = per_second
        self._capacity = capacity
        self._window_seconds = window_seconds
        self._series_seconds = series_seconds
        self._longest_hold_seconds = longest_hold_seconds
        self._series: OrderedDict[_Same, _Series] = OrderedDict()
        self._new: dict[_Same, None] = {}
        self._counted: list[tuple[float, _Same]] = []  # a heap by when the count is due
        self._in_hand: _Same | None = None
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()
        self._wake = asyncio.Event()

    def __len__(self) -> int:
        """Events and counts still to be written."""
        return len(self._new) + len(self._counted) + (self._in_hand is not None)

    def record(
        self,
        regarding: ObjectReference,
        type: EventType,  # noqa: A002 - the field's name in the API
        reason: str,
        note: str,
        action: str,
        *,
        related: ObjectReference | None = None,
        key: str | None = None,
    ) -> None:
        """Say that something happened; returns at once.

        Args:
            regarding: the object that it happened to.
            type: Normal, or Warning for what somebody should look at.
            reason: one word for programs, such as `Scheduled`.
            note: for people; cut to 1,024 bytes.
            action: what was done or tried, one word, such as `Binding`.
            related: another object that had part in it.
            key: what makes two such Events the same instead of the note, for notes with numbers that change.
        """
        assert 0 < len(reason) <= _LONGEST_WORD, f"a reason is one word: {reason!r}"
        assert 0 < len(action) <= _LONGEST_WORD, f"an action is one word: {action!r}"
        same = _Same(_id(regarding), _id(related), type, reason, action, note if key is None else key)
        now = self._clock.monotonic()
        said = self._series.get(same)
        # What still waits is the same to whoever will read it, however long the pause was.
        if said is None or (said.count == said.written and now - said.said_at >= self._window_seconds):
            self._begin(same, regarding, related, note, now)
            return
        said.count += 1
        said.last = self._clock.now()
        said.said_at = now
        self._series.move_to_end(same)
        if said.written == 0:
            said.note = _cut(note)
        elif said.count == said.written + 1:
            self._due(same, said, now)

    def _begin(
        self, same: _Same, regarding: ObjectReference, related: ObjectReference | None, note: str, now: float
    ) -> None:
        if len(self) >= self._capacity:
            self._drop("full")
            return
        if not self._may_speak_of(same.regarding, now):
            self._drop("too many about one object")
            return
        said = self._clock.now()
        self._series[same] = _Series(regarding, related, _cut(note), said, said, now, now)
        self._series.move_to_end(same)
        self._new[same] = None
        self._forget_old()
        self._changed()

    def _may_speak_of(self, regarding: str, now: float) -> bool:
        bucket = self._buckets.get(regarding)
        if bucket is None:
            bucket = self._buckets[regarding] = TokenBucket(_PER_SECOND_PER_OBJECT, _BURST_PER_OBJECT, now)
            if len(self._buckets) > _KEPT:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(regarding)
        return bucket.take(now)

    def _forget_old(self) -> None:
        # What waits to be written is not forgotten; `capacity` is its bound.
        while len(self._series) > _KEPT + len(self):
            same, said = self._series.popitem(last=False)
            if said.count > said.written:
                self._series[same] = said

    def _due(self, same: _Same, said: _Series, now: float) -> None:
        said.waits_since = now
        heapq.heappush(self._counted, (max(now, said.written_at + self._series_seconds), same))
        self._changed()

    def _drop(self, reason: str) -> None:
        self._metrics.dropped.labels(reason).inc()

    def _changed(self) -> None:
        self._metrics.waiting.set(len(self))
        self._wake.set()

    async def run(self, hold: Callable[[], bool] | None = None) -> NoReturn:
        """Write what was recorded, until cancelled; what waits then waits for another run.

        Args:
            hold: while it says True, Events wait for more important writes, though not for ever.
        """
        limits = replace(self._given_client.limits, attempts=1, request_timeout_seconds=_REQUEST_SECONDS)
        client = self._given_client.with_limits(limits)
        pace = TokenBucket(self._per_second, max(1.0, self._per_second), self._clock.monotonic())
        while True:
            # In hand it stays until it is done, also when that takes several attempts or another run.
            same = self._in_hand = self._in_hand or await self._next(hold)
            await asyncio.sleep(pace.reserve(self._clock.monotonic()))
            said = self._series[same]
            try:
                await self._write(client, same, said)
            except ApiProblem as problem:
                await self._consider(same, said, problem)

    async def _next(self, hold: Callable[[], bool] | None) -> _Same:
        """Take what is to be written next out of its queue, once its time has come: new Events before counts."""
        while True:
            now = self._clock.monotonic()
            if not self._new and (not self._counted or self._counted[0][0] > now):
                await self._woken(self._counted[0][0] - now if self._counted else None)
                continue
            same = next(iter(self._new)) if self._new else self._counted[0][1]
            held_for = now - self._series[same].waits_since
            if hold is not None and held_for < self._longest_hold_seconds and hold():
                await asyncio.sleep(_HOLD_SECONDS)
                continue
            if self._new:
                del self._new[same]
            else:
                heapq.heappop(self._counted)
            return same

    async def _woken(self, within_seconds: float | None) -> None:
        self._wake.clear()
        try:
            async with asyncio.timeout(within_seconds):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _write(self, client: ApiClient, same: _Same, said: _Series) -> None:
        count = said.count
        namespace = said.regarding.namespace or _NAMESPACE_OF_CLUSTER_WIDE
        name = _name(same, said)
        series = {"count": count, "lastObservedTime": micro_time(said.last)}
        if said.written:
            await client.merge_patch(EVENTS, namespace, name, {"series": series})
        else:
            body = self._event(same, said, namespace, name)
            if count > 1:
                body["series"] = series
            try:
                await client.create(EVENTS, body, namespace=namespace)
            except AlreadyExists:
                # Written by an attempt whose answer was lost; its count may be an older one.
                count = 1
        self._metrics.written.labels("count" if said.written else "new").inc()
        self._done()
        said.written = count
        said.written_at = self._clock.monotonic()
        said.attempts = 0
        if said.count > count:
            self._due(same, said, said.written_at)

    def _event(self, same: _Same, said: _Series, namespace: str, name: str) -> dict[str, Any]:
        event: dict[str, Any] = {
            "apiVersion": EVENTS.api_version,
            "kind": EVENTS.kind,
            "metadata": {"name": name, "namespace": namespace},
            "eventTime": micro_time(said.first),
            "reportingController": self._controller,
            "reportingInstance": self._instance,
            "action": same.action,
            "reason": same.reason,
            "type": same.type,
            "note": said.note,
            "regarding": said.regarding,
        }
        if said.related is not None:
            event["related"] = said.related
        return event

    def _done(self) -> None:
        self._in_hand = None
        self._changed()

    async def _consider(self, same: _Same, said: _Series, problem: ApiProblem) -> None:
        """Try again later what may succeed later, and forget what will not."""
        said.attempts += 1
        if problem.worth_retry and said.attempts < _ATTEMPTS:
            _log.debug("event is not written yet", reason=same.reason, problem=str(problem))
            await asyncio.sleep(max(_BACKOFF.seconds(said.attempts), problem.retry_after_seconds))
            return
        self._done()
        del self._series[same]
        gone = isinstance(problem, NotFound) or problem.has_cause("NamespaceTerminating")
        if gone or problem.worth_retry:
            self._drop("gone" if gone else "not answered")
            _log.debug("event dropped", reason=same.reason, problem=str(problem))
        else:
            self._drop("forbidden" if isinstance(problem, Forbidden) else "refused")
            _log.warning("event dropped", reason=same.reason, regarding=said.regarding.name, problem=str(problem))


def _id(reference: ObjectReference | None) -> str:
    if reference is None:
        return ""
    return reference.uid or f"{reference.kind}/{reference.namespace}/{reference.name}"


def _name(same: _Same, said: _Series) -> str:
    digest = hashlib.sha256("\0".join((*same, micro_time(said.first))).encode()).hexdigest()[:16]
    return f"{said.regarding.name[: _LONGEST_NAME - 17].rstrip('-.')}.{digest}"


def _cut(note: str) -> str:
    encoded = note.encode()
    if len(encoded) <= _LONGEST_NOTE_BYTES:
        return note
    return encoded[: _LONGEST_NOTE_BYTES - 3].decode(errors="ignore") + "…"
