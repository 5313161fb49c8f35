"""One node pool of the state: a scheduling domain of its own."""

from dataclasses import dataclass, field

from aliquot.core.scheduling.state.nodes import NodeTable
from aliquot.core.scheduling.state.queues import QueueTree


@dataclass(slots=True)
class PoolState:
    """One node pool. Pools share nothing but jobs that may use several.

    Attributes:
        nodes: its nodes.
        queues: its queues.
        stoppable: per queue, the preemptible jobs with tasks on its nodes that are not stopping, and how many.
    """

    nodes: NodeTable = field(default_factory=NodeTable)
    queues: QueueTree = field(default_factory=QueueTree)
    stoppable: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])

    def count_stoppable(self, queue: str, job_id: str, sign: int) -> None:
        """One more task of the job could be stopped (`sign` 1), or one less (-1)."""
        jobs = self.stoppable.setdefault(queue, {})
        jobs[job_id] = jobs.get(job_id, 0) + sign
        if not jobs[job_id]:
            del jobs[job_id]
            if not jobs:
                del self.stoppable[queue]
