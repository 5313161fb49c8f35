"""Keeps custom resources as the control plane wants them, for as long as the operator knows what that is.

    desired ────────────────┐
    changed by hand ────────┼─▶ a pass: compare all ─▶ missing: POST; different: PATCH; not wanted any more: DELETE
    refused, and time is up ┘

Only differences are written, so a settled cluster costs nothing. What the API server refuses is tried again, more and
more rarely, and keeps nothing else from being written. So is what somebody else changes back, again and again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any, Final, TypeVar

from aliquot import log, names
from aliquot.backoff import Backoff
from aliquot.clock import Clock
from aliquot.cluster.resources import kind_of, resource_of
from aliquot.cluster.sync.caches import Caches
from aliquot.cluster.sync.manifests import (
    MODELS,
    Held,
    Place,
    Wanted,
    difference,
    is_going,
    is_managed,
    manifest,
    no_longer_wanted,
    place_of,
    wanted,
)
from aliquot.contracts.cluster_sync import Desired
from aliquot.contracts.kinds.tenancy import AccessRule
from aliquot.kube.client import ApiClient
from aliquot.kube.problems import AlreadyExists, ApiProblem, Conflict, NotFound

_log = log.get(__name__)
_PATIENCE: Final = Backoff(base_seconds=0.5, cap_seconds=60, spread=0.5)
_WRITES_AT_ONCE: Final = 8
_LOOKS_AT_ONCE: Final = 50
"""So many objects are compared before others get a turn of the event loop."""
_MOST_TOLD: Final = 5
_LOOK_AGAIN: Final = (AlreadyExists, Conflict, NotFound)
"""What we do not know yet is on its way to us."""
_LOOKS: Final = 3
"""Or so it is hoped so many times."""

HeldT = TypeVar("HeldT", bound=Held)
_Write = tuple[Place, Callable[[], Awaitable[None]]]


@dataclass(frozen=True, slots=True)
class _Try:
    """The last try to write an object.

    Attributes:
        said: why it was refused; None: it was not, or that is nobody's business yet.
        times: how many there were in a row.
        due: monotonic seconds from which there may be another one.
    """

    said: str | None
    times: int
    due: float


class Keeper:
    """See the module.

    Args:
        client: writes.
        caches: the custom resources, by kind.
        cluster: uuid of the cluster.
        shared_namespace: where policies for all projects are.
        clock: for waits.
        changed: called when something else is to be reported than before: of an object, or (None) of all together.
        chance: spreads waits.
    """

    def __init__(
        self,
        client: ApiClient,
        caches: Caches,
        cluster: str,
        shared_namespace: str,
        clock: Clock,
        changed: Callable[[Place | None], None],
        chance: Random,
    ) -> None:
        self._client = client
        self._caches = caches
        self._cluster = cluster
        self._shared_namespace = shared_namespace
        self._clock = clock
        self._changed = changed
        self._chance = chance
        self._desired: Desired | None = None
        self._wants: dict[Place, Wanted] = {}
        self._tries: dict[Place, _Try] = {}
        self._open: set[Place] = set()
        """What the last pass has not put in place."""
        self._due = asyncio.Event()
        self.applied: str | None = None
        """Last revision of which everything was in place; None: of none that we know."""
        self.has_looked = False
        """Whether it is known what is wanted, and was compared with what is there."""

    def want(self, desired: Desired) -> None:
        """Learn what is wanted from now on."""
        self._desired = desired
        self._wants = {want.place: want for want in wanted(desired, self._shared_namespace)}
        self._tries = {place: _Try(each.said, 0, 0) for place, each in self._tries.items() if each.said is not None}
        self._due.set()

    def problem(self, place: Place) -> str | None:
        """Why an object is not as it is wanted; None: it is, or nobody has tried yet."""
        last = self._tries.get(place)
        return None if last is None else last.said

    def is_managed(self, place: Place) -> bool:
        """Whether an object is the control plane's, or cannot be made so."""
        held = self._get(place)
        return self.problem(place) is not None or (held is not None and is_managed(held, self._cluster))

    @property
    def refused(self) -> Collection[Place]:
        """The objects that are not as they are wanted."""
        return {place for place, last in self._tries.items() if last.said is not None}

    @property
    def not_managed(self) -> int:
        """How many projects, departments, node pools and policies are none of the control plane's."""
        return sum(
            not is_managed(held, self._cluster) and place_of(held) not in self._wants
            for model in MODELS
            if model is not AccessRule
            for held in self._caches.of(model)
        )

    def heard(self, old: HeldT | None, new: HeldT | None) -> None:
        """Learn of a change of a custom resource: a listener of its cache."""
        if old is not None and new is not None and old.spec == new.spec and _bond(old) == _bond(new):
            return
        self._due.set()

    async def run(self) -> None:
        """Keep them, until cancelled."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._due.wait(), self._until_due())
            self._due.clear()
            if self._desired is not None:
                await self._pass(self._desired)

    def _until_due(self) -> float | None:
        due = [self._tries[place].due for place in self._open if place in self._tries]
        return max(0.0, min(due) - self._clock.monotonic()) if due else None

    async def _pass(self, desired: Desired) -> None:
        """Compare everything, and write what differs."""
        refused_before = set(self.refused)
        self._tries = {place: each for place, each in self._tries.items() if self._may_matter(place)}
        self._open = set()
        for model in MODELS:
            writes: list[_Write] = []
            for number, want in enumerate([want for place, want in self._wants.items() if place.model is model]):
                writes.extend(self._settling(want))
                if number % _LOOKS_AT_ONCE == 0:
                    await asyncio.sleep(0)
            await self._carry_out(writes)
        for model in reversed(MODELS):
            left = no_longer_wanted(self._caches.of(model), self._wants, self._cluster)
            await self._carry_out([(place_of(held), partial(self._remove, held)) for held in left])
        self._tell(refused_before)
        is_news, self.has_looked = not self.has_looked, True
        if is_news and (others := self.not_managed):
            _log.info("left alone: the control plane does not have them", count=others)
        if desired is self._desired and not self._open and desired.revision != self.applied:
            self.applied, is_news = desired.revision, True
        if is_news:
            self._changed(None)

    def _may_matter(self, place: Place) -> bool:
        """Whether an object is still to be written or to go."""
        held = self._get(place)
        return place in self._wants or (held is not None and is_managed(held, self._cluster) and not is_going(held))

    def _settling(self, want: Wanted) -> Iterator[_Write]:
        """What is to be written to make an object what it is to be, if anything."""
        place, held = want.place, self._get(want.place)
        if held is None:
            yield place, partial(self._make, want)
        elif is_going(held):  # it is made anew once it is gone
            self._open.add(place)
        elif (patch := difference(want, held, self._cluster)) is not None:
            yield place, partial(self._change, held, patch)
        elif (last := self._tries.get(place)) is not None:
            if last.said is not None:
                del self._tries[place]
                self._changed(place)
            elif last.due + _PATIENCE.cap_seconds < self._clock.monotonic():
                del self._tries[place]

    async def _carry_out(self, writes: Iterable[_Write]) -> None:
        """Write several objects of a kind, some of them at once."""
        some = asyncio.Semaphore(_WRITES_AT_ONCE)

        async def one(place: Place, write: Callable[[], Awaitable[None]]) -> None:
            async with some:
                await self._try(place, write)

        async with asyncio.TaskGroup() as group:
            for place, write in writes:
                group.create_task(one(place, write))

    async def _try(self, place: Place, write: Callable[[], Awaitable[None]]) -> None:
        """Write an object, unless that was tried a moment ago."""
        last = self._tries.get(place, _Try(None, 0, 0))
        if last.due > self._clock.monotonic():
            self._open.add(place)
            return
        said, least, times = None, 0.0, last.times + 1
        try:
            await write()
        except ApiProblem as problem:
            self._open.add(place)
            least = problem.retry_after_seconds
            if not isinstance(problem, _LOOK_AGAIN) or times > _LOOKS:
                said = problem.message
        wait = max(_PATIENCE.seconds(times, self._chance), least)
        self._tries[place] = _Try(said, times, self._clock.monotonic() + wait)
        if said != last.said:
            self._changed(place)

    async def _make(self, want: Wanted) -> None:
        """Make an object that is missing.

        Raises:
            ApiProblem: it cannot be made.
        """
        resource = resource_of(kind_of(want.place.model))
        body = manifest(want, self._cluster, resource.api_version)
        answer = await self._client.create(
            resource, body, namespace=want.place.namespace, field_manager=names.CONTROL_PLANE_MANAGER
        )
        self._caches.put(want.place.model.model_validate(answer.json()))

    async def _change(self, held: Held, patch: Mapping[str, Any]) -> None:
        """Change an object.

        Raises:
            ApiProblem: it cannot be changed.
        """
        model, metadata = type(held), held.metadata
        if not is_managed(held, self._cluster):
            _log.info("taken over: the control plane has one of this name", kind=model.__name__, name=metadata.name)
        answer = await self._client.merge_patch(
            resource_of(kind_of(model)),
            metadata.namespace,
            metadata.name,
            {**patch, "metadata": {**patch.get("metadata", {}), "uid": metadata.uid}},
            field_manager=names.CONTROL_PLANE_MANAGER,
        )
        self._caches.put(model.model_validate(answer.json()))

    async def _remove(self, held: Held) -> None:
        """Delete an object.

        Raises:
            ApiProblem: it cannot be deleted.
        """
        model, place, uid = type(held), place_of(held), held.metadata.uid
        try:
            answer = await self._client.delete(resource_of(kind_of(model)), place.namespace, place.name, uid=uid)
        except NotFound:
            pass
        else:
            said = answer.json()
            if said.get("kind") == model.__name__:  # a finalizer holds it
                self._caches.put(model.model_validate(said))
                return
        self._caches.drop(place, uid)

    def _get(self, place: Place) -> Held | None:
        return self._caches.get(place)

    def _tell(self, before: set[Place]) -> None:
        """Say once what cannot be written, and once that it can."""
        now = set(self.refused)
        if new := now - before:
            said = [f"{place}: {self.problem(place)}" for place in sorted(new, key=str)[:_MOST_TOLD]]
            _log.warning("cannot be made as the control plane wants it", count=len(new), objects=said)
        if better := before - now:
            _log.info("is as the control plane wants it again, or not wanted any more", count=len(better))


def _bond(held: Held) -> tuple[object, ...]:
    return held.metadata.labels.get(names.CONTROL_PLANE_LABEL), held.metadata.deletion_timestamp
