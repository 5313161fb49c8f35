"""Which of the units on one node have to go so that a task fits there: as few as will do, least right to stay first."""

from collections.abc import Mapping, Sequence
from typing import Final

from aliquot.core.scheduling.placement.ranking import Ranking
from aliquot.core.scheduling.state.draft import Draft
from aliquot.core.scheduling.state.units import Unit
from aliquot.core.scheduling.victims.rooms import Rooms
from aliquot.core.scheduling.victims.stopping import Stopping

_MOST_TRIES: Final = 512
"""Combinations looked at for one node and one new unit. Enough for every combination of nine."""
_MOST_TRIES_IN_ALL: Final = 1 << 14
"""Combinations looked at in one search."""


class Picker:
    """Picks units of single nodes, for one search."""

    def __init__(self, draft: Draft, stopping: Stopping, place: Mapping[Unit, int]) -> None:
        """`place` is the place of each unit in the order."""
        self._draft = draft
        self._stopping = stopping
        self._place = place
        self._tries_left = _MOST_TRIES_IN_ALL

    def pick(self, ranking: Ranking, rooms: Rooms, row: int, new: Unit | None) -> list[Unit] | None:
        """Stop units of a row so that the task of the ranking fits there. Returns them; None, and nobody stopped.

        Args:
            ranking: of the task's shape.
            rooms: who could go.
            row: the row.
            new: the unit without which it was tried before, if any.
        """
        here = rooms.seen.get(row, [])
        order = here if new is None or new not in here else [new, *(unit for unit in here if unit is not new)]
        mark = self._stopping.mark()
        picked: list[Unit] = []
        in_the_way = False
        lacking = rooms.lacking(row)
        for unit in order:
            if self._stopping.may_stop(unit):
                self._stopping.stop(unit)
                picked.append(unit)
                lacking = [lack - unit.on[row][column] for lack, (column, _) in zip(lacking, rooms.asked, strict=True)]
                if max(lacking, default=0) <= 0 and ranking.fits(row):
                    return self._trim(ranking, rooms, row, picked)
            else:
                in_the_way = True
        self._stopping.back_to(mark)
        if not in_the_way or not self._combine(ranking, rooms, row, order):
            return None
        return self._trim(ranking, rooms, row, self._stopping.since(mark))

    def _combine(self, ranking: Ranking, rooms: Rooms, row: int, order: Sequence[Unit]) -> bool:
        """Stop units of a row that may go together where it is not the first ones."""
        columns = [column for column, _ in rooms.asked]
        rest = [[0] * len(columns)]
        for unit in reversed(order):
            rest.append([more + unit.on[row][column] for more, column in zip(rest[-1], columns, strict=True)])
        rest.reverse()
        tries = min(_MOST_TRIES, self._tries_left)
        self._tries_left -= tries

        def extend(start: int, lacking: list[int]) -> bool:
            nonlocal tries
            if all(lack <= 0 for lack in lacking) and ranking.fits(row):
                return True
            for at in range(start, len(order)):
                if any(lack > more for lack, more in zip(lacking, rest[at], strict=True)):
                    return False
                tries -= 1
                if tries < 0:
                    return False
                unit = order[at]
                if not self._stopping.may_stop(unit):
                    continue
                before = self._stopping.mark()
                self._stopping.stop(unit)
                left = [lack - unit.on[row][column] for lack, column in zip(lacking, columns, strict=True)]
                if extend(at + 1, left):
                    return True
                self._stopping.back_to(before)
            return False

        found = extend(0, rooms.lacking(row))
        self._tries_left += max(0, tries)
        return found

    def _trim(self, ranking: Ranking, rooms: Rooms, row: int, picked: list[Unit]) -> list[Unit]:
        """Let those go on who are not needed, those with most right to stay first."""
        if len(picked) == 1:
            return picked
        lacking = rooms.lacking(row)
        for unit in sorted(picked, key=self._place.__getitem__, reverse=True):
            gains = unit.on[row]
            if not unit.parts and any(
                gains[column] > -lack for (column, _), lack in zip(rooms.asked, lacking, strict=True)
            ):
                continue
            self._stopping.spare(unit)
            if ranking.fits(row):
                picked.remove(unit)
                lacking = rooms.lacking(row)
            else:
                self._stopping.stop(unit)
        return picked
