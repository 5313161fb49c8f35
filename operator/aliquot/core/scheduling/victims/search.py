"""The search for victims: what to stop so that a whole demand fits, its bounds included; nothing more, or nothing.

First what the waiting job's bounds demand (a queue at its limit has to lose something before it may gain), then room
for its tasks, at last everybody goes on who turned out to be needless. Units are gone through once, in their order; a
node where those seen so far make room is used at once, and what else they free is used before anybody else is stopped.
So nobody is stopped while somebody with less right to stay would do, and of several on a node the ones with least right
are taken that may go together. Where that spends what the rules allow without getting the whole gang placed, the search
begins again with the nodes where the fewest have to go; and of a few units it looks at all combinations.
"""

from dataclasses import dataclass, field

from aliquot.core.scheduling.placement.ranking import Placer
from aliquot.core.scheduling.state.draft import Draft, Spot
from aliquot.core.scheduling.state.jobs import GroupKey
from aliquot.core.scheduling.state.queues import Amount
from aliquot.core.scheduling.state.units import Unit
from aliquot.core.scheduling.victims.bounds import limits_in_the_way
from aliquot.core.scheduling.victims.candidates import Candidates
from aliquot.core.scheduling.victims.case import Case
from aliquot.core.scheduling.victims.few import one_by_one
from aliquot.core.scheduling.victims.filling import Filling
from aliquot.core.scheduling.victims.needless import give_back, place_anew
from aliquot.core.scheduling.victims.rooms import Rooms
from aliquot.core.scheduling.victims.rules import Rule


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
    bounds = limits_in_the_way(draft, key)
    if bounds is None:
        return None
    case = Case(draft, placer, candidates, key, rule, bounds)
    spots = _look(case) if _could_fit(case) else None
    return None if spots is None else Found(tuple(case.stopped()), spots)


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


def _could_fit(case: Case) -> bool:
    """Whether each run of the demand could fit if everybody went: cheap, and mostly an answer."""
    most = case.most()
    return all(Rooms(case.draft, shape, most).enough_for(count) for shape, count in case.key.demand.runs)


def _look(case: Case) -> list[Spot] | None:
    """Stop who has to be stopped. Returns where the tasks go; None, and nobody stopped, where nothing helps."""
    begin, filling = case.stopping.mark(), Filling(case)
    ways = (filling.in_order, filling.fewest_first) if case.key.demand.tasks > 1 else (filling.in_order,)
    for way in ways:
        if _loosen(case) and (found := way()) is not None:
            give_back(case, found)
            spots = place_anew(case, found)
            if case.rule.accepts():
                return spots
        case.stopping.back_to(begin)
    return one_by_one(case)


def _loosen(case: Case) -> bool:
    """Choose units of the queues whose limit is in the way. Returns whether enough."""
    if not case.bounds:
        return True

    def useful(unit: Unit) -> bool:
        return any(bound.counts(case.draft.tree, unit) for bound in case.bounds)

    going = case.going()
    for unit in case.candidates.in_order(case.rule.queues, useful):
        if going.enough():
            break
        case.look_at(unit)
        if case.stopping.may_stop(unit):
            case.stopping.stop(unit)
            going.add(unit)
    return going.enough()
