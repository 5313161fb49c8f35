"""Nobody is stopped in vain: of those who were stopped for a demand, everybody goes on who is not needed."""

from collections.abc import Sequence

from aliquot.core.scheduling.state.draft import Spot
from aliquot.core.scheduling.victims.case import Case
from aliquot.core.scheduling.victims.refit import Refit
from aliquot.core.scheduling.victims.stopping import let_go_on


def give_back(case: Case, spots: Sequence[Sequence[Spot]]) -> None:
    """Let everybody go on who is not needed, those with most right to stay first. `spots` is where the tasks go."""
    shapes = [shape for shape, _ in case.key.demand.runs]
    amounts = [case.draft.nodes.amounts(shape.request) for shape in shapes]
    asked = {column for each in amounts if each is not None for column in each.nonzero()[0].tolist()}
    if any(shape.request.part is not None for shape in shapes):
        asked.add(0)
    used = {spot.row for theirs in spots for spot in theirs}
    going = case.going()
    for unit in reversed(case.stopped()):
        if going.enough(without=unit) and let_go_on(case.draft, unit, used, asked):
            case.stopping.forget(unit)
            going.remove(unit)


def place_anew(case: Case, spots: Sequence[Sequence[Spot]]) -> list[Spot]:
    """The same for those who are not needed if tasks go elsewhere. Returns where they go now."""
    refit = Refit(case.draft, case.placer, case.stopping, case.key.demand.runs, spots)
    going = case.going()
    for unit in reversed(case.stopped()):
        if going.enough(without=unit) and refit.without(unit):
            going.remove(unit)
    return refit.done() or [spot for theirs in spots for spot in theirs]
