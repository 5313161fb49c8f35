"""Hears of every object of a kind and keeps none: for kinds of which there are many, and each is looked at once.

As an `Informer` it lists and then watches for as long as it lives. As nothing is kept, its handlers are called with
(None, object) for whatever is there, comes or changes; after a list that had to be repeated that is everything once
more. That an object is gone is not told.
"""

import asyncio
from collections.abc import Iterator
from typing import TypeVar

from aliquot.kube.decoding import EventType, HasMetadata, WatchEvent
from aliquot.kube.informer import Informer

T = TypeVar("T", bound=HasMetadata)


class Passing(Informer[T]):
    """See the module; arguments as of `Informer`."""

    async def _list(self) -> None:
        version = ""
        async for page in self._api.pages(
            self.resource,
            self._projection,
            namespace=self._namespace,
            label_selector=self._label_selector,
            field_selector=self._field_selector,
        ):
            self._report(page.undecodable)
            for found in page.items:
                self._tell(None, found)
            version = page.resource_version
            await asyncio.sleep(0)
        self._contact(version)
        self.synced.set()

    def _changes(self, event: WatchEvent[T]) -> Iterator[tuple[T | None, T | None]]:
        if event.type is EventType.DELETED:
            return
        if event.object is None:
            self._report([event.undecodable()])
            return
        yield None, event.object
