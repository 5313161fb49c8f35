"""Of few units, or of few kinds of them, all that might go together: what is left to try where nothing else has helped.

Of units that are alike only how many go makes a difference: those first that have least right to stay. So what is
looked at are numbers, one for each kind.
"""

from collections.abc import Hashable, Sequence
from itertools import islice
from math import prod
from typing import Final

import numpy as np

from aliquot.core.scheduling.state.draft import Spot
from aliquot.core.scheduling.state.nodes import Amounts
from aliquot.core.scheduling.state.shapes import TaskShape
from aliquot.core.scheduling.state.units import Unit
from aliquot.core.scheduling.victims.case import Case
from aliquot.core.scheduling.victims.rooms import Rooms

_MOST_UNITS: Final = 256
"""Where more could go, nothing is tried here."""
_MOST_SETS: Final = 1 << 12
"""So many sets are looked at: all there are of twelve units that are not alike."""
_MOST_TRIES: Final = 256
"""So many sets are tried that might make room, as far as their amounts tell."""
_MOST_AMOUNTS: Final = 1 << 20
"""Amounts that are added up at once."""

Kinds = Sequence[Sequence[Unit]]
"""Units, those together that are alike, in the order of their right to stay, least first."""


def one_by_one(case: Case) -> list[Spot] | None:
    """Where few could go, try all sets of them, the small ones first. Returns where the tasks go then.

    A set is no good that holds another which makes room too, though the rule refuses that one; nor is one that holds
    another which may not go.
    """
    kinds = _kinds(case)
    if not kinds or prod(len(kind) + 1 for kind in kinds) > _MOST_SETS:
        return None
    left = _hopeful(case, kinds)
    for _ in range(_MOST_TRIES):
        if not len(left):
            break
        chosen = left[0]
        mark = case.stopping.mark()
        many: list[int] = chosen.tolist()
        spots, futile = _try(case, [unit for kind, go in zip(kinds, many, strict=True) for unit in kind[:go]])
        if spots is not None:
            return spots
        case.stopping.back_to(mark)
        left = left[~(left >= chosen).all(axis=1)] if futile else left[1:]
    return None


def _kinds(case: Case) -> Kinds:
    """The units that could go; none where they are too many."""
    most = case.most()
    rooms = [Rooms(case.draft, shape, most) for shape, _ in case.key.demand.runs]

    def useful(unit: Unit) -> bool:
        return bool(case.bounds) or any(room.concerns(unit) for room in rooms)

    units = list(islice(case.candidates.in_order(case.rule.queues, useful), _MOST_UNITS + 1))
    if len(units) > _MOST_UNITS:
        return ()
    found: dict[Hashable, list[Unit]] = {}
    for unit in units:
        case.look_at(unit)
        if case.stopping.may_stop(unit):  # else it may not go with others either
            found.setdefault(_likeness(case, unit), []).append(unit)
    return list(found.values())


def _likeness(case: Case, unit: Unit) -> Hashable:
    """The same for units that make no difference to one another but in who they are."""
    if unit.parts:  # of which devices makes a difference
        return unit.job.id, unit.tasks[0].id, len(unit.tasks)
    company = tuple(case.draft.shape(task).company for task in unit.tasks)
    return unit.queue, unit.job.priority, unit.total, unit.rows, tuple(sorted(unit.on.items())), company


def _try(case: Case, units: list[Unit]) -> tuple[list[Spot] | None, bool]:
    """Stop all of them. Returns where the tasks go if that helps, and whether more than them could not help either."""
    for unit in units:
        if not case.stopping.may_stop(unit):
            return None, True
        case.stopping.stop(unit)
    spots = case.placer.place(case.key.demand.runs, now=False) if case.going().enough() else None
    if spots is None or case.rule.accepts():
        return spots, False
    return None, True


def _hopeful(case: Case, kinds: Kinds) -> Amounts:
    """The sets that might make room, as how many of each kind go: the small ones first.

    Of equal ones those come first in which they go who have to go first.
    """
    sizes = [len(kind) + 1 for kind in kinds]
    sets = np.indices(sizes).reshape(len(sizes), -1).T
    many = sets.sum(axis=1)
    hope = many > 0
    for shape, count in case.key.demand.runs:
        hope &= _room(case, shape, count, kinds, sets) >= count
    order = np.lexsort((*(-sets[:, at] for at in reversed(range(len(kinds)))), many))
    return sets[order[hope[order]]]


def _room(case: Case, shape: TaskShape, count: int, kinds: Kinds, sets: Amounts) -> Amounts:
    """Per set, for how many tasks there is room at most if they go, up to `count` on each node."""
    nodes, future = case.draft.nodes, case.draft.future
    amounts = nodes.amounts(shape.request)
    if amounts is None:
        return np.zeros(len(sets), np.int64)
    if shape.request.part is not None or not amounts.any():
        return np.full(len(sets), count)  # amounts say little of devices of which parts are held
    columns = np.flatnonzero(amounts)
    allowed = nodes.matching(shape.signature) & nodes.usable
    rows = np.array(sorted({row for kind in kinds for row in kind[0].on if allowed[row]}), np.int64)
    others = allowed.copy()
    others[rows] = False
    room = np.full(len(sets), _many(future[others], columns, amounts, count).sum())
    nothing = (0,) * future.shape[1]
    step = max(1, _MOST_AMOUNTS // (len(sets) * len(columns)))
    for begin in range(0, len(rows), step):
        some: list[int] = rows[begin : begin + step].tolist()
        gains = np.array([[kind[0].on.get(row, nothing) for row in some] for kind in kinds], np.int64)
        sums = future[some] + np.tensordot(sets, gains, axes=1)
        room += _many(sums, columns, amounts, count).sum(axis=1)
    return room


def _many(room: Amounts, columns: Amounts, amounts: Amounts, count: int) -> Amounts:
    """How many tasks fit into each room, up to `count`."""
    return np.minimum(np.maximum(room[..., columns], 0) // amounts[columns], count).min(axis=-1)
