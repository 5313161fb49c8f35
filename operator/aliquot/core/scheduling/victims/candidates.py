"""What may be stopped in a round, from which queue first, less what has been chosen already."""

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from heapq import heapify, heappop, heappush
from typing import Final

from aliquot.core.scheduling.fairness.capacity import allocatable_in, largest_part
from aliquot.core.scheduling.state.cluster import ClusterState
from aliquot.core.scheduling.state.draft import Draft
from aliquot.core.scheduling.state.nodes import Amounts
from aliquot.core.scheduling.state.units import QueueUnits, Unit, count_room

_MOST_TAKEN: Final = 64
"""So many units are passed over before they are sorted out."""


class _Left:
    """What is left of the units of one queue.

    Attributes:
        units: all of them, and a few of those that were taken.
        room: per row, what would come free at most if all were stopped.
    """

    def __init__(self, there: QueueUnits) -> None:
        self.units = list(there.units)
        self.room: Amounts = there.room.copy()
        self._taken: set[Unit] = set()

    def take(self, units: Sequence[Unit]) -> None:
        """They are chosen: they are no candidates any more."""
        self._taken.update(units)
        if len(self._taken) > _MOST_TAKEN:
            self.units = [unit for unit in self.units if unit not in self._taken]
            self._taken.clear()
        count_room(self.room, units, -1)


class Candidates:
    """What may be stopped in one pool in one round, less what has been chosen already; made when first asked for.

    Attributes:
        queues: those that have something to stop.
        spared: ids of jobs that start something in this round or were promised room: none of theirs is stopped.
    """

    def __init__(self, state: ClusterState, pool: str, draft: Draft, spared: Container[str]) -> None:
        self.queues = sorted(state.pool(pool).stoppable)
        self.spared = spared
        self._state = state
        self._pool = pool
        self._draft = draft
        self._units: dict[str, _Left] = {}
        self._gone: dict[str, set[str]] = {}
        self._by_row: dict[int, list[Unit]] | None = None

    def lowest_priority(self, queue: str) -> int | None:
        """The lowest priority of what may be stopped of a queue; None when nothing may."""
        return self._state.pool(self._pool).lowest_priority(queue)

    def room(self, queue: str) -> Amounts:
        """Per row, what would come free if everything were stopped that may be. To read only."""
        return self._of(queue).room

    def take(self, units: Iterable[Unit]) -> None:
        """They are chosen."""
        theirs: dict[str, list[Unit]] = {}
        for unit in units:
            theirs.setdefault(unit.queue, []).append(unit)
            self._gone.setdefault(unit.job.id, set()).update(task.id for task in unit.tasks)
        for queue, taken in theirs.items():
            self._of(queue).take(taken)

    def in_order(self, queues: Iterable[str], useful: Callable[[Unit], bool]) -> Iterator[Unit]:
        """The useful units of these queues, from the queue that is most over its quota first.

        Queues are compared from the root down, each as it would be after what was yielded before; among equals the
        younger queue goes first.
        """
        draft, tree = self._draft, self._draft.tree
        chains = {name: tree.chain(name)[::-1] for name in queues}
        levels = {
            level.name: (list(draft.held[level.name]), allocatable_in(draft, level))
            for chain in chains.values()
            for level in chain
        }
        branches = {name: [levels[level.name] for level in chain] for name, chain in chains.items()}

        def share(name: str) -> tuple[int, ...]:
            return tuple([-largest_part(held, bounds, draft.capacity) for held, bounds in branches[name]])

        order = sorted(chains, reverse=True)
        order.sort(key=lambda name: -tree.queues[name].created)
        rest = {name: filter(useful, iter(list(self._of(name).units))) for name in order}
        heap = [(share(name), number, name) for number, name in enumerate(order)]
        heapify(heap)
        while heap:
            before, number, name = heappop(heap)
            branch = branches[name]
            if len(branch) > 1 and (now := share(name)) != before:  # others below the same queue were yielded
                heappush(heap, (now, number, name))
                continue
            unit = next((unit for unit in rest[name] if not self._is_gone(unit)), None)
            if unit is None:
                continue
            yield unit
            for held, _ in branch:
                for axis, part in enumerate(unit.total):
                    held[axis] -= part
            heappush(heap, (share(name), number, name))

    def on_row(self, row: int) -> list[Unit]:
        """All units of all queues that make room on a row, in a fixed order."""
        if self._by_row is None:
            self._by_row = {}
            for queue in self.queues:
                for unit in self._of(queue).units:
                    for there in unit.on:
                        self._by_row.setdefault(there, []).append(unit)
        return [unit for unit in self._by_row.get(row, ()) if not self._is_gone(unit)]

    def shrinks(self, job_id: str) -> bool:
        """Whether something of the job has been chosen."""
        return job_id in self._gone

    def _is_gone(self, unit: Unit) -> bool:
        gone = self._gone.get(unit.job.id)
        return unit.job.id in self.spared or (gone is not None and unit.overlaps(gone))

    def _of(self, queue: str) -> _Left:
        units = self._units.get(queue)
        if units is None:
            units = self._units[queue] = _Left(self._state.units(self._pool, queue))
        return units
