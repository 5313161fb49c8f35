"""Room for a demand by stopping others, node by node: in the order of their right to stay, or the fewest at a time."""

from collections.abc import Callable, Iterable
from heapq import heapify, heappop, heappush
from typing import Final

from aliquot.core.scheduling.state.draft import Spot
from aliquot.core.scheduling.state.units import Unit
from aliquot.core.scheduling.victims.case import Case
from aliquot.core.scheduling.victims.picking import Picker
from aliquot.core.scheduling.victims.rooms import Rooms
from aliquot.core.scheduling.victims.runs import Run, size_of

_MOST_REFUSALS: Final = 256
"""How often a rule may refuse what was found before the search gives up."""

Spots = list[list[Spot]]
"""Where the tasks of each run go."""


class Filling:
    """Finds room for the tasks of a case. One for all attempts: what rules refuse, and what is tried, adds up."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._draft = case.draft
        self._rule = case.rule
        self._stopping = case.stopping
        self._picker = Picker(case.draft, case.stopping, case.place)
        self._refusals = 0

    def in_order(self) -> Spots | None:
        """Go through the units in order, and use each node as soon as it has room. Returns where the tasks go."""
        return self._fill(self._use_in_order)

    def fewest_first(self) -> Spots | None:
        """Use the nodes where the fewest have to go."""
        return self._fill(self._use_fewest_first)

    def _fill(self, make_room: Callable[[Run, Rooms], bool]) -> Spots | None:
        """Find room for every task, the largest ones first, stopping more where there is none."""
        runs = self._case.key.demand.runs
        found: Spots = [[] for _ in runs]
        for number in sorted(range(len(runs)), key=lambda number: size_of(runs[number][0]), reverse=True):
            shape, count = runs[number]
            run = Run(self._draft, self._case.placer.ranking(shape, now=False), shape, count)
            run.take_free()
            if run.lacking and not make_room(run, Rooms(self._draft, shape, self._case.most())):
                return None
            found[number] = run.spots
        return found

    def _use_in_order(self, run: Run, rooms: Rooms) -> bool:
        def useful(unit: Unit) -> bool:
            return rooms.concerns(unit) and self._stopping.may_stop(unit)

        for unit in self._case.candidates.in_order(self._rule.queues, useful):
            self._case.look_at(unit)
            todo = set(rooms.add(unit))
            while todo and run.lacking:
                best = self._easiest(run, rooms, todo, unit)
                if best is None:
                    break
                todo |= self._use(run, rooms, best)
            if not run.lacking:
                return True
            if self._refusals > _MOST_REFUSALS:
                return False
        return False

    def _use_fewest_first(self, run: Run, rooms: Rooms) -> bool:
        for unit in self._case.candidates.in_order(self._rule.queues, rooms.concerns):
            self._case.look_at(unit)
            rooms.add(unit)
        rank = self._draft.nodes.rank()
        heap = [(rooms.at_least(row), int(rank[row]), row) for row in rooms.seen]
        heapify(heap)
        while heap and self._refusals <= _MOST_REFUSALS:
            thought, place, row = heappop(heap)
            mark = self._stopping.mark()
            picked = self._pick(run, rooms, row, None)
            if picked is None:
                continue
            if len(picked) > thought:
                self._stopping.back_to(mark)
                heappush(heap, (len(picked), place, row))
                continue
            for again in self._use(run, rooms, picked):
                heappush(heap, (rooms.at_least(again), int(rank[again]), again))
            if not run.lacking:
                return True
        return False

    def _easiest(self, run: Run, rooms: Rooms, rows: Iterable[int], new: Unit) -> list[Unit] | None:
        """Stop what has to go from that of these rows where it is least. Returns it; None when none can be had."""
        hopeful = [row for row in rows if rooms.may_do(row)]
        if len(hopeful) == 1:
            return self._pick(run, rooms, hopeful[0], new)
        rank, options = self._draft.nodes.rank(), list[tuple[int, int, list[Unit]]]()
        for row in hopeful:
            mark = self._stopping.mark()
            picked = self._pick(run, rooms, row, new)
            if picked is not None:
                options.append((len(picked), int(rank[row]), picked))
                self._stopping.back_to(mark)
        if not options:
            return None
        best = min(options, key=lambda option: option[:2])[2]
        for unit in best:
            self._stopping.stop(unit)
        return best

    def _pick(self, run: Run, rooms: Rooms, row: int, new: Unit | None) -> list[Unit] | None:
        """Stop the fewest of a row so that a task fits there, with the rule's consent; nobody when that cannot be."""
        if not rooms.may_do(row):
            return None
        mark = self._stopping.mark()
        picked = self._picker.pick(run.ranking, rooms, row, new)
        if picked is not None and not self._rule.accepts():
            self._refusals += 1
            self._stopping.back_to(mark)
            return None
        return picked

    def _use(self, run: Run, rooms: Rooms, stopped: list[Unit]) -> set[int]:
        """Put tasks where room has come. Returns the rows where that changed what others have to do."""
        rooms.remove(stopped)
        run.take_free()
        return {row for unit in stopped for row in unit.on if rooms.seen.get(row)}
