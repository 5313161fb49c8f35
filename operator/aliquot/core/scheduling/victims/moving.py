"""Room for a demand by moving others: every one of them gets another place at once, nobody loses anything but time.

Nodes are tried where the least has to be moved away, and of a node the fewest units; where those find no other place,
smaller ones are tried, of which there are more (scheduling.md 2.9, 7). Whether they will really have a place when they
come back, the caller says; if not, another choice is made for the last task of the demand.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from aliquot.core.quantities import PERCENT_PER_DEVICE
from aliquot.core.scheduling.placement.ranking import Placer, Ranking
from aliquot.core.scheduling.placement.topology import place
from aliquot.core.scheduling.state.cluster import ClusterState
from aliquot.core.scheduling.state.draft import Draft, Spot
from aliquot.core.scheduling.state.gangs import part_of, pod_sets
from aliquot.core.scheduling.state.jobs import Demand
from aliquot.core.scheduling.state.nodes import Amounts
from aliquot.core.scheduling.state.shapes import TaskShape
from aliquot.core.scheduling.state.units import Unit
from aliquot.core.scheduling.victims.candidates import Candidates
from aliquot.core.scheduling.victims.runs import size_of
from aliquot.core.scheduling.victims.search import Found
from aliquot.core.scheduling.victims.stopping import Stopping

_MOST_NODES: Final = 64
"""So many nodes are tried in vain for one task."""
_MOST_REFUSALS: Final = 8
"""So often what was found for a demand may be refused."""

Accepts = Callable[[Collection[Unit]], bool]
"""Says whether all of these may move for the demand."""


class Everybody:
    """The rule of moving: whoever may be stopped may be moved."""

    @property
    def queues(self) -> tuple[str, ...]:
        """It asks for no queues."""
        return ()

    def may_add(self, unit: Unit) -> bool:
        """Always."""
        del unit
        return True

    def push(self, unit: Unit) -> None:
        """Others may go all the same."""

    def pop(self, unit: Unit) -> None:
        """Others may go all the same."""

    def accepts(self) -> bool:
        """Always."""
        return True


@dataclass(frozen=True, slots=True)
class Terms:
    """On which terms others move for a job.

    Attributes:
        job: id of the job; it does not move for itself.
        most_jobs: at most so many are moved; None: no bound.
        accepts: the last word.
    """

    job: str
    most_jobs: int | None
    accepts: Accepts


def find_moves(
    state: ClusterState, placer: Placer, candidates: Candidates, demand: Demand, terms: Terms
) -> Found | None:
    """Find whom to move for the demand. When found, the draft has all of them in their new places.

    The queues are not charged; see `settle`.
    """
    if not _enough_in_all(placer.draft, demand):
        return None
    return _Moving(state, placer, candidates, terms).run(demand)


def _enough_in_all(draft: Draft, demand: Demand) -> bool:
    """Whether the pool has room for the demand, if it were in one piece."""
    free = free_in_all(draft)
    for shape, count in demand.runs:
        amounts = draft.nodes.amounts(shape.request)
        if amounts is None:
            return False
        free -= amounts * count
    return bool((free >= 0).all())


def free_in_all(draft: Draft) -> Amounts:
    """What is free in the pool, by column, pieces of devices in the one of whole devices."""
    usable = draft.nodes.usable
    free: Amounts = np.maximum(draft.future[usable], 0).sum(axis=0)
    shared = {*draft.nodes.shared, *draft.touched}
    free[0] += sum(_pieces(draft, row) for row in shared if usable[row])
    return free


def _pieces(draft: Draft, row: int) -> int:
    """What is free of the shared devices of a node, in hundredths of a device, rounded up."""
    units = int(draft.nodes.units[row])
    used = [held.later for held in draft.shared_on(row).values() if held.later > 0]
    return sum(-(-(units - later) * PERCENT_PER_DEVICE // units) for later in used)


class _Moving:
    def __init__(self, state: ClusterState, placer: Placer, candidates: Candidates, terms: Terms) -> None:
        self.state = state
        self.draft = placer.draft
        self.placer = placer
        self.candidates = candidates
        self.terms = terms
        self.stopping = Stopping(placer.draft, Everybody())
        self.moves: dict[Unit, list[Spot]] = {}
        self.lacking = 0
        self.refusals = 0

    def run(self, demand: Demand) -> Found | None:
        begin = self.stopping.mark()
        self.lacking = demand.tasks
        spots: list[list[Spot]] = [[] for _ in demand.runs]
        for number in sorted(range(len(demand.runs)), key=lambda number: size_of(demand.runs[number][0]), reverse=True):
            shape, count = demand.runs[number]
            ranking = self.placer.ranking(shape, now=False)
            while len(spots[number]) < count:
                row = ranking.best()
                spot = self._clear_a_node(shape, ranking) if row is None else self._take(row, shape)
                if spot is None or (row is not None and not self._accepted()):
                    self.stopping.back_to(begin)
                    return None
                spots[number].append(spot)
                self.lacking -= 1
        return Found(tuple(self.moves), [spot for run in spots for spot in run], self.moves)

    def _accepted(self) -> bool:
        """Whether those who are to move may, once this task is the last."""
        if self.lacking > 1:
            return True
        accepted = bool(self.moves) and self.terms.accepts(self.moves)
        self.refusals += not accepted
        return accepted

    def _take(self, row: int, shape: TaskShape) -> Spot:
        return self.draft.take(row, shape.request, now=False, company=shape.company)

    def _clear_a_node(self, shape: TaskShape, ranking: Ranking) -> Spot | None:
        """Move units away from some node and take their room."""
        for row in self._least_to_move(shape):
            here = [unit for unit in self.candidates.on_row(row) if unit.job.id != self.terms.job]
            for sign in (-1, 1):
                spot = self._clear(row, sorted(here, key=lambda unit: _effort(unit, row, sign)), shape, ranking)
                if spot is not None or self.refusals >= _MOST_REFUSALS:
                    return spot
        return None

    def _least_to_move(self, shape: TaskShape) -> list[int]:
        """The rows where a task would fit if all went who may, those first where least has to go."""
        nodes, future = self.draft.nodes, self.draft.future
        amounts = nodes.amounts(shape.request)
        assert amounts is not None, "somebody was let in who asks for what is nowhere"
        most = future.copy()
        for name in self.candidates.queues:
            most += self.candidates.room(name)
        fits = nodes.matching(shape.signature) & nodes.usable & ((most >= amounts) | (amounts == 0)).all(axis=1)
        rows = np.flatnonzero(fits)
        lacking = np.where(amounts > 0, np.maximum(amounts - future[rows], 0), 0)
        order = np.lexsort((nodes.rank()[rows], *(lacking[:, column] for column in reversed(range(len(amounts))))))
        return rows[order][:_MOST_NODES].tolist()

    def _clear(self, row: int, units: Collection[Unit], shape: TaskShape, ranking: Ranking) -> Spot | None:
        """Move the first units of a row that are enough, and take their room; nothing when they find no other place."""
        mark, moved = self.stopping.mark(), len(self.moves)
        picked = self._pick(row, units, ranking)
        if picked is not None:
            spot = self._take(row, shape)
            if self._place_elsewhere(picked) and self._accepted():
                return spot
        while len(self.moves) > moved:
            self.moves.popitem()
        self.stopping.back_to(mark)
        return None

    def _pick(self, row: int, units: Collection[Unit], ranking: Ranking) -> list[Unit] | None:
        picked: list[Unit] = []
        for unit in units:
            if ranking.fits(row):
                break
            if self.stopping.may_stop(unit) and self._within_bound(unit):
                self.stopping.stop(unit)
                picked.append(unit)
        if not ranking.fits(row):
            return None
        for unit in list(picked[:-1]):
            self.stopping.spare(unit)
            if ranking.fits(row):
                picked.remove(unit)
            else:
                self.stopping.stop(unit)
        return picked

    def _within_bound(self, unit: Unit) -> bool:
        most = self.terms.most_jobs
        return most is None or len({unit.job.id, *(other.job.id for other in self.stopping.units)}) <= most

    def _place_elsewhere(self, picked: list[Unit]) -> bool:
        """Give each of them another place, the largest first."""
        for unit in sorted(picked, key=lambda unit: [-paid for paid in unit.total]):
            spots = place_again(self.state, self.placer, unit)
            if spots is None:
                return False
            self.moves[unit] = spots
        return True


def place_again(state: ClusterState, placer: Placer, unit: Unit) -> list[Spot] | None:
    """Promise the tasks of a stopped unit other places, all of them or none; one for each task in its order.

    They are as close to one another, and to those that the job has beside them, as they have to be.
    """
    draft, tasks, nodes = placer.draft, unit.tasks, dict[str, Sequence[str]]()
    if unit.job.group is not None:
        place_of = {each.name: number for number, each in enumerate(pod_sets(unit.job.group))}
        tasks = sorted(tasks, key=lambda task: place_of.get(task.pod_set, len(place_of)))
        wanted = state.next_of(unit.job, {task.id for task in tasks})
        nodes = wanted.nodes if wanted is not None else nodes
    shapes = [draft.shape(task) for task in tasks]
    part = part_of(unit.job, zip((task.pod_set for task in tasks), shapes, strict=True), nodes)
    if part is not None and part.tasks < len(tasks):
        return None  # some are in no part that the job has
    spots = place(placer, Demand.of_shapes(shapes, draft.nodes.smallest_device_mib(), part), now=False)
    if spots is None:
        return None
    there = {task.id: spot for task, spot in zip(tasks, spots, strict=True)}
    return [there[task.id] for task in unit.tasks]


def _effort(unit: Unit, row: int, sign: int) -> tuple[int, int, tuple[int, ...], str, str, str]:
    """What is moved first: least elsewhere, fewest tasks, and most (sign -1) or least (1) on the row."""
    here, first = unit.on[row], unit.tasks[0]
    return (len(unit.on), len(unit.tasks), tuple(sign * gain for gain in here), unit.job.name, first.name, first.id)
