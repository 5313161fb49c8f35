"""Of a few units, all that might go together: what is left to try where nothing else has helped."""

from itertools import islice
from typing import Final

import numpy as np

from aliquot.core.scheduling.state.draft import Spot
from aliquot.core.scheduling.state.nodes import Amounts
from aliquot.core.scheduling.state.shapes import TaskShape
from aliquot.core.scheduling.state.units import Unit
from aliquot.core.scheduling.victims.case import Case
from aliquot.core.scheduling.victims.rooms import Rooms

_FEW: Final = 12
"""Of so many units all sets are looked at."""
_MOST_TRIES: Final = 256
"""So many sets are tried that might make room, as far as their amounts tell."""
_MOST_AMOUNTS: Final = 1 << 20
"""Amounts that are added up at once."""


def one_by_one(case: Case) -> list[Spot] | None:
    """Where few could go, try all sets of them, the small ones first. Returns where the tasks go then.

    A set is no good that holds another which makes room too, though the rule refuses that one; nor is one that holds
    another which may not go.
    """
    runs = case.key.demand.runs
    most = case.most()
    rooms = [Rooms(case.draft, shape, most) for shape, _ in runs]

    def useful(unit: Unit) -> bool:
        return bool(case.bounds) or any(room.concerns(unit) for room in rooms)

    units = list(islice(case.candidates.in_order(case.rule.queues, useful), _FEW + 1))
    if not units or len(units) > _FEW:
        return None
    for unit in units:
        case.look_at(unit)
    left = _hopeful(case, units)
    for _ in range(_MOST_TRIES):
        if not len(left):
            break
        chosen = int(left[0])
        mark = case.stopping.mark()
        spots, futile = _try(case, [unit for at, unit in enumerate(units) if chosen & _bit(at, units)])
        if spots is not None:
            return spots
        case.stopping.back_to(mark)
        left = left[(left & chosen) != chosen] if futile else left[1:]
    return None


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


def _bit(at: int, units: list[Unit]) -> int:
    """What stands for one of the units in the number of a set."""
    return 1 << (len(units) - 1 - at)


def _hopeful(case: Case, units: list[Unit]) -> Amounts:
    """The sets that might make room, as numbers: the small ones first, of equal ones those who have to go first."""
    numbers = np.arange(1 << len(units))
    sizes = np.zeros_like(numbers)
    for at in range(len(units)):
        sizes += (numbers >> at) & 1
    hope = sizes > 0
    for shape, count in case.key.demand.runs:
        hope &= _room(case, shape, count, units) >= count
    numbers = numbers[np.lexsort((-numbers, sizes))]
    return numbers[hope[numbers]]


def _room(case: Case, shape: TaskShape, count: int, units: list[Unit]) -> Amounts:
    """Per set, for how many tasks there is room at most if they go, up to `count` on each node."""
    nodes, future = case.draft.nodes, case.draft.future
    amounts = nodes.amounts(shape.request)
    if amounts is None:
        return np.zeros(1 << len(units), np.int64)
    if shape.request.part is not None or not amounts.any():
        return np.full(1 << len(units), count)  # amounts say little of devices of which parts are held
    columns = np.flatnonzero(amounts)
    allowed = nodes.matching(shape.signature) & nodes.usable
    rows = np.array(sorted({row for unit in units for row in unit.on if allowed[row]}), np.int64)
    others = allowed.copy()
    others[rows] = False
    room = np.full(1 << len(units), _many(future[others], columns, amounts, count).sum())
    step = max(1, _MOST_AMOUNTS // ((1 << len(units)) * len(columns)))
    for begin in range(0, len(rows), step):
        some: list[int] = rows[begin : begin + step].tolist()
        sums = future[np.newaxis, some][:, :, : len(amounts)]
        nothing = (0,) * sums.shape[2]
        for unit in reversed(units):
            sums = np.concatenate([sums, sums + np.array([unit.on.get(row, nothing) for row in some], np.int64)])
        room += _many(sums, columns, amounts, count).sum(axis=1)
    return room


def _many(room: Amounts, columns: Amounts, amounts: Amounts, count: int) -> Amounts:
    """How many tasks fit into each room, up to `count`."""
    return np.minimum(np.maximum(room[..., columns], 0) // amounts[columns], count).min(axis=-1)
