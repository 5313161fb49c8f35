"""What clusters are to do with workloads that were submitted here; a part of both kinds of permits.

A user's permit writes orders, a cluster's reads them and strikes them out. Both keep the workload's own row in step, so
that lists need not know of submissions. Whoever has a book writes alone about the workloads of the cluster.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from sqlalchemy import and_, func, select, update
from sqlalchemy.orm import Session

from aliquot.contracts.cluster_orders import Outcome
from aliquot.contracts.cluster_workloads import PHASES
from aliquot.controlplane.database.tables import Department, Project, Submission, Workload, WorkloadRecord
from aliquot.controlplane.submissions.rules import Asked, State, asked, told, without_project

_MOST_AT_ONCE: Final = 500
"""Databases bound the parameters of a statement."""
_PROJECT_GONE: Final = "its project was deleted before the cluster had made it"


@dataclass(frozen=True, slots=True)
class Waiting:
    """An order that a cluster has not carried out.

    Attributes:
        submission: which workload it is about, and what is to be done.
        namespace: where that is, as the cluster says; None: the cluster has not told of it.
    """

    submission: Submission
    namespace: str | None


class OrderBook:
    """See the module.

    Args:
        session: in which nobody else writes about the cluster's workloads.
        cluster_id: whose.
        now_ms: when.
    """

    def __init__(self, session: Session, cluster_id: str, now_ms: int) -> None:
        self._session = session
        self._cluster_id = cluster_id
        self._now_ms = now_ms

    # What users do

    def waiting_count(self) -> int:
        """How many orders wait."""
        mine = Submission.cluster_id == self._cluster_id, Submission.verb.is_not(None)
        return self._session.scalar(select(func.count()).where(*mine)) or 0

    def live_count(self) -> int:
        """How many workloads there are."""
        mine = Workload.cluster_id == self._cluster_id, Workload.deleted_ms.is_(None)
        return self._session.scalar(select(func.count()).where(*mine)) or 0

    def is_taken(self, project_id: int, name: str) -> bool:
        """Whether a workload of the project has this name."""
        mine = Workload.project_id == project_id, Workload.name == name, Workload.deleted_ms.is_(None)
        return self._session.scalar(select(Workload.id).where(*mine).limit(1)) is not None

    def open(self, workload: Workload) -> None:
        """Show the workload of a new submission from now on."""
        self._session.add(workload)
        self._note(workload, workload.phase, workload.document["phaseMessage"])
        self._session.flush()

    def current(self, submission_id: str) -> tuple[Submission, Workload]:
        """A submission and its workload, as they are now."""
        key = self._cluster_id, submission_id
        submission = self._session.get_one(Submission, submission_id, populate_existing=True)
        return submission, self._session.get_one(Workload, key, populate_existing=True)

    def ask(self, submission: Submission, workload: Workload, verb: Asked) -> None:
        """Order something.

        Raises:
            Conflict: that is not possible any more.
        """
        before = _state(submission)
        after = asked(before, verb)
        if after.number != before.number:
            submission.ordered_ms = self._now_ms
        self._become(submission, workload, after)
        if after.desired == "Deleted" and not after.is_over:
            self._show(workload, "Deleting", "it is to be deleted")

    def end_below(self, owner: Project | Department) -> None:
        """Note that a project, or all of a department, is deleted: what is not made yet never will be."""
        column = Submission.project_id if isinstance(owner, Project) else Submission.department_id
        open_ = select(Submission).where(column == owner.id, Submission.verb.is_not(None), Submission.uid.is_(None))
        for submission in self._session.scalars(open_):
            workload = self._session.get_one(Workload, (submission.cluster_id, submission.id))
            self._become(submission, workload, without_project(_state(submission)), _PROJECT_GONE)
        self._session.flush()

    # What clusters do

    def waiting(self) -> Sequence[Waiting]:
        """The orders that wait, the oldest first."""
        its = and_(Workload.cluster_id == Submission.cluster_id, Workload.id == Submission.id)
        query = select(Submission, Workload.document).join(Workload, its)
        mine = query.where(Submission.cluster_id == self._cluster_id, Submission.verb.is_not(None))
        return [
            Waiting(submission, None if submission.uid is None else document["namespace"])
            for submission, document in self._session.execute(mine.order_by(Submission.ordered_ms, Submission.id))
        ]

    def known(self, uids: Collection[str]) -> Mapping[str, Submission]:
        """Those of workloads that were submitted here, by uid."""
        found: dict[str, Submission] = {}
        for some in _parts(sorted(uids)):
            mine = Submission.cluster_id == self._cluster_id, Submission.uid.in_(some)
            found |= {cast("str", row.uid): row for row in self._session.scalars(select(Submission).where(*mine))}
        return found

    def bind(self, said: Mapping[str, tuple[str, str, str | None]]) -> None:
        """Learn of workloads that say that they were submitted here; the first that says so counts.

        Args:
            said: by uid: the id of the submission, and the kind and project of the workload.
        """
        claimed = {claim[0]: (uid, claim[1], claim[2]) for uid, claim in said.items()}
        for some in _parts(sorted(claimed)):
            mine = Submission.cluster_id == self._cluster_id, Submission.id.in_(some), Submission.uid.is_(None)
            for row in self._session.scalars(select(Submission).where(*mine)):
                uid, kind, project = claimed[row.id]
                if (kind, project) == (row.kind, row.project_name):
                    row.uid, row.failed_ms = uid, None
        self._session.flush()

    def strike(self, submission_id: str, number: int, outcome: Outcome, message: str) -> None:
        """Learn what became of an order."""
        submission = self._session.get(Submission, submission_id)
        if submission is None or submission.cluster_id != self._cluster_id:
            return
        workload = self._session.get_one(Workload, (self._cluster_id, submission_id))
        is_stopped = workload.kubernetes_phase == "Stopped"
        after = told(_state(submission), number, outcome, is_stopped=is_stopped)
        if after is None:
            return
        verb = submission.verb
        self._become(submission, workload, after, message)
        if outcome == "Refused" and not after.has_failed:
            self._show(workload, _phase(workload), f"cannot {verb} it: {message}")

    # Both

    def _become(self, submission: Submission, workload: Workload, state: State, message: str = "") -> None:
        submission.desired_phase, submission.verb, submission.number = state.desired, state.verb, state.number
        if state.verb != "create":
            submission.manifest = None
        if state.has_failed and not state.is_over:
            submission.failed_ms = workload.completed_ms = self._now_ms
            workload.kubernetes_phase, workload.kubernetes_phase_ms = "Failed", self._now_ms
            self._show(workload, "Failed", message)
        if state.is_over and workload.deleted_ms is None:
            workload.deleted_ms = workload.updated_ms = self._now_ms

    def _show(self, workload: Workload, phase: str, message: str) -> None:
        if workload.phase != phase:
            workload.phase, workload.phase_ms = phase, self._now_ms
        workload.document = {**workload.document, "phaseMessage": message}
        workload.updated_ms = self._now_ms
        self._note(workload, phase, message)

    def _note(self, workload: Workload, phase: str, message: str) -> None:
        self._session.add(
            WorkloadRecord(
                cluster_id=workload.cluster_id,
                workload_id=workload.id,
                happened_ms=self._now_ms,
                document={"phase": phase, "phaseMessage": message},
            )
        )


def follow(session: Session, project: Project) -> None:
    """Let a new project have the submissions under its name in its cluster whose workloads are still there."""
    session.execute(
        update(Submission)
        .where(Submission.cluster_id == project.cluster_id, Submission.project_name == project.name)
        .values(project_id=project.id, department_id=project.department_id),
        execution_options={"synchronize_session": False},
    )


def _phase(workload: Workload) -> str:
    """How a workload is, that is not to be deleted any more."""
    if workload.phase != "Deleting":
        return workload.phase
    return workload.kubernetes_phase if workload.kubernetes_phase in PHASES else "Unknown"


def _state(row: Submission) -> State:
    return State(
        desired=cast("Any", row.desired_phase),
        verb=cast("Any", row.verb),
        number=row.number,
        is_made=row.uid is not None,
        has_failed=row.failed_ms is not None,
    )


def _parts(all_: Sequence[str]) -> Iterable[Sequence[str]]:
    return (all_[start : start + _MOST_AT_ONCE] for start in range(0, len(all_), _MOST_AT_ONCE))
