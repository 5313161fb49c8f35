"""Room that is kept: who is stopping for which job, and where. Until it has a place, nobody else gets it.

    others are stopped for a job ──▶ open ──▶ its tasks are granted nodes ──▶ kept ──▶ confirmed: ended
                                      ▲                                        │
                                      └────────────── a grant is refused ◀─────┘

A promise is of room for what its job asked for next when it was given. So it counts tasks: it is open until so many
of the job's tasks have a node. One that was on its way before does not use it up; one that is refused opens it anew.
"""

from collections import Counter
from dataclasses import dataclass, field

from aliquot.core.scheduling.state.tasks import TaskRecord


@dataclass(slots=True)
class Promise:
    """What a job has been promised.

    Attributes:
        until: open until so many of its tasks have a node.
        nodes: where others were stopped for it; some may have gone by now.
    """

    until: int
    nodes: dict[str, None] = field(default_factory=dict[str, None])


class Promises:
    """What jobs have been promised.

    Attributes:
        making_room: the tasks that are stopping for the sake of a job, by that job's id.
        given: what each job has been promised.
        placed: how many tasks of a job have a node, or were granted one.
    """

    def __init__(self) -> None:
        self.making_room: dict[str, dict[str, TaskRecord]] = {}
        self.given: dict[str, Promise] = {}
        self.placed = Counter[str]()

    def open(self) -> dict[str, dict[str, None]]:
        """The nodes of the promises that are still to be kept, by job."""
        return {job_id: given.nodes for job_id, given in self.given.items() if not self.is_kept(job_id)}

    def is_kept(self, job_id: str) -> bool:
        """Whether so many tasks of the job have a node now as it was promised; also where it was promised nothing."""
        given = self.given.get(job_id)
        return given is None or self.placed[job_id] >= given.until

    def give(self, job_id: str, node: str, until: int | None) -> None:
        """Others are stopped on the node for the job, until so many of its tasks have a node; None: as said before."""
        given = self.given.setdefault(job_id, Promise(until or 0))
        given.nodes[node] = None
        given.until = given.until if until is None else until

    def count(self, record: TaskRecord, node: str) -> None:
        """The task is stopping on the node for the job that it says, which has been promised its room."""
        self.making_room.setdefault(record.stopped_for, {})[record.fact.id] = record
        self.given[record.stopped_for].nodes[node] = None

    def discount(self, record: TaskRecord) -> None:
        """It does so no longer; what was promised stays so."""
        stopping = self.making_room.get(record.stopped_for, {})
        if stopping.pop(record.fact.id, None) is not None and not stopping:
            del self.making_room[record.stopped_for]

    def place(self, job_id: str, sign: int) -> None:
        """One more task of the job has a node (`sign` 1), or one less (-1)."""
        self.placed[job_id] += sign
        if not self.placed[job_id]:
            del self.placed[job_id]

    def one_has_gone(self, job_id: str) -> None:
        """A task of the job is gone that had a node: the others still need as many as before."""
        if (given := self.given.get(job_id)) is not None:
            given.until -= 1

    def forget_unless_stopping(self, job_id: str) -> None:
        """Forget what the job was promised, unless somebody is still stopping for it."""
        if job_id not in self.making_room:
            self.given.pop(job_id, None)

    def end(self, job_id: str) -> None:
        """The job has its places, or does not want them any more."""
        self.given.pop(job_id, None)
        for record in self.making_room.pop(job_id, {}).values():
            record.stopped_for = ""
