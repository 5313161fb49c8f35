"""The table in force: the built-in one, and the ConfigMaps by which administrators add to it."""

from collections.abc import Callable, Iterable

import msgspec

from aliquot import log, names
from aliquot.contracts.kubernetes import Metadata, Projection
from aliquot.core.intake.group_table import Table, builtin_table, table_of
from aliquot.kube.informers import Informers
from aliquot.kube.resources import CONFIG_MAPS

_log = log.get(__name__)


class ConfigMap(Projection, frozen=True):
    """An addition to the table."""

    metadata: Metadata = Metadata()
    data: dict[str, str] = msgspec.field(default_factory=dict[str, str])


class Tables:
    """Keeps the table in step with the ConfigMaps.

    Args:
        informers: makes the informer.
        namespace: where the ConfigMaps are.
        on_change: told that the table differs.

    Attributes:
        table: the kinds in force.
        config_maps: brings the ConfigMaps, once somebody runs it.
        on_wrong: told of what is wrong with a ConfigMap, once for each version of it.
    """

    def __init__(self, informers: Informers, namespace: str, on_change: Callable[[], None]) -> None:
        self.table: Table = builtin_table()
        self.on_wrong: list[Callable[[Metadata, str], None]] = []
        self._on_change = on_change
        self.config_maps = informers.of(
            CONFIG_MAPS, ConfigMap, namespace=namespace, label_selector=f"{names.WORKLOAD_KINDS_LABEL}=true"
        )

    def listen(self) -> None:
        """Follow the ConfigMaps from now on; those that are there count at once."""
        self.config_maps.add_handler(self._changed)

    def _changed(self, _old: ConfigMap | None, new: ConfigMap | None) -> None:
        before = self.table
        self.table, wrong = table_of(self._texts())
        for origin, problem in wrong:
            name, _, key = origin.partition("/")
            if new is not None and name == new.metadata.name:
                self._is_wrong(new.metadata, f"{key}: {problem}")
        if self.table != before:
            self._on_change()

    def _texts(self) -> Iterable[tuple[str, str]]:
        for held in sorted(self.config_maps, key=lambda each: each.metadata.name):
            for key, text in sorted(held.data.items()):
                yield f"{held.metadata.name}/{key}", text

    def _is_wrong(self, where: Metadata, sentence: str) -> None:
        _log.warning("the table of kinds is wrong here", config_map=where.name, problem=sentence)
        for listener in self.on_wrong:
            listener(where, sentence)
