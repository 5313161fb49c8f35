"""Keeps what one cluster says of its workloads, their pods, and what happened to them; a part of its permit.

    said                          becomes as it was said; another phase is remembered as a record
    gone, or not said any more    `deleted_ms`: kept for some time, and only so many of them, then removed
    an Event                      a record, one however often it is repeated; the oldest of a workload make room for
                                  new ones, those of Aliquot and those of others each on a bound of their own

All of it is bounded, whatever a cluster says: see `aliquot.controlplane.settings.Workloads`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

from sqlalchemy import CursorResult, delete, func, select, update
from sqlalchemy.orm import Session

from aliquot.controlplane.database.tables import (
    Department,
    Document,
    Pod,
    Project,
    Submission,
    Workload,
    WorkloadRecord,
)
from aliquot.controlplane.settings import Workloads
from aliquot.controlplane.workloads.rules import Columns, ProjectPlace

Kept = TypeVar("Kept", Workload, Pod)

_MOST_AT_ONCE: Final = 500
"""Databases bound the parameters of a statement."""
_MOST_REMOVED: Final = 2000
"""By one report, so that none takes long."""
_HOUR_MS: Final = 3_600_000
NOT_TOLD: Final = ""
"""Session of a workload that was submitted here, before its cluster has told of it."""
_DAY_MS: Final = 86_400_000
_UNSYNCHRONIZED: Final = {"synchronize_session": False}


@dataclass(frozen=True, slots=True)
class Happening:
    """An Event of the cluster.

    Attributes:
        workload_id: what it happened to.
        happened_ms: when, last.
        of_others: somebody else than Aliquot says so.
        document: as the API shows it.
    """

    workload_id: str
    happened_ms: int
    of_others: bool
    document: Document


class WorkloadKeeper:
    """See the module.

    Args:
        session: of the report.
        cluster_id: whose workloads they are.
        tenant_id: whose cluster it is.
        now_ms: when.
        limits: how much is kept.
    """

    def __init__(self, session: Session, cluster_id: str, tenant_id: int, now_ms: int, limits: Workloads) -> None:
        self._session = session
        self._cluster_id = cluster_id
        self._tenant_id = tenant_id
        self._now_ms = now_ms
        self._limits = limits
        self._has_ended = False

    def places(self, names: Collection[str]) -> Mapping[str, ProjectPlace]:
        """Where the projects with these names are; those that only the cluster knows are left out."""
        columns = select(Project.name, Project.id, Department.id, Department.name)
        query = columns.join(Department, Project.department_id == Department.id)
        here = query.where(Project.cluster_id == self._cluster_id, Project.name.in_(names))
        return {row[0]: ProjectPlace(*row[1:]) for row in self._session.execute(here)} if names else {}

    def keep(self, model: type[Kept], said: Mapping[str, Columns], session: str) -> None:
        """Keep what a session says of workloads or pods, by id."""
        mine = select(model).where(model.cluster_id == self._cluster_id, model.id.in_(said))
        known = {row.id: row for row in self._session.scalars(mine)}
        room = self._room(model) if len(known) < len(said) else 0
        moved: list[Workload] = []
        for uid, columns in said.items():
            row = known.get(uid)
            if row is None:
                if not room:
                    continue
                room -= 1
                row = model(cluster_id=self._cluster_id, id=uid, tenant_id=self._tenant_id)
                self._session.add(row)
            if isinstance(row, Workload) and row.phase != columns["phase"]:
                row.phase_ms = self._now_ms
                moved.append(row)
            self._write(row, columns)
            row.session, row.deleted_ms = session, None
        self._session.flush()
        self._remember_phases(moved)

    def _write(self, row: Workload | Pod, columns: Columns) -> None:
        if row.kubernetes_phase != columns["kubernetes_phase"]:
            row.kubernetes_phase_ms = self._now_ms
        differ = {name: value for name, value in columns.items() if getattr(row, name) != value}
        for name, value in differ.items():
            setattr(row, name, value)
        if differ or row.deleted_ms is not None:
            row.updated_ms = self._now_ms

    def _room(self, model: type[Workload] | type[Pod]) -> int:
        live = select(func.count()).where(model.cluster_id == self._cluster_id, model.deleted_ms.is_(None))
        return max(0, self._limits.live_most - (self._session.scalar(live) or 0))

    def end(self, model: type[Workload] | type[Pod], uids: Collection[str]) -> None:
        """Note that these are gone."""
        self._end(model, model.id.in_(uids))

    def end_all_but(self, model: type[Workload] | type[Pod], session: str) -> None:
        """Note that those are gone of which the session has said nothing; not those that no session has told of yet."""
        self._end(model, model.session.not_in((session, NOT_TOLD)))

    def _end(self, model: type[Workload] | type[Pod], which: Any) -> None:
        mine = update(model).where(model.cluster_id == self._cluster_id, model.deleted_ms.is_(None), which)
        done = self._session.execute(
            mine.values(deleted_ms=self._now_ms, updated_ms=self._now_ms), execution_options=_UNSYNCHRONIZED
        )
        self._has_ended = self._has_ended or cast("CursorResult[Any]", done).rowcount > 0

    # What happened

    def workloads_of(self, pods: Collection[str]) -> Mapping[str, str]:
        """To which workloads pods belong, or did, by uid; those that are not known are left out."""
        mine = select(Pod.id, Pod.workload_id).where(Pod.cluster_id == self._cluster_id, Pod.id.in_(pods))
        return {row[0]: row[1] for row in self._session.execute(mine)} if pods else {}

    def record(self, events: Mapping[str, Happening]) -> None:
        """Remember Events, by uid, or that they were repeated; those of workloads that are not known are left out."""
        workloads = {each.workload_id for each in events.values()}
        there = set(self._session.scalars(self._ids(Workload).where(Workload.id.in_(workloads))))
        mine = select(WorkloadRecord).where(
            WorkloadRecord.cluster_id == self._cluster_id,
            WorkloadRecord.workload_id.in_(workloads),
            WorkloadRecord.event_id.in_(events),
        )
        known = {row.event_id: row for row in self._session.scalars(mine)}
        for uid, row in known.items():
            again = events[uid or ""]
            if again.happened_ms >= row.happened_ms and again.document != row.document:
                row.happened_ms, row.document = again.happened_ms, again.document
        new = {uid: each for uid, each in events.items() if each.workload_id in there and uid not in known}
        self._add(
            WorkloadRecord(
                cluster_id=self._cluster_id,
                workload_id=each.workload_id,
                event_id=uid,
                of_others=each.of_others,
                happened_ms=each.happened_ms,
                document=each.document,
            )
            for uid, each in new.items()
        )

    def _remember_phases(self, moved: Sequence[Workload]) -> None:
        self._add(
            WorkloadRecord(
                cluster_id=self._cluster_id,
                workload_id=row.id,
                happened_ms=self._now_ms,
                document={"phase": row.phase, "phaseMessage": row.document["phaseMessage"]},
            )
            for row in moved
        )

    def _add(self, records: Iterable[WorkloadRecord]) -> None:
        rows = list(records)
        if not rows:
            return
        self._session.add_all(rows)
        self._session.flush()
        for workload_id, of_others in self._crowded({row.workload_id for row in rows}):
            whose = WorkloadRecord.cluster_id == self._cluster_id, WorkloadRecord.workload_id == workload_id
            latest = select(WorkloadRecord.id).where(*whose, WorkloadRecord.of_others == of_others)
            latest = latest.order_by(WorkloadRecord.happened_ms.desc(), WorkloadRecord.id.desc())
            old = list(self._session.scalars(latest.offset(self._limits.records_most)))
            for some in _parts(old):
                self._session.execute(
                    delete(WorkloadRecord).where(WorkloadRecord.id.in_(some)), execution_options=_UNSYNCHRONIZED
                )

    def _crowded(self, workload_ids: Collection[str]) -> Sequence[tuple[str, bool]]:
        """Those workloads of which more is remembered than may be, and whether that is what others say."""
        columns = WorkloadRecord.workload_id, WorkloadRecord.of_others
        found: list[tuple[str, bool]] = []
        for some in _parts(list(workload_ids)):
            mine = WorkloadRecord.cluster_id == self._cluster_id, WorkloadRecord.workload_id.in_(some)
            crowded = select(*columns).where(*mine).group_by(*columns).having(func.count() > self._limits.records_most)
            found.extend((row[0], row[1]) for row in self._session.execute(crowded))
        return found

    # What nobody asks for any more

    def trim(self, last_ms: int | None) -> None:
        """Remove what has been gone for too long, and the oldest of what is gone where that is too much.

        Looked for where something has ended, and once an hour: reports come every second.

        Args:
            last_ms: when the last report was taken; None: there was none.
        """
        is_due = last_ms is None or self._now_ms // _HOUR_MS != last_ms // _HOUR_MS
        if not is_due and not self._has_ended:
            return
        for model in (Workload, Pod):
            before = self._now_ms - self._limits.deleted_days * _DAY_MS
            gone = self._ids(model).where(model.deleted_ms.is_not(None))
            old = list(self._session.scalars(gone.where(model.deleted_ms < before).limit(_MOST_REMOVED)))
            if model is Workload and not old:
                failed = Submission.cluster_id == self._cluster_id, Submission.failed_ms < before
                old = list(self._session.scalars(select(Submission.id).where(*failed).limit(_MOST_REMOVED)))
            if self._has_ended and not old:
                latest = gone.order_by(model.deleted_ms.desc(), model.id)
                too_many = latest.offset(self._limits.deleted_most).limit(_MOST_REMOVED)
                old = list(self._session.scalars(too_many))
            for some in _parts(old):
                self._remove(model, some)

    def _remove(self, model: type[Workload] | type[Pod], uids: Sequence[str]) -> None:
        mine = delete(model).where(model.cluster_id == self._cluster_id, model.id.in_(uids))
        self._session.execute(mine, execution_options=_UNSYNCHRONIZED)
        if model is Workload:
            records = delete(WorkloadRecord).where(
                WorkloadRecord.cluster_id == self._cluster_id, WorkloadRecord.workload_id.in_(uids)
            )
            self._session.execute(records, execution_options=_UNSYNCHRONIZED)
            submissions = delete(Submission).where(Submission.cluster_id == self._cluster_id, Submission.id.in_(uids))
            self._session.execute(submissions, execution_options=_UNSYNCHRONIZED)

    def _ids(self, model: type[Workload] | type[Pod]) -> Any:
        return select(model.id).where(model.cluster_id == self._cluster_id)


def _parts(all_: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (all_[start : start + _MOST_AT_ONCE] for start in range(0, len(all_), _MOST_AT_ONCE))
