"""The search for victims: what to stop so that a whole demand fits, its bounds included; nothing more, or nothing.

First what the waiting job's bounds demand (a queue at its limit has to lose something before it may gain), then room
for its tasks, at last everybody goes on who turned out to be needless. Units are gone through once, in their order; a
node where those seen so far make room is used at once, and what else they free is used before anybody else is stopped.
So nobody is stopped while somebody with less right to stay would do, and of several on a node the ones with least right
are taken that may go together. Where that spends what the rules allow without getting the whole gang placed, the search
begins again with the nodes where the fewest have to go; and of a few units it looks at all combinations.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from itertools import combinations, islice
from typing import Final

from aliquot.core.scheduling.placement.ranking import Placer
from aliquot.core.scheduling.state.draft import Draft, Spot
from aliquot.core.scheduling.state.jobs import GroupKey
from aliquot.core.scheduling.state.nodes import Amounts
from aliquot.core.scheduling.state.queues import Amount
from aliquot.core.scheduling.victims.bounds import Bound, Going, limits_in_the_way
from aliquot.core.scheduling.victims.picking import Picker
from aliquot.core.scheduling.victims.refit import Refit
from aliquot.core.scheduling.victims.rooms import Rooms
from aliquot.core.scheduling.victims.rules import Rule
from aliquot.core.scheduling.victims.runs import Run, size_of
from aliquot.core.scheduling.victims.stopping import Stopping, let_go_on
from aliquot.core.scheduling.victims.units import Candidates, Unit

_FEW: Final = 8
"""Of so many units all combinations are looked at where nothing else helps."""
_MOST_REFUSALS: Final = 256
"""How often a rule may refuse what was found before the search gives up."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found.

    Attributes:
        units: to stop, in the order of their right to stay, least first.
        spots: where each task of the demand will be.
        moves: those of the units that have another place already, and where each of their tasks will be.
    """

    units: tuple[Unit, ...]
    spots: list[Spot]
    moves: dict[Unit, list[Spot]] = field(default_factory=dict[Unit, list[Spot]])


def search(draft: Draft, placer: Placer, candidates: Candidates, key: GroupKey, rule: Rule) -> Found | None:
    """Find victims for the demand. When found, the draft has them released and the demand's room promised.

    The queues are not charged: that is left to `settle`, so that a rule sees them as they were.
    """
    return _Search(draft, placer, candidates, key, rule).run()


def settle(draft: Draft, candidates: Candidates, key: GroupKey, found: Found) -> None:
    """Charge the queues with what was found."""
    given: dict[str, list[Amount]] = {}
    for unit in found.units:
        if unit not in found.moves:
            given.setdefault(unit.queue, []).append(unit.total)
    for queue, totals in given.items():
        gpu, cpu, memory = map(sum, zip(*totals, strict=True))
        draft.charge(queue, (gpu, cpu, memory), -1, preemptible=True)
    candidates.take(found.units)
    draft.charge(key.queue, key.demand.total, 1, preemptible=key.preemptible)


class _Search:
    def __init__(self, draft: Draft, placer: Placer, candidates: Candidates, key: GroupKey, rule: Rule) -> None:
        self.draft = draft
        self.placer = placer
        self.candidates = candidates
        self.key = key
        self.rule = rule
        self.stopping = Stopping(draft, rule)
        self.refusals = 0
        self.place: dict[Unit, int] = {}
        self.picker = Picker(draft, self.stopping, self.place)
        self.spots: list[list[Spot]] = [[] for _ in key.demand.runs]

    def run(self) -> Found | None:
        begin = self.stopping.mark()
        bounds = limits_in_the_way(self.draft, self.key)
        if bounds is None or not self._could_fit():
            return None
        ways = [lambda: self._fill(self._in_order), lambda: self._fill(self._fewest_first)]
        for way in ways if self.key.demand.tasks > 1 else ways[:1]:
            if self._loosen(bounds) and way():
                self._give_back(bounds)
                spots = self._place_anew(bounds) or [spot for spots in self.spots for spot in spots]
                if self.rule.accepts():
                    return self._found(spots)
            self.stopping.back_to(begin)
        spots = self._one_by_one(bounds)
        return None if spots is None else self._found(spots)

    def _found(self, spots: list[Spot]) -> Found:
        return Found(tuple(sorted(self.stopping.units, key=self.place.__getitem__)), spots)

    # 1. Bounds

    def _loosen(self, bounds: Sequence[Bound]) -> bool:
        """Choose units of the queues whose limit is in the way. Returns whether enough."""
        if not bounds:
            return True

        def useful(unit: Unit) -> bool:
            return any(bound.counts(self.draft.tree, unit) for bound in bounds)

        going = self._going(bounds)
        for unit in self.candidates.in_order(self.rule.queues, useful):
            if going.enough():
                break
            self.place.setdefault(unit, len(self.place))
            if self.stopping.may_stop(unit):
                self.stopping.stop(unit)
                going.add(unit)
        return going.enough()

    def _going(self, bounds: Sequence[Bound]) -> Going:
        return Going(self.draft.tree, bounds, self.stopping.units)

    # 2. Room

    def _most(self) -> Amounts:
        """Per row, what is there if everybody goes who is considered at all."""
        most = self.draft.future.copy()
        for name in self.rule.queues:
            most += self.candidates.room(name)
        return most

    def _could_fit(self) -> bool:
        """Whether each run of the demand could fit if everybody went: cheap, and mostly an answer."""
        most = self._most()
        return all(Rooms(self.draft, shape, most).enough_for(count) for shape, count in self.key.demand.runs)

    def _fill(self, make_room: Callable[[Run], bool]) -> bool:
        """Find room for every task, the largest ones first, stopping more where there is none."""
        runs = self.key.demand.runs
        for number in sorted(range(len(runs)), key=lambda number: size_of(runs[number][0]), reverse=True):
            shape, count = runs[number]
            run = Run(self.draft, self.placer.ranking(shape, now=False), shape, count)
            run.take_free()
            if run.lacking:
                run.rooms = Rooms(self.draft, shape, self._most())
                if not make_room(run):
                    return False
            self.spots[number] = run.spots
        return True

    def _in_order(self, run: Run) -> bool:
        """Go through the units in order, and use each node as soon as it has room."""
        rooms = run.rooms
        assert rooms is not None

        def useful(unit: Unit) -> bool:
            return rooms.concerns(unit) and self.stopping.may_stop(unit)

        for unit in self.candidates.in_order(self.rule.queues, useful):
            self.place.setdefault(unit, len(self.place))
            rooms.add(unit)
            todo = set(rooms.rows(unit))
            while todo and run.lacking:
                best = self._easiest(run, todo, unit)
                if best is None:
                    break
                todo |= self._use(run, best)
            if not run.lacking:
                return True
            if self.refusals > _MOST_REFUSALS:
                return False
        return False

    def _fewest_first(self, run: Run) -> bool:
        """Use the nodes where the fewest have to go."""
        rooms = run.rooms
        assert rooms is not None
        for unit in self.candidates.in_order(self.rule.queues, rooms.concerns):
            self.place.setdefault(unit, len(self.place))
            rooms.add(unit)
        rank = self.draft.nodes.rank()
        heap = [(rooms.at_least(row), int(rank[row]), row) for row in rooms.seen]
        heapify(heap)
        while heap and self.refusals <= _MOST_REFUSALS:
            thought, place, row = heappop(heap)
            mark = self.stopping.mark()
            picked = self._pick(run, row, None)
            if picked is None:
                continue
            if len(picked) > thought:
                self.stopping.back_to(mark)
                heappush(heap, (len(picked), place, row))
                continue
            for again in self._use(run, picked):
                heappush(heap, (rooms.at_least(again), int(rank[again]), again))
            if not run.lacking:
                return True
        return False

    def _one_by_one(self, bounds: Sequence[Bound]) -> list[Spot] | None:
        """Where few could go, try all of their combinations, the small ones first. Returns where the tasks go then.

        A combination is no good that holds another which makes room too, though the rule refuses that one.
        """
        runs = self.key.demand.runs
        most = self._most()
        rooms = [Rooms(self.draft, shape, most) for shape, _ in runs]

        def useful(unit: Unit) -> bool:
            return bool(bounds) or any(room.concerns(unit) for room in rooms)

        units = list(islice(self.candidates.in_order(self.rule.queues, useful), _FEW + 1))
        if len(units) > _FEW:
            return None
        for unit in units:
            self.place.setdefault(unit, len(self.place))
        refused: list[set[Unit]] = []
        sets = (set_ for size in range(1, len(units) + 1) for set_ in combinations(units, size))
        for chosen in sets:
            if any(other.issubset(chosen) for other in refused):
                continue
            mark = self.stopping.mark()
            if self._stop_all(chosen) and self._going(bounds).enough():
                spots = self.placer.place(runs, now=False)
                if spots is not None and self.rule.accepts():
                    return spots
                if spots is not None:
                    refused.append(set(chosen))
            self.stopping.back_to(mark)
        return None

    def _stop_all(self, units: Iterable[Unit]) -> bool:
        for unit in units:
            if not self.stopping.may_stop(unit):
                return False
            self.stopping.stop(unit)
        return True

    def _easiest(self, run: Run, rows: Iterable[int], new: Unit) -> list[Unit] | None:
        """Stop what has to go from that of these rows where it is least. Returns it; None when none can be had."""
        assert run.rooms is not None
        hopeful = [row for row in rows if run.rooms.may_do(row)]
        if len(hopeful) == 1:
            return self._pick(run, hopeful[0], new)
        rank, options = self.draft.nodes.rank(), list[tuple[int, int, list[Unit]]]()
        for row in hopeful:
            mark = self.stopping.mark()
            picked = self._pick(run, row, new)
            if picked is not None:
                options.append((len(picked), int(rank[row]), picked))
                self.stopping.back_to(mark)
        if not options:
            return None
        best = min(options, key=lambda option: option[:2])[2]
        for unit in best:
            self.stopping.stop(unit)
        return best

    def _pick(self, run: Run, row: int, new: Unit | None) -> list[Unit] | None:
        """Stop the fewest of a row so that a task fits there, with the rule's consent; nobody when that cannot be."""
        assert run.rooms is not None
        if not run.rooms.may_do(row):
            return None
        mark = self.stopping.mark()
        picked = self.picker.pick(run.ranking, run.rooms, row, new)
        if picked is not None and not self.rule.accepts():
            self.refusals += 1
            self.stopping.back_to(mark)
            return None
        return picked

    def _use(self, run: Run, stopped: list[Unit]) -> set[int]:
        """Put tasks where room has come. Returns the rows where that changed what others have to do."""
        assert run.rooms is not None
        run.rooms.remove(stopped)
        run.take_free()
        return {row for unit in stopped for row in unit.on if run.rooms.seen.get(row)}

    # 3. Nothing in vain

    def _give_back(self, bounds: Sequence[Bound]) -> None:
        """Let everybody go on who is not needed, those with most right to stay first."""
        shapes = [shape for shape, _ in self.key.demand.runs]
        amounts = [self.draft.nodes.amounts(shape.request) for shape in shapes]
        asked = {column for each in amounts if each is not None for column in each.nonzero()[0].tolist()}
        if any(shape.request.part is not None for shape in shapes):
            asked.add(0)
        used = {spot.row for spots in self.spots for spot in spots}
        going = self._going(bounds)
        for unit in sorted(self.stopping.units, key=self.place.__getitem__, reverse=True):
            if going.enough(without=unit) and let_go_on(self.draft, unit, used, asked):
                self.stopping.forget(unit)
                going.remove(unit)

    def _place_anew(self, bounds: Sequence[Bound]) -> list[Spot] | None:
        """The same for those who are not needed if tasks go elsewhere. Returns where; None: as they are."""
        refit = Refit(self.draft, self.placer, self.stopping, self.key.demand.runs, self.spots)
        going = self._going(bounds)
        for unit in sorted(self.stopping.units, key=self.place.__getitem__, reverse=True):
            if going.enough(without=unit) and refit.without(unit):
                going.remove(unit)
        return refit.done()
