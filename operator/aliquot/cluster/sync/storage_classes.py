"""Which StorageClasses there are to tell of.

Nothing else of the operator needs them, so they are followed only where there is a control plane. Where they may not be
read, as in a cluster whose rights are older, they are not told of, and everything else is.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from aliquot.cluster.sync.reported import reported_storage_class
from aliquot.contracts.cluster_sync import ReportedStorageClass
from aliquot.contracts.kubernetes import StorageClass
from aliquot.kube.informer import filled
from aliquot.kube.informers import Informers
from aliquot.kube.resources import STORAGE_CLASSES

_FILL_SECONDS: Final = 20.0


class StorageClasses:
    """See the module.

    Args:
        informers: makes the one of them.
    """

    def __init__(self, informers: Informers) -> None:
        self._heard = informers.of(STORAGE_CLASSES, StorageClass)

    def listen(self, changed: Callable[[str], None]) -> None:
        """Tell the name of every one that is there, then of each that came, went or changed."""

        def heard(old: StorageClass | None, new: StorageClass | None) -> None:
            held = new or old
            assert held is not None
            changed(held.metadata.name)

        self._heard.add_handler(heard)

    async def fill(self, group: asyncio.TaskGroup) -> None:
        """Start to follow them, as a task of the group; return when they are known, or cannot be read."""
        group.create_task(self._heard.run())
        await filled(self._heard, _FILL_SECONDS)

    def there(self) -> Iterable[str]:
        """The names of all."""
        return [each.metadata.name for each in self._heard]

    def look(self, name: str) -> ReportedStorageClass | None:
        """One of them as it is reported; None: there is none of this name."""
        found = self._heard.get("", name)
        return None if found is None else reported_storage_class(found)
