"""Room that is kept: who is stopping for which job, and where. Until it has a place, nobody else gets it."""

from aliquot.core.scheduling.state.tasks import TaskRecord


class Promises:
    """What waiting jobs have been promised.

    Attributes:
        making_room: the tasks that are stopping for the sake of a job, by that job's id.
        nodes: per job that others were stopped for, the nodes where they were; some may have gone by now.
    """

    def __init__(self) -> None:
        self.making_room: dict[str, dict[str, TaskRecord]] = {}
        self.nodes: dict[str, dict[str, None]] = {}

    def give(self, job_id: str, node: str) -> None:
        """Others are stopped on the node for the job."""
        self.nodes.setdefault(job_id, {})[node] = None

    def count(self, record: TaskRecord, node: str) -> None:
        """The task is stopping on the node, for the job that it says."""
        self.making_room.setdefault(record.stopped_for, {})[record.fact.id] = record
        self.give(record.stopped_for, node)

    def discount(self, record: TaskRecord) -> None:
        """It does so no longer; what was promised stays so."""
        stopping = self.making_room.get(record.stopped_for, {})
        if stopping.pop(record.fact.id, None) is not None and not stopping:
            del self.making_room[record.stopped_for]

    def forget_unless_stopping(self, job_id: str) -> None:
        """Forget what the job was promised, unless somebody is still stopping for it."""
        if job_id not in self.making_room:
            self.nodes.pop(job_id, None)

    def end(self, job_id: str) -> None:
        """The job has a place, or does not want one any more."""
        self.nodes.pop(job_id, None)
        for record in self.making_room.pop(job_id, {}).values():
            record.stopped_for = ""
