"""Informers of custom resources that fill a cache."""

from collections.abc import Callable
from typing import TypeVar

from aliquot.cluster.mirror.cache import Cache
from aliquot.cluster.mirror.mirror import identify, key_of
from aliquot.cluster.mirror.parse import Whole, parse_whole
from aliquot.cluster.resources import kind_of
from aliquot.contracts.kinds.shapes import Resource

KindT = TypeVar("KindT", bound=Resource)


def parsed_into(cache: Cache[KindT], model: type[KindT]) -> Callable[[Whole | None, Whole | None], None]:
    """A handler that reads what it hears; what cannot be read is logged, and counts as it was.

    Most of what happens to workloads are echoes of our own writes, which are known and are not read again.
    """
    kind = kind_of(model)

    def changed(old: Whole | None, new: Whole | None) -> None:
        if new is None:
            assert old is not None
            cache.drop(key_of(old, model), old.metadata.uid)
        elif not cache.holds(identify(new, model)):
            parsed = parse_whole(kind, new)
            if isinstance(parsed, model):
                cache.put(parsed)

    return changed
