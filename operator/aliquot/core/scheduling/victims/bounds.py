"""Limits that a queue would pass with a demand: something of it has to go before the demand may come."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aliquot.core.quantities import UNLIMITED
from aliquot.core.scheduling.fairness.capacity import over_quota
from aliquot.core.scheduling.state.draft import Draft
from aliquot.core.scheduling.state.jobs import GroupKey
from aliquot.core.scheduling.state.queues import QueueTree, shares
from aliquot.core.scheduling.state.units import Unit


@dataclass(frozen=True, slots=True)
class Bound:
    """What a queue holds too much of for the demand.

    Attributes:
        queue: the queue, at any level.
        axis: which resource.
        lacking: how much less it has to hold.
    """

    queue: str
    axis: int
    lacking: int

    def counts(self, tree: QueueTree, unit: Unit) -> bool:
        """Whether it helps that the unit goes."""
        return unit.total[self.axis] > 0 and any(level.name == self.queue for level in tree.chain(unit.queue))


class Going:
    """What goes of the queues whose limits are in the way."""

    def __init__(self, tree: QueueTree, bounds: Sequence[Bound], units: Iterable[Unit]) -> None:
        self._tree = tree
        self._bounds = bounds
        self._more = [-bound.lacking for bound in bounds]
        if bounds:
            for unit in units:
                self.add(unit)

    def add(self, unit: Unit) -> None:
        """The unit goes, too."""
        for at, bound in enumerate(self._bounds):
            if bound.counts(self._tree, unit):
                self._more[at] += unit.total[bound.axis]

    def remove(self, unit: Unit) -> None:
        """It goes on."""
        for at, bound in enumerate(self._bounds):
            if bound.counts(self._tree, unit):
                self._more[at] -= unit.total[bound.axis]

    def enough(self, without: Unit | None = None) -> bool:
        """Whether what goes is enough, one unit left out."""
        return all(
            more >= (without.total[bound.axis] if without is not None and bound.counts(self._tree, without) else 0)
            for more, bound in zip(self._more, self._bounds, strict=True)
        )


def limits_in_the_way(draft: Draft, key: GroupKey) -> list[Bound] | None:
    """The limits that the demand would pass; None when stopping others cannot help."""
    wanted = key.demand.total
    if not key.preemptible and over_quota(draft, key.queue, wanted) is not None:
        return None
    return [
        Bound(level.name, axis, draft.held[level.name][axis] + wanted[axis] - share.limit)
        for level in draft.tree.chain(key.queue)
        for axis, share in enumerate(shares(level))
        if wanted[axis] > 0 and draft.held[level.name][axis] + wanted[axis] > share.limit < UNLIMITED
    ]
