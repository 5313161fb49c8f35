"""Comparing the custom resources that we hold with the truth, and mending the difference.

kopf does not tell of objects that vanished while its watch was away (notes/python-operator.md 1.5); a project that is
only in our memory would go on lending GPUs. So a kind is compared when kopf listed it anew, and every few minutes. The
same comparison fills the mirror at the start, before anything acts.
"""

import asyncio
from contextlib import suppress
from typing import Generic, TypeVar

from prometheus_client import CollectorRegistry, Counter

from aliquot import log
from aliquot.cluster.mirror.cache import Cache
from aliquot.cluster.mirror.parse import Whole, parse_whole
from aliquot.cluster.resources import resource_of
from aliquot.contracts.kinds.registry import Kind
from aliquot.contracts.kinds.shapes import Resource
from aliquot.kube.client import ApiClient
from aliquot.kube.problems import ApiProblem

_log = log.get(__name__)

KindT = TypeVar("KindT", bound=Resource)


class Drift(Generic[KindT]):
    """Keeps the cache of one kind true.

    Args:
        client: asks for lists.
        kind: which kind.
        model: its model.
        cache: its cache.
        interval_seconds: between two comparisons.

    Attributes:
        kind: the kind.
        cache: its cache.
    """

    def __init__(
        self, client: ApiClient, kind: Kind, model: type[KindT], cache: Cache[KindT], interval_seconds: float
    ) -> None:
        self._client = client
        self.kind = kind
        self._model = model
        self.cache = cache
        self._interval_seconds = interval_seconds
        self._due = asyncio.Event()

    def listed(self) -> None:
        """Note that the watch began anew, so that something may have been missed."""
        self._due.set()

    async def compare(self) -> tuple[int, int]:
        """List the kind and make the cache equal to it.

        Returns:
            How many objects the cache lacked or had older, and how many it had that are gone.

        Raises:
            ApiProblem: there is no list to compare with.
        """
        kind, resource = self.kind, resource_of(self.kind)
        listed: list[KindT] = []
        unreadable: set[str] = set()
        version = ""
        async for page in self._client.pages(resource, Whole):
            for whole in page.items:
                parsed = parse_whole(kind, whole)
                if isinstance(parsed, self._model):
                    listed.append(parsed)
                else:
                    unreadable.add(whole.metadata.uid)
            version = page.resource_version
            await asyncio.sleep(0)
        return self.cache.replace(listed, int(version), also_there=unreadable)

    async def run(self, differences: Counter) -> None:
        """Compare at the interval, and when told that a list was made, until cancelled."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._due.wait(), self._interval_seconds)
            self._due.clear()
            try:
                missed, redundant = await self.compare()
            except ApiProblem as problem:
                _log.warning("comparison failed", kind=self.kind.name, problem=str(problem))
                continue
            differences.labels(self.kind.name, "missed").inc(missed)
            differences.labels(self.kind.name, "redundant").inc(redundant)
            if redundant:
                _log.warning("objects vanished unnoticed", kind=self.kind.name, count=redundant)


def differences_counter(registry: CollectorRegistry) -> Counter:
    """The metric of all comparisons."""
    return Counter(
        "aliquot_mirror_differences_total",
        "Custom resources that the mirror lacked or held although they were gone, found by comparison",
        ["kind", "difference"],
        registry=registry,
    )
