"""Puts tasks into a draft, where the scores say; gangs whole or not at all."""

from collections.abc import Sequence

from aliquot.core.scheduling.placement.scores import Ranking
from aliquot.core.scheduling.state.draft import Draft, Spot
from aliquot.core.scheduling.state.nodes import Mask
from aliquot.core.scheduling.state.shapes import Runs, TaskShape


class Placer:
    """Puts demands into a draft; keeps the rankings that it made."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self._rankings: dict[tuple[TaskShape, bool], Ranking] = {}

    def ranking(self, shape: TaskShape, *, now: bool) -> Ranking:
        """The ranking for a shape."""
        ranking = self._rankings.get((shape, now))
        if ranking is None:
            ranking = self._rankings[shape, now] = Ranking(self.draft, shape, now=now)
        return ranking

    def place(self, runs: Runs, *, now: bool, rather: Sequence[int] = ()) -> list[Spot] | None:
        """Take room for all tasks, or none. Returns where each goes, in order; None when they do not all fit.

        Tasks go to the rows `rather`, as far as they fit there.
        """
        spots = self._place_all(runs, now, rather)
        if spots is None and any(shape.company and shape.company.near_required for shape, _ in runs):
            return self._place_elsewhere(runs, now)
        return spots

    def _place_elsewhere(self, runs: Runs, now: bool) -> list[Spot] | None:
        """The same for tasks that must be near to one another and did not all fit where the first would rather go.

        Every place is tried where it may begin.
        """
        shape, count = runs[0]
        rest = ((shape, count - 1), *runs[1:]) if count > 1 else runs[1:]
        for row in self.ranking(shape, now=now).begins(count) if rest else ():
            mark = self.draft.checkpoint()
            first = self.draft.take(row, shape.request, now=now, company=shape.company)
            others = self._place_all(rest, now, ())
            if others is not None:
                return [first, *others]
            self.draft.rollback(mark)
        return None

    def _place_all(self, runs: Runs, now: bool, rather: Sequence[int]) -> list[Spot] | None:
        mark = self.draft.checkpoint()
        spots: list[Spot] = []
        for shape, count in runs:
            placed = self.run(shape, count, now=now, rather=rather)
            if placed is None:
                self.draft.rollback(mark)
                return None
            spots += placed
        return spots

    def run(
        self, shape: TaskShape, count: int, *, now: bool, rather: Sequence[int] = (), within: Mask | None = None
    ) -> list[Spot] | None:
        """Take room for equal tasks, on some nodes only; what was taken stays so when they do not all fit."""
        ranking = self.ranking(shape, now=now)
        if count > 1 and not rather and ranking.independent:
            spread = ranking.spread(count, within)
            if spread is None:
                return None
            return [
                spot
                for row, many in spread
                for spot in self.draft.take_many(row, shape.request, many, now=now, company=shape.company)
            ]
        spots: list[Spot] = []
        for _ in range(count):
            row = next((row for row in rather if ranking.fits(row)), None)
            row = ranking.best(within) if row is None else row
            if row is None:
                return None
            spots.append(self.draft.take(row, shape.request, now=now, company=shape.company))
        return spots

    def might_fit(self, runs: Runs) -> bool:
        """Whether each run by itself fits into the room to come: necessary for `place`, and cheap."""
        return all(self.ranking(shape, now=False).room(count) for shape, count in runs)

    def might_start(self, runs: Runs) -> bool:
        """Whether each run by itself might start at once, in the room of those who were promised some: as cheap."""
        return all(self.ranking(shape, now=True).startable() for shape, _ in runs)
