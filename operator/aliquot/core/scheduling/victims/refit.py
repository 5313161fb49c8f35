"""Whether a demand that has room by now would have it with one victim less, its tasks put elsewhere if need be."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from aliquot.core.quantities import PERCENT_PER_DEVICE
from aliquot.core.scheduling.placement.ranking import Placer
from aliquot.core.scheduling.state.draft import Draft, Spot
from aliquot.core.scheduling.state.shapes import Runs, TaskShape
from aliquot.core.scheduling.state.units import Unit
from aliquot.core.scheduling.victims.stopping import Stopping, keep, release

_MANY: Final = 1 << 31
"""More tasks than any node holds."""


class Refit:
    """A demand whose places were lifted from the draft, to be put down again with fewer victims."""

    def __init__(
        self, draft: Draft, placer: Placer, stopping: Stopping, runs: Runs, spots: Sequence[Sequence[Spot]]
    ) -> None:
        self._draft = draft
        self._placer = placer
        self._stopping = stopping
        self._runs = runs
        self._found: list[Spot] | None = None
        self._rows: dict[int, tuple[list[int], list[int]]] = {}
        self._begin = draft.checkpoint()
        for (shape, _), theirs in zip(runs, spots, strict=True):
            for spot in theirs:
                draft.give_back(spot, shape.request, now=False)
        self._counts = [_Count(draft, shape) for shape, _ in runs]
        self._spare = [count.most() - many for count, (_, many) in zip(self._counts, runs, strict=True)]

    def without(self, unit: Unit) -> bool:
        """Let the unit go on if the demand fits all the same. Returns whether."""
        loss = self._loss(unit)
        if any(lost > spare for lost, spare in zip(loss, self._spare, strict=True)):
            return False
        keep(self._draft, unit)
        mark = self._draft.checkpoint()
        found = self._placer.place(self._runs, now=False)
        self._draft.rollback(mark)
        if found is None:
            release(self._draft, unit)
            return False
        self._found = found
        self._stopping.forget(unit)
        for row in unit.on:
            self._rows.pop(row, None)
        self._spare = [spare - lost for spare, lost in zip(self._spare, loss, strict=True)]
        return True

    def done(self) -> list[Spot] | None:
        """Put the demand down. Returns where, in the order of its tasks; None when everything is as it was."""
        if self._found is None:
            self._draft.rollback(self._begin)
            return None
        found = self._placer.place(self._runs, now=False)
        assert found == self._found, "the same room was given out in two ways"
        return found

    def _loss(self, unit: Unit) -> list[int]:
        """How many tasks of each run the rows of the unit would hold less with it, at most counted alone."""
        before = [self._now(row) for row in unit.on]
        if unit.parts:
            mark = self._draft.checkpoint()
            keep(self._draft, unit)
            after = [[count.on(row, self._future(row)) for count in self._counts] for row in unit.on]
            self._draft.rollback(mark)
        else:
            after = [
                [
                    count.on(row, [left - gain for left, gain in zip(there[0], gains, strict=True)])
                    for count in self._counts
                ]
                for there, (row, gains) in zip(before, unit.on.items(), strict=True)
            ]
        return [
            sum(was[1][at] - will[at] for was, will in zip(before, after, strict=True)) for at in range(len(self._runs))
        ]

    def _now(self, row: int) -> tuple[list[int], list[int]]:
        """What is free on a row, and how many tasks of each run it could hold."""
        known = self._rows.get(row)
        if known is None:
            future = self._future(row)
            known = self._rows[row] = (future, [count.on(row, future) for count in self._counts])
        return known

    def _future(self, row: int) -> list[int]:
        return self._draft.future[row].tolist()


class _Count:
    """How many tasks of a shape rows could hold."""

    def __init__(self, draft: Draft, shape: TaskShape) -> None:
        self._draft = draft
        self._part = shape.request.part
        amounts = draft.nodes.amounts(shape.request)
        assert amounts is not None, "a task has a place that asks for what is nowhere"
        self._asked = [(column, need) for column, need in enumerate(amounts.tolist()) if need > 0]
        allowed = draft.nodes.matching(shape.signature) & draft.nodes.usable
        self._rows = np.flatnonzero(allowed)
        self._allowed: list[bool] = allowed.tolist()

    def most(self) -> int:
        """On all rows together."""
        rows = self._rows
        if self._part is not None:
            return sum(self.on(row, self._draft.future[row].tolist()) for row in rows.tolist())
        many = np.full(len(rows), _MANY, np.int64)
        for column, need in self._asked:
            np.minimum(many, np.maximum(self._draft.future[rows, column], 0) // need, out=many)
        return int(many.sum())

    def on(self, row: int, future: Sequence[int]) -> int:
        """On one row with so much room in its columns."""
        if not self._allowed[row]:
            return 0
        many = _MANY
        for column, need in self._asked:
            left = future[column]
            if left < need:
                return 0
            if (here := left // need) < many:
                many = here
        part = self._part
        if part is not None:
            units = int(self._draft.nodes.units[row])
            need = max(1, part.need(units))
            shared = (held.later for held in self._draft.shared_on(row).values() if held.later > 0)
            parts = sum(max(0, units - used) // need for used in shared)
            parts += max(0, future[0]) // PERCENT_PER_DEVICE * (units // need)
            many = min(many, parts // part.devices)
        return many
