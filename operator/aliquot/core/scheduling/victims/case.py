"""A demand that victims are looked for, and what the ways to look for them have in common."""

from collections.abc import Sequence

from aliquot.core.scheduling.placement.ranking import Placer
from aliquot.core.scheduling.state.draft import Draft
from aliquot.core.scheduling.state.jobs import GroupKey
from aliquot.core.scheduling.state.nodes import Amounts
from aliquot.core.scheduling.state.units import Unit
from aliquot.core.scheduling.victims.bounds import Bound, Going
from aliquot.core.scheduling.victims.candidates import Candidates
from aliquot.core.scheduling.victims.rules import Rule
from aliquot.core.scheduling.victims.stopping import Stopping


class Case:
    """One demand, and who is stopped for it so far.

    Attributes:
        draft: the pool.
        placer: what places tasks in the draft.
        candidates: who may be stopped at all.
        key: whose demand it is.
        rule: who may be stopped for it.
        bounds: the limits that it would pass.
        stopping: who is stopped so far.
        place: of everybody who has been looked at, the place in the order: the least has least right to stay.
    """

    def __init__(
        self,
        draft: Draft,
        placer: Placer,
        candidates: Candidates,
        key: GroupKey,
        rule: Rule,
        bounds: Sequence[Bound],
    ) -> None:
        self.draft = draft
        self.placer = placer
        self.candidates = candidates
        self.key = key
        self.rule = rule
        self.bounds = bounds
        self.stopping = Stopping(draft, rule)
        self.place: dict[Unit, int] = {}

    def look_at(self, unit: Unit) -> None:
        """Give the unit its place, if it has none: those who come later have more right to stay."""
        self.place.setdefault(unit, len(self.place))

    def stopped(self) -> list[Unit]:
        """Who is stopped, in the order of their right to stay, least first."""
        return sorted(self.stopping.units, key=self.place.__getitem__)

    def going(self) -> Going:
        """What goes of the queues whose limits are in the way."""
        return Going(self.draft.tree, self.bounds, self.stopping.units)

    def most(self) -> Amounts:
        """Per row, what is there if everybody goes who is considered at all."""
        most = self.draft.future.copy()
        for name in self.rule.queues:
            most += self.candidates.room(name)
        return most
