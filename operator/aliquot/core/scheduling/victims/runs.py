"""Equal tasks of a demand that look for room."""

from aliquot.core.scheduling.placement.ranking import Ranking
from aliquot.core.scheduling.state.draft import Draft, Spot
from aliquot.core.scheduling.state.shapes import TaskShape


class Run:
    """Equal tasks, and how far one has come with them.

    Attributes:
        ranking: where they fit.
        spots: where those are that have a place.
    """

    def __init__(self, draft: Draft, ranking: Ranking, shape: TaskShape, count: int) -> None:
        self.ranking = ranking
        self.spots: list[Spot] = []
        self._draft = draft
        self._shape = shape
        self._count = count

    @property
    def lacking(self) -> int:
        """How many have no place."""
        return self._count - len(self.spots)

    def take_free(self) -> None:
        """Take what room there is."""
        while self.lacking and (row := self.ranking.best()) is not None:
            self.spots.append(self._draft.take(row, self._shape.request, now=False, company=self._shape.company))


def size_of(shape: TaskShape) -> tuple[int, ...]:
    """What to order tasks by: larger ones are harder to place."""
    request = shape.request
    base, part = request.base, request.part
    parts = part.devices if part is not None else 0
    return (base.gpu_percent, sum(many for _, many in request.extended), parts, base.cpu_milli, base.memory_bytes)
