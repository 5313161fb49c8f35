"""One node pool of the state: a scheduling domain of its own."""

from dataclasses import dataclass, field
from typing import Final, TypeVar

from aliquot.core.scheduling.state.affinity import Mentioned
from aliquot.core.scheduling.state.nodes import NodeTable
from aliquot.core.scheduling.state.queues import QueueTree
from aliquot.core.scheduling.state.units import QueueUnits

_Key = TypeVar("_Key", str, int)
_MOST_CHANGED: Final = 1024
"""So many changed jobs are noted of a queue that nobody asks for; after more, all are reckoned anew at last."""


@dataclass(slots=True)
class PoolState:
    """One node pool. Pools share nothing but jobs that may use several.

    Attributes:
        nodes: its nodes.
        queues: its queues.
        stoppable: per queue, the preemptible jobs with tasks on its nodes that are not stopping, and how many.
        priorities: per queue, the priorities of those jobs, and how many such tasks each has.
        mentioned: whom the affinity of tasks speaks of; the same for all pools.
        units: per queue that was asked for, those jobs as units; up to date but for `changed`.
        changed: per queue, the jobs of which other tasks could be stopped now than when it was last asked for.
    """

    nodes: NodeTable = field(default_factory=NodeTable)
    queues: QueueTree = field(default_factory=QueueTree)
    stoppable: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])
    priorities: dict[str, dict[int, int]] = field(default_factory=dict[str, dict[int, int]])
    mentioned: Mentioned = field(default_factory=Mentioned)
    units: dict[str, QueueUnits] = field(default_factory=dict[str, QueueUnits])
    changed: dict[str, set[str]] = field(default_factory=dict[str, set[str]])

    def count_stoppable(self, queue: str, job_id: str, priority: int, sign: int) -> None:
        """One more task of the job could be stopped (`sign` 1), or one less (-1)."""
        _count(self.stoppable, queue, job_id, sign)
        _count(self.priorities, queue, priority, sign)
        if queue in self.units:
            changed = self.changed.setdefault(queue, set())
            changed.add(job_id)
            if len(changed) > _MOST_CHANGED:
                del self.units[queue], self.changed[queue]

    def lowest_priority(self, queue: str) -> int | None:
        """The lowest priority of what could be stopped of a queue; None when nothing could."""
        return min(self.priorities.get(queue, ()), default=None)


def _count(table: dict[str, dict[_Key, int]], queue: str, key: _Key, sign: int) -> None:
    counts = table.setdefault(queue, {})
    counts[key] = counts.get(key, 0) + sign
    if not counts[key]:
        del counts[key]
        if not counts:
            del table[queue]
